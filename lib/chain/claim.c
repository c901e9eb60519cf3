/* SPDX-License-Identifier: Apache-2.0 */
#include "chain/claim.h"

#include "chain/abi.h"

#include <string.h>

enum { AWARD, OWNER, PENALTY, SCHEMA, SELLER, SESSION, TERMS, TOKENS };
/* Head of a claim: where the record is, its places, salt, index, size, where the path is. */
enum { HEAD = 1 + POF_CLAIM_PLACES + 4 };

static const char *const names[POF_CLAIM_PLACES] = {
    "\"award\":\"",  "\"owner\":\"",   "\"penalty_eur\":", "\"schema\":\"",
    "\"seller\":\"", "\"session\":\"", "\"terms\":\"",     "\"tokens\":"};

/* The place of the '{' or ',' before a member's name. */
static bool find(struct pof_text record, const char *name, uint16_t *place)
{
    size_t n = strlen(name);
    for (size_t i = 0; i + 1 + n < record.len; i++) {
        if ((record.ptr[i] == '{' || record.ptr[i] == ',') &&
            memcmp(record.ptr + i + 1, name, n) == 0) {
            *place = (uint16_t)i;
            return true;
        }
    }
    return false;
}

/* The text of member i, whose place is known; false when it has escapes. */
static bool value(const struct pof_claim *c, size_t i, struct pof_text *out)
{
    size_t from = c->place[i] + 1 + strlen(names[i]);
    size_t to = from;
    while (to < c->record.len && c->record.ptr[to] != '"' && c->record.ptr[to] != '\\') {
        to++;
    }
    *out = (struct pof_text){c->record.ptr + from, to - from};
    return to < c->record.len && c->record.ptr[to] == '"';
}

/* Keccak-256 of abi.encode(session, award). */
static int key_of(struct pof_claim *c, struct pof_text session, struct pof_text award,
                  struct pof_err *err)
{
    struct pof_buf b = {0};
    uint64_t first = 2 * POF_WORD;
    uint64_t words = 1 + (session.len + POF_WORD - 1) / POF_WORD;
    int rc = pof_abi_u64(&b, first, err);
    rc = rc ? rc : pof_abi_u64(&b, first + words * POF_WORD, err);
    rc = rc ? rc : pof_abi_bytes(&b, session, err);
    rc = rc ? rc : pof_abi_bytes(&b, award, err);
    if (rc == 0) {
        pof_keccak((struct pof_text){b.data, b.len}, c->key.b);
    }
    pof_buf_release(&b);
    return rc;
}

int pof_claim_read(struct pof_claim *out, struct pof_text record, struct pof_err *err)
{
    struct pof_text schema, session, award, seller, owner;
    *out = (struct pof_claim){.record = record};
    if (record.len > UINT16_MAX) {
        return pof_fail(err, POF_E_TOO_LONG, "a record of %zu bytes", record.len);
    }
    for (size_t i = 0; i < POF_CLAIM_PLACES; i++) {
        if (!find(record, names[i], &out->place[i]) && i != OWNER) {
            return pof_fail(err, POF_E_MISSING, "not a settlement record: no %s", names[i]);
        }
    }
    if (!value(out, SCHEMA, &schema) || !pof_text_is(schema, "pof.settlement/1")) {
        return pof_fail(err, POF_E_SCHEMA, "not a record pof.settlement/1");
    }
    bool owned = out->place[OWNER] != 0;
    if (!value(out, SELLER, &seller) || !value(out, SESSION, &session) ||
        !value(out, AWARD, &award) || !value(out, TERMS, &out->terms) ||
        (owned && !value(out, OWNER, &owner))) {
        return pof_fail(err, POF_E_SYNTAX, "a name with escapes, which the contract does not read");
    }
    return key_of(out, session, award, err);
}

static size_t claim_size(const struct pof_claim *c)
{
    return POF_WORD * (HEAD + 2 + (c->record.len + POF_WORD - 1) / POF_WORD + c->path.n);
}

static int add_claim(struct pof_buf *to, const struct pof_claim *c, struct pof_err *err)
{
    int rc = pof_abi_u64(to, HEAD * POF_WORD, err);
    for (size_t i = 0; rc == 0 && i < POF_CLAIM_PLACES; i++) {
        rc = pof_abi_u64(to, c->place[i], err);
    }
    rc = rc ? rc : pof_abi_word(to, &c->salt, err);
    rc = rc ? rc : pof_abi_u64(to, c->index, err);
    rc = rc ? rc : pof_abi_u64(to, c->size, err);
    rc = rc ? rc : pof_abi_u64(to, claim_size(c) - POF_WORD * (1 + c->path.n), err);
    rc = rc ? rc : pof_abi_bytes(to, c->record, err);
    rc = rc ? rc : pof_abi_u64(to, c->path.n, err);
    for (size_t i = 0; rc == 0 && i < c->path.n; i++) {
        rc = pof_buf_add(to, c->path.hash[i].b, POF_HASH, err);
    }
    return rc;
}

int pof_claim_call(const struct pof_claim *claim, size_t n, struct pof_buf *to, struct pof_err *err)
{
    size_t offset = n * POF_WORD;
    int rc = pof_abi_call(to, "settle((bytes,uint16[8],bytes32,uint64,uint64,bytes32[])[])", err);
    rc = rc ? rc : pof_abi_u64(to, POF_WORD, err);
    rc = rc ? rc : pof_abi_u64(to, n, err);
    for (size_t i = 0; rc == 0 && i < n; i++) {
        rc = pof_abi_u64(to, offset, err);
        offset += claim_size(&claim[i]);
    }
    for (size_t i = 0; rc == 0 && i < n; i++) {
        rc = add_claim(to, &claim[i], err);
    }
    return rc;
}
