# SPDX-License-Identifier: Apache-2.0
# pof-outcome: one file per recipient, all files or none, what is left clears again.
load ../helper
bats_require_minimum_version 1.5.0

setup() {
    cd "$BATS_TEST_TMPDIR"
    cp "$ROOT"/test/golden/pof-outcome/join/in.* .
}

@test "shuffled lines give the same files" {
    pof-outcome -q --unmet u1 --carry c1 in.* >o1
    cat in.* | sort -r | pof-outcome -q --unmet u2 --carry c2 >o2
    cmp o1 o2
    cmp u1 u2
    cmp c1 c2
}

@test "each recipient gets its own outcomes and no others" {
    mkdir out
    pof-outcome -q --split out in.awards.jsonl in.verdicts.jsonl >all
    [ "$(ls out | tr '\n' ' ')" = "outcomes-DSO.jsonl outcomes-TSO.jsonl outcomes-hera.jsonl outcomes-zeus.jsonl " ]
    for who in DSO TSO hera zeus; do
        jq -c --arg who $who 'select(.buyer == $who or .seller == $who)' all | cmp - out/outcomes-$who.jsonl
    done
}

@test "a name that is no file name is written with %" {
    mkdir out
    sed 's#"seller":"hera"#"seller":"../he ra"#' in.awards.jsonl >a.jsonl
    pof-outcome -q --split out a.jsonl in.verdicts.jsonl >all
    [ -e "out/outcomes-%2E.%2Fhe%20ra.jsonl" ] || { ls out; false; }
}

@test "when anything fails no file appears" {
    mkdir out
    sed 's/"p_w":100/"p_w":90/' in.offers.jsonl >short.jsonl
    run pof-outcome -o result --unmet unmet --carry carry --split out in.awards.jsonl in.verdicts.jsonl in.requests.jsonl short.jsonl
    [ "$status" = 65 ]
    [ ! -e result ]
    [ ! -e unmet ]
    [ ! -e carry ]
    [ -z "$(ls -A out)" ]
}

@test "an existing file is replaced only with --force" {
    echo old >carry
    run pof-outcome -q --carry carry in.awards.jsonl in.verdicts.jsonl in.offers.jsonl
    [ "$status" = 73 ]
    [ "$(cat carry)" = old ]
    pof-outcome -q -f --carry carry in.awards.jsonl in.verdicts.jsonl in.offers.jsonl >/dev/null
    grep -q pof.offer carry
}

@test "an award without a verdict is an error unless it is to be accepted" {
    head -n 2 in.verdicts.jsonl >some.jsonl
    run --separate-stderr pof-outcome in.awards.jsonl some.jsonl
    [ "$status" = 65 ]
    [[ $stderr == *"has no verdict"* ]]
    pof-outcome -q --accept-missing in.awards.jsonl some.jsonl >out
    [ "$(grep -c '"decision":"accept"' out)" = 1 ]
    [ "$(wc -l <out)" = 3 ]
}

@test "what is carried can be offered again, session after session" {
    grid=$ROOT/samples/cigre-mv.json
    pof-session --day 2026-03-10 >s.jsonl
    for r in R1 R2; do
        echo '{"schema":"pof.request/1","id":"'$r'","session":"2026-03-10-RT4","buyer":"TSO","role":"tso","direction":"up","start":"2026-03-10T12:00:00Z","end":"2026-03-10T12:30:00Z","p_w":60}' >$r.jsonl
    done
    echo '{"schema":"pof.offer/1","id":"a","session":"2026-03-10-DA","seller":"hera","pod":"P1","node":"N5","direction":"up","start":"2026-03-10T11:00:00Z","end":"2026-03-10T14:00:00Z","p_w":100,"price_eur_mwh":40}' >offers0.jsonl
    pof-clear -q -g "$grid" -s 2026-03-10-RT4 s.jsonl R1.jsonl offers0.jsonl >a1.jsonl
    pof-outcome -q --accept-missing --carry offers1.jsonl a1.jsonl offers0.jsonl >o1.jsonl
    pof-clear -q -g "$grid" -s 2026-03-10-RT4 s.jsonl R2.jsonl offers1.jsonl >a2.jsonl
    pof-outcome -q --accept-missing --unmet unmet2.jsonl --carry offers2.jsonl a2.jsonl offers1.jsonl R2.jsonl >o2.jsonl
    [ "$(jq -s 'map(.p_w) | add' o1.jsonl o2.jsonl)" = 200 ]
    [ "$(jq -r '[.id, .p_w] | @tsv' unmet2.jsonl)" = "$(printf 'R2\t20')" ]
    [ "$(jq -r '.id' offers2.jsonl | tr '\n' ' ')" = "a/20260310T1100Z a/20260310T1230Z " ]
}

@test "--carry-from leaves out what is over, says how much, and nothing else changes" {
    cd "$BATS_TEST_TMPDIR"
    line() { printf '{"schema":"pof.offer/1","id":"%s","session":"S","seller":"a","pod":"p","node":"n","direction":"up","start":"%s","end":"%s","p_w":5,"price_eur_mwh":1}\n' "$@"; }
    { line o1 2026-03-10T00:00Z 2026-03-10T00:15Z; line o2 2026-03-10T00:00Z 2026-03-10T00:30Z; } >offers
    pof-outcome --carry all offers
    [ "$(wc -l <all)" = 2 ]
    pof-outcome --carry some --carry-from 2026-03-10T00:15:00Z offers 2>err
    [ "$(jq -r .id some)" = o2 ]
    grep -q "1 parts of offers are over" err
}
