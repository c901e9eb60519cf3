/* SPDX-License-Identifier: Apache-2.0 */
/* Preloaded into a program: makes the n-th call of one function fail, as POF_FAIL=FUNCTION:N says.
 * FUNCTION is malloc (and calloc, realloc), read, write, fsync, fdatasync, rename or close. The count
 * goes to the file POF_FAIL_COUNT names when the program ends, so a test knows when it has seen all. */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static long calls;
static long fail_at = -1;
static const char *function = "";

/* The C library allocates before main(); a static piece serves dlsym itself. */
static char early[65536];
static size_t early_used;

__attribute__((constructor)) static void start(void)
{
    const char *spec = getenv("POF_FAIL");
    const char *colon = spec ? strchr(spec, ':') : NULL;
    if (colon) {
        static char name[32];
        size_t n = (size_t)(colon - spec);
        memcpy(name, spec, n < sizeof name - 1 ? n : sizeof name - 1);
        function = name;
        fail_at = strtol(colon + 1, NULL, 10);
        calls = 0;
    }
}

__attribute__((destructor)) static void stop(void)
{
    const char *path = getenv("POF_FAIL_COUNT");
    int (*real_close)(int) = (int (*)(int))dlsym(RTLD_NEXT, "close");
    ssize_t (*real_write)(int, const void *, size_t) =
        (ssize_t(*)(int, const void *, size_t))dlsym(RTLD_NEXT, "write");
    int fd = path ? open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600) : -1;
    if (fd >= 0) {
        char text[32];
        int n = snprintf(text, sizeof text, "%ld\n", calls);
        real_write(fd, text, (size_t)n);
        real_close(fd);
    }
}

static bool fails(const char *name)
{
    return fail_at >= 0 && strcmp(function, name) == 0 && ++calls == fail_at;
}

/* OpenSSL 3.0 crashes when memory ends while it fetches an algorithm, and jansson 2.14 when it ends
 * while a string is read; their own allocations are not ours to test, and are left alone. */
static bool allocation_fails(const void *caller)
{
    Dl_info from;
    if (fail_at < 0 || strcmp(function, "malloc") != 0 ||
        (dladdr(caller, &from) && from.dli_fname &&
         (strstr(from.dli_fname, "libcrypto") || strstr(from.dli_fname, "libjansson")))) {
        return false;
    }
    return fails("malloc");
}

#define REAL(type, name, ...)                                                                      \
    static type (*real)(__VA_ARGS__);                                                              \
    if (!real) {                                                                                   \
        real = (type(*)(__VA_ARGS__))dlsym(RTLD_NEXT, #name);                                      \
    }

static void *from_early(size_t size)
{
    size = (size + 15) / 16 * 16;
    if (size > sizeof early - early_used) {
        return NULL;
    }
    void *p = early + early_used;
    early_used += size;
    return p;
}

void *malloc(size_t size)
{
    static bool resolving;
    if (resolving) {
        return from_early(size);
    }
    resolving = true;
    REAL(void *, malloc, size_t)
    resolving = false;
    if (allocation_fails(__builtin_return_address(0))) {
        errno = ENOMEM;
        return NULL;
    }
    return real(size);
}

void *calloc(size_t n, size_t size)
{
    static bool resolving;
    if (resolving) {
        return from_early(n * size);
    }
    resolving = true;
    REAL(void *, calloc, size_t, size_t)
    resolving = false;
    if (allocation_fails(__builtin_return_address(0))) {
        errno = ENOMEM;
        return NULL;
    }
    return real(n, size);
}

void *realloc(void *p, size_t size)
{
    REAL(void *, realloc, void *, size_t)
    if (allocation_fails(__builtin_return_address(0))) {
        errno = ENOMEM;
        return NULL;
    }
    return real(p, size);
}

void free(void *p)
{
    REAL(void, free, void *)
    if ((char *)p < early || (char *)p >= early + sizeof early) {
        real(p);
    }
}

ssize_t read(int fd, void *to, size_t n)
{
    REAL(ssize_t, read, int, void *, size_t)
    if (fails("read")) {
        errno = EIO;
        return -1;
    }
    return real(fd, to, n);
}

ssize_t write(int fd, const void *from, size_t n)
{
    REAL(ssize_t, write, int, const void *, size_t)
    if (fd != STDERR_FILENO && fails("write")) {
        errno = ENOSPC;
        return -1;
    }
    return real(fd, from, n);
}

int fsync(int fd)
{
    REAL(int, fsync, int)
    if (fails("fsync")) {
        errno = EIO;
        return -1;
    }
    return real(fd);
}

int fdatasync(int fd)
{
    REAL(int, fdatasync, int)
    if (fails("fdatasync")) {
        errno = EIO;
        return -1;
    }
    return real(fd);
}

int rename(const char *from, const char *to)
{
    REAL(int, rename, const char *, const char *)
    if (fails("rename")) {
        errno = EACCES;
        return -1;
    }
    return real(from, to);
}

int close(int fd)
{
    REAL(int, close, int)
    if (fails("close")) {
        real(fd);
        errno = EIO;
        return -1;
    }
    return real(fd);
}
