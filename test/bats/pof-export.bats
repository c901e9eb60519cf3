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
    [ $s = 65 ]
    [ ! -e out ]
    grep -q -- "-:33:" err
}

@test "what does not belong together is usage" {
    for o in "--to line --batch" "--to table --name x" "--tag novalue" "--precision week"; do
        s=0; pof-export $o "$T/state" >out 2>err || s=$?
        [ $s = 2 ] && [ ! -s out ] && [ -s err ] || { echo "$o: $s"; false; }
    done
}

# The queries of the Grafana dashboard, as the database gets them.
queries() {
    jq -r '(.panels[].targets[].query), .templating.list[].query' "$ROOT/share/grafana/network.json" |
        sed -e 's/\$timeFilter/time > 0/; s/\$__interval/1m/; s/=~ \/^\$[a-z]*\$\//=~ \/.*\//'
}

@test "the dashboard asks for what the records have" {
    [ "$(queries | wc -l)" -ge 8 ]
    jq -r '.panels[].targets[].query' "$ROOT/share/grafana/network.json" |
        sed -n 's/^SELECT last("\([a-z0-9_]*\)") FROM "\([a-z]*\)".*/\2 \1/p' >asked
    [ "$(wc -l <asked)" = "$(jq '[.panels[].targets[]] | length' "$ROOT/share/grafana/network.json")" ]
    while read -r type field; do
        jq -e --arg f "$field" '.properties | has($f)' "$ROOT/schema/$type.schema.json" >/dev/null
    done <asked
}

@test "the dashboard's queries are answered by a database that was given the line protocol" {
    command -v influxd >/dev/null || skip "no influxd (package influxdb)"
    command -v curl >/dev/null || skip "no curl"
    command -v setpriv >/dev/null || skip "no setpriv"
    [ "$VARIANT" != asan ] || skip "the database gets the same bytes as from the release build"
    cd "$BATS_TEST_TMPDIR"
    port=$((20000 + RANDOM % 20000))
    cat >influx.conf <<END
reporting-disabled = true
bind-address = "127.0.0.1:$((port + 1))"
[meta]
dir = "$PWD/meta"
[data]
dir = "$PWD/data"
wal-dir = "$PWD/wal"
[http]
bind-address = "127.0.0.1:$port"
log-enabled = false
END
    G=$ROOT/samples/cigre-mv.json
    pof-pf -q --grid "$G" --at 2026-03-10T10:00:00Z </dev/null >state.jsonl
    jq -c 'select(.element == "node") | {schema: "pof.reading/1", element, name, start, quantity: "v", value: (.v_pu * (if .name == "N0" then 110000 else 20000 end)), sigma: 50}' state.jsonl >readings
    jq -c 'select(.element == "node" and .name != "N0") | {schema: "pof.reading/1", element, name, start, quantity: ("p", "q"), value: 0, sigma: 1e6}' state.jsonl >>readings
    pof-se -q --grid "$G" --report report -o estimated readings || [ $? = 1 ]
    cat estimated report | pof-export -q --to line >points
    # It ends with this shell, should the last lines not be reached.
    setpriv --pdeathsig KILL influxd -config influx.conf >log 2>&1 3>&- &
    pid=$!
    for _ in $(seq 100); do curl -sf "http://127.0.0.1:$port/ping" && break; sleep 0.1; done
    failed=0
    curl -sf -XPOST "http://127.0.0.1:$port/query" --data-urlencode 'q=CREATE DATABASE pof' >/dev/null || failed=1
    curl -sf -XPOST "http://127.0.0.1:$port/write?db=pof" --data-binary @points || failed=1
    queries >asked
    while read -r q; do
        curl -sf -G "http://127.0.0.1:$port/query?db=pof" --data-urlencode "q=$q" |
            jq -e '.results[0].series | length > 0' >/dev/null || { echo "no answer to $q" >&2; failed=1; }
    done <asked
    kill $pid
    [ $failed = 0 ]
}
