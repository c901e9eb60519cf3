/* SPDX-License-Identifier: Apache-2.0 */
/* The network as a whole: what records say about a grid, collected to be looked at.
 *
 * States become columns of doubles, one for each quantity and phase, with a row for each instant; market
 * records are kept as they are. From that a page (page.h) or a picture (picture.h) is made. The same
 * records in any order give the same bytes. */
#ifndef POF_VIEW_VIEW_H
#define POF_VIEW_VIEW_H

#include "grid/grid.h"
#include "record/record.h"

/* What a column holds. Names are those of the state record. */
enum pof_view_quantity {
    POF_VIEW_V_PU,
    POF_VIEW_ANGLE_DEG,
    POF_VIEW_P_W,
    POF_VIEW_Q_VAR,
    POF_VIEW_P_TO_W,
    POF_VIEW_Q_TO_VAR,
    POF_VIEW_I_A,
    POF_VIEW_LOADING_PCT,
    POF_VIEW_SD_V_PU,
    POF_VIEW_PRICE, /* node_price, EUR/MWh, of the scope below */
    POF_VIEW_QUANTITIES
};
/* Phases of a column: 0 balanced (or all), 1 to 3 a, b, c. */
enum { POF_VIEW_PHASES = 4 };

/* One quantity of all nodes, or of all branches. */
struct pof_view_column {
    bool of_branches;
    enum pof_view_quantity quantity;
    int phase;
    double **row; /* by number of instant; NULL: nothing known then; NaN: not of this element */
    size_t rows;
};

/* A market record, or one about an estimate, as a line of JSON. */
struct pof_view_note {
    enum pof_type type;
    int64_t start; /* order of notes: by type, start, text */
    struct pof_text json;
};

struct pof_view {
    const struct pof_grid *grid; /* of the caller */
    double *x, *y;               /* place of each node, 0 .. 10000, y downward */
    int64_t *instant;            /* after pof_view_close in order of time */
    size_t instants, instants_cap;
    uint32_t *slot; /* instants by hash: number + 1 */
    size_t slots;
    struct pof_view_column *column; /* after pof_view_close by kind, quantity, phase */
    size_t columns, columns_cap;
    struct pof_view_note *note;
    size_t notes, notes_cap;
    struct pof_arena arena;
};

/* The grid is kept by the caller. NOMEM. Released by the caller, also on failure. */
int pof_view_init(struct pof_view *view, const struct pof_grid *grid, struct pof_err *err) POF_CHECKED;
void pof_view_release(struct pof_view *view);

/* Takes a state, node_price, estimate, doubt, contingency, request, award, verdict, outcome or session;
 * others are refused. REFERENCE: an element the grid does not have. CONFLICT: a second value for the same
 * thing, such as states of two computations. O(1). */
int pof_view_take(struct pof_view *view, const struct pof_record *r, struct pof_err *err) POF_CHECKED;
/* After the last record; before any picture. */
int pof_view_close(struct pof_view *view, struct pof_err *err) POF_CHECKED;

/* Name of a quantity as in its record, and its unit. */
const char *pof_view_quantity_name(enum pof_view_quantity q);
const char *pof_view_quantity_unit(enum pof_view_quantity q);

/* The value at a number of instant; of several phases the one that matters most: the voltage furthest
 * from 1 p.u., the largest else. NaN when nothing is known. O(columns). */
double pof_view_value(const struct pof_view *view, bool of_branches, enum pof_view_quantity q, size_t instant,
                      uint32_t element);

/* The number of the last instant not after t; SIZE_MAX when there is none. */
size_t pof_view_instant_at(const struct pof_view *view, int64_t t);

/* Places of nodes: those of the document when every node has one, else drawn as a tree: rings around
 * what feeds, each subtree in a sector as wide as its leaves (radial tree drawing: G. Di Battista et
 * al., Graph Drawing, section 3.1.3). x and y get a number for each node. O(nodes + branches). */
int pof_view_place(const struct pof_grid *grid, double *x, double *y, struct pof_err *err) POF_CHECKED;

#endif
