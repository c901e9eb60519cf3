/* SPDX-License-Identifier: Apache-2.0 */
/* Memory: checked sizes, growing arrays, arenas. */
#include "base/mem.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum { CHUNK = 64 * 1024, ALIGN = 16 };

/* Arrays of this size and more are wanted in large pages: what goes through them from end to end then
 * waits for the tables of pages a hundred times less. It is advice only: nothing depends on it. */
static const uintptr_t HUGE_PAGE = (uintptr_t)2 << 20;

static void advise(void *p, size_t bytes)
{
#ifdef MADV_HUGEPAGE
    uintptr_t begin = ((uintptr_t)p + HUGE_PAGE - 1) & ~(HUGE_PAGE - 1);
    uintptr_t end = ((uintptr_t)p + bytes) & ~(HUGE_PAGE - 1);
    if (end > begin) {
        (void)madvise((void *)begin, end - begin, MADV_HUGEPAGE);
    }
#else
    (void)p, (void)bytes;
#endif
}

int pof_calloc(void *out, size_t n, size_t size, struct pof_err *err)
{
    void *p = calloc(n ? n : 1, size);
    memcpy(out, &p, sizeof p);
    if (p && n * size >= HUGE_PAGE) {
        advise(p, n * size);
    }
    return p ? 0 : pof_fail(err, POF_E_NOMEM, "cannot allocate %zu elements of %zu bytes", n, size);
}

int pof_alloc(void *out, size_t n, size_t size, struct pof_err *err)
{
    size_t cap = 0;
    void *p = NULL;
    int rc = pof_grow(&p, &cap, n ? n : 1, size, err);
    memcpy(out, &p, sizeof p);
    return rc;
}

int pofi_grow(void *array, size_t *cap, size_t need, size_t size, struct pof_err *err)
{
    size_t n = *cap <= SIZE_MAX / 2 ? *cap + *cap / 2 : *cap;
    n = n < 8 ? 8 : n;
    n = n < need ? need : n;
    size_t bytes;
    if (__builtin_mul_overflow(n, size, &bytes)) {
        return pof_fail(err, POF_E_NOMEM, "%zu elements of %zu bytes exceed memory", need, size);
    }
    void *old;
    memcpy(&old, array, sizeof old);
    void *p = realloc(old, bytes);
    if (!p) {
        return pof_fail(err, POF_E_NOMEM, "cannot allocate %zu bytes", bytes);
    }
    memcpy(array, &p, sizeof p);
    *cap = n;
    return 0;
}

/* At least size bytes at the end of what is used. */
static struct pof_chunk *room_for(struct pof_arena *arena, size_t size, struct pof_err *err)
{
    struct pof_chunk *c = arena->chunk;
    if (c && c->size - c->used >= size) {
        return c;
    }
    size_t room = size > CHUNK ? size : CHUNK;
    c = size > SIZE_MAX / 2 ? NULL : malloc(sizeof *c + room);
    if (!c) {
        pof_fail(err, POF_E_NOMEM, "cannot allocate %zu bytes", size);
        return NULL;
    }
    c->next = arena->chunk;
    c->used = 0;
    c->size = room;
    arena->chunk = c;
    return c;
}

void *pof_arena_alloc(struct pof_arena *arena, size_t size, struct pof_err *err)
{
    /* Behind a text the next aligned place. A chunk's size may not be a multiple: then it is full. */
    struct pof_chunk *c = arena->chunk;
    size_t gap = c ? (ALIGN - c->used % ALIGN) % ALIGN : 0;
    if (c && gap <= c->size - c->used) {
        c->used += gap;
    } else if (c) {
        c->used = c->size;
    }
    c = room_for(arena, size, err);
    if (!c) {
        return NULL;
    }
    void *p = c->bytes + c->used;
    c->used += size;
    return p;
}

char *pofi_arena_text(struct pof_arena *arena, const char *bytes, size_t n, struct pof_err *err)
{
    struct pof_chunk *c = room_for(arena, n == SIZE_MAX ? n : n + 1, err);
    if (!c) {
        return NULL;
    }
    char *p = (char *)c->bytes + c->used;
    if (n) {
        memcpy(p, bytes, n);
    }
    p[n] = '\0';
    c->used += n + 1;
    return p;
}

void pof_arena_release(struct pof_arena *arena)
{
    while (arena->chunk) {
        struct pof_chunk *next = arena->chunk->next;
        free(arena->chunk);
        arena->chunk = next;
    }
}
