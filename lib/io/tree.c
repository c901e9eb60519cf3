/* SPDX-License-Identifier: Apache-2.0 */
/* Files by path below a directory. */
#include "io/tree.h"

#include "base/mem.h"
#include "io/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PATH = 256 };

struct pof_tree {
    char *path;
    int fd;
};

static int trouble(const struct pof_tree *t, enum pof_code code, const char *what, const char *path,
                   struct pof_err *err)
{
    int saved = errno;
    return pof_fail_errno(err, code, saved, "cannot %s '%s/%s'", what, t->path, path);
}

int pof_tree_open(struct pof_tree **out, const char *path, bool make, struct pof_err *err)
{
    struct pof_tree *t;
    int rc = pof_calloc(&t, 1, sizeof *t, err);
    if (rc) {
        return rc;
    }
    t->fd = -1;
    t->path = strdup(path);
    if (!t->path) {
        rc = pof_fail(err, POF_E_NOMEM, "out of memory");
    } else if (make && mkdir(path, 0777) != 0 && errno != EEXIST) {
        rc = pof_fail_errno(err, POF_E_CREATE, errno, "cannot create '%s'", path);
    } else if ((t->fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) < 0) {
        rc = pof_fail_errno(err, POF_E_OPEN, errno, "cannot open '%s'", path);
    }
    if (rc) {
        pof_tree_close(t);
        return rc;
    }
    *out = t;
    return 0;
}

void pof_tree_close(struct pof_tree *t)
{
    if (t) {
        if (t->fd >= 0) {
            close(t->fd);
        }
        free(t->path);
        free(t);
    }
}

static int get(void *ctx, struct pof_wanted file, struct pof_buf *to, bool *there,
               struct pof_err *err)
{
    struct pof_tree *t = ctx;
    const char *path = file.path;
    size_t max = file.max;
    to->len = 0;
    *there = false;
    int fd = openat(t->fd, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0) {
        return errno == ENOENT || errno == ENOTDIR ? 0 : trouble(t, POF_E_OPEN, "open", path, err);
    }
    struct stat st;
    int rc = 0;
    if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)) {
        rc = pof_fail(err, POF_E_OPEN, "'%s/%s' is not a file", t->path, path);
    }
    rc = rc ? rc : pof_buf_reserve(to, max + 1, err);
    while (rc == 0 && to->len <= max) {
        ssize_t n = read(fd, to->data + to->len, max + 1 - to->len);
        if (n == 0) {
            break;
        }
        if (n > 0) {
            to->len += (size_t)n;
        } else if (errno != EINTR) {
            rc = trouble(t, POF_E_READ, "read", path, err);
        }
    }
    if (rc == 0 && to->len > max) {
        rc = pof_fail(err, POF_E_TOO_LONG, "'%s/%s' has more than %zu bytes", t->path, path, max);
    }
    close(fd);
    *there = rc == 0;
    return rc;
}

/* Makes the directories above a path. */
static int make_parents(struct pof_tree *t, const char *path, struct pof_err *err)
{
    char part[PATH];
    for (size_t i = 0; path[i]; i++) {
        if (i + 1 == sizeof part) {
            return pof_fail(err, POF_E_INTERNAL, "the path '%s' is too long", path);
        }
        if (path[i] == '/' && i) {
            part[i] = '\0';
            if (mkdirat(t->fd, part, 0777) != 0 && errno != EEXIST) {
                return trouble(t, POF_E_CREATE, "create", part, err);
            }
        }
        part[i] = path[i];
    }
    return 0;
}

static int put(void *ctx, const char *path, struct pof_text bytes, struct pof_err *err)
{
    struct pof_tree *t = ctx;
    char temp[PATH + 8];
    snprintf(temp, sizeof temp, "%.*s.new", PATH, path);
    int flags = O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW;
    int fd = openat(t->fd, temp, flags, 0666);
    if (fd < 0 && errno == ENOENT) {
        int rc = make_parents(t, path, err);
        if (rc) {
            return rc;
        }
        fd = openat(t->fd, temp, flags, 0666);
    }
    if (fd < 0) {
        return trouble(t, POF_E_CREATE, "create", temp, err);
    }
    int rc = pof_write_all(fd, bytes.ptr, bytes.len, path, err);
    if (close(fd) != 0 && rc == 0) {
        rc = trouble(t, POF_E_WRITE, "close", temp, err);
    }
    if (rc == 0 && renameat(t->fd, temp, t->fd, path) != 0) {
        rc = trouble(t, POF_E_CREATE, "rename a new file to", path, err);
    }
    if (rc) {
        unlinkat(t->fd, temp, 0);
    }
    return rc;
}

/* One call for all files: syncing each of thousands costs more than the whole rest. */
static int sync_all(void *ctx, struct pof_err *err)
{
    struct pof_tree *t = ctx;
    return syncfs(t->fd) == 0 ? 0 : trouble(t, POF_E_WRITE, "sync", "", err);
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

static int list(void *ctx, const char *path, struct pof_buf *names, struct pof_err *err)
{
    struct pof_tree *t = ctx;
    struct dirent **entry;
    names->len = 0;
    int n = scandirat(t->fd, path, &entry, NULL, by_name);
    if (n < 0) {
        return errno == ENOENT || errno == ENOTDIR ? 0 : trouble(t, POF_E_READ, "list", path, err);
    }
    int rc = 0;
    for (int i = 0; i < n; i++) {
        const char *name = entry[i]->d_name;
        if (rc == 0 && strcmp(name, ".") != 0 && strcmp(name, "..") != 0) {
            rc = pof_buf_addf(names, err, "%s\n", name);
        }
        free(entry[i]);
    }
    free(entry);
    return rc;
}

struct pof_files pof_tree_files(struct pof_tree *t)
{
    return (struct pof_files){
        .get = get, .put = put, .sync = sync_all, .list = list, .ctx = t, .name = t->path};
}

int pof_tree_remove(struct pof_tree *t, const char *path, struct pof_err *err)
{
    return unlinkat(t->fd, path, 0) == 0 || errno == ENOENT
               ? 0
               : trouble(t, POF_E_WRITE, "remove", path, err);
}
