/* SPDX-License-Identifier: Apache-2.0 */
/* Shared by sim.c (what a pod is) and simday.c (what it does). */
#ifndef POF_FLEX_SIM_INTERNAL_H
#define POF_FLEX_SIM_INTERNAL_H

#include "flex/profile.h"
#include "flex/sim.h"
#include "num/rng.h"

enum { POFI_SHIFT = 4 }; /* a pod's day runs up to so many quarter-hours early or late */

/* First argument of pof_random beside the seed: one stream of numbers for each purpose. */
enum pofi_stream {
    POFI_POD = 1,
    POFI_KIND,
    POFI_PLANT,
    POFI_MARKET,
    POFI_LEND,
    POFI_ASK,
    POFI_COMMON,
    POFI_DAY,
    POFI_HOUR,
    POFI_QUARTER,
    POFI_ANSWER
};

struct pof_sim {
    struct pof_sim_options options;
    uint64_t seed_of[POFI_ANSWER + 1]; /* seed of each stream */
    size_t *used;    /* places with weight */
    size_t n_used;
    int64_t *first;  /* [n_used] first pod of each used place */
    uint64_t *share; /* [n_used] of a load's unit of size at the place, 32 binary places */
    uint64_t plant_share; /* the same of all plants */
    uint64_t scale;  /* W per unit of share, 32 binary places */
    int aggregators; /* 3..5 */
};

/* The words of pod_kind in words.def that are made here. */
enum pofi_word {
    POFI_HOUSEHOLD = 0,
    POFI_COMMERCIAL = 1,
    POFI_PV = 3,
    POFI_BATTERY = 4,
    POFI_VEHICLE = 5,
    POFI_HEATPUMP = 6
};

/* One row for each kind of pod that is made. */
struct pofi_kind {
    enum pofi_word word;
    enum pof_profile profile;
    int share_permille;      /* of all pods */
    int unit;                /* relative size: a household is 1000 */
    int up_permille;         /* of size: most it can turn up */
    int down_permille;
    int reactive_permille;   /* q / p */
    int price_eur_mwh;       /* usual price asked for turning up */
    int price_down_eur_mwh;
};
enum { POFI_KINDS = 6 };
const struct pofi_kind *pofi_kind(int k);       /* the k-th row */
const struct pofi_kind *pofi_kind_of(int word); /* the row of a word that is made */
const char *pofi_aggregator(int a);

/* The profiles of a quarter-hour for every kind and shift. */
struct pofi_shapes {
    int value[POF_PROFILES][2 * POFI_SHIFT + 1];
};
void pofi_shapes(const struct pof_sim *sim, int64_t t, struct pofi_shapes *shapes);
/* Forecast power of a pod, W. */
int64_t pofi_forecast(const struct pof_sim_pod *pod, const struct pofi_shapes *shapes);

static inline uint64_t pofi_bits(const struct pof_sim *sim, enum pofi_stream s, uint64_t a,
                                 uint64_t b)
{
    return pof_random(sim->seed_of[s], a, b);
}

/* a * b / 1000, to the nearest, halves away from zero. */
static inline int64_t pofi_permille(int64_t a, int64_t b)
{
    int64_t p = a * b;
    return p < 0 ? -((-p + 500) / 1000) : (p + 500) / 1000;
}

#endif
