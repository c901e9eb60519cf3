/* SPDX-License-Identifier: Apache-2.0 */
/* Records of a forecast are taken and kept. */
#include "market/forecast_impl.h"
#include "num/units.h"
#include "record/words.h"

#include <math.h>
#include <stdlib.h>

int pof_forecast_init(struct pof_forecast *f, struct pof_err *err)
{
    *f = (struct pof_forecast){0};
    return pof_calloc(&f->rows, 1, sizeof *f->rows, err);
}

void pofi_forecast_drop_rows(struct pof_forecast *f)
{
    if (f->rows) {
        free(f->rows->baseline);
        free(f->rows->outcome);
        free(f->rows->state);
        free(f->rows->session);
        free(f->rows->pod);
        free(f->rows->pod_name);
        free(f->rows);
        f->rows = NULL;
    }
}

void pof_forecast_release(struct pof_forecast *f)
{
    pofi_forecast_drop_rows(f);
    free(f->pod);
    free(f->base_w);
    free(f->up_w);
    free(f->down_w);
    free(f->p_w);
    free(f->q_var);
    free(f->sorted);
    pof_names_release(&f->names);
    pof_arena_release(&f->arena);
    *f = (struct pof_forecast){0};
}

struct pofi_when pofi_when(int64_t s)
{
    struct pofi_when w;
    w.text[pof_instant_format(s, w.text)] = '\0';
    return w;
}

/* --- taking records --- */

static int keep_text(struct pof_forecast *f, struct pof_text from, struct pof_text *to,
                     struct pof_err *err)
{
    char *p = pof_arena_text(&f->arena, from.ptr, from.len, err);
    *to = (struct pof_text){p, from.len};
    return p ? 0 : POF_E_NOMEM;
}

static int check_quarter(int64_t start, int64_t duration_s, struct pof_err *err)
{
    if (duration_s != POF_QUARTER_S) {
        pof_fail(err, POF_E_RANGE, "'%lld' is not a quarter-hour; %d s are expected",
                 (long long)duration_s, POF_QUARTER_S);
        return pof_at(err, NULL, 0, "duration_s");
    }
    if (start % POF_QUARTER_S != 0) {
        pof_fail(err, POF_E_RANGE, "'%s' is not the begin of a quarter-hour",
                 pofi_when(start).text);
        return pof_at(err, NULL, 0, "start");
    }
    return 0;
}

static int take_pod(struct pof_forecast *f, const struct pof_pod *pod, struct pof_err *err)
{
    struct pof_forecast_rows *r = f->rows;
    uint32_t id;
    struct pof_forecast_pod copy = {.node_id = POF_NONE,
                                    .kind = pod->kind,
                                    .p_up_max_w = pod->p_up_max_w,
                                    .p_down_max_w = pod->p_down_max_w};
    int rc = pof_names_add(&f->names, pod->pod, &id, err);
    if (rc == 0) {
        rc = keep_text(f, pod->pod, &copy.name, err);
    }
    if (rc == 0) {
        rc = keep_text(f, pod->node, &copy.node, err);
    }
    if (rc == 0) {
        rc = keep_text(f, pod->aggregator, &copy.aggregator, err);
    }
    if (rc == 0) {
        rc = pof_grow(&r->pod, &r->pod_cap, r->pods + 1, sizeof *r->pod, err);
    }
    if (rc == 0) {
        rc = pof_grow(&r->pod_name, &r->pod_name_cap, r->pods + 1, sizeof *r->pod_name, err);
    }
    if (rc == 0) {
        r->pod[r->pods] = copy;
        r->pod_name[r->pods++] = id;
    }
    return rc;
}

static int take_baseline(struct pof_forecast *f, const struct pof_baseline *b, struct pof_err *err)
{
    struct pof_forecast_rows *r = f->rows;
    struct baseline_row row = {.start = b->start, .p_w = b->p_w};
    row.q_var = POF_HAS(b, baseline, q_var) ? b->q_var : 0;
    int rc = check_quarter(b->start, b->duration_s, err);
    if (rc == 0) {
        rc = pof_names_add(&f->names, b->pod, &row.pod, err);
    }
    if (rc == 0) {
        rc = pof_grow(&r->baseline, &r->baseline_cap, r->baselines + 1, sizeof row, err);
    }
    if (rc == 0) {
        r->baseline[r->baselines++] = row;
    }
    return rc;
}

static int take_outcome(struct pof_forecast *f, const struct pof_outcome *o, struct pof_err *err)
{
    struct pof_forecast_rows *r = f->rows;
    struct outcome_row row = {.start = o->start, .p_w = o->p_w, .direction = o->direction};
    int rc = check_quarter(o->start, o->duration_s, err);
    if (rc == 0) {
        rc = pof_names_add(&f->names, o->pod, &row.pod, err);
    }
    if (rc == 0) {
        rc = keep_text(f, o->session, &row.session, err);
    }
    if (rc == 0) {
        rc = keep_text(f, o->award, &row.award, err);
    }
    if (rc == 0) {
        rc = pof_grow(&r->outcome, &r->outcome_cap, r->outcomes + 1, sizeof row, err);
    }
    if (rc == 0) {
        r->outcome[r->outcomes++] = row;
    }
    return rc;
}

/* Branches of a state stream say nothing about loads and pass. */
static int take_state(struct pof_forecast *f, const struct pof_state *s, struct pof_err *err)
{
    struct pof_forecast_rows *r = f->rows;
    if (s->element != POF_ELEMENT_NODE) {
        return 0;
    }
    struct state_row row = {.start = s->start,
                            .p_w = s->p_w,
                            .q_var = s->q_var,
                            .has_p = POF_HAS(s, state, p_w),
                            .has_q = POF_HAS(s, state, q_var)};
    int rc = keep_text(f, s->name, &row.name, err);
    if (rc == 0) {
        rc = pof_grow(&r->state, &r->state_cap, r->states + 1, sizeof row, err);
    }
    if (rc == 0) {
        r->state[r->states++] = row;
    }
    return rc;
}

static int take_session(struct pof_forecast *f, const struct pof_session *s, struct pof_err *err)
{
    struct pof_forecast_rows *r = f->rows;
    for (size_t i = 0; i < r->sessions; i++) {
        if (pof_text_eq(r->session[i].id, s->id)) {
            return pof_fail(err, POF_E_DUPLICATE, "session '%.*s' is given twice", (int)s->id.len,
                            s->id.ptr);
        }
    }
    if (s->end <= s->start) {
        pof_fail(err, POF_E_RANGE, "the window ends at '%s', not after its start",
                 pofi_when(s->end).text);
        return pof_at(err, NULL, 0, "end");
    }
    int rc = check_quarter(s->start, POF_QUARTER_S, err);
    if (rc == 0 && s->end % POF_QUARTER_S != 0) {
        pof_fail(err, POF_E_RANGE, "'%s' is not the end of a quarter-hour", pofi_when(s->end).text);
        rc = pof_at(err, NULL, 0, "end");
    }
    if (rc == 0) {
        rc = pof_grow(&r->session, &r->session_cap, r->sessions + 1, sizeof *s, err);
    }
    if (rc == 0) {
        rc = pof_record_copy(POF_session, s, &r->session[r->sessions], &f->arena, err);
        r->sessions += rc == 0;
    }
    return rc;
}

int pof_forecast_take(struct pof_forecast *f, const struct pof_record *record, struct pof_err *err)
{
    switch (record->type) {
    case POF_pod:
        return take_pod(f, &record->u.pod, err);
    case POF_baseline:
        return take_baseline(f, &record->u.baseline, err);
    case POF_outcome:
        return take_outcome(f, &record->u.outcome, err);
    case POF_state:
        return take_state(f, &record->u.state, err);
    case POF_session:
        return take_session(f, &record->u.session, err);
    default:
        return pof_fail(err, POF_E_SCHEMA, "a record of type '%s' has no place in a forecast",
                        pof_layout(record->type)->name);
    }
}

int pof_forecast_deviation(const struct pof_forecast *f, const double *share, double z, double **out,
                           struct pof_err *err)
{
    int rc = pof_calloc(out, (size_t)f->quarters * f->nodes, sizeof **out, err);
    for (uint32_t p = 0; rc == 0 && p < f->pods; p++) {
        double by = z * share[f->pod[p].kind];
        for (uint32_t q = 0; q < f->quarters; q++) {
            int64_t base_w = f->base_w[(size_t)p * f->quarters + q];
            if (base_w != POF_FORECAST_NONE) {
                (*out)[(size_t)q * f->nodes + f->pod[p].node_id] += by * fabs((double)base_w);
            }
        }
    }
    return rc;
}

double pof_forecast_z(double p)
{
    enum { HALVINGS = 60, FAR = 40 };
    double low = -FAR;
    double high = FAR;
    for (int i = 0; i < HALVINGS; i++) {
        double mid = (low + high) / 2;
        *(erfc(-mid / sqrt(2)) / 2 < p ? &low : &high) = mid;
    }
    return (low + high) / 2;
}
