# SPDX-License-Identifier: Apache-2.0
bats_require_minimum_version 1.5.0
load ../helper

# Every down offer of the evening taken in full by the one or the other operator: too much.
setup() {
    cd "$BATS_TEST_TMPDIR"
    GRID=$ROOT/samples/cigre-mv.json
    pof-session --day 2026-03-10 --zone CET | grep RT5 >session.jsonl
    pof-sim --make pods --grid "$GRID" --pods 60 >pods.jsonl
    pof-sim --make baselines --grid "$GRID" --pods 60 --day 2026-03-10 >baselines.jsonl
    pof-offer -q --price 50 session.jsonl pods.jsonl baselines.jsonl | grep '"down"' >offers.jsonl
    jq -c '. as $o | range(($o.start | fromdate); ($o.end | fromdate); 900) |
        {schema: "pof.award/1", id: "\($o.id)-\(.)", session: $o.session, request: "r", offer: $o.id,
         pod: $o.pod, node: $o.node, buyer: "B", role: (if ($o.pod | test("[02468]$")) then "tso" else "dso" end),
         seller: $o.seller, direction: $o.direction, start: (. | todate), duration_s: 900, p_w: $o.p_w,
         offer_price_eur_mwh: 50, price_eur_mwh: 50, why: "request"}' offers.jsonl >awards.jsonl
    market="session.jsonl pods.jsonl baselines.jsonl"
    validate="pof-validate -q --grid $GRID"
}

@test "records in any order, on one thread or two, from files or standard input: the same bytes" {
    s=0; $validate $market awards.jsonl >want || s=$?
    [ $s = 1 ]
    s=0; sort -r $market awards.jsonl | $validate --threads 2 >got || s=$?
    [ $s = 1 ]
    cmp want got
}

@test "every award has one verdict, within what was awarded, with a reason where it is cut" {
    $validate $market awards.jsonl >verdicts.jsonl || [ $? = 1 ]
    [ "$(jq -r .award verdicts.jsonl | sort)" = "$(jq -r .id awards.jsonl | sort)" ]
    jq -e -s --slurpfile a awards.jsonl '($a | map({key: .id, value: .p_w}) | from_entries) as $p | all(.[];
        if .decision == "accept" then .p_w == $p[.award] and .reason == null
        elif .decision == "curtail" then .p_w > 0 and .p_w < $p[.award] and .reason != null
        else .p_w == 0 and .reason != null end)' verdicts.jsonl
    jq -e -s 'any(.[]; .decision == "reject") and all(.[] | select(.reason == "loading");
        .before > 100 and .after <= 100.0001 and .limit == 100)' verdicts.jsonl
}

@test "the transmission system operator's awards are cut first" {
    $validate $market awards.jsonl >verdicts.jsonl || [ $? = 1 ]
    # Where an award of the DSO is cut for an element, none of the TSO behind that transformer is whole.
    jq -e -s --slurpfile a awards.jsonl --slurpfile pods pods.jsonl '
        ($a | map({key: .id, value: .}) | from_entries) as $w |
        def side($n): if (["N12","N13","N14"] | index($n)) then "T0-12" else "T0-1" end;
        . as $v | all(.[] | select(.decision != "accept" and $w[.award].role == "dso"); . as $d |
            all($v[] | select($w[.award].role == "tso" and $w[.award].start == $w[$d.award].start and
                side($w[.award].node) == side($w[$d.award].node)); .decision == "reject"))' verdicts.jsonl
}

@test "what the verdicts allow is accepted when it is asked again" {
    $validate $market awards.jsonl >verdicts.jsonl || [ $? = 1 ]
    jq -c --slurpfile v verdicts.jsonl -n '($v | map({key: .award, value: .p_w}) | from_entries) as $p |
        inputs | .p_w = $p[.id] | select(.p_w > 0)' awards.jsonl >allowed.jsonl
    [ -s allowed.jsonl ]
    $validate $market allowed.jsonl >again.jsonl
    [ "$(jq -r .decision again.jsonl | sort -u)" = accept ]
}

@test "more room in the branches never allows less" {
    last=0
    for share in 0.6 0.8 1 1.2; do
        $validate --max-loading $share $market awards.jsonl >v.jsonl || [ $? = 1 ]
        sum=$(jq -s 'map(.p_w) | add' v.jsonl)
        [ "$sum" -ge "$last" ]
        last=$sum
    done
    [ "$last" -gt 0 ]
}

@test "no awards, no verdicts, status 0" {
    run -0 $validate $market
    [ -z "$output" ]
}

@test "awards that do not fit the session are refused by name" {
    head -n 1 awards.jsonl | sed 's/"node":"[^"]*"/"node":"N0"/' >wrong.jsonl
    run -65 $validate $market wrong.jsonl
    [[ "$output" == *"names node 'N0', its pod is at"* ]]
    head -n 1 awards.jsonl | cat - awards.jsonl >twice.jsonl
    run -65 $validate $market twice.jsonl
    [[ "$output" == *"is given twice"* ]]
}
