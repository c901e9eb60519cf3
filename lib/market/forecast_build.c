/* SPDX-License-Identifier: Apache-2.0 */
/* Records into tables of load. */
#include "market/forecast_impl.h"
#include "num/units.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- the session --- */

static int choose_session(struct pof_forecast *f, const char *id, struct pof_err *err)
{
    const struct pof_forecast_rows *r = f->rows;
    const struct pof_session *found = NULL;
    for (size_t i = 0; i < r->sessions; i++) {
        if (!id || pof_text_is(r->session[i].id, id)) {
            if (found) {
                return pof_fail(err, POF_E_MISSING,
                                "%zu sessions are given; --session says which is meant",
                                r->sessions);
            }
            found = &r->session[i];
        }
    }
    if (!found && id) {
        return pof_fail(err, POF_E_MISSING, "no session record has the id '%s'", id);
    }
    if (!found) {
        return pof_fail(err, POF_E_MISSING, "no session record is given; pof-session makes one");
    }
    int64_t quarters = (found->end - found->start) / POF_QUARTER_S;
    if (quarters > 100 * 366) { /* a year of the longest days */
        return pof_fail(err, POF_E_RANGE,
                        "session '%.*s' has %lld quarter-hours, at most a year of "
                        "them can be treated",
                        (int)found->id.len, found->id.ptr, (long long)quarters);
    }
    f->session = *found;
    f->quarters = (uint32_t)quarters;
    return 0;
}

int64_t pof_forecast_instant(const struct pof_forecast *f, uint32_t quarter)
{
    return f->session.start + (int64_t)quarter * POF_QUARTER_S;
}

size_t pof_forecast_stamp(const struct pof_forecast *f, uint32_t quarter, char to[POF_STAMP_MAX])
{
    enum { DAY_QUARTERS = 96, CLOCK_AT = 11, CLOCK_LEN = 5 }; /* of 2026-03-10T17:30:00Z */
    struct pofi_when w = pofi_when(pof_forecast_instant(f, quarter));
    memcpy(to, w.text + CLOCK_AT, CLOCK_LEN);
    to[CLOCK_LEN] = '\0';
    if (quarter >= DAY_QUARTERS) {
        snprintf(to + CLOCK_LEN, POF_STAMP_MAX - CLOCK_LEN, "+%u", quarter / DAY_QUARTERS);
    }
    return strlen(to);
}

/* The quarter-hour of the window that begins at an instant; POF_NONE: outside. */
static uint32_t quarter_of(const struct pof_forecast *f, int64_t start)
{
    if (start < f->session.start || start >= f->session.end) {
        return POF_NONE;
    }
    return (uint32_t)((start - f->session.start) / POF_QUARTER_S);
}

/* --- pods --- */

struct pod_rank {
    struct pof_forecast_pod pod;
    uint32_t name;
};

static int by_pod_name(const void *a, const void *b)
{
    const struct pod_rank *x = a;
    const struct pod_rank *y = b;
    return pof_text_cmp(x->pod.name, y->pod.name);
}

static int place_pods(struct pof_forecast *f, const struct pod_rank *rank,
                      const struct pof_grid *grid, struct pof_err *err)
{
    for (size_t i = 0; i < f->names.n; i++) {
        f->sorted[i] = POF_NONE;
    }
    for (uint32_t i = 0; i < f->pods; i++) {
        struct pof_forecast_pod *pod = &f->pod[i];
        *pod = rank[i].pod;
        if (f->sorted[rank[i].name] != POF_NONE) {
            return pof_fail(err, POF_E_DUPLICATE, "pod '%.*s' is registered twice",
                            (int)pod->name.len, pod->name.ptr);
        }
        f->sorted[rank[i].name] = i;
        pod->node_id = grid ? pof_names_find(&grid->node_names, pod->node) : POF_NONE;
        if (grid && pod->node_id == POF_NONE) {
            return pof_fail(err, POF_E_REFERENCE,
                            "pod '%.*s' is connected to node '%.*s', which the grid does not have",
                            (int)pod->name.len, pod->name.ptr, (int)pod->node.len, pod->node.ptr);
        }
    }
    return 0;
}

static int sort_pods(struct pof_forecast *f, const struct pof_grid *grid, struct pof_err *err)
{
    const struct pof_forecast_rows *r = f->rows;
    struct pod_rank *rank = NULL;
    f->pods = (uint32_t)r->pods;
    int rc = pof_calloc(&rank, r->pods, sizeof *rank, err);
    if (rc == 0) {
        rc = pof_calloc(&f->pod, r->pods, sizeof *f->pod, err);
    }
    if (rc == 0) {
        rc = pof_calloc(&f->sorted, f->names.n, sizeof *f->sorted, err);
    }
    if (rc == 0) {
        for (size_t i = 0; i < r->pods; i++) {
            rank[i] = (struct pod_rank){r->pod[i], r->pod_name[i]};
        }
        qsort(rank, r->pods, sizeof *rank, by_pod_name);
        rc = place_pods(f, rank, grid, err);
    }
    free(rank);
    return rc;
}

uint32_t pof_forecast_find(const struct pof_forecast *f, struct pof_text pod)
{
    uint32_t id = pof_names_find(&f->names, pod);
    return id == POF_NONE ? POF_NONE : f->sorted[id];
}

static int unknown_pod(const struct pof_forecast *f, const char *what, uint32_t name,
                       struct pof_err *err)
{
    struct pof_text t = f->names.text[name];
    return pof_fail(err, POF_E_REFERENCE, "%s of pod '%.*s', which no pod record registers", what,
                    (int)t.len, t.ptr);
}

/* --- loads --- */

/* The forecast of one quarter-hour that may lie outside the window: that of the state. */
struct moment {
    int64_t start;        /* INT64_MIN: none */
    bool *missing;        /* [nodes] a pod of the node has no baseline then */
    bool *given;          /* [pods] its baseline is there */
    int64_t *p_w, *q_var; /* [nodes] */
};

/* Integer sums of a node and quarter-hour, before they become doubles. */
struct sums {
    int64_t *p_w, *q_var; /* [quarters * nodes] */
};

struct build {
    struct pof_forecast *f;
    const struct pof_forecast_options *options;
    struct moment state;
    struct sums sums;
};

static int add_pair(int64_t *p, int64_t *q, int64_t more_p, int64_t more_q, struct pof_err *err)
{
    int rc = pof_add(p, more_p, err);
    return rc ? rc : pof_add(q, more_q, err);
}

static int two_baselines(const struct pof_forecast *f, uint32_t pod, int64_t start,
                         struct pof_err *err)
{
    struct pof_text name = f->pod[pod].name;
    return pof_fail(err, POF_E_DUPLICATE, "pod '%.*s' has two baselines of %s", (int)name.len,
                    name.ptr, pofi_when(start).text);
}

static int place_baseline(struct build *b, const struct baseline_row *row, struct pof_err *err)
{
    struct pof_forecast *f = b->f;
    uint32_t pod = f->sorted[row->pod];
    if (pod == POF_NONE) {
        return unknown_pod(f, "a baseline", row->pod, err);
    }
    uint32_t node = f->pod[pod].node_id;
    int rc = 0;
    if (row->start == b->state.start) {
        if (b->state.given[pod]) {
            return two_baselines(f, pod, row->start, err);
        }
        b->state.given[pod] = true;
        rc = add_pair(&b->state.p_w[node], &b->state.q_var[node], row->p_w, row->q_var, err);
    }
    uint32_t quarter = quarter_of(f, row->start);
    if (quarter == POF_NONE) {
        f->counts.outside++;
        return rc;
    }
    int64_t *cell = &f->base_w[(size_t)pod * f->quarters + quarter];
    if (*cell != POF_FORECAST_NONE) {
        return two_baselines(f, pod, row->start, err);
    }
    *cell = row->p_w;
    if (rc == 0 && f->nodes) {
        size_t at = (size_t)quarter * f->nodes + node;
        rc = add_pair(&b->sums.p_w[at], &b->sums.q_var[at], row->p_w, row->q_var, err);
    }
    return rc;
}

static int place_baselines(struct build *b, struct pof_err *err)
{
    const struct pof_forecast_rows *r = b->f->rows;
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < r->baselines; i++) {
        rc = place_baseline(b, &r->baseline[i], err);
    }
    return rc;
}

static int by_session_award(const void *a, const void *b)
{
    const struct outcome_row *x = a;
    const struct outcome_row *y = b;
    int c = pof_text_cmp(x->session, y->session);
    return c ? c : pof_text_cmp(x->award, y->award);
}

static int check_outcome(const struct pof_forecast *f, const struct outcome_row *o,
                         const struct outcome_row *previous, struct pof_err *err)
{
    if (pof_text_eq(o->session, f->session.id)) {
        return pof_fail(err, POF_E_CONFLICT,
                        "outcome '%.*s' belongs to session '%.*s' itself; only those of earlier "
                        "sessions change its forecast",
                        (int)o->award.len, o->award.ptr, (int)o->session.len, o->session.ptr);
    }
    if (previous && by_session_award(previous, o) == 0) {
        return pof_fail(err, POF_E_DUPLICATE, "outcome '%.*s' of session '%.*s' is given twice",
                        (int)o->award.len, o->award.ptr, (int)o->session.len, o->session.ptr);
    }
    return f->sorted[o->pod] == POF_NONE ? unknown_pod(f, "an outcome", o->pod, err) : 0;
}

static int place_outcome(struct build *b, const struct outcome_row *o, struct pof_err *err)
{
    struct pof_forecast *f = b->f;
    uint32_t pod = f->sorted[o->pod];
    uint32_t node = f->pod[pod].node_id;
    uint32_t quarter = quarter_of(f, o->start);
    int64_t change_w = o->direction == POF_UP ? -o->p_w : o->p_w;
    int rc = 0;
    if (o->start == b->state.start) {
        rc = pof_add(&b->state.p_w[node], change_w, err);
    }
    if (quarter == POF_NONE) {
        f->counts.outside++;
        return rc;
    }
    int64_t *taken = o->direction == POF_UP ? f->up_w : f->down_w;
    if (rc == 0) {
        rc = pof_add(&taken[(size_t)pod * f->quarters + quarter], o->p_w, err);
    }
    if (rc == 0 && f->nodes) {
        rc = pof_add(&b->sums.p_w[(size_t)quarter * f->nodes + node], change_w, err);
    }
    return rc;
}

static int place_outcomes(struct build *b, struct pof_err *err)
{
    struct pof_forecast *f = b->f;
    struct pof_forecast_rows *r = f->rows;
    if (r->outcomes == 0) {
        return 0;
    }
    size_t cells = (size_t)f->pods * f->quarters;
    int rc = pof_calloc(&f->up_w, cells, sizeof *f->up_w, err);
    if (rc == 0) {
        rc = pof_calloc(&f->down_w, cells, sizeof *f->down_w, err);
    }
    qsort(r->outcome, r->outcomes, sizeof *r->outcome, by_session_award);
    for (size_t i = 0; rc == 0 && i < r->outcomes; i++) {
        rc = check_outcome(f, &r->outcome[i], i ? &r->outcome[i - 1] : NULL, err);
        if (rc == 0) {
            rc = place_outcome(b, &r->outcome[i], err);
        }
    }
    return rc;
}

static void count_missing(struct pof_forecast *f)
{
    f->counts.first_missing = POF_NONE;
    for (uint32_t pod = 0; pod < f->pods; pod++) {
        uint64_t missing = 0;
        for (uint32_t q = 0; q < f->quarters; q++) {
            missing += f->base_w[(size_t)pod * f->quarters + q] == POF_FORECAST_NONE;
        }
        f->counts.missing += missing;
        f->counts.missing_pods += missing > 0;
        if (missing && f->counts.first_missing == POF_NONE) {
            f->counts.first_missing = pod;
        }
    }
}

/* --- states --- */

static void find_moment(struct build *b)
{
    const struct pof_forecast_rows *r = b->f->rows;
    b->state.start = INT64_MIN;
    int64_t latest = INT64_MIN;
    for (size_t i = 0; b->options->grid && i < r->states; i++) {
        if (r->state[i].start > latest) {
            latest = r->state[i].start;
            b->state.start = latest - ((latest % POF_QUARTER_S) + POF_QUARTER_S) % POF_QUARTER_S;
        }
    }
}

static int by_state(const void *a, const void *b)
{
    const struct state_row *x = a;
    const struct state_row *y = b;
    return x->start != y->start ? (x->start < y->start ? 1 : -1) : pof_text_cmp(x->name, y->name);
}

/* Share of a deviation that is left `age_s` after its instant. */
static double faded(int64_t age_s, int64_t fade_s)
{
    if (age_s <= 0) {
        return 1;
    }
    return age_s < fade_s ? 1 - (double)age_s / (double)fade_s : 0;
}

static void correct_node(struct build *b, const struct state_row *s, uint32_t node)
{
    struct pof_forecast *f = b->f;
    const struct pof_node *fixed = &b->options->grid->node[node];
    double p = s->has_p ? s->p_w - fixed->p_w - (double)b->state.p_w[node] : 0;
    double q = s->has_q ? s->q_var - fixed->q_var - (double)b->state.q_var[node] : 0;
    for (uint32_t quarter = 0; quarter < f->quarters; quarter++) {
        int64_t start = pof_forecast_instant(f, quarter);
        if (start >= b->state.start) {
            double share = faded(start - s->start, b->options->fade_s);
            f->p_w[(size_t)quarter * f->nodes + node] += share * p;
            f->q_var[(size_t)quarter * f->nodes + node] += share * q;
        }
    }
}

static int apply_state(struct build *b, const struct state_row *s, const struct state_row *previous,
                       struct pof_err *err)
{
    const struct pof_grid *grid = b->options->grid;
    if (previous && by_state(previous, s) == 0) {
        return pof_fail(err, POF_E_DUPLICATE, "the state of node '%.*s' at %s is given twice",
                        (int)s->name.len, s->name.ptr, pofi_when(s->start).text);
    }
    uint32_t node = pof_names_find(&grid->node_names, s->name);
    if (node == POF_NONE) {
        return pof_fail(err, POF_E_REFERENCE,
                        "a state of node '%.*s', which the grid does not have", (int)s->name.len,
                        s->name.ptr);
    }
    if (grid->node[node].kind == POF_NODE_SLACK || (!s->has_p && !s->has_q)) {
        return 0;
    }
    if (b->state.missing[node]) {
        b->f->counts.uncorrected++;
        return 0;
    }
    correct_node(b, s, node);
    b->f->counts.corrected++;
    return 0;
}

static int apply_states(struct build *b, struct pof_err *err)
{
    struct pof_forecast *f = b->f;
    struct pof_forecast_rows *r = f->rows;
    if (b->state.start == INT64_MIN) {
        return 0;
    }
    for (uint32_t pod = 0; pod < f->pods; pod++) {
        if (!b->state.given[pod]) {
            b->state.missing[f->pod[pod].node_id] = true;
        }
    }
    qsort(r->state, r->states, sizeof *r->state, by_state);
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < r->states && r->state[i].start == r->state[0].start; i++) {
        rc = apply_state(b, &r->state[i], i ? &r->state[i - 1] : NULL, err);
    }
    return rc;
}

/* --- the whole --- */

static int make_tables(struct build *b, struct pof_err *err)
{
    struct pof_forecast *f = b->f;
    f->nodes = b->options->grid ? b->options->grid->nodes : 0;
    size_t pod_cells = (size_t)f->pods * f->quarters;
    size_t node_cells = (size_t)f->nodes * f->quarters;
    int rc = pof_calloc(&f->base_w, pod_cells, sizeof *f->base_w, err);
    if (rc == 0) {
        rc = pof_calloc(&f->p_w, node_cells, sizeof *f->p_w, err);
    }
    if (rc == 0) {
        rc = pof_calloc(&f->q_var, node_cells, sizeof *f->q_var, err);
    }
    if (rc == 0) {
        rc = pof_calloc(&b->sums.p_w, node_cells, sizeof *b->sums.p_w, err);
    }
    if (rc == 0) {
        rc = pof_calloc(&b->sums.q_var, node_cells, sizeof *b->sums.q_var, err);
    }
    if (rc == 0) {
        rc = pof_calloc(&b->state.missing, f->nodes, sizeof *b->state.missing, err);
    }
    if (rc == 0) {
        rc = pof_calloc(&b->state.given, f->pods, sizeof *b->state.given, err);
    }
    if (rc == 0) {
        rc = pof_calloc(&b->state.p_w, f->nodes, sizeof *b->state.p_w, err);
    }
    if (rc == 0) {
        rc = pof_calloc(&b->state.q_var, f->nodes, sizeof *b->state.q_var, err);
    }
    for (size_t i = 0; rc == 0 && i < pod_cells; i++) {
        f->base_w[i] = POF_FORECAST_NONE;
    }
    return rc;
}

static int fill_tables(struct build *b, struct pof_err *err)
{
    struct pof_forecast *f = b->f;
    find_moment(b);
    int rc = place_baselines(b, err);
    if (rc == 0) {
        rc = place_outcomes(b, err);
    }
    if (rc == 0) {
        for (size_t i = 0; i < (size_t)f->nodes * f->quarters; i++) {
            f->p_w[i] = (double)b->sums.p_w[i];
            f->q_var[i] = (double)b->sums.q_var[i];
        }
        count_missing(f);
        rc = apply_states(b, err);
    }
    return rc;
}

int pof_forecast_build(struct pof_forecast *f, const struct pof_forecast_options *options,
                       struct pof_err *err)
{
    struct build b = {.f = f, .options = options};
    int rc = choose_session(f, options->session, err);
    if (rc == 0) {
        rc = sort_pods(f, options->grid, err);
    }
    if (rc == 0) {
        rc = make_tables(&b, err);
    }
    if (rc == 0) {
        rc = fill_tables(&b, err);
    }
    free(b.sums.p_w);
    free(b.sums.q_var);
    free(b.state.missing);
    free(b.state.given);
    free(b.state.p_w);
    free(b.state.q_var);
    pofi_forecast_drop_rows(f);
    return rc;
}
