/* SPDX-License-Identifier: Apache-2.0 */
/* What pof-pf does beside the state of a case: sensitivities and outages. */
#ifndef POF_PF_PARTS_H
#define POF_PF_PARTS_H

#include "cli/cli.h"
#include "grid/contingency.h"
#include "grid/net.h"
#include "grid/sensitivity.h"

/* --sensitivity, --watch. Zeroed: not wanted. */
struct pf_watch {
    struct pof_cli *cli;
    const struct pof_grid *grid;
    struct pof_writer *out; /* NULL: not wanted */
    struct pof_watched *list;
    size_t n, cap, named; /* the first ones were named; those beyond are of the case */
    struct pof_sens *sens;
    double *by_w, *by_var; /* [nodes] */
};

/* path NULL: not wanted. what: as given, none: all that is beyond its limit, and the losses.
 * distributed: as in struct pof_pf_options. */
int pf_watch_open(struct pf_watch *w, const char *path, const struct pof_texts *what,
                  bool distributed, struct pof_err *err) POF_CHECKED;
int pf_watch_case(struct pf_watch *w, int64_t start, const struct pof_pf_result *result,
                  struct pof_err *err) POF_CHECKED;
void pf_watch_close(struct pf_watch *w);

/* --contingency, --outage. */
struct pf_outages {
    struct pof_cli *cli;
    const struct pof_grid *grid;
    struct pof_writer *out; /* NULL: not wanted */
    uint32_t *branch;
    size_t n;
    int64_t start;    /* of the case at hand */
    uint32_t last;    /* outage told last */
    uint64_t insecure; /* outages of all cases with a finding */
};

/* path NULL: not wanted. names: branches, none: all closed ones. */
int pf_outages_open(struct pf_outages *o, const char *path, const struct pof_texts *names,
                    struct pof_err *err) POF_CHECKED;
/* c: grid, pf, loads and state of the case; outages and threads come from here. */
int pf_outages_case(struct pf_outages *o, int64_t start, struct pof_outages *c,
                    struct pof_err *err) POF_CHECKED;
void pf_outages_close(struct pf_outages *o);

#endif
