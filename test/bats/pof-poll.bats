# SPDX-License-Identifier: Apache-2.0
load ../helper

# One server for all tests: its start costs more than they do.
setup_file() {
    cd "$BATS_FILE_TMPDIR"
    ! python3 -c 'import http.server, ssl' 2>/dev/null || serve
}

teardown_file() {
    [ ! -e "$BATS_FILE_TMPDIR/pid" ] || kill "$(cat "$BATS_FILE_TMPDIR/pid")"
}

setup() {
    cd "$BATS_FILE_TMPDIR"
    [ -e port ] || skip "python3 has no http.server"
    url=http://127.0.0.1:$(cat port)
    rm -rf in* out* err* log names all token tls bad
    mkdir in
    running=
}

teardown() {
    for p in $running; do kill -9 "$p" 2>/dev/null || true; done
}

# serve [tls]: a server on the loopback, kind and hostile by the path.
serve() {
    cat >server.py <<'PY'
import gzip, http.server, os, socketserver, ssl, sys, time
class H(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    n = flaky = 0
    def log_message(self, *a): pass
    def answer(self, status, body=b"", *headers):
        self.send_response(status)
        for k, v in headers: self.send_header(k, v)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def do_GET(self):
        open("log", "a").write(self.path + " " + " ".join(self.headers.get(h, "-") for h in ("If-None-Match", "If-Modified-Since", "Authorization")) + "\n")
        try: getattr(self, "do_" + self.path[1:].split("?")[0])()
        except OSError: pass
        self.close_connection = self.close_connection or self.path in ("/endless", "/page", "/slow", "/headers")
    def do_doc(self):
        body = open("doc", "rb").read()
        tag = '"%d"' % (sum(body) + len(body))
        if self.headers.get("If-None-Match") == tag: return self.answer(304, b"", ("ETag", tag))
        self.answer(200, body, ("ETag", tag))
    def do_dated(self):
        d = "Tue, 10 Mar 2026 00:00:00 GMT"
        if self.headers.get("If-Modified-Since") == d: return self.answer(304)
        self.answer(200, open("doc", "rb").read(), ("Last-Modified", d))
    def do_plain(self): self.answer(200, open("doc", "rb").read())
    def do_gz(self): self.answer(200, gzip.compress(open("doc", "rb").read()), ("Content-Encoding", "gzip"))
    def do_count(self):
        H.n += 1
        self.answer(200, b"%d begins\n" % H.n + b"x" * 30000 + b"\n%d ends\n" % H.n)
    def do_500(self): self.answer(500, b"oops")
    def do_401(self): self.answer(401)
    def do_304(self): self.answer(304)
    def do_204(self): self.answer(204)
    def do_empty(self): self.answer(200)
    def do_busy(self): self.answer(503, b"", ("Retry-After", "2"))
    def do_loop(self): self.answer(302, b"", ("Location", "/loop"))
    def do_file(self): self.answer(302, b"", ("Location", "file:///etc/passwd"))
    def do_nonsense(self): self.wfile.write(b"this is no HTTP\r\n\r\n"); self.close_connection = True
    def do_cut(self):
        self.send_response(200); self.send_header("Content-Length", "1000"); self.end_headers()
        self.wfile.write(b"half"); self.close_connection = True
    def pour(self, status, what, pause=0):
        self.send_response(status); self.end_headers()
        while True: self.wfile.write(what); time.sleep(pause)
    def do_endless(self): self.pour(200, b"x" * 65536)
    def do_page(self): self.pour(500, b"x" * 65536)
    def do_slow(self): self.pour(200, b"x", 0.2)
    def do_headers(self):
        self.wfile.write(b"HTTP/1.1 200 OK\r\n")
        while True: self.wfile.write(b"X-A: " + b"y" * 60000 + b"\r\n")
    def do_bomb(self): self.answer(200, gzip.compress(b"\0" * 10000000, 1), ("Content-Encoding", "gzip"))
    def do_bombs(self): self.answer(200, gzip.compress(gzip.compress(b"\0" * 30000000, 1)), ("Content-Encoding", "gzip, gzip"))
    def do_more(self): self.answer(200, gzip.compress(b"a") + gzip.compress(b"b"), ("Content-Encoding", "gzip"))
    def do_flaky(self):
        H.flaky += 1
        [self.do_500, self.do_cut, self.do_loop, self.do_bombs, self.do_nonsense, self.do_plain][min(H.flaky, 6) - 1]()
class S(socketserver.ThreadingMixIn, http.server.HTTPServer): daemon_threads = True
s = S(("127.0.0.1", 0), H)
if sys.argv[1:]:
    c = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    c.load_cert_chain("server.pem", "server.key"); c.load_verify_locations("one.pem"); c.verify_mode = ssl.CERT_REQUIRED
    s.socket = c.wrap_socket(s.socket, server_side=True, do_handshake_on_connect=False)
open("port.new", "w").write(str(s.server_port))
os.rename("port.new", "port")
s.serve_forever()
PY
    python3 server.py "$@" >server.err 2>&1 3>&- &
    echo $! >pid
    for _ in $(seq 200); do [ ! -e port ] || break; sleep 0.02; done
}

poll() { timeout 60 pof-poll -q --spool in --every 0.05 --url "$url/$@"; }

@test "each content lands once, whatever the server knows of versions, and over runs" {
    echo one >doc
    for path in doc dated plain gz; do
        rm -rf in log; mkdir in
        poll $path --count 3 >names
        poll $path --count 2 >>names
        [ "$(cat names)" = in/000000000001.data ]
        cmp in/000000000001.data doc
        [ "$(wc -l <log)" = 5 ]
    done
    rm -rf in log; mkdir in
    poll doc --count 2 --ending .csv >names
    echo two >doc
    poll doc --count 2 --ending .csv >>names
    [ "$(cat names)" = "$(printf 'in/000000000001.csv\nin/000000000002.csv')" ]
    [ "$(cat in/*.csv)" = "$(printf 'one\ntwo')" ]
    [ "$(sed -n 2p log)" = '/doc "'$((111 + 110 + 101 + 10 + 4))'" - -' ]
    poll empty --count 2 # nothing is there, and nothing is forgotten
    rm in/*.csv
    poll plain --count 1 --ending .csv >names # another document: the same content is another one
    [ "$(cat names)" = in/000000000003.csv ]
    echo 'pod,start,duration_s,p_w
P1,2026-03-10T00:00:00Z,900,1' >doc
    poll gz --count 1 >names
    [ "$(pof-ingest -q "$(cat names)" | jq .p_w)" = 1 ]
}

@test "a hostile server: a status and a word, in little memory and time, and nothing lands" {
    echo x >doc
    [ "${VARIANT:-release}" = release ] && ulimit -v 250000
    try() { # try PATH STATUS WORD TIMEOUT
        s=0; timeout 20 pof-poll -q --spool "in$1" --url "$url/$1" --count 1 --timeout "$4" --max-bytes 1000000 >"out$1" 2>"err$1" || s=$?
        [ $s = "$2" ] && grep -q "$url/$1.*$3" "err$1" && [ ! -s "out$1" ] && [ -z "$(ls "in$1")" ] || echo "$1: $s $(cat "err$1")" >>bad
    }
    jobs=
    while read -r path status word; do
        mkdir "in$path"
        try "$path" "$status" "$word" $([ $path = slow ] && echo 1 || echo 15) & jobs="$jobs $!"
    done <<'END'
500 69 status 500
page 69 status 500
endless 65 longer than 1000000 bytes
bomb 65 longer than 1000000 bytes
bombs 65 longer than 1000000 bytes
more 76 
slow 69 timed out
headers 69 header
loop 76 redirects
file 76 rotocol
nonsense 76 HTTP
cut 69 
204 76 status 204
304 76 status 304
401 77 status 401
busy 69 status 503
END
    wait $jobs
    [ ! -e bad ] || { cat bad; false; }
    [ "$(ls -d errendless errbusy | wc -l)" = 2 ]
}

@test "polling lives on: failures are told and pass; Retry-After is kept; --give-up ends" {
    echo good >doc
    timeout 60 pof-poll --spool in --every 0.02 --url "$url/flaky" --max-bytes 100000 --count 7 >names 2>err
    [ "$(cat names)" = in/000000000001.data ]
    cmp in/000000000001.data doc
    [ "$(grep -c 'again in' err)" = 5 ]
    grep -q "7 requests: 1 files handed on, 1 times nothing new, 5 failed" err
    s=0; timeout 60 pof-poll --spool in --every 0.02 --url "$url/busy" --give-up 1 >/dev/null 2>err || s=$?
    [ $s = 69 ]
    grep -q "again in 0.9 s\|again in 1.0 s" err
    [ "$(grep -c /busy log)" = 2 ]
    s=0; timeout 60 pof-poll -q --spool in --every 0.02 --url http://127.0.0.1:1/x --count 3 2>err || s=$?
    [ $s = 69 ]
}

@test "killed twenty times: every file is whole, none is there twice" {
    for i in $(seq 20); do
        pof-poll -q --spool in --every 0.01 --url "$url/count" >names 2>&1 3>&- & victim=$!
        for _ in $(seq 100); do [ ! -s names ] || break; sleep 0.01; done
        sleep "0.0$((i * 7 % 4))$i"
        kill -9 $victim
        wait $victim 2>/dev/null || true
    done
    poll count --count 1 >/dev/null
    echo "$(ls in | wc -l) files of $(wc -l <log) requests"
    [ "$(ls in | wc -l)" -ge 5 ]
    for f in in/*.data; do
        [ "$(sed -n '1s/ begins//p' "$f")" = "$(sed -n '3s/ ends//p' "$f")" ]
        head -n 1 "$f" >>all
    done
    [ -z "$(sort all | uniq -d)" ]
}

@test "where the disk refuses: status 74, and the next run has the document, once" {
    [ "${VARIANT:-release}" = release ] || skip "preloading does not go with sanitizers"
    [ -e "$POF_BIN/../test/inject.so" ] || skip "inject.so is not built"
    echo one >doc
    for fault in fsync:1 fsync:2 fsync:3 fsync:4 fsync:5 write:1 write:2; do
        rm -rf in && mkdir in
        s=0; LD_PRELOAD=$POF_BIN/../test/inject.so POF_FAIL=$fault POF_FAIL_COUNT=$PWD/count poll doc --count 1 >names 2>err || s=$?
        [ $s = 74 ] || { echo "$fault gives $s: $(cat err)"; false; }
        poll doc --count 2 >names
        [ "$(cat in/*.data)" = one ] || { echo "$fault"; ls -a in; false; }
    done
    s=0; (ulimit -f 8; trap '' XFSZ; poll count --count 1 2>err) || s=$?
    [ $s = 74 ]
    poll count --count 1 >names
    [ "$(wc -l <names)" = 1 ]
}

@test "a full spool: nothing is fetched until a file was taken; one process at a time" {
    poll count --count 4 --spool-max 2 >names 3>&- & p=$!
    running="$running $p"
    for _ in $(seq 100); do [ "$(ls in | wc -l)" != 2 ] || break; sleep 0.02; done
    sleep 0.2
    [ "$(wc -l <log)" = 2 ]
    s=0; poll count --count 1 2>err || s=$?
    [ $s = 75 ]
    rm in/*.data
    wait $p
    [ "$(wc -l <log)" = 4 ]
}

@test "TLS with a client's certificate and a token; without them a clear word" {
    command -v openssl >/dev/null || skip "openssl is not there"
    ca() { openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj "/CN=$1" -keyout "$1.key" -out "$1.pem" 2>/dev/null; }
    signed() { openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=$1" -keyout "$1.key" -out "$1.csr" 2>/dev/null
        printf 'subjectAltName=%s\n' "$2" >ext
        openssl x509 -req -in "$1.csr" -CA one.pem -CAkey one.key -CAcreateserial -days 2 -extfile ext -out "$1.pem" 2>/dev/null; }
    ca one; ca two
    signed server IP:127.0.0.1
    signed meter DNS:meter
    mkdir tls
    mv server.* one.pem tls
    (cd tls && serve tls)
    url=https://127.0.0.1:$(cat tls/port)
    running=$(cat tls/pid)
    cp tls/one.pem .
    echo one >tls/doc
    (umask 077; echo t0ken >token; : >none)
    poll doc --count 1 --ca one.pem --cert meter.pem --key meter.key --token-file token >names
    [ "$(cat in/*.data)" = one ]
    [ "$(cat tls/log)" = "/doc - - Bearer t0ken" ]
    check() { # check STATUS WORD OPTION ...: what poll says
        s=0; poll doc --count 1 "${@:3}" 2>err || s=$?
        [ $s = "$1" ] && grep -qi "$2" err || { echo "$* gives $s: $(cat err)"; false; }
    }
    check 76 "certificate" --cert meter.pem --key meter.key
    check 76 "certificate" --ca two.pem --cert meter.pem --key meter.key
    check 78 "certificate" --ca one.pem --cert none.pem
    check 78 "certificate" --ca none.pem --cert meter.pem --key meter.key
    check 78 "one token" --ca one.pem --token-file none
    s=0; poll doc --count 1 --ca one.pem 2>err || s=$? # TLS 1.3 tells the client only when it reads
    [ $s = 69 ] || [ $s = 76 ]
    chmod 644 token
    check 77 "token" --ca one.pem --token-file token
}

@test "wrong usage, and a note that is not ours" {
    (umask 077; echo t0ken >token)
    for wrong in "" "--url http://h/" "--spool in" "--url ftp://h/ --spool in" "--url http://a:b@h/ --spool in" \
        "--url http://h/ --spool in --key k" "--url http://h/ --spool in --every 0" "--url http://h/ --spool in --ending a/b" \
        "--url http://h/ --spool in --token-file token" "--url http://h/ --spool in x"; do
        s=0; pof-poll $wrong </dev/null >out 2>err || s=$?
        [ $s = 2 ] && [ ! -s out ] || { echo "'$wrong' gives $s: $(cat err)"; false; }
    done
    s=0; pof-poll --url http://h/ --spool nowhere 2>err || s=$?
    [ $s = 66 ]
    echo garbage >in/.last
    s=0; pof-poll --url http://h/ --spool in 2>err || s=$?
    [ $s = 78 ]
    grep -q "remove it" err
}
