#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The market engine is exact: test/exact.sh [RESULTS [EVERY]]
# 1. 500 random sessions (trees, both directions, requests, blocks, links, groups) in the library, each
#    equal to GLPK's mixed-integer solver to the unit, and those without blocks (market_clear) to its linear one;
# 2. RESULTS (500) random sessions of such orders through the programs, by all rules in turn: every result
#    passes pof-verify, its shares, reasons, answers and reserves pass pof-audit, and it costs with the tree
#    method what it costs with GLPK;
# 3. of every EVERY-th (19) result each field of one line of each file, changed by one unit, one letter
#    or to another word: pof-verify refuses all of them.
# Ends with one line of figures; passed is the number of changed results that were verified.
set -eu
ROOT=$(cd "$(dirname "$0")/.." && pwd)
BUILD=$ROOT/build/${VARIANT:-release}
export PATH="$BUILD/bin:$PATH" LC_ALL=C
results=${1:-500}
every=${2:-19}
grid=$ROOT/samples/cigre-mv.json
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

market() {
    awk -v seed="$1" 'BEGIN {
        srand(seed); n = 6 + int(rand() * 25); nq = 1 + int(rand() * 4)
        split("12:00 12:15 12:30 12:45 13:00", t, " "); split("L3-4 L9-10 L3-8 T0-12 L1-2 L4-5", area, " ")
        split("N10 N11;N8 N7 N9 N10 N11;N14 N12 N13;N6 N5;N13", list, ";")
        day = "2026-03-10T"
        printf "{\"schema\":\"pof.session/1\",\"id\":\"S\",\"kind\":\"day_ahead\",\"day\":\"2026-03-10\",\"opens\":\"2026-03-09T12:30:00Z\",\"gate\":\"2026-03-09T15:00:00Z\",\"clear_by\":\"2026-03-09T16:00:00Z\",\"validate_by\":\"2026-03-09T16:30:00Z\",\"final_by\":\"2026-03-09T17:00:00Z\",\"start\":\"%s12:00:00Z\",\"end\":\"%s%s:00Z\"}\n", day, day, t[nq + 1]
        for (i = 0; i < n; i++) {
            a = 1 + int(rand() * nq); b = a + 1 + int(rand() * (nq + 1 - a)); p = 1 + int(rand() * 90)
            kind = rand(); more = ""
            if (kind < 0.2) more = sprintf(",\"min_w\":%d", 1 + int(rand() * p))
            else if (kind < 0.45) { more = sprintf(",\"block\":\"b%d\"", i); had[++blocks] = i }
            if (kind >= 0.2 && rand() < 0.15) more = more ",\"group\":\"g\""
            if (kind >= 0.2 && blocks > 1 && rand() < 0.15) more = more sprintf(",\"parent\":\"b%d\"", had[1 + int(rand() * (blocks - 1))])
            if (more !~ /block/ && rand() < 0.3) more = more sprintf(",\"max_active_s\":%d,\"rest_s\":%d,\"max_activations\":%d", 900 * (1 + int(rand() * 2)), 900 * int(rand() * 2), 1 + int(rand() * 2))
            if (rand() < 0.3) more = more sprintf(",\"received\":\"2026-03-09T14:%02d:00Z\"", int(rand() * 60))
            printf "{\"schema\":\"pof.offer/1\",\"id\":\"o%d\",\"session\":\"S\",\"seller\":\"s\",\"pod\":\"p%d\",\"node\":\"N%d\",\"direction\":\"%s\",\"start\":\"%s%s:00Z\",\"end\":\"%s%s:00Z\",\"p_w\":%d,\"price_eur_mwh\":%d%s}\n", i, i, 1 + int(rand() * 14), rand() < 0.6 ? "up" : "down", day, t[a], day, t[b], p, 20 * int(rand() * 6), more
        }
        for (i = 0; i < 1 + n / 4; i++) {
            kind = int(rand() * 4)
            where = kind == 0 ? "" : kind == 3 ? sprintf("\"nodes\":\"%s\",", list[1 + int(rand() * 5)]) : kind == 1 ? sprintf("\"branch\":\"%s\",", area[1 + int(rand() * 6)]) : sprintf("\"node\":\"N%d\",", 1 + int(rand() * 14))
            top = rand() < 0.6 ? sprintf(",\"price_limit_eur_mwh\":%d", 20 * int(rand() * 10)) : ""
            if (i % 3 == 0) top = top ",\"reserve_permille\":300"
            printf "{\"schema\":\"pof.request/1\",\"id\":\"r%d\",\"session\":\"S\",\"buyer\":\"B%d\",\"role\":\"%s\",%s\"direction\":\"%s\",\"start\":\"%s12:00:00Z\",\"end\":\"%s%s:00Z\",\"p_w\":%d%s}\n", i, i % 2, i % 2 ? "dso" : "tso", where, rand() < 0.6 ? "up" : "down", day, day, t[2 + int(rand() * nq)], 1 + int(rand() * 200), top
        }
        for (i = 1; i <= 6; i++)
            if (rand() < 0.7)
                printf "{\"schema\":\"pof.limit/1\",\"branch\":\"%s\",\"start\":\"%s12:00:00Z\",\"duration_s\":%d,\"p_up_w\":%d,\"p_down_w\":%d}\n", area[i], day, 900 * nq, int(rand() * 60), int(rand() * 60)
    }' >market
}

# Every field of a record changed alone; one mutant a line.
mutants() {
    jq -c 'def letter: .[0:-1] + (if .[-1:] == "0" then "1" elif .[-1:] == "1" then "2" else "0" end);
        def other: {up: "down", down: "up", dso: "tso", tso: "dso", request: "counter",
            counter: "request", below: "own", own: "below"}[.];
        def micro(d): ((. * 1000000 | round) + d) / 1000000;
        def ways($k):
            if $k == "start" then fromdate | (. + 900, . - 900) | todate
            elif ($k | IN("direction", "role", "why", "scope")) then other
            elif ($k | test("_eur(_mwh)?$")) then micro(1), micro(-1)
            elif type == "number" then . + 1, . - 1
            else letter end;
        . as $r | keys_unsorted[] | select(. != "schema") as $k
        | ($r[$k] | ways($k)) as $v | $r + {($k): $v}' <<<"$1" | sed 's/1e-06/0.000001/'
}

refused=0
# refuse FILE LINE OTHER ...: whatever one changes in a line is refused; 65: it is not even a record.
refuse() {
    local mutant status
    while IFS= read -r mutant; do
        status=0
        { head -n $(($2 - 1)) "$1"; echo "$mutant"; tail -n +$(($2 + 1)) "$1"; } |
            pof-verify "${by[@]}" market "${@:3}" - >/dev/null 2>&1 || status=$?
        [ $status = 1 ] || [ $status = 65 ] || { echo "not ok seed $seed, status $status: $mutant"; exit 1; }
        refused=$((refused + 1))
    done < <(mutants "$(sed -n "$2p" "$1")")
}

# by_rules SEED: options for the rules of a session; whatever one role after the other is, is another test.
by_rules() {
    local prices=(pay_as_bid uniform zonal nodal) ties=(time lottery pro_rata) singles=(ignore as_bid)
    local tie=${ties[$(($1 / 4 % 3))]} seeded=
    [ "$tie" = lottery ] && seeded=',"seed":"tomorrow"'
    printf '{"schema":"pof.rules/1","name":"of a test","price":"%s","tie":"%s"%s,"single_seller":"%s"}\n' \
        "${prices[$(($1 % 4))]}" "$tie" "$seeded" "${singles[$(($1 / 12 % 2))]}" >rules
    printf '{"schema":"pof.price_zone/1","branch":"%s","zone":"%s"}\n' L3-8 ring T0-12 ring L9-10 leaf >>rules
    by=(-q -r rules -g "$grid")
}

milp=$("$BUILD/test/prop/market_block") || { echo "$milp"; exit 1; }
lp=$("$BUILD/test/prop/market_clear") || { echo "$lp"; exit 1; }
awards=0
blocks=0
unsolved=0
for seed in $(seq 1 "$results"); do
    market "$seed"
    by_rules "$seed"
    if ! pof-clear "${by[@]}" -f --budget 100000 --prices prices --served served --reserve reserve \
        --report report -o awards market; then
        echo "not ok seed $seed: pof-clear gives no result"
        unsolved=$((unsolved + 1))
        continue
    fi
    said=$(pof-verify "${by[@]}" market awards prices served report)
    pof-explain "${by[@]}" -f -o why market awards prices
    pof-explain "${by[@]}" -f --answers -o answers market awards prices
    pof-audit "${by[@]}" --answers market awards prices why answers reserve >/dev/null
    pof-clear -q -f --budget 100000 --method lp -g "$grid" --report again -o /dev/null market
    [ "$(jq .cost_eur report)" = "$(jq .cost_eur again)" ] && [ "$(jq .gap_ppm report)" = 0 ]
    awards=$((awards + $(wc -l <awards)))
    [ "$said" = optimal ] || blocks=$((blocks + 1))
    if [ $((seed % every)) != 0 ] || [ ! -s awards ]; then
        continue
    fi
    for file in awards prices served; do
        mapfile -t others < <(printf '%s\n' awards prices served | grep -vx $file)
        refuse $file $((1 + seed % $(wc -l <$file))) "${others[@]}"
    done
done
echo "exact milp_equal=$(sed -n 's/^ok [0-9]* - *//; /proven optimal/s/.* on \([0-9]*\) sessions.*/\1/p' <<<"$milp")" \
    "results=$results with_blocks=$blocks awards=$awards unsolved=$unsolved verified=$((results - unsolved))" \
    "audited=$((results - unsolved)) mutants=$refused passed=0"
[ $unsolved = 0 ]
