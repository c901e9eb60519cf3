/* SPDX-License-Identifier: Apache-2.0 */
/* The spool's files. */
#include "io/landing.h"

#include "io/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum { DIGITS = 12, NAME = 32, PATH = 4096 };

static const char dead_name[] = "dead-letters.ndjson";

/* A file that grows. */
struct growing {
    int fd;
    struct pof_buf pending;
};

struct pof_landing {
    char *dir; /* owned */
    int dir_fd, lock_fd;
    struct growing part, dead;
    uint64_t number; /* of part */
    size_t lines;    /* of part, pending ones too */
    size_t files;    /* handed on, at most: others may have taken some */
    char path[PATH];
};

static int trouble(const struct pof_landing *l, enum pof_code code, const char *what,
                   const char *file, struct pof_err *err)
{
    int saved = errno;
    return pof_fail_errno(err, code, saved, "cannot %s '%.120s/%s'", what, l->dir, file);
}

static void part_name(uint64_t number, char name[NAME])
{
    snprintf(name, NAME, ".%0*" PRIu64 ".part", DIGITS, number);
}

static void whole_name(uint64_t number, char name[NAME])
{
    snprintf(name, NAME, "%0*" PRIu64 ".jsonl", DIGITS, number);
}

/* The number in "PREFIX digits SUFFIX", 0 when the name is another. */
static uint64_t number_of(const char *name, const char *prefix, const char *suffix)
{
    size_t p = strlen(prefix);
    if (strncmp(name, prefix, p) != 0 || strspn(name + p, "0123456789") != DIGITS ||
        strcmp(name + p + DIGITS, suffix) != 0) {
        return 0;
    }
    return strtoull(name + p, NULL, 10);
}

/* What a look at the directory finds. */
struct found {
    uint64_t part;  /* lowest number: where handing on was cut off; 0: none */
    uint64_t whole; /* highest number; 0: none */
    size_t files;
};

static int look(const struct pof_landing *l, struct found *f, struct pof_err *err)
{
    *f = (struct found){0};
    DIR *d = opendir(l->dir);
    if (!d) {
        return trouble(l, POF_E_OPEN, "read the directory", "", err);
    }
    for (const struct dirent *e = readdir(d); e; e = readdir(d)) {
        uint64_t part = number_of(e->d_name, ".", ".part");
        uint64_t whole = number_of(e->d_name, "", ".jsonl");
        f->part = part && (part < f->part || !f->part) ? part : f->part;
        f->whole = whole > f->whole ? whole : f->whole;
        f->files += whole > 0;
    }
    closedir(d);
    return 0;
}

/* --- opening --- */

/* Where the last whole line of a file ends. */
static int last_line(int fd, off_t *end)
{
    char block[4096];
    off_t at = lseek(fd, 0, SEEK_END);
    while (at > 0) {
        size_t n = at < (off_t)sizeof block ? (size_t)at : sizeof block;
        ssize_t got = pread(fd, block, n, at - (off_t)n);
        if (got != (ssize_t)n) {
            errno = got < 0 ? errno : EIO;
            return -1;
        }
        const char *lf = memrchr(block, '\n', n);
        at -= (off_t)n;
        if (lf) {
            at += lf - block + 1;
            break;
        }
    }
    *end = at;
    return at < 0 ? -1 : 0;
}

/* Opens a file to append; what is behind its last LF goes. */
static int open_growing(struct pof_landing *l, const char *name, struct growing *g, off_t *size,
                        struct pof_err *err)
{
    g->fd = openat(l->dir_fd, name, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0666);
    if (g->fd < 0) {
        return trouble(l, POF_E_CREATE, "create", name, err);
    }
    if (last_line(g->fd, size) != 0 || ftruncate(g->fd, *size) != 0 || fdatasync(g->fd) != 0) {
        return trouble(l, POF_E_WRITE, "mend", name, err);
    }
    return 0;
}

static int sync_names(const struct pof_landing *l, struct pof_err *err)
{
    return fsync(l->dir_fd) == 0 ? 0 : trouble(l, POF_E_WRITE, "sync", "", err);
}

/* The next growing file; it is there already when a crash came between two steps of handing on. */
static int begin_part(struct pof_landing *l, uint64_t number, struct pof_err *err)
{
    char name[NAME];
    off_t size;
    part_name(number, name);
    l->number = number;
    int rc = open_growing(l, name, &l->part, &size, err);
    l->lines = rc == 0 && size > 0;
    return rc ? rc : sync_names(l, err);
}

/* Gives the growing file its name and begins the next. */
static int hand_on(struct pof_landing *l, const char **path, struct pof_err *err)
{
    char part[NAME];
    char whole[NAME];
    part_name(l->number, part);
    whole_name(l->number, whole);
    if (renameat2(l->dir_fd, part, l->dir_fd, whole, RENAME_NOREPLACE) != 0) {
        return trouble(l, POF_E_CREATE, "hand on", whole, err);
    }
    close(l->part.fd);
    l->part.fd = -1;
    l->files++;
    int rc = begin_part(l, l->number + 1, err);
    if (rc == 0) {
        snprintf(l->path, sizeof l->path, "%s/%s", l->dir, whole);
        *path = l->path;
    }
    return rc;
}

/* Goes on where the last one ended. */
static int go_on(struct pof_landing *l, const char **path, struct pof_err *err)
{
    struct found f;
    off_t size = 0;
    char name[NAME];
    int rc = look(l, &f, err);
    if (rc) {
        return rc;
    }
    l->files = f.files;
    l->number = f.part ? f.part : f.whole + 1;
    part_name(l->number, name);
    rc = open_growing(l, name, &l->part, &size, err);
    rc = rc ? rc : open_growing(l, dead_name, &l->dead, &(off_t){0}, err);
    rc = rc ? rc : sync_names(l, err);
    return rc || size == 0 ? rc : hand_on(l, path, err);
}

static int lock(struct pof_landing *l, struct pof_err *err)
{
    l->dir_fd = open(l->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (l->dir_fd < 0) {
        return trouble(l, POF_E_OPEN, "open the directory", "", err);
    }
    l->lock_fd = openat(l->dir_fd, ".lock", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0666);
    if (l->lock_fd < 0) {
        return trouble(l, POF_E_CREATE, "create", ".lock", err);
    }
    if (flock(l->lock_fd, LOCK_EX | LOCK_NB) != 0) {
        return errno == EWOULDBLOCK
                   ? pof_fail(err, POF_E_LOCKED, "another process lands in '%.200s'", l->dir)
                   : trouble(l, POF_E_OPEN, "lock", ".lock", err);
    }
    return 0;
}

int pof_landing_open(struct pof_landing **out, const char *dir, const char **path,
                     struct pof_err *err)
{
    struct pof_landing *l;
    *out = NULL;
    *path = "";
    if (strlen(dir) + NAME > PATH) {
        return pof_fail(err, POF_E_OPEN, "the name of the directory '%.80s...' is too long", dir);
    }
    int rc = pof_calloc(&l, 1, sizeof *l, err);
    if (rc) {
        return rc;
    }
    l->dir_fd = l->lock_fd = l->part.fd = l->dead.fd = -1;
    l->dir = strdup(dir);
    rc = l->dir ? lock(l, err) : pof_fail(err, POF_E_NOMEM, "out of memory");
    rc = rc ? rc : go_on(l, path, err);
    if (rc) {
        pof_landing_close(l);
        return rc;
    }
    *out = l;
    return 0;
}

void pof_landing_close(struct pof_landing *l)
{
    if (l) {
        const int fds[] = {l->part.fd, l->dead.fd, l->lock_fd, l->dir_fd};
        for (size_t i = 0; i < sizeof fds / sizeof *fds; i++) {
            if (fds[i] >= 0) {
                close(fds[i]);
            }
        }
        pof_buf_release(&l->part.pending);
        pof_buf_release(&l->dead.pending);
        free(l->dir);
        free(l);
    }
}

/* --- lines --- */

static int take(struct growing *g, struct pof_text line, struct pof_err *err)
{
    int rc = pof_buf_reserve(&g->pending, line.len + 1, err);
    rc = rc ? rc : pof_buf_add(&g->pending, line.ptr, line.len, err);
    return rc ? rc : pof_buf_add(&g->pending, "\n", 1, err);
}

int pof_landing_add(struct pof_landing *l, struct pof_text line, struct pof_err *err)
{
    int rc = take(&l->part, line, err);
    l->lines += rc == 0;
    return rc;
}

int pof_landing_dead(struct pof_landing *l, struct pof_text line, struct pof_err *err)
{
    return take(&l->dead, line, err);
}

size_t pof_landing_pending(const struct pof_landing *l)
{
    return l->part.pending.len + l->dead.pending.len;
}

static int write_down(const struct pof_landing *l, struct growing *g, const char *name,
                      struct pof_err *err)
{
    if (g->pending.len == 0) {
        return 0;
    }
    int rc = pof_write_all(g->fd, g->pending.data, g->pending.len, l->dir, err);
    if (rc == 0 && fdatasync(g->fd) != 0) {
        rc = trouble(l, POF_E_WRITE, "sync", name, err);
    }
    g->pending.len = 0;
    return rc;
}

int pof_landing_sync(struct pof_landing *l, struct pof_err *err)
{
    char name[NAME];
    part_name(l->number, name);
    int rc = write_down(l, &l->part, name, err);
    return rc ? rc : write_down(l, &l->dead, dead_name, err);
}

size_t pof_landing_lines(const struct pof_landing *l)
{
    return l->lines;
}

int pof_landing_seal(struct pof_landing *l, const char **path, struct pof_err *err)
{
    int rc = pof_landing_sync(l, err);
    return rc ? rc : hand_on(l, path, err);
}

int pof_landing_files(struct pof_landing *l, size_t enough, size_t *n, struct pof_err *err)
{
    struct found f;
    int rc = l->files >= enough ? look(l, &f, err) : 0;
    if (rc == 0) {
        l->files = l->files >= enough ? f.files : l->files;
        *n = l->files;
    }
    return rc;
}
