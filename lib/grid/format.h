/* SPDX-License-Identifier: Apache-2.0 */
/* Grids in the files of other programs.
 *
 * Readers trust nothing: each refuses what it does not understand, with the line. What pof.grid/1
 * cannot hold, or a written format cannot, is told through a struct pof_teller, once a kind and with
 * a count, never dropped in silence. Texts end with a NUL behind len bytes. */
#ifndef POF_GRID_FORMAT_H
#define POF_GRID_FORMAT_H

#include "grid/grid.h"

/* Who hears what was left out or assumed. */
struct pof_teller {
    void (*tell)(void *ctx, const char *text);
    void *ctx;
};

/* Formats of one file. */
enum pof_grid_format {
    POF_GRID_JSON,     /* pof.grid/1 */
    POF_GRID_MATPOWER, /* case format version 2 (MATPOWER User's Manual, appendix B) */
    POF_GRID_RAW,      /* PSS/E power flow data: RAW up to revision 35, RAWX */
    POF_GRID_FORMATS
};

/* Finds out the format from the content; POF_GRID_FORMATS when it is none of them. */
enum pof_grid_format pof_grid_guess(struct pof_text text);

/* Reads a file of any of these formats; name is for messages. The grid is empty on failure. */
int pof_grid_read(struct pof_grid *grid, struct pof_text text, const char *name,
                  const struct pof_teller *teller, struct pof_err *err) POF_CHECKED;

/* Writes one. */
int pof_grid_write_as(enum pof_grid_format format, const struct pof_grid *grid, struct pof_buf *to,
                      const struct pof_teller *teller, struct pof_err *err) POF_CHECKED;

/* MATPOWER: plain matrices, and the unit-conversion statements of its distribution cases; another
 * statement is refused. Nodes are named by bus number, branches FROM-TO, FROM-TO-2 ... */
int pof_matpower_read(struct pof_grid *grid, struct pof_text text, const char *name,
                      const struct pof_teller *teller, struct pof_err *err) POF_CHECKED;
int pof_matpower_write(const struct pof_grid *grid, struct pof_buf *to,
                       const struct pof_teller *teller, struct pof_err *err) POF_CHECKED;

/* PSS/E RAW: read up to revision 35 and as RAWX, written 33. Nodes are named by bus number, or by bus
 * name when all bus names are given and different. Three-winding transformers become three branches
 * and a star node; switched shunts stand at their initial value; DC lines and FACTS devices exchange
 * what they are scheduled to; buses are the model where a file has the inside of substations too. */
int pof_raw_read(struct pof_grid *grid, struct pof_text text, const char *name,
                 const struct pof_teller *teller, struct pof_err *err) POF_CHECKED;
int pof_raw_write(const struct pof_grid *grid, struct pof_buf *to, const struct pof_teller *teller,
                  struct pof_err *err) POF_CHECKED;

/* SimBench: a folder of tables (CSV with ';'). The caller hands in those that are there; data NULL
 * where one is not. Node, Line, LineType and ExternalNet are required. */
enum pof_simbench_table {
    POF_SIMBENCH_NODE,
    POF_SIMBENCH_COORDINATES,
    POF_SIMBENCH_LINE,
    POF_SIMBENCH_LINETYPE,
    POF_SIMBENCH_TRANSFORMER,
    POF_SIMBENCH_TRANSFORMERTYPE,
    POF_SIMBENCH_LOAD,
    POF_SIMBENCH_RES,
    POF_SIMBENCH_EXTERNALNET,
    POF_SIMBENCH_STUDYCASES,
    POF_SIMBENCH_TABLES
};

/* File names of the tables: "Node.csv" ... */
extern const char *const pof_simbench_file[POF_SIMBENCH_TABLES];

struct pof_simbench {
    const char *data[POF_SIMBENCH_TABLES];
    size_t len[POF_SIMBENCH_TABLES];
    const char *path[POF_SIMBENCH_TABLES]; /* for messages */
    const char *study_case; /* row of StudyCases.csv by which loads, generation and the slack voltage
                               are scaled; NULL: as they are, the slack node at its vmSetp */
};
int pof_simbench_read(struct pof_grid *grid, const struct pof_simbench *tables,
                      const struct pof_teller *teller, struct pof_err *err) POF_CHECKED;

/* A grid that was given for one phase (powers of a phase, voltages to neutral) as a three-phase one:
 * powers times 3, voltages times sqrt(3); nothing changes per unit. Assets are dropped. */
int pof_grid_three_phases(struct pof_grid *grid, struct pof_err *err) POF_CHECKED;

/* Moves fixed consumption into rated_w, so that points of delivery take its place. Generation stays;
 * the reactive part of what is moved goes. */
void pof_grid_loads_to_rated(struct pof_grid *grid, const struct pof_teller *teller);

#endif
