#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Golden cases: test/golden.sh [--accept] test/golden/PROGRAM ... or test/golden/PROGRAM/CASE
# Each CASE/cmd is run by sh in a copy of its folder; standard output must equal CASE/out byte for
# byte, standard error CASE/err where that file is there, the status CASE/exit (0 without it).
# $POF_DATA, $ROOT and $SAMPLES may be used in cmd. --accept writes what was found: read the diff.
set -u
accept=
[ "${1:-}" = --accept ] && accept=1 && shift
ROOT=$(cd "$(dirname "$0")/.." && pwd)
: "${POF_BIN:=$ROOT/build/${VARIANT:-release}/bin}"
export ROOT POF_BIN SAMPLES="$ROOT/samples" PATH="$POF_BIN:$PATH" LC_ALL=C
cases=()
for arg in "$@"; do
    if [ -f "$arg/cmd" ]; then cases+=("$arg"); else
        for c in "$arg"/*/; do [ -f "$c/cmd" ] && cases+=("${c%/}"); done
    fi
done
n=0
bad=0
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
for c in "${cases[@]}"; do
    n=$((n + 1))
    c=$(cd "$c" && pwd)
    name=${c#"$ROOT/test/golden/"}
    rm -rf "$work/run" && cp -r "$c" "$work/run"
    (cd "$work/run" && sh ./cmd) >"$work/out" 2>"$work/err" </dev/null
    status=$?
    if [ -n "$accept" ]; then
        cp "$work/out" "$c/out"
        [ ! -f "$c/err" ] || cp "$work/err" "$c/err"
        if [ $status -ne 0 ]; then echo $status >"$c/exit"; else rm -f "$c/exit"; fi
    fi
    want=0
    [ ! -f "$c/exit" ] || want=$(cat "$c/exit")
    why=
    cmp -s "$c/out" "$work/out" || why="standard output differs"
    [ ! -f "$c/err" ] || cmp -s "$c/err" "$work/err" || why="${why:+$why, }standard error differs"
    [ "$status" = "$want" ] || why="${why:+$why, }status $status instead of $want"
    if [ -z "$why" ]; then
        echo "ok $n - $name"
    else
        bad=1
        echo "not ok $n - $name: $why"
        diff "$c/out" "$work/out" | head -n 10 | sed 's/^/# /'
        if [ -f "$c/err" ]; then diff "$c/err" "$work/err" | head -n 6 | sed 's/^/# err /'; else head -n 4 "$work/err" | sed 's/^/# err /'; fi
    fi
done
echo "1..$n"
exit $bad
