/* SPDX-License-Identifier: Apache-2.0 */
/* Reading static tiles, believing nothing that they say. */
#include "trust/tiles.h"

#include "base/mem.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LEVELS = 8, BITS = 8 }; /* tile levels of trees below 2^63 */

/* The tile of a level that was read last. */
struct tile {
    uint64_t n;
    bool read;   /* of this n */
    size_t have; /* hashes; 0: the file is not there, or not of this size */
    struct pof_hash hash[POF_TILE_WIDTH];
};

struct pof_tiles {
    struct pof_files files;
    struct pof_vkey vkey;
    struct pof_checkpoint checkpoint;
    struct pof_buf note;
    struct pof_hasher *hasher;
    struct pof_buf scratch;
    struct tile level[LEVELS];
};

int pof_tiles_open(struct pof_tiles **out, const struct pof_files *files,
                   const struct pof_vkey *key, struct pof_err *err)
{
    struct pof_tiles *t;
    struct pof_note note;
    bool there = false;
    int rc = pof_calloc(&t, 1, sizeof *t, err);
    if (rc) {
        return rc;
    }
    t->files = *files;
    t->vkey = *key;
    rc = pof_hasher_new(&t->hasher, err);
    rc = rc ? rc
            : files->get(files->ctx, (struct pof_wanted){"checkpoint", POF_NOTE_MAX}, &t->note,
                         &there, err);
    if (rc == 0 && !there) {
        rc = pof_fail(err, POF_E_OPEN, "'%s' has no checkpoint, so it is no log of static tiles",
                      files->name);
    }
    struct pof_text text = {t->note.data, t->note.len};
    rc = rc ? rc : pof_checkpoint_open(&t->checkpoint, &note, text, key, err);
    if (rc == 0 && note.status != POF_NOTE_GOOD) {
        rc = pof_fail(err, POF_E_CONFLICT, "'%s/checkpoint' is not a checkpoint of '%s': %s",
                      files->name, key->name, note.why);
    }
    if (rc) {
        pof_tiles_close(t);
        return rc;
    }
    *out = t;
    return 0;
}

void pof_tiles_close(struct pof_tiles *t)
{
    if (t) {
        pof_hasher_free(t->hasher);
        pof_buf_release(&t->note);
        pof_buf_release(&t->scratch);
        free(t);
    }
}

const struct pof_vkey *pof_tiles_vkey(const struct pof_tiles *t)
{
    return &t->vkey;
}

struct pof_head pof_tiles_head(const struct pof_tiles *t)
{
    return t->checkpoint.head;
}

struct pof_text pof_tiles_checkpoint(const struct pof_tiles *t)
{
    return (struct pof_text){t->note.data, t->note.len};
}

/* Hashes or entries that tile n of a level has in a tree of this size. */
static unsigned width_of(const struct pof_tiles *t, unsigned level, uint64_t n)
{
    uint64_t end = t->checkpoint.head.size >> (level == POF_TILE_ENTRIES ? 0 : BITS * level);
    uint64_t left = end - n * POF_TILE_WIDTH;
    return left < POF_TILE_WIDTH ? (unsigned)left : POF_TILE_WIDTH;
}

/* Reads a file into t->scratch; one that is too long counts as none. */
static int slurp(struct pof_tiles *t, const char *path, size_t max, bool *there,
                 struct pof_err *err)
{
    struct pof_err detail = {0};
    int rc =
        t->files.get(t->files.ctx, (struct pof_wanted){path, max}, &t->scratch, there, &detail);
    if (rc == POF_E_TOO_LONG) {
        *there = false;
        return 0;
    }
    return rc ? pof_fail(err, detail.code, "%s", detail.text) : 0;
}

/* Tile n of a level as this size has it, or the whole one where the partial one was removed. */
static int read_tile(struct pof_tiles *t, unsigned level, uint64_t n, bool *there,
                     struct pof_err *err)
{
    char path[POF_TILE_PATH];
    size_t max = level == POF_TILE_ENTRIES ? POF_BUNDLE_MAX : POF_TILE_WIDTH * POF_HASH;
    unsigned width = width_of(t, level, n);
    pof_tile_path(level, n, width, path);
    int rc = slurp(t, path, max, there, err);
    if (rc == 0 && !*there && width < POF_TILE_WIDTH) {
        pof_tile_path(level, n, POF_TILE_WIDTH, path);
        rc = slurp(t, path, max, there, err);
    }
    return rc;
}

/* The hashes of a tile, from the last one read when it is the same. */
static int load(struct pof_tiles *t, unsigned level, uint64_t n, struct pof_err *err)
{
    struct tile *tile = &t->level[level];
    if (tile->read && tile->n == n) {
        return 0;
    }
    bool there;
    size_t want = width_of(t, level, n) * sizeof *tile->hash;
    int rc = read_tile(t, level, n, &there, err);
    if (rc) {
        return rc;
    }
    bool whole = t->scratch.len == want || t->scratch.len == sizeof tile->hash;
    tile->n = n;
    tile->read = true;
    tile->have = there && whole && t->scratch.len >= want ? want / sizeof *tile->hash : 0;
    if (tile->have) {
        memcpy(tile->hash, t->scratch.data, want);
    }
    return 0;
}

int pof_tiles_leaves(struct pof_tiles *t, uint64_t index, size_t n, struct pof_hash *out,
                     struct pof_err *err)
{
    uint64_t size = t->checkpoint.head.size;
    if (index > size || n > size - index) {
        return pof_fail(err, POF_E_RANGE, "the log has %" PRIu64 " records, not %" PRIu64, size,
                        index + n);
    }
    for (size_t i = 0; i < n; i++) {
        uint64_t at = index + i;
        int rc = load(t, 0, at / POF_TILE_WIDTH, err);
        if (rc == 0 && t->level[0].have == 0) {
            rc = pof_fail(err, POF_E_CONFLICT, "'%s' lacks tile %" PRIu64 " of level 0",
                          t->files.name, at / POF_TILE_WIDTH);
        }
        if (rc) {
            return rc;
        }
        out[i] = t->level[0].hash[at % POF_TILE_WIDTH];
    }
    return 0;
}

/* --- the audit --- */

/* One reading of the tree: what the entries give, or what the hashes of level 0 give. */
struct reading {
    struct pof_range range;
    bool good;                    /* every leaf so far was there */
    bool has[LEVELS];             /* node[level] was completed by the last leaf */
    struct pof_hash node[LEVELS]; /* of tree level 8 level */
};

struct audit {
    struct pof_tiles *t;
    const struct pof_auditor *auditor;
    struct pof_audit *result;
    struct pof_finding run[LEVELS + 2]; /* being grown, one for each level; none: last < first */
    struct reading entries, leaves;
    bool split; /* the two differ */
    struct pof_text entry[POF_TILE_WIDTH];
    struct pof_buf bundle;
};

static int end_run(struct audit *a, struct pof_finding *run, struct pof_err *err)
{
    int rc = 0;
    if (run->first <= run->last) {
        a->result->findings++;
        rc = a->auditor->on_finding(a->auditor->ctx, run, err);
    }
    *run = (struct pof_finding){.first = 1, .last = 0};
    return rc;
}

/* Reports first..last, joined with the run before when they are neighbours. */
static int find(struct audit *a, struct pof_finding f, struct pof_err *err)
{
    struct pof_finding *r = &a->run[f.level < LEVELS ? f.level : LEVELS];
    if (r->first <= r->last && r->kind == f.kind && r->last + 1 == f.first &&
        f.kind != POF_FINDING_PARTIAL) {
        r->last = f.last;
        return 0;
    }
    int rc = end_run(a, r, err);
    *r = f;
    return rc ? rc : f.kind == POF_FINDING_PARTIAL ? end_run(a, r, err) : 0;
}

static int on_node(void *ctx, unsigned level, uint64_t index, const struct pof_hash *hash,
                   struct pof_err *err)
{
    (void)index;
    (void)err;
    struct reading *r = ctx;
    if (level % BITS == 0) {
        r->has[level / BITS] = true;
        r->node[level / BITS] = *hash;
    }
    return 0;
}

/* Takes a leaf; NULL: there is none to be had, and the reading ends. */
static int push(struct audit *a, struct reading *r, const struct pof_hash *leaf,
                struct pof_err *err)
{
    memset(r->has, 0, sizeof r->has);
    r->good = r->good && leaf;
    return r->good ? pof_range_push(&r->range, a->t->hasher, leaf, on_node, r, err) : 0;
}

/* The stored nodes that a leaf completes, beside what they must be. */
static int check_nodes(struct audit *a, uint64_t index, struct pof_err *err)
{
    for (unsigned level = 1; level < LEVELS; level++) {
        uint64_t node = index >> BITS * level;
        if (((index + 1) & ((UINT64_C(1) << BITS * level) - 1)) != 0) {
            break;
        }
        int rc = load(a->t, level, node / POF_TILE_WIDTH, err);
        const struct tile *tile = &a->t->level[level];
        const struct pof_hash *stored = &tile->hash[node % POF_TILE_WIDTH];
        bool can = a->entries.has[level] || a->leaves.has[level];
        bool same = (a->entries.has[level] && pof_hash_eq(stored, &a->entries.node[level])) ||
                    (a->leaves.has[level] && pof_hash_eq(stored, &a->leaves.node[level]));
        if (rc == 0 && tile->have == 0) {
            rc = find(a, (struct pof_finding){POF_FINDING_SHORT, level, node, node}, err);
        } else if (rc == 0 && can && !same) {
            rc = find(a, (struct pof_finding){POF_FINDING_TILE, level, node, node}, err);
        }
        if (rc) {
            return rc;
        }
    }
    return 0;
}

/* One record: `entry` NULL when its bundle cannot be read. */
static int check_record(struct audit *a, uint64_t index, const struct pof_text *entry,
                        struct pof_err *err)
{
    const struct tile *tile = &a->t->level[0];
    const struct pof_hash *stored = tile->have ? &tile->hash[index % POF_TILE_WIDTH] : NULL;
    struct pof_hash leaf;
    int rc = 0;
    if (entry) {
        pof_merkle_leaf(a->t->hasher, entry->ptr, entry->len, &leaf);
        if (stored && !pof_hash_eq(stored, &leaf)) {
            rc = find(a, (struct pof_finding){POF_FINDING_ENTRY, 0, index, index}, err);
        }
    }
    const struct pof_hash *one = entry ? &leaf : NULL;
    const struct pof_hash *other = stored ? stored : one;
    if (!a->split && (!one || !pof_hash_eq(one, other))) {
        a->leaves = a->entries;
        a->split = true;
    }
    rc = rc ? rc : push(a, &a->entries, one, err);
    rc = rc || !a->split ? rc : push(a, &a->leaves, other, err);
    rc = rc ? rc : check_nodes(a, index, err);
    if (rc == 0 && entry && a->auditor->on_entry) {
        rc = a->auditor->on_entry(a->auditor->ctx, index, *entry, &leaf, err);
    }
    return rc;
}

/* Bundle n and the leaf hashes beside it. */
static int check_bundle(struct audit *a, uint64_t n, struct pof_err *err)
{
    struct pof_tiles *t = a->t;
    uint64_t first = n * POF_TILE_WIDTH;
    unsigned width = width_of(t, POF_TILE_ENTRIES, n);
    bool there;
    int rc = read_tile(t, POF_TILE_ENTRIES, n, &there, err);
    a->bundle.len = 0;
    rc = rc || !there ? rc : pof_buf_add(&a->bundle, t->scratch.data, t->scratch.len, err);
    struct pof_text bytes = {a->bundle.data, a->bundle.len};
    bool whole = rc == 0 && there &&
                 (pof_bundle_split(bytes, width, a->entry) ||
                  pof_bundle_split(bytes, POF_TILE_WIDTH, a->entry));
    if (rc == 0 && !whole) {
        rc = find(
            a, (struct pof_finding){POF_FINDING_FRAME, POF_TILE_ENTRIES, first, first + width - 1},
            err);
    }
    rc = rc ? rc : load(t, 0, n, err);
    if (rc == 0 && t->level[0].have == 0) {
        rc = find(a, (struct pof_finding){POF_FINDING_SHORT, 0, first, first + width - 1}, err);
    }
    for (unsigned i = 0; rc == 0 && i < width; i++) {
        rc = check_record(a, first + i, whole ? &a->entry[i] : NULL, err);
    }
    return rc;
}

/* A partial tile of another size must be how the tile of this size begins. */
static int check_partial(struct audit *a, unsigned level, uint64_t n, unsigned width,
                         struct pof_err *err)
{
    struct pof_tiles *t = a->t;
    char path[POF_TILE_PATH];
    bool there;
    pof_tile_path(level, n, width, path);
    int rc = slurp(t, path, POF_BUNDLE_MAX, &there, err);
    struct pof_text bytes = {t->scratch.data, t->scratch.len};
    bool good = there;
    if (level == POF_TILE_ENTRIES) {
        struct pof_text entry[POF_TILE_WIDTH];
        good = good && pof_bundle_split(bytes, width, entry) && bytes.len <= a->bundle.len &&
               memcmp(bytes.ptr, a->bundle.data, bytes.len) == 0;
    } else {
        const struct tile *tile = &t->level[level];
        good = good && bytes.len == width * sizeof *tile->hash && width <= tile->have &&
               memcmp(bytes.ptr, tile->hash, bytes.len) == 0;
    }
    return rc || good ? rc
                      : find(a, (struct pof_finding){POF_FINDING_PARTIAL, level, n, width}, err);
}

/* Partial tiles beside tile n, of sizes that were published before. */
static int check_partials(struct audit *a, unsigned level, uint64_t n, struct pof_err *err)
{
    char path[POF_TILE_PATH];
    struct pof_buf names = {0};
    pof_tile_path(level, n, 1, path);
    path[strlen(path) - 2] = '\0'; /* "/1" */
    int rc = a->t->files.list(a->t->files.ctx, path, &names, err);
    rc = rc || level == POF_TILE_ENTRIES ? rc : load(a->t, level, n, err);
    struct pof_text rest = {names.data, names.len};
    struct pof_text name;
    while (rc == 0 && pof_tlog_line(&rest, &name)) {
        uint64_t width;
        if (pof_tlog_number(name, &width) && width >= 1 && width < width_of(a->t, level, n)) {
            rc = check_partial(a, level, n, (unsigned)width, err);
        }
    }
    pof_buf_release(&names);
    return rc;
}

/* Level by level, after the records: each tile is read once more only where partials are. */
static int check_all_partials(struct audit *a, struct pof_err *err)
{
    int rc = 0;
    for (unsigned level = 1; level < LEVELS; level++) {
        uint64_t end = a->t->checkpoint.head.size >> BITS * level;
        for (uint64_t n = 0; rc == 0 && n * POF_TILE_WIDTH < end; n++) {
            rc = check_partials(a, level, n, err);
        }
    }
    return rc;
}

static bool gives_root(struct audit *a, const struct reading *r)
{
    struct pof_hash root;
    pof_range_root(&r->range, a->t->hasher, &root);
    return r->good && pof_hash_eq(&root, &a->result->head.root);
}

static int walk(struct audit *a, struct pof_err *err)
{
    uint64_t size = a->t->checkpoint.head.size;
    int rc = 0;
    for (uint64_t n = 0; rc == 0 && n * POF_TILE_WIDTH < size; n++) {
        rc = check_bundle(a, n, err);
        rc = rc ? rc : check_partials(a, POF_TILE_ENTRIES, n, err);
        rc = rc ? rc : check_partials(a, 0, n, err);
    }
    rc = rc ? rc : check_all_partials(a, err);
    for (size_t i = 0; rc == 0 && i < sizeof a->run / sizeof *a->run; i++) {
        rc = end_run(a, &a->run[i], err);
    }
    return rc;
}

int pof_tiles_audit(struct pof_tiles *t, const struct pof_auditor *auditor,
                    struct pof_audit *result, struct pof_err *err)
{
    struct audit *a;
    int rc = pof_calloc(&a, 1, sizeof *a, err);
    if (rc) {
        return rc;
    }
    *result = (struct pof_audit){.head = t->checkpoint.head};
    a->t = t;
    a->auditor = auditor;
    a->result = result;
    a->entries.good = a->leaves.good = true;
    for (size_t i = 0; i < sizeof a->run / sizeof *a->run; i++) {
        a->run[i] = (struct pof_finding){.first = 1, .last = 0};
    }
    for (unsigned i = 0; i < LEVELS; i++) {
        t->level[i].read = false;
    }
    rc = walk(a, err);
    result->journal_good = gives_root(a, &a->entries);
    result->leaves_good = a->split ? gives_root(a, &a->leaves) : result->journal_good;
    rc = rc ? rc : pof_hasher_check(t->hasher, err);
    if (rc == 0 && result->findings == 0 && !result->journal_good) {
        a->run[0] = (struct pof_finding){POF_FINDING_ROOT, 0, 0, 0};
        rc = end_run(a, &a->run[0], err);
    }
    pof_buf_release(&a->bundle);
    free(a);
    return rc;
}
