/* SPDX-License-Identifier: Apache-2.0 */
/* RFC 6962 trees. */
#include "trust/merkle.h"

#include <string.h>

static struct pof_text bytes(const void *p, size_t n)
{
    return (struct pof_text){p, n};
}

void pof_merkle_empty(struct pof_hasher *h, struct pof_hash *root)
{
    pof_hash_two(h, bytes("", 0), bytes("", 0), root);
}

void pof_merkle_leaf(struct pof_hasher *h, const void *entry, size_t n, struct pof_hash *out)
{
    pof_hash_two(h, bytes("\0", 1), bytes(entry, n), out);
}

void pof_merkle_node(struct pof_hasher *h, const struct pof_hash *left,
                     const struct pof_hash *right, struct pof_hash *out)
{
    uint8_t both[1 + 2 * POF_HASH];
    both[0] = 1;
    memcpy(both + 1, left->b, POF_HASH);
    memcpy(both + 1 + POF_HASH, right->b, POF_HASH);
    pof_hash_two(h, bytes(both, sizeof both), bytes("", 0), out);
}

bool pof_hash_eq(const struct pof_hash *a, const struct pof_hash *b)
{
    return memcmp(a->b, b->b, POF_HASH) == 0;
}

int pof_range_push(struct pof_range *r, struct pof_hasher *h, const struct pof_hash *leaf,
                   pof_on_node *on_node, void *ctx, struct pof_err *err)
{
    struct pof_hash node = *leaf;
    unsigned level = 0;
    for (uint64_t rest = r->size; rest & 1; rest >>= 1) {
        pof_merkle_node(h, &r->hash[level], &node, &node);
        level++;
        int rc = on_node ? on_node(ctx, level, r->size >> level, &node, err) : 0;
        if (rc) {
            return rc;
        }
    }
    r->hash[level] = node;
    r->size++;
    return 0;
}

void pof_range_root(const struct pof_range *r, struct pof_hasher *h, struct pof_hash *root)
{
    if (r->size == 0) {
        pof_merkle_empty(h, root);
        return;
    }
    bool first = true;
    for (unsigned level = 0; level < POF_TREE_LEVELS; level++) {
        if (!(r->size >> level & 1)) {
            continue;
        }
        if (first) {
            *root = r->hash[level];
            first = false;
        } else {
            pof_merkle_node(h, &r->hash[level], root, root);
        }
    }
}

/* The largest power of two below n, as an exponent; n > 1. */
static unsigned split(uint64_t n)
{
    return 63 - (unsigned)__builtin_clzll(n - 1);
}

/* MTH of the leaves [from, from + n): from is a multiple of the least power of two >= n, so the
 * complete subtrees are those of the bits of n, the largest leftmost. */
static int subtree(const struct pof_nodes *nodes, struct pof_hasher *h, uint64_t from, uint64_t n,
                   struct pof_hash *out, struct pof_err *err)
{
    bool first = true;
    for (unsigned level = 0; level < POF_TREE_LEVELS && n >> level; level++) {
        if (!(n >> level & 1)) {
            continue;
        }
        uint64_t index = (from >> level) + (n >> level) - 1;
        struct pof_hash node;
        int rc = nodes->get(nodes->ctx, level, index, &node, err);
        if (rc) {
            return rc;
        }
        if (first) {
            *out = node;
            first = false;
        } else {
            pof_merkle_node(h, &node, out, out);
        }
    }
    return 0;
}

int pof_merkle_root(const struct pof_nodes *nodes, struct pof_hasher *h, uint64_t size,
                    struct pof_hash *root, struct pof_err *err)
{
    if (size == 0) {
        pof_merkle_empty(h, root);
        return 0;
    }
    return subtree(nodes, h, 0, size, root, err);
}

static void reverse(struct pof_hash *a, size_t n)
{
    for (size_t i = 0; i < n / 2; i++) {
        struct pof_hash t = a[i];
        a[i] = a[n - 1 - i];
        a[n - 1 - i] = t;
    }
}

int pof_merkle_inclusion(const struct pof_nodes *nodes, struct pof_hasher *h, uint64_t index,
                         uint64_t size, struct pof_proof *proof, struct pof_err *err)
{
    if (index >= size || size >> POF_TREE_LEVELS) {
        return pof_fail(err, POF_E_RANGE, "a tree of %llu records has no record %llu",
                        (unsigned long long)size, (unsigned long long)index);
    }
    uint64_t from = 0;
    uint64_t n = size;
    proof->n = 0;
    while (n > 1) {
        uint64_t k = UINT64_C(1) << split(n);
        bool left = index - from < k;
        struct pof_hash *to = &proof->hash[proof->n++];
        int rc = left ? subtree(nodes, h, from + k, n - k, to, err)
                      : subtree(nodes, h, from, k, to, err);
        if (rc) {
            return rc;
        }
        from += left ? 0 : k;
        n = left ? k : n - k;
    }
    reverse(proof->hash, proof->n);
    return 0;
}

int pof_merkle_consistency(const struct pof_nodes *nodes, struct pof_hasher *h, uint64_t old,
                           uint64_t size, struct pof_proof *proof, struct pof_err *err)
{
    if (old == 0 || old > size || size >> POF_TREE_LEVELS) {
        return pof_fail(err, POF_E_RANGE, "a tree of %llu records did not grow from one of %llu",
                        (unsigned long long)size, (unsigned long long)old);
    }
    uint64_t from = 0;
    uint64_t n = size;
    proof->n = 0;
    int rc = 0;
    while (old != from + n && rc == 0) {
        uint64_t k = UINT64_C(1) << split(n);
        bool left = old - from <= k;
        struct pof_hash *to = &proof->hash[proof->n++];
        rc = left ? subtree(nodes, h, from + k, n - k, to, err)
                  : subtree(nodes, h, from, k, to, err);
        from += left ? 0 : k;
        n = left ? k : n - k;
    }
    if (rc == 0 && from > 0) {
        rc = subtree(nodes, h, from, n, &proof->hash[proof->n++], err);
    }
    reverse(proof->hash, proof->n);
    return rc;
}

bool pof_merkle_check_inclusion(struct pof_hasher *h, uint64_t index, uint64_t size,
                                const struct pof_hash *leaf, const struct pof_proof *proof,
                                const struct pof_hash *root)
{
    if (index >= size || size >> POF_TREE_LEVELS) {
        return false;
    }
    uint64_t fn = index;
    uint64_t sn = size - 1;
    struct pof_hash r = *leaf;
    for (size_t i = 0; i < proof->n; i++) {
        if (sn == 0) {
            return false;
        }
        if ((fn & 1) || fn == sn) {
            pof_merkle_node(h, &proof->hash[i], &r, &r);
            while (!(fn & 1) && fn != 0) {
                fn >>= 1;
                sn >>= 1;
            }
        } else {
            pof_merkle_node(h, &r, &proof->hash[i], &r);
        }
        fn >>= 1;
        sn >>= 1;
    }
    return sn == 0 && pof_hash_eq(&r, root);
}

bool pof_merkle_check_consistency(struct pof_hasher *h, const struct pof_head *old,
                                  const struct pof_head *now, const struct pof_proof *proof)
{
    if (old->size == 0 || old->size > now->size || now->size >> POF_TREE_LEVELS) {
        return false;
    }
    if (old->size == now->size) {
        return proof->n == 0 && pof_hash_eq(&old->root, &now->root);
    }
    bool whole = (old->size & (old->size - 1)) == 0; /* the old root is itself a node */
    if (proof->n == 0 && !whole) {
        return false;
    }
    uint64_t fn = old->size - 1;
    uint64_t sn = now->size - 1;
    for (; fn & 1; fn >>= 1, sn >>= 1) {
    }
    size_t i = whole ? 0 : 1;
    struct pof_hash fr = whole ? old->root : proof->hash[0];
    struct pof_hash sr = fr;
    for (; i < proof->n; i++) {
        if (sn == 0) {
            return false;
        }
        if ((fn & 1) || fn == sn) {
            pof_merkle_node(h, &proof->hash[i], &fr, &fr);
            pof_merkle_node(h, &proof->hash[i], &sr, &sr);
            while (!(fn & 1) && fn != 0) {
                fn >>= 1;
                sn >>= 1;
            }
        } else {
            pof_merkle_node(h, &sr, &proof->hash[i], &sr);
        }
        fn >>= 1;
        sn >>= 1;
    }
    return sn == 0 && pof_hash_eq(&fr, &old->root) && pof_hash_eq(&sr, &now->root);
}
