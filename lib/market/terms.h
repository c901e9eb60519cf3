/* SPDX-License-Identifier: Apache-2.0 */
/* Terms of settlement: which of several apply, and what they make of a delivery.
 *
 * Terms may be for one pod, one seller, one buyer, or several of these; of those that fit, the ones
 * for the pod count before those for the seller, and these before those for the buyer.
 *
 * With price P of the outcome, ordered o, delivered d and deficiency u (W, of a quarter-hour):
 *
 *     fee price     F = fee_eur_mwh, or P * fee_permille, or P
 *     fee           = F * scale(d / o) * d
 *     penalty       = min(Q * max(0, u - tolerance * o), cap * F * o),
 *                     Q = penalty_eur_mwh, or P * penalty_permille
 *     tokens        = floor(tokens_per_kwh * d)
 *     owner's part  of fee, penalty and tokens each: nearest whole unit to owner_permille of it, up
 *                     at one half; the seller has the rest, so the two always add up
 *
 * (USEF flexibility trading protocol 3, settle phase, where F = P, scale = 1, cap = none.)
 *
 * Rounded half to even: prices to 1e-6 EUR/MWh, the tolerated power to a watt, the scale to 1e-6,
 * fee and penalty to 1e-6 EUR. */
#ifndef POF_MARKET_TERMS_H
#define POF_MARKET_TERMS_H

#include "record/record.h"

enum { POF_SCALE_POINTS = 16, POF_TERMS_HASH = 64 };

/* A point of the scale, both 1/1000: at[i] of the order delivered, paid[i] of the fee. */
struct pof_scale {
    int64_t at[POF_SCALE_POINTS], paid[POF_SCALE_POINTS];
    size_t n; /* 0: all is paid */
};

/* "500:0 950:1000": one to sixteen points, at in 0..1000 not falling, at most two at one place, paid
 * in 0..10000. POF_E_NUMBER otherwise. */
int pof_scale_parse(struct pof_text text, struct pof_scale *scale, struct pof_err *err) POF_CHECKED;
/* Share of the fee in 1e-6 when delivered_w of ordered_w were; 0 <= delivered_w <= ordered_w <= 1e12,
 * ordered_w > 0. O(n). */
int pof_scale_ppm(const struct pof_scale *scale, int64_t delivered_w, int64_t ordered_w, int64_t *ppm,
                  struct pof_err *err) POF_CHECKED;

/* Terms that may apply. */
struct pof_contract {
    struct pof_terms terms;
    struct pof_text hash; /* POF_TERMS_HASH digits */
    struct pof_scale scale;
};

/* Initialise with {0}. */
struct pof_terms_set {
    struct pof_contract *at; /* owned, texts in the arena */
    size_t n, cap;
    struct pof_names scopes; /* pod, seller, buyer; number i is that of at[i] */
    struct pof_arena arena;
};

/* POF_E_DUPLICATE: others for the same pod, seller and buyer are there; POF_E_CONFLICT: two
 * penalties or two fees; POF_E_NUMBER: the scale. */
int pof_terms_set_add(struct pof_terms_set *c, const struct pof_terms *terms, struct pof_text hash,
                      struct pof_err *err) POF_CHECKED;
/* The index of the most specific terms that fit. POF_E_REFERENCE: none does. O(1). */
int pof_terms_set_find(const struct pof_terms_set *c, const struct pof_outcome *o, uint32_t *index,
                       struct pof_err *err) POF_CHECKED;
void pof_terms_set_release(struct pof_terms_set *c);

/* Fills hash, fee, penalty, net and tokens of a settlement whose powers are known, and the owner's
 * parts when s->owner is given (len > 0). */
int pof_contract_apply(const struct pof_contract *c, int64_t price_ueur_mwh,
                       struct pof_settlement *s, struct pof_err *err) POF_CHECKED;

/* The owner's part of an amount >= 0. */
int64_t pof_owner_part(int64_t amount, int64_t owner_permille);

#endif
