/* SPDX-License-Identifier: Apache-2.0 */
/* Needs of quarter-hours into requests of a session. */
#include "market/request.h"

#include "base/par.h"
#include "market/request_impl.h"
#include "num/real.h"
#include "num/units.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { REQUEST_ID_MAX = 96, REASON_MAX = 200 }; /* records.def */

/* All quarter-hours in work. */
struct job {
    struct sizing sizing;
    struct bench *bench; /* [threads] */
    unsigned threads;
    struct quarter *quarter; /* [quarters] */
};

/* A need on its way to become a request. */
struct asked {
    uint32_t branch, quarter;
    int direction;
    int64_t p_w; /* with the enclosed ones */
    char reason[REASON_MAX + 1];
};

/* --- solving --- */

int pofi_bench_init(struct bench *b, const struct pof_grid *grid, struct pof_err *err)
{
    int rc = pof_pf_new(&b->pf, grid, &(struct pof_pf_options){0}, err);
    rc = rc ? rc : pof_calloc(&b->p_w, grid->nodes, sizeof *b->p_w, err);
    rc = rc ? rc : pof_calloc(&b->tried, grid->nodes, sizeof *b->tried, err);
    rc = rc ? rc : pof_calloc(&b->weight, grid->nodes, sizeof *b->weight, err);
    rc = rc ? rc : pof_calloc(&b->effect, grid->nodes, sizeof *b->effect, err);
    rc = rc ? rc : pof_calloc(&b->v_pu, grid->nodes, sizeof *b->v_pu, err);
    rc = rc ? rc : pof_calloc(&b->loading, grid->branches, sizeof *b->loading, err);
    rc = rc ? rc : pof_calloc(&b->given_up_node, grid->nodes, sizeof *b->given_up_node, err);
    return rc ? rc
              : pof_calloc(&b->given_up_branch, grid->branches, sizeof *b->given_up_branch, err);
}

void pofi_bench_release(struct bench *b)
{
    pof_pf_free(b->pf);
    free(b->p_w);
    free(b->tried);
    free(b->weight);
    free(b->effect);
    free(b->loading);
    free(b->v_pu);
    free(b->given_up_branch);
    free(b->given_up_node);
}

static int work(void *ctx, unsigned worker, size_t quarter, struct pof_err *err)
{
    struct job *j = ctx;
    return pofi_size_quarter(&j->sizing, &j->bench[worker], (uint32_t)quarter, &j->quarter[quarter],
                             err);
}

static int job_init(struct job *j, struct pof_err *err)
{
    struct sizing *s = &j->sizing;
    const struct pof_forecast *f = s->forecast;
    j->threads = s->options->threads ? s->options->threads : 1;
    int rc = pof_feeder_init(&s->feeder, s->grid, err);
    rc = rc ? rc : pof_calloc(&j->quarter, f->quarters, sizeof *j->quarter, err);
    rc = rc ? rc : pof_calloc(&j->bench, j->threads, sizeof *j->bench, err);
    for (int d = POF_UP; rc == 0 && d <= POF_DOWN; d++) {
        rc = pof_calloc(&s->flexible_w[d], s->grid->nodes, sizeof *s->flexible_w[d], err);
    }
    for (unsigned i = 0; rc == 0 && i < j->threads; i++) {
        rc = pofi_bench_init(&j->bench[i], s->grid, err);
    }
    for (uint32_t i = 0; rc == 0 && i < f->pods; i++) {
        s->flexible_w[POF_UP][f->pod[i].node_id] += (double)f->pod[i].p_up_max_w;
        s->flexible_w[POF_DOWN][f->pod[i].node_id] += (double)f->pod[i].p_down_max_w;
    }
    return rc;
}

static void job_release(struct job *j)
{
    for (uint32_t i = 0; j->quarter && i < j->sizing.forecast->quarters; i++) {
        free(j->quarter[i].need);
        free(j->quarter[i].trouble);
    }
    for (unsigned i = 0; j->bench && i < j->threads; i++) {
        pofi_bench_release(&j->bench[i]);
    }
    free(j->quarter);
    free(j->bench);
    free(j->sizing.flexible_w[POF_UP]);
    free(j->sizing.flexible_w[POF_DOWN]);
    pof_feeder_release(&j->sizing.feeder);
}

/* --- words --- */

/* Places as the grid's record and limits as percent or p.u.; figures rounded for people. */
static void say_why(const struct pof_grid *grid, const struct need *n, char *to)
{
    char limit[POF_REAL_MAX + 1];
    bool loading = n->kind == POF_VIOLATION_LOADING;
    double shown = loading ? round(n->limit * 1e6) / 1e4 : n->limit; /* percent, four decimals */
    limit[pof_real_format(shown, limit)] = '\0';
    struct pof_text name = loading ? grid->branch[n->element].name : grid->node[n->element].name;
    int len;
    if (loading) {
        len = snprintf(to, REASON_MAX + 1, "branch %.*s loading %.1f %%, limit %s %%",
                       (int)name.len, name.ptr, n->value * 100, limit);
    } else {
        len = snprintf(to, REASON_MAX + 1, "node %.*s voltage %.4f p.u., limit %s p.u.",
                       (int)name.len, name.ptr, n->value, limit);
    }
    if (n->more) {
        snprintf(to + len, (size_t)(REASON_MAX + 1 - len), "; and %u more", n->more);
    }
}

/* --- requests --- */

/* What must change below a branch in all: its own part and those enclosed, opposite ones against
 * it, since pof-clear counts the net activation of an area. Where that leaves nothing the own part
 * is asked for, which is more than enough. */
static int whole_need(const struct sizing *s, const struct quarter *q, const struct need *n,
                      int64_t *p_w, struct pof_err *err)
{
    int rc = 0;
    *p_w = 0;
    for (size_t i = 0; rc == 0 && i < q->needs; i++) {
        const struct need *o = &q->need[i];
        /* Needs of opposite sides of the forecast's error do not come together. */
        bool together = o->direction == n->direction || !s->options->deviation_w;
        if (together && pof_feeder_feeds(&s->feeder, n->branch, s->feeder.child[o->branch])) {
            rc = pof_add(p_w, o->direction == n->direction ? o->p_w : -o->p_w, err);
        }
    }
    *p_w = *p_w > 0 ? *p_w : n->p_w;
    return rc;
}

static int collect(const struct job *j, struct asked **asked, size_t *n, struct pof_err *err)
{
    const struct pof_forecast *f = j->sizing.forecast;
    size_t total = 0;
    for (uint32_t q = 0; q < f->quarters; q++) {
        total += j->quarter[q].needs;
    }
    int rc = pof_calloc(asked, total, sizeof **asked, err);
    *n = 0;
    for (uint32_t q = 0; rc == 0 && q < f->quarters; q++) {
        for (size_t i = 0; rc == 0 && i < j->quarter[q].needs; i++) {
            const struct need *need = &j->quarter[q].need[i];
            struct asked *a = &(*asked)[(*n)++];
            *a = (struct asked){.branch = need->branch, .quarter = q, .direction = need->direction};
            rc = whole_need(&j->sizing, &j->quarter[q], need, &a->p_w, err);
            say_why(j->sizing.grid, need, a->reason);
        }
    }
    return rc;
}

/* A need and the name it is sorted by. */
struct ranked {
    struct pof_text branch;
    const struct asked *asked;
};

static int by_branch(const void *a, const void *b)
{
    const struct ranked *x = a;
    const struct ranked *y = b;
    int c = pof_text_cmp(x->branch, y->branch);
    if (c == 0) {
        c = x->asked->direction - y->asked->direction;
    }
    if (c == 0) {
        c = (x->asked->quarter > y->asked->quarter) - (x->asked->quarter < y->asked->quarter);
    }
    return c;
}

/* May b be one request with a, which ends where b begins? */
static bool continues(const struct asked *a, uint32_t end, const struct asked *b)
{
    return b->branch == a->branch && b->direction == a->direction && b->quarter == end &&
           b->p_w == a->p_w && strcmp(b->reason, a->reason) == 0;
}

static int make_id(struct pof_requests *r, const struct pof_forecast *f, const struct asked *a,
                   struct pof_request *request, struct pof_err *err)
{
    char id[REQUEST_ID_MAX + 1];
    char stamp[POF_STAMP_MAX];
    pof_forecast_stamp(f, a->quarter, stamp);
    int n =
        snprintf(id, sizeof id, "%.*s-%.*s-%.*s-%s-%s", (int)request->buyer.len, request->buyer.ptr,
                 (int)request->session.len, request->session.ptr, (int)request->branch.len,
                 request->branch.ptr, a->direction == POF_UP ? "up" : "down", stamp);
    if (n > REQUEST_ID_MAX) {
        return pof_fail(err, POF_E_TOO_LONG,
                        "the names of buyer, session and branch '%.*s' make a request id of %d "
                        "bytes, at most %d are allowed",
                        (int)request->branch.len, request->branch.ptr, n, REQUEST_ID_MAX);
    }
    char *kept = pof_arena_text(&r->arena, id, (size_t)n, err);
    request->id = (struct pof_text){kept, (size_t)n};
    return kept ? 0 : POF_E_NOMEM;
}

static int make_request(struct pof_requests *r, const struct job *j, const struct asked *a,
                        uint32_t end, struct pof_err *err)
{
    const struct pof_request_options *o = j->sizing.options;
    const struct pof_forecast *f = j->sizing.forecast;
    struct pof_request request = {.session = f->session.id,
                                  .buyer = pof_text(o->buyer),
                                  .role = POF_ROLE_DSO,
                                  .branch = j->sizing.grid->branch[a->branch].name,
                                  .direction = a->direction,
                                  .start = pof_forecast_instant(f, a->quarter),
                                  .end = pof_forecast_instant(f, end),
                                  .p_w = a->p_w};
    POF_SET(&request, request, branch);
    if (o->has_price_limit) {
        POF_SET(&request, request, price_limit_ueur_mwh);
        request.price_limit_ueur_mwh = o->price_limit_ueur_mwh;
    }
    char *reason = pof_arena_text(&r->arena, a->reason, strlen(a->reason), err);
    if (!reason) {
        return POF_E_NOMEM;
    }
    POF_SET(&request, request, reason);
    request.reason = pof_text(reason);
    int rc = make_id(r, f, a, &request, err);
    if (rc == 0) {
        r->request[r->n++] = request;
    }
    return rc;
}

static int make_all(struct pof_requests *r, const struct job *j, const struct asked *asked,
                    size_t n, struct pof_err *err)
{
    struct ranked *rank = NULL;
    int rc = pof_calloc(&rank, n, sizeof *rank, err);
    rc = rc ? rc : pof_calloc(&r->request, n, sizeof *r->request, err);
    for (size_t i = 0; rc == 0 && i < n; i++) {
        rank[i] = (struct ranked){j->sizing.grid->branch[asked[i].branch].name, &asked[i]};
    }
    if (rc == 0) {
        qsort(rank, n, sizeof *rank, by_branch);
    }
    for (size_t i = 0, next; rc == 0 && i < n; i = next) {
        uint32_t end = rank[i].asked->quarter + 1;
        for (next = i + 1; next < n && continues(rank[i].asked, end, rank[next].asked); next++) {
            end++;
        }
        rc = make_request(r, j, rank[i].asked, end, err);
    }
    free(rank);
    return rc;
}

static int keep_troubles(struct pof_requests *r, const struct job *j, struct pof_err *err)
{
    size_t cap = 0;
    int rc = 0;
    for (uint32_t q = 0; rc == 0 && q < j->sizing.forecast->quarters; q++) {
        const struct quarter *quarter = &j->quarter[q];
        r->violations += quarter->violations;
        r->quarters_violated += quarter->violations > 0;
        rc = pof_grow(&r->trouble, &cap, r->troubles + quarter->troubles, sizeof *r->trouble, err);
        for (size_t i = 0; rc == 0 && i < quarter->troubles; i++) {
            r->trouble[r->troubles++] = quarter->trouble[i];
        }
    }
    return rc;
}

static uint32_t count_dead(const struct sizing *s)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < s->forecast->pods; i++) {
        n += s->feeder.place[s->forecast->pod[i].node_id] == POF_NONE;
    }
    return n;
}

static int assemble(struct pof_requests *r, const struct job *j, struct pof_err *err)
{
    r->dead_pods = count_dead(&j->sizing);
    struct asked *asked = NULL;
    size_t n;
    int rc = collect(j, &asked, &n, err);
    rc = rc ? rc : make_all(r, j, asked, n, err);
    free(asked);
    return rc ? rc : keep_troubles(r, j, err);
}

int pof_requests_make(struct pof_requests *r, const struct pof_forecast *f,
                      const struct pof_grid *grid, const struct pof_request_options *options,
                      struct pof_err *err)
{
    struct job j = {.sizing = {.forecast = f, .grid = grid, .options = options}};
    size_t cells = (size_t)f->quarters * grid->branches;
    int rc = 0;
    *r = (struct pof_requests){0};
    if (options->limits) {
        rc = pof_calloc(&r->room_up_w, cells, sizeof *r->room_up_w, err);
        rc = rc ? rc : pof_calloc(&r->room_down_w, cells, sizeof *r->room_down_w, err);
        j.sizing.room_up_w = r->room_up_w;
        j.sizing.room_down_w = r->room_down_w;
    }
    rc = rc ? rc : job_init(&j, err);
    rc = rc ? rc : pof_parallel(f->quarters, j.threads, work, &j, err);
    rc = rc ? rc : assemble(r, &j, err);
    job_release(&j);
    if (rc) {
        pof_requests_release(r);
    }
    return rc;
}

bool pof_requests_limit(const struct pof_requests *r, const struct pof_forecast *f,
                        const struct pof_grid *grid, uint32_t branch, uint32_t quarter,
                        struct pof_limit *limit)
{
    const struct pof_branch *b = &grid->branch[branch];
    if (!r->room_up_w || b->rating_va <= 0 || !b->closed) {
        return false;
    }
    size_t cell = (size_t)quarter * grid->branches + branch;
    *limit = (struct pof_limit){.branch = b->name,
                                .start = pof_forecast_instant(f, quarter),
                                .duration_s = POF_QUARTER_S,
                                .p_up_w = r->room_up_w[cell],
                                .p_down_w = r->room_down_w[cell]};
    return true;
}

void pof_requests_release(struct pof_requests *r)
{
    free(r->request);
    free(r->trouble);
    free(r->room_up_w);
    free(r->room_down_w);
    pof_arena_release(&r->arena);
    *r = (struct pof_requests){0};
}
