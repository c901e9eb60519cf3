/* SPDX-License-Identifier: Apache-2.0 */
/* What the parts of pof-poll share. */
#ifndef POF_CMD_POLL_PARTS_H
#define POF_CMD_POLL_PARTS_H

#include "cli/cli.h"
#include "io/shelf.h"
#include "num/sha256.h"

struct args {
    const char *url, *spool, *ending, *ca, *cert, *key, *token_file;
    int64_t every_us, give_up_s, count, max_bytes, spool_max, connect_s, timeout_s;
};

struct polling {
    struct pof_cli *cli;
    const struct args *a;
    struct pof_shelf *shelf;
    struct pof_sink names; /* of files handed on, a line each */
    struct pof_buf token, line;
    struct pof_sha256 sha;
    uint64_t bytes;        /* of the document that comes */
    int64_t good_ms;       /* when a request last went well, or the first was sent */
    int64_t delay_ms;      /* after the next failure */
    uint64_t requests, same, failed, files;
};

/* Asks once; what is new lands. *wait_s: for how long the server does not want to be asked again. */
int poll_ask(struct polling *p, int64_t *wait_s, struct pof_err *err) POF_CHECKED;
/* Says that a file is handed on. */
int poll_tell(struct polling *p, const char *path, struct pof_err *err) POF_CHECKED;

#endif
