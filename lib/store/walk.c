/* SPDX-License-Identifier: Apache-2.0 */
/* The way of every question through the store: pods in order of name, days in order of time. */
#include "store/inside.h"

#include <stdlib.h>
#include <string.h>

enum { LAST_DAY = 2932896 /* 9999-12-31 */ };

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

static int each_row(struct pof_stmt *s, const struct pof_query *q, pofi_on_pod *take, void *ctx,
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

static int each_named(struct pof_stmt *s, const struct pof_query *q, pofi_on_pod *take, void *ctx,
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
int pofi_each_pod(struct pof_store *store, const struct pof_query *q, pofi_on_pod *take, void *ctx,
                  struct pof_err *err)
{
    struct pof_stmt *s = NULL;
    uint64_t rows = 0;
    int rc = q->n_pods
                 ? pof_db_prepare(store->db, "SELECT " POFI_POD_COLUMNS " FROM pod WHERE name=?1",
                                  &s, err)
                 : pof_db_prepare_rows(
                       store->db, "SELECT " POFI_POD_COLUMNS " FROM pod ORDER BY name", &s, err);
    rc = rc          ? rc
         : q->n_pods ? each_named(s, q, take, ctx, err)
                     : each_row(s, q, take, ctx, &rows, err);
    pof_stmt_free(s);
    return rc;
}

/* --- the days of a pod --- */

static int64_t first_day(const struct pof_query *q)
{
    return q->from < 0 ? 0 : q->from / POFI_DAY_S;
}

static int64_t last_day(const struct pof_query *q)
{
    return q->until <= 0                      ? -1
           : q->until / POFI_DAY_S > LAST_DAY ? LAST_DAY
                                              : (q->until - 1) / POFI_DAY_S;
}

/* Leaps from day to day through the key instead of reading all rows for DISTINCT, in one question.
 */
static int find_days(struct pofi_walk *w, struct pof_err *err)
{
    pof_stmt_int(w->days_of, 1, w->q->series);
    pof_stmt_int(w->days_of, 2, first_day(w->q));
    pof_stmt_int(w->days_of, 3, last_day(w->q));
    int rc;
    while ((rc = pof_stmt_step(w->days_of, err)) > 0) {
        rc = pof_grow(&w->day, &w->cap, w->days + 1, sizeof *w->day, err);
        if (rc) {
            pof_stmt_reset(w->days_of);
            return rc;
        }
        w->day[w->days++] = pof_stmt_get_int(w->days_of, 0);
    }
    return rc;
}

int pofi_walk_open(struct pofi_walk *w, struct pof_store *store, const struct pof_query *q,
                   struct pof_err *err)
{
    *w = (struct pofi_walk){.store = store, .q = q};
    w->versions = (struct pof_versions){.series = q->series, .text = pofi_name_text, .ctx = store};
    int rc = pof_db_prepare(store->db,
                            "WITH RECURSIVE d(day) AS ("
                            "SELECT min(day) FROM day WHERE series=?1 AND day>=?2 AND day<=?3"
                            " UNION ALL SELECT (SELECT min(n.day) FROM day AS n WHERE n.series=?1"
                            " AND n.day>d.day AND n.day<=?3) FROM d WHERE d.day IS NOT NULL)"
                            " SELECT day FROM d WHERE day IS NOT NULL",
                            &w->days_of, err);
    rc = rc ? rc
            : pof_db_prepare(store->db,
                             "SELECT slots FROM day WHERE series=?1 AND day=?2 AND pod=?3"
                             " AND layer<=?4 ORDER BY layer",
                             &w->get, err);
    return rc ? rc : find_days(w, err);
}

void pofi_walk_close(struct pofi_walk *w)
{
    pof_stmt_free(w->days_of);
    pof_stmt_free(w->get);
    pof_versions_release(&w->versions);
    free(w->day);
    free(w->layer);
}

/* Reads the day of the pod at hand: layers up to max. */
int pofi_read_day(struct pofi_walk *w, int64_t day, int64_t max, struct pof_err *err)
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

/* Everything asked inside one read transaction sees one state of the store. */
int pofi_begin(struct pof_store *s, struct pof_err *err)
{
    return pof_db_begin(s->db, false, err);
}

int pofi_end(struct pof_store *s, int rc, struct pof_err *err)
{
    struct pof_err later = {0};
    int closed = pof_db_commit(s->db, &later);
    if (rc == 0 && closed) {
        *err = later;
        return closed;
    }
    return rc;
}
