# SPDX-License-Identifier: Apache-2.0
load ../helper
load scd-story

setup() {
    cd "$BATS_TEST_TMPDIR"
    DB=s.db ROUNDS=25 BATCHES="1000000 1 333"
}

new_db() {
    rm -f s.db s.db-wal s.db-shm
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

@test "a late value counts from when it was known; what counted before is kept" {
    story_late
}

@test "export: the answers of query, with a descriptor that is true of every file; whole or not at all" {
    make_pods 7 >pods.jsonl
    make_day 7 30 >day.jsonl
    pof-scd -q $DB register pods.jsonl
    s=0; pof-scd -q $DB export none --pod P999 2>err || s=$?
    [ $s = 1 ]
    [ ! -e none ]
    pof-scd -q $DB load day.jsonl
    pof-scd -q $DB export set --from 2000-01-01T00:00Z
    [ "$(ls set | tr '\n' ' ')" = "datapackage.json measurements.csv pods.csv " ]
    pof-scd -q $DB query --format csv | cmp - set/measurements.csv
    pof-scd -q $DB query --what pods --format csv | cmp - set/pods.csv
    for i in 0 1; do
        file=set/$(jq -r ".resources[$i].path" set/datapackage.json)
        [ "$(jq -r ".resources[$i].hash" set/datapackage.json)" = "sha256:$(sha256sum <"$file" | cut -d' ' -f1)" ]
        [ "$(jq ".resources[$i].bytes" set/datapackage.json)" = "$(wc -c <"$file")" ]
        [ "$(jq -r "[.resources[$i].schema.fields[].name] | join(\",\")" set/datapackage.json)" = "$(head -n 1 "$file")" ]
        [ -z "$(jq -r ".resources[$i].schema.primaryKey[]" set/datapackage.json | grep -vxF "$(head -n 1 "$file" | tr , '\n')")" ]
    done
    jq -e '[.resources[].schema.fields[] | select(.name == "p_w")][0] | .type == "integer" and .unit == "W" and .constraints.required' set/datapackage.json
    pof-scd -q $DB export again --from 2000-01-01T00:00Z
    diff -r set again
    s=0; pof-scd -q $DB export set 2>err || s=$?
    [ $s = 73 ]
    s=0; (ulimit -f 4; trap '' XFSZ; pof-scd -q $DB export full 2>err) || s=$?
    [ $s = 74 ]
    [ ! -e full ]
    [ -z "$(ls -A | grep '^\.full')" ]
    s=0; pof-scd -q $DB export 2>err || s=$?
    [ $s = 2 ]
}

@test "forget drops whole days that are over, with their versions, and counts them" {
    story_forget
}

@test "a full disk is status 74; what was committed stays, and the load goes on later" {
    make_pods 50 >pods.jsonl
    make_day 50 400 >day.jsonl
    pof-scd -q s.db register pods.jsonl
    s=0; (trap '' XFSZ; ulimit -f 200; pof-scd -q s.db load --batch 2000 day.jsonl) 2>err || s=$?
    [ $s = 74 ] || { echo "status $s: $(cat err)"; false; }
    pof-scd s.db stat | grep -q '^measurements'
    pof-scd -q s.db load day.jsonl
    pof-scd s.db query | cmp - <(LC_ALL=C sort day.jsonl)
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

@test "the answer does not depend on time zone, locale or directory" {
    make_pods 3 | pof-scd -q s.db register
    make_day 3 96 | pof-scd -q s.db load
    pof-scd s.db query >want
    mkdir "a b" && cp s.db "a b/"
    TZ=Asia/Kolkata LC_ALL=tr_TR.UTF-8 pof-scd "a b/s.db" query | cmp - want
}

@test "a store that may only be read can be asked" {
    make_pods 1 | pof-scd -q s.db register
    make_day 1 4 | pof-scd -q s.db load
    chmod a-w s.db
    [ "$(pof-scd s.db query | wc -l)" = 4 ]
    [ "$(id -u)" = 0 ] || { s=0; make_day 1 5 | pof-scd s.db load 2>err || s=$?; [ $s = 77 ]; }
}

@test "a damaged file is not believed" {
    make_pods 200 | pof-scd -q s.db register
    make_day 200 96 | pof-scd -q s.db load
    size=$(stat -c %s s.db)
    dd if=/dev/urandom of=s.db bs=1 seek=$((size / 2)) count=3000 conv=notrunc 2>/dev/null
    s=0; pof-scd s.db query >out 2>err || s=$?
    [ $s = 65 ] && [ -s err ] || { echo "status $s $(cat err)"; false; }
}

@test "200,000 measurements through pof-ingest and load" {
    make_pods 250 | pof-scd -q s.db register
    make_day 250 800 >day.jsonl
    TIMEFORMAT='%U %S'
    { time pof-ingest -q day.jsonl >checked.jsonl; } 2>t.ingest
    { time pof-scd -q s.db load checked.jsonl; } 2>t.load
    { time pof-scd s.db query >out.jsonl; } 2>t.query
    cmp day.jsonl checked.jsonl
    LC_ALL=C sort day.jsonl | cmp - out.jsonl
    for t in ingest load query; do
        echo "# 200000 records, $t: $(awk '{ s = $1 + $2; printf "%.2f s of CPU, %.2f M/s", s, 0.2 / (s > 0 ? s : 0.01) }' t.$t)" >&3
    done
    [ "$(stat -c %s s.db)" -lt 4000000 ] # 20 bytes a quarter-hour at the most
}
