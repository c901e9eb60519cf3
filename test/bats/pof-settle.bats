# SPDX-License-Identifier: Apache-2.0
load ../helper
bats_require_minimum_version 1.5.0

# A day of 60 pods whose every battery and heat pump was ordered something in two sessions, set
# points, and what the meters then showed.
setup_file() {
    cd "$BATS_FILE_TMPDIR"
    grid=$ROOT/test/golden/pof-sim/pods/in.grid.json
    sim="pof-sim --grid $grid --pods 60 --day 2026-03-10"
    $sim >pods
    $sim --make baselines >base
    jq -c 'select(.kind == "battery" or .kind == "heatpump") | . as $p | range(0; 8) as $q |
        ("2026-03-10T1\($q / 4 + 6 | floor):\(["00", "15", "30", "45"][$q % 4]):00Z") as $t |
        {s: "DA", d: "up", w: ($p.p_up_max_w / 2 | floor)}, {s: "RT5", d: "up", w: ($p.p_up_max_w / 4 | floor)}, {s: "RT5", d: "down", w: ($p.p_down_max_w / 5 | floor)} |
        {schema: "pof.outcome/1", award: "\($p.pod)-\($q)-\(.d)", session: "2026-03-10-\(.s)", request: "r", offer: "o", pod: $p.pod, node: $p.node,
         buyer: (if .d == "up" then "DSO" else "TSO" end), role: "dso", seller: $p.aggregator, direction: .d, start: $t, duration_s: 900,
         p_awarded_w: .w, p_w: .w, price_eur_mwh: (70 + $q * 3.3), decision: "accept"}' pods >outcomes
    pof-dispatch outcomes base pods >setpoints
    $sim --make measurements setpoints >meters
    pof-settle "$ROOT/samples/terms.json" outcomes base meters --statements statements >settlement 2>notes
}

setup() {
    cd "$BATS_FILE_TMPDIR"
}

@test "every order is settled, and every set point is the baseline and its change" {
    [ "$(wc -l <settlement)" = "$(wc -l <outcomes)" ]
    grep -q "^pof-settle: $(wc -l <outcomes) outcomes settled, 0 of 0 W" notes
    jq -s 'map({key: (.pod + .start), value: .p_w}) | from_entries' base >b
    jq -e -s --slurpfile b b 'length > 0 and all(.p_w == $b[0][.pod + .start] + .change_w)' setpoints
    jq -e -s 'all(.session == "2026-03-10-RT5")' setpoints
}

@test "what buyers pay is what sellers receive, to the last micro-euro" {
    # 1e-6 EUR are integers: jq adds them without an error.
    jq -e -s 'def micro: . * 1000000 | round; (map(.net_eur | micro) | add == 0) and (map(.fee_eur | micro) | add == 0) and
        (map(.penalty_eur | micro) | add == 0) and (map(.net_eur | micro | fabs) | add > 0)' statements
    sums=$(jq -s 'map(.net_eur * 1000000 | round) | add' settlement)
    paid=$(jq -s 'map(select(.party == "DSO" or .party == "TSO") | .net_eur * 1000000 | round) | add' statements)
    [ "$sums" = "$((-paid))" ]
}

@test "deficiencies of a pod's orders add up to what the meter is short of its net order" {
    jq -e -s 'group_by(.pod + .start) | all(
        (map(if .direction == "up" then .ordered_w else -.ordered_w end) | add) as $net | (.[0].baseline_w - .[0].measured_w) as $real |
        (map(.deficiency_w) | add) == (if $net > 0 then [0, $net - $real] | max elif $net < 0 then [0, $real - $net] | max else ($real | fabs) end))' settlement
    [ "$(jq -s 'map(select(.deficiency_w > 0)) | length' settlement)" -gt 0 ]
    [ "$(jq -s 'map(select(.delivered_w == .ordered_w)) | length' settlement)" -gt 0 ]
}

@test "the order of the input changes nothing" {
    sort -r outcomes >o
    shuf --random-source=<(yes) base >b2
    sort meters >m
    pof-settle -q m b2 --statements st -f o "$ROOT/samples/terms.json" | cmp - settlement
    cmp st statements
    pof-dispatch b2 <(sort -r pods) o | cmp - setpoints
}

@test "a meter without a value is named, the rest is settled, status 1" {
    gone=$(jq -r '.pod' settlement | head -n 1)
    at=$(jq -r '.start' settlement | head -n 1)
    grep -v "\"$gone\",\"start\":\"$at\"" meters >holes
    run --separate-stderr -1 pof-settle "$ROOT/samples/terms.json" outcomes base holes
    [[ "$stderr" == *"pod '$gone' has an outcome and no measurement at $at (E401)"* ]]
    [ "${#lines[@]}" = $(($(wc -l <settlement) - 3)) ]
}

@test "outcomes named twice are refused, also across files" {
    run -65 pof-settle "$ROOT/samples/terms.json" outcomes outcomes base meters
    [[ "$output" == *"is given twice"* ]]
    run -65 pof-dispatch outcomes <(head -n 1 outcomes) base pods
    [[ "$output" == *"is given twice"* ]]
}

@test "terms are chosen by name" {
    cat "$ROOT/samples/terms.json" "$ROOT/samples/usef/terms.json" >two
    run -65 pof-settle two outcomes base meters
    [[ "$output" == *"choose by --terms"* ]]
    pof-settle -q --terms usual two outcomes base meters | cmp - settlement
    run -65 pof-settle --terms other two outcomes base meters
    [[ "$output" == *"terms 'other' are not in the input"* ]]
}
