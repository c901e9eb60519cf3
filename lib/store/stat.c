/* SPDX-License-Identifier: Apache-2.0 */
/* What is there and what is missing. */
#include "store/inside.h"

#include "num/time.h"
#include "num/units.h"

#include <inttypes.h>

struct count {
    struct pofi_walk walk; /* first, so that the walk's helpers take it */
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
    struct pofi_walk *w = &c->walk;
    int rc = pofi_read_day(w, day, INT64_MAX, err);
    for (size_t slot = 0; slot < POF_DAY_SLOTS && rc == 0 && w->layers > 0; slot++) {
        int64_t start = day * POFI_DAY_S + (int64_t)slot * POF_QUARTER_S;
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
    struct pofi_walk *w = &c->walk;
    *any = false;
    for (size_t i = 0; i < w->days && !*any; i++) {
        int rc = pofi_read_day(w, w->day[i], 0, err);
        if (rc) {
            return rc;
        }
        for (size_t slot = 0; slot < POF_DAY_SLOTS && w->layers > 0; slot++) {
            int64_t start = w->day[i] * POFI_DAY_S + (int64_t)slot * POF_QUARTER_S;
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
static int edge(struct pofi_walk *w, int64_t day, bool last, int64_t *out, struct pof_err *err)
{
    struct pof_stmt *s;
    uint64_t there[2] = {0};
    int rc = pof_db_prepare_rows(
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
    *out = day * POFI_DAY_S + (int64_t)slot * POF_QUARTER_S;
    return rc;
}

/* The window: as asked for, where not, from the first to behind the last quarter-hour there is. */
static int find_window(struct pofi_walk *w, struct pof_stat *stat, struct pof_err *err)
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
    int rc = pofi_begin(s, err);
    if (rc) {
        return rc;
    }
    rc = pofi_walk_open(&c.walk, s, q, err);
    rc = rc ? rc : find_window(&c.walk, out, err);
    rc = rc ? rc : pofi_each_pod(s, q, count_pod, &c, err);
    pofi_walk_close(&c.walk);
    return pofi_end(s, rc, err);
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

static int add_window(struct pof_buf *to, int64_t from, int64_t until, struct pof_err *err)
{
    char a[POF_INSTANT_MAX];
    char b[POF_INSTANT_MAX];
    if (from >= until) {
        return pof_buf_adds(to, " from=- until=-", err);
    }
    size_t n = pof_instant_format(from, a);
    size_t m = pof_instant_format(until, b);
    return pof_buf_addf(to, err, " from=%.*s until=%.*s", (int)n, a, (int)m, b);
}

int pof_gap_format(struct pof_buf *to, const char *series, const struct pof_gap *gap,
                   struct pof_err *err)
{
    int rc =
        pof_buf_addf(to, err, "gap series=%s pod=%.*s", series, (int)gap->pod.len, gap->pod.ptr);
    rc = rc ? rc : add_window(to, gap->from, gap->until, err);
    return rc ? rc : pof_buf_adds(to, "\n", err);
}

int pof_stat_format(struct pof_buf *to, const char *series, const struct pof_stat *s,
                    struct pof_err *err)
{
    int rc = pof_buf_addf(
        to, err, "%s pods=%" PRIu64 " silent=%" PRIu64 " records=%" PRIu64 " revisions=%" PRIu64,
        series, s->pods, s->silent, s->records, s->revisions);
    rc = rc ? rc : add_window(to, s->from, s->until, err);
    return rc ? rc
              : pof_buf_addf(to, err, " gaps=%" PRIu64 " missing=%" PRIu64 "\n", s->gaps,
                             s->missing);
}
