# SPDX-License-Identifier: Apache-2.0
# Witnesses, policies, exported logs and erasable records, as the parties of a market use them.
load ../helper
bats_require_minimum_version 1.5.0

setup_file() {
    cd "$BATS_FILE_TMPDIR"
    awk 'BEGIN { for (i = 0; i < 300; i++) printf "{\"schema\":\"pof.measurement/1\",\"pod\":\"IT001E%04d\",\"start\":\"2026-03-10T00:00:00Z\",\"duration_s\":900,\"p_w\":%d}\n", i, i * 13 % 5000 }' >all
    printf '%064d\n' 5 >seed
    pof-certify init log --origin pof.example/market --seed-file seed
    head -n 250 all | pof-certify append log >/dev/null
    for w in dso tso ap; do pof-certify init $w --origin $w.example/w --as-witness; done
    {
        echo "log $(cat log/vkey)"
        for w in dso tso ap; do echo "witness $w $(cat $w/vkey)"; done
        echo "group other any tso ap"
        echo "group both all dso other"
        echo "quorum both"
    } >policy
}

setup() {
    cd "$BATS_TEST_TMPDIR"
    cp -r "$BATS_FILE_TMPDIR"/* .
    mkdir to-dso to-tso to-ap
    export no_proxy=127.0.0.1
}

teardown() {
    [ -z "${server:-}" ] || kill "$server" 2>/dev/null || true
}

# listen WITNESS: over HTTP in the background; its address in $url.
listen() {
    pof-certify witness "$1" --policy policy --listen 127.0.0.1:0 >"$1.events" 2>"$1.err" &
    server=$!
    for _ in $(seq 200); do [ -s "$1.events" ] && break || sleep 0.02; done
    url=http://127.0.0.1:$(sed -n 's/^listening on port //p' "$1.events")
}

# round WITNESS ...: the log asks these through directories, they answer, it asks again; twice,
# because a witness that is ahead first tells its size.
round() {
    local ask=() w
    for w in "$@"; do ask+=(--witness "to-$w"); done
    for _ in 1 2; do
        pof-certify checkpoint -q log --policy policy "${ask[@]}" >answer && return 0
        ! grep -q refuses answer || return 1
        for w in "$@"; do pof-certify witness "$w" --policy policy --drop "to-$w"; done
    done
    pof-certify checkpoint -q log --policy policy "${ask[@]}" >answer
}

@test "a witness is made as one, and is no log" {
    [[ $(cat dso/vkey) == dso.example/w+*+B* ]]
    [ "$(stat -c %a dso/key)" = 600 ]
    run -0 pof-certify init dso --origin dso.example/w --as-witness
    [[ $output == *"is there already"* ]] || [ -z "$output" ]
    run -73 pof-certify init dso --origin other.example/w --as-witness
    run -73 pof-certify init log --origin pof.example/market --as-witness
    run -78 pof-certify witness log --policy policy --drop to-dso
    run -2 pof-certify witness dso --policy policy
    run -2 pof-certify witness dso --drop to-dso
    run -2 pof-certify checkpoint log --witness to-dso
}

@test "DSO and one of TSO, AP: every set of witnesses" {
    for set in "" dso tso ap "tso ap"; do
        rm -f log/gathered log/cosigned
        # shellcheck disable=SC2086
        run -1 round $set
        run -1 pof-certify verify log --policy policy
        run -1 pof-certify prove log 7 --policy policy
        [[ $output == *"not cosigned by the quorum"* ]]
    done
    for set in "dso tso" "dso ap" "dso tso ap"; do
        rm -f log/gathered log/cosigned
        # shellcheck disable=SC2086
        round $set
        [ "$(grep -c "^— .*example/w " answer)" = "$(wc -w <<<"$set")" ]
        pof-certify verify log --policy policy | grep -q "the first 250 records are witnessed, quorum both: dso yes"
        pof-certify prove log 7 --policy policy >proof
        sed -n 8p all | pof-certify check proof --policy policy
    done
    pof-certify prove log 7 >plain
    cmp proof plain
}

@test "cosignatures are gathered over several runs; records that are newer have no proof yet" {
    run -1 round dso
    round tso
    [ "$(grep -c "^— .*example/w " answer)" = 2 ]
    tail -n 50 all | pof-certify append log >/dev/null
    pof-certify prove log 249 --policy policy >proof
    grep -qx 250 proof
    run -1 pof-certify prove log 250 --policy policy
    pof-certify prove log 250 | grep -qx 300
    pof-certify verify log --policy policy | grep -q "the first 250 records are witnessed"
    round dso tso
    pof-certify prove log 250 --policy policy | grep -qx 300
}

@test "HTTP: statuses and bodies are those of tlog-witness" {
    listen dso
    ask() { curl -s -o body -w '%{http_code} %{content_type}' --data-binary @"$1" "$url/add-checkpoint"; }
    pof-certify consistency log log/checkpoint >same # old 250
    { echo "old 0"; echo; cat log/checkpoint; } >first
    [ "$(ask same)" = "409 text/x.tlog.size" ]
    [ "$(cat body)" = 0 ]
    [[ "$(ask first)" == "200 "* ]]
    grep -qx "— dso.example/w [A-Za-z0-9+/=]*" body
    [ "$(ask first)" = "409 text/x.tlog.size" ]
    [ "$(cat body)" = 250 ]
    sed 's/^old 250/old 251/' same >bad
    [[ "$(ask bad)" == "400 "* ]]
    echo nonsense >bad
    [[ "$(ask bad)" == "400 "* ]]
    sed 's/pof.example.market/pof.example\/other/' first >bad
    [[ "$(ask bad)" == "404 "* ]]
    sed 's/^\(— .*\)....$/\1AAAA/' first >bad
    [[ "$(ask bad)" == "403 "* || "$(ask bad)" == "400 "* ]]
    rm -rf fork && pof-certify init fork --origin pof.example/market --seed-file seed
    tac all | pof-certify append fork >/dev/null
    { echo "old 250"; echo; cat fork/checkpoint; } >bad
    [[ "$(ask bad)" == "422 "* ]]
    [ "$(head -n 1 body)" = "bad consistency proof" ]
    [ "$(curl -s -o /dev/null -w '%{http_code}' "$url/add-checkpoint")" = 405 ]
    [ "$(curl -s -o /dev/null -w '%{http_code}' "$url/other")" = 404 ]
    head -c 100000 /dev/zero >bad
    [ "$(curl -s -o /dev/null -w '%{http_code}' --data-binary @bad "$url/add-checkpoint")" = 413 ]
    [ "$(curl -s -o /dev/null -w '%{http_code}' -H 'Transfer-Encoding: chunked' --data-binary @first "$url/add-checkpoint")" = 501 ]
    [ "$(printf 'POST /add-checkpoint HTTP/1.1\r\n\r\n' | timeout 5 bash -c "exec 3<>/dev/tcp/127.0.0.1/${url##*:}; cat >&3; head -n 1 <&3" | cut -c1-12)" = "HTTP/1.1 411" ]
    grep -q "^422 pof.example/market 250 -> 300: bad consistency proof" dso.events
}

@test "HTTP: the log asks over the address in the policy, keep-alive serves several requests" {
    listen dso
    sed -i "s|^witness dso .*|& $url/|" policy
    run -1 pof-certify checkpoint log --policy policy
    [[ $output == *"dso yes, tso no, ap no"* ]]
    round tso
    tail -n 50 all | pof-certify append log >/dev/null
    run -1 pof-certify checkpoint log --policy policy
    [[ $output == *"dso yes, tso no, ap no"* ]]
    grep -q "^200 pof.example/market 250 -> 300: cosigned" dso.events
    { echo "old 300"; echo; cat log/checkpoint; } >r
    curl -s --data-binary @r "$url/add-checkpoint" --next -s --data-binary @r "$url/add-checkpoint" >body
    [ "$(grep -c '^— dso' body)" = 2 ]
    kill "$server"
    server=
    run -1 pof-certify checkpoint log --policy policy --witness http://127.0.0.1:1
    [[ $output == *"no: the checkpoint of 300 records"* ]] || [[ $output == *"127.0.0.1:1"* ]]
}

@test "rollback and fork are refused by the witness and shown to the log" {
    round dso tso
    cp -r log old
    tail -n 50 all | pof-certify append log >/dev/null
    round dso tso
    mv log new && mv old log
    # the restored copy, as it is, and after it went another way
    : >log/gathered
    run -1 round dso
    [[ $(cat answer) == *"rollback: it has seen more records than this log has"* ]]
    tac all | pof-certify append log >/dev/null
    run -1 round dso
    [[ $(cat answer) == *"no: witness to-dso refuses, status 422: fork"* ]]
    [ "$(grep -c '^pof.example/market$' answer)" = 2 ]
    grep -qx 300 answer
    grep -qx 550 answer
    grep -q "^the consistency proof that fails:$" answer
    grep -q "^old 300$" answer
    [ -s dso/refused ]
    mv log other && mv new log
    pof-certify verify log --policy policy
    cp log/cosigned other/cosigned
    run -1 pof-certify verify other --policy policy
    [[ $output == *"fork: the log is not the one that was witnessed"* ]]
    # two roots of one size: the witness keeps the proof of it
    rm -rf twin && pof-certify init twin --origin pof.example/market --seed-file seed
    tac all | pof-certify append twin >/dev/null
    { echo "old 300"; echo; cat twin/checkpoint; } >to-dso/x.request
    run -0 pof-certify witness dso --policy policy --drop to-dso
    [[ $output == *"409 pof.example/market 300 -> 300: fork"* ]]
    [ "$(grep -c '^300$' dso/forked)" = 2 ]
}

@test "of many submissions at once from one size exactly one is cosigned" {
    listen dso
    { echo "old 0"; echo; cat log/checkpoint; } | curl -s --data-binary @- "$url/add-checkpoint" >/dev/null
    cp log/checkpoint before
    for i in 1 2 3 4 5 6 7 8; do
        head -n "$i" all | pof-certify append log >/dev/null
        pof-certify consistency log before >"r$i"
    done
    pids=()
    for i in 1 2 3 4 5 6 7 8; do
        curl -s -o /dev/null -w '%{http_code}\n' --data-binary "@r$i" "$url/add-checkpoint" >"s$i" &
        pids+=($!)
    done
    wait "${pids[@]}"
    [ "$(cat s? | sort | uniq -c | tr -s ' ' | tr '\n' ';')" = " 1 200; 7 409;" ]
}

@test "a slow client does not keep others out" {
    listen dso
    exec 8<>"/dev/tcp/127.0.0.1/${url##*:}"
    printf 'POST /add-checkpoint HTTP/1.1\r\nContent-Length: 50\r\n' >&8
    { echo "old 0"; echo; cat log/checkpoint; } >r
    [ "$(curl -s -m 5 -o /dev/null -w '%{http_code}' --data-binary @r "$url/add-checkpoint")" = 200 ]
    exec 8>&-
}

@test "two witnesses on one directory: the second is told so" {
    listen dso
    run -75 pof-certify witness dso --policy policy --drop to-dso
}

@test "a hostile request in the directory does not stop the others" {
    head -c 100000 /dev/urandom >to-dso/a.request
    : >to-dso/b.request
    { echo "old 0"; echo; cat log/checkpoint; } >to-dso/c.request
    pof-certify witness dso --policy policy --drop to-dso
    [ "$(head -n 1 to-dso/a.answer)" = "400 0" ]
    [ "$(head -n 1 to-dso/b.answer)" = "400 0" ]
    [ "$(head -n 1 to-dso/c.answer)" = "200 0" ]
    [ ! -e to-dso/c.request ]
}

@test "an exported log is verified by record, and only with a key from outside" {
    pof-certify export -q log out
    key=$(cat log/vkey)
    run -2 pof-certify verify out
    pof-certify verify out --key "$key" | grep -q "the log is whole: 250 records"
    head -n 250 all | pof-certify verify out --policy policy - && false
    head -n 250 all | pof-certify verify out --key "$key" -
    sed '17s/"p_w":/"p_w":1/' all | head -n 250 >in
    run -1 pof-certify verify out --key "$key" in
    [[ $output == *"altered: in:17: record 16 of the log is {"* ]]
    at=$(grep -abo '"pod":"IT001E0016"' out/tile/entries/000.p/250 | cut -d: -f1)
    printf X | dd of=out/tile/entries/000.p/250 bs=1 seek=$((at + 8)) conv=notrunc status=none
    run -1 pof-certify verify out --key "$key"
    [[ $output == *"altered: record 16 of tile/entries: not what was certified"* ]]
    pof-certify export -q log out
    pof-certify verify out --key "$key"
    rm out/tile/0/000.p/250
    run -1 pof-certify verify out --key "$key"
    [[ $output == *"tile/0: hashes 0 to 249 missing"* ]]
    run -1 pof-certify verify out --key "$(cat dso/vkey)"
    run -73 pof-certify export log nowhere/out
}

@test "a record that is only committed to: proved, erased, and still proved" {
    pof-certify init mine --origin pof.example/people
    (head -n 3 all; echo '{"schema":"pof.event/1","text":"kept"}') |
        pof-certify append mine --commit measurement --receipts r >out
    head -n 3 all | cmp - <(head -n 3 out)
    not grep -q IT001E000 mine/journal r
    grep -q kept mine/journal
    [ "$(head -n 1 r | jq -r '.record | fromjson | .schema')" = pof.commitment/1 ]
    pof-certify verify mine out | grep -q "the 4 records given are those of the log"
    sed -n 2p all >record
    pof-certify prove mine --record record >proof
    [ "$(sed -n 3p proof)" = "index 1" ]
    pof-certify check proof --key "$(cat mine/vkey)" --record record
    run -1 pof-certify check proof --key "$(cat mine/vkey)" --record <(sed -n 3p all)
    pof-certify prove mine 1 --closed >closed
    not grep -q ^extra closed
    run -1 pof-certify check closed --key "$(cat mine/vkey)" --record record
    cp mine/checkpoint before
    run -0 pof-certify erase mine 1
    [ "$output" = "erased: record 1" ]
    not grep -rq IT001E0001 mine
    cmp mine/checkpoint before
    pof-certify verify mine | grep -q "3 records are committed to, 1 of them are erased"
    pof-certify check proof --key "$(cat mine/vkey)" --record record
    pof-certify prove mine 1 >later
    cmp later closed
    run -1 pof-certify prove mine --record record
    run -1 pof-certify erase mine 3
    [[ $output == *"not one that was committed to"* ]]
    run -1 pof-certify append mine --at 0 --commit measurement out
    [[ $output == *"record 1 of the log was erased"* ]]
    tail -n 1 all | pof-certify append mine --commit measurement >/dev/null
    pof-certify verify mine | grep -q "4 records are committed to"
    printf X | dd of=mine/openings bs=1 seek=60 conv=notrunc status=none
    run -1 pof-certify verify mine
    [[ $output == *"openings: the record kept for record 0 is not what was committed to"* ]]
}
