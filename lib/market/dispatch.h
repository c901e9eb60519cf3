/* SPDX-License-Identifier: Apache-2.0 */
/* Set points: what each pod is to hold after all sessions so far (flow 6).
 *
 * p = baseline - what it turns up + what it turns down, summed over the outcomes of all sessions
 * for the pod and quarter-hour. One set point for each pod and quarter-hour with an outcome that
 * counts for more than 0 W, also when up and down cancel. */
#ifndef POF_MARKET_DISPATCH_H
#define POF_MARKET_DISPATCH_H

#include "record/record.h"
#include "record/writer.h"

struct pof_dispatch;

/* Records may come in any order; texts are copied. A pod or an outcome (its session and award)
 * given twice is POF_E_DUPLICATE; what is not a quarter-hour is POF_E_RANGE. */
int pof_dispatch_new(struct pof_dispatch **out, struct pof_err *err) POF_CHECKED;
int pof_dispatch_pod(struct pof_dispatch *d, const struct pof_pod *pod,
                     struct pof_err *err) POF_CHECKED;
int pof_dispatch_baseline(struct pof_dispatch *d, const struct pof_baseline *baseline,
                          struct pof_err *err) POF_CHECKED;
int pof_dispatch_outcome(struct pof_dispatch *d, const struct pof_outcome *outcome,
                         struct pof_err *err) POF_CHECKED;

/* Called for each thing that is wrong with what was asked: no such pod, no baseline
 * (POF_E_REFERENCE), more than the pod can (POF_E_CONFLICT). */
typedef void pof_on_problem(void *ctx, const struct pof_err *problem);

/* Writes the set points in order of start, then pod. With problems the rest is still written; the
 * caller decides. O(n log n). */
int pof_dispatch_run(struct pof_dispatch *d, struct pof_writer *w, pof_on_problem *problem,
                     void *ctx, struct pof_err *err) POF_CHECKED;
void pof_dispatch_free(struct pof_dispatch *d); /* NULL allowed */

#endif
