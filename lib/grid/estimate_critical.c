/* SPDX-License-Identifier: Apache-2.0 */
#include "grid/estimate_critical.h"

#include "base/mem.h"
#include "num/rng.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { PROBES = 2 };

static const double AGREE = 1e-5; /* of normalised residuals */

struct member {
    double size[PROBES];
    uint32_t at;
};

struct probing {
    struct pof_se *se;
    const struct pof_observation *seen;
    struct pof_observation *drawn; /* [n] */
    struct member *member;         /* [n] */
    size_t n, members;
};

static int by_size(const void *a, const void *b)
{
    const struct member *x = a;
    const struct member *y = b;
    for (int k = 0; k < PROBES; k++) {
        if (x->size[k] < y->size[k] || x->size[k] > y->size[k]) {
            return x->size[k] < y->size[k] ? -1 : 1;
        }
    }
    return (x->at > y->at) - (x->at < y->at);
}

/* -1.5 .. -0.5 or 0.5 .. 1.5. */
static double draw(uint64_t probe, uint64_t i)
{
    uint64_t bits = pof_random(11 + probe, i, 0);
    double size = 0.5 + ldexp((double)(bits >> 12), -52);
    return bits & 1 ? size : -size;
}

/* Readings as the state would show them, with errors: magnitudes stay positive. */
static void redraw(struct probing *p, const struct pof_se_check *c, uint64_t probe)
{
    for (size_t i = 0; i < p->n; i++) {
        struct pof_observation *o = &p->drawn[i];
        *o = p->seen[i];
        if (o->sigma > 0) {
            o->value = o->value - c->residual[i] + draw(probe, i) * o->sigma;
            bool magnitude = o->quantity == POF_QUANTITY_V || o->quantity == POF_QUANTITY_I;
            o->value = magnitude ? fabs(o->value) : o->value;
        }
    }
}

static int look(struct probing *p, const struct pof_observation *o, bool *state,
                struct pof_se_check *c, struct pof_err *err)
{
    enum pof_se_status status = POF_SE_DIVERGED;
    int rc = pof_se_solve(p->se, o, p->n, &status, err);
    *state = rc == 0 && status == POF_SE_CONVERGED;
    return *state ? pof_se_check(p->se, c, err) : rc;
}

/* Members are what is neither exact, nor critical, nor left out. */
static void list(struct probing *p, const struct pof_se_check *c, uint32_t *set)
{
    for (size_t i = 0; i < p->n; i++) {
        set[i] = c->critical[i] ? POF_SET_ALONE : POF_SET_NONE;
        if (c->normalised[i] != 0) {
            p->member[p->members++].at = (uint32_t)i;
        }
    }
}

static bool agree(const struct member *x, const struct member *y)
{
    bool same = true;
    for (int k = 0; k < PROBES; k++) {
        same = same && fabs(x->size[k] - y->size[k]) <= AGREE * fmax(x->size[k], y->size[k]);
    }
    return same;
}

/* Neighbours in the order of sizes that agree. */
static void number(struct probing *p, uint32_t *set)
{
    uint32_t next = POF_SET_ALONE;
    for (size_t i = 0; i < p->members;) {
        size_t end = i + 1;
        while (end < p->members && agree(&p->member[end - 1], &p->member[end])) {
            end++;
        }
        next += end - i > 1;
        for (size_t k = i; end - i > 1 && k < end; k++) {
            set[p->member[k].at] = next;
        }
        i = end;
    }
}

static int probe(struct probing *p, uint32_t *set, struct pof_err *err)
{
    struct pof_se_check c;
    bool state = false;
    int rc = look(p, p->seen, &state, &c, err);
    for (uint64_t k = 0; rc == 0 && state && k < PROBES; k++) {
        redraw(p, &c, k);
        rc = look(p, p->drawn, &state, &c, err);
        if (rc != 0 || !state) {
            break;
        }
        if (k == 0) {
            list(p, &c, set);
        }
        for (size_t i = 0; i < p->members; i++) {
            p->member[i].size[k] = fabs(c.normalised[p->member[i].at]);
        }
        /* the next errors are added to what was drawn, less its residuals: the same place */
        p->seen = p->drawn;
    }
    if (rc == 0 && state && p->members > 0) {
        qsort(p->member, p->members, sizeof *p->member, by_size);
        number(p, set);
    }
    return rc;
}

int pof_se_critical_sets(const struct pof_grid *grid, const struct pof_observation *observations,
                         size_t n, uint32_t *set, struct pof_err *err)
{
    struct probing p = {.seen = observations, .n = n};
    if (n > 0) {
        memset(set, 0, n * sizeof *set);
    }
    int rc = pof_calloc(&p.drawn, n, sizeof *p.drawn, err);
    rc = rc == 0 ? pof_calloc(&p.member, n, sizeof *p.member, err) : rc;
    rc = rc == 0 ? pof_se_new(&p.se, grid, NULL, err) : rc;
    rc = rc == 0 ? probe(&p, set, err) : rc;
    pof_se_free(p.se);
    free(p.member);
    free(p.drawn);
    return rc;
}
