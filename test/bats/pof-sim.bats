# SPDX-License-Identifier: Apache-2.0
load ../helper
bats_require_minimum_version 1.5.0

setup() {
    cd "$BATS_TEST_TMPDIR"
    grid=$ROOT/test/golden/pof-sim/pods/in.grid.json
    from=2026-03-10T17:00:00Z
    until=2026-03-10T17:15:00Z
}

# KiB of the largest resident memory of a command, measured by a small parent; its output is thrown
# away. (A large parent would be counted too: until exec a child has its memory.)
peak_kib() {
    rm -f log
    pof-log --flow flow1 --reference x --log log -- "$@" >/dev/null
    sed -n 's/.*"rss_kib":\([0-9]*\).*/\1/p' log | tail -n 1
}

@test "memory does not grow with the number of pods" {
    # 3000: enough to fill the output buffer once
    [ "${VARIANT:-release}" != asan ] || skip "the sanitizer keeps freed memory"
    for make in pods measurements availabilities; do
        small=$(peak_kib pof-sim --grid "$grid" --make $make --pods 3000 --from $from --until $until)
        large=$(peak_kib pof-sim --grid "$grid" --make $make --pods 150000 --from $from --until $until)
        [ "$large" -le $((small + 512)) ] || { echo "$make: $small KiB, $large KiB"; false; }
    done
}

@test "the same seed gives the same bytes, another does not" {
    pof-sim --grid "$grid" --make measurements --day 2026-03-10 --seed 3 >a
    pof-sim --grid "$grid" --make measurements --day 2026-03-10 --seed 3 --threads 2 >b
    pof-sim --grid "$grid" --make measurements --day 2026-03-10 --seed 4 >c
    cmp a b
    not cmp -s a c
    [ "$(wc -l <a)" = 9600 ]
}

@test "the forecast of a winter working day peaks at the rating, whatever the number" {
    for n in 12 200 1000; do
        pof-sim --grid "$grid" --make baselines --day 2026-01-14 --pods $n --format csv |
            awk -F, 'NR > 1 { sum[$2] += $4 } END { for (t in sum) if (sum[t] > max) max = sum[t]; print max }' >max
        awk '{ exit !($1 > 999000 && $1 < 1001000) }' max || { echo "$n: $(cat max)"; false; }
    done
    pof-sim --grid "$grid" --make baselines --day 2026-01-14 --peak 0.5 --format csv |
        awk -F, 'NR > 1 { sum[$2] += $4 } END { for (t in sum) if (sum[t] > max) max = sum[t]; exit !(max > 499500 && max < 500500) }'
}

@test "days of 92 and 100 quarter-hours" {
    [ "$(pof-sim --grid "$grid" --make baselines --day 2026-03-29 --pods 12 | wc -l)" = $((12 * 92)) ]
    [ "$(pof-sim --grid "$grid" --make baselines --day 2026-10-25 --pods 12 | wc -l)" = $((12 * 100)) ]
}

@test "a pod asked by a set point moves, in any order of the set points" {
    pof-sim --grid "$grid" --pods 200 >pods
    jq -c --arg t "$from" 'select(.kind == "battery") | {schema: "pof.setpoint/1", pod, start: $t, duration_s: 900, p_w: 0,
        change_w: -.p_up_max_w, session: "S", aggregator}' pods >setpoints
    sort -r setpoints >turned
    pof-sim --grid "$grid" --pods 200 --make measurements --from $from --until $until setpoints >with
    pof-sim --grid "$grid" --pods 200 --make measurements --from $from --until $until turned | cmp - with
    pof-sim --grid "$grid" --pods 200 --make measurements --from $from --until $until >without
    sum() { jq -s 'map(.p_w) | add' "$1"; }
    asked=$(jq -s 'map(.change_w) | add' setpoints)
    moved=$(($(sum with) - $(sum without)))
    [ $((moved * 100 / asked)) -ge 70 ] && [ $((moved * 100 / asked)) -le 105 ] || { echo "$moved of $asked"; false; }
    # Nobody else does.
    grep -vFf <(jq -r .pod setpoints) with | cmp - <(grep -vFf <(jq -r .pod setpoints) without)
}

@test "owners never lend more than the forecast leaves" {
    pof-sim --grid "$grid" --pods 300 >pods
    pof-sim --grid "$grid" --pods 300 --make baselines --day 2026-06-10 >base
    pof-sim --grid "$grid" --pods 300 --make availabilities --day 2026-06-10 >lent
    [ "$(wc -l <lent)" = 7200 ]
    jq -s 'map({key: .pod, value: .kind}) | from_entries' pods >kinds
    jq -s 'group_by(.pod + .start[0:13]) | map({key: (.[0].pod + .[0].start[0:13]), value: {min: (map(.p_w) | min), max: (map(.p_w) | max)}}) | from_entries' base >hours
    jq -c --slurpfile k kinds --slurpfile h hours 'select(.p_up_w > 0 or .p_down_w > 0) | . as $a | $h[0][.pod + .start[0:13]] as $f |
        if $k[0][.pod] == "pv" then select(.p_up_w > 0 or .p_down_w > -$f.max)
        elif $k[0][.pod] == "battery" then empty
        else select(.p_up_w > $f.min) end' lent >wrong
    [ ! -s wrong ] || { head -n 3 wrong; false; }
    [ "$(jq -s 'map(select(.p_down_w > 0)) | length' lent)" -gt 1000 ]
}

@test "requests are made for the session asked for, within its window" {
    pof-session --day 2026-03-10 >sessions
    pof-sim --grid "$grid" --make requests sessions >all
    pof-sim --grid "$grid" --make requests --session 2026-03-10-DA sessions >da
    [ -s da ]
    [ "$(wc -l <da)" -lt "$(wc -l <all)" ]
    jq -e -s 'all(.session == "2026-03-10-DA" and .role == "tso" and .start >= "2026-03-09T23:00:00Z" and .end <= "2026-03-10T23:00:00Z")' da
    [ "$(jq -r .id da | sort | uniq -d | wc -l)" = 0 ]
    run -65 pof-sim --grid "$grid" --make requests --session nowhere sessions
    [[ "$output" == *"session 'nowhere' is not in the input"* ]]
}

@test "wrong usage is said" {
    run -2 pof-sim
    run -2 pof-sim --grid "$grid" --make baselines
    run -2 pof-sim --grid "$grid" --make baselines --day 2026-13-01
    run -2 pof-sim --grid "$grid" --make baselines --day 2026-03-10 --from 2026-03-10T00:07:00Z
    run -2 pof-sim --grid "$grid" --pods 11
    run -2 pof-sim --grid "$grid" --make pods sessions.jsonl
    run -66 pof-sim --grid nowhere.json
}
