/* SPDX-License-Identifier: Apache-2.0 */
/* The shared customer database: points of delivery and their measurements, baselines and set
 * points, with everything that was ever said about a quarter-hour.
 *
 * One SQLite file (application_id "POFS", user_version 1), or schema pof of one PostgreSQL database
 * (table pof.store says the same), with the same tables:
 *
 *     pod(id, name, node, aggregator, kind, p_up_max_w, p_down_max_w, owner)
 *         node, aggregator, kind and the limits are NULL while a pod is not registered
 *     name(id, text)                      sources, sessions and aggregators of the series
 *     day(series, day, pod, layer, slots) slots as in block.h; day: days since 1970-01-01, UTC
 *         series 0 measurements: columns p_w, q_var, v_mv, quality, source, seq
 *                1 baselines:    columns p_w, q_var
 *                2 set points:   columns p_w, change_w, session, aggregator
 *         column 6 of every series: when it became known, seconds since 1970-01-01
 *         layer  0: what counts; 1, 2, ...: the other versions of each quarter-hour, oldest first
 *
 * Rows are clustered by day: loading a quarter-hour of all pods writes one stretch of the file.
 * Texts of enums are words, numbers are integers in the unit of their name; no double anywhere.
 * Every change is one transaction: the store is whole at any instant, also after kill -9. */
#ifndef POF_STORE_STORE_H
#define POF_STORE_STORE_H

#include "record/record.h"
#include "store/db.h"
#include "store/version.h"

struct pof_store;

/* Opens a store; POF_DB_CREATE makes it where there is none. SCHEMA: a database that is not a
 * store, or one of a later version. Errors else as in db.h. */
int pof_store_open(struct pof_store **out, const char *path, enum pof_db_mode mode,
                   struct pof_err *err) POF_CHECKED;
void pof_store_close(struct pof_store *s); /* NULL allowed */

/* --- registration (flow 0) --- */

struct pof_registered {
    uint64_t added;     /* new pods */
    uint64_t updated;   /* pods whose limits, or with replace anything, changed */
    uint64_t unchanged; /* pods that were registered just so */
    uint64_t refused;
};

/* Begins a registration: one transaction, all or nothing. replace: node, aggregator, kind and owner
 * of a registered pod may change too. */
int pof_register_begin(struct pof_store *s, bool replace, struct pof_err *err) POF_CHECKED;
/* Registers a pod. ANSWER_NO: the pod is registered otherwise; CONFLICT: this registration says two
 * things about it. Both count as refused and the registration may go on, to find all of them. */
int pof_register(struct pof_store *s, const struct pof_pod *pod, struct pof_err *err) POF_CHECKED;
/* Ends it: keeps everything, or nothing when keep is false or a pod was refused. */
int pof_register_end(struct pof_store *s, bool keep, struct pof_registered *counts,
                     struct pof_err *err) POF_CHECKED;

/* --- loading (flow 7b) --- */

struct pof_load_options {
    int64_t known;     /* instant from which the records count as known */
    bool keep_unknown; /* keep series of pods that are not registered, else refuse them */
    size_t batch;      /* records collected in memory (96 bytes each) for one transaction; > 0 */
};

struct pof_loaded {
    uint64_t records;
    uint64_t added;       /* quarter-hours that had no value */
    uint64_t unchanged;   /* said before */
    uint64_t revised;     /* a further version */
    uint64_t stale;       /* a further version that does not count, see version.h */
    uint64_t contradicts; /* a further version against another of the same load */
    char first_pod[65];   /* of the first contradiction in order of series, day and pod */
    int64_t first_start;
};

struct pof_load;

int pof_load_new(struct pof_load **out, struct pof_store *s, const struct pof_load_options *options,
                 struct pof_err *err) POF_CHECKED;
/* Takes a measurement, baseline or setpoint; commits when the batch is full, all but its last day
 * when at least half of it came before. RANGE: not a quarter-hour (900 s from a full quarter, UTC).
 * REFERENCE: the pod is not registered. Both leave the load as it was; after other errors it must
 * be freed. Amortised O(log batch). */
int pof_load_put(struct pof_load *load, const struct pof_record *record,
                 struct pof_err *err) POF_CHECKED;
/* Commits what is left. */
int pof_load_flush(struct pof_load *load, struct pof_err *err) POF_CHECKED;
const struct pof_loaded *pof_load_counts(const struct pof_load *load);
void pof_load_free(struct pof_load *load); /* NULL allowed; what is not flushed is lost */

/* --- asking (flows 1 and 8) --- */

enum pof_versions_wanted { POF_WANT_CURRENT, POF_WANT_ALL };

struct pof_query {
    enum pof_series series;
    const char *const *pods; /* n_pods names; none: all */
    size_t n_pods;
    const char *const *nodes; /* pods at these nodes; none: all */
    size_t n_nodes;
    const char *const *aggregators; /* pods of these aggregators; none: all */
    size_t n_aggregators;
    int64_t from;                      /* quarter-hours that begin at or after, INT64_MIN: all */
    int64_t until;                     /* and before, INT64_MAX: all */
    int64_t known_at;                  /* as known at this instant, INT64_MAX: now */
    enum pof_versions_wanted versions; /* ALL: oldest first; known_at still counts */
};

/* Takes a record that lives until it returns; negative ends the query with that error. */
typedef int pof_take(void *ctx, const struct pof_record *record, struct pof_err *err);

/* Calls take for the records asked for, in order of pod (bytes), start, version. One consistent
 * view of the store, memory independent of the answer. ANSWER_NO: a pod named is not known. */
int pof_store_query(struct pof_store *s, const struct pof_query *q, pof_take *take, void *ctx,
                    struct pof_err *err) POF_CHECKED;
/* The same for the registered pods themselves. */
int pof_store_pods(struct pof_store *s, const struct pof_query *q, pof_take *take, void *ctx,
                   struct pof_err *err) POF_CHECKED;

/* --- what is there --- */

/* A run of quarter-hours that a pod lacks. The name lives until the callback returns. */
struct pof_gap {
    struct pof_text pod;
    int64_t from;
    int64_t until;
};
typedef int pof_take_gap(void *ctx, const struct pof_gap *gap, struct pof_err *err);

struct pof_stat {
    uint64_t pods;      /* of those asked for, with at least one quarter-hour in the window */
    uint64_t silent;    /* registered pods of those asked for without one */
    uint64_t records;   /* quarter-hours with a value, in the window */
    uint64_t revisions; /* versions that do not count */
    uint64_t gaps;      /* runs of quarter-hours that a pod with values lacks in the window */
    uint64_t missing;   /* quarter-hours in them */
    int64_t from;       /* the window: as asked for, else from the first to behind the last */
    int64_t until;      /* quarter-hour of the series; from == until: nothing there */
};

/* Counts a series; gap may be NULL. Order of gaps: pod, time. */
int pof_store_stat(struct pof_store *s, const struct pof_query *q, struct pof_stat *out,
                   pof_take_gap *gap, void *ctx, struct pof_err *err) POF_CHECKED;
/* --- keeping no longer than needed --- */

struct pof_forgotten {
    uint64_t days;      /* of pods and series: what table day held */
    uint64_t records;   /* quarter-hours in them */
    uint64_t revisions; /* versions of theirs that did not count */
    int64_t until;      /* nothing is left before this instant, the begin of a day (UTC) */
};

/* Drops the days of all series that were over at an instant; one transaction. Pods and names stay.
 * O(what is dropped). */
int pof_store_forget(struct pof_store *s, int64_t before, struct pof_forgotten *out,
                     struct pof_err *err) POF_CHECKED;

/* One line of name=value pairs, "measurements pods=..." or "gap series=measurements ...", as
 * pof-scd(1) describes them. */
int pof_stat_format(struct pof_buf *to, const char *series, const struct pof_stat *s,
                    struct pof_err *err) POF_CHECKED;
int pof_gap_format(struct pof_buf *to, const char *series, const struct pof_gap *gap,
                   struct pof_err *err) POF_CHECKED;
/* Pods registered, and pods known only from their series. */
int pof_store_count_pods(struct pof_store *s, uint64_t *registered, uint64_t *unregistered,
                         struct pof_err *err) POF_CHECKED;

#endif
