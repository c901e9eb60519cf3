/* SPDX-License-Identifier: Apache-2.0 */
/* Zonal order books: bidding zones, links of limited capacity between them, curves of supply and
 * demand, block orders, exact in integers.
 *
 * A period without blocks. Zones and their links form trees (a zone whose price is given is a border:
 * it trades any energy its links carry at that price, so links end there). Welfare, the value of
 * demand served less the cost of supply taken, is maximal when every zone's net supply is read off
 * the tree of its curves: all steps of a zone in order of price are one rising curve of net supply
 * over price (demand step: not served above its price); the curves of outer zones, cut to what
 * their link carries, are merged into the next zone's; at the root net supply is 0. The price there
 * goes back out: it is the price of the next zone unless a cut lies between (D. Hochbaum, Math. of
 * OR 19(2), 1994, for the nested resource allocation; the rules are those of uniform zonal pricing,
 * EUPHEMIA Public Description, 2024). Where balance leaves an interval of prices, the root takes the
 * middle, rounded down to 1e-6 EUR; other zones the price nearest to their neighbour's. Of equal
 * steps the zone's own are taken first, then those of outer zones in order of name, then borders.
 *
 * Blocks are taken whole in all their periods or not at all, and never at a loss at the final
 * prices (no paradoxical acceptance). For any choice of blocks,
 *
 *     gap = sum of the surplus of blocks in the money that are not taken
 *
 * bounds from above how much welfare any other choice could add (the Lagrangian bound at the final
 * prices): 0 proves that the choice is optimal even without that rule. */
#ifndef POF_MARKET_ZONAL_H
#define POF_MARKET_ZONAL_H

#include "base/mem.h"
#include "base/text.h"
#include "num/units.h"
#include "record/record.h"

/* Money before its one rounding: Wh times 1e-6 EUR/MWh. */
__extension__ typedef __int128 pof_zonal_wide;

/* One step of the curve of a zone, or all of them of equal price. */
struct pof_zonal_step {
    int64_t price; /* 1e-6 EUR/MWh */
    int64_t wh;    /* > 0 */
};

/* An order as it came. */
struct pof_zonal_order {
    uint32_t period; /* first member of all three */
    uint32_t zone, block; /* block: POF_NONE for a step */
    bool demand;
    int64_t price, wh;
};

struct pof_zonal_link {
    uint32_t period, from, to;
    int64_t min_wh, max_wh;
};

struct pof_zonal_border {
    uint32_t period, zone;
    int64_t price;
};

struct pof_zonal_block {
    uint32_t zone;
    bool demand;
    int64_t price;
    int given;          /* enum of block_status, -1: none */
    uint32_t first, n;  /* its rows in book->block_row, by period */
};

struct pof_zonal_when {
    int64_t start, duration_s;
};

/* Orders of any number of periods. Use: {0}, take, close, clear, release. */
struct pof_zonal_book {
    struct pof_names zones, blocks, periods;
    struct pof_zonal_when *when; /* [periods.n] as they came */
    struct pof_zonal_order *order;
    struct pof_zonal_link *link;
    struct pof_zonal_border *border;
    struct pof_zonal_block *block; /* [blocks.n] */
    size_t orders, links, borders;
    size_t when_cap, order_cap, link_cap, border_cap, block_cap;
    /* After close all numbers of zones and blocks are places in the order of names, those of
     * periods in the order of time, and the arrays above are sorted. Names: zones.text[zone_at[i]],
     * when[period_at[t]]. */
    uint32_t *zone_rank, *zone_at, *block_at, *period_at;
    uint32_t *order_first, *link_first, *border_first; /* [periods.n + 1] */
    uint32_t *block_row; /* orders of blocks, by block and period */
};

/* Takes a zone_order, zone_link or zone_price. POF_E_DUPLICATE: a link, border price or period of a
 * block given twice; POF_E_CONFLICT: a block of two zones, sides or prices; POF_E_RANGE: min_wh >
 * max_wh. O(1) expected. */
int pof_zonal_take(struct pof_zonal_book *book, const struct pof_record *record,
                   struct pof_err *err) POF_CHECKED;
/* No more records. POF_E_DUPLICATE as above. O(n log n). */
int pof_zonal_close(struct pof_zonal_book *book, struct pof_err *err) POF_CHECKED;
void pof_zonal_release(struct pof_zonal_book *book);

enum pof_zonal_blocks { POF_ZONAL_DECIDE, POF_ZONAL_GIVEN };

/* What came of it; arrays by zone, link and block number; release with pof_zonal_result_release. */
struct pof_zonal_result {
    int64_t *price;   /* [periods * zones] 1e-6 EUR/MWh; of borders the given one */
    int64_t *supply;  /* [periods * zones] Wh taken, blocks included */
    int64_t *demand;  /* [periods * zones] Wh served */
    bool *known;      /* [periods * zones] the zone has orders or links in the period */
    int64_t *flow;    /* [links] Wh from -> to */
    bool *accepted;   /* [blocks] */
    pof_zonal_wide *surplus; /* [blocks] at the final prices, taken or not */
    pof_zonal_wide welfare, gap;
    uint64_t solved;  /* periods solved on the way */
};

/* POF_E_CONFLICT: orders in a zone whose price is given; POF_E_TOPOLOGY: links between zones without
 * given prices form a ring.
 *
 * GIVEN holds the statuses that orders bring (POF_E_MISSING without one). budget: periods that may
 * be solved again in the search for better blocks, which is deterministic (0: 100000). POF_E_CONFLICT:
 * a group of zones that cannot balance, with what is missing or too much. One period costs O(n
 * log zones) for n steps. */
int pof_zonal_clear(const struct pof_zonal_book *book, enum pof_zonal_blocks blocks,
                    uint64_t budget, struct pof_zonal_result *result,
                    struct pof_err *err) POF_CHECKED;
/* Wide money rounded half to even to 1e-6 EUR; POF_E_OVERFLOW. */
int pof_zonal_money(pof_zonal_wide wide, int64_t *ueur, struct pof_err *err) POF_CHECKED;
void pof_zonal_result_release(struct pof_zonal_result *result);

/* Whether a result is feasible and optimal for its blocks, from quantities and prices alone: every
 * zone balances with its flows, steps below the price are taken and above it not, equal prices
 * across links that are not at a limit, no block at a loss. *wrong: NULL, or what is not so, in
 * words. O(n). */
int pof_zonal_check(const struct pof_zonal_book *book, const struct pof_zonal_result *result,
                    bool blocks_free, const char **wrong, struct pof_err *err) POF_CHECKED;

#endif
