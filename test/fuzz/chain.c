/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as what comes from outside a chain's client: RLP, signed transactions, answers of
 * contracts (ABI), answers of a node (JSON-RPC), the file of addresses, settlement records. What is
 * taken must be what it says, byte for byte where there is only one form. */
#include "chain/abi.h"
#include "chain/claim.h"
#include "chain/contracts.h"
#include "chain/rlp.h"
#include "chain/sender.h"

#include <stdlib.h>
#include <string.h>

/* Writes an item again, with all that is in it. */
static void again(struct pof_text text, struct pof_buf *to, struct pof_err *err)
{
    struct pof_rlp item;
    if (pof_rlp_next(&text, &item, err) != 0 || text.len ||
        (item.list ? pof_rlp_list : pof_rlp_bytes)(to, item.payload, err) != 0) {
        abort();
    }
}

static void rlp(struct pof_text text)
{
    struct pof_err err = {0};
    struct pof_buf b = {0};
    struct pof_tx tx;
    struct pof_address from;
    if (pof_rlp_check(text, &err) == 0) {
        again(text, &b, &err);
        if (b.len != text.len || memcmp(b.data, text.ptr, b.len) != 0) {
            abort();
        }
    }
    if (pof_tx_read(text, &tx, &from, &err) == 0 && tx.data.len > text.len) {
        abort();
    }
    pof_buf_release(&b);
}

static void abi(struct pof_text text)
{
    char words[POF_REVERT_TEXT];
    struct pof_text view;
    struct pof_word w;
    for (size_t i = 0; i < 3; i++) {
        if ((pof_abi_bytes_at(text, i, &view) || pof_abi_words_at(text, i, &view)) &&
            (view.ptr < text.ptr || view.ptr + view.len > text.ptr + text.len)) {
            abort();
        }
        if (pof_abi_word_at(text, i, &w) && text.len < (i + 1) * POF_WORD) {
            abort();
        }
    }
    pof_abi_revert(text, words);
    for (const char *p = words; *p; p++) {
        if ((unsigned char)*p < ' ') {
            abort();
        }
    }
}

static int post(void *ctx, struct pof_text request, struct pof_buf *answer, struct pof_err *err)
{
    const struct pof_text *text = ctx;
    (void)request;
    answer->len = 0;
    return pof_buf_add(answer, text->ptr, text->len, err);
}

static void node(struct pof_text text)
{
    struct pof_node n = {post, &text, "fuzz"};
    struct pof_err err = {0};
    struct pof_block block;
    struct pof_mined mined;
    struct pof_word hash = {{0}};
    struct pof_buf out = {0};
    struct pof_contracts c;
    struct pof_call call = {.data = {"", 0}};
    uint64_t number;
    int known = pof_rpc_number(&n, "eth_chainId", pof_text("[]"), &number, &err);
    if (known == 0 && (pof_rpc_block(&n, "latest", &block, &err) == 0 && block.there)) {
        abort(); /* a quantity is no block */
    }
    if (pof_rpc_block(&n, "0x0", &block, &err) == 0 && block.there && text.len < 64) {
        abort();
    }
    if (pof_rpc_receipt(&n, &hash, &mined, &err) == 0 && mined.there && text.len < 64) {
        abort();
    }
    if (pof_rpc_call(&n, &call, &out, &err) == 0 && out.len > text.len) {
        abort();
    }
    if (pof_rpc_estimate(&n, &call, &number, &err) == 0 && number > UINT64_C(1) << 40) {
        abort();
    }
    if (pof_contracts_parse(&c, text, "fuzz", &err) == 0 && c.n > POF_CONTRACTS_MAX) {
        abort();
    }
    pof_buf_release(&out);
}

static void claim(struct pof_text text)
{
    struct pof_claim c;
    struct pof_err err = {0};
    struct pof_buf b = {0};
    if (pof_claim_read(&c, text, &err) == 0 &&
        (pof_claim_call(&c, 1, &b, &err) != 0 || b.len % POF_WORD != 4 || b.len < text.len)) {
        abort();
    }
    pof_buf_release(&b);
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
    struct pof_text text = {(const char *)data, size};
    rlp(text);
    abi(text);
    node(text);
    claim(text);
    return 0;
}
