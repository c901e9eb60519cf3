/* SPDX-License-Identifier: Apache-2.0 */
/* A grid: nodes (buses), branches (lines, transformers, switches), what is fixed at nodes. Positive
 * sequence; what a three-phase computation needs beside it hangs on nodes and branches (struct
 * pof_node_phases, struct pof_branch_phases), which balanced computations leave alone.
 *
 * In memory all impedances are the standard pi model with an ideal transformer at the from end
 * (MATPOWER User's Manual, section 3.2), per unit on base_va and the nominal line-to-line voltage of
 * the to node; ratio = off-nominal tap magnitude (1 for lines), shift in radians. A text document
 * (pof.grid/1, pof-grid(5)) has units in its field names. Names of nodes are unique, names of
 * branches are unique. */
#ifndef POF_GRID_GRID_H
#define POF_GRID_GRID_H

#include "base/mem.h"
#include "base/stream.h"
#include "base/text.h"

#include <stdbool.h>
#include <stdint.h>

enum pof_node_kind { POF_NODE_PQ, POF_NODE_PV, POF_NODE_SLACK };
enum pof_branch_kind { POF_BRANCH_LINE, POF_BRANCH_TRANSFORMER, POF_BRANCH_SWITCH };

/* What the phases a, b, c of a node draw beyond a third of its p_w, q_var ... each: three numbers that
 * add up to 0, so that balanced computations have the whole in struct pof_node. Phase to ground (a
 * neutral conductor is eliminated in the branches). */
struct pof_node_phases {
    double p_w[3], q_var[3];   /* constant power; generation negative */
    double ip_w[3], iq_var[3]; /* constant current, as the power at 1 p.u. */
    double g_w[3], b_var[3];   /* constant admittance, as in struct pof_node */
    bool has_zero;             /* else the balanced shunt of the node is the same in zero sequence */
    double g0_w, b0_var;       /* zero-sequence shunt, powers at 1 p.u. as g_w, b_var of the node; loads
                                  of constant admittance that g_w contains included */
};

struct pof_node {
    struct pof_text name; /* in the grid's arena */
    enum pof_node_kind kind;
    double base_v;       /* nominal line-to-line voltage, V */
    double v_min_pu;     /* lower limit; 0.9 when the document says nothing (EN 50160) */
    double v_max_pu;     /* upper limit; 1.1 */
    double v_set_pu;     /* SLACK and PV: voltage held */
    double angle_set;    /* SLACK: radians */
    double v_start_pu;   /* a voltage that was solved before, where computations may start; 0: none */
    double angle_start;  /* radians */
    double p_w, q_var;   /* fixed consumption beside the pods; generation negative */
    double ip_w, iq_var; /* consumption that grows with the magnitude of the voltage (the I of ZIP
                            loads; their Z is a shunt), as its value at 1 p.u. */
    bool has_q_limits;   /* PV: what it may inject */
    double q_min_var, q_max_var; /* generation positive: limits of what a PV node injects in all */
    double slack_share;  /* weight with which it takes part in a distributed slack; 0: not */
    double rated_w;      /* rated or contracted consumption of what is connected: a weight for
                            simulated pods and pseudo-measurements, no load by itself */
    double g_w, b_var;   /* shunt at 1 p.u.: consumption of W, injection of var */
    bool zero_injection; /* nothing is connected: an exact constraint of estimation */
    bool has_xy;
    double x, y;         /* place on a map or drawing */
    const struct pof_node_phases *phases; /* in the grid's arena; NULL: balanced */
};

/* How a document gives an impedance. */
enum pof_form {
    POF_FORM_PU,     /* p.u. of base_va: exactly what struct pof_branch holds */
    POF_FORM_OHM,    /* a line's totals */
    POF_FORM_PER_KM, /* a line's length and values for one km */
    POF_FORM_PLATE   /* a transformer's name plate and test report */
};

/* What becomes of the neutral, the fourth conductor of a line. */
enum pof_neutral {
    POF_NEUTRAL_EARTHED, /* at ground at both ends; voltages of phases are to ground */
    POF_NEUTRAL_RETURN   /* carries what the phases leave, nothing goes by ground; voltages of phases
                            are to the neutral of their place */
};

/* A line by its conductors a, b, c and perhaps n: lower triangles by rows (aa, ba, bb, ca ...), of the
 * whole line or of 1 km. At most one of b_us and c_nf is given; the neutral has none. */
struct pof_conductors {
    int n; /* 3 or 4 */
    enum pof_neutral neutral;
    double r_ohm[10], x_ohm[10], b_us[10], c_nf[10];
};

/* What is known of the thing itself. pof_asset_model (grid/build.h) turns it into the pi model. */
struct pof_asset {
    enum pof_form form;
    double length_km;
    double r_ohm, x_ohm; /* of the whole line, or of 1 km */
    double b_us, c_nf;   /* susceptance or capacitance, whole or of 1 km; at most one is not 0 */
    double rating_a;     /* ampacity; 0: rating_va is given instead */
    double sn_va;        /* rated power */
    double v_from, v_to; /* rated voltages, V; 0: those of the nodes */
    double uk_pct;       /* short-circuit voltage, percent of rated */
    double pk_w;         /* load losses at rated current */
    double i0_pct;       /* no-load current, percent of rated */
    double p0_w;         /* no-load losses */
    double tap_pct;      /* added to the rated voltage of the from winding, beside that of a tap changer */
    /* Zero sequence (pof_asset_phases in grid/build.h) */
    double r0_ohm, x0_ohm, b0_us, c0_nf; /* of a line, as above; r0 = x0 = 0: not known */
    double uk0_pct, pk0_w, i0_zero_pct, p0_zero_w; /* of a transformer; 0: not measured */
    double r_ground_from_ohm, x_ground_from_ohm, r_ground_to_ohm, x_ground_to_ohm;
    const struct pof_conductors *conductors; /* in the grid's arena; NULL: none */
};

/* How windings are connected (IEC 60076-1). */
enum pof_winding { POF_WINDING_Y, POF_WINDING_YN, POF_WINDING_D, POF_WINDING_Z, POF_WINDING_ZN };

/* How phases of a branch differ from the positive sequence. */
enum pof_phase_form {
    POF_PHASES_SEQUENCE, /* a line: zero-sequence values */
    POF_PHASES_MATRIX,   /* an untransposed line: 3 x 3 matrices, a neutral eliminated by Kron's
                            reduction (W. H. Kersting, Distribution System Modeling and Analysis) */
    POF_PHASES_WINDINGS  /* a transformer */
};

struct pof_branch_phases {
    enum pof_phase_form form;
    double r0, x0, g0, b0;         /* SEQUENCE and WINDINGS: p.u. as r, x, g, b of the branch;
                                      g0 + j b0 of WINDINGS is the zero-sequence magnetising branch */
    double r[9], x[9], g[9], b[9]; /* MATRIX, by rows: series impedance, whole shunt, p.u. */
    enum pof_winding from, to;     /* WINDINGS */
    int clock;                     /* WINDINGS: 0 .. 11, from leads to by clock * 30 degrees */
    double r_ground_from, x_ground_from, r_ground_to, x_ground_to; /* WINDINGS: from a neutral to
                                      ground, p.u. of that side's nominal voltage and base_va */
};

/* A tap changer and, when controlled, what it holds. pof_tap_set (grid/tap.h) moves it. */
struct pof_tap {
    int32_t pos, min, max, neutral; /* neutral: where the rated voltage holds; min may be > max */
    bool on_to;                     /* the taps are on the to winding */
    double step_pct, step_deg;      /* a step adds this to the rated voltage of the winding */
    bool has_uk_ends;               /* short-circuit data at the end positions, linear between */
    double uk_min_pct, uk_max_pct, pk_min_w, pk_max_w;
    bool controlled;
    uint32_t node;                  /* the node whose voltage is held */
    double v_low_pu, v_high_pu;     /* band */
    double drop_r_pu, drop_x_pu;    /* line drop compensation: impedance beyond that node, p.u. */
};

struct pof_branch {
    struct pof_text name;
    enum pof_branch_kind kind;
    uint32_t from, to;   /* indices of nodes */
    double r, x, g, b;   /* p.u.; g + jb is the whole shunt, half at each end */
    double ratio;        /* from : to, off-nominal; 1 for lines */
    double shift;        /* radians: the from voltage leads the to voltage by it */
    double rating_va;    /* thermal limit as apparent power at nominal voltage; 0: none */
    bool closed;
    const struct pof_asset *asset; /* in the grid's arena; NULL: known in p.u. only. Kept so that a
                                      document is written as it was read; not used in computations */
    const struct pof_branch_phases *phases; /* in the grid's arena; NULL: not known */
    const struct pof_tap *tap;              /* in the grid's arena; NULL: none known */
};

/* Shunts of a node that are switched in steps, or moved steplessly, to hold a voltage. */
enum { POF_BANK_BLOCKS = 8 };

struct pof_bank {
    uint32_t node;               /* where they are */
    uint32_t held;               /* whose voltage they hold */
    bool stepless;
    double v_low_pu, v_high_pu;  /* band */
    double b_var;                /* what they inject at 1 p.u. now; b_var of the node contains it */
    uint32_t blocks;             /* switched on in this order; reactors and capacitors each for itself */
    struct {
        int32_t steps;
        double b_var;            /* of a step at 1 p.u.; reactors negative */
    } block[POF_BANK_BLOCKS];
};

struct pof_grid {
    struct pof_text name;
    double base_va;      /* three-phase base power */
    double f_hz;         /* nominal frequency */
    struct pof_node *node;
    uint32_t nodes;
    struct pof_branch *branch;
    uint32_t branches;
    struct pof_bank *bank;
    uint32_t banks;
    struct pof_names node_names;   /* id = index of node */
    struct pof_names branch_names; /* id = index of branch */
    struct pof_arena arena;
};

/* Reads a pof.grid/1 document. The grid is empty on failure. name is for messages. */
int pof_grid_parse(struct pof_grid *grid, const char *json, size_t len, const char *name,
                   struct pof_err *err) POF_CHECKED;
/* Writes it; parse(write(grid)) gives the same grid, and writing that the same bytes again. Angles
 * are degrees in a document: those that came from degrees return to the last bit. */
int pof_grid_write(const struct pof_grid *grid, struct pof_buf *to, struct pof_err *err) POF_CHECKED;
void pof_grid_release(struct pof_grid *grid);

/* The closed branches as a tree hanging from the slack node. */
struct pof_tree {
    uint32_t *parent;        /* parent node of each node; POF_NONE for the root */
    uint32_t *parent_branch; /* branch to the parent; POF_NONE for the root */
    uint32_t *order;         /* nodes depth first: each parent before its children, a node's subtree
                                right behind it without gaps; order[0] is the root */
    uint32_t n;              /* nodes in order; fewer than grid nodes when some are not connected */
    bool *loop;              /* [branches] of pof_tree_span: is it part of a loop? NULL otherwise */
};

/* POF_E_TOPOLOGY with the name of a branch when closed branches that the slack node reaches form a
 * loop, or when there is not exactly one slack node. Nodes that no closed path reaches are left out
 * of order; their parents are POF_NONE. Children in order of their branches. O(n). */
int pof_tree_build(struct pof_tree *tree, const struct pof_grid *grid, struct pof_err *err) POF_CHECKED;
/* The same of a grid with meshes: a tree that reaches every connected node, and which branches are part
 * of loops, in the tree or not. What a closed branch that is in none feeds is the subtree behind it, of
 * every such tree. POF_E_TOPOLOGY when there is not exactly one slack node. O(n log n). */
int pof_tree_span(struct pof_tree *tree, const struct pof_grid *grid, struct pof_err *err) POF_CHECKED;
void pof_tree_release(struct pof_tree *tree);

#endif
