# SPDX-License-Identifier: Apache-2.0
# pof-chain on hardhat, a node that shares no code with anvil and words its errors otherwise: once through everything.
load ../helper
load ../chain/node
bats_require_minimum_version 1.5.0

# start_node NAME CHAIN-ID: sets NODE; its process is in NAME.pid.
start_node() {
    mkdir -p "$1"
    echo "module.exports = { networks: { hardhat: { chainId: $2 } } };" >"$1/hardhat.config.js"
    echo '{}' >"$1/package.json"
    ln -s "$NPM/node_modules" "$1"
    (cd "$1" && exec node "$NPM/node_modules/hardhat/internal/cli/bootstrap.js" node --hostname 127.0.0.1 --port 0) \
        >"$1.log" 2>&1 3>&- &
    echo $! >"$1.pid"
    wait_for "$1.log" 's|^Started HTTP and WebSocket JSON-RPC server at http://\(.*\)/$|\1|p'
}

setup_file() {
    cd "$BATS_FILE_TMPDIR"
    [ "${VARIANT:-release}" = release ] || { echo "the release build alone, for time" >why && return 0; }
    NPM=$("$ROOT/test/chain/npm.sh" hardhat 2>why) || return 0
    export NPM HARDHAT_DISABLE_TELEMETRY_PROMPT=true NO_COLOR=1 # where CI is set it would write in colours
    keys
    start_node main 31337 || return 1
    export NODE
}

teardown_file() {
    cd "$BATS_FILE_TMPDIR"
    stop_nodes
}

setup() {
    cd "$BATS_FILE_TMPDIR"
    [ -e main.pid ] || skip "no node: $(cat why)"
}

@test "deployed, a day's root anchored, a subscription granted, checked and revoked" {
    terms one-to-one
    echo "$HASH" >hash
    pof-certify init log --origin dso.example/pof/settlements
    for i in 1 2 3; do settlement $i $((10 * i)); done >records.jsonl
    settlement 4 40 ',"owner":"ANNA","owner_fee_eur":0.1,"owner_penalty_eur":0,"owner_tokens":15' >personal.jsonl
    pof-certify append log records.jsonl >/dev/null
    cp log/checkpoint day1
    pof-certify append log --commit settlement personal.jsonl >/dev/null
    cat personal.jsonl >>records.jsonl
    run -0 chain deploy chain --key a.key --supply 5000 --origin dso.example/pof/settlements \
        --terms one-to-one.jsonl --until $TERMS_END
    [ "$(grep -c '^deploy .* gas=[0-9]* block=[0-9]* tx=0x[0-9a-f]\{64\}$' <<<"$output")" = 4 ]
    run -0 chain anchor chain --key a.key --log-key "$(cat log/vkey)" log/checkpoint
    [[ $output == "anchor dso.example/pof/settlements size=4 gas="* ]]
    run -0 chain anchor chain --key a.key --log-key "$(cat log/vkey)" log/checkpoint
    [[ $output == *"size=4 stands already" ]]
    chain deploy owner --key b.key --contracts chain/contracts
    run -0 chain subscribe owner --key b.key --id meters-7 --consumer $A --until 2030-01-01T00:00:00Z
    [[ $output == "subscribe meters-7 gas="* ]]
    run -0 chain check chain --id meters-7 --owner $B --consumer $A
    [[ $output == "yes: meters-7 may be read, block="* ]]
    chain subscribe owner --key b.key --id meters-7 --revoke
    run -1 chain check chain --id meters-7 --owner $B --consumer $A
    [ "$output" = "no: revoked" ]
}

@test "settled by proofs, paid once; what the contracts refuse is said in their words" {
    for i in 0 1 2 3; do pof-certify prove log $i >proof$i; done
    run -1 chain settle chain --key a.key --terms one-to-one.jsonl --account AGG=$B --account ANNA=$A records.jsonl proof?
    [[ $output == *"the contract refuses: not enough tokens"* ]]
    chain transfer chain --key a.key --terms one-to-one.jsonl --amount 1000 --reference deposit-1
    run -0 chain settle chain --key a.key --terms one-to-one.jsonl records.jsonl proof?
    [[ $output == "settle records=4 gas="* ]]
    [ "$(tokens $B)" = 85 ]
    [ "$(tokens $A)" = 4015 ]
    run -0 chain settle chain --key a.key --terms one-to-one.jsonl records.jsonl proof?
    [ "$output" = "settle: 4 of 4 records were settled before" ]
    run -0 chain transfer chain --key a.key --to $B --amount 5 --reference bill-1
    [[ $output == "transfer 5 to ${B,,} for bill-1 gas="* ]]
    chain deploy copy --key a.key --contracts chain/contracts
    run -1 chain transfer copy --key a.key --to $B --amount 5 --reference bill-1
    [[ $output == *"reference 'bill-1' was paid before; nothing is paid twice"* ]]
    run -1 chain anchor owner --key b.key --log-key "$(cat log/vkey)" day1
    [[ $output == *"the contract refuses: only the keeper of the log may anchor"* ]]
    [ "$(tokens $B)" = 90 ]
}

@test "a nonce that went to another transaction, an old copy of what was pending: nothing is done twice" {
    rpc evm_setAutomine '[false]'
    WAIT=0 run -69 chain transfer chain --key a.key --to $B --amount 1 --reference lost-1
    [[ $output == *"it stays pending"* ]]
    rpc hardhat_dropTransaction "[$(rpc eth_getBlockByNumber '["pending",false]' | jq '.result.transactions[0]')]"
    rpc evm_setAutomine '[true]'
    chain transfer copy --key a.key --to $B --amount 1 --reference lost-2
    run -65 chain status chain
    [[ $output == *"went to another transaction of this account, so this one was not done"* ]]
    [ "$(tokens $B copy)" = 91 ]
    sed 's/,"block_hash":"0x[0-9a-f]*"//' copy/pending >old
    cp old copy/pending
    run -0 chain status copy
    [[ ${lines[0]} == "transfer 1 to ${B,,} for lost-2 gas="* ]]
    [ "$(tokens $B copy)" = 91 ]
}

@test "a foreign chain is refused" {
    start_node foreign 999
    run -65 chain transfer copy --key a.key --to $B --amount 1 --reference x
    [[ $output == *"a foreign chain: "*" is of chain 999, the contracts are on 31337"* ]]
}

@test "the node is gone: a clear word, and it stays pending" {
    kill -9 "$(cat main.pid)"
    run -69 chain transfer copy --key a.key --to $B --amount 1 --reference late
    [ "${#lines[@]}" = 1 ]
}
