/* SPDX-License-Identifier: Apache-2.0 */
/* Inside of the feed: what its files share. Not for others. */
#ifndef POF_GRID_ESTIMATE_FEED_IMPL_H
#define POF_GRID_ESTIMATE_FEED_IMPL_H

#include "grid/estimate_feed.h"

/* A reading. */
struct seen {
    int64_t start;
    struct pof_observation o;
};

struct meter {
    int64_t start;
    int64_t p_w, q_var, v_mv;
    uint32_t pod;
    uint32_t rank; /* of its name: sums must not depend on who was seen first */
    int32_t duration_s;
    bool has_q, has_v, good;
};

/* Expected consumption of a pod. */
struct expected {
    int64_t start, end;
    int64_t p_w, q_var;
    uint32_t pod, rank;
    bool has_q;
};

/* Position of a branch that can be opened. */
struct position {
    int64_t start;
    uint32_t branch;
    bool closed;
};

/* What is known of a node's consumption at an instant. */
struct node_sum {
    double p_w, q_var;           /* of measured pods; exact below 2^53 W */
    double p2, q2;               /* squared standard deviations of them */
    double expect_p, expect_q;   /* of pods not measured that have a baseline */
    int64_t age_s;               /* of the oldest meter */
    uint32_t measured, expected;
    bool read_p, read_q, read_v; /* somebody reads it directly */
};

/* What is assumed of a node, p and q. */
struct assumed {
    double value[2], sigma[2];
    bool is[2];
};

struct pof_feed {
    const struct pof_grid *grid;
    struct pof_feed_options options;
    struct pof_names pods;
    uint32_t *pod_node;   /* [pods.n] POF_NONE until registered */
    size_t pod_cap;
    uint32_t *rank;       /* [ranked] place of each pod in the order of names */
    uint32_t *by_rank;    /* [ranked] the inverse */
    size_t ranked, rank_cap, by_rank_cap;
    uint32_t *registered; /* [nodes] pods there */
    struct node_sum *sum; /* [nodes]; NULL where there are no pods and nothing is assumed */
    struct seen *seen;
    size_t n_seen, seen_cap, at_seen;
    struct meter *meter;
    size_t n_meter, meter_cap, at_meter;
    struct expected *expected;
    size_t n_expected, expected_cap;
    struct position *position;
    size_t n_position, position_cap, at_position;

    /* what outlives its instant */
    struct seen *held;    /* in the order of places */
    size_t n_held, held_cap;
    struct meter *last;   /* [ranked] by pod; duration_s 0: none */
    size_t last_cap;
    bool *closed;         /* [branches] */
    bool moved;           /* a switch did since the last instant */
    int64_t now;

    /* the instant handed out */
    struct pof_observation *out;
    uint8_t *origin;
    int64_t *age;
    size_t n_out, out_cap, origin_cap, age_cap;

    /* room of the allocation */
    struct assumed *assumed; /* [nodes] */
    uint32_t *area;          /* [nodes] */
    double *inflow;          /* [nodes] by area */
    double *weight;          /* [nodes] by area */
    double *through;         /* [2 * branches] mean reading at an end; NAN: none */
};

/* Adds an observation to the instant; counts it. */
int pofi_feed_put(struct pof_feed *feed, struct pof_instant *t, const struct pof_observation *o,
                  enum pof_origin origin, int64_t age_s, struct pof_err *err) POF_CHECKED;

/* estimate_hold.c: the readings and meters that count at the instant, each with its age. */
int pofi_feed_readings(struct pof_feed *feed, struct pof_instant *t, struct pof_err *err) POF_CHECKED;
int pofi_feed_meters(struct pof_feed *feed, struct pof_instant *t, struct pof_err *err) POF_CHECKED;
/* Seconds since the end of a meter's interval; negative: it does not count. */
int64_t pofi_meter_age(const struct pof_feed *feed, const struct meter *m, int64_t now);
int pofi_by_seen(const void *a, const void *b);

/* estimate_pseudo.c: consumption of nodes, metered or assumed. Adds to the instant what nodes get. */
int pofi_feed_nodes(struct pof_feed *feed, struct pof_instant *t, struct pof_err *err) POF_CHECKED;

#endif
