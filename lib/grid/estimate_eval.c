/* SPDX-License-Identifier: Apache-2.0 */
#include "grid/estimate_eval.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define FULL_TURN (2 * 3.14159265358979323846)
/* Below this current (p.u.) its direction is noise: it gets no gradient. */
#define CURRENT_MIN 1e-9

#define LANES_TARGET
#define WIDTH 1
#define LANES(name) scalar_##name
#define lane lane_1
#define LANES_MORE lane_1_more
#include "grid/estimate_kernel.h"
#undef lane
#undef LANES_MORE
#undef LANES
#undef WIDTH
#define WIDTH LANES_WIDE
#define LANES(name) wide_##name
#define lane lane_4
#define LANES_MORE lane_4_more
#include "grid/estimate_kernel.h"
#undef LANES
#undef LANES_TARGET
#if LANES_HAVE_AVX2
#define LANES_TARGET LANES_AVX2
#define LANES(name) avx2_##name
#include "grid/estimate_kernel.h"
#undef LANES
#undef LANES_TARGET
#endif
#undef lane

void pofi_se_eval(const struct se_plan *p, const struct eval_lanes *l)
{
    scalar_eval(p, l);
}

void pofi_se_eval_wide(const struct se_plan *p, const struct eval_lanes *l)
{
#if LANES_HAVE_AVX2
    if (lanes_avx2()) {
        avx2_eval(p, l);
        return;
    }
#endif
    wide_eval(p, l);
}

void pofi_se_solve(const struct se_plan *p, const struct pof_ldl *ldl, const struct eval_lanes *l)
{
    pof_ldl_solve(ldl, l->rhs);
    scalar_complete(p, l);
}

void pofi_se_solve_wide(const struct se_plan *p, const struct pof_ldl *ldl,
                        const struct eval_lanes *l)
{
    pof_ldl_solve_lanes(ldl, l->rhs);
#if LANES_HAVE_AVX2
    if (lanes_avx2()) {
        avx2_complete(p, l);
        return;
    }
#endif
    wide_complete(p, l);
}

void pofi_se_step(const struct se_plan *p, const struct eval_lanes *l, double *size)
{
    scalar_step(p, l, size);
}

void pofi_se_step_wide(const struct se_plan *p, const struct eval_lanes *l, double *size)
{
#if LANES_HAVE_AVX2
    if (lanes_avx2()) {
        avx2_step(p, l, size);
        return;
    }
#endif
    wide_step(p, l, size);
}

/* --- plan --- */

/* First of the forms that are evaluated together with a row's; POF_NONE: none. */
static uint32_t base_form(const struct pof_se *se, const struct se_row *row)
{
    return row->place == POF_NONE ? POF_NONE : row->place - row->place % se->net.phases;
}

static bool at_node(const struct se_row *row)
{
    return row->quantity == POF_QUANTITY_V || row->quantity == POF_QUANTITY_ANGLE;
}

/* Counts what the plan holds. */
static void measure(const struct pof_se *se, struct se_plan *p, uint32_t *entries, uint32_t *terms)
{
    uint32_t last = POF_NONE;
    p->first_group_row = 0;
    *entries = *terms = 0;
    for (size_t i = 0; i < se->rows; i++) {
        const struct se_row *row = &se->row[i];
        uint32_t base = base_form(se, row);
        for (uint32_t k = 0; k < row->n; k++) {
            *terms += se->block[row->begin + k] >= se->net.nodes;
        }
        p->exacts += row->exact;
        if (at_node(row)) {
            p->first_group_row++;
        } else if (base == POF_NONE || base != last) {
            p->groups++;
            last = base;
            for (uint32_t k = 0; k < p->width && base != POF_NONE; k++) {
                *entries += se->forms.begin[base + k + 1] - se->forms.begin[base + k];
            }
        }
    }
}

static void plan_form(const struct pof_se *se, struct se_plan *p, uint32_t to, uint32_t from)
{
    const struct se_forms *f = &se->forms;
    uint32_t e = p->begin[to];
    p->at[to] = f->at[from];
    for (uint32_t k = f->begin[from]; k < f->begin[from + 1]; k++, e++) {
        p->entry[e] = (struct eval_entry){f->g[k], f->b[k], f->to[k]};
    }
    p->begin[to + 1] = e;
}

static void plan_row(const struct pof_se *se, struct se_plan *p, uint32_t i, uint32_t *terms)
{
    const struct se_row *row = &se->row[i];
    struct eval_row *to = &p->row[i];
    uint32_t q = row->quantity == POF_QUANTITY_Q;
    *to = (struct eval_row){.quantity = row->quantity, .exact = row->exact, .sign = row->sign};
    to->node = at_node(row) ? row->place : 0;
    to->which = (uint8_t)(row->place == POF_NONE ? 4
                          : row->forms == 3      ? 3
                                                 : row->place % se->net.phases);
    if (row->exact) {
        to->extra = 2 * p->order[row->extra / 2] + row->extra % 2;
    }
    to->tbegin = *terms;
    for (uint32_t k = 0; k < row->n; k++) {
        uint32_t b = se->block[row->begin + k];
        if (b >= se->net.nodes) {
            p->term[(*terms)++] =
                (struct eval_term){2 * (b - se->net.nodes) + q, 2 * p->order[b] + q,
                                   se->constant[2 * ((size_t)row->begin + k) + q]};
        }
    }
    to->tend = *terms;
}

static bool is_plain(const struct se_plan *p, const struct eval_group *g)
{
    const struct eval_row *row = &p->row[g->begin];
    return p->width == 1 && g->form != POF_NONE && g->end - g->begin == 2 &&
           row[0].quantity == POF_QUANTITY_P && row[1].quantity == POF_QUANTITY_Q &&
           row[0].exact == row[1].exact && row[0].tbegin == row[0].tend &&
           row[1].tbegin == row[1].tend;
}

static void fill(const struct pof_se *se, struct se_plan *p)
{
    uint32_t last = POF_NONE, groups = 0, forms = 0, terms = 0, exacts = 0;
    for (uint32_t i = 0; i < se->rows; i++) {
        const struct se_row *row = &se->row[i];
        uint32_t base = base_form(se, row);
        plan_row(se, p, i, &terms);
        if (row->exact) {
            p->exact[exacts++] = i;
        }
        if (at_node(row)) {
            continue;
        }
        if (base == POF_NONE || base != last) {
            last = base;
            p->group[groups] = (struct eval_group){base == POF_NONE ? POF_NONE : forms, i, i};
            for (uint32_t k = 0; k < p->width && base != POF_NONE; k++) {
                plan_form(se, p, forms++, base + k);
            }
            groups++;
        }
        p->group[groups - 1].end = i + 1;
    }
}

/* 0: weighted of two entries, 1: weighted, 2: exact; 3: not plain. */
static int kind_of(const struct se_plan *p, const struct eval_group *g)
{
    if (!is_plain(p, g)) {
        return 3;
    }
    return p->row[g->begin].exact ? 2 : p->begin[g->form + 1] - p->begin[g->form] == 2 ? 0 : 1;
}

/* Plain forms in their list, kind by kind; of the groups remain the others. */
static void part(struct se_plan *p)
{
    uint32_t *end[] = {&p->pairs, &p->weighted, &p->plains};
    uint32_t kept = 0;
    for (int kind = 0; kind < 3; kind++) {
        for (uint32_t k = 0; k < p->groups; k++) {
            const struct eval_group *g = &p->group[k];
            if (kind_of(p, g) != kind) {
                continue;
            }
            struct eval_plain *to = &p->plain[p->plains++];
            *to = (struct eval_plain){g->begin, p->at[g->form], p->begin[g->form],
                                      p->begin[g->form + 1]};
            for (uint32_t e = to->begin; e < to->end; e++) {
                p->entry[e].g *= p->row[to->row].sign;
                p->entry[e].b *= p->row[to->row].sign;
            }
        }
        *end[kind] = p->plains;
    }
    for (uint32_t k = 0; k < p->groups; k++) {
        if (kind_of(p, &p->group[k]) == 3) {
            p->group[kept++] = p->group[k];
        }
    }
    p->groups = kept;
}

static int list_clear(struct se_plan *p, struct pof_err *err)
{
    bool *set = NULL;
    int rc = pof_calloc(&set, p->unknowns, sizeof *set, err);
    rc = rc ? rc : pof_calloc(&p->clear, p->unknowns, sizeof *p->clear, err);
    for (uint32_t n = 0; rc == 0 && n < p->nodes; n++) {
        set[2 * p->order[n]] = set[2 * p->order[n] + 1] = true;
    }
    for (uint32_t k = 0; rc == 0 && k < p->exacts; k++) {
        set[p->row[p->exact[k]].extra] = true;
    }
    for (uint32_t k = 0; rc == 0 && k < p->unknowns; k++) {
        if (!set[k]) {
            p->clear[p->clears++] = k;
        }
    }
    free(set);
    return rc;
}

int pofi_se_plan_new(const struct pof_se *se, struct se_plan **out, struct pof_err *err)
{
    struct se_plan *p = NULL;
    uint32_t entries = 0, terms = 0;
    *out = NULL;
    int rc = pof_calloc(&p, 1, sizeof *p, err);
    if (rc) {
        return rc;
    }
    p->nodes = se->net.nodes;
    p->phases = p->width = se->net.phases;
    p->potentials = se->potentials;
    p->rows = (uint32_t)se->rows;
    p->unknowns = 2 * se->gain.blocks;
    p->order = pof_ldl_order(se->gain.ldl);
    measure(se, p, &entries, &terms);
    size_t forms = (size_t)p->groups * p->width;
    rc = pof_calloc(&p->row, p->rows, sizeof *p->row, err);
    rc = rc ? rc : pof_calloc(&p->exact, p->exacts, sizeof *p->exact, err);
    rc = rc ? rc : pof_calloc(&p->group, p->groups, sizeof *p->group, err);
    rc = rc ? rc : pof_calloc(&p->term, terms, sizeof *p->term, err);
    rc = rc ? rc : pof_calloc(&p->at, forms, sizeof *p->at, err);
    rc = rc ? rc : pof_calloc(&p->begin, forms + 1, sizeof *p->begin, err);
    rc = rc ? rc : pof_calloc(&p->entry, entries, sizeof *p->entry, err);
    rc = rc ? rc : pof_calloc(&p->plain, p->groups, sizeof *p->plain, err);
    if (rc == 0) {
        fill(se, p);
        part(p);
        pofi_se_plan_scale(se, p);
        rc = list_clear(p, err);
    }
    if (rc) {
        pofi_se_plan_free(p);
        return rc;
    }
    *out = p;
    return 0;
}

void pofi_se_plan_scale(const struct pof_se *se, struct se_plan *p)
{
    for (uint32_t i = 0; i < p->rows; i++) {
        p->row[i].scale = se->row[i].exact ? se->row[i].weight : 0;
        p->row[i].rho = pofi_se_rho(se, i);
    }
}

void pofi_se_plan_free(struct se_plan *p)
{
    if (!p) {
        return;
    }
    free(p->row);
    free(p->exact);
    free(p->group);
    free(p->term);
    free(p->at);
    free(p->begin);
    free(p->entry);
    free(p->plain);
    free(p->clear);
    free(p);
}

int pofi_se_lanes_new(const struct se_plan *p, struct eval_lanes *l, int width, struct pof_err *err)
{
    const struct {
        double **at;
        size_t n;
    } need[] = {{&l->v, 2 * (size_t)p->nodes},
                {&l->vm, p->nodes},
                {&l->x, 2 * (size_t)p->potentials},
                {&l->z, p->rows},
                {&l->w, p->rows},
                {&l->lambda, p->rows},
                {&l->rhs, p->unknowns},
                {&l->t, 2 * (size_t)p->nodes},
                {&l->r, p->rows},
                {&l->sums, EVAL_SUMS}};
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < sizeof need / sizeof need[0]; i++) {
        rc = pof_calloc(need[i].at, need[i].n * (size_t)width, sizeof **need[i].at, err);
    }
    return rc;
}

void pofi_se_lanes_free(struct eval_lanes *l)
{
    double *owned[] = {l->v, l->vm, l->x, l->z, l->w, l->lambda, l->rhs, l->t, l->r, l->sums};
    for (size_t i = 0; i < sizeof owned / sizeof owned[0]; i++) {
        free(owned[i]);
    }
    *l = (struct eval_lanes){0};
}
