# SPDX-License-Identifier: Apache-2.0
# pipelines/greek-se: measurement file, PSS/E case, state, table, Telegraf JSON; killed anywhere.
load ../helper

setup_file() {
    load ../helper
    export G=$ROOT/samples/cigre-mv.json T=$BATS_FILE_TMPDIR SE=$ROOT/pipelines/greek-se QUIET=1
    command -v jq >/dev/null && command -v flock >/dev/null || skip "no jq or no flock"
    pof-sim --make pods --grid "$G" --pods 60 -q >"$T/pods"
    pof-sim --make measurements --grid "$G" --pods 60 -q \
        --from 2026-03-10T17:00:00Z --until 2026-03-10T18:00:00Z >"$T/meters"
    pof-pf --grid "$G" -q --noise --seed 3 --readings "$T/readings" -o "$T/truth" "$T/pods" "$T/meters"
    mkdir "$T/files"
    for q in 00 15 30 45; do grep -h "T17:$q:" "$T/readings" >"$T/files/q$q.jsonl"; done
    mkdir -p "$T/ref/in" "$T/one/in"
    cp "$T/files"/* "$T/ref/in/"
    cp "$T/files/q30.jsonl" "$T/one/in/"
    "$SE" "$T/ref" "$G" --once
    "$SE" "$T/one" "$G" --once
}

setup() {
    cd "$BATS_TEST_TMPDIR"
    mkdir -p s/in
}

# same REFERENCE SPOOL: what was handed out and put away is what the undisturbed chain made.
same() {
    for d in out done report; do diff -r "$T/$1/$d" "$2/$d" || return 1; done
    shift
    for d in in case state table refused .made/case .made/estimate .made/table .made/telegraf; do
        [ -z "$(ls "$1/$d")" ] || { echo "left in $d: $(ls "$1/$d")"; return 1; }
    done
}

@test "every measurement file becomes a case, a state, a table and a Telegraf batch" {
    for q in 00 15 30 45; do
        head -n 1 "$T/ref/done/estimate/q$q.raw" | grep -q '^0,1,33,'
        [ "$(jq -s length "$T/ref/done/table/q$q.jsonl")" = 32 ]
        head -n 1 "$T/ref/done/telegraf/q$q.txt" | grep -q '^# pof.state/1$'
        jq -e '.metrics | length == 32 and all(.name == "state" and .fields.p_w != null)' "$T/ref/out/q$q.json" >/dev/null
    done
}

@test "the case holds the measured injections, and the state computed from it is that of the grid" {
    want=$(jq -r 'select(.name == "N5" and .quantity == "p") | .value / 1e6' "$T/files/q15.jsonl")
    got=$(pof-convert -q "$T/ref/done/estimate/q15.raw" | jq -r '.nodes[] | select(.name == "N5") | .p_w / 1e6')
    awk -v a="$want" -v b="$got" 'BEGIN { exit !((a - b) ^ 2 < 1e-18) }'
    pof-se -q --grid "$G" "$T/files/q15.jsonl" >direct || [ $? = 1 ]
    jq -r '[.name, .v_pu // 0, .p_w] | @tsv' direct >a
    jq -r '[.name, .v_pu // 0, .p_w] | @tsv' "$T/ref/done/table/q15.jsonl" >b
    paste a b | awk '{ if ($1 != $4 || ($2 - $5) ^ 2 > 1e-18 || ($3 - $6) ^ 2 > 1) exit 1; n++ } END { exit n < 32 }'
}

@test "the low-voltage feeder goes through as well" {
    g=$ROOT/samples/lv-feeder.json
    pof-sim --make pods --grid "$g" --pods 40 -q >pods
    pof-sim --make measurements --grid "$g" --pods 40 -q --from 2026-03-10T17:00:00Z --until 2026-03-10T17:15:00Z >meters
    pof-pf --grid "$g" -q --readings s/in/lv.jsonl -o truth pods meters
    "$SE" s "$g" --once
    jq -r '.metrics[] | select(.tags.element == "node") | [.tags.name, .fields.v_pu, .fields.p_w] | @tsv' s/out/lv.json >a
    jq -r 'select(.element == "node") | [.name, .v_pu, .p_w] | @tsv' truth >b
    paste a b | awk '{ if ($1 != $4 || ($2 - $5) ^ 2 > 1e-16 || ($3 - $6) ^ 2 > 1) exit 1; n++ } END { exit n < 5 }'
}

@test "killed before or after any rename and started again: the same bytes" {
    mkdir bin
    # mv that kills the step that called it: at call $AT, before or after the rename
    cat >bin/mv <<'EOF'
#!/bin/sh
n=$(($(cat "$COUNT" 2>/dev/null || echo 0) + 1))
echo $n >"$COUNT"
[ "$n" = "$AT" ] && [ "$WHEN" = before ] && kill -9 "$PPID"
[ "$n" = "$AT" ] && [ "$WHEN" = before ] || PATH=$REAL mv "$@"
[ "$n" = "$AT" ] && [ "$WHEN" = after ] && kill -9 "$PPID"
exit 0
EOF
    chmod +x bin/mv
    export REAL=$PATH COUNT=$PWD/count AT WHEN=before
    for AT in 1 2 3 4 5 6 7 8 last; do
        [ $AT != last ] || { AT=8 WHEN=after; }
        rm -rf s count && mkdir -p s/in && cp "$T/files/q30.jsonl" s/in/
        s=0; PATH=$PWD/bin:$REAL "$SE" s "$G" --once >/dev/null 2>&1 || s=$?
        [ $s != 0 ] || { echo "not killed at $AT"; false; }
        "$SE" s "$G" --once
        same one s || { echo "killed $WHEN rename $AT"; false; }
    done
}

@test "a step's program killed in the middle: started again, the same bytes" {
    mkdir bin
    for p in pof-convert pof-se pof-export jq; do
        # dies, with the step, at its first call; leaves a temporary file as a killed program does
        cat >bin/$p <<'EOF'
#!/bin/sh
for last in "$@"; do
    case $prev in -o | --report) echo half >"$(dirname "$last")/.half.abc" ;; esac
    prev=$last
done
kill -9 "$PPID"
EOF
        chmod +x bin/$p
        rm -rf s && mkdir -p s/in && cp "$T/files/q30.jsonl" s/in/
        s=0; POF_BIN=$PWD/bin PATH=$PWD/bin:$PATH:$POF_BIN "$SE" s "$G" --once >/dev/null 2>&1 || s=$?
        [ $s != 0 ] || { echo "$p was not killed"; false; }
        rm bin/$p
        "$SE" s "$G" --once
        same one s || { echo "killed in $p"; false; }
    done
}

@test "alive: files are taken as they come, names with a dot wait; killed as a whole, it goes on" {
    setsid "$SE" s "$G" 3>&- &
    chain=$!
    cp "$T/files/q00.jsonl" s/in/.q00 && mv s/in/.q00 s/in/q00.jsonl
    cp "$T/files/q15.jsonl" s/in/.q15.jsonl
    for i in $(seq 150); do [ ! -e s/out/q00.json ] || break; sleep 0.1; done
    cmp s/out/q00.json "$T/ref/out/q00.json"
    [ -e s/in/.q15.jsonl ]
    mv s/in/.q15.jsonl s/in/q15.jsonl
    cp "$T/files/q30.jsonl" s/in/
    sleep 0.2
    kill -9 -- -$chain
    cp "$T/files/q45.jsonl" s/in/
    "$SE" s "$G" --once
    same ref s
}

@test "alive: stopped politely it ends, and leaves nothing running" {
    "$SE" s "$G" 3>&- &
    chain=$!
    cp "$T/files/q00.jsonl" s/in/
    for i in $(seq 150); do [ ! -e s/out/q00.json ] || break; sleep 0.1; done
    [ -e s/out/q00.json ]
    kill $chain
    wait $chain
    # the locks are free as soon as the last watcher has noticed
    for l in s/.lock.*; do flock -w 10 "$l" true; done
}

@test "what cannot be estimated is refused with its reason, the others go on" {
    cp "$T/files/q00.jsonl" s/in/
    echo junk >s/in/junk.jsonl
    head -n 2 "$T/files/q15.jsonl" >s/in/few.jsonl
    cat "$T/files"/q[34]*.jsonl >s/in/two.jsonl
    : >s/in/empty.jsonl
    echo x >s/in/odd.txt
    s=0; "$SE" s "$G" --once || s=$?
    [ $s = 1 ]
    cmp s/out/q00.json "$T/ref/out/q00.json"
    [ "$(ls s/out)" = q00.json ]
    grep -q "2 instants in one file" s/refused/two.jsonl.why
    grep -q "cannot be observed" s/refused/few.raw.why
    grep -q "no readings" s/refused/empty.jsonl.why
    grep -q "ends in .jsonl" s/refused/odd.txt.why
    [ -s s/refused/junk.jsonl.why ]
    [ -e s/refused/junk.jsonl ]
}

@test "delivered again: the same bytes are put away, others refused" {
    cp "$T/files/q00.jsonl" s/in/
    "$SE" s "$G" --once
    rm s/out/q00.json
    cp "$T/files/q00.jsonl" s/in/
    "$SE" s "$G" --once
    [ -z "$(ls s/out)$(ls s/in)" ]
    cp "$T/files/q15.jsonl" s/in/q00.jsonl
    s=0; "$SE" s "$G" --once || s=$?
    [ $s = 1 ]
    grep -q "with other bytes" s/refused/q00.jsonl.why
}
