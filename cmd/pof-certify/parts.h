/* SPDX-License-Identifier: Apache-2.0 */
/* What the parts of pof-certify share: one file opens, one grows a log, one checks, one proves, one
 * asks witnesses, one is a witness, one publishes and erases. */
#ifndef POF_CERTIFY_PARTS_H
#define POF_CERTIFY_PARTS_H

#include "cli/cli.h"
#include "io/directory.h"
#include "trust/compare.h"
#include "io/tree.h"
#include "trust/openings.h"
#include "trust/policy.h"
#include "trust/tiles.h"

struct args {
    const char *origin, *key, *seed_file, *receipts, *record, *policy, *listen, *drop;
    int64_t batch, at; /* at: -1 when not given */
    bool reread, rebuild, as_witness, closed;
    struct pof_texts witness, commit, size;
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
    struct pof_tree *tree;
    struct pof_files files;
    struct pof_tiles *tiles;
    struct pof_openings *openings;
    struct pof_policy *policy; /* NULL: none was given */
    char *policy_text;
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
int certify_export(struct work *w, struct pof_err *err);
int certify_witness(struct work *w, struct pof_err *err);
int certify_erase(struct work *w, struct pof_err *err);

/* Releases all. */
void certify_close(struct work *w);
/* Prints w->text; 1 when the answer is no. */
int certify_answer(struct work *w, bool yes, struct pof_err *err) POF_CHECKED;

/* Opens the log in w->target. */
int certify_open_to_read(struct work *w, struct pof_err *err) POF_CHECKED;
int certify_open_to_write(struct work *w, struct pof_err *err) POF_CHECKED;
/* The openings beside the log, to read; w->openings stays NULL when there are none. */
int certify_open_openings(struct work *w, struct pof_err *err) POF_CHECKED;
/* Reads --policy, when it was given. */
int certify_read_policy(struct work *w, struct pof_err *err) POF_CHECKED;
/* A checkpoint beside the log's own, in place of what `to` holds; empty when there is none:
 * "cosigned" the last with a quorum, "gathered" the one whose signatures are being gathered. */
int certify_read_note(struct work *w, const char *file, struct pof_buf *to,
                      struct pof_err *err) POF_CHECKED;
/* Judges a checkpoint of the log by --policy. */
int certify_judge(struct work *w, struct pof_text note, struct pof_policy_verdict *v,
                  struct pof_err *err) POF_CHECKED;
/* Makes the directory of a log or witness with the key in w->signer; kept where --key says. */
int certify_keep_signer(struct work *w, bool is_there, struct pof_err *err) POF_CHECKED;
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
