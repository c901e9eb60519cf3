# SPDX-License-Identifier: Apache-2.0
load ../helper

@test "install and uninstall: everything there, it runs, nothing left" {
    [ "${VARIANT:-release}" = release ] || skip "the release build is what is installed"
    dest=$BATS_TEST_TMPDIR/root
    make -C "$ROOT" --no-print-directory install DESTDIR="$dest" PREFIX=/opt/pof >/dev/null
    for p in "$POF_BIN"/pof*; do [ -x "$dest/opt/pof/bin/$(basename "$p")" ]; done
    [ -e "$dest/opt/pof/lib/libpof.a" ]
    [ -e "$dest/opt/pof/share/man/man1/pof.1" ]
    grep -q '^prefix=/opt/pof$' "$dest/opt/pof/lib/pkgconfig/pof.pc"
    "$dest/opt/pof/bin/pof" sim --make pods --grid "$dest/opt/pof/share/pof/samples/cigre-mv.json" --pods 12 |
        grep -c pof.pod/1
    make -C "$ROOT" --no-print-directory uninstall DESTDIR="$dest" PREFIX=/opt/pof >/dev/null
    [ -z "$(find "$dest" -type f)" ]
}

@test "no program is linked with GLPK; pof-clear opens it for linear programs" {
    for p in "$POF_BIN"/pof*; do
        if readelf -d "$p" | grep -q 'NEEDED.*libglpk'; then basename "$p"; fi
    done >"$BATS_TEST_TMPDIR/linked"
    [ ! -s "$BATS_TEST_TMPDIR/linked" ]
}

@test "without the right to install, deps names what is missing and stops" {
    [ "$(id -u)" = 0 ] || skip "needs root to become somebody else"
    command -v setpriv >/dev/null || skip "no setpriv"
    # By standard input: the checkout may lie where nobody else may look.
    run setpriv --reuid=65534 --regid=65534 --clear-groups sh -s gcc no-such-package-at-all <"$ROOT/share/deps.sh"
    [ "$status" = 1 ]
    [[ $output == *"apt-get install --no-install-recommends no-such-package-at-all"* ]]
    [[ $output != *" gcc"* ]]
}

@test "deps is silent and does nothing when all is there" {
    run sh "$ROOT/share/deps.sh" dpkg
    [ "$status" = 0 ]
    [ -z "$output" ]
}
