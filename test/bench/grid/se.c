/* SPDX-License-Identifier: Apache-2.0 */
/* State estimation: one instant on a live model, and batches. */
#include "bench.h"

#include "grid/estimate_batch.h"

#include <stdlib.h>

static struct pof_observation *room(const struct bed *bed, size_t sets)
{
    struct pof_observation *o = calloc(bed->set.n * sets, sizeof *o);
    if (!o) {
        die(bed->net->name, &(struct pof_err){.text = "no memory"});
    }
    return o;
}

static bool estimate(struct pof_se *se, const struct pof_observation *o, size_t n)
{
    struct pof_err err = {0};
    enum pof_se_status status;
    if (pof_se_solve(se, o, n, &status, &err)) {
        die("estimate", &err);
    }
    return status == POF_SE_CONVERGED;
}

static struct pof_se *engine(const struct bed *bed)
{
    struct pof_err err = {0};
    struct pof_se *se;
    if (pof_se_new(&se, &bed->grid, NULL, &err)) {
        die(bed->net->name, &err);
    }
    return se;
}

/* All measurements change, the model lives on: as in a control room. */
void run_se(struct bed *bed, struct figure *f)
{
    struct watch w = {0};
    struct pof_se *se = engine(bed);
    struct pof_observation *o = room(bed, 1);
    bed_scenario(bed, 0, o);
    f->failures += !estimate(se, o, bed->set.n);
    double used;
    do {
        bed_scenario(bed, w.n + 1, o);
        double t = cpu();
        f->failures += !estimate(se, o, bed->set.n);
        used = cpu() - t;
    } while (watch_take(&w, used, 1));
    f->ms = watch_median(&w);
    f->runs = w.n;
    f->rss_mib = rss_mib();
    free(o);
    pof_se_free(se);
}

void run_se_check(struct bed *bed, struct figure *f)
{
    struct watch w = {0}, of_estimates = {0};
    struct pof_se *se = engine(bed);
    struct pof_se_check check;
    struct pof_err err = {0};
    struct pof_observation *o = room(bed, 1);
    double used;
    f->failures += !estimate(se, bed->set.item, bed->set.n);
    do {
        bed_scenario(bed, w.n + 1, o);
        double t = cpu();
        f->failures += !estimate(se, o, bed->set.n);
        (void)watch_take(&of_estimates, cpu() - t, 1);
        t = cpu();
        if (pof_se_check(se, &check, &err)) {
            die("check", &err);
        }
        used = cpu() - t;
    } while (watch_take(&w, used, 1));
    f->ms = watch_median(&w);
    f->estimate_ms = watch_median(&of_estimates);
    f->runs = w.n;
    f->rss_mib = rss_mib();
    free(o);
    pof_se_free(se);
}

static unsigned scenarios(const struct bed *bed)
{
    uint32_t n = bed->grid.nodes;
    return n < 3000 ? 1000 : n < 20000 ? 100 : 32;
}

/* Parts of a batch that go on with the base of the first: a large one need not be in memory at once. */
static unsigned parts(const struct bed *bed)
{
    return bed->grid.nodes < 20000 ? 1 : 4;
}

/* One batch of new values in parts; the values are those of the first part each time. */
static double batch_in_parts(struct pof_se *se, struct pof_se_batch *batch, const struct bed *bed,
                             struct figure *f)
{
    struct pof_err err = {0};
    double used = 0;
    for (unsigned part = 0; part < parts(bed); part++) {
        batch->continued = part > 0;
        double t = cpu();
        if (pof_se_batch(se, batch, &err)) {
            die(bed->net->name, &err);
        }
        used += cpu() - t;
        for (size_t i = 0; i < batch->cases; i++) {
            f->failures += batch->status[i] != POF_SE_CONVERGED;
        }
    }
    return used;
}

/* Fresh noise for every scenario; voltages and angles are what is wanted of each. The base,
 * estimated by itself at the begin of every batch, is in its time. */
void run_se_batch(struct bed *bed, struct figure *f)
{
    struct watch w = {0};
    unsigned n = scenarios(bed);
    size_t nodes = bed->grid.nodes, m = bed->set.n;
    struct pof_se *se = engine(bed);
    struct pof_observation *o = room(bed, 1);
    double *value = calloc(n * m, sizeof *value), *v = calloc(2 * n * nodes, sizeof *v);
    enum pof_se_status *status = calloc(n, sizeof *status);
    if (!value || !v || !status) {
        die(bed->net->name, &(struct pof_err){.text = "no memory"});
    }
    for (size_t i = 0; i < 2 * n * nodes; i++) {
        v[i] = 1; /* memory that is there, as in the second of many batches */
    }
    for (unsigned i = 0; i < n; i++) {
        bed_scenario(bed, i, o);
        for (size_t k = 0; k < m; k++) {
            value[i * m + k] = o[k].value;
        }
    }
    struct pof_se_batch batch = {.observation = bed->set.item,
                                 .n = m,
                                 .cases = n,
                                 .value = value,
                                 .v_pu = v,
                                 .angle = v + n * nodes,
                                 .status = status};
    double used;
    do {
        used = batch_in_parts(se, &batch, bed, f);
    } while (watch_take(&w, used, n * parts(bed)));
    f->ms = watch_median(&w);
    f->runs = w.n;
    f->scenarios = n * parts(bed);
    f->rss_mib = rss_mib();
    free(status);
    free(value);
    free(v);
    free(o);
    pof_se_free(se);
}

/* Noise of one sigma drawn anew a thousand times: none may fail. Each by a new engine, because in a
 * batch, or after another estimate, it has the help of a neighbour. */
void run_se_draws(struct bed *bed, struct figure *f)
{
    enum { DRAWS = 1000 };
    struct pof_err err = {0};
    struct pof_measure_options m = {.set = bed->net->set, .noise = true, .seed = 11};
    struct pof_observations o = {0};
    double used = 0;
    for (unsigned i = 0; i < DRAWS; i++) {
        o.n = 0;
        m.draw = i;
        if (pof_measure_make(&bed->grid, &bed->truth, NULL, &m, &o, &err)) {
            die("draws", &err);
        }
        struct pof_se *se = engine(bed);
        double t = cpu();
        f->failures += !estimate(se, o.item, o.n);
        used += cpu() - t;
        pof_se_free(se);
    }
    f->ms = 1e3 * used / DRAWS;
    f->runs = 1;
    f->scenarios = DRAWS;
    f->rss_mib = rss_mib();
    free(o.item);
}
