# SPDX-License-Identifier: Apache-2.0
load ../helper
bats_require_minimum_version 1.5.0

setup() {
    cd "$BATS_TEST_TMPDIR"
    to=(--write --receiver 10X1001A1001A264 --domain 10YFI-1--------U --now 2026-03-09T10:00:00Z)
}

# Offers alone, in blocks of two and in groups, in both directions, and the pods they are at.
market() {
    jq -cn --argjson n "$1" 'def t($q): 1773100800 + 900 * $q | todate;
        range(0; $n) as $i | ($i / 6 | floor) as $g | {schema: "pof.offer/1", id: "o\($i)", session: "S",
            seller: "26XAGR-EXAMPLE-1", pod: "p\($g)", node: "n\($g)", direction: (["up", "down"][$g % 2]),
            start: t($i % 3 + 4), end: t($i % 3 + 5 + (if $i % 6 == 5 then 3 else 0 end)), p_w: (400 * (1 + $i % 3)), price_eur_mwh: (20.5 + $i % 7)} +
            (if $i % 6 < 3 then {block: "B\($g)"} else {min_w: (100 * (1 + $i % 3)), group: "G\($g)"} end) +
            {received: "2026-03-09T10:00:00Z", revision: 3, lead_s: 750}'
}
pods() { jq -c '{schema: "pof.pod/1", pod, node, aggregator: "A", kind: "other", p_up_max_w: 1, p_down_max_w: 1}' "$1" | sort -u; }

@test "offers become a document and the same offers again, byte for byte but for the names within blocks" {
    market 120 >offers
    pods offers >pods
    pof-reservebid -q "${to[@]}" offers >d.xml
    shuf --random-source=<(yes) offers | pof-reservebid -q "${to[@]}" | cmp - d.xml
    run -0 pof-reservebid --check d.xml
    [[ "$output" == *"80 bids, 0 of them withdrawn; 0 with a violation"* ]]
    pof-reservebid -q --session S --pods pods d.xml >again
    cmp <(grep -v '"block"' offers | sort) <(grep -v '"block"' again | sort)
    diff <(jq -cS 'del(.id)' offers | sort) <(jq -cS 'del(.id)' again | sort)
}

@test "a document of any length is read in little memory, a bid at a time" {
    market 6 | grep '"o5"' | pof-reservebid -q "${to[@]}" >d.xml
    { sed '/<Bid_TimeSeries>/,$d' d.xml
      sed -n '/<Bid_TimeSeries>/,/<\/Bid_TimeSeries>/p' d.xml >bid
      yes "$(cat bid)" | head -n $((30000 * $(wc -l <bid)))
      echo "</ReserveBid_MarketDocument>"; } >long.xml
    [ "$(wc -c <long.xml)" -gt 40000000 ]
    case $POF_BIN in *asan*) skip "the sanitizers set aside terabytes of address space" ;; esac
    run -0 bash -c 'ulimit -v 60000; pof-reservebid --check long.xml'
    [[ "$output" == *"30000 bids, 0 of them withdrawn; 0 with a violation"* ]]
}

@test "entities are refused, and a tag that never ends" {
    run -65 pof-reservebid --check "$ROOT/test/golden/pof-reservebid/malformed/in.2.xml"
    [[ "$output" == *"document type declaration is not accepted"* ]]
    run -65 bash -c '{ printf "<x "; head -c 9000000 /dev/zero | tr "\0" a; } | pof-reservebid --check'
    [[ "$output" == *"a tag or comment has more than 4194304 bytes"* ]]
}

@test "what does not fit a document is refused by name" {
    market 12 >offers
    change() { jq -c "if .id == \"$1\" then $2 else . end" offers; }
    while IFS='|' read -r id change want; do
        run -65 pof-reservebid "${to[@]}" <(change "$id" "$change")
        [[ "$output" == *"$want"* ]]
    done <<'END'
o3|.parent = "o1"|'o3' has parent, which
o3|.max_active_s = 1800|'o3' has max_active_s, which
o3|.seller = "26XAGGREGATOR-1W"|is of another seller
o3|.revision = 4|is of another seller, session or revision
o3|.id = "x" * 61|more than the 60 bytes
o3|.start = "2026-03-10T01:00:01Z"|'o3' is not for whole quarter-hours
o3|.id = "o4"|'o4' is given twice
o2|.pod = "elsewhere"|'o2' has another pod
o2|.start = "2026-03-10T01:15:00Z"|its block has another offer
END
    run -65 pof-reservebid "${to[@]}" /dev/null
    [[ "$output" == *"no offers"* ]]
}

@test "standard input, -o, CSV, a full disk, and what is missing or wrong in the call" {
    s=$ROOT/samples/reservebid.xml
    pof-reservebid -q --session S "$s" >x
    pof-reservebid -q --session S -o y <"$s"
    cmp x y
    pof-reservebid -q --session S --format csv "$s" | head -n 1 | grep -q '^id,session,seller'
    run -74 sh -c 'pof-reservebid -q --session S "$ROOT/samples/reservebid.xml" >/dev/full'
    run -2 pof-reservebid "$s"
    run -2 pof-reservebid --write x
    run -2 pof-reservebid "${to[@]}" --receiver 10X1001A1001A265 x
    run -2 pof-reservebid "${to[@]}" --process a x
    market 1 | sed 's/26XAGR-EXAMPLE-1/AGR/' >agr
    run -2 pof-reservebid "${to[@]}" agr
    [[ "$output" == *"seller 'AGR' is not a code of the scheme A01"* ]]
    pof-reservebid -q "${to[@]}" --scheme NIT agr >/dev/null
}
