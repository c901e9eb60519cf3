/* SPDX-License-Identifier: Apache-2.0 */
/* What all programs share: options, operands of records, outputs, diagnostics, exit status.
 *
 * A command file is a table of options, a run() that reads as a sentence, and a main():
 *
 *     static const struct pof_option options[] = {
 *         {"grid", 'g', POF_OPT_FILE, offsetof(struct args, grid), "FILE", "grid document"},
 *         {0}};
 *     int main(int argc, char **argv)
 *     {
 *         struct args args = {0};
 *         return pof_main(&program, argc, argv, &args, run);
 *     }
 *
 * pof_main parses, answers --help, --version and --option-list, calls run(), prints what is
 * pending, closes standard output with a check and gives the exit status of STYLE: 0 done, 1 the
 * data say no, 2 usage, 65 and up. One instance a process; not for threads. */
#ifndef POF_CLI_CLI_H
#define POF_CLI_CLI_H

#include "base/stream.h"
#include "record/kept.h"
#include "record/reader.h"
#include "record/writer.h"

#include <stdbool.h>

enum pof_opt_kind {
    POF_OPT_FLAG,     /* bool; --name, --no-name */
    POF_OPT_TEXT,     /* const char * */
    POF_OPT_FILE,     /* const char *; a path to read, "-" standard input */
    POF_OPT_OUTPUT,   /* const char *; a path to write, "-" standard output */
    POF_OPT_INT,      /* int64_t, range in min..max */
    POF_OPT_MICRO,    /* int64_t, decimal with six decimals; min..max in whole units */
    POF_OPT_INSTANT,  /* int64_t seconds; INT64_MIN when not given */
    POF_OPT_WORD,     /* int, index into words */
    POF_OPT_LIST      /* struct pof_texts; may be given several times */
};

/* Several values of one option. */
struct pof_texts {
    const char **item; /* owned by the parser */
    size_t n;
};

struct pof_option {
    const char *name;  /* long name without "--"; NULL ends the table */
    char letter;       /* short name, 0: none */
    enum pof_opt_kind kind;
    size_t offset;     /* of the member in the caller's structure */
    const char *value; /* metavariable for help; NULL for flags */
    const char *help;  /* one line; begins lower case, no full stop; states the default */
    int64_t min, max;  /* of numbers; both 0: no range */
    const char *const *words; /* of POF_OPT_WORD */
};

/* What one program is. */
struct pof_program {
    const char *name;      /* "pof-clear" */
    const char *purpose;   /* one line, as in the manual page's NAME */
    const char *operands;  /* "[FILE ...]"; "" when it takes none */
    const char *examples;  /* one or two lines; --help begins with them */
    const struct pof_option *options; /* the program's own; common ones are added */
    bool no_output; /* pof_cli_out() and pof_cli_sink() without a path are not used */
};

/* State of a run, handed to run(). */
struct pof_cli;

/* Returns 0, a positive exit status (1: the data say no), or a negative pof_code with err set. */
typedef int pof_run(struct pof_cli *cli, void *args, struct pof_err *err);

int pof_main(const struct pof_program *program, int argc, char **argv, void *args, pof_run *run);

/* Operands left after the options. */
size_t pof_cli_operands(const struct pof_cli *cli, const char *const **operands);

/* --- input --- */

/* Called for every record of a type; the record lives until it returns (copy to keep). A negative
 * return refuses the record: reported with its place, and counted as a bad line; an error that is
 * not one of data (exit status 65 or 1) ends the reading. */
typedef int pof_on_record(void *ctx, const struct pof_record *record, struct pof_err *err);

/* What a program takes from its operands. */
struct pof_want {
    enum pof_type type;
    pof_on_record *on_record;
};

/* Reads every operand (none: standard input), any order, and hands each record to its handler in
 * wants (n of them); a type not wanted is a bad line. All bad lines are reported up to
 * --max-errors; then the result is the worst of their errors and output must not be used. When
 * n == 1 that type is expected where the data do not say. */
int pof_cli_read(struct pof_cli *cli, const struct pof_want *wants, size_t n, void *ctx,
                 struct pof_err *err) POF_CHECKED;
/* The same for the paths given. */
int pof_cli_read_files(struct pof_cli *cli, const char *const *paths, size_t n_paths,
                       const struct pof_want *wants, size_t n, void *ctx,
                       struct pof_err *err) POF_CHECKED;
/* Keeps every record of every operand (none: standard input), or of one file, with its place; ends at
 * the first bad line. */
int pof_cli_keep(struct pof_cli *cli, struct pof_kept_records *kept, struct pof_err *err) POF_CHECKED;
int pof_cli_keep_file(struct pof_cli *cli, const char *path, struct pof_kept_records *kept,
                      struct pof_err *err) POF_CHECKED;

/* The same for one type from a source of the program's own, such as another form of text turned
 * into CSV. */
int pof_cli_read_source(struct pof_cli *cli, const struct pof_source *src,
                        const struct pof_want *want, void *ctx, struct pof_err *err) POF_CHECKED;
/* A whole document (a grid, a table): bytes with a NUL behind, owned by the caller (free()). */
int pof_cli_slurp(struct pof_cli *cli, const char *path, char **data, size_t *len,
                  struct pof_err *err) POF_CHECKED;
/* A source on a path ("-" standard input) for readers of one's own; closed by pof_main. */
int pof_cli_source(struct pof_cli *cli, const char *path, struct pof_source *out,
                   struct pof_err *err) POF_CHECKED;

/* --- output --- */

/* The writer on -o/--output (standard output by default), in the --format asked for. */
struct pof_writer *pof_cli_out(struct pof_cli *cli);
/* A further output file that appears whole, together with the others, when run() returns 0 or 1;
 * owned by cli. USAGE: the second output on standard output, the main one included. */
int pof_cli_writer(struct pof_cli *cli, const char *path, struct pof_writer **out,
                   struct pof_err *err) POF_CHECKED;
/* The same for bytes that are not records. NULL path: the main output. */
int pof_cli_sink(struct pof_cli *cli, const char *path, struct pof_sink *out,
                 struct pof_err *err) POF_CHECKED;

/* --- people --- */

/* Notes and warnings on stderr, one line, "prog: text"; --quiet drops them. --strict turns a
 * warning into exit status 1. */
void pof_cli_note(struct pof_cli *cli, const char *fmt, ...) POF_PRINTF(2, 3);
void pof_cli_warn(struct pof_cli *cli, const char *fmt, ...) POF_PRINTF(2, 3);
/* Prints an error with its place and remembers its exit status; the run may go on. */
void pof_cli_report(struct pof_cli *cli, const struct pof_err *err);
/* Progress of long work, shown on a terminal after a second: done of total (0: unknown). */
void pof_cli_progress(struct pof_cli *cli, const char *what, uint64_t done, uint64_t total);

/* Common options as given. */
bool pof_cli_strict(const struct pof_cli *cli);
int pof_cli_verbose(const struct pof_cli *cli);
unsigned pof_cli_threads(const struct pof_cli *cli); /* --threads, 1 by default */
enum pof_format pof_cli_format(const struct pof_cli *cli);
/* --now, or the clock when it was not given; seconds. The only door to the clock. */
int64_t pof_cli_now(const struct pof_cli *cli);

#endif
