/* SPDX-License-Identifier: Apache-2.0 */
/* Ties shared out: equal offers get the same share of what they offer, as far as the grid lets them.
 *
 * Of a result by ranks, prices (without their ranks) cut the tree into parts: areas whose price and
 * unmet watts per watt are those of the area around them are one part with it. What flows over the
 * border of a part stays (it is the same in every optimal result, but where a request's price limit
 * happens to be the difference of two asks: there ranks have decided); inside a part there is one
 * price, so the only offers that can be taken in part are those that ask exactly it. They are tied: watts may move
 * between them where limits and requests leave room, without any change of cost or of watts unmet.
 *
 * Each tied offer can get from low (what is frozen of it) to high (its power), and so can an area
 * whose limits or requests leave it less than its offers could get; other areas do not count. From
 * the border of the part inwards, an amount T goes to the offers and areas within as
 *
 *     low + (T - sum of low) (high - low) / (sum of high - sum of low)
 *
 * rounded by largest remainder (A. Hamilton's method; M. Balinski, H. P. Young, Fair Representation,
 * 1982), equal remainders to the better rank; of areas, that of their best tied offer. Where nothing
 * but offers is tied that is plain pro rata. An area that is asked for both directions at once keeps
 * its net activation. What is taken in all of a part stays. The result depends on prices, on what flows
 * over the borders of parts and on nothing else: not on the order of the input, nor on who got what
 * within a part. */
#ifndef POF_MARKET_PRORATA_H
#define POF_MARKET_PRORATA_H

#include "market/clear.h"

/* Moves result->taken_w; node_cost and own_cost are needed and stay. POF_E_INTERNAL when they are
 * not those of the quantities. O(n log n). */
int pof_pro_rata(const struct pof_clear_problem *problem, struct pof_clear_result *result,
                 struct pof_err *err) POF_CHECKED;

#endif
