/* SPDX-License-Identifier: Apache-2.0 */
/* Grids in the files of other programs.
 *
 * Readers trust nothing: each refuses what it does not understand, with the line. What pof.grid/1
 * cannot hold, or a written format cannot, is told through a struct pof_teller, once a kind and with
 * a count, never dropped in silence. Texts end with a NUL behind len bytes. */
#ifndef POF_GRID_FORMAT_H
#define POF_GRID_FORMAT_H

#include "grid/estimate.h"

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
    POF_GRID_PGM,      /* power-grid-model data set (its user manual, "Serialization") */
    POF_GRID_CIM,      /* a document of the Common Information Model; only read */
    POF_GRID_FORMATS
};

/* Finds out the format from the content; POF_GRID_FORMATS when it is none of them. */
enum pof_grid_format pof_grid_guess(struct pof_text text);

/* Reads a file of any of these formats; name is for messages. The grid is empty on failure. */
int pof_grid_read(struct pof_grid *grid, struct pof_text text, const char *name,
                  const struct pof_teller *teller, struct pof_err *err) POF_CHECKED;

/* Readings found in a file of a grid. Initialise with {.phases = 1}, or 3. */
struct pof_readings {
    struct pof_observation *item; /* owned; elements are indices of the grid read with them */
    size_t n, cap;
    unsigned phases; /* 1: for a balanced estimate, readings of phases are taken together; 3: for one
                        of three phases, a reading that does not know phases is one of each */
};
int pof_readings_add(struct pof_readings *readings, const struct pof_observation *observation,
                     struct pof_err *err) POF_CHECKED;
void pof_readings_release(struct pof_readings *readings);

/* What is wanted of a file beside its grid; members may be NULL. With readings the grid is for
 * estimation: what only a power flow needs and an estimate could not see, as the impedance behind a
 * source of power-grid-model, is left out. Formats without readings add none. */
struct pof_grid_wish {
    const struct pof_teller *teller;
    struct pof_readings *readings;
};
int pof_grid_read_with(struct pof_grid *grid, struct pof_text text, const char *name,
                       const struct pof_grid_wish *wish, struct pof_err *err) POF_CHECKED;

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

/* Common Information Model: CGMES 2.4.15 and 3.0 (ENTSO-E; IEC 61970-600), and exports of CIM16 near
 * to them. Profiles EQ, SSH, TP, SV, EQBD, TPBD and GL, in any number of documents and any order.
 *
 * Nodes are connectivity nodes where all terminals have one, else topological nodes. Taps and
 * shunts stand where the solved state (SV) has them, else where SSH, else where EQ says; loads and
 * machines without SSH have the powers of SV. */
struct pof_cim_document {
    struct pof_text text;
    const char *name; /* for messages */
};

/* The solved state (SvVoltage), of nodes of the grid. */
struct pof_cim_state {
    double *v_pu, *angle; /* [nodes] owned; rad; v_pu 0: none stored */
};
void pof_cim_state_release(struct pof_cim_state *state);

struct pof_cim {
    const struct pof_cim_document *document;
    size_t documents;
    bool by_id;                  /* things are named by their mRID; else by name where it is unique */
    const char *slack;           /* name of the node that feeds the grid; NULL: as documents say */
    struct pof_cim_state *state; /* NULL: not wanted */
};
int pof_cim_read(struct pof_grid *grid, const struct pof_cim *input, const struct pof_grid_wish *wish,
                 struct pof_err *err) POF_CHECKED;
/* Whether a text is an RDF document of the Common Information Model, or looks like one. */
bool pof_cim_is(struct pof_text text);

/* power-grid-model: all components of its user manual but faults. Nodes and branches are named by
 * id. A source is a slack node behind its impedance; an end that is open gets a node of its own. A
 * link is an ideal switch. */
int pof_pgm_read(struct pof_grid *grid, struct pof_text text, const char *name,
                 const struct pof_grid_wish *wish, struct pof_err *err) POF_CHECKED;
/* Ids are names where these are numbers that fit, else made. A slack node becomes a source of 1e20 VA,
 * which the reader takes for one without impedance. readings (NULL: none) become sensors. */
int pof_pgm_write(const struct pof_grid *grid, const struct pof_readings *readings,
                  struct pof_buf *to, const struct pof_teller *teller, struct pof_err *err) POF_CHECKED;

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
