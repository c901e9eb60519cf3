# SPDX-License-Identifier: Apache-2.0
# pof-export: records for databases and for people, none lost on the way.
load ../helper

setup_file() {
    load ../helper
    export T=$BATS_FILE_TMPDIR
    pof-pf --grid "$ROOT/samples/cigre-mv.json" -q --at 2026-03-10T10:00:00Z -o "$T/state" </dev/null
    pof-sim --make measurements --grid "$ROOT/samples/cigre-mv.json" --pods 30 --day 2026-03-10 -q >"$T/meters"
}

setup() {
    cd "$BATS_TEST_TMPDIR"
}

@test "as many points as records, and a note that says so" {
    pof-export "$T/meters" >json 2>note
    [ "$(wc -l <json)" = $((96 * 30)) ]
    grep -q "2880 records in, 2880 out" note
    pof-export -q --to line "$T/meters" >line
    [ "$(wc -l <line)" = $((96 * 30)) ]
    pof-export -q --batch "$T/meters" | jq -e '.metrics | length == 2880' >/dev/null
}

@test "Telegraf JSON holds every number of the record" {
    pof-export -q "$T/state" | jq -c '.fields + .tags + {start: (.timestamp | todate)}' | jq -cS . >points
    jq -cS 'del(.schema)' "$T/state" | cmp - points
}

@test "a table read back is the same, whatever comes of it" {
    pof-export -q --to table "$T/state" >table
    for form in telegraf line table; do
        pof-export -q --to $form "$T/state" >direct
        pof-export -q --to $form --from table table >through
        cmp direct through
    done
}

@test "columns of a table stand under their names" {
    pof-export -q --to table "$T/state" | awk '
        NR == 2 { at = index($0, "name"); v = index($0, "v_pu") + 3 }
        NR > 2 { if (substr($0, at - 1, 1) != " " || substr($0, at, 1) == " ") exit 1
                 if (substr($0, v, 1) == " " || substr($0, v + 1, 1) != " ") exit 1 }'
}

@test "several tables of different types become one stream of points" {
    pof-export -q --to table "$T/state" >a
    head -n 10 "$T/meters" | pof-export -q --to table >b
    pof-export -q --from table a b | jq -r .name | sort | uniq -c | tr -s ' ' >counts
    printf ' 10 measurement\n 32 state\n' | cmp - counts
}

@test "a bad record is named and nothing is written to -o" {
    s=0; { cat "$T/state"; echo '{"schema":"pof.state/1"}'; } | pof-export -o out 2>err || s=$?
    [ $s = 65 ] && [ ! -e out ]
    grep -q -- "-:33:" err
}

@test "what does not belong together is usage" {
    for o in "--to line --batch" "--to table --name x" "--tag novalue" "--precision week"; do
        s=0; pof-export $o "$T/state" >out 2>err || s=$?
        [ $s = 2 ] && [ ! -s out ] && [ -s err ] || { echo "$o: $s"; false; }
    done
}
