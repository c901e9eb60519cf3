/* SPDX-License-Identifier: Apache-2.0 */
#include "chain/tx.h"

#include "chain/rlp.h"

#include <string.h>

enum { TYPE_1559 = 2, V_155 = 35 }; /* EIP-155: v = 35 + 2 chain id + parity */

static struct pof_text text_of(const void *p, size_t n)
{
    return (struct pof_text){p, n};
}

/* The fields that both kinds share, from the limit of gas to the data. */
static int add_body(struct pof_buf *to, const struct pof_tx *tx, struct pof_err *err)
{
    int rc = pof_rlp_u64(to, tx->gas, err);
    rc = rc ? rc : pof_rlp_bytes(to, text_of(tx->to.b, tx->create ? 0 : POF_ADDRESS), err);
    rc = rc ? rc : pof_rlp_word(to, &tx->value, err);
    return rc ? rc : pof_rlp_bytes(to, tx->data, err);
}

/* All fields up to the signature; what EIP-155 signs in place of one, unless signed. */
static int add_fields(struct pof_buf *to, const struct pof_tx *tx, bool is_signed,
                      struct pof_err *err)
{
    int rc = tx->legacy ? 0 : pof_rlp_u64(to, tx->chain_id, err);
    rc = rc ? rc : pof_rlp_u64(to, tx->nonce, err);
    rc = rc || tx->legacy ? rc : pof_rlp_word(to, &tx->tip, err);
    rc = rc ? rc : pof_rlp_word(to, &tx->max_fee, err);
    rc = rc ? rc : add_body(to, tx, err);
    if (!tx->legacy) {
        return rc ? rc : pof_rlp_list(to, tx->access, err);
    }
    rc = rc || is_signed ? rc : pof_rlp_u64(to, tx->chain_id, err);
    rc = rc || is_signed ? rc : pof_rlp_u64(to, 0, err);
    return rc || is_signed ? rc : pof_rlp_u64(to, 0, err);
}

/* The fields as a list, behind the byte of the type; in place of what *to holds. */
static int envelope(struct pof_buf *to, const struct pof_tx *tx, const struct pof_buf *fields,
                    struct pof_err *err)
{
    const char type = TYPE_1559;
    to->len = 0;
    int rc = tx->legacy ? 0 : pof_buf_add(to, &type, 1, err);
    return rc ? rc : pof_rlp_list(to, text_of(fields->data, fields->len), err);
}

/* What is signed. */
static int digest_of(const struct pof_tx *tx, struct pof_word *out, struct pof_err *err)
{
    struct pof_buf fields = {0};
    struct pof_buf all = {0};
    int rc = add_fields(&fields, tx, false, err);
    rc = rc ? rc : envelope(&all, tx, &fields, err);
    if (rc == 0) {
        pof_keccak(text_of(all.data, all.len), out->b);
    }
    pof_buf_release(&fields);
    pof_buf_release(&all);
    return rc;
}

int pof_tx_sign(const struct pof_tx *tx, const struct pof_chain_key *key, struct pof_signed *out,
                struct pof_err *err)
{
    struct pof_word digest;
    struct pof_ecdsa e;
    struct pof_buf fields = {0};
    if (tx->chain_id > (UINT64_MAX - V_155 - 1) / 2) {
        return pof_fail(err, POF_E_RANGE, "the id of the chain has more than 63 bits");
    }
    int rc = digest_of(tx, &digest, err);
    rc = rc ? rc : pof_ecdsa_sign(key, &digest, &e, err);
    if (rc) {
        return rc;
    }
    uint64_t parity = (uint64_t)e.parity;
    rc = add_fields(&fields, tx, true, err);
    rc = rc ? rc
            : pof_rlp_u64(&fields, tx->legacy ? V_155 + 2 * tx->chain_id + parity : parity, err);
    rc = rc ? rc : pof_rlp_word(&fields, &e.r, err);
    rc = rc ? rc : pof_rlp_word(&fields, &e.s, err);
    rc = rc ? rc : envelope(&out->raw, tx, &fields, err);
    if (rc == 0) {
        pof_keccak(text_of(out->raw.data, out->raw.len), out->hash.b);
    }
    pof_buf_release(&fields);
    return rc;
}

/* --- reading --- */

static int refuse(struct pof_err *err, const char *what)
{
    return pof_fail(err, POF_E_SYNTAX, "not a signed transaction: %s", what);
}

static int next_u64(struct pof_text *rest, uint64_t *out, struct pof_err *err)
{
    struct pof_word w;
    int rc = pof_rlp_next_word(rest, &w, err);
    return rc == 0 && !pof_word_u64(&w, out) ? refuse(err, "a number has more than 64 bits") : rc;
}

static int read_body(struct pof_text *rest, struct pof_tx *tx, struct pof_err *err)
{
    struct pof_rlp to = {0};
    struct pof_rlp data = {0};
    int rc = next_u64(rest, &tx->gas, err);
    rc = rc ? rc : pof_rlp_next(rest, &to, err);
    rc = rc ? rc : pof_rlp_next_word(rest, &tx->value, err);
    rc = rc ? rc : pof_rlp_next(rest, &data, err);
    if (rc) {
        return rc;
    }
    if (to.list || data.list || (to.payload.len && to.payload.len != POF_ADDRESS)) {
        return refuse(err, "expected an address and bytes");
    }
    tx->create = to.payload.len == 0;
    memcpy(tx->to.b, to.payload.ptr, to.payload.len);
    tx->data = data.payload;
    return 0;
}

static int read_fields(struct pof_text *rest, struct pof_tx *tx, struct pof_err *err)
{
    struct pof_rlp access = {true, {"", 0}};
    int rc = tx->legacy ? 0 : next_u64(rest, &tx->chain_id, err);
    rc = rc ? rc : next_u64(rest, &tx->nonce, err);
    rc = rc || tx->legacy ? rc : pof_rlp_next_word(rest, &tx->tip, err);
    rc = rc ? rc : pof_rlp_next_word(rest, &tx->max_fee, err);
    rc = rc ? rc : read_body(rest, tx, err);
    rc = rc || tx->legacy ? rc : pof_rlp_next(rest, &access, err);
    tx->access = access.payload;
    return rc == 0 && !access.list ? refuse(err, "expected an access list") : rc;
}

static int read_signature(struct pof_text *rest, struct pof_tx *tx, struct pof_ecdsa *e,
                          struct pof_err *err)
{
    uint64_t v;
    int rc = next_u64(rest, &v, err);
    rc = rc ? rc : pof_rlp_next_word(rest, &e->r, err);
    rc = rc ? rc : pof_rlp_next_word(rest, &e->s, err);
    if (rc) {
        return rc;
    }
    if (tx->legacy && v < V_155) {
        return refuse(err, "it is bound to no chain");
    }
    if (rest->len || (!tx->legacy && v > 1)) {
        return refuse(err, rest->len ? "too many fields" : "a parity above 1");
    }
    tx->chain_id = tx->legacy ? (v - V_155) / 2 : tx->chain_id;
    e->parity = (int)(tx->legacy ? (v - V_155) % 2 : v);
    return 0;
}

int pof_tx_read(struct pof_text raw, struct pof_tx *tx, struct pof_address *from,
                struct pof_err *err)
{
    struct pof_rlp all;
    struct pof_word digest;
    struct pof_ecdsa e;
    memset(tx, 0, sizeof *tx);
    tx->legacy = raw.len && (unsigned char)raw.ptr[0] != TYPE_1559;
    if (raw.len && !tx->legacy) {
        raw.ptr++;
        raw.len--;
    }
    int rc = pof_rlp_next(&raw, &all, err);
    if (rc == 0 && (!all.list || raw.len)) {
        rc = refuse(err, "expected one list");
    }
    rc = rc ? rc : read_fields(&all.payload, tx, err);
    rc = rc ? rc : read_signature(&all.payload, tx, &e, err);
    rc = rc ? rc : digest_of(tx, &digest, err);
    return rc ? rc : pof_ecdsa_recover(&e, &digest, from, err);
}

int pof_tx_created(const struct pof_address *from, uint64_t nonce, struct pof_address *out,
                   struct pof_err *err)
{
    struct pof_buf items = {0};
    struct pof_buf list = {0};
    uint8_t hash[POF_WORD];
    int rc = pof_rlp_bytes(&items, text_of(from->b, POF_ADDRESS), err);
    rc = rc ? rc : pof_rlp_u64(&items, nonce, err);
    rc = rc ? rc : pof_rlp_list(&list, text_of(items.data, items.len), err);
    if (rc == 0) {
        pof_keccak(text_of(list.data, list.len), hash);
        memcpy(out->b, hash + POF_WORD - POF_ADDRESS, POF_ADDRESS);
    }
    pof_buf_release(&items);
    pof_buf_release(&list);
    return rc;
}
