/* SPDX-License-Identifier: Apache-2.0 */
#include "chain/sender.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const char file[] = "pending";

/* The transaction at hand. */
struct pending {
    char what[POF_WHAT_MAX];
    struct pof_buf raw; /* owned */
    struct pof_tx tx;   /* views of raw */
    struct pof_address from;
    struct pof_word hash;
    bool done; /* by an earlier run, in the block of this hash: */
    struct pof_word block_hash;
};

static void POF_PRINTF(2, 3) tell(struct pof_sender *s, const char *fmt, ...)
{
    char text[256];
    va_list args;
    va_start(args, fmt);
    vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    s->tell(s->ctx, text);
}

static struct pof_text bytes_of(const void *p, size_t n)
{
    return (struct pof_text){p, n};
}

/* --- the file --- */

static int store(struct pof_sender *s, const struct pending *p, const struct pof_word *block,
                 struct pof_err *err)
{
    struct pof_buf text = {0};
    int rc = pof_buf_addf(&text, err, "{\"what\":\"%s\",\"raw\":\"", p->what);
    rc = rc ? rc : pof_hex_add(&text, bytes_of(p->raw.data, p->raw.len), err);
    rc = rc || !block ? rc : pof_buf_adds(&text, "\",\"block_hash\":\"", err);
    rc = rc || !block ? rc : pof_hex_add(&text, bytes_of(block->b, POF_WORD), err);
    rc = rc ? rc : pof_buf_adds(&text, "\"}\n", err);
    rc = rc ? rc
            : s->folder->replace(s->folder->ctx, file, (struct pof_text){text.data, text.len}, err);
    pof_buf_release(&text);
    return rc;
}

static int forget(struct pof_sender *s, struct pof_err *err)
{
    return s->folder->replace(s->folder->ctx, file, pof_text(""), err);
}

/* What the bytes say: they are all that counts. */
static int understand(struct pof_sender *s, struct pending *p, struct pof_err *err)
{
    struct pof_text raw = {p->raw.data, p->raw.len};
    int rc = pof_tx_read(raw, &p->tx, &p->from, err);
    if (rc == 0 && p->tx.chain_id != s->chain_id) {
        rc = pof_fail(err, POF_E_CONFLICT,
                      "the pending transaction is for chain %" PRIu64 ", the node is of %" PRIu64,
                      p->tx.chain_id, s->chain_id);
    }
    pof_keccak(raw, p->hash.b);
    return rc;
}

static int read_members(const struct pof_json_doc *doc, struct pending *p, struct pof_err *err)
{
    struct pof_json root = pof_json_root(doc);
    struct pof_text what, raw;
    struct pof_text block = {NULL, 0};
    int rc = pof_json_is_object(&root, err);
    rc = rc ? rc : pof_json_text(&root, "what", &what, err);
    rc = rc ? rc : pof_json_text(&root, "raw", &raw, err);
    int given = rc ? rc : pof_json_text_opt(&root, "block_hash", &block, err);
    rc = given < 0 ? given : pof_hex_bytes(raw, &p->raw, err);
    if (rc == 0 && given > 0) {
        p->done = pof_hex_read(block, p->block_hash.b, POF_WORD);
        rc = p->done ? 0 : pof_fail(err, POF_E_SYNTAX, "'block_hash' is not a hash");
    }
    if (rc == 0) {
        snprintf(p->what, sizeof p->what, "%.*s", (int)(what.len < 150 ? what.len : 150), what.ptr);
    }
    return rc;
}

/* *there false: nothing is pending. */
static int load(struct pof_sender *s, struct pending *p, bool *there, struct pof_err *err)
{
    struct pof_buf text = {0};
    struct pof_json_doc *doc = NULL;
    uint64_t size = 0;
    struct pof_err none = {0};
    *p = (struct pending){0};
    *there = s->folder->size(s->folder->ctx, file, &size, &none) == 0 && size > 0;
    if (!*there) {
        return none.code && none.code != POF_E_OPEN ? (*err = none, (int)none.code) : 0;
    }
    int rc = pof_folder_slurp(s->folder, file, 4 * POF_RAW_MAX, &text, err);
    rc = rc ? rc : pof_json_parse(&doc, text.data, text.len, file, err);
    rc = rc ? rc : read_members(doc, p, err);
    rc = rc ? rc : understand(s, p, err);
    pof_json_free(doc);
    pof_buf_release(&text);
    if (rc) {
        pof_buf_release(&p->raw);
        pof_at(err, file, 0, NULL);
    }
    return rc;
}

/* --- sending --- */

/* What a node makes of the bytes. */
enum answer { TAKEN, KNOWN, USED, REFUSED };

static int send(struct pof_sender *s, const struct pending *p, enum answer *answer,
                struct pof_err *err)
{
    static const char *const known[] = {"already known", "known transaction", "already imported",
                                        "alreadyknown",  "already exists",    NULL};
    static const char *const used[] = {"nonce too low", "nonce is too low", "oldnonce",
                                       "correct nonce", NULL};
    struct pof_rpc r;
    struct pof_buf params = {0};
    int rc = pof_buf_adds(&params, "[\"", err);
    rc = rc ? rc : pof_hex_add(&params, bytes_of(p->raw.data, p->raw.len), err);
    rc = rc ? rc : pof_buf_adds(&params, "\"]", err);
    rc = rc ? rc
            : pof_rpc_ask(s->node, "eth_sendRawTransaction",
                          (struct pof_text){params.data, params.len}, &r, err);
    pof_buf_release(&params);
    if (rc) {
        return rc;
    }
    *answer = r.refused ? REFUSED : TAKEN;
    for (size_t i = 0; r.refused && known[i]; i++) {
        *answer = pof_rpc_says(&r, known[i]) ? KNOWN : *answer;
    }
    for (size_t i = 0; r.refused && used[i]; i++) {
        *answer = pof_rpc_says(&r, used[i]) ? USED : *answer;
    }
    if (*answer == REFUSED) {
        pof_rpc_refusal(s->node, &r, err);
    }
    pof_rpc_release(&r);
    return 0;
}

static int nonce_of(struct pof_sender *s, const struct pof_address *who, const char *tag,
                    uint64_t *out, struct pof_err *err)
{
    struct pof_buf params = {0};
    int rc = pof_buf_adds(&params, "[\"", err);
    rc = rc ? rc : pof_hex_add(&params, bytes_of(who->b, POF_ADDRESS), err);
    rc = rc ? rc : pof_buf_addf(&params, err, "\",\"%s\"]", tag);
    rc = rc ? rc
            : pof_rpc_number(s->node, "eth_getTransactionCount",
                             (struct pof_text){params.data, params.len}, out, err);
    pof_buf_release(&params);
    return rc;
}

/* Was the nonce taken by another transaction, with enough blocks on top? Then the bytes are dead.
 */
static int is_lost(struct pof_sender *s, const struct pending *p, bool *lost, struct pof_err *err)
{
    struct pof_block now;
    char tag[32];
    uint64_t nonce = 0;
    int rc = pof_rpc_block(s->node, "latest", &now, err);
    *lost = false;
    if (rc || !now.there || now.number + 1 < s->confirmations) {
        return rc;
    }
    snprintf(tag, sizeof tag, "0x%" PRIx64, now.number + 1 - s->confirmations);
    rc = nonce_of(s, &p->from, tag, &nonce, err);
    *lost = rc == 0 && nonce > p->tx.nonce;
    return rc;
}

/* Sends where no block has the transaction. An error when it can never be in one. */
static int push(struct pof_sender *s, const struct pending *p, bool again, struct pof_err *err)
{
    enum answer answer = TAKEN;
    struct pof_mined receipt;
    struct pof_err none = {0};
    bool lost = false;
    if (again) {
        tell(s, "%s: sent again", p->what);
    }
    int rc = send(s, p, &answer, err);
    if (rc || answer == TAKEN || answer == KNOWN) {
        return rc;
    }
    int seen = pof_rpc_receipt(s->node, &p->hash, &receipt, answer == USED ? err : &none);
    if (seen != 0 || receipt.there) { /* it is in a block after all, or the node is gone */
        return answer == USED ? seen : receipt.there ? 0 : POF_E_ANSWER_NO;
    }
    if (answer == REFUSED) { /* err has its words; nothing was done, so nothing is pending */
        int dropped = forget(s, &none);
        return dropped ? (*err = none, dropped) : POF_E_ANSWER_NO;
    }
    rc = is_lost(s, p, &lost, err);
    if (rc || !lost) {
        return rc;
    }
    rc = forget(s, err);
    return rc ? rc
              : pof_fail(err, POF_E_CONFLICT,
                         "%s: nonce %" PRIu64
                         " went to another transaction of this account, so this "
                         "one was not done; one account has one owner",
                         p->what, p->tx.nonce);
}

/* --- waiting --- */

/* Is the receipt's block in the chain, with enough on top? */
static int is_deep(struct pof_sender *s, const struct pof_mined *r, bool *deep, struct pof_err *err)
{
    struct pof_block now, own;
    char tag[32];
    *deep = false;
    int rc = pof_rpc_block(s->node, "latest", &now, err);
    if (rc || !now.there || now.number + 1 < r->block + s->confirmations) {
        return rc;
    }
    snprintf(tag, sizeof tag, "0x%" PRIx64, r->block);
    rc = pof_rpc_block(s->node, tag, &own, err);
    *deep = rc == 0 && own.there && pof_word_eq(&own.hash, &r->block_hash);
    return rc;
}

/* What is known about the block of a transaction. */
struct seen {
    bool any;
    uint64_t number;
    struct pof_word hash;
};

/* Tells when the block that had the transaction is no longer the one. */
static void compare(struct pof_sender *s, const struct pending *p, struct seen *seen,
                    const struct pof_mined *r)
{
    if (seen->any && !r->there) {
        tell(s, "%s: reorganisation: its block is no longer in the chain", p->what);
    } else if (seen->any && !pof_word_eq(&seen->hash, &r->block_hash)) {
        tell(s, "%s: reorganisation: it stands in another block now, %" PRIu64, p->what, r->block);
    }
    *seen = (struct seen){r->there, r->block, r->block_hash};
}

/* Until it is deep in the chain. sent: these bytes went out a moment ago. */
static int await(struct pof_sender *s, const struct pending *p, bool sent, struct pof_mined *r,
                 struct pof_err *err)
{
    struct seen seen = {p->done, 0, p->block_hash};
    bool deep = false;
    int rc = 0;
    while (rc == 0 && !deep) {
        bool was = seen.any;
        rc = pof_rpc_receipt(s->node, &p->hash, r, err);
        if (rc == 0) {
            compare(s, p, &seen, r);
        }
        if (rc == 0 && r->there) {
            rc = is_deep(s, r, &deep, err);
        } else if (rc == 0 && (!sent || was)) {
            rc = push(s, p, true, err);
            sent = true;
        }
        rc = rc || deep ? rc : s->wait(s->ctx, err);
    }
    return rc;
}

static int finish(struct pof_sender *s, struct pending *p, bool sent, struct pof_sent *out,
                  struct pof_err *err)
{
    struct pof_mined r;
    int rc = await(s, p, sent, &r, err);
    if (rc) {
        return rc;
    }
    *out = (struct pof_sent){.hash = p->hash,
                             .block = r.block,
                             .gas = r.gas,
                             .good = r.good,
                             .news = !p->done || !pof_word_eq(&p->block_hash, &r.block_hash),
                             .create = p->tx.create};
    memcpy(out->what, p->what, sizeof out->what);
    rc = p->tx.create ? pof_tx_created(&p->from, p->tx.nonce, &out->created, err) : 0;
    return rc || !out->news ? rc : store(s, p, &r.block_hash, err);
}

int pof_sender_finish(struct pof_sender *s, struct pof_sent *out, struct pof_err *err)
{
    struct pending p;
    bool there;
    *out = (struct pof_sent){0};
    int rc = load(s, &p, &there, err);
    if (rc || !there) {
        return rc;
    }
    rc = finish(s, &p, false, out, err);
    pof_buf_release(&p.raw);
    return rc;
}

/* --- doing --- */

/* Fees that hold while the base fee doubles; where there is none, the node's price. */
static int fees(struct pof_sender *s, struct pof_tx *tx, struct pof_err *err)
{
    struct pof_block now;
    uint64_t price = 0;
    int rc = pof_rpc_block(s->node, "latest", &now, err);
    rc = rc ? rc : pof_rpc_number(s->node, "eth_gasPrice", pof_text("[]"), &price, err);
    if (rc) {
        return rc;
    }
    if (price > UINT64_C(1) << 60 || now.base_fee > UINT64_C(1) << 60) {
        return pof_fail(err, POF_E_RANGE, "'%.60s' asks more than 2^60 wei for a unit of gas",
                        s->node->name);
    }
    tx->legacy = !now.has_base;
    uint64_t tip = price > now.base_fee ? price - now.base_fee : 0;
    tx->tip = pof_word(tip);
    tx->max_fee = pof_word(tx->legacy ? price : 2 * now.base_fee + tip);
    return 0;
}

/* The next nonce. Nothing of ours is pending, so nothing may wait at the node. */
static int next_nonce(struct pof_sender *s, const struct pof_address *from, uint64_t *nonce,
                      struct pof_err *err)
{
    uint64_t waiting = 0;
    int rc = nonce_of(s, from, "latest", nonce, err);
    rc = rc ? rc : nonce_of(s, from, "pending", &waiting, err);
    if (rc == 0 && waiting > *nonce) {
        rc = pof_fail(err, POF_E_CONFLICT,
                      "%" PRIu64 " transactions of this account wait at the node and are not ours: "
                      "one account has one owner",
                      waiting - *nonce);
    }
    return rc;
}

static int prepare(struct pof_sender *s, const struct pof_action *a, struct pending *p,
                   struct pof_err *err)
{
    struct pof_tx tx = {
        .chain_id = s->chain_id, .create = !a->to, .data = a->data, .access = {"", 0}};
    struct pof_signed made = {0};
    struct pof_call call = {&p->from, a->to, a->data, NULL};
    int rc = pof_chain_key_address(a->key, &p->from, err);
    rc = rc ? rc : pof_rpc_estimate(s->node, &call, &tx.gas, err);
    rc = rc ? rc : fees(s, &tx, err);
    rc = rc ? rc : next_nonce(s, &p->from, &tx.nonce, err);
    if (rc) {
        return rc;
    }
    tx.gas += tx.gas / 4; /* the state may change until it runs */
    if (a->to) {
        tx.to = *a->to;
    }
    snprintf(p->what, sizeof p->what, "%s", a->what);
    rc = pof_tx_sign(&tx, a->key, &made, err);
    if (rc == 0 && made.raw.len > POF_RAW_MAX) {
        rc = pof_fail(err, POF_E_TOO_LONG, "the transaction has %zu bytes, at most %d go",
                      made.raw.len, POF_RAW_MAX);
    }
    p->raw = made.raw;
    return rc ? rc : understand(s, p, err);
}

int pof_sender_do(struct pof_sender *s, const struct pof_action *action, struct pof_sent *out,
                  struct pof_err *err)
{
    struct pending p = {0};
    int rc = prepare(s, action, &p, err);
    rc = rc ? rc : store(s, &p, NULL, err);
    rc = rc ? rc : push(s, &p, false, err);
    rc = rc ? rc : finish(s, &p, true, out, err);
    pof_buf_release(&p.raw);
    return rc;
}
