/* SPDX-License-Identifier: Apache-2.0 */
/* Ranks and order by keys: offers are large, so only numbers are moved. */
#include "market/rank.h"

#include "base/sort.h"

#include <endian.h>
#include <stdlib.h>
#include <string.h>

struct order {
    struct pof_key *key, *tmp; /* [n] value: index of the offer */
    const struct pof_book *book;
};

static struct pof_text id_of(const struct order *o, size_t i)
{
    return pof_book_id(&o->book->terms[o->key[i].value]);
}

/* Bytes that all ids of [from, to) share, from at least as many as are known to be. */
static size_t shared(const struct order *o, size_t from, size_t to, size_t known)
{
    struct pof_text first = id_of(o, from);
    size_t n = first.len;
    for (size_t i = from + 1; i < to && n > known; i++) {
        struct pof_text t = id_of(o, i);
        size_t k = known;
        while (k < n && k < t.len && t.ptr[k] == first.ptr[k]) {
            k++;
        }
        n = k;
    }
    return n;
}

static uint64_t byte(const char *p, size_t i)
{
    return (uint64_t)(unsigned char)p[i] << (56 - 8 * i);
}

/* Eight bytes of a text as a number whose order is theirs; texts have no NUL, so the shorter of two
 * comes first. Of fewer than eight, the first four and the last four overlap, as do three single ones. */
static uint64_t eight(struct pof_text t, size_t at)
{
    const char *p = t.ptr + at;
    size_t n = t.len > at ? t.len - at : 0;
    uint64_t w;
    uint32_t first, last;
    if (n >= 8) {
        memcpy(&w, p, 8);
        return be64toh(w);
    }
    if (n >= 4) {
        memcpy(&first, p, 4);
        memcpy(&last, p + n - 4, 4);
        return (uint64_t)be32toh(first) << 32 | (uint64_t)be32toh(last) << (64 - 8 * n);
    }
    return n > 0 ? byte(p, 0) | byte(p, n / 2) | byte(p, n - 1) : 0;
}

/* Sorts [from, to) by id; all of them share the first known bytes. As deep as ids have eights. */
static void by_id(struct order *o, size_t from, size_t to, size_t known)
{
    size_t at = shared(o, from, to, known);
    for (size_t i = from; i < to; i++) {
        o->key[i].key = eight(id_of(o, i), at);
    }
    pof_sort_keys(o->key + from, o->tmp, to - from);
    for (size_t i = from, end; i < to; i = end) {
        for (end = i + 1; end < to && o->key[end].key == o->key[i].key; end++) {
        }
        if (end - i > 1 && id_of(o, i).len > at + 8) {
            by_id(o, i, end, at + 8);
        }
    }
}

/* The tie rule: keys in the order of ranks. */
static void by_tie(struct order *o, size_t n)
{
    const struct pof_rules *rules = &o->book->rules;
    bool lottery = rules->tie == POF_TIE_RULE_LOTTERY, keyed = lottery || o->book->any_received;
    for (size_t i = 0; i < n; i++) {
        o->key[i].value = i;
    }
    by_id(o, 0, n, 0);
    for (size_t i = 0; i < n && keyed; i++) {
        const struct pof_book_terms *x = &o->book->terms[o->key[i].value];
        o->key[i].key = lottery ? pof_rules_draw(rules->seed, o->book->session.id, pof_book_id(x))
                        : POF_HAS(x, offer, received) ? (uint64_t)x->received
                                                      : UINT64_MAX;
    }
    if (keyed) {
        pof_sort_keys(o->key, o->tmp, n);
    }
}

/* From the order of ranks to that of cost: down offers before up offers, those from the dearest and
 * last, these from the cheapest and first. Offers are looked at once, as they lie anywhere: their node
 * goes with the number. */
static void rank_and_price(struct order *o, size_t n)
{
    enum { AHEAD = 16 };
    size_t downs = 0, ups;
    uint64_t above = 1; /* all bits of prices */
    for (size_t i = 0; i < n; i++) {
        downs += o->book->offer[i].direction == POF_DOWN;
        while (above <= (uint64_t)o->book->offer[i].price_ueur_mwh) {
            above *= 2;
        }
    }
    ups = downs;
    for (size_t i = 0; i < n; i++) {
        uint64_t at = o->key[i].value;
        __builtin_prefetch(&o->book->offer[o->key[i + AHEAD < n ? i + AHEAD : i].value], 1);
        struct pof_book_offer *x = &o->book->offer[at];
        uint64_t price = (uint64_t)x->price_ueur_mwh, value = at | (uint64_t)x->node << 32;
        x->rank = (uint32_t)i + 1;
        if (x->direction == POF_UP) {
            o->tmp[ups++] = (struct pof_key){price | above, value};
        } else {
            o->tmp[--downs] = (struct pof_key){above - 1 - price, value};
        }
    }
}

/* Prices are in tmp; nodes come last. */
static void by_cost(struct order *o, size_t n)
{
    pof_sort_keys(o->tmp, o->key, n);
    for (size_t i = 0; i < n; i++) {
        o->key[i] = (struct pof_key){o->tmp[i].value >> 32, o->tmp[i].value};
    }
    pof_sort_keys(o->key, o->tmp, n);
}

int pof_book_rank(struct pof_book *b, uint32_t **order, struct pof_err *err)
{
    struct order o = {.book = b};
    size_t key_cap = 0, tmp_cap = 0;
    if (b->offers >= UINT32_MAX) {
        return pof_fail(err, POF_E_OVERFLOW, "%zu offers are more than a book holds", b->offers);
    }
    int rc = pof_grow(&o.key, &key_cap, b->offers, sizeof *o.key, err);
    rc = rc ? rc : pof_grow(&o.tmp, &tmp_cap, b->offers, sizeof *o.tmp, err);
    rc = rc ? rc : pof_calloc(order, b->offers, sizeof **order, err);
    if (rc == 0 && b->offers > 0) {
        by_tie(&o, b->offers);
        rank_and_price(&o, b->offers);
        by_cost(&o, b->offers);
    }
    for (size_t i = 0; rc == 0 && i < b->offers; i++) {
        (*order)[i] = (uint32_t)o.key[i].value;
    }
    free(o.key);
    free(o.tmp);
    return rc;
}
