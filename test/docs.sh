#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The manual, as TAP: every program has a page, every option stands in it and no other, mandoc is
# content, and every EXAMPLE runs, in a copy of the tree. test/docs.sh [PROGRAM ...]
set -u
ROOT=$(cd "$(dirname "$0")/.." && pwd)
: "${POF_BIN:=$ROOT/build/${VARIANT:-release}/bin}"
export POF_BIN PATH="$POF_BIN:$PATH" LC_ALL=C
cd "$ROOT" || exit 1
n=0
bad=0
result() {
    n=$((n + 1))
    if [ -z "$2" ]; then echo "ok $n - $1"; else
        bad=1
        echo "not ok $n - $1"
        printf '%s\n' "$2" | head -n 12 | sed 's/^/# /'
    fi
}
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
mkdir "$work/tree"
cp -r samples share man pipelines VERSION "$work/tree/" 2>/dev/null

# The blocks of the EXAMPLES section, one file each.
examples() {
    awk -v to="$2" '
        /^\.Sh / { on = ($2 == "EXAMPLES") }
        on && /^\.Bd / { n++; file = sprintf("%s/example%02d", to, n); inside = 1; next }
        /^\.Ed/ { inside = 0 }
        on && inside && !/^\./ { gsub(/\\&/, ""); gsub(/\\e/, "\\"); gsub(/\\-/, "-"); print > file }' "$1"
}

pages=("$@")
[ $# -gt 0 ] || pages=(man/*.[1-8])
for page in "${pages[@]}"; do
    result "mandoc has nothing to say about $page" "$(mandoc -T lint -W warning "$page" 2>&1)"
    prog=$(basename "${page%.*}")
    if [ "${page##*.}" = 1 ] && [ -x "$POF_BIN/$prog" ] && [ "$prog" != pof ]; then
        "$prog" --option-list | sed '/^output\t/,$d' | cut -f1 | sort >"$work/has"
        sed -n 's/^\.It Fl \(. , \)\{0,1\}\(Fl \)\{0,1\}-\([a-z0-9-]*\).*/\3/p' "$page" | sort -u >"$work/says"
        result "$page names the options of $prog" "$(diff "$work/has" "$work/says" | grep '^[<>]')"
    fi
    rm -rf "$work/examples" "$work/run"
    mkdir "$work/examples"
    cp -r "$work/tree" "$work/run"
    examples "$page" "$work/examples"
    for e in "$work/examples"/*; do
        [ -e "$e" ] || continue
        out=$(cd "$work/run" && timeout 60 bash -eo pipefail "$e" 2>&1 </dev/null >"$work/stdout")
        status=$?
        # Status 1 is a sound negative answer; a page may show one.
        if [ $status -le 1 ]; then result "$page $(basename "$e") runs" ""; else
            result "$page $(basename "$e") runs" "status $status: $(head -n 1 "$e")
$out"
        fi
    done
done
if [ $# -eq 0 ]; then
    rm -rf "$work/run" && cp -r "$work/tree" "$work/run"
    awk '/^```sh$/ { on = 1; next } /^```$/ { on = 0 } on' README.md >"$work/readme"
    out=$(cd "$work/run" && bash -euo pipefail "$work/readme" 2>&1 </dev/null >"$work/stdout") || out="status $?: $out"
    case $out in status*) ;; *) out= ;; esac
    result "the session in README.md runs" "$out"
    result "and ends with a report of it" "$(grep -q 'DA ' "$work/stdout" || cat "$work/stdout")"
fi
for p in cmd/pof*.c; do
    p=$(basename "$p" .c)
    [ $# -gt 0 ] || result "$p has a manual page" "$([ -e "man/$p.1" ] || echo none)"
done
echo "1..$n"
exit $bad
