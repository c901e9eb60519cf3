#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A private PostgreSQL server of Debian, on a socket only, gone with its directory.
#   test/postgresql.sh start DIR   makes DIR (new), starts the server, prints DIR's address without database
#                                           (-c NAME=VALUE ...: settings of the server)
#   test/postgresql.sh restart DIR             as after a power cut
#   test/postgresql.sh stop DIR
# Status 77 with a word: PostgreSQL is not installed, or there is no user to run it (it refuses root).
set -u
what=$1 dir=$2
shift 2
bin=$(find /usr/lib/postgresql -maxdepth 2 -name bin 2>/dev/null | sort -V | tail -n 1)
if [ ! -x "$bin/initdb" ]; then
    echo "PostgreSQL is not installed" >&2
    exit 77
fi
as=()
if [ "$(id -u)" = 0 ]; then
    user=$(stat -c %U "$dir" 2>/dev/null)
    case $user in "" | root | UNKNOWN) id postgres >/dev/null 2>&1 && user=postgres || user=nobody ;; esac
    as=(setpriv "--reuid=$user" --clear-groups --)
fi
run() { (cd / && "${as[@]}" "$@"); }
case $what in
start)
    mkdir "$dir" || exit 1
    [ "$(id -u)" != 0 ] || chown "$user" "$dir"
    chmod 711 "$dir"
    run "$bin/initdb" -A trust -U pof -E UTF8 --locale=C.UTF-8 --no-sync -D "$dir/data" >/dev/null 2>"$dir.log" || {
        cat "$dir.log" >&2
        exit 1
    }
    run "$bin/pg_ctl" -s -w -D "$dir/data" -l "$dir/data/log" -o "-k '$dir' -h '' $*" start >/dev/null 2>>"$dir.log" || {
        cat "$dir.log" >&2
        exit 1
    }
    echo "postgresql://pof@$(printf %s "$dir" | sed 's|/|%2F|g')"
    ;;
restart) run "$bin/pg_ctl" -s -w -m immediate -D "$dir/data" -l "$dir/data/log" restart >/dev/null ;;
stop) run "$bin/pg_ctl" -s -m immediate -D "$dir/data" stop && rm -rf "$dir" "$dir.log" ;;
*) exit 2 ;;
esac
