/* SPDX-License-Identifier: Apache-2.0 */
/* A session cleared while its offers come in, in order of time: of the offers, no more is held than one
 * quarter-hour needs.
 *
 * Sessions, requests and limits come first, then offers, each beginning in no earlier quarter-hour than
 * the one before it. When an offer of a later quarter-hour comes, those before it are cleared and handed
 * out. Quarter-hours have nothing to do with each other (blocks are refused), so the awards are those
 * that the whole book at once would have. */
#ifndef POF_MARKET_STREAM_H
#define POF_MARKET_STREAM_H

#include "market/auction.h"

/* book and auction are the caller's; the book is initialised, the auction filled in. The others are
 * private. */
struct pof_stream {
    struct pof_book *book;
    struct pof_auction *auction;
    const char *session; /* NULL: the only one */
    struct pof_rulebook *rules;
    bool framed;
    uint32_t now; /* quarter-hour that offers are being taken for */
};

/* Takes a record. Errors of pof_book_take(), pof_book_frame(), pof_book_next_offer() and
 * pof_auction_quarter(); POF_E_TIME for what comes too late. */
int pof_stream_take(struct pof_stream *s, const struct pof_record *record,
                    struct pof_err *err) POF_CHECKED;

/* Clears what is left of the session. */
int pof_stream_end(struct pof_stream *s, struct pof_err *err) POF_CHECKED;

#endif
