# SPDX-License-Identifier: Apache-2.0
# pof-verify: what pof-clear makes is verified; what is changed in it is not.
load ../helper
bats_require_minimum_version 1.5.0

setup() {
    cd "$BATS_TEST_TMPDIR"
    grid=$ROOT/samples/cigre-mv.json
}

# market SEED OFFERS QUARTERS: a random market of both directions with nested requests and limits,
# few prices (many ties, some at 0 and at ceilings).
market() {
    awk -v seed="$1" -v n="$2" -v nq="$3" 'BEGIN {
        srand(seed)
        split("12:00 12:15 12:30 12:45 13:00 13:15 13:30 13:45 14:00", t, " ")
        printf "{\"schema\":\"pof.session/1\",\"id\":\"S\",\"kind\":\"day_ahead\",\"day\":\"2026-03-10\",\"opens\":\"2026-03-09T12:30:00Z\",\"gate\":\"2026-03-09T15:00:00Z\",\"clear_by\":\"2026-03-09T16:00:00Z\",\"validate_by\":\"2026-03-09T16:30:00Z\",\"final_by\":\"2026-03-09T17:00:00Z\",\"start\":\"2026-03-10T12:00:00Z\",\"end\":\"2026-03-10T%s:00Z\"}\n", t[nq + 1]
        for (i = 0; i < n; i++) {
            a = 1 + int(rand() * nq); b = a + 1 + int(rand() * (nq + 1 - a))
            got = rand() < 0.3 ? sprintf(",\"received\":\"2026-03-09T14:%02d:00Z\"", int(rand() * 60)) : ""
            printf "{\"schema\":\"pof.offer/1\",\"id\":\"o%d\",\"session\":\"S\",\"seller\":\"s%d\",\"pod\":\"p%d\",\"node\":\"N%d\",\"direction\":\"%s\",\"start\":\"2026-03-10T%s:00Z\",\"end\":\"2026-03-10T%s:00Z\",\"p_w\":%d,\"price_eur_mwh\":%d%s}\n", i, i % 3, i, 1 + int(rand() * 14), rand() < 0.5 ? "up" : "down", t[a], t[b], 1 + int(rand() * 90), 20 * int(rand() * 6), got
        }
        split("L3-4 L9-10 L3-8 T0-12 L1-2 L4-5", area, " ")
        nr = 1 + int(rand() * n / 3)
        for (i = 0; i < nr; i++) {
            kind = int(rand() * 3)
            where = kind == 0 ? "" : kind == 1 ? sprintf("\"branch\":\"%s\",", area[1 + int(rand() * 6)]) : sprintf("\"node\":\"N%d\",", 1 + int(rand() * 14))
            top = rand() < 0.6 ? sprintf(",\"price_limit_eur_mwh\":%d", 20 * int(rand() * 10)) : ""
            printf "{\"schema\":\"pof.request/1\",\"id\":\"r%d\",\"session\":\"S\",\"buyer\":\"B%d\",\"role\":\"%s\",%s\"direction\":\"%s\",\"start\":\"2026-03-10T12:00:00Z\",\"end\":\"2026-03-10T%s:00Z\",\"p_w\":%d%s}\n", i, i % 2, i % 2 ? "dso" : "tso", where, rand() < 0.5 ? "up" : "down", t[2 + int(rand() * nq)], 1 + int(rand() * 200), top
        }
        for (i = 1; i <= 6; i++)
            if (rand() < 0.7)
                printf "{\"schema\":\"pof.limit/1\",\"branch\":\"%s\",\"start\":\"2026-03-10T12:00:00Z\",\"duration_s\":%d,\"p_up_w\":%d,\"p_down_w\":%d}\n", area[i], 900 * nq, int(rand() * 60), int(rand() * 60)
    }' >market.jsonl
}

# Every field of a record changed by one unit, one letter, or to the other word; one mutant a line.
mutants() {
    jq -c 'def letter: .[0:-1] + (if .[-1:] == "0" then "1" elif .[-1:] == "1" then "2" else "0" end);
        def other: {up: "down", down: "up", dso: "tso", tso: "dso", request: "counter",
            counter: "request", below: "own", own: "below"}[.];
        def micro(d): ((. * 1000000 | round) + d) / 1000000;
        def ways($k):
            if $k == "start" then fromdate | (. + 900, . - 900) | todate
            elif ($k | IN("direction", "role", "why", "scope")) then other
            elif ($k | test("_eur(_mwh)?$")) then micro(1), micro(-1)
            elif type == "number" then . + 1, . - 1
            else letter end;
        . as $r | keys_unsorted[] | select(. != "schema") as $k
        | ($r[$k] | ways($k)) as $v | $r + {($k): $v}' <<<"$1" | sed 's/1e-06/0.000001/'
}

# rules PRICE TIE SINGLE
rules() {
    printf '{"schema":"pof.rules/1","name":"of a test","price":"%s","tie":"%s"%s,"single_seller":"%s"}\n' \
        "$1" "$2" "$([ "$2" = lottery ] && echo ',"seed":"tomorrow"')" "$3" >rules
    printf '{"schema":"pof.price_zone/1","branch":"%s","zone":"%s"}\n' L3-8 ring T0-12 ring L9-10 leaf >>rules
}

clear() {
    pof-clear -q -r rules -g "$grid" --prices prices --served served --report report -o awards -f market.jsonl
}

verify() {
    pof-verify -q -r rules -g "$grid" market.jsonl "$@"
}

# refuse FILE LINE OTHER ...: no mutant of that line is verified.
refuse() {
    local mutant status
    while IFS= read -r mutant; do
        count=$((count + 1))
        status=0
        { head -n $(($2 - 1)) "$1"; echo "$mutant"; tail -n +$(($2 + 1)) "$1"; } >mutated
        verify mutated "${@:3}" >/dev/null 2>&1 || status=$?
        # 65: not even a record any more (a price below 0).
        [ "$status" = 1 ] || [ "$status" = 65 ] || { echo "status $status: $mutant"; return 1; }
    done < <(mutants "$(sed -n "$2p" "$1")")
}

@test "results of random markets are verified, by every rule" {
    seed=0
    awards=0
    for price in pay_as_bid uniform zonal nodal; do
        for tie in time lottery pro_rata; do
            seed=$((seed + 1))
            market "$seed" $((30 + seed)) $((1 + seed % 4))
            rules $price $tie $([ $((seed % 2)) = 1 ] && echo ignore || echo as_bid)
            clear
            run verify awards prices served report
            [ "$status" = 0 ] && [ "$output" = optimal ] || { echo "seed $seed: $output"; return 1; }
            awards=$((awards + $(wc -l <awards)))
        done
    done
    echo "$awards awards"
    [ "$awards" -gt 100 ]
}

@test "each field of an award, a price and a served record, changed alone, is refused, by every price rule" {
    count=0
    for price in pay_as_bid uniform zonal nodal; do
        market 12 12 2
        rules $price time as_bid
        clear
        refuse awards $((1 + ${#price} % $(wc -l <awards))) prices served
    done
    refuse prices $((1 + ${#price} % $(wc -l <prices))) awards served
    refuse served $((1 + ${#price} % $(wc -l <served))) awards prices
    echo "$count mutants"
    [ "$count" -gt 100 ]
}

@test "what a rule pays is what is paid: the same quantities at prices of another rule are refused" {
    market 12 40 2
    rules pay_as_bid time ignore
    clear
    mv awards asked
    for other in "uniform time ignore" "zonal time ignore" "nodal time ignore"; do
        rules $other
        clear
        run cmp -s asked awards
        [ "$status" = 1 ]
        verify awards prices served
        rules pay_as_bid time ignore
        run verify awards prices served
        [ "$status" = 1 ]
    done
    # One seller has all.
    sed -i 's/"seller":"s[0-9]*"/"seller":"s"/' market.jsonl
    rules uniform time as_bid
    clear
    [ "$(jq -s 'map(select(.price_eur_mwh != .offer_price_eur_mwh)) | length' awards)" = 0 ]
    verify awards prices served
    rules uniform time ignore
    run verify awards prices served
    [ "$status" = 1 ]
}

@test "one role after the other has no prices: feasible, and paid by the rule" {
    market 14 30 2
    rules uniform time ignore
    pof-clear -q -r rules --sequence dso-first -g "$grid" --served served --report report -o awards -f market.jsonl
    run pof-verify -q -r rules --sequence dso-first -g "$grid" market.jsonl awards served report
    [ "$status" = 0 ]
    [[ $output == "feasible; a sequence of roles has no prices"* ]]
    jq -c '.p_w += 1' awards >more
    run pof-verify -q -r rules --sequence dso-first -g "$grid" market.jsonl more served report
    [ "$status" = 1 ]
    rules uniform time ignore
    clear
    run pof-verify -q -r rules --sequence dso-first -g "$grid" market.jsonl awards prices served
    [ "$status" = 1 ]
    [[ $output == *"node: no price is due here"* ]]
}

@test "a record too few, or twice, is refused" {
    market 7 20 2
    rules pay_as_bid time ignore
    clear
    for f in awards prices served; do
        other=$(printf '%s\n' awards prices served | grep -vx $f)
        for i in 1 "$(wc -l <$f)"; do
            sed "${i}d" $f >fewer
            run verify fewer $other
            [ "$status" = 1 ]
            sed "${i}p" $f >more
            run verify more $other
            [ "$status" = 1 ]
        done
    done
}

@test "the refusal names file, line and field; order of lines does not matter" {
    market 91 12 2
    pof-clear -q -g "$grid" --prices prices --served served -o awards market.jsonl
    cat market.jsonl awards prices served | shuf --random-source=<(yes 5) | pof-verify -q -g "$grid"
    sed '2s/"pod":"p/"pod":"q/' awards >wrong
    run --separate-stderr pof-verify -g "$grid" market.jsonl wrong prices served
    [ "$status" = 1 ]
    [[ $stderr == *"wrong:2:pod:"*"(E401)"* ]]
    [ -z "$output" ]
}

@test "another book, ceiling or rule is noticed" {
    market 91 30 2
    pof-clear -q -p uniform -g "$grid" --prices prices --served served -o awards market.jsonl
    pof-verify -q -p uniform -g "$grid" market.jsonl awards prices served
    run pof-verify -q -g "$grid" market.jsonl awards prices served
    [ "$status" = 1 ]
    run pof-verify -q -p uniform -c 100 -g "$grid" market.jsonl awards prices served
    [ "$status" = 1 ]
    # A cheap offer that was kept from the market.
    { cat market.jsonl; jq -c 'select(.schema == "pof.offer/1") | .id = "late" | .price_eur_mwh = 1' awards market.jsonl | head -n 1; } >fuller
    run pof-verify -q -p uniform -g "$grid" fuller awards prices served
    [ "$status" = 1 ]
}

@test "prices of linear programming prove the cost" {
    market 12 40 2
    pof-clear -q --method lp -g "$grid" --prices prices --served served -o awards market.jsonl
    not grep -q tie_rank prices
    run pof-verify -g "$grid" market.jsonl awards prices served
    [ "$status" = 0 ]
    [[ $output == *"prices do not tell ties"* ]]
    run --separate-stderr pof-clear -q --sequence dso-first -g "$grid" --prices p2 market.jsonl
    [ "$status" = 2 ]
    [ ! -e p2 ]
    [[ $stderr == *"prices belong to the joint optimum"* ]]
}

# One block of two offers, one that needs it, two of a group, one with a least power; results by hand.
blocks() {
    when='"session":"S","seller":"s","pod":"p","node":"N5","direction":"up","start":"2026-03-10T12:00:00Z","end":"2026-03-10T12:30:00Z"'
    cat >book <<E
{"schema":"pof.session/1","id":"S","kind":"day_ahead","day":"2026-03-10","opens":"2026-03-09T12:30:00Z","gate":"2026-03-09T15:00:00Z","clear_by":"2026-03-09T16:00:00Z","validate_by":"2026-03-09T16:30:00Z","final_by":"2026-03-09T17:00:00Z","start":"2026-03-10T12:00:00Z","end":"2026-03-10T12:30:00Z"}
{"schema":"pof.request/1","id":"R","session":"S","buyer":"B","role":"tso","direction":"up","start":"2026-03-10T12:00:00Z","end":"2026-03-10T12:30:00Z","p_w":100}
{"schema":"pof.offer/1","id":"x","p_w":60,"price_eur_mwh":10,"block":"one",$when}
{"schema":"pof.offer/1","id":"y","p_w":20,"price_eur_mwh":10,"block":"$1",${3:+\"parent\":\"$3\",}$when}
{"schema":"pof.offer/1","id":"z","p_w":40,"price_eur_mwh":30,"min_w":$2,$when}
{"schema":"pof.offer/1","id":"g","p_w":10,"price_eur_mwh":90,"block":"three","group":"G",$when}
{"schema":"pof.offer/1","id":"h","p_w":10,"price_eur_mwh":90,"block":"two","group":"G",$when}
E
    jq -c 'select(.schema == "pof.offer/1" and (.id | IN("x", "y", "z"))) | . as $o
        | ("2026-03-10T12:00:00Z", "2026-03-10T12:15:00Z") as $t
        | {schema: "pof.award/1", id: "S:\(.id):\($t | gsub("[-:]"; "") | .[0:13] + "Z")", session, request: "R",
           offer: .id, pod, node, buyer: "B", role: "tso", seller, direction, start: $t, duration_s: 900,
           p_w: (if .id == "z" then 20 else .p_w end), offer_price_eur_mwh: .price_eur_mwh,
           price_eur_mwh, why: "request"}' book >taken
    for t in 00 15; do
        echo '{"schema":"pof.node_price/1","session":"S","node":"'"$(jq -r '.nodes[] | select(.kind == "slack") | .name' "$grid")"'","scope":"below","start":"2026-03-10T12:'$t':00Z","duration_s":900,"net_w":100,"price_eur_mwh":30,"step_eur_mwh":-30}'
    done >marks
    for t in 00 15; do
        echo '{"schema":"pof.served/1","session":"S","request":"R","start":"2026-03-10T12:'$t':00Z","duration_s":900,"asked_w":100,"met_w":100,"awarded_w":100,"counter_w":0,"paid_eur":0.00035}'
    done >got
}

@test "blocks, parents, groups and least powers are held" {
    blocks one 20
    run pof-verify -q -g "$grid" book taken marks got
    echo "$output"
    [ "$status" = 0 ]
    [ "$output" = "feasible; optimal for the chosen blocks" ]
    blocks one 21
    run pof-verify -q -g "$grid" book taken marks got
    [ "$status" = 1 ]
    [[ $output == *"min_w: less is taken"* ]]
    blocks four 20
    run pof-verify -q -g "$grid" book taken marks got
    [ "$status" = 0 ]
    blocks four 20 one
    run pof-verify -q -g "$grid" book taken marks got
    [ "$status" = 0 ]
    blocks four 20 three
    run pof-verify -q -g "$grid" book taken marks got
    [ "$status" = 1 ]
    [[ $output == *"parent: is taken without it"* ]]
    blocks one 20
    sed -i 's/"id":"z","p_w":40,"price_eur_mwh":30/"id":"z","p_w":40,"price_eur_mwh":30,"block":"one"/' book
    run pof-verify -q -g "$grid" book taken marks got
    [ "$status" = 1 ]
    [[ $output == *"block: is taken in part"* ]]
    blocks one 20
    sed -i 's/"id":"[xz]",/&"group":"H",/' book
    run pof-verify -q -g "$grid" book taken marks got
    [ "$status" = 1 ]
    [[ $output == *"group: has another one taken"* ]]
}

@test "blocks that reach beyond their request are verified, at one price under the uniform rule" {
    first='"start":"2026-03-10T12:00:00Z","end":"2026-03-10T12:15:00Z"'
    both='"start":"2026-03-10T12:00:00Z","end":"2026-03-10T12:30:00Z"'
    blocks one 20
    head -n 1 book >beyond
    cat >>beyond <<E
{"schema":"pof.request/1","id":"R","session":"S","buyer":"B","role":"tso","direction":"up",$first,"p_w":100}
{"schema":"pof.offer/1","id":"x","session":"S","seller":"s","pod":"p","node":"N5","direction":"up","p_w":60,"price_eur_mwh":10,"block":"one",$both}
{"schema":"pof.offer/1","id":"y","session":"S","seller":"s","pod":"q","node":"N6","direction":"up","p_w":40,"price_eur_mwh":20,"block":"two",$both}
E
    for rule in pay-as-bid uniform; do
        pof-clear -q -f -p $rule -g "$grid" --prices prices --served served --report report -o awards beyond
        [ "$(wc -l <awards)" = 4 ]
        run pof-verify -q -p $rule -g "$grid" beyond awards prices served report
        [ "$status" = 0 ]
        [ "$output" = "feasible; optimal for the chosen blocks" ]
        pof-audit -q --shares -g "$grid" beyond awards
    done
    [ "$(jq -s 'map(.price_eur_mwh) | unique | length' awards)" = 1 ]
    sed -i '4s/"request":"R"/"request":"Q"/' awards
    run pof-verify -q -p uniform -g "$grid" beyond awards prices served
    [ "$status" = 1 ]
}
