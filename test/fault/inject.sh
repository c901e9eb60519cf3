#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Every program while memory, reading, writing, syncing, renaming or closing fails, as TAP.
# test/fault/inject.sh INJECT.so
# The first good golden case of each program is run again and again with the n-th call failing. Each
# run must end by itself with a status of the manual; with 0 or 1 its output must be the right one:
# a failure that does not matter may be survived, none may be hidden.
set -u
inject=$(realpath "$1")
ROOT=$(cd "$(dirname "$0")/../.." && pwd)
: "${POF_BIN:=$ROOT/build/${VARIANT:-release}/bin}"
export ROOT SAMPLES="$ROOT/samples" LC_ALL=C
case ${VARIANT:-release} in release) ;; *)
    echo "1..0 # SKIP preloading does not go with VARIANT=$VARIANT"
    exit 0
    ;;
esac
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT

# Programs as the case calls them, each preloaded.
mkdir "$work/bin"
for p in "$POF_BIN"/pof*; do
    printf '#!/bin/sh\nLD_PRELOAD=%s exec %s "$@"\n' "$inject" "$p" >"$work/bin/$(basename "$p")"
done
chmod +x "$work"/bin/*
export PATH="$work/bin:$PATH" POF_FAIL_COUNT="$work/count" POF_FAIL

# A preload that does not load would make everything survive.
POF_FAIL=read:1 "$work/bin/pof" --version >/dev/null 2>&1
[ -e "$work/count" ] || {
    echo "not ok 1 - $inject can be preloaded"
    echo "1..1"
    exit 1
}

n=0
bad=0
finding= # what is wrong with the last run
run_case() { # run_case CASE
    rm -rf "$work/run" && cp -r "$1" "$work/run"
    (cd "$work/run" && timeout 20 sh ./cmd) >"$work/out" 2>"$work/err" </dev/null
    status=$?
    finding=
    case $status in
    0 | 1)
        [ "$status" = "$(cat "$1/exit" 2>/dev/null || echo 0)" ] && cmp -s "$work/out" "$1/out" ||
            finding="status $status with another output"
        ;;
    2 | 6[5-9] | 7[0-8] | 141) [ -s "$work/err" ] || finding="status $status without a word" ;;
    *) finding="status $status" ;;
    esac
    [ -z "$(find "$work/run" -name '.*.??????' -print -quit)" ] || finding="${finding:+$finding, }a temporary file is left"
}

for dir in "$ROOT"/test/golden/*/; do
    program=$(basename "$dir")
    good=
    for c in "$dir"*/; do
        # A good case: status 0, one program, with output.
        if [ ! -e "$c/exit" ] && [ -s "$c/out" ] && ! grep -q '|' "$c/cmd"; then good=${c%/} && break; fi
    done
    [ -n "$good" ] || continue
    for function in malloc read write fsync rename close; do
        why=
        runs=0
        i=1
        step=1
        while [ "$i" -le 4000 ]; do
            POF_FAIL=$function:$i
            rm -f "$work/count"
            run_case "$good"
            runs=$((runs + 1))
            [ -z "$finding" ] || why="${why:-$function:$i: $finding: $(head -n 1 "$work/err" | cut -c1-150)}"
            [ -e "$work/count" ] && [ "$(cat "$work/count")" -lt "$i" ] && break
            # Every one of the first calls, then ever wider steps.
            [ "$i" -lt 40 ] || step=$((step + i / 20))
            i=$((i + step))
        done
        n=$((n + 1))
        if [ -z "$why" ]; then echo "ok $n - $program survives $function failing, $runs times"; else
            bad=1
            echo "not ok $n - $program survives $function failing, $runs times"
            echo "# $(basename "$good"): $why"
        fi
    done
done
echo "1..$n"
exit $bad
