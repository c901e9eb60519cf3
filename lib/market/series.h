/* SPDX-License-Identifier: Apache-2.0 */
/* Powers of pods by quarter-hour, and ranks of names: what dispatch and settlement look up.
 *
 * Pods are numbers of a struct pof_names that the caller keeps. Initialise a series with {0}; 16
 * bytes an entry. */
#ifndef POF_MARKET_SERIES_H
#define POF_MARKET_SERIES_H

#include "base/text.h"
#include "num/units.h"

#include <stdbool.h>
#include <stdint.h>

struct pof_series {
    struct pof_series_entry *entry;
    size_t n, cap;
};

/* The number of the quarter-hour that [start, start + duration_s) is, from 1970. POF_E_RANGE when
 * it is none; pod and what it is are for the message. */
int pof_quarter_of(struct pof_text pod, int64_t start, int64_t duration_s, uint32_t *quarter,
                   struct pof_err *err) POF_CHECKED;

int pof_series_add(struct pof_series *s, uint32_t pod, uint32_t quarter, int64_t p_w,
                   struct pof_err *err) POF_CHECKED;
/* Call once after the last add. An entry given twice with the same value counts once;
 * POF_E_CONFLICT with pod and instant when the values differ. what: "baseline", for the message.
 * O(n); twice the memory for a moment when entries came in no order. */
int pof_series_seal(struct pof_series *s, const struct pof_names *pods, const char *what,
                    struct pof_err *err) POF_CHECKED;
/* false: not there. O(log n). */
bool pof_series_find(const struct pof_series *s, uint32_t pod, uint32_t quarter, int64_t *p_w);
void pof_series_release(struct pof_series *s);

/* POF_E_DUPLICATE when this award of this session is in seen already; else it is added. */
int pof_award_once(struct pof_names *seen, struct pof_text session, struct pof_text award,
                   struct pof_err *err) POF_CHECKED;

/* rank[id] is the place of a name in the order of cmp, which must be 0 only for equal names. Owned
 * by the caller, free(). O(n log n). */
int pof_names_rank(const struct pof_names *names, int (*cmp)(struct pof_text, struct pof_text),
                   uint32_t **rank, struct pof_err *err) POF_CHECKED;

#endif
