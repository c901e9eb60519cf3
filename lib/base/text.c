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

/* Eight bytes at a time, each mixed by one wide multiplication (after D. Lemire, O. Kaser, "Faster
 * 64-bit universal hashing using carry-less multiplications", 2014, with integer multiplication). */
static uint64_t mix(uint64_t a, uint64_t b)
{
    __extension__ unsigned __int128 wide = (unsigned __int128)a * b;
    return (uint64_t)wide ^ (uint64_t)(wide >> 64);
}

static uint64_t bytes_of(const char *p, size_t n)
{
    uint64_t w = 0;
    memcpy(&w, p, n);
    return w;
}

/* The last 1 to 8 bytes of a text of n. */
static uint64_t tail(const char *p, size_t n)
{
    return n >= 8   ? bytes_of(p + n - 8, 8)
           : n >= 4 ? bytes_of(p, 4) | bytes_of(p + n - 4, 4) << 32
           : n > 0  ? (uint64_t)(unsigned char)p[0] | (uint64_t)(unsigned char)p[n / 2] << 8 |
                         (uint64_t)(unsigned char)p[n - 1] << 16
                    : 0;
}

static inline struct pof_name_key want(struct pof_text name)
{
    uint64_t h = 0x9e3779b97f4a7c15u ^ name.len, last = tail(name.ptr, name.len);
    for (size_t i = 0; i + 8 < name.len; i += 8) {
        h = mix(h ^ bytes_of(name.ptr + i, 8), 0xd1342543de82ef95u);
    }
    h = mix(h ^ last, 0xda942042e4dd58b5u);
    /* With its length, the tail of a short text is the text. */
    return (struct pof_name_key){name, h, name.len <= 8 ? last : h};
}

static unsigned char tag_of(uint64_t h)
{
    return (unsigned char)(h >> 56 | 1);
}

/* The place of a name, or the empty one where it belongs. Tags lie close together, so that for a new
 * name hardly any memory is read but theirs; for one that is there, one slot, unless it is long. */
static inline size_t find_slot(const struct pof_names *set, const struct pof_name_key *w)
{
    unsigned char tag = tag_of(w->hash);
    size_t i = (size_t)w->hash & (set->slots - 1);
    for (; set->tag[i]; i = (i + 1) & (set->slots - 1)) {
        const struct pof_name_slot *s = &set->slot[i];
        if (set->tag[i] == tag && s->word == w->word && s->len == (uint32_t)w->name.len &&
            (w->name.len <= 8 || pof_text_eq(set->text[s->id], w->name))) {
            break;
        }
    }
    return i;
}

static void fill_slot(struct pof_names *set, size_t i, const struct pof_name_key *w, uint32_t id)
{
    set->tag[i] = tag_of(w->hash);
    set->slot[i] = (struct pof_name_slot){w->word, id, (uint32_t)w->name.len};
}

/* Every name goes where it belongs in so many slots, a power of two. */
static int rehash(struct pof_names *set, size_t slots, struct pof_err *err)
{
    struct pof_name_slot *slot = NULL;
    unsigned char *tag;
    int rc = pof_calloc(&tag, slots, sizeof *tag, err);
    rc = rc ? rc : pof_alloc(&slot, slots, sizeof *slot, err);
    if (rc) {
        free(tag);
        return rc;
    }
    free(set->slot);
    free(set->tag);
    set->slot = slot;
    set->tag = tag;
    set->slots = slots;
    for (size_t id = 0; id < set->n; id++) {
        struct pof_name_key w = want(set->text[id]);
        size_t i = (size_t)w.hash & (slots - 1);
        while (tag[i]) {
            i = (i + 1) & (slots - 1);
        }
        fill_slot(set, i, &w, (uint32_t)id);
    }
    return 0;
}

int pof_names_reserve(struct pof_names *set, size_t n, struct pof_err *err)
{
    size_t slots = set->slots ? set->slots : 64;
    while (slots / 8 * 5 < n && slots <= SIZE_MAX / 4) {
        slots *= 2;
    }
    int rc = slots > set->slots ? rehash(set, slots, err) : 0;
    return rc ? rc : pof_grow(&set->text, &set->cap, n, sizeof *set->text, err);
}

int pof_names_add_key(struct pof_names *set, const struct pof_name_key *key, uint32_t *id, struct pof_err *err)
{
    int rc = 0;
    if (set->n * 8 >= set->slots * 5 && (rc = rehash(set, set->slots ? set->slots * 4 : 64, err)) != 0) {
        return rc;
    }
    size_t i = find_slot(set, key);
    if (set->tag[i]) {
        *id = set->slot[i].id;
        return 0;
    }
    if (set->n >= POF_NONE - 1) {
        return pof_fail(err, POF_E_NOMEM, "more than %u names", POF_NONE - 1);
    }
    rc = pof_grow(&set->text, &set->cap, set->n + 1, sizeof *set->text, err);
    if (rc) {
        return rc;
    }
    char *copy = pof_arena_text(&set->arena, key->name.ptr, key->name.len, err);
    if (!copy) {
        return POF_E_NOMEM;
    }
    *id = (uint32_t)set->n;
    set->text[set->n++] = (struct pof_text){copy, key->name.len};
    fill_slot(set, i, key, *id);
    return 0;
}

int pof_names_add(struct pof_names *set, struct pof_text name, uint32_t *id, struct pof_err *err)
{
    struct pof_name_key key = want(name);
    return pof_names_add_key(set, &key, id, err);
}

uint32_t pof_names_find_key(const struct pof_names *set, const struct pof_name_key *key)
{
    if (!set->slots) {
        return POF_NONE;
    }
    size_t i = find_slot(set, key);
    return set->tag[i] ? set->slot[i].id : POF_NONE;
}

uint32_t pof_names_find(const struct pof_names *set, struct pof_text name)
{
    struct pof_name_key key = want(name);
    return pof_names_find_key(set, &key);
}

struct pof_name_key pof_names_key(const struct pof_names *set, struct pof_text name)
{
    enum { LARGE = 1 << 16 }; /* slots; fewer are in a cache anyway */
    struct pof_name_key key = want(name);
    if (set->slots >= LARGE) {
        size_t i = (size_t)key.hash & (set->slots - 1);
        __builtin_prefetch(&set->tag[i]);
        __builtin_prefetch(&set->slot[i], 1);
    }
    return key;
}

void pof_names_clear(struct pof_names *set)
{
    pof_arena_release(&set->arena);
    if (set->slots) {
        memset(set->tag, 0, set->slots);
    }
    set->n = 0;
}

void pof_names_release(struct pof_names *set)
{
    pof_arena_release(&set->arena);
    free(set->text);
    free(set->slot);
    free(set->tag);
    *set = (struct pof_names){0};
}
