/* SPDX-License-Identifier: Apache-2.0 */
/* prove and check. */
#include "parts.h"

#include "base/base64.h"
#include "trust/certify.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* The canonical bytes of the one record in a document. */
static int read_record(struct work *w, const char *path, struct pof_buf *canonical,
                       struct pof_err *err)
{
    char *text = NULL;
    size_t n = 0;
    struct pof_jcs jcs = {0};
    int rc = pof_cli_slurp(w->cli, path, &text, &n, err);
    if (rc == 0) {
        rc = pof_record_canonical(&jcs, (struct pof_text){text, n}, canonical, err);
        rc = rc ? pof_at(err, path, 0, NULL) : 0;
    }
    pof_jcs_release(&jcs);
    free(text);
    return rc;
}

/* The first place of a record that is only committed to. O(openings). */
static int find_opening(struct work *w, const struct pof_buf *record, uint64_t *index, bool *found,
                        struct pof_err *err)
{
    uint64_t n = w->openings ? pof_openings_count(w->openings) : 0;
    int rc = 0;
    for (uint64_t i = 0; rc == 0 && !*found && i < n; i++) {
        struct pof_opening o;
        rc = pof_openings_at(w->openings, i, &o, err);
        *found = rc == 0 && o.status == POF_OPENING_OPEN && o.index < pof_log_size(w->log) &&
                 pof_text_eq(o.record, (struct pof_text){record->data, record->len});
        *index = o.index;
    }
    return rc;
}

/* The first place of a record in the log; *found false when it is not there. O(size). */
static int find_record(struct work *w, const struct pof_buf *record, uint64_t *index, bool *found,
                       struct pof_err *err)
{
    uint64_t size = pof_log_size(w->log);
    struct pof_hash leaf;
    struct pof_hash some[256];
    *found = false;
    int rc = pof_log_leaf_of(w->log, (struct pof_text){record->data, record->len}, &leaf, err);
    for (uint64_t i = 0; rc == 0 && i < size; i += 256) {
        size_t n = size - i < 256 ? (size_t)(size - i) : 256;
        rc = pof_log_leaves(w->log, i, n, some, err);
        for (size_t k = 0; rc == 0 && k < n; k++) {
            if (pof_hash_eq(&some[k], &leaf)) {
                *index = i + k;
                *found = true;
                return 0;
            }
        }
    }
    return rc ? rc : find_opening(w, record, index, found, err);
}

/* Which record is to be proved: the operand, or the place of --record. */
static int which(struct work *w, uint64_t *index, bool *found, struct pof_err *err)
{
    *found = true;
    if (w->a->record && w->n_rest == 0) {
        struct pof_buf record = {0};
        int rc = read_record(w, w->a->record, &record, err);
        rc = rc ? rc : find_record(w, &record, index, found, err);
        pof_buf_release(&record);
        return rc;
    }
    if (w->a->record || w->n_rest != 1 || !pof_tlog_number(pof_text(w->rest[0]), index)) {
        return pof_fail(err, POF_E_USAGE, "prove needs a place in the log (0, 1 ...) or --record");
    }
    return 0;
}

/* A checkpoint and what holds its text. */
struct picked {
    struct pof_head head;
    struct pof_text note;
    struct pof_buf cosigned;
};

/* The checkpoint that a proof leads to: the newest that was cosigned, when it covers the record;
 * with a policy it must have its quorum. */
static int pick_checkpoint(struct work *w, uint64_t index, struct picked *out, struct pof_err *err)
{
    struct pof_head *head = &out->head;
    struct pof_text *note = &out->note;
    struct pof_buf *cosigned = &out->cosigned;
    struct pof_checkpoint c;
    struct pof_note opened;
    struct pof_policy_verdict v;
    *head = pof_log_head(w->log);
    *note = pof_log_checkpoint(w->log);
    int rc = certify_read_note(w, "cosigned", cosigned, err);
    struct pof_text text = {cosigned->data, cosigned->len};
    if (rc == 0 && text.len) {
        rc = pof_checkpoint_open(&c, &opened, text, pof_log_vkey(w->log), err);
        if (rc == 0 && opened.status == POF_NOTE_GOOD && index < c.head.size &&
            c.head.size <= head->size) {
            *head = c.head;
            *note = text;
        }
    }
    if (rc || !w->policy) {
        return rc;
    }
    rc = certify_judge(w, *note, &v, err);
    if (rc == 0 && !v.good) {
        rc = pof_fail(err, POF_E_ANSWER_NO,
                      "record %" PRIu64 " is in the log, but the checkpoint of %" PRIu64
                      " records: %s; 'pof-certify checkpoint' asks the witnesses",
                      index, head->size, v.why);
    }
    return rc;
}

/* The salt of a commitment goes into the line `extra`: who has it can check that the record is the
 * one that was committed to. */
static int add_salt(struct work *w, struct pof_tlog_proof *proof, char extra[], struct pof_err *err)
{
    struct pof_opening o = {.status = POF_OPENING_NONE};
    int rc = w->openings ? pof_openings_find(w->openings, proof->index, &o, err) : 0;
    if (rc == 0 && o.status == POF_OPENING_OPEN && !w->a->closed) {
        proof->extra = (struct pof_text){extra, pof_base64_encode(o.salt, POF_SALT, extra)};
    } else if (rc == 0 && o.status == POF_OPENING_ERASED) {
        pof_cli_note(w->cli, "record %" PRIu64 " was erased: the proof is of the commitment to it",
                     proof->index);
    }
    pof_wipe(&o, sizeof o);
    return rc;
}

int certify_prove(struct work *w, struct pof_err *err)
{
    struct pof_tlog_proof proof = {.extra = {"", 0}};
    struct picked picked = {.note = {"", 0}};
    char extra[POF_BASE64_LEN(POF_SALT)];
    bool found;
    int rc = certify_open_to_read(w, err);
    rc = rc ? rc : certify_open_openings(w, err);
    rc = rc ? rc : certify_read_policy(w, err);
    rc = rc ? rc : which(w, &proof.index, &found, err);
    if (rc == 0 && (!found || proof.index >= pof_log_size(w->log))) {
        return pof_fail(err, POF_E_ANSWER_NO, "the log has %" PRIu64 " records, and not this one",
                        pof_log_size(w->log));
    }
    rc = rc ? rc : pick_checkpoint(w, proof.index, &picked, err);
    proof.checkpoint = picked.note;
    rc = rc ? rc : pof_log_prove_at(w->log, &picked.head, proof.index, &proof.path, err);
    rc = rc ? rc : add_salt(w, &proof, extra, err);
    rc = rc ? rc : pof_tlog_proof_format(&w->text, &proof, err);
    pof_buf_release(&picked.cosigned);
    return rc ? rc : certify_answer(w, true, err);
}

/* A checkpoint, and why it is not to be believed (NULL: it is). */
struct belief {
    struct pof_checkpoint c;
    const char *why;
};

/* Is the checkpoint of a proof to be believed? By --policy, or by --key alone. */
static int believe(struct work *w, struct pof_text text, const struct pof_vkey *key,
                   struct belief *out, struct pof_err *err)
{
    struct pof_note note;
    struct pof_policy_verdict v;
    if (!w->policy) {
        int rc = pof_checkpoint_open(&out->c, &note, text, key, err);
        out->why = rc == 0 && note.status != POF_NOTE_GOOD ? note.why : NULL;
        return rc;
    }
    int rc = pof_policy_judge(w->policy, key, text, &v, err);
    out->why = v.good ? NULL : v.why;
    out->c = v.checkpoint;
    return rc;
}

/* Is the record at its place? As itself, or, when the proof carries a salt, as a commitment. */
static int is_included(struct work *w, const struct pof_tlog_proof *proof,
                       const struct pof_head *head, bool *good, struct pof_err *err)
{
    struct pof_hasher *h;
    struct pof_buf record = {0};
    struct pof_hash leaf, salt;
    int rc = pof_hasher_new(&h, err);
    if (rc) {
        return rc;
    }
    rc = read_record(w, w->a->record ? w->a->record : "-", &record, err);
    struct pof_text text = {record.data, record.len};
    if (rc == 0 && proof->extra.len && pof_tlog_hash(proof->extra, &salt)) {
        rc = pof_commitment_leaf(h, salt.b, text, &leaf, err);
    } else if (rc == 0) {
        pof_merkle_leaf(h, text.ptr, text.len, &leaf);
    }
    *good = rc == 0 && pof_merkle_check_inclusion(h, proof->index, head->size, &leaf, &proof->path,
                                                  &head->root);
    rc = rc ? rc : pof_hasher_check(h, err);
    pof_hasher_free(h);
    pof_buf_release(&record);
    return rc;
}

/* Judges a parsed proof; adds the verdict to w->text. */
static int judge(struct work *w, const struct pof_tlog_proof *proof, const struct pof_vkey *key,
                 bool *good, struct pof_err *err)
{
    struct belief belief;
    const struct pof_checkpoint *c = &belief.c;
    *good = false;
    int rc = believe(w, proof->checkpoint, key, &belief, err);
    if (rc || belief.why) {
        return rc ? rc : pof_buf_addf(&w->text, err, "no: the checkpoint: %s\n", belief.why);
    }
    rc = is_included(w, proof, &c->head, good, err);
    if (rc == 0 && !*good) {
        return pof_buf_addf(&w->text, err,
                            "no: this is not record %" PRIu64 " of %" PRIu64
                            " in %s, or the proof is of another\n",
                            proof->index, c->head.size, c->origin);
    }
    return rc ? rc
              : pof_buf_addf(&w->text, err, "yes: record %" PRIu64 " of %" PRIu64 " in %s\n",
                             proof->index, c->head.size, c->origin);
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
    rc = rc ? rc : certify_read_policy(w, err);
    if (rc == 0 && !key && (!w->policy || w->policy->logs == 0)) {
        rc = pof_fail(err, POF_E_USAGE,
                      "check needs --key VKEY or a --policy with logs: whose log is it to be?");
    }
    rc = rc ? rc : pof_cli_slurp(w->cli, w->target, &text, &n, err);
    if (rc == 0) {
        rc = pof_tlog_proof_parse(&proof, (struct pof_text){text, n}, err);
        rc = rc ? pof_at(err, w->target, 0, NULL) : judge(w, &proof, key, &good, err);
    }
    free(text);
    return rc ? rc : certify_answer(w, good, err);
}
