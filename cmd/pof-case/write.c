/* SPDX-License-Identifier: Apache-2.0 */
/* Cases: the grid and its readings as of an instant. */
#include "parts.h"

#include "grid/format.h"
#include "io/file.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int case_put_file(struct work *w, const char *dir, const char *name, struct pof_err *err)
{
    struct pof_buf path = {0};
    struct pof_output *out = NULL;
    int rc = pof_buf_addf(&path, err, "%s/%s", dir, name);
    rc = rc ? rc : pof_output_open(&out, path.data, true, err);
    if (rc == 0) {
        struct pof_sink sink = pof_output_sink(out);
        rc = sink.write(sink.ctx, w->text.data, w->text.len, err);
        if (rc) {
            pof_output_abort(out);
        }
    }
    rc = rc ? rc : pof_output_commit(out, err);
    pof_buf_release(&path);
    return rc;
}

/* PRIORITY-INSTANT.NAME and an ending: new instants sort before those that are made again. */
static int put(struct work *w, const struct pof_instant *t, const char *ending, struct pof_err *err)
{
    char name[POF_INSTANT_MAX + 80];
    char when[POF_INSTANT_MAX];
    int n = (int)pof_instant_format(t->start, when);
    snprintf(name, sizeof name, "%d-%.*s.%.64s.%s", t->start > w->newest_before ? 1 : 2, n, when, w->args->name,
             ending);
    return case_put_file(w, w->args->into, name, err);
}

static int put_readings(struct work *w, const struct pof_instant *t, struct pof_err *err)
{
    int rc = 0;
    w->text.len = 0;
    for (size_t i = 0; rc == 0 && i < t->n; i++) {
        struct pof_observation o = t->observation[i];
        double least = t->origin[i] == POF_ORIGIN_METER && o.quantity != POF_QUANTITY_V
                           ? (double)w->args->sigma_least / 1e6
                           : 0;
        o.sigma = o.sigma > 0 && o.sigma < least ? least : o.sigma;
        struct pof_reading r = pof_reading_of(&w->grid, &o, t->start);
        rc = pof_record_format(&w->text, POF_reading, &r, err);
        rc = rc ? rc : pof_buf_adds(&w->text, "\n", err);
    }
    return rc ? rc : put(w, t, "jsonl", err);
}

static void tell(void *ctx, const char *text)
{
    struct work *w = ctx;
    if (w->n.cases == 0) {
        pof_cli_note(w->cli, "%s", text); /* once, not for each instant */
    }
}

static int put_network(struct work *w, struct pof_grid *now, const struct pof_instant *t, struct pof_err *err)
{
    const struct pof_teller teller = {tell, w};
    char title[64 + POF_INSTANT_MAX];
    char when[POF_INSTANT_MAX];
    int n = (int)pof_instant_format(t->start, when);
    int rc = pof_case_set(now, &w->grid, t, err);
    int room = (int)w->grid.name.len < 24 ? (int)w->grid.name.len : 24;
    snprintf(title, sizeof title, "%.*s at %.*s", room, w->grid.name.ptr ? w->grid.name.ptr : "", n, when);
    now->name = pof_text(title);
    w->text.len = 0;
    rc = rc ? rc : pof_raw_write(now, &w->text, &teller, err);
    return rc ? rc : put(w, t, "raw", err);
}

/* The readings first: the network says that the case is whole. */
static int put_case(struct work *w, struct pof_grid *now, const struct pof_instant *t, struct pof_err *err)
{
    int rc = put_readings(w, t, err);
    rc = rc ? rc : put_network(w, now, t, err);
    w->n.cases += rc == 0;
    w->n.revised += rc == 0 && t->start <= w->newest_before;
    w->n.aged += t->aged;
    w->n.pseudo += t->pseudo;
    w->n.oldest_s = t->oldest_s > w->n.oldest_s ? t->oldest_s : w->n.oldest_s;
    return rc;
}

int case_write(struct work *w, struct pof_err *err)
{
    struct pof_grid now = w->grid; /* shares all but what is set */
    struct pof_instant t;
    int more = 1;
    now.node = NULL;
    now.branch = NULL;
    int rc = pof_calloc(&now.node, now.nodes, sizeof *now.node, err);
    rc = rc ? rc : pof_calloc(&now.branch, now.branches, sizeof *now.branch, err);
    if (rc == 0) {
        memcpy(now.node, w->grid.node, now.nodes * sizeof *now.node);
        memcpy(now.branch, w->grid.branch, now.branches * sizeof *now.branch);
        rc = pof_feed_sort(w->feed, err);
    }
    while (rc == 0 && more > 0) {
        more = pof_feed_next(w->feed, &t, err);
        rc = more < 0 ? more : more > 0 && t.start >= w->first && t.start <= w->until ? put_case(w, &now, &t, err) : 0;
    }
    free(now.node);
    free(now.branch);
    return rc;
}
