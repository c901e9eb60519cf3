# SPDX-License-Identifier: Apache-2.0
# Rules of a market: what pof-clear makes by them pof-verify and pof-audit confirm, and refuse by others.
load ../helper
bats_require_minimum_version 1.5.0

setup() {
    cd "$BATS_TEST_TMPDIR"
    grid=$ROOT/samples/cigre-mv.json
}

# market SEED OFFERS: two quarter-hours, both directions, nested requests, limits, few prices (ties),
# sellers by feeder, some least powers and blocks.
market() {
    awk -v seed="$1" -v n="$2" 'BEGIN {
        srand(seed)
        printf "{\"schema\":\"pof.session/1\",\"id\":\"S\",\"kind\":\"day_ahead\",\"day\":\"2026-03-10\",\"opens\":\"2026-03-09T12:30:00Z\",\"gate\":\"2026-03-09T15:00:00Z\",\"clear_by\":\"2026-03-09T16:00:00Z\",\"validate_by\":\"2026-03-09T16:30:00Z\",\"final_by\":\"2026-03-10T12:00:00Z\",\"start\":\"2026-03-10T12:00:00Z\",\"end\":\"2026-03-10T12:30:00Z\"}\n"
        for (i = 0; i < n; i++) {
            node = 1 + int(rand() * 14)
            got = rand() < 0.3 ? sprintf(",\"received\":\"2026-03-09T%02d:%02d:00Z\"", 14 + (rand() < 0.1), int(rand() * 60)) : ""
            if (rand() < 0.1) got = got sprintf(",\"lead_s\":%d", rand() < 0.3 ? 1000 : 900)
            p = 2 + int(rand() * 90)
            if (rand() < 0.1) got = got sprintf(",\"min_w\":%d", 1 + int(rand() * p))
            printf "{\"schema\":\"pof.offer/1\",\"id\":\"o%d\",\"session\":\"S\",\"seller\":\"s%d\",\"pod\":\"p%d\",\"node\":\"N%d\",\"direction\":\"%s\",\"start\":\"2026-03-10T12:00:00Z\",\"end\":\"2026-03-10T12:30:00Z\",\"p_w\":%d,\"price_eur_mwh\":%d%s}\n", i, node % 3, i, node, rand() < 0.5 ? "up" : "down", p, 20 * int(rand() * 6), got
        }
        split("L3-4 L9-10 L3-8 T0-12 L1-2 L4-5", area, " ")
        for (i = 0; i < 1 + n / 6; i++) {
            where = rand() < 0.3 ? "" : sprintf("\"branch\":\"%s\",", area[1 + int(rand() * 6)])
            p = 1 + int(rand() * 200)
            band = where == "" || rand() < 0.7 ? "" : sprintf(",\"max_w\":%d", p + int(rand() * 30))
            if (rand() < 0.5) band = band ",\"reserve_permille\":200"
            printf "{\"schema\":\"pof.request/1\",\"id\":\"r%d\",\"session\":\"S\",\"buyer\":\"B%d\",\"role\":\"%s\",%s\"direction\":\"%s\",\"start\":\"2026-03-10T12:00:00Z\",\"end\":\"2026-03-10T12:30:00Z\",\"p_w\":%d%s}\n", i, i % 2, i % 2 ? "dso" : "tso", where, rand() < 0.6 ? "up" : "down", p, band
        }
        for (i = 1; i <= 6; i++)
            if (rand() < 0.7)
                printf "{\"schema\":\"pof.limit/1\",\"branch\":\"%s\",\"start\":\"2026-03-10T12:00:00Z\",\"duration_s\":1800,\"p_up_w\":%d,\"p_down_w\":%d}\n", area[i], int(rand() * 90), int(rand() * 90)
    }' >market.jsonl
}

rules() {
    printf '{"schema":"pof.rules/1","name":"%s %s","price":"%s","tie":"%s"%s,"up_ceiling_eur_mwh":90,"single_seller":"%s"}\n' \
        "$1" "$2" "$1" "$2" "$([ "$2" = lottery ] && echo ',"seed":"tomorrow"')" "$3" >rules
    printf '{"schema":"pof.price_zone/1","branch":"%s","zone":"%s"}\n' L3-8 ring T0-12 ring L9-10 leaf >>rules
}

@test "every rule: the result is verified, and the same for shuffled input and two threads" {
    seed=0
    refused=0
    awards=0
    for tie in time pro_rata lottery; do
        for price in pay_as_bid uniform zonal nodal; do
            for single in ignore as_bid; do
                seed=$((seed + 1))
                market $seed $((20 + seed))
                rules $price $tie $single
                pof-clear -q -r rules -g "$grid" --prices prices --served served --report report --refused refused -o awards -f market.jsonl
                pof-explain -q -r rules -g "$grid" market.jsonl awards prices >why
                run pof-audit -q -r rules -g "$grid" market.jsonl awards prices why
                [ "$status" = 0 ] || { echo "audit $price $tie $single seed $seed: $output"; return 1; }
                run pof-verify -q -r rules -g "$grid" market.jsonl awards prices served report
                [ "$status" = 0 ] || { echo "$price $tie $single seed $seed: $output"; return 1; }
                shuf --random-source=<(yes) market.jsonl >shuffled
                pof-clear -q -r rules -g "$grid" --threads 2 --prices prices2 -o awards2 -f shuffled
                cmp awards awards2
                cmp prices prices2
                awards=$((awards + $(wc -l <awards)))
                refused=$((refused + $(wc -l <refused)))
            done
        done
    done
    [ "$refused" -gt 50 ]
    [ "$awards" -gt 200 ]
}

@test "what is held ready fits beside the awards, within limits and offers, and is asked for" {
    held=0
    for seed in $(seq 20 40); do
        market $seed 40
        pof-clear -q -g "$grid" --reserve reserve -o awards -f market.jsonl
        held=$((held + $(wc -l <reserve)))
        # Awards and reserves together: no offer beyond its power, no id twice.
        cat awards reserve | jq -r .id | sort | uniq -d | cmp - /dev/null
        jq -s -e '([.[] | select(.schema == "pof.offer/1") | {(.id): .p_w}] | add) as $p
            | [.[] | select(.schema == "pof.award/1")] | group_by([.offer, .start])
            | all((map(.p_w) | add) <= $p[.[0].offer])' market.jsonl awards reserve >/dev/null
        # Who has no margin has no reserve.
        jq -s -e '([.[] | select(.reserve_permille)] | map(.id)) as $r
            | [.[] | select(.why == "reserve")] | all(.request as $q | $r | index($q) != null)' market.jsonl reserve >/dev/null
    done
    [ "$held" -gt 20 ]
}

@test "a watt moved between equal offers is not verified" {
    moved=0
    for tie in time lottery; do
        for seed in 3 4 5 6 7 8; do
            market $seed 150
            rules pay_as_bid $tie ignore
            pof-clear -q -r rules -g "$grid" --prices prices --served served -o awards -f market.jsonl
            pof-verify -q -r rules -g "$grid" market.jsonl awards prices served
            # Two awards of one request, node price and quarter-hour, for request, with one ask.
            jq -s -c 'def near: [.request, .why, .start, .direction, .node, .offer_price_eur_mwh];
                . as $a | first(range(length) as $i | range(length) as $k
                    | select($i != $k and ($a[$i] | near) == ($a[$k] | near) and $a[$i].p_w > 1)
                    | [$i, $k]) as [$i, $k]
                | $a | .[$i].p_w -= 1 | .[$k].p_w += 1 | .[]' awards >mutated || true
            [ -s mutated ] || continue
            moved=$((moved + 1))
            run pof-verify -q -r rules -g "$grid" market.jsonl mutated prices served
            [ "$status" = 1 ] || { echo "$tie $seed: status $status $output"; return 1; }
        done
    done
    [ "$moved" -ge 1 ]
}

@test "a result is not verified by other rules" {
    market 13 40
    rules uniform pro_rata ignore
    pof-clear -q -r rules -g "$grid" --prices prices --served served --report report -o awards -f market.jsonl
    pof-verify -q -r rules -g "$grid" market.jsonl awards prices served report
    rules uniform pro_rata mark
    run --separate-stderr pof-verify -q -r rules -g "$grid" market.jsonl awards prices served report
    [ "$status" = 1 ]
    [[ $stderr == *"rules: the rules given are "* ]]
    rules pay_as_bid pro_rata ignore
    run pof-verify -q -r rules -g "$grid" market.jsonl awards prices served
    [ "$status" = 1 ]
    rules uniform time ignore
    run pof-verify -q -r rules -g "$grid" market.jsonl awards prices served
    [ "$status" = 1 ]
}

@test "options are short for a file, and go before it" {
    market 8 30
    rules uniform lottery ignore
    pof-clear -q -r rules -g "$grid" --report by-file -o by-file.awards -f market.jsonl
    rules nodal time ignore
    pof-clear -q -r rules --price uniform --tie lottery --seed tomorrow -g "$grid" --report by-option -o by-option.awards -f market.jsonl
    cmp by-file by-option
    cmp by-file.awards by-option.awards
}

@test "rules that contradict each other are refused by name" {
    market 8 10
    for bad in '"tie":"lottery"' '"seed":"x"' '"price":"nodal","sequence":"dso_first"' '"up_floor_eur_mwh":2,"up_ceiling_eur_mwh":1'; do
        echo "{\"schema\":\"pof.rules/1\",\"name\":\"odd\",$bad}" >rules
        run --separate-stderr pof-clear -q -r rules -g "$grid" market.jsonl
        [ "$status" = 78 ]
        [[ $stderr == *"rules 'odd': "*"(E304)"* ]]
    done
    echo '{"schema":"pof.rules/1","name":"zones","price":"zonal"}' >rules
    echo '{"schema":"pof.price_zone/1","branch":"nowhere","zone":"a"}' >>rules
    run --separate-stderr pof-clear -q -r rules -g "$grid" market.jsonl
    [ "$status" = 65 ]
    [[ $stderr == *"'nowhere' is no branch of the grid"* ]]
    run --separate-stderr pof-clear -q --method lp --tie pro-rata -g "$grid" market.jsonl
    [ "$status" = 2 ]
}

@test "a stream goes by the rules, too" {
    for tie in time pro_rata lottery; do
        for price in uniform zonal nodal; do
            market 13 60
            rules $price $tie as_bid
            grep pof.offer market.jsonl | grep -v 'min_w\|lead_s' >offers
            { grep -v pof.offer market.jsonl; head -n 30 offers; tail -n +31 offers | sed 's/T12:00/T12:15/'; } >sorted
            pof-clear -q -r rules -g "$grid" --refused refused --report report --single-sellers single --reserve reserve -o awards -f sorted
            pof-clear -q -r rules -g "$grid" --refused refused2 --report report2 --single-sellers single2 --reserve reserve2 --stream -o awards2 -f sorted
            cmp awards awards2
            cmp refused refused2
            cmp report report2
            cmp single single2
            cmp reserve reserve2
            [ -s single ]
            [ -s refused ]
            [ -s reserve ]
        done
    done
    run --separate-stderr pof-clear -q -g "$grid" --stream <(grep -v pof.offer market.jsonl) <(grep lead_s market.jsonl | grep -v min_w)
    [ "$status" = 65 ]
    [[ $stderr == *"'lead_s'"* ]]
}
