/* SPDX-License-Identifier: Apache-2.0 */
/* Ranks and order by keys: offers are large, so only numbers are moved. */
#include "market/rank.h"

#include "base/sort.h"

#include <stdlib.h>
#include <string.h>

struct order {
    struct pof_key *key, *tmp; /* [n] value: index of the offer */
    const struct pof_book *book;
};

static struct pof_text id_of(const struct order *o, size_t i)
{
    return o->book->terms[o->key[i].value].id;
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

/* Eight bytes of a text as a number whose order is theirs; texts have no NUL, so the shorter of two
 * comes first. */
static uint64_t eight(struct pof_text t, size_t at)
{
    uint64_t w = 0;
    for (size_t i = at; i < at + 8; i++) {
        w = w << 8 | (i < t.len ? (unsigned char)t.ptr[i] : 0);
    }
    return w;
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

/* The tie rule. */
static void give_ranks(struct order *o, size_t n)
{
    const struct pof_book *b = o->book;
    const struct pof_rules *rules = &b->rules;
    bool lottery = rules->tie == POF_TIE_RULE_LOTTERY, received = lottery;
    for (size_t i = 0; i < n; i++) {
        o->key[i].value = i;
        received = received || POF_HAS(&b->terms[i], offer, received);
    }
    by_id(o, 0, n, 0);
    if (received) {
        for (size_t i = 0; i < n; i++) {
            const struct pof_book_terms *x = &b->terms[o->key[i].value];
            o->key[i].key = lottery ? pof_rules_draw(rules->seed, b->session.id, x->id)
                            : POF_HAS(x, offer, received) ? (uint64_t)x->received
                                                          : UINT64_MAX;
        }
        pof_sort_keys(o->key, o->tmp, n);
    }
    for (size_t i = 0; i < n; i++) {
        b->offer[o->key[i].value].rank = (uint32_t)i + 1;
    }
}

/* Down offers before up offers: those from the dearest and last, these from the cheapest and first. */
static void by_cost(struct order *o, size_t n)
{
    size_t downs = 0, ups = n;
    for (size_t i = 0; i < n; i++) {
        o->tmp[i].value = o->key[i].value;
    }
    for (size_t i = n; i-- > 0;) { /* ranks fall */
        uint64_t at = o->tmp[i].value;
        const struct pof_book_offer *x = &o->book->offer[at];
        uint64_t price = (uint64_t)x->price_ueur_mwh;
        if (x->direction == POF_UP) {
            o->key[--ups] = (struct pof_key){price | UINT64_C(1) << 63, at};
        } else {
            o->key[downs++] = (struct pof_key){~price & INT64_MAX, at};
        }
    }
    pof_sort_keys(o->key, o->tmp, n);
    for (size_t i = 0; i < n; i++) {
        o->key[i].key = o->book->offer[o->key[i].value].node;
    }
    pof_sort_keys(o->key, o->tmp, n);
}

int pof_book_rank(struct pof_book *b, uint32_t **order, struct pof_err *err)
{
    struct order o = {.book = b};
    if (b->offers >= UINT32_MAX) {
        return pof_fail(err, POF_E_OVERFLOW, "%zu offers are more than a book holds", b->offers);
    }
    int rc = pof_calloc(&o.key, b->offers, sizeof *o.key, err);
    rc = rc ? rc : pof_calloc(&o.tmp, b->offers, sizeof *o.tmp, err);
    rc = rc ? rc : pof_calloc(order, b->offers, sizeof **order, err);
    if (rc == 0 && b->offers > 0) {
        give_ranks(&o, b->offers);
        by_cost(&o, b->offers);
    }
    for (size_t i = 0; rc == 0 && i < b->offers; i++) {
        (*order)[i] = (uint32_t)o.key[i].value;
    }
    free(o.key);
    free(o.tmp);
    return rc;
}
