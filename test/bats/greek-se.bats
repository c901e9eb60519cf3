# SPDX-License-Identifier: Apache-2.0
# pipelines/greek-se: from messages at a broker to points in a database, killed anywhere, fed anything.
load ../helper

setup_file() {
    load ../helper
    export T=$BATS_FILE_TMPDIR SE=$ROOT/pipelines/greek-se QUIET=1 G=$ROOT/samples/cigre-mv.json
    command -v flock >/dev/null || skip "flock is not installed"
    cd "$T"
    # A day: meters of each quarter-hour, a control centre's readings of each, and a phasor unit's
    # voltages 10 and 20 seconds into some. Every second
    # quarter-hour; under a sanitizer every twelfth has to do.
    export EVERY=2
    case $POF_BIN in */asan/*) EVERY=12 ;; esac
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
    mkdir -p s/in
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
# Servers end with this shell, should nobody come to teardown().
start_broker() {
    setpriv --pdeathsig KILL mosquitto -c broker.conf >>broker.log 2>&1 3>&- &
    broker=$!
    pids="$pids $broker"
}
start_database() {
    INFLUXDB_META_DIR=$PWD/db/meta INFLUXDB_DATA_DIR=$PWD/db/data INFLUXDB_DATA_WAL_DIR=$PWD/db/wal \
        INFLUXDB_BIND_ADDRESS=127.0.0.1:$((port + 2)) INFLUXDB_HTTP_BIND_ADDRESS=127.0.0.1:$((port + 1)) \
        INFLUXDB_REPORTING_DISABLED=true INFLUXDB_HTTP_LOG_ENABLED=false INFLUXDB_MONITOR_STORE_ENABLED=false \
        setpriv --pdeathsig KILL influxd -config /dev/null >>influxd.log 2>&1 3>&- &
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
    setpriv --pdeathsig TERM "$SE" run >>chain.log 2>&1 3>&- &
    chain=$!
    pids="$pids $chain"
}
# Waits until the chain has subscribed since the broker's log began.
listening() {
    for _ in $(seq 300); do
        ! grep -q 'greek-se 1 ' broker.log || return 0
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
        listening
        kill -9 "$broker"
        wait "$broker" 2>/dev/null || true
        : >broker.log
        start_broker
        listening
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
        listening
        ;;
    *)
        [ "$1" != receive ] || : >broker.log
        # shellcheck disable=SC2046
        kill -9 $(family "$(pgrep -P "$chain" -f "(step|pof-mqtt) $1")") || { echo "no step $1"; return 1; }
        listening
        ;;
    esac
}

@test "a day in some seconds, every step and server killed: the database of an undisturbed run, point for point" {
    servers
    seed=${SEED:-$RANDOM}
    echo "SEED=$seed"
    start_chain
    listening
    for kind in meters readings; do
        for f in "$T/day"/*.$kind; do cat "$f"; sleep 0.09; done | publish grid/measurements/$kind 3>&- &
        eval "feed_$kind=$!"
        pids="$pids $!"
    done
    for victim in $(printf '%s\n' receive ingest case estimate table telegraf publish store broker database chain |
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
    mkdir -p calm/in
    cat "$T/day"/*.readings >calm/in/readings.jsonl
    cat "$T/day"/*.meters >calm/in/meters.jsonl
    GREEK_BROKER='' GREEK_SPOOL=$PWD/calm GREEK_INFLUX="$URL/write?db=calm" "$SE" drain
    points calm >calm.csv
    points live >live.csv
    [ "$(wc -l <calm.csv)" -gt $((96 / EVERY * 29)) ]
    cmp calm.csv live.csv || { diff calm.csv live.csv | head; tail chain.log; false; }
    [ "$(cat s/rejects/* s/*/dead-letters.ndjson 2>/dev/null | wc -l)" = 0 ]
}

@test "hostile input at every door: said so, and the chain lives on" {
    servers
    export GREEK_MAX_BYTES=2000000
    start_chain
    listening
    head -c 900000 /dev/zero | tr '\0' x >endless
    printf '\377\376bad' >binary
    { echo '<?xml version="1.0"?><!DOCTYPE b [<!ENTITY a "aaaaaaaaaa">'
      for i in $(seq 30); do echo "<!ENTITY a$i \"&a$((i - 1));&a$((i - 1));\">"; done; echo ']><b>&a30;</b>'; } >bomb.xml
    for f in endless binary bomb.xml; do publish grid/measurements/evil --join 100 <$f; done
    echo '{"schema":"pof.reading/1","element":{"a":[[[[' | publish grid/measurements/evil
    echo '{"schema":"pof.reading/1","element":"node","name":"N99","start":"2026-03-10T00:00:00Z","quantity":"v","value":1e4,"sigma":1}' |
        publish grid/measurements/evil
    head -c 1500000 /dev/zero | tr '\0' y | publish grid/measurements/evil --max-bytes 2000000
    cp bomb.xml s/in/.b && mv s/in/.b s/in/bomb.xml
    ln -s /etc/passwd s/in/passwd
    touch 's/in/$(touch pwned);x' "s/in/$(printf 'a\nb')" s/in/-o
    mkdir s/in/folder
    mkfifo s/in/fifo
    head -c 3000000 /dev/zero | tr '\0' z >s/in/.z && mv s/in/.z s/in/large
    cat "$T/day/00.readings" | publish grid/measurements/athens --join 100
    cat "$T/day/00.meters" | publish grid/measurements/athens --join 100
    idle
    [ "$(points live | grep -c '^state')" -ge 29 ]
    "$SE" status >status
    cat status
    grep -q "steps *all run" status
    grep -q " 6 files refused" status
    not grep -q " 0 lines rejected" status
    not grep -q " 0 dead letters" status
    [ ! -e pwned ]
    grep -q "a link, expected a file" s/refused/passwd.why
    grep -q "neither file nor link" s/refused/fifo.why
    grep -q "3000000 bytes, GREEK_MAX_BYTES allows 2000000" s/refused/large.why
    grep -q "a line on its own" s/rejects/* # of 900000 bytes
    kill -9 "$database"
    s=0; "$SE" status --json >status.json || s=$?
    [ $s = 1 ]
    jq -e '.database == "does not answer" and .broker == "answers" and .refused == 6 and .stopped == ""' status.json
}

@test "files in, files out, without servers; what cannot be estimated says so and waits for more" {
    cp "$T/day/00.meters" s/in/m.jsonl
    "$SE" drain
    [ -z "$(ls s/out)" ]
    grep -q '"status":"unobservable"' s/report/*.jsonl
    cp "$T/day/00.readings" s/in/r.jsonl
    "$SE" drain
    [ "$(ls s/out | wc -l)" = 3 ]
    jq -e '.metrics | length == 32 and all(.name == "state" and .fields.p_w != null)' s/out/1-*.json >/dev/null
    [ -z "$(ls s/in s/checked s/case s/state s/table | grep -v :)" ]
    pof-view --grid "$G" -o page.html s/shown/*.jsonl
    # a message of another that decides nothing for those behind it
    { echo "junk,more"; echo "1,2"; sed 's/T23:00:/T23:01:/' "$T/day/00.readings"; } >s/in/000000000001.jsonl
    s=0; "$SE" drain || s=$?
    [ $s = 1 ]
    [ "$(ls s/out | wc -l)" = 6 ]
    [ "$(cat s/rejects/* | wc -l)" = 1 ]
    echo nonsense >s/in/x
    echo pod,start,duration_s,p_w >s/in/y
    s=0; "$SE" drain || s=$?
    [ $s = 1 ]
    "$SE" status | grep -q "^aside *2 lines rejected, 1 files refused"
    grep -q "nothing in it can be used" s/refused/nothing-y.why
}

@test "settings and the unit" {
    for bad in "frobnicate" "run now" "step" "step dance" "status --xml"; do
        # Words are meant.
        # shellcheck disable=SC2086
        s=0; "$SE" $bad >out 2>err || s=$?
        [ $s = 2 ] || { echo "$bad: $s"; cat out err; false; }
    done
    s=0; GREEK_SPOOL='a b' "$SE" drain 2>err || s=$?
    [ $s = 2 ]
    s=0; GREEK_GRID=nowhere "$SE" drain 2>err || s=$?
    [ $s = 2 ]
    # every setting is in the example, and the example has no other
    grep -o 'GREEK_[A-Z_]*' "$SE" | sort -u >has
    grep -o '^#\?GREEK_[A-Z_]*' "$ROOT/share/greek-se.env" | tr -d '#' | sort -u >says
    diff has says
    command -v systemd-analyze >/dev/null || return 0
    sed "s|/usr/local/share/pof|$ROOT|; /EnvironmentFile/d" "$ROOT/share/systemd/greek-se@.service" >greek-se@case.service
    SYSTEMD_LOG_LEVEL=warning systemd-analyze verify ./greek-se@case.service >said 2>&1 || { cat said; false; }
}
