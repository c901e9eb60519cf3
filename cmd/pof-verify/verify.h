/* SPDX-License-Identifier: Apache-2.0 */
/* What the parts of pof-verify share. Nothing here is shared with the programs that clear: the rules
 * are those of pof-clear(1) and pof-records(5), written down a second time. */
#ifndef POF_VERIFY_H
#define POF_VERIFY_H

#include "grid/grid.h"
#include "market/rules.h"
#include "num/units.h"
#include "record/record.h"
#include "record/words.h"

/* Costs with their ties: 1e-6 EUR/MWh times 2^59, unmet watts times 2^33, ranks. */
__extension__ typedef __int128 wide;

/* A record and where it was read. */
struct line {
    const char *file;
    uint64_t line;
    uint64_t lot; /* of an offer: its place by the tie rule, before its id */
    struct pof_record r;
};

/* Refuses a line: "file:line:field: text". */
#define REFUSE(l, field, ...)                                                                      \
    (pof_fail(err, POF_E_ANSWER_NO, __VA_ARGS__), pof_at(err, (l)->file, (l)->line, field))
#define TEXT(t) (int)(t).len, (t).ptr /* for "%.*s" */

enum { FOR_REQUEST, COUNTER }; /* award_why */

struct offer {
    const struct line *from;
    const struct pof_offer *r;
    uint32_t at;   /* place in the tree; POF_NONE: not fed */
    uint32_t rank; /* by the tie rule, from 1; 0: takes no part */
    bool late, refused; /* takes no part: came after the gate; the rules do not allow it */
    unsigned seen; /* awards in the quarter-hour */
    int64_t taken; /* W in the quarter-hour */
    bool used, left; /* taken in some quarter-hour; not whole in some */
};

struct request {
    const struct line *from;
    const struct pof_request *r;
    uint32_t at;
    bool own;
    int64_t ceiling;
};

/* Prices hold in an area: a node and what hangs below it, or the node's own offers. */
struct area {
    const struct line *price; /* its record */
    const struct line *due;   /* a limit or request that makes one due */
    int64_t net;              /* up activation less down activation, W */
    wide cost;                /* of one more watt */
    wide low, high;           /* the cost outside less that inside lies between */
    wide asked_low, asked_high; /* the same by requests alone */
};

struct market {
    struct pof_grid grid;
    struct pof_tree tree;               /* places count along tree.order: parents first */
    uint32_t *place, *up, *end, *child; /* of nodes; of places; the same; of branches */
    struct line *of[POF_TYPES];         /* records as read; requests by id, offers by the tie rule */
    size_t n[POF_TYPES], cap[POF_TYPES];
    struct pof_arena arena;
    struct pof_names offer_ids, request_ids, judged;
    const struct pof_session *session;
    struct offer *offer;
    struct request *request;
    const struct line **award; /* by quarter-hour, request, why, id of the offer */
    struct area *area[2];      /* of places, by enum pof_scope */
    struct pof_rulebook rulebook;
    struct pof_rules rules; /* in force */
    bool ties, blocks, reasons;
    wide cost, unmet; /* added up: 1e-6 EUR/MWh times W; W */
};

/* One quarter-hour. */
struct quarter {
    int64_t start;
    const struct line **award;
    size_t awards;
    struct request **need; /* active and fed; lowest areas first, own first, direction, dearest first */
    size_t needs;
};

/* Tree, ids, ranks; then every award beside its offer and request. */
int verify_index(struct market *m, const char *session, struct pof_err *err) POF_CHECKED;
int verify_awards(struct market *m, struct pof_err *err) POF_CHECKED;
/* Quantities, limits and prices of a quarter-hour: the result is the optimal one. */
int verify_quarter(struct market *m, struct quarter *q, struct pof_err *err) POF_CHECKED;
/* Awards are what the rules make of the quantities: who pays, what, under which id. */
int verify_shares(struct market *m, const struct quarter *q, struct pof_err *err) POF_CHECKED;
/* Every offer has its explanation, and each is what prices and awards say. */
int verify_reasons(struct market *m, const struct quarter *q, struct pof_err *err) POF_CHECKED;
int verify_blocks(struct market *m, struct pof_err *err) POF_CHECKED;

/* Awards of equal offers are equal shares: of a quarter-hour whose prices are verified. */
int verify_pro_rata(const struct market *m, const struct quarter *q, struct pof_err *err) POF_CHECKED;
/* The rules in force; that cleared records name them. */
int verify_rules(struct market *m, struct pof_err *err) POF_CHECKED;
/* Do the rules let an offer take part? One with a lead time then begins when it can act. */
bool verify_allowed(const struct market *m, struct pof_offer *o);
uint64_t verify_lot(const struct market *m, const struct pof_offer *o);
/* What a share is paid; highest: ask among those of its request, why and direction. */
int64_t verify_price(const struct market *m, const struct quarter *q, const struct request *r,
                     const struct offer *o, int64_t highest);
int64_t verify_millionths(wide cost); /* a cost without its ties */
bool verify_active(int64_t from, int64_t to, int64_t t);
bool verify_inside(const struct market *m, uint32_t at, uint32_t area, bool own);
/* A stack of requests [i, return) on one area in one direction. */
size_t verify_stack(const struct quarter *q, size_t i);

#endif
