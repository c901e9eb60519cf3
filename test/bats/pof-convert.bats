# SPDX-License-Identifier: Apache-2.0
# pof-convert: formats by content, nothing dropped in silence, the same power flow.
load ../helper
bats_require_minimum_version 1.5.0

setup() {
    cd "$BATS_TEST_TMPDIR"
    G=$ROOT/samples/cigre-mv.json
}

# Largest difference of node voltages between two state files.
apart() {
    paste <(jq -r '.v_pu // empty' "$1") <(jq -r '.v_pu // empty' "$2") |
        awk '{ d = $1 - $2; if (d < 0) d = -d; if (d > m) m = d } END { print NR ? m : 1 }'
}

@test "a grid document stays what it is, byte for byte the second time" {
    pof-convert "$G" >a
    pof-convert a >b
    pof-convert <a >c
    cmp a b
    cmp a c
    pof-pf -q --grid "$G" -o s1
    pof-pf -q --grid a -o s2
    cmp s1 s2
}

@test "formats are found by content, through any chain the power flow is the same" {
    pof-convert "$G" | jq -c '.nodes |= map(if .rated_w then .p_w = .rated_w * 0.8 | .q_var = .rated_w * 0.2 else . end)' >loaded.json
    pof-convert -q --to raw loaded.json >x
    pof-convert -q --to matpower x >y
    pof-convert -q y >z
    for g in loaded x y z; do
        [ $g = loaded ] && cp loaded.json loaded
        pof-convert -q $g -o $g.json -f
        pof-pf -q --grid $g.json -o $g.state
        [ "$(apart loaded.state $g.state | awk '{ print ($1 < 1e-10) }')" = 1 ]
    done
    head -c 8 y | grep -q function
}

@test "what a format cannot hold is said; --strict makes it status 1; --quiet drops it" {
    run --separate-stderr pof-convert --to raw "$G"
    [ "$status" = 0 ]
    [[ $stderr == *"nodes whose rated_w is left out: 13"* ]]
    run --separate-stderr pof-convert --to raw --strict "$G"
    [ "$status" = 1 ]
    run --separate-stderr pof-convert --to raw -q "$G"
    [ -z "$stderr" ]
}

@test "names of nodes survive RAW" {
    pof-convert -q --to raw "$G" | pof-convert -q >back
    [ "$(jq -c '[.nodes[].name]' back)" = "$(jq -c '[.nodes[].name]' "$G")" ]
    [ "$(jq -c '[.branches[] | select(.kind == "transformer").name]' back)" = '["T0-1","T0-12"]' ]
}

@test "loads become ratings" {
    jq '.nodes[3].p_w = 1000 | .nodes[3].q_var = 5 | .nodes[4].p_w = -7' "$G" >g
    run --separate-stderr pof-convert --loads rated g
    [ "$status" = 0 ]
    [ "$(jq -c '.nodes[3] | [.p_w, .q_var, .rated_w]' <<<"$output")" = "[null,null,502700]" ]
    [ "$(jq -c '.nodes[4].p_w' <<<"$output")" = -7 ]
}

@test "usage: one operand, a study case only with a directory, what a directory lacks" {
    run pof-convert "$G" "$G"
    [ "$status" = 2 ]
    run pof-convert --study-case hL "$G"
    [ "$status" = 2 ]
    mkdir empty
    run pof-convert empty
    [ "$status" = 65 ]
    [[ $output == *"Node.csv"* ]]
}

@test "a single-phase case becomes a three-phase grid of the same p.u. voltages" {
    need_data grids/matpower/case533mt_hi.m
    pof-convert -q --per-phase "$POF_DATA/grids/matpower/case533mt_hi.m" >g
    [ "$(jq -c '[.base_va, .nodes[0].base_v, .nodes[1].base_v]' g)" = "[50000000,135000,12000]" ]
    pof-pf -q --grid g -o s
    tail -n +2 "$POF_DATA/grids/matpower/case533mt_hi.pf.csv" | cut -d, -f3 >want
    paste <(jq -r '.v_pu // empty' s) want |
        awk '{ d = $1 - $2; if (d < 0) d = -d; if (d > 1e-8) bad = 1 } END { exit bad || NR != 533 }'
    # Losses of all three phases: 3 x 0.175124 MW.
    jq -s -e '(map(select(.element == "branch") | .p_w + .p_to_w) | add - 525372 | fabs) < 5' s
}
