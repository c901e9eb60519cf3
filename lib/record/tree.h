/* SPDX-License-Identifier: Apache-2.0 */
/* Inside lib/record: a JSON document as a tree of values in one arena. Members and items lie side by
 * side, so that walking over them touches little memory. */
#ifndef POF_RECORD_TREE_H
#define POF_RECORD_TREE_H

#include "base/text.h"

enum pofi_tree_kind {
    POFI_TREE_OBJECT,
    POFI_TREE_ARRAY,
    POFI_TREE_STRING,
    POFI_TREE_NUMBER,
    POFI_TREE_TRUE,
    POFI_TREE_FALSE,
    POFI_TREE_NULL
};

struct pofi_tree {
    enum pofi_tree_kind kind;
    uint32_t names; /* of an object: a bit for each of its names, by a hash; some names share one */
    size_t n;       /* members, items or bytes */
    union {
        struct pofi_tree_member *member;
        struct pofi_tree *item;
        const char *text; /* NUL behind it */
        double number;
    } u;
};

struct pofi_tree_member {
    struct pof_text name; /* NUL behind it */
    struct pofi_tree value;
};

/* Reads a plain document: UTF-8, RFC 8259, no escapes in strings, integers of at most 18 digits,
 * finite numbers, objects of at most 64 members with different names, 64 levels. 1: it was one and
 * *root is filled, with all its memory in the arena; 0: it is not, whatever the reason, and somebody
 * else must say more; negative: out of memory. O(n). */
int pofi_tree_read(struct pofi_tree *root, struct pof_text text, struct pof_arena *arena,
                   struct pof_err *err) POF_CHECKED;

/* The bit of a name in names. */
static inline uint32_t pofi_tree_bit(struct pof_text name)
{
    size_t n = name.len;
    return n ? UINT32_C(1) << ((n * 7 + (unsigned char)name.ptr[0] * 3 + (unsigned char)name.ptr[n - 1]) % 32) : 1;
}

/* Fills in names, for one who makes an object. */
void pofi_tree_index(struct pofi_tree *object);

/* A member's value, NULL when there is none of that name. O(members). */
const struct pofi_tree *pofi_tree_member(const struct pofi_tree *object, struct pof_text name);

#endif
