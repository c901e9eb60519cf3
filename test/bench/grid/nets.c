/* SPDX-License-Identifier: Apache-2.0 */
/* The networks, with the published figures of a peer on them. */
#include "bench.h"

#include "flex/feeders.h"
#include "grid/format.h"
#include "num/gauss.h"
#include "num/rng.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

enum { SEED = 7 };

const struct net nets[] = {
    {"case14", 0, POF_MEASURE_STD, {0.066, 0.059, 0.057, 0.050, 4.5, 0.74, 0.027, 0.023, 0}},
    {"case118", 0, POF_MEASURE_STD, {0.64, 1.2, 0.63, 1.2, 5.1, 3.73, 0.25, 0.22, 0}},
    {"case300", 0, POF_MEASURE_STD, {2.3, -1, 2.3, -1, 5.9, 7.84, -1, -1, 0}},
    {"case1354pegase", 0, POF_MEASURE_STD, {8.7, 5.6, 8.5, 6.2, 10, 26.8, 3.8, 3.3, 0}},
    {"case2869pegase", 0, POF_MEASURE_STD, {24.7, 40, 25.2, 43, 18, 72, -1, -1, 0}},
    {"case9241pegase", 0, POF_MEASURE_STD, {138, 763, 149, 812, 49, 369, -1, -1, 0}},
    {"rad100", 102, POF_MEASURE_DIST, {0.56, 0.127, 0.55, 0.129, 4.8, 1.42, 0.025, 0.028, 0}},
    {"rad1k", 1002, POF_MEASURE_DIST, {5.2, 1.27, 6.2, 1.22, 7.1, 9.38, 0.275, 0.281, 0}},
    {"rad10k", 10002, POF_MEASURE_DIST, {43, 11.8, 44.7, 12.9, 29, 85, 3.6, 3.0, 23}},
    {"rad100k", 97002, POF_MEASURE_DIST, {409, 152, 429, 167, 246, 872, 37.6, 37.9, 189}},
};
const size_t nets_n = sizeof nets / sizeof nets[0];

void die(const char *what, const struct pof_err *err)
{
    fprintf(stderr, "bench-grid: %s: %s\n", what, err ? err->text : "");
    exit(70);
}

double cpu(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

double rss_mib(void)
{
    struct rusage u;
    getrusage(RUSAGE_SELF, &u);
    return (double)u.ru_maxrss / 1024;
}

/* At least 5 runs and half a second, at most 64 runs or 4 seconds. */
bool watch_take(struct watch *w, double seconds, unsigned pieces)
{
    w->ms[w->n++] = 1e3 * seconds / pieces;
    w->total += seconds;
    bool full = w->n == sizeof w->ms / sizeof w->ms[0];
    return !(full || w->total > 4 || (w->n >= 5 && w->total > 0.5));
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

double watch_median(struct watch *w)
{
    qsort(w->ms, w->n, sizeof w->ms[0], by_value);
    return w->ms[w->n / 2];
}

/* A MATPOWER case below the shared data, through gzip where only NAME.m.gz is there. */
static void read_case(struct bed *bed, const struct place *place)
{
    char path[1024], command[1200];
    struct pof_err err = {0};
    enum { MOST = 16 << 20 };
    snprintf(path, sizeof path, "%s/grids/matpower/%s.m", place->data, bed->net->name);
    FILE *f = fopen(path, "r");
    bool packed = !f;
    if (packed) {
        snprintf(command, sizeof command, "gzip -dc '%s.gz'", path);
        f = popen(command, "r");
    }
    char *text = malloc(MOST);
    size_t n = f && text ? fread(text, 1, MOST - 1, f) : 0;
    if (n == 0) {
        die(path, NULL);
    }
    text[n] = '\0';
    if (pof_matpower_read(&bed->grid, (struct pof_text){text, n}, path, NULL, &err)) {
        die(path, &err);
    }
    if (packed) {
        pclose(f);
    } else {
        fclose(f);
    }
    free(text);
}

void bed_make(struct bed *bed, const struct net *net, const struct place *place)
{
    const struct pof_feeders_options o = {net->nodes, SEED};
    const struct pof_pf_options exact = {.tolerance = 1e-10};
    const struct pof_measure_options m = {.set = net->set, .noise = true, .seed = SEED};
    struct pof_err err = {0};
    enum pof_pf_status status = POF_PF_DIVERGED;
    *bed = (struct bed){.net = net};
    if (net->nodes == 0) {
        read_case(bed, place);
    } else if (pof_feeders_make(&bed->grid, &o, &err)) {
        die(net->name, &err);
    }
    if (pof_pf_new(&bed->pf, &bed->grid, &exact, &err) ||
        pof_pf_solve(bed->pf, NULL, NULL, true, &status, &err)) {
        die(net->name, &err);
    }
    if (status != POF_PF_CONVERGED) {
        die(net->name, &(struct pof_err){.text = "the power flow does not converge"});
    }
    pof_pf_result(bed->pf, &bed->truth);
    if (pof_measure_make(&bed->grid, &bed->truth, NULL, &m, &bed->set, &err)) {
        die(net->name, &err);
    }
}

void bed_free(struct bed *bed)
{
    pof_pf_free(bed->pf);
    pof_grid_release(&bed->grid);
    free(bed->set.item);
    bed->pf = NULL;
    bed->set.item = NULL;
}

void bed_scenario(const struct bed *bed, uint64_t draw, struct pof_observation *to)
{
    for (size_t i = 0; i < bed->set.n; i++) {
        to[i] = bed->set.item[i];
        to[i].value += 0.7 * to[i].sigma * pof_gauss(SEED + 1, draw, i);
    }
}
