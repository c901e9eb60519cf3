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
               : pof_buf_addf(b, err, "%s%s %" PRIu64 " to %" PRIu64, what,
                              what[strlen(what) - 1] == 'h' ? "es" : "s", f->first, f->last);
}

/* What is audited: a log's own files or static tiles. */
static bool is_static(const struct pof_verification *what)
{
    return what->tiles != NULL;
}

static int audit_it(const struct pof_verification *what, const struct pof_auditor *auditor,
                    struct pof_audit *result, struct pof_err *err)
{
    return what->tiles ? pof_tiles_audit(what->tiles, auditor, result, err)
                       : pof_log_audit(what->log, auditor, result, err);
}

static int say_finding(const struct pof_verification *what, struct pof_buf *b,
                       const struct pof_finding *f, const struct pof_audit *a, struct pof_err *err)
{
    const char *tiles = is_static(what) ? "tile/" : "tiles.";
    int rc;
    switch (f->kind) {
    case POF_FINDING_FRAME:
        rc = say_run(b,
                     f->level == POF_TILE_ENTRIES ? "tile/entries: the bundle of record"
                                                  : "journal: the batch of record",
                     f, err);
        return rc ? rc : pof_buf_adds(b, " is damaged\n", err);
    case POF_FINDING_PARTIAL: {
        char path[POF_TILE_PATH];
        pof_tile_path(f->level, f->first, (unsigned)f->last, path);
        return pof_buf_addf(b, err, "%s: is not how the tile begins\n", path);
    }
    case POF_FINDING_ENTRY:
        rc = a->journal_good ? pof_buf_addf(b, err, "%s0: the hash of ", tiles)
                             : pof_buf_adds(b, "altered: ", err);
        rc = rc ? rc : say_run(b, "record", f, err);
        return rc ? rc
                  : pof_buf_addf(b, err,
                                 a->journal_good  ? " is damaged, %s is right\n"
                                 : a->leaves_good ? " of %s: not what was certified\n"
                                                  : " of %s: not what the tiles say\n",
                                 is_static(what) ? "tile/entries" : "the journal");
    case POF_FINDING_TILE:
        rc = pof_buf_addf(b, err, "%s%u: ", tiles, f->level);
        rc = rc ? rc : say_run(b, "hash", f, err);
        return rc ? rc : pof_buf_addf(b, err, " does not follow from %s%u\n", tiles, f->level - 1);
    case POF_FINDING_SHORT:
        rc = pof_buf_addf(b, err, "%s%u: ", tiles, f->level);
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

static int say_audit(const struct pof_verification *what, struct pof_buf *b, const struct kept *k,
                     const struct pof_audit *a, struct pof_err *err)
{
    int rc = 0;
    for (uint64_t i = 0; rc == 0 && i < k->findings && i < POF_VERIFY_LINES; i++) {
        rc = say_finding(what, b, &k->finding[i], a, err);
    }
    if (rc == 0 && k->findings > POF_VERIFY_LINES) {
        rc =
            pof_buf_addf(b, err, "and %" PRIu64 " more findings\n", k->findings - POF_VERIFY_LINES);
    }
    if (rc == 0 && k->findings && a->journal_good && !is_static(what)) {
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
    int rc = audit_it(what, &show, &again, err);
    for (uint64_t i = 0; rc == 0 && i < k->differences && i < POF_VERIFY_LINES; i++) {
        rc = say_difference(b, what->given, k, i, err);
    }
    if (rc == 0 && k->differences > POF_VERIFY_LINES) {
        rc = pof_buf_addf(b, err, "and %" PRIu64 " more differences\n",
                          k->differences - POF_VERIFY_LINES);
    }
    return rc;
}

/* Beside each commitment its opening: is it what was committed to? When leaf is set, the leaf
 * hashes of the commitments in [first, first + n) are replaced by those of the records. */
static int open_commitments(const struct pof_verification *what, struct pof_hasher *h,
                            struct pof_hash *leaf, size_t n, struct kept *k, struct pof_buf *b,
                            struct pof_err *err)
{
    uint64_t size = pof_log_size(what->log);
    uint64_t erased = 0, open = 0;
    int rc = 0;
    for (uint64_t i = 0; rc == 0 && i < pof_openings_count(what->openings); i++) {
        struct pof_opening o;
        struct pof_hash mine, there;
        rc = pof_openings_at(what->openings, i, &o, err);
        if (rc || o.index >= size) {
            continue;
        }
        erased += o.status == POF_OPENING_ERASED;
        open += o.status == POF_OPENING_OPEN;
        if (o.status == POF_OPENING_ERASED) {
            continue;
        }
        rc = pof_commitment_leaf(h, o.salt, o.record, &mine, err);
        rc = rc ? rc : pof_log_leaves(what->log, o.index, 1, &there, err);
        if (rc == 0 && !pof_hash_eq(&mine, &there) && !leaf) {
            k->findings++;
            rc = pof_buf_addf(b, err,
                              "openings: the record kept for record %" PRIu64
                              " is not what was committed to\n",
                              o.index);
        } else if (rc == 0 && leaf && pof_hash_eq(&mine, &there) && o.index >= what->at &&
                   o.index - what->at < n) {
            pof_merkle_leaf(h, o.record.ptr, o.record.len, &leaf[o.index - what->at]);
        }
    }
    if (rc == 0 && !leaf && (open || erased)) {
        rc = pof_buf_addf(b, err,
                          "%" PRIu64 " records are committed to, %" PRIu64 " of them are erased\n",
                          open + erased, erased);
    }
    return rc ? rc : pof_hasher_check(h, err);
}

/* Compares what was given with the leaf hashes, which are known to be those that were signed. */
static int compare(const struct pof_verification *what, struct kept *k, struct pof_buf *b,
                   struct pof_err *err)
{
    uint64_t size = what->tiles ? pof_tiles_head(what->tiles).size : pof_log_size(what->log);
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
    if (rc == 0) {
        rc = what->tiles ? pof_tiles_leaves(what->tiles, what->at, s.n_log, leaf, err)
                         : pof_log_leaves(what->log, what->at, s.n_log, leaf, err);
    }
    if (rc == 0 && what->openings) {
        rc = open_commitments(what, pof_log_hasher(what->log), leaf, s.n_log, k, b, err);
    }
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
    const struct pof_vkey *own =
        what->tiles ? pof_tiles_vkey(what->tiles) : pof_log_vkey(what->log);
    int rc = 0;
    if (what->key && memcmp(what->key, own, sizeof *own) != 0) {
        k->findings++; /* told at once: everything else hangs on it */
        return pof_buf_addf(b, err, "signature: the log is signed by another key of '%s'\n",
                            own->name);
    }
    rc = audit_it(what, &auditor, &audit, err);
    rc = rc ? rc : say_audit(what, b, k, &audit, err);
    if (rc == 0 && what->openings && audit.leaves_good) {
        rc = open_commitments(what, pof_log_hasher(what->log), NULL, 0, k, b, err);
    }
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
