# SPDX-License-Identifier: Apache-2.0
# What every bats file loads: load ../helper
# POF_BIN: programs; POF_DATA: real data beside the project, empty when there are none.
ROOT=$(cd "$BATS_TEST_DIRNAME/.." && while [ ! -f VERSION ]; do cd ..; done && pwd)
: "${POF_BIN:=$ROOT/build/${VARIANT:-release}/bin}"
if [ -z "${POF_DATA+x}" ] && [ -d "$ROOT/../shared/data" ]; then
    POF_DATA=$(cd "$ROOT/../shared/data" && pwd)
fi
PATH=$POF_BIN:$PATH
export PATH ROOT POF_BIN POF_DATA LC_ALL=C

# need_data PATH: skips the test with a clear word when PATH below the real data is not there.
need_data() {
    [ -n "${POF_DATA:-}" ] && [ -e "$POF_DATA/$1" ] || skip "no shared data: $1"
}

# not COMMAND ...: fails when it succeeds. (A line that begins with "!" never ends a test, and neither does the first
# part of "this && that": one line for each thing that must hold.)
not() {
    if "$@"; then return 1; fi
}
