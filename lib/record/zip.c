/* SPDX-License-Identifier: Apache-2.0 */
/* ZIP archives in memory; zlib inflates. */
#include "record/zip.h"

#include <stdio.h>
#include <string.h>
#include <zlib.h>

enum {
    END_SIZE = 22,    /* end of central directory record, without its comment */
    ENTRY_SIZE = 46,  /* central directory header, without its texts */
    LOCAL_SIZE = 30,  /* local file header, without its texts */
    NAME_MAX_SIZE = 1024,
    PACK_STEP = 1 << 20
};

struct walk {
    const struct pof_zip_taker *taker;
    uint64_t budget; /* bytes that members may still have */
    struct pof_err *err;
};

struct member {
    struct pof_text packed;
    uint32_t method, crc, size;
};

static uint32_t u16(const char *at)
{
    const unsigned char *b = (const unsigned char *)at;
    return (uint32_t)b[0] | (uint32_t)b[1] << 8;
}

static uint32_t u32(const char *at)
{
    return u16(at) | u16(at + 2) << 16;
}

bool pof_zip_is(struct pof_text bytes)
{
    return bytes.len >= 4 && (memcmp(bytes.ptr, "PK\3\4", 4) == 0 || memcmp(bytes.ptr, "PK\5\6", 4) == 0);
}

/* The end record: the last signature whose comment reaches exactly to the end. */
static const char *find_end(struct pof_text a)
{
    if (a.len < END_SIZE) {
        return NULL;
    }
    size_t furthest = a.len > END_SIZE + 65535 ? a.len - END_SIZE - 65535 : 0;
    for (size_t at = a.len - END_SIZE + 1; at-- > furthest;) {
        const char *p = a.ptr + at;
        if (memcmp(p, "PK\5\6", 4) == 0 && at + END_SIZE + u16(p + 20) == a.len) {
            return p;
        }
    }
    return NULL;
}

static int inflate_member(const struct member *m, char *to, struct pof_err *err)
{
    z_stream z = {.next_in = (Bytef *)(uintptr_t)m->packed.ptr,
                  .avail_in = (uInt)m->packed.len,
                  .next_out = (Bytef *)to,
                  .avail_out = (uInt)m->size};
    if (inflateInit2(&z, -MAX_WBITS) != Z_OK) {
        return pof_fail(err, POF_E_NOMEM, "out of memory to unpack");
    }
    int status = inflate(&z, Z_FINISH);
    uLong out = z.total_out;
    inflateEnd(&z);
    if (status == Z_MEM_ERROR) {
        return pof_fail(err, POF_E_NOMEM, "out of memory to unpack");
    }
    if (status != Z_STREAM_END || out != m->size) {
        return pof_fail(err, POF_E_SYNTAX, "the packed bytes do not make the %u bytes promised", m->size);
    }
    return 0;
}

static int unpack(struct walk *w, const struct member *m, struct pof_buf *to)
{
    if (m->size > w->budget) {
        return pof_fail(w->err, POF_E_TOO_LONG,
                        "the archive unpacks to more than an honest one would (%u times its size)",
                        POF_ZIP_RATIO);
    }
    w->budget -= m->size;
    int rc = pof_buf_reserve(to, (size_t)m->size + 1, w->err);
    if (rc) {
        return rc;
    }
    if (m->method == 8) {
        rc = inflate_member(m, to->data, w->err);
    } else if (m->packed.len == m->size) {
        memcpy(to->data, m->packed.ptr, m->size);
    } else {
        rc = pof_fail(w->err, POF_E_SYNTAX, "a stored member has two different sizes");
    }
    if (rc) {
        return rc;
    }
    to->len = m->size;
    to->data[to->len] = '\0';
    if (crc32(crc32(0, NULL, 0), (const Bytef *)to->data, m->size) != m->crc) {
        return pof_fail(w->err, POF_E_CONFLICT, "the check sum does not agree: the archive is damaged");
    }
    return 0;
}

/* Where the bytes of a directory entry lie. */
static int locate(struct pof_text a, const char *entry, struct member *m, struct pof_err *err)
{
    uint32_t flags = u16(entry + 8), packed = u32(entry + 20), at = u32(entry + 42);
    *m = (struct member){.method = u16(entry + 10), .crc = u32(entry + 16), .size = u32(entry + 24)};
    if (flags & 1) {
        return pof_fail(err, POF_E_SCHEMA, "the member is encrypted; unpack it first");
    }
    if (packed == UINT32_MAX || m->size == UINT32_MAX || at == UINT32_MAX) {
        return pof_fail(err, POF_E_SCHEMA, "ZIP64 is not read; unpack it first");
    }
    if (m->method != 0 && m->method != 8) {
        return pof_fail(err, POF_E_SCHEMA, "packing method %u is not read, only 0 and 8 (deflate)",
                        m->method);
    }
    if (at > a.len || a.len - at < LOCAL_SIZE || memcmp(a.ptr + at, "PK\3\4", 4) != 0) {
        return pof_fail(err, POF_E_SYNTAX, "there is no member where the directory says");
    }
    size_t begin = (size_t)at + LOCAL_SIZE + u16(a.ptr + at + 26) + u16(a.ptr + at + 28);
    if (begin > a.len || a.len - begin < packed) {
        return pof_fail(err, POF_E_TRUNCATED, "the archive ends within a member");
    }
    m->packed = (struct pof_text){a.ptr + begin, packed};
    return 0;
}

static int walk_archive(struct walk *w, struct pof_text a, const char *name, int depth);

/* Bounded: an archive within an archive, POF_ZIP_DEPTH deep at most. */
static int hand_out(struct walk *w, const char *name, struct pof_buf *bytes, int depth)
{
    struct pof_text text = {bytes->data, bytes->len};
    if (!pof_zip_is(text)) {
        return w->taker->take(w->taker->ctx, name, bytes, w->err);
    }
    if (depth == POF_ZIP_DEPTH) {
        return pof_fail(w->err, POF_E_DEPTH, "archives lie more than %d deep in each other", POF_ZIP_DEPTH);
    }
    return walk_archive(w, text, name, depth + 1);
}

static int take_entry(struct walk *w, struct pof_text a, const char *entry, const char *name, int depth)
{
    struct member m;
    struct pof_buf bytes = {0};
    int rc = locate(a, entry, &m, w->err);
    rc = rc ? rc : unpack(w, &m, &bytes);
    rc = rc ? rc : hand_out(w, name, &bytes, depth);
    pof_buf_release(&bytes);
    return rc ? pof_at(w->err, name, 0, NULL) : 0;
}

static int walk_archive(struct walk *w, struct pof_text a, const char *name, int depth)
{
    const char *end = find_end(a);
    if (!end) {
        pof_fail(w->err, POF_E_TRUNCATED, "the directory at the end of the archive is missing");
        return pof_at(w->err, name, 0, NULL);
    }
    uint32_t count = u16(end + 10), at = u32(end + 16);
    if (u16(end + 4) != 0 || u16(end + 6) != 0 || u16(end + 8) != count) {
        pof_fail(w->err, POF_E_SCHEMA, "an archive in several parts is not read");
        return pof_at(w->err, name, 0, NULL);
    }
    const char *stop = end;
    const char *entry = at <= (size_t)(stop - a.ptr) ? a.ptr + at : stop;
    for (uint32_t i = 0; i < count; i++) {
        if (stop - entry < ENTRY_SIZE || memcmp(entry, "PK\1\2", 4) != 0 ||
            (size_t)(stop - entry) < (size_t)ENTRY_SIZE + u16(entry + 28) + u16(entry + 30) + u16(entry + 32)) {
            pof_fail(w->err, POF_E_SYNTAX, "entry %u of %u of the directory is not one", i + 1, count);
            return pof_at(w->err, name, 0, NULL);
        }
        uint32_t len = u16(entry + 28);
        char full[NAME_MAX_SIZE];
        snprintf(full, sizeof full, "%s/%.*s", name, (int)len, entry + ENTRY_SIZE);
        bool folder = len > 0 && entry[ENTRY_SIZE + len - 1] == '/';
        int rc = folder ? 0 : take_entry(w, a, entry, full, depth);
        if (rc) {
            return rc;
        }
        entry += (size_t)ENTRY_SIZE + len + u16(entry + 30) + u16(entry + 32);
    }
    return 0;
}

int pof_zip_walk(struct pof_text archive, const char *name, const struct pof_zip_taker *taker,
                 struct pof_err *err)
{
    struct pof_err own = {0};
    uint64_t budget = (uint64_t)archive.len * POF_ZIP_RATIO + POF_ZIP_FREE;
    struct walk w = {.taker = taker,
                     .budget = budget < POF_ZIP_MOST ? budget : POF_ZIP_MOST,
                     .err = err ? err : &own};
    return walk_archive(&w, archive, name, 1);
}

int pof_zip_pack(struct pof_buf *to, struct pof_text bytes, struct pof_err *err)
{
    z_stream z = {0};
    if (deflateInit(&z, 6) != Z_OK) {
        return pof_fail(err, POF_E_NOMEM, "out of memory to pack");
    }
    int rc = 0, status = Z_OK;
    for (size_t at = 0; rc == 0 && status != Z_STREAM_END;) {
        size_t left = bytes.len - at, step = left < PACK_STEP ? left : PACK_STEP;
        rc = pof_buf_reserve(to, PACK_STEP, err);
        if (rc == 0) {
            z.next_in = (Bytef *)(uintptr_t)(bytes.ptr + at);
            z.avail_in = (uInt)step;
            z.next_out = (Bytef *)(to->data + to->len);
            z.avail_out = PACK_STEP;
            status = deflate(&z, step == left ? Z_FINISH : Z_NO_FLUSH);
            at += step - z.avail_in;
            to->len += PACK_STEP - z.avail_out;
        }
    }
    deflateEnd(&z);
    return rc;
}
