# SPDX-License-Identifier: Apache-2.0
# pof-audit: who pays is replayed, and another who is noticed even where all sums hold.
load ../helper
bats_require_minimum_version 1.5.0
bats_require_minimum_version 1.5.0

setup() {
    cd "$BATS_TEST_TMPDIR"
    in=$ROOT/test/golden/pof-audit/shares
}

@test "two buyers that change places are noticed though every sum holds" {
    when='"session":"S1","start":"2026-03-10T10:00:00Z","end":"2026-03-10T10:15:00Z"'
    cat >market.jsonl <<E
{"schema":"pof.request/1","id":"first","buyer":"x","role":"dso","direction":"up","p_w":100,"price_limit_eur_mwh":90,$when}
{"schema":"pof.request/1","id":"second","buyer":"y","role":"tso","direction":"up","p_w":100,"price_limit_eur_mwh":80,$when}
{"schema":"pof.offer/1","id":"cheap","seller":"s","pod":"p","node":"A","direction":"up","p_w":100,"price_eur_mwh":10,$when}
{"schema":"pof.offer/1","id":"dear","seller":"s","pod":"q","node":"B","direction":"up","p_w":100,"price_eur_mwh":20,$when}
E
    pof-clear -q -g "$in/in.grid.json" --prices prices --served served -o awards "$in/in.session.jsonl" market.jsonl
    pof-verify -q -g "$in/in.grid.json" "$in/in.session.jsonl" market.jsonl awards prices served
    pof-audit -q --shares -g "$in/in.grid.json" "$in/in.session.jsonl" market.jsonl awards
    swap='(if .request == "first" then "second" else "first" end) as $r | .request = $r'
    jq -c "$swap | if .request == \"first\" then .buyer = \"x\" | .role = \"dso\" else .buyer = \"y\" | .role = \"tso\" end" awards >swapped
    jq -c "$swap" served >swapped.served
    pof-verify -q -g "$in/in.grid.json" "$in/in.session.jsonl" market.jsonl swapped prices swapped.served
    run --separate-stderr pof-audit -q --shares -g "$in/in.grid.json" "$in/in.session.jsonl" market.jsonl swapped
    [ "$status" = 1 ]
    [ -z "$output" ]
    [[ $stderr == *"swapped:"*"the rules give 100 W of 'cheap' to 'first' here"*"(E401)"* ]]
}

@test "blocks beyond what is asked, and where nothing is asked" {
    for case in blocks family partial; do
        c=$ROOT/test/golden/pof-clear/$case
        pof-clear -q -g "$c/in.grid.json" -o awards -f "$c/in.session.jsonl" "$c/in.market.jsonl"
        [ -s awards ]
        pof-audit -q --shares -g "$c/in.grid.json" "$c/in.session.jsonl" "$c/in.market.jsonl" awards
    done
}

# A session with something of everything: equal offers, a block that cannot be whole, a lack, a reserve.
session() {
    local when='"session":"S1","start":"2026-03-10T10:00:00Z","end":"2026-03-10T10:15:00Z"'
    cat >market.jsonl <<E
{"schema":"pof.request/1","id":"R","buyer":"x","role":"tso","direction":"up","p_w":100,"reserve_permille":500,$when}
{"schema":"pof.request/1","id":"lack","buyer":"y","role":"dso","node":"C","direction":"up","p_w":500,"price_limit_eur_mwh":5,$when}
{"schema":"pof.offer/1","id":"a","seller":"s","pod":"p","node":"A","direction":"up","p_w":100,"price_eur_mwh":10,$when}
{"schema":"pof.offer/1","id":"b","seller":"t","pod":"q","node":"B","direction":"up","p_w":300,"price_eur_mwh":10,$when}
{"schema":"pof.offer/1","id":"dear","seller":"t","pod":"c","node":"C","direction":"up","p_w":30,"price_eur_mwh":20,$when}
{"schema":"pof.offer/1","id":"half","seller":"u","pod":"r","node":"B","direction":"up","p_w":50,"price_eur_mwh":1,"block":"k",$when}
{"schema":"pof.offer/1","id":"rest","seller":"u","pod":"r","node":"B","direction":"up","p_w":50,"price_eur_mwh":1,"block":"k","session":"S1","start":"2026-03-11T10:00:00Z","end":"2026-03-11T10:15:00Z"}
{"schema":"pof.offer/1","id":"child","seller":"u","pod":"r","node":"A","direction":"up","p_w":50,"price_eur_mwh":1,"parent":"k",$when}
E
    book=("$ROOT/test/golden/pof-audit/shares/in.session.jsonl" market.jsonl)
    by=(-q --tie "$1" -g "$ROOT/test/golden/pof-audit/shares/in.grid.json")
    pof-clear "${by[@]}" -f --prices prices --reserve reserve --served served -o awards "${book[@]}"
    pof-explain "${by[@]}" -f -o why "${book[@]}" awards prices
    pof-explain "${by[@]}" -f --answers -o answers "${book[@]}" awards prices
}

@test "shares, equal ones too, reasons, answers and reserves are confirmed" {
    for tie in time pro-rata; do
        session $tie
        [ -s reserve ]
        pof-verify "${by[@]}" "${book[@]}" awards prices served
        run pof-audit "${by[@]}" "${book[@]}" awards prices why answers reserve
        echo "$output"
        [ "$status" = 0 ]
        [ "$output" = "shares, reasons and answers are true" ]
    done
    jq -c '[.request, .offer, .p_w]' awards
    [ "$(jq -s -c 'map(select(.request == "R") | [.offer, .p_w])' awards)" = '[["a",25],["b",75]]' ]
    # A block that is not whole in the session, and its child: left out by choice.
    [ "$(jq -r 'select(.offer == "half" or .offer == "child") | .why' why)" = "choice
choice" ]
}

@test "files that are empty are missing reasons and answers" {
    session time
    : >nothing
    run --separate-stderr pof-audit "${by[@]}" "${book[@]}" awards prices nothing
    [ "$status" = 1 ]
    [ -z "$output" ]
    [[ $stderr == *"market.jsonl:"*"has no explanation in a quarter-hour (E401)"* ]]
    run --separate-stderr pof-audit "${by[@]}" --answers "${book[@]}" awards prices why nothing
    [ "$status" = 1 ]
    [[ $stderr == *"market.jsonl:"*"has no answer in a quarter-hour (E401)"* ]]
    run pof-audit "${by[@]}" --shares "${book[@]}" awards prices nothing
    [ "$status" = 0 ]
    [ "$output" = "shares are true" ]
    for f in why answers; do
        sed 1d $f >fewer
        run pof-audit "${by[@]}" "${book[@]}" awards prices fewer "$([ $f = why ] && echo answers || echo why)"
        [ "$status" = 1 ]
    done
}

@test "a watt between equal offers is found, and equal shares need prices" {
    session pro-rata
    jq -c 'if .request == "R" then .p_w += (if .offer == "a" then 1 else -1 end) else . end' awards >moved
    run pof-audit "${by[@]}" --shares "${book[@]}" moved prices
    [ "$status" = 1 ]
    [[ $output == *"p_w: of equal offers, this or those sharing with it get "*" W, not their share of "* ]]
    run pof-audit "${by[@]}" --shares "${book[@]}" awards
    [ "$status" = 1 ]
    [[ $output == *"none are given (pof-clear --prices)"* ]]
}

# Every field of a line changed alone; one mutant a line.
mutants() {
    jq -c 'def other: {up: "down", down: "up", dso: "tso", tso: "dso", reserve: "counter", met: "unmet",
            unmet: "met", partly: "met", price: "grid", none: "price", no_offers: "price", grid: "price"}[.];
        def ways($k): if $k == "start" then fromdate | (. + 900) | todate
            elif ($k | IN("direction", "role", "why", "standing")) then other
            elif type == "number" then (. + 1, . - 1) else . + "0" end;
        . as $r | keys_unsorted[] | select(. != "schema") as $k | ($r[$k] | ways($k)) as $v | $r + {($k): $v}'
}

@test "each field of an answer and of a reserve, changed alone, is refused" {
    session time
    count=0
    for f in answers reserve; do
        others=$(printf '%s\n' why answers reserve | grep -vx $f)
        while IFS= read -r mutant; do
            count=$((count + 1))
            { echo "$mutant"; sed 1d $f; } >mutated
            status=0
            pof-audit "${by[@]}" "${book[@]}" awards prices $others mutated >/dev/null 2>&1 || status=$?
            [ "$status" = 1 ] || [ "$status" = 65 ] || { echo "status $status: $mutant"; return 1; }
        done < <(head -n 1 $f | mutants)
    done
    [ "$count" -gt 20 ]
}

@test "standard input, --help, and outputs that cannot be written" {
    cat "$in"/in.{session,market,awards,prices}.jsonl | shuf --random-source=<(yes 3) |
        pof-audit -q --shares -g "$in/in.grid.json" | grep -qx "shares are true"
    pof-audit --help | grep -q explanations
    run pof-audit -q --shares -g "$in/in.grid.json" -o /dev/full "$in"/in.{session,market,awards}.jsonl
    [ "$status" = 74 ]
    run pof-audit "$in/in.session.jsonl"
    [ "$status" = 2 ]
}
