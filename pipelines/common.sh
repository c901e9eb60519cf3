# SPDX-License-Identifier: Apache-2.0
# What the pipelines share: sourced, not run. POSIX sh.
#
# A step makes files. It is skipped when all of them are there, and every program writes its outputs
# whole or not at all; so a pipeline that was killed is simply started again and comes to the same
# bytes. Flows are logged by pof-log(1) in $DAY_DIR/events.jsonl, which holds times and is the only
# file that differs from run to run.

set -eu
umask 022
LC_ALL=C
export LC_ALL
# Programs are taken from $POF_BIN, else from a build beside the pipelines, else from PATH.
if [ -z "${POF_BIN:-}" ] && [ -x "$here/../build/release/bin/pof" ]; then
    POF_BIN=$(cd "$here/../build/release/bin" && pwd)
fi
[ -z "${POF_BIN:-}" ] || PATH=$POF_BIN:$PATH
export PATH

say() {
    [ -n "${QUIET:-}" ] || printf '%s\n' "$*" >&2
}

die() {
    printf '%s: %s\n' "${0##*/}" "$*" >&2
    exit 2
}

# have FILE ...: are all of them there?
have() {
    for have_file in "$@"; do
        [ -e "$have_file" ] || return 1
    done
}

# step "FILE ..." COMMAND ...: makes the files unless they are there. Status 1 is a sound negative
# answer whose report is complete: it is noted beside the first file and the run goes on.
step() {
    step_files=$1
    shift
    # The list of files is split at blanks on purpose.
    # shellcheck disable=SC2086
    have $step_files && return 0
    step_status=0
    "$@" || step_status=$?
    [ "$step_status" -le 1 ] || {
        printf '%s: %s ended with status %s\n' "${0##*/}" "$*" "$step_status" >&2
        exit "$step_status"
    }
}

# flow FLOW PLATFORM REFERENCE RECEIVED|- COMMAND ...: the command as a passage of a flow.
flow() {
    flow_name=$1 flow_platform=$2 flow_reference=$3 flow_received=$4
    shift 4
    if [ "$flow_received" = - ]; then
        pof-log --flow "$flow_name" --platform "$flow_platform" --reference "$flow_reference" \
            --log "$DAY_DIR/events.jsonl" -- "$@"
    else
        pof-log --flow "$flow_name" --platform "$flow_platform" --reference "$flow_reference" \
            --received "$flow_received" --log "$DAY_DIR/events.jsonl" -- "$@"
    fi
}

# records FILE ...: how many lines they have together.
records() {
    if [ $# -eq 0 ]; then echo 0; else cat "$@" | wc -l | tr -d ' '; fi
}

# field FILE KEY: a string or number member of the only or first record of a file.
field() {
    sed -n '1s/.*"'"$2"'":"\{0,1\}\([^",}]*\).*/\1/p' "$1"
}

# session_line SESSIONS ID: the record of a session.
session_line() {
    grep "\"id\":\"$2\"" "$1"
}

# certify NAME REFERENCE FILE ...: appends records to the ledger, in the order of the calls, and
# keeps what was acknowledged as certified/NAME.jsonl. The place in the ledger is what was certified
# before, so a repeated call appends nothing twice.
certify() {
    certify_name=$1 certify_reference=$2
    shift 2
    certify_out=$DAY_DIR/certified/$certify_name.jsonl
    have "$certify_out" && return 0
    # The certified files are named by their order: what sorts before this one came before it.
    certify_at=$(find "$DAY_DIR/certified" -name '[0-9]*.jsonl' | sort |
        awk -v me="$certify_out" '$0 < me' | while IFS= read -r f; do cat "$f"; done |
        wc -l | tr -d ' ')
    flow flow7 BAL "$certify_reference" - \
        pof-certify append "$DAY_DIR/ledger" --at "$certify_at" -f -o "$certify_out" \
        --receipts "$DAY_DIR/certified/$certify_name.receipts" "$@"
}
