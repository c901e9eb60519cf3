# SPDX-License-Identifier: Apache-2.0
# pof-clear: the same bytes whatever the order of lines and the number of threads, and its outputs.
load ../helper
bats_require_minimum_version 1.5.0

setup() {
    cd "$BATS_TEST_TMPDIR"
    grid=$ROOT/samples/cigre-mv.json
}

# A market with requests of both roles, nested and against each other, limits, and equal prices.
market() {
    cat >session.jsonl <<'E'
{"schema":"pof.session/1","id":"S","kind":"day_ahead","day":"2026-03-10","opens":"2026-03-09T12:30:00Z","gate":"2026-03-09T15:00:00Z","clear_by":"2026-03-09T16:00:00Z","validate_by":"2026-03-09T16:30:00Z","final_by":"2026-03-09T17:00:00Z","start":"2026-03-09T23:00:00Z","end":"2026-03-10T03:00:00Z"}
E
    awk 'BEGIN {
        srand(7); from = "\"start\":\"2026-03-09T23:00:00Z\",\"end\":\"2026-03-10T03:00:00Z\""
        for (i = 0; i < 300; i++)
            printf "{\"schema\":\"pof.offer/1\",\"id\":\"o%d\",\"session\":\"S\",\"seller\":\"s%d\",\"pod\":\"p%d\",\"node\":\"N%d\",\"direction\":\"%s\",%s,\"p_w\":%d,\"price_eur_mwh\":%d}\n", i, i % 3, i, 1 + int(rand() * 14), rand() < 0.5 ? "up" : "down", from, 1 + int(rand() * 9000), 10 + 10 * int(rand() * 6)
        split("L3-4 L9-10 L3-8 T0-12", area, " ")
        for (i = 1; i <= 4; i++)
            printf "{\"schema\":\"pof.request/1\",\"id\":\"d%d\",\"session\":\"S\",\"buyer\":\"DSO\",\"role\":\"dso\",\"branch\":\"%s\",\"direction\":\"%s\",%s,\"p_w\":%d}\n", i, area[i], i % 2 ? "up" : "down", from, 40000 * i
        printf "{\"schema\":\"pof.request/1\",\"id\":\"n\",\"session\":\"S\",\"buyer\":\"DSO\",\"role\":\"dso\",\"node\":\"N5\",\"direction\":\"up\",%s,\"p_w\":60000}\n", from
        printf "{\"schema\":\"pof.request/1\",\"id\":\"t\",\"session\":\"S\",\"buyer\":\"TSO\",\"role\":\"tso\",\"direction\":\"up\",%s,\"p_w\":250000,\"price_limit_eur_mwh\":200}\n", from
        for (q = 0; q < 16; q++)
            printf "{\"schema\":\"pof.limit/1\",\"branch\":\"L4-5\",\"start\":\"2026-03-%02dT%02d:%02d:00Z\",\"duration_s\":900,\"p_up_w\":30000,\"p_down_w\":30000}\n", q < 4 ? 9 : 10, (23 + int(q / 4)) % 24, q % 4 * 15
    }' >market.jsonl
}

@test "shuffled lines, other files, more threads: the same bytes" {
    market
    pof-clear -q -g "$grid" session.jsonl market.jsonl >want
    [ "$(wc -l <want)" -gt 500 ]
    grep -q '"why":"counter"' want
    for seed in 1 2 3; do
        cat market.jsonl session.jsonl | shuf --random-source=<(yes $seed) | split -n r/2 - part.
        pof-clear -q -g "$grid" --threads 2 part.aa part.ab | cmp - want
    done
    cat market.jsonl session.jsonl | pof-clear -q -g "$grid" --threads 5 | cmp - want
    pof-clear -q -g "$grid" --sequence dso-first session.jsonl market.jsonl >first
    shuf --random-source=<(yes 4) market.jsonl | pof-clear -q -g "$grid" --sequence dso-first --threads 2 session.jsonl - | cmp - first
    not cmp -s first want
}

# The same market with a third of its offers in blocks of one to four quarter-hours or with a least
# power, some with parents and groups.
blocks() {
    market
    grep pof.offer market.jsonl | jq -c '(.id[1:] | tonumber) as $n
        | if $n % 9 == 0 then .min_w = ([.p_w / 2 | floor, 1] | max)
          elif $n % 9 < 3 then .block = "b\($n / 18 | floor)-\(.seller)"
            | .start = "2026-03-10T0\($n % 2):\($n % 4 * 15 | if . == 0 then "00" else . end):00Z"
            | .end = (.start | fromdate + 900 * (1 + $n % 4) | todate)
          else . end' >offers.jsonl
    grep -v pof.offer market.jsonl >rest.jsonl
    jq -c 'select(.block)' offers.jsonl | head -n 5 | jq -c '.group = "g-\(.seller)"' >grouped.jsonl
    jq -c --slurpfile g grouped.jsonl '. as $o | ($g | map(select(.id == $o.id)) | .[0]) // $o' offers.jsonl >blocks.jsonl
    cat rest.jsonl >>blocks.jsonl
}

@test "blocks: shuffled lines and more threads give the same bytes; whole or not at all" {
    blocks
    pof-clear -g "$grid" --report want.report session.jsonl blocks.jsonl >want 2>notes
    grep -q 'decisions taken' notes
    jq -e '.gap_ppm == 0 and .decisions > 100 and .taken > 10 and .bound_eur <= .cost_eur' want.report
    for seed in 1 2; do
        shuf --random-source=<(yes $seed) blocks.jsonl >mixed.jsonl
        pof-clear -q -g "$grid" --threads 2 --report report mixed.jsonl session.jsonl | cmp - want
        cmp report want.report
        rm report
    done
    jq -n -r --slurpfile a want --slurpfile m blocks.jsonl '
        ($a | group_by([.offer, .start]) | map({key: (.[0].offer + .[0].start), value: (map(.p_w) | add)}) | from_entries) as $got
        | $m[] | select(.schema == "pof.offer/1") as $o
        | if $o.block then
            [range($o.start | fromdate; $o.end | fromdate; 900) | todate | $got[$o.id + .] // 0] | unique
            | select(. != [0] and . != [$o.p_w])
          elif $o.min_w then
            $got | to_entries[] | select(.key | startswith($o.id + "2026")) | select(.value < $o.min_w)
          else empty end' >broken
    [ ! -s broken ]
    pof-clear -q -g "$grid" --price uniform session.jsonl blocks.jsonl | jq -r 'select(.price_eur_mwh < .offer_price_eur_mwh) | .id' >underpaid
    [ ! -s underpaid ]
}

@test "blocks: a budget of 0 says how far from the least cost; more search is not worse; dso-first too" {
    blocks
    pof-clear -q -g "$grid" --budget 0 --report r0 session.jsonl blocks.jsonl >/dev/null
    pof-clear -q -g "$grid" --budget 50 --report r1 session.jsonl blocks.jsonl >/dev/null
    jq -n -e --slurpfile a r0 --slurpfile b r1 '$a[0].nodes == 0 and $b[0].cost_eur <= $a[0].cost_eur
        and $b[0].bound_eur >= $a[0].bound_eur and $a[0].bound_eur <= $b[0].cost_eur'
    pof-clear -q -g "$grid" --sequence dso-first --report r2 session.jsonl blocks.jsonl >first
    [ "$(wc -l <r2)" = 2 ]
    shuf --random-source=<(yes 3) blocks.jsonl | pof-clear -q -g "$grid" --sequence dso-first --threads 2 session.jsonl - | cmp - first
    pof-clear -q -g "$grid" --method lp --report r3 session.jsonl blocks.jsonl >/dev/null
    pof-clear -q -g "$grid" --report r4 session.jsonl blocks.jsonl >/dev/null
    [ "$(jq .cost_eur r3)" = "$(jq .cost_eur r4)" ]
}

@test "linear programming costs the same" {
    market
    pof-clear -g "$grid" session.jsonl market.jsonl 2>tree >/dev/null
    pof-clear -g "$grid" --method lp session.jsonl market.jsonl 2>lp >/dev/null
    [ "$(sed -n 's/.* for //p' tree)" = "$(sed -n 's/.* for //p' lp)" ]
    grep -q "EUR" tree
}

@test "no limit is exceeded, no offer is overdrawn, ids are unique" {
    market
    pof-clear -q -g "$grid" session.jsonl market.jsonl >awards
    [ "$(jq -r .id awards | sort -u | wc -l)" = "$(wc -l <awards)" ]
    # What hangs below L4-5, from the grid: N5 and what follows it.
    below=$(jq -r '.branches as $b | def down(n): n, ($b[] | select(.closed != false and .from == n) | .to as $t | down($t)); down("N5")' "$grid" | sort -u | jq -R . | jq -sc .)
    [ "$below" != '[]' ]
    flow=$(jq -s -c --argjson n "$below" 'map(select([.node] | inside($n))) | group_by(.start) | map(map(if .direction == "up" then .p_w else -.p_w end) | add)' awards)
    [ "$(jq -n --argjson f "$flow" '$f | length')" = 16 ]
    [ "$(jq -n --argjson f "$flow" '$f | map(select(. > 30000 or . < -30000)) | length')" = 0 ]
    jq -n -r --slurpfile a awards --slurpfile m market.jsonl '
        ($m | map(select(.schema == "pof.offer/1") | {key: .id, value: .p_w}) | from_entries) as $p
        | $a | group_by([.offer, .start])[] | select((map(.p_w) | add) > $p[.[0].offer]) | .[0].id' >overdrawn
    [ ! -s overdrawn ]
}

@test "under uniform price nobody gets less than asked, and one request pays one price" {
    market
    pof-clear -q -g "$grid" --price uniform session.jsonl market.jsonl >awards
    [ "$(jq -r 'select(.price_eur_mwh < .offer_price_eur_mwh) | .id' awards | wc -l)" = 0 ]
    [ "$(jq -r 'select(.price_eur_mwh > .offer_price_eur_mwh) | .id' awards | wc -l)" -gt 0 ]
    [ "$(jq -r 'select(.why == "request") | [.request, .start, .price_eur_mwh] | @tsv' awards | sort -u | cut -f1,2 | uniq -d | wc -l)" = 0 ]
}

@test "the session is the only one given, or named" {
    market
    sed 's/"id":"S"/"id":"T"/' session.jsonl >other.jsonl
    run --separate-stderr pof-clear -g "$grid" session.jsonl other.jsonl market.jsonl
    [ "$status" = 65 ]
    [[ $stderr == *"2 sessions are given; --session says which"* ]]
    pof-clear -q -g "$grid" -s S session.jsonl other.jsonl market.jsonl >named
    pof-clear -q -g "$grid" session.jsonl market.jsonl | cmp - named
    run pof-clear -g "$grid" -s U session.jsonl market.jsonl
    [ "$status" = 65 ]
}

@test "without a grid it says what is needed" {
    run --separate-stderr pof-clear </dev/null
    [ "$status" = 2 ]
    [[ $stderr == *"--grid FILE is needed"* ]]
}

@test "-o is whole or absent; a full disk is status 74; a closed pipe is 141" {
    market
    pof-clear -q -g "$grid" -o awards session.jsonl market.jsonl
    pof-clear -q -g "$grid" session.jsonl market.jsonl | cmp - awards
    echo '{"schema":"pof.offer/1"}' >bad.jsonl
    run pof-clear -q -g "$grid" -o never session.jsonl market.jsonl bad.jsonl
    [ "$status" = 65 ]
    [ ! -e never ]
    run bash -c "pof-clear -q -g '$grid' session.jsonl market.jsonl >/dev/full"
    [ "$status" = 74 ]
    run bash -c "{ sleep 0.1; pof-clear -q -g '$grid' session.jsonl market.jsonl; echo \$? >status; } | true; cat status"
    [ "$output" = 141 ]
}

@test "csv in and out" {
    market
    pof-clear -q -g "$grid" --format csv session.jsonl market.jsonl >awards.csv
    pof-clear -q -g "$grid" session.jsonl market.jsonl >awards.jsonl
    [ "$(wc -l <awards.csv)" = $(($(wc -l <awards.jsonl) + 1)) ]
    head -n 1 awards.csv | grep -q '^id,session,request,offer'
    grep pof.offer market.jsonl | jq -r '[.id, .session, .seller, .pod, .node, .direction, .start, .end, .p_w, .price_eur_mwh] | @csv' |
        sed '1i id,session,seller,pod,node,direction,start,end,p_w,price_eur_mwh' >offers.csv
    grep -v pof.offer market.jsonl >rest.jsonl
    pof-clear -q -g "$grid" session.jsonl rest.jsonl offers.csv | cmp - awards.jsonl
}

@test "blocks: prices of what is left to choose are verified" {
    for case in blocks family partial; do
        in=$ROOT/test/golden/pof-clear/$case
        pof-clear -q -g "$in/in.grid.json" --prices prices --served served -o awards -f "$in/in.session.jsonl" "$in/in.market.jsonl"
        [ -s awards ]
        run pof-verify -q -g "$in/in.grid.json" "$in/in.session.jsonl" "$in/in.market.jsonl" awards prices served
        echo "$case: $output"
        [ "$status" = 0 ]
        [ "$output" = "feasible; optimal for the chosen blocks" ]
    done
}

# What a stream can take: the market, with offers of one to four quarter-hours, some outside the window,
# sorted by start; requests and limits apart.
stream() {
    market
    grep pof.offer market.jsonl | jq -c '(.id[1:] | tonumber) as $n
        | .start = ("2026-03-09T22:30:00Z" | fromdate + 900 * ($n % 22) | todate)
        | .end = (.start | fromdate + 900 * (1 + $n % 4) | todate)' >unsorted.jsonl
    jq -r '.start + " " + tojson' unsorted.jsonl | sort -s -k1,1 | cut -d' ' -f2- >sorted.jsonl
    grep -v pof.offer market.jsonl >frame.jsonl
}

@test "--stream: the same awards, counts and report as with the whole book" {
    stream
    for how in "" "--sequence dso-first" "--price uniform --threads 2"; do
        # shellcheck disable=SC2086
        pof-clear -g "$grid" $how --force --report r1 session.jsonl frame.jsonl unsorted.jsonl >want 2>said
        # shellcheck disable=SC2086
        cat session.jsonl frame.jsonl sorted.jsonl | pof-clear -g "$grid" $how --stream --force --report r2 >got 2>heard
        cmp got want
        cmp r1 r2
        cmp said heard
    done
    [ "$(wc -l <want)" -gt 100 ]
    grep -q outside said
}

@test "--stream: no offers, and quarter-hours without any" {
    stream
    pof-clear -g "$grid" session.jsonl frame.jsonl >want 2>said
    pof-clear -g "$grid" --stream session.jsonl frame.jsonl >got 2>heard
    cmp got want
    cmp said heard
    sed -n '$p' sorted.jsonl >last.jsonl
    pof-clear -q -g "$grid" session.jsonl frame.jsonl last.jsonl >want
    pof-clear -q -g "$grid" --stream session.jsonl frame.jsonl last.jsonl | cmp - want
}

@test "--stream: out of order, late, tied together or with prices: refused by name" {
    stream
    tac sorted.jsonl >reversed.jsonl
    run -65 --separate-stderr pof-clear -q -g "$grid" --stream --max-errors 1 session.jsonl frame.jsonl reversed.jsonl
    [[ ${stderr_lines[0]} == *"reversed.jsonl:"*":start: "*"sort the file"* ]]
    [ -z "$output" ]
    run -65 --separate-stderr pof-clear -q -g "$grid" --stream session.jsonl sorted.jsonl frame.jsonl
    [[ $stderr == *"frame.jsonl:1: sessions, requests and limits come before"* ]]
    run -65 --separate-stderr pof-clear -q -g "$grid" --stream frame.jsonl sorted.jsonl session.jsonl
    [[ $stderr == *"there is no session record"* ]]
    for tie in '.min_w = 1' '.block = "b"' '.parent = "b"' '.group = "g"'; do
        jq -c "$tie" sorted.jsonl | head -n 1 >tied.jsonl
        run -65 --separate-stderr pof-clear -q -g "$grid" --stream session.jsonl frame.jsonl tied.jsonl
        [[ $stderr == *"tied.jsonl:1:"*"decided for the session as a whole"* ]]
    done
    { sed -n '$p' sorted.jsonl && sed -n '$p' sorted.jsonl; } >twice.jsonl
    run -65 --separate-stderr pof-clear -q -g "$grid" --stream session.jsonl frame.jsonl twice.jsonl
    [[ $stderr == *"twice.jsonl:2:id: "*"was given before"* ]]
    run -2 --separate-stderr pof-clear -q -g "$grid" --stream --prices prices.jsonl session.jsonl frame.jsonl sorted.jsonl
    [[ $stderr == *"--prices have ties"* ]]
}

@test "--stream: memory is that of one quarter-hour" {
    case $POF_BIN in *asan*) skip "the sanitizers set aside terabytes of address space" ;; esac
    market
    grep -v pof.offer market.jsonl >frame.jsonl
    awk 'BEGIN {
        print "schema,id,session,seller,pod,node,direction,start,end,p_w,price_eur_mwh"
        for (q = 0; q < 16; q++) for (i = 0; i < 8000; i++) {
            t = q < 4 ? sprintf("2026-03-09T23:%02d:00Z", q * 15) : sprintf("2026-03-10T%02d:%02d:00Z", int(q / 4) - 1, q % 4 * 15)
            e = q < 3 ? sprintf("2026-03-09T23:%02d:00Z", q * 15 + 15) : sprintf("2026-03-10T%02d:%02d:00Z", int((q + 1) / 4) - 1, (q + 1) % 4 * 15)
            printf "pof.offer/1,%d-%d,S,s%d,P%d,N%d,%s,%s,%s,%d,%d\n", i, q, i % 3, i, 1 + i % 14, i % 5 < 2 ? "down" : "up", t, e, 1 + i % 97, 20 + i % 83
        } }' >offers.csv
    pof-clear -q -g "$grid" session.jsonl frame.jsonl offers.csv >want
    (ulimit -v 25000 && pof-clear -q -g "$grid" --stream session.jsonl frame.jsonl - <offers.csv) | cmp - want
    run -71 bash -c "ulimit -v 25000 && pof-clear -q -g '$grid' session.jsonl frame.jsonl - <offers.csv"
}
