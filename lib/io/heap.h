/* SPDX-License-Identifier: Apache-2.0 */
/* What a program tells the allocator about the work ahead. */
#ifndef POF_IO_HEAP_H
#define POF_IO_HEAP_H

#include <stddef.h>

/* The work on files will want so many times their size of memory at most: so much address space,
 * 64 MiB at most, is set aside in one piece of large pages, and what is freed is kept. A page is
 * only counted once it is touched; small pages cost five times as much to get, which for work of 3 ms on
 * 3 MiB is half of it. Nothing happens for "-", for what is no plain file, and where
 * the system has no large pages or no room, or less than half of one is needed. Results never depend on
 * it. Call it before the work and before threads, once. Returns how many bytes of the files it counted. */
size_t pof_heap_expect(const char *const *path, size_t n, size_t times);

/* The same for work whose size is not told by a file, without the 64 MiB: for a stream, whose memory is
 * fetched once and used again many times. */
void pof_heap_expect_bytes(size_t size);

#endif
