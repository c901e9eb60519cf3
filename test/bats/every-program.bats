# SPDX-License-Identifier: Apache-2.0
# What every program promises, tried on every program there is.
load ../helper

setup() {
    cd "$BATS_TEST_TMPDIR"
    programs=$(cd "$POF_BIN" && ls | grep '^pof-')
}

@test "--help is an example first, on standard output, status 0, one screen wide" {
    for p in $programs; do
        $p --help >out 2>err || { echo "$p"; false; }
        [ ! -s err ] || { echo "$p says: $(cat err)"; false; }
        head -n 1 out | grep -q "^    .*pof" || { echo "$p: $(head -n 1 out)"; false; }
        awk -v p="$p" 'length > 120 { print p ": " $0; bad = 1 } END { exit bad }' out
    done
}

@test "--version names the program and its version" {
    for p in $programs; do
        [ "$($p --version)" = "$p (pof) $(cat "$ROOT/VERSION")" ] || { echo "$p"; false; }
    done
}

@test "an unknown option is usage: status 2, one line that names it and says what to do" {
    for p in $programs; do
        s=0; $p --no-such-option >out 2>err || s=$?
        [ $s = 2 ] && [ ! -s out ] && [ "$(wc -l <err)" = 1 ] && grep -q -- "--help" err || { echo "$p: $s $(cat err)"; false; }
    done
}

@test "an abbreviated option is no option" {
    for p in $programs; do
        s=0; $p --versio >/dev/null 2>&1 || s=$?
        [ $s = 2 ] || { echo "$p"; false; }
    done
}

@test "a full disk is status 74 with a message" {
    for p in $programs; do
        s=0; $p --help >/dev/full 2>err || s=$?
        [ $s = 74 ] && grep -q "cannot write" err || { echo "$p: $s $(cat err)"; false; }
    done
}

@test "a closed pipe ends a program silently by SIGPIPE, even where the parent ignores it" {
    for p in $programs; do
        s=$(bash -c "trap '' PIPE; { sleep 0.05; $p --help 2>err; echo \$? >status; } | true; cat status")
        [ "$s" = 141 ] && [ ! -s err ] || { echo "$p: $s $(cat err)"; false; }
    done
}

@test "an operand that does not exist is refused by name, nothing on standard output" {
    for p in $programs; do
        case $p in pof-log) continue ;; esac
        s=0; $p no-such-file.jsonl >out 2>err </dev/null || s=$?
        [ $s -ge 2 ] && [ ! -s out ] && [ -s err ] || { echo "$p: $s"; cat out err; false; }
    done
}

@test "an empty standard input ends with a word or a result, never a crash" {
    for p in $programs; do
        s=0; $p </dev/null >out 2>err || s=$?
        [ $s -lt 126 ] || { echo "$p: $s"; cat err; false; }
        [ $s -le 1 ] || [ -s err ] || { echo "$p: $s without a word"; false; }
    done
}

@test "-o writes nothing when the run fails and leaves no temporary file" {
    for p in $programs; do
        case $p in pof-log) continue ;; esac
        $p -o result no-such-file.jsonl >/dev/null 2>&1 </dev/null || true
        [ ! -e result ] || { echo "$p"; false; }
        [ -z "$(ls -A | grep '^\.')" ] || { echo "$p leaves $(ls -A)"; false; }
    done
}
