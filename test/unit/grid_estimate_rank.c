/* SPDX-License-Identifier: Apache-2.0 */
/* Rank without rounding: what is seen by spreading against what elimination finds. */
#include "grid/estimate_rank.h"
#include "num/rng.h"
#include "tap.h"


enum { BLOCKS = 24, ROWS = 80, ENTRIES = 8 * ROWS };

struct rows {
    size_t begin[ROWS + 1];
    uint32_t block[ENTRIES];
    uint64_t value[2 * ENTRIES];
    struct pof_rank_rows in;
};

static void start(struct rows *r, uint32_t blocks)
{
    *r = (struct rows){.in = {.blocks = blocks}};
    r->in.begin = r->begin;
    r->in.block = r->block;
    r->in.value = r->value;
}

static void entry(struct rows *r, uint32_t unknown, uint64_t value)
{
    size_t at = r->begin[r->in.rows + 1]++;
    r->block[at] = unknown / 2;
    r->value[2 * at + unknown % 2] = value;
}

static void next(struct rows *r)
{
    r->in.rows++;
    if (r->in.rows < ROWS) {
        r->begin[r->in.rows + 1] = r->begin[r->in.rows];
    }
}

/* An unknown by itself, or the difference of two. */
static void held(struct rows *r, uint32_t unknown)
{
    entry(r, unknown, 1);
    next(r);
}

static void flow(struct rows *r, uint32_t a, uint32_t b)
{
    uint64_t w = pof_rank_random(5, a, b);
    entry(r, a, w);
    entry(r, b, pof_rank_sub(0, w));
    next(r);
}

/* What flows out of a node of a path that joins nodes first .. last of one kind (0 or 1). */
static void injection(struct rows *r, uint32_t kind, uint32_t node, uint32_t last)
{
    uint64_t sum = 0;
    for (uint32_t i = 0; i < 2; i++) {
        if (i == 0 ? node > 0 : node < last) {
            uint32_t other = i == 0 ? node - 1 : node + 1;
            uint64_t w = pof_rank_random(6, node < other ? node : other, kind);
            entry(r, 2 * other + kind, pof_rank_sub(0, w));
            sum = pof_rank_add(sum, w);
        }
    }
    entry(r, 2 * node + kind, sum);
    next(r);
}

static bool seen(struct rows *r)
{
    struct pof_err err = {0};
    bool full = false;
    return pof_rank_spread(&r->in, &full, &err) == 0 && full;
}

static uint32_t lost(struct rows *r)
{
    struct pof_err err = {0};
    struct pof_rank rank;
    uint32_t n = pof_rank_find(&rank, &r->in, &err) == 0 ? rank.lost : UINT32_MAX;
    pof_rank_release(&rank);
    return n;
}

/* Injections of all nodes but the first, whose values are held. */
static void test_path(void)
{
    struct rows r;
    start(&r, BLOCKS);
    for (uint32_t kind = 0; kind < 2; kind++) {
        held(&r, kind);
        for (uint32_t i = 1; i < BLOCKS; i++) {
            injection(&r, kind, i, BLOCKS - 1);
        }
    }
    ok(lost(&r) == 0 && seen(&r), "injections along a feeder are seen from its end");
    r.in.rows--;
    ok(lost(&r) == 1 && !seen(&r), "without the last one they are not enough");
}

/* A path whose level nobody holds. */
static void test_level(void)
{
    struct rows r;
    start(&r, 3);
    held(&r, 0);
    for (uint32_t i = 0; i < 4; i++) {
        flow(&r, i, i + 2);
    }
    ok(lost(&r) == 1 && !seen(&r), "differences alone leave a level open");
    held(&r, 5);
    ok(lost(&r) == 0 && seen(&r), "one value at the end closes it");
    start(&r, 1);
    ok(lost(&r) == 2 && !seen(&r), "no rows determine nothing");
    start(&r, 0);
    ok(seen(&r), "nothing is determined by nothing");
}

/* Rows of a mesh that only elimination can tell: three sums of three unknowns. */
static void test_doubt(void)
{
    struct rows r;
    start(&r, 2);
    held(&r, 3);
    for (uint32_t i = 0; i < 3; i++) {
        for (uint32_t k = 0; k < 3; k++) {
            entry(&r, k, pof_rank_random(7, i, k));
        }
        next(&r);
    }
    ok(lost(&r) == 0 && !seen(&r), "what needs elimination stays a doubt");
}

/* Rows at random: what is seen is so, and it is seen in a good part of them. */
static void test_random(void)
{
    enum { TRIES = 4000 };
    unsigned wrong = 0, full = 0, found = 0;
    for (uint64_t t = 0; t < TRIES; t++) {
        struct rows r;
        uint32_t blocks = 1 + (uint32_t)(pof_random(1, t, 0) % 6), n = 2 * blocks;
        uint32_t rows = (uint32_t)(pof_random(1, t, 1) % (3 * n));
        start(&r, blocks);
        for (uint32_t i = 0; i < rows; i++) {
            uint32_t a = (uint32_t)(pof_random(2, t, i) % n), b = (uint32_t)(pof_random(3, t, i) % n);
            uint64_t what = pof_random(4, t, i) % 8;
            if (what == 0 || a == b) {
                held(&r, a);
            } else if (what < 4) {
                flow(&r, a, b);
            } else {
                injection(&r, a % 2, a / 2, blocks - 1);
            }
        }
        bool certain = seen(&r);
        bool is = lost(&r) == 0;
        wrong += certain && !is;
        full += is;
        found += certain;
    }
    ok(wrong == 0, "%u of %d sets have full rank, none is said to that has not", full, (int)TRIES);
    ok(found > full / 2 && full > TRIES / 20, "%u of them are seen without elimination", found);
}

int main(void)
{
    test_path();
    test_level();
    test_doubt();
    test_random();
    return done();
}
