#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Gets what test/chain/NAME/package-lock.json names, once: anvil (a real Ethereum node) with the Solidity compiler, or
# hardhat (the second node). Prints the folder with their node_modules; status 1 with a word when they cannot be had.
#
# The lock files were made by
#     npm install --package-lock-only --omit-lockfile-registry-resolved
# and then lost the native parts for other systems (of hardhat's 290 MB half), and what they name them by:
#     jq '.packages |= (del(.[].funding) | with_entries(select(.key | test("-(darwin|win32|linux-.*-musl)") | not)))
#         | .packages["node_modules/@nomicfoundation/edr"].dependencies |= with_entries(select(.key | test("-gnu$")))'
set -u
cd "$(dirname "$0")/../.." || exit 1
to=build/npm/$1
mkdir -p "$to"
exec 9>"$to/lock"
flock 9
if ! cmp -s "test/chain/$1/package-lock.json" "$to/have"; then
    command -v npm >/dev/null || { echo "npm is not here" >&2 && exit 1; }
    cp "test/chain/$1/package.json" "test/chain/$1/package-lock.json" "$to"
    timeout 180 npm ci --silent --ignore-scripts --no-audit --no-fund --prefer-offline --prefix "$to" >"$to/log" 2>&1 ||
        { echo "npm cannot get $1" >&2 && exit 1; }
    cp "test/chain/$1/package-lock.json" "$to/have"
fi
echo "$PWD/$to"
