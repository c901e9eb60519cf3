#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# What the tests of chains run that Debian has not: a node and the compiler of contracts, at pinned
# versions, from npm into build/npm. Prints that folder; status 1 with a word when it cannot be had.
set -u
cd "$(dirname "$0")/../.." || exit 1
want="@foundry-rs/anvil@1.7.1 solc@0.8.37"
mkdir -p build/npm
exec 9>build/npm/lock
flock 9
if [ "$(cat build/npm/have 2>/dev/null)" != "$want" ]; then
    command -v npm >/dev/null || { echo "npm is not here" >&2 && exit 1; }
    # shellcheck disable=SC2086
    timeout 120 npm install --silent --no-save --prefix build/npm $want >build/npm/log 2>&1 ||
        { echo "npm cannot get $want" >&2 && exit 1; }
    echo "$want" >build/npm/have
fi
echo "$PWD/build/npm"
