/* SPDX-License-Identifier: Apache-2.0 */
/* What a program tells the allocator about the work ahead. */
#ifndef POF_IO_HEAP_H
#define POF_IO_HEAP_H

#include <stddef.h>

/* The work on files will want so many times their size of memory at most: so much address space,
 * 64 MiB at most, is set aside in one piece of large pages, and what is freed is kept. A page is
 * only counted once it is touched; a page of 4 KiB costs a microsecond or more to get, which for
 * work of 30 ms on 30 MiB is a third of it. Nothing happens for "-", for what is no plain file, and where
 * the system has no large pages or no room; less than 8 MiB come all at once, in small pages but for the
 * large ones that fit in. Results never depend on it. Call it before the work and before threads, and
 * for the most first. Returns how many bytes of the files it counted. */
size_t pof_heap_expect(const char *const *path, size_t n, size_t times);

/* The same for work whose size is not told by a file, without the 64 MiB: for a stream, whose memory is
 * fetched once and used again many times. */
void pof_heap_expect_bytes(size_t size);

#endif
