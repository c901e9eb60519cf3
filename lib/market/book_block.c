/* SPDX-License-Identifier: Apache-2.0 */
/* Names of blocks, parents and groups into numbers. */
#include "market/book_block.h"

#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

/* --- taking --- */

/* The key of a name in a session: what kind of name, session, name; the bytes between are in no
 * text. */
static int key_of(struct pof_buf *key, const char *kind, struct pof_text session,
                  struct pof_text id, struct pof_err *err)
{
    key->len = 0;
    return pof_buf_addf(key, err, "%s%.*s\x1f%.*s", kind, (int)session.len, session.ptr,
                        (int)id.len, id.ptr);
}

static int refuse(struct pof_err *err, const char *field, struct pof_text id, const char *what)
{
    pof_fail(err, POF_E_CONFLICT, "%s '%.*s' %s", field, (int)id.len, id.ptr, what);
    return pof_at(err, NULL, 0, field);
}

/* Offers of one block that name a parent or a group name the same. */
static int agree(struct pof_text *all, struct pof_text one, const char *field, struct pof_err *err)
{
    if (one.len > 0 && all->len > 0 && !pof_text_eq(*all, one)) {
        return refuse(err, field, one, "differs from that of other offers of the block");
    }
    *all = one.len > 0 ? one : *all;
    return 0;
}

/* A group is one seller's, so nobody can shut out another's block with it. */
static int take_group(struct pof_book *b, const struct pof_offer *o, struct pof_book_block *x,
                      struct pof_err *err)
{
    struct pof_buf key = {0};
    int rc = key_of(&key, "", o->session, o->group, err);
    rc = rc ? rc : pof_names_add(&b->group_ids, (struct pof_text){key.data, key.len}, &x->set, err);
    pof_buf_release(&key);
    return rc;
}

static int find_block(struct pof_book *b, const struct pof_offer *o, bool gate, uint32_t *block,
                      struct pof_err *err)
{
    struct pof_buf key = {0};
    struct pof_text id = gate ? o->id : o->block;
    size_t known = b->block_ids.n;
    int rc = key_of(&key, gate ? "\x1e" : "", o->session, id, err);
    rc = rc ? rc : pof_names_add(&b->block_ids, (struct pof_text){key.data, key.len}, block, err);
    pof_buf_release(&key);
    if (rc == 0 && *block == known) {
        rc = pof_grow(&b->block, &b->block_cap, known + 1, sizeof *b->block, err);
        if (rc == 0) {
            b->block[known] = (struct pof_book_block){.session = o->session,
                                                      .id = id,
                                                      .seller = o->seller,
                                                      .gate = gate,
                                                      .up = POF_NONE,
                                                      .set = POF_NONE};
        }
    }
    return rc;
}

int pof_book_block_take(struct pof_book *book, const struct pof_offer *o, uint32_t *block,
                        struct pof_err *err)
{
    struct pof_text none = {0};
    struct pof_text parent = POF_HAS(o, offer, parent) ? o->parent : none;
    struct pof_text group = POF_HAS(o, offer, group) ? o->group : none;
    bool gate = !POF_HAS(o, offer, block);
    *block = POF_NONE;
    if (POF_HAS(o, offer, min_w) && o->min_w > o->p_w) {
        pof_fail(err, POF_E_RANGE, "'%lld' is more than the offer's p_w of %lld",
                 (long long)o->min_w, (long long)o->p_w);
        return pof_at(err, NULL, 0, "min_w");
    }
    if (gate && parent.len == 0 && group.len == 0) {
        return 0;
    }
    int rc = find_block(book, o, gate, block, err);
    if (rc) {
        return rc;
    }
    struct pof_book_block *x = &book->block[*block];
    if (!pof_text_eq(x->seller, o->seller)) {
        return refuse(err, "block", x->id, "has offers of another seller");
    }
    rc = agree(&x->parent, parent, "parent", err);
    rc = rc ? rc : agree(&x->group, group, "group", err);
    return rc || group.len == 0 ? rc : take_group(book, o, x, err);
}

/* Of a length in quarter-hours; an hour and a half has six. */
static int quarters_of(int64_t s, const char *field, uint32_t *n, struct pof_err *err)
{
    *n = (uint32_t)(s / POF_QUARTER_S);
    if (s % POF_QUARTER_S == 0) {
        return 0;
    }
    pof_fail(err, POF_E_TIME, "'%lld' is not a multiple of 900", (long long)s);
    return pof_at(err, NULL, 0, field);
}

int pof_book_spell_take(struct pof_book *book, const struct pof_offer *o, uint32_t *spell,
                        struct pof_err *err)
{
    bool span = POF_HAS(o, offer, max_active_s), rest = POF_HAS(o, offer, rest_s);
    bool most = POF_HAS(o, offer, max_activations);
    struct pof_spell x = {.span = POF_NONE, .most = most ? (uint32_t)o->max_activations : POF_NONE};
    *spell = 0;
    if (!span && !rest && !most) {
        return 0;
    }
    bool block = POF_HAS(o, offer, block);
    if (block || !span) {
        pof_fail(err, POF_E_CONFLICT, block ? "an offer of a block is active in all its quarter-hours or in none"
                                            : "needs max_active_s: without it one activation can last all the time");
        return pof_at(err, NULL, 0, span ? "max_active_s" : rest ? "rest_s" : "max_activations");
    }
    int rc = quarters_of(o->max_active_s, "max_active_s", &x.span, err);
    rc = rc || !rest ? rc : quarters_of(o->rest_s, "rest_s", &x.rest, err);
    rc = rc ? rc : pof_grow(&book->spell, &book->spell_cap, book->spells + 1, sizeof x, err);
    if (rc == 0) {
        book->spell[book->spells++] = x;
        *spell = (uint32_t)book->spells;
    }
    return rc;
}

/* --- closing --- */

static int find_parents(struct pof_book *b, struct pof_err *err)
{
    struct pof_buf key = {0};
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < b->block_ids.n; i++) {
        struct pof_book_block *x = &b->block[i];
        if (x->parent.len == 0) {
            continue;
        }
        rc = key_of(&key, "", x->session, x->parent, err);
        if (rc) {
            break;
        }
        x->up = pof_names_find(&b->block_ids, (struct pof_text){key.data, key.len});
        if (x->up == POF_NONE) {
            pof_fail(err, POF_E_REFERENCE, "parent '%.*s' of '%.*s' is not a block of its session",
                     (int)x->parent.len, x->parent.ptr, (int)x->id.len, x->id.ptr);
            rc = pof_at(err, NULL, 0, "parent");
        } else if (!pof_text_eq(b->block[x->up].seller, x->seller)) {
            rc = refuse(err, "parent", x->parent, "is a block of another seller");
        }
    }
    pof_buf_release(&key);
    return rc;
}

static int check_groups(const struct pof_book *b, struct pof_err *err)
{
    uint32_t *first;
    int rc = pof_calloc(&first, b->group_ids.n, sizeof *first, err);
    for (size_t i = 0; rc == 0 && i < b->block_ids.n; i++) {
        const struct pof_book_block *x = &b->block[i];
        if (x->set == POF_NONE) {
            continue;
        }
        if (first[x->set] == 0) {
            first[x->set] = (uint32_t)i + 1;
        } else if (!pof_text_eq(b->block[first[x->set] - 1].seller, x->seller)) {
            rc = refuse(err, "group", x->group, "has blocks of two sellers");
        }
    }
    free(first);
    return rc;
}

/* Names a block of the cycle that a chain of parents ran into: the first in byte order, so that the
 * order of records does not matter. */
static int refuse_cycle(const struct pof_book *b, uint32_t on, struct pof_err *err)
{
    uint32_t least = on;
    for (uint32_t at = b->block[on].up; at != on; at = b->block[at].up) {
        least = pof_text_cmp(b->block[at].id, b->block[least].id) < 0 ? at : least;
    }
    return refuse(err, "parent", b->block[least].parent,
                  "leads back to itself: parents form a cycle");
}

/* Blocks in which one cannot be whole take their children along. Each chain is followed up to where
 * it was followed before, then down again by the same way. */
static int leave_out(struct pof_book *b, struct pof_err *err)
{
    uint32_t *seen, *way = NULL;
    size_t n = b->block_ids.n;
    int rc = pof_calloc(&seen, n, sizeof *seen, err);
    rc = rc ? rc : pof_calloc(&way, n, sizeof *way, err);
    for (uint32_t i = 0; rc == 0 && i < n; i++) {
        uint32_t at = i;
        size_t steps = 0;
        for (; at != POF_NONE && seen[at] == 0; at = b->block[at].up) {
            seen[at] = i + 1;
            way[steps++] = at;
        }
        if (at != POF_NONE && seen[at] == i + 1) {
            rc = refuse_cycle(b, at, err);
        }
        while (rc == 0 && steps > 0) {
            struct pof_book_block *x = &b->block[way[--steps]];
            bool partial = !x->gate && x->inside && (x->outside || x->unfed);
            bool gone = !x->inside || (x->gate && x->unfed);
            bool orphan = x->up != POF_NONE && b->block[x->up].out;
            x->out = partial || gone || orphan;
            b->counts.blocks += !x->out && !x->gate;
            b->counts.blocks_partial += partial;
            b->counts.blocks_orphan += !partial && !gone && orphan;
        }
    }
    free(seen);
    free(way);
    return rc;
}

int pof_book_blocks_close(struct pof_book *b, struct pof_err *err)
{
    for (size_t i = 0; i < b->offers; i++) {
        const struct pof_book_offer *o = &b->offer[i];
        if (o->block != POF_NONE) {
            struct pof_book_block *x = &b->block[o->block];
            int64_t start = b->session.start, end = b->session.end;
            const struct pof_book_terms *t = &b->terms[i];
            int64_t from = pof_book_instant(t->start), to = pof_book_instant(t->end);
            x->inside |= from < end && to > start;
            x->outside |= from < start || to > end;
            x->unfed |= b->feeder->place[o->node] == POF_NONE;
        }
    }
    int rc = find_parents(b, err);
    rc = rc ? rc : check_groups(b, err);
    return rc ? rc : leave_out(b, err);
}

/* --- decisions --- */

/* An offer in a quarter-hour that can not be taken in any part. */
struct place {
    uint64_t key; /* number of its block, or beyond all blocks: rank and quarter-hour */
    struct pof_unit_entry entry;
    uint32_t parent; /* of a unit of its own: its gate */
    uint32_t spell;  /* of such a unit: its offer's */
};

static int by_name(const void *pa, const void *pb)
{
    const struct pof_book_block *a = *(const struct pof_book_block *const *)pa;
    const struct pof_book_block *b = *(const struct pof_book_block *const *)pb;
    int order = pof_text_cmp(a->session, b->session);
    order = order ? order : pof_text_cmp(a->id, b->id);
    return order ? order : (int)a->gate - (int)b->gate;
}

static int by_key(const void *pa, const void *pb)
{
    const struct place *a = pa, *b = pb;
    if (a->key != b->key) {
        return a->key < b->key ? -1 : 1;
    }
    if (a->entry.quarter != b->entry.quarter) {
        return a->entry.quarter < b->entry.quarter ? -1 : 1;
    }
    return (a->entry.offer > b->entry.offer) - (a->entry.offer < b->entry.offer);
}

/* number[block]: its unit. */
static int number_blocks(struct pof_book_units *u, const struct pof_book *b, uint32_t *number,
                         struct pof_err *err)
{
    const struct pof_book_block **sorted;
    size_t n = 0;
    int rc = pof_calloc(&sorted, b->block_ids.n, sizeof(struct pof_book_block *), err);
    for (size_t i = 0; rc == 0 && i < b->block_ids.n; i++) {
        number[i] = POF_NONE;
        if (!b->block[i].out) {
            sorted[n++] = &b->block[i];
        }
    }
    if (rc == 0 && n > 1) {
        qsort(sorted, n, sizeof(struct pof_book_block *), by_name);
    }
    for (size_t i = 0; rc == 0 && i < n; i++) {
        number[sorted[i] - b->block] = (uint32_t)i;
    }
    free(sorted);
    u->units = n;
    return rc;
}

/* The entries in the order of their units. */
static int list_places(const struct pof_book *b, const uint32_t *number, size_t blocks,
                       struct place **place, size_t *n, struct pof_err *err)
{
    size_t cap = 0;
    int rc = 0;
    for (uint32_t q = 0; rc == 0 && q < b->quarters; q++) {
        size_t first = b->by_offer.first[q];
        for (size_t k = first; rc == 0 && k < b->by_offer.first[q + 1]; k++) {
            const struct pof_book_offer *o = &b->offer[b->by_offer.at[k]];
            const struct pof_book_terms *t = &b->terms[b->by_offer.at[k]];
            bool least = POF_HAS(t, offer, min_w);
            uint32_t in = o->block == POF_NONE ? POF_NONE : number[o->block];
            bool whole = in != POF_NONE && !b->block[o->block].gate, own = (least || t->spell) && !whole;
            if (!own && in == POF_NONE) {
                continue;
            }
            rc = pof_grow(place, &cap, *n + 1, sizeof **place, err);
            if (rc == 0) {
                (*place)[(*n)++] =
                    (struct place){.key = own ? blocks + (uint64_t)o->rank * b->quarters + q : in,
                                   .parent = own ? in : POF_NONE,
                                   .spell = own ? t->spell : 0,
                                   .entry = {.quarter = q,
                                             .offer = (uint32_t)(k - first),
                                             .low_w = whole   ? o->p_w
                                                      : least ? t->min_w
                                                              : 0}};
            }
        }
    }
    if (rc == 0 && *n > 1) {
        qsort(*place, *n, sizeof **place, by_key);
    }
    return rc;
}

/* Places of an offer stand together: its spells get the next number with the first of them. */
static uint32_t number_spell(struct pof_book_units *u, const struct pof_book *b, uint32_t spell,
                             const struct place *before)
{
    if (spell > 0 && !(before && before->spell == spell)) {
        u->spell[u->spells++] = b->spell[spell - 1];
    }
    return spell > 0 ? u->spells : 0;
}

/* The units of blocks come first, also those without an entry: gates of least powers. */
static void fill_units(struct pof_book_units *u, const struct pof_book *b, const uint32_t *number,
                       const struct place *place)
{
    size_t next = 0, units = u->units;
    for (size_t i = 0; i < b->block_ids.n; i++) {
        const struct pof_book_block *x = &b->block[i];
        if (number[i] != POF_NONE) {
            u->unit[number[i]].parent = x->up == POF_NONE ? POF_NONE : number[x->up];
            u->unit[number[i]].group = x->set;
        }
    }
    for (size_t k = 0; k < units; k++) {
        u->unit[k].first = next;
        for (; next < u->entries && place[next].key == k; next++) {
            u->entry[next] = place[next].entry;
        }
        u->unit[k].last = next;
    }
    for (; next < u->entries; next++) {
        u->entry[next] = place[next].entry;
        u->unit[u->units++] = (struct pof_unit){next, next + 1, place[next].parent, POF_NONE,
                                                number_spell(u, b, place[next].spell, next > 0 ? &place[next - 1] : NULL),
                                                place[next].entry.quarter};
    }
}

int pof_book_units_build(struct pof_book_units *u, const struct pof_book *b, struct pof_err *err)
{
    struct place *place = NULL;
    uint32_t *number;
    if (b->block_ids.n == 0 && !b->any_least && b->spells == 0) {
        return 0; /* nothing is to be decided */
    }
    int rc = pof_calloc(&number, b->block_ids.n, sizeof *number, err);
    rc = rc ? rc : number_blocks(u, b, number, err);
    rc = rc ? rc : list_places(b, number, u->units, &place, &u->entries, err);
    rc = rc ? rc : pof_calloc(&u->unit, u->units + u->entries, sizeof *u->unit, err);
    rc = rc ? rc : pof_calloc(&u->entry, u->entries, sizeof *u->entry, err);
    rc = rc ? rc : pof_calloc(&u->spell, b->spells, sizeof *u->spell, err);
    if (rc == 0) {
        fill_units(u, b, number, place);
    }
    u->groups = (uint32_t)b->group_ids.n;
    free(place);
    free(number);
    return rc;
}

void pof_book_units_release(struct pof_book_units *u)
{
    free(u->unit);
    free(u->entry);
    free(u->spell);
    *u = (struct pof_book_units){0};
}
