/* SPDX-License-Identifier: Apache-2.0 */
/* checkpoint, verify, prove, check and consistency. */
#include "parts.h"

#include "base/base64.h"
#include "trust/certify.h"
#include "trust/verify.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static int print(struct work *w, struct pof_err *err)
{
    struct pof_sink out;
    int rc = pof_cli_sink(w->cli, NULL, &out, err);
    return rc ? rc : out.write(out.ctx, w->text.data, w->text.len, err);
}

/* Prints what was found; 1 when the answer is no. */
static int answer(struct work *w, bool yes, struct pof_err *err)
{
    int rc = print(w, err);
    return rc ? rc : !yes;
}

int certify_checkpoint(struct work *w, struct pof_err *err)
{
    int rc = certify_open_to_read(w, err);
    if (rc == 0) {
        struct pof_text text = pof_log_checkpoint(w->log);
        rc = pof_buf_add(&w->text, text.ptr, text.len, err);
    }
    return rc ? rc : print(w, err);
}

/* --- verify --- */

static int take(void *ctx, struct pof_text line, struct pof_given_place place, struct pof_err *err)
{
    return pof_given_add(ctx, line, place, err);
}

int certify_verify(struct work *w, struct pof_err *err)
{
    struct pof_vkey key;
    struct pof_given given = {0};
    struct pof_verification what = {.has_at = w->a->at >= 0,
                                    .at = w->a->at >= 0 ? (uint64_t)w->a->at : 0};
    bool good = false;
    int rc = certify_public_key(w->a, &key, &what.key, err);
    if (rc == 0) {
        struct pof_err why = {0};
        rc = certify_open_to_read(w, &why);
        if (rc == POF_E_CONFLICT) { /* an answer here, an error elsewhere */
            rc = pof_buf_addf(&w->text, err, "checkpoint: %s\n", why.text);
            return rc ? rc : answer(w, false, err);
        }
        if (rc) {
            *err = why;
        }
    }
    if (rc == 0 && w->n_rest) {
        rc = certify_each_line(w, take, &given, err);
        what.given = &given;
    }
    what.log = w->log;
    rc = rc ? rc : pof_verify(&what, &w->text, &good, err);
    pof_given_release(&given);
    return rc ? rc : answer(w, good, err);
}

/* --- proofs --- */

/* The leaf hash of the one record in a document. */
static int record_leaf(struct work *w, const char *path, struct pof_hash *leaf, struct pof_err *err)
{
    char *text = NULL;
    size_t n = 0;
    struct pof_given given = {0};
    int rc = pof_cli_slurp(w->cli, path, &text, &n, err);
    rc = rc ? rc
            : pof_given_add(&given, (struct pof_text){text, n}, (struct pof_given_place){path, 1},
                            err);
    if (rc == 0) {
        *leaf = given.leaf[0];
    } else {
        pof_at(err, path, 0, NULL);
    }
    pof_given_release(&given);
    free(text);
    return rc;
}

/* The first place of a record in the log; *found false when it is not there. O(size). */
static int find_record(struct work *w, const struct pof_hash *leaf, uint64_t *index, bool *found,
                       struct pof_err *err)
{
    uint64_t size = pof_log_size(w->log);
    struct pof_hash some[256];
    *found = false;
    for (uint64_t i = 0; i < size; i += 256) {
        size_t n = size - i < 256 ? (size_t)(size - i) : 256;
        int rc = pof_log_leaves(w->log, i, n, some, err);
        if (rc) {
            return rc;
        }
        for (size_t k = 0; k < n; k++) {
            if (pof_hash_eq(&some[k], leaf)) {
                *index = i + k;
                *found = true;
                return 0;
            }
        }
    }
    return 0;
}

/* Which record is to be proved: the operand, or the place of --record. */
static int which(struct work *w, uint64_t *index, bool *found, struct pof_err *err)
{
    *found = true;
    if (w->a->record && w->n_rest == 0) {
        struct pof_hash leaf;
        int rc = record_leaf(w, w->a->record, &leaf, err);
        return rc ? rc : find_record(w, &leaf, index, found, err);
    }
    if (w->a->record || w->n_rest != 1 || !pof_tlog_number(pof_text(w->rest[0]), index)) {
        return pof_fail(err, POF_E_USAGE, "prove needs a place in the log (0, 1 ...) or --record");
    }
    return 0;
}

int certify_prove(struct work *w, struct pof_err *err)
{
    struct pof_tlog_proof proof = {.extra = {"", 0}};
    bool found;
    int rc = certify_open_to_read(w, err);
    rc = rc ? rc : which(w, &proof.index, &found, err);
    if (rc == 0 && (!found || proof.index >= pof_log_size(w->log))) {
        return pof_fail(err, POF_E_ANSWER_NO, "the log has %" PRIu64 " records, and not this one",
                        pof_log_size(w->log));
    }
    rc = rc ? rc : pof_log_prove(w->log, proof.index, &proof.path, err);
    if (rc == 0) {
        proof.checkpoint = pof_log_checkpoint(w->log);
        rc = pof_tlog_proof_format(&w->text, &proof, err);
    }
    return rc ? rc : print(w, err);
}

/* Judges a parsed proof; adds the verdict to w->text. */
static int judge(struct work *w, const struct pof_tlog_proof *proof, const struct pof_vkey *key,
                 bool *good, struct pof_err *err)
{
    struct pof_checkpoint c;
    struct pof_note note;
    struct pof_hash leaf;
    struct pof_hasher *h;
    *good = false;
    int rc = pof_checkpoint_open(&c, &note, proof->checkpoint, key, err);
    if (rc || note.status != POF_NOTE_GOOD) {
        return rc ? rc : pof_buf_addf(&w->text, err, "no: the checkpoint: %s\n", note.why);
    }
    rc = record_leaf(w, w->a->record ? w->a->record : "-", &leaf, err);
    rc = rc ? rc : pof_hasher_new(&h, err);
    if (rc) {
        return rc;
    }
    *good =
        pof_merkle_check_inclusion(h, proof->index, c.head.size, &leaf, &proof->path, &c.head.root);
    rc = pof_hasher_check(h, err);
    pof_hasher_free(h);
    if (rc == 0 && !*good) {
        return pof_buf_addf(&w->text, err,
                            "no: this is not record %" PRIu64 " of %" PRIu64
                            " in %s, or the proof is of another\n",
                            proof->index, c.head.size, c.origin);
    }
    return rc ? rc
              : pof_buf_addf(&w->text, err, "yes: record %" PRIu64 " of %" PRIu64 " in %s\n",
                             proof->index, c.head.size, c.origin);
}

int certify_check(struct work *w, struct pof_err *err)
{
    struct pof_vkey buffer;
    const struct pof_vkey *key;
    struct pof_tlog_proof proof;
    char *text = NULL;
    size_t n;
    bool good = false;
    int rc = certify_public_key(w->a, &buffer, &key, err);
    if (rc == 0 && !key) {
        rc = pof_fail(err, POF_E_USAGE, "check needs --key VKEY: whose log is it to be?");
    }
    rc = rc ? rc : pof_cli_slurp(w->cli, w->target, &text, &n, err);
    if (rc == 0) {
        rc = pof_tlog_proof_parse(&proof, (struct pof_text){text, n}, err);
        rc = rc ? pof_at(err, w->target, 0, NULL) : judge(w, &proof, key, &good, err);
    }
    free(text);
    return rc ? rc : answer(w, good, err);
}

/* --- consistency --- */

/* The body of an add-checkpoint request of c2sp.org/tlog-witness: size, proof, new checkpoint. */
static int say_consistency(struct work *w, uint64_t old, const struct pof_proof *proof,
                           struct pof_err *err)
{
    struct pof_text now = pof_log_checkpoint(w->log);
    int rc = pof_buf_addf(&w->text, err, "old %" PRIu64 "\n", old);
    for (size_t i = 0; i < proof->n && rc == 0; i++) {
        rc = pof_base64_add(&w->text, proof->hash[i].b, POF_HASH, err);
        rc = rc ? rc : pof_buf_add(&w->text, "\n", 1, err);
    }
    rc = rc ? rc : pof_buf_add(&w->text, "\n", 1, err);
    return rc ? rc : pof_buf_add(&w->text, now.ptr, now.len, err);
}

int certify_consistency(struct work *w, struct pof_err *err)
{
    struct pof_vkey buffer;
    const struct pof_vkey *key;
    struct pof_checkpoint old;
    struct pof_note note;
    struct pof_proof proof;
    char *text = NULL;
    size_t n;
    bool same = false;
    if (w->n_rest != 1) {
        return pof_fail(err, POF_E_USAGE,
                        "consistency needs DIR and a file with an older checkpoint");
    }
    int rc = certify_public_key(w->a, &buffer, &key, err);
    rc = rc ? rc : certify_open_to_read(w, err);
    rc = rc ? rc : pof_cli_slurp(w->cli, w->rest[0], &text, &n, err);
    rc = rc ? rc
            : pof_checkpoint_open(&old, &note, (struct pof_text){text, n},
                                  key ? key : pof_log_vkey(w->log), err);
    if (rc == 0 && note.status != POF_NOTE_GOOD) {
        rc = pof_buf_addf(&w->text, err, "no: the older checkpoint: %s\n", note.why);
    } else if (rc == 0) {
        rc = pof_log_consistency(w->log, &old.head, &proof, &same, err);
        if (rc == 0 && !same) {
            rc = pof_buf_addf(&w->text, err,
                              "no: %s of %" PRIu64 " records does not begin with the "
                              "%" PRIu64 " that were signed\n",
                              old.origin, pof_log_size(w->log), old.head.size);
        }
        rc = rc || !same ? rc : say_consistency(w, old.head.size, &proof, err);
    }
    free(text);
    return rc ? rc : answer(w, same, err);
}
