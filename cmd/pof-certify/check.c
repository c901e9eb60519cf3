/* SPDX-License-Identifier: Apache-2.0 */
/* verify and consistency. */
#include "parts.h"

#include "trust/verify.h"
#include "trust/witness.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* --- verify --- */

static int take(void *ctx, struct pof_text line, struct pof_given_place place, struct pof_err *err)
{
    return pof_given_add(ctx, line, place, err);
}

/* Does the line "origin" of the checkpoint name this key? Then it is the key to check it with. */
static const struct pof_vkey *policy_key(const struct pof_policy *p, struct pof_text checkpoint)
{
    struct pof_text origin;
    if (p && pof_tlog_line(&checkpoint, &origin)) {
        for (size_t i = 0; i < p->logs; i++) {
            if (pof_text_is(origin, p->log[i].vkey.name)) {
                return &p->log[i].vkey;
            }
        }
    }
    return NULL;
}

/* Static tiles of anybody: their key must come from the reader. */
static int open_tiles(struct work *w, const struct pof_vkey *key, struct pof_err *err)
{
    struct pof_buf note = {0};
    bool there;
    int rc = w->files.get(w->files.ctx, (struct pof_wanted){"checkpoint", POF_NOTE_MAX}, &note,
                          &there, err);
    key = key ? key : policy_key(w->policy, (struct pof_text){note.data, note.len});
    if (rc == 0 && !key) {
        rc =
            pof_fail(err, POF_E_USAGE,
                     "'%s' holds static tiles; verify needs --key VKEY or --policy FILE: whose log "
                     "is it to be?",
                     w->target);
    }
    rc = rc ? rc : pof_tiles_open(&w->tiles, &w->files, key, err);
    pof_buf_release(&note);
    return rc;
}

/* A log's own directory has a journal, an exported one has not. */
static int open_either(struct work *w, const struct pof_vkey *key, struct pof_err *err)
{
    struct pof_buf names = {0};
    int rc = pof_tree_open(&w->tree, w->target, false, err);
    if (rc == 0) {
        w->files = pof_tree_files(w->tree);
        rc = w->files.list(w->files.ctx, ".", &names, err);
    }
    struct pof_text rest = {names.data, names.len};
    struct pof_text name;
    bool journal = false;
    bool tiles = false;
    while (pof_tlog_line(&rest, &name)) {
        journal = journal || pof_text_is(name, "journal") || pof_text_is(name, "vkey");
        tiles = tiles || pof_text_is(name, "checkpoint");
    }
    pof_buf_release(&names);
    if (rc == 0 && tiles && !journal) {
        return open_tiles(w, key, err);
    }
    rc = rc ? rc : certify_open_to_read(w, err);
    return rc ? rc : certify_open_openings(w, err);
}

/* What witnesses signed: is there a quorum, and is it of this history? */
static int judge_witnesses(struct work *w, bool *good, struct pof_err *err)
{
    struct pof_buf note = {0};
    struct pof_policy_verdict v;
    struct pof_proof proof;
    bool same = true;
    int rc = w->log ? certify_read_note(w, "cosigned", &note, err) : 0;
    struct pof_text text = w->tiles   ? pof_tiles_checkpoint(w->tiles)
                           : note.len ? (struct pof_text){note.data, note.len}
                                      : pof_log_checkpoint(w->log);
    rc = rc ? rc : certify_judge(w, text, &v, err);
    if (rc == 0 && v.log && w->log) {
        rc = pof_log_consistency(w->log, &v.checkpoint.head, &proof, &same, err);
    }
    if (rc == 0 && v.log) {
        rc = pof_buf_addf(&w->text, err, "the first %" PRIu64 " records are witnessed, ",
                          v.checkpoint.head.size);
        rc = rc ? rc : pof_policy_say(w->policy, &v, &w->text, err);
    }
    if (rc == 0 && !v.good) {
        rc = pof_buf_addf(&w->text, err, "policy: the checkpoint: %s\n", v.why);
    } else if (rc == 0 && !same) {
        rc = pof_buf_adds(&w->text, "fork: the log is not the one that was witnessed\n", err);
    }
    *good = *good && rc == 0 && v.good && same;
    pof_buf_release(&note);
    return rc;
}

/* Audits what is open. */
static int verify(struct work *w, struct pof_verification *what, bool *good, struct pof_err *err)
{
    struct pof_given given = {0};
    int rc = 0;
    if (w->n_rest) {
        rc = certify_each_line(w, take, &given, err);
        what->given = &given;
    }
    what->log = w->log;
    what->tiles = w->tiles;
    what->openings = w->openings;
    rc = rc ? rc : pof_verify(what, &w->text, good, err);
    pof_given_release(&given);
    return rc || !w->policy ? rc : judge_witnesses(w, good, err);
}

int certify_verify(struct work *w, struct pof_err *err)
{
    struct pof_vkey key;
    struct pof_verification what = {.has_at = w->a->at >= 0,
                                    .at = w->a->at >= 0 ? (uint64_t)w->a->at : 0};
    bool good = false;
    int rc = certify_public_key(w->a, &key, &what.key, err);
    rc = rc ? rc : certify_read_policy(w, err);
    if (rc == 0) {
        struct pof_err why = {0};
        rc = open_either(w, what.key, &why);
        if (rc == POF_E_CONFLICT) { /* an answer here, an error elsewhere */
            rc = pof_buf_addf(&w->text, err, "checkpoint: %s\n", why.text);
            return rc ? rc : certify_answer(w, false, err);
        }
        if (rc) {
            *err = why;
        }
    }
    rc = rc ? rc : verify(w, &what, &good, err);
    return rc ? rc : certify_answer(w, good, err);
}

/* --- consistency --- */

/* The body of an add-checkpoint request of c2sp.org/tlog-witness: size, proof, new checkpoint. */
static int say_consistency(struct work *w, uint64_t old, const struct pof_proof *proof,
                           struct pof_err *err)
{
    struct pof_witness_request r = {
        .old = old, .proof = *proof, .checkpoint = pof_log_checkpoint(w->log)};
    return pof_witness_request_format(&w->text, &r, err);
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
    return rc ? rc : certify_answer(w, same, err);
}
