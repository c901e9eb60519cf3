/* SPDX-License-Identifier: Apache-2.0 */
/* Views of text, growing buffers, names. */
#include "base/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct pof_text pof_text(const char *s)
{
    return (struct pof_text){s, s ? strlen(s) : 0};
}

bool pof_text_eq(struct pof_text a, struct pof_text b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

bool pof_text_is(struct pof_text a, const char *s)
{
    return pof_text_eq(a, pof_text(s));
}

int pof_text_cmp(struct pof_text a, struct pof_text b)
{
    size_t n = a.len < b.len ? a.len : b.len;
    int c = n ? memcmp(a.ptr, b.ptr, n) : 0;
    return c ? c : (a.len > b.len) - (a.len < b.len);
}

int pof_buf_reserve(struct pof_buf *b, size_t more, struct pof_err *err)
{
    size_t need;
    if (__builtin_add_overflow(b->len, more, &need)) {
        return pof_fail(err, POF_E_NOMEM, "buffer exceeds memory");
    }
    return need <= b->cap ? 0 : pof_grow(&b->data, &b->cap, need, 1, err);
}

int pof_buf_add(struct pof_buf *b, const void *bytes, size_t n, struct pof_err *err)
{
    int rc = pof_buf_reserve(b, n, err);
    if (rc == 0 && n) {
        memcpy(b->data + b->len, bytes, n);
        b->len += n;
    }
    return rc;
}

int pof_buf_adds(struct pof_buf *b, const char *s, struct pof_err *err)
{
    return pof_buf_add(b, s, strlen(s), err);
}

int pof_buf_addf(struct pof_buf *b, struct pof_err *err, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    int n = vsnprintf(NULL, 0, fmt, args);
    va_end(args);
    int rc = pof_buf_reserve(b, (size_t)n + 1, err);
    if (rc == 0) {
        va_start(args, fmt);
        vsnprintf(b->data + b->len, (size_t)n + 1, fmt, args);
        va_end(args);
        b->len += (size_t)n;
    }
    return rc;
}

void pof_buf_release(struct pof_buf *b)
{
    free(b->data);
    *b = (struct pof_buf){0};
}

/* FNV-1a, folded once more so that the low bits depend on all bytes. */
static uint64_t hash(struct pof_text t)
{
    uint64_t h = 0xcbf29ce484222325u;
    for (size_t i = 0; i < t.len; i++) {
        h = (h ^ (unsigned char)t.ptr[i]) * 0x100000001b3u;
    }
    return h ^ (h >> 32);
}

static size_t find_slot(const struct pof_names *set, struct pof_text name)
{
    size_t i = (size_t)hash(name) & (set->slots - 1);
    while (set->slot[i] && !pof_text_eq(set->text[set->slot[i] - 1], name)) {
        i = (i + 1) & (set->slots - 1);
    }
    return i;
}

/* slots: a power of two. */
static int rehash(struct pof_names *set, size_t slots, struct pof_err *err)
{
    uint32_t *slot;
    int rc = pof_calloc(&slot, slots, sizeof *slot, err);
    if (rc) {
        return rc;
    }
    free(set->slot);
    set->slot = slot;
    set->slots = slots;
    for (size_t id = 0; id < set->n; id++) {
        slot[find_slot(set, set->text[id])] = (uint32_t)id + 1;
    }
    return 0;
}

int pof_names_reserve(struct pof_names *set, size_t n, struct pof_err *err)
{
    size_t slots = set->slots ? set->slots : 64;
    while (slots / 2 < n && slots <= SIZE_MAX / 4) {
        slots *= 2;
    }
    int rc = slots > set->slots ? rehash(set, slots, err) : 0;
    return rc ? rc : pof_grow(&set->text, &set->cap, n, sizeof *set->text, err);
}

int pof_names_add(struct pof_names *set, struct pof_text name, uint32_t *id, struct pof_err *err)
{
    int rc = 0;
    if (set->n * 2 >= set->slots && (rc = rehash(set, set->slots ? set->slots * 2 : 64, err)) != 0) {
        return rc;
    }
    size_t i = find_slot(set, name);
    if (set->slot[i]) {
        *id = set->slot[i] - 1;
        return 0;
    }
    if (set->n >= POF_NONE - 1) {
        return pof_fail(err, POF_E_NOMEM, "more than %u names", POF_NONE - 1);
    }
    rc = pof_grow(&set->text, &set->cap, set->n + 1, sizeof *set->text, err);
    if (rc) {
        return rc;
    }
    char *copy = pof_arena_text(&set->arena, name.ptr, name.len, err);
    if (!copy) {
        return POF_E_NOMEM;
    }
    *id = (uint32_t)set->n;
    set->text[set->n++] = (struct pof_text){copy, name.len};
    set->slot[i] = *id + 1;
    return 0;
}

uint32_t pof_names_find(const struct pof_names *set, struct pof_text name)
{
    if (!set->slots) {
        return POF_NONE;
    }
    size_t i = find_slot(set, name);
    return set->slot[i] ? set->slot[i] - 1 : POF_NONE;
}

void pof_names_release(struct pof_names *set)
{
    pof_arena_release(&set->arena);
    free(set->text);
    free(set->slot);
    *set = (struct pof_names){0};
}
