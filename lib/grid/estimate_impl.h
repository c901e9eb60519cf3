/* SPDX-License-Identifier: Apache-2.0 */
/* Inside of the estimator: what its files share. Not for others.
 *
 * Unknowns come in blocks of two (ldl.h). Node k of the net is block k: its angle, and the relative
 * change of its magnitude (du = dV / V), so that dv = v (du + j dangle). Then come the sections of
 * buses that ideal switches join from several grid nodes: block net.nodes + s is the "potential" of
 * section s for P and for Q, and the power through an ideal switch is the difference of the
 * potentials of its ends (A. Monticelli, IEEE Trans. Power Systems 8(3), 1993: branches of zero
 * impedance carry flows as states of their own; potentials make switches in a loop share equally).
 * Behind them rows marked `kept` have unknowns of their own: multipliers of exact rows, and weighted
 * rows that are better not multiplied out.
 *
 * A row is an observation, a zero injection or a reference, in p.u. and rad. P, Q and currents are
 * read at forms of the net (net.h) or of sections. A row touches a list of blocks, ascending, with
 * two derivatives for each. Rows are sorted by a total order, so sums do not depend on the order of
 * the caller's observations. */
#ifndef POF_GRID_ESTIMATE_IMPL_H
#define POF_GRID_ESTIMATE_IMPL_H

#include "grid/admittance.h"
#include "grid/estimate.h"
#include "grid/ldl.h"
#include "grid/net.h"

/* Voltages as complex numbers, with their magnitude, and potentials of sections. */
struct se_state {
    double *vr, *vi, *vm; /* [net.nodes] */
    double *x;            /* [2 * potentials] */
};

/* Why a row is there. */
enum se_origin { SE_OBSERVED, SE_ZERO_INJECTION, SE_REFERENCE };

struct se_row {
    uint32_t element;  /* grid node, or branch */
    uint8_t quantity;  /* enum pof_quantity */
    uint8_t phase;     /* 0: all */
    bool branch, to;
    bool exact;
    bool kept;         /* an unknown of its own; else summed into G */
    bool stiff;        /* too precise to be summed, estimate_stiff.c */
    bool active;       /* takes part; current magnitudes wait for the first steps */
    bool removed;      /* left out for good */
    bool mixed;        /* of Q, correlated with P, the row before it: reads Q - mix P */
    uint8_t origin;    /* enum se_origin */
    uint32_t source;   /* the caller's observation */
    uint32_t place;    /* V, ANGLE: node of the net; else its first form; POF_NONE: flow of an ideal
                          switch, no form */
    uint8_t forms;     /* how many forms from there are read as their sum: 0, 1, or all phases */
    double sign;       /* -1: consumption, what the forms do not take away */
    double z, sigma;   /* p.u., rad */
    double mix;        /* 0: none, or no more */
    double length2;    /* |h|^2 without load; 0: never stiff */
    double weight;     /* 1 / sigma^2; of exact rows the scale of the row */
    double lambda;     /* multiplier of an exact row, of the row as scaled */
    double r;          /* z - h(x) at the present state */
    uint32_t begin, n; /* blocks: block[begin ..], derivatives h[2 * begin ..] */
    uint32_t extra;    /* kept: its unknown in the gain system */
};

/* All forms that can be read: those of the net, then one for each phase of each section. */
struct se_forms {
    uint32_t n;
    const uint32_t *at, *begin, *to;
    const double *g, *b;
    void *own[5];      /* the arrays, where they are not the net's */
};

/* A linear system with its pattern and the slots of its blocks. Rows summed into G have a slot for
 * each pair of their blocks, first <= second; rows with an unknown of their own one for each block.
 * Rows of the same blocks may share slots. */
struct se_system {
    struct pof_ldl *ldl;
    uint32_t *slot, *diagonal;
    uint32_t *first;   /* [rows] */
    uint32_t *unknown; /* [rows] a row's own unknown; POF_NONE: summed */
    uint32_t *output;  /* [forms] first slot of the pairs of its blocks; POF_NONE: none. NULL with
                          keep_all, and where voltages alone are wanted */
    bool keep_all, augment;
    uint32_t outputs;  /* slots before that of the first output */
    uint32_t blocks;
};

struct eval_lanes;
struct se_plan; /* what the kernels of estimate_eval.c go by */

struct pof_se {
    const struct pof_grid *grid;
    struct pof_se_options options;

    /* topology */
    struct pof_net net;
    struct se_forms forms;
    uint32_t sections;       /* grid nodes in buses that have several */
    uint32_t potentials;     /* sections * phases; section s, phase f is s * phases + f */
    uint32_t *section_of;    /* [grid nodes] POF_NONE: its bus has no other grid node; NULL: no bus
                                has several */
    uint32_t *section_node;  /* [sections] grid node; sections of a bus are neighbours */
    uint32_t *tie_begin;     /* [sections + 1] closed ideal switches at each section */
    uint32_t *tie;           /* [tie_begin[sections]] 2 * branch + (its to end is here) */
    bool *is_state;          /* [2 * potentials] unknowns, P and Q; others are held at 0 */
    bool *section_known;     /* [2 * potentials] whether P, Q of a section follow from what is read */
    bool *tie_known;         /* [2 * branches * phases] the same of flows through ideal switches */

    /* rows */
    const struct pof_observation *seen;
    size_t n_seen;
    struct se_row *row;
    size_t rows, row_cap;
    struct se_row *last;   /* rows the patterns were made for, until remembered */
    size_t last_rows, last_cap;
    bool remembered;       /* patterns are those of the present rows */
    uint32_t *place;       /* [placed] of each row, as made, in the order of rows */
    size_t placed, place_cap;
    uint32_t *block;       /* blocks of rows */
    double *h;             /* two derivatives for each, of the last pofi_se_linearise */
    double *constant;      /* the same of potentials; NULL without sections */
    uint32_t entries;
    size_t block_cap, h_cap, constant_cap;

    struct se_system gain;
    struct se_plan *plan;
    double gain_most;      /* w |h|^2 of a row that G takes, estimate_stiff.c */
    double rho;            /* weight that exact rows have in G, as scaled */
    bool observed;         /* the present rows were found observable */

    struct se_state state, from, flat; /* present; where a step began; no load */
    double *v, *a;         /* [net.nodes] magnitudes and angles, of outputs */
    struct eval_lanes *lanes; /* one estimate, for the plan */
    double *step, *probe, *asked; /* [2 * gain.blocks] a step; right-hand sides: scratch, the present */
    double *before;        /* [rows] multipliers where the step began */
    size_t step_cap, probe_cap, asked_cap, before_cap;

    /* the first converged state of the present pattern, where later estimates begin */
    struct se_state base;
    double *base_lambda, *base_weight; /* [rows] */
    double base_rho, base_most; /* its gain_most */
    size_t base_cap[2];
    bool base_known;
    bool base_chosen, base_fixed; /* after pof_se_restart: by the next estimate; no longer */
    bool base_factored;    /* the factors of the gain system are those of the base */

    /* the best state passed while no attempt converges, estimate_best.c */
    struct {
        struct se_state state;
        double merit, sigma; /* sum of squares; what exact rows count with */
        bool on, known;      /* being looked for; found, in results */
    } best;

    /* results */
    int iterations;
    enum pof_se_status status;
    double objective;
    int64_t readings, constraints, references, left_out;
    int64_t unknowns;      /* 2 * nodes + potentials */
    double *node_out[4];   /* v, angle, p, q: grid node * phases + phase */
    double *branch_out[6]; /* p, q from; p, q to; i; loading: branch * phases + phase */
    bool *unobservable;
    uint32_t islands;      /* of the last test that failed */
    uint32_t *island;      /* [grid nodes] */
    struct pof_observation *missing;
    size_t n_missing, missing_cap, island_cap;
    char detail[POF_SE_DETAIL_MAX];

    /* check */
    double *sd_node[4];    /* as node_out */
    double *sd_branch[5];  /* as branch_out, without loading */
    double *residual, *normalised; /* [n_seen] */
    bool *critical;
    size_t residual_cap, normalised_cap, critical_cap;
    bool checked;          /* the arrays above belong to the present state */
};

/* estimate.c: rows, patterns, observability of these observations. */
int pofi_se_prepare(struct pof_se *se, const struct pof_observation *observations, size_t n,
                    bool *observable, struct pof_err *err) POF_CHECKED;
/* Active is what is not removed, but current magnitudes. */
void pofi_se_currents_wait(struct pof_se *se);

/* estimate_topology.c: the net, its flat state, sections and forms of them. */
int pofi_se_topology(struct pof_se *se, struct pof_err *err) POF_CHECKED;
void pofi_se_topology_free(struct pof_se *se);
/* Potentials that a P or Q of a section, or through an ideal switch, is made of beside its forms:
 * section and coefficient of each, the same section perhaps several times. Returns how many. */
struct se_term {
    uint32_t section;
    double factor;
};
uint32_t pofi_se_terms(const struct pof_se *se, const struct se_row *row, struct se_term *term);
uint32_t pofi_se_terms_max(const struct pof_se *se, const struct se_row *row);
/* Which potentials the present rows determine; fills is_state, section_known, tie_known. */
int pofi_se_potentials(struct pof_se *se, struct pof_err *err) POF_CHECKED;

int pofi_se_state_new(const struct pof_se *se, struct se_state *s, struct pof_err *err) POF_CHECKED;
void pofi_se_state_free(struct se_state *s);
void pofi_se_state_copy(const struct pof_se *se, struct se_state *to, const struct se_state *from);
/* Moves a node: v (1 + du) and a turn by dangle, without leaving the circle. */
void pofi_se_move_node(struct se_state *s, uint32_t node, double dangle, double du);

/* estimate_model.c: what a state would be read as. */
double pofi_se_value(const struct pof_se *se, const struct se_row *row, const struct se_state *s);
/* Two derivatives for each block of the row. */
void pofi_se_gradient(const struct pof_se *se, const struct se_row *row, const struct se_state *s,
                      double *h);
/* Blocks a row touches, ascending, each once; returns how many, pofi_se_blocks_max at most. term is
 * room for pofi_se_terms_max. */
uint32_t pofi_se_blocks_max(const struct pof_se *se, const struct se_row *row);
uint32_t pofi_se_blocks(const struct pof_se *se, const struct se_row *row, struct se_term *term,
                        uint32_t *block);
/* Whether the row and the next one are P and Q of one form and nothing else. */
bool pofi_se_is_pair(const struct pof_se *se, const struct se_row *row);
/* Their derivatives, and values, at once: the same bits. */
void pofi_se_pair(const struct pof_se *se, const struct se_row *row, const struct se_state *s,
                  double *h, double value[2]);
/* Derivatives by potentials, into se->constant, which is zero. */
void pofi_se_constants(const struct pof_se *se, const struct se_row *row, struct se_term *term);
/* Whether residuals of the row are angles, compared around the circle. */
bool pofi_se_circular(const struct se_row *row);
void pofi_se_outputs(struct pof_se *se);

/* estimate_rows.c: observations to rows. */
int pofi_se_rows(struct pof_se *se, bool *same, struct pof_err *err) POF_CHECKED;
/* What one p.u. (or rad) is in the unit of an observation. */
double pofi_se_unit(const struct pof_se *se, const struct pof_observation *o);
/* Counts readings and constraints; the reference is not one but the choice of a frame. */
void pofi_se_count(struct pof_se *se);

/* estimate_pairs.c: correlated readings. Makes rows of Q that are correlated with P read what P does not
 * tell; rows in their order. POF_E_CONFLICT: correlations that do not say between what. */
int pofi_se_pairs(struct pof_se *se, struct pof_err *err) POF_CHECKED;
/* Row i, or its partner, goes: the other stands for itself. */
void pofi_se_part(struct pof_se *se, size_t i);
/* What was read, and the residual of that, p.u. */
double pofi_se_read(const struct se_row *row);
double pofi_se_residual(const struct se_row *row);

/* estimate_kkt.c: the linear systems. keep_all: every row has an unknown of its own; otherwise rows marked kept have, and the others are summed into G. */
uint32_t pofi_se_states(const struct pof_se *se); /* blocks of state: nodes and sections */
int pofi_se_system_new(const struct pof_se *se, struct se_system *s, bool keep_all,
                       struct pof_err *err) POF_CHECKED;
void pofi_se_system_free(struct se_system *s);
/* The gain system of the present rows; sets kept and extra of all rows. */
int pofi_se_gain_new(struct pof_se *se, struct pof_err *err) POF_CHECKED;
/* [G + prior, C'; C, 0] of the present h and weights, factored. prior: weight of a reading that every
 * state variable stays where it is; it slows iterations (which go by exact gradients) by nothing
 * worth mentioning and keeps pivots away from zero. Returns how many pivots were lost. */
uint32_t pofi_se_factor(const struct pof_se *se, struct se_system *s, double prior);
/* The weight of exact row i in G; 0: it is not there. */
double pofi_se_rho(const struct pof_se *se, size_t i);
/* [eps H'; H -I] of other values h of the rows, keep_all. */
uint32_t pofi_se_factor_test(const struct pof_se *se, struct se_system *s, const double *h,
                             double eps);
/* x := K^-1 x for x[2 * blocks], unknowns in their own order; scratch has as many elements. */
void pofi_se_system_solve(const struct se_system *s, double *x, double *scratch);

/* State variables are held at least as this share of what is known of each by itself. */
#define SE_PRIOR_SHARE 1e-13

/* estimate_stiff.c: length2 of all rows, for new blocks; h is scratch. O(entries). */
void pofi_se_lengths(struct pof_se *se);
/* Marks the rows that are stiff with the present readings; whether any has changed. O(rows). */
bool pofi_se_stiff(struct pof_se *se);
/* The part of a stiff row's weight that stays in G. */
double pofi_se_in_gain(const struct pof_se *se, const struct se_row *row);

/* estimate_observe.c: is it enough? Fills se->unobservable and se->detail. */
int pofi_se_observe(struct pof_se *se, bool *observable, struct pof_err *err) POF_CHECKED;

/* estimate_enough.c: whether readings that are certainly enough are seen without search: P and Q at all
 * nodes of a part but one, and levels. O(rows + entries of the net). */
int pofi_se_enough(const struct pof_se *se, bool *enough, struct pof_err *err) POF_CHECKED;

/* estimate_solve.c: Gauss-Newton from the present state; sets status, iterations, objective. */
int pofi_se_iterate(struct pof_se *se, struct pof_err *err) POF_CHECKED;
/* From the base of the pattern by its factors: true when that converged. Otherwise nothing is lost but
 * time. */
bool pofi_se_warm(struct pof_se *se);
/* State, multipliers and scales of the base, or the present ones when there is none, and factors of
 * them; weights are those of the present readings. */
void pofi_se_to_base(struct pof_se *se);
/* Makes the converged state the base, if the pattern has none. */
int pofi_se_keep_base(struct pof_se *se, struct pof_err *err) POF_CHECKED;
/* The same from a state that was solved before; all rows take part from the first step. */
int pofi_se_settle(struct pof_se *se, int iterations, struct pof_err *err) POF_CHECKED;
/* Whether the state is settled once a step of size `next` is taken too, after ones of sizes `before`
 * and `size`. States and multipliers correct each other by turns: what two steps gain is regular, what
 * one gains is not. */
bool pofi_se_settled(double tolerance, double before, double size, double next);
/* h and r at the present state. */
void pofi_se_linearise(struct pof_se *se);
/* Weights of all rows and scales of exact ones, from the present h. */
void pofi_se_weigh(struct pof_se *se);
/* The prior for iterations, and for variances. */
double pofi_se_prior(const struct pof_se *se, bool variances);
/* Names the exact row that is missed most, if one is missed: status and detail. */
bool pofi_se_contradiction(struct pof_se *se);
/* The most a step changes before voltages are no longer linear, and when it is settled. */
#define SE_TOLERANCE 1e-10
#define SE_MISSED 1e-10 /* of exact rows, p.u. */

/* estimate_dense.c: a Gauss-Newton step from h and r by dense algebra, x[2 * states], without multipliers. */
int pofi_se_dense_step(const struct pof_se *se, double *x, bool *solved,
                       struct pof_err *err) POF_CHECKED;

/* estimate_variance.c: variances of rows and outputs, from the factors at the present state. left[i]:
 * of the residual of row i, p.u.; fills sd_node and sd_branch. */
int pofi_se_variances(struct pof_se *se, double *left, struct pof_err *err) POF_CHECKED;

/* estimate_start.c: the state to begin from: a power flow on the read injections, or without load. */
int pofi_se_start(struct pof_se *se, bool flat, struct pof_err *err) POF_CHECKED;

/* estimate_phasors.c: where the start is far from current phasors, one that is not. O(rows) for each
 * phasor, and an estimate where it is far. */
int pofi_se_phasor_start(struct pof_se *se, struct pof_err *err) POF_CHECKED;

/* estimate_best.c: the best state that attempts which do not converge come across. begin: the states
 * that follow are compared; note: this one, its residuals present; find: after they all failed, fills
 * the state and detail, or converges after all. */
int pofi_se_best_begin(struct pof_se *se, struct pof_err *err) POF_CHECKED;
void pofi_se_best_note(struct pof_se *se);
int pofi_se_best_find(struct pof_se *se, struct pof_err *err) POF_CHECKED;

/* The name of a row's observation, zero injection or reference. */
const char *pofi_se_row_name(const struct pof_se *se, const struct se_row *row, char *to,
                             size_t cap);

#endif
