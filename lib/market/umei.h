/* SPDX-License-Identifier: Apache-2.0 */
/* Orders of the Universal Market Enabling Interface (UMEI 1.0, EUniversal): checked, turned into offers and
 * requests, and made of them.
 *
 * A document is one Order, an array of them, or a search result with items. A sell order is an offer: portfolio
 * and grid node are pod and node, minimumAcceptanceQuantity is min_w. A buy order is a request: of a grid
 * node, of a flexibility zone (a branch), or of the whole grid. Whose an order is, UMEI leaves to who sends it.
 *
 * Checked: types, words and required members of the published schema, instants; and what it says in words: sell
 * orders name a portfolio; quantities of several price points begin at 0 and rise. Orders whose price changes with
 * the quantity are refused: an offer has one price. What else records cannot say is counted. */
#ifndef POF_MARKET_UMEI_H
#define POF_MARKET_UMEI_H

#include "record/record.h"

/* What one side has and the other cannot hold. */
enum pof_umei_lost {
    POF_UMEI_LOST_STATUS, /* read */
    POF_UMEI_LOST_MARKET,
    POF_UMEI_LOST_CONTRACT,
    POF_UMEI_LOST_LEAST,
    POF_UMEI_LOST_MEMBER,
    POF_UMEI_LOST_PARTY, /* write */
    POF_UMEI_LOST_TIME,
    POF_UMEI_LOST_NEED,
    POF_UMEI_LOSTS
};
/* In words, for "N ...". */
const char *pof_umei_lost_text(enum pof_umei_lost lost);

struct pof_umei_counts {
    uint64_t sell, buy; /* orders without a violation that are in force */
    uint64_t unsound;
    uint64_t lost[POF_UMEI_LOSTS];
};

/* Reading. Set what is above the line. */
struct pof_umei_reader {
    struct pof_text session, party; /* of the records; seller or buyer */
    int role;                       /* of buyers, enum of role */
    struct pof_text market;         /* orders of other markets are left out; "": all are taken */
    int (*offer)(void *ctx, const struct pof_offer *o, struct pof_err *err); /* NULL: only checked */
    int (*request)(void *ctx, const struct pof_request *r, struct pof_err *err);
    void (*problem)(void *ctx, const struct pof_err *problem); /* a violation, with its place */
    void *ctx;
    /* --- */
    struct pof_umei_counts counts;
};

/* One document. Violations go to problem, all of them; an order with one becomes no record. Fails for what is not
 * JSON, for lack of memory, and as callbacks do. O(n). */
int pof_umei_read(struct pof_umei_reader *u, struct pof_text document, const char *name,
                  struct pof_err *err) POF_CHECKED;

/* Writing. */
struct pof_umei_writer {
    struct pof_text session, party, market;
    bool has_ceiling;
    int64_t ceiling_ueur_mwh; /* price of requests that name none */
    /* --- */
    struct pof_umei_counts counts; /* sell, buy and lost */
    struct pof_umei_line *line;    /* owned, one an order */
    size_t lines, line_cap;
    struct pof_buf text; /* of the lines */
};

/* An order; nothing is kept for another session or party. CONFLICT: an offer with a block, group, parent or
 * lead time, which an order cannot have; MISSING: a request without a price limit, and there is no ceiling. */
int pof_umei_write_offer(struct pof_umei_writer *w, const struct pof_offer *o, struct pof_err *err) POF_CHECKED;
int pof_umei_write_request(struct pof_umei_writer *w, const struct pof_request *r, struct pof_err *err) POF_CHECKED;
/* All orders as an array, an order a line, by id. DUPLICATE: an id twice. O(n log n). */
int pof_umei_write_end(struct pof_umei_writer *w, struct pof_buf *json, struct pof_err *err) POF_CHECKED;
void pof_umei_writer_release(struct pof_umei_writer *w);

#endif
