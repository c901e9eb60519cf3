/* SPDX-License-Identifier: Apache-2.0 */
/* For tests of the trust room: a folder in memory that can be killed or lose power at every step.
 */
#ifndef POF_TEST_FOLDER_H
#define POF_TEST_FOLDER_H

#include "base/folder.h"
#include "tap.h"

enum { FILES = 16, NAME = 24 };

struct file {
    char name[NAME];
    struct pof_buf now;  /* what a process sees */
    struct pof_buf disk; /* what is there after a power loss */
    bool named;          /* the name is on the disk */
};

enum loss {
    KILLED,     /* the process dies, the kernel lives */
    POWER_NONE, /* nothing that was not synced is there */
    POWER_HALF, /* of each file the first half of what was not synced */
    POWER_ZERO, /* lengths are there, bytes that were not synced are zero */
    LOSSES
};

struct memory {
    struct file file[FILES];
    long step;   /* changes made so far */
    long die_at; /* the change that does not come back, 0: none */
    long eio_at; /* the sync that fails, 0: none */
    long syncs;
    bool dead;
};

__attribute__((unused)) static struct file *find(struct memory *m, const char *name, bool make)
{
    for (int i = 0; i < FILES; i++) {
        if (m->file[i].name[0] == '\0' && make) {
            snprintf(m->file[i].name, NAME, "%s", name);
        }
        if (strcmp(m->file[i].name, name) == 0) {
            return &m->file[i];
        }
    }
    return NULL;
}

static int put(struct pof_buf *b, uint64_t at, const void *from, size_t n, struct pof_err *err)
{
    size_t end = (size_t)at + n;
    int rc = end > b->cap ? pof_grow(&b->data, &b->cap, end, 1, err) : 0;
    if (rc == 0) {
        if (at > b->len) {
            memset(b->data + b->len, 0, (size_t)at - b->len);
        }
        if (n) {
            memcpy(b->data + at, from, n);
        }
        b->len = end > b->len ? end : b->len;
    }
    return rc;
}

/* Counts a change; true when it is the one that is not finished. */
static bool dies(struct memory *m)
{
    m->dead = m->dead || ++m->step == m->die_at;
    return m->dead;
}

static int dead(struct pof_err *err)
{
    return pof_fail(err, POF_E_WRITE, "dead");
}

static int m_size(void *ctx, const char *name, uint64_t *size, struct pof_err *err)
{
    struct file *f = find(ctx, name, false);
    *size = f ? f->now.len : 0;
    return f ? 0 : pof_fail(err, POF_E_OPEN, "no '%s'", name);
}

static int m_read(void *ctx, struct pof_place from, void *to, size_t n, struct pof_err *err)
{
    struct file *f = find(ctx, from.file, false);
    if (!f || from.at + n > f->now.len) {
        return pof_fail(err, POF_E_TRUNCATED, "'%s' is short", from.file);
    }
    if (n) {
        memcpy(to, f->now.data + from.at, n);
    }
    return 0;
}

static int m_write(void *ctx, struct pof_place to, const void *from, size_t n, struct pof_err *err)
{
    struct memory *m = ctx;
    bool over = m->dead;
    bool die = dies(m);
    struct file *f = over ? NULL : find(m, to.file, true);
    int rc = over ? 0 : put(&f->now, to.at, from, die ? n / 2 : n, err);
    f = f ? (f->named = true, f) : f;
    return die ? dead(err) : rc;
}

static int m_cut(void *ctx, const char *name, uint64_t size, struct pof_err *err)
{
    struct memory *m = ctx;
    struct file *f = find(m, name, false);
    if (dies(m) || !f) {
        return dead(err);
    }
    f->now.len = f->now.len < size ? f->now.len : (size_t)size;
    return 0;
}

static int m_sync(void *ctx, const char *name, struct pof_err *err)
{
    struct memory *m = ctx;
    struct file *f = find(m, name, false);
    if (++m->syncs == m->eio_at) {
        return pof_fail(err, POF_E_WRITE, "sync failed");
    }
    if (dies(m) || !f) {
        return dead(err);
    }
    f->disk.len = 0;
    return put(&f->disk, 0, f->now.data, f->now.len, err);
}

static int m_replace(void *ctx, const char *name, struct pof_text bytes, struct pof_err *err)
{
    struct memory *m = ctx;
    if (dies(m)) {
        return dead(err);
    }
    struct file *f = find(m, name, true);
    f->named = true;
    f->now.len = f->disk.len = 0;
    int rc = put(&f->now, 0, bytes.ptr, bytes.len, err);
    return rc ? rc : put(&f->disk, 0, bytes.ptr, bytes.len, err);
}

__attribute__((unused)) static struct pof_folder folder(struct memory *m)
{
    return (struct pof_folder){m_size, m_read, m_write, m_cut, m_sync, m_replace, m, "memory"};
}

__attribute__((unused)) static void release(struct memory *m)
{
    for (int i = 0; i < FILES; i++) {
        pof_buf_release(&m->file[i].now);
        pof_buf_release(&m->file[i].disk);
    }
    *m = (struct memory){0};
}

/* What the next process finds. */
__attribute__((unused)) static void restart(struct memory *m, enum loss loss)
{
    for (int i = 0; i < FILES && loss != KILLED; i++) {
        struct file *f = &m->file[i];
        size_t kept = f->disk.len < f->now.len ? f->disk.len : f->now.len;
        size_t more = f->now.len - kept;
        if (more && loss == POWER_ZERO) {
            memset(f->now.data + kept, 0, more);
        }
        if (loss != POWER_ZERO) {
            f->now.len = kept + (loss == POWER_HALF ? more / 2 : 0);
        }
        if (kept) {
            memcpy(f->now.data, f->disk.data, kept);
        }
    }
    m->dead = false;
    m->die_at = m->eio_at = m->step = m->syncs = 0;
}

#endif
