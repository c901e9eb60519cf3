#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Installs the Debian packages named as arguments that are missing; touches nothing that is there.
# Without the right to install it says which packages to ask for and stops.
set -u
command -v dpkg-query >/dev/null 2>&1 || {
    echo "This is not a Debian system. Wanted are what these Debian packages hold: $*" >&2
    exit 0
}
missing=
for package in "$@"; do
    case $(dpkg-query -W -f='${Status}' "$package" 2>/dev/null) in
    *" installed") ;;
    *) missing="$missing $package" ;;
    esac
done
[ -n "$missing" ] || exit 0
if [ "$(id -u)" = 0 ]; then
    as_root=
elif command -v sudo >/dev/null 2>&1 && { sudo -n true 2>/dev/null || [ -t 0 ]; }; then
    as_root=sudo
else
    echo "These packages are missing; ask somebody who may install them to run:" >&2
    echo "    apt-get install --no-install-recommends$missing" >&2
    exit 1
fi
echo "Installing:$missing"
install() {
    # --no-remove: what is installed stays, even when a new package would conflict with it.
    # A list of packages is meant.
    # shellcheck disable=SC2086
    $as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends --no-remove $missing
}
install >/dev/null 2>&1 && exit 0
$as_root apt-get update -qq && install >/dev/null && exit 0
echo "Installing failed. Please run: apt-get install --no-install-recommends$missing" >&2
exit 1
