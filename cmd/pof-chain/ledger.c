/* SPDX-License-Identifier: Apache-2.0 */
/* anchor, subscribe and check. */
#include "parts.h"

#include "chain/abi.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- anchor --- */

/* What is anchored of a log at a size. */
static int root_of(struct work *w, const struct pof_word *origin, uint64_t size,
                   struct pof_word *out, struct pof_err *err)
{
    const struct pof_address *anchor;
    int rc = chain_contract(w, "Anchor", &anchor, err);
    w->data.len = 0;
    rc = rc ? rc : pof_abi_call(&w->data, "rootOf(bytes32,uint64)", err);
    rc = rc ? rc : pof_abi_word(&w->data, origin, err);
    rc = rc ? rc : pof_abi_u64(&w->data, size, err);
    return rc ? rc : chain_ask_word(w, anchor, out, err);
}

static int anchor_one(struct work *w, const struct pof_checkpoint *c, struct pof_err *err)
{
    const struct pof_address *anchor;
    struct pof_word root, there;
    char what[POF_WHAT_MAX];
    struct pof_word origin = chain_sha256(w, pof_text(c->origin));
    memcpy(root.b, c->head.root.b, sizeof root.b);
    int rc = chain_contract(w, "Anchor", &anchor, err);
    rc = rc ? rc : root_of(w, &origin, c->head.size, &there, err);
    if (rc == 0 && pof_word_eq(&there, &root)) {
        return chain_print(w, err, "anchor %.64s size=%" PRIu64 " stands already\n", c->origin,
                           c->head.size);
    }
    snprintf(what, sizeof what, "anchor %.64s size=%" PRIu64, c->origin, c->head.size);
    w->data.len = 0;
    rc = rc ? rc : pof_abi_call(&w->data, "anchor(bytes32,uint64,bytes32)", err);
    rc = rc ? rc : pof_abi_word(&w->data, &origin, err);
    rc = rc ? rc : pof_abi_u64(&w->data, c->head.size, err);
    rc = rc ? rc : pof_abi_word(&w->data, &root, err);
    rc = rc ? rc : pof_hasher_check(w->hasher, err);
    return rc ? rc : chain_do(w, what, anchor, err);
}

/* Opens a checkpoint file; its log must have signed it. */
static int read_checkpoint(struct work *w, const char *path, const struct pof_vkey *key,
                           struct pof_checkpoint *out, struct pof_err *err)
{
    struct pof_note note;
    char *text = NULL;
    size_t n = 0;
    int rc = pof_cli_slurp(w->cli, path, &text, &n, err);
    rc = rc ? rc : pof_checkpoint_open(out, &note, (struct pof_text){text, n}, key, err);
    if (rc == 0 && note.status != POF_NOTE_GOOD) {
        rc = pof_fail(err, POF_E_ANSWER_NO, "not anchored: %s", note.why);
        pof_at(err, path, 0, NULL);
    }
    free(text);
    return rc ? rc : chain_text("log-key", out->origin, err);
}

int chain_anchor(struct work *w, struct pof_err *err)
{
    struct pof_vkey key;
    struct pof_checkpoint c;
    if (!w->a->log_key || w->n_rest == 0) {
        return pof_fail(err, POF_E_USAGE,
                        "anchor needs --log-key VKEY and checkpoints: whose log is it?");
    }
    int rc = pof_vkey_parse(&key, pof_text(w->a->log_key), err);
    for (size_t i = 0; rc == 0 && i < w->n_rest; i++) { /* all of them, before anything is sent */
        rc = read_checkpoint(w, w->rest[i], &key, &c, err);
    }
    rc = rc ? rc : chain_open_to_send(w, err);
    for (size_t i = 0; rc == 0 && i < w->n_rest; i++) {
        rc = read_checkpoint(w, w->rest[i], &key, &c, err);
        rc = rc ? rc : anchor_one(w, &c, err);
    }
    return rc;
}

/* --- subscriptions --- */

/* Who granted what to whom. */
struct grant {
    const struct pof_address *contract;
    struct pof_address owner, consumer;
    struct pof_word id;
};

static int call_of(struct work *w, const char *function, const struct pof_word *first,
                   const struct pof_word *second, struct pof_err *err)
{
    w->data.len = 0;
    int rc = pof_abi_call(&w->data, function, err);
    rc = rc ? rc : pof_abi_word(&w->data, first, err);
    return rc ? rc : pof_abi_word(&w->data, second, err);
}

/* What the contract holds: consumer, until, revoked. */
static int held(struct work *w, const struct grant *g, struct pof_word out[3], struct pof_err *err)
{
    struct pof_word owner = pof_word_address(&g->owner);
    int rc = call_of(w, "granted(address,bytes32)", &owner, &g->id, err);
    rc = rc ? rc : chain_ask(w, g->contract, err);
    struct pof_text answer = {w->data.data, w->data.len};
    for (size_t i = 0; rc == 0 && i < 3; i++) {
        if (!pof_abi_word_at(answer, i, &out[i])) {
            rc = pof_fail(err, POF_E_PROTOCOL,
                          "the contract answers with too little: is it deployed?");
        }
    }
    return rc;
}

static int prepare(struct work *w, struct grant *g, struct pof_err *err)
{
    g->id = chain_sha256(w, pof_text(w->a->id));
    int rc = pof_hasher_check(w->hasher, err);
    return rc ? rc : chain_contract(w, "Subscriptions", &g->contract, err);
}

static int revoke(struct work *w, const struct grant *g, struct pof_err *err)
{
    char what[POF_WHAT_MAX];
    struct pof_word owner = pof_word_address(&g->owner);
    struct pof_word now[3];
    snprintf(what, sizeof what, "revoke %s", w->a->id);
    int rc = held(w, g, now, err);
    if (rc == 0 && now[2].b[POF_WORD - 1]) {
        return chain_print(w, err, "%s stands already\n", what);
    }
    rc = rc ? rc : call_of(w, "revoke(address,bytes32)", &owner, &g->id, err);
    return rc ? rc : chain_do(w, what, g->contract, err);
}

static int grant(struct work *w, const struct grant *g, struct pof_err *err)
{
    char what[POF_WHAT_MAX];
    struct pof_word now[3];
    struct pof_word consumer = pof_word_address(&g->consumer);
    struct pof_word until = pof_word((uint64_t)w->a->until);
    snprintf(what, sizeof what, "subscribe %s", w->a->id);
    int rc = held(w, g, now, err);
    if (rc == 0 && pof_word_eq(&now[0], &consumer) && pof_word_eq(&now[1], &until) &&
        !now[2].b[POF_WORD - 1]) {
        return chain_print(w, err, "%s stands already\n", what);
    }
    rc = rc ? rc : call_of(w, "grant(bytes32,address,uint64)", &g->id, &consumer, err);
    rc = rc ? rc : pof_abi_word(&w->data, &until, err);
    return rc ? rc : chain_do(w, what, g->contract, err);
}

int chain_subscribe(struct work *w, struct pof_err *err)
{
    struct grant g;
    int rc = chain_text("id", w->a->id, err);
    if (rc == 0 && !w->a->revoke) {
        rc = chain_address("consumer", w->a->consumer, &g.consumer, err);
        if (rc == 0 && w->a->until < 0) {
            rc = pof_fail(err, POF_E_USAGE, "expected --until TIME: when does it end?");
        }
    }
    rc = rc ? rc : chain_open_to_send(w, err);
    g.owner = w->me;
    if (rc == 0 && w->a->revoke && w->a->owner) { /* a consumer gives it back */
        rc = chain_address("owner", w->a->owner, &g.owner, err);
    }
    rc = rc ? rc : prepare(w, &g, err);
    return rc ? rc : w->a->revoke ? revoke(w, &g, err) : grant(w, &g, err);
}

/* Why not; NULL: allowed. */
static const char *why_not(const struct grant *g, const struct pof_word now[3], uint64_t time)
{
    struct pof_word consumer = pof_word_address(&g->consumer);
    uint64_t until = 0;
    bool fits = pof_word_u64(&now[1], &until);
    return fits && until == 0                 ? "never granted"
           : !pof_word_eq(&now[0], &consumer) ? "granted to another consumer"
           : now[2].b[POF_WORD - 1]           ? "revoked"
           : fits && time >= until            ? "expired"
                                              : NULL;
}

int chain_check(struct work *w, struct pof_err *err)
{
    struct grant g;
    struct pof_word now[3];
    struct pof_block block;
    int rc = chain_text("id", w->a->id, err);
    rc = rc ? rc : chain_address("owner", w->a->owner, &g.owner, err);
    rc = rc ? rc : chain_address("consumer", w->a->consumer, &g.consumer, err);
    rc = rc ? rc : chain_open_to_ask(w, err);
    rc = rc ? rc : prepare(w, &g, err);
    rc = rc ? rc : pof_rpc_block(&w->node, "latest", &block, err);
    rc = rc ? rc : held(w, &g, now, err);
    if (rc) {
        return rc;
    }
    const char *why = why_not(&g, now, block.time);
    rc = why ? chain_print(w, err, "no: %s\n", why)
             : chain_print(w, err, "yes: %s may be read, block=%" PRIu64 "\n", w->a->id,
                           block.number);
    return rc ? rc : why != NULL;
}
