/* SPDX-License-Identifier: Apache-2.0 */
/* What the files auction*.c share: a session while it is cleared. */
#ifndef POF_MARKET_AUCTION_IMPL_H
#define POF_MARKET_AUCTION_IMPL_H

#include "market/attribute.h"
#include "market/auction.h"
#include "market/book_block.h"
#include "record/words.h"

/* Who is cleared in a pass. */
enum pofi_pass { POFI_PASS_ALL = -1, POFI_PASS_DSO = POF_ROLE_DSO, POFI_PASS_TSO = POF_ROLE_TSO };

/* One award before it gets its texts. */
struct pofi_row {
    uint32_t request, offer; /* indices in the book */
    int64_t p_w, price_ueur;
    enum pof_award_why why;
};

/* A price before it gets its texts. */
struct pofi_level {
    struct pof_marginal here, outer;
    int64_t net_w;
    uint32_t node;
    enum pof_scope scope;
};

/* A request that one seller alone can serve. */
struct pofi_single {
    uint32_t request, offer; /* indices in the book; of the offers one */
    int64_t offered_w;
};

/* What one quarter-hour came to. */
struct pofi_quarter {
    struct pofi_level *level; /* owned */
    size_t levels;
    struct pofi_row *row; /* owned */
    size_t rows;
    struct pofi_row *reserve; /* owned */
    size_t reserves;
    int64_t reserve_asked_w;
    struct pofi_single *single; /* owned */
    size_t singles;
    int64_t *lack_w; /* what requests do not get, in the order of the book's slice; owned */
    int64_t requested_w, unmet_w;
    pof_wide cost[2];
    pof_wide gap; /* of the first: cost less bound, where loops are limited */
    bool unasked; /* rows do not say for which request */
};

/* A quarter-hour as a problem, its arrays, and a result. */
struct pofi_slot {
    struct pof_clear_problem problem;
    struct pof_clear_offer *offer;
    struct pof_clear_request *request;
    struct pof_clear_limit *limit;
    uint32_t *request_of; /* index in the book of each request */
    const uint32_t *offer_of;
    struct pof_clear_result result;
    pof_wide cost[2]; /* of the passes */
    struct pof_shares shares;
};

/* A session while it is cleared. */
struct pofi_job {
    const struct pof_auction *auction;
    const struct pof_book *book;
    struct pof_clearing **clearing; /* [threads] */
    struct pofi_quarter *quarter;   /* [quarters] */
    size_t from, to;                /* quarter-hours to be cleared, and of those the first yet */
    struct pofi_slot *slot;         /* [quarters]; NULL: no decisions, a few at a time */
    struct pof_book_units units;
    struct pof_decided decided;
    struct pof_auction *tally; /* the auction, for what comes of it */
    enum pofi_pass pass;
    uint32_t *zone; /* [nodes] zonal prices: number of its zone below zones; else NULL */
    size_t zones;
};

/* What the price rule needs of the whole session. pofi_prices_close also when this fails. */
int pofi_prices_open(struct pofi_job *j, struct pof_err *err) POF_CHECKED;
void pofi_prices_close(struct pofi_job *j);

/* Rows at their asks, in order of request and why, the dearest last, get what they are paid. */
int pofi_price_rows(const struct pofi_job *j, const struct pofi_slot *s, struct pofi_quarter *out,
                    struct pof_err *err) POF_CHECKED;

/* The arrays of a quarter-hour, filled from the book; what nobody can serve is counted in its
 * struct pofi_quarter. To be released also when this fails. Initialise with {0}. */
int pofi_slot_open(struct pofi_slot *s, const struct pofi_job *j, size_t q,
                   struct pof_err *err) POF_CHECKED;
void pofi_slot_release(struct pofi_slot *s);

/* The problem with the requests of a pass only; *request is theirs, of the caller. */
int pofi_slot_part(const struct pofi_job *j, const struct pofi_slot *s, enum pofi_pass pass,
                   struct pof_clear_problem *part, struct pof_clear_request **request,
                   struct pof_err *err) POF_CHECKED;

/* Solves a pass on top of what earlier passes took, and has it certified. */
int pofi_slot_pass(const struct pofi_job *j, unsigned worker, struct pofi_slot *s,
                   enum pofi_pass pass, struct pof_err *err) POF_CHECKED;

/* A solved quarter-hour under the limits of branches in loops, too; and whether the rules and what is asked
 * for go with such limits: POF_E_USAGE, with a word for what does not. */
int pofi_slot_loops(const struct pofi_job *j, unsigned worker, struct pofi_slot *s, size_t q,
                    struct pof_err *err) POF_CHECKED;
int pofi_loops_check(const struct pofi_job *j, struct pof_err *err) POF_CHECKED;

/* A solved quarter-hour as rows and prices. */
int pofi_slot_book(const struct pofi_job *j, unsigned worker, struct pofi_slot *s,
                   struct pofi_quarter *out, struct pof_err *err) POF_CHECKED;

/* Hands out what each request of a quarter-hour got. sum: [requests], zeroed before the first. */
struct pofi_served {
    size_t quarter; /* counted from 1 */
    int64_t awarded_w, counter_w;
    pof_wide paid; /* 1e-6 EUR/MWh times W */
};
int pofi_hand_out_served(const struct pof_auction *a, const struct pofi_job *j, size_t q,
                         struct pofi_served *sum, struct pof_err *err) POF_CHECKED;

/* Price times W of quarter-hours to 1e-6 EUR, half to even. */
int pofi_round_money(pof_wide paid, int64_t *ueur, struct pof_err *err) POF_CHECKED;

/* Clears all quarter-hours under decisions (market/block.h) into j->quarter. */
int pofi_clear_decided(struct pofi_job *j, unsigned threads, struct pof_err *err) POF_CHECKED;

/* The same for rows of a quarter-hour in which nothing is asked, once they have their requests. */
int pofi_price_named(const struct pofi_job *j, const struct pofi_slot *s, struct pofi_quarter *out,
                     struct pof_err *err) POF_CHECKED;

int pofi_hand_out_singles(struct pof_auction *a, const struct pofi_job *j, size_t q,
                          struct pof_err *err) POF_CHECKED;

/* Solves by the auction's method and tie rule, and has the result certified. */
int pofi_solve(const struct pofi_job *j, unsigned worker, const struct pof_clear_problem *problem,
               struct pof_clear_result *result, struct pof_err *err) POF_CHECKED;

/* An award without its id. */
struct pof_award pofi_award_of(const struct pof_book *b, const struct pofi_row *x, size_t quarter);

/* What is held ready on top of a solved quarter-hour; and handed out, behind its awards. */
int pofi_reserve(const struct pofi_job *j, unsigned worker, const struct pofi_slot *s,
                 struct pofi_quarter *out, struct pof_err *err) POF_CHECKED;
int pofi_hand_out_reserve(struct pof_auction *a, const struct pofi_job *j, size_t q,
                          struct pof_err *err) POF_CHECKED;

/* Adds to banned[units] the decisions that lose at the prices found, all of a family together and
 * with their children; how many were found. O(units * depth + entries). */
int pofi_ban_losers(const struct pofi_job *j, bool *banned, size_t *found,
                    struct pof_err *err) POF_CHECKED;

/* The joint pass as before anything was decided, without what is banned. */
void pofi_start_over(struct pofi_job *j, const bool *banned);

#endif
