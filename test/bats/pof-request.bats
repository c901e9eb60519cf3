# SPDX-License-Identifier: Apache-2.0
bats_require_minimum_version 1.5.0
load ../helper

setup() {
    cd "$BATS_TEST_TMPDIR"
    GRID=$ROOT/samples/cigre-mv.json
    pof-session --day 2026-03-10 --zone CET >sessions.jsonl
    pof-sim --make pods --grid "$GRID" --pods 60 >pods.jsonl
    pof-sim --make baselines --grid "$GRID" --pods 60 --day 2026-03-10 >baselines.jsonl
    request="pof-request --grid $GRID -q --session 2026-03-10-DA"
}

@test "records in any order, on one thread or two, from files or standard input: the same bytes" {
    $request -l limits sessions.jsonl pods.jsonl baselines.jsonl >want
    [ -s want ]
    [ -s limits ]
    cat baselines.jsonl pods.jsonl sessions.jsonl | sort -r | $request --threads 2 -l limits2 >got
    cmp want got
    cmp limits limits2
}

# base POD TIME P_W
base() {
    printf '{"schema":"pof.baseline/1","pod":"%s","start":"2026-03-10T%s:00Z","duration_s":900,"p_w":%s,"q_var":300000}\n' "$@"
}

# A market of six pods on both feeders: evening peaks, a surplus at 11:00.
make_market() {
    for p in A1:N1:5000000:1 A2:N2:0:700000 B1:N12:9000000:1 B2:N13:2000000:1 C1:N2:1:4000000 C2:N5:900000:900000; do
        IFS=: read -r pod node up down <<<"$p"
        printf '{"schema":"pof.pod/1","pod":"%s","node":"%s","aggregator":"A","kind":"other","p_up_max_w":%s,"p_down_max_w":%s}\n' \
            "$pod" "$node" "$up" "$down"
    done >p.jsonl
    for t in 17:00 17:15 17:30; do
        base A1 $t 22500000; base A2 $t 200000; base B1 $t 24000000; base B2 $t 2500000
        base C1 $t 1400000; base C2 $t 2600000
    done >b.jsonl
    { base C1 11:00 -6500000; base C2 11:00 100000; } >>b.jsonl
}

# outcomes of a session "earlier" from awards
outcomes() {
    jq -c '{schema: "pof.outcome/1", award: .id, session: "earlier", request, offer, pod, node, buyer, role, seller,
        direction, start, duration_s, p_awarded_w: .p_w, p_w, price_eur_mwh, decision: "accept"}' "$@"
}

@test "requests that were met in full are not asked again" {
    make_market
    $request sessions.jsonl p.jsonl b.jsonl >requests.jsonl
    [ "$(jq -r '"\(.branch) \(.direction)"' requests.jsonl | sort -u | paste -sd,)" = "L1-2 down,T0-1 up,T0-12 up" ]
    # Each request is spread over the pods behind its branch as pof-request assumes; no areas enclose
    # each other in this market.
    jq -c --slurpfile pods p.jsonl --slurpfile grid "$GRID" '
        def below($n): $n, ($grid[0].branches[] | select(.closed != false and .from == $n) | below(.to));
        . as $r | [below($grid[0].branches[] | select(.name == $r.branch).to)] as $area |
        [$pods[] | select(.node as $n | $area | index($n))] as $able |
        ([$able[] | if $r.direction == "up" then .p_up_max_w else .p_down_max_w end] | add) as $all |
        range(($r.start | fromdate); ($r.end | fromdate); 900) as $t | $able[] |
        (if $r.direction == "up" then .p_up_max_w else .p_down_max_w end) as $w | select($w > 0) |
        {id: "\($r.id)-\(.pod)-\($t)", request: $r.id, offer: "o", pod, node, buyer: "DSO", role: "dso",
         seller: .aggregator, direction: $r.direction, start: ($t | todate), duration_s: 900,
         p_w: ($r.p_w * $w / $all | ceil), price_eur_mwh: 1}' requests.jsonl | outcomes >outcomes.jsonl
    [ "$(wc -l <outcomes.jsonl)" -gt 10 ]
    $request sessions.jsonl p.jsonl b.jsonl outcomes.jsonl >again.jsonl
    [ ! -s again.jsonl ] || { head -n 3 again.jsonl; false; }
}

@test "nor when clearing met them where it was cheapest" {
    [ -x "$POF_BIN/pof-clear" ] || skip "no pof-clear yet"
    make_market
    for cheap in A1 A2 B1 B2 C1 C2; do
        # One pod after the other is the cheapest.
        { for d in up down; do
            printf '{"schema":"pof.pricerule/1","direction":"%s","price_eur_mwh":90}\n' $d
            printf '{"schema":"pof.pricerule/1","pod":"%s","direction":"%s","price_eur_mwh":9}\n' $cheap $d
        done; } >rules.jsonl
        $request -f -l limits.jsonl sessions.jsonl p.jsonl b.jsonl >requests.jsonl
        pof-offer -q --session 2026-03-10-DA sessions.jsonl p.jsonl b.jsonl rules.jsonl >offers.jsonl
        pof-clear -q --grid "$GRID" --session 2026-03-10-DA sessions.jsonl requests.jsonl offers.jsonl \
            limits.jsonl >awards.jsonl
        pof-validate -q --grid "$GRID" --session 2026-03-10-DA sessions.jsonl p.jsonl b.jsonl awards.jsonl \
            >verdicts.jsonl
        outcomes awards.jsonl >outcomes.jsonl
        $request sessions.jsonl p.jsonl b.jsonl outcomes.jsonl >again.jsonl
        [ -s awards.jsonl ] && [ ! -s again.jsonl ] || { echo $cheap; head -n 3 again.jsonl; false; }
    done
}

@test "a smaller share of the rating never asks less" {
    last=0
    for share in 1 0.9 0.8 0.7; do
        $request --max-loading $share sessions.jsonl pods.jsonl baselines.jsonl >r.jsonl
        sum=$(jq -s 'map(.p_w * ((.end | fromdate) - (.start | fromdate))) | add // 0' r.jsonl)
        [ "$sum" -ge "$last" ]
        last=$sum
    done
    [ "$last" -gt 0 ]
}

@test "there is a limit for every rated branch and quarter-hour, with room for every request" {
    $request -l limits sessions.jsonl pods.jsonl baselines.jsonl >requests.jsonl
    rated=$(jq '[.branches[] | select((.rating_a // .rating_va // .sn_va // 0) > 0 and (.closed != false))] | length' "$GRID")
    [ "$(wc -l <limits)" = $((rated * 96)) ]
    jq -e -s --slurpfile l limits 'all(.[]; . as $r | any($l[]; .branch == $r.branch and
        .start == $r.start and (if $r.direction == "up" then .p_up_w else .p_down_w end) >= $r.p_w))' \
        requests.jsonl
}

@test "outputs appear together and replace nothing without --force" {
    echo mine >limits
    run $request -l limits -o requests sessions.jsonl pods.jsonl baselines.jsonl
    [ "$status" = 73 ]
    [ ! -e requests ]
    [ "$(cat limits)" = mine ]
    $request -f -l limits -o requests sessions.jsonl pods.jsonl baselines.jsonl
    [ -s requests ]
    [ "$(wc -l <limits)" -gt 1 ]
}

@test "a missing baseline is a warning, and with --strict status 1" {
    sed 1d baselines.jsonl >fewer.jsonl
    pof-request --grid "$GRID" --session 2026-03-10-DA sessions.jsonl pods.jsonl fewer.jsonl >r 2>err
    grep -q "lack 1 baselines" err
    run pof-request --strict --grid "$GRID" --session 2026-03-10-DA sessions.jsonl pods.jsonl fewer.jsonl
    [ "$status" = 1 ]
}

@test "what is needed and not given is said" {
    run -2 pof-request sessions.jsonl
    [[ "$output" == *"--grid FILE is needed"* ]]
    run -65 pof-request --grid "$GRID" sessions.jsonl pods.jsonl
    [[ "$output" == *"--session says which"* ]]
    run -65 pof-request --grid "$GRID" --session 2026-03-11-DA sessions.jsonl
    [[ "$output" == *"no session record has the id '2026-03-11-DA'"* ]]
    run -66 pof-request --grid nowhere.json sessions.jsonl
}

@test "a meshed grid is refused by the name of the branch that closes the loop" {
    jq '(.branches[] | .closed) = true' "$GRID" >ring.json
    run -65 pof-request --grid ring.json --session 2026-03-10-DA sessions.jsonl pods.jsonl baselines.jsonl
    [[ "$output" == *"closes a loop"* ]]
}

@test "the long day of October has no id twice" {
    pof-session --day 2026-10-25 --zone CET >long.jsonl
    pof-sim --make baselines --grid "$GRID" --pods 60 --day 2026-10-25 >long-base.jsonl
    [ "$(wc -l <long-base.jsonl)" = 6000 ]
    pof-request -q --grid "$GRID" --session 2026-10-25-DA --max-loading 0.1 --margin 0.01 \
        long.jsonl pods.jsonl long-base.jsonl >r.jsonl || [ $? = 1 ]
    jq -r .id r.jsonl | sort | uniq -d >twice
    [ -s r.jsonl ]
    [ ! -s twice ]
    grep -q "+1\"" r.jsonl
}

# Outcomes that meet requests in full, spread over the pods behind their branch: meet GRID REQUESTS PODS
meet() {
    jq -c --slurpfile pods "$3" --slurpfile grid "$1" '
        def below($n): $n, ($grid[0].branches[] | select(.closed != false and .from == $n) | below(.to));
        . as $r | [below($grid[0].branches[] | select(.name == $r.branch).to)] as $area |
        [$pods[] | select(.node as $n | $area | index($n))] as $able |
        ([$able[] | if $r.direction == "up" then .p_up_max_w else .p_down_max_w end] | add) as $all |
        range(($r.start | fromdate); ($r.end | fromdate); 900) as $t | $able[] |
        (if $r.direction == "up" then .p_up_max_w else .p_down_max_w end) as $w | select($w > 0) |
        {id: "\($r.id)-\(.pod)-\($t)", request: $r.id, offer: "o", pod, node, buyer: "DSO", role: "dso",
         seller: .aggregator, direction: $r.direction, start: ($t | todate), duration_s: 900,
         p_w: ($r.p_w * $w / $all | ceil), price_eur_mwh: 1}' "$2" | outcomes
}

# Behind a transformer with taps: L2 (52 kVA) feeds N2 and, behind it, N3, N4 and N5, which ties may hang on N1 instead.
remedy_market() {
    jq -cn 'def line($n; $f; $t; $r): {name: $n, kind: "line", from: $f, to: $t, r_ohm: 0.0001, x_ohm: 0.0001, rating_va: $r};
        {schema: "pof.grid/1", name: "g", base_va: 100000, nodes: [{name: "hv", base_v: 20000, kind: "slack", v_set_pu: 1},
          ("bus", "N1", "N2", "N3", "N4", "N5" | {name: ., base_v: 400, v_min_pu: 0.9, v_max_pu: 1.1})],
         branches: [{name: "T", kind: "transformer", from: "hv", to: "bus", sn_va: 250000, uk_pct: 4, pk_w: 3000,
            tap: {pos: 0, min: -4, max: 4, neutral: 0, step_pct: 2.5}},
          line("L1"; "bus"; "N1"; 100000), line("L2"; "bus"; "N2"; 52000),
          ("3", "4", "5" | line("L\(.)"; "N2"; "N\(.)"; 100000), line("K\(.)"; "N1"; "N\(.)"; 100000) + {closed: false})]}' >g.json
    for n in 2:20000 3:10000 4:20000 5:30000; do
        printf '{"schema":"pof.pod/1","pod":"P%s","node":"N%s","aggregator":"A","kind":"household","p_up_max_w":%s,"p_down_max_w":1}\n' ${n%:*} ${n%:*} ${n#*:}
    done >pod
    for n in 2:20000 3:10000 4:20000 5:30000; do
        for t in 17:00 17:15; do base P${n%:*} $t ${n#*:} | sed 's/"q_var":300000/"q_var":0/'; done
    done >base
    jq -cn 'def move($n; $c): {name: "move N\($n)", cost_eur: $c, actions: [{branch: "L\($n)", closed: false}, {branch: "K\($n)", closed: true}]};
        {schema: "pof.remedies/1", remedies: [{name: "ring", cost_eur: 3, actions: [{branch: "K3", closed: true}]},
         {name: "island", cost_eur: 3, actions: [{branch: "L2", closed: false}]}, move(3; 2), move(4; 2.5), move(5; 4)]}' >remedies
    ask="pof-request -f -g g.json -s 2026-03-10-DA --remedies remedies sessions.jsonl pod base"
}

@test "remedies come first, in their order or at least cost; what they leave, met in full, is clean" {
    remedy_market
    pof-request -q -g g.json -s 2026-03-10-DA sessions.jsonl pod base | grep -q '"p_w":28'
    run -0 $ask --grid-out cured.json
    [[ "$output" == *"2 violations in 2 quarter-hours before remedies"* ]]
    [[ "$output" == *"remedy 'ring' (3 EUR) is not taken"* ]]
    [[ "$output" == *"remedy 'island' (3 EUR) is not taken"* ]]
    [[ "$output" == *"remedy 'move N3' (2 EUR) leaves 2 violations in 2 quarter-hours"* ]]
    [[ "$output" == *"remedy 'move N4' (2.5 EUR) leaves 0 violations in 0 quarter-hours"* ]]
    [[ "$output" == *"remedy 'move N5' (4 EUR) is not taken"* ]]
    # The power flow of the grid written says so too.
    [ -z "$(pof-request -q -g cured.json -s 2026-03-10-DA sessions.jsonl pod base)" ]
    run -0 $ask --remedy-rule cost --threads 2
    [[ "$output" == *"remedy 'move N3' (2 EUR) is not taken"* ]]
    [[ "$output" == *"remedy 'move N5' (4 EUR) leaves 0 violations"* ]]
    # One alone leaves 70 - 52 kW: asked for on the grid it makes, and clean when met.
    jq -c '.remedies |= .[0:3]' remedies >one
    pof-request -q -g g.json -s 2026-03-10-DA --remedies one --grid-out part.json sessions.jsonl pod base >r
    [ "$(jq -c '[.branch, .direction, (.p_w >= 18000 and .p_w < 18500)]' r)" = '["L2","up",true]' ]
    meet part.json r <(grep -v P3 pod) >met
    [ -z "$(pof-request -q -g part.json -s 2026-03-10-DA sessions.jsonl pod base met)" ]
}

@test "a tap cures a voltage; what remedies cannot be is told by its place" {
    remedy_market
    jq -c '(.nodes[] | select(.name == "N5")).v_min_pu = 0.998 | (.branches[] | select(.name == "L2")).rating_va = 0' g.json >v.json
    jq -cn '{schema: "pof.remedies/1", remedies: [{name: "down", actions: [{branch: "T", tap: 2}]}, {name: "up", actions: [{branch: "T", tap: -2}]}]}' >taps
    run -0 pof-request -g v.json -s 2026-03-10-DA --remedies taps --grid-out o.json sessions.jsonl pod base
    [[ "$output" == *"remedy 'down' (0 EUR) is not taken"* ]]
    [[ "$output" == *"remedy 'up' (0 EUR) leaves 0 violations"* ]]
    [ "$(jq '.branches[0].tap.pos' o.json)" = -2 ]
    while IFS='|' read -r action want; do
        echo "{\"schema\":\"pof.remedies/1\",\"remedies\":[{\"name\":\"a\",\"actions\":[$action]}]}" >bad
        run -65 pof-request -g g.json -s 2026-03-10-DA --remedies bad sessions.jsonl pod base
        [[ "$output" == *"bad:/remedies/0/actions"*"$want"* ]]
    done <<'END'
{"branch":"X","closed":true}|no branch 'X'
{"branch":"L2","tap":1}|no tap changer
{"branch":"T","tap":5}|not a position from -4 to 4
{"branch":"T","tap":0.5}|not a position
{"branch":"L2"}|one of tap and closed
|at least one action
END
    jq -c '.remedies = [range(0; 9) as $i | .remedies[2] | .name = "\($i)"]' remedies >nine
    run -65 pof-request -g g.json -s 2026-03-10-DA --remedies nine --remedy-rule cost sessions.jsonl pod base
    [[ "$output" == *"expected at most 8"* ]]
}

@test "at a quantile of the forecast error: met in full, so much more or less than forecast is clean; more is never less" {
    make_market
    band="--sigma all=0.05 --sigma other=0.1"
    last=0
    for p in 0.05 0.5 0.9; do
        $request --quantile $p $band sessions.jsonl p.jsonl b.jsonl >r$p.jsonl
        sum=$(jq -s 'map(.p_w * ((.end | fromdate) - (.start | fromdate))) | add // 0' r$p.jsonl)
        [ "$sum" -ge "$last" ]
        last=$sum
    done
    $request sessions.jsonl p.jsonl b.jsonl | cmp - r0.5.jsonl
    [ "$(wc -l <r0.9.jsonl)" -gt 2 ]
    meet "$GRID" r0.9.jsonl p.jsonl >met
    # The quantile of the normal distribution at 0.9 is 1.2815515...
    for side in 1:down -1:up; do
        jq -c ".p_w += (${side%:*} * 0.12815515 * (if .p_w < 0 then -.p_w else .p_w end) | floor)" b.jsonl >b2.jsonl
        $request sessions.jsonl p.jsonl b2.jsonl >without
        $request sessions.jsonl p.jsonl b2.jsonl met >with
        [ "$(jq -r .direction with | sort -u)" != "up" ] || [ "${side#*:}" = up ]
        not grep -q "\"direction\":\"$([ "${side#*:}" = up ] && echo down || echo up)\"" with
        [ -s without ]
    done
    run -2 $request --quantile 0.9 sessions.jsonl p.jsonl b.jsonl
    run -2 $request --quantile 1 $band sessions.jsonl p.jsonl b.jsonl
    run -2 $request --quantile 0.9 --sigma solar=1 sessions.jsonl p.jsonl b.jsonl
    [[ "$output" == *"is not a kind of pod"* ]]
}
