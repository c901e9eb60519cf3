/* SPDX-License-Identifier: Apache-2.0 */
/* Blocks, least powers, parents, groups and spells against GLPK's mixed-integer solver; threads; shuffled
 * units. POF_SEED=N tries other instances; a failure prints the seed of its instance. */
#include "market/block.h"
#include "market/certificate.h"
#include "market/lp.h"

#include "market_instances.h"

#include <time.h>

enum { QUARTERS = 6, UNITS = 60, ENTRIES = 400, SPELLS = 4 };

/* A session of a few quarter-hours on one tree. */
struct session {
    struct instance quarter[QUARTERS];
    struct pof_forest forest;
    struct pof_clear_problem problem[QUARTERS];
    struct pof_unit unit[UNITS];
    struct pof_unit_entry entry[ENTRIES];
    struct pof_spell spell[SPELLS];
    struct pof_block_problem p;
};

static struct session session;

/* An entry for an offer that has none yet; false: there is none left. */
static bool add_entry(struct session *s, bool used[QUARTERS][OFFERS], uint32_t quarter,
                      struct dice *d, int whole)
{
    const struct instance *x = &s->quarter[quarter];
    for (int tries = 0; x->offers > 0 && tries < 20; tries++) {
        uint32_t offer = (uint32_t)roll(d, x->offers);
        int64_t p = x->offer[offer].p_w;
        if (!used[quarter][offer]) {
            int64_t low = whole == 1 ? p : whole == 0 ? 1 + (int64_t)roll(d, (uint64_t)p) : 0;
            used[quarter][offer] = true;
            s->entry[s->p.entries++] = (struct pof_unit_entry){quarter, offer, low};
            return true;
        }
    }
    return false;
}

/* Offers of one quarter-hour each that share a spell: divisible, with a least power, or gated. */
static void make_spell(struct session *s, bool used[QUARTERS][OFFERS], struct dice *d)
{
    int kind = (int)roll(d, 3) ? 2 : 0;
    size_t before = s->p.units;
    s->spell[s->p.spells++] =
        (struct pof_spell){1 + (uint32_t)roll(d, 3), (uint32_t)roll(d, 3), roll(d, 3) ? 1 + (uint32_t)roll(d, 2) : POF_NONE};
    for (uint32_t q = 0; q < s->p.quarters; q++) {
        struct pof_unit x = {.first = s->p.entries, .parent = POF_NONE, .group = POF_NONE, .spell = s->p.spells, .at = q};
        if (roll(d, 8) && add_entry(s, used, q, d, kind)) {
            x.last = s->p.entries;
            x.parent = before > 0 && roll(d, 6) == 0 ? (uint32_t)roll(d, before) : POF_NONE;
            s->unit[s->p.units++] = x;
        }
    }
}

/* Units over 1 to 4 quarter-hours: least powers, blocks of one or two offers each, gates. */
static void make_units(struct session *s, struct dice *d)
{
    static bool used[QUARTERS][OFFERS];
    memset(used, 0, sizeof used);
    size_t want = roll(d, 22);
    s->p.groups = 1 + (uint32_t)roll(d, 3);
    for (size_t u = 0; u < want; u++) {
        int whole = (int)roll(d, 6);
        whole = whole == 0 ? 0 : whole == 1 ? 2 : 1;
        uint32_t first = (uint32_t)roll(d, s->p.quarters), n = 1 + (uint32_t)roll(d, 4);
        n = whole == 0 ? 1 : n;
        struct pof_unit x = {.first = s->p.entries, .parent = POF_NONE, .group = POF_NONE};
        for (uint32_t q = first; q < first + n && q < s->p.quarters; q++) {
            add_entry(s, used, q, d, whole);
            if (roll(d, 4) == 0) {
                add_entry(s, used, q, d, whole);
            }
        }
        x.last = s->p.entries;
        if (u > 0 && roll(d, 4) == 0) {
            x.parent = (uint32_t)roll(d, u);
        }
        if (roll(d, 4) == 0) {
            x.group = (uint32_t)roll(d, s->p.groups);
        }
        s->unit[s->p.units++] = x;
    }
    for (uint32_t k = (uint32_t)roll(d, 2 * SPELLS); k < SPELLS; k++) {
        make_spell(s, used, d);
    }
}

static int make_session(struct session *s, uint64_t seed, uint32_t nodes, size_t offers)
{
    struct dice d = {seed, 5000000};
    struct pof_err err = {0};
    memset(s, 0, sizeof *s);
    s->p.quarters = 1 + (uint32_t)roll(&d, QUARTERS);
    for (uint32_t q = 0; q < s->p.quarters; q++) {
        make(&s->quarter[q], seed + 1000000 * (q + 1), nodes, offers);
    }
    for (uint32_t q = 1; q < s->p.quarters; q++) { /* one tree: what lies outside moves inside */
        struct instance *x = &s->quarter[q];
        uint32_t n = s->quarter[0].nodes;
        for (size_t i = 0; i < x->offers; i++) {
            x->offer[i].node %= n;
        }
        for (size_t i = 0; i < x->requests; i++) {
            x->request[i].node %= n;
        }
        for (size_t i = 0; i < x->limits; i++) {
            x->limit[i].node %= n;
        }
        qsort(x->offer, x->offers, sizeof *x->offer, pof_clear_offer_cmp);
    }
    int rc = pof_forest_build(&s->forest, s->quarter[0].parent, s->quarter[0].nodes, &err);
    for (uint32_t q = 0; q < s->p.quarters; q++) {
        s->problem[q] = problem_of(&s->quarter[q], &s->forest);
    }
    s->p.quarter = s->problem;
    s->p.unit = s->unit;
    s->p.entry = s->entry;
    s->p.spell = s->spell;
    make_units(s, &d);
    return rc;
}

/* Cost of decisions by the tree method with the units fixed, certified. -1: it cannot be. */
static pof_wide cost_of(const struct session *s, const bool *on, bool *certified)
{
    static struct pof_clear_offer copy[QUARTERS][OFFERS];
    static int64_t taken[OFFERS], node_price[NODES], own_price[NODES];
    struct pof_clear_offer *offer[QUARTERS];
    struct pof_clearing *c = NULL;
    struct pof_err err = {0};
    pof_wide sum = 0;
    int rc = pof_clearing_new(&c, &err);
    *certified = true;
    for (uint32_t q = 0; q < s->p.quarters; q++) {
        offer[q] = copy[q];
        memcpy(copy[q], s->problem[q].offer, s->problem[q].offers * sizeof copy[q][0]);
    }
    pof_block_fix(&s->p, on, offer);
    for (uint32_t q = 0; rc == 0 && q < s->p.quarters; q++) {
        struct pof_clear_problem p = s->problem[q];
        struct pof_clear_result r = {.taken_w = taken, .node_price_ueur = node_price, .own_price_ueur = own_price};
        struct pof_certificate_answer answer = {0};
        pof_wide cost = 0;
        p.offer = offer[q];
        rc = pof_clear_solve(c, &p, &r, &err);
        rc = rc ? rc : pof_clear_cost(&p, taken, &cost, &err);
        rc = rc ? rc : pof_clear_certify(&p, &r, &answer, &err);
        *certified &= rc == 0 && answer.status == POF_CERTIFIED;
        sum += cost;
    }
    pof_clearing_free(c);
    return rc ? -1 : sum;
}

static bool ties_hold(const struct session *s, const bool *on)
{
    int taken[UNITS] = {0};
    for (size_t u = 0; u < s->p.units; u++) {
        const struct pof_unit *x = &s->unit[u];
        if (on[u] && x->parent != POF_NONE && !on[x->parent]) {
            return false;
        }
        if (on[u] && x->group != POF_NONE && ++taken[x->group] > 1) {
            return false;
        }
    }
    for (uint32_t k = 1; k <= s->p.spells; k++) {
        uint32_t at[UNITS], least[UNITS];
        size_t n = 0;
        for (size_t u = 0; u < s->p.units; u++) {
            at[n] = s->unit[u].at;
            n += on[u] && s->unit[u].spell == k;
        }
        if (!pof_spell_fits(&s->spell[k - 1], at, n, least)) {
            return false;
        }
    }
    return true;
}

static void try_against_milp(void)
{
    int equal = 0, kept = 0, certified = 0, threads = 0, decided = 0, nodes = 0, between = 0;
    const int n = 500;
    for (int k = 0; k < n; k++) {
        uint64_t seed = first_seed() + (uint64_t)k;
        struct pof_err err = {0};
        bool on[UNITS] = {0}, two[UNITS] = {0}, lp[UNITS] = {0}, ours = false, theirs = false;
        struct pof_decided r = {.on = on}, r2 = {.on = two};
        struct pof_effort o = {.budget = 100000, .threads = 1}, o2 = {100000, 2, 0},
                          o3 = {100000, 1, 1 + (uint32_t)k % 3};
        bool three[UNITS] = {0};
        struct pof_decided r3 = {.on = three};
        bool few[UNITS] = {0};
        struct pof_decided r4 = {.on = few};
        struct pof_effort o4 = {(uint64_t)k % 7, 1, 1 + (uint32_t)k % 2};
        int rc = make_session(&session, seed, 14, 24);
        rc = rc ? rc : pof_block_solve(&session.p, &o, &r, &err);
        rc = rc ? rc : pof_block_solve(&session.p, &o2, &r2, &err);
        rc = rc ? rc : pof_block_solve(&session.p, &o3, &r3, &err);
        rc = rc ? rc : pof_block_solve(&session.p, &o4, &r4, &err);
        rc = rc ? rc : pof_lp_decide(&session.p, lp, &err);
        pof_wide mine = cost_of(&session, on, &ours), milp = cost_of(&session, lp, &theirs);
        bool same = rc == 0 && mine == milp && r.cost == mine && r.bound == mine &&
                    r3.cost == mine && r3.bound == mine;
        equal += same;
        kept += rc == 0 && ties_hold(&session, on) && ties_hold(&session, few);
        between += rc == 0 && r4.bound <= milp && milp <= r4.cost &&
                   cost_of(&session, few, &theirs) == r4.cost;
        certified += rc == 0 && ours;
        threads += memcmp(on, two, sizeof on) == 0 && r.nodes == r2.nodes;
        nodes += (int)r.nodes;
        for (size_t u = 0; u < session.p.units; u++) {
            decided += on[u];
        }
        if (!same) {
            printf("# seed %" PRIu64
                   ": rc %d %s cost %g said %g bound %g, GLPK's %g, %zu units, %d nodes\n",
                   seed, rc, err.text, (double)mine, (double)r.cost, (double)r.bound, (double)milp,
                   session.p.units, (int)r.nodes);
        }
        pof_forest_release(&session.forest);
    }
    is_int(equal, n,
           "proven optimal, at the cost of GLPK's decisions to the unit, on 500 sessions, with "
           "windows too");
    is_int(between, n, "with hardly a node to search GLPK's cost lies between bound and result");
    is_int(kept, n, "parents, groups and spells hold");
    is_int(certified, n, "with decisions fixed the rest is certified by its prices");
    is_int(threads, n, "two threads decide the same in as many nodes");
    ok(decided > n, "units are taken (%d, in %d nodes)", decided, nodes);
}

int main(void)
{
    try_against_milp();
    return done();
}
