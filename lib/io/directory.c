/* SPDX-License-Identifier: Apache-2.0 */
/* A directory as a folder. */
#include "io/directory.h"

#include "base/mem.h"
#include "io/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FILES = 16, NAME = 32 };

struct open_file {
    char name[NAME];
    int fd;
};

struct pof_directory {
    char *path; /* as given */
    char *temp; /* the name it has until it is published; NULL: none */
    int fd;
    bool writer;
    struct open_file file[FILES]; /* kept open until the end */
    size_t files;
};

/* An error about a file of the directory, with errno. */
static int trouble(const struct pof_directory *d, enum pof_code code, const char *what,
                   const char *file, struct pof_err *err)
{
    int saved = errno;
    return pof_fail_errno(err, code, saved, "cannot %s '%s%s%s'", what, d->path, *file ? "/" : "",
                          file);
}

static int sync_names(struct pof_directory *d, const char *file, struct pof_err *err)
{
    return fsync(d->fd) == 0 ? 0 : trouble(d, POF_E_WRITE, "sync the directory of", file, err);
}

/* The descriptor of a file, opened once; made when `make` and not there. */
static int descriptor(struct pof_directory *d, const char *file, bool make, int *fd,
                      struct pof_err *err)
{
    for (size_t i = 0; i < d->files; i++) {
        if (strcmp(d->file[i].name, file) == 0) {
            *fd = d->file[i].fd;
            return 0;
        }
    }
    if (d->files == FILES || strlen(file) >= NAME) {
        return pof_fail(err, POF_E_INTERNAL, "no room to open '%s'", file);
    }
    bool made = false;
    int mode = (d->writer ? O_RDWR : O_RDONLY) | O_CLOEXEC | O_NOFOLLOW;
    int f = openat(d->fd, file, mode);
    if (f < 0 && errno == ENOENT && make) {
        f = openat(d->fd, file, mode | O_CREAT | O_EXCL, 0666);
        made = true;
    }
    if (f < 0) {
        return trouble(d, made ? POF_E_CREATE : POF_E_OPEN, made ? "create" : "open", file, err);
    }
    memcpy(d->file[d->files].name, file, strlen(file) + 1);
    d->file[d->files++].fd = f;
    *fd = f;
    return made ? sync_names(d, file, err) : 0;
}

static int size_of(void *ctx, const char *file, uint64_t *size, struct pof_err *err)
{
    struct pof_directory *d = ctx;
    struct stat st;
    int fd;
    int rc = descriptor(d, file, false, &fd, err);
    if (rc == 0 && fstat(fd, &st) != 0) {
        rc = trouble(d, POF_E_READ, "look at", file, err);
    }
    if (rc == 0) {
        *size = (uint64_t)st.st_size;
    }
    return rc;
}

static int read_at(void *ctx, struct pof_place from, void *to, size_t n, struct pof_err *err)
{
    struct pof_directory *d = ctx;
    int fd;
    int rc = descriptor(d, from.file, false, &fd, err);
    char *p = to;
    while (rc == 0 && n) {
        ssize_t got = pread(fd, p, n, (off_t)from.at);
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got < 0) {
            rc = trouble(d, POF_E_READ, "read", from.file, err);
        } else if (got == 0) {
            rc = pof_fail(err, POF_E_TRUNCATED, "'%s/%s' ends at byte %llu", d->path, from.file,
                          (unsigned long long)from.at);
        } else {
            p += got;
            n -= (size_t)got;
            from.at += (uint64_t)got;
        }
    }
    return rc;
}

static int write_at(void *ctx, struct pof_place to, const void *from, size_t n, struct pof_err *err)
{
    struct pof_directory *d = ctx;
    int fd;
    int rc = descriptor(d, to.file, true, &fd, err);
    const char *p = from;
    while (rc == 0 && n) {
        ssize_t done = pwrite(fd, p, n, (off_t)to.at);
        if (done < 0 && errno == EINTR) {
            continue;
        }
        if (done < 0) {
            rc = trouble(d, POF_E_WRITE, "write", to.file, err);
        } else {
            p += done;
            n -= (size_t)done;
            to.at += (uint64_t)done;
        }
    }
    return rc;
}

static int cut(void *ctx, const char *file, uint64_t size, struct pof_err *err)
{
    struct pof_directory *d = ctx;
    int fd;
    int rc = descriptor(d, file, false, &fd, err);
    if (rc == 0 && ftruncate(fd, (off_t)size) != 0) {
        rc = trouble(d, POF_E_WRITE, "shorten", file, err);
    }
    return rc;
}

static int sync_file(void *ctx, const char *file, struct pof_err *err)
{
    struct pof_directory *d = ctx;
    int fd;
    int rc = descriptor(d, file, false, &fd, err);
    if (rc == 0 && fdatasync(fd) != 0) {
        rc = trouble(d, POF_E_WRITE, "sync", file, err);
    }
    return rc;
}

/* Writes and syncs a file under a name of its own. */
static int write_new(struct pof_directory *d, const char *file, struct pof_text bytes, int flags,
                     struct pof_err *err)
{
    mode_t mode = flags & O_EXCL ? 0600 : 0666;
    int fd = openat(d->fd, file, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW | flags, mode);
    if (fd < 0) {
        return trouble(d, errno == EEXIST ? POF_E_EXISTS : POF_E_CREATE, "create", file, err);
    }
    int rc = pof_write_all(fd, bytes.ptr, bytes.len, file, err);
    if (rc == 0 && fsync(fd) != 0) {
        rc = trouble(d, POF_E_WRITE, "sync", file, err);
    }
    if (close(fd) != 0 && rc == 0) {
        rc = trouble(d, POF_E_WRITE, "close", file, err);
    }
    return rc;
}

/* Closes a file that was kept open: its name will mean another one. */
static void forget(struct pof_directory *d, const char *file)
{
    for (size_t i = 0; i < d->files; i++) {
        if (strcmp(d->file[i].name, file) == 0) {
            close(d->file[i].fd);
            d->file[i] = d->file[--d->files];
            return;
        }
    }
}

/* One writer at a time, so the temporary name can be the same each time and leaves nothing behind
 * that the next try does not use. */
static int replace(void *ctx, const char *file, struct pof_text bytes, struct pof_err *err)
{
    struct pof_directory *d = ctx;
    char temp[NAME + 8];
    int n = snprintf(temp, sizeof temp, ".%s.new", file);
    if (n < 0 || n >= (int)sizeof temp) {
        return pof_fail(err, POF_E_INTERNAL, "the name '%s' is too long", file);
    }
    int rc = write_new(d, temp, bytes, O_TRUNC, err);
    if (rc == 0 && renameat(d->fd, temp, d->fd, file) != 0) {
        rc = trouble(d, POF_E_CREATE, "rename a new file to", file, err);
    }
    forget(d, file);
    return rc ? rc : sync_names(d, file, err);
}

struct pof_folder pof_directory_folder(struct pof_directory *d)
{
    return (struct pof_folder){.size = size_of,
                               .read = read_at,
                               .write = write_at,
                               .cut = cut,
                               .sync = sync_file,
                               .replace = replace,
                               .ctx = d,
                               .name = d->path};
}

int pof_directory_secret(struct pof_directory *d, const char *file, struct pof_text bytes,
                         struct pof_err *err)
{
    int rc = write_new(d, file, bytes, O_EXCL, err);
    return rc ? rc : sync_names(d, file, err);
}

static int new_directory(struct pof_directory **out, const char *path, struct pof_err *err)
{
    struct pof_directory *d;
    int rc = pof_calloc(&d, 1, sizeof *d, err);
    if (rc) {
        return rc;
    }
    d->fd = -1;
    d->path = strdup(path);
    if (!d->path) {
        free(d);
        return pof_fail(err, POF_E_NOMEM, "out of memory");
    }
    *out = d;
    return 0;
}

int pof_directory_open(struct pof_directory **out, const char *path, const char *lock,
                       struct pof_err *err)
{
    struct pof_directory *d;
    int rc = new_directory(&d, path, err);
    if (rc) {
        return rc;
    }
    d->writer = lock != NULL;
    d->fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int fd;
    if (d->fd < 0) {
        rc = trouble(d, POF_E_OPEN, "open", "", err);
    }
    if (rc == 0 && lock) {
        rc = descriptor(d, lock, false, &fd, err);
        if (rc == 0 && flock(fd, LOCK_EX | LOCK_NB) != 0) {
            rc = errno == EWOULDBLOCK
                     ? pof_fail(err, POF_E_LOCKED, "somebody else is writing to '%s'", path)
                     : trouble(d, POF_E_LOCKED, "lock", lock, err);
        }
    }
    if (rc) {
        pof_directory_close(d);
        return rc;
    }
    *out = d;
    return 0;
}

/* ".NAME.XXXXXX" beside the path, which may end in slashes. */
static char *temp_name(const char *path, struct pof_err *err)
{
    size_t n = strlen(path);
    while (n > 1 && path[n - 1] == '/') {
        n--;
    }
    size_t name = n;
    while (name > 0 && path[name - 1] != '/') {
        name--;
    }
    struct pof_buf b = {0};
    if (pof_buf_add(&b, path, name, err) ||
        pof_buf_addf(&b, err, ".%.*s.XXXXXX", (int)(n - name), path + name) ||
        pof_buf_add(&b, "", 1, err)) {
        pof_buf_release(&b);
    }
    return b.data;
}

int pof_directory_make(struct pof_directory **out, const char *path, struct pof_err *err)
{
    struct pof_directory *d;
    int rc = new_directory(&d, path, err);
    if (rc) {
        return rc;
    }
    struct stat st;
    d->writer = true;
    char *temp = temp_name(path, err);
    if (!temp) {
        rc = POF_E_NOMEM;
    } else if (lstat(path, &st) == 0 && (!S_ISDIR(st.st_mode) || rmdir(path) != 0)) {
        rc = pof_fail(err, POF_E_EXISTS, "'%s' exists, expected a new or empty directory", path);
    } else if (!mkdtemp(temp)) {
        rc = trouble(d, POF_E_CREATE, "create", "", err);
    } else {
        d->temp = temp;
        temp = NULL;
        mode_t mask = umask(0);
        umask(mask);
        d->fd = open(d->temp, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (d->fd < 0 || fchmod(d->fd, 0777 & ~mask) != 0) {
            rc = trouble(d, POF_E_CREATE, "create", "", err);
        }
    }
    free(temp);
    if (rc) {
        pof_directory_close(d);
        return rc;
    }
    *out = d;
    return 0;
}

/* Syncs the directory that holds a path which does not end in a slash. */
static int sync_parent(const char *path, struct pof_err *err)
{
    const char *slash = strrchr(path, '/');
    char *parent = slash ? strndup(path, slash == path ? 1 : (size_t)(slash - path)) : strdup(".");
    if (!parent) {
        return pof_fail(err, POF_E_NOMEM, "out of memory");
    }
    int fd = open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int rc = fd >= 0 && fsync(fd) == 0 ? 0
                                       : pof_fail_errno(err, POF_E_WRITE, errno,
                                                        "cannot sync the directory of '%s'", path);
    if (fd >= 0) {
        close(fd);
    }
    free(parent);
    return rc;
}

int pof_directory_publish(struct pof_directory *d, struct pof_err *err)
{
    int rc = sync_names(d, "", err);
    if (rc == 0 && rename(d->temp, d->path) != 0) {
        rc = trouble(d, errno == EEXIST || errno == ENOTEMPTY ? POF_E_EXISTS : POF_E_CREATE,
                     "give a new directory the name", "", err);
    }
    if (rc == 0) {
        rc = sync_parent(d->temp, err);
        free(d->temp);
        d->temp = NULL;
    }
    return rc;
}

/* Removes an unpublished directory; errors leave a ".NAME.XXXXXX" behind and nothing else. */
static void remove_temp(struct pof_directory *d)
{
    DIR *list = opendir(d->temp);
    if (list) {
        for (struct dirent *e = readdir(list); e; e = readdir(list)) {
            if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0) {
                unlinkat(dirfd(list), e->d_name, 0);
            }
        }
        closedir(list);
    }
    rmdir(d->temp);
}

void pof_directory_close(struct pof_directory *d)
{
    if (!d) {
        return;
    }
    if (d->temp) {
        remove_temp(d);
    }
    for (size_t i = 0; i < d->files; i++) {
        close(d->file[i].fd);
    }
    if (d->fd >= 0) {
        close(d->fd);
    }
    free(d->temp);
    free(d->path);
    free(d);
}

bool pof_file_exists(const char *path)
{
    struct stat st;
    return lstat(path, &st) == 0;
}

int pof_directory_link(struct pof_directory *d, const char *file, const char *path,
                       struct pof_err *err)
{
    char *whole = realpath(path, NULL);
    int rc = 0;
    if (!whole) {
        rc = pof_fail_errno(err, POF_E_OPEN, errno, "cannot open '%s'", path);
    } else if (symlinkat(whole, d->fd, file) != 0) {
        rc = trouble(d, POF_E_CREATE, "create", file, err);
    }
    free(whole);
    return rc ? rc : sync_names(d, file, err);
}

int pof_secret_write(const char *path, struct pof_text bytes, struct pof_err *err)
{
    char *temp = temp_name(path, err);
    if (!temp) {
        return POF_E_NOMEM;
    }
    int fd = mkostemp(temp, O_CLOEXEC); /* mode 0600 */
    int rc = fd < 0 ? pof_fail_errno(err, POF_E_CREATE, errno, "cannot create '%s'", path)
                    : pof_write_all(fd, bytes.ptr, bytes.len, path, err);
    if (rc == 0 && fsync(fd) != 0) {
        rc = pof_fail_errno(err, POF_E_WRITE, errno, "cannot sync '%s'", path);
    }
    /* link(2), unlike rename(2), never takes the place of a file that is there */
    if (rc == 0 && link(temp, path) != 0) {
        rc = pof_fail_errno(err, errno == EEXIST ? POF_E_EXISTS : POF_E_CREATE, errno,
                            "cannot create '%s'", path);
    }
    if (fd >= 0) {
        close(fd);
        unlink(temp);
    }
    free(temp);
    return rc ? rc : sync_parent(path, err);
}

int pof_secret_read(const char *path, size_t max, struct pof_buf *out, struct pof_err *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return pof_fail_errno(err, POF_E_OPEN, errno, "cannot open '%s'", path);
    }
    struct stat st;
    int rc = 0;
    if (fstat(fd, &st) != 0 || !(S_ISREG(st.st_mode) || S_ISFIFO(st.st_mode))) {
        rc = pof_fail(err, POF_E_OPEN, "'%s' is not a file", path);
    } else if (st.st_mode & (S_IRWXG | S_IRWXO)) {
        rc = pof_fail(err, POF_E_PERMISSION,
                      "'%s' holds a secret and others may use it (mode %03o), expected mode 600; "
                      "chmod 600 it",
                      path, (unsigned)(st.st_mode & 0777));
    } else if ((uint64_t)st.st_size > max) {
        rc = pof_fail(err, POF_E_TOO_LONG, "'%s' has more than %zu bytes", path, max);
    }
    rc = rc ? rc : pof_buf_reserve(out, max + 1, err);
    for (ssize_t n = 1; rc == 0 && n > 0 && out->len < max;) { /* a pipe gives it in parts */
        n = read(fd, out->data + out->len, max - out->len);
        if (n < 0 && errno != EINTR) {
            rc = pof_fail_errno(err, POF_E_READ, errno, "cannot read '%s'", path);
        }
        out->len += n > 0 ? (size_t)n : 0;
        n = n < 0 ? 1 : n;
    }
    close(fd);
    return rc;
}
