/* SPDX-License-Identifier: Apache-2.0 */
/* What the parts of pof-certify share: one file opens, one grows a log, one checks. */
#ifndef POF_CERTIFY_PARTS_H
#define POF_CERTIFY_PARTS_H

#include "cli/cli.h"
#include "io/directory.h"
#include "trust/compare.h"
#include "trust/log.h"

struct args {
    const char *origin, *key, *seed_file, *receipts, *record;
    int64_t batch, at; /* at: -1 when not given */
    bool reread, rebuild;
};

/* What a sub-command works with; released by main. */
struct work {
    struct pof_cli *cli;
    const struct args *a;
    const char *target;      /* the operand behind the sub-command */
    const char *const *rest; /* those behind it */
    size_t n_rest;
    struct pof_directory *dir;
    struct pof_folder folder;
    struct pof_log *log;
    struct pof_signer signer;
    struct pof_buf text; /* what is printed */
};

/* Sub-commands: as pof_run. */
int certify_init(struct work *w, struct pof_err *err);
int certify_append(struct work *w, struct pof_err *err);
int certify_checkpoint(struct work *w, struct pof_err *err);
int certify_verify(struct work *w, struct pof_err *err);
int certify_prove(struct work *w, struct pof_err *err);
int certify_check(struct work *w, struct pof_err *err);
int certify_consistency(struct work *w, struct pof_err *err);

/* Opens the log in w->target. */
int certify_open_to_read(struct work *w, struct pof_err *err) POF_CHECKED;
int certify_open_to_write(struct work *w, struct pof_err *err) POF_CHECKED;
/* The secret key in a file. */
int certify_load_signer(const char *path, struct pof_signer *out, struct pof_err *err) POF_CHECKED;
/* --key as a public key; *out is NULL when it was not given. */
int certify_public_key(const struct args *a, struct pof_vkey *key, const struct pof_vkey **out,
                       struct pof_err *err) POF_CHECKED;

typedef int certify_on_line(void *ctx, struct pof_text line, struct pof_given_place place,
                            struct pof_err *err);
/* Hands on every line of w->rest (none: standard input) that is not empty. */
int certify_each_line(struct work *w, certify_on_line *take, void *ctx,
                      struct pof_err *err) POF_CHECKED;

#endif
