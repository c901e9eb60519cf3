/* SPDX-License-Identifier: Apache-2.0 */
/* Events into key figures. */
#include "market/kpi.h"

#include "num/units.h"

#include <stdlib.h>
#include <string.h>

enum { PLATFORMS_MAX = 16 }; /* more than words.def has; checked when an event is taken */

size_t pof_nearest_rank(size_t n, unsigned permille)
{
    size_t rank = (n / 1000) * permille + ((n % 1000) * permille + 999) / 1000;
    return rank > 0 ? rank - 1 : 0;
}

/* --- names in order --- */

static int text_cmp_of(const void *a, const void *b)
{
    const struct pof_text *const *x = a;
    const struct pof_text *const *y = b;
    return pof_text_cmp(**x, **y);
}

int pof_names_sorted(const struct pof_names *names, uint32_t **order, struct pof_err *err)
{
    const struct pof_text **at = NULL;
    *order = NULL;
    int rc = pof_calloc(&at, names->n, sizeof *at, err);
    rc = rc ? rc : pof_calloc(order, names->n, sizeof **order, err);
    if (rc == 0) {
        for (size_t i = 0; i < names->n; i++) {
            at[i] = &names->text[i];
        }
        if (names->n > 0) {
            qsort(at, names->n, sizeof *at, text_cmp_of);
        }
        for (size_t i = 0; i < names->n; i++) {
            (*order)[i] = (uint32_t)(at[i] - names->text);
        }
    }
    free(at);
    return rc;
}

/* --- taking events --- */

int pof_kpis_take(struct pof_kpis *k, const struct pof_event *e, struct pof_err *err)
{
    if (e->platform < 0 || e->platform >= PLATFORMS_MAX) {
        return pof_fail(err, POF_E_INTERNAL, "platform %d is beyond %d", e->platform, PLATFORMS_MAX);
    }
    struct pof_kpi_event event = {.when_ms = e->datetime,
                                  .cpu_us = POF_HAS(e, event, cpu_us) ? e->cpu_us : -1,
                                  .rss_kib = POF_HAS(e, event, rss_kib) ? e->rss_kib : -1,
                                  .type = e->type,
                                  .platform = e->platform};
    int rc = pof_names_add(&k->flows, e->flow, &event.flow, err);
    rc = rc ? rc : pof_names_add(&k->references, e->reference_id, &event.reference, err);
    rc = rc ? rc : pof_grow(&k->event, &k->cap, k->n + 1, sizeof event, err);
    if (rc == 0) {
        k->event[k->n++] = event;
    }
    return rc;
}

void pof_kpis_release(struct pof_kpis *k)
{
    pof_names_release(&k->flows);
    pof_names_release(&k->references);
    free(k->event);
    *k = (struct pof_kpis){0};
}

/* --- pairing --- */

struct sample {
    uint32_t flow;
    enum pof_kpi_kind kind;
    int64_t value;
};

struct work {
    struct pof_kpis *k;
    struct sample *sample;
    size_t n, cap;
    size_t *from, *to; /* indices of events that begin and end something */
    bool *paired;      /* [events] */
};

static int event_cmp(const void *a, const void *b)
{
    const struct pof_kpi_event *x = a;
    const struct pof_kpi_event *y = b;
    if (x->flow != y->flow) {
        return x->flow < y->flow ? -1 : 1;
    }
    if (x->reference != y->reference) {
        return x->reference < y->reference ? -1 : 1;
    }
    if (x->when_ms != y->when_ms) {
        return x->when_ms < y->when_ms ? -1 : 1;
    }
    if (x->type != y->type) {
        return x->type < y->type ? -1 : 1;
    }
    return (x->platform > y->platform) - (x->platform < y->platform);
}

static int add_sample(struct work *w, uint32_t flow, enum pof_kpi_kind kind, int64_t value,
                      struct pof_err *err)
{
    int rc = pof_grow(&w->sample, &w->cap, w->n + 1, sizeof *w->sample, err);
    if (rc == 0) {
        w->sample[w->n++] = (struct sample){flow, kind, value};
    }
    return rc;
}

/* Pairs n_from beginnings with n_to ends, both in ascending order of time. */
static int pair(struct work *w, size_t n_from, size_t n_to, enum pof_kpi_kind kind,
                struct pof_err *err)
{
    const struct pof_kpi_event *event = w->k->event;
    int rc = 0;
    while (rc == 0 && n_from > 0 && n_to > 0) {
        size_t from = w->from[n_from - 1];
        size_t to = w->to[n_to - 1];
        n_from--;
        if (event[from].when_ms <= event[to].when_ms) {
            n_to--;
            w->paired[from] = true;
            w->paired[to] = true;
            rc = add_sample(w, event[to].flow, kind, event[to].when_ms - event[from].when_ms, err);
        }
    }
    return rc;
}

/* Events [first, end) are those of one flow and reference; platform is the one where it ends. */
static int pair_on(struct work *w, size_t first, size_t end, int platform, struct pof_err *err)
{
    const struct pof_kpi_event *event = w->k->event;
    size_t starts = 0, ends = 0;
    for (size_t i = first; i < end; i++) {
        if (event[i].platform == platform && event[i].type == POF_EVENT_START_EXECUTION) {
            w->from[starts++] = i;
        } else if (event[i].platform == platform && event[i].type == POF_EVENT_END_EXECUTION) {
            w->to[ends++] = i;
        }
    }
    int rc = pair(w, starts, ends, POF_KPI_EXECUTION, err);
    size_t sent = 0, received = 0;
    for (size_t i = first; i < end; i++) {
        if (event[i].platform != platform && event[i].type == POF_EVENT_MESSAGE_SENT) {
            w->from[sent++] = i;
        } else if (event[i].platform == platform && event[i].type == POF_EVENT_MESSAGE_RECEIVED) {
            w->to[received++] = i;
        }
    }
    return rc ? rc : pair(w, sent, received, POF_KPI_COMMUNICATION, err);
}

static int pair_passage(struct work *w, size_t first, size_t end, struct pof_err *err)
{
    bool here[PLATFORMS_MAX] = {false};
    for (size_t i = first; i < end; i++) {
        here[w->k->event[i].platform] = true;
    }
    int rc = 0;
    for (int p = 0; rc == 0 && p < PLATFORMS_MAX; p++) {
        rc = here[p] ? pair_on(w, first, end, p, err) : 0;
    }
    return rc;
}

static int pair_all(struct work *w, struct pof_err *err)
{
    struct pof_kpis *k = w->k;
    int rc = 0;
    for (size_t first = 0, end; rc == 0 && first < k->n; first = end) {
        for (end = first + 1; end < k->n && k->event[end].flow == k->event[first].flow &&
                              k->event[end].reference == k->event[first].reference;
             end++) {
        }
        rc = pair_passage(w, first, end, err);
    }
    memset(k->alone, 0, sizeof k->alone);
    for (size_t i = 0; i < k->n; i++) {
        k->alone[k->event[i].type] += !w->paired[i];
    }
    return rc;
}

static int add_costs(struct work *w, struct pof_err *err)
{
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < w->k->n; i++) {
        const struct pof_kpi_event *e = &w->k->event[i];
        if (e->type == POF_EVENT_END_EXECUTION && e->cpu_us >= 0) {
            rc = add_sample(w, e->flow, POF_KPI_CPU, e->cpu_us, err);
        }
        if (rc == 0 && e->type == POF_EVENT_END_EXECUTION && e->rss_kib >= 0) {
            rc = add_sample(w, e->flow, POF_KPI_MEMORY, e->rss_kib, err);
        }
    }
    return rc;
}

/* --- figures --- */

static int sample_cmp(const void *a, const void *b)
{
    const struct sample *x = a;
    const struct sample *y = b;
    if (x->flow != y->flow) {
        return x->flow < y->flow ? -1 : 1;
    }
    if (x->kind != y->kind) {
        return x->kind < y->kind ? -1 : 1;
    }
    return (x->value > y->value) - (x->value < y->value);
}

/* n samples of one flow and kind in ascending order. */
static int figure(const struct sample *s, size_t n, struct pof_kpi *kpi, struct pof_err *err)
{
    double unit = s->kind == POF_KPI_CPU ? 1000.0 : 1.0; /* us in a ms */
    int64_t sum = 0;
    for (size_t i = 0; i < n; i++) {
        int rc = pof_add(&sum, s[i].value, err);
        if (rc) {
            return rc;
        }
    }
    kpi->kind = (int)s->kind;
    kpi->count = (int64_t)n;
    kpi->mean = (double)sum / ((double)n * unit);
    kpi->p50 = (double)s[pof_nearest_rank(n, 500)].value / unit;
    kpi->p95 = (double)s[pof_nearest_rank(n, 950)].value / unit;
    kpi->max = (double)s[n - 1].value / unit;
    POF_SET(kpi, kpi, p50);
    POF_SET(kpi, kpi, p95);
    POF_SET(kpi, kpi, max);
    return 0;
}

/* Flows are numbered by their texts before samples are sorted, so they come out in byte order. */
static int emit_figures(struct work *w, pof_on_kpi *emit, void *ctx, struct pof_err *err)
{
    uint32_t *order = NULL, *rank = NULL;
    int rc = pof_names_sorted(&w->k->flows, &order, err);
    rc = rc ? rc : pof_calloc(&rank, w->k->flows.n, sizeof *rank, err);
    if (rc == 0) {
        for (uint32_t i = 0; i < w->k->flows.n; i++) {
            rank[order[i]] = i;
        }
        for (size_t i = 0; i < w->n; i++) {
            w->sample[i].flow = rank[w->sample[i].flow];
        }
        if (w->n > 0) {
            qsort(w->sample, w->n, sizeof *w->sample, sample_cmp);
        }
    }
    for (size_t first = 0, end; rc == 0 && first < w->n; first = end) {
        const struct sample *s = &w->sample[first];
        for (end = first + 1; end < w->n && w->sample[end].flow == s->flow &&
                              w->sample[end].kind == s->kind;
             end++) {
        }
        struct pof_kpi kpi = {.flow = w->k->flows.text[order[s->flow]]};
        rc = figure(s, end - first, &kpi, err);
        rc = rc ? rc : emit(ctx, &kpi, err);
    }
    free(order);
    free(rank);
    return rc;
}

int pof_kpis_make(struct pof_kpis *k, pof_on_kpi *emit, void *ctx, struct pof_err *err)
{
    struct work w = {.k = k};
    if (k->n > 0) {
        qsort(k->event, k->n, sizeof *k->event, event_cmp);
    }
    int rc = pof_calloc(&w.from, k->n, sizeof *w.from, err);
    rc = rc ? rc : pof_calloc(&w.to, k->n, sizeof *w.to, err);
    rc = rc ? rc : pof_calloc(&w.paired, k->n, sizeof *w.paired, err);
    rc = rc ? rc : pair_all(&w, err);
    rc = rc ? rc : add_costs(&w, err);
    rc = rc ? rc : emit_figures(&w, emit, ctx, err);
    free(w.sample);
    free(w.from);
    free(w.to);
    free(w.paired);
    return rc;
}
