/* SPDX-License-Identifier: Apache-2.0 */
/* Views of text, growing buffers, and names turned into dense numbers. */
#ifndef POF_BASE_TEXT_H
#define POF_BASE_TEXT_H

#include "base/err.h"
#include "base/mem.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A view of bytes that somebody else owns; not NUL-terminated. */
struct pof_text {
    const char *ptr;
    size_t len;
};

/* A view of a C string. */
struct pof_text pof_text(const char *s);
bool pof_text_eq(struct pof_text a, struct pof_text b);
bool pof_text_is(struct pof_text a, const char *s);
/* Byte order, shorter first among equals: <0, 0, >0. The order of all sorted output. */
int pof_text_cmp(struct pof_text a, struct pof_text b);

/* A growing buffer of bytes. Initialise with {0}; data is not NUL-terminated. */
struct pof_buf {
    char *data; /* owned */
    size_t len;
    size_t cap;
};

int pof_buf_reserve(struct pof_buf *b, size_t more, struct pof_err *err) POF_CHECKED;
int pof_buf_add(struct pof_buf *b, const void *bytes, size_t n, struct pof_err *err) POF_CHECKED;
int pof_buf_adds(struct pof_buf *b, const char *s, struct pof_err *err) POF_CHECKED;
int pof_buf_addf(struct pof_buf *b, struct pof_err *err, const char *fmt, ...) POF_PRINTF(3, 4)
    POF_CHECKED;
void pof_buf_release(struct pof_buf *b);

/* A place for a name in a set: a name of at most eight bytes as a whole, of a longer one its hash. */
struct pof_name_slot {
    uint64_t word;
    uint32_t id, len;
};

/* A set of names, numbered 0, 1, 2 ... in order of first sight. Initialise with {0}.
 * Lookup and insertion O(1) expected; iteration is by number, so never depends on the hash. */
struct pof_names {
    struct pof_arena arena;
    struct pof_text *text; /* text[id]; owned; NUL-terminated behind the view */
    size_t n;
    size_t cap;
    unsigned char *tag; /* of a slot: 0 empty, else part of the hash; owned */
    struct pof_name_slot *slot; /* power of two many; owned */
    size_t slots;
};

#define POF_NONE UINT32_MAX /* no such name */

/* A name as a set looks for it: with its hash, and what its place would hold. */
struct pof_name_key {
    struct pof_text name;
    uint64_t hash, word;
};

/* The key of a name, and the memory of a large set that looking for it will want is on its way. The
 * same key serves any set. */
struct pof_name_key pof_names_key(const struct pof_names *set, struct pof_text name);

/* The number of a name, adding it when it is new. */
int pof_names_add(struct pof_names *set, struct pof_text name, uint32_t *id,
                  struct pof_err *err) POF_CHECKED;
int pof_names_add_key(struct pof_names *set, const struct pof_name_key *key, uint32_t *id,
                      struct pof_err *err) POF_CHECKED;
/* Room for n names in all, so that adding them moves nothing. O(n). */
int pof_names_reserve(struct pof_names *set, size_t n, struct pof_err *err) POF_CHECKED;
/* The number of a name, POF_NONE when unknown. */
uint32_t pof_names_find(const struct pof_names *set, struct pof_text name);
uint32_t pof_names_find_key(const struct pof_names *set, const struct pof_name_key *key);
/* Makes the set empty and keeps most of its memory for the next names. */
void pof_names_clear(struct pof_names *set);
void pof_names_release(struct pof_names *set);

#endif
