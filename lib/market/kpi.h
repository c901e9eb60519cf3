/* SPDX-License-Identifier: Apache-2.0 */
/* Key figures of flows, from the flow log (source document, Table 7), and their growth with the
 * size of the market.
 *
 * execution      end_execution less start_execution of one flow, platform and reference, ms
 * communication  message_received less the message_sent of another platform, of one flow and
 *                reference, ms; one message may be received on several platforms
 * cpu            cpu_us of end_execution, ms
 * memory         rss_kib of end_execution, KiB
 *
 * Pairs keep the order of time: going back from the latest, each end takes the latest beginning not
 * after it that is still free. This leaves the fewest events alone, and a beginning whose end was
 * lost does not make the passages after it look long. Times do not depend on the order of input.
 *
 * Quantiles are nearest rank: the smallest value that at least that share of the values does not
 * exceed (Hyndman and Fan, Sample Quantiles in Statistical Packages, 1996, definition 1). Sums are
 * integers; the one division of a mean is the only rounding. */
#ifndef POF_MARKET_KPI_H
#define POF_MARKET_KPI_H

#include "base/text.h"
#include "record/record.h"

/* The constants of the words of kpi_kind, event_type. */
enum pof_kpi_kind {
    POF_KPI_EXECUTION,
    POF_KPI_COMMUNICATION,
    POF_KPI_CPU,
    POF_KPI_MEMORY,
    POF_KPI_GROWTH
};
enum pof_event_type {
    POF_EVENT_MESSAGE_RECEIVED,
    POF_EVENT_START_EXECUTION,
    POF_EVENT_END_EXECUTION,
    POF_EVENT_MESSAGE_SENT,
    POF_EVENT_TYPES
};

/* Which of n values in ascending order is the quantile of permille/1000: an index. n > 0. */
size_t pof_nearest_rank(size_t n, unsigned permille);

struct pof_kpi_event {
    int64_t when_ms, cpu_us, rss_kib; /* cpu_us, rss_kib: -1 when not said */
    uint32_t flow, reference;         /* numbers in their name sets */
    int type, platform;
};

/* All events are kept: 40 bytes each, and each name once. Initialise with {0}. */
struct pof_kpis {
    struct pof_names flows, references;
    struct pof_kpi_event *event; /* owned */
    size_t n, cap;
    uint64_t alone[POF_EVENT_TYPES]; /* after pof_kpis_make(): events without a partner, by type */
};

int pof_kpis_take(struct pof_kpis *k, const struct pof_event *event, struct pof_err *err) POF_CHECKED;

/* A record lives until the callback returns; negative ends the making. */
typedef int pof_on_kpi(void *ctx, const struct pof_kpi *kpi, struct pof_err *err);

/* Hands on a record for every flow and kind that has values, by flow in byte order, then by kind.
 * The number of points of delivery is left to the caller. O(n log n). */
int pof_kpis_make(struct pof_kpis *k, pof_on_kpi *emit, void *ctx, struct pof_err *err) POF_CHECKED;
void pof_kpis_release(struct pof_kpis *k);

/* --- growth --- */

struct pof_growth_point {
    uint32_t flow;
    int64_t pods;
    double mean;
};

/* Points of one kind. Initialise with {.kind = ...}. */
struct pof_growth {
    enum pof_kpi_kind kind;
    struct pof_names flows;
    struct pof_growth_point *point; /* owned */
    size_t n, cap;
    uint64_t other_kinds; /* records passed over */
    uint64_t sizeless;    /* of this kind, but without a number of points of delivery above 0 */
    uint64_t zeros;       /* of this kind, but with a mean that has no logarithm */
};

int pof_growth_take(struct pof_growth *g, const struct pof_kpi *kpi, struct pof_err *err) POF_CHECKED;

/* For every flow in byte order: its exponent, the slope of the least squares line through
 * (ln pods, ln mean), as a kpi record of kind growth whose count is the number of points; or, for a
 * flow with fewer than two sizes, a record with count and without meaning: exponent is false. */
typedef int pof_on_growth(void *ctx, const struct pof_kpi *kpi, bool exponent, struct pof_err *err);
int pof_growth_make(struct pof_growth *g, pof_on_growth *emit, void *ctx,
                    struct pof_err *err) POF_CHECKED;
void pof_growth_release(struct pof_growth *g);

/* The numbers of names in the byte order of their texts; owned by the caller (free()). */
int pof_names_sorted(const struct pof_names *names, uint32_t **order, struct pof_err *err) POF_CHECKED;

#endif
