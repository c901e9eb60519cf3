/* SPDX-License-Identifier: Apache-2.0 */
/* Outcomes of all sessions to set points. */
#include "market/dispatch.h"

#include "market/series.h"
#include "market/session.h"

#include <stdlib.h>

struct member { /* what a pod record says; by number of the pod */
    int64_t p_up_max_w, p_down_max_w;
    struct pof_text aggregator;
    bool known;
};

struct change {
    uint32_t pod, quarter, session;
    int64_t p_w; /* of consumption: up is negative */
};

struct pof_dispatch {
    struct pof_arena arena;
    struct pof_names pods, sessions;
    struct pof_names awards; /* session, NUL, award: to see what is given twice */
    struct member *member;
    size_t member_cap;
    struct change *change;
    size_t changes, change_cap;
    struct pof_series baselines;
};

int pof_dispatch_new(struct pof_dispatch **out, struct pof_err *err)
{
    return pof_calloc(out, 1, sizeof **out, err);
}

void pof_dispatch_free(struct pof_dispatch *d)
{
    if (d) {
        pof_arena_release(&d->arena);
        pof_names_release(&d->pods);
        pof_names_release(&d->sessions);
        pof_names_release(&d->awards);
        pof_series_release(&d->baselines);
        free(d->member);
        free(d->change);
        free(d);
    }
}

/* The number of a pod, with room for what its record will say. */
static int pod_id(struct pof_dispatch *d, struct pof_text name, uint32_t *id, struct pof_err *err)
{
    size_t before = d->pods.n;
    int rc = pof_names_add(&d->pods, name, id, err);
    rc = rc ? rc : pof_grow(&d->member, &d->member_cap, d->pods.n, sizeof *d->member, err);
    if (rc == 0 && d->pods.n > before) {
        d->member[*id] = (struct member){0};
    }
    return rc;
}

int pof_dispatch_pod(struct pof_dispatch *d, const struct pof_pod *pod, struct pof_err *err)
{
    uint32_t id;
    int rc = pod_id(d, pod->pod, &id, err);
    if (rc) {
        return rc;
    }
    if (d->member[id].known) {
        return pof_fail(err, POF_E_DUPLICATE, "pod '%.*s' is given twice", (int)pod->pod.len,
                        pod->pod.ptr);
    }
    char *aggregator = pof_arena_text(&d->arena, pod->aggregator.ptr, pod->aggregator.len, err);
    if (!aggregator) {
        return POF_E_NOMEM;
    }
    d->member[id] = (struct member){.p_up_max_w = pod->p_up_max_w,
                                    .p_down_max_w = pod->p_down_max_w,
                                    .aggregator = {aggregator, pod->aggregator.len},
                                    .known = true};
    return 0;
}

int pof_dispatch_baseline(struct pof_dispatch *d, const struct pof_baseline *b, struct pof_err *err)
{
    uint32_t id;
    uint32_t quarter;
    int rc = pof_quarter_of(b->pod, b->start, b->duration_s, &quarter, err);
    rc = rc ? rc : pod_id(d, b->pod, &id, err);
    return rc ? rc : pof_series_add(&d->baselines, id, quarter, b->p_w, err);
}

int pof_dispatch_outcome(struct pof_dispatch *d, const struct pof_outcome *o, struct pof_err *err)
{
    struct change c = {.p_w = o->direction == POF_UP ? -o->p_w : o->p_w};
    int rc = pof_quarter_of(o->pod, o->start, o->duration_s, &c.quarter, err);
    rc = rc ? rc : pof_award_once(&d->awards, o->session, o->award, err);
    if (rc || o->p_w == 0) {
        return rc;
    }
    rc = pod_id(d, o->pod, &c.pod, err);
    rc = rc ? rc : pof_names_add(&d->sessions, o->session, &c.session, err);
    rc = rc ? rc : pof_grow(&d->change, &d->change_cap, d->changes + 1, sizeof c, err);
    if (rc == 0) {
        d->change[d->changes++] = c;
    }
    return rc;
}

/* --- joining --- */

static int change_cmp(const void *a, const void *b)
{
    const struct change *x = a;
    const struct change *y = b;
    if (x->quarter != y->quarter) {
        return x->quarter < y->quarter ? -1 : 1;
    }
    if (x->pod != y->pod) {
        return x->pod < y->pod ? -1 : 1;
    }
    return x->session < y->session ? -1 : x->session > y->session;
}

/* What one call of run carries: numbers of pods and sessions are ranks from here on. */
struct joining {
    struct pof_dispatch *d;
    uint32_t *pod_rank, *session_rank;
    uint32_t *pod_at, *session_at; /* number by rank */
    struct pof_writer *w;
    pof_on_problem *problem;
    void *ctx;
};

static int invert(const uint32_t *rank, size_t n, uint32_t **at, struct pof_err *err)
{
    int rc = pof_calloc(at, n, sizeof **at, err);
    for (uint32_t i = 0; i < n && rc == 0; i++) {
        (*at)[rank[i]] = i;
    }
    return rc;
}

static int sort_changes(struct joining *j, struct pof_err *err)
{
    struct pof_dispatch *d = j->d;
    int rc = pof_names_rank(&d->pods, pof_text_cmp, &j->pod_rank, err);
    rc = rc ? rc : pof_names_rank(&d->sessions, pof_session_id_cmp, &j->session_rank, err);
    rc = rc ? rc : invert(j->pod_rank, d->pods.n, &j->pod_at, err);
    rc = rc ? rc : invert(j->session_rank, d->sessions.n, &j->session_at, err);
    for (size_t i = 0; i < d->changes && rc == 0; i++) {
        d->change[i].pod = j->pod_rank[d->change[i].pod];
        d->change[i].session = j->session_rank[d->change[i].session];
    }
    if (rc == 0 && d->changes > 1) {
        qsort(d->change, d->changes, sizeof *d->change, change_cmp);
    }
    return rc;
}

static void say(const struct joining *j, const struct pof_err *problem)
{
    j->problem(j->ctx, problem);
}

/* Is the set point possible? Every reason why not is said. */
static bool possible(const struct joining *j, const struct pof_setpoint *s, const struct member *m,
                     bool baseline)
{
    struct pof_err e = {0};
    char when[POF_INSTANT_MAX];
    int n = (int)pof_instant_format(s->start, when);
    int len = (int)s->pod.len;
    if (!m->known) {
        pof_fail(&e, POF_E_REFERENCE, "pod '%.*s' has an outcome at %.*s and no pod record", len,
                 s->pod.ptr, n, when);
        say(j, &e);
    }
    if (!baseline) {
        pof_fail(&e, POF_E_REFERENCE, "pod '%.*s' has an outcome and no baseline at %.*s", len,
                 s->pod.ptr, n, when);
        say(j, &e);
    }
    int64_t most = s->change_w < 0 ? m->p_up_max_w : m->p_down_max_w;
    int64_t asked = s->change_w < 0 ? -s->change_w : s->change_w;
    if (m->known && asked > most) {
        pof_fail(&e, POF_E_CONFLICT,
                 "pod '%.*s' is to turn %s %lld W at %.*s, more than the %lld W it can", len,
                 s->pod.ptr, s->change_w < 0 ? "up" : "down", (long long)asked, n, when,
                 (long long)most);
        say(j, &e);
    }
    return m->known && baseline && asked <= most;
}

/* The changes [from, to) of one pod and quarter-hour. */
static int put_setpoint(const struct joining *j, size_t from, size_t to, struct pof_err *err)
{
    const struct pof_dispatch *d = j->d;
    const struct change *c = &d->change[from];
    uint32_t pod = j->pod_at[c->pod];
    const struct member *m = &d->member[pod];
    int64_t base = 0;
    struct pof_setpoint s = {.pod = d->pods.text[pod],
                             .start = (int64_t)c->quarter * POF_QUARTER_S,
                             .duration_s = POF_QUARTER_S,
                             .session = d->sessions.text[j->session_at[d->change[to - 1].session]],
                             .aggregator = m->aggregator};
    int rc = 0;
    for (size_t i = from; i < to && rc == 0; i++) {
        rc = pof_add(&s.change_w, d->change[i].p_w, err);
    }
    bool there = pof_series_find(&d->baselines, pod, c->quarter, &base);
    if (rc || !possible(j, &s, m, there)) {
        return rc;
    }
    s.p_w = base + s.change_w; /* each below 1e12 */
    return pof_writer_put(j->w, POF_setpoint, &s, err);
}

int pof_dispatch_run(struct pof_dispatch *d, struct pof_writer *w, pof_on_problem *problem,
                     void *ctx, struct pof_err *err)
{
    struct joining j = {.d = d, .w = w, .problem = problem, .ctx = ctx};
    int rc = pof_series_seal(&d->baselines, &d->pods, "baseline", err);
    rc = rc ? rc : sort_changes(&j, err);
    for (size_t i = 0; i < d->changes && rc == 0;) {
        size_t to = i + 1;
        while (to < d->changes && d->change[to].quarter == d->change[i].quarter &&
               d->change[to].pod == d->change[i].pod) {
            to++;
        }
        rc = put_setpoint(&j, i, to, err);
        i = to;
    }
    free(j.pod_rank);
    free(j.session_rank);
    free(j.pod_at);
    free(j.session_at);
    return rc;
}
