# SPDX-License-Identifier: Apache-2.0
load ../helper
bats_require_minimum_version 1.5.0

setup() {
    cd "$BATS_TEST_TMPDIR"
    to=(--recipient agr.example --area ea1.2026-11.dso.example --zone Europe/Rome --now 2026-03-09T10:00:00Z)
}

# Offers of blocks, groups and single quarter-hours, requests of all areas: what UFTP can say in full.
market() {
    jq -cn 'def t($q): 1773100800 + 900 * $q | todate;
        (range(0; 40) as $i | {schema: "pof.request/1", id: "r\($i)", session: "S", buyer: "dso.example", role: "dso",
            direction: (["up", "down"][$i % 2]), start: t($i), end: t($i + 1 + $i % 7), p_w: (1000 + 37 * $i)} +
            [{branch: "b\($i)"}, {node: "n\($i)"}, {}][$i % 3]),
        (range(0; 60) as $i | {schema: "pof.offer/1", id: "o\($i)", session: "S", seller: "agr.example", pod: "p\($i % 6 / 3 | floor)-\($i / 6 | floor)", node: "n\($i / 6 | floor)",
            direction: (["up", "down"][$i % 2]), start: t($i % 3 + 4), end: t($i % 3 + 5), p_w: (400 * (1 + $i % 3)), price_eur_mwh: (10 * ($i % 6 / 3 | floor) + 20)} +
            (if $i % 6 < 3 then {block: "B\($i / 6 | floor)"} else {min_w: (100 * (1 + $i % 3)), group: "G\($i / 6 | floor)"} end))'
}

# A record without what a message gives another name or does not carry.
bare='del(.id, .received) | if .block then .block = (.block | sub(".*/"; "")) else . end | if .group then .group = true else . end'

@test "records become messages and records again" {
    mkdir m
    market >records
    pof-uftp -q --into m "${to[@]}" records
    run -0 pof-uftp --check m/*.xml
    [[ "$output" == *"0 messages with a violation"* ]]
    pof-uftp -q --session S m/*.xml >again
    jq -cS "$bare" records | sort >a
    jq -cS "$bare" again | sort >b
    diff a b
    [ "$(jq -r 'select(.group) | .group' again | sort -u | wc -l)" = 10 ]
}

@test "order of input changes nothing, time only the TimeStamp" {
    mkdir a b c
    market >records
    pof-uftp -q --into a "${to[@]}" records
    shuf --random-source=<(yes) records | pof-uftp -q --into b "${to[@]}"
    diff -r a b
    pof-uftp -q --into c --recipient agr.example --area ea1.2026-11.dso.example --zone Europe/Rome --now 2026-03-09T11:00:00Z records
    [ "$(ls a)" = "$(ls c)" ]
    sed -i 's/T11:00:00Z/T10:00:00Z/' c/*
    diff -r a c
}

@test "days of 92 and 100 quarter-hours" {
    mkdir m
    for day in 2026-03-29 2026-10-25; do
        pof-session --day $day --zone CET | jq -c 'select(.kind == "day_ahead") | {schema: "pof.request/1", id: "all", session: .id, buyer: "dso.example", role: "dso", direction: "up", start: .start, "end": .end, p_w: 5}'
    done >r
    pof-uftp -q --into m "${to[@]}" r
    grep -ho 'Duration="[0-9]*"/>' m/*.xml | sort | tr '\n' ' ' | grep -x 'Duration="100"/> Duration="92"/> '
    pof-uftp -q --session S m/*.xml | jq -c '[.start, .end]' | sort >x
    jq -c '[.start, .end]' r | sort | cmp - x
    run -65 pof-uftp --check <(sed 's/Duration="92"/Duration="93"/' "$(grep -l 2026-03-29 m/*.xml)")
    [[ "$output" == *"which has 92"* ]]
}

@test "standard input, -o, CSV, a full disk" {
    pof-uftp -q --session S "$ROOT/samples/uftp/FlexOffer.xml" >x
    pof-uftp -q --session S <"$ROOT/samples/uftp/FlexOffer.xml" | cmp - x
    pof-uftp -q --session S -o y "$ROOT/samples/uftp/FlexOffer.xml"
    cmp x y
    pof-uftp -q --session S --format csv "$ROOT/samples/uftp/FlexOffer.xml" | head -n 1 | grep -q '^id,session,seller'
    run -74 sh -c 'pof-uftp -q --session S "$ROOT/samples/uftp/FlexOffer.xml" >/dev/full'
}

@test "offers that do not fit a message are refused by name" {
    mkdir m
    o() { jq -cn --arg p "$1" --arg s "$2" --arg e "$3" '{schema: "pof.offer/1", id: ("o" + $p), session: "S", seller: "agr.example", pod: $p, node: "n", direction: "up", start: $s, end: $e, p_w: 5, price_eur_mwh: 5, block: "b"}'; }
    { o p 2026-03-10T10:00:00Z 2026-03-10T10:15:00Z; o q 2026-03-10T10:15:00Z 2026-03-10T10:30:00Z; } >two
    run -65 pof-uftp --into m "${to[@]}" two
    [[ "$output" == *"does not fit one FlexOffer"* ]]
    { o p 2026-03-10T10:00:00Z 2026-03-10T10:15:00Z; o p 2026-03-10T10:00:00Z 2026-03-10T10:15:00Z; } >twice
    run -65 pof-uftp --into m "${to[@]}" twice
    [[ "$output" == *"are for the same time"* ]]
    o p 2026-03-10T22:45:00Z 2026-03-10T23:15:00Z >night
    run -65 pof-uftp --into m "${to[@]}" night
    [ -z "$(ls m)" ]
}

@test "what is missing or wrong in the call" {
    run -2 pof-uftp "$ROOT/samples/uftp/FlexOffer.xml"
    run -2 pof-uftp --into . r
    run -2 pof-uftp --into . --recipient Agr --area ea1.2026-11.dso.example r
    run -2 pof-uftp --into . --recipient agr.example --area dso r
    run -2 pof-uftp --into . "${to[@]:0:4}" --zone UTC r
    market | sed 's/dso.example/DSO/' | head -n 1 >r
    run -2 pof-uftp --into . "${to[@]}" r
    [[ "$output" == *"name one by --sender"* ]]
    pof-uftp -q --into . "${to[@]}" --sender dso.example r
}

@test "a settlement becomes a FlexSettlement whose amounts add up" {
    mkdir m
    cd "$ROOT/samples/usef"
    pof-settle -q terms.json outcomes.jsonl baselines.jsonl measurements.jsonl >"$OLDPWD/s"
    cd "$OLDPWD"
    pof-uftp --sender dso.example --into m "${to[@]}" s
    run -0 pof-uftp --check m/FlexSettlement-*.xml
    [[ "$output" == *"1 FlexSettlement; 0 messages with a violation"* ]]
    net() { grep -ho 'NetSettlement="[^"]*"' m/*.xml | sed 's/[^0-9.-]//g'; }
    [ "$(net | tr '\n' ' ')" = "14 14 -4 -22 -33 " ]
    # Amounts of a third of 1e-4 EUR: none is whole, their sum is.
    jq -c 'range(0; 9) as $i | .award = "a\($i)" | .fee_eur = 1.000033 | .penalty_eur = 0.100067 | .net_eur = 0.899966' <(head -n 1 s) >t
    rm m/*
    pof-uftp -q --sender dso.example --into m "${to[@]}" t
    [ "$(net | jq -s 'map(. * 10000 | round) | add')" = 80997 ]
    [ "$(grep -ho ' Price="[^"]*"' m/*.xml | sed 's/[^0-9.-]//g' | jq -s 'map(. * 10000 | round) | add')" = 90003 ]
    pof-uftp -q --check m/*.xml
}
