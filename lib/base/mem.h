/* SPDX-License-Identifier: Apache-2.0 */
/* Memory: sizes that are checked, arrays that grow, an arena that is freed at once.
 *
 * All sizes are in bytes or elements as named. Every function that allocates reports POF_E_NOMEM. */
#ifndef POF_BASE_MEM_H
#define POF_BASE_MEM_H

#include "base/err.h"

#include <stddef.h>
#include <string.h>

/* n elements of size bytes each, zeroed; *out is NULL on failure. n == 0 gives a valid pointer. */
int pof_calloc(void *out, size_t n, size_t size, struct pof_err *err) POF_CHECKED;

/* The same, not initialised. */
int pof_alloc(void *out, size_t n, size_t size, struct pof_err *err) POF_CHECKED;

/* Makes room for at least need elements of size bytes in *array (a pointer to any object pointer):
 * need, or half more than *cap where that is more. Existing elements are kept, new ones are not initialised.
 * Amortised O(1). */
static inline int pof_grow(void *array, size_t *cap, size_t need, size_t size,
                           struct pof_err *err) POF_CHECKED;
int pofi_grow(void *array, size_t *cap, size_t need, size_t size, struct pof_err *err) POF_CHECKED;

static inline int pof_grow(void *array, size_t *cap, size_t need, size_t size, struct pof_err *err)
{
    return need <= *cap ? 0 : pofi_grow(array, cap, need, size, err);
}

/* A piece of an arena. All members are private. */
struct pof_chunk {
    struct pof_chunk *next;
    size_t used, size;
    _Alignas(16) unsigned char bytes[];
};

/* An arena hands out memory that lives until the arena is released. Initialise with {0}. */
struct pof_arena {
    struct pof_chunk *chunk; /* newest first; owned */
};

/* size bytes aligned for any type, not initialised; NULL with err set on failure. */
void *pof_arena_alloc(struct pof_arena *arena, size_t size, struct pof_err *err) POF_CHECKED;

/* A NUL-terminated copy of n bytes. */
static inline char *pof_arena_text(struct pof_arena *arena, const char *bytes, size_t n,
                                   struct pof_err *err) POF_CHECKED;
char *pofi_arena_text(struct pof_arena *arena, const char *bytes, size_t n, struct pof_err *err) POF_CHECKED;

static inline char *pof_arena_text(struct pof_arena *arena, const char *bytes, size_t n, struct pof_err *err)
{
    struct pof_chunk *c = arena->chunk;
    if (!c || n >= c->size - c->used || n > 16) {
        return pofi_arena_text(arena, bytes, n, err);
    }
    /* Names are short: the first and the last bytes of a power of two overlap. */
    char *to = (char *)c->bytes + c->used;
    if (n >= 8) {
        memcpy(to, bytes, 8);
        memcpy(to + n - 8, bytes + n - 8, 8);
    } else if (n >= 4) {
        memcpy(to, bytes, 4);
        memcpy(to + n - 4, bytes + n - 4, 4);
    } else if (n > 0) {
        to[0] = bytes[0];
        to[n / 2] = bytes[n / 2];
        to[n - 1] = bytes[n - 1];
    }
    to[n] = '\0';
    c->used += n + 1;
    return to;
}

/* Frees everything; the arena is empty and usable again. */
void pof_arena_release(struct pof_arena *arena);

#endif
