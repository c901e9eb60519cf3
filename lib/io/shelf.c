/* SPDX-License-Identifier: Apache-2.0 */
/* The spool of documents. */
#include "io/shelf.h"

#include "io/directory.h"
#include "io/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { DIGITS = 12, NAME = 64, PATH = 4096 };

static const char last_name[] = ".last";

struct pof_shelf {
    struct pof_shelf_place where;
    struct pof_directory *directory; /* holds the lock */
    int dir_fd, fd;
    uint64_t number; /* of the last document */
    struct pof_buf last; /* what .last holds: the number, LF, the note */
    size_t note;         /* where in it the note begins */
    char path[PATH];
};

static int trouble(const struct pof_shelf *s, enum pof_code code, const char *what, const char *file,
                   struct pof_err *err)
{
    int saved = errno;
    return pof_fail_errno(err, code, saved, "cannot %s '%.120s/%s'", what, s->where.dir, file);
}

static void doc_name(uint64_t number, char name[NAME])
{
    snprintf(name, NAME, ".%0*" PRIu64 ".doc", DIGITS, number);
}

static void whole_name(const struct pof_shelf *s, uint64_t number, char name[NAME])
{
    snprintf(name, NAME, "%0*" PRIu64 "%s", DIGITS, number, s->where.ending);
}

static int sync_names(const struct pof_shelf *s, struct pof_err *err)
{
    return fsync(s->dir_fd) == 0 ? 0 : trouble(s, POF_E_WRITE, "sync", "", err);
}

/* --- what is there --- */

struct found {
    uint64_t highest; /* number of a document; 0: none */
    size_t files;
};

static int look(const struct pof_shelf *s, struct found *f, struct pof_err *err)
{
    *f = (struct found){0};
    DIR *d = opendir(s->where.dir);
    if (!d) {
        return trouble(s, POF_E_OPEN, "read the directory", "", err);
    }
    for (const struct dirent *e = readdir(d); e; e = readdir(d)) {
        if (strspn(e->d_name, "0123456789") == DIGITS && strcmp(e->d_name + DIGITS, s->where.ending) == 0) {
            uint64_t number = strtoull(e->d_name, NULL, 10);
            f->highest = number > f->highest ? number : f->highest;
            f->files++;
        }
    }
    closedir(d);
    return 0;
}

/* Reads .last, if there is one. */
static int recall(struct pof_shelf *s, struct pof_err *err)
{
    struct pof_folder folder = pof_directory_folder(s->directory);
    if (faccessat(s->dir_fd, last_name, F_OK, 0) != 0) {
        return 0;
    }
    int rc = pof_folder_slurp(&folder, last_name, POF_SHELF_NOTE_MAX + NAME, &s->last, err);
    if (rc) {
        return rc;
    }
    size_t digits = strspn(s->last.data, "0123456789"); /* there is a NUL behind */
    if (digits == 0 || digits > DIGITS || s->last.data[digits] != '\n') {
        return pof_fail(err, POF_E_CONFIG,
                        "'%.200s/%s' does not begin with a number; remove it, and the document comes again",
                        s->where.dir, last_name);
    }
    s->number = strtoull(s->last.data, NULL, 10);
    s->note = digits + 1;
    return 0;
}

/* Gives the last document its name. */
static int hand_on(struct pof_shelf *s, const char **path, struct pof_err *err)
{
    char doc[NAME];
    char whole[NAME];
    doc_name(s->number, doc);
    whole_name(s, s->number, whole);
    if (renameat2(s->dir_fd, doc, s->dir_fd, whole, RENAME_NOREPLACE) != 0) {
        return trouble(s, POF_E_CREATE, "hand on", whole, err);
    }
    snprintf(s->path, sizeof s->path, "%s/%s", s->where.dir, whole);
    *path = s->path;
    return sync_names(s, err);
}

/* Goes on where the last one ended. */
static int go_on(struct pof_shelf *s, const char **path, struct pof_err *err)
{
    char doc[NAME];
    struct found f;
    int rc = recall(s, err);
    rc = rc ? rc : look(s, &f, err);
    if (rc) {
        return rc;
    }
    doc_name(s->number, doc);
    if (s->number && faccessat(s->dir_fd, doc, F_OK, 0) == 0) {
        rc = hand_on(s, path, err);
    }
    s->number = f.highest > s->number ? f.highest : s->number;
    return rc;
}

static int lock(struct pof_shelf *s, struct pof_err *err)
{
    static const char name[] = ".lock";
    int fd = openat(s->dir_fd, name, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0666);
    if (fd < 0) {
        return trouble(s, POF_E_CREATE, "create", name, err);
    }
    close(fd);
    return pof_directory_open(&s->directory, s->where.dir, name, err);
}

int pof_shelf_open(struct pof_shelf **out, struct pof_shelf_place where, const char **path,
                   struct pof_err *err)
{
    struct pof_shelf *s;
    *out = NULL;
    *path = "";
    if (strlen(where.dir) + NAME > PATH || strlen(where.ending) + DIGITS + 1 > NAME) {
        return pof_fail(err, POF_E_OPEN, "the name of the directory '%.80s' or of files in it is too long",
                        where.dir);
    }
    int rc = pof_calloc(&s, 1, sizeof *s, err);
    if (rc) {
        return rc;
    }
    s->where = where;
    s->fd = -1;
    s->dir_fd = open(where.dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    rc = s->dir_fd < 0 ? trouble(s, POF_E_OPEN, "open the directory", "", err) : lock(s, err);
    rc = rc ? rc : go_on(s, path, err);
    if (rc) {
        pof_shelf_close(s);
        return rc;
    }
    *out = s;
    return 0;
}

void pof_shelf_close(struct pof_shelf *s)
{
    if (s) {
        if (s->fd >= 0) {
            close(s->fd);
        }
        if (s->dir_fd >= 0) {
            close(s->dir_fd);
        }
        pof_directory_close(s->directory);
        pof_buf_release(&s->last);
        free(s);
    }
}

struct pof_text pof_shelf_note(const struct pof_shelf *s)
{
    return (struct pof_text){s->last.data ? s->last.data + s->note : "", s->last.len - s->note};
}

int pof_shelf_files(const struct pof_shelf *s, size_t *n, struct pof_err *err)
{
    struct found f;
    int rc = look(s, &f, err);
    *n = rc ? 0 : f.files;
    return rc;
}

/* --- a document --- */

int pof_shelf_begin(struct pof_shelf *s, struct pof_err *err)
{
    char doc[NAME];
    doc_name(s->number + 1, doc);
    if (s->fd >= 0) {
        close(s->fd);
    }
    s->fd = openat(s->dir_fd, doc, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0666);
    return s->fd >= 0 ? 0 : trouble(s, POF_E_CREATE, "create", doc, err);
}

static int take(void *ctx, const void *from, size_t n, struct pof_err *err)
{
    const struct pof_shelf *s = ctx;
    return pof_write_all(s->fd, from, n, s->where.dir, err);
}

struct pof_sink pof_shelf_sink(struct pof_shelf *s)
{
    return (struct pof_sink){take, s, s->where.dir};
}

static int write_note(struct pof_shelf *s, uint64_t number, struct pof_text note, struct pof_err *err)
{
    struct pof_folder folder = pof_directory_folder(s->directory);
    struct pof_buf b = {0};
    if (note.len > POF_SHELF_NOTE_MAX) {
        return pof_fail(err, POF_E_INTERNAL, "a note of %zu bytes", note.len);
    }
    int rc = pof_buf_addf(&b, err, "%" PRIu64 "\n", number);
    size_t at = b.len;
    rc = rc ? rc : pof_buf_add(&b, note.ptr, note.len, err);
    rc = rc ? rc : folder.replace(folder.ctx, last_name, (struct pof_text){b.data, b.len}, err);
    if (rc) {
        pof_buf_release(&b);
        return rc;
    }
    pof_buf_release(&s->last);
    s->last = b;
    s->note = at;
    return 0;
}

int pof_shelf_keep(struct pof_shelf *s, struct pof_text note, const char **path, struct pof_err *err)
{
    char doc[NAME];
    doc_name(s->number + 1, doc);
    if (fsync(s->fd) != 0) {
        return trouble(s, POF_E_WRITE, "sync", doc, err);
    }
    close(s->fd);
    s->fd = -1;
    int rc = sync_names(s, err);
    rc = rc ? rc : write_note(s, s->number + 1, note, err);
    s->number += rc == 0;
    return rc ? rc : hand_on(s, path, err);
}

int pof_shelf_renote(struct pof_shelf *s, struct pof_text note, struct pof_err *err)
{
    return write_note(s, s->number, note, err);
}
