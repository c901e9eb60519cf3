/* SPDX-License-Identifier: Apache-2.0 */
/* A cleared session as it is claimed: orders and results as read, each beside what it names, by
 * quarter-hour. For programs that check it; nothing of it is used to make a result. */
#ifndef POF_MARKET_CLAIM_H
#define POF_MARKET_CLAIM_H

#include "grid/grid.h"
#include "market/rules.h"
#include "record/kept.h"

/* What has a name: an offer, a request, a block of offers, a group of blocks. */
struct pof_claim_name {
    struct pof_claim_line *line;        /* of offers and requests */
    struct pof_claim_name *parent, *child; /* of blocks, and offers in none; child: while they settle */
    bool inside, refused, broken; /* of a block: an offer takes part; one is refused; one cannot */
    bool out, settled;            /* all of it is left out, or its parent is */
    bool taken, left; /* of a block: for the checker: somewhere taken; somewhere not whole, begins as
                         whether it reaches beyond the session */
    const struct pof_claim_name *taker; /* of a group: for the checker */
    struct pof_claim_act {
        int64_t quarter, least; /* least activations up to it, the last one ending here */
    } *act;                     /* of an offer: the quarter-hours in which it is active, so far; owned */
    size_t acts, act_cap;
};

/* A record and what it stands beside. */
struct pof_claim_line {
    const struct pof_kept *at;
    const struct pof_record *r;
    uint32_t area; /* 2 node for all that hangs below it, 2 node + 1 for its own offers; POF_NONE: not
                      connected */
    int64_t rank;  /* of offers by the tie rule, from 1; 0: takes no part */
    bool late, refused; /* offers that take none: came after the gate; the rules do not allow it, or
                           another offer of its block */
    struct pof_claim_name *name, *offer, *request; /* its own; those it refers to; NULL */
    struct pof_claim_name *block, *group; /* of offers: theirs, or name; theirs, or NULL */
    bool whole; /* an offer that is not divisible as it likes: of a block or group, with a parent, a
                   least power or a longest activation */
};

enum { POF_FOR_REQUEST, POF_FOR_COUNTER, POF_FOR_RESERVE }; /* why of awards */

/* Initialise with {.grid, .meshed}, fill kept and rulebook; then pof_claim_index. */
struct pof_claim {
    const struct pof_grid *grid; /* borrowed */
    bool meshed; /* the grid may have loops; else POF_E_TOPOLOGY */
    bool loops;  /* branches of loops are limited in the session: no prices prove such a result */
    struct pof_claim_loops *rows; /* of those */
    struct pof_rulebook rulebook; /* filled in before indexing */
    struct pof_rules rules;       /* in force */
    char rules_name[POF_SHA256_HEX];
    struct pof_kept_records kept;
    struct pof_tree tree;
    uint32_t *zone; /* of nodes: a node that names its price zone */
    struct pof_kept_slices slices; /* quarter-hours of the session */
    struct pof_claim_line *line;   /* of each kept record, by type; requests the dearest first; offers by
                                      the tie rule; awards by request and why; all else as read */
    struct pof_names ids;
    struct pof_claim_name *name; /* by number in ids */
    const struct pof_session *session;
    int64_t quarters;
    bool ties; /* prices tell ties */
};

/* Sorts, chooses the session (NULL: the only one given) and finds what lines refer to. A line is refused
 * with POF_E_ANSWER_NO and its place: an id given twice, a result that names an order or quarter-hour
 * that is not of the session, cleared by other rules, a record that is neither order nor result.
 * O(n log n). */
int pof_claim_index(struct pof_claim *c, const char *session, struct pof_err *err) POF_CHECKED;
void pof_claim_release(struct pof_claim *c);

/* A name of a kind of things in a session, made when it is not there; NULL text: NULL. */
int pof_claim_name(struct pof_claim *c, char kind, struct pof_text session,
                   const struct pof_text *text, struct pof_claim_name **to,
                   struct pof_err *err) POF_CHECKED;

/* The lines of a type in a quarter-hour of the session (counted from 0): indices, in order of line. */
size_t pof_claim_lines(const struct pof_claim *c, int64_t quarter, enum pof_type type,
                       const uint32_t **at);
/* Refuses a limit of a branch that is part of a loop when the awards of a quarter-hour go beyond it, in
 * integers, with the factors of grid/transfer.h; other limits pass. Errors of those. O(awards). */
int pof_claim_loop(struct pof_claim *c, int64_t quarter, const struct pof_claim_line *l,
                   struct pof_err *err) POF_CHECKED;
void pof_claim_loops_free(struct pof_claim *c); /* part of the release */
/* Does a quarter-hour begin in [from, to)? */
bool pof_claim_active(const struct pof_claim *c, int64_t quarter, int64_t from, int64_t to);

/* Refuses an award that has not the fields of its offer and request (power, why and price paid are not
 * looked at, of a reserve the price is), not the n-th id of its offer (SESSION:OFFER:QUARTER, for
 * reserves with r behind it, numbered from the second on), or that is for who does not ask for it: blocks,
 * and where nobody asks what makes room for them, reach beyond their request's quarter-hours,
 * counter-activation and reserves beyond its area. Or that makes
 * its offer active longer or more often than it can be: to be called in order of quarter-hours. */
int pof_claim_award(const struct pof_claim *c, int64_t quarter, const struct pof_claim_line *l,
                    unsigned n, struct pof_err *err) POF_CHECKED;

/* Refuses an award or reserve that makes its offer active longer or more often than it can be, with those
 * of quarter-hours before. Part of pof_claim_award. O(quarter-hours of an activation) */
int pof_claim_act(const struct pof_claim_line *l, int64_t quarter, struct pof_err *err) POF_CHECKED;

/* Power times price (W, 1e-6 EUR/MWh) over a quarter-hour in 1e-6 EUR, half to even, or up; -1: more than
 * 64 bits. */
__extension__ typedef __int128 pof_claim_wide;
int64_t pof_claim_money(pof_claim_wide paid, bool up);
/* What a request is worth, 1e-6 EUR/MWh. */
int64_t pof_claim_ceiling(const struct pof_claim *c, const struct pof_request *r);

/* Does one area lie in another? O(depth). */
bool pof_claim_inside(const struct pof_claim *c, uint32_t area, uint32_t in);

/* The record must be the expected one, a structure of its type; refused with the field. */
int pof_claim_same(const struct pof_claim_line *l, const void *expected,
                   struct pof_err *err) POF_CHECKED;

/* Refuses a line: "file:line:field: text". */
#define POF_REFUSE(l, field, ...)                                                                  \
    (pof_fail(err, POF_E_ANSWER_NO, __VA_ARGS__), pof_at(err, (l)->at->file, (l)->at->line, field))
#define POF_TEXT(t) (int)(t).len, (t).ptr /* for "%.*s" */

#endif
