# SPDX-License-Identifier: Apache-2.0
# What pof-scd does with any database: stories for its bats files, told over $DB. Each bats file says what
# new_db does: make $DB a database that does not exist yet, or is empty; how often story_killed kills
# (ROUNDS) and which --batch story_shuffled tries (BATCHES, 1000000 first).
# shellcheck shell=bash disable=SC2154,SC2153

# make_pods N; make_day PODS QUARTERS: measurements in order of time, all fields, the same every time.
make_pods() {
    awk -v n="$1" 'BEGIN { for (p = 0; p < n; p++) printf "{\"schema\":\"pof.pod/1\",\"pod\":\"P%05d\",\"node\":\"N%d\",\"aggregator\":\"A%d\",\"kind\":\"household\",\"p_up_max_w\":3000,\"p_down_max_w\":2000}\n", p, p % 7, p % 3 }'
}
make_day() {
    awk -v n="$1" -v q="$2" 'BEGIN { for (s = 0; s < q; s++) for (p = 0; p < n; p++)
        printf "{\"schema\":\"pof.measurement/1\",\"pod\":\"P%05d\",\"start\":\"2026-03-%02dT%02d:%02d:00Z\",\"duration_s\":900,\"p_w\":%d,\"q_var\":%d,\"source\":\"m%05d\",\"seq\":%d}\n", p, 1 + int(s / 96), int(s / 4) % 24, s % 4 * 15, (p * 7919 + s * 104729) % 9000 - 1500, (p * 31 + s) % 500, p, s }'
}

story_in_out() {
    make_pods 20 | pof-scd -q "$DB" register
    make_day 20 100 >day.jsonl
    pof-scd -q "$DB" load day.jsonl
    pof-scd "$DB" query >out.jsonl
    LC_ALL=C sort day.jsonl | cmp - out.jsonl
}

story_again() {
    make_pods 5 >pods.jsonl
    make_day 5 96 >day.jsonl
    pof-scd -q "$DB" register pods.jsonl && pof-scd -q "$DB" load day.jsonl
    pof-scd "$DB" query --revision all >before
    pof-scd "$DB" register pods.jsonl 2>err && grep -q "0 pods new, 0 updated, 5 unchanged" err
    pof-scd "$DB" load day.jsonl day.jsonl 2>err && grep -q "960 records: 0 new, 960 unchanged" err
    pof-scd "$DB" query --revision all | cmp - before
}

story_shuffled() {
    make_pods 10 >pods.jsonl
    make_day 10 200 >day.jsonl
    for how in $BATCHES; do
        new_db
        shuf --random-source=<(yes $how) pods.jsonl | pof-scd -q "$DB" register
        shuf --random-source=<(yes $how) day.jsonl | pof-scd -q "$DB" load --batch $how --now 2026-03-11T00:00Z
        { pof-scd "$DB" query; pof-scd "$DB" query --what pods; pof-scd "$DB" stat --gaps; } >out.$how
        [ ! -e out.1000000 ] || cmp out.$how out.1000000
    done
}

story_killed() {
    make_pods 40 >pods.jsonl
    make_day 40 300 >day.jsonl
    pof-scd -q whole.db register pods.jsonl && pof-scd -q whole.db load day.jsonl
    pof-scd whole.db query --revision all >want
    killed=0
    for i in $(seq 1 "$ROUNDS"); do
        if [ $((i % 5)) = 1 ]; then pof-scd -q "$DB" register pods.jsonl & else
            # Fed slowly, so that the blow falls between and within its commits.
            pof-scd -q "$DB" load --batch 700 < <(head -n $((i * 480)) day.jsonl; sleep 0.03; tail -n +$((i * 480 + 1)) day.jsonl) 2>err &
        fi
        sleep "0.0$((i * 7 % 9 + 1))"
        kill -9 $! 2>/dev/null && killed=$((killed + 1))
        wait $! 2>/dev/null || true
        s=0; pof-scd "$DB" query >part 2>err || s=$?
        [ $s = 0 ] || { [ $s -ge 65 ] && [ $s -le 66 ] && [ ! -s part ]; } || { echo "$s $(cat err)"; false; }
        # All that is there is right.
        [ -z "$(LC_ALL=C comm -23 part <(LC_ALL=C sort day.jsonl))" ]
    done
    echo "# killed $killed of $ROUNDS" >&3
    [ $killed -ge $((ROUNDS / 5)) ]
    pof-scd -q "$DB" register pods.jsonl && pof-scd -q "$DB" load day.jsonl
    pof-scd "$DB" query --revision all | cmp - want
}

story_second_writer() {
    make_pods 2 >pods.jsonl
    make_day 2 4 >day.jsonl
    pof-scd -q "$DB" register pods.jsonl
    mkfifo slow
    pof-scd -q "$DB" register slow & # holds the database while it waits for its input
    exec 9>slow
    sleep 0.2
    s=0; pof-scd "$DB" load day.jsonl 2>err || s=$?
    [ $s = 75 ] && grep -q "try again" err || { echo "$s $(cat err)"; false; }
    pof-scd "$DB" query --what pods | wc -l | grep -qx 2 # readers do not wait
    exec 9>&-
    wait
    pof-scd -q "$DB" load day.jsonl
}

story_bounds() {
    make_pods 30 | pof-scd -q "$DB" register
    make_day 30 96 | pof-scd -q "$DB" load
    [ "$(pof-scd "$DB" query --pod P00003 | wc -l)" = 96 ]
    [ "$(pof-scd "$DB" query --pod P00003 -p P00001 -p P00003 | wc -l)" = 192 ]
    [ "$(pof-scd "$DB" query --from 2026-03-01T06:00Z --until 2026-03-01T06:15Z | wc -l)" = 30 ]
    [ "$(pof-scd "$DB" query --from 2026-03-01T06:00:01Z --until 2026-03-01T06:15Z | wc -l)" = 0 ]
    [ "$(pof-scd "$DB" query --from 2026-03-01T23:45Z | wc -l)" = 30 ]
    [ "$(pof-scd "$DB" query --from 2026-03-02T00:00Z | wc -l)" = 0 ]
    [ "$(pof-scd "$DB" query --area N1 --until 2026-03-01T00:15Z | jq -r .pod | tr '\n' ' ')" = "P00001 P00008 P00015 P00022 P00029 " ]
    [ "$(pof-scd "$DB" query --area N1 -a N2 --aggregator A2 --what pods | jq -r .pod | tr '\n' ' ')" = "P00002 P00008 P00023 P00029 " ]
    [ "$(pof-scd "$DB" query --what pods -A A0 -A A1 | wc -l)" = 20 ]
}

story_later() {
    make_day 1 2 >day.jsonl
    pof-scd -q "$DB" register </dev/null
    s=0; pof-scd "$DB" load day.jsonl 2>err || s=$?
    [ $s = 65 ] && grep -q "day.jsonl:1:pod: pod 'P00000' is not registered" err
    pof-scd -q "$DB" load --unknown keep day.jsonl
    [ "$(pof-scd "$DB" query --what pods | wc -l)" = 0 ]
    [ "$(pof-scd "$DB" query --area N0 | wc -l)" = 0 ]
    [ "$(pof-scd "$DB" query | wc -l)" = 2 ]
    make_pods 1 | pof-scd "$DB" register 2>err && grep -q "1 pods new" err
    [ "$(pof-scd "$DB" query --area N0 | wc -l)" = 2 ]
}

story_late() {
    make_pods 2 | pof-scd -q "$DB" register
    make_day 2 96 >day.jsonl
    pof-scd -q "$DB" load --now 2026-03-02T00:00Z day.jsonl
    sed -n '57s/"p_w":[-0-9]*/"p_w":77/p' day.jsonl | sed 's/"seq":[0-9]*/"seq":9000/' >late.jsonl
    pof-scd "$DB" load --now 2026-03-05T00:00Z late.jsonl 2>err && grep -q "1 revised" err
    pod=$(jq -r .pod late.jsonl) start=$(jq -r .start late.jsonl)
    pof-scd "$DB" query --pod "$pod" --from "$start" | head -n 1 | cmp - late.jsonl
    pof-scd "$DB" query --pod "$pod" --from "$start" --known-at 2026-03-04T00:00Z | head -n 1 | cmp - <(sed -n 57p day.jsonl)
    pof-scd "$DB" query --revision all --pod "$pod" --from "$start" | head -n 2 | cmp - <(sed -n 57p day.jsonl; cat late.jsonl)
    pof-scd "$DB" stat | grep -q "^measurements .* records=192 revisions=1 "
}

story_forget() {
    make_pods 3 | pof-scd -q "$DB" register
    make_day 3 250 >day.jsonl # two days of 96 quarter-hours and 58 of a third
    pof-scd -q "$DB" load --now 2026-03-04T00:00Z day.jsonl
    sed -n '1s/"p_w":[-0-9]*/"p_w":77/p' day.jsonl | sed 's/"seq":[0-9]*/"seq":9000/' | pof-scd -q "$DB" load
    s=0; pof-scd "$DB" forget 2>err || s=$?
    [ $s = 2 ] && grep -q "forget needs --before" err
    pof-scd "$DB" forget --before 2026-03-02T23:59Z 2>err
    grep -q "before 2026-03-02T00:00:00Z: 3 days of pods forgotten, 288 quarter-hours and 1 older" err || { cat err; false; }
    LC_ALL=C sort day.jsonl | grep -v '"2026-03-01T' | cmp - <(pof-scd "$DB" query --revision all)
    pof-scd "$DB" forget --before 2026-03-02T23:59Z 2>err && grep -q " 0 days of pods" err
    pof-scd -q "$DB" forget --before 9999-12-31T00:00Z
    [ "$(pof-scd "$DB" query | wc -l) $(pof-scd "$DB" query --what pods | wc -l)" = "0 3" ]
}
