/* SPDX-License-Identifier: Apache-2.0 */
/* Reading PSS/E RAW and RAWX: records, and what their parts know of each other.
 *
 * A reader of a part asks for fields by their place in the part's list `wanted`, whose names are
 * those of RAWX. Where a field stands differs from revision to revision: the orders in raw_layout.c
 * say so for RAW, the document itself does for RAWX. */
#ifndef POF_GRID_RAW_H
#define POF_GRID_RAW_H

#include "grid/format_impl.h"

enum {
    POFI_RAW_FIELDS = 160, /* of a record; the longest, a transformer of revision 35, has 123 */
    POFI_RAW_WANTED = 80,
    POFI_RAW_OLD = 23, /* stands for all revisions before 29 that are told by their bus data */
    POFI_RAW_NEW = 35
};

/* A value as it stands in the file; neither text nor number: the default. */
struct pofi_raw_field {
    struct pof_text text;
    double number;
    bool numeric; /* a number of a RAWX document; text is empty */
};

/* One record. RAW is list-directed as in Fortran: values are separated by a comma or blanks, texts
 * in single or double quotes, '/' ends the line, nothing between two commas means the default. */
struct pofi_record {
    struct pofi_raw_field field[POFI_RAW_FIELDS];
    size_t n;
    struct {
        size_t at; /* the first value of a line */
        uint64_t line;
    } piece[8];
    size_t pieces;
};

struct pofi_raw;

/* A part of a file. */
struct pofi_raw_part {
    const char *name;          /* for messages */
    const char *table;         /* in RAWX; NULL: not there */
    const char *const *wanted; /* names of RAWX, NULL-terminated; NULL: no field is looked at */
    struct {
        int since;          /* revision */
        const char *fields; /* names in their order, '|' where the next line begins */
    } order[4];
    int (*read)(struct pofi_raw *r);
};

/* The parts of a file of this revision in their order, NULL-terminated. */
const struct pofi_raw_part *const *pofi_raw_parts(int revision);

/* What was left out or assumed. */
struct pofi_raw_told {
    unsigned no_base, limits, no_gen, opened, switches, remote, asymmetric, magnetising, star,
        no_star, bookkeeping, left_out, dc, vsc, facts, off_step, controls, shunt_control, nodes,
        open_inside, corrected, generation, tables, impossible, adds;
};

/* A transformer winding whose impedance a table corrects. */
struct pofi_raw_correction {
    uint32_t branch;
    long table;
    double ratio, angle_deg;
    int control; /* COD */
    uint64_t line;
};

/* A point of such a table. */
struct pofi_raw_point {
    long table;
    double at, factor;
};

struct pofi_raw {
    struct pof_build build;
    const char *at, *end;
    uint64_t line;
    int revision;
    struct pofi_record rec;
    const struct pofi_raw_part *part;
    int16_t column[POFI_RAW_WANTED]; /* of the wanted fields of the part; -1: there is none */
    bool document;                   /* RAWX: records have no further lines */
    double base_mva;
    struct pof_names numbers; /* bus numbers in their text form; id = node */
    struct pof_names names;   /* bus names; as many as buses when all are good and different */
    bool *isolated;           /* [nodes] */
    double *stored_v;         /* [nodes] the voltage in the file, p.u. */
    size_t isolated_cap, stored_cap;
    unsigned *in_service; /* [nodes] generators */
    struct pofi_raw_correction *correction;
    size_t corrections, correction_cap;
    struct pofi_raw_point *point;
    size_t points, point_cap;
    struct pofi_raw_told told;
    struct pof_err *err;
};

/* --- lines and fields (raw_line.c) --- */

/* The next line that is not blank, cut; false at the end of the text or at a line "Q". */
bool pofi_raw_next(struct pofi_raw *r);
/* The next line added to the record, its first value becoming value number at. */
int pofi_raw_more(struct pofi_raw *r, size_t at);
/* The same, where the order of the part has its line number line, from 1; nothing in a document. */
int pofi_raw_line(struct pofi_raw *r, int line);
/* Skips lines as they are, such as the title. */
void pofi_raw_skip(struct pofi_raw *r);
/* Is the record the "0" that ends a part? */
bool pofi_raw_end_of_part(const struct pofi_raw *r);

/* Finds out where the wanted fields of a part stand: by its order, or by the names of a document.
 */
void pofi_raw_use(struct pofi_raw *r, const struct pofi_raw_part *part);

/* A wanted field as a number, or its default. POF_E_NUMBER with the field's name. */
int pofi_raw_real(struct pofi_raw *r, size_t k, double without, double *out);
/* n of them in a row; v holds the defaults. */
int pofi_raw_reals(struct pofi_raw *r, size_t k, size_t n, double *v);
struct pof_text pofi_raw_text(const struct pofi_raw *r, size_t k);
/* A number in its text form; to has 16 bytes. */
int pofi_raw_number(struct pofi_raw *r, size_t k, char *to, struct pof_text *out);
/* The node of a bus number. Numbers may be negative (metered end). */
int pofi_raw_bus(struct pofi_raw *r, size_t k, uint32_t *node);
/* An error about a wanted field; returns the code. */
int pofi_raw_fail(struct pofi_raw *r, size_t k, enum pof_code code, const char *fmt, ...)
    POF_PRINTF(4, 5);

/* --- parts --- */

/* Adds a branch under a name of its own (name, or made from its ends), open when an end is isolated
 * and the other is not. */
int pofi_raw_add_branch(struct pofi_raw *r, struct pof_branch *b, struct pof_text name,
                        struct pof_text circuit);

int pofi_raw_read_bus(struct pofi_raw *r);
int pofi_raw_read_load(struct pofi_raw *r);
int pofi_raw_read_fixed_shunt(struct pofi_raw *r);
int pofi_raw_read_generator(struct pofi_raw *r);
int pofi_raw_read_line(struct pofi_raw *r);
int pofi_raw_read_switch(struct pofi_raw *r);
int pofi_raw_read_transformer(struct pofi_raw *r);
int pofi_raw_read_correction(struct pofi_raw *r);
int pofi_raw_read_dc(struct pofi_raw *r);
int pofi_raw_read_vsc(struct pofi_raw *r);
int pofi_raw_read_facts(struct pofi_raw *r);
int pofi_raw_read_switched_shunt(struct pofi_raw *r);
int pofi_raw_read_substation(struct pofi_raw *r);
int pofi_raw_bookkeeping(struct pofi_raw *r);
int pofi_raw_left_out(struct pofi_raw *r);
int pofi_raw_controls(struct pofi_raw *r);

/* A converter or compensator that holds the voltage of a node: reactive limits in var. */
int pofi_raw_hold(struct pofi_raw *r, uint32_t node, double v_pu, double q_min, double q_max);

/* Behind the bus data; behind all that is connected to buses; behind everything. */
int pofi_raw_buses_done(struct pofi_raw *r);
void pofi_raw_settle_kinds(struct pofi_raw *r);

/* Applies the tables of impedance correction. */
int pofi_raw_correct(struct pofi_raw *r);

/* The head of a file, whose record is cut; its title. */
int pofi_raw_head(struct pofi_raw *r);
int pofi_raw_title(struct pofi_raw *r, struct pof_text title);

/* A whole RAWX document. */
int pofi_rawx_read(struct pofi_raw *r, struct pof_text text, const char *name);

#endif
