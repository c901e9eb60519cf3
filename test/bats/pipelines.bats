# SPDX-License-Identifier: Apache-2.0
# The pipelines as a whole: a day comes to the same bytes, however often it is killed, on any number
# of threads; one day-ahead and six real-time sessions; sums that balance.
load ../helper

setup_file() {
    load ../helper
    export ONE=$BATS_FILE_TMPDIR/one
    QUIET=1 "$ROOT/pipelines/market-day" --pods 24 "$ONE"
}

day() { QUIET=1 "$ROOT/pipelines/market-day" --pods 24 "$@"; }

@test "a day has seven sessions, and in each of them what it needs" {
    [ "$(ls -d "$ONE"/2026-03-10-* | wc -l)" = 7 ]
    for s in "$ONE"/2026-03-10-*; do
        for f in requests offers limits awards verdicts outcomes unmet carry setpoints; do
            [ -e "$s/$f.jsonl" ] || { echo "$s has no $f"; false; }
        done
    done
    [ "$(cat "$ONE"/*/awards.jsonl | wc -l)" -gt 0 ]
    [ -s "$ONE/settlement.jsonl" ]
}

@test "every award has one verdict and one outcome" {
    for s in "$ONE"/2026-03-10-*; do
        [ "$(jq -r .id "$s/awards.jsonl" | sort)" = "$(jq -r .award "$s/verdicts.jsonl" | sort)" ]
        [ "$(jq -r .id "$s/awards.jsonl" | sort)" = "$(jq -r .award "$s/outcomes.jsonl" | sort)" ]
    done
}

@test "statements add up to zero, and every measurement is settled against the ledger" {
    [ "$(jq -s 'map(.net_eur * 1000000 | round) | add' "$ONE/statements.jsonl")" = 0 ]
    pof-certify verify -q "$ONE/ledger" "$ONE"/certified/*.jsonl
    [ "$(cat "$ONE"/meters/*.checked | wc -l)" = $((24 * 96)) ]
    sort "$ONE"/meters/*.checked >"$BATS_TEST_TMPDIR/a"
    sort "$ONE"/certified/*-meters-*.jsonl | cmp - "$BATS_TEST_TMPDIR/a"
}

@test "every flow of the document is in the log" {
    for f in 0 1 2 3 4 5 6 7 7b 8; do
        grep -q "\"flow\":\"flow$f\"" "$ONE/events.jsonl" || { echo "flow$f"; false; }
    done
}

@test "a second run, on two threads, has the same bytes" {
    day --threads 2 "$BATS_TEST_TMPDIR/two"
    diff "$ONE/digests" "$BATS_TEST_TMPDIR/two/digests"
}

@test "another seed has other bytes" {
    day --seed 2 "$BATS_TEST_TMPDIR/other"
    not cmp -s "$ONE/digests" "$BATS_TEST_TMPDIR/other/digests"
}

@test "killed again and again and started again: the same bytes, the ledger whole" {
    d=$BATS_TEST_TMPDIR/killed
    for after in 0.15 0.3 0.2 0.5 0.4 0.7 0.6 0.9; do
        QUIET=1 timeout --signal=KILL "$after" setsid -w "$ROOT/pipelines/market-day" --pods 24 "$d" \
            >/dev/null 2>&1 || true
        pkill -KILL -f "market-day --pods 24 $d" || true
        pkill -KILL -f "$d/" || true
    done
    day "$d"
    diff "$ONE/digests" "$d/digests"
}

@test "a folder of one market is not used for another" {
    run day --seed 5 "$ONE"
    [ "$status" = 2 ]
    [[ $output == *"another market day"* ]]
}

@test "replay makes days in parallel, skips what is done, and a day alone is the same" {
    r=$BATS_TEST_TMPDIR/r
    QUIET=1 "$ROOT/pipelines/replay" --days 2 --from 2026-03-28 --pods 12 "$r"
    first=$(sha256sum <"$r/digests")
    [ "$(jq -r .start "$r/2026-03-29/baselines.jsonl" | sort -u | wc -l)" = 92 ]
    QUIET=1 "$ROOT/pipelines/replay" --days 2 --from 2026-03-28 --pods 12 "$r"
    [ "$first" = "$(sha256sum <"$r/digests")" ]
    QUIET=1 "$ROOT/pipelines/market-day" --pods 12 --seed 2 --day 2026-03-29 "$BATS_TEST_TMPDIR/alone"
    cmp "$BATS_TEST_TMPDIR/alone/digests" "$r/2026-03-29/digests"
}

@test "reproduce is content with the sample day and names what differs" {
    run "$ROOT/pipelines/reproduce"
    [ "$status" = 0 ]
    sed '3s/^......../00000000/; 5d' "$ROOT/samples/market-day.digests" >"$BATS_TEST_TMPDIR/changed"
    run "$ROOT/pipelines/reproduce" "$BATS_TEST_TMPDIR/changed"
    [ "$status" = 1 ]
    [[ $output == *"differs: "* && $output == *"new: "* ]]
}

@test "session refuses to run before the sessions it builds on" {
    mkdir -p "$BATS_TEST_TMPDIR/d"
    cp "$ONE/market.conf" "$ONE/sessions.jsonl" "$BATS_TEST_TMPDIR/d/"
    run "$ROOT/pipelines/session" "$BATS_TEST_TMPDIR/d" 2026-03-10-RT1
    [ "$status" = 2 ]
    [[ $output == *"comes before"* ]]
}

@test "a session runs as cron calls it: in the folder of days, by its id alone" {
    cd "$BATS_TEST_TMPDIR"
    cp -r "$ONE" 2026-03-10
    rm -r 2026-03-10/2026-03-10-DA
    mkdir 2026-03-10/2026-03-10-DA
    cp "$ONE/2026-03-10-DA/tso.jsonl" 2026-03-10/2026-03-10-DA/
    line=$(pof-session --cron | grep -e '-DA"')
    [[ $line == *"pipelines/session "* ]]
    QUIET=1 "$ROOT/pipelines/session" 2026-03-10-DA
    for f in requests offers awards verdicts outcomes carry; do
        cmp "$ONE/2026-03-10-DA/$f.jsonl" "2026-03-10/2026-03-10-DA/$f.jsonl"
    done
}
