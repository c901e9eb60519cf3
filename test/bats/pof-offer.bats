# SPDX-License-Identifier: Apache-2.0
bats_require_minimum_version 1.5.0
load ../helper

setup() {
    cd "$BATS_TEST_TMPDIR"
    GRID=$ROOT/samples/cigre-mv.json
    pof-session --day 2026-03-10 --zone CET >sessions.jsonl
    pof-sim --make pods --grid "$GRID" --pods 60 >pods.jsonl
    pof-sim --make pricerules --grid "$GRID" --pods 60 >pricerules.jsonl
    pof-sim --make baselines --grid "$GRID" --pods 60 --day 2026-03-10 >baselines.jsonl
    market="sessions.jsonl pods.jsonl baselines.jsonl pricerules.jsonl"
}

@test "records in any order, from files or standard input: the same bytes" {
    pof-offer -q -s 2026-03-10-DA $market >want
    [ -s want ]
    sort -r $market | pof-offer -q -s 2026-03-10-DA >got
    cmp want got
}

@test "the offers of all aggregators are the offers" {
    pof-offer -q -s 2026-03-10-DA $market | sort >want
    for a in $(jq -r .aggregator pods.jsonl | sort -u); do
        pof-offer -q -s 2026-03-10-DA --aggregator "$a" $market
    done | sort >got
    cmp want got
}

@test "an offer lies in the window, within registration, with an id of its own" {
    pof-offer -q -s 2026-03-10-RT3 $market >offers.jsonl
    jq -e -s --slurpfile pods pods.jsonl '($pods | map({key: .pod, value: .}) | from_entries) as $p |
        length > 0 and (map(.id) | unique | length) == length and all(.[];
            .start >= "2026-03-10T07:00:00Z" and .end <= "2026-03-10T11:00:00Z" and .start < .end and
            .p_w <= (if .direction == "up" then $p[.pod].p_up_max_w else $p[.pod].p_down_max_w end))' \
        offers.jsonl
}

@test "what earlier outcomes took is not offered again" {
    pof-offer -q -s 2026-03-10-RT3 $market >first.jsonl
    # Everything offered is taken.
    jq -c '. as $o | range(($o.start | fromdate); ($o.end | fromdate); 900) |
        {schema: "pof.outcome/1", award: "\($o.id)-\(.)", session: "2026-03-10-DA", request: "r", offer: $o.id,
         pod: $o.pod, node: $o.node, buyer: "DSO", role: "dso", seller: $o.seller, direction: $o.direction,
         start: (. | todate), duration_s: 900, p_awarded_w: $o.p_w, p_w: $o.p_w, price_eur_mwh: 1,
         decision: "accept"}' first.jsonl >outcomes.jsonl
    pof-offer -q -s 2026-03-10-RT3 $market outcomes.jsonl >second.jsonl
    [ -s first.jsonl ]
    [ ! -s second.jsonl ]
}

@test "offers are written as CSV and JSON alike" {
    pof-offer -q -s 2026-03-10-RT3 --format csv $market >offers.csv
    head -n 1 offers.csv | grep -q "^id,session,seller,pod,node,direction,start,end,p_w,price_eur_mwh"
    [ "$(($(wc -l <offers.csv) - 1))" = "$(pof-offer -q -s 2026-03-10-RT3 $market | wc -l)" ]
}

@test "before the session opens and from its gate on nothing is offered, status 1" {
    gate=$(jq -r 'select(.id == "2026-03-10-RT3").gate' sessions.jsonl)
    opens=$(jq -r 'select(.id == "2026-03-10-RT3").opens' sessions.jsonl)
    run -1 pof-offer -q -s 2026-03-10-RT3 --received "$gate" -o offers.jsonl $market
    [[ "$output" == *"closed its gate at $gate"* ]]
    [ ! -s offers.jsonl ]
    pof-offer -q -s 2026-03-10-RT3 --received "$opens" $market | head -n 1 | grep -q "\"received\":\"$opens\""
}

@test "a pod without a price is counted, and with --strict status 1" {
    run -0 pof-offer -s 2026-03-10-DA sessions.jsonl pods.jsonl baselines.jsonl
    [[ "$output" == *"no price rule fits"* ]]
    run -1 pof-offer --strict -s 2026-03-10-DA sessions.jsonl pods.jsonl baselines.jsonl
}
