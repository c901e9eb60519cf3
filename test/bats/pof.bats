# SPDX-License-Identifier: Apache-2.0
load ../helper

@test "pof help lists every program with its purpose" {
    pof help >"$BATS_TEST_TMPDIR/out"
    for p in "$POF_BIN"/pof-*; do
        grep -q "^  $(basename "$p" | sed 's/^pof-//') .* [a-z]" "$BATS_TEST_TMPDIR/out" || { echo "$p"; false; }
    done
}

@test "pof NAME is pof-NAME, with its arguments and status" {
    [ "$(pof sim --version)" = "$(pof-sim --version)" ]
    run pof sim --no-such-option
    [ "$status" = 2 ]
}

@test "an unknown name is usage and says where to look" {
    run pof nonsense
    [ "$status" = 2 ]
    [[ $output == *"pof help"* ]]
    run pof ../bin/sh
    [ "$status" = 2 ]
    run pof
    [ "$status" = 2 ]
}

@test "a full disk is 74" {
    run bash -c 'pof help >/dev/full'
    [ "$status" = 74 ]
}

@test "pof help NAME shows the manual page, installed or not" {
    command -v man >/dev/null || command -v mandoc >/dev/null || skip "neither man nor mandoc"
    MANPAGER=cat pof help sim >"$BATS_TEST_TMPDIR/out"
    grep -q "simulate a market" "$BATS_TEST_TMPDIR/out"
    run pof help nonsense
    [ "$status" != 0 ]
}
