/* SPDX-License-Identifier: Apache-2.0 */
/* The full audit: nothing that is stored is believed. */
#include "trust/log_private.h"

#include <string.h>

/* An audit under way. */
struct audit {
    struct pof_log *log;
    const struct pof_auditor *auditor;
    struct pof_audit *result;
    struct pof_finding run; /* being grown; none when run.last < run.first */
    struct pof_range range; /* of the journal, while it is gapless */
    bool gapless;
    bool tiles_same; /* the nodes that follow from the journal are those of the tiles */
};

static int end_run(struct audit *a, struct pof_err *err)
{
    int rc = 0;
    if (a->run.first <= a->run.last) {
        a->result->findings++;
        rc = a->auditor->on_finding(a->auditor->ctx, &a->run, err);
    }
    a->run = (struct pof_finding){.first = 1, .last = 0};
    return rc;
}

/* Reports first..last, joined with the run before when they are neighbours. */
static int find(struct audit *a, struct pof_finding f, struct pof_err *err)
{
    struct pof_finding *r = &a->run;
    if (r->first <= r->last && r->kind == f.kind && r->level == f.level && r->last + 1 == f.first) {
        r->last = f.last;
        return 0;
    }
    int rc = end_run(a, err);
    a->run = f;
    return rc;
}

/* --- the journal --- */

/* Compares n leaf hashes from index on with those in tiles.0; *same tells whether all agree. */
static int compare_leaves(struct audit *a, const struct pof_hash *leaf, uint64_t index, uint64_t n,
                          bool *same, struct pof_err *err)
{
    *same = true;
    for (uint64_t i = 0; i < n;) {
        struct pof_hash stored[256];
        size_t some = n - i < 256 ? (size_t)(n - i) : 256;
        int rc = pofi_tiles_read(a->log, 0, index + i, some, stored, err);
        for (size_t k = 0; rc == 0 && k < some; k++, i++) {
            if (!pof_hash_eq(&stored[k], &leaf[i])) {
                *same = false;
                rc = find(a, (struct pof_finding){POF_FINDING_ENTRY, 0, index + i, index + i}, err);
            }
        }
        if (rc) {
            return rc;
        }
    }
    return 0;
}

/* Compares a node that follows from the journal with the tile that holds it. */
static int compare_node(void *ctx, unsigned level, uint64_t index, const struct pof_hash *hash,
                        struct pof_err *err)
{
    struct audit *a = ctx;
    struct pof_hash stored;
    if (level % POFI_TILE_BITS || !a->tiles_same) {
        return 0;
    }
    unsigned file = level / POFI_TILE_BITS;
    uint64_t have;
    int rc = pofi_tiles_count(a->log, file, &have, err);
    if (rc == 0 && index >= have) {
        a->tiles_same = false;
        return 0;
    }
    rc = rc ? rc : pofi_tiles_read(a->log, file, index, 1, &stored, err);
    a->tiles_same = rc == 0 && pof_hash_eq(&stored, hash);
    return rc;
}

/* The first n entries of a split frame; `tiles` hashes are in tiles.0. */
static int check_entries(struct audit *a, const struct pofi_frame *frame, uint32_t n,
                         uint64_t tiles, struct pof_err *err)
{
    uint64_t there = tiles > frame->first ? tiles - frame->first : 0;
    bool same;
    int rc = compare_leaves(a, frame->leaf, frame->first, there < n ? there : n, &same, err);
    if (rc == 0 && same && !frame->whole) {
        rc = find(a, (struct pof_finding){POF_FINDING_FRAME, 0, frame->first, frame->first + n - 1},
                  err);
    }
    size_t place = 0;
    for (uint32_t i = 0; rc == 0 && i < n; i++) {
        struct pof_text entry = pofi_frame_entry(frame, &place);
        if (a->gapless) {
            rc = pof_range_push(&a->range, a->log->hasher, &frame->leaf[i], compare_node, a, err);
        }
        if (rc == 0 && a->auditor->on_entry) {
            rc = a->auditor->on_entry(a->auditor->ctx, frame->first + i, entry, &frame->leaf[i],
                                      err);
        }
    }
    return rc;
}

/* One frame at its place; *next is the index expected behind it. */
static int check_frame(struct audit *a, const struct pofi_frame *frame, uint64_t tiles,
                       uint64_t *next, struct pof_err *err)
{
    uint64_t size = a->result->head.size;
    int rc = 0;
    if (frame->first > *next) {
        uint64_t last = frame->first < size ? frame->first - 1 : size - 1;
        a->gapless = false;
        rc = find(a, (struct pof_finding){POF_FINDING_FRAME, 0, *next, last}, err);
        *next = frame->first;
    } else if (frame->first < *next) { /* a batch that stands there already */
        a->gapless = false;
        return find(a,
                    (struct pof_finding){POF_FINDING_FRAME, 0, frame->first,
                                         frame->first + frame->count - 1},
                    err);
    }
    if (rc || *next >= size) {
        return rc;
    }
    uint32_t n = size - *next < frame->count ? (uint32_t)(size - *next) : frame->count;
    uint64_t begin = *next;
    *next += n;
    if (!frame->split) {
        a->gapless = false;
        return find(a, (struct pof_finding){POF_FINDING_FRAME, 0, begin, begin + n - 1}, err);
    }
    return check_entries(a, frame, n, tiles, err);
}

static int check_journal(struct audit *a, uint64_t tiles, struct pof_err *err)
{
    struct pof_log *log = a->log;
    struct pofi_frame *frame = &log->frame;
    uint64_t end;
    uint64_t next = 0;
    uint64_t at = POFI_JOURNAL_HEADER;
    bool good;
    int rc = log->folder.size(log->folder.ctx, "journal", &end, err);
    rc = rc ? rc : pofi_journal_begins(log, end, &good, err);
    if (rc == 0 && !good) {
        rc = find(a, (struct pof_finding){POF_FINDING_FRAME, 0, 0, 0}, err);
    }
    while (rc == 0 && at < end && next < a->result->head.size) {
        rc = pofi_frame_read(log, at, end, frame, err);
        bool found = frame->framed;
        if (rc == 0 && !found) { /* go on at the next frame that is whole */
            rc = pofi_frame_seek(log, at, end, frame, &found, err);
            if (!found) {
                break;
            }
        }
        rc = rc ? rc : check_frame(a, frame, tiles, &next, err);
        at = pofi_frame_end(frame);
    }
    if (rc == 0 && next < a->result->head.size) {
        a->gapless = false;
        rc = find(a, (struct pof_finding){POF_FINDING_MISSING, 0, next, a->result->head.size - 1},
                  err);
    }
    return rc ? rc : end_run(a, err);
}

/* --- the tiles --- */

/* The node above 256 hashes, each computed again. */
static void fold(struct pof_hasher *h, struct pof_hash *hash)
{
    for (size_t n = 256; n > 1; n /= 2) {
        for (size_t i = 0; i < n / 2; i++) {
            pof_merkle_node(h, &hash[2 * i], &hash[2 * i + 1], &hash[i]);
        }
    }
}

/* Computes tiles.(file) again from tiles.(file - 1), `below` of whose hashes are there. */
static int check_tiles(struct audit *a, unsigned file, uint64_t below, uint64_t *have,
                       struct pof_err *err)
{
    uint64_t due = a->result->head.size >> POFI_TILE_BITS * file;
    int rc = pofi_tiles_count(a->log, file, have, err);
    uint64_t n = *have < due ? *have : due;
    for (uint64_t i = 0; rc == 0 && i < n && (i + 1) * 256 <= below; i++) {
        struct pof_hash hash[256];
        struct pof_hash stored;
        rc = pofi_tiles_read(a->log, file - 1, i * 256, 256, hash, err);
        rc = rc ? rc : pofi_tiles_read(a->log, file, i, 1, &stored, err);
        fold(a->log->hasher, hash);
        if (rc == 0 && !pof_hash_eq(&hash[0], &stored)) {
            rc = find(a, (struct pof_finding){POF_FINDING_TILE, file, i, i}, err);
        }
    }
    rc = rc ? rc : end_run(a, err);
    if (rc == 0 && *have < due) {
        rc = find(a, (struct pof_finding){POF_FINDING_SHORT, file, *have, due - 1}, err);
        rc = rc ? rc : end_run(a, err);
    }
    return rc;
}

/* The root that the leaf hashes in tiles.0 give. */
static int check_leaves(struct audit *a, uint64_t tiles, struct pof_err *err)
{
    const struct pof_head *head = &a->result->head;
    struct pof_range range = {0};
    int rc = 0;
    for (uint64_t i = 0; rc == 0 && i < head->size && i < tiles;) {
        struct pof_hash hash[256];
        uint64_t left = (head->size < tiles ? head->size : tiles) - i;
        size_t n = left < 256 ? (size_t)left : 256;
        rc = pofi_tiles_read(a->log, 0, i, n, hash, err);
        for (size_t k = 0; rc == 0 && k < n; k++) {
            rc = pof_range_push(&range, a->log->hasher, &hash[k], NULL, NULL, err);
        }
        i += n;
    }
    struct pof_hash root;
    pof_range_root(&range, a->log->hasher, &root);
    a->result->leaves_good = range.size == head->size && pof_hash_eq(&root, &head->root);
    if (rc == 0 && tiles < head->size) {
        rc = find(a, (struct pof_finding){POF_FINDING_SHORT, 0, tiles, head->size - 1}, err);
        rc = rc ? rc : end_run(a, err);
    }
    return rc;
}

/* Every tile from the one below it: needed only to say where tiles are wrong. */
static int check_all_tiles(struct audit *a, uint64_t leaves, struct pof_err *err)
{
    int rc = check_leaves(a, leaves, err);
    uint64_t below = leaves;
    for (unsigned file = 1; rc == 0 && file < POFI_TILE_FILES; file++) {
        uint64_t have;
        rc = check_tiles(a, file, below, &have, err);
        below = have;
    }
    return rc;
}

int pof_log_audit(struct pof_log *log, const struct pof_auditor *auditor, struct pof_audit *result,
                  struct pof_err *err)
{
    *result = (struct pof_audit){.head = log->last.head};
    struct audit a = {.log = log,
                      .auditor = auditor,
                      .result = result,
                      .run = {.first = 1, .last = 0},
                      .gapless = true,
                      .tiles_same = true};
    uint64_t leaves;
    int rc = pofi_tiles_count(log, 0, &leaves, err);
    rc = rc ? rc : check_journal(&a, leaves, err);
    struct pof_hash root;
    pof_range_root(&a.range, log->hasher, &root);
    result->journal_good =
        a.gapless && a.range.size == result->head.size && pof_hash_eq(&root, &result->head.root);
    /* With every leaf hash and node as the journal gives them the tiles lead to the same root. */
    result->leaves_good = result->journal_good && result->findings == 0 && a.tiles_same &&
                          leaves >= result->head.size;
    if (rc == 0 && !result->leaves_good) {
        rc = check_all_tiles(&a, leaves, err);
    }
    rc = rc ? rc : pof_hasher_check(log->hasher, err);
    if (rc == 0 && result->findings == 0 && !result->journal_good) {
        rc = find(&a, (struct pof_finding){POF_FINDING_ROOT, 0, 0, 0}, err);
        rc = rc ? rc : end_run(&a, err);
    }
    return rc;
}
