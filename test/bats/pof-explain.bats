# SPDX-License-Identifier: Apache-2.0
# pof-explain: every offer has a reason, pof-audit confirms it, and a changed one it does not.
load ../helper
bats_require_minimum_version 1.5.0

setup() {
    cd "$BATS_TEST_TMPDIR"
    grid=$ROOT/samples/cigre-mv.json
}

market() {
    awk -v seed="$1" -v n="$2" 'BEGIN {
        srand(seed)
        when = "\"start\":\"2026-03-10T12:00:00Z\",\"end\":\"2026-03-10T12:30:00Z\""
        print "{\"schema\":\"pof.session/1\",\"id\":\"S\",\"kind\":\"day_ahead\",\"day\":\"2026-03-10\",\"opens\":\"2026-03-09T12:30:00Z\",\"gate\":\"2026-03-09T15:00:00Z\",\"clear_by\":\"2026-03-09T16:00:00Z\",\"validate_by\":\"2026-03-09T16:30:00Z\",\"final_by\":\"2026-03-09T17:00:00Z\",\"start\":\"2026-03-10T12:00:00Z\",\"end\":\"2026-03-10T12:30:00Z\"}"
        for (i = 0; i < n; i++)
            printf "{\"schema\":\"pof.offer/1\",\"id\":\"o%d\",\"session\":\"S\",\"seller\":\"s%d\",\"pod\":\"p%d\",\"node\":\"N%d\",\"direction\":\"%s\",%s,\"p_w\":%d,\"price_eur_mwh\":%d}\n", i, i % 3, i, 1 + int(rand() * 14), rand() < 0.6 ? "up" : "down", when, 1 + int(rand() * 90), 20 * int(rand() * 6)
        split("L3-4 L9-10 L3-8 T0-12 L1-2 L4-5", area, " ")
        for (i = 0; i < n / 4; i++)
            printf "{\"schema\":\"pof.request/1\",\"id\":\"r%d\",\"session\":\"S\",\"buyer\":\"B\",\"role\":\"dso\",%s\"direction\":\"%s\",%s,\"p_w\":%d}\n", i, i % 3 ? sprintf("\"branch\":\"%s\",", area[1 + int(rand() * 6)]) : "", i % 2 ? "down" : "up", when, 1 + int(rand() * 200)
        for (i = 1; i <= 6; i++)
            printf "{\"schema\":\"pof.limit/1\",\"branch\":\"%s\",\"start\":\"2026-03-10T12:00:00Z\",\"duration_s\":1800,\"p_up_w\":%d,\"p_down_w\":%d}\n", area[i], int(rand() * 60), int(rand() * 60)
    }' >market.jsonl
}

cleared() {
    market "$1" "$2"
    pof-clear -q -g "$grid" --prices prices -o awards -f market.jsonl
    pof-explain -q -g "$grid" -o why -f market.jsonl awards prices
}

@test "all offers of random markets have reasons, and they are confirmed" {
    for seed in $(seq 1 20); do
        cleared "$seed" $((5 + seed))
        [ "$(wc -l <why)" = $(((5 + seed) * 2)) ]
        pof-audit -q -g "$grid" why market.jsonl awards prices >/dev/null
        cat why >>all
    done
    for reason in price margin tie grid not_asked; do
        grep -q "\"why\":\"$reason\"" all
    done
}

@test "a changed reason is refused, and one too few" {
    cleared 5 25
    n=0
    while IFS= read -r change; do
        i=$((1 + n % $(wc -l <why)))
        sed -n "${i}p" why | jq -c "$change" >line
        cmp -s line <(sed -n "${i}p" why) && continue
        { sed "${i}d" why; cat line; } >wrong
        run pof-audit -q -g "$grid" wrong market.jsonl awards prices
        [ "$status" = 1 ]
        n=$((n + 1))
    done <<'E'
.taken_w += 1
.p_w += 1
.worth_eur_mwh += 1
.distance_eur_mwh -= 1
.why = (if .why == "price" then "grid" else "price" end)
.standing = (if .standing == "won" then "lost" else "won" end)
.price_eur_mwh += 1
.offer = "o99"
.branch = "L1-2"
.rank = 7777
.allowed_w = 3
.session = "T"
E
    [ "$n" = 12 ]
    sed 1d why >fewer
    run pof-audit -q -g "$grid" fewer market.jsonl awards prices
    [ "$status" = 1 ]
}

@test "an offer that is lost on its price wins below its worth" {
    cleared 4 25
    id=$(jq -r 'select(.why == "price" and .standing == "lost" and .worth_eur_mwh > 0 and .start == "2026-03-10T12:00:00Z") | .offer' why | head -n 1)
    [ -n "$id" ]
    worth=$(jq -r --arg id "$id" 'select(.offer == $id and .start == "2026-03-10T12:00:00Z") | .worth_eur_mwh' why)
    jq -c --arg id "$id" --argjson w "$worth" 'if .schema == "pof.offer/1" and .id == $id then .price_eur_mwh = $w - 0.5 else . end' market.jsonl >cheaper
    pof-clear -q -g "$grid" cheaper | grep -q "\"offer\":\"$id\""
}

@test "every step of the root curve can be had, and not a watt more at its price" {
    market 5 25
    grep -v pof.request market.jsonl >book
    pof-explain -q -g "$grid" --root-curve book >curve
    [ "$(wc -l <curve)" -gt 4 ]
    while IFS= read -r step; do
        jq -c '{schema: "pof.request/1", id: "r", session: "S", buyer: "T", role: "tso", direction, start,
            end: (.start | fromdate + 900 | todate), p_w: (.p_w + 1), price_limit_eur_mwh: .price_eur_mwh}' <<<"$step" >request
        got=$(pof-clear -q -g "$grid" book request | jq -s 'map(.p_w) | add')
        [ "$got" = "$(jq .p_w <<<"$step")" ]
    done <curve
}

@test "cut awards and sentences" {
    cleared 4 25
    jq -c '{schema: "pof.verdict/1", award: .id, decision: "curtail", p_w: 0}' awards | head -n 1 >verdicts
    pof-explain -q -g "$grid" market.jsonl awards prices verdicts >cut
    [ "$(jq -r 'select(.why == "validation") | .taken_w - .allowed_w' cut)" = "$(head -n 1 awards | jq .p_w)" ]
    pof-audit -q -g "$grid" cut market.jsonl awards prices verdicts
    pof-explain -q -g "$grid" --text market.jsonl awards prices >text
    [ "$(wc -l <text)" = 50 ]
    grep -q "lost: 0 of .* its node pays .*, below which it would have won" text
    grep -q " won" text
}

@test "an offer that came late and was left out is told so" {
    cleared 5 25
    id=$(jq -r .offer awards | head -n 1)
    jq -c --arg id "$id" 'if .schema == "pof.offer/1" and .id == $id then .id = "late" | .price_eur_mwh = 0 | .received = "2026-03-09T15:00:00Z" else . end' market.jsonl | grep '"late"' >late
    cat market.jsonl late >fuller
    pof-explain -q -g "$grid" fuller awards prices | grep '"late"' | head -n 1 | grep -q '"why":"gate"'
}

@test "awards of another book are refused" {
    cleared 5 25
    jq -c 'if .schema == "pof.offer/1" then .price_eur_mwh = 0 else . end' market.jsonl >other
    run --separate-stderr pof-explain -q -g "$grid" other awards prices
    [ "$status" = 1 ]
    [[ $stderr == *"awards and prices are not those of this book"* ]]
}

@test "answers to requests: met as the certificate says, and a reason for every watt that lacks" {
    for seed in $(seq 1 12); do
        market "$seed" $((5 + seed))
        pof-clear -q -g "$grid" --prices prices --served served -o awards -f market.jsonl
        pof-explain -q -g "$grid" --answers -f -o answers market.jsonl awards prices
        diff <(jq -c '[.request, .start, .asked_w, .met_w]' served) <(jq -c '[.request, .start, .asked_w, .met_w]' answers)
        cat answers >>all
    done
    jq -se 'map((.why == "none") == (.met_w == .asked_w) and ((.why == "no_offers") <= (.left_w == 0))
        and ((.why == "grid") == has("branch")) and ((.why == "opposed") <= (.offer_price_eur_mwh <= .price_eur_mwh)) and ((.why == "price") <= (.offer_price_eur_mwh > .price_eur_mwh))) | all' all
    for reason in none no_offers grid opposed; do
        grep -q "\"why\":\"$reason\"" all
    done
}

# One request, an offer behind a full branch, and a dear one; each reason by taking away what comes before.
@test "a request lacks power for the grid, then for the price, then for want of offers" {
    when='"session":"S","start":"2026-03-10T12:00:00Z","end":"2026-03-10T12:15:00Z"'
    market 1 1 && head -n 1 market.jsonl >book
    cat >>book <<E
{"schema":"pof.request/1","id":"R","buyer":"B","role":"tso","direction":"up","p_w":200,"price_limit_eur_mwh":100,$when}
{"schema":"pof.offer/1","id":"a","seller":"s","pod":"p","node":"N5","direction":"up","p_w":80,"price_eur_mwh":40,$when}
{"schema":"pof.offer/1","id":"b","seller":"s","pod":"q","node":"N9","direction":"up","p_w":50,"price_eur_mwh":120,$when}
E
    echo '{"schema":"pof.limit/1","branch":"L4-5","start":"2026-03-10T12:00:00Z","duration_s":900,"p_up_w":30,"p_down_w":0}' >limit
    say() {
        pof-clear -q -g "$grid" --prices prices -o awards -f "$@"
        pof-explain -q -g "$grid" --answers --text "$@" awards prices
    }
    run say book limit
    [ "$output" = "2026-03-10T12:00:00Z R partly: 30 of 200 W at up to 100 EUR/MWh; branch L4-5 is full; 100 W are left, such as a at 40" ]
    run say book
    [ "$output" = "2026-03-10T12:00:00Z R partly: 80 of 200 W at up to 100 EUR/MWh; those left ask more; 50 W are left, such as b at 120" ]
    grep -v '"id":"b"' book >fewer
    run say fewer
    [ "$output" = "2026-03-10T12:00:00Z R partly: 80 of 200 W at up to 100 EUR/MWh; all that is offered there is taken" ]
}

@test "what changed from one result to another, and why" {
    when='"session":"S","start":"2026-03-10T12:00:00Z","end":"2026-03-10T12:15:00Z"'
    market 1 1 && head -n 1 market.jsonl >book
    cat >>book <<E
{"schema":"pof.request/1","id":"R","buyer":"B","role":"tso","direction":"up","p_w":100,$when}
{"schema":"pof.offer/1","id":"a","seller":"s","pod":"p","node":"N5","direction":"up","p_w":80,"price_eur_mwh":40,$when}
{"schema":"pof.offer/1","id":"b","seller":"s","pod":"q","node":"N9","direction":"up","p_w":90,"price_eur_mwh":60,$when}
{"schema":"pof.offer/1","id":"c","seller":"s","pod":"r","node":"N9","direction":"up","p_w":90,"price_eur_mwh":70,$when}
E
    echo '{"schema":"pof.limit/1","branch":"L4-5","start":"2026-03-10T12:00:00Z","duration_s":900,"p_up_w":30,"p_down_w":0}' >limit
    tell() {
        pof-clear -q -g "$grid" --prices prices -o awards -f "${@:2}"
        { pof-explain -q -g "$grid" "${@:2}" awards prices
          pof-explain -q -g "$grid" --answers "${@:2}" awards prices; cat prices; } >"$1"
    }
    tell one book
    tell two book limit
    run pof-explain -q --diff one one
    [ "$status" = 0 ]
    [ -z "$output" ]
    run pof-explain -q --text --diff one two
    [ "${lines[0]}" = "2026-03-10T12:00:00Z offer a: 80 W at 40 EUR/MWh (price) became 30 W at 40 EUR/MWh (margin); one more watt is worth another price there" ]
    [ "${lines[1]}" = "2026-03-10T12:00:00Z offer b: 20 W at 60 EUR/MWh (margin) became 70 W at 60 EUR/MWh (margin); others stand in for it, or it for them" ]
    [[ "${lines[2]}" == "2026-03-10T12:00:00Z node N5: 30 W at 20 EUR/MWh; it is new" ]]
    [ "${#lines[@]}" = 3 ]
    grep -v '"id":"b"' book | sed 's/"price_eur_mwh":70/"price_eur_mwh":65/' >other
    tell three other
    pof-explain -q --diff one three | jq -r '"\(.kind) \(.name) \(.cause) \(.before_w) \(.after_w)"' >changes
    diff - changes <<E
offer a worth 80 80
offer b gone 20 null
offer c asked_price 0 20
node N0 grid 100 100
E
    cat one one >twice
    run pof-explain -q --diff twice one
    [ "$status" = 65 ]
    [[ $output == *"was told of before"* ]]
}
