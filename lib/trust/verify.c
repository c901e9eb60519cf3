/* SPDX-License-Identifier: Apache-2.0 */
/* Verification in words. */
#include "trust/verify.h"

#include "base/mem.h"
#include "base/base64.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { SHOWN = 200 }; /* bytes of a record that are shown */

/* A finding of the audit or a difference, kept until the whole is known. */
struct kept {
    struct pof_finding finding[POF_VERIFY_LINES];
    uint64_t findings;
    struct pof_difference difference[POF_VERIFY_LINES];
    char shown[POF_VERIFY_LINES][SHOWN + 4]; /* what the log holds there */
    uint64_t differences;
};

static int keep_finding(void *ctx, const struct pof_finding *f, struct pof_err *err)
{
    (void)err;
    struct kept *k = ctx;
    if (k->findings < POF_VERIFY_LINES) {
        k->finding[k->findings] = *f;
    }
    k->findings++;
    return 0;
}

static int keep_difference(void *ctx, const struct pof_difference *d, struct pof_err *err)
{
    (void)err;
    struct kept *k = ctx;
    if (k->differences < POF_VERIFY_LINES) {
        k->difference[k->differences] = *d;
    }
    k->differences++;
    return 0;
}

/* "record 7", "records 7 to 9" */
static int say_run(struct pof_buf *b, const char *what, const struct pof_finding *f,
                   struct pof_err *err)
{
    return f->first == f->last
               ? pof_buf_addf(b, err, "%s %" PRIu64, what, f->first)
               : pof_buf_addf(b, err, "%ss %" PRIu64 " to %" PRIu64, what, f->first, f->last);
}

static int say_finding(struct pof_buf *b, const struct pof_finding *f, const struct pof_audit *a,
                       struct pof_err *err)
{
    int rc;
    switch (f->kind) {
    case POF_FINDING_FRAME:
        rc = say_run(b, "journal: the batch of record", f, err);
        return rc ? rc : pof_buf_adds(b, " is damaged\n", err);
    case POF_FINDING_ENTRY:
        rc = pof_buf_adds(b, a->journal_good ? "tiles.0: the hash of " : "altered: ", err);
        rc = rc ? rc : say_run(b, "record", f, err);
        return rc ? rc
                  : pof_buf_adds(b,
                                 a->journal_good  ? " is damaged, the journal is right\n"
                                 : a->leaves_good ? " of the journal: not what was certified\n"
                                                  : " of the journal: not what the tiles say\n",
                                 err);
    case POF_FINDING_TILE:
        rc = pof_buf_addf(b, err, "tiles.%u: ", f->level);
        rc = rc ? rc : say_run(b, "hash", f, err);
        return rc ? rc : pof_buf_addf(b, err, " does not follow from tiles.%u\n", f->level - 1);
    case POF_FINDING_SHORT:
        rc = pof_buf_addf(b, err, "tiles.%u: ", f->level);
        rc = rc ? rc : say_run(b, "hash", f, err);
        return rc ? rc : pof_buf_adds(b, " missing\n", err);
    case POF_FINDING_MISSING:
        rc = say_run(b, "removed: the journal ends before the end of the batch of record", f, err);
        return rc ? rc : pof_buf_adds(b, "\n", err);
    case POF_FINDING_ROOT:
    default:
        return pof_buf_adds(b, "root: the records do not give the root that was signed\n", err);
    }
}

static int say_audit(struct pof_buf *b, const struct kept *k, const struct pof_audit *a,
                     struct pof_err *err)
{
    int rc = 0;
    for (uint64_t i = 0; rc == 0 && i < k->findings && i < POF_VERIFY_LINES; i++) {
        rc = say_finding(b, &k->finding[i], a, err);
    }
    if (rc == 0 && k->findings > POF_VERIFY_LINES) {
        rc =
            pof_buf_addf(b, err, "and %" PRIu64 " more findings\n", k->findings - POF_VERIFY_LINES);
    }
    if (rc == 0 && k->findings && a->journal_good) {
        rc = pof_buf_adds(b,
                          "the journal is what was signed: 'pof-certify append --rebuild' makes "
                          "the tiles anew\n",
                          err);
    }
    return rc;
}

/* Keeps the text of the entries that differences speak of. */
static int show_entry(void *ctx, uint64_t index, struct pof_text entry, const struct pof_hash *leaf,
                      struct pof_err *err)
{
    (void)leaf;
    (void)err;
    struct kept *k = ctx;
    for (uint64_t i = 0; i < k->differences && i < POF_VERIFY_LINES; i++) {
        if (k->difference[i].kind != POF_ADDED && k->difference[i].index == index) {
            size_t n = entry.len > SHOWN ? SHOWN : entry.len;
            memcpy(k->shown[i], entry.ptr, n);
            memcpy(k->shown[i] + n, entry.len > SHOWN ? "..." : "", entry.len > SHOWN ? 4 : 1);
        }
    }
    return 0;
}

static int ignore(void *ctx, const struct pof_finding *f, struct pof_err *err)
{
    (void)ctx;
    (void)f;
    (void)err;
    return 0;
}

static int say_difference(struct pof_buf *b, const struct pof_given *given, const struct kept *k,
                          uint64_t i, struct pof_err *err)
{
    const struct pof_difference *d = &k->difference[i];
    const struct pof_given_place *p = d->kind == POF_REMOVED ? NULL : &given->place[d->given];
    switch (d->kind) {
    case POF_ALTERED:
        return pof_buf_addf(b, err,
                            "altered: %s:%" PRIu64 ": record %" PRIu64 " of the log is %s\n",
                            p->source, p->line, d->index, k->shown[i]);
    case POF_ADDED:
        return pof_buf_addf(b, err, "added: %s:%" PRIu64 ": the log does not hold this record\n",
                            p->source, p->line);
    case POF_MOVED:
        return pof_buf_addf(b, err, "moved: %s:%" PRIu64 ": is record %" PRIu64 " of the log\n",
                            p->source, p->line, d->index);
    case POF_REMOVED:
    default:
        return pof_buf_addf(b, err, "removed: record %" PRIu64 " of the log was not given: %s\n",
                            d->index, k->shown[i]);
    }
}

static int say_differences(const struct pof_verification *what, struct kept *k, struct pof_buf *b,
                           struct pof_err *err)
{
    struct pof_auditor show = {show_entry, ignore, k};
    struct pof_audit again;
    int rc = pof_log_audit(what->log, &show, &again, err);
    for (uint64_t i = 0; rc == 0 && i < k->differences && i < POF_VERIFY_LINES; i++) {
        rc = say_difference(b, what->given, k, i, err);
    }
    if (rc == 0 && k->differences > POF_VERIFY_LINES) {
        rc = pof_buf_addf(b, err, "and %" PRIu64 " more differences\n",
                          k->differences - POF_VERIFY_LINES);
    }
    return rc;
}

/* Compares what was given with the leaf hashes, which are known to be those that were signed. */
static int compare(const struct pof_verification *what, struct kept *k, struct pof_buf *b,
                   struct pof_err *err)
{
    uint64_t size = pof_log_size(what->log);
    struct pof_sequences s = {
        .first = what->at, .given = what->given->leaf, .n_given = what->given->n};
    if (what->at > size) {
        k->differences++;
        return pof_buf_addf(b, err, "the log has %" PRIu64 " records, none at %" PRIu64 "\n", size,
                            what->at);
    }
    s.n_log = (size_t)(size - what->at);
    if (what->has_at && s.n_log > s.n_given) {
        s.n_log = s.n_given;
    }
    struct pof_hash *leaf;
    int rc = pof_calloc(&leaf, s.n_log, sizeof *leaf, err);
    rc = rc ? rc : pof_log_leaves(what->log, what->at, s.n_log, leaf, err);
    s.log = leaf;
    rc = rc ? rc : pof_compare(&s, keep_difference, k, err);
    free(leaf);
    if (rc == 0 && k->differences) {
        return say_differences(what, k, b, err);
    }
    return rc ? rc
              : pof_buf_addf(b, err,
                             "the %zu records given are those of the log from %" PRIu64
                             " on, in this order\n",
                             s.n_given, what->at);
}

static int verify(const struct pof_verification *what, struct kept *k, struct pof_buf *b,
                  struct pof_err *err)
{
    struct pof_audit audit;
    struct pof_auditor auditor = {NULL, keep_finding, k};
    const struct pof_vkey *own = pof_log_vkey(what->log);
    int rc = 0;
    if (what->key && memcmp(what->key, own, sizeof *own) != 0) {
        k->findings++; /* told at once: everything else hangs on it */
        return pof_buf_addf(b, err, "signature: the log is signed by another key of '%s'\n",
                            own->name);
    }
    rc = pof_log_audit(what->log, &auditor, &audit, err);
    rc = rc ? rc : say_audit(b, k, &audit, err);
    if (rc == 0 && k->findings == 0) {
        char root[POF_BASE64_LEN(POF_HASH)];
        pof_base64_encode(audit.head.root.b, POF_HASH, root);
        rc = pof_buf_addf(b, err, "the log is whole: %" PRIu64 " records of %s, root %.*s\n",
                          audit.head.size, own->name, (int)sizeof root, root);
    }
    if (rc == 0 && what->given) {
        rc = audit.leaves_good
                 ? compare(what, k, b, err)
                 : pof_buf_adds(b, "the records given were not compared: the tiles are damaged\n",
                                err);
    }
    return rc;
}

int pof_verify(const struct pof_verification *what, struct pof_buf *report, bool *good,
               struct pof_err *err)
{
    struct kept *k;
    int rc = pof_calloc(&k, 1, sizeof *k, err);
    if (rc == 0) {
        rc = verify(what, k, report, err);
        *good = rc == 0 && k->findings == 0 && k->differences == 0;
        free(k);
    }
    return rc;
}
