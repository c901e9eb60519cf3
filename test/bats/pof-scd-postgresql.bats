# SPDX-License-Identifier: Apache-2.0
# The stories of pof-scd over a private PostgreSQL server, and what only a server can do.
load ../helper
load scd-story

setup_file() {
    PLACE=$(mktemp -u /tmp/pof-pg-XXXXXX) # the user who runs the server must reach it
    s=0
    SERVER=$("$ROOT/test/postgresql.sh" start "$PLACE" -c fsync=off 2>"$BATS_FILE_TMPDIR/err") || s=$?
    [ $s = 0 ] || [ $s = 77 ] || { cat "$BATS_FILE_TMPDIR/err" >&2; return 1; }
    export SERVER PLACE
}

teardown_file() {
    [ -z "$SERVER" ] || "$ROOT/test/postgresql.sh" stop "$PLACE"
}

setup() {
    [ -n "$SERVER" ] || skip "$(head -n 1 "$BATS_FILE_TMPDIR/err")"
    cd "$BATS_TEST_TMPDIR"
    n=0 ROUNDS=10 BATCHES="1000000 60 333"
    new_db
}

# Each story has a database of its own.
new_db() {
    n=$((n + 1))
    DB=$SERVER/t${BATS_TEST_NUMBER}_$n
    psql -q "$SERVER/postgres" -c "CREATE DATABASE t${BATS_TEST_NUMBER}_$n"
}

@test "what goes in comes out, in order of pod and start" {
    story_in_out
}

@test "registering and loading again changes nothing, not a byte of the answers" {
    story_again
}

@test "shuffled lines and other batches give the same bytes" {
    story_shuffled
}

@test "kill -9 at any moment leaves a whole database; started again, it goes on to the same bytes" {
    story_killed
}

@test "a second writer waits, then says that it is locked: status 75" {
    story_second_writer
}

@test "query: bounds, pods, nodes, aggregators, each alone and together" {
    story_bounds
}

@test "a pod that registers after its data were kept gets them" {
    story_later
}

@test "a late value counts from when it was known; what counted before is kept" {
    story_late
}

@test "forget drops whole days that are over, with their versions, and counts them" {
    story_forget
}

@test "SQL clients see a row a quarter-hour, with the numbers of the records" {
    make_pods 3 | pof-scd -q "$DB" register
    make_day 3 200 >day.jsonl
    # Values that need every width of a column, and columns that are not always there.
    cat >odd.jsonl <<'END'
{"schema":"pof.measurement/1","pod":"P00001","start":"2026-04-01T00:00:00Z","duration_s":900,"p_w":-1000000000000,"q_var":70000,"quality":"suspect"}
{"schema":"pof.measurement/1","pod":"P00001","start":"2026-04-01T12:15:00Z","duration_s":900,"p_w":1000000000000}
{"schema":"pof.measurement/1","pod":"P00001","start":"2026-04-01T23:45:00Z","duration_s":900,"p_w":1,"q_var":-9,"v_mv":230000,"source":"x","seq":9007199254740991}
{"schema":"pof.setpoint/1","pod":"P00002","start":"2026-04-01T06:00:00Z","duration_s":900,"p_w":500,"change_w":-250,"session":"2026-04-01-DA","aggregator":"A2"}
{"schema":"pof.baseline/1","pod":"P00002","start":"2026-04-01T06:00:00Z","duration_s":900,"p_w":750}
END
    pof-scd -q "$DB" load day.jsonl odd.jsonl
    psql -qAt "$DB" -c "SET timezone=UTC" -c "SELECT pod, to_char(start, 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"'), duration_s, p_w, q_var, v_mv, quality, source, seq FROM pof.measurement WHERE layer = 0 ORDER BY 1, 2" >rows
    pof-scd "$DB" query | jq -r '[.pod, .start, .duration_s, .p_w, .q_var, .v_mv, .quality, .source, .seq] | map(. // "" | tostring) | join("|")' | cmp - rows
    [ "$(psql -qAt "$DB" -c "SELECT p_w, change_w, session, aggregator FROM pof.setpoint")" = "500|-250|2026-04-01-DA|A2" ]
    [ "$(psql -qAt "$DB" -c "SELECT p_w, q_var IS NULL FROM pof.baseline")" = "750|t" ]
}

@test "what a server refuses is said in a word, with its status" {
    expect() { # expect STATUS WORD ADDRESS COMMAND
        s=0; pof-scd "$3" "$4" </dev/null >out 2>err || s=$?
        [ "$s" = "$1" ] && grep -q "$2" err && [ "$(wc -l <err)" = 1 ] || { echo "status $s: $(cat err)"; return 1; }
    }
    expect 65 "is empty; 'register' makes a store" "$DB" query
    expect 66 "does not exist" "$SERVER/nowhere" register
    expect 2 "must not hold a password" "postgresql://u:secret@host/db" query
    not grep -q secret err
    expect 2 "must not hold a password" "postgresql://u@host/db?password=secret" query
    expect 2 "not an address" "postgresql://[::1/db" query
    expect 69 "Connection refused\|No such file" "postgresql://%2Fnonexistent/db" query
    psql -q "$SERVER/postgres" -c "CREATE DATABASE latin ENCODING 'LATIN1' TEMPLATE template0 LOCALE 'C'"
    expect 78 "encoding LATIN1, expected UTF8" "$SERVER/latin" register
    psql -q "$DB" -c "CREATE SCHEMA pof"
    expect 65 "another program" "$DB" register
    psql -q "$DB" -c "DROP SCHEMA pof" -c "CREATE ROLE reader LOGIN"
    pof-scd -q "$DB" register </dev/null
    expect 77 "SQLSTATE 42501" "${DB/pof@/reader@}" query
    psql -q "$DB" -c "GRANT USAGE ON SCHEMA pof TO reader" -c "GRANT SELECT ON ALL TABLES IN SCHEMA pof TO reader"
    pof-scd "${DB/pof@/reader@}" query
    s=0; make_pods 1 | pof-scd "${DB/pof@/reader@}" register 2>err || s=$?
    [ $s = 77 ]
    grep -q "SQLSTATE 42501" err
}

@test "a service file says where, so that the address need not" {
    printf '[lab]\nhost=%s\nuser=pof\ndbname=%s\n' "$PLACE" "${DB##*/}" >service
    make_pods 2 | PGSERVICEFILE=$PWD/service pof-scd -q "postgresql://?service=lab" register
    [ "$(pof-scd "$DB" query --what pods | wc -l)" = 2 ]
}

@test "a server that dies under a load: status 69, a whole store; the load goes on later" {
    make_pods 40 | pof-scd -q "$DB" register
    make_day 40 300 >day.jsonl
    head -n 3000 day.jsonl | pof-scd -q "$DB" load
    mkfifo slow
    pof-scd -q "$DB" load --batch 1000 <slow 2>err & pid=$!
    exec 9>slow
    head -n 8000 day.jsonl >&9
    "$ROOT/test/postgresql.sh" restart "$PLACE"
    tail -n +8001 day.jsonl >&9 || true
    exec 9>&-
    s=0; wait $pid || s=$?
    [ $s = 69 ] && [ -s err ] || { echo "status $s: $(cat err)"; false; }
    [ -z "$(LC_ALL=C comm -23 <(pof-scd "$DB" query) <(LC_ALL=C sort day.jsonl))" ]
    pof-scd -q "$DB" load day.jsonl
    pof-scd "$DB" query | cmp - <(LC_ALL=C sort day.jsonl)
}
