# SPDX-License-Identifier: Apache-2.0
# pof-audit: who pays is replayed, and another who is noticed even where all sums hold.
load ../helper
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
    pof-audit -q -g "$in/in.grid.json" "$in/in.session.jsonl" market.jsonl awards
    swap='(if .request == "first" then "second" else "first" end) as $r | .request = $r'
    jq -c "$swap | if .request == \"first\" then .buyer = \"x\" | .role = \"dso\" else .buyer = \"y\" | .role = \"tso\" end" awards >swapped
    jq -c "$swap" served >swapped.served
    pof-verify -q -g "$in/in.grid.json" "$in/in.session.jsonl" market.jsonl swapped prices swapped.served
    run --separate-stderr pof-audit -q -g "$in/in.grid.json" "$in/in.session.jsonl" market.jsonl swapped
    [ "$status" = 1 ] && [ -z "$output" ]
    [[ $stderr == *"swapped:"*"the rules give 100 W of 'cheap' to 'first' here"*"(E401)"* ]]
}

@test "blocks beyond what is asked, and where nothing is asked" {
    for case in blocks family partial; do
        c=$ROOT/test/golden/pof-clear/$case
        pof-clear -q -g "$c/in.grid.json" -o awards -f "$c/in.session.jsonl" "$c/in.market.jsonl"
        [ -s awards ]
        pof-audit -q -g "$c/in.grid.json" "$c/in.session.jsonl" "$c/in.market.jsonl" awards
    done
}

@test "standard input, --help, and outputs that cannot be written" {
    cat "$in"/in.{session,market,awards,prices}.jsonl | shuf --random-source=<(yes 3) |
        pof-audit -q -g "$in/in.grid.json" | grep -qx "shares are true"
    pof-audit --help | grep -q explanations
    run pof-audit -q -g "$in/in.grid.json" -o /dev/full "$in"/in.{session,market,awards}.jsonl
    [ "$status" = 74 ]
    run pof-audit "$in/in.session.jsonl"
    [ "$status" = 2 ]
}
