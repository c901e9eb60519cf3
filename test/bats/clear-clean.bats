# SPDX-License-Identifier: Apache-2.0
bats_require_minimum_version 1.5.0
load ../helper

@test "clearing again with the limits of validation ends clean, and so does one more validation" {
    cd "$BATS_TEST_TMPDIR"
    GRID=$ROOT/samples/cigre-mv.json
    pof-session --day 2026-03-10 --zone CET | grep RT5 >session.jsonl
    pof-sim --make pods --grid "$GRID" --pods 60 >pods.jsonl
    pof-sim --make baselines --grid "$GRID" --pods 60 --day 2026-03-10 >baselines.jsonl
    pof-offer -q --price 50 session.jsonl pods.jsonl baselines.jsonl >offers.jsonl
    jq -c '{schema: "pof.request/1", id: "T", session: .id, buyer: "TSO", role: "tso", direction: "down",
        start, "end": .end, p_w: 30000000}' session.jsonl >tso.jsonl
    id=$(jq -r .id session.jsonl)
    "$ROOT/pipelines/clear-clean" "$GRID" "$id" out session.jsonl pods.jsonl baselines.jsonl offers.jsonl \
        tso.jsonl 2>log
    grep -q "round 1: .* awards, [1-9]" log
    [ -s out/awards.jsonl ]
    [ -s out/limits.jsonl ]
    pof-validate -q --grid "$GRID" session.jsonl pods.jsonl baselines.jsonl out/awards.jsonl >again
    cmp again out/verdicts.jsonl
    # One round only: the verdicts cut, and the status says so.
    run -1 "$ROOT/pipelines/clear-clean" --rounds 1 "$GRID" "$id" once session.jsonl pods.jsonl \
        baselines.jsonl offers.jsonl tso.jsonl
}
