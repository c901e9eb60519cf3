# SPDX-License-Identifier: Apache-2.0
# pof-view: the page holds exactly the records, the same bytes for any order, and a real browser shows them.
load ../helper

setup() {
    cd "$BATS_TEST_TMPDIR"
    G=$ROOT/samples/cigre-mv.json
    pof-sim --make pods --grid "$G" --pods 24 >pods
    pof-sim --make measurements --grid "$G" --pods 24 --day 2026-03-10 --until 2026-03-10T05:00:00Z >meters
    pof-pf -q --grid "$G" pods meters >states
    cat >market <<'END'
{"schema":"pof.request/1","id":"r1","session":"S","buyer":"DSO","role":"dso","branch":"L2-3","direction":"up","start":"2026-03-10T00:00:00Z","end":"2026-03-10T02:00:00Z","p_w":5000}
{"schema":"pof.award/1","id":"a1","session":"S","request":"r1","offer":"o1","pod":"P1","node":"N5","buyer":"DSO","role":"dso","seller":"agg","direction":"up","start":"2026-03-10T01:00:00Z","duration_s":900,"p_w":4321,"offer_price_eur_mwh":30,"price_eur_mwh":31.5,"why":"request"}
{"schema":"pof.verdict/1","award":"a1","decision":"curtail","p_w":4000}
END
    grep -q L2-3 "$G"
}

# A page in Chromium, its document when all is drawn; the address may have a "#...".
browse() {
    command -v chromium >/dev/null || skip "no chromium"
    [ "$VARIANT" != asan ] || skip "the browser sees the same page as with the release build"
    timeout 60 chromium --headless --no-sandbox --disable-gpu --user-data-dir="$BATS_TEST_TMPDIR/profile" \
        --virtual-time-budget=5000 --dump-dom "file://$PWD/$1" 2>/dev/null
}

@test "the page holds every number of the records, and no other" {
    pof-view --grid "$G" states market -o page.html
    python3 - states page.html <<'END'
import base64, json, math, re, struct, sys, zlib
text = open(sys.argv[2], encoding="utf-8").read()
raw = zlib.decompress(base64.b64decode(re.search(r'<script id="data" type="text/plain">([^<]*)<', text).group(1)))
n = struct.unpack_from("<I", raw)[0]
head = json.loads(raw[4:4 + n])
at = (4 + n + 7) // 8 * 8
page = {}
for c in head["columns"]:
    names = [e[0] for e in head["nodes" if c["of"] == "node" else "branches"]]
    for row in c["rows"]:
        for name in names:
            v = struct.unpack_from("<d", raw, at)[0]
            at += 8
            if not math.isnan(v):
                page[c["of"], name, head["instants"][row], c["quantity"]] = v
records = {}
for line in open(sys.argv[1]):
    r = json.loads(line)
    for k, v in r.items():
        if k not in ("schema", "element", "name", "start", "phase"):
            records[r["element"], r["name"], r["start"], k] = v
assert at == len(raw), (at, len(raw))
assert len(page) > 1000, len(page)
assert page == records, set(page.items()) ^ set(records.items())
assert [r["schema"] for r in head["records"]] == ["pof.request/1", "pof.award/1", "pof.verdict/1"]
END
}

@test "records in any order give the same bytes" {
    pof-view --grid "$G" states market -o a.html
    cat states market | shuf --random-source="$G" >shuffled
    pof-view --grid "$G" shuffled -o b.html
    cmp a.html b.html
    pof-view --svg --grid "$G" --at 2026-03-10T03:07:00Z states >a.svg
    pof-view --svg --grid "$G" --at 2026-03-10T03:00:00Z shuffled >b.svg
    cmp a.svg b.svg
    grep -q '2026-03-10T03:00:00Z' a.svg
}

@test "the picture in README.md is what the programs make" {
    pof-sim --make pods --grid "$G" --pods 100 --seed 2 >pods
    pof-sim --make measurements --grid "$G" --pods 100 --seed 2 --day 2026-03-10 --from 2026-03-10T18:00:00Z \
        --until 2026-03-10T18:15:00Z >meters
    pof-pf -q --grid "$G" pods meters | pof-view --svg --width 640 --grid "$G" >made.svg
    cmp made.svg "$ROOT/share/view/example.svg"
}

@test "a title is text, whatever it says" {
    pof-view --grid "$G" --title '<script>alert(1)</script>' /dev/null >page.html
    grep -q '<title>&lt;script&gt;alert(1)&lt;/script&gt;</title>' page.html
}

@test "live: the page follows the folder, a bad file does not end it" {
    mkdir spool
    pof-view --live spool --page live.html --grid "$G" 2>log &
    pid=$!
    wait_for() { for _ in $(seq 100); do if eval "$1"; then return 0; fi; sleep 0.1; done; echo "waited for $1" >&2; return 1; }
    wait_for '[ -s live.html ]'
    cp live.html before
    grep -h '2026-03-10T00:00:00Z' states >spool/.one && mv spool/.one spool/1.jsonl
    wait_for '! cmp -s live.html before'
    cp live.html before
    echo 'no record' >spool/.two && mv spool/.two spool/2.jsonl
    wait_for 'grep -q 2.jsonl:1 log'
    cmp live.html before
    rm spool/2.jsonl
    grep -h '2026-03-10T01:00:00Z' states >spool/.three && mv spool/.three spool/3.jsonl
    wait_for '! cmp -s live.html before'
    kill $pid
    wait $pid || true
    grep -q 'http-equiv="refresh" content="5"' live.html
    cat states >both && pof-view --grid "$G" --reload 5 --title Live spool/1.jsonl spool/3.jsonl -o same.html
    cmp live.html same.html
}

@test "in a browser: the numbers of an element are those of its record" {
    pof-view --grid "$G" states market -o page.html
    browse 'page.html#t=2026-03-10T01:00:00Z&e=node:N5' >node.dom
    browse 'page.html#t=2026-03-10T04:30:00Z&e=branch:L2-3' >branch.dom
    for k in v_pu angle_deg p_w q_var; do
        want=$(jq -r "select(.name == \"N5\" and .start == \"2026-03-10T01:00:00Z\") | .$k" states)
        got=$(grep -o "data-quantity=\"$k\">[^<]*" node.dom | cut -d'>' -f2)
        [ -n "$got" ]
        jq -en "$got == $want" >/dev/null
    done
    for k in p_w q_var p_to_w i_a loading_pct; do
        want=$(jq -r "select(.name == \"L2-3\" and .start == \"2026-03-10T04:30:00Z\") | .$k" states)
        got=$(grep -o "data-quantity=\"$k\">[^<]*" branch.dom | cut -d'>' -f2)
        [ -n "$got" ]
        jq -en "$got == $want" >/dev/null
    done
    grep -q '15 nodes, 17 branches, 24 instants; now all within limits' node.dom
    grep -q 'Requests now: 1' node.dom
    grep -q 'up 4321 W at 31.5 EUR/MWh curtail' node.dom
    grep -q 'Requests now: 0' branch.dom
}

# One request of the WebDriver protocol (W3C): METHOD PATH [BODY], the value on standard output.
driver() {
    curl -sf -X "$1" "http://127.0.0.1:$PORT$2" ${3:+-d "$3"} | jq -c .value
}
script() {
    driver POST "/session/$SESSION/execute/sync" "$(jq -cn --arg s "$1" '{script: $s, args: []}')"
}
press() { # press KEY ...: on the element that has the focus
    driver POST "/session/$SESSION/actions" "$(jq -cn '{actions: [{type: "key", id: "k", actions:
        [$ARGS.positional[] | ({type: "keyDown", value: .}, {type: "keyUp", value: .})]}]}' --args "$@")" >/dev/null
}

@test "in a browser: keys, tabs, screen reader, and 10,000 nodes" {
    command -v chromedriver >/dev/null || skip "no chromedriver"
    [ "$VARIANT" != asan ] || skip "the browser sees the same page as with the release build"
    pof-view --grid "$G" states market -o page.html
    pof-sim --make grid --nodes 10000 >big.json
    pof-pf -q --grid big.json </dev/null >big.states
    pof-view --grid big.json big.states -o big.html
    for _ in 1 2 3; do # a port may be somebody else's
        PORT=$((20000 + RANDOM % 20000))
        chromedriver --port=$PORT >/dev/null 2>&1 3>&- &
        pid=$!
        for _ in $(seq 100); do curl -sf "http://127.0.0.1:$PORT/status" >/dev/null && break; sleep 0.1; done
        SESSION=$(driver POST /session '{"capabilities":{"alwaysMatch":{"goog:chromeOptions":{"args":
            ["--headless","--no-sandbox","--disable-gpu","--window-size=1280,800"]}}}}' | jq -r .sessionId)
        [ -z "$SESSION" ] || break
        kill $pid || true
    done
    [ -n "$SESSION" ]
    failed=0
    in_browser || failed=1
    driver DELETE "/session/$SESSION" >/dev/null || true
    kill $pid || true
    [ $failed = 0 ]
}

ready() {
    for _ in $(seq 100); do
        [ "$(script 'return document.documentElement.dataset.ready || ""')" = '"yes"' ] && return 0
        sleep 0.1
    done
    return 1
}

in_browser() {
    local e=$'\xee\x80\x94' d=$'\xee\x80\x95' # the WebDriver codes of arrow right and arrow down
    driver POST "/session/$SESSION/url" "{\"url\":\"file://$PWD/page.html\"}" >/dev/null && ready || return 1
    script 'document.getElementById("map").focus()' >/dev/null
    press "$e" && [ "$(script 'return chosen.of + nodeName(chosen.i)')" = '"nodeN0"' ] || return 1
    press "$d" || return 1
    said=$(script 'return document.getElementById("said").textContent')
    [[ $said == *'"node N'*', voltage '*' p.u."' ]] && [[ $said != *'N0'* ]] || return 1
    # The time is set by keys too, and a reader is told the instant, not a number.
    script 'document.getElementById("time").focus()' >/dev/null
    press "$e" "$e" || return 1
    [ "$(script 'return document.getElementById("time").getAttribute("aria-valuetext")')" = "\"$(jq -rs '[.[].start] | unique | .[2]' states)\"" ] || return 1
    script 'document.getElementById("tab-element").focus()' >/dev/null
    press "$e" || return 1
    [ "$(script 'return [...document.querySelectorAll("[role=tabpanel]")].filter(p => !p.hidden).map(p => p.id).join()')" = '"findings"' ] || return 1
    # Every control has a name for a screen reader.
    [ "$(script 'return [...document.querySelectorAll("button, input, select, canvas, svg")].filter(e => !(e.getAttribute("aria-label") || e.textContent.trim() || (e.labels && e.labels.length))).length')" = 0 ] || return 1
    driver POST "/session/$SESSION/url" "{\"url\":\"file://$PWD/big.html\"}" >/dev/null && ready || return 1
    [ "$(script 'return data.nodes.length')" -ge 10000 ] || return 1
    ms=$(script 'draw(); const t = performance.now(); for (let i = 0; i < 20; i++) { view.x += 1; draw(); canvas().getContext("2d").getImageData(0, 0, 1, 1); } return (performance.now() - t) / 20')
    echo "# a frame of 10,000 nodes: $ms ms without a graphics processor" >&3
    jq -en "$ms < 500" >/dev/null
}
