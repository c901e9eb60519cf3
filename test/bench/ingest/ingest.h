/* SPDX-License-Identifier: Apache-2.0 */
/* Parts of the bench of records and pof-ingest. */
#ifndef BENCH_INGEST_H
#define BENCH_INGEST_H

#include <stdio.h>

_Noreturn void fail(const char *what);

/* records.c: all types of the bench, or one */
void bench_records(const char *only);

#endif
