/* SPDX-License-Identifier: Apache-2.0 */
/* Files and pipes. */
#include "io/file.h"

#include "base/mem.h"
#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { TEMPS = 256 };

/* Temporary files that exist now, for the signal handler: a slot is filled before its file is made
 * and emptied after it is gone, so the handler never misses one. */
static const char *volatile temps[TEMPS];

struct pof_input {
    int fd;
    char *path;
};

struct pof_output {
    int fd;
    char *path; /* as given; "-" */
    char *temp; /* NULL: written in place */
    size_t slot;
};

static void on_signal(int signal_number)
{
    for (size_t i = 0; i < TEMPS; i++) {
        const char *path = temps[i];
        if (path) {
            unlink(path);
        }
    }
    signal(signal_number, SIG_DFL);
    raise(signal_number);
}

void pof_io_start(void)
{
    static const int signals[] = {SIGINT, SIGTERM, SIGHUP, SIGPIPE};
    for (size_t i = 0; i < sizeof signals / sizeof signals[0]; i++) {
        struct sigaction old;
        if (sigaction(signals[i], NULL, &old) == 0 && old.sa_handler != SIG_IGN) {
            struct sigaction now = {.sa_handler = on_signal};
            sigemptyset(&now.sa_mask);
            sigaction(signals[i], &now, NULL);
        }
    }
}

static char *copy(const char *text, struct pof_err *err)
{
    char *p = strdup(text);
    if (!p) {
        pof_fail(err, POF_E_NOMEM, "out of memory");
    }
    return p;
}

int pof_input_open(struct pof_input **out, const char *path, struct pof_err *err)
{
    struct pof_input *in;
    int rc = pof_calloc(&in, 1, sizeof *in, err);
    if (rc) {
        return rc;
    }
    in->path = copy(path, err);
    bool standard = strcmp(path, "-") == 0;
    in->fd = standard ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
    struct stat st;
    if (!in->path) {
        rc = POF_E_NOMEM;
    } else if (in->fd < 0) {
        rc = pof_fail_errno(err, POF_E_OPEN, errno, "cannot open '%s'", path);
    } else if (fstat(in->fd, &st) == 0 && S_ISDIR(st.st_mode)) {
        rc = pof_fail(err, POF_E_OPEN, "'%s' is a directory, expected a file", path);
    }
    if (rc) {
        pof_input_close(in);
        return rc;
    }
    *out = in;
    return 0;
}

static ssize_t input_read(void *ctx, void *to, size_t n, struct pof_err *err)
{
    struct pof_input *in = ctx;
    for (;;) {
        ssize_t got = read(in->fd, to, n);
        if (got >= 0) {
            return got;
        }
        if (errno != EINTR) {
            pof_fail_errno(err, POF_E_READ, errno, "cannot read");
            return pof_at(err, in->path, 0, NULL);
        }
    }
}

struct pof_source pof_input_source(struct pof_input *in)
{
    return (struct pof_source){input_read, in, in->path};
}

void pof_input_close(struct pof_input *in)
{
    if (in) {
        if (in->fd > STDIN_FILENO) {
            close(in->fd);
        }
        free(in->path);
        free(in);
    }
}

int pof_write_all(int fd, const void *bytes, size_t n, const char *name, struct pof_err *err)
{
    const char *p = bytes;
    while (n) {
        ssize_t done = write(fd, p, n);
        if (done < 0 && errno == EINTR) {
            continue;
        }
        if (done < 0 && errno == EPIPE) {
            signal(SIGPIPE, SIG_DFL);
            on_signal(SIGPIPE);
        }
        if (done < 0) {
            int saved = errno;
            pof_fail_errno(err, POF_E_WRITE, saved, "cannot write");
            return pof_at(err, name, 0, NULL);
        }
        p += done;
        n -= (size_t)done;
    }
    return 0;
}

static int output_write(void *ctx, const void *from, size_t n, struct pof_err *err)
{
    struct pof_output *o = ctx;
    return pof_write_all(o->fd, from, n, o->path, err);
}

struct pof_sink pof_output_sink(struct pof_output *o)
{
    return (struct pof_sink){output_write, o, o->path};
}

static void output_free(struct pof_output *o)
{
    if (o->fd > STDERR_FILENO) {
        close(o->fd);
    }
    free(o->temp);
    free(o->path);
    free(o);
}

/* ".NAME.XXXXXX" beside the path. */
static char *temp_name(const char *path, struct pof_err *err)
{
    const char *slash = strrchr(path, '/');
    size_t dir = slash ? (size_t)(slash - path) + 1 : 0;
    struct pof_buf b = {0};
    if (pof_buf_add(&b, path, dir, err) || pof_buf_addf(&b, err, ".%s.XXXXXX", path + dir) ||
        pof_buf_add(&b, "", 1, err)) {
        pof_buf_release(&b);
        return NULL;
    }
    return b.data;
}

static int open_temp(struct pof_output *o, struct pof_err *err)
{
    o->temp = temp_name(o->path, err);
    if (!o->temp) {
        return POF_E_NOMEM;
    }
    for (o->slot = 0; o->slot < TEMPS && temps[o->slot]; o->slot++) {
    }
    if (o->slot == TEMPS) {
        return pof_fail(err, POF_E_CREATE, "more than %d output files at once", TEMPS);
    }
    o->fd = mkostemp(o->temp, O_CLOEXEC);
    if (o->fd < 0) {
        return pof_fail_errno(err, POF_E_CREATE, errno, "cannot create '%s'", o->path);
    }
    temps[o->slot] = o->temp;
    mode_t mask = umask(0);
    umask(mask);
    if (fchmod(o->fd, 0666 & ~mask) != 0) {
        return pof_fail_errno(err, POF_E_CREATE, errno, "cannot set the mode of '%s'", o->path);
    }
    return 0;
}

static int open_path(struct pof_output *o, bool force, struct pof_err *err)
{
    struct stat st;
    if (strcmp(o->path, "-") == 0) {
        o->fd = STDOUT_FILENO;
        return 0;
    }
    bool there = stat(o->path, &st) == 0;
    if (there && S_ISDIR(st.st_mode)) {
        return pof_fail(err, POF_E_CREATE, "'%s' is a directory, expected a file", o->path);
    }
    if (there && !S_ISREG(st.st_mode)) {
        o->fd = open(o->path, O_WRONLY | O_CLOEXEC);
        return o->fd >= 0 ? 0
                          : pof_fail_errno(err, POF_E_CREATE, errno, "cannot open '%s'", o->path);
    }
    if (there && !force) {
        return pof_fail(err, POF_E_EXISTS, "'%s' exists; --force replaces it", o->path);
    }
    return open_temp(o, err);
}

int pof_output_open(struct pof_output **out, const char *path, bool force, struct pof_err *err)
{
    struct pof_output *o;
    int rc = pof_calloc(&o, 1, sizeof *o, err);
    if (rc) {
        return rc;
    }
    o->fd = -1;
    o->path = copy(path ? path : "-", err);
    rc = o->path ? open_path(o, force, err) : POF_E_NOMEM;
    if (rc) {
        pof_output_abort(o);
        return rc;
    }
    *out = o;
    return 0;
}

static int sync_directory(const char *path, struct pof_err *err)
{
    const char *slash = strrchr(path, '/');
    char *dir = slash ? strndup(path, slash == path ? 1 : (size_t)(slash - path)) : strdup(".");
    if (!dir) {
        return pof_fail(err, POF_E_NOMEM, "out of memory");
    }
    int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int rc = 0;
    if (fd < 0 || (fsync(fd) != 0 && errno != EINVAL)) {
        rc = pof_fail_errno(err, POF_E_WRITE, errno, "cannot sync the directory of '%s'", path);
    }
    if (fd >= 0) {
        close(fd);
    }
    free(dir);
    return rc;
}

int pof_output_commit(struct pof_output *o, struct pof_err *err)
{
    int rc = 0;
    if (o->temp) {
        if (fsync(o->fd) != 0) {
            rc = pof_fail_errno(err, POF_E_WRITE, errno, "cannot sync '%s'", o->path);
        } else if (rename(o->temp, o->path) != 0) {
            rc = pof_fail_errno(err, POF_E_CREATE, errno, "cannot rename to '%s'", o->path);
        } else {
            temps[o->slot] = NULL;
            free(o->temp);
            o->temp = NULL;
            rc = sync_directory(o->path, err);
        }
    }
    if (o->fd == STDOUT_FILENO || (!o->temp && o->fd > STDERR_FILENO)) {
        /* A late error, such as a full disk behind a network file system, shows at close. */
        int fd = o->fd;
        o->fd = -1;
        if (close(fd) != 0 && rc == 0) {
            rc = pof_fail_errno(err, POF_E_WRITE, errno, "cannot close '%s'", o->path);
        }
    }
    if (rc) {
        pof_output_abort(o);
    } else {
        output_free(o);
    }
    return rc;
}

void pof_output_abort(struct pof_output *o)
{
    if (o) {
        if (o->temp && o->fd >= 0) {
            unlink(o->temp);
            temps[o->slot] = NULL;
        }
        output_free(o);
    }
}
