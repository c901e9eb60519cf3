/* SPDX-License-Identifier: Apache-2.0 */
/* settle, transfer and close. */
#include "parts.h"

#include "base/lines.h"
#include "chain/abi.h"
#include "chain/claim.h"
#include "trust/certify.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- transfer --- */

/* The receiver: --to, or the settlement contract of --terms. */
static int receiver(struct work *w, struct pof_address *out, struct pof_err *err)
{
    const struct pof_address *contract;
    char name[POF_CONTRACT_NAME];
    struct pof_word terms;
    if (w->a->to) {
        return chain_address("to", w->a->to, out, err);
    }
    int rc = chain_settlement(w, name, &terms, err);
    rc = rc ? rc : chain_contract(w, name, &contract, err);
    if (rc == 0) {
        *out = *contract;
    }
    return rc;
}

/* Was the reference paid before? */
static int is_paid(struct work *w, const struct pof_address *token,
                   const struct pof_word *reference, bool *paid, struct pof_err *err)
{
    struct pof_word answer;
    w->data.len = 0;
    int rc = pof_abi_call(&w->data, "paid(address,bytes32)", err);
    rc = rc ? rc : pof_abi_address(&w->data, &w->me, err);
    rc = rc ? rc : pof_abi_word(&w->data, reference, err);
    rc = rc ? rc : chain_ask_word(w, token, &answer, err);
    *paid = rc == 0 && answer.b[POF_WORD - 1];
    return rc;
}

static int pay(struct work *w, const struct pof_address *to, const char *what, struct pof_err *err)
{
    const struct pof_address *token;
    bool paid = false;
    struct pof_word reference = chain_sha256(w, pof_text(w->a->reference));
    int rc = pof_hasher_check(w->hasher, err);
    rc = rc ? rc : chain_contract(w, "Token", &token, err);
    rc = rc ? rc : is_paid(w, token, &reference, &paid, err);
    if (rc == 0 &&
        paid) { /* by the last transaction of this directory: then it is the same payment */
        bool same = w->last.good && strcmp(w->last.what, what) == 0;
        return same ? chain_print(w, err, "%s stands already\n", what)
                    : pof_fail(err, POF_E_ANSWER_NO,
                               "reference '%s' was paid before; nothing is paid twice",
                               w->a->reference);
    }
    w->data.len = 0;
    rc = rc ? rc : pof_abi_call(&w->data, "pay(address,uint256,bytes32)", err);
    rc = rc ? rc : pof_abi_address(&w->data, to, err);
    rc = rc ? rc : pof_abi_u64(&w->data, (uint64_t)w->a->amount, err);
    rc = rc ? rc : pof_abi_word(&w->data, &reference, err);
    return rc ? rc : chain_do(w, what, token, err);
}

int chain_transfer(struct work *w, struct pof_err *err)
{
    struct pof_address to;
    struct pof_buf hex = {0};
    char what[POF_WHAT_MAX];
    int rc = chain_text("reference", w->a->reference, err);
    if (rc == 0 && w->a->amount < 0) {
        rc = pof_fail(err, POF_E_USAGE, "expected --amount N, in whole tokens");
    }
    rc = rc ? rc : chain_open_to_send(w, err);
    rc = rc ? rc : receiver(w, &to, err);
    rc = rc ? rc : pof_hex_add(&hex, (struct pof_text){(const char *)to.b, POF_ADDRESS}, err);
    if (rc == 0) {
        snprintf(what, sizeof what, "transfer %" PRId64 " to %.*s for %s", w->a->amount,
                 (int)hex.len, hex.data, w->a->reference);
        rc = pay(w, &to, what, err);
    }
    pof_buf_release(&hex);
    return rc;
}

/* --- settle --- */

/* Claims and what they are made of. */
struct claims {
    const struct pof_address *contract;
    const char *terms;       /* their hash in hexadecimal */
    struct pof_claim *claim; /* owned */
    struct pof_buf *record;  /* canonical bytes of each; owned */
    size_t n, cap;
    struct pof_jcs jcs;
};

static void release(struct claims *c)
{
    for (size_t i = 0; i < c->n; i++) {
        pof_buf_release(&c->record[i]);
    }
    free(c->record);
    free(c->claim);
    pof_jcs_release(&c->jcs);
}

/* The leaf of the record, or of the commitment to it when the proof has a salt. */
static int leaf_of(struct work *w, struct pof_claim *claim, const struct pof_tlog_proof *proof,
                   struct pof_hash *leaf, struct pof_err *err)
{
    struct pof_hash salt;
    if (proof->extra.len == 0) {
        pof_merkle_leaf(w->hasher, claim->record.ptr, claim->record.len, leaf);
        return 0;
    }
    if (!pof_tlog_hash(proof->extra, &salt)) {
        return pof_fail(err, POF_E_SYNTAX, "the line 'extra' is not the base64 of a salt");
    }
    memcpy(claim->salt.b, salt.b, POF_WORD);
    return pof_commitment_leaf(w->hasher, salt.b, claim->record, leaf, err);
}

/* The root under which the proof stands, by its own checkpoint. */
static int head_of(const struct pof_tlog_proof *proof, struct pof_head *out, struct pof_err *err)
{
    struct pof_checkpoint c;
    struct pof_text rest = proof->checkpoint, line = {rest.ptr, 0};
    while (pof_tlog_line(&rest, &line) && line.len) { /* the body ends at the empty line */
    }
    int rc = pof_checkpoint_parse(
        &c, (struct pof_text){proof->checkpoint.ptr, (size_t)(line.ptr - proof->checkpoint.ptr)},
        err);
    *out = c.head;
    return rc;
}

/* Does the proof lead to the record, under the root of its own checkpoint? The contract asks the
 * same of the anchored root. */
static int read_proof(struct work *w, struct pof_claim *claim, const char *path,
                      struct pof_err *err)
{
    struct pof_tlog_proof proof;
    struct pof_head head;
    struct pof_hash leaf;
    char *text = NULL;
    size_t n = 0;
    int rc = pof_cli_slurp(w->cli, path, &text, &n, err);
    rc = rc ? rc : pof_tlog_proof_parse(&proof, (struct pof_text){text, n}, err);
    rc = rc ? rc : head_of(&proof, &head, err);
    rc = rc ? rc : leaf_of(w, claim, &proof, &leaf, err);
    if (rc == 0) {
        claim->index = proof.index;
        claim->size = head.size;
        claim->path = proof.path;
        if (!pof_merkle_check_inclusion(w->hasher, proof.index, head.size, &leaf, &proof.path,
                                        &head.root)) {
            rc = pof_fail(err, POF_E_ANSWER_NO, "not the proof of this record");
        }
    }
    free(text);
    return rc ? pof_at(err, path, 0, NULL) : pof_hasher_check(w->hasher, err);
}

/* One line of the records, and its proof. */
static int add(struct work *w, struct claims *c, struct pof_text line, const char *proof,
               struct pof_err *err)
{
    size_t cap = c->cap;
    int rc = pof_grow(&c->claim, &cap, c->n + 1, sizeof *c->claim, err);
    rc = rc ? rc : pof_grow(&c->record, &c->cap, c->n + 1, sizeof *c->record, err);
    if (rc) {
        return rc;
    }
    struct pof_buf *record = &c->record[c->n++];
    struct pof_claim *claim = &c->claim[c->n - 1];
    *record = (struct pof_buf){0};
    rc = pof_record_canonical(&c->jcs, line, record, err);
    rc = rc ? rc : pof_claim_read(claim, (struct pof_text){record->data, record->len}, err);
    if (rc == 0 && !pof_text_is(claim->terms, c->terms)) {
        rc = pof_fail(err, POF_E_ANSWER_NO, "settled under terms %.*s, those of --terms are %s",
                      (int)claim->terms.len, claim->terms.ptr, c->terms);
    }
    return rc ? rc : read_proof(w, claim, proof, err);
}

static int read_claims(struct work *w, struct claims *c, struct pof_err *err)
{
    struct pof_lines lines = {.max = 1 << 20};
    struct pof_text line;
    int rc = pof_cli_source(w->cli, w->rest[0], &lines.src, err);
    while (rc == 0 && (rc = pof_lines_next(&lines, &line, err)) > 0) {
        rc = 0;
        if (line.len == 0) {
            continue;
        }
        if (c->n + 1 >= w->n_rest) {
            rc = pof_fail(err, POF_E_USAGE, "'%s' has more records than there are proofs",
                          w->rest[0]);
            break;
        }
        rc = add(w, c, line, w->rest[c->n + 1], err);
        if (rc && !err->source[0]) { /* not the proof's fault */
            pof_at(err, w->rest[0], lines.number, NULL);
        }
    }
    pof_lines_release(&lines);
    if (rc == 0 && c->n + 1 != w->n_rest) {
        rc = pof_fail(err, POF_E_USAGE, "%zu records and %zu proofs: expected one for each", c->n,
                      w->n_rest - 1);
    }
    return rc;
}

/* Leaves out what was paid before. */
static int drop_settled(struct work *w, struct claims *c, struct pof_err *err)
{
    size_t kept = 0;
    struct pof_text paid;
    struct pof_word yes;
    w->data.len = 0;
    int rc = pof_abi_call(&w->data, "paid(bytes32[])", err);
    rc = rc ? rc : pof_abi_u64(&w->data, POF_WORD, err);
    rc = rc ? rc : pof_abi_u64(&w->data, c->n, err);
    for (size_t i = 0; rc == 0 && i < c->n; i++) {
        rc = pof_abi_word(&w->data, &c->claim[i].key, err);
    }
    rc = rc ? rc : chain_ask(w, c->contract, err);
    if (rc == 0 && (!pof_abi_words_at((struct pof_text){w->data.data, w->data.len}, 0, &paid) ||
                    paid.len != c->n * POF_WORD)) {
        rc = pof_fail(err, POF_E_PROTOCOL,
                      "the contract answers with something else than %zu words", c->n);
    }
    for (size_t i = 0; rc == 0 && i < c->n; i++) {
        if (pof_abi_word_at(paid, i, &yes) && yes.b[POF_WORD - 1] == 0) {
            c->claim[kept++] = c->claim[i];
        }
    }
    if (rc == 0 && kept < c->n) {
        rc = chain_print(w, err, "settle: %zu of %zu records were settled before\n", c->n - kept,
                         c->n);
    }
    /* The records stay where they are: claims only look at them. */
    for (size_t i = kept; rc == 0 && i < c->n; i++) {
        c->claim[i] = (struct pof_claim){0};
    }
    return rc ? rc : (int)kept;
}

/* Sends the claims in batches: a block has only so much gas. */
static int send_claims(struct work *w, const struct claims *c, size_t n, struct pof_err *err)
{
    size_t batch = (size_t)w->a->batch;
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < n; i += batch) {
        char what[POF_WHAT_MAX];
        size_t some = n - i < batch ? n - i : batch;
        snprintf(what, sizeof what, "settle records=%zu", some);
        w->data.len = 0;
        rc = pof_claim_call(c->claim + i, some, &w->data, err);
        rc = rc ? rc : chain_do(w, what, c->contract, err);
    }
    return rc;
}

/* NAME=ADDRESS: where the tokens of a seller go. */
static int register_one(struct work *w, const struct claims *c, const char *text,
                        struct pof_err *err)
{
    const char *eq = strrchr(text, '=');
    char what[POF_WHAT_MAX];
    struct pof_address account;
    struct pof_word is;
    int rc = chain_text("account", text, err);
    rc = rc ? rc : chain_address("account", eq ? eq + 1 : text, &account, err);
    if (rc) {
        return rc;
    }
    struct pof_word now = pof_word_address(&account);
    struct pof_word seller = chain_sha256(w, (struct pof_text){text, (size_t)(eq - text)});
    w->data.len = 0;
    rc = pof_abi_call(&w->data, "accountOf(bytes32)", err);
    rc = rc ? rc : pof_abi_word(&w->data, &seller, err);
    rc = rc ? rc : chain_ask_word(w, c->contract, &is, err);
    if (rc == 0 && pof_word_eq(&is, &now)) {
        return 0;
    }
    snprintf(what, sizeof what, "account %.*s", (int)(eq - text), text);
    w->data.len = 0;
    rc = rc ? rc : pof_abi_call(&w->data, "register(bytes32,address)", err);
    rc = rc ? rc : pof_abi_word(&w->data, &seller, err);
    rc = rc ? rc : pof_abi_word(&w->data, &now, err);
    return rc ? rc : chain_do(w, what, c->contract, err);
}

int chain_settle(struct work *w, struct pof_err *err)
{
    struct claims c = {0};
    char name[POF_CONTRACT_NAME];
    struct pof_word terms;
    int rc = chain_open_to_send(w, err);
    rc = rc ? rc : chain_settlement(w, name, &terms, err);
    rc = rc ? rc : chain_contract(w, name, &c.contract, err);
    c.terms = rc ? "" : strchr(name, 'x') + 1;
    for (size_t i = 0; rc == 0 && i < w->a->account.n; i++) {
        rc = register_one(w, &c, w->a->account.item[i], err);
    }
    if (rc == 0 && w->n_rest) {
        rc = read_claims(w, &c, err);
        rc = rc ? rc : drop_settled(w, &c, err);
        rc = rc <= 0 ? rc : send_claims(w, &c, (size_t)rc, err);
    } else if (rc == 0 && w->a->account.n == 0) {
        rc = pof_fail(err, POF_E_USAGE, "settle needs records and their proofs, or --account");
    }
    release(&c);
    return rc;
}

/* --- close --- */

int chain_take_back(struct work *w, struct pof_err *err)
{
    const struct pof_address *contract;
    char name[POF_CONTRACT_NAME], what[POF_WHAT_MAX];
    struct pof_word terms;
    int rc = chain_open_to_send(w, err);
    rc = rc ? rc : chain_settlement(w, name, &terms, err);
    rc = rc ? rc : chain_contract(w, name, &contract, err);
    if (rc) {
        return rc;
    }
    snprintf(what, sizeof what, "close %s", name);
    w->data.len = 0;
    rc = pof_abi_call(&w->data, "close()", err);
    return rc ? rc : chain_do(w, what, contract, err);
}
