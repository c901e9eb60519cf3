/* SPDX-License-Identifier: Apache-2.0 */
/* What readings determine: rank without rounding, islands, what would join them, and the rest of the
 * grid estimated all the same. The three meshed cases are those of power-grid-model's validation
 * set (state_estimation/meshed-network-observability 02, 04, 06), of which only 04 is observable. */
#include "grid/estimate_critical.h"
#include "grid/estimate_rank.h"
#include "num/rng.h"
#include "tap.h"

#include <stdio.h>

/* --- rank --- */

enum { N = 120, ROWS = 200 };

/* Differences of unknowns: the rank is unknowns less components. */
static void graph(uint64_t seed, uint32_t rows)
{
    size_t begin[ROWS + 1] = {0};
    uint32_t block[2 * ROWS], root[N], parts = N, agree = 0;
    uint64_t value[4 * ROWS] = {0}, y[2 * N];
    struct pof_err err = {0};
    struct pof_rank k;
    for (uint32_t i = 0; i < N; i++) {
        root[i] = i;
    }
    for (uint32_t r = 0; r < rows; r++) {
        uint32_t a = (uint32_t)pof_below(pof_random(seed, r, 0), N);
        uint32_t b = (uint32_t)pof_below(pof_random(seed, r, 1), N - 1);
        b += b >= a;
        block[2 * r] = a;
        block[2 * r + 1] = b;
        value[4 * r + 1] = pof_rank_random(seed, r, 2);
        value[4 * r + 3] = pof_rank_sub(0, value[4 * r + 1]);
        begin[r + 1] = 2 * (size_t)r + 2;
        uint32_t x = root[a], z = root[b];
        parts -= x != z;
        for (uint32_t i = 0; i < N; i++) {
            root[i] = root[i] == z ? x : root[i];
        }
    }
    struct pof_rank_rows in = {
        .blocks = N, .rows = rows, .begin = begin, .block = block, .value = value};
    int rc = pof_rank_find(&k, &in, &err);
    ok(rc == 0 && k.lost == N + parts, "%u differences of %d unknowns leave %u parts", rows, N, parts);
    pof_rank_null(&k, 5, y);
    for (uint32_t i = 0; i < N; i++) {
        for (uint32_t j = 0; j < N; j++) {
            agree += (y[2 * i + 1] == y[2 * j + 1]) == (root[i] == root[j]);
        }
    }
    is_int(agree, N * N, "two elements of the null space are equal where a part holds both");
    pof_rank_release(&k);
}

static void prime(void)
{
    bool all = true;
    for (uint64_t i = 0; i < 1000; i++) {
        uint64_t a = pof_rank_random(9, i, 0), b = pof_rank_random(9, i, 1);
        all = all && pof_rank_mul(a, pof_rank_inverse(a)) == 1;
        all = all && pof_rank_sub(pof_rank_add(a, b), b) == a;
        all = all && pof_rank_mul(a, POF_RANK_PRIME - 1) == pof_rank_sub(0, a);
    }
    ok(all, "residues add, multiply and divide");
}

/* --- grids --- */

static struct pof_err err;

struct scene {
    struct pof_grid grid;
    struct pof_observation o[64];
    size_t n;
    struct pof_se *se;
    enum pof_se_status status;
    struct pof_se_result r;
};

/* Nodes 1 .. n of 10 kV, 1 the slack; `zero` lists those with nothing connected. */
static void build(struct scene *s, int n, const char *zero, const char *lines)
{
    static char text[8192];
    *s = (struct scene){0};
    int at = snprintf(text, sizeof text,
                      "{\"schema\":\"pof.grid/1\",\"name\":\"t\",\"base_va\":1000000,\"f_hz\":50,"
                      "\"nodes\":[");
    for (int i = 1; i <= n; i++) {
        char digit[2] = {(char)('0' + i), 0};
        at += snprintf(text + at, sizeof text - (size_t)at, "%s{\"name\":\"%d\",\"base_v\":10000%s%s}",
                       i > 1 ? "," : "", i, i == 1 ? ",\"kind\":\"slack\",\"v_set_pu\":1" : "",
                       strstr(zero, digit) ? ",\"zero_injection\":true" : "");
    }
    at += snprintf(text + at, sizeof text - (size_t)at, "],\"branches\":[");
    for (const char *l = lines; l[0]; l += l[2] ? 3 : 2) {
        at += snprintf(text + at, sizeof text - (size_t)at,
                       "%s{\"name\":\"%.2s\",\"kind\":\"line\",\"from\":\"%c\",\"to\":\"%c\","
                       "\"r_ohm\":0.1,\"x_ohm\":0.08}",
                       l > lines ? "," : "", l, l[0], l[1]);
    }
    at += snprintf(text + at, sizeof text - (size_t)at, "]}");
    if (pof_grid_parse(&s->grid, text, (size_t)at, "t", &err)) {
        printf("# %s\n", err.text);
        exit(1);
    }
}

static void see(struct scene *s, const char *name, int quantity, double value, double sigma)
{
    struct pof_observation *o = &s->o[s->n++];
    *o = (struct pof_observation){.quantity = (uint8_t)quantity, .value = value, .sigma = sigma};
    o->branch = name[1] != '\0';
    o->element = pof_names_find(o->branch ? &s->grid.branch_names : &s->grid.node_names,
                                pof_text(name));
}

static void power(struct scene *s, const char *name, double p, double q)
{
    see(s, name, POF_QUANTITY_P, p, 1000);
    see(s, name, POF_QUANTITY_Q, q, 1000);
}

static void phasor(struct scene *s, const char *name, double i, double degrees)
{
    see(s, name, POF_QUANTITY_I, i, 1);
    see(s, name, POF_QUANTITY_I_ANGLE, degrees, 1);
}

static void solve(struct scene *s)
{
    pof_se_free(s->se);
    s->se = NULL;
    int rc = pof_se_new(&s->se, &s->grid, NULL, &err);
    rc = rc ? rc : pof_se_solve(s->se, s->o, s->n, &s->status, &err);
    if (rc) {
        printf("# %s\n", err.text);
        exit(1);
    }
    pof_se_result(s->se, &s->r);
    if (s->r.detail[0]) {
        printf("# %s\n", s->r.detail);
    }
}

static void drop(struct scene *s)
{
    pof_se_free(s->se);
    pof_grid_release(&s->grid);
}

static bool hidden(const struct scene *s, const char *name)
{
    return s->r.unobservable[pof_names_find(&s->grid.node_names, pof_text(name))];
}

static uint32_t island(const struct scene *s, const char *name)
{
    return s->r.island[pof_names_find(&s->grid.node_names, pof_text(name))];
}

static const char meshed[] = "12 23 24 25 34 56";

static void published(void)
{
    struct scene s;
    build(&s, 6, "4", meshed);
    power(&s, "1", 0, 0);
    power(&s, "3", 0, 0);
    phasor(&s, "24", 1, 57);
    phasor(&s, "56", 1, 57);
    see(&s, "6", POF_QUANTITY_V, 10000, 1);
    see(&s, "6", POF_QUANTITY_ANGLE, 0, 1);
    solve(&s);
    is_int(s.status, POF_SE_UNOBSERVABLE, "02: as many readings as unknowns, one of them for nothing");
    ok(hidden(&s, "1") && hidden(&s, "4") && !hidden(&s, "5") && !hidden(&s, "6"),
       "known is what hangs together with the angle that is read");
    ok(s.r.islands == 2 && island(&s, "1") == island(&s, "4") && island(&s, "5") == island(&s, "6") &&
           island(&s, "1") != island(&s, "5"),
       "two islands");
    ok(strstr(s.r.detail, "p and q of branch 25"), "and the branch that joins them");
    power(&s, "25", 0, 0);
    solve(&s);
    ok(s.status != POF_SE_UNOBSERVABLE, "which does, when it is read");
    drop(&s);

    build(&s, 6, "46", meshed);
    power(&s, "1", 0, 0);
    power(&s, "2", 0, 0);
    power(&s, "3", 0, 0);
    see(&s, "5", POF_QUANTITY_V, 10000, 1);
    see(&s, "5", POF_QUANTITY_ANGLE, 0, 1);
    solve(&s);
    is_int(s.status, POF_SE_CONVERGED, "04: injections alone are enough");
    drop(&s);

    build(&s, 8, "4", "12 23 24 25 34 56 78");
    power(&s, "1", 0, 0);
    power(&s, "3", 0, 0);
    phasor(&s, "24", 1, 57);
    phasor(&s, "56", 1, 57);
    see(&s, "6", POF_QUANTITY_V, 10000, 1);
    see(&s, "6", POF_QUANTITY_ANGLE, 0, 1);
    solve(&s);
    is_int(s.status, POF_SE_UNOBSERVABLE, "06: the same beside nodes that are not connected");
    ok(!hidden(&s, "7") && island(&s, "7") == POF_NONE, "of which nothing is asked");
    drop(&s);
}

static void magnitudes(void)
{
    struct scene s;
    build(&s, 3, "", "12 23");
    see(&s, "1", POF_QUANTITY_V, 10000, 10);
    power(&s, "12", 300000, 100000);
    see(&s, "23", POF_QUANTITY_I, 6, 0.1);
    solve(&s);
    ok(s.status == POF_SE_UNOBSERVABLE && hidden(&s, "3") && !hidden(&s, "2"),
       "a current without direction determines nothing");
    see(&s, "23", POF_QUANTITY_I_ANGLE_TO_V, -15, 1);
    solve(&s);
    is_int(s.status, POF_SE_CONVERGED, "with its angle it does");
    drop(&s);
}

/* What is observable is the same whatever is assumed of the rest. */
static void rest(void)
{
    struct scene s;
    double v[2][7], p[2];
    build(&s, 6, "", "12 23 24 45 56");
    see(&s, "1", POF_QUANTITY_V, 10100, 20);
    see(&s, "2", POF_QUANTITY_V, 10080, 20);
    power(&s, "12", 500000, 100000);
    power(&s, "1", -498000, -101000);
    power(&s, "23", 200000, 50000);
    power(&s, "3", 203000, 49000);
    power(&s, "45", 90000, 10000);
    solve(&s);
    is_int(s.status, POF_SE_UNOBSERVABLE, "half of a feeder is not read");
    ok(hidden(&s, "4") && hidden(&s, "5") && hidden(&s, "6") && !hidden(&s, "3"), "that half");
    ok(s.r.n_missing == 5 && island(&s, "4") == island(&s, "5"), "the voltages of two nodes, and the reference, would do");
    size_t n = s.n, missing = s.r.n_missing;
    memcpy(s.o + n, s.r.missing, missing * sizeof *s.o);
    for (int i = 0; i < 2; i++) {
        s.n = n + missing;
        for (size_t k = n; k < s.n; k++) {
            s.o[k].value += i && s.o[k].sigma > 0 ? s.o[k].sigma * (k % 2 ? 0.5 : -0.2) : 0;
        }
        solve(&s);
        ok(s.status == POF_SE_CONVERGED, "with them there is a state");
        memcpy(v[i], s.r.v_pu, 6 * sizeof *v[i]);
        p[i] = s.r.p_from_w[1];
        v[i][6] = s.r.objective;
    }
    is_near(v[0][2], v[1][2], 1e-9, "the known half is the same for others");
    is_near(p[0], p[1], 1e-2, "flows as well");
    is_near(v[0][6], v[1][6], 1e-6, "and the sum of squares");
    ok(fabs(v[0][5] - v[1][5]) > 1e-4, "only the unknown half moves");
    drop(&s);
}

/* Sets found are those that leaving one out makes critical. */
static void sets(void)
{
    struct scene s;
    uint32_t set[64];
    build(&s, 6, "", "12 23 24 45 56");
    see(&s, "1", POF_QUANTITY_V, 10100, 20);
    see(&s, "2", POF_QUANTITY_V, 10080, 20);
    power(&s, "12", 500000, 100000);
    power(&s, "23", 200000, 50000);
    power(&s, "3", 203000, 49000);
    power(&s, "24", 300000, 60000);
    power(&s, "45", 90000, 10000);
    power(&s, "56", 40000, 5000);
    power(&s, "2", 1000, -9000);
    int rc = pof_se_critical_sets(&s.grid, s.o, s.n, set, &err);
    is_int(rc, 0, "sets are looked for");
    bool all = true, any = false;
    for (size_t i = 0; i < s.n; i++) {
        struct pof_se_check c;
        struct pof_observation left = s.o[i];
        s.n--;
        memmove(s.o + i, s.o + i + 1, (s.n - i) * sizeof *s.o);
        solve(&s);
        bool lost = s.status == POF_SE_UNOBSERVABLE;
        all = all && lost == (set[i] == POF_SET_ALONE);
        if (!lost && pof_se_check(s.se, &c, &err) == 0) {
            for (size_t k = 0; k < s.n; k++) {
                uint32_t other = set[k + (k >= i)];
                bool together = set[i] > POF_SET_ALONE && other == set[i];
                all = all && (c.critical[k] || !(together || other == POF_SET_ALONE));
                any = any || together;
            }
        }
        memmove(s.o + i + 1, s.o + i, (s.n - i) * sizeof *s.o);
        s.o[i] = left;
        s.n++;
    }
    ok(all, "what is critical is so, alone or when one of its set is left out");
    ok(set[8] > POF_SET_ALONE && set[8] == set[14] && set[9] > POF_SET_ALONE && set[9] == set[15] &&
           set[8] != set[9],
       "a flow and the consumption before it test each other only, P and Q each");
    for (size_t i = 0; i < s.n; i++) {
        char name[64];
        printf("# %u %s\n", set[i], pof_observation_name(&s.grid, &s.o[i], name, sizeof name));
    }
    ok(any, "there are such sets");
    drop(&s);
}

int main(void)
{
    prime();
    graph(1, 40);
    graph(2, 100);
    graph(3, 200);
    published();
    magnitudes();
    rest();
    sets();
    return done();
}
