# SPDX-License-Identifier: Apache-2.0
load ../helper

setup() {
    cd "$BATS_TEST_TMPDIR"
    mkdir in
    PATH=$PATH:/usr/sbin
    running=
}

teardown() {
    for p in $running; do kill -9 "$p" 2>/dev/null || true; done
}

# broker [LINE ...]: mosquitto on a free port of the loopback; sets $broker, $port and $server.
broker() {
    command -v mosquitto >/dev/null || skip "mosquitto is not there"
    printf '%s\n' "$@" >more.conf
    for try in 1 2 3 4 5 6 7 8 9 10; do
        port=$((20000 + (BASHPID * 7 + try * 1009) % 12000))
        { echo "listener $port 127.0.0.1"; grep -q password more.conf || echo "allow_anonymous true"
          printf '%s\n' "user root" "max_queued_messages 0" "log_dest stderr" "log_type all"; cat more.conf; } >broker.conf
        start_broker && return 0
    done
    echo "no broker: $(cat broker.log)"
    return 1
}

start_broker() {
    mosquitto -c broker.conf >broker.log 2>&1 3>&- &
    server=$!
    for _ in $(seq 100); do
        kill -0 $server 2>/dev/null || return 1
        ! (exec 9<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null || break
        sleep 0.02
    done
    running="$running $server"
    broker=127.0.0.1:$port
}

receive() { timeout 60 pof-mqtt receive -q --broker "$broker" --client c1 --topic 't/#' --spool in "$@"; }
send() { timeout 60 pof-mqtt send -q --broker "$broker" --topic t/a "$@"; }

# subscribed: the broker knows the session, so that it keeps what comes.
subscribed() {
    pof-mqtt receive -q --broker "$broker" --client c1 --topic 't/#' --spool in "$@" >/dev/null 3>&- &
    for _ in $(seq 200); do ! grep -q 'c1 1 t/#' broker.log || break; sleep 0.02; done
    kill $!
    wait $! || true
}

# stream PODS QUARTERS: measurements as lines, each with its source and number.
stream() {
    awk -v n="$1" -v q="$2" 'BEGIN { for (s = 0; s < q; s++) for (p = 0; p < n; p++)
        printf "{\"pod\":\"P%03d\",\"start\":\"2026-03-%02dT%02d:%02d:00Z\",\"duration_s\":900,\"p_w\":%d,\"source\":\"ln%03d\",\"seq\":%d}\n",
            p, 1 + int(s / 96), int(s / 4) % 24, s % 4 * 15, (p * 7919 + s * 104729) % 9000, p, s }'
}

@test "lines go out, land, and are taken in: the same lines in the same order" {
    broker
    stream 20 50 >lines
    subscribed
    send <lines
    receive --count 1000 --batch 300 >names
    [ "$(wc -l <names)" = 4 ]
    cat $(cat names) | cmp - lines
    [ "$(cat names)" = "$(ls in/*.jsonl)" ]
    [ ! -s in/dead-letters.ndjson ]
    cat $(cat names) | pof-ingest -q >out.jsonl
    [ "$(wc -l <out.jsonl)" = 1000 ]
    receive --idle 1 >again # all was acknowledged
    [ ! -s again ]
    rm in/*.jsonl
    printf '{"n":1}\n{"n":2}' | send # the last line without its end; and numbers go on
    receive --count 2 --envelope >names
    [ "$(cat names)" = in/000000000005.jsonl ]
    [ "$(cat in/000000000005.jsonl)" = '{"topic":"t/a","payload":{"n":1}}
{"topic":"t/a","payload":{"n":2}}' ]
    rm in/*.jsonl
    send --join 7 --max-bytes 700 <lines # joined lines, as many as fit, come apart again
    receive --form lines --idle 1 --batch 10000 >names
    cat $(cat names) | cmp - lines
}

@test "killed twenty times: nothing is lost, and pof-ingest drops what came twice" {
    broker "max_inflight_messages 100"
    stream 150 200 >lines
    subscribed
    send <lines & sender=$!
    running="$running $sender"
    lost=0
    for i in $(seq 20); do
        pof-mqtt receive -q --broker "$broker" --client c1 --topic 't/#' --spool in --wait 30 --batch 500 >/dev/null 2>&1 3>&- &
        victim=$!
        sleep "0.0$((3 + i * 7 % 5))"
        kill -9 $victim && lost=$((lost + 1))
        wait $victim 2>/dev/null || true
    done
    wait $sender
    before=$(cat in/*.jsonl in/.*.part | wc -l)
    receive --idle 1 >/dev/null
    [ $lost = 20 ]
    all=$(cat in/*.jsonl | wc -l)
    echo "$before lines after 20 kills, $all in all"
    # Killed at work: something was left to do, or came twice.
    [ "$before" -gt 0 ] && { [ "$all" -gt "$before" ] || [ "$all" -gt 30000 ]; }
    cat in/*.jsonl | LC_ALL=C sort -u | cmp - <(LC_ALL=C sort lines)
    cat in/*.jsonl | pof-ingest -q --summary sum >out.jsonl
    jq -e '.out == 30000 and .rejected == 0 and .in == .out + .repeated' sum || { cat sum; false; }
}

@test "a broker that is stopped and started again: both sides come back, nothing is lost" {
    broker "persistence true" "persistence_location $PWD/"
    stream 100 100 >lines
    subscribed
    receive --count 10000 --give-up 20 >names 2>receive.err 3>&- & receiver=$!
    { head -n 5000 lines; sleep 1; tail -n +5001 lines; } | send --give-up 20 2>send.err 3>&- & sender=$!
    running="$running $receiver $sender"
    sleep 0.4
    kill $server
    wait $server || true
    sleep 0.2
    start_broker
    wait $sender
    wait $receiver || true
    receive --idle 1 >/dev/null
    cat in/*.jsonl | LC_ALL=C sort -u | cmp - <(LC_ALL=C sort lines)
}

@test "messages that cannot be used become dead letters with reasons, once" {
    broker
    subscribed
    { printf '{"a":\n'; printf 'caf\351\n'; printf '\n'; printf '"%s"\n' "$(head -c 3000 /dev/zero | tr '\0' x)"
      printf '{"ok":true}\r\n'; head -c 300000 /dev/zero | tr '\0' y; echo; printf '{"a":1,"a":2}\n[1,2]\n'; } >lines
    send <lines
    receive --count 8 --max-bytes 2000 >names
    [ "$(cat $(cat names))" = "$(printf '{"ok":true}\n[1,2]')" ]
    [ "$(jq -r .code in/dead-letters.ndjson | tr '\n' ' ')" = "204 202 215 205 205 216 " ] || { cat in/dead-letters.ndjson; false; }
    jq -e -s '.[0].raw == "{\"a\":" and .[0].source == "t/a" and .[0].line == 1 and .[1].raw == "Y2Fm6Q=="
        and (.[1].field | test("base64")) and (.[4].reason | test("300000 bytes"))' in/dead-letters.ndjson
    receive --idle 1 >again
    [ ! -s again ]
    [ "$(wc -l <in/dead-letters.ndjson)" = 6 ]
}

@test "--form lines: a message may hold several lines, of any text" {
    command -v mosquitto_pub >/dev/null || skip "mosquitto-clients is not there"
    broker
    subscribed --form lines
    printf 'weather,place=Roma t=21.5 1\nweather,place=Asti t=19 2\n' | mosquitto_pub -p "$port" -q 1 -t t/b -s
    mosquitto_pub -p "$port" -q 0 -t t/b -m 'of quality 0'
    receive --form lines --idle 1 >names
    [ "$(head -n 2 $(cat names) | cut -d' ' -f2 | tr '\n' ' ')" = "t=21.5 t=19 " ]
    printf '{\n "a" : 1\n}\n' | mosquitto_pub -p "$port" -q 1 -t t/b -s
    receive --count 1 >names
    [ "$(wc -l <"$(cat names)")" = 1 ]
    [ "$(jq -c . "$(cat names)")" = '{"a":1}' ]
}

@test "a full spool: messages wait at the broker until files were taken" {
    broker
    stream 2 100 >lines
    subscribed
    receive --batch 10 --spool-max 3 --count 200 >names 2>&1 3>&- & receiver=$!
    running="$running $receiver"
    send <lines
    sleep 0.5
    [ "$(ls in/*.jsonl | wc -l)" = 3 ]
    for _ in $(seq 60); do
        for f in in/*.jsonl; do [ ! -e "$f" ] || { cat "$f" >>all; rm "$f"; }; done
        kill -0 $receiver 2>/dev/null || break
        sleep 0.05
    done
    wait $receiver
    [ -z "$(ls in/*.jsonl 2>/dev/null)" ] || cat in/*.jsonl >>all
    cmp all lines
}

@test "MQTT 5: killed ten times nothing is lost; limits are kept; reasons are told in words" {
    command -v mosquitto_pub >/dev/null || skip "mosquitto-clients is not there"
    printf 'topic readwrite t/#\ntopic read no/#\n' >acl
    broker "max_inflight_messages 7" "acl_file $PWD/acl" "max_packet_size 2000" "max_keepalive 20"
    stream 100 100 >lines
    subscribed --protocol 5 --window 50
    grep -q "as c1 (p5, c0, k" broker.log
    send --protocol 5 --window 1000 <lines & sender=$!
    running="$running $sender"
    for i in $(seq 10); do
        pof-mqtt receive -q --broker "$broker" --protocol 5 --client c1 --topic 't/#' --spool in --wait 30 --batch 500 >/dev/null 2>&1 3>&- &
        victim=$!
        sleep "0.0$((3 + i * 7 % 5))"
        kill -9 $victim
        wait $victim 2>/dev/null || true
    done
    wait $sender
    receive --protocol 5 --idle 1 >/dev/null
    cat in/*.jsonl | LC_ALL=C sort -u | cmp - <(LC_ALL=C sort lines)
    check() { # check STATUS WORD TOPIC: what send says
        s=0; timeout 20 pof-mqtt send -q --broker "$broker" --protocol 5 --topic "$3" --give-up 1 <line 2>err || s=$?
        [ $s = "$1" ] && grep -q "$2" err || { echo "$* gives $s: $(cat err)"; false; }
    }
    echo '{}' >line
    check 77 "refuses a message: the client is not authorized" no/a
    timeout 20 pof-mqtt send -q --broker "$broker" --topic no/a <line # 3.1.1 cannot say it
    head -c 3000 /dev/zero | tr '\0' x >line
    check 65 "a message of 3000 bytes, '$broker' takes 2000" t/a
    s=0; receive --expiry 5 2>err || s=$?
    [ $s = 2 ]
}

@test "TLS with a client's certificate; without it, or with a wrong name or authority, a clear word" {
    command -v openssl >/dev/null || skip "openssl is not there"
    ca() { openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj "/CN=$1" -keyout "$1.key" -out "$1.pem" 2>/dev/null; }
    signed() { openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=$1" -keyout "$1.key" -out "$1.csr" 2>/dev/null
        printf 'subjectAltName=%s\n' "$2" >ext
        openssl x509 -req -in "$1.csr" -CA one.pem -CAkey one.key -CAcreateserial -days 2 -extfile ext -out "$1.pem" 2>/dev/null; }
    ca one; ca two
    signed server IP:127.0.0.1
    signed meter DNS:meter
    broker "cafile $PWD/one.pem" "certfile $PWD/server.pem" "keyfile $PWD/server.key" "require_certificate true"
    tls="--ca one.pem --cert meter.pem --key meter.key"
    stream 10 100 >lines
    subscribed $tls
    send $tls <lines
    receive $tls --count 1000 >names
    cat $(cat names) | cmp - lines
    check() { # check STATUS WORD OPTION ...: what send says
        s=0; send --give-up 1 "${@:3}" <lines 2>err || s=$?
        [ $s = "$1" ] && grep -q "$2" err || { echo "$* gives $s: $(cat err)"; false; }
    }
    check 76 "certificate required" --ca one.pem
    check 76 "self-signed certificate\|certificate verify failed" --ca two.pem --cert meter.pem --key meter.key
    broker=localhost:$port check 76 "ostname mismatch" $tls
    check 69 "closes\|is gone\|does not answer" # plain, where TLS is spoken
    check 78 "'two.key' cannot be used as the key" --ca one.pem --cert meter.pem --key two.key
    check 78 "'none.pem' cannot be used as a list" --ca none.pem
}

@test "a user with a password from a file that nobody else may read" {
    command -v mosquitto_passwd >/dev/null || skip "mosquitto_passwd is not there"
    mosquitto_passwd -b -c users meter sesame
    broker "password_file $PWD/users"
    (umask 077; echo sesame >good; echo salami >bad)
    echo sesame >open; chmod 644 open
    echo '{}' | send --user meter --password-file good
    s=0; echo '{}' | send --user meter --password-file bad 2>err || s=$?
    [ $s = 77 ]
    grep -q "refuses the connection: the client is not authorized\|password is wrong" err
    s=0; echo '{}' | send --user meter --password-file open 2>err || s=$?
    [ $s = 77 ]
    not grep -q sesame err
    s=0; echo '{}' | send 2>err || s=$?
    [ $s = 77 ]
}

@test "a spool: one process at a time; a torn line is cut, whole ones are handed on; none there" {
    broker
    printf '{"n":1}\n{"n":2}\n{"n":' >in/.000000000007.part
    receive --idle 1 >names
    [ "$(cat names)" = in/000000000007.jsonl ]
    [ "$(wc -l <in/000000000007.jsonl)" = 2 ]
    [ -e in/.000000000008.part ]
    receive 3>&- >/dev/null & first=$!
    running="$running $first"
    sleep 0.2
    s=0; pof-mqtt receive --broker "$broker" --client c2 --topic t --spool in 2>err || s=$?
    [ $s = 75 ]
    grep -q "another process" err
    s=0; pof-mqtt receive --broker "$broker" --client c2 --topic t --spool nowhere 2>err || s=$?
    [ $s = 66 ]
    grep -q "nowhere" err
}

@test "a full disk: status 74, and what did not fit is still with the broker" {
    broker
    stream 10 100 >lines
    subscribed
    send <lines
    rm -rf in && mkdir in
    s=0; (ulimit -f 8; trap '' XFSZ; receive --count 1000 --batch 1000 >/dev/null 2>err) || s=$?
    [ $s = 74 ] && grep -q "cannot write" err || { echo "$s $(cat err)"; false; }
    receive --idle 1 >/dev/null
    cat in/*.jsonl | LC_ALL=C sort -u | cmp - <(LC_ALL=C sort lines)
}

@test "where the disk refuses, nothing is acknowledged: the next run has all of it" {
    [ "${VARIANT:-release}" = release ] || skip "preloading does not go with sanitizers"
    [ -e "$POF_BIN/../test/inject.so" ] || skip "inject.so is not built"
    broker
    stream 5 40 >lines
    subscribed
    send <lines
    for fault in fdatasync:3 fdatasync:4 fsync:2 write:1 write:2; do
        rm -rf in && mkdir in
        s=0; LD_PRELOAD=$POF_BIN/../test/inject.so POF_FAIL=$fault POF_FAIL_COUNT=$PWD/count receive --count 200 --batch 100 >names 2>err || s=$?
        [ $s = 74 ] || { echo "$fault gives $s: $(cat err)"; false; }
        cat in/*.jsonl in/.*.part 2>/dev/null >>seen || true
    done
    receive --idle 1 >names
    cat seen $(cat names) | LC_ALL=C sort -u | cmp - <(LC_ALL=C sort lines)
}

@test "wrong usage, and a broker that is not there" {
    broker=127.0.0.1:1
    for wrong in "" "hear" "receive --broker h:1" "send" "send --broker h:1 --topic a/+" \
        "receive --broker h:1 --client c --spool in --topic a/#/b" "send --broker h:1 --topic t --key k" \
        "send --broker h:1 --topic t --password-file p" "send --broker h:99999 --topic t" "send --broker h --topic t"; do
        s=0; pof-mqtt $wrong </dev/null >out 2>err || s=$?
        [ $s = 2 ] && [ ! -s out ] || { echo "'$wrong' gives $s: $(cat err)"; false; }
    done
    s=0; echo x | send --give-up 1 2>err || s=$?
    [ $s = 69 ] && grep -q "'127.0.0.1:1' cannot be reached: Connection refused (E110)" err || { echo "$s $(cat err)"; false; }
}

@test "wrong use ends in one line that says what is needed" {
    run pof-mqtt receive
    [ "$status" = 2 ]
    [ "${#lines[@]}" = 1 ]
    [[ $output == *"receive needs --spool DIR, --topic FILTER and --client NAME"* ]]
}
