/* SPDX-License-Identifier: Apache-2.0 */
/* The order of a book's offers. */
#ifndef POF_MARKET_RANK_H
#define POF_MARKET_RANK_H

#include "market/book.h"

/* Gives every offer its rank by the tie rule; *order (owned by the caller) has their indices in the
 * order of pof_clear_offer_cmp(). O(n) for ids of bounded length. POF_E_OVERFLOW for more offers than
 * there are ranks. */
int pof_book_rank(struct pof_book *book, uint32_t **order, struct pof_err *err) POF_CHECKED;

#endif
