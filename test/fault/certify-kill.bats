# SPDX-License-Identifier: Apache-2.0
# pof-certify killed at every system call of its write path, disks that fail, two writers, an old
# copy restored: nothing acknowledged is lost, nothing stands in the log twice.
#
# The rules that lib/trust/log.h and witness.h follow, and the tests that hold them to it (here, and
# in test/unit/trust_log.c, trust_witness.c and trust_openings.c, where a folder in memory dies at
# every step with four kinds of loss):
#  1 sync before signing, published by rename   killed at every write, fdatasync, fsync, rename,
#                                               open; trust_log: die_everywhere
#  2 a failed write or sync is the end          a failing fdatasync, a full disk, a write that ends
#                                               in the middle; trust_log: sync_fails
#  3 framed batches; only a torn tail is        a journal truncated at every byte, its end zeroed,
#    dropped, never what was signed             batches exchanged; trust_log: truncated,
#                                               shuffled_batches
#  4 one writer                                 two writers
#  5 the last signature is remembered           an old copy restored; trust_log: repair; with a
#                                               witness: test/bats/certify-witness.bats
#  6 tiles are derived                          every tile file deleted or damaged; trust_log: repair
#  7 read again before signing                  trust_log: flipped_before_signing
#  8 a witness stores before it answers         a witness killed at every system call;
#                                               certify-witness.bats: many submissions at once;
#                                               trust_witness: die_everywhere
#  9 names are synced too                       killed at every open and rename
# Openings of commitments are durable before the log speaks of them: killed at every fdatasync with
# --commit; trust_openings: die_everywhere.
load ../helper
bats_require_minimum_version 1.5.0

setup_file() {
    cd "$BATS_FILE_TMPDIR"
    awk 'BEGIN { for (i = 0; i < 300; i++) printf "{\"schema\":\"pof.measurement/1\",\"pod\":\"IT001E%04d\",\"start\":\"2026-03-10T00:00:00Z\",\"duration_s\":900,\"p_w\":%d}\n", i, i * 13 % 5000 }' >all
    head -n 250 all >old
    tail -n 50 all >new
    printf '%064d\n' 5 >seed
    pof-certify init base --origin pof.example/kill --seed-file seed
    pof-certify append base old >/dev/null
    cp -r base whole
    pof-certify append whole new >/dev/null
}

setup() {
    cd "$BATS_FILE_TMPDIR"
    rm -rf log
    # LeakSanitizer does not run under a tracer.
    export ASAN_OPTIONS=${ASAN_OPTIONS:+$ASAN_OPTIONS:}detect_leaks=0
}

need_strace() {
    strace -o /dev/null true 2>/dev/null || skip "strace cannot trace here"
}

# append_with INJECTION: appends `new` to a fresh copy under it; status in $s.
append_with() {
    rm -rf log && cp -r base log
    s=0
    strace -qq -o /dev/null -e "inject=$1" \
        pof-certify append log --at 250 --batch 17 new >acknowledged 2>err || s=$?
}

# The log after a fault: whole, nothing acknowledged lost; appending again gives exactly what an
# undisturbed run gives, and records are passed on once more.
recovers() {
    pof-certify verify log >report || { echo "$1: $(cat report)"; return 1; }
    n=$(wc -l <acknowledged)
    head -n "$n" new | cmp - acknowledged || { echo "$1: acknowledged something else"; return 1; }
    pof-certify append log -v --at 250 --batch 17 new >again 2>err || { echo "$1: $(cat err)"; return 1; }
    there=$(sed 's/.*added, \([0-9]*\) were.*/\1/' err)
    [ "$there" -ge "$n" ] || { echo "$1: $n acknowledged, $there there"; return 1; }
    cmp again new && cmp log/checkpoint whole/checkpoint && cmp log/tiles.0 whole/tiles.0 &&
        cmp log/tiles.1 whole/tiles.1 || { echo "$1: another log"; return 1; }
    pof-certify verify log all >report || { echo "$1: $(cat report)"; return 1; }
}

kill_at_every() {
    k=1
    while append_with "$1:signal=KILL:when=$k" && [ $s = 137 ]; do
        recovers "$1 $k" || return 1
        k=$((k + 1))
    done
    [ $s = 0 ] || { echo "$1 $k: status $s: $(cat err)"; return 1; }
    [ $k -gt "$2" ] || { echo "$1: only $k calls"; return 1; }
}

@test "killed at every write to the journal and the tiles" {
    need_strace
    kill_at_every pwrite64 7
}

@test "killed at every fdatasync" {
    need_strace
    kill_at_every fdatasync 5
}

@test "killed at every fsync" {
    need_strace
    kill_at_every fsync 4
}

@test "killed at every rename" {
    need_strace
    kill_at_every renameat 1
}

@test "killed at every write of records that are passed on and of small files" {
    need_strace
    kill_at_every write 5
}

@test "killed at every open of a file in the log" {
    need_strace
    # Those before the log is opened belong to the loader.
    strace -qq -e trace=openat -o calls pof-certify verify base >/dev/null
    first=$(grep -n '"vkey"' calls | head -n 1 | cut -d: -f1)
    k=$first
    while append_with "openat:signal=KILL:when=$k" && [ $s = 137 ]; do
        recovers "openat $k"
        k=$((k + 1))
    done
    [ $s = 0 ]
    [ $((k - first)) -gt 8 ]
}

@test "a failing fdatasync: status 74, nothing acknowledged after it, whole afterwards" {
    need_strace
    for k in 2 3 4; do
        append_with "fdatasync:error=EIO:when=$k"
        [ $s = 74 ]
        grep -q "cannot sync 'log/journal': Input/output error" err
        [ "$(wc -l <acknowledged)" -eq $(((k - 2) * 17)) ]
        recovers "EIO $k"
    done
}

@test "a failing fsync or rename of what was signed: status 73 or 74, whole afterwards" {
    need_strace
    for what in fsync:error=EIO:when=1 renameat:error=EIO:when=1 renameat:error=ENOSPC:when=2; do
        append_with "$what"
        [ $s = 74 ] || [ $s = 73 ]
        recovers "$what"
    done
}

@test "a full disk at every write to the log: status 74, whole afterwards" {
    need_strace
    for k in 1 2 3 4 7; do
        append_with "pwrite64:error=ENOSPC:when=$k"
        [ $s = 74 ]
        grep -q "No space left on device" err
        recovers "ENOSPC $k"
    done
}

@test "a write that ends in the middle (file size limit): status 74, whole afterwards" {
    # 29 KiB: inside a batch of the journal
    for limit in 28 29 30 31; do
        rm -rf log && cp -r base log
        s=0
        (
            trap '' XFSZ
            ulimit -f "$limit"
            exec pof-certify append log --at 250 --batch 17 new >acknowledged 2>err
        ) || s=$?
        [ $s = 74 ]
        recovers "limit $limit"
    done
}

@test "standard output full: the records are durable, the status is 74" {
    cp -r base log
    s=0
    pof-certify append log --at 250 --batch 17 new >/dev/full 2>err || s=$?
    [ $s = 74 ]
    : >acknowledged
    recovers "stdout"
}

@test "two writers: the second is told so and leaves at once, status 75" {
    cp -r base log
    mkfifo feed
    pof-certify append log --batch 1 <feed >first &
    exec 7>feed
    head -n 1 new >&7
    for _ in $(seq 100); do [ -s first ] && break || sleep 0.05; done
    run -75 pof-certify append log new
    [[ $output == *"somebody else is writing to 'log'"* ]]
    pof-certify verify log >/dev/null
    tail -n +2 new >&7
    exec 7>&-
    wait
    cmp first new
    cmp log/checkpoint whole/checkpoint
}

@test "the end of the journal cut at many places (every byte: trust_log) or zeroed: what was signed is never given up" {
    signed=$(stat -c %s base/journal)
    cp -r base log
    # A batch that is durable and not signed: killed at the rename of `signed`.
    if strace -o /dev/null true 2>/dev/null; then
        strace -qq -o /dev/null -e inject=renameat:signal=KILL:when=1 \
            pof-certify append log --at 250 new >/dev/null 2>&1 || true
        cp log/journal long
        all=$(stat -c %s long)
        [ "$all" -gt "$signed" ]
        for ((n = signed; n <= all; n += 797)); do
            head -c "$n" long >log/journal
            pof-certify append -q log </dev/null
            [ "$(sed -n 2p log/checkpoint)" = 250 ] || [ "$n" = "$all" ]
            rm -rf log && cp -r base log
        done
        for n in 1024 2048 4096; do
            cp long log/journal
            dd if=/dev/zero of=log/journal bs=1 seek=$((all - n)) count=$n conv=notrunc status=none
            pof-certify append -q log </dev/null
            [ "$(sed -n 2p log/checkpoint)" = 250 ]
            rm -rf log && cp -r base log
        done
    fi
    for n in 1 100 4096; do
        truncate -s $((signed - n)) log/journal
        run -65 pof-certify append log new
        [[ $output == *"were signed; restore it from a copy"* ]]
        cp base/journal log/journal
    done
}

@test "every tile file deleted or damaged: made anew from the journal" {
    for file in tiles.0 tiles.1; do
        for how in rm cut flip; do
            rm -rf log && cp -r whole log
            case $how in
            rm) rm log/$file ;;
            cut) truncate -s 7 log/$file ;;
            flip) printf X | dd of=log/$file bs=1 seek=5 conv=notrunc status=none ;;
            esac
            run -1 pof-certify verify log
            pof-certify append -q log --rebuild </dev/null
            pof-certify verify log all
            cmp log/$file whole/$file
        done
    done
}

@test "--commit killed at every fdatasync: every commitment opens" {
    need_strace
    for ((k = 1; k < 30; k++)); do
        rm -rf log && cp -r base log
        s=0
        strace -qq -o /dev/null -e "inject=fdatasync:signal=KILL:when=$k" \
            pof-certify append log --at 250 --batch 25 --commit measurement new >acknowledged 2>err || s=$?
        pof-certify append -q log --at 250 --batch 25 --commit measurement new | cmp - new
        pof-certify verify log all | grep -q "are those of the log from 0 on"
        pof-certify verify log | grep -q "^50 records are committed to, 0 of them"
        [ $s = 137 ] || break
    done
    [ $s = 0 ]
    [ "$k" -gt 4 ]
}

@test "a witness killed at every system call never answers what it did not store" {
    need_strace
    pof-certify init -q forked --origin pof.example/kill --seed-file seed
    tac all | pof-certify append forked >/dev/null
    pof-certify init -q witness --origin w.example --as-witness
    { echo "log $(cat base/vkey)"; echo "quorum none"; } >policy
    for call in openat write fsync renameat; do
        k=1
        [ $call != openat ] || {
            strace -qq -e trace=openat -o calls pof-certify witness witness --policy policy --drop . >/dev/null
            k=$(grep -n '"witness"' calls | head -n 1 | cut -d: -f1)
        }
        for (( ; ; k++)); do
            rm -rf w drop && cp -r witness w && mkdir drop
            { echo "old 0"; echo; cat whole/checkpoint; } >drop/a.request
            s=0
            strace -qq -o /dev/null -e "inject=$call:signal=KILL:when=$k" \
                pof-certify witness w --policy policy --drop drop >events 2>err || s=$?
            answered=$(head -c 3 drop/a.answer 2>/dev/null || true)
            # another history: refused whenever the first was answered
            { echo "old 0"; echo; cat forked/checkpoint; } >drop/b.request
            rm -f drop/a.request
            pof-certify witness w --policy policy --drop drop >events
            [ "$answered" != 200 ] || grep -q "^409 pof.example/kill 300 -> 300: old size" events
            grep -qE "^(200|409) pof.example/kill" events
            [ $s = 137 ] || break
        done
        [ $s = 0 ]
        [ "$k" -gt 1 ]
    done
}

@test "killed at every step of init: no half log, and init works again" {
    need_strace
    for call in fsync renameat rename symlinkat linkat link mkdir; do
        k=1
        while :; do
            rm -rf log secret
            s=0
            strace -qq -o /dev/null -e "inject=$call:signal=KILL:when=$k" \
                pof-certify init log --origin pof.example/kill --key secret --seed-file seed || s=$?
            [ $s = 137 ] || break
            [ ! -e log ] || pof-certify verify log >/dev/null
            pof-certify init -q log --origin pof.example/kill --key secret --seed-file seed
            pof-certify append log old | cmp - old
            cmp log/checkpoint base/checkpoint
            k=$((k + 1))
        done
        [ $s = 0 ]
    done
    rm -rf .log.* .secret.*
}

@test "an old copy restored: who kept a newer checkpoint sees it" {
    cp -r base log
    tac new | pof-certify append log >/dev/null
    pof-certify verify log >/dev/null
    run -1 pof-certify consistency log whole/checkpoint
    [[ $output == *"does not begin with the 300 that were signed"* ]]
    pof-certify append -q base </dev/null
    run -1 pof-certify consistency base whole/checkpoint
    run -0 pof-certify consistency whole base/checkpoint
}
