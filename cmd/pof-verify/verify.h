/* SPDX-License-Identifier: Apache-2.0 */
/* What the two parts of pof-verify share. */
#include "market/claim.h"
#include "num/units.h"

/* Costs with their ties: 1e-6 EUR/MWh times 2^59, unmet watts times 2^33, ranks. */
__extension__ typedef __int128 wide;

/* Prices hold in an area: a node with all that hangs below it, or its own offers. Now: */
struct area {
    const struct pof_claim_line *price, *due; /* its record; the limit or request that asks for one */
    const struct pof_text *seller[2]; /* who offers in it, by direction; or several do */
    int64_t top[2];                   /* the dearest taken in the price zone of this name */
    int64_t net, asked[2]; /* up less down activation; requests so far by direction, W */
    wide cost, low, high;  /* of one more watt; what the cost outside is more, from, to */
};

/* The sums of an offer or request in a quarter-hour. */
struct sums {
    int64_t quarter;             /* 1 + */
    int64_t taken, counter, met; /* W; of a request by why of its awards */
    int64_t top[2][2];           /* the dearest taken, by why and direction */
    wide paid;                   /* 1e-6 EUR/MWh times W */
    unsigned awards;             /* of an offer */
    bool told;                   /* of a request: has its served record */
};

struct market {
    struct pof_claim c;
    struct pof_grid grid;
    struct area *area;
    struct sums *sums; /* by line */
    int64_t now;
    bool blocks, joint; /* a sequence of roles has no prices */
    wide cost, unmet;   /* 1e-6 EUR/MWh times W; W; fed requests cost only */
};

/* Quantities, limits, prices and money of the quarter-hour m->now, of which cost and unmet are added. */
int verify_quarter(struct market *m, struct pof_err *err) POF_CHECKED;
