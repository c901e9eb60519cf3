# SPDX-License-Identifier: Apache-2.0
# Orders that nobody means well: a named refusal or the right answer, in bounded time and memory.
load ../helper

session='{"schema":"pof.session/1","id":"S","kind":"real_time","day":"2026-03-10","opens":"2026-03-09T00:00:00Z","gate":"2026-03-09T01:00:00Z","clear_by":"2026-03-09T02:00:00Z","validate_by":"2026-03-09T03:00:00Z","final_by":"2026-03-09T04:00:00Z","start":"2026-03-10T00:00:00Z","end":"2026-03-10T00:15:00Z"}'
span='"start":"2026-03-10T00:00:00Z","end":"2026-03-10T00:15:00Z"'

# A line of nodes N0 .. N$1.
line_grid() {
    awk -v n="$1" 'BEGIN {
        printf "{\"schema\":\"pof.grid/1\",\"name\":\"line\",\"base_va\":1000000,\"f_hz\":50,\"nodes\":["
        printf "{\"name\":\"N0\",\"base_v\":20000,\"kind\":\"slack\",\"v_set_pu\":1}"
        for (i = 1; i <= n; i++) printf ",{\"name\":\"N%d\",\"base_v\":20000}", i
        printf "],\"branches\":["
        for (i = 1; i <= n; i++) printf "%s{\"name\":\"L%d\",\"kind\":\"line\",\"from\":\"N%d\",\"to\":\"N%d\",\"r_ohm\":0.1,\"x_ohm\":0.1}", (i > 1 ? "," : ""), i, i - 1, i
        printf "]}" }'
}

# At most $1 KiB of memory and $2 s of CPU; the sanitizers set aside terabytes of address space.
bounded() {
    local kib=$1 cpu=$2
    shift 2
    case $POF_BIN in *asan*) kib=unlimited cpu=$((cpu * 10)) ;; esac
    (ulimit -v "$kib" && ulimit -t "$cpu" && "$@")
}

setup() {
    cd "$BATS_TEST_TMPDIR" || return 1
    echo "$session" >session.jsonl
    line_grid 3 >grid.json
}

offer() { # id direction p_w price
    printf '{"schema":"pof.offer/1","id":"%s","session":"S","seller":"x","pod":"P","node":"N3","direction":"%s",%s,"p_w":%s,"price_eur_mwh":%s}\n' \
        "$1" "$2" "$span" "$3" "$4"
}

request() { # p_w
    printf '{"schema":"pof.request/1","id":"R","session":"S","buyer":"D","role":"dso","branch":"L3","direction":"up",%s,"p_w":%s}\n' "$span" "$1"
}

@test "quantities beyond the range of a record are refused with their field" {
    for p in 0 -5 1e30 9223372036854775808 99999999999999999999999999; do
        offer a up "$p" 10 >o.jsonl
        run pof-clear --grid grid.json session.jsonl o.jsonl
        [ "$status" = 65 ]
        [[ $output == *o.jsonl:1:p_w* ]]
    done
    for price in -1 1e400 nan; do
        offer a up 5 "$price" >o.jsonl
        run pof-clear --grid grid.json session.jsonl o.jsonl
        [ "$status" = 65 ]
        [[ $output == *o.jsonl:1* ]]
    done
}

@test "widths below zero and times off the quarter-hours are refused" {
    offer a up 5 10 | sed 's/"end":"2026-03-10T00:15:00Z"/"end":"2026-03-09T00:15:00Z"/' >o.jsonl
    run pof-clear --grid grid.json session.jsonl o.jsonl
    [ "$status" = 65 ]
    [[ $output == *o.jsonl:1:end*"after the start"* ]]
    printf '{"schema":"pof.limit/1","branch":"L1","start":"2026-03-10T00:00:00Z","duration_s":-900,"p_up_w":1,"p_down_w":1}\n' >l.jsonl
    run pof-clear --grid grid.json session.jsonl l.jsonl
    [ "$status" = 65 ]
    [[ $output == *l.jsonl:1:duration_s* ]]
    printf '{"schema":"pof.limit/1","branch":"L1","start":"2026-03-10T00:00:00Z","duration_s":900,"p_up_w":-1,"p_down_w":1}\n' >l.jsonl
    run pof-clear --grid grid.json session.jsonl l.jsonl
    [ "$status" = 65 ]
    [[ $output == *l.jsonl:1:p_up_w* ]]
}

@test "the largest powers are cleared exactly; money beyond 64 bits is a named refusal" {
    { request 1000000000000; for i in 1 2 3; do offer $i up 400000000000 1000000; done; } >m.jsonl
    pof-clear -q --grid grid.json --ceiling 9999999 session.jsonl m.jsonl >out
    [ "$(jq -sc 'map([.offer,.p_w])' out)" = '[["1",400000000000],["2",400000000000],["3",200000000000]]' ]
    { request 1000000000000; for i in 1 2 3; do offer $i up 400000000000 999999999; done; } >m.jsonl
    run pof-clear -q --grid grid.json --ceiling 999999999 session.jsonl m.jsonl
    [ "$status" = 65 ]
    [[ $output == *"payments add up to more than 64 bits (E225)"* ]]
}

@test "a million offers of one price: by their ids, in 10 s and 2 GiB" {
    { echo id,session,seller,pod,node,direction,start,end,p_w,price_eur_mwh
      seq -f 'o%07.0f,S,x,P,N3,up,2026-03-10T00:00:00Z,2026-03-10T00:15:00Z,3,50' 1000000; } >o.csv
    request 1000001 >r.jsonl
    bounded 2097152 10 pof-clear -q --grid grid.json session.jsonl r.jsonl o.csv >out
    # 333,333 offers whole, and two watts of the next
    [ "$(wc -l <out)" = 333334 ]
    [ "$(tail -n 1 out | jq -c '[.offer,.p_w]')" = '["o0333334",2]' ]
    [ "$(head -n 1 out | jq -r .offer)" = o0000001 ]
}

@test "a feeder 100,000 branches deep, limits all along: in 10 s and 1 GiB" {
    line_grid 100000 >deep.json
    { request 1000 | sed 's/"L3"/"L100000"/'
      offer a up 700 10 | sed 's/"N3"/"N100000"/'
      offer b up 700 20 | sed 's/"N3"/"N100000"/'; } >m.jsonl
    { echo branch,start,duration_s,p_up_w,p_down_w
      seq -f 'L%.0f,2026-03-10T00:00:00Z,900,900,0' 100000; } >l.csv
    bounded 1048576 10 pof-clear -q --grid deep.json session.jsonl m.jsonl l.csv >out
    [ "$(jq -sc 'map([.offer,.p_w])' out)" = '[["a",700],["b",200]]' ]
}

@test "a request for all that can be written, against a limit of nothing" {
    { request 1000; offer a up 5000 1; } >m.jsonl
    printf '{"schema":"pof.limit/1","branch":"L2","start":"2026-03-10T00:00:00Z","duration_s":900,"p_up_w":0,"p_down_w":0}\n' >>m.jsonl
    run pof-clear --grid grid.json session.jsonl m.jsonl
    [ "$status" = 0 ]
    [[ $output == *"0 awards"* ]]
}
