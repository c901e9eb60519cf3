/* SPDX-License-Identifier: Apache-2.0 */
/* The same work on many items, on one or several threads, with the same result. */
#ifndef POF_BASE_PAR_H
#define POF_BASE_PAR_H

#include "base/err.h"

#include <stddef.h>

/* Calls work(ctx, worker, i, err) for every i in [0, n), on `threads` threads (0 and 1: in the
 * calling thread). worker is in [0, threads): an index for scratch space of one's own. An item must
 * write only to places of its own, so the result cannot depend on the order. If items fail, the
 * error of the lowest failing i is returned, whatever the number of threads. */
int pof_parallel(size_t n, unsigned threads,
                 int (*work)(void *ctx, unsigned worker, size_t i, struct pof_err *err), void *ctx,
                 struct pof_err *err) POF_CHECKED;

#endif
