/* SPDX-License-Identifier: Apache-2.0 */
/* Reading PSS/E RAW: records, and what their parts know of each other. */
#ifndef POF_GRID_RAW_H
#define POF_GRID_RAW_H

#include "grid/format_impl.h"

enum { POFI_RAW_FIELDS = 64 };

/* One line, cut into fields: list-directed as in Fortran, so separated by a comma or blanks, texts in
 * single quotes, '/' ends the line, nothing between two commas means the default. */
struct pofi_record {
    struct pof_text field[POFI_RAW_FIELDS]; /* len 0: default */
    size_t n;
};

struct pofi_raw {
    struct pof_build build;
    const char *at, *end;
    uint64_t line;
    struct pofi_record rec;
    double base_mva;
    struct pof_names numbers; /* bus numbers in their text form; id = node */
    struct pof_names names;   /* bus names; as many as buses when all are good and different */
    bool *isolated;           /* [nodes] */
    size_t isolated_cap;
    unsigned *in_service;     /* [nodes] generators */
    /* What was left out or assumed. */
    unsigned no_base, limits, no_gen, generators, opened, switches, current_loads, remote, asymmetric,
        magnetising, star, no_star, tables, data_left_out;
    struct pof_err *err;
};

/* The next line that is not blank, cut; false at the end of the text or at a line "Q". */
bool pofi_raw_next(struct pofi_raw *r);

/* A field as a number, or its default. POF_E_NUMBER with the field's name. */
int pofi_raw_real(struct pofi_raw *r, size_t i, const char *name, double without, double *out);
/* Fields as a bus: its node. Numbers may be negative (metered end). */
int pofi_raw_bus(struct pofi_raw *r, size_t i, const char *name, uint32_t *node);

/* Adds a branch under a name of its own (name, or made from its ends), open when an end is isolated
 * and the other is not. */
int pofi_raw_add_branch(struct pofi_raw *r, struct pof_branch *b, struct pof_text name,
                        struct pof_text circuit);

/* A whole transformer record of four or five lines, whose first line is in r->rec. */
int pofi_raw_transformer(struct pofi_raw *r);

#endif
