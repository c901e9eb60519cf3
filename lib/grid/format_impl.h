/* SPDX-License-Identifier: Apache-2.0 */
/* What the readers and writers of grid formats share. */
#ifndef POF_GRID_FORMAT_IMPL_H
#define POF_GRID_FORMAT_IMPL_H

#include "grid/build.h"
#include "grid/format.h"

/* A decimal number as these formats write it: sign, leading or trailing point, exponent e or d.
 * Inf and NaN when allowed. */
bool pofi_number(struct pof_text text, bool not_finite, double *out);

/* Tells a formatted text; nothing when teller is NULL. */
void pofi_tell(const struct pof_teller *teller, const char *fmt, ...) POF_PRINTF(2, 3);
/* "what: count", when there are any. */
void pofi_tell_count(const struct pof_teller *teller, unsigned count, const char *what);

/* A name of a branch, "A-B", or with circuit, "A-B-2", that no other branch has. to has 64 bytes;
 * returns the view of it. Names too long for 64 bytes become "branch N". */
struct pof_text pofi_branch_name(const struct pof_grid *grid, uint32_t from, uint32_t to,
                                 const char *circuit, char *text);

/* Whether every node is named by a number from 1 to most, without leading zeros; and the number of a
 * node: its name, or its place from 1. */
bool pofi_numbered(const struct pof_grid *grid, long most);
double pofi_bus_number(const struct pof_grid *grid, bool numbered, uint32_t node);
/* Whether a branch is named as pofi_branch_name names the first between two nodes. */
bool pofi_plain_name(const struct pof_grid *grid, uint32_t branch);

/* --- tables of numbers, as a MATPOWER case has them --- */

struct pofi_table {
    double *v; /* rows x cols, by rows; owned */
    size_t rows, cols, cap;
};

enum { POFI_BUS, POFI_GEN, POFI_BRANCH, POFI_TABLES };

struct pofi_mcase {
    double base_mva; /* 0: not given */
    struct pofi_table table[POFI_TABLES];
    struct pof_text name; /* of the function; in the text */
    unsigned left_out;    /* fields of mpc that are not looked at */
    struct pof_text left; /* the first of them; in the text */
    bool dc_lines;        /* mpc.dcline is one of them */
};

/* Evaluates the text of a case: matrices, scalars, unit conversions. */
int pofi_mcase_parse(struct pofi_mcase *c, struct pof_text text, const char *name,
                    struct pof_err *err) POF_CHECKED;
void pofi_mcase_release(struct pofi_mcase *c);

/* The voltage a file has for a node, as a start; degrees. 1 p.u. at 0, what no grid runs at, and more than
 * a full turn are none. */
void pofi_start_from(struct pof_node *node, double v_pu, double deg);
/* The angle of a node in files that have one for each, rad: that held, else that to start from. */
double pofi_start_angle(const struct pof_node *node);

#endif
