/* SPDX-License-Identifier: Apache-2.0 */
/* What the parts of pof-access share: one file takes steps, one reads and lists. */
#ifndef POF_ACCESS_PARTS_H
#define POF_ACCESS_PARTS_H

#include "cli/cli.h"
#include "trust/subscriptions.h"

struct args {
    const char *key, *name, *id, *owner, *data, *purpose, *consumer, *keys, *pods, *log_key;
    int64_t start, end, expires; /* INT64_MIN when not given */
    struct pof_texts pod;
};

struct work {
    struct pof_cli *cli;
    const struct args *a;
    const char *const *rest; /* operands behind the sub-command */
    size_t n_rest;
};

/* Sub-commands: as pof_run. */
int access_key(struct work *w, struct pof_err *err);
int access_ask(struct work *w, struct pof_err *err);
int access_grant(struct work *w, struct pof_err *err);
int access_revoke(struct work *w, struct pof_err *err);
int access_read(struct work *w, struct pof_err *err);
int access_list(struct work *w, struct pof_err *err);

#endif
