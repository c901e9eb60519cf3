/* SPDX-License-Identifier: Apache-2.0 */
/* ReserveBid_MarketDocument (IEC 62325-451-7, versions 7.x): bids of a party for balancing and reserve
 * markets, checked, turned into offers, and made of offers.
 *
 * Checked: the elements of the published schema, where they stand, how often, their texts (identifications and
 * their lengths, codes, instants to the minute or second, decimals, durations), coding schemes where they must be given;
 * of EIC codes (scheme A01) the check character; and what a schema cannot say: bids lie within the period of
 * the document, positions within their interval, each once, the least power is not above the power.
 * Not checked: the order of elements within one, but that bids stand behind the header.
 *
 * Read: a Bid_TimeSeries becomes an offer for each run of equal points. Up is A01. blockBid: all offers
 * of the series are a block, as are those of an exclusive one; inclusive bids are one block; exclusive bids a group; indivisible: min_w is p_w;
 * activation_ConstraintDuration: lead_s. Quantity 0 at all points withdraws the bid: a revocation. Bids that depend on
 * another one's activation (status A65, A66), of both directions at once, in another unit or currency, or that are
 * needs (B75), cannot be offers and are refused. What else an offer cannot say is counted. */
#ifndef POF_MARKET_RESERVE_BID_H
#define POF_MARKET_RESERVE_BID_H

#include "base/stream.h"
#include "record/record.h"

enum { POF_RESERVE_NAME_MAX = 64 };

struct pof_reserve_counts {
    uint64_t sound, unsound;  /* bids without and with a violation; those of the header count as one */
    uint64_t withdrawn;       /* of the sound ones */
    uint64_t in_part;         /* blocks that could be taken in part */
    uint64_t told;            /* elements that say more than an offer can, the first of them: */
    char first_told[POF_RESERVE_NAME_MAX];
};

/* Reading. Set what is above the line. */
struct pof_reserve_reader {
    struct pof_text session; /* of the records */
    int (*offer)(void *ctx, const struct pof_offer *o, struct pof_err *err); /* NULL: only checked */
    int (*revocation)(void *ctx, const struct pof_revocation *r, struct pof_err *err);
    /* The node of a resource; false: not known, the bid is refused. NULL: the connecting domain is the node. */
    bool (*node)(void *ctx, struct pof_text resource, struct pof_text *node);
    void (*problem)(void *ctx, const struct pof_err *problem); /* a violation, with its place */
    void *ctx;
    /* --- */
    struct pof_reserve_counts counts;
};

/* One document, bid by bid, in the memory of the largest of them. Violations go to problem, all of them; a bid with
 * one becomes no record, and none does after one in the header. Fails for what is not well-formed XML,
 * for a document type, for lack of memory, and as callbacks do. O(n log points of a bid). */
int pof_reserve_read(struct pof_reserve_reader *u, const struct pof_source *src, struct pof_err *err) POF_CHECKED;

/* Writing. Codes are EIC codes where their scheme is A01. */
struct pof_reserve_writer {
    struct pof_text sender, receiver, domain; /* sender "": the seller */
    struct pof_text scheme;                   /* of all three */
    struct pof_text resource_scheme;          /* of pods */
    struct pof_text process;                  /* such as A47, manual frequency restoration */
    int64_t now;
    /* --- */
    uint64_t bids;
    uint64_t received; /* offers that came in at another time than now, which a document cannot say */
};

/* CONFIG: a name is not of the form it must have. */
int pof_reserve_writer_check(const struct pof_reserve_writer *w, struct pof_err *err) POF_CHECKED;

/* One document of all offers, added to xml. Sorts offers. An offer, or a block, is a bid; its identification
 * is its name. The document's is made of its content. CONFLICT: offers of several sellers, sessions or revisions; a
 * block of several pods, directions, groups or lead times, or with two offers for one quarter-hour; a parent, which
 * bids do not have. RANGE: something is no whole number of minutes or quarter-hours. TOO_LONG: a name
 * of more than 60 bytes. O(n log n). */
int pof_reserve_write(struct pof_reserve_writer *w, struct pof_offer *offers, size_t n, struct pof_buf *xml,
                      struct pof_err *err) POF_CHECKED;

/* Is it an Energy Identification Code? 16 characters, the last one follows from the others (ENTSO-E, The Energy
 * Identification Coding Scheme Reference Manual, annex on the check character). */
bool pof_eic_is(struct pof_text t);

#endif
