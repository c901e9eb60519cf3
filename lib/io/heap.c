/* SPDX-License-Identifier: Apache-2.0 */
#include "io/heap.h"

#include <malloc.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { LARGE_PAGE = 2 << 20, WORTH_IT = 512 << 10, OVERHEAD = 64 };

static const size_t MOST = (size_t)64 << 20; /* bytes to set aside: systems have few large pages at
                                                hand, and beyond work is no longer short */
static const int KEPT = 1 << 30;

/* From here on freed memory stays with the program, and large blocks are pieces of the heap too, so
 * that none is handed back and fetched again. */
static void keep(void)
{
    mallopt(M_MMAP_THRESHOLD, KEPT);
    mallopt(M_TRIM_THRESHOLD, KEPT);
}

static bool of_heap(const char *piece, size_t size)
{
    return piece && (uintptr_t)piece + size <= (uintptr_t)sbrk(0);
}

/* What lies before the first large page; never touched, so that work begins in that page. */
static void *before;

void pof_heap_expect_bytes(size_t size)
{
    if (size < WORTH_IT || before) {
        return;
    }
    keep();
    size = (size + LARGE_PAGE - 1) / LARGE_PAGE * LARGE_PAGE;
    char *piece = malloc(size + LARGE_PAGE);
    uintptr_t begin = ((uintptr_t)piece + LARGE_PAGE - 1) / LARGE_PAGE * LARGE_PAGE;
    bool large = of_heap(piece, size + LARGE_PAGE) && madvise((void *)begin, size, MADV_HUGEPAGE) == 0;
    size_t gap = begin - (uintptr_t)piece;
    free(piece);
    before = large && gap > OVERHEAD ? malloc(gap - OVERHEAD) : NULL;
}

size_t pof_heap_expect(const char *const *path, size_t n, size_t times)
{
    size_t bytes = 0;
    for (size_t i = 0; i < n; i++) {
        struct stat st;
        if (stat(path[i], &st) == 0 && S_ISREG(st.st_mode) && st.st_size > 0) {
            bytes += (uintmax_t)st.st_size < MOST - bytes ? (size_t)st.st_size : MOST - bytes;
        }
    }
    pof_heap_expect_bytes(bytes < MOST / times ? bytes * times : MOST);
    return bytes;
}
