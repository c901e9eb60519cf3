/* SPDX-License-Identifier: Apache-2.0 */
/* The parts of pof-export. */
#ifndef POF_CMD_EXPORT_PARTS_H
#define POF_CMD_EXPORT_PARTS_H

#include "cli/cli.h"

/* Where InfluxDB's HTTP interface takes points. */
struct export_server {
    const char *url;  /* as the user gave it */
    const char *unit; /* of timestamps, as InfluxDB names it: ns, u, ms, s */
    int64_t retry_s;  /* waits in all, for a server that does not answer, before giving up */
    uint64_t batches; /* written */
    uint64_t retries; /* attempts that had to be made again */
};

/* Writes whole lines of line protocol; 0 when the server has said that it has them all. The same
 * points again are the same points, so what may have arrived is sent again without harm.
 * UNAVAILABLE: no answer, or too busy, to the end of the patience; WRITE: it refused points, the
 * message says what it said; PERMISSION, OPEN (no such database), PROTOCOL. */
int export_post(struct export_server *s, struct pof_text lines, struct pof_err *err) POF_CHECKED;

#endif
