# SPDX-License-Identifier: Apache-2.0
# pof-export --url: points in a real InfluxDB, none missing, none twice, and what it refuses.
load ../helper

setup_file() {
    export T=$BATS_FILE_TMPDIR PORT=$((20000 + $$ % 20000))
    pof-sim --make measurements --grid "$ROOT/samples/cigre-mv.json" --pods 300 --day 2026-03-10 -q >"$T/meters"
}

setup() {
    command -v influxd >/dev/null || skip "InfluxDB is not installed"
    command -v setpriv >/dev/null || skip "setpriv is not installed"
    cd "$BATS_TEST_TMPDIR"
    URL="http://127.0.0.1:$PORT"
}

teardown() {
    [ ! -e pid ] || { kill -9 "$(cat pid)"; wait "$(cat pid)" 2>/dev/null || true; }
}

# It ends with this shell, should nobody come to teardown().
start_server() {
    INFLUXDB_META_DIR=$PWD/meta INFLUXDB_DATA_DIR=$PWD/data INFLUXDB_DATA_WAL_DIR=$PWD/wal \
        INFLUXDB_BIND_ADDRESS=127.0.0.1:$((PORT + 1)) INFLUXDB_HTTP_BIND_ADDRESS=127.0.0.1:$PORT \
        INFLUXDB_REPORTING_DISABLED=true INFLUXDB_HTTP_LOG_ENABLED=false setpriv --pdeathsig KILL influxd -config /dev/null >log 2>&1 3>&- &
    echo $! >pid
}
make_db() {
    for _ in $(seq 100); do curl -sf "$URL/ping" && break || sleep 0.1; done
    curl -sf -XPOST "$URL/query" --data-urlencode "q=CREATE DATABASE grid" >/dev/null
}
count() {
    curl -sf -G "$URL/query" --data-urlencode db=grid --data-urlencode "q=SELECT count(p_w), sum(p_w) FROM \"measurement\"" |
        jq -r '.results[0].series[0].values[0] | "\(.[1]) \(.[2])"'
}

@test "all points are there, with their numbers; the same again is the same" {
    start_server
    make_db
    want=$(jq -s -r '"\(length) \(map(.p_w) | add)"' "$T/meters")
    pof-export --to line --url "$URL/write?db=grid" "$T/meters" 2>note
    grep -q "28800 records in, 28800 out" note
    grep -q "[2-9] batches written, 0 attempts made again" note || { cat note; false; }
    [ "$(count)" = "$want" ] || { count; echo "$want"; false; }
    pof-export -q --to line --precision s --url "$URL/write?db=grid" "$T/meters"
    [ "$(count)" = "$want" ]
}

@test "a server that comes late is waited for, one that does not come is status 69" {
    s=0; pof-export --to line --url "$URL/write?db=grid" --retry 0 "$T/meters" 2>err || s=$?
    [ $s = 69 ] || { echo "$s $(cat err)"; false; }
    # A server without the database answers 404, which is no reason to wait: it is made before.
    start_server
    make_db
    kill -9 "$(cat pid)"; wait "$(cat pid)" 2>/dev/null || true
    pof-export --to line --url "$URL/write?db=grid" --retry 30 "$T/meters" 2>note & export=$!
    sleep 0.4
    start_server
    wait $export || { cat note; false; }
    not grep -q " 0 attempts made again" note
    [ "$(count | cut -d' ' -f1)" = 28800 ]
}

@test "what the server refuses is told in its words" {
    start_server
    make_db
    s=0; pof-export --to line --url "$URL/write?db=nothere" "$T/meters" 2>err || s=$?
    [ $s = 66 ] && grep -q 'answers 404.*database not found' err || { echo "$s $(cat err)"; false; }
    # A field of another type in the same shard: some points are refused, the others taken.
    curl -sf "$URL/write?db=grid&precision=s" --data-binary 'measurement,pod=X p_w="a text" 1773100800'
    s=0; pof-export --to line --url "$URL/write?db=grid" "$T/meters" 2>err || s=$?
    [ $s = 74 ] && grep -q 'answers 400.*partial write.*dropped=' err || { echo "$s $(cat err)"; false; }
    [ "$(wc -l <err)" = 1 ] || { cat err; false; }
}

@test "wrong use of --url" {
    for bad in "--to telegraf --url $URL" "--to line --url ftp://x/" "--to line --url localhost"; do
        # Words are meant.
        # shellcheck disable=SC2086
        s=0; pof-export $bad "$T/meters" 2>err || s=$?
        [ $s = 2 ] || { echo "$bad: $s"; false; }
    done
}
