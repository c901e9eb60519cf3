/* SPDX-License-Identifier: Apache-2.0 */
#include "io/heap.h"

#include <malloc.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { LARGE_PAGE = 2 << 20, LARGE_WORK = 4 * LARGE_PAGE, WORTH_IT = 256 << 10 };

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

/* A wish, for the large pages that lie within. */
static void wish_large(const char *piece, size_t size)
{
    uintptr_t begin = ((uintptr_t)piece + LARGE_PAGE - 1) / LARGE_PAGE * LARGE_PAGE;
    uintptr_t end = ((uintptr_t)piece + size) / LARGE_PAGE * LARGE_PAGE;
    if (begin < end) {
        (void)madvise((void *)begin, end - begin, MADV_HUGEPAGE);
    }
}

/* All pages at once, small ones around the large: one by one, as they are touched, each costs far more
 * than its zeroes. */
static void fetch(size_t size)
{
#ifdef MADV_POPULATE_WRITE
    const size_t page = (size_t)sysconf(_SC_PAGESIZE);
    char *piece = malloc(size);
    if (of_heap(piece, size)) {
        uintptr_t begin = ((uintptr_t)piece + page - 1) / page * page;
        wish_large(piece, size);
        (void)madvise((void *)begin, ((uintptr_t)piece + size) / page * page - begin, MADV_POPULATE_WRITE);
    }
    free(piece);
#else
    (void)size;
#endif
}

void pof_heap_expect_bytes(size_t size)
{
    if (size < WORTH_IT) {
        return;
    }
    keep();
    if (size < LARGE_WORK) {
        fetch(size);
        return;
    }
    size = (size / LARGE_PAGE + 2) * LARGE_PAGE;
    char *piece = malloc(size);
    if (of_heap(piece, size)) {
        wish_large(piece, size);
    }
    free(piece);
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
