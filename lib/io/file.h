/* SPDX-License-Identifier: Apache-2.0 */
/* Files and pipes: sources to read, outputs that appear whole or not at all.
 *
 * An output to a path is written to a temporary name in the same directory (".NAME.XXXXXX", mode by
 * umask), synced, and renamed on commit; the directory is synced too. Standard output, devices and
 * pipes are written as they are. Temporary files are removed on abort, and by a handler on SIGINT,
 * SIGTERM, SIGHUP and SIGPIPE, which then die of the signal. A write to a closed pipe raises
 * SIGPIPE even where the parent ignores it. This is the only room with process-wide state. */
#ifndef POF_IO_FILE_H
#define POF_IO_FILE_H

#include "base/stream.h"

#include <stdbool.h>

/* An open input; path "-" is standard input. */
struct pof_input;
int pof_input_open(struct pof_input **out, const char *path, struct pof_err *err) POF_CHECKED;
struct pof_source pof_input_source(struct pof_input *in);
void pof_input_close(struct pof_input *in);

/* An open output; NULL or "-" is standard output. An existing regular file is replaced only with
 * force (POF_E_EXISTS). */
struct pof_output;
int pof_output_open(struct pof_output **out, const char *path, bool force,
                    struct pof_err *err) POF_CHECKED;
struct pof_sink pof_output_sink(struct pof_output *o);
/* Makes it appear. The output is closed and freed, also on failure. */
int pof_output_commit(struct pof_output *o, struct pof_err *err) POF_CHECKED;
/* Removes what was written. NULL allowed. */
void pof_output_abort(struct pof_output *o);

/* Installs the signal handler; called once by lib/cli. */
void pof_io_start(void);

/* write(2) until all is written; EPIPE raises SIGPIPE. */
int pof_write_all(int fd, const void *bytes, size_t n, const char *name,
                  struct pof_err *err) POF_CHECKED;

#endif
