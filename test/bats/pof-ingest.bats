# SPDX-License-Identifier: Apache-2.0
load ../helper

setup() {
    cd "$BATS_TEST_TMPDIR"
    server=
}

teardown() {
    [ -z "$server" ] || kill "$server" 2>/dev/null || true
}

# day PODS QUARTERS: measurements as CSV, in order of time; months of 28 days.
day() {
    awk -v n="$1" -v q="$2" 'BEGIN { print "pod,start,duration_s,p_w,source,seq"
        for (s = 0; s < q; s++) for (p = 0; p < n; p++)
            printf "P%03d,2026-%02d-%02dT%02d:%02d:00Z,900,%d,m%03d,%d\n", p, 1 + int(s / 2688), 1 + int(s / 96) % 28, int(s / 4) % 24, s % 4 * 15, (p * 7919 + s * 104729) % 9000, p, s }'
}

# serve: answers on the loopback from server.py's rules; sets $url.
serve() {
    command -v python3 >/dev/null || skip "python3 is not there"
    python3 -c 'import http.server, socketserver' 2>/dev/null || skip "python3 has no http.server"
    cat >server.py <<'PY'
import http.server, sys, time
class H(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def log_message(self, *a): pass
    def do_GET(self):
        p = self.path
        if p in ("/404", "/403", "/503"):
            self.send_response(int(p[1:])); self.send_header("Content-Length", "0"); self.end_headers(); return
        if p == "/moved":
            self.send_response(302); self.send_header("Location", "/day.csv"); self.send_header("Content-Length", "0"); self.end_headers(); return
        if p == "/loop":
            self.send_response(302); self.send_header("Location", "/loop"); self.send_header("Content-Length", "0"); self.end_headers(); return
        if p == "/file":
            self.send_response(302); self.send_header("Location", "file:///etc/passwd"); self.send_header("Content-Length", "0"); self.end_headers(); return
        if p == "/nonsense":
            self.wfile.write(b"this is no HTTP\r\n\r\n"); self.close_connection = True; return
        body = open("day.csv", "rb").read()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if p == "/cut":
            self.wfile.write(body[:len(body) // 2]); self.wfile.flush(); self.close_connection = True; return
        self.wfile.write(body)
s = http.server.ThreadingHTTPServer(("127.0.0.1", 0), H)
open("port.new", "w").write(str(s.server_port))
import os
os.rename("port.new", "port")
s.serve_forever()
PY
    python3 server.py 3>&- &
    server=$!
    for _ in $(seq 100); do [ ! -e port ] || break; sleep 0.05; done
    [ -e port ] || skip "no server on the loopback"
    url=http://127.0.0.1:$(cat port)
}

@test "CSV and NDJSON of the same measurements give the same bytes" {
    day 5 20 >day.csv
    pof-ingest -q day.csv >a.jsonl
    pof-ingest -q <a.jsonl >b.jsonl
    cmp a.jsonl b.jsonl
    pof-ingest -q --format csv b.jsonl | pof-ingest -q - | cmp - a.jsonl
    [ "$(wc -l <a.jsonl)" = 100 ]
}

@test "--sort: shuffled lines, split over files in any order, repeated: the same bytes" {
    day 7 50 >day.csv
    pof-ingest -q day.csv >a.jsonl
    pof-ingest -q --sort a.jsonl >sorted.jsonl
    shuf --random-source=<(yes 1) a.jsonl >s.jsonl
    head -n 200 s.jsonl >s1.jsonl
    tail -n +101 s.jsonl >s2.jsonl
    pof-ingest -q --sort s2.jsonl day.csv s1.jsonl | cmp - sorted.jsonl
    jq -r '.start + .pod' sorted.jsonl | LC_ALL=C sort -c
}

@test "in = out + rejected + repeated + superseded, whatever comes" {
    day 3 40 >day.csv
    { cat day.csv; tail -n +2 day.csv | awk -F, -v OFS=, 'NR % 3 == 0 { $4 += 1; $6 = "" } NR % 7 == 0 { $2 = "never" } { print }'; } >more.csv
    for how in "--dup reject" "--dup first" "--sort --dup reject" "--sort --dup first" "--sort --dup last" "--window 0" "--window 900"; do
        rm -f s r
        pof-ingest -q $how --tolerate --summary s --rejects r more.csv >out
        jq -e '.in == 240 and .in == .out + .rejected + .repeated + .superseded' s >/dev/null || { echo "$how $(cat s)"; false; }
        [ "$(jq .out s)" = "$(wc -l <out)" ]
        [ "$(jq .rejected s)" = "$(wc -l <r)" ]
    done
}

@test "rejected lines, cured, go in: nothing is lost" {
    printf 'pod,start,duration_s,p_w\nP1,2026-03-10T00:00:00Z,900,1\nP1,2026-03-10T00:15:00Z,900,1 kW\n' >in.csv
    s=0; pof-ingest -q --rejects r.jsonl in.csv >out.jsonl 2>err || s=$?
    [ $s = 1 ]
    [ "$(wc -l <out.jsonl)" = 1 ]
    grep -q "1 of 2 lines were rejected" err # also with --quiet
    { head -n 1 in.csv; jq -r .raw r.jsonl | sed 's/ kW/000/'; } | pof-ingest -q >>out.jsonl
    [ "$(jq -s 'map(.p_w) | add' out.jsonl)" = 1001 ]
    pof-ingest -q --tolerate in.csv >/dev/null
}

@test "--rejects, --summary and --metrics are whole or absent, and not overwritten unasked" {
    day 1 4 >day.csv
    echo old >r
    s=0; pof-ingest -q --rejects r --summary new day.csv >/dev/null 2>err || s=$?
    [ $s = 73 ]
    [ "$(cat r)" = old ]
    [ ! -e new ]
    pof-ingest -q -f --rejects r --metrics m day.csv >/dev/null
    [ ! -s r ]
    grep -qx 'pof_ingest_records{fate="out"} 4' m
    s=0; pof-ingest -q --summary later day.csv no-such >/dev/null 2>err || s=$?
    [ $s = 66 ]
    [ ! -e later ]
}

@test "memory does not grow with the stream, nor with one line" {
    [ "${VARIANT:-release}" = release ] || skip "only the release build has a normal memory map"
    day 4 5000 >day.csv
    { cat day.csv; head -c 100000000 /dev/zero | tr '\0' x; echo; } >long.csv
    s=0; (ulimit -v 200000; pof-ingest -q --rejects r --window 86400 long.csv >out.jsonl) 2>err || s=$?
    [ $s = 1 ] || { echo "$s $(cat err)"; false; }
    [ "$(wc -l <out.jsonl)" = 20000 ]
    [ "$(jq .code r)" = 205 ]
}

@test "a closed pipe and a full disk" {
    day 50 400 >day.csv
    s=$(bash -c 'trap "" PIPE; { pof-ingest -q day.csv; echo $? >status; } | head -n 1 >/dev/null; cat status')
    [ "$s" = 141 ]
    s=0; pof-ingest -q day.csv >/dev/full 2>err || s=$?
    [ $s = 74 ]
}

@test "a URL is read like a file" {
    day 40 96 >day.csv
    serve
    pof-ingest -q "$url/day.csv" | cmp - <(pof-ingest -q day.csv)
    pof-ingest -q "$url/moved" | cmp - <(pof-ingest -q day.csv)
    printf 'pod,start,duration_s,p_w\nP1,never,900,1\n' >day.csv
    s=0; pof-ingest -q --rejects r "$url/x" 2>err || s=$?
    [ $s = 1 ]
    [ "$(jq -r .source r)" = "$url/x" ]
}

@test "a URL that fails says how, status 69 or 76, and nothing is written" {
    day 1000 96 >day.csv
    serve
    for case in /404:69 /503:69 /cut:69 /403:76 /loop:76 /file:76 /nonsense:76; do
        path=${case%:*}
        s=0; pof-ingest -q -o out.jsonl "$url$path" 2>err || s=$?
        [ $s = "${case#*:}" ] && grep -q "'$url$path'" err && [ ! -e out.jsonl ] || { echo "$path: $s $(cat err)"; false; }
    done
    s=0; pof-ingest -q -o out.jsonl --max-bytes 1000 "$url/day.csv" 2>err || s=$?
    [ $s = 65 ]
    grep -q "longer than 1000 bytes" err
    [ ! -e out.jsonl ]
    s=0; pof-ingest -q "https://127.0.0.1:$(cat port)/day.csv" 2>err || s=$?
    [ $s = 76 ] || { echo "no TLS: $s $(cat err)"; false; }
    kill $server && wait $server 2>/dev/null || true
    server=
    s=0; pof-ingest -q "$url/day.csv" 2>err || s=$?
    [ $s = 69 ]
}

@test "a secret in a URL is refused, another scheme is a file name" {
    s=0; pof-ingest http://name:secret@localhost/x 2>err || s=$?
    [ $s = 2 ]
    not grep -q secret err
    s=0; pof-ingest ftp://localhost/x 2>err || s=$?
    [ $s = 66 ]
}
