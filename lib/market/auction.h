/* SPDX-License-Identifier: Apache-2.0 */
/* A session cleared: every quarter-hour of a book, as awards. */
#ifndef POF_MARKET_AUCTION_H
#define POF_MARKET_AUCTION_H

#include "market/block.h"
#include "market/book.h"

enum pof_clear_method { POF_CLEAR_TREE, POF_CLEAR_LP };

/* What one pass came to. The second includes the prices of what the first took. */
struct pof_auction_pass {
    pof_wide cost;  /* offers taken and requests unmet, 1e-6 EUR/MWh times W of quarter-hours */
    pof_wide bound; /* <= least cost <= cost */
    uint64_t nodes; /* searched */
    uint32_t parts, open; /* parts of the session, and those not proven optimal */
};

/* How to clear, where awards go, and afterwards what came of it. */
struct pof_auction {
    enum pof_clear_method method;
    unsigned threads; /* of the tree method */
    uint64_t budget;  /* nodes in each part of the search for decisions, see market/block.h */
    int (*on_award)(void *ctx, const struct pof_award *award, struct pof_err *err);
    /* NULL: prices are not wanted. They belong to the joint optimum only: the first of two passes
     * leaves no trace in the awards. POF_E_USAGE otherwise. */
    int (*on_price)(void *price_ctx, const struct pof_node_price *price, struct pof_err *err);
    /* Where the rules look for single sellers: those found; NULL: only counted. */
    int (*on_single)(void *single_ctx, const struct pof_single_seller *s, struct pof_err *err);
    /* What requests with a reliability margin have held ready, after the awards of each
     * quarter-hour: offers not taken, at least cost and within the limits when awards and all
     * reserves act. Paid its ask, when it is activated. Ids are SESSION:OFFER:QUARTER:r, then :r2 ...
     * NULL: nothing is held ready. */
    int (*on_reserve)(void *reserve_ctx, const struct pof_award *award, struct pof_err *err);
    /* What each request got in each of its quarter-hours, in order of both; NULL: not wanted. */
    int (*on_served)(void *served_ctx, const struct pof_served *served, struct pof_err *err);
    void *ctx, *price_ctx, *single_ctx, *reserve_ctx, *served_ctx;

    uint64_t awards, singles;
    int64_t requested_wq; /* W, added up over quarter-hours: times 900 s it is energy */
    int64_t unmet_wq;
    int64_t up_wq, down_wq; /* awarded */
    int64_t reserve_asked_wq, reserve_wq;
    int64_t paid_ueur;      /* at the prices paid, rounded once, half to even */
    pof_wide paid;          /* the same before rounding, 1e-6 EUR/MWh times W of quarter-hours */

    pof_wide gap; /* cost less bound of quarter-hours in which limits of branches in loops bind, where the
                     order among offers of equal price is not that of the tie rule */
    struct pof_auction_pass pass[2]; /* joint: the first only; dso-first: DSOs', then TSOs' */
    unsigned passes;
    size_t units;       /* decisions: blocks, gates and least powers */
    size_t units_taken; /* after the last pass */
    size_t units_lost;  /* left out because they would lose at the prices found */
};

/* Clears the quarter-hours of a closed book and hands out the awards in order of quarter-hour,
 * request, why, offer price, tie rank: the same for any order of records and any number of threads.
 * Every result is checked by its certificate (market/certificate.h), POF_E_INTERNAL when that
 * fails.
 *
 * Prices come by quarter-hour, the root first, then as the tree is walked depth first; where neither
 * limits nor requests are, there is none. Those of the linear program have no ties.
 *
 * Limits of branches in loops (market/loop.h) go with the joint optimum of divisible offers, paid as bid, by
 * the tree method, without prices, reserves and equal shares: POF_E_USAGE otherwise.
 *
 * Ids of awards are SESSION:OFFER:QUARTER, with QUARTER as 20260310T1315Z, and for the second,
 * third
 * ... award of one offer in one quarter-hour :2, :3 ... behind it. */
int pof_auction_run(struct pof_auction *a, const struct pof_book *book,
                    struct pof_err *err) POF_CHECKED;

/* Clears one quarter-hour of a book that streams (pof_book_quarter) and adds what comes of it to what
 * came before. There are no decisions, and prices are POF_E_USAGE: their ties count offers of the
 * whole session. */
int pof_auction_quarter(struct pof_auction *a, const struct pof_book *book, uint32_t quarter,
                        struct pof_err *err) POF_CHECKED;

/* The proven gap of a pass: cost less bound in ppm of the cost, rounded up. */
int64_t pof_auction_gap_ppm(const struct pof_auction_pass *pass);

/* A pass (counted from 0) as a record; texts are the book's. POF_E_OVERFLOW when the cost is more
 * than a record holds. */
int pof_auction_record(const struct pof_auction *a, const struct pof_book *book, unsigned pass,
                       struct pof_cleared *record, struct pof_err *err) POF_CHECKED;

#endif
