/* SPDX-License-Identifier: Apache-2.0 */
/* Data sets of power-grid-model: its JSON text as tables of numbers, and tables as a grid.
 *
 * A data set (power-grid-model user manual, "Serialization") is
 *
 *     {"version": "1.0", "type": "input", "is_batch": false,
 *      "attributes": {"node": ["id", "u_rated"]},
 *      "data": {"node": [[1, 10500], {"id": 2, "u_rated": 10500}], ...}}
 *
 * Each row is an object, or an array in the order of `attributes`. A batch (type "update") has an
 * array of such data. Numbers that are not there are NaN in a table. What belongs together in the
 * data set stays together here: a row is a component, its numbers in the order of pgm.def. */
#ifndef POF_GRID_PGM_H
#define POF_GRID_PGM_H

#include "grid/format_impl.h"

enum pofi_pgm_type {
#define TYPE(T, name) PGM_##T,
#define ONE(T, attribute)
#define PHASES(T, attribute)
#define END(T)
#include "grid/pgm.def"
    PGM_TYPES
};

/* Columns: LINE_r1, ASYM_LOAD_p_specified (and the two behind it) ...; LINE_COLUMNS many. */
#define TYPE(T, name) enum {
#define ONE(T, attribute) T##_##attribute,
#define PHASES(T, attribute) T##_##attribute, T##_##attribute##_b, T##_##attribute##_c,
#define END(T) T##_COLUMNS };
#include "grid/pgm.def"

/* Columns that all branches of two ends, and all appliances, have. */
enum { PGM_FROM = LINE_from_node, PGM_TO, PGM_FROM_STATUS, PGM_TO_STATUS };
enum { PGM_AT = SHUNT_node, PGM_STATUS };

/* Words of PGM: measured_terminal_type. */
enum pofi_pgm_terminal {
    PGM_AT_FROM,
    PGM_AT_TO,
    PGM_AT_SOURCE,
    PGM_AT_SHUNT,
    PGM_AT_LOAD,
    PGM_AT_GENERATOR,
    PGM_AT_SIDE_1,
    PGM_AT_SIDE_2,
    PGM_AT_SIDE_3,
    PGM_AT_NODE
};

/* What is known of a type of component. */
struct pofi_pgm_attribute {
    const char *name;
    uint8_t column, width; /* width 1, or 3: of phases */
};
struct pofi_pgm_kind {
    const char *name;
    uint8_t attributes, columns;
    const struct pofi_pgm_attribute *attribute;
};
extern const struct pofi_pgm_kind pofi_pgm_kind[PGM_TYPES];

/* PGM_TYPES when there is none of that name. */
enum pofi_pgm_type pofi_pgm_find_type(struct pof_text name);

/* Rows of one type. */
struct pofi_pgm_table {
    double *v; /* rows x columns, by rows; owned */
    uint32_t rows;
    size_t cap;
};

/* Where a component is. */
struct pofi_pgm_place {
    uint8_t type; /* PGM_TYPES: nowhere */
    uint32_t row;
};

/* Ids, each once: their own places counted from the first where they lie close together, open
 * addressing otherwise. */
struct pofi_pgm_ids {
    int32_t first;                /* the lowest */
    int32_t *id;                  /* NULL: place of id i is i - first */
    struct pofi_pgm_place *place; /* type PGM_TYPES: free */
    size_t slots;                 /* power of two with open addressing */
};

struct pofi_pgm {
    struct pofi_pgm_table table[PGM_TYPES];
    struct pofi_pgm_ids ids; /* made by pofi_pgm_index */
    unsigned unknown;        /* attributes and components not looked at */
    char unknown_name[48];   /* the first of them */
};

/* A whole text: one data set, or a batch of them. */
struct pofi_pgm_set {
    struct pofi_pgm *scenario; /* owned */
    size_t n, cap;
    bool update, batch;
};

/* Initialise with {0}. name is for messages: line and JSON pointer of what is wrong. O(text). */
int pofi_pgm_parse(struct pofi_pgm_set *set, struct pof_text text, const char *name,
                   struct pof_err *err) POF_CHECKED;
void pofi_pgm_set_release(struct pofi_pgm_set *set);
void pofi_pgm_release(struct pofi_pgm *p);
int pofi_pgm_copy(struct pofi_pgm *to, const struct pofi_pgm *from, struct pof_err *err) POF_CHECKED;

/* A row; its number in a column. */
static inline const double *pofi_pgm_row(const struct pofi_pgm *p, enum pofi_pgm_type type,
                                         uint32_t row)
{
    return p->table[type].v + (size_t)row * pofi_pgm_kind[type].columns;
}

/* Fills ids. Refused: an id that is missing, no whole number, or given twice. */
int pofi_pgm_index(struct pofi_pgm *p, struct pof_err *err) POF_CHECKED;
struct pofi_pgm_place pofi_pgm_find(const struct pofi_pgm *p, double id);

/* Changes components by the rows of an update: what is NaN there stays. Rows without id are those of
 * the data set in order, all of them. POF_E_REFERENCE: an id that is not there. */
int pofi_pgm_update(struct pofi_pgm *p, const struct pofi_pgm *update, struct pof_err *err) POF_CHECKED;

/* An error in a row: field becomes /data/TYPE/ROW/ATTRIBUTE (column -1: the row). Returns code. */
int pofi_pgm_fail(const struct pofi_pgm_place *at, int column, struct pof_err *err,
                  enum pof_code code, const char *fmt, ...) POF_PRINTF(5, 6);

/* What became of the components. */
struct pofi_pgm_map {
    uint32_t *at[PGM_TYPES]; /* [rows] of nodes their node; of branches, and of sources that are not
                                slack nodes themselves, their branch; of three-winding transformers
                                the first of three branches; of measured shunts the switch to them;
                                of loads and generators that hold a voltage their node;
                                POF_NONE: nothing of its own. Owned. */
};
void pofi_pgm_map_release(struct pofi_pgm_map *map);

/* Makes a grid of tables with ids. For estimation (readings wanted) sources are slack nodes
 * themselves, one in each part of the grid, and every load is a plain one. map may be NULL. */
int pofi_pgm_grid(struct pof_grid *grid, const struct pofi_pgm *p, const struct pof_grid_wish *wish,
                  struct pofi_pgm_map *map, struct pof_err *err) POF_CHECKED;


/* --- between the files that make the grid --- */

struct pofi_pgm_job {
    const struct pofi_pgm *p;
    struct pof_grid *grid;
    struct pof_build build;
    struct pof_readings *readings; /* NULL: power flow */
    struct pofi_pgm_map map;
    const struct pof_teller *teller;
    struct pof_err *err;
    unsigned appliances_off, no_value, open_end, no_appliance, partly, infinite;
};

/* The grid node of an id that must be that of a node. */
int pofi_pgm_node_of(struct pofi_pgm_job *j, struct pofi_pgm_place at, int column, uint32_t *node);
/* A node of its own beside node `like`: the open end of a branch, the star of three windings. */
int pofi_pgm_extra_node(struct pofi_pgm_job *j, double base_v, const char *what, double id,
                        uint32_t *node);
int pofi_pgm_branches(struct pofi_pgm_job *j);
int pofi_pgm_trafo3(struct pofi_pgm_job *j);
int pofi_pgm_sensors(struct pofi_pgm_job *j);
/* Adds a branch under a name of its own. */
int pofi_pgm_add(struct pofi_pgm_job *j, struct pof_branch *b, const char *what, double id,
                 uint32_t *index);

/* A two-winding transformer as power-grid-model sees it; also for each winding of three. */
struct pofi_pgm_trafo {
    double u1, u2, sn, uk, pk, i0, p0, i0_zero, p0_zero;
    double u1_tapped, u2_tapped; /* with the tap where it stands */
    int winding_from, winding_to, clock;
    double r_ground_from, x_ground_from, r_ground_to, x_ground_to; /* ohm */
};
/* Fills r, x, g, b, ratio, shift and phases of a branch whose ends are set. */
int pofi_pgm_trafo_model(struct pofi_pgm_job *j, const struct pofi_pgm_trafo *t,
                         struct pof_branch *b, struct pof_branch_phases *phases);

#endif
