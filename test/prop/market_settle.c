/* SPDX-License-Identifier: Apache-2.0 */
/* The rule of settlement on random orders. The seed is printed with every failure. */
#include "market/settle.h"
#include "num/rng.h"
#include "num/units.h"

#include "tap.h"

enum { ROUNDS = 200000, MOST = 6 };

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static int64_t most(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

/* The formula of the USEF settle phase, for one order. */
static bool is_usef(const struct pof_order *o, int64_t b, int64_t a)
{
    int64_t real = o->direction == POF_UP ? b - a : a - b;
    return o->delivered_w == least(most(real, 0), o->p_w) &&
           o->deficiency_w == most(0, o->p_w - real);
}

/* What must hold for any orders: nothing negative, nothing delivered beyond its order, deficiencies
 * add up to the shortfall, the other direction is whole, earlier orders are served first. */
static bool is_sound(const struct pof_order *o, size_t n, int64_t realised)
{
    int64_t net = 0;
    int64_t missing[2] = {0, 0};
    bool short_before[2] = {false, false};
    bool sound = true;
    for (size_t i = 0; i < n; i++) {
        int d = o[i].direction;
        net += d == POF_UP ? o[i].p_w : -o[i].p_w;
        missing[d] += o[i].deficiency_w;
        sound = sound && o[i].delivered_w >= 0 && o[i].delivered_w <= o[i].p_w &&
                o[i].deficiency_w >= o[i].p_w - o[i].delivered_w;
        sound = sound && !(short_before[d] && o[i].delivered_w > 0);
        short_before[d] = short_before[d] || o[i].delivered_w < o[i].p_w;
    }
    int64_t up = net >= 0 ? most(0, net - realised) : 0;
    int64_t down = net <= 0 ? most(0, realised - net) : 0;
    return sound && missing[POF_UP] == up && missing[POF_DOWN] == down;
}

int main(void)
{
    uint64_t seed = 20261122;
    int bad_one = 0;
    int bad_many = 0;
    int bad_mirror = 0;
    for (uint64_t i = 0; i < ROUNDS; i++) {
        struct pof_order o[MOST];
        struct pof_order m[MOST];
        size_t n = 1 + (size_t)pof_below(pof_random(seed, i, 0), MOST);
        for (size_t k = 0; k < n; k++) {
            int64_t p = 1 + (int64_t)pof_below(pof_random(seed, i, 10 + k), 20);
            int d = (int)(pof_random(seed, i, 20 + k) & 1);
            o[k] = (struct pof_order){.direction = d, .p_w = p};
            m[k] = (struct pof_order){.direction = 1 - d, .p_w = p};
        }
        int64_t b = (int64_t)pof_below(pof_random(seed, i, 1), 100);
        int64_t a = (int64_t)pof_below(pof_random(seed, i, 2), 100);
        pof_settle_split(o, n, b - a);
        pof_settle_split(m, n, a - b);
        bad_one += n == 1 && !is_usef(o, b, a);
        bad_many += !is_sound(o, n, b - a);
        for (size_t k = 0; k < n; k++) {
            bad_mirror += o[k].delivered_w != m[k].delivered_w || o[k].deficiency_w != m[k].deficiency_w;
        }
    }
    ok(bad_one == 0, "one order is the USEF formula (seed %" PRIu64 ", %d bad)", seed, bad_one);
    ok(bad_many == 0, "many orders share a shortfall exactly, the first served first (seed %" PRIu64
       ", %d bad)", seed, bad_many);
    ok(bad_mirror == 0, "up and down are mirror images (seed %" PRIu64 ", %d bad)", seed, bad_mirror);
    return done();
}
