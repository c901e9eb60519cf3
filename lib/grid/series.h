/* SPDX-License-Identifier: Apache-2.0 */
/* Power flows of many quarter-hours, and what instruments would show of them. */
#ifndef POF_GRID_SERIES_H
#define POF_GRID_SERIES_H

#include "grid/batch.h"
#include "grid/loads.h"

/* Solves all cases on `threads` threads, each from a flat start, so the results do not depend on
 * the number of threads to the last bit. Memory: a few cases a thread. */
int pof_series_run(const struct pof_loads *loads, const struct pof_pf_options *options,
                   unsigned threads, const struct pof_case_taker *taker,
                   struct pof_err *err) POF_CHECKED;

/* What moves to hold voltages. */
struct pof_controls {
    enum pof_tap_strategy taps;
    bool shunts; /* switched shunts */
};

/* The same with these controls, each case from the positions of the grid. A case whose taps or shunts
 * find no rest, or diverges on the way, is DIVERGED; solved->taps and solved->shunts tell which. On one thread. */
int pof_series_run_controlled(const struct pof_loads *loads, const struct pof_pf_options *options,
                              const struct pof_controls *controls, const struct pof_case_taker *taker,
                              struct pof_err *err) POF_CHECKED;

/* What is done with a record: its type, and the structure of that type. */
struct pof_record_taker {
    int (*take)(void *ctx, enum pof_type type, const void *record, struct pof_err *err);
    void *ctx;
};

/* The state records of a converged case: nodes, then branches, in the order of the grid; of three
 * phases a, b and c of each. */
int pof_states_make(const struct pof_loads *loads, const struct pof_solved *solved,
                    const struct pof_record_taker *taker, struct pof_err *err) POF_CHECKED;

/* Which places have instruments. */
enum pof_reading_set {
    POF_READING_FULL, /* v at every node; p and q at every node where something is connected, the
                         slack node left out; p and q at the from end of every closed branch */
    POF_READING_SCADA /* v at slack nodes and at the lower-voltage ends of transformers; p and q at
                         transformers (from end) and where other branches leave such nodes */
};

struct pof_reading_options {
    int set;             /* enum pof_reading_set */
    double sigma_v;      /* standard deviation, share of nominal voltage */
    double sigma_flow;   /* share of the apparent power at that place */
    double sigma_load;   /* the same for consumption of nodes */
    double sigma_min_va; /* least standard deviation of any power, W and var */
    bool noise;          /* values are true ones when false */
    uint64_t seed;
};

/* The readings of a case. In both sets nodes where nothing is connected (marked so, or without fixed
 * and rated load, held voltage and pod) read p = q = 0 with sigma 0. The noise of a reading is
 * Gaussian and depends on seed, start and place alone: any set has the same. Nodes and branches that
 * are not fed have no readings. Of three phases each is read for itself, voltages to ground. */
int pof_readings_make(const struct pof_loads *loads, const struct pof_solved *solved,
                      const struct pof_reading_options *options,
                      const struct pof_record_taker *taker, struct pof_err *err) POF_CHECKED;

#endif
