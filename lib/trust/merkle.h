/* SPDX-License-Identifier: Apache-2.0 */
/* Merkle trees of RFC 6962 section 2.1 and RFC 9162 section 2.1: hashes, roots, proofs.
 *
 * A leaf is SHA-256(0x00 || entry), a node SHA-256(0x01 || left || right), the empty tree
 * SHA-256(""). Node (level, i) covers the leaves [i << level, (i + 1) << level). Sizes are below
 * 2^63. A verification never trusts a proof to have the right length. */
#ifndef POF_TRUST_MERKLE_H
#define POF_TRUST_MERKLE_H

#include "trust/crypto.h"

enum { POF_TREE_LEVELS = 63, POF_PROOF_MAX = 64 };

void pof_merkle_empty(struct pof_hasher *h, struct pof_hash *root);
void pof_merkle_leaf(struct pof_hasher *h, const void *entry, size_t n, struct pof_hash *out);
void pof_merkle_node(struct pof_hasher *h, const struct pof_hash *left,
                     const struct pof_hash *right, struct pof_hash *out);
bool pof_hash_eq(const struct pof_hash *a, const struct pof_hash *b);

/* The right edge of a growing tree: hash[l] is the complete subtree of 2^l leaves for every bit l
 * of size. Initialise with {0}; all that is needed to append and to know the root. */
struct pof_range {
    uint64_t size;
    struct pof_hash hash[POF_TREE_LEVELS];
};

/* Called for each subtree that a new leaf completes, from level 1 up; index is the node's. */
typedef int pof_on_node(void *ctx, unsigned level, uint64_t index, const struct pof_hash *hash,
                        struct pof_err *err);

/* Appends a leaf; on_node may be NULL. Amortised one node hash. */
int pof_range_push(struct pof_range *r, struct pof_hasher *h, const struct pof_hash *leaf,
                   pof_on_node *on_node, void *ctx, struct pof_err *err) POF_CHECKED;
void pof_range_root(const struct pof_range *r, struct pof_hasher *h, struct pof_hash *root);

/* Where the hashes of complete subtrees come from. */
struct pof_nodes {
    int (*get)(void *ctx, unsigned level, uint64_t index, struct pof_hash *out,
               struct pof_err *err);
    void *ctx;
};

struct pof_proof {
    size_t n;
    struct pof_hash hash[POF_PROOF_MAX]; /* from the leaf up */
};

/* The root of the first size leaves (0: the empty tree). O(log size) nodes. */
int pof_merkle_root(const struct pof_nodes *nodes, struct pof_hasher *h, uint64_t size,
                    struct pof_hash *root, struct pof_err *err) POF_CHECKED;
/* RFC 9162 2.1.3.1: that leaf `index` is in the tree of `size`; index < size. */
int pof_merkle_inclusion(const struct pof_nodes *nodes, struct pof_hasher *h, uint64_t index,
                         uint64_t size, struct pof_proof *proof, struct pof_err *err) POF_CHECKED;
/* RFC 9162 2.1.4.1: that the tree of `old` is the beginning of that of `size`; 0 < old <= size. */
int pof_merkle_consistency(const struct pof_nodes *nodes, struct pof_hasher *h, uint64_t old,
                           uint64_t size, struct pof_proof *proof, struct pof_err *err) POF_CHECKED;

/* RFC 9162 2.1.3.2. leaf is the leaf hash. */
bool pof_merkle_check_inclusion(struct pof_hasher *h, uint64_t index, uint64_t size,
                                const struct pof_hash *leaf, const struct pof_proof *proof,
                                const struct pof_hash *root);
/* A signed size and root. */
struct pof_head {
    uint64_t size;
    struct pof_hash root;
};
/* RFC 9162 2.1.4.2. From the empty tree nothing can be shown: false (as transparency-dev/merkle;
 * the caller decides what an empty old tree means). */
bool pof_merkle_check_consistency(struct pof_hasher *h, const struct pof_head *old,
                                  const struct pof_head *now, const struct pof_proof *proof);

#endif
