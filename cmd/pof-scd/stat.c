/* SPDX-License-Identifier: Apache-2.0 */
/* pof-scd stat and forget: what is there, and what need not be there any more. */
#include "parts.h"

#include "num/time.h"

#include <inttypes.h>

struct lines {
    struct pof_sink sink;
    struct pof_buf line;
    const char *series;
};

static int write_line(struct lines *l, struct pof_err *err)
{
    int rc = l->sink.write(l->sink.ctx, l->line.data, l->line.len, err);
    l->line.len = 0;
    return rc;
}

static int write_gap(void *ctx, const struct pof_gap *gap, struct pof_err *err)
{
    struct lines *l = ctx;
    int rc = pof_gap_format(&l->line, l->series, gap, err);
    return rc ? rc : write_line(l, err);
}

int scd_stat(struct run *r, struct pof_err *err)
{
    struct lines l = {0};
    struct pof_query q = scd_question(r->args);
    uint64_t registered;
    uint64_t unregistered;
    int rc = pof_cli_sink(r->cli, NULL, &l.sink, err);
    rc = rc ? rc : pof_store_count_pods(r->store, &registered, &unregistered, err);
    rc = rc ? rc
            : pof_buf_addf(&l.line, err, "pods registered=%" PRIu64 " unregistered=%" PRIu64 "\n",
                           registered, unregistered);
    rc = rc ? rc : write_line(&l, err);
    for (int series = 0; series < POF_SERIES && rc == 0; series++) {
        struct pof_stat stat;
        q.series = (enum pof_series)series;
        l.series = scd_whats[series];
        rc = pof_store_stat(r->store, &q, &stat, r->args->gaps ? write_gap : NULL, &l, err);
        rc = rc ? rc : pof_stat_format(&l.line, l.series, &stat, err);
        rc = rc ? rc : write_line(&l, err);
    }
    pof_buf_release(&l.line);
    return rc;
}

int scd_forget(struct run *r, struct pof_err *err)
{
    struct pof_forgotten n;
    char until[POF_INSTANT_MAX];
    if (r->args->before == INT64_MIN) {
        return pof_fail(err, POF_E_USAGE, "forget needs --before TIME");
    }
    int rc = pof_store_forget(r->store, r->args->before, &n, err);
    if (rc == 0) {
        size_t len = pof_instant_format(n.until, until);
        pof_cli_note(r->cli,
                     "before %.*s: %" PRIu64 " days of pods forgotten, %" PRIu64
                     " quarter-hours and %" PRIu64 " older versions of them",
                     (int)len, until, n.days, n.records, n.revisions);
    }
    return rc;
}
