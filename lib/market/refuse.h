/* SPDX-License-Identifier: Apache-2.0 */
/* Orders that take no part in a session by its rules and its gate.
 *
 * Orders that overlap the session's window are refused when they came in at the gate or later; offers,
 * too, whose price is outside what the rules allow, that cannot act in their time (lead_s after
 * results are due), and what is left of a block of which an offer is refused. What is refused leaves the
 * book and stays in book->refusal. */
#ifndef POF_MARKET_REFUSE_H
#define POF_MARKET_REFUSE_H

#include "market/book.h"

/* Before requests are clipped to the window. O(n). */
int pof_book_refuse_requests(struct pof_book *book, struct pof_err *err) POF_CHECKED;
/* Before blocks are closed and offers clipped. What an offer cannot do yet it does not offer. O(n). */
int pof_book_refuse_offers(struct pof_book *book, struct pof_err *err) POF_CHECKED;
/* Is the last offer taken refused? It stays in its place, for the caller to drop. */
int pof_book_refuse_last(struct pof_book *book, bool *out, struct pof_err *err) POF_CHECKED;

/* Puts refusals in order: offers before requests, by id. */
void pof_book_refusals_sort(struct pof_book *book);

/* A refusal as a record; its texts are the book's and, the reason's, reason's. */
int pof_book_refusal_record(const struct pof_book *book, const struct pof_book_refusal *refusal,
                            struct pof_buf *reason, struct pof_refusal *record,
                            struct pof_err *err) POF_CHECKED;

#endif
