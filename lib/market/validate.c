/* SPDX-License-Identifier: Apache-2.0 */
/* Awards of a session into verdicts. */
#include "market/validate.h"

#include "base/par.h"
#include "market/validate_impl.h"
#include "num/time.h"
#include "num/units.h"

#include <stdlib.h>

int pof_validate_take(struct pof_validate *v, const struct pof_award *award, struct pof_err *err)
{
    if (award->duration_s != POF_QUARTER_S || award->start % POF_QUARTER_S != 0) {
        pof_fail(err, POF_E_RANGE, "an award is for one quarter-hour of %d s, from its begin",
                 POF_QUARTER_S);
        return pof_at(err, NULL, 0, award->start % POF_QUARTER_S ? "start" : "duration_s");
    }
    struct pof_award copy;
    int rc = pof_grow(&v->award, &v->cap, v->n + 1, sizeof *v->award, err);
    rc = rc ? rc : pof_record_copy(POF_award, award, &copy, &v->arena, err);
    if (rc == 0) {
        v->award[v->n++] = (struct pof_validate_award){.id = copy.id,
                                                       .session = copy.session,
                                                       .pod = copy.pod,
                                                       .node = copy.node,
                                                       .node_id = POF_NONE,
                                                       .role = copy.role,
                                                       .direction = copy.direction,
                                                       .start = copy.start,
                                                       .p_w = copy.p_w,
                                                       .price_ueur_mwh = copy.price_ueur_mwh};
    }
    return rc;
}

void pof_validate_release(struct pof_validate *v)
{
    free(v->award);
    free(v->verdict);
    pof_arena_release(&v->arena);
    *v = (struct pof_validate){0};
}

/* --- awards that fit the session --- */

static int by_id(const void *a, const void *b)
{
    const struct pof_validate_award *x = a;
    const struct pof_validate_award *y = b;
    return pof_text_cmp(x->id, y->id);
}

static int by_start(const void *a, const void *b)
{
    const struct pof_validate_award *x = a;
    const struct pof_validate_award *y = b;
    return x->start != y->start ? (x->start > y->start ? 1 : -1) : by_id(a, b);
}

static int place_award(struct pof_validate_award *a, const struct pof_forecast *f,
                       struct pof_err *err)
{
    int len = (int)a->id.len;
    const char *id = a->id.ptr;
    if (!pof_text_eq(a->session, f->session.id)) {
        return pof_fail(err, POF_E_CONFLICT, "award '%.*s' is of session '%.*s', not '%.*s'", len,
                        id, (int)a->session.len, a->session.ptr, (int)f->session.id.len,
                        f->session.id.ptr);
    }
    if (a->start < f->session.start || a->start >= f->session.end) {
        char text[POF_INSTANT_MAX + 1];
        text[pof_instant_format(a->start, text)] = '\0';
        return pof_fail(err, POF_E_RANGE, "award '%.*s' begins at %s, outside the session's window",
                        len, id, text);
    }
    uint32_t pod = pof_forecast_find(f, a->pod);
    if (pod == POF_NONE) {
        return pof_fail(err, POF_E_REFERENCE,
                        "award '%.*s' is of pod '%.*s', which no pod record registers", len, id,
                        (int)a->pod.len, a->pod.ptr);
    }
    if (!pof_text_eq(f->pod[pod].node, a->node)) {
        return pof_fail(err, POF_E_CONFLICT, "award '%.*s' names node '%.*s', its pod is at '%.*s'",
                        len, id, (int)a->node.len, a->node.ptr, (int)f->pod[pod].node.len,
                        f->pod[pod].node.ptr);
    }
    a->node_id = f->pod[pod].node_id;
    return 0;
}

static int place_awards(struct pof_validate *v, const struct pof_forecast *f, struct pof_err *err)
{
    if (v->n == 0) {
        return 0;
    }
    int rc = 0;
    qsort(v->award, v->n, sizeof *v->award, by_id);
    for (size_t i = 0; rc == 0 && i < v->n; i++) {
        if (i && pof_text_eq(v->award[i].id, v->award[i - 1].id)) {
            return pof_fail(err, POF_E_DUPLICATE, "award '%.*s' is given twice",
                            (int)v->award[i].id.len, v->award[i].id.ptr);
        }
        rc = place_award(&v->award[i], f, err);
    }
    qsort(v->award, v->n, sizeof *v->award, by_start);
    return rc;
}

/* --- quarter-hours --- */

struct job {
    struct checking checking;
    struct desk *desk; /* [threads] */
    unsigned threads;
    struct stretch *stretch;
    size_t stretches;
};

static int desk_init(struct desk *d, const struct pof_grid *grid, struct pof_err *err)
{
    size_t nodes = grid->nodes;
    size_t branches = grid->branches;
    int rc = pof_pf_new(&d->pf, grid, &(struct pof_pf_options){0}, err);
    rc = rc ? rc : pof_calloc(&d->p_w, nodes, sizeof *d->p_w, err);
    rc = rc ? rc : pof_calloc(&d->tried, nodes, sizeof *d->tried, err);
    rc = rc ? rc : pof_calloc(&d->effect, nodes, sizeof *d->effect, err);
    rc = rc ? rc : pof_calloc(&d->least_v, nodes, sizeof *d->least_v, err);
    rc = rc ? rc : pof_calloc(&d->most_v, nodes, sizeof *d->most_v, err);
    rc = rc ? rc : pof_calloc(&d->v_before, nodes, sizeof *d->v_before, err);
    rc = rc ? rc : pof_calloc(&d->most_loading, branches, sizeof *d->most_loading, err);
    return rc ? rc : pof_calloc(&d->loading_before, branches, sizeof *d->loading_before, err);
}

static void desk_release(struct desk *d)
{
    pof_pf_free(d->pf);
    free(d->p_w);
    free(d->tried);
    free(d->effect);
    free(d->least_v);
    free(d->most_v);
    free(d->v_before);
    free(d->most_loading);
    free(d->loading_before);
    free(d->standing);
    free(d->order);
}

/* Sorted awards into runs of equal start. */
static int cut_stretches(struct job *j, const struct pof_validate *v, struct pof_err *err)
{
    const struct pof_forecast *f = j->checking.forecast;
    int rc = pof_calloc(&j->stretch, f->quarters, sizeof *j->stretch, err);
    for (size_t i = 0; rc == 0 && i < v->n; i++) {
        if (i == 0 || v->award[i].start != v->award[i - 1].start) {
            int64_t quarter = (v->award[i].start - f->session.start) / POF_QUARTER_S;
            j->stretch[j->stretches++] = (struct stretch){.quarter = (uint32_t)quarter, .first = i};
        }
        j->stretch[j->stretches - 1].end = i + 1;
    }
    return rc;
}

/* A grid that is no tree is checked too, with effects from power flows. */
static int find_shape(struct checking *c, struct pof_err *err)
{
    struct pof_err shape = {0};
    int rc = pof_feeder_init(&c->feeder, c->grid, &shape);
    c->radial = rc == 0;
    if (rc && rc != POF_E_TOPOLOGY) {
        *err = shape;
        return rc;
    }
    return 0;
}

static int job_init(struct job *j, const struct pof_validate *v, struct pof_err *err)
{
    struct checking *c = &j->checking;
    j->threads = c->options->threads ? c->options->threads : 1;
    int rc = find_shape(c, err);
    rc = rc ? rc : cut_stretches(j, v, err);
    rc = rc ? rc : pof_calloc(&j->desk, j->threads, sizeof *j->desk, err);
    for (unsigned i = 0; rc == 0 && i < j->threads; i++) {
        rc = desk_init(&j->desk[i], c->grid, err);
    }
    return rc;
}

static void job_release(struct job *j)
{
    for (unsigned i = 0; j->desk && i < j->threads; i++) {
        desk_release(&j->desk[i]);
    }
    free(j->desk);
    free(j->stretch);
    pof_feeder_release(&j->checking.feeder);
}

static int work(void *ctx, unsigned worker, size_t i, struct pof_err *err)
{
    struct job *j = ctx;
    return pofi_check_quarter(&j->checking, &j->desk[worker], &j->stretch[i], err);
}

static int count(struct pof_validate *v, const struct job *j, struct pof_err *err)
{
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < v->n; i++) {
        uint64_t *of[] = {[POF_DECISION_ACCEPT] = &v->counts.accepted,
                          [POF_DECISION_CURTAIL] = &v->counts.curtailed,
                          [POF_DECISION_REJECT] = &v->counts.rejected};
        ++*of[v->verdict[i].decision];
        rc = pof_add(&v->counts.awarded_w, v->award[i].p_w, err);
        rc = rc ? rc : pof_add(&v->counts.allowed_w, v->verdict[i].p_w, err);
    }
    for (size_t i = 0; i < j->stretches; i++) {
        v->counts.quarters_violated += j->stretch[i].violated;
        v->counts.quarters_diverged += j->stretch[i].diverged;
    }
    return rc;
}

int pof_validate_run(struct pof_validate *v, const struct pof_forecast *f,
                     const struct pof_grid *grid, const struct pof_validate_options *options,
                     struct pof_err *err)
{
    struct job j = {.checking = {.forecast = f, .grid = grid, .options = options}};
    int rc = place_awards(v, f, err);
    rc = rc ? rc : pof_calloc(&v->verdict, v->n, sizeof *v->verdict, err);
    j.checking.award = v->award;
    j.checking.verdict = v->verdict;
    rc = rc ? rc : job_init(&j, v, err);
    rc = rc ? rc : pof_parallel(j.stretches, j.threads, work, &j, err);
    rc = rc ? rc : count(v, &j, err);
    job_release(&j);
    return rc;
}
