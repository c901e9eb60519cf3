/* SPDX-License-Identifier: Apache-2.0 */
/* Answers: records of series and of pods, in canonical order. Memory: one day of one pod, whatever
 * the answer. */
#include "store/inside.h"

#include "num/units.h"

static bool has(const struct pof_cell *c, int column)
{
    return (c->has >> column) & 1u;
}

static int make_measurement(struct pofi_walk *w, int64_t start, const struct pof_cell *c,
                            struct pof_measurement *m, struct pof_err *err)
{
    *m = (struct pof_measurement){.pod = w->pod,
                                  .start = start,
                                  .duration_s = POF_QUARTER_S,
                                  .p_w = c->value[POF_MEASUREMENT_P],
                                  .q_var = c->value[POF_MEASUREMENT_Q],
                                  .v_mv = c->value[POF_MEASUREMENT_V],
                                  .quality = (int)c->value[POF_MEASUREMENT_QUALITY],
                                  .seq = c->value[POF_MEASUREMENT_SEQ]};
    m->has = (uint64_t)has(c, POF_MEASUREMENT_Q) << POF_BIT_measurement_q_var |
             (uint64_t)has(c, POF_MEASUREMENT_V) << POF_BIT_measurement_v_mv |
             (uint64_t)has(c, POF_MEASUREMENT_QUALITY) << POF_BIT_measurement_quality |
             (uint64_t)has(c, POF_MEASUREMENT_SOURCE) << POF_BIT_measurement_source |
             (uint64_t)has(c, POF_MEASUREMENT_SEQ) << POF_BIT_measurement_seq;
    return has(c, POF_MEASUREMENT_SOURCE)
               ? pofi_ids_text(&w->store->names, c->value[POF_MEASUREMENT_SOURCE], &m->source, err)
               : 0;
}

static int make_setpoint(struct pofi_walk *w, int64_t start, const struct pof_cell *c,
                         struct pof_setpoint *s, struct pof_err *err)
{
    *s = (struct pof_setpoint){.pod = w->pod,
                               .start = start,
                               .duration_s = POF_QUARTER_S,
                               .p_w = c->value[POF_SETPOINT_P],
                               .change_w = c->value[POF_SETPOINT_CHANGE]};
    int rc = pofi_ids_text(&w->store->names, c->value[POF_SETPOINT_SESSION], &s->session, err);
    return rc ? rc
              : pofi_ids_text(&w->store->names, c->value[POF_SETPOINT_AGGREGATOR], &s->aggregator,
                              err);
}

static int give(struct pofi_walk *w, int64_t start, const struct pof_cell *c, struct pof_err *err)
{
    struct pof_record r = {.type = pofi_type_of_series(w->q->series)};
    int rc = 0;
    if (r.type == POF_measurement) {
        rc = make_measurement(w, start, c, &r.u.measurement, err);
    } else if (r.type == POF_setpoint) {
        rc = make_setpoint(w, start, c, &r.u.setpoint, err);
    } else {
        r.u.baseline =
            (struct pof_baseline){.has = (uint64_t)has(c, POF_BASELINE_Q) << POF_BIT_baseline_q_var,
                                  .pod = w->pod,
                                  .start = start,
                                  .duration_s = POF_QUARTER_S,
                                  .p_w = c->value[POF_BASELINE_P],
                                  .q_var = c->value[POF_BASELINE_Q]};
    }
    return rc ? rc : w->take(w->ctx, &r, err);
}

static int gather(struct pofi_walk *w, size_t slot, struct pof_err *err)
{
    w->versions.n = 0;
    for (size_t i = 0; i < w->layers; i++) {
        struct pof_cell cell;
        if (pof_block_there(&w->layer[i], slot)) {
            pof_block_get(&w->layer[i], slot, &cell);
            int rc = pof_versions_restore(&w->versions, &cell, err);
            if (rc) {
                return rc;
            }
        }
    }
    return 0;
}

/* One quarter-hour with its versions. */
static int give_versions(struct pofi_walk *w, int64_t start, size_t slot, struct pof_err *err)
{
    int rc = gather(w, slot, err);
    if (rc) {
        return rc;
    }
    const struct pof_versions *v = &w->versions;
    if (w->q->versions == POF_WANT_CURRENT) {
        size_t i = pof_versions_current(v, w->q->known_at);
        return i < v->n ? give(w, start, &v->cell[i], err) : 0;
    }
    for (size_t i = 0; i < v->n && rc == 0; i++) {
        if (v->cell[i].value[POF_COLUMN_KNOWN] <= w->q->known_at) {
            rc = give(w, start, &v->cell[i], err);
        }
    }
    return rc;
}

static int give_day(struct pofi_walk *w, int64_t day, struct pof_err *err)
{
    bool plain = w->q->versions == POF_WANT_CURRENT && w->q->known_at == INT64_MAX;
    int rc = pofi_read_day(w, day, plain ? 0 : INT64_MAX, err);
    for (size_t slot = 0; slot < POF_DAY_SLOTS && rc == 0 && w->layers > 0; slot++) {
        int64_t start = day * POFI_DAY_S + (int64_t)slot * POF_QUARTER_S;
        if (!pof_block_there(&w->layer[0], slot) || start < w->q->from || start >= w->q->until) {
            continue;
        }
        if (plain) {
            struct pof_cell cell;
            pof_block_get(&w->layer[0], slot, &cell);
            rc = give(w, start, &cell, err);
        } else {
            rc = give_versions(w, start, slot, err);
        }
    }
    return rc;
}

static int take_pod(void *ctx, const struct pof_stmt *row, struct pof_err *err)
{
    struct pofi_walk *w = ctx;
    w->pod_row = pof_stmt_get_int(row, 0);
    w->pod = pof_stmt_get_text(row, 1);
    int rc = 0;
    for (size_t i = 0; i < w->days && rc == 0; i++) {
        rc = give_day(w, w->day[i], err);
    }
    return rc;
}

int pof_store_query(struct pof_store *s, const struct pof_query *q, pof_take *take, void *ctx,
                    struct pof_err *err)
{
    struct pofi_walk w = {0};
    int rc = pofi_begin(s, err);
    if (rc) {
        return rc;
    }
    rc = pofi_walk_open(&w, s, q, err);
    w.take = take;
    w.ctx = ctx;
    rc = rc ? rc : pofi_each_pod(s, q, take_pod, &w, err);
    pofi_walk_close(&w);
    return pofi_end(s, rc, err);
}

struct pod_taker {
    pof_take *take;
    void *ctx;
};

static int give_pod(void *ctx, const struct pof_stmt *row, struct pof_err *err)
{
    const struct pod_taker *t = ctx;
    if (pof_stmt_is_null(row, 2)) {
        return 0; /* known by its series only */
    }
    struct pof_text kind = pof_stmt_get_text(row, 4);
    struct pof_record r = {.type = POF_pod};
    r.u.pod = (struct pof_pod){.pod = pof_stmt_get_text(row, 1),
                               .node = pof_stmt_get_text(row, 2),
                               .aggregator = pof_stmt_get_text(row, 3),
                               .kind = pof_word_of(pof_words("pod_kind"), kind),
                               .p_up_max_w = pof_stmt_get_int(row, 5),
                               .p_down_max_w = pof_stmt_get_int(row, 6)};
    if (r.u.pod.kind < 0) {
        return pof_fail(err, POF_E_SYNTAX, "the store is damaged: pod '%.*s' is of kind '%.*s'",
                        (int)r.u.pod.pod.len, r.u.pod.pod.ptr, (int)(kind.len < 64 ? kind.len : 64),
                        kind.ptr);
    }
    if (!pof_stmt_is_null(row, 7)) {
        POF_SET(&r.u.pod, pod, owner);
        r.u.pod.owner = pof_stmt_get_text(row, 7);
    }
    return t->take(t->ctx, &r, err);
}

int pof_store_pods(struct pof_store *s, const struct pof_query *q, pof_take *take, void *ctx,
                   struct pof_err *err)
{
    struct pod_taker t = {take, ctx};
    int rc = pofi_begin(s, err);
    if (rc) {
        return rc;
    }
    return pofi_end(s, pofi_each_pod(s, q, give_pod, &t, err), err);
}
