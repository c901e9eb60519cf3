# SPDX-License-Identifier: Apache-2.0
# Logs of pof-certify, judged by Go's golang.org/x/mod note and tlog packages.
load ../helper
bats_require_minimum_version 1.5.0

setup_file() {
    cd "$BATS_FILE_TMPDIR"
    command -v go >/dev/null && [ -d /usr/share/gocode/src/golang.org/x/mod/sumdb ] || return 0
    # CGO off: a build with it has been seen to replace /dev/null.
    GO111MODULE=off GOPATH=/usr/share/gocode CGO_ENABLED=0 GOCACHE=$PWD/cache GOFLAGS= \
        go build -o oracle "$ROOT/test/oracle/certify/main.go"
    awk 'BEGIN { for (i = 0; i < 66100; i++) printf "{\"schema\":\"pof.measurement/1\",\"pod\":\"IT001E%05d\",\"start\":\"2026-03-10T00:00:00Z\",\"duration_s\":900,\"p_w\":%d}\n", i, i * 13 % 5000 }' >all
    printf '%064d\n' 5 >seed
    pof-certify init log --origin pof.example/oracle --seed-file seed
    cp log/checkpoint empty
    for w in dso tso; do pof-certify init $w --origin $w.example/witness --as-witness; done
    {
        echo "log $(cat log/vkey)"
        echo "witness dso $(cat dso/vkey)"
        echo "witness tso $(cat tso/vkey)"
        echo "group both all dso tso"
        echo "quorum both"
    } >policy
}

setup() {
    cd "$BATS_FILE_TMPDIR"
    [ -x oracle ] || skip "needs golang-go and golang-golang-x-mod-dev"
}

# grow FROM TO: appends these records and proves some of them, and what was signed before.
grow() {
    cp log/checkpoint before
    sed -n "$(($1 + 1)),$2p" all | pof-certify append log >/dev/null
    proofs=()
    for i in 0 $(($2 / 2)) $(($2 - 1)) "$1"; do
        pof-certify prove log "$i" >"proof$i"
        proofs+=("$i=proof$i")
    done
    pof-certify consistency log before >growth
    [ "$1" = 0 ] || proofs+=("before~growth")
}

@test "sizes around tiles: checkpoint, root, tiles, proofs and growth are good" {
    from=0
    sizes=()
    for to in 1 2 255 256 257 511 513 1000 65535 65536 65537 66100; do
        grow $from $to
        ./oracle log "${proofs[@]}" >verdict || { echo "$to: $(cat verdict)"; false; }
        grep -q "^yes: $to entries" verdict
        sizes+=(--size "$to")
        from=$to
    done
    pof-certify export -q log static "${sizes[@]}"
    pof-certify verify log all
}

@test "exported tiles, with partial ones for every size that was published, are Go's" {
    run -0 ./oracle -static static "$(cat log/vkey)"
    [[ $output == "yes: 66100 entries"* ]]
    pof-certify verify static --key "$(cat log/vkey)"
    [ -f static/tile/0/255.p/255 ]
    [ -f static/tile/1/000.p/255 ]
    for f in tile/0/000 tile/0/003.p/232 tile/1/000 tile/1/001.p/2 tile/2/000.p/1 tile/entries/100 checkpoint; do
        cp "static/$f" keep
        byte=$(($(wc -c <keep) / 2))
        printf '\377' | dd of="static/$f" bs=1 seek=$byte conv=notrunc status=none
        ! ./oracle -static static "$(cat log/vkey)" || { echo "the oracle misses $f"; false; }
        ! pof-certify verify static --key "$(cat log/vkey)" || { echo "verify misses $f"; false; }
        cp keep "static/$f"
    done
}

@test "cosigned checkpoints and the proofs that lead to them are good" {
    mkdir -p drop-dso drop-tso
    for _ in 1 2; do
        pof-certify checkpoint -q log --policy policy --witness drop-dso --witness drop-tso >cosigned && break
        for w in dso tso; do pof-certify witness $w --policy policy --drop drop-$w; done
    done
    ./oracle -cosigned cosigned "$(cat log/vkey)" "$(cat dso/vkey)" "$(cat tso/vkey)"
    pof-certify prove log 65535 --policy policy >proof
    sed '1,/^$/d' proof | cmp - cosigned
    sed 's/dso.example\/witness ..../&x/' cosigned >forged
    not ./oracle -cosigned forged "$(cat log/vkey)" "$(cat dso/vkey)" "$(cat tso/vkey)"
}

@test "a key of which one signature is good for any text: Go takes it, pof-certify does not" {
    key=small.example/log+1f3371ce+AQEAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA # the neutral point
    mkdir degenerate
    printf '%s\n' small.example/log 0 47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU= '' '— small.example/log HzNxzlhmZmZmZmZmZmZmZmZmZmZmZmZmZmZmZmZmZmZmZmZmAQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=' >degenerate/checkpoint
    ./oracle -cosigned degenerate/checkpoint $key
    run -1 pof-certify verify degenerate --key $key
    [[ $output == *"the signature is not that of its key" ]]
}

@test "the oracle says no to a flipped byte of each file" {
    for f in journal tiles.0 tiles.1 tiles.2 checkpoint; do
        cp "log/$f" keep
        byte=$(($(wc -c <keep) / 2))
        printf '\377' | dd of="log/$f" bs=1 seek=$byte conv=notrunc status=none
        ! ./oracle log || { echo "the oracle misses $f"; false; }
        ! pof-certify verify log || { echo "verify misses $f"; false; }
        cp keep "log/$f"
    done
    pof-certify verify log
}
