/* SPDX-License-Identifier: Apache-2.0 */
#include "io/heap.h"

#include <malloc.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { LARGE_PAGE = 2 << 20 };

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

void pof_heap_expect(const char *path, size_t times)
{
    struct stat st;
    if (stat(path, &st) != 0 || !S_ISREG(st.st_mode) || st.st_size <= 0) {
        return;
    }
    size_t size = (uintmax_t)st.st_size < MOST / times ? (size_t)st.st_size * times : MOST;
    keep();
    size = (size / LARGE_PAGE + 2) * LARGE_PAGE;
    char *piece = malloc(size);
    if (piece && (uintptr_t)piece + size <= (uintptr_t)sbrk(0)) { /* it is of the heap */
        uintptr_t begin = ((uintptr_t)piece + LARGE_PAGE - 1) / LARGE_PAGE * LARGE_PAGE;
        uintptr_t end = ((uintptr_t)piece + size) / LARGE_PAGE * LARGE_PAGE;
        (void)madvise((void *)begin, end - begin, MADV_HUGEPAGE); /* a wish */
    }
    free(piece);
}
