# SPDX-License-Identifier: Apache-2.0
# pof-gate: what came in, let into a session once; and what is left of offers, session after session.
load ../helper
bats_require_minimum_version 1.5.0

setup() {
    cd "$BATS_TEST_TMPDIR"
    cp "$ROOT"/test/golden/pof-gate/orders/in.orders.jsonl .
}

@test "help, standard input, -o, a full disk, a closed pipe" {
    pof-gate --help | grep -q 'let orders into a session'
    pof-gate -q <in.orders.jsonl >by-input
    pof-gate -q -o by-name in.orders.jsonl
    cmp by-input by-name
    run bash -c 'pof-gate -q in.orders.jsonl >/dev/full'
    [ "$status" = 74 ]
    run bash -o pipefail -c 'pof-gate -q in.orders.jsonl | :'
    [ "$status" = 0 ] || [ "$status" = 141 ]
}

@test "every order is let in or refused, and none twice" {
    pof-gate -q --refused refused in.orders.jsonl >orders
    jq -r 'select(.schema == "pof.offer/1" or .session == "S2" and .schema == "pof.request/1") | .id' in.orders.jsonl | sort >all
    { jq -r .id orders; jq -r .id refused; } | sort | cmp - all
    jq -r '.schema + .id' orders | sort | uniq -d | cmp - /dev/null
}

@test "any order of lines gives the same" {
    pof-gate -q --refused refused in.orders.jsonl >orders
    for seed in 1 2 3 4 5; do
        shuf --random-source=<(yes $seed) in.orders.jsonl >shuffled
        pof-gate -q -f --refused refused2 shuffled | cmp - orders
        cmp refused refused2
    done
}

@test "what is left of an offer is in the next session until it is revoked or replaced" {
    offer='{"schema":"pof.offer/1","id":"o","session":"S1","seller":"hera","pod":"P","node":"N3","direction":"up","start":"2026-03-10T10:00:00Z","end":"2026-03-10T11:00:00Z","p_w":100,"price_eur_mwh":40,"received":"2026-03-10T06:00:00Z"}'
    times='"clear_by":"2026-03-10T09:15:00Z","validate_by":"2026-03-10T09:30:00Z","final_by":"2026-03-10T09:45:00Z","start":"2026-03-10T10:00:00Z","end":"2026-03-10T11:00:00Z"'
    for k in 1 2; do
        echo "{\"schema\":\"pof.session/1\",\"id\":\"S$k\",\"kind\":\"real_time\",\"day\":\"2026-03-10\",\"opens\":\"2026-03-10T0$((4 + k)):00:00Z\",\"gate\":\"2026-03-10T0$((6 + k)):00:00Z\",$times}" >s$k
        echo "{\"schema\":\"pof.request/1\",\"id\":\"r\",\"session\":\"S$k\",\"buyer\":\"TSO\",\"role\":\"tso\",\"direction\":\"up\",\"start\":\"2026-03-10T10:15:00Z\",\"end\":\"2026-03-10T10:30:00Z\",\"p_w\":60}" >r$k
    done
    echo "$offer" >offers
    pof-gate -q s1 offers r1 >in1
    pof-clear -q -g "$ROOT/samples/cigre-mv.json" s1 in1 >awards
    grep pof.offer in1 >offers1
    pof-outcome -q --accept-missing --carry carried awards offers1 >/dev/null
    [ "$(jq .p_w carried | tr '\n' ' ')" = "100 40 100 " ]

    pof-gate -q s2 carried r2 >in2
    pof-clear -q -g "$ROOT/samples/cigre-mv.json" s2 in2 | jq -e '.p_w == 40' >/dev/null

    echo '{"schema":"pof.revocation/1","order":"offer","id":"o","party":"hera","received":"2026-03-10T07:30:00Z"}' >gone
    pof-gate -q s2 carried gone r2 >in3
    pof-clear -q -g "$ROOT/samples/cigre-mv.json" s2 in3 | cmp - /dev/null

    sed 's/"p_w":100/"p_w":30/; s/T06:00:00Z"}/T07:30:00Z","revision":2}/' offers >less
    pof-gate -q s2 carried less r2 >in4
    pof-clear -q -g "$ROOT/samples/cigre-mv.json" s2 in4 | jq -e '.p_w == 30' >/dev/null
}
