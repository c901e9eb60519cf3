# SPDX-License-Identifier: Apache-2.0
# The order of input lines and of operands, and the number of threads, change no byte of any result.
load ../helper

setup_file() {
    load ../helper
    export ONE=$BATS_FILE_TMPDIR/one
    QUIET=1 "$ROOT/pipelines/market-day" --pods 24 --seed 3 "$ONE"
}

# A copy of a file with its lines in another order, always the same one.
shuffled() {
    shuf --random-source=<(yes) "$1" >"$BATS_TEST_TMPDIR/$(basename "$1").$2"
    echo "$BATS_TEST_TMPDIR/$(basename "$1").$2"
}

setup() {
    DA=$ONE/2026-03-10-DA
    RT=$ONE/2026-03-10-RT5
    GRID=$ROOT/samples/cigre-mv.json
    pods=$(shuffled "$ONE/pods.jsonl" pods)
    sessions=$(shuffled "$ONE/sessions.jsonl" sessions)
    baselines=$(shuffled "$ONE/baselines.jsonl" baselines)
    early=$(shuffled "$DA/outcomes.jsonl" da)
    cat "$ONE"/2026-03-10-RT[1-4]/outcomes.jsonl >"$BATS_TEST_TMPDIR/between"
    between=$(shuffled "$BATS_TEST_TMPDIR/between" rt)
    cd "$BATS_TEST_TMPDIR"
}

@test "pof-request" {
    pof-request --grid "$GRID" --session 2026-03-10-RT5 --buyer DSO --state "$(shuffled "$RT/state.jsonl" s)" \
        --threads 2 -q --limits l -o r "$baselines" "$between" "$pods" "$early" "$sessions"
    cmp r "$RT/requests.jsonl"
    cmp l "$RT/limits.jsonl"
}

@test "pof-offer" {
    pof-offer --session 2026-03-10-DA -q "$baselines" "$(shuffled "$ONE/pricerules.jsonl" p)" "$sessions" "$pods" >o
    cmp o "$DA/offers.jsonl"
}

@test "pof-clear" {
    for s in "$DA" "$RT"; do
        pof-clear --grid "$GRID" --session "$(basename "$s")" --price pay-as-bid --sequence joint \
            --threads 2 -q "$(shuffled "$s/offers.jsonl" o)" "$(shuffled "$s/limits.jsonl" l)" \
            "$(shuffled "$s/tso.jsonl" t)" "$sessions" "$(shuffled "$s/requests.jsonl" r)" >a
        cmp a "$s/awards.jsonl"
    done
}

@test "pof-validate" {
    pof-validate --grid "$GRID" --session 2026-03-10-RT5 --threads 2 -q "$(shuffled "$RT/awards.jsonl" a)" \
        "$between" "$early" "$sessions" "$baselines" "$pods" >v
    cmp v "$RT/verdicts.jsonl"
}

@test "pof-outcome" {
    pof-outcome --grid "$GRID" -q --unmet u --carry c "$(shuffled "$DA/offers.jsonl" o)" "$(shuffled "$DA/verdicts.jsonl" v)" \
        "$(shuffled "$DA/tso.jsonl" t)" "$(shuffled "$DA/awards.jsonl" a)" "$(shuffled "$DA/requests.jsonl" r)" >out
    cmp out "$DA/outcomes.jsonl"
    cmp u "$DA/unmet.jsonl"
    cmp c "$DA/carry.jsonl"
}

@test "pof-dispatch" {
    cat "$RT/outcomes.jsonl" "$between" "$early" >all
    pof-dispatch -q "$(shuffled all x)" "$baselines" "$pods" >s
    cmp s "$RT/setpoints.jsonl"
}

@test "pof-settle" {
    cat "$ONE"/*/outcomes.jsonl >all
    pof-settle -q --statements st "$(shuffled "$ONE/measured.jsonl" m)" "$(shuffled all x)" "$baselines" \
        "$ROOT/samples/terms.json" >s
    cmp s "$ONE/settlement.jsonl"
    cmp st "$ONE/statements.jsonl"
}

@test "pof-pf and pof-se" {
    pof-pf --grid "$GRID" -q --threads 2 --readings r --noise --seed 3 "$(shuffled "$RT/now.jsonl" n)" "$pods" >t
    cmp t "$RT/truth.jsonl"
    cmp r "$RT/readings.jsonl"
    pof-se --grid "$GRID" -q --threads 2 "$(shuffled "$RT/readings.jsonl" r)" >s
    cmp s "$RT/state.jsonl"
}

@test "pof-scd: the order of loading does not show in a query" {
    pof-scd -q db register "$pods" >/dev/null
    pof-scd -q db load "$(shuffled "$ONE/measured.jsonl" m)" >/dev/null
    pof-scd -q db query --what measurements >q
    cmp q "$ONE/measured.jsonl"
}
