# SPDX-License-Identifier: Apache-2.0
# Meshed grids: cleared, validated, cleared again within what validation found, and verified.
bats_require_minimum_version 1.5.0
load ../helper

setup() {
    cd "$BATS_TEST_TMPDIR"
    pof-session --day 2026-03-10 --zone CET | grep RT5 >session.jsonl
    id=$(jq -r .id session.jsonl)
    start=$(jq -r .start session.jsonl)
}

# Storage at every node: market GRID W_OF_A_POD W_OF_THE_REQUEST up|down
market() {
    pof-convert -q "$1" >g.json
    jq -c --arg id "$id" --arg start "$start" --argjson p "$2" '
        [.nodes[] | select(.kind != "slack") | .name] | to_entries[] | .key as $i | .value as $node
        | {schema: "pof.pod/1", pod: "P\($i)", node: $node, aggregator: "A", kind: "battery", p_up_max_w: $p, p_down_max_w: $p},
          {schema: "pof.baseline/1", pod: "P\($i)", start: $start, duration_s: 900, p_w: ($p / 10 | floor)},
          (("up", "down") | {schema: "pof.offer/1", id: "o\($i)\(.)", session: $id, seller: "s\($i % 4)", pod: "P\($i)",
            node: $node, direction: ., start: $start, "end": ($start | fromdate + 900 | todate),
            p_w: ($p * (5 + $i * 7 % 11) / 16 | floor), price_eur_mwh: (20 + $i * 37 % 71)})' g.json >all
    for what in pod baseline offer; do grep "\"pof.$what/1\"" all >$what.jsonl; done
    jq -c --argjson p "$3" --arg d "$4" '{schema: "pof.request/1", id: "T", session: .id, buyer: "TSO", role: "tso",
        direction: $d, start, "end": .end, p_w: $p, price_limit_eur_mwh: 300}' session.jsonl >tso.jsonl
}

clean() {
    "$ROOT/pipelines/clear-clean" --rounds 12 g.json "$id" out session.jsonl pod.jsonl baseline.jsonl offer.jsonl tso.jsonl
}

@test "a ring: what overloads it is found, limited and cleared again, until nothing is cut" {
    jq 'del(.branches[].closed)' "$ROOT/samples/cigre-mv.json" >ring.json
    market ring.json 4000000 20000000 down
    clean 2>log
    grep -q "round 1: .* awards, [1-9]" log
    grep -q '"branch":"L' out/limits.jsonl
    pof-clear -q -g g.json --report report --served served session.jsonl offer.jsonl tso.jsonl out/limits.jsonl >awards
    cmp awards out/awards.jsonl
    jq -e '.gap_ppm <= 100 and .cost_eur >= .bound_eur' report
    run -0 pof-verify -q -g g.json session.jsonl offer.jsonl tso.jsonl out/limits.jsonl awards served report
    [[ $output == "feasible; how near"* ]]
    # The same bytes, shuffled and with threads.
    cat session.jsonl offer.jsonl tso.jsonl out/limits.jsonl | shuf --random-source=<(yes 3) |
        pof-clear -q -g g.json --threads 2 | cmp - awards
}

@test "a published meshed grid: no thermal limit is violated after clearing again" {
    [ -n "$POF_DATA" ] || skip "no POF_DATA"
    market "$POF_DATA/grids/matpower/case30.m" 20000000 150000000 up
    clean 2>log
    grep -q "round 1: .* awards, [1-9]" log
    run -0 pof-validate -q -g g.json session.jsonl pod.jsonl baseline.jsonl out/awards.jsonl
    not grep -q curtail <<<"$output"
}

@test "without limits in loops, prices prove the result on a meshed grid, too" {
    jq 'del(.branches[].closed)' "$ROOT/samples/cigre-mv.json" >ring.json
    market ring.json 4000000 20000000 down
    echo '{"schema":"pof.limit/1","branch":"T0-12","start":"'"$start"'","duration_s":900,"p_up_w":0,"p_down_w":100000}' >limit
    run -2 pof-clear -q -g g.json session.jsonl offer.jsonl tso.jsonl limit --prices prices
    pof-clear -q -g g.json --prices prices --served served --price uniform session.jsonl offer.jsonl tso.jsonl >awards
    run -0 pof-verify -q -g g.json --price uniform session.jsonl offer.jsonl tso.jsonl awards prices served
    [ "$output" = optimal ]
}
