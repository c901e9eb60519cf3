# SPDX-License-Identifier: Apache-2.0
# For bats tests with a real node, started and stopped by them: anvil or hardhat, one validator each. They show what the
# contracts and the client do, not what a consensus adds.

A=0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266 # the first two accounts that both nodes make
B=0x70997970C51812dc3A010C7d01b50e0d17dc79C8
TERMS_END=2031-01-01T00:00:00Z

# wait_for FILE PATTERN: sets NODE to http:// and what sed finds in the file.
wait_for() {
    for _ in $(seq 600); do
        NODE=http://$(sed -n "$2" "$1")
        [ "$NODE" = http:// ] || return 0
        sleep 0.05
    done
    cat "$1"
    return 1
}

# keys: of both accounts, into a.key and b.key.
keys() {
    umask 077
    echo ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80 >a.key
    echo 59c6995e998f97a5a0044966f0945389dc9e86dae88c7a8412f4603b6b78690d >b.key
}

# rpc METHOD PARAMS: the answer of the node.
rpc() { curl -s -H 'Content-Type: application/json' -d "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"$1\",\"params\":$2}" "$NODE"; }

chain() { # chain COMMAND DIR ...; WAIT: how many seconds for a block
    local c=$1 d=$2
    shift 2
    pof-chain "$c" "$d" --node "$NODE" --poll 20 --timeout "${WAIT:-20}" "$@"
}
tokens() { chain status "${2:-chain}" --owner "$1" | sed -n 's/^tokens .* //p'; }

# terms NAME: a file of terms, and their hash in HASH.
terms() {
    echo "{\"schema\":\"pof.terms/1\",\"name\":\"$1\",\"rule\":\"usef\",\"penalty_permille\":1000,\"tokens_per_kwh\":2}" >"$1.jsonl"
    HASH=$(pof-settle --list "$1.jsonl" | cut -d' ' -f1)
}

settlement() { # settlement NUMBER TOKENS [MORE MEMBERS]: under the terms of HASH
    echo "{\"schema\":\"pof.settlement/1\",\"award\":\"award-$1\",\"session\":\"2026-03-10\",\"pod\":\"IT001E$1\",\"buyer\":\"DSO\",\"seller\":\"AGG\",\"direction\":\"up\",\"start\":\"2026-03-10T00:00:00Z\",\"duration_s\":900,\"baseline_w\":5000,\"measured_w\":3000,\"ordered_w\":2000,\"delivered_w\":2000,\"deficiency_w\":0,\"fee_eur\":0.5,\"penalty_eur\":0,\"net_eur\":0.5,\"tokens\":$2,\"terms\":\"$HASH\"${3:-}}"
}

# The input of the newest transaction that holds a text.
input_with() {
    local block
    block=$(rpc eth_blockNumber '[]' | jq -r .result)
    for n in $(seq $((block)) -1 1); do
        rpc eth_getBlockByNumber "[\"$(printf 0x%x "$n")\",true]"
    done | jq -r '.result.transactions[].input' | grep -m 1 "$(printf %s "$1" | xxd -p)"
}

stop_nodes() {
    for p in *.pid; do [ -e "$p" ] && kill -9 "$(cat "$p")" 2>/dev/null; done
    return 0
}
