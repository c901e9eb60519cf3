/* SPDX-License-Identifier: Apache-2.0 */
/* Memory set aside for work on a file. */
#include "io/heap.h"
#include "tap.h"

#include <unistd.h>

/* Blocks as large as a mapping of their own would be, used and freed. */
static bool works(void)
{
    bool good = true;
    for (size_t size = 1 << 20; size <= (size_t)64 << 20; size *= 4) {
        unsigned char *p = calloc(size, 1);
        good = good && p && p[0] == 0 && p[size / 2] == 0 && p[size - 1] == 0;
        if (p) {
            memset(p, 0x5a, size);
        }
        free(p);
    }
    return good;
}

int main(void)
{
    char path[] = "io_heap.XXXXXX";
    pof_heap_expect(&(const char *){"-"}, 1, 16);
    pof_heap_expect(&(const char *){"/nonexistent/file"}, 1, 16);
    pof_heap_expect(&(const char *){"/"}, 1, 16);
    ok(works(), "memory is as before where there is no file to expect from");
    int fd = mkstemp(path);
    pof_heap_expect(&(const char *){path}, 1, 16);
    ok(fd >= 0 && write(fd, path, 1) == 1, "a file");
    pof_heap_expect(&(const char *){path}, 1, 16);
    ok(works(), "memory is there, and zero where it should be, for a small file");
    ok(ftruncate(fd, (off_t)1 << 40) == 0, "a file as large as no memory");
    void *before = sbrk(0);
    pof_heap_expect(&(const char *){path}, 1, 16);
    ok((char *)sbrk(0) - (char *)before <= 80 << 20, "what is set aside is bounded");
    ok(works(), "memory is there for a large one");
    const char *const both[] = {path, path, "/nonexistent/file"};
    before = sbrk(0);
    pof_heap_expect(both, 3, 16);
    ok((char *)sbrk(0) - (char *)before <= 80 << 20, "what is set aside for several is bounded too");
    close(fd);
    remove(path);
    return done();
}
