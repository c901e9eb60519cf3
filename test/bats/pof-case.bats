# SPDX-License-Identifier: Apache-2.0
# pof-case: the same cases however readings arrive; what one bad line does to the others.
load ../helper

setup_file() {
    load ../helper
    export T=$BATS_FILE_TMPDIR G=$ROOT/samples/cigre-mv.json
    cd "$T"
    pof-sim --make pods --grid "$G" --pods 60 -q >pods
    pof-sim --make measurements --grid "$G" --pods 60 -q --from 2026-03-10T17:00:00Z --until 2026-03-10T17:45:00Z >meters
    pof-pf --grid "$G" -q --noise --seed 3 --readings-set scada --readings scada -o truth pods meters
    grep T17:30 scada | grep '"v"' | sed 's/17:30:00Z/17:30:10Z/' >pmu
    cat meters scada pmu >all
}

setup() {
    cd "$BATS_TEST_TMPDIR"
    mkdir w c
}

case_of() { pof-case -q --grid "$G" --pods "${PODS:-$T/pods}" --window w --into c --pseudo 30 "$@"; }
# The case of an instant that was written last.
last_of() { ls -t c/?-"$1".*."$2" | head -n 1; }

@test "in one run, in many, in any order, and twice: the same window and the same last cases" {
    case_of --name 0 "$T/all"
    for t in 17:00:00 17:15:00 17:30:00 17:30:10; do
        cp c/1-2026-03-10T$t"Z.0.jsonl" "want-$t.jsonl"
        cp c/1-2026-03-10T$t"Z.0.raw" "want-$t.raw"
    done
    mv w w0
    for order in cat tac "shuf --random-source=$T/all"; do
        rm -rf w c && mkdir w c
        $order "$T/all" | split -l 60 - part.
        k=100
        for p in part.*; do k=$((k + 1)); case_of --name $k "$p"; done
        case_of --name 300 --summary again.json "$T/pmu"
        [ "$(jq -c '[.taken, .repeated]' again.json)" = '[0,3]' ]
        rm part.* again.json
        diff -r w w0
        for t in 17:00:00 17:15:00 17:30:00 17:30:10; do
            for e in jsonl raw; do
                f=$(ls c/?-2026-03-10T${t}Z.*.$e | sort -t. -k2 | tail -n 1)
                cmp "$f" "want-$t.$e" || { echo "$order $t $e $f"; false; }
            done
        done
    done
}

@test "a case is what pof-se makes of the same readings by age" {
    # without assumptions and without meters that show 0, to which pof-case gives 10 W
    grep -v '"p_w":0,' "$T/meters" | cat - "$T/scada" "$T/pmu" >some
    grep -v "$(grep '"p_w":0,' "$T/meters" | sed 's/.*\("pod":"[^"]*"\).*/\1/' | sort -u)" "$T/pods" >pods
    PODS=pods case_of --sigma-least 0 --name 0 some
    C=c/1-2026-03-10T17:30:10Z.0
    pof-se -q --grid $C.raw --names "$G" $C.jsonl >a || [ $? = 1 ]
    pof-se -q --grid "$G" --age-limit 1800 --pseudo 30 pods some | grep 17:30:10 >b
    jq -r '[.element, .name, .p_w, .q_var, .v_pu // 0] | @tsv' a >a.tsv
    jq -r '[.element, .name, .p_w, .q_var, .v_pu // 0] | @tsv' b >b.tsv
    [ "$(wc -l <a.tsv)" = 32 ]
    paste a.tsv b.tsv | awk '{ if ($1 != $6 || $2 != $7 || ($3 - $8) ^ 2 > 1 || ($4 - $9) ^ 2 > 1 || ($5 - $10) ^ 2 > 1e-16) { print; exit 1 } }'
}

@test "deviations grow with age, exact values stay exact" {
    case_of --name 0 "$T/all"
    grep '"L1-2"' c/1-2026-03-10T17:30:00Z.0.jsonl | grep '"p"' | jq .sigma >new
    grep '"L1-2"' c/1-2026-03-10T17:30:10Z.0.jsonl | grep '"p"' | jq .sigma >old
    [ "$(paste new old | awk '{ print ($2 > $1) }')" = 1 ]
    [ "$(grep -c '"sigma":0}' c/1-2026-03-10T17:30:10Z.0.jsonl)" = "$(grep -c '"sigma":0}' c/1-2026-03-10T17:30:00Z.0.jsonl)" ]
}

@test "what cannot be used is set aside with its reason, the rest goes on" {
    grep T17:30:00 "$T/all" >bad
    { r() { printf '{"schema":"pof.reading/1","element":"%s","name":"%s","start":"%s","quantity":"%s","value":%s,"sigma":%s%s}\n' "$@"; }
      r node N99 2026-03-10T17:30:00Z v 20000 100 ''
      r node N1 2026-03-10T17:30:00Z v -20000 100 ''
      r node N1 2026-03-10T17:30:00Z p 1 1 ',"rho":0.5'
      r node N1 2026-03-10T17:30:00Z v 11547 100 ',"phase":"a"'
      r node N1 2126-03-10T17:30:00Z v 20000 100 ''
      r node N1 2026-02-10T17:30:00Z v 20000 100 ''
      r branch L1-2 2026-03-10T17:30:00Z closed 1 0 ''
      r branch L1-2 2026-03-10T17:30:00Z closed 0 0 ''
      echo '{"schema":"pof.measurement/1","pod":"nobody","start":"2026-03-10T17:30:00Z","duration_s":900,"p_w":1}'
      grep '"pod":"' "$T/meters" | grep T17:30 | head -n 1 | sed 's/"p_w":[0-9]*/"p_w":123456/'
      echo junk; } >>bad
    s=0; case_of --name 1 --now 2026-03-10T18:00:00Z --max-future 60 --rejects r bad || s=$?
    [ $s = 1 ]
    [ "$(ls c)" = "1-2026-03-10T17:30:00Z.1.jsonl
1-2026-03-10T17:30:00Z.1.raw" ]
    jq -r '"\(.code) \(.field // "-")"' r >got
    printf '%s\n' '221 name' '224 value' '222 rho' '224 phase' '219 start' '219 start' '222 -' '221 pod' '222 -' '201 -' >want
    diff want got
    case_of --name 2 "$T/all" # no bad line stays behind
}

@test "the window forgets what nobody can need" {
    case_of --name 1 "$T/all"
    [ "$(ls w | wc -l)" = 4 ]
    sed 's/2026-03-10T17:30:10/2026-03-12T17:30:10/' "$T/pmu" | case_of --name 2
    [ "$(ls w)" = 2026-03-12T17:30:10Z.jsonl ]
}

@test "wrong use" {
    for bad in "" "--window w" "--window w --into c --name a/b" "--window nowhere --into c" "--window w --into nowhere"; do
        # Words are meant.
        # shellcheck disable=SC2086
        s=0; pof-case --grid "$G" $bad "$T/pmu" 2>err || s=$?
        [ $s -ge 2 ]
        [ -s err ]
    done
    s=0; pof-se --grid "$G" --names "$ROOT/samples/lv-feeder.json" "$T/pmu" 2>err || s=$?
    [ $s = 65 ]
    grep -q "the case has 15 nodes and 17 branches, the grid" err
}
