# SPDX-License-Identifier: Apache-2.0
# pof-pf: loads in, states and readings out.
load ../helper

setup_file() {
    load ../helper
    export G=$ROOT/samples/cigre-mv.json T=$BATS_FILE_TMPDIR
    pof-sim --make pods --grid "$G" --pods 60 -q >"$T/pods"
    pof-sim --make baselines --grid "$G" --pods 60 --day 2026-03-10 -q >"$T/base"
    pof-pf --grid "$G" -q --readings "$T/readings" -o "$T/state" "$T/pods" "$T/base"
}

setup() {
    cd "$BATS_TEST_TMPDIR"
}

@test "every quarter-hour of the day has every node and branch, in order" {
    [ "$(wc -l <"$T/state")" = $((96 * 32)) ]
    jq -r .start "$T/state" | sort -c
    [ "$(jq -r 'select(.element == "node") | .name' "$T/state" | head -n 15 | tr '\n' ' ')" = \
        "N0 N1 N2 N3 N4 N5 N6 N7 N8 N9 N10 N11 N12 N13 N14 " ]
}

@test "what flows into the nodes is what they consume" {
    # N3 is fed by L2-3; L3-4 and L3-8 leave it.
    jq -s -e 'group_by(.start) | map((map({(.element + .name): .}) | add) |
        (.["nodeN3"].p_w + .["branchL3-4"].p_w + .["branchL3-8"].p_w + .["branchL2-3"].p_to_w) |
        fabs) | max < 0.02' "$T/state"
}

@test "the order of lines and operands and the number of threads change no byte" {
    shuf --random-source=<(yes) "$T/base" >b
    for n in 1 2 5; do
        pof-pf --grid "$G" -q --threads $n --readings r.$n -o s.$n b "$T/pods"
        cmp s.$n "$T/state"
        cmp r.$n "$T/readings"
    done
}

@test "standard input is an operand" {
    cat "$T/base" "$T/pods" | pof-pf --grid "$G" -q - >s
    cmp s "$T/state"
}

@test "both methods agree" {
    pof-pf --grid "$G" -q --method newton -o s "$T/pods" "$T/base"
    paste <(jq -r '.v_pu // empty' s) <(jq -r '.v_pu // empty' "$T/state") |
        awk '{ d = $1 - $2; if (d < 0) d = -d; if (d > 1e-8) bad = 1 } END { exit bad || !NR }'
}

@test "outcomes move consumption: up lowers it, down raises it" {
    pod=$(head -n 1 "$T/pods" | jq -r .pod)
    node=$(head -n 1 "$T/pods" | jq -r .node)
    outcome() {
        printf '{"schema":"pof.outcome/1","award":"%s","session":"S","request":"r","offer":"o","pod":"%s","node":"%s","buyer":"DSO","role":"dso","seller":"A","direction":"%s","start":"2026-03-10T10:00:00Z","duration_s":900,"p_awarded_w":500,"p_w":500,"price_eur_mwh":1,"decision":"accept"}\n' \
            "$1" "$pod" "$node" "$2"
    }
    at() { jq -r "select(.name == \"$node\" and .start == \"2026-03-10T10:00:00Z\") | .p_w" "$1"; }
    outcome a up >up
    outcome a down >down
    pof-pf --grid "$G" -q -o u up "$T/pods" "$T/base"
    pof-pf --grid "$G" -q -o d down "$T/pods" "$T/base"
    [ "$(at u)" = $(($(at "$T/state") - 500)) ]
    [ "$(at d)" = $(($(at "$T/state") + 500)) ]
    run pof-pf --grid "$G" up up "$T/pods" "$T/base"
    [ "$status" = 65 ]
    [[ $output == *"given twice"* ]]
}

@test "measurements give the same state as baselines of the same power" {
    jq -c '.schema = "pof.measurement/1"' "$T/base" >m
    pof-pf --grid "$G" -q -o s "$T/pods" m
    cmp s "$T/state"
    run pof-pf --grid "$G" "$T/pods" m "$T/base"
    [ "$status" = 65 ]
}

@test "readings are the state, exact without noise" {
    [ "$(wc -l <"$T/readings")" = $((96 * (15 + 28 + 28))) ]
    v=$(jq -s 'map(select(.name == "N5" and .element == "node"))[0].v_pu * 20000' "$T/state")
    [ "$(jq -s 'map(select(.name == "N5" and .quantity == "v"))[0].value' "$T/readings")" = "$v" ]
    # N2 has nothing connected.
    jq -s -e 'map(select(.sigma == 0)) | length == 192 and all(.name == "N2" and .value == 0)' "$T/readings"
}

@test "noise is Gaussian with its sigma, the same for any set of readings" {
    pof-pf --grid "$G" -q --noise --seed 5 --readings noisy -o s "$T/pods" "$T/base"
    cmp s "$T/state"
    paste <(jq -r '[.value, .sigma] | @tsv' noisy) <(jq .value "$T/readings") |
        awk '$2 > 0 { n++; z = ($1 - $3) / $2; sum += z; square += z * z; if (z > 1.96 || z < -1.96) far++ }
            END { print n, sum / n, square / n, far / n
                  exit !(n > 6000 && sum / n < 0.05 && sum / n > -0.05 && square / n > 0.95 &&
                         square / n < 1.05 && far / n > 0.04 && far / n < 0.06) }'
    pof-pf --grid "$G" -q --noise --seed 5 --readings-set scada --readings few -f -o s "$T/pods" "$T/base"
    [ "$(wc -l <few)" -lt 2000 ]
    [ -z "$(sort few | comm -23 - <(sort noisy))" ]
    pof-pf --grid "$G" -q --noise --seed 6 --readings other -f -o s "$T/pods" "$T/base"
    not cmp -s noisy other
}

@test "a quarter-hour without a solution is status 1, the others are complete" {
    sed 's/"p_w":\([1-9][0-9]*\)/"p_w":\1000/' "$T/base" >big
    grep -v 'T1[0-9]:' "$T/base" >some
    grep 'T1[0-9]:' big >>some
    run pof-pf --grid "$G" -q -o s --readings r "$T/pods" some
    [ "$status" = 1 ]
    [ "$(printf '%s\n' "${lines[@]}" | grep -c 'does not converge')" = 40 ]
    [ "$(wc -l <s)" = $((56 * 32)) ]
}

@test "without a grid it says what is missing; a pod at an unknown node is named" {
    run pof-pf "$T/pods"
    [ "$status" = 2 ]
    [[ $output == *"--grid"* ]]
    sed '3s/"node":"[^"]*"/"node":"N99"/' "$T/pods" >p
    run pof-pf --grid "$G" p "$T/base"
    [ "$status" = 65 ]
    [[ $output == *"p:3:node: the grid has no node 'N99'"* ]]
}

@test "three phases: currents of a feeder's phases return by its neutral" {
    pof-pf --grid "$ROOT/samples/lv-4wire.json" --phases 3 -q --readings r -o s
    [ "$(jq -s 'map(.phase) | group_by(.) | map("\(.[0])\(length)") | join(" ")' s)" = '"a23 b23 c23"' ]
    # The charging car at h3 pulls its phase down and, by the neutral, the others up.
    jq -s -e 'map(select(.name == "h3") | {(.phase): .v_pu}) | add |
        .a < .b - 0.015 and .b < .c' s
    # Each phase of a joint is balanced.
    jq -s -e 'map({(.name + .phase): .}) | add | . as $s | ["a", "b", "c"] | map(. as $f |
        $s["c1" + $f].p_to_w + $s["s1" + $f].p_w + $s["c2" + $f].p_w | fabs) | max < 1e-3' s
    # Readings are of phases, voltages to ground.
    jq -s -e 'map(select(.name == "h3" and .quantity == "v" and .phase == "a")) |
        length == 1 and .[0].value > 226 and .[0].value < 231' r
    [ "$(jq -r 'select(.sigma == 0) | .phase' r | sort | uniq -c | awk '{print $1 $2}' | tr '\n' ' ')" = "10a 10b 10c " ]
}

@test "three phases: the sum is what balanced operation sees, but for losses" {
    total() {
        jq -s 'map(select(.name == "mv")) | -(map(.p_w) | add) | round' "$1"
    }
    pof-pf --grid "$ROOT/samples/lv-4wire.json" --phases 3 -q -o three
    pof-pf --grid "$ROOT/samples/lv-4wire.json" -q -o one
    [ "$(total one)" -gt 48000 ]
    [ "$(total three)" -gt "$(total one)" ]
    [ "$(total three)" -lt $(($(total one) + 300)) ]
}

@test "three phases: pods draw a third in each" {
    pof-sim --make pods --grid "$ROOT/samples/lv-4wire.json" --pods 12 -q >p
    pof-sim --make baselines --grid "$ROOT/samples/lv-4wire.json" --pods 12 --day 2026-03-10 -q >b
    pof-pf --grid "$ROOT/samples/lv-4wire.json" --phases 3 -q -o s p b
    pof-pf --grid "$ROOT/samples/lv-4wire.json" --phases 3 -q -o fixed
    [ "$(jq -s 'map(select(.element == "node")) | length' s)" = $((96 * 36)) ]
    jq -s -e --slurpfile fixed fixed '($fixed | map(select(.name == "h3") | {(.phase): .p_w}) | add) as $f |
        map(select(.name == "h3")) | group_by(.start) |
        map(map(.p_w - $f[.phase]) | max - min) | max < 1e-6' s
    for n in 1 2; do
        pof-pf --grid "$ROOT/samples/lv-4wire.json" --phases 3 --threads $n -q -o t.$n b p
        cmp s t.$n
    done
}

@test "three phases: a grid without a zero sequence is refused, the branch named" {
    run pof-pf --grid "$ROOT/samples/lv-feeder.json" --phases 3
    [ "$status" -eq 65 ]
    [[ "$output" == *"transformer 'T0-1' cannot be computed by phases"* ]]
    run pof-pf --grid "$ROOT/samples/lv-4wire.json" --phases 2
    [ "$status" -eq 2 ]
}

@test "three phases: a part without a way to ground is told" {
    jq '.branches[0] |= (.winding_to = "d" | .clock = 0 | del(.uk0_pct, .pk0_w))' "$ROOT/samples/lv-4wire.json" >g
    run pof-pf --grid g --phases 3 -o /dev/null
    [[ "$output" == *"without a way to ground for what is equal in all phases: 1;"* ]]
}
