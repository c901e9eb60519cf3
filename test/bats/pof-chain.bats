# SPDX-License-Identifier: Apache-2.0
# pof-chain on anvil; test/bats/pof-chain-hardhat.bats has the second node.
load ../helper
load ../chain/node
bats_require_minimum_version 1.5.0

# start_node NAME [OPTION ...]: sets NODE; its process is in NAME.pid.
start_node() {
    local name=$1
    shift
    "$ANVIL" --port 0 "$@" >"$name.log" 2>&1 3>&- &
    echo $! >"$name.pid"
    wait_for "$name.log" 's/^Listening on //p'
}

setup_file() {
    cd "$BATS_FILE_TMPDIR"
    npm=$("$ROOT/test/chain/npm.sh" anvil 2>why) || return 0
    ANVIL=$(ls "$npm"/node_modules/@foundry-rs/anvil-*/bin/anvil 2>why) || return 0
    export ANVIL NPM=$npm
    keys
    start_node main || return 1
    export NODE
    terms one-to-one
    export HASH
    pof-certify init log --origin dso.example/pof/settlements
    for i in 1 2 3 4 5; do settlement $i $((10 * i)); done >records.jsonl
    chain deploy chain --key a.key --supply 5000 --origin dso.example/pof/settlements \
        --terms one-to-one.jsonl --until $TERMS_END >deployed
}

teardown_file() {
    cd "$BATS_FILE_TMPDIR"
    stop_nodes
}

setup() {
    cd "$BATS_FILE_TMPDIR"
    [ -n "${ANVIL:-}" ] || skip "no node: $(cat why)"
}

@test "contracts.json is what the pinned solc makes of the sources" {
    NODE_PATH=$NPM/node_modules run node "$ROOT/share/contracts/compile.mjs" --check
    [ "$status" = 0 ] || { echo "$output"; false; }
    [[ $output == "contracts.json is what solc 0.8.37+"*"makes of 4 sources" ]]
}

@test "deployed: each contract once, its gas in a line; deploying again does nothing" {
    [ "$(grep -c '^deploy .* gas=[0-9]* block=[0-9]* tx=0x[0-9a-f]\{64\}$' deployed)" = 4 ]
    run chain deploy chain --key a.key --terms one-to-one.jsonl
    [ "$status" = 0 ]
    [ -z "$output" ]
}

@test "a day's roots are anchored, each once, none smaller" {
    for i in 1 2 3; do
        sed -n "${i}p" records.jsonl | pof-certify append log >/dev/null
        cp log/checkpoint day$i
    done
    run chain anchor chain --key a.key --log-key "$(cat log/vkey)" day1 day3
    [ "$status" = 0 ]
    [[ ${lines[0]} == "anchor dso.example/pof/settlements size=1 gas="* ]]
    [[ ${lines[1]} == "anchor dso.example/pof/settlements size=3 gas="* ]]
    run chain anchor chain --key a.key --log-key "$(cat log/vkey)" day3
    [ "$status" = 0 ]
    [ "$output" = "anchor dso.example/pof/settlements size=3 stands already" ]
    run chain anchor chain --key a.key --log-key "$(cat log/vkey)" day2
    [ "$status" = 1 ]
    [[ $output == *"the contract refuses: not larger than what is anchored"* ]]
    run chain status chain --origin dso.example/pof/settlements
    [[ $output == *"anchored dso.example/pof/settlements size=3"* ]]
}

@test "a checkpoint of another log is not anchored" {
    pof-certify init other --origin dso.example/pof/settlements
    run chain anchor chain --key a.key --log-key "$(cat log/vkey)" other/checkpoint
    [ "$status" = 1 ]
    [[ $output == *"other/checkpoint"*"not anchored"* ]]
}

@test "a subscription: granted by its owner, seen by anybody, revoked, expired" {
    chain deploy owner --key b.key --contracts chain/contracts
    run chain check chain --id meters-7 --owner $B --consumer $A
    [ "$status" = 1 ]
    [ "$output" = "no: never granted" ]
    run chain subscribe owner --key b.key --id meters-7 --consumer $A --until 2030-01-01T00:00:00Z
    [ "$status" = 0 ]
    [[ $output == "subscribe meters-7 gas="* ]]
    run chain check chain --id meters-7 --owner $B --consumer $A
    [ "$status" = 0 ]
    [[ $output == "yes: meters-7 may be read, block="* ]]
    run chain check chain --id meters-7 --owner $B --consumer $B
    [ "$status" = 1 ]
    [ "$output" = "no: granted to another consumer" ]
    run chain check chain --id meters-7 --owner $A --consumer $A
    [ "$status" = 1 ]
    [ "$output" = "no: never granted" ]
    run chain subscribe owner --key b.key --id old --consumer $A --until 2020-01-01T00:00:00Z
    [ "$status" = 1 ]
    [[ $output == *"the contract refuses: ends before it begins"* ]]
    run chain subscribe owner --key b.key --id meters-7 --revoke
    [ "$status" = 0 ]
    [[ $output == "revoke meters-7 gas="* ]]
    run chain check chain --id meters-7 --owner $B --consumer $A
    [ "$status" = 1 ]
    [ "$output" = "no: revoked" ]
    run chain subscribe owner --key b.key --id meters-7 --consumer $A --until 2030-01-01T00:00:00Z
    [ "$status" = 1 ]
    [[ $output == *"revoked: take a new id"* ]]
}

@test "a session is settled by proofs, tokens go to the seller, once" {
    tail -n +4 records.jsonl | pof-certify append log >/dev/null
    for i in 0 1 2 3 4; do pof-certify prove log $i >proof$i; done
    run chain settle chain --key a.key --terms one-to-one.jsonl --account AGG=$B records.jsonl proof?
    [ "$status" = 1 ]
    [[ $output == *"the contract refuses: this size is not anchored"* ]]
    chain anchor chain --key a.key --log-key "$(cat log/vkey)" log/checkpoint
    run chain settle chain --key a.key --terms one-to-one.jsonl --account AGG=$B records.jsonl proof?
    [ "$status" = 1 ]
    [[ $output == *"the contract refuses: not enough tokens"* ]]
    chain transfer chain --key a.key --terms one-to-one.jsonl --amount 1000 --reference deposit-1
    run chain settle chain --key a.key --terms one-to-one.jsonl --account AGG=$B --batch 3 records.jsonl proof?
    [ "$status" = 0 ]
    [[ ${lines[0]} == "settle records=3 gas="* ]]
    [[ ${lines[1]} == "settle records=2 gas="* ]]
    [ "$(tokens $B)" = 150 ]
    run chain settle chain --key a.key --terms one-to-one.jsonl records.jsonl proof?
    [ "$status" = 0 ]
    [ "$output" = "settle: 5 of 5 records were settled before" ]
    [ "$(tokens $B)" = 150 ]
}

@test "the contract itself refuses what was settled, what is not in the log, and other terms" {
    input=$(input_with '"tokens":40}')
    to=$(chain status chain | sed -n 's/^Settlement .* //p')
    run rpc eth_call "[{\"to\":\"$to\",\"data\":\"$input\"},\"latest\"]"
    [[ $output == *"settled before"* ]]
    more=${input/$(printf '"tokens":40}' | xxd -p)/$(printf '"tokens":90}' | xxd -p)}
    [ "$more" != "$input" ]
    run rpc eth_call "[{\"to\":\"$to\",\"data\":\"$more\"},\"latest\"]"
    [[ $output == *"not in the log"* ]]
    terms dearer
    chain deploy chain --key a.key --origin dso.example/pof/settlements --terms dearer.jsonl --until $TERMS_END
    other=$(chain status chain | sed -n "s/^Settlement 0x$HASH //p")
    run rpc eth_call "[{\"to\":\"$other\",\"data\":\"$input\"},\"latest\"]"
    [[ $output == *"settled under other terms"* ]]
    run chain settle chain --key a.key --terms dearer.jsonl records.jsonl proof?
    [ "$status" = 1 ]
    [[ $output == *"records.jsonl:1: settled under terms "*", those of --terms are $HASH"* ]]
    sed 's/,"terms":"[0-9a-f]*"//' records.jsonl >without.jsonl
    run chain settle chain --key a.key --terms dearer.jsonl without.jsonl proof?
    [ "$status" = 65 ]
    [[ $output == *'no "terms":'* ]]
    cat dearer.jsonl one-to-one.jsonl >both.jsonl
    run chain settle chain --key a.key --terms both.jsonl records.jsonl proof?
    [ "$status" = 65 ]
    [[ $output == *"expected one record pof.terms/1"* ]]
}

@test "a record that the log only commits to is opened for the contract; an owner gets the owner's part" {
    settlement 6 60 >six.jsonl
    settlement 7 70 ',"owner":"ANNA","owner_fee_eur":0.1,"owner_penalty_eur":0,"owner_tokens":20' >seven.jsonl
    cat six.jsonl seven.jsonl >personal.jsonl
    pof-certify append log --commit settlement personal.jsonl >/dev/null
    pof-certify prove log 5 >proof5
    pof-certify prove log 6 >proof6
    grep -q '^extra ' proof6
    chain anchor chain --key a.key --log-key "$(cat log/vkey)" log/checkpoint
    run chain settle chain --key a.key --terms one-to-one.jsonl personal.jsonl proof5 proof6
    [ "$status" = 1 ]
    [[ $output == *"the contract refuses: the seller or owner has no account"* ]]
    C=0x3C44CdDdB6a900fa2b585dd299e03d12FA4293BC
    before=$(tokens $B)
    run chain settle chain --key a.key --terms one-to-one.jsonl --account ANNA=$C --batch 1 personal.jsonl proof5 proof6
    [ "$status" = 0 ]
    [[ ${lines[2]} == "settle records=1 gas="* ]]
    sed -n '$s/.* block=\([0-9]*\) .*/\1/p' <<<"$output" >settled7
    [ "$(tokens $B)" = $((before + 110)) ]
    [ "$(tokens $C)" = 20 ]
    sed 's/^extra ./extra A/' proof5 >proof5a
    run chain settle chain --key a.key --terms one-to-one.jsonl six.jsonl proof5a
    [ "$status" = 1 ]
    [[ $output == *"not the proof of this record"* ]]
    sed 's/^extra .*/extra AAAA/' proof5 >proof5a
    run chain settle chain --key a.key --terms one-to-one.jsonl six.jsonl proof5a
    [ "$status" = 65 ]
    [[ $output == *"'extra' is not the base64 of a salt"* ]]
}

@test "an owner's part cannot be hidden, a salt not exchanged" {
    input=$(input_with '"owner_tokens":20')
    to=$(chain status chain | sed -n 's/^Settlement .* //p' | head -n 1)
    before=$(printf 0x%x $(($(cat settled7) - 1))) # what the contract says to a claim that is new to it
    run rpc eth_call "[{\"to\":\"$to\",\"data\":\"$input\"},\"$before\"]"
    [ "$(jq -r .result <<<"$output")" = 0x ]
    salt=$(sed -n 's/^extra //p' proof6 | base64 -d | xxd -p -c 32)
    [[ $input == *"$salt"* ]]
    run rpc eth_call "[{\"to\":\"$to\",\"data\":\"${input/$salt/${salt/[0-7]/9}}\"},\"$before\"]"
    [[ $output == *"not in the log"* ]]
    # penalty_eur is shown where owner_penalty_eur stands
    at=$(jq -cS . seven.jsonl | grep -bo ',"penalty_eur"' | cut -d: -f1)
    wrong=$(jq -cS . seven.jsonl | grep -bo ',"owner_penalty_eur"' | cut -d: -f1)
    hidden=${input//$(printf %064x "$at")/$(printf %064x "$wrong")}
    [ "$hidden" != "$input" ]
    run rpc eth_call "[{\"to\":\"$to\",\"data\":\"$hidden\"},\"$before\"]"
    [[ $output == *"not this member"* ]]
}

@test "a record with the proof of another, an altered record: refused before anything is sent" {
    before=$(rpc eth_blockNumber '[]')
    run chain settle chain --key a.key --terms one-to-one.jsonl records.jsonl proof1 proof0 proof2 proof3 proof4
    [ "$status" = 1 ]
    [[ $output == *"proof1: not the proof of this record"* ]]
    sed 's/"tokens":50/"tokens":51/' records.jsonl >more.jsonl
    run chain settle chain --key a.key --terms one-to-one.jsonl more.jsonl proof?
    [ "$status" = 1 ]
    [[ $output == *"not the proof of this record"* ]]
    run chain settle chain --key a.key --terms one-to-one.jsonl records.jsonl proof0
    [ "$status" = 2 ]
    [ "$(rpc eth_blockNumber '[]')" = "$before" ]
}

@test "tokens are paid once for a reference, also when the directory is lost" {
    run chain transfer chain --key a.key --to $B --amount 5 --reference bill-1
    [ "$status" = 0 ]
    [[ $output == "transfer 5 to ${B,,} for bill-1 gas="* ]]
    run chain transfer chain --key a.key --to $B --amount 5 --reference bill-1
    [ "$status" = 0 ]
    [[ $output == *"stands already" ]]
    chain deploy copy --key a.key --contracts chain/contracts
    run chain transfer copy --key a.key --to $B --amount 5 --reference bill-1
    [ "$status" = 1 ]
    [[ $output == *"reference 'bill-1' was paid before; nothing is paid twice"* ]]
    [ "$(tokens $B)" = 265 ]
    run chain transfer chain --key a.key --to $B --amount 100000 --reference bill-2
    [ "$status" = 1 ]
    [[ $output == *"the contract refuses: not enough tokens"* ]]
}

@test "who is not the keeper anchors nothing" {
    run chain anchor owner --key b.key --log-key "$(cat log/vkey)" day2
    [ "$status" = 1 ]
    [[ $output == *"only the keeper of the log may anchor"* ]]
}

@test "a foreign chain is refused: another id, or the same id and another beginning" {
    start_node foreign --chain-id 999
    run chain transfer chain --key a.key --to $B --amount 1 --reference x
    [ "$status" = 65 ]
    [[ $output == *"a foreign chain: "*" is of chain 999, the contracts are on 31337"* ]]
    kill "$(cat foreign.pid)"
    start_node twin --timestamp 1000000000
    run chain status chain
    [ "$status" = 65 ]
    [[ $output == *"same id, 31337, and another first block"* ]]
    kill "$(cat twin.pid)"
}

@test "an old copy of what was pending pays nothing again" {
    chain transfer chain --key a.key --to $B --amount 7 --reference bill-7
    before=$(tokens $B)
    sed 's/,"block_hash":"0x[0-9a-f]*"//' chain/pending >old && cp old chain/pending
    run chain status chain
    [ "$status" = 0 ]
    [[ ${lines[0]} == "transfer 7 to ${B,,} for bill-7 gas="* ]]
    [ "$(tokens $B)" = "$before" ]
}

@test "a nonce that another owner of the account took: a clear word, and nothing is done twice" {
    before=$(tokens $B)
    rpc evm_setAutomine '[false]'
    WAIT=0 run chain transfer chain --key a.key --to $B --amount 1 --reference lost-1
    [ "$status" = 69 ]
    [[ $output == *"it stays pending"* ]]
    run chain transfer copy --key a.key --to $B --amount 1 --reference lost-2
    [ "$status" = 65 ]
    [[ $output == *"wait at the node and are not ours"* ]]
    rpc anvil_dropAllTransactions '[]'
    rpc evm_setAutomine '[true]'
    chain transfer copy --key a.key --to $B --amount 1 --reference lost-2
    run chain status chain
    [ "$status" = 65 ]
    [[ $output == *"went to another transaction of this account, so this one was not done"* ]]
    [ "$(tokens $B)" = $((before + 1)) ]
    run chain transfer chain --key a.key --to $B --amount 1 --reference lost-1
    [ "$status" = 0 ]
    [ "$(tokens $B)" = $((before + 2)) ]
}

@test "confirmations are waited for, across runs" {
    rpc anvil_mine '["0x2"]' # what went before must have them too
    WAIT=0 run chain transfer chain --key a.key --to $B --amount 1 --reference deep --confirmations 3
    [ "$status" = 69 ]
    [[ $output == *"not in a block with 3 confirmations"* ]]
    rpc anvil_mine '["0x2"]'
    run chain status chain --confirmations 3
    [ "$status" = 0 ]
    [[ ${lines[0]} == "transfer 1 to ${B,,} for deep gas="* ]]
}

@test "a reorganisation is noticed and the transaction comes back" {
    chain transfer chain --key a.key --to $B --amount 3 --reference back
    before=$(tokens $B)
    rpc anvil_rollback '[1]'
    [ "$(tokens $B copy)" = $((before - 3)) ]
    run chain status chain
    [ "$status" = 0 ]
    [[ $output == *"for back: reorganisation: its block is no longer in the chain"* ]]
    [[ $output == *"for back: sent again"* ]]
    [ "$(tokens $B)" = "$before" ]
}

@test "the node is killed after it took the transaction: sent again, paid once" {
    start_node first --state state.json
    chain deploy killed --key a.key --supply 100 >/dev/null
    kill -INT "$(cat first.pid)" # writes its state
    for _ in $(seq 100); do kill -0 "$(cat first.pid)" 2>/dev/null || break; sleep 0.05; done
    start_node second --state state.json --no-mining
    chain transfer killed --key a.key --to $B --amount 9 --reference once >out 2>err 3>&- &
    job=$!
    for _ in $(seq 200); do
        rpc txpool_status '[]' | grep -q '"pending":"0x1"' && break
        sleep 0.02
    done
    kill -9 "$(cat second.pid)" # what it held in memory is gone
    s=0
    wait $job || s=$?
    [ $s = 69 ]
    [ "$(wc -l <err)" = 1 ]
    [ ! -s out ]
    start_node third --state state.json
    [ "$(rpc txpool_status '[]' | jq -r .result.pending)" = 0x0 ]
    run chain transfer killed --key a.key --to $B --amount 9 --reference once
    [ "$status" = 0 ]
    [[ $output == *"for once: sent again"* ]]
    [[ $output == *"transfer 9 to ${B,,} for once gas="* ]]
    [[ $output == *"for once stands already" ]]
    [ "$(tokens $B killed)" = 9 ]
    kill -9 "$(cat third.pid)"
    run chain status killed
    [ "$status" = 69 ]
}

@test "the key: from a pipe too, never from a file that others may read; one owner at a time" {
    run chain transfer chain --key <(cat a.key) --to $B --amount 1 --reference piped
    [ "$status" = 0 ]
    cp a.key open.key && chmod 644 open.key
    run chain transfer chain --key open.key --to $B --amount 1 --reference open
    [ "$status" = 77 ]
    run flock chain/lock "$POF_BIN/pof-chain" status chain --node "$NODE"
    [ "$status" = 75 ]
}

@test "the payer takes back what is left, once the time for claims is over, and nobody else" {
    left=$(tokens "$(chain status chain | sed -n 's/^Settlement .* //p' | head -n 1)")
    [ "$left" -gt 0 ]
    run chain close chain --key a.key --terms one-to-one.jsonl
    [ "$status" = 1 ]
    [[ $output == *"the contract refuses: claims may still come"* ]]
    rpc evm_setNextBlockTimestamp "[$(date -d $TERMS_END +%s)]"
    rpc evm_mine '[]'
    chain deploy closer --key b.key --contracts chain/contracts
    run chain close closer --key b.key --terms one-to-one.jsonl
    [ "$status" = 1 ]
    [[ $output == *"the contract refuses: only the payer may close"* ]]
    before=$(tokens $A)
    run chain close chain --key a.key --terms one-to-one.jsonl
    [ "$status" = 0 ]
    [[ $output == "close Settlement 0x"*" gas="* ]]
    [ "$(tokens $A)" = $((before + left)) ]
}
