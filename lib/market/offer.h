/* SPDX-License-Identifier: Apache-2.0 */
/* Offers from what pods can do, what their owners lend and what their aggregators ask.
 *
 * What a pod offers in a quarter-hour is the least of
 *   - what it is registered for (p_up_max_w, p_down_max_w);
 *   - what its owner lends then: a pod with availabilities is available where they cover the whole
 *     quarter-hour, the least of those that overlap; a pod without any is available in full;
 *   - what its baseline leaves physically possible, by kind:
 *       household, commercial, industrial, heatpump, vehicle:
 *           up at most the consumption (it can stop, not generate); down as registered
 *       pv: up nothing (the baseline is what the sun gives); down at most the generation
 *       battery, other: as registered, both ways
 * less what earlier outcomes took in the same direction. What they took in the other one gives
 * nothing back: it is sold. Quarter-hours without a baseline offer nothing, since nothing could be
 * settled against.
 *
 * The price is that of the most specific rule that fits: pod, aggregator and kind, aggregator,
 * kind, general. Two equally specific ones that differ in price are an error. */
#ifndef POF_MARKET_OFFER_H
#define POF_MARKET_OFFER_H

#include "market/forecast.h"

struct pof_offer_options {
    const char *aggregator; /* offers of this aggregator only; NULL: of all */
    bool has_price;         /* a price for pods that no rule fits */
    int64_t price_ueur_mwh;
    bool has_received;
    int64_t received; /* when the offers come in */
};

/* Whose pods gave nothing, for notes to people. */
struct pof_offer_counts {
    uint64_t offers;
    uint32_t unpriced;     /* pods that no price rule fits in a direction they could offer */
    uint32_t unbaselined;  /* pods without any baseline in the window */
    uint32_t unused_rules; /* price rules that fit no pod, or only behind a more specific one */
};

struct pof_offer_rows; /* availabilities and price rules */

struct pof_offers {
    struct pof_offer_rows *rows;
    struct pof_offer_counts counts;
    struct pof_arena arena;
};

int pof_offers_init(struct pof_offers *o, struct pof_err *err) POF_CHECKED;

/* Takes an availability or price rule record. */
int pof_offers_take(struct pof_offers *o, const struct pof_record *record,
                    struct pof_err *err) POF_CHECKED;

/* Called with each offer, by pod, direction, start; texts valid until it returns. */
typedef int pof_on_offer(void *ctx, const struct pof_offer *offer, struct pof_err *err);

/* Makes the offers of the forecast's session; consecutive quarter-hours of equal power are one
 * offer. Once. POF_E_CONFLICT: price rules contradict; POF_E_REFERENCE: an availability of an
 * unknown pod; POF_E_ANSWER_NO: received outside [opens, gate), no offers. O(pods * quarters). */
int pof_offers_make(struct pof_offers *o, const struct pof_forecast *f,
                    const struct pof_offer_options *options, pof_on_offer *emit, void *ctx,
                    struct pof_err *err) POF_CHECKED;

void pof_offers_release(struct pof_offers *o);

/* What a kind of pod can still turn in a direction (POF_UP, POF_DOWN), given its baseline:
 * at least 0, INT64_MAX when only its registration bounds it. */
int64_t pof_offer_possible(int kind, int direction, int64_t baseline_w);

#endif
