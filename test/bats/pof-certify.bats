# SPDX-License-Identifier: Apache-2.0
# What pof-certify promises its users.
load ../helper
bats_require_minimum_version 1.5.0

setup() {
    cd "$BATS_TEST_TMPDIR"
    awk 'BEGIN { for (i = 0; i < 600; i++) printf "{\"schema\":\"pof.measurement/1\",\"pod\":\"IT001E%03d\",\"start\":\"2026-03-10T00:00:00Z\",\"duration_s\":900,\"p_w\":%d}\n", i, i * 13 % 5000 }' >all
    printf '%064d\n' 5 >seed
}

make() { # a log of the 600 records
    pof-certify init log --origin pof.example/bats --seed-file seed
    pof-certify append log all >/dev/null
}

flip() { # flip FILE BYTE: changes one byte of a file
    old=$(od -An -tu1 -j "$2" -N 1 "$1" | tr -d ' ')
    printf "\\$(printf %o $((old ^ 1)))" | dd of="$1" bs=1 seek="$2" conv=notrunc status=none
}

@test "init makes a key that only its owner can read, twice the same log is no error" {
    pof-certify init log --origin pof.example/bats
    [ "$(stat -c %a log/key)" = 600 ]
    cp log/key key
    run -0 pof-certify init log --origin pof.example/bats
    [[ $output == *"is there already"* ]]
    cmp key log/key
    run -73 pof-certify init log --origin pof.example/other
    run -2 pof-certify init other
    run -65 pof-certify init other --origin "two words"
    [ ! -e other ]
    [ -z "$(ls -A | grep '^\.')" ]
}

@test "two logs made at random have different keys, two of one seed the same" {
    pof-certify init a --origin x
    pof-certify init b --origin x
    run ! cmp -s a/vkey b/vkey
    pof-certify init c --origin x --seed-file seed
    head -c 64 seed | perl -pe 'chomp; $_ = pack "H*", $_' >bytes
    pof-certify init d --origin x --seed-file bytes
    cmp c/vkey d/vkey
    echo short >bad
    run -65 pof-certify init e --origin x --seed-file bad
    [[ $output == *"expected 32 bytes"* ]]
}

@test "a key may be kept outside: made when it is not there, used when it is, never shown" {
    mkdir safe
    pof-certify init log --origin x --key safe/key
    [ "$(stat -c %a safe/key)" = 600 ]
    pof-certify append log all >/dev/null
    pof-certify init log2 --origin x --key safe/key
    cmp log/vkey log2/vkey
    run -78 pof-certify init log3 --origin y --key safe/key
    secret=$(cut -d+ -f5 safe/key)
    not grep -rqF "$secret" log log2 --exclude=key
    mv safe/key elsewhere
    run -66 pof-certify append log all
    pof-certify append log all --key elsewhere >/dev/null
    chmod 644 elsewhere
    run -77 pof-certify append log all --key elsewhere
    [[ $output == *"chmod 600"* ]]
    [[ $output != *"$secret"* ]]
}

@test "another key does not write to a log" {
    make
    pof-certify init other --origin pof.example/bats
    run -78 pof-certify append log all --key other/key
    pof-certify verify log all
}

@test "records are passed on as they came, receipts say where they stand" {
    pof-certify init log --origin pof.example/bats --seed-file seed
    (printf '\r\n{ "b":1.50, "a":"\\u0041" }\r\n\n'; cat all) | pof-certify append log --receipts r >out
    (printf '{ "b":1.50, "a":"\\u0041" }\n'; cat all) | cmp - out
    [ "$(wc -l <r)" = 601 ]
    [ "$(head -n 1 r | jq -c '[.index, .origin, .record]')" = '[0,"pof.example/bats","{\"a\":\"A\",\"b\":1.5}"]' ]
    [ "$(tail -n 1 r | jq -r .record)" = "$(tail -n 1 all | jq -cS .)" ]
    leaf=$( (printf '\0'; tail -n 1 all | jq -jcS .) | sha256sum | cut -c1-64 | perl -pe 'chomp; $_ = pack "H*", $_' | base64)
    [ "$(tail -n 1 r | jq -r .leaf)" = "$leaf" ]
}

@test "the same record in another form is the same record" {
    make
    jq -c '{p_w, duration_s, start, pod, schema}' all >reordered
    pof-certify verify log reordered
    jq -S . all >pretty
    sed -n '1,7p' pretty >one
    pof-certify prove log 0 | tee proof | head -n 2 | tail -n 1 | grep -qx "index 0"
    pof-certify check proof --key "$(cat log/vkey)" --record one
}

@test "a live feed: a full batch is passed on before the input ends" {
    pof-certify init log --origin x
    mkfifo feed
    pof-certify append log --batch 2 <feed >out &
    exec 7>feed
    head -n 3 all >&7
    for _ in $(seq 100); do [ "$(wc -l <out)" -ge 2 ] && break || sleep 0.05; done
    [ "$(wc -l <out)" = 2 ]
    exec 7>&-
    wait
    [ "$(wc -l <out)" = 3 ]
}

@test "--at: what stands there is not appended again, another record or a gap is refused by place" {
    pof-certify init log --origin x --seed-file seed
    head -n 300 all | pof-certify append log --at 0 >/dev/null
    pof-certify append log --at 0 -v all >out 2>err
    cmp out all
    grep -q "300 records added, 300 were there, the log has 600" err
    sed '5s/"p_w":[0-9]*/"p_w":1/' all >bad
    cp log/checkpoint before
    run -1 --separate-stderr pof-certify append log --at 0 bad
    [[ $stderr == *"bad:5:"*"another record at 4"* ]]
    [ "${#lines[@]}" = 4 ]
    run -1 --separate-stderr pof-certify append log --at 601 all
    [[ $stderr == *"has 600 records, so none can stand at 601"* ]]
    cmp log/checkpoint before
}

@test "a bad line: what stands before it is certified, it and the rest are not" {
    pof-certify init log --origin x
    for bad in '{"a":1,}' '[1]' '{"a":1,"a":2}' '{"a":9007199254740993}' '{"a":"\ud800"}' 'x' $'{"a":"\xff"}'; do
        n=$(pof-certify checkpoint log | sed -n 2p)
        printf '{"good":1}\n%s\n{"never":1}\n' "$bad" >in
        s=0
        pof-certify append log in >out 2>err || s=$?
        [ $s = 65 ]
        grep -q "^pof-certify: in:2:" err
        [ "$(cat out)" = '{"good":1}' ]
        [ "$(pof-certify checkpoint log | sed -n 2p)" = $((n + 1)) ]
    done
    pof-certify verify log
}

@test "a record of more than 65535 bytes is refused, one of 65535 is not" {
    pof-certify init log --origin x
    printf '{"a":"%065527d"}\n' 0 | pof-certify append log >/dev/null
    printf '{"a":"%065528d"}\n' 0 >in
    run -65 pof-certify append log in
    [[ $output == *"in:1: a record of 65536 bytes, at most 65535"* ]]
    pof-certify verify log
}

@test "verify names the record that was altered, added, removed or moved" {
    make
    sed '17s/"p_w":[0-9]*/"p_w":77777/' all >in
    run -1 pof-certify verify log in
    [[ $output == *"altered: in:17: record 16 of the log is {"*'"p_w":208'* ]]
    sed '17d' all >in
    run -1 pof-certify verify log in
    [[ $output == *"removed: record 16 of the log was not given"* ]]
    sed '17p' all >in
    run -1 pof-certify verify log in
    [[ $output == *"added: in:18:"* ]]
    (sed -n 600p all; head -n 599 all) >in
    run -1 pof-certify verify log in
    [[ $output == *"moved: in:1: is record 599"* ]]
    [ "${#lines[@]}" = 2 ]
    tail -n 100 all | run -0 pof-certify verify log - --at 500
    run -1 pof-certify verify log all --at 1
}

@test "a flipped byte of any file is found, in the journal by record" {
    make
    at=$(grep -abo '"pod":"IT001E016"' log/journal | cut -d: -f1)
    flip log/journal $((at + 8))
    run -1 pof-certify verify log
    [[ $output == *"altered: record 16 of the journal: not what was certified"* ]]
    run -1 pof-certify verify log all
    [[ $output == *"are those of the log from 0 on"* ]]
    flip log/journal $((at + 8))
    flip log/tiles.0 3333
    run -1 pof-certify verify log
    [[ $output == *"tiles.0: the hash of record 104 is damaged, the journal is right"* ]]
    run -65 pof-certify prove log 105
    pof-certify append log --rebuild </dev/null
    pof-certify verify log all
    flip log/tiles.1 33
    run -1 pof-certify verify log
    [[ $output == *"tiles.1: hash 1 does not follow from tiles.0"* ]]
    flip log/tiles.1 33
    sed -i '2s/600/601/' log/checkpoint
    run -1 pof-certify verify log
    [[ $output == *"the signature is not that of its key"* ]]
}

@test "a journal cut short is found, and not written to" {
    make
    truncate -s -100 log/journal
    run -1 pof-certify verify log
    [[ $output == *"removed: the journal ends before the end of the batch of records 0 to 599"* ]]
    run -65 pof-certify append log all
    [[ $output == *"were signed; restore it from a copy"* ]]
}

@test "a log that somebody made anew with a key of his own is seen by --key" {
    make
    key=$(cat log/vkey)
    pof-certify verify log --key "$key"
    rm -rf log
    pof-certify init log --origin pof.example/bats
    pof-certify append log all >/dev/null
    pof-certify verify log
    run -1 pof-certify verify log --key "$key"
    [[ $output == *"signed by another key"* ]]
    run -2 pof-certify verify log --key nonsense
}

@test "a proof is small, needs no log, and holds for its record and its key only" {
    make
    pof-certify prove log 345 >proof
    [ "$(wc -c <proof)" -lt 1000 ]
    key=$(cat log/vkey)
    rm -rf log
    sed -n 346p all >record
    run -0 pof-certify check proof --key "$key" --record record
    [ "$output" = "yes: record 345 of 600 in pof.example/bats" ]
    sed -n 347p all >other
    run -1 pof-certify check proof --key "$key" --record other
    sed 's/^index 345/index 344/' proof >forged
    run -1 pof-certify check forged --key "$key" --record record
    sed '3s/^./A/;3s/^A\(.\)/B\1/' proof >forged
    run -1 pof-certify check forged --key "$key" --record record
    sed 's/^600$/601/' proof >forged
    run -1 pof-certify check forged --key "$key" --record record
    pof-certify init mine --origin pof.example/bats
    run -1 pof-certify check proof --key "$(cat mine/vkey)" --record record
    run -2 pof-certify check proof --record record
    run -65 pof-certify check record --key "$key" --record record
}

@test "prove says no to a record the log does not hold" {
    make
    echo '{"a":1}' >in
    run -1 pof-certify prove log --record in
    run -1 pof-certify prove log 600
    run -2 pof-certify prove log
    run -2 pof-certify prove log -- -1
}

@test "growth: an older checkpoint is a beginning, one of another history is not" {
    make
    pof-certify checkpoint log >old
    cp -r log fork
    pof-certify append log all >/dev/null
    run -0 pof-certify consistency log old
    [ "${lines[0]}" = "old 600" ]
    tac all | pof-certify append fork >/dev/null
    pof-certify checkpoint log >now
    run -1 pof-certify consistency fork now
    sed 's/^600$/599/' old >forged
    run -1 pof-certify consistency log forged
    [[ $output == *"not that of its key"* ]]
}

@test "the same records give the same log, whatever the batches" {
    make
    pof-certify init log2 --origin pof.example/bats --seed-file seed
    pof-certify append log2 --batch 7 all >/dev/null
    cmp log/checkpoint log2/checkpoint
    cmp log/tiles.0 log2/tiles.0
    pof-certify init log3 --origin pof.example/bats --seed-file seed
    while read -r line; do echo "$line" | pof-certify append log3 --reread >/dev/null; done < <(head -n 20 all)
    tail -n +21 all | pof-certify append log3 --reread >/dev/null
    cmp log/checkpoint log3/checkpoint
}

@test "a log that cannot be read or found is an input error, not an answer" {
    run -66 pof-certify verify nowhere
    mkdir empty
    run -66 pof-certify verify empty
    run -66 pof-certify append empty
    make
    run -66 pof-certify append log nofile
    run -66 pof-certify check nofile --key "$(cat log/vkey)"
}
