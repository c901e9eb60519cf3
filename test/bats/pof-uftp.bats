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
    run -65 pof-uftp --into m "${to[@]}" <(o p 2026-03-10T10:00:00Z 2026-03-10T10:15:00Z | jq -c '.max_active_s = 1800')
    [[ "$output" == *"has max_active_s"* ]]
    run -65 pof-uftp --into m "${to[@]}" <(market | head -n 1 | jq -c 'del(.branch) | .nodes = "a b"')
    [[ "$output" == *"not a list of nodes"* ]]
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
    # Read again: the same settlements but for what a message does not say.
    pof-uftp -q --session 2026-03-10-DA --zone Europe/Rome m/*.xml >back
    cmp <(jq -cS 'del(.buyer, .seller, .terms, .tokens)' s | sort) <(jq -cS 'del(.buyer, .seller, .tokens)' back | sort)
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

# Awards of parts of offers, all in one session: awards OFFERS MESSAGE-SHARE
awards() {
    jq -c '(.start | fromdate) as $s | range($s; .end | fromdate; 900) as $t | {schema: "pof.award/1",
        id: "S:\(.id):\($t | strftime("%Y%m%dT%H%MZ"))", session, request: "r", offer: .id, pod, node, buyer: "dso.example",
        role: "dso", seller, direction, start: ($t | todate), duration_s: 900, p_w: (if .min_w then (.p_w / 2 | ceil) else .p_w end),
        offer_price_eur_mwh: .price_eur_mwh, price_eur_mwh, why: "request"}' "$@"
}

@test "awards become FlexOrders and awards again; what does not fit an order is refused by name" {
    mkdir o m
    market | grep offer >made
    pof-uftp -q --into o --recipient dso.example --area ea1.2026-11.dso.example --zone Europe/Rome --now 2026-03-09T10:00:00Z made
    pof-uftp -q --session S o/*.xml >offers
    awards offers >awards
    run -0 pof-uftp --into m "${to[@]}" --offers offers <(shuf --random-source=<(yes) awards)
    [[ "$output" == *" 40 FlexOrder, 0 FlexSettlement; 0 messages"* ]]
    run -0 pof-uftp --check m/*.xml
    [[ "$output" == *" 40 FlexOrder, 0 FlexSettlement; 0 messages with a violation"* ]]
    pof-uftp -q --session S --offers offers m/*.xml >again
    # Half of an option costs half: to 1e-4 EUR, which is 2 EUR/MWh of the smallest.
    cmp <(jq -cS 'del(.request, .price_eur_mwh)' awards | sort) <(jq -cS 'del(.request, .price_eur_mwh)' again | sort)
    jq -es 'all(.[]; (.price_eur_mwh - .offer_price_eur_mwh) * .p_w * 900 / 3.6e9 | fabs <= 0.000051)' again
    # Twice as much as the offers have, and orders of what is not known.
    run -65 pof-uftp --into m "${to[@]}" --offers offers awards <(sed 's/Z",/Z:2",/; s/"id":"S:/"id":"T:/' awards)
    [[ "$output" == *"awards take "* ]]
    run -65 pof-uftp --into m "${to[@]}" --offers <(tail -n +2 offers) awards
    [[ "$output" == *"is not among those of --offers"* ]]
    run -65 pof-uftp --session S --offers <(sort offers | head -n 3) m/*.xml
    [[ "$output" == *"is known for that time"* ]]
    run -65 pof-uftp --session S --offers offers <(sed 's/Power="/&9/' "$(ls m/*.xml | head -n 1)")
    [[ "$output" == *" W are ordered, "* ]]
    run -65 pof-uftp --into m "${to[@]}" --offers made <(awards made)
    [[ "$output" == *"did not come by a FlexOffer"* ]]
}

@test "outcomes order what is left, settlements name the order" {
    mkdir m
    pof-uftp -q --session S "$ROOT/samples/uftp/FlexOffer.xml" >offers
    awards offers | jq -c 'select(.offer | test("/b/")) | {schema: "pof.outcome/1", award: .id, session, request, offer, pod, node, buyer, role,
        seller, direction, start, duration_s, p_awarded_w: .p_w, p_w: (if .direction == "up" then 1000 else 0 end), price_eur_mwh, decision: "curtail"}' >outcomes
    run -0 pof-uftp --into m "${to[@]}" --offers offers outcomes
    [[ "$output" == *"1 orders are not the same part"* ]]
    [[ "$output" == *"1 orders are for less than the least part"* ]]
    [[ "$output" == *"1 outcomes have no power left"* ]]
    [ "$(grep -c '<ISP Power="-1000"' m/*.xml)" = 2 ]
    jq -c '{schema: "pof.settlement/1", award, session, pod, buyer, seller, direction, start, duration_s, baseline_w: 5, measured_w: 5,
        ordered_w: .p_w, delivered_w: 0, deficiency_w: .p_w, fee_eur: 1, penalty_eur: 0, net_eur: 1, tokens: 0}' outcomes | pof-uftp -q --into m "${to[@]}" -
    [ "$(grep -ho 'OrderReference="[^"]*"' m/*.xml | sort | uniq -c | awk '{print $1}')" = 4 ]
    # An order of several ISPs is divided by what each delivered.
    sed 's|\( *\)<ISP Start="73".*|&\n\1<ISP Start="74" BaselinePower="5" OrderedFlexPower="-7" ActualPower="5" DeliveredFlexPower="-333333"/>|' \
        "$ROOT/test/golden/pof-uftp/checked/in.settlement.xml" >one.xml
    run -0 --separate-stderr pof-uftp --session S --zone Europe/Rome one.xml
    [ "$(echo "$output" | jq -c '[.award, .direction, .fee_eur, .penalty_eur]' | tr '\n' ' ')" = \
        '["o-1/73","down",10.500003,11] ["o-1/74","up",3.499997,0] ' ]
    [[ "$stderr" == *"1 contracts are settled"* ]]
}

@test "a FlexOffer is revoked as a whole" {
    mkdir m
    pof-uftp -q --session S "$ROOT/samples/uftp/FlexOffer.xml" >offers
    jq -c '{schema: "pof.revocation/1", order: "offer", id, party: .seller, received: "2026-03-09T10:00:00Z"}' offers >revoked
    pof-uftp -q --into m "${to[@]}" --offers offers revoked
    [ "$(ls m | wc -l)" = 1 ]
    pof-uftp -q --session S --offers offers m/*.xml | cmp - revoked
    run -65 pof-uftp --into m "${to[@]}" --offers offers <(head -n 2 revoked)
    [[ "$output" == *"2 of 4 offers of FlexOffer"* ]]
    run -65 pof-uftp --session S --offers /dev/null m/*.xml
    [[ "$output" == *"no offer of '11111111-2222-4333-8444-555555555555' is known"* ]]
    run -0 pof-uftp --into m "${to[@]}" <(head -n 1 revoked | sed 's/"order":"offer"/"order":"request"/')
    [[ "$output" == *"1 revocations are of requests"* ]]
}
