# SPDX-License-Identifier: Apache-2.0
# pof-certify killed at every system call of its write path, disks that fail, two writers, an old
# copy restored: nothing acknowledged is lost, nothing stands in the log twice.
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
