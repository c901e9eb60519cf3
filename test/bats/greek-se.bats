# SPDX-License-Identifier: Apache-2.0
# pipelines/greek-se: from messages at a broker to points in a database, killed anywhere, fed anything.
load ../helper

setup_file() {
    load ../helper
    export T=$BATS_FILE_TMPDIR SE=$ROOT/pipelines/greek-se QUIET=1 G=$ROOT/samples/cigre-mv.json
    command -v flock >/dev/null || skip "flock is not installed"
    cd "$T"
    # A day: meters of each quarter-hour, a control centre's readings of each, and a phasor unit's
    # voltages 10 and 20 seconds into some. Under a sanitizer every eighth quarter-hour has to do.
    export EVERY=1
    case $POF_BIN in */asan/*) EVERY=8 ;; esac
    pof-sim --make pods --grid "$G" --pods 40 -q >pods
    pof-sim --make measurements --grid "$G" --pods 40 -q --day 2026-03-10 >all-meters
    pof-pf --grid "$G" -q --noise --seed 3 --readings-set scada --readings all-readings -o truth pods all-meters
    mkdir day
    awk -v every="$EVERY" '{ match($0, /"start":"[^"]*"/); t = substr($0, RSTART + 9, 20)
        q = (substr(t, 12, 2) - 23 + 24) % 24 * 4 + substr(t, 15, 2) / 15
        if (q % every) next
        print >sprintf("day/%02d.%s", q, FILENAME == "all-meters" ? "meters" : "readings")
        if (q % (4 * every) == 0 && /"quantity":"v"/) for (s = 10; s < 30; s += 10) {
            u = $0; sub(/:00Z/, ":" s "Z", u); print u >sprintf("day/%02d.readings", q) } }' all-meters all-readings
}

setup() {
    cd "$BATS_TEST_TMPDIR"
    PATH=$PATH:/usr/sbin
    pids=
    export GREEK_SPOOL=$PWD/s GREEK_GRID=$G GREEK_PODS=$T/pods GREEK_RETRY_S=0.2 GREEK_AGE_S=900
    unset GREEK_BROKER GREEK_INFLUX
    mkdir -p s/readings s/meters
}

teardown() {
    for p in $pids; do kill -9 "$p" 2>/dev/null || true; done
}

# --- servers ---

certificates() {
    ca() { openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj "/CN=$1" -keyout "$1.key" -out "$1.pem" 2>/dev/null; }
    signed() { openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=$1" -keyout "$1.key" -out "$1.csr" 2>/dev/null
        echo subjectAltName=IP:127.0.0.1 >ext
        openssl x509 -req -in "$1.csr" -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -extfile ext -out "$1.pem" 2>/dev/null; }
    ca ca
    signed broker
    signed chain
}

# Sets port and database to free ports.
servers() {
    for p in mosquitto influxd openssl curl inotifywait setpriv; do
        command -v $p >/dev/null || skip "$p is not installed"
    done
    port=$((20000 + (BASHPID * 13) % 10000))
    certificates
    export GREEK_BROKER=127.0.0.1:$port GREEK_CA=$PWD/ca.pem GREEK_CERT=$PWD/chain.pem GREEK_KEY=$PWD/chain.key
    URL=http://127.0.0.1:$((port + 1))
    export GREEK_INFLUX="$URL/write?db=live"
    mkdir broker
    printf '%s\n' "listener $port 127.0.0.1" "cafile $PWD/ca.pem" "certfile $PWD/broker.pem" "keyfile $PWD/broker.key" \
        "require_certificate true" "use_identity_as_username true" "persistence true" "persistence_location $PWD/broker/" \
        "autosave_interval 1" "autosave_on_changes true" "max_queued_messages 0" "max_inflight_messages 0" \
        "set_tcp_nodelay true" "user root" "log_dest stderr" "log_type subscribe" >broker.conf
    start_broker
    start_database
    query "CREATE DATABASE live" >/dev/null
    query "CREATE DATABASE calm" >/dev/null
}
start_broker() {
    mosquitto -c broker.conf >>broker.log 2>&1 3>&- &
    broker=$!
    pids="$pids $broker"
}
start_database() {
    INFLUXDB_META_DIR=$PWD/db/meta INFLUXDB_DATA_DIR=$PWD/db/data INFLUXDB_DATA_WAL_DIR=$PWD/db/wal \
        INFLUXDB_BIND_ADDRESS=127.0.0.1:$((port + 2)) INFLUXDB_HTTP_BIND_ADDRESS=127.0.0.1:$((port + 1)) \
        INFLUXDB_REPORTING_DISABLED=true INFLUXDB_HTTP_LOG_ENABLED=false INFLUXDB_MONITOR_STORE_ENABLED=false \
        influxd -config /dev/null >>influxd.log 2>&1 3>&- &
    database=$!
    pids="$pids $database"
    for _ in $(seq 200); do ! curl -sf "$URL/ping" || return 0; sleep 0.05; done
    tail -n 3 influxd.log
    return 1
}
query() { curl -sf -XPOST "$URL/query" --data-urlencode "q=$1" -H "Accept: ${3:-application/json}" ${2:+--data-urlencode db="$2"}; }
points() { query 'SELECT * FROM state GROUP BY *' "$1" application/csv | sort; }
publish() { pof-mqtt send -q --broker "$GREEK_BROKER" --ca ca.pem --cert chain.pem --key chain.key --give-up 30 --topic "$@"; }

start_chain() {
    "$SE" run >>chain.log 2>&1 3>&- &
    chain=$!
    pids="$pids $chain"
}
# listening N: since the broker's log began both doors have subscribed so often.
listening() {
    for _ in $(seq 300); do
        [ "$(grep -c 'greek-se-meters 1 ' broker.log)" -lt "$1" ] || [ "$(grep -c 'greek-se-readings 1 ' broker.log)" -lt "$1" ] || return 0
        sleep 0.05
    done
    cat broker.log chain.log
    return 1
}
# Everything was worked off: nothing waits, three times.
idle() {
    calm=0
    for _ in $(seq 400); do
        if "$SE" status --json 2>/dev/null | jq -e '[.waiting[]] | add == 0' >/dev/null; then calm=$((calm + 1)); else calm=0; fi
        [ $calm -lt 3 ] || return 0
        sleep 0.1
    done
    "$SE" status
    return 1
}

# family PID: it and all that it began.
family() {
    echo "$1"
    for child in $(pgrep -P "$1"); do family "$child"; done
}

# strike VICTIM: kill -9 for a step and all that it runs, or for a server that comes back.
strike() {
    case $1 in
    broker)
        listening 1
        kill -9 "$broker"
        wait "$broker" 2>/dev/null || true
        : >broker.log
        start_broker
        listening 1
        ;;
    database)
        kill -9 "$database"
        wait "$database" 2>/dev/null || true
        start_database
        ;;
    chain)
        kill -9 "$chain"
        wait "$chain" 2>/dev/null || true
        : >broker.log
        start_chain
        listening 1
        ;;
    *)
        : >broker.log
        # shellcheck disable=SC2046
        kill -9 $(family "$(pgrep -P "$chain" -f "(step|--client greek-se-)[ ]?$1")") || { echo "no step $1"; return 1; }
        case $1 in meters | readings)
            for _ in $(seq 200); do ! grep -q "greek-se-$1 1 " broker.log || break; sleep 0.05; done
            echo "0: greek-se-meters 1 greek-se-readings 1 " >>broker.log ;;
        *) echo "0: greek-se-meters 1 greek-se-readings 1 " >>broker.log ;;
        esac
        ;;
    esac
}

@test "a day in some seconds, every step and server killed: the database of an undisturbed run, point for point" {
    servers
    seed=${SEED:-$RANDOM}
    echo "SEED=$seed"
    start_chain
    listening 1
    for kind in meters readings; do
        for f in "$T/day"/*.$kind; do cat "$f"; sleep 0.09; done | publish grid/$kind/athens 3>&- &
        eval "feed_$kind=$!"
        pids="$pids $!"
    done
    for victim in $(printf '%s\n' meters readings ingest case estimate table telegraf publish store broker database chain |
        shuf --random-source=<(openssl enc -aes-128-ctr -pass "pass:$seed" -nosalt -pbkdf2 </dev/zero 2>/dev/null)); do
        sleep "0.$((1 + (seed = (seed * 75 + 74) % 65537) % 4))"
        strike "$victim" || { echo "at $victim"; cat chain.log; false; }
    done
    wait "$feed_meters"
    wait "$feed_readings"
    idle || { tail -n 20 chain.log; false; }
    "$SE" status
    kill "$chain"
    # the same, undisturbed
    mkdir -p calm/readings calm/meters
    cat "$T/day"/*.readings >calm/readings/all.jsonl
    cat "$T/day"/*.meters >calm/meters/all.jsonl
    GREEK_BROKER='' GREEK_SPOOL=$PWD/calm GREEK_INFLUX="$URL/write?db=calm" "$SE" drain
    points calm >calm.csv
    points live >live.csv
    [ "$(wc -l <calm.csv)" -gt $((96 / EVERY * 29)) ]
    cmp calm.csv live.csv || { diff calm.csv live.csv | head; tail chain.log; false; }
    [ "$(cat s/rejects/* s/*/dead-letters.ndjson 2>/dev/null | wc -l)" = 0 ]
}
