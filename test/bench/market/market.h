/* SPDX-License-Identifier: Apache-2.0 */
/* One market by seed, as the files of the toolkit and as a linear program, so that both are timed
 * on the same numbers.
 *
 * A radial feeder of one node for ten offers, mean depth 10 to 20. In every quarter-hour: offers of 1
 * to 500 W up or down at random nodes for 5.00 to 200.00 EUR/MWh in steps of 0.05; on every edge a
 * limit of 30 to 100 % of what is offered below it, each way; on 2 % of the edges a DSO's request for
 * 30 % of what is offered below (at most 300 EUR/MWh), and a TSO's request for 20 % of everything (at
 * most 400). All numbers depend on (seed, quarter-hour, place) alone.
 *
 * With blocks the last of the offers are not of one quarter-hour each: they hold for 8 quarter-hours
 * from a random start on, with 3 times the power of others, as a block, to be taken whole or not at all. */
#ifndef POF_BENCH_MARKET_H
#define POF_BENCH_MARKET_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

enum { CEILING_DSO = 30000, CEILING_TSO = 40000 }; /* 0.01 EUR/MWh */

struct bench_offer {
    uint32_t node;
    int32_t p_w;
    int32_t price; /* 0.01 EUR/MWh */
    bool up;
    uint32_t block; /* number, of this place among the offers; 0: none */
};

struct bench_request {
    uint32_t node; /* 0: the whole grid */
    int64_t p_w;
    bool up;
};

/* One quarter-hour. */
struct bench_quarter {
    struct bench_offer *offer;     /* [offers] */
    int64_t (*limit)[2];           /* [nodes] W up, down of the edge above a node; not of node 0 */
    struct bench_request *request; /* [requests], the TSO's last */
    uint32_t requests;
};

struct bench_market {
    uint32_t offers, periods, nodes;
    uint32_t blocks; /* of the offers of a quarter-hour; 0 after init */
    uint64_t seed;
    uint32_t *parent; /* [nodes], node 0 is the root; parents before children */
    struct bench_quarter now;
};

void market_init(struct bench_market *m, uint32_t offers, uint32_t periods, uint64_t seed);
void market_free(struct bench_market *m);
/* Fills m->now. */
void market_quarter(struct bench_market *m, uint32_t q);

/* grid.json, sessions.csv, requests.csv, limits.csv and offers.csv in a folder. */
void market_write(struct bench_market *m, const char *folder);
/* Of these, all but limits and offers. */
void market_write_frame(struct bench_market *m, const char *folder);
/* One of them to an open file: for pipes. */
void market_write_limits(struct bench_market *m, FILE *f);
void market_write_requests(struct bench_market *m, FILE *f);
void market_write_offers(struct bench_market *m, FILE *f);
/* The same as free MPS, in 0.01 EUR/MWh times W. */
void market_write_mps(struct bench_market *m, const char *path);

/* Cost of a file of awards (CSV), 0.01 EUR/MWh times W: what is taken and what stays unmet. */
__extension__ typedef __int128 bench_wide;
bench_wide market_cost_of_awards(struct bench_market *m, const char *path);
/* Cost of what clp -solution or glpsol -w wrote. */
bench_wide market_cost_of_clp(struct bench_market *m, const char *path);
bench_wide market_cost_of_glpk(struct bench_market *m, const char *path);

_Noreturn void fail(const char *what);
FILE *create(const char *folder, const char *name);

#endif
