# SPDX-License-Identifier: Apache-2.0
load ../helper

setup() {
    cd "$BATS_TEST_TMPDIR"
    CASES=$ROOT/test/golden/pof-kpi
    MARKET=$(echo "$CASES"/report/in.*.jsonl)
}

@test "what pof-log writes has figures" {
    for r in a b c; do
        pof-log --flow flow3 --platform MP --reference $r --log e.jsonl -- sleep 0.02
        pof-log --flow flow4 --received flow3 --platform DSOTP --reference $r --log e.jsonl -- true
    done
    pof-kpi -q --pods 5 e.jsonl >k.jsonl
    jq -e -s 'map(select(.flow == "flow3" and .kind == "execution"))[0] | .count == 3 and .p50 >= 20 and .pods == 5' k.jsonl
    jq -e -s 'map(select(.flow == "flow3" and .kind == "communication"))[0].count == 3' k.jsonl
    jq -e -s 'map(select(.flow == "flow4" and .kind == "memory"))[0].mean > 0' k.jsonl
}

@test "the order of events changes nothing" {
    pof-kpi -q "$CASES/events/in.events.jsonl" >a
    tac "$CASES/events/in.events.jsonl" | pof-kpi -q >b
    [ -s a ]
    cmp a b
}

@test "the order of records and of operands does not change the report" {
    pof-kpi --report $MARKET >a
    for seed in 1 2 3; do
        cat $MARKET | shuf --random-source=<(yes $seed) | pof-kpi --report >b
        cmp a b
    done
}

@test "verdicts do where there are no outcomes, outcomes where there is nothing else" {
    pof-kpi --report $MARKET | sed -n '/^Sessions/,/^Market/p' >all
    cat "$CASES"/report/in.{market,awards,verdicts}.jsonl | pof-kpi --report | sed -n '/^Sessions/,/^Market/p' >verdicts
    cat "$CASES"/report/in.{market,outcomes}.jsonl | pof-kpi --report | sed -n '/^Sessions/,/^Market/p' >outcomes
    [ -s all ]
    cmp all verdicts
    cmp all outcomes
}

@test "awards without verdicts are not approved, and that is said" {
    cat "$CASES"/report/in.{market,awards}.jsonl | pof-kpi --report >r
    grep -q '3 awards have neither verdict nor outcome' r
    pof-kpi --report "$CASES/report/in.verdicts.jsonl" | grep -q '3 verdicts are for awards that are not here'
    pof-kpi --report "$CASES/report/in.awards.jsonl" | grep -q '3 awards name requests that are not here'
}

@test "without --reference the document's columns are left out" {
    pof-kpi --report $MARKET >r
    [ -z "$(grep document r)" ]
    pof-kpi --report --reference "$ROOT/share/platone-times.csv" $MARKET | grep -q 'flow3 .*101354.0$'
}

@test "the same award or request twice is refused with its place" {
    run pof-kpi --report "$CASES/report/in.awards.jsonl" "$CASES/report/in.awards.jsonl"
    [ "$status" = 65 ]
    [[ $output == *"in.awards.jsonl:1:id: award 'a1' was given before"* ]]
    run pof-kpi --report "$CASES/report/in.statements.jsonl" "$CASES/report/in.statements.jsonl"
    [ "$status" = 65 ]
    [[ $output == *"has a statement already"* ]]
}

@test "an outcome that contradicts its award is refused" {
    sed 's/"p_awarded_w":60000/"p_awarded_w":70000/' "$CASES/report/in.outcomes.jsonl" >o.jsonl
    run pof-kpi --report "$CASES/report/in.awards.jsonl" o.jsonl
    [ "$status" = 65 ]
    [[ $output == *"say different things"* ]]
}

@test "--unmet says what is left, whole requests and parts of them" {
    # r1 of the day-ahead session is served otherwise but for 40 kW at 10:15, 20 kW of which were cut.
    grep '"id":"r1","session":"2026-03-10-DA"' "$CASES/report/in.market.jsonl" |
        sed 's/"id":"r1"/"id":"r1\/20260310T1015Z"/; s/10:00:00Z/10:15:00Z/; s/"p_w":100000/"p_w":40000/' >part
    grep '"session":"2026-03-10-RT1"' "$CASES/report/in.market.jsonl" >whole
    cat part whole >unmet
    pof-kpi --report --unmet unmet $MARKET >r
    grep -q '2026-03-10-DA .* 0.010  offers ran out 0.005, grid 0.005 (most often L3)$' r
    grep -q '2026-03-10-RT1 .* 0.008  out of reach 0.008$' r
    pof-kpi --report --unmet /dev/null $MARKET | grep -q '^  all .* 0.000$'
    sed 's/r1/r9/' part >stranger
    run pof-kpi --report --unmet stranger $MARKET
    [ "$status" = 65 ]
    [[ $output == *"stranger:1:id: 'r9/20260310T1015Z' is no request"* ]]
}

@test "names cannot command a terminal" {
    sed 's/"party":"A"/"party":"\\u001b[2J"/' "$CASES/report/in.statements.jsonl" | pof-kpi --report >r
    [ -z "$(grep $'\033' r)" ]
    grep -q '?\[2J' r
}

@test "growth: key figures of two sizes, and of one" {
    for n in 10 100; do
        sed 's/"cpu_us":[0-9]*/"cpu_us":'$((n * 1000))'/' "$CASES/events/in.events.jsonl" | pof-kpi -q --pods $n >$n.jsonl
    done
    pof-kpi -q --growth --of cpu 100.jsonl 10.jsonl >g
    jq -e -s 'length == 2 and all(.[]; .kind == "growth" and (.mean - 1 | fabs) < 1e-9)' g
    run pof-kpi --growth 10.jsonl
    [ "$status" = 1 ]
    [[ $output == *"no flow has figures of execution at two sizes"* ]]
}

@test "what does not go together is wrong usage" {
    for args in "--growth --report" "--report --pods 3" "--reference x" "--unmet x" "--of cpu" "--of growth"; do
        run pof-kpi $args </dev/null
        [ "$status" = 2 ] || { echo "$args: $status"; false; }
    done
}

@test "a full disk and a closed pipe" {
    s=0; pof-kpi -q "$CASES/events/in.events.jsonl" >/dev/full 2>err || s=$?
    [ $s = 74 ]
    s=0; pof-kpi --report $MARKET >/dev/full 2>err || s=$?
    [ $s = 74 ]
}
