/* SPDX-License-Identifier: Apache-2.0 */
/* The grid benchmark: what its parts share. Every measurement is made in a process of its own, so
 * that its memory is its own; times are CPU times of one thread, medians of repeated runs. */
#ifndef POF_BENCH_GRID_H
#define POF_BENCH_GRID_H

#include "grid/measure.h"

#include <stddef.h>

enum kind { SE, SE_CHECK, SE_BATCH, SE_DRAWS, SE_FILE, SE_FILE_ALL, SE_FILE_CHECK, PF, PF_BATCH, KINDS };

/* Times of power-grid-model 1.13.137 (ms CPU, one thread) and its memory (MiB), measured on the
 * same networks and sets on a machine of their own: read the ratios, and hold a peer of your own
 * beside the lines where they matter. 0: not measured; -1: it fails. */
struct peer {
    double nr, il;             /* estimate on a live model: Newton-Raphson, iterative linear */
    double nr_batch, il_batch; /* a scenario */
    double se_rss;
    double file; /* parse, create, first estimate (iterative linear, or what works) */
    double pf, pf_batch, pf_rss;
};

struct net {
    const char *name;
    uint32_t nodes; /* made by seed; 0: a case below $POF_DATA */
    enum pof_measure_set set;
    struct peer peer;
};

extern const struct net nets[];
extern const size_t nets_n;

/* Where programs and a scratch directory are. */
struct place {
    const char *bin;
    const char *scratch;
    const char *data; /* NULL: no shared data */
};

/* A network, solved, and its noisy set. */
struct bed {
    const struct net *net;
    struct pof_grid grid;
    struct pof_pf *pf;
    struct pof_pf_result truth;
    struct pof_observations set;
};

/* What a run gives: printed, and judged for its shape. */
struct figure {
    double ms;
    double rss_mib; /* 0: not known */
    uint32_t nodes;
    size_t readings;
    unsigned runs, failures, scenarios;
    double estimate_ms; /* SE_CHECK: of the estimate before it */
};

/* Ends the process with a message when it cannot. */
void bed_make(struct bed *bed, const struct net *net, const struct place *place);
void bed_free(struct bed *bed);
/* The values of the set again with noise of 0.7 sigma added; draw 0, 1, ... */
void bed_scenario(const struct bed *bed, uint64_t draw, struct pof_observation *to);
void die(const char *what, const struct pof_err *err);

/* CPU seconds of this process. */
double cpu(void);
/* Largest resident memory of this process so far. */
double rss_mib(void);

/* A stopwatch that goes on until the median is worth printing. */
struct watch {
    double ms[64];
    unsigned n;
    double total;
};
/* Takes a run of so many seconds for so many pieces of work; false when it is enough. */
bool watch_take(struct watch *w, double seconds, unsigned pieces);
double watch_median(struct watch *w);

void run_se(struct bed *bed, struct figure *f);
/* All normalised residuals and deviations of each estimate; beside them the time of the estimates. */
void run_se_check(struct bed *bed, struct figure *f);
void run_se_batch(struct bed *bed, struct figure *f);
void run_se_draws(struct bed *bed, struct figure *f);
void run_pf(struct bed *bed, struct figure *f);
void run_pf_batch(struct bed *bed, struct figure *f);
/* kind: SE_FILE writes voltages and angles of nodes, which is what the peer's figure computes (without
 * writing them); SE_FILE_ALL also powers, currents and loadings of nodes and branches; SE_FILE_CHECK
 * also standard deviations of all of them, and tests every reading: what pof-se does by itself. Frees
 * the bed, whose memory would count as the program's. */
void run_se_file(struct bed *bed, const struct place *place, enum kind kind, struct figure *f);

#endif
