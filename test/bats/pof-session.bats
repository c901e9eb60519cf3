# SPDX-License-Identifier: Apache-2.0
load ../helper
bats_require_minimum_version 1.5.0

setup() {
    cd "$BATS_TEST_TMPDIR"
}

@test "the default table is samples/sessions.csv" {
    pof-session --day 2026-07-01 >built-in
    pof-session --day 2026-07-01 --table "$ROOT/samples/sessions.csv" >sample
    cmp built-in sample
    [ "$(wc -l <sample)" = 7 ]
}

@test "the order of the rows does not matter, nor whether they are CSV or NDJSON" {
    (head -n 1 "$ROOT/samples/sessions.csv"; tail -n +2 "$ROOT/samples/sessions.csv" | tac) >turned.csv
    awk -F, 'NR == 1 { split($0, h) ; next } { printf "{"; for (i = 1; i <= NF; i++) printf "%s\"%s\":\"%s\"", (i > 1 ? "," : ""), h[i], $i; print "}" }' \
        "$ROOT/samples/sessions.csv" >table.jsonl
    pof-session --day 2026-07-01 >want
    pof-session --day 2026-07-01 --table turned.csv | cmp - want
    pof-session --day 2026-07-01 --table table.jsonl | cmp - want
}

@test "a time table may come by standard input" {
    pof-session --day 2026-07-01 --table - <"$ROOT/samples/sessions.csv" | cmp - <(pof-session --day 2026-07-01)
}

@test "summer time: windows of a short and a long day, in another zone and in UTC" {
    quarters() { pof-session --day "$1" --zone "$2" | jq -s "map(select(.id | endswith(\"$3\")))[0] | ((.end | fromdate) - (.start | fromdate)) / 900"; }
    [ "$(quarters 2026-03-29 CET RT1)" = 12 ]
    [ "$(quarters 2026-10-25 CET RT1)" = 20 ]
    [ "$(quarters 2026-03-29 Europe/Athens DA)" = 92 ]
    [ "$(quarters 2026-10-25 Europe/Lisbon DA)" = 100 ]
    [ "$(quarters 2026-03-29 UTC DA)" = 96 ]
}

@test "a gate answers by status and sentence" {
    run -0 pof-session --open 2026-03-10-DA --now 2026-03-09T14:59:59Z
    [ "$output" = "2026-03-10-DA is open: it takes orders until 2026-03-09T15:00:00Z" ]
    run -1 pof-session --open 2026-03-10-DA --now 2026-03-09T15:00:00Z
    [ "$output" = "2026-03-10-DA is closed: its gate closed at 2026-03-09T15:00:00Z" ]
    run -1 pof-session --open 2026-03-10-DA --now 2026-03-09T12:29:59Z
    [ "$output" = "2026-03-10-DA is not open yet: it takes orders from 2026-03-09T12:30:00Z" ]
    run -65 pof-session --open 2026-03-10-XY --now 2026-03-09T12:29:59Z
    [[ "$output" == *"no session 'XY'"* ]]
}

@test "one real-time session takes orders at any instant" {
    for h in 00 03 05 09 14 18 21 23; do
        pof-session --current --now "2026-03-10T$h:30:00Z" | jq -r .id | while read -r id; do
            pof-session --open "$id" --now "2026-03-10T$h:30:00Z" >/dev/null && echo "$id"
        done | grep -c RT >n || true
        [ "$(cat n)" = 1 ] || { echo "$h: $(cat n)"; false; }
    done
}

@test "no session under way is status 1" {
    printf 'name,kind,opens,gate,clear_by,validate_by,final_by,start,end\nDA,day_ahead,D-1 13:30,D-1 16:00,D-1 17:00,D-1 17:30,D-1 18:00,D 00:00,D+1 00:00\n' >one.csv
    run -1 pof-session --table one.csv --current --now 2026-03-10T03:00:00Z
    [ "$output" = "pof-session: no session is under way" ]
}

@test "systemd is content with the units and finds the next gate" {
    mkdir units
    pof-session --systemd units --zone Europe/Rome --dir "$BATS_TEST_TMPDIR" --run /bin/echo
    [ "$(ls units | wc -l)" = 14 ]
    command -v systemd-analyze || skip "systemd-analyze is not installed"
    run -0 systemd-analyze verify units/*.timer units/*.service
    [ -z "$output" ] || { echo "$output"; false; }
}

@test "units are not replaced without --force, and appear together" {
    mkdir units
    pof-session --systemd units
    rm units/pof-session-DA.timer
    run -73 pof-session --systemd units
    [ ! -e units/pof-session-DA.timer ]
    pof-session --systemd units --force
    [ -e units/pof-session-DA.timer ]
}

@test "the shell line of cron calls the session of the right day" {
    mkdir bin && printf '#!/bin/sh\necho "$1" >>%s/ran\n' "$PWD" >bin/go && chmod +x bin/go
    pof-session --cron --dir "$PWD" --run bin/go >tab
    grep -c '^[0-9]' tab | grep -qx 7
    sed -n 's/^[0-9]* [0-9]* \* \* \* //p' tab | sed 's/\\%/%/g' >lines
    TZ=Europe/Rome sh lines
    [ "$(sed -n 1p ran)" = "$(TZ=Europe/Rome date -d '+1 day' +%F)-DA" ]
    [ "$(sed -n 3p ran)" = "$(TZ=Europe/Rome date +%F)-RT2" ]
}

@test "no or two questions are wrong usage" {
    run -2 pof-session
    run -2 pof-session --current --day 2026-03-10
    run -2 pof-session --day 2026-02-29
    run -2 pof-session --day 2026-03-10 --zone Mars
}
