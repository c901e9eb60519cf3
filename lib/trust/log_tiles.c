/* SPDX-License-Identifier: Apache-2.0 */
/* The tiles of a log: hashes of every eighth tree level, and what follows from them. */
#include "trust/log_private.h"

#include "base/mem.h"

#include <inttypes.h>
#include <string.h>

/* Name of tiles.L. */
static void name_of(unsigned file, char to[8])
{
    memcpy(to, "tiles.0", 8);
    to[6] = (char)('0' + file);
}

/* Hashes that belong into tiles.L for a tree of size leaves. */
static uint64_t due(uint64_t size, unsigned file)
{
    return size >> POFI_TILE_BITS * file;
}

int pofi_tiles_count(struct pof_log *log, unsigned file, uint64_t *count, struct pof_err *err)
{
    char name[8];
    name_of(file, name);
    uint64_t bytes = 0;
    struct pof_err e = {0};
    int rc = log->folder.size(log->folder.ctx, name, &bytes, &e);
    *count = bytes / POF_HASH;
    if (rc && rc != POF_E_OPEN) {
        return pof_fail(err, e.code, "%s", e.text);
    }
    return 0;
}

int pofi_tiles_read(struct pof_log *log, unsigned file, uint64_t from, size_t n,
                    struct pof_hash *out, struct pof_err *err)
{
    char name[8];
    name_of(file, name);
    return log->folder.read(log->folder.ctx, (struct pof_place){name, from * POF_HASH}, out,
                            n * POF_HASH, err);
}

/* Keeps the nodes that have a tile file. */
static int on_node(void *ctx, unsigned level, uint64_t index, const struct pof_hash *hash,
                   struct pof_err *err)
{
    (void)index;
    struct pof_log *log = ctx;
    return level % POFI_TILE_BITS
               ? 0
               : pof_buf_add(&log->tile[level / POFI_TILE_BITS], hash->b, POF_HASH, err);
}

int pofi_tiles_push(struct pof_log *log, const struct pof_hash *leaf, struct pof_err *err)
{
    int rc = pof_buf_add(&log->tile[0], leaf->b, POF_HASH, err);
    return rc ? rc : pof_range_push(&log->range, log->hasher, leaf, on_node, log, err);
}

int pofi_tiles_write(struct pof_log *log, uint64_t size, struct pof_err *err)
{
    int rc = 0;
    for (unsigned i = 0; i < POFI_TILE_FILES && rc == 0; i++) {
        struct pof_buf *b = &log->tile[i];
        if (b->len) {
            char name[8];
            name_of(i, name);
            struct pof_place to = {name, due(size, i) * POF_HASH};
            rc = log->folder.write(log->folder.ctx, to, b->data, b->len, err);
            b->len = 0;
        }
    }
    return rc;
}

int pofi_tiles_settle(struct pof_log *log, uint64_t size, bool cut, struct pof_err *err)
{
    struct pof_folder *f = &log->folder;
    for (unsigned i = 0; i < POFI_TILE_FILES; i++) {
        char name[8];
        name_of(i, name);
        uint64_t bytes = 0;
        uint64_t want = due(size, i) * POF_HASH;
        struct pof_err e = {0};
        int rc = f->size(f->ctx, name, &bytes, &e);
        if (rc == POF_E_OPEN && want == 0) {
            break; /* nor are there any above */
        }
        if (rc) {
            return pof_fail(err, e.code, "%s", e.text);
        }
        rc = cut && bytes > want ? f->cut(f->ctx, name, want, err) : 0;
        rc = rc || want == 0 ? rc : f->sync(f->ctx, name, err);
        if (rc) {
            return rc;
        }
    }
    return 0;
}

/* Where a node is remembered. Nodes that lead to a leaf hash are asked for once, those above them
 * by every proof: so the two do not drive each other out. */
static struct pofi_node *slot_of(struct pof_log *log, unsigned level, uint64_t index)
{
    uint64_t key = (index << 6 | level) * UINT64_C(0x9e3779b97f4a7c15);
    bool high = level >= POFI_TILE_BITS;
    return &log->node[high ? POFI_NODES / 8 + (size_t)(key >> 32) % (POFI_NODES - POFI_NODES / 8)
                           : (size_t)(key >> 32) % (POFI_NODES / 8)];
}

/* A complete node, folded from hashes of the tile below it and remembered: it never changes. */
static int get_node(void *ctx, unsigned level, uint64_t index, struct pof_hash *out,
                    struct pof_err *err)
{
    struct pof_log *log = ctx;
    struct pof_hash hash[1 << (POFI_TILE_BITS - 1)];
    unsigned up = level % POFI_TILE_BITS;
    size_t n = (size_t)1 << up;
    if (!log->node && pof_calloc(&log->node, POFI_NODES, sizeof *log->node, NULL) != 0) {
        log->node = NULL; /* short of memory: no cache, no error */
    }
    struct pofi_node *known = log->node ? slot_of(log, level, index) : NULL;
    if (known && known->set && known->level == level && known->index == index) {
        *out = known->hash;
        return 0;
    }
    int rc = pofi_tiles_read(log, level / POFI_TILE_BITS, index << up, n, hash, err);
    for (; rc == 0 && n > 1; n /= 2) {
        for (size_t i = 0; i < n / 2; i++) {
            pof_merkle_node(log->hasher, &hash[2 * i], &hash[2 * i + 1], &hash[i]);
        }
    }
    *out = hash[0];
    if (rc == 0 && known) {
        *known = (struct pofi_node){true, level, index, hash[0]};
    }
    return rc;
}

/* Node (level, index) from the tiles, folding at most 128 hashes. */
static struct pof_nodes nodes_of(struct pof_log *log)
{
    return (struct pof_nodes){get_node, log};
}

int pofi_tiles_range(struct pof_log *log, const struct pof_head *head, struct pof_range *range,
                     bool *good, struct pof_err *err)
{
    *good = false;
    for (unsigned i = 0; i < POFI_TILE_FILES; i++) {
        uint64_t count;
        int rc = pofi_tiles_count(log, i, &count, err);
        if (rc || count < due(head->size, i)) {
            return rc;
        }
    }
    range->size = head->size;
    for (unsigned level = 0; level < POF_TREE_LEVELS; level++) {
        if (head->size >> level & 1) {
            uint64_t index = (head->size >> level) - 1;
            int rc = get_node(log, level, index, &range->hash[level], err);
            if (rc) {
                return rc;
            }
        }
    }
    struct pof_hash root;
    pof_range_root(range, log->hasher, &root);
    *good = pof_hash_eq(&root, &head->root);
    return pof_hasher_check(log->hasher, err);
}

int pof_log_leaves(struct pof_log *log, uint64_t index, size_t n, struct pof_hash *out,
                   struct pof_err *err)
{
    if (index > log->size || n > log->size - index) {
        return pof_fail(err, POF_E_RANGE, "the log has %" PRIu64 " records, not %" PRIu64,
                        log->size, index + n);
    }
    return n ? pofi_tiles_read(log, 0, index, n, out, err) : 0;
}

/* The tiles do not lead to the root that was signed. */
static int damaged(const struct pof_log *log, struct pof_err *err)
{
    return pof_fail(err, POF_E_CONFLICT,
                    "the tiles in '%s' do not lead to the signed root; 'pof-certify verify' tells "
                    "where, 'pof-certify append --rebuild' makes them anew from the journal",
                    log->folder.name);
}

int pof_log_prove(struct pof_log *log, uint64_t index, struct pof_proof *proof, struct pof_err *err)
{
    return pof_log_prove_at(log, &log->last.head, index, proof, err);
}

int pof_log_prove_at(struct pof_log *log, const struct pof_head *head, uint64_t index,
                     struct pof_proof *proof, struct pof_err *err)
{
    struct pof_nodes nodes = nodes_of(log);
    struct pof_hash leaf;
    int rc =
        head->size > log->last.head.size
            ? pof_fail(err, POF_E_RANGE, "the log has %" PRIu64 " signed records, not %" PRIu64,
                       log->last.head.size, head->size)
            : pof_merkle_inclusion(&nodes, log->hasher, index, head->size, proof, err);
    rc = rc ? rc : pof_log_leaves(log, index, 1, &leaf, err);
    rc = rc ? rc : pof_hasher_check(log->hasher, err);
    if (rc == 0 &&
        !pof_merkle_check_inclusion(log->hasher, index, head->size, &leaf, proof, &head->root)) {
        rc = damaged(log, err);
    }
    return rc;
}

int pof_log_head_at(struct pof_log *log, uint64_t size, struct pof_head *head, struct pof_err *err)
{
    struct pof_nodes nodes = nodes_of(log);
    if (size > log->last.head.size) {
        return pof_fail(err, POF_E_RANGE, "the log has %" PRIu64 " signed records, not %" PRIu64,
                        log->last.head.size, size);
    }
    head->size = size;
    int rc = pof_merkle_root(&nodes, log->hasher, size, &head->root, err);
    return rc ? rc : pof_hasher_check(log->hasher, err);
}

int pof_log_consistency(struct pof_log *log, const struct pof_head *old, struct pof_proof *proof,
                        bool *consistent, struct pof_err *err)
{
    const struct pof_head *head = &log->last.head;
    proof->n = 0;
    *consistent = false;
    if (old->size > head->size) {
        return 0;
    }
    struct pof_nodes nodes = nodes_of(log);
    struct pof_hash root;
    int rc = pof_merkle_root(&nodes, log->hasher, old->size, &root, err);
    rc = rc ? rc : pof_hasher_check(log->hasher, err);
    if (rc || !pof_hash_eq(&root, &old->root)) {
        return rc;
    }
    *consistent = true;
    if (old->size == 0) {
        return 0;
    }
    rc = pof_merkle_consistency(&nodes, log->hasher, old->size, head->size, proof, err);
    if (rc == 0 && !pof_merkle_check_consistency(log->hasher, old, head, proof)) {
        rc = damaged(log, err);
    }
    return rc;
}
