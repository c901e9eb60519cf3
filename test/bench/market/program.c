/* SPDX-License-Identifier: Apache-2.0 */
/* The market as a linear program (flows on a tree, one column an offer), and the cost of results. */
#include "market.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Columns of a quarter-hour q: x of offers, f of edges (f0: the whole grid), s of requests. Rows: b,
 * the balance of a node; r, a request. */
static void write_rows(struct bench_market *m, FILE *f)
{
    for (uint32_t q = 0; q < m->periods; q++) {
        market_quarter(m, q);
        for (uint32_t v = 0; v < m->nodes; v++) {
            fprintf(f, " E b%" PRIu32 "_%" PRIu32 "\n", q, v);
        }
        for (uint32_t k = 0; k < m->now.requests; k++) {
            fprintf(f, " %c r%" PRIu32 "_%" PRIu32 "\n", m->now.request[k].up ? 'G' : 'L', q, k);
        }
    }
}

static void write_columns(struct bench_market *m, FILE *f)
{
    for (uint32_t q = 0; q < m->periods; q++) {
        market_quarter(m, q);
        for (uint32_t i = 0; i < m->offers; i++) {
            const struct bench_offer *o = &m->now.offer[i];
            fprintf(f, " x%" PRIu32 "_%" PRIu32 " c %d b%" PRIu32 "_%" PRIu32 " %d\n", q, i, o->price,
                    q, o->node, o->up ? 1 : -1);
        }
        uint32_t *request = calloc(m->nodes, sizeof *request);
        for (uint32_t k = 0; request && k < m->now.requests; k++) {
            request[m->now.request[k].node] = k + 1;
        }
        for (uint32_t v = 0; request && v < m->nodes; v++) {
            fprintf(f, " f%" PRIu32 "_%" PRIu32 " b%" PRIu32 "_%" PRIu32 " -1\n", q, v, q, v);
            if (v > 0) {
                fprintf(f, " f%" PRIu32 "_%" PRIu32 " b%" PRIu32 "_%" PRIu32 " 1\n", q, v, q,
                        m->parent[v]);
            }
            if (request[v]) {
                fprintf(f, " f%" PRIu32 "_%" PRIu32 " r%" PRIu32 "_%" PRIu32 " 1\n", q, v, q,
                        request[v] - 1);
            }
        }
        free(request);
        for (uint32_t k = 0; k < m->now.requests; k++) {
            const struct bench_request *r = &m->now.request[k];
            fprintf(f, " s%" PRIu32 "_%" PRIu32 " c %d r%" PRIu32 "_%" PRIu32 " %d\n", q, k,
                    r->node ? CEILING_DSO : CEILING_TSO, q, k, r->up ? 1 : -1);
        }
    }
}

static void write_sides(struct bench_market *m, FILE *f)
{
    fprintf(f, "RHS\n");
    for (uint32_t q = 0; q < m->periods; q++) {
        market_quarter(m, q);
        for (uint32_t k = 0; k < m->now.requests; k++) {
            const struct bench_request *r = &m->now.request[k];
            fprintf(f, " h r%" PRIu32 "_%" PRIu32 " %" PRId64 "\n", q, k, r->up ? r->p_w : -r->p_w);
        }
    }
    fprintf(f, "BOUNDS\n");
    for (uint32_t q = 0; q < m->periods; q++) {
        market_quarter(m, q);
        for (uint32_t i = 0; i < m->offers; i++) {
            fprintf(f, " UP d x%" PRIu32 "_%" PRIu32 " %d\n", q, i, m->now.offer[i].p_w);
        }
        fprintf(f, " FR d f%" PRIu32 "_0\n", q);
        for (uint32_t v = 1; v < m->nodes; v++) {
            fprintf(f, " LO d f%" PRIu32 "_%" PRIu32 " %" PRId64 "\n UP d f%" PRIu32 "_%" PRIu32
                       " %" PRId64 "\n",
                    q, v, -m->now.limit[v][1], q, v, m->now.limit[v][0]);
        }
    }
}

void market_write_mps(struct bench_market *m, const char *path)
{
    FILE *f = fopen(path, "w");
    if (!f) {
        fail(path);
    }
    fprintf(f, "NAME bench FREE\nROWS\n N c\n");
    write_rows(m, f);
    fprintf(f, "COLUMNS\n");
    write_columns(m, f);
    write_sides(m, f);
    fprintf(f, "ENDATA\n");
    fclose(f);
}

/* --- cost of results --- */

/* What is taken, in one quarter-hour after the other. */
struct account {
    struct bench_market *m;
    int64_t *taken; /* [offers] */
    int64_t *flow;  /* [nodes] */
    bench_wide cost;
};

/* The cost of one quarter-hour; refuses what is not feasible. */
static void settle(struct account *a)
{
    struct bench_market *m = a->m;
    memset(a->flow, 0, m->nodes * sizeof *a->flow);
    for (uint32_t i = 0; i < m->offers; i++) {
        const struct bench_offer *o = &m->now.offer[i];
        if (a->taken[i] < 0 || a->taken[i] > o->p_w) {
            fail("an offer is taken beyond its power");
        }
        a->cost += (bench_wide)a->taken[i] * o->price;
        a->flow[o->node] += o->up ? a->taken[i] : -a->taken[i];
    }
    for (uint32_t v = m->nodes; v-- > 1;) {
        if (a->flow[v] > m->now.limit[v][0] || a->flow[v] < -m->now.limit[v][1]) {
            fail("a limit is exceeded");
        }
        a->flow[m->parent[v]] += a->flow[v];
    }
    for (uint32_t k = 0; k < m->now.requests; k++) {
        const struct bench_request *r = &m->now.request[k];
        int64_t unmet = r->p_w - (r->up ? a->flow[r->node] : -a->flow[r->node]);
        a->cost += unmet > 0 ? (bench_wide)unmet * (r->node ? CEILING_DSO : CEILING_TSO) : 0;
    }
}

/* Watts taken of every offer and quarter-hour, from a file: read gives (quarter, offer, W). */
static bench_wide cost_of(struct bench_market *m, const char *path,
                          int (*read)(const char *line, uint32_t *q, uint32_t *i, double *w))
{
    struct account a = {.m = m};
    size_t n = (size_t)m->offers * m->periods;
    int32_t *all = calloc(n, sizeof *all);
    a.taken = calloc(m->offers, sizeof *a.taken);
    a.flow = calloc(m->nodes, sizeof *a.flow);
    FILE *f = fopen(path, "r");
    char line[1024];
    if (!all || !a.taken || !a.flow || !f) {
        fail(path);
    }
    while (fgets(line, sizeof line, f)) {
        uint32_t q, i;
        double w;
        if (read(line, &q, &i, &w)) {
            if (q >= m->periods || i >= m->offers || fabs(w - round(w)) > 1e-4) {
                fail("a result is not of this market");
            }
            all[(size_t)q * m->offers + i] += (int32_t)lround(w);
        }
    }
    fclose(f);
    for (uint32_t q = 0; q < m->periods; q++) {
        market_quarter(m, q);
        for (uint32_t i = 0; i < m->offers; i++) {
            a.taken[i] = all[(size_t)q * m->offers + i];
        }
        settle(&a);
    }
    free(all);
    free(a.taken);
    free(a.flow);
    return a.cost;
}

/* id,session,request,offer,pod,node,buyer,role,seller,direction,start,duration_s,p_w,... */
static int award_line(const char *line, uint32_t *q, uint32_t *i, double *w)
{
    return sscanf(line,
                  "%*[^,],%*[^,],%*[^,],%" SCNu32 "-%" SCNu32
                  ",%*[^,],%*[^,],%*[^,],%*[^,],%*[^,],%*[^,],%*[^,],%*[^,],%lf",
                  i, q, w) == 3;
}

/* " 17 x0_12 340 0.5", with "**" before what is out of bounds. */
static int clp_line(const char *line, uint32_t *q, uint32_t *i, double *w)
{
    return sscanf(line, " %*d x%" SCNu32 "_%" SCNu32 " %lf", q, i, w) == 3;
}

bench_wide market_cost_of_awards(struct bench_market *m, const char *path)
{
    return cost_of(m, path, award_line);
}

bench_wide market_cost_of_clp(struct bench_market *m, const char *path)
{
    return cost_of(m, path, clp_line);
}

/* "j 17 u 340 0.5": columns by number, in the order in which they were written. */
static uint32_t glpk_offers;
static int glpk_line(const char *line, uint32_t *q, uint32_t *i, double *w)
{
    *q = 0; /* GLPK is asked for one quarter-hour alone */
    if (sscanf(line, "j %" SCNu32 " %*c %lf", i, w) != 2 || *i > glpk_offers) {
        return 0;
    }
    *i -= 1;
    return 1;
}

bench_wide market_cost_of_glpk(struct bench_market *m, const char *path)
{
    glpk_offers = m->offers;
    return cost_of(m, path, glpk_line);
}
