/* SPDX-License-Identifier: Apache-2.0 */
/* Running another program and measuring it; appending whole lines to a log that others append to. */
#ifndef POF_IO_RUN_H
#define POF_IO_RUN_H

#include "base/err.h"

#include <stdint.h>

/* What a finished program cost. */
struct pof_run_cost {
    int64_t started_ms; /* wall clock, milliseconds since 1970 */
    int64_t ended_ms;
    int64_t cpu_us;  /* user and system, with its waited-for children */
    int64_t rss_kib; /* largest resident set of any of them */
    int status;      /* exit status, or 128 + signal */
};

/* Runs argv (NULL-terminated, found in PATH) with this program's streams and waits for it.
 * POF_E_OPEN when it cannot be executed. */
int pof_run_command(char *const *argv, struct pof_run_cost *cost, struct pof_err *err) POF_CHECKED;

/* Appends bytes to a file in one write, creating it: lines of several writers do not mix. */
int pof_append_file(const char *path, const void *bytes, size_t n, struct pof_err *err) POF_CHECKED;

#endif
