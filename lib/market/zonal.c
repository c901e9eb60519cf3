/* SPDX-License-Identifier: Apache-2.0 */
/* Which blocks are taken. */
#include "market/zonal.h"

#include "market/zonal_impl.h"

#include <stdlib.h>
#include <string.h>

struct search {
    const struct pof_zonal_book *book;
    struct pof_zonal_result *r; /* of the present choice */
    struct pofi_zonal_solver *solver;
    int64_t *extra;             /* [periods * zones] */
    pof_zonal_wide *welfare;    /* [periods] without blocks */
    bool *stale;                /* [periods] blocks changed since it was solved */
    bool *out;                  /* [blocks] was taken at a loss once: stays out */
    bool *kept;                 /* [blocks] the choice to go back to */
    uint64_t budget;
};

void pof_zonal_result_release(struct pof_zonal_result *r)
{
    free(r->price);
    free(r->supply);
    free(r->demand);
    free(r->known);
    free(r->flow);
    free(r->accepted);
    free(r->surplus);
    *r = (struct pof_zonal_result){0};
}

int pof_zonal_money(pof_zonal_wide wide, int64_t *ueur, struct pof_err *err)
{
    const int64_t per = 1000000; /* Wh in a MWh */
    pof_zonal_wide whole = wide / per, rest = 2 * (wide % per);
    whole += rest > per || (rest == per && whole % 2 != 0);
    whole -= rest < -per || (rest == -per && whole % 2 != 0);
    if (whole > INT64_MAX || whole < -INT64_MAX) {
        return pof_fail(err, POF_E_OVERFLOW, "money adds up to more than 64 bits");
    }
    *ueur = (int64_t)whole;
    return 0;
}

static int search_init(struct search *s, struct pof_err *err)
{
    const struct pof_zonal_book *b = s->book;
    struct pof_zonal_result *r = s->r;
    size_t periods = b->periods.n, cells = periods * b->zones.n, blocks = b->blocks.n;
    int rc = pof_calloc(&r->price, cells, sizeof *r->price, err);
    rc = rc ? rc : pof_calloc(&r->supply, cells, sizeof *r->supply, err);
    rc = rc ? rc : pof_calloc(&r->demand, cells, sizeof *r->demand, err);
    rc = rc ? rc : pof_calloc(&r->known, cells, sizeof *r->known, err);
    rc = rc ? rc : pof_calloc(&r->flow, b->links, sizeof *r->flow, err);
    rc = rc ? rc : pof_calloc(&r->accepted, blocks, sizeof *r->accepted, err);
    rc = rc ? rc : pof_calloc(&r->surplus, blocks, sizeof *r->surplus, err);
    rc = rc ? rc : pof_calloc(&s->extra, cells, sizeof *s->extra, err);
    rc = rc ? rc : pof_calloc(&s->welfare, periods, sizeof *s->welfare, err);
    rc = rc ? rc : pof_calloc(&s->stale, periods, sizeof *s->stale, err);
    rc = rc ? rc : pof_calloc(&s->out, blocks, sizeof *s->out, err);
    rc = rc ? rc : pof_calloc(&s->kept, blocks, sizeof *s->kept, err);
    rc = rc ? rc : pofi_zonal_solver_new(&s->solver, b, err);
    for (size_t t = 0; rc == 0 && t < periods; t++) {
        s->stale[t] = true;
    }
    return rc;
}

static void search_release(struct search *s)
{
    free(s->extra);
    free(s->welfare);
    free(s->stale);
    free(s->out);
    free(s->kept);
    pofi_zonal_solver_free(s->solver);
}

/* Takes a block, or gives it back. */
static void flip(struct search *s, uint32_t block)
{
    const struct pof_zonal_block *x = &s->book->block[block];
    bool take = s->r->accepted[block] = !s->r->accepted[block];
    for (uint32_t i = 0; i < x->n; i++) {
        const struct pof_zonal_order *o = &s->book->order[s->book->block_row[x->first + i]];
        s->extra[o->period * s->book->zones.n + o->zone] += take == x->demand ? -o->wh : o->wh;
        s->stale[o->period] = true;
    }
}

/* --- one choice, solved --- */

/* A block that makes balance in a period impossible: of those that push the wrong way, the one that
 * asks the worst price. POF_NONE: there is none. */
static uint32_t culprit(const struct search *s, const struct pofi_zonal_period *p)
{
    const struct pof_zonal_book *b = s->book;
    uint32_t worst = POF_NONE;
    for (uint32_t i = b->order_first[p->period]; i < b->order_first[p->period + 1]; i++) {
        const struct pof_zonal_order *o = &b->order[i];
        if (o->block == POF_NONE || !s->r->accepted[o->block] || o->demand != (p->missing_wh > 0)) {
            continue;
        }
        bool worse = worst == POF_NONE ||
                     (o->demand ? o->price < b->block[worst].price : o->price > b->block[worst].price);
        worst = worse ? o->block : worst;
    }
    return worst;
}

static int impossible(const struct search *s, const struct pofi_zonal_period *p,
                      struct pof_err *err)
{
    const struct pof_text *zone = &s->book->zones.text[s->book->zone_at[p->stuck]];
    bool missing = p->missing_wh > 0;
    return pof_fail(err, POF_E_CONFLICT,
                    "period %u cannot balance: beyond zone '%.*s' %lld Wh are %s than links and "
                    "orders allow",
                    p->period + 1, (int)zone->len, zone->ptr,
                    (long long)(missing ? p->missing_wh : -p->missing_wh),
                    missing ? "needed more" : "supplied more");
}

static int solve_period(struct search *s, uint32_t t, bool free_blocks, struct pof_err *err)
{
    const struct pof_zonal_book *b = s->book;
    size_t at = (size_t)t * b->zones.n;
    struct pofi_zonal_period p = {.period = t,
                                  .extra = s->extra + at,
                                  .price = s->r->price + at,
                                  .supply = s->r->supply + at,
                                  .demand = s->r->demand + at,
                                  .known = s->r->known + at,
                                  .flow = s->r->flow + b->link_first[t]};
    int rc = pofi_zonal_solve(s->solver, &p, err);
    s->r->solved++;
    while (rc == 0 && p.stuck != POF_NONE) {
        uint32_t block = free_blocks ? culprit(s, &p) : POF_NONE;
        if (block == POF_NONE) {
            return impossible(s, &p, err);
        }
        flip(s, block);
        s->out[block] = true;
        rc = pofi_zonal_solve(s->solver, &p, err);
        s->r->solved++;
    }
    s->welfare[t] = p.welfare;
    s->stale[t] = false;
    return rc;
}

static pof_zonal_wide surplus_of(const struct search *s, uint32_t block)
{
    const struct pof_zonal_book *b = s->book;
    const struct pof_zonal_block *x = &b->block[block];
    pof_zonal_wide sum = 0;
    for (uint32_t i = 0; i < x->n; i++) {
        const struct pof_zonal_order *o = &b->order[b->block_row[x->first + i]];
        int64_t gain = s->r->price[o->period * b->zones.n + o->zone] - x->price;
        sum += (pof_zonal_wide)(x->demand ? -gain : gain) * o->wh;
    }
    return sum;
}

/* What blocks bring into welfare when taken: their value or cost. */
static pof_zonal_wide own_welfare(const struct search *s, uint32_t block)
{
    const struct pof_zonal_block *x = &s->book->block[block];
    pof_zonal_wide sum = 0;
    for (uint32_t i = 0; i < x->n; i++) {
        sum += s->book->order[s->book->block_row[x->first + i]].wh;
    }
    return sum * (x->demand ? x->price : -x->price);
}

static int solve_choice(struct search *s, bool free_blocks, struct pof_err *err)
{
    struct pof_zonal_result *r = s->r;
    int rc = 0;
    bool again = true;
    while (rc == 0 && again) { /* giving a block back makes other periods stale */
        again = false;
        for (uint32_t t = 0; rc == 0 && t < s->book->periods.n; t++) {
            if (s->stale[t]) {
                again = true;
                rc = solve_period(s, t, free_blocks, err);
            }
        }
    }
    r->welfare = r->gap = 0;
    for (uint32_t t = 0; rc == 0 && t < s->book->periods.n; t++) {
        r->welfare += s->welfare[t];
    }
    for (uint32_t i = 0; rc == 0 && i < s->book->blocks.n; i++) {
        r->surplus[i] = surplus_of(s, i);
        r->welfare += r->accepted[i] ? own_welfare(s, i) : 0;
        r->gap += r->accepted[i] == (r->surplus[i] < 0)
                      ? (r->surplus[i] < 0 ? -r->surplus[i] : r->surplus[i])
                      : 0;
    }
    return rc;
}

/* --- the search --- */

static pof_zonal_wide energy_of(const struct pof_zonal_book *b, uint32_t block)
{
    pof_zonal_wide sum = 0;
    for (uint32_t i = 0; i < b->block[block].n; i++) {
        sum += b->order[b->block_row[b->block[block].first + i]].wh;
    }
    return sum;
}

/* The taken block that loses most for each Wh (in whole units of price), of equal ones the one that
 * loses most in all; POF_NONE: none loses. */
static uint32_t worst_loss(const struct search *s)
{
    uint32_t worst = POF_NONE;
    pof_zonal_wide worst_wh = 0;
    for (uint32_t i = 0; i < s->book->blocks.n; i++) {
        pof_zonal_wide all = s->r->surplus[i];
        if (!s->r->accepted[i] || all >= 0) {
            continue;
        }
        pof_zonal_wide wh = all / energy_of(s->book, i);
        if (worst == POF_NONE || wh < worst_wh || (wh == worst_wh && all < s->r->surplus[worst])) {
            worst = i;
            worst_wh = wh;
        }
    }
    return worst;
}

/* Gives back losing blocks, the worst first, until none loses. */
static int repair(struct search *s, struct pof_err *err)
{
    int rc = solve_choice(s, true, err);
    for (uint32_t i = worst_loss(s); rc == 0 && i != POF_NONE; i = worst_loss(s)) {
        flip(s, i);
        s->out[i] = true;
        rc = solve_choice(s, true, err);
    }
    return rc;
}

/* From no block: all that are in the money join, losing ones leave for good, until nothing moves. */
static int settle(struct search *s, struct pof_err *err)
{
    int rc = solve_choice(s, true, err);
    bool moved = true;
    while (rc == 0 && moved) {
        moved = false;
        for (uint32_t i = 0; i < s->book->blocks.n; i++) {
            if (!s->r->accepted[i] && !s->out[i] && s->r->surplus[i] > 0) {
                flip(s, i);
                moved = true;
            }
        }
        rc = moved ? repair(s, err) : 0;
    }
    return rc;
}

static void restore(struct search *s)
{
    for (uint32_t i = 0; i < s->book->blocks.n; i++) {
        if (s->r->accepted[i] != s->kept[i]) {
            flip(s, i);
        }
    }
}

/* Takes each block in the money that is not taken, makes room for it, and keeps what is better. */
static int improve(struct search *s, bool *better, struct pof_err *err)
{
    int rc = 0;
    *better = false;
    for (uint32_t i = 0; rc == 0 && i < s->book->blocks.n && s->r->solved < s->budget; i++) {
        if (s->r->accepted[i] || s->r->surplus[i] <= 0) {
            continue;
        }
        pof_zonal_wide before = s->r->welfare;
        memcpy(s->kept, s->r->accepted, s->book->blocks.n);
        flip(s, i);
        rc = solve_choice(s, true, err);
        for (uint32_t w = worst_loss(s); rc == 0 && w != POF_NONE; w = worst_loss(s)) {
            flip(s, w);
            rc = solve_choice(s, true, err);
        }
        if (rc == 0 && s->r->welfare <= before) {
            restore(s);
            rc = solve_choice(s, true, err);
        } else {
            *better = true;
        }
    }
    return rc;
}

static int decide(struct search *s, struct pof_err *err)
{
    int rc = settle(s, err);
    bool better = true;
    while (rc == 0 && better && s->r->gap > 0 && s->r->solved < s->budget) {
        rc = improve(s, &better, err);
    }
    return rc;
}

static int hold(struct search *s, struct pof_err *err)
{
    for (uint32_t i = 0; i < s->book->blocks.n; i++) {
        int given = s->book->block[i].given;
        if (given < 0) {
            const struct pof_text *id = &s->book->blocks.text[s->book->block_at[i]];
            return pof_fail(err, POF_E_MISSING,
                            "block '%.*s' has no status to hold; decide the blocks instead",
                            (int)id->len, id->ptr);
        }
        if (given == 0) {
            flip(s, i);
        }
    }
    return solve_choice(s, false, err);
}

/* The quantities of zones with their blocks. */
static void add_blocks(struct search *s)
{
    const struct pof_zonal_book *b = s->book;
    for (size_t i = 0; i < b->orders; i++) {
        const struct pof_zonal_order *o = &b->order[i];
        if (o->block != POF_NONE && s->r->accepted[o->block]) {
            (o->demand ? s->r->demand : s->r->supply)[o->period * b->zones.n + o->zone] += o->wh;
        }
    }
}

int pof_zonal_clear(const struct pof_zonal_book *book, enum pof_zonal_blocks blocks,
                    uint64_t budget, struct pof_zonal_result *result, struct pof_err *err)
{
    struct search s = {.book = book, .r = result, .budget = budget ? budget : 100000};
    *result = (struct pof_zonal_result){0};
    int rc = search_init(&s, err);
    rc = rc ? rc : blocks == POF_ZONAL_GIVEN ? hold(&s, err) : decide(&s, err);
    if (rc == 0) {
        add_blocks(&s);
    } else {
        pof_zonal_result_release(result);
    }
    search_release(&s);
    return rc;
}
