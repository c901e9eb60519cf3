/* SPDX-License-Identifier: Apache-2.0 */
/* Records into a zonal book. */
#include "market/zonal.h"

#include <stdlib.h>
#include <string.h>

void pof_zonal_release(struct pof_zonal_book *b)
{
    pof_names_release(&b->zones);
    pof_names_release(&b->blocks);
    pof_names_release(&b->periods);
    free(b->when);
    free(b->order);
    free(b->link);
    free(b->border);
    free(b->block);
    free(b->zone_rank);
    free(b->zone_at);
    free(b->block_at);
    free(b->period_at);
    free(b->order_first);
    free(b->link_first);
    free(b->border_first);
    free(b->block_row);
    *b = (struct pof_zonal_book){0};
}

/* --- taking --- */

static int take_period(struct pof_zonal_book *b, int64_t start, int64_t duration_s,
                       uint32_t *period, struct pof_err *err)
{
    struct pof_zonal_when when = {start, duration_s};
    int rc = pof_names_add(&b->periods, (struct pof_text){(const char *)&when, sizeof when},
                           period, err);
    rc = rc ? rc : pof_grow(&b->when, &b->when_cap, b->periods.n, sizeof *b->when, err);
    if (rc == 0) {
        b->when[*period] = when;
    }
    return rc;
}

static int conflict(struct pof_err *err, const char *field, const char *what)
{
    pof_fail(err, POF_E_CONFLICT, "other periods of this block have another %s", what);
    return pof_at(err, NULL, 0, field);
}

static int take_block(struct pof_zonal_book *b, const struct pof_zone_order *r,
                      struct pof_zonal_order *o, struct pof_err *err)
{
    size_t before = b->blocks.n;
    int rc = pof_names_add(&b->blocks, r->block, &o->block, err);
    rc = rc ? rc : pof_grow(&b->block, &b->block_cap, b->blocks.n, sizeof *b->block, err);
    if (rc) {
        return rc;
    }
    struct pof_zonal_block *x = &b->block[o->block];
    int given = POF_HAS(r, zone_order, status) ? r->status : -1;
    if (b->blocks.n > before) {
        *x = (struct pof_zonal_block){
            .zone = o->zone, .demand = o->demand, .price = o->price, .given = given};
    }
    x->n++;
    return x->zone != o->zone       ? conflict(err, "zone", "zone")
           : x->demand != o->demand ? conflict(err, "side", "side")
           : x->price != o->price   ? conflict(err, "price_eur_mwh", "price")
           : x->given != given      ? conflict(err, "status", "status")
                                    : 0;
}

static int take_order(struct pof_zonal_book *b, const struct pof_zone_order *r, struct pof_err *err)
{
    struct pof_zonal_order o = {.block = POF_NONE,
                                .demand = r->side == 1,
                                .price = r->price_ueur_mwh,
                                .wh = r->energy_wh};
    if (!POF_HAS(r, zone_order, block) && POF_HAS(r, zone_order, status)) {
        pof_fail(err, POF_E_CONFLICT, "only a block has a status; this order has no block");
        return pof_at(err, NULL, 0, "status");
    }
    int rc = take_period(b, r->start, r->duration_s, &o.period, err);
    rc = rc ? rc : pof_names_add(&b->zones, r->zone, &o.zone, err);
    rc = rc || !POF_HAS(r, zone_order, block) ? rc : take_block(b, r, &o, err);
    rc = rc ? rc : pof_grow(&b->order, &b->order_cap, b->orders + 1, sizeof *b->order, err);
    if (rc == 0) {
        b->order[b->orders++] = o;
    }
    return rc;
}

static int take_link(struct pof_zonal_book *b, const struct pof_zone_link *r, struct pof_err *err)
{
    struct pof_zonal_link l = {.min_wh = r->min_wh, .max_wh = r->max_wh};
    if (r->min_wh > r->max_wh) {
        pof_fail(err, POF_E_RANGE, "the least flow is more than the most");
        return pof_at(err, NULL, 0, "min_wh");
    }
    int rc = take_period(b, r->start, r->duration_s, &l.period, err);
    rc = rc ? rc : pof_names_add(&b->zones, r->from, &l.from, err);
    rc = rc ? rc : pof_names_add(&b->zones, r->to, &l.to, err);
    if (rc == 0 && l.from == l.to) {
        pof_fail(err, POF_E_TOPOLOGY, "a link joins two zones, this one '%.*s' with itself",
                 (int)r->to.len, r->to.ptr);
        rc = pof_at(err, NULL, 0, "to");
    }
    rc = rc ? rc : pof_grow(&b->link, &b->link_cap, b->links + 1, sizeof *b->link, err);
    if (rc == 0) {
        b->link[b->links++] = l;
    }
    return rc;
}

static int take_price(struct pof_zonal_book *b, const struct pof_zone_price *r, struct pof_err *err)
{
    struct pof_zonal_border x = {.price = r->price_ueur_mwh};
    int rc = take_period(b, r->start, r->duration_s, &x.period, err);
    rc = rc ? rc : pof_names_add(&b->zones, r->zone, &x.zone, err);
    rc = rc ? rc : pof_grow(&b->border, &b->border_cap, b->borders + 1, sizeof *b->border, err);
    if (rc == 0) {
        b->border[b->borders++] = x;
    }
    return rc;
}

int pof_zonal_take(struct pof_zonal_book *b, const struct pof_record *r, struct pof_err *err)
{
    switch (r->type) {
    case POF_zone_order: return take_order(b, &r->u.zone_order, err);
    case POF_zone_link: return take_link(b, &r->u.zone_link, err);
    case POF_zone_price: return take_price(b, &r->u.zone_price, err);
    default: return pof_fail(err, POF_E_SCHEMA, "not a record of a zonal book");
    }
}

/* --- closing: everything in an order that the input had no part in --- */

struct named {
    struct pof_text name;
    uint32_t id;
};

static int named_cmp(const void *a, const void *b)
{
    return pof_text_cmp(((const struct named *)a)->name, ((const struct named *)b)->name);
}

/* Numbers of names in byte order, and (rank not NULL) the place of each in it. */
static int by_name(const struct pof_names *names, uint32_t **at, uint32_t **rank,
                   struct pof_err *err)
{
    struct named *e = NULL;
    int rc = pof_calloc(&e, names->n, sizeof *e, err);
    rc = rc ? rc : pof_calloc(at, names->n, sizeof **at, err);
    rc = rc || !rank ? rc : pof_calloc(rank, names->n, sizeof **rank, err);
    for (uint32_t i = 0; rc == 0 && i < names->n; i++) {
        e[i] = (struct named){names->text[i], i};
    }
    if (rc == 0) {
        qsort(e, names->n, sizeof *e, named_cmp);
    }
    for (uint32_t i = 0; rc == 0 && i < names->n; i++) {
        (*at)[i] = e[i].id;
        if (rank) {
            (*rank)[e[i].id] = i;
        }
    }
    free(e);
    return rc;
}

struct timed {
    struct pof_zonal_when when;
    uint32_t id;
};

static int timed_cmp(const void *a, const void *b)
{
    const struct pof_zonal_when *x = &((const struct timed *)a)->when;
    const struct pof_zonal_when *y = &((const struct timed *)b)->when;
    return x->start != y->start ? (x->start > y->start) - (x->start < y->start)
                                : (x->duration_s > y->duration_s) - (x->duration_s < y->duration_s);
}

/* Periods are renumbered in the order of time, zones and blocks in the order of names. */
static int order_periods(struct pof_zonal_book *b, uint32_t **rank, struct pof_err *err)
{
    struct timed *t = NULL;
    size_t n = b->periods.n;
    int rc = pof_calloc(&t, n, sizeof *t, err);
    rc = rc ? rc : pof_calloc(&b->period_at, n, sizeof *b->period_at, err);
    rc = rc ? rc : pof_calloc(rank, n, sizeof **rank, err);
    for (uint32_t i = 0; rc == 0 && i < n; i++) {
        t[i] = (struct timed){b->when[i], i};
    }
    if (rc == 0) {
        qsort(t, n, sizeof *t, timed_cmp);
    }
    for (uint32_t i = 0; rc == 0 && i < n; i++) {
        b->period_at[i] = t[i].id;
        (*rank)[t[i].id] = i;
    }
    free(t);
    return rc;
}

/* By period, steps before blocks; steps by zone and price, blocks by number. */
static int order_cmp(const void *a, const void *b)
{
    const struct pof_zonal_order *x = a, *y = b;
    bool xb = x->block != POF_NONE, yb = y->block != POF_NONE;
    return x->period != y->period ? (x->period > y->period ? 1 : -1)
           : xb != yb             ? xb - yb
           : x->block != y->block ? (x->block > y->block ? 1 : -1)
           : x->zone != y->zone   ? (x->zone > y->zone ? 1 : -1)
           : x->price != y->price ? (x->price > y->price ? 1 : -1)
           : x->demand != y->demand ? x->demand - y->demand
                                    : (x->wh > y->wh) - (x->wh < y->wh);
}

/* By period, then by the pair of zones whichever way round. */
static int link_cmp(const void *a, const void *b)
{
    const struct pof_zonal_link *x = a, *y = b;
    uint32_t xl = x->from < x->to ? x->from : x->to, xh = x->from ^ x->to ^ xl;
    uint32_t yl = y->from < y->to ? y->from : y->to, yh = y->from ^ y->to ^ yl;
    return x->period != y->period ? (x->period > y->period ? 1 : -1)
           : xl != yl             ? (xl > yl ? 1 : -1)
           : xh != yh             ? (xh > yh ? 1 : -1)
                                  : 0;
}

static int border_cmp(const void *a, const void *b)
{
    const struct pof_zonal_border *x = a, *y = b;
    return x->period != y->period ? (x->period > y->period ? 1 : -1)
           : x->zone != y->zone   ? (x->zone > y->zone ? 1 : -1)
                                  : 0;
}

/* qsort(3) wants an array even where there is nothing to sort. */
static void sort(void *array, size_t n, size_t size, int (*cmp)(const void *, const void *))
{
    if (n > 0) {
        qsort(array, n, size, cmp);
    }
}

static int twice(const struct pof_zonal_book *b, const char *what, uint32_t zone,
                 struct pof_err *err)
{
    const struct pof_text *name = &b->zones.text[b->zone_at[zone]];
    return pof_fail(err, POF_E_DUPLICATE, "%s of zone '%.*s' is given twice for one period", what,
                    (int)name->len, name->ptr);
}

/* Where the periods begin in arrays sorted by period, each element of `size` bytes beginning with
 * its period. */
static int index_periods(const struct pof_zonal_book *b, const void *array, size_t n, size_t size,
                         uint32_t **first, struct pof_err *err)
{
    if (n >= UINT32_MAX) {
        return pof_fail(err, POF_E_RANGE, "more than %u rows of one kind", UINT32_MAX - 1);
    }
    int rc = pof_calloc(first, b->periods.n + 1, sizeof **first, err);
    for (size_t i = 0; rc == 0 && i < n; i++) {
        uint32_t period;
        memcpy(&period, (const char *)array + i * size, sizeof period);
        (*first)[period + 1]++;
    }
    for (size_t t = 0; rc == 0 && t < b->periods.n; t++) {
        (*first)[t + 1] += (*first)[t];
    }
    return rc;
}

static void renumber(struct pof_zonal_book *b, const uint32_t *period, const uint32_t *block)
{
    for (size_t i = 0; i < b->orders; i++) {
        struct pof_zonal_order *o = &b->order[i];
        o->period = period[o->period];
        o->zone = b->zone_rank[o->zone];
        o->block = o->block == POF_NONE ? POF_NONE : block[o->block];
    }
    for (size_t i = 0; i < b->links; i++) {
        struct pof_zonal_link *l = &b->link[i];
        l->period = period[l->period];
        l->from = b->zone_rank[l->from];
        l->to = b->zone_rank[l->to];
    }
    for (size_t i = 0; i < b->borders; i++) {
        b->border[i].period = period[b->border[i].period];
        b->border[i].zone = b->zone_rank[b->border[i].zone];
    }
}

/* Block descriptions in the order of names, and the rows of each. */
static int order_blocks(struct pof_zonal_book *b, struct pof_err *err)
{
    struct pof_zonal_block *sorted = NULL;
    size_t n = b->blocks.n, rows = 0;
    int rc = pof_calloc(&sorted, n, sizeof *sorted, err);
    for (size_t i = 0; rc == 0 && i < n; i++) {
        sorted[i] = b->block[b->block_at[i]];
        sorted[i].zone = b->zone_rank[sorted[i].zone];
        sorted[i].first = (uint32_t)rows;
        rows += sorted[i].n;
        sorted[i].n = 0;
    }
    rc = rc ? rc : pof_calloc(&b->block_row, rows, sizeof *b->block_row, err);
    for (size_t i = 0; rc == 0 && i < b->orders; i++) {
        const struct pof_zonal_order *o = &b->order[i];
        if (o->block == POF_NONE) {
            continue;
        }
        struct pof_zonal_block *x = &sorted[o->block];
        if (x->n && b->order[b->block_row[x->first + x->n - 1]].period == o->period) {
            const struct pof_text *id = &b->blocks.text[b->block_at[o->block]];
            rc = pof_fail(err, POF_E_DUPLICATE, "block '%.*s' has one period twice", (int)id->len,
                          id->ptr);
        }
        b->block_row[x->first + x->n++] = (uint32_t)i;
    }
    free(b->block);
    b->block = sorted;
    return rc;
}

static int refuse_doubles(const struct pof_zonal_book *b, struct pof_err *err)
{
    int rc = 0;
    for (size_t i = 1; rc == 0 && i < b->links; i++) {
        rc = link_cmp(&b->link[i - 1], &b->link[i]) ? 0 : twice(b, "a link", b->link[i].from, err);
    }
    for (size_t i = 1; rc == 0 && i < b->borders; i++) {
        rc = border_cmp(&b->border[i - 1], &b->border[i])
                 ? 0
                 : twice(b, "the price", b->border[i].zone, err);
    }
    return rc;
}

/* With all energies together below 2^62 Wh no sum of some of them overflows. */
static int bound(const struct pof_zonal_book *b, struct pof_err *err)
{
    int64_t sum = 0;
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < b->orders; i++) {
        rc = pof_add(&sum, 2 * b->order[i].wh, err);
    }
    for (size_t i = 0; rc == 0 && i < b->links; i++) {
        rc = pof_add(&sum, 2 * llabs(b->link[i].min_wh), err);
        rc = rc ? rc : pof_add(&sum, 2 * llabs(b->link[i].max_wh), err);
    }
    return rc;
}

int pof_zonal_close(struct pof_zonal_book *b, struct pof_err *err)
{
    uint32_t *period = NULL, *block = NULL;
    int rc = bound(b, err);
    rc = rc ? rc : by_name(&b->zones, &b->zone_at, &b->zone_rank, err);
    rc = rc ? rc : by_name(&b->blocks, &b->block_at, &block, err);
    rc = rc ? rc : order_periods(b, &period, err);
    if (rc == 0) {
        renumber(b, period, block);
        sort(b->order, b->orders, sizeof *b->order, order_cmp);
        sort(b->link, b->links, sizeof *b->link, link_cmp);
        sort(b->border, b->borders, sizeof *b->border, border_cmp);
        rc = refuse_doubles(b, err);
    }
    rc = rc ? rc : order_blocks(b, err);
    rc = rc ? rc
            : index_periods(b, b->order, b->orders, sizeof *b->order, &b->order_first, err);
    rc = rc ? rc : index_periods(b, b->link, b->links, sizeof *b->link, &b->link_first, err);
    rc = rc ? rc
            : index_periods(b, b->border, b->borders, sizeof *b->border, &b->border_first, err);
    free(period);
    free(block);
    return rc;
}
