# SPDX-License-Identifier: Apache-2.0
load ../helper
bats_require_minimum_version 1.5.0

setup() {
    cd "$BATS_TEST_TMPDIR"
    of=(--session S --party P)
}

# Offers and requests of all areas: what UMEI can say in full.
market() {
    jq -cn 'def t($q): 1773100800 + 900 * $q | todate;
        (range(0; 40) as $i | {schema: "pof.offer/1", id: "o\($i)", session: "S", seller: "P", pod: "p\($i)", node: "n\($i % 7)",
            direction: (["up", "down"][$i % 2]), start: t($i), end: t($i + 1 + $i % 7), p_w: (1 + 123457 * $i), price_eur_mwh: ($i + 1.5)} +
            (if $i % 3 == 0 then {min_w: 1} else {} end)),
        (range(0; 40) as $i | {schema: "pof.request/1", id: "r\($i)", session: "S", buyer: "P", role: "tso"} +
            [{branch: "b\($i)"}, {node: "n \"\($i)\" \\"}, {}][$i % 3] +
            {direction: (["up", "down"][$i % 2]), start: t($i), end: t($i + 1 + $i % 7), p_w: (1000 + 37 * $i), price_limit_eur_mwh: $i})'
}

@test "records become orders and the same records again, byte for byte, in any order of input" {
    market >made
    pof-umei -q --write "${of[@]}" --market M made >orders
    shuf --random-source=<(yes) made | pof-umei -q --write "${of[@]}" --market M | cmp - orders
    run -0 pof-umei --check --market M orders
    [[ "$output" == *"40 sell orders, 40 buy orders; 0 with a violation" ]]
    pof-umei -q --role tso "${of[@]}" orders | jq -cS . | sort >b
    jq -cS . made | sort | cmp - b
    pof-umei -q --role tso "${of[@]}" orders | pof-umei -q --write "${of[@]}" --market M | cmp - orders
}

@test "what an order cannot say is refused by name" {
    for field in block group parent; do
        run -65 pof-umei --write "${of[@]}" --market M <(market | head -n 1 | jq -c ".$field = \"x\"")
        [[ "$output" == *"offer 'o0' "*"which an order of UMEI cannot say"* ]]
    done
    market | head -n 1 | jq -c '.lead_s = 60' >lead
    run -65 pof-umei --write "${of[@]}" --market M lead
    [[ "$output" == *"has lead_s, which"* ]]
    run -65 pof-umei --write "${of[@]}" --market M <(market | head -n 1 | jq -c '.max_active_s = 1800')
    [[ "$output" == *"has max_active_s, which"* ]]
    run -65 pof-umei --write "${of[@]}" --market M <(market | tail -n 1 | jq -c 'del(.branch, .node) | .nodes = "a b"')
    [[ "$output" == *"has nodes, which"* ]]
    market | tail -n 1 | jq -c 'del(.price_limit_eur_mwh)' >open
    run -65 pof-umei --write "${of[@]}" --market M open
    [[ "$output" == *"'r39' has no price limit"* ]]
    run -65 pof-umei --write "${of[@]}" --market M <(market | head -n 1; market | head -n 1)
    [[ "$output" == *"two orders have the id 'o0'"* ]]
}

@test "standard input, -o, CSV, a full disk, and what is missing in the call" {
    s=$ROOT/samples/umei.json
    pof-umei -q "${of[@]}" "$s" >x
    pof-umei -q "${of[@]}" -o y <"$s"
    cmp x y
    pof-umei -q "${of[@]}" --format csv "$s" | head -n 1 | grep -q '^id,session,seller'
    run -74 sh -c 'pof-umei -q --session S --party P "$ROOT/samples/umei.json" >/dev/full'
    run -2 pof-umei "$s"
    run -2 pof-umei --session S "$s"
    run -2 pof-umei --write "${of[@]}" x
    run -65 pof-umei --check <(echo '{"items": 5}')
    run -65 pof-umei --check <(echo '[')
}
