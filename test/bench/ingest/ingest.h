/* SPDX-License-Identifier: Apache-2.0 */
/* Parts of the bench of records and pof-ingest. */
#ifndef BENCH_INGEST_H
#define BENCH_INGEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

_Noreturn void fail(const char *what);

struct use {
    double cpu_s; /* user and system, as the kernel accounts it */
    double mib;   /* largest resident memory */
};

/* A program to its end, standard output to a file of the current directory (NULL: nowhere). */
struct use spawn(char *const *argv, const char *output);
bool installed(const char *program);

/* stream.c: a stream of measurements in the current directory, by time, as pof-sim writes them, with
 * some lines late and some twice; its first lines in a file of their own. */
struct stream {
    const char *bin;   /* folder of the programs */
    const char *grid;  /* grid document */
    const char *format; /* "csv" or "ndjson" */
    size_t lines, head;
};
void make_stream(const struct stream *s, const char *path, const char *head_path);

/* rivals.c: prints " name=N" for each of them, N times slower a line than ours. */
void compare(const char *format, const char *head_path, size_t head, double ours_per_line);

/* records.c: all types of the bench, or one */
void bench_records(const char *only);

#endif
