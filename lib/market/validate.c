/* SPDX-License-Identifier: Apache-2.0 */
/* Awards of a session into verdicts. */
#include "market/validate.h"

#include "base/par.h"
#include "grid/batch.h"
#include "market/validate_impl.h"
#include "num/time.h"
#include "num/units.h"

#include <stdlib.h>
#include <string.h>

/* A text in the arena; that of the award before where it is the same. */
static int keep(struct pof_validate *v, struct pof_text *t, const struct pof_text *last,
                struct pof_err *err)
{
    if (last && pof_text_eq(*t, *last)) {
        *t = *last;
        return 0;
    }
    t->ptr = pof_arena_text(&v->arena, t->ptr, t->len, err);
    return t->ptr ? 0 : POF_E_NOMEM;
}

int pof_validate_take(struct pof_validate *v, const struct pof_award *award, struct pof_err *err)
{
    if (award->duration_s != POF_QUARTER_S || award->start % POF_QUARTER_S != 0) {
        pof_fail(err, POF_E_RANGE, "an award is for one quarter-hour of %d s, from its begin",
                 POF_QUARTER_S);
        return pof_at(err, NULL, 0, award->start % POF_QUARTER_S ? "start" : "duration_s");
    }
    int rc = pof_grow(&v->award, &v->cap, v->n + 1, sizeof *v->award, err);
    if (rc) {
        return rc;
    }
    struct pof_validate_award x = {.id = award->id,
                                   .session = award->session,
                                   .pod = award->pod,
                                   .node = award->node,
                                   .node_id = POF_NONE,
                                   .role = award->role,
                                   .direction = award->direction,
                                   .start = award->start,
                                   .p_w = award->p_w,
                                   .price_ueur_mwh = award->price_ueur_mwh};
    const struct pof_validate_award *last = v->n ? &v->award[v->n - 1] : NULL;
    rc = keep(v, &x.id, NULL, err);
    rc = rc ? rc : keep(v, &x.session, last ? &last->session : NULL, err);
    rc = rc ? rc : keep(v, &x.pod, NULL, err);
    rc = rc ? rc : keep(v, &x.node, last ? &last->node : NULL, err);
    if (rc == 0) {
        v->award[v->n++] = x;
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

static int by_start(const void *a, const void *b)
{
    const struct pof_validate_award *x = a;
    const struct pof_validate_award *y = b;
    return x->start != y->start ? (x->start > y->start ? 1 : -1) : pof_text_cmp(x->id, y->id);
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

/* Names the least of the ids given twice: the same for any order of input. */
static int check_ids(const struct pof_validate *v, struct pof_err *err)
{
    struct pof_names ids = {0};
    const struct pof_text *twice = NULL;
    int rc = pof_names_reserve(&ids, v->n, err);
    for (size_t i = 0; rc == 0 && i < v->n; i++) {
        uint32_t id;
        uint32_t before = (uint32_t)ids.n;
        rc = pof_names_add(&ids, v->award[i].id, &id, err);
        if (rc == 0 && ids.n == before && (!twice || pof_text_cmp(v->award[i].id, *twice) < 0)) {
            twice = &v->award[i].id;
        }
    }
    pof_names_release(&ids);
    if (rc == 0 && twice) {
        return pof_fail(err, POF_E_DUPLICATE, "award '%.*s' is given twice", (int)twice->len,
                        twice->ptr);
    }
    return rc;
}

static bool sorted(const struct pof_validate *v)
{
    for (size_t i = 1; i < v->n; i++) {
        if (by_start(&v->award[i - 1], &v->award[i]) > 0) {
            return false;
        }
    }
    return true;
}

static int place_awards(struct pof_validate *v, const struct pof_forecast *f, struct pof_err *err)
{
    if (v->n && !sorted(v)) {
        qsort(v->award, v->n, sizeof *v->award, by_start);
    }
    int rc = check_ids(v, err);
    for (size_t i = 0; rc == 0 && i < v->n; i++) {
        rc = place_award(&v->award[i], f, err);
    }
    return rc;
}

/* --- quarter-hours --- */

struct job {
    struct checking checking;
    struct desk *desk; /* [threads] */
    unsigned threads;
    struct stretch *stretch;
    size_t stretches;
    size_t *suspect; /* [suspects] stretches to be looked at closely */
    size_t suspects;
    double *p_w, *q_var; /* [stretches * nodes] with all awards */
};

static int view_init(struct view *v, const struct pof_grid *grid, struct pof_err *err)
{
    size_t nodes = grid->nodes, branches = grid->branches;
    int rc = pof_pf_new(&v->pf, grid, &(struct pof_pf_options){0}, err);
    rc = rc ? rc : pof_calloc(&v->least_v, nodes, sizeof *v->least_v, err);
    rc = rc ? rc : pof_calloc(&v->most_v, nodes, sizeof *v->most_v, err);
    rc = rc ? rc : pof_calloc(&v->v_before, nodes, sizeof *v->v_before, err);
    rc = rc ? rc : pof_calloc(&v->most_loading, branches, sizeof *v->most_loading, err);
    return rc ? rc : pof_calloc(&v->loading_before, branches, sizeof *v->loading_before, err);
}

static void view_release(struct view *v)
{
    pof_pf_free(v->pf);
    pof_sens_free(v->sens);
    free(v->least_v);
    free(v->most_v);
    free(v->v_before);
    free(v->most_loading);
    free(v->loading_before);
}

static int desk_init(struct desk *d, const struct checking *c, struct pof_err *err)
{
    size_t nodes = c->grid->nodes;
    int rc = pof_calloc(&d->view, c->cases, sizeof *d->view, err);
    rc = rc ? rc : pof_calloc(&d->p_w, nodes, sizeof *d->p_w, err);
    rc = rc ? rc : pof_calloc(&d->tried, nodes, sizeof *d->tried, err);
    rc = rc ? rc : pof_calloc(&d->by_w, nodes, sizeof *d->by_w, err);
    rc = rc ? rc : pof_calloc(&d->by_var, nodes, sizeof *d->by_var, err);
    for (uint32_t i = 0; rc == 0 && i < c->cases; i++) {
        rc = view_init(&d->view[i], &c->grid[i], err);
    }
    return rc;
}

static void desk_release(struct desk *d, uint32_t cases)
{
    for (uint32_t i = 0; d->view && i < cases; i++) {
        view_release(&d->view[i]);
    }
    free(d->view);
    free(d->p_w);
    free(d->tried);
    free(d->by_w);
    free(d->by_var);
    free(d->standing);
    free(d->order);
    free(d->row);
    free(d->a);
    free(d->need);
    free(d->price);
    free(d->cost);
    free(d->most);
    free(d->amount);
    free(d->best);
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

/* Copies that share all but their branches. */
static int make_cases(struct checking *c, const struct pof_grid *grid, struct pof_err *err)
{
    const struct pof_validate_options *o = c->options;
    c->cases = 1 + o->outages;
    int rc = pof_calloc(&c->grid, c->cases, sizeof *c->grid, err);
    for (uint32_t i = 0; rc == 0 && i < c->cases; i++) {
        c->grid[i] = *grid;
        if (i == 0) {
            continue;
        }
        c->grid[i].branch = NULL;
        rc = pof_calloc(&c->grid[i].branch, grid->branches, sizeof *grid->branch, err);
        if (rc == 0) {
            memcpy(c->grid[i].branch, grid->branch, grid->branches * sizeof *grid->branch);
            c->grid[i].branch[o->outage[i - 1]].closed = false;
        }
    }
    return rc;
}

static int load_all(struct job *j, struct pof_err *err)
{
    const struct checking *c = &j->checking;
    size_t nodes = c->grid->nodes, all = j->stretches * nodes;
    int rc = pof_calloc(&j->p_w, all, sizeof *j->p_w, err);
    rc = rc ? rc : pof_calloc(&j->q_var, all, sizeof *j->q_var, err);
    for (size_t i = 0; rc == 0 && i < j->stretches; i++) {
        const struct stretch *s = &j->stretch[i];
        double *p_w = j->p_w + i * nodes;
        memcpy(p_w, c->forecast->p_w + s->quarter * nodes, nodes * sizeof *p_w);
        memcpy(j->q_var + i * nodes, c->forecast->q_var + s->quarter * nodes, nodes * sizeof *p_w);
        for (size_t k = s->first; k < s->end; k++) {
            p_w[c->award[k].node_id] += pofi_sign_of(&c->award[k]) * (double)c->award[k].p_w;
        }
    }
    return rc;
}

/* --- all quarter-hours with all awards --- */

/* An award where no closed branch leads could be delivered by nobody. */
static int check_connected(const struct job *j, const struct stretch *s,
                           const struct pof_pf_result *r, struct pof_err *err)
{
    for (size_t i = s->first; i < s->end; i++) {
        const struct pof_validate_award *a = &j->checking.award[i];
        if (r->v_pu[a->node_id] <= 0) {
            return pof_fail(err, POF_E_TOPOLOGY,
                            "award '%.*s' is at node '%.*s', which no closed branch connects",
                            (int)a->id.len, a->id.ptr, (int)a->node.len, a->node.ptr);
        }
    }
    return 0;
}

struct screen {
    struct job *job;
    uint32_t in;
};

static int on_solved(void *ctx, const struct pof_solved *solved, struct pof_err *err)
{
    const struct screen *screen = ctx;
    struct stretch *s = &screen->job->stretch[solved->i];
    if (solved->status != POF_PF_CONVERGED) {
        s->suspect = true;
        return 0;
    }
    s->suspect |= pofi_check_violated(&screen->job->checking, screen->in, &solved->result);
    s->violated = s->suspect;
    return screen->in ? 0 : check_connected(screen->job, s, &solved->result, err);
}

/* Quarter-hours side by side, through grid/batch.h; most have no violation and are done then. */
static int screen_all(struct job *j, struct pof_err *err)
{
    int rc = load_all(j, err);
    for (uint32_t in = 0; rc == 0 && in < j->checking.cases; in++) {
        struct screen screen = {j, in};
        const struct pof_batch batch = {.n = (uint32_t)j->stretches,
                                        .p_w = j->p_w,
                                        .q_var = j->q_var,
                                        .threads = j->threads};
        rc = pof_batch_run(&j->checking.grid[in], &(struct pof_pf_options){0}, &batch,
                           &(struct pof_case_taker){on_solved, &screen}, err);
    }
    rc = rc ? rc : pof_calloc(&j->suspect, j->stretches, sizeof *j->suspect, err);
    for (size_t i = 0; rc == 0 && i < j->stretches; i++) {
        if (j->stretch[i].suspect) {
            j->suspect[j->suspects++] = i;
        }
    }
    return rc;
}

/* --- those with violations --- */

static int job_init(struct job *j, const struct pof_validate *v, const struct pof_grid *grid,
                    struct pof_err *err)
{
    struct checking *c = &j->checking;
    j->threads = c->options->threads ? c->options->threads : 1;
    int rc = make_cases(c, grid, err);
    rc = rc ? rc : cut_stretches(j, v, err);
    rc = rc || j->stretches == 0 ? rc : screen_all(j, err);
    if (rc || j->suspects == 0) {
        return rc;
    }
    rc = pof_calloc(&j->desk, j->threads, sizeof *j->desk, err);
    for (unsigned i = 0; rc == 0 && i < j->threads; i++) {
        rc = desk_init(&j->desk[i], c, err);
    }
    return rc;
}

static void job_release(struct job *j)
{
    for (unsigned i = 0; j->desk && i < j->threads; i++) {
        desk_release(&j->desk[i], j->checking.cases);
    }
    for (uint32_t i = 1; j->checking.grid && i < j->checking.cases; i++) {
        free(j->checking.grid[i].branch);
    }
    free(j->checking.grid);
    free(j->desk);
    free(j->stretch);
    free(j->suspect);
    free(j->p_w);
    free(j->q_var);
}

static int work(void *ctx, unsigned worker, size_t i, struct pof_err *err)
{
    struct job *j = ctx;
    return pofi_check_quarter(&j->checking, &j->desk[worker], &j->stretch[j->suspect[i]], err);
}

static void accept_rest(struct pof_validate *v, const struct job *j)
{
    for (size_t i = 0; i < j->stretches; i++) {
        for (size_t k = j->stretch[i].first; k < j->stretch[i].end && !j->stretch[i].suspect; k++) {
            v->verdict[k] = (struct pof_verdict){.award = v->award[k].id,
                                                 .decision = POF_DECISION_ACCEPT,
                                                 .p_w = v->award[k].p_w};
        }
    }
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
        v->counts.quarters_emptied += j->stretch[i].everything;
    }
    return rc;
}

int pof_validate_run(struct pof_validate *v, const struct pof_forecast *f,
                     const struct pof_grid *grid, const struct pof_validate_options *options,
                     struct pof_err *err)
{
    struct job j = {.checking = {.forecast = f, .options = options}};
    int rc = place_awards(v, f, err);
    rc = rc ? rc : pof_calloc(&v->verdict, v->n, sizeof *v->verdict, err);
    j.checking.award = v->award;
    j.checking.verdict = v->verdict;
    rc = rc ? rc : job_init(&j, v, grid, err);
    rc = rc ? rc : pof_parallel(j.suspects, j.threads, work, &j, err);
    if (rc == 0) {
        accept_rest(v, &j);
        rc = count(v, &j, err);
    }
    job_release(&j);
    return rc;
}
