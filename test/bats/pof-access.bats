# SPDX-License-Identifier: Apache-2.0
# pof-access: asked, granted, revoked, expired; every decision in the log before any record goes out.
load ../helper

setup() {
    cd "$BATS_TEST_TMPDIR"
    pof-certify init ledger --origin dso.example/access >/dev/null
    for party in aurora borea O1 O2; do pof-access key --name $party --key $party.key >>parties; done
    for i in 1 2 3; do
        echo '{"schema":"pof.pod/1","pod":"P'$i'","node":"N1","aggregator":"aurora","kind":"household","p_up_max_w":0,"p_down_max_w":0,"owner":"O'$((i > 2 ? 2 : 1))'"}'
    done >pods
    for t in 00 01 02 03; do
        for i in 1 2 3; do
            echo '{"schema":"pof.measurement/1","pod":"P'$i'","start":"2026-03-10T'$t':00:00Z","duration_s":900,"p_w":'$((10#$t * 10 + i))'}'
        done
    done >data
}

certify() { pof-certify append ledger -q "$@" >/dev/null; }
ask() { # ask ID POD ...
    local id=$1 pods=()
    shift
    for p in "$@"; do pods+=(--pod "$p"); done
    pof-access ask --key aurora.key --id "$id" --owner O1 "${pods[@]}" --purpose billing \
        --start 2026-03-10T01:00Z --end 2026-03-10T03:00Z --now 2026-03-01T00:00Z
}
reading() { # reading [OPTION ...]: as $who, for $what, at $when
    pof-access read ledger --keys parties --pods pods --consumer "${who:-aurora}" --purpose "${what:-billing}" \
        --now "${when:-2026-03-11T00:00Z}" "$@" data
}
decisions() { pof-certify verify ledger >/dev/null; grep -ao '{"at":"[^}]*"schema":"pof.access/1"[^}]*}' ledger/journal; }

@test "asked, granted, read: what was granted and nothing else" {
    ask s1 P1 P2 >ask && certify ask
    run reading -q
    [ "$status" = 0 ]
    [ -z "$output" ]
    pof-access grant --key O1.key --end 2026-03-10T02:00Z --now 2026-03-02T00:00Z <ask >grant && certify grant
    reading -q >out
    [ "$(jq -r '[.pod, .start[11:13]] | join("@")' out | sort | xargs)" = "P1@01 P2@01" ]
    reading -q --format csv | grep -q 'P1,2026-03-10T01:00:00Z,900,11'
}

@test "each decision is in the log, with its reason" {
    ask s1 P1 >ask && certify ask
    reading -q >/dev/null
    [ "$(decisions | jq -rs 'map([.pod, .decision, .why] | join(" ")) | join(";")')" = \
        "P1 deny not_granted;P2 deny not_asked;P3 deny not_asked" ]
    pof-access grant --key O1.key <ask >grant && certify grant
    reading -q >/dev/null
    decisions | jq -es 'map(select(.decision == "allow")) | length == 1 and (.[0] | .subscription == "s1" and
        .start == "2026-03-10T01:00:00Z" and .end == "2026-03-10T03:00:00Z" and .at == "2026-03-11T00:00:00Z" and
        .consumer == "aurora")' >/dev/null
    decisions | jq -rs '[.[] | select(.pod == "P1") | .why] | join(" ")' >whys
    [ "$(cat whys)" = "not_granted time granted time" ]
}

@test "revoked by either is over; expired is over; another purpose, type or consumer is not this one" {
    ask s1 P1 >ask && certify ask
    pof-access grant --key O1.key --expires 2026-04-01T00:00Z <ask >grant && certify grant
    [ "$(reading -q | wc -l)" = 2 ]
    [ "$(when=2026-04-01T00:00:00Z reading -q | wc -l)" = 0 ]
    [ "$(what=advertising reading -q | wc -l)" = 0 ]
    [ "$(who=borea reading -q | wc -l)" = 0 ]
    decisions | jq -rs 'map(select(.pod == "P1") | .why) | unique | join(" ")' >whys
    [ "$(cat whys)" = "expired granted not_asked purpose time" ]
    pof-access revoke --key aurora.key <ask >revoke && certify revoke
    [ "$(reading -q | wc -l)" = 0 ]
    certify grant # the old grant once more
    reading 2>why >out
    [ ! -s out ]
    grep -q "does not count: it was revoked before" why
    pof-access list ledger --keys parties --pods pods -q --now 2026-03-11T00:00Z | jq -e '.why == "revoked"' >/dev/null
}

@test "a grant by anybody but the owner does not count; nor a step that was changed" {
    ask s1 P1 P3 >ask && certify ask
    # O1 grants P3, which is O2's
    pof-access grant --key O1.key <ask >grant
    grep P3 grant >wrong
    certify wrong
    reading 2>why >out
    [ ! -s out ]
    grep -q 'not the owner of the point of delivery' why
    # borea signs in aurora's name; a grant is stretched after it was signed
    pof-access ask --key borea.key --id s2 --owner O1 --pod P1 --purpose billing --start 2026-03-10T00:00Z \
        --end 2026-03-11T00:00Z | sed 's/"consumer":"borea"/"consumer":"aurora"/' >forged && certify forged
    grep P1 grant | sed 's/T03:00:00Z/T09:00:00Z/' >stretched
    certify stretched
    reading 2>why >out
    [ ! -s out ]
    [ "$(grep -c 'good signature' why)" = 2 ]
    # more than was asked for is not granted
    pof-access ask --key aurora.key --id s3 --owner O1 --pod P2 --purpose billing --start 2026-03-10T00:00Z \
        --end 2026-03-10T01:00Z >small && certify small
    sed 's/T01:00:00Z/T05:00:00Z/' small >large
    pof-access grant --key O1.key <large >more && certify more
    reading 2>why >out
    [ ! -s out ]
    grep -q 'something else than was asked for' why
}

@test "no record goes out when its decision cannot be kept" {
    ask s1 P1 >ask && certify ask
    pof-access grant --key O1.key <ask >grant && certify grant
    reading -q >/dev/null && pof-certify checkpoint ledger >before
    # the journal may not grow: any write to a file fails
    out=$( (ulimit -f 0; trap '' XFSZ; reading -q 2>why) || echo "status $?" >status)
    [ -z "$out" ]
    [ -s status ]
    [ "$(pof-certify checkpoint ledger)" = "$(cat before)" ]
    [ "$(reading -q | wc -l)" = 2 ]
}

@test "a log that was tampered with lets nothing through" {
    ask s1 P1 >ask && certify ask
    pof-access grant --key O1.key <ask >grant && certify grant
    sed -i 's/"step":"ask"/"step":"asK"/' ledger/journal
    run reading
    [ "$status" != 0 ]
    [[ $output != *measurement* ]]
}

@test "wrong use ends in a word" {
    run pof-access read ledger --keys parties --pods pods --consumer aurora --purpose x --data session data
    [ "$status" = 2 ]
    [[ $output == *"no type of record that has a pod and a start"* ]]
    run pof-access ask --key aurora.key --id x
    [ "$status" = 2 ]
    run pof-access ask --key missing.key --id s --owner O --pod P --purpose b --start 2026-03-10T00:00Z --end 2026-03-11T00:00Z
    [ "$status" = 66 ]
    run pof-access ask --key aurora.key --id s --owner O --pod P --purpose b --start 2026-03-11T00:00Z --end 2026-03-10T00:00Z
    [ "$status" = 65 ]
    [[ $output == *"end before they start"* ]]
    run pof-access
    [ "$status" = 2 ]
}
