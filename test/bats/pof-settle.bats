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

@test "a settlement names its terms by the hash of the canonical record, as anybody computes it" {
    want=$(jq -cSj . "$ROOT/samples/terms.json" | sha256sum | cut -d ' ' -f 1)
    [ "$(pof-settle --list "$ROOT/samples/terms.json")" = "$want  usual" ]
    jq -e -s --arg h "$want" 'all(.terms == $h)' settlement
    cat "$ROOT/samples/terms.json" "$ROOT/samples/usef/terms.json" >two
    pof-settle -q --terms "$want" two outcomes base meters | cmp - settlement
    jq -c '{x_note: "other order, other numbers"} + .' "$ROOT/samples/terms.json" >same
    pof-settle -q same outcomes base meters | cmp - settlement
}

@test "terms that fit no outcome, and owners who are not known, are refused" {
    jq -c '. + {seller: "nobody"}' "$ROOT/samples/terms.json" >t
    run -65 pof-settle t outcomes base meters
    [[ "$output" == *"no terms fit award"* ]]
    jq -c '. + {owner_permille: 1}' "$ROOT/samples/terms.json" >t
    run -65 pof-settle t outcomes base meters
    [[ "$output" == *"no pod record in the input tells who that is"* ]]
}

# The recipe of the manual page, with owners who have a share.
@test "every participant checks its own settlement, and sees no other's" {
    jq -c '. + {owner: ("own-" + (.pod | .[-1:]))}' pods >owned
    jq -c '. + {owner_permille: 650, scale: "500:0 950:1000"}' "$ROOT/samples/terms.json" >terms.json
    pof-settle -q --statements st -f terms.json owned outcomes base meters >all
    mkdir -p split
    pof-settle -q --split split -f -o all2 terms.json owned outcomes base meters
    cmp all all2
    jq -e -s 'def micro: . * 1000000 | round; (map(.net_eur | micro) | add == 0) and (map(.fee_eur | micro) | add == 0)' st
    [ "$(jq -s 'map(.tokens) | add' st)" = "$(jq -s 'map(.tokens) | add' all)" ]
    # The market certifies terms and settlements, and hands each its own with a proof of each.
    pof-certify init log --origin market.example/settlement
    pof-certify append log -q terms.json all >/dev/null
    who=$(jq -r '.owner' all | head -n 1)
    pof-settle -q --for "$who" --statements mine-st -f terms.json owned outcomes base meters >mine
    jq -e -s --arg w "$who" 'length > 0 and all(.owner == $w)' mine
    [ "$(wc -l <mine)" = "$(grep -c "\"owner\":\"$who\"" all)" ]
    [ "$(jq -r .party mine-st)" = "$who" ]
    n=0
    head -n 4 mine >few
    while IFS= read -r line; do
        n=$((n + 1))
        printf '%s\n' "$line" >$n.json
        pof-certify prove log --record $n.json >$n.proof
    done <few
    pof-certify prove log --record terms.json >terms.proof
    # The participant has these files, the key of the log, and its own outcomes and measurements.
    mkdir -p me
    mv ./*.proof me/
    vkey=$(cat log/vkey)
    mv log elsewhere
    for i in $(seq "$n"); do pof-certify check "me/$i.proof" --key "$vkey" --record "$i.json"; done
    pof-certify check me/terms.proof --key "$vkey" --record terms.json
    my=$(jq -r --arg w "$who" 'select(.owner == $w) | .pod' owned | jq -R . | jq -cs .)
    for f in owned outcomes base meters; do jq -c --argjson p "$my" 'select(.pod as $x | $p | index($x))' $f >me/$f; done
    run -0 pof-settle --verify mine --for "$who" terms.json me/owned me/outcomes me/base me/meters
    [[ "$output" == *"$(wc -l <mine) settlements are the same, 0 are not"* ]]
    # A forged one is found by both.
    sed '2s/"deficiency_w":\([0-9]*\)/"deficiency_w":1\1/' mine >forged
    sed -n 2p forged >forged.json
    run -1 pof-certify check me/2.proof --key "$vkey" --record forged.json
    run -1 pof-settle -q --verify forged --for "$who" terms.json me/owned me/outcomes me/base me/meters
    [[ "$output" == "pof-settle: forged:2:deficiency_w: award"* ]]
    # So is one that was left out, and another set of terms.
    tail -n +2 mine >less
    run -1 pof-settle -q --verify less --for "$who" terms.json me/owned me/outcomes me/base me/meters
    [[ "$output" == *"is to be settled, and no settlement of it is given"* ]]
    jq -c '.penalty_permille = 1201' terms.json >others
    run -1 pof-settle -q --verify few --for "$who" others me/owned me/outcomes me/base me/meters
    [[ "${lines[0]}" == *":terms: award"*"$(pof-settle --list others | cut -d ' ' -f 1)"* ]]
}

@test "what cannot go together is said" {
    run -2 pof-settle --verify all --split . terms.json
    run -2 pof-settle --for DSO --split . terms.json
    pof-settle -q "$ROOT/samples/terms.json" outcomes base meters >s
    run -65 pof-settle --verify <(cat s s) "$ROOT/samples/terms.json" outcomes base meters
    [[ "$output" == *"is given twice"* ]]
    run -65 pof-settle --verify outcomes "$ROOT/samples/terms.json" outcomes base meters
    [[ "$output" == *"expected settlements"* ]]
}
