/* SPDX-License-Identifier: Apache-2.0 */
/* Memory: sizes that are checked, arrays that grow, an arena that is freed at once.
 *
 * All sizes are in bytes or elements as named. Every function that allocates reports POF_E_NOMEM. */
#ifndef POF_BASE_MEM_H
#define POF_BASE_MEM_H

#include "base/err.h"

#include <stddef.h>

/* n elements of size bytes each, zeroed; *out is NULL on failure. n == 0 gives a valid pointer. */
int pof_calloc(void *out, size_t n, size_t size, struct pof_err *err) POF_CHECKED;

/* The same, not initialised. */
int pof_alloc(void *out, size_t n, size_t size, struct pof_err *err) POF_CHECKED;

/* Makes room for at least need elements of size bytes in *array (a pointer to any object pointer):
 * need, or half more than *cap where that is more. Existing elements are kept, new ones are not initialised.
 * Amortised O(1). */
int pof_grow(void *array, size_t *cap, size_t need, size_t size, struct pof_err *err) POF_CHECKED;

/* An arena hands out memory that lives until the arena is released. Initialise with {0}. */
struct pof_arena {
    struct pof_chunk *chunk; /* newest first; owned */
};

/* size bytes aligned for any type, not initialised; NULL with err set on failure. */
void *pof_arena_alloc(struct pof_arena *arena, size_t size, struct pof_err *err) POF_CHECKED;

/* A NUL-terminated copy of n bytes. */
char *pof_arena_text(struct pof_arena *arena, const char *bytes, size_t n,
                     struct pof_err *err) POF_CHECKED;

/* Frees everything; the arena is empty and usable again. */
void pof_arena_release(struct pof_arena *arena);

#endif
