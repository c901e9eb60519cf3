# SPDX-License-Identifier: Apache-2.0
# pof-se: readings in, states out, and a word on how good they are.
load ../helper

setup_file() {
    load ../helper
    export G=$ROOT/samples/cigre-mv.json T=$BATS_FILE_TMPDIR
    pof-sim --make pods --grid "$G" --pods 60 -q >"$T/pods"
    pof-sim --make measurements --grid "$G" --pods 60 --day 2026-03-10 -q >"$T/meters"
    pof-pf --grid "$G" -q --readings "$T/exact" -o "$T/truth" "$T/pods" "$T/meters"
    pof-pf --grid "$G" -q --noise --readings "$T/noisy" -o "$T/truth2" "$T/pods" "$T/meters"
    pof-se --grid "$G" -q --report "$T/report" -o "$T/state" "$T/exact"
}

setup() {
    cd "$BATS_TEST_TMPDIR"
}

# far A B: the largest difference of voltages (p.u.) and angles (rad) of nodes between two states.
far() {
    for f in "$1" "$2"; do
        jq -r 'select(.element == "node") | [.start + .name, .v_pu, (.angle_deg // 0) * 0.017453292519943295] | @tsv' "$f" | sort
    done >both
    sort -s -k1,1 both | awk '
        function abs(x) { return x < 0 ? -x : x }
        $1 == name { n++; d = abs($2 - v); if (d > m) m = d; d = abs($3 - a); if (d > m) m = d }
        { name = $1; v = $2; a = $3 }
        END { if (!n) exit 1; print m + 0 }'
}

within() {
    awk -v x="$1" -v most="$2" 'BEGIN { exit !(x <= most) }'
}

@test "exact readings of every sample grid give back the power flow within 1e-8" {
    for grid in "$ROOT"/samples/*.json; do
        jq -e '.schema == "pof.grid/1"' "$grid" >/dev/null || continue
        pof-sim --make pods --grid "$grid" --pods 40 -q >pods
        pof-sim --make measurements --grid "$grid" --pods 40 -q \
            --from 2026-03-10T17:00:00Z --until 2026-03-10T19:00:00Z >meters
        pof-pf --grid "$grid" -q -f --readings exact -o truth pods meters
        pof-se --grid "$grid" -q -f -o state exact
        d=$(far truth state)
        echo "# ${grid##*/}: largest difference $d p.u. or rad" >&3
        within "$d" 1e-8
    done
}

@test "every quarter-hour has every node and branch, in order, and a report" {
    [ "$(wc -l <"$T/state")" = $((96 * 32)) ]
    [ "$(wc -l <"$T/report")" = 96 ]
    jq -r .start "$T/state" | sort -c
    [ "$(jq -r .status "$T/report" | sort -u)" = converged ]
}

@test "the order of lines, the form of the input and --stream change no byte" {
    shuf --random-source=<(yes) "$T/exact" | pof-se --grid "$G" -q >shuffled
    cmp shuffled "$T/state"
    pof-se --grid "$G" -q --stream "$T/exact" >streamed
    cmp streamed "$T/state"
    jq -r '["node", "branch"] as $x | [.element, .name, .end, .start, .quantity, .value, .sigma] | @csv' \
        "$T/exact" | head -n 71 | sed '1i element,name,end,start,quantity,value,sigma' >in.csv
    head -n 71 "$T/exact" | pof-se --grid "$G" -q >first
    pof-se --grid "$G" -q in.csv >csv
    cmp csv first
}

@test "instants do not depend on each other" {
    grep -h '2026-03-10T12:00:00Z' "$T/exact" | pof-se --grid "$G" -q >alone
    grep -h '2026-03-10T12:00:00Z' "$T/state" | cmp - alone
}

@test "the dense solver gives the same state" {
    grep -h 'T1[0-3]:' "$T/noisy" >some
    pof-se --grid "$G" -q some >sparse || [ $? = 1 ]
    pof-se --grid "$G" -q --solver dense some >dense || [ $? = 1 ]
    within "$(far sparse dense)" 1e-8
}

@test "noise: the state is near the truth, about one instant in ten is suspected" {
    s=0; pof-se --grid "$G" -q --report report -o state "$T/noisy" || s=$?
    [ $s -le 1 ]
    within "$(far state "$T/truth2")" 0.02
    suspected=$(jq -r 'select(.detail) | .start' report | wc -l)
    [ "$suspected" -lt 24 ]
    [ $s = 1 ] || [ "$suspected" = 0 ]
}

@test "true values lie within the deviations that are given" {
    pof-se --grid "$G" -q -o state "$T/noisy" || [ $? = 1 ]
    # of 1440 voltages 95 % should be within two standard deviations; neighbours are correlated
    jq -r -s '(map(select(.element == "node")) | map({key: (.start + .name), value: .}) | from_entries) as $m |
        $m | length' state >count
    [ "$(cat count)" = 1440 ]
    for f in state "$T/truth2"; do
        jq -r 'select(.element == "node") | [.start + .name, .v_pu, .sd_v_pu // 0] | @tsv' "$f" | sort >"$(basename "$f").tsv"
    done
    join state.tsv truth2.tsv | awk '{ n++; d = $2 - $4; if (d < 0) d = -d; in2 += d <= 2 * $3 }
        END { print in2 / n; exit !(in2 / n > 0.85) }'
}

@test "meters of all pods and a few readings make the whole grid known" {
    pof-pf --grid "$G" -q --readings-set scada --readings few -o truth "$T/pods" "$T/meters"
    s=0; pof-se --grid "$G" -q -o none few 2>err || s=$?
    # of what is observable there is a state, of the rest none
    [ $s = 1 ]
    grep -q '"N1"' none
    not grep -q '"N5"' none
    grep -h '"node"' truth | grep -v -e '"N[4-9]"' -e '"N1[014]"' >near
    within "$(far none near)" 1e-7
    pof-se --grid "$G" few 2>err >/dev/null || true
    grep -q "cannot be observed: .*would do: p and q of branch" err
    # with 60 pods some nodes have none: nothing is known of them unless it is assumed
    s=0; pof-se --grid "$G" few "$T/pods" "$T/meters" 2>err >none || s=$?
    [ $s = 1 ]
    [ "$(wc -l <none)" -lt $((96 * 32)) ]
    pof-se --grid "$G" -q --pseudo 30 --pseudo-load 0 few "$T/pods" "$T/meters" >state
    within "$(far state truth)" 1e-7
}

@test "a lying meter is found, named, and left out when asked" {
    grep -h '2026-03-10T12:00:00Z' "$T/exact" |
        jq -c 'if .name == "N5" and .quantity == "p" then .value *= 3 else . end' >lie
    s=0; pof-se --grid "$G" --report report -o state lie 2>err || s=$?
    [ $s = 1 ]
    grep -q "p of node 'N5' is off" err
    [ "$(jq -r .lnr_reading report)" = "p of node 'N5'" ]
    [ "$(wc -l <state)" = 32 ]
    pof-se --grid "$G" --remove-bad -f -o state lie 2>err
    grep -q "left out: p of node 'N5'" err
    grep -h '2026-03-10T12:00:00Z' "$T/truth" >truth
    within "$(far state truth)" 1e-8
    s=0; pof-se --grid "$G" --remove-bad --strict -f -o state lie 2>err || s=$?
    [ $s = 1 ]
}

@test "a pod that was measured but never registered is refused by name" {
    head -n 3 "$T/meters" >m
    s=0; pof-se --grid "$G" m "$T/exact" >out 2>err || s=$?
    [ $s = 65 ]
    [ ! -s out ]
    grep -q "pod 'P0000001' is measured but not registered" err
}

@test "two different measurements of a pod at one instant are refused, equal ones count once" {
    s=0; cat "$T/pods" "$T/meters" "$T/meters" "$T/exact" | pof-se --grid "$G" -q >twice || s=$?
    cat "$T/pods" "$T/meters" "$T/exact" | pof-se --grid "$G" -q >once || true
    [ $s -le 1 ]
    cmp once twice
    sed '1s/"p_w":/"p_w":1/' "$T/meters" >other
    s=0; pof-se --grid "$G" "$T/pods" "$T/meters" other >out 2>err || s=$?
    [ $s = 65 ]
    grep -q "two measurements of one instant" err
}

@test "old readings stand in with --age-limit, in a stream as in a file, and are counted" {
    grep -h 'T1[0-2]:[0-9]*:00Z' "$T/noisy" >quarters
    for m in 05 10; do
        sed "s/T\(1[0-2]\):00:00Z/T\1:$m:00Z/" quarters | grep ":$m:00Z" | grep '"v"'
    done >often
    jq -s -c 'sort_by(.start)[]' quarters often >both
    pof-se --grid "$G" -q --age-limit 900 --report aged -o file both || [ $? = 1 ]
    pof-se --grid "$G" -q --age-limit 900 --stream -f --report aged2 -o stream both || [ $? = 1 ]
    cmp file stream
    cmp aged aged2
    [ "$(jq -r 'select(.start | test(":05:")) | .status' aged | sort -u)" = converged ]
    [ "$(jq -r 'select(.start | test(":05:")) | .oldest_s' aged | sort -u)" = 300 ]
    [ "$(jq -r 'select(.start | test(":10:")) | .oldest_s' aged | sort -u)" = 600 ]
    [ "$(jq -r 'select(.start == "2026-03-10T10:00:00Z") | .aged // 0' aged)" = 0 ]
    # old readings make the state less certain, not more
    jq -r 'select(.name == "N5" and .element == "node") | [.start, .sd_p_w] | @tsv' file |
        awk '/T10:00/ { fresh = $2 } /T10:10/ { exit !($2 > fresh) }'
}

@test "a long stream with --age-limit needs no more memory than a short one" {
    [ "$VARIANT" != asan ] || skip "the sanitizer keeps what is freed"
    for hours in 1 8; do
        awk -v n=$((hours * 360)) 'BEGIN { for (i = 0; i < n; i++)
            printf "{\"schema\":\"pof.reading/1\",\"element\":\"node\",\"name\":\"N%d\",\"start\":\"2026-03-10T%02d:%02d:%02dZ\",\"quantity\":\"v\",\"value\":20000,\"sigma\":100}\n",
                1 + i % 14, i / 360, i / 6 % 60, 10 * (i % 6) }' >long
        command time -f %M -o rss pof-se --grid "$G" -q --pseudo 30 --stream --age-limit 600 -f -o out long || [ $? = 1 ]
        tail -n 1 rss >rss.$hours
    done
    echo "# KiB: $(cat rss.1) and $(cat rss.8)" >&3
    awk -v a="$(cat rss.1)" -v b="$(cat rss.8)" 'BEGIN { exit !(b < 1.1 * a + 500) }'
}

@test "nobody reads half of the grid: assumed, allocated from the feeder heads, marked and counted" {
    grep -h '2026-03-10T12:00:00Z' "$T/exact" | grep -v -e '"N[5-9]"' -e '"N1[01]"' |
        grep -v -e '"L[4-9]-' -e '"L1[01]-' >some
    s=0; pof-se --grid "$G" -q -o part some || s=$?
    [ $s = 1 ]
    pof-se --grid "$G" -q --pseudo 30 -f --report report -o all some || [ $? = 1 ]
    pof-se --grid "$G" -q --pseudo 30 --allocate -f --report allocated -o all some || [ $? = 1 ]
    [ "$(jq .pseudo report)" -gt 8 ]
    # the heads' flows are in the assumptions already
    awk -v a="$(jq .objective allocated)" -v b="$(jq .objective report)" 'BEGIN { exit !(a < b) }'
}

@test "a lie does not move robust estimates" {
    grep -h '2026-03-10T12:00:00Z' "$T/exact" |
        jq -c 'if .name == "N5" and .quantity == "p" then .value *= 3 else . end' >lie
    grep -h '2026-03-10T12:00:00Z' "$T/truth" >truth
    for e in wls huber lav; do
        pof-se --grid "$G" -q --estimator $e -o $e lie || [ $? = 1 ]
        far truth $e >$e.off
    done
    echo "# off by $(cat wls.off) (wls), $(cat huber.off) (huber), $(cat lav.off) (lav)" >&3
    awk -v w="$(cat wls.off)" -v h="$(cat huber.off)" -v l="$(cat lav.off)" \
        'BEGIN { exit !(h < w / 10 && l < w / 1000) }'
}

@test "tap positions are found over a day and held" {
    jq '(.branches[] | select(.name == "T0-1")).tap_pct = 2.5' "$G" >moved.json
    pof-pf --grid moved.json -q --noise --readings r -o truth "$T/pods" "$T/meters"
    pof-se --grid "$G" -q --estimate-taps --tap-step 1.25 --doubts taps -o state r || [ $? = 1 ]
    [ "$(jq -r 'select(.branch == "T0-1") | .found' taps)" = 2 ]
    [ "$(jq -r 'select(.branch == "T0-12") | .found' taps)" = 0 ]
    jq -s -e '.[0].confidence_pct > 99 and .[0].instants <= 32' taps
    within "$(far state truth)" 0.03
}

@test "exact readings of each phase give back a three-phase power flow within 1e-9" {
    grid=$ROOT/samples/lv-4wire.json
    pof-pf --grid "$grid" --phases 3 -q --readings exact -o truth
    pof-se --grid "$grid" --phases 3 -q -o state exact
    for f in truth state; do
        jq -c '.name += "/" + (.phase // "")' $f >$f.abc
    done
    [ "$(jq -s '[.[] | select(.element == "node")] | length' state)" = 36 ]
    off=$(far truth.abc state.abc)
    echo "# off by $off" >&3
    within "$off" 1e-9
    run pof-se --grid "$grid" exact
    [ "$status" -ne 0 ] # readings of phases are not of a balanced estimate
    run pof-se --grid "$grid" --phases 3 --estimate-taps exact
    [ "$status" -eq 2 ]
    [[ "$output" == *"without --phases 3"* ]]
}

# What an instant gives depends on it and on the first of its run alone.
@test "any number of threads gives the same bytes, from readings in any order" {
    # a run in which an instant is off, a reading that is not always there, a switch that moves
    for h in 00 01 02 03 04 05 06 07 08 09 10; do
        grep "\"2026-03-10T$h:00:00Z\"" "$T/noisy" | awk -v h="$h" '!(h % 4 == 3 && NR == 5)'
    done >series
    branch=$(jq -r '[.branches[] | select(.kind == "switch")][0].name // .branches[-1].name' "$G")
    for h in 04 09; do
        [ "$h" = 04 ] && v=0 || v=1
        echo "{\"schema\":\"pof.reading/1\",\"element\":\"branch\",\"name\":\"$branch\",\"start\":\"2026-03-10T$h:00:00Z\",\"quantity\":\"closed\",\"value\":$v,\"sigma\":0}"
    done >>series
    for threads in 1 2 3; do
        s=0
        pof-se --grid "$G" -q --threads $threads --report "report.$threads" series \
            >"state.$threads" 2>"err.$threads" || s=$?
        [ "$s" -le 1 ]
    done
    [ "$(jq -s 'length' report.1)" -eq 11 ]
    [ -s state.1 ]
    for threads in 2 3; do
        cmp state.1 "state.$threads"
        cmp report.1 "report.$threads"
        cmp err.1 "err.$threads"
    done
    shuf --random-source=<(yes) series | pof-se --grid "$G" -q --threads 2 2>err.s >shuffled || [ $? -eq 1 ]
    cmp shuffled state.1
}
