# SPDX-License-Identifier: Apache-2.0
load ../helper

setup() {
    cd "$BATS_TEST_TMPDIR"
}

# make_pods N; make_day PODS QUARTERS: measurements in order of time, all fields, the same every time.
make_pods() {
    awk -v n="$1" 'BEGIN { for (p = 0; p < n; p++) printf "{\"schema\":\"pof.pod/1\",\"pod\":\"P%05d\",\"node\":\"N%d\",\"aggregator\":\"A%d\",\"kind\":\"household\",\"p_up_max_w\":3000,\"p_down_max_w\":2000}\n", p, p % 7, p % 3 }'
}
make_day() {
    awk -v n="$1" -v q="$2" 'BEGIN { for (s = 0; s < q; s++) for (p = 0; p < n; p++)
        printf "{\"schema\":\"pof.measurement/1\",\"pod\":\"P%05d\",\"start\":\"2026-03-%02dT%02d:%02d:00Z\",\"duration_s\":900,\"p_w\":%d,\"q_var\":%d,\"source\":\"m%05d\",\"seq\":%d}\n", p, 1 + int(s / 96), int(s / 4) % 24, s % 4 * 15, (p * 7919 + s * 104729) % 9000 - 1500, (p * 31 + s) % 500, p, s }'
}

@test "what goes in comes out, in order of pod and start" {
    make_pods 20 | pof-scd -q s.db register
    make_day 20 100 >day.jsonl
    pof-scd -q s.db load day.jsonl
    pof-scd s.db query >out.jsonl
    LC_ALL=C sort day.jsonl | cmp - out.jsonl
}

@test "registering and loading again changes nothing, not a byte of the answers" {
    make_pods 5 >pods.jsonl
    make_day 5 96 >day.jsonl
    pof-scd -q s.db register pods.jsonl && pof-scd -q s.db load day.jsonl
    pof-scd s.db query --revision all >before
    pof-scd s.db register pods.jsonl 2>err && grep -q "0 pods new, 0 updated, 5 unchanged" err
    pof-scd s.db load day.jsonl day.jsonl 2>err && grep -q "960 records: 0 new, 960 unchanged" err
    pof-scd s.db query --revision all | cmp - before
}

@test "shuffled lines and other batches give the same bytes" {
    make_pods 10 >pods.jsonl
    make_day 10 200 >day.jsonl
    for how in 1000000 1 333; do
        rm -f s.db
        shuf --random-source=<(yes $how) pods.jsonl | pof-scd -q s.db register
        shuf --random-source=<(yes $how) day.jsonl | pof-scd -q s.db load --batch $how --now 2026-03-11T00:00Z
        { pof-scd s.db query; pof-scd s.db query --what pods; pof-scd s.db stat --gaps; } >out.$how
        [ ! -e out.1000000 ] || cmp out.$how out.1000000
    done
}

@test "kill -9 at any moment leaves a whole database; started again, it goes on to the same bytes" {
    make_pods 40 >pods.jsonl
    make_day 40 300 >day.jsonl
    pof-scd -q whole.db register pods.jsonl && pof-scd -q whole.db load day.jsonl
    pof-scd whole.db query --revision all >want
    killed=0
    for i in $(seq 1 25); do
        if [ $((i % 5)) = 1 ]; then pof-scd -q s.db register pods.jsonl & else
            # Fed slowly, so that the blow falls between and within its commits.
            pof-scd -q s.db load --batch 700 < <(head -n $((i * 480)) day.jsonl; sleep 0.03; tail -n +$((i * 480 + 1)) day.jsonl) 2>err &
        fi
        sleep "0.0$((i * 7 % 9 + 1))"
        kill -9 $! 2>/dev/null && killed=$((killed + 1))
        wait $! 2>/dev/null || true
        s=0; pof-scd s.db query >part 2>err || s=$?
        [ $s = 0 ] || { [ $s -ge 65 ] && [ $s -le 66 ] && [ ! -s part ]; } || { echo "$s $(cat err)"; false; }
        # All that is there is right.
        [ -z "$(LC_ALL=C comm -23 part <(LC_ALL=C sort day.jsonl))" ]
    done
    echo "# killed $killed of 25" >&3
    [ $killed -ge 5 ]
    pof-scd -q s.db register pods.jsonl && pof-scd -q s.db load day.jsonl
    pof-scd s.db query --revision all | cmp - want
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
    make_pods 2 >pods.jsonl
    make_day 2 4 >day.jsonl
    pof-scd -q s.db register pods.jsonl
    mkfifo slow
    pof-scd -q s.db register slow & # holds the database while it waits for its input
    exec 9>slow
    sleep 0.2
    s=0; pof-scd s.db load day.jsonl 2>err || s=$?
    [ $s = 75 ] && grep -q "try again" err || { echo "$s $(cat err)"; false; }
    pof-scd s.db query --what pods | wc -l | grep -qx 2 # readers do not wait
    exec 9>&-
    wait
    pof-scd -q s.db load day.jsonl
}

@test "query: bounds, pods, nodes, aggregators, each alone and together" {
    make_pods 30 | pof-scd -q s.db register
    make_day 30 96 | pof-scd -q s.db load
    [ "$(pof-scd s.db query --pod P00003 | wc -l)" = 96 ]
    [ "$(pof-scd s.db query --pod P00003 -p P00001 -p P00003 | wc -l)" = 192 ]
    [ "$(pof-scd s.db query --from 2026-03-01T06:00Z --until 2026-03-01T06:15Z | wc -l)" = 30 ]
    [ "$(pof-scd s.db query --from 2026-03-01T06:00:01Z --until 2026-03-01T06:15Z | wc -l)" = 0 ]
    [ "$(pof-scd s.db query --from 2026-03-01T23:45Z | wc -l)" = 30 ]
    [ "$(pof-scd s.db query --from 2026-03-02T00:00Z | wc -l)" = 0 ]
    [ "$(pof-scd s.db query --area N1 --until 2026-03-01T00:15Z | jq -r .pod | tr '\n' ' ')" = "P00001 P00008 P00015 P00022 P00029 " ]
    [ "$(pof-scd s.db query --area N1 -a N2 --aggregator A2 --what pods | jq -r .pod | tr '\n' ' ')" = "P00002 P00008 P00023 P00029 " ]
    [ "$(pof-scd s.db query --what pods -A A0 -A A1 | wc -l)" = 20 ]
}

@test "a pod that registers after its data were kept gets them" {
    make_day 1 2 >day.jsonl
    pof-scd -q s.db register </dev/null
    s=0; pof-scd s.db load day.jsonl 2>err || s=$?
    [ $s = 65 ] && grep -q "day.jsonl:1:pod: pod 'P00000' is not registered" err
    pof-scd -q s.db load --unknown keep day.jsonl
    [ "$(pof-scd s.db query --what pods | wc -l)" = 0 ]
    [ "$(pof-scd s.db query --area N0 | wc -l)" = 0 ]
    [ "$(pof-scd s.db query | wc -l)" = 2 ]
    make_pods 1 | pof-scd s.db register 2>err && grep -q "1 pods new" err
    [ "$(pof-scd s.db query --area N0 | wc -l)" = 2 ]
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
