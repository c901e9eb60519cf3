/* SPDX-License-Identifier: Apache-2.0 */
/* Two results held against each other by what was said of them: explanations of offers, answers to
 * requests, and prices of nodes. */
#ifndef POF_MARKET_DIFFER_H
#define POF_MARKET_DIFFER_H

#include "record/kept.h"

/* Calls on for everything that is not the same in both, offers, requests, nodes, each by name and
 * quarter-hour. Both are put in that order. Records of other types are not looked at; POF_E_DUPLICATE
 * when one result speaks of something twice. O(n log n). */
typedef int pof_on_change(void *ctx, const struct pof_change *change, struct pof_err *err);
int pof_differ_run(struct pof_kept_records *before, struct pof_kept_records *after, pof_on_change *on,
                   void *ctx, struct pof_err *err) POF_CHECKED;

#endif
