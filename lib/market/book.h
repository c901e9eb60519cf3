/* SPDX-License-Identifier: Apache-2.0 */
/* The order book of one session on one grid: requests, offers and limits by quarter-hour.
 *
 * Records are taken in any order and copied; closing the book chooses the session, clips everything
 * to its window, refuses orders by the rules, ranks the offers by the tie rule (earlier `received`
 * first, not said last, or drawn by lot; then byte order of id) and puts everything in an order that does not depend on the input's. */
#ifndef POF_MARKET_BOOK_H
#define POF_MARKET_BOOK_H

#include "base/text.h"
#include "market/clear.h"
#include "market/feeder.h"
#include "market/loop.h"
#include "market/rules.h"
#include "market/spell.h"
#include "num/units.h"
#include "record/record.h"

struct pof_book_request {
    struct pof_request record;      /* texts in the book's arena */
    struct pof_clear_request clear; /* node, ceiling ... */
    bool fed;                       /* its area is connected; else nothing can serve it */
    uint32_t first, last;           /* quarter-hours [first, last) of the window */
};

/* What clearing looks at of an offer; the rest is apart, so that this stays close together. */
struct pof_book_offer {
    int64_t p_w, price_ueur_mwh;
    uint32_t node;
    uint32_t rank;        /* 1 first */
    uint32_t first, last; /* quarter-hours of the window */
    uint32_t block;       /* POF_NONE: in none, and neither parent nor group */
    unsigned char direction;
};

/* 64 bytes of it: of a million offers, memory is what taking them costs. */
struct pof_book_terms {
    uint64_t has;         /* as in the record, for POF_HAS(.., offer, ..) */
    const char *id, *pod; /* in the book's memory; see pof_book_id(), pof_book_pod() */
    int64_t min_w, received;
    uint32_t start, end;  /* quarter-hours since 1970, see pof_book_instant() */
    int32_t lead_s;       /* a week at most */
    uint32_t seller;      /* number in seller_ids */
    uint32_t spell;       /* 1 + number among the book's; 0: none */
    uint16_t id_len, pod_len; /* a hundred bytes at most, as records have it */
};

static inline struct pof_text pof_book_id(const struct pof_book_terms *t)
{
    return (struct pof_text){t->id, t->id_len};
}

static inline struct pof_text pof_book_pod(const struct pof_book_terms *t)
{
    return (struct pof_text){t->pod, t->pod_len};
}

/* When a quarter-hour since 1970 begins, s. */
static inline int64_t pof_book_instant(uint32_t quarter)
{
    return (int64_t)quarter * POF_QUARTER_S;
}

/* Offers that are taken together, or (gate) one divisible offer that has a parent or a group. Names
 * are those of one session. */
struct pof_book_block {
    struct pof_text session, id, seller; /* in the arena; id of a gate: of its offer */
    struct pof_text parent, group;       /* len 0: none */
    bool gate;
    bool inside, outside, unfed; /* quarter-hours in the window, others, an offer not connected */
    bool refused;                /* an offer of it is */
    bool out;                    /* left out: it could not be taken whole, or its parent not */
    uint32_t up;                 /* parent among the blocks */
    uint32_t set;                /* number of the group; POF_NONE: none */
};

struct pof_book_limit {
    int64_t p_up_w, p_down_w, start;
    uint32_t node;    /* fed through the branch */
    uint32_t quarter; /* of the window; until closing: how many from start on */
};

/* An order that takes no part, see market/refuse.h. */
struct pof_book_refusal {
    enum pof_order order;
    enum pof_refusal_why why;
    int64_t is, bound;               /* price or instant, and the one it is held against */
    struct pof_text id, party, block; /* in the book's memory */
    uint32_t node;                   /* of an offer, and what follows */
    int direction;
    int64_t start, end, p_w, price_ueur_mwh;
};

/* What became of the records taken. */
struct pof_book_counts {
    uint64_t requests, offers, limits; /* in the book */
    uint64_t requests_elsewhere;       /* of another session */
    uint64_t requests_outside;         /* of this session, but wholly outside its window */
    uint64_t offers_outside, limits_outside;
    uint64_t requests_unfed, offers_unfed, limits_unfed; /* where no closed branch leads */
    uint64_t blocks;         /* in the book */
    uint64_t blocks_partial; /* reach beyond the window or are not all connected: left out */
    uint64_t blocks_orphan;  /* their parent is left out */
    uint64_t offers_in_blocks_out; /* connected and in the window, but left out with their block */
};

/* Lists of indices by quarter-hour: of quarter q, at[first[q] .. first[q + 1]). */
struct pof_book_slices {
    size_t *first;
    uint32_t *at;
};

/* Initialise with pof_book_init; read only after pof_book_close. */
struct pof_book {
    const struct pof_feeder *feeder;
    struct pof_forest forest;
    struct pof_session session; /* the chosen one */
    struct pof_rules rules;     /* in force in it */
    const struct pof_rulebook *rulebook; /* borrowed: where they come from */
    struct pof_book_refusal *refusal;    /* by order, id */
    size_t refusals, refusal_cap;
    uint32_t quarters;
    struct pof_book_request *request; /* by id */
    struct pof_book_offer *offer;     /* as they came; by_offer has them in order */
    struct pof_book_terms *terms;     /* of each offer */
    struct pof_book_limit *limit;     /* by quarter-hour, node, power */
    struct pof_loops loops;       /* limits of branches in loops */
    struct pof_session *sessions;
    size_t requests, offers, limits, n_sessions;
    struct pof_spell *spell; /* of offers, as they came */
    size_t spells, spell_cap;
    bool any_received, any_least; /* has an offer a time of receipt; a least power? */
    struct pof_book_slices by_offer, by_request; /* offers as pof_clear_offer_cmp wants them */
    size_t *limit_first; /* [quarters + 1] */
    struct pof_book_counts counts;
    struct pof_names request_ids, offer_ids, seller_ids;
    struct pof_book_block *block; /* by number in block_ids */
    struct pof_names block_ids, group_ids;
    size_t block_cap;
    struct pof_arena arena, pods; /* pods: their names, in terms */
    size_t request_cap, offer_cap, terms_cap, limit_cap, session_cap;
};

/* The feeder is borrowed until the release. */
int pof_book_init(struct pof_book *book, const struct pof_feeder *feeder,
                  struct pof_err *err) POF_CHECKED;
void pof_book_release(struct pof_book *book);

/* Makes room for so many offers before they come; there may be fewer or more. */
int pof_book_expect(struct pof_book *book, size_t offers, struct pof_err *err) POF_CHECKED;

/* Takes a session, request, offer or limit record. POF_E_REFERENCE for a node or branch the grid
 * does not have, POF_E_TIME for times off the quarter-hours or backwards, POF_E_DUPLICATE for an id
 * given before (requests: in the same session), POF_E_RANGE for a least power above the power,
 * POF_E_TIME for times of activation that are no quarter-hours, POF_E_CONFLICT for these on an offer of a
 * block, for a block or group of two sellers or a block with two parents or groups, each
 * with its field. */
int pof_book_take(struct pof_book *book, const struct pof_record *record,
                  struct pof_err *err) POF_CHECKED;

/* session: an id, or NULL when only one was taken. The rules are borrowed until the release; {0} are
 * the usual ones. POF_E_REFERENCE when there is no such session or a parent is not a block of its
 * session, POF_E_CONFLICT when parents form a cycle or are another seller's, POF_E_CONFIG for rules
 * that contradict each other. O(n log n). */
int pof_book_close(struct pof_book *book, const char *session, struct pof_rulebook *rules,
                   struct pof_err *err) POF_CHECKED;

/* The quarter-hours [*first, *last) of the chosen session that lie in a time; false: none. */
bool pof_book_clip(const struct pof_book *book, int64_t start, int64_t end, uint32_t *first, uint32_t *last);

/* --- a book of which only one quarter-hour of offers is held at a time --- */

/* As pof_book_close(), for all but the offers. From here on only pof_book_next_offer() takes
 * records. */
int pof_book_frame(struct pof_book *book, const char *session, struct pof_rulebook *rules,
                   struct pof_err *err) POF_CHECKED;
/* Takes an offer, as pof_book_take(); one outside the window or not connected is counted and not
 * held. POF_E_CONFLICT for one with a least power, block, parent, group or lead time: that is decided
 * for the session as a whole. Its id must differ from those of the offers held. */
int pof_book_next_offer(struct pof_book *book, const struct pof_offer *offer,
                        struct pof_err *err) POF_CHECKED;
/* Puts the offers held in order, as those of one quarter-hour. All of them must be of it. */
int pof_book_quarter(struct pof_book *book, uint32_t quarter, struct pof_err *err) POF_CHECKED;
/* Forgets the offers that end with a quarter-hour, so that the rest are those of the next. */
int pof_book_forget(struct pof_book *book, uint32_t quarter, struct pof_err *err) POF_CHECKED;

#endif
