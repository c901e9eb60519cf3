/* SPDX-License-Identifier: Apache-2.0 */
#include "ingest.h"

#include <stdlib.h>

_Noreturn void fail(const char *what)
{
    fprintf(stderr, "bench: %s\n", what);
    exit(1);
}

int main(int argc, char **argv)
{
    bench_records(argc > 1 ? argv[1] : NULL);
}
