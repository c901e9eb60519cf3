/* SPDX-License-Identifier: Apache-2.0 */
/* Asking the store: pods in order of name, days in order of time, versions in their order. Memory:
 * one day of one pod, whatever the answer. */
#include "store/inside.h"

#include "num/units.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { DAY_S = 86400, LAST_DAY = 2932896 /* 9999-12-31 */ };

/* --- which pods --- */

static int compare_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* A sorted copy without duplicates; n is updated. */
static int sorted(const char *const *names, size_t *n, const char ***out, struct pof_err *err)
{
    const char **copy;
    int rc = pof_calloc(&copy, *n, sizeof *copy, err);
    if (rc) {
        return rc;
    }
    for (size_t i = 0; i < *n; i++) {
        copy[i] = names[i];
    }
    qsort(copy, *n, sizeof *copy, compare_text);
    size_t kept = 0;
    for (size_t i = 0; i < *n; i++) {
        if (kept == 0 || strcmp(copy[kept - 1], copy[i]) != 0) {
            copy[kept++] = copy[i];
        }
    }
    *n = kept;
    *out = copy;
    return 0;
}

/* No list admits all; NULL text (a pod that is not registered) is in no list. */
static bool admitted(const char *const *names, size_t n, const struct pof_stmt *row, int column)
{
    if (n == 0) {
        return true;
    }
    if (pof_stmt_is_null(row, column)) {
        return false;
    }
    struct pof_text t = pof_stmt_get_text(row, column);
    for (size_t i = 0; i < n; i++) {
        if (pof_text_is(t, names[i])) {
            return true;
        }
    }
    return false;
}

/* A row of `SELECT POD_COLUMNS FROM pod`. */
#define POD_COLUMNS "id,name,node,aggregator,kind,p_up_max_w,p_down_max_w,owner"

typedef int on_pod(void *ctx, const struct pof_stmt *row, struct pof_err *err);

static int each_row(struct pof_stmt *s, const struct pof_query *q, on_pod *take, void *ctx,
                    uint64_t *rows, struct pof_err *err)
{
    int rc;
    while ((rc = pof_stmt_step(s, err)) > 0) {
        ++*rows;
        if (admitted(q->nodes, q->n_nodes, s, 2) &&
            admitted(q->aggregators, q->n_aggregators, s, 3)) {
            rc = take(ctx, s, err);
            if (rc) {
                pof_stmt_reset(s);
                return rc;
            }
        }
    }
    return rc;
}

static int each_named(struct pof_stmt *s, const struct pof_query *q, on_pod *take, void *ctx,
                      struct pof_err *err)
{
    const char **names = NULL;
    size_t n = q->n_pods;
    int rc = sorted(q->pods, &n, &names, err);
    for (size_t i = 0; i < n && rc == 0; i++) {
        uint64_t rows = 0;
        pof_stmt_text(s, 1, pof_text(names[i]));
        rc = each_row(s, q, take, ctx, &rows, err);
        if (rc == 0 && rows == 0) {
            rc = pof_fail(err, POF_E_ANSWER_NO, "pod '%.64s' is not known", names[i]);
        }
    }
    free(names);
    return rc;
}

/* The pods asked for, in order of name, in one read transaction. */
static int each_pod(struct pof_store *store, const struct pof_query *q, on_pod *take, void *ctx,
                    struct pof_err *err)
{
    struct pof_stmt *s = NULL;
    uint64_t rows = 0;
    int rc = pof_db_prepare(store->db,
                            q->n_pods ? "SELECT " POD_COLUMNS " FROM pod WHERE name=?1"
                                      : "SELECT " POD_COLUMNS " FROM pod ORDER BY name",
                            &s, err);
    rc = rc          ? rc
         : q->n_pods ? each_named(s, q, take, ctx, err)
                     : each_row(s, q, take, ctx, &rows, err);
    pof_stmt_free(s);
    return rc;
}

/* --- the days of a pod --- */

struct walk {
    struct pof_store *store;
    const struct pof_query *q;
    struct pof_stmt *next_day, *get;
    int64_t *day; /* days on which the series has anything, ascending; owned */
    size_t days, cap;
    struct pof_text pod;
    int64_t pod_row;
    struct pof_block *layer; /* of the day at hand; layer[0] counts; owned */
    size_t layers, layer_cap;
    struct pof_versions versions;
    pof_take *take;
    void *ctx;
};

static int64_t first_day(const struct pof_query *q)
{
    return q->from < 0 ? 0 : q->from / DAY_S;
}

static int64_t last_day(const struct pof_query *q)
{
    return q->until <= 0 ? -1 : q->until / DAY_S > LAST_DAY ? LAST_DAY : (q->until - 1) / DAY_S;
}

/* Leaps from day to day through the key instead of reading all rows for DISTINCT. */
static int find_days(struct walk *w, struct pof_err *err)
{
    int64_t day = first_day(w->q);
    int64_t last = last_day(w->q);
    int rc = 0;
    while (day <= last) {
        pof_stmt_int(w->next_day, 1, w->q->series);
        pof_stmt_int(w->next_day, 2, day);
        rc = pof_stmt_step(w->next_day, err);
        if (rc <= 0) {
            return rc;
        }
        day = pof_stmt_get_int(w->next_day, 0);
        pof_stmt_reset(w->next_day);
        if (day > last) {
            break;
        }
        rc = pof_grow(&w->day, &w->cap, w->days + 1, sizeof *w->day, err);
        if (rc) {
            return rc;
        }
        w->day[w->days++] = day++;
    }
    return 0;
}

static int walk_open(struct walk *w, struct pof_store *store, const struct pof_query *q,
                     struct pof_err *err)
{
    *w = (struct walk){.store = store, .q = q};
    w->versions = (struct pof_versions){.series = q->series, .text = pofi_name_text, .ctx = store};
    int rc = pof_db_prepare(store->db,
                            "SELECT day FROM day WHERE series=?1 AND day>=?2 ORDER BY day LIMIT 1",
                            &w->next_day, err);
    rc = rc ? rc
            : pof_db_prepare(store->db,
                             "SELECT slots FROM day WHERE series=?1 AND day=?2 AND pod=?3"
                             " AND layer<=?4 ORDER BY layer",
                             &w->get, err);
    return rc ? rc : find_days(w, err);
}

static void walk_close(struct walk *w)
{
    pof_stmt_free(w->next_day);
    pof_stmt_free(w->get);
    pof_versions_release(&w->versions);
    free(w->day);
    free(w->layer);
}

/* Reads the day of the pod at hand: layers up to max. */
static int read_day(struct walk *w, int64_t day, int64_t max, struct pof_err *err)
{
    w->layers = 0;
    pof_stmt_int(w->get, 1, w->q->series);
    pof_stmt_int(w->get, 2, day);
    pof_stmt_int(w->get, 3, w->pod_row);
    pof_stmt_int(w->get, 4, max);
    int rc;
    while ((rc = pof_stmt_step(w->get, err)) > 0) {
        rc = pof_grow(&w->layer, &w->layer_cap, w->layers + 1, sizeof *w->layer, err);
        struct pof_text bytes = pof_stmt_get_text(w->get, 0);
        rc =
            rc ? rc
               : pof_block_unpack(&w->layer[w->layers], (const uint8_t *)bytes.ptr, bytes.len, err);
        if (rc) {
            pof_stmt_reset(w->get);
            return rc;
        }
        w->layers++;
    }
    return rc;
}

/* --- from cells to records --- */

static bool has(const struct pof_cell *c, int column)
{
    return (c->has >> column) & 1u;
}

static int make_measurement(struct walk *w, int64_t start, const struct pof_cell *c,
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

static int make_setpoint(struct walk *w, int64_t start, const struct pof_cell *c,
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

static int give(struct walk *w, int64_t start, const struct pof_cell *c, struct pof_err *err)
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

static int gather(struct walk *w, size_t slot, struct pof_err *err)
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
static int give_versions(struct walk *w, int64_t start, size_t slot, struct pof_err *err)
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

static int give_day(struct walk *w, int64_t day, struct pof_err *err)
{
    bool plain = w->q->versions == POF_WANT_CURRENT && w->q->known_at == INT64_MAX;
    int rc = read_day(w, day, plain ? 0 : INT64_MAX, err);
    for (size_t slot = 0; slot < POF_DAY_SLOTS && rc == 0 && w->layers > 0; slot++) {
        int64_t start = day * DAY_S + (int64_t)slot * POF_QUARTER_S;
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
    struct walk *w = ctx;
    w->pod_row = pof_stmt_get_int(row, 0);
    w->pod = pof_stmt_get_text(row, 1);
    int rc = 0;
    for (size_t i = 0; i < w->days && rc == 0; i++) {
        rc = give_day(w, w->day[i], err);
    }
    return rc;
}

/* Everything asked inside one read transaction sees one state of the store. */
static int begin(struct pof_store *s, struct pof_err *err)
{
    return pof_db_exec(s->db, "BEGIN", err);
}

static int end(struct pof_store *s, int rc, struct pof_err *err)
{
    struct pof_err later = {0};
    int closed = pof_db_exec(s->db, "COMMIT", &later);
    if (rc == 0 && closed) {
        *err = later;
        return closed;
    }
    return rc;
}

int pof_store_query(struct pof_store *s, const struct pof_query *q, pof_take *take, void *ctx,
                    struct pof_err *err)
{
    struct walk w = {0};
    int rc = begin(s, err);
    if (rc) {
        return rc;
    }
    rc = walk_open(&w, s, q, err);
    w.take = take;
    w.ctx = ctx;
    rc = rc ? rc : each_pod(s, q, take_pod, &w, err);
    walk_close(&w);
    return end(s, rc, err);
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
    int rc = begin(s, err);
    if (rc) {
        return rc;
    }
    return end(s, each_pod(s, q, give_pod, &t, err), err);
}

/* --- what is there --- */

struct count {
    struct walk walk; /* first, so that the walk's helpers take it */
    struct pof_stat *stat;
    pof_take_gap *gap;
    void *gap_ctx;
    int64_t expect; /* of the pod at hand: the next quarter-hour, in seconds */
    uint64_t found;
};

static int close_gap(struct count *c, int64_t until, struct pof_err *err)
{
    if (c->expect >= until) {
        return 0;
    }
    struct pof_gap gap = {c->walk.pod, c->expect, until};
    c->stat->gaps++;
    c->stat->missing += (uint64_t)((until - c->expect) / POF_QUARTER_S);
    return c->gap ? c->gap(c->gap_ctx, &gap, err) : 0;
}

static int count_day(struct count *c, int64_t day, struct pof_err *err)
{
    struct walk *w = &c->walk;
    int rc = read_day(w, day, INT64_MAX, err);
    for (size_t slot = 0; slot < POF_DAY_SLOTS && rc == 0 && w->layers > 0; slot++) {
        int64_t start = day * DAY_S + (int64_t)slot * POF_QUARTER_S;
        if (start < c->stat->from || start >= c->stat->until ||
            !pof_block_there(&w->layer[0], slot)) {
            continue;
        }
        c->found++;
        for (size_t i = 1; i < w->layers; i++) {
            c->stat->revisions += pof_block_there(&w->layer[i], slot);
        }
        rc = close_gap(c, start, err);
        c->expect = start + POF_QUARTER_S;
    }
    return rc;
}

/* Does the pod at hand have anything in the window? Gaps are told only of those. */
static int has_any(struct count *c, bool *any, struct pof_err *err)
{
    struct walk *w = &c->walk;
    *any = false;
    for (size_t i = 0; i < w->days && !*any; i++) {
        int rc = read_day(w, w->day[i], 0, err);
        if (rc) {
            return rc;
        }
        for (size_t slot = 0; slot < POF_DAY_SLOTS && w->layers > 0; slot++) {
            int64_t start = w->day[i] * DAY_S + (int64_t)slot * POF_QUARTER_S;
            *any = *any || (start >= c->stat->from && start < c->stat->until &&
                            pof_block_there(&w->layer[0], slot));
        }
    }
    return 0;
}

static int count_pod(void *ctx, const struct pof_stmt *row, struct pof_err *err)
{
    struct count *c = ctx;
    bool any;
    c->walk.pod_row = pof_stmt_get_int(row, 0);
    c->walk.pod = pof_stmt_get_text(row, 1);
    c->found = 0;
    c->expect = c->stat->from;
    int rc = has_any(c, &any, err);
    if (rc || !any) {
        c->stat->silent += rc == 0 && !pof_stmt_is_null(row, 2);
        return rc;
    }
    for (size_t i = 0; i < c->walk.days && rc == 0; i++) {
        rc = count_day(c, c->walk.day[i], err);
    }
    c->stat->records += c->found;
    c->stat->pods++;
    return rc ? rc : close_gap(c, c->stat->until, err);
}

/* The first (or last) quarter-hour of any pod on a day. */
static int edge(struct walk *w, int64_t day, bool last, int64_t *out, struct pof_err *err)
{
    struct pof_stmt *s;
    uint64_t there[2] = {0};
    int rc = pof_db_prepare(
        w->store->db, "SELECT slots FROM day WHERE series=?1 AND day=?2 AND layer=0", &s, err);
    if (rc) {
        return rc;
    }
    pof_stmt_int(s, 1, w->q->series);
    pof_stmt_int(s, 2, day);
    rc = pof_grow(&w->layer, &w->layer_cap, 1, sizeof *w->layer, err);
    while (rc == 0 && (rc = pof_stmt_step(s, err)) > 0) {
        struct pof_text bytes = pof_stmt_get_text(s, 0);
        rc = pof_block_unpack(w->layer, (const uint8_t *)bytes.ptr, bytes.len, err);
        there[0] |= w->layer->there[0];
        there[1] |= w->layer->there[1];
    }
    pof_stmt_free(s);
    int slot =
        last ? (there[1] ? 127 - __builtin_clzll(there[1]) : 63 - __builtin_clzll(there[0] | 1))
             : (there[0] ? __builtin_ctzll(there[0]) : 64 + __builtin_ctzll(there[1] | 1));
    *out = day * DAY_S + (int64_t)slot * POF_QUARTER_S;
    return rc;
}

/* The window: as asked for, where not, from the first to behind the last quarter-hour there is. */
static int find_window(struct walk *w, struct pof_stat *stat, struct pof_err *err)
{
    stat->from = w->q->from;
    stat->until = w->q->until;
    if (w->days == 0) {
        stat->from = stat->until = 0;
        return 0;
    }
    int rc = 0;
    if (stat->from == INT64_MIN) {
        rc = edge(w, w->day[0], false, &stat->from, err);
    }
    if (rc == 0 && stat->until == INT64_MAX) {
        rc = edge(w, w->day[w->days - 1], true, &stat->until, err);
        stat->until += POF_QUARTER_S;
    }
    stat->from += (POF_QUARTER_S - stat->from % POF_QUARTER_S) % POF_QUARTER_S;
    stat->until += (POF_QUARTER_S - stat->until % POF_QUARTER_S) % POF_QUARTER_S;
    return rc;
}

int pof_store_stat(struct pof_store *s, const struct pof_query *q, struct pof_stat *out,
                   pof_take_gap *gap, void *ctx, struct pof_err *err)
{
    *out = (struct pof_stat){0};
    struct count c = {.stat = out, .gap = gap, .gap_ctx = ctx};
    int rc = begin(s, err);
    if (rc) {
        return rc;
    }
    rc = walk_open(&c.walk, s, q, err);
    rc = rc ? rc : find_window(&c.walk, out, err);
    rc = rc ? rc : each_pod(s, q, count_pod, &c, err);
    walk_close(&c.walk);
    return end(s, rc, err);
}

int pof_store_count_pods(struct pof_store *s, uint64_t *registered, uint64_t *unregistered,
                         struct pof_err *err)
{
    int64_t with = 0;
    int64_t without = 0;
    int rc = pof_db_int(s->db, "SELECT count(*) FROM pod WHERE node IS NOT NULL", &with, err);
    rc = rc ? rc : pof_db_int(s->db, "SELECT count(*) FROM pod WHERE node IS NULL", &without, err);
    *registered = (uint64_t)with;
    *unregistered = (uint64_t)without;
    return rc;
}
