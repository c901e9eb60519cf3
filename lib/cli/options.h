/* SPDX-License-Identifier: Apache-2.0 */
/* Inside lib/cli: one option table feeds parsing, --help and --option-list. */
#ifndef POF_CLI_OPTIONS_H
#define POF_CLI_OPTIONS_H

#include "cli/cli.h"

/* The options every program has. */
struct pofi_common {
    bool help;
    bool version;
    bool option_list;
    const char *output;
    bool force;
    bool quiet;
    bool verbose;
    bool strict;
    int format;
    int diag;
    int progress;
    int64_t threads;
    int64_t max_errors;
    int64_t now;
};

extern const struct pof_option pofi_common_options[];

/* Parses argv into the two structures; operands are moved to the front of argv and counted. Every
 * option may be given once, except LIST and flags. */
int pofi_parse(const struct pof_program *program, int argc, char **argv, void *args,
               struct pofi_common *common, struct pof_err *err) POF_CHECKED;
/* The number of operands after pofi_parse is its return value when not negative. */

/* Frees the values of LIST options. */
void pofi_release(const struct pof_option *options, void *args);

/* The text of --help, and of --option-list (TSV: name, letter, kind, value, help). */
int pofi_help(const struct pof_program *program, struct pof_buf *to, struct pof_err *err) POF_CHECKED;
int pofi_option_list(const struct pof_program *program, struct pof_buf *to,
                     struct pof_err *err) POF_CHECKED;

#endif
