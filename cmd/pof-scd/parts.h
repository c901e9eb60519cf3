/* SPDX-License-Identifier: Apache-2.0 */
/* The parts of pof-scd: what its commands share. */
#ifndef POF_CMD_SCD_H
#define POF_CMD_SCD_H

#include "cli/cli.h"
#include "store/store.h"

enum { WHAT_PODS = POF_SERIES }; /* the series come first, in their order */

struct args {
    bool replace, gaps;
    int unknown, revision, what;
    int64_t batch, from, until, known_at, before;
    struct pof_texts pods, areas, aggregators;
};

/* What a command works with. */
struct run {
    struct pof_cli *cli;
    const struct args *args;
    struct pof_store *store;
    struct pof_load *load;
    const char *const *files;
    size_t n_files;
};

/* Words of --what. */
extern const char *const scd_whats[];
/* What --pod, --area, --from ... ask for. */
struct pof_query scd_question(const struct args *a);

int scd_stat(struct run *r, struct pof_err *err);
int scd_export(struct run *r, struct pof_err *err);
int scd_forget(struct run *r, struct pof_err *err);

#endif
