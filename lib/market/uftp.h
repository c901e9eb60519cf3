/* SPDX-License-Identifier: Apache-2.0 */
/* Messages of the USEF flexibility trading protocol (UFTP 3, Shapeshifter): checked against the rules of
 * the published schemas, and turned into records and back where records can hold them.
 *
 * Checked: FlexRequest, FlexOffer, FlexOfferRevocation, FlexOrder, FlexSettlement. Elements and their
 * nesting; attributes required, optional, unknown; version 3, UUIDs, domains, entity addresses (ea1 and
 * ean), dates, durations, amounts of four decimals, activation factors; and what schemas cannot say: ISPs lie
 * in the local day of the Period, none twice, MinPower <= MaxPower, something is requested, options have
 * different names, NetSettlement is Price less Penalty.
 *
 * Read: a FlexRequest becomes a request for each run of equal ISPs, a FlexOffer an offer for each ISP element;
 * an option of several ISPs is a block, several options are a group. Power is a deviation from the
 * baseline, consumption positive: negative is our up. With the offers at hand a FlexOrder becomes an award for each
 * quarter-hour, and a FlexOfferRevocation a revocation of each offer of its message. A FlexSettlement becomes a settlement
 * for each ISP; Price and Penalty of an order are divided by what was delivered and what was missing. */
#ifndef POF_MARKET_UFTP_H
#define POF_MARKET_UFTP_H

#include "num/time.h"
#include "record/record.h"

enum pof_uftp_kind {
    POF_UFTP_REQUEST,
    POF_UFTP_OFFER,
    POF_UFTP_REVOCATION,
    POF_UFTP_ORDER,
    POF_UFTP_SETTLEMENT,
    POF_UFTP_KINDS
};

/* What one side has and the other cannot hold. */
enum pof_uftp_lost {
    POF_UFTP_LOST_AVAILABLE, /* read */
    POF_UFTP_LOST_LEAST,
    POF_UFTP_LOST_EXPIRY,
    POF_UFTP_LOST_CONTRACT,
    POF_UFTP_LOST_FACTOR,
    POF_UFTP_LOST_PRICE,
    POF_UFTP_LOST_LIMIT, /* write */
    POF_UFTP_LOST_PARENT,
    POF_UFTP_LOST_DIVISIBLE,
    POF_UFTP_LOST_PERCENT,
    POF_UFTP_LOST_CENT,
    POF_UFTP_LOST_AMOUNT,
    POF_UFTP_LOST_SHARE,
    POF_UFTP_LOST_ASKED, /* orders: read */
    POF_UFTP_LOST_REVOKED, /* and written */
    POF_UFTP_LOST_UNEVEN,
    POF_UFTP_LOST_PART,
    POF_UFTP_LOST_BELOW,
    POF_UFTP_LOST_MONEY,
    POF_UFTP_LOST_NONE,
    POF_UFTP_LOST_SPLIT,
    POF_UFTP_LOST_RESERVED,
    POF_UFTP_LOSTS
};
/* In words, for "N ...". */
const char *pof_uftp_lost_text(enum pof_uftp_lost lost);

struct pof_uftp_counts {
    uint64_t sound[POF_UFTP_KINDS]; /* messages without a violation */
    uint64_t unsound;
    uint64_t lost[POF_UFTP_LOSTS];
};

/* The offers that orders and revocations are about, as they were read: MESSAGEID/OPTION/ISP. */
struct pof_uftp_offers {
    struct pof_offer *offer; /* sorted by pof_uftp_offers_sort() */
    size_t n;
};
void pof_uftp_offers_sort(struct pof_uftp_offers *offers);

/* Reading. Set what is above the line. */
struct pof_uftp_reader {
    struct pof_text session; /* of the records */
    enum pof_zone zone;                   /* of FlexSettlements, which do not say theirs */
    int (*settlement)(void *ctx, const struct pof_settlement *s, struct pof_err *err);
    const struct pof_uftp_offers *offers; /* NULL: orders and revocations become no records */
    int (*award)(void *ctx, const struct pof_award *a, struct pof_err *err);
    int (*revocation)(void *ctx, const struct pof_revocation *r, struct pof_err *err);
    int (*request)(void *ctx, const struct pof_request *r, struct pof_err *err); /* NULL: only checked */
    int (*offer)(void *ctx, const struct pof_offer *o, struct pof_err *err);
    void (*problem)(void *ctx, const struct pof_err *problem); /* a violation, with its place */
    void *ctx;
    /* --- */
    struct pof_uftp_counts counts;
};

/* One message. Violations go to problem, all of them, and the message becomes no record. Fails for what is not
 * well-formed XML, for lack of memory, and as callbacks do. O(n log n). */
int pof_uftp_read(struct pof_uftp_reader *u, struct pof_text document, const char *name,
                  struct pof_err *err) POF_CHECKED;

/* Writing. A name that is no Internet domain needs sender. */
struct pof_uftp_writer {
    struct pof_text sender, recipient; /* domains; sender "": the buyer or seller itself */
    struct pof_text area;              /* beginning of entity addresses, such as ea1.2026-11.dso.example */
    enum pof_zone zone;
    const char *zone_name; /* such as Europe/Rome */
    int64_t now, expires;  /* INT64_MIN: expires when its first ISP begins */
    /* A UUID of a name, 36 characters: the same for the same name. */
    int (*uuid)(void *ctx, struct pof_text name, char to[37], struct pof_err *err);
    /* Takes a message; all views end with the call. */
    int (*message)(void *ctx, const char *kind, const char *uuid, struct pof_text xml, struct pof_err *err);
    void *ctx;
    /* --- */
    struct pof_uftp_counts counts;
};

/* CONFIG: sender, recipient or area are not of the form they must have. */
int pof_uftp_writer_check(const struct pof_uftp_writer *w, struct pof_err *err) POF_CHECKED;
/* One message for each local day. */
int pof_uftp_write_request(struct pof_uftp_writer *w, const struct pof_request *r,
                           struct pof_err *err) POF_CHECKED;
/* All offers together: those of a group are the options of one message, those of a block one option. Sorts
 * offers. CONFLICT: a block or group of several pods, nodes or local days; DUPLICATE. O(n log n). */
int pof_uftp_write_offers(struct pof_uftp_writer *w, struct pof_offer *offers, size_t n,
                          struct pof_err *err) POF_CHECKED;

/* One message for each pair of buyer and seller; an order for each settlement. Amounts are what is new in sums rounded to
 * 1e-4 EUR, so those of a message add up to its sum. Sorts settlements. O(n log n). */
int pof_uftp_write_settlements(struct pof_uftp_writer *w, struct pof_settlement *settlements, size_t n,
                               struct pof_err *err) POF_CHECKED;

/* A FlexOrder for each option and buyer: what is taken of it in each ISP, and the price of all. The recipient is the seller
 * where that is a domain. REFERENCE: an offer that is not among the offers; CONFLICT: one that did not come by a
 * FlexOffer, or more is taken than it is, or its ISPs are of several local days. Sorts awards. O(n log n). */
int pof_uftp_write_orders(struct pof_uftp_writer *w, struct pof_award *awards, size_t n,
                          const struct pof_uftp_offers *offers, struct pof_err *err) POF_CHECKED;

/* A FlexOfferRevocation for each FlexOffer. CONFLICT: not all offers of the message are revoked. Sorts revocations.
 * O(n log n). */
int pof_uftp_write_revocations(struct pof_uftp_writer *w, struct pof_revocation *revocations, size_t n,
                               const struct pof_uftp_offers *offers, struct pof_err *err) POF_CHECKED;

/* Forms of attributes, also for who writes. */
bool pof_uftp_is_domain(struct pof_text t);
bool pof_uftp_is_entity(struct pof_text t);
bool pof_uftp_is_uuid(struct pof_text t);

#endif
