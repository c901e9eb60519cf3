/* SPDX-License-Identifier: Apache-2.0 */
/* Frames of the journal. */
#include "trust/log_private.h"

#include "base/mem.h"

#include <string.h>

/* Begins with NUL, which no text record holds, so entries do not look like frames. */
static const char magic[4] = {'\0', 'p', 'o', 'f'};
enum { COUNT = 4, FIRST = 8, BYTES = 16, CHECK = 24, LENGTH = 2 };

const char pofi_journal_header[POFI_JOURNAL_HEADER] = "POF journal 1\n\0";

int pofi_journal_begins(struct pof_log *log, uint64_t end, bool *good, struct pof_err *err)
{
    char header[POFI_JOURNAL_HEADER];
    *good = false;
    if (end < sizeof header) {
        return 0;
    }
    struct pof_folder *f = &log->folder;
    int rc = f->read(f->ctx, (struct pof_place){"journal", 0}, header, sizeof header, err);
    *good = rc == 0 && memcmp(header, pofi_journal_header, sizeof header) == 0;
    return rc;
}

static void put(char *to, uint64_t v, int n)
{
    for (int i = n - 1; i >= 0; i--, v >>= 8) {
        to[i] = (char)(v & 255);
    }
}

static uint64_t get(const char *from, int n)
{
    uint64_t v = 0;
    for (int i = 0; i < n; i++) {
        v = v << 8 | (unsigned char)from[i];
    }
    return v;
}

/* The leaf hashes stand for the entries in the checksum: they are computed anyway. */
static void checksum(struct pof_log *log, const char *header, const void *leaves, size_t count,
                     struct pof_hash *out)
{
    pof_hash_two(log->hasher, (struct pof_text){header, CHECK},
                 (struct pof_text){leaves, count * POF_HASH}, out);
}

void pofi_frame_close(struct pof_log *log)
{
    char *header = log->batch.data;
    memcpy(header, magic, sizeof magic);
    put(header + COUNT, log->pending, 4);
    put(header + FIRST, log->size, 8);
    put(header + BYTES, log->batch.len - POFI_FRAME_HEADER, 8);
    struct pof_hash check;
    checksum(log, header, log->tile[0].data, log->pending, &check);
    memcpy(header + CHECK, check.b, POF_HASH);
}

uint64_t pofi_frame_end(const struct pofi_frame *frame)
{
    return frame->at + POFI_FRAME_HEADER + frame->bytes;
}

struct pof_text pofi_frame_entry(const struct pofi_frame *frame, size_t *at)
{
    const char *p = frame->data.data + *at;
    struct pof_text entry = {p + LENGTH, (size_t)get(p, LENGTH)};
    *at += LENGTH + entry.len;
    return entry;
}

static bool parse_header(const char *header, uint64_t at, uint64_t end, struct pofi_frame *frame)
{
    frame->at = at;
    frame->count = (uint32_t)get(header + COUNT, 4);
    frame->first = get(header + FIRST, 8);
    frame->bytes = get(header + BYTES, 8);
    return memcmp(header, magic, sizeof magic) == 0 && frame->count > 0 &&
           frame->count <= POF_BATCH_MAX && frame->bytes >= frame->count * (uint64_t)LENGTH &&
           frame->bytes <= end - at - POFI_FRAME_HEADER &&
           frame->bytes <= (uint64_t)POF_BATCH_BYTES + LENGTH + POF_ENTRY_MAX;
}

/* Do the lengths of the entries fill the frame exactly? */
static bool lengths_fit(const struct pofi_frame *frame)
{
    uint64_t at = 0;
    for (uint32_t i = 0; i < frame->count; i++) {
        if (frame->bytes - at < LENGTH) {
            return false;
        }
        uint64_t n = get(frame->data.data + at, LENGTH);
        if (frame->bytes - at - LENGTH < n) {
            return false;
        }
        at += LENGTH + n;
    }
    return at == frame->bytes;
}

int pofi_frame_read(struct pof_log *log, uint64_t at, uint64_t end, struct pofi_frame *frame,
                    struct pof_err *err)
{
    frame->framed = frame->split = frame->whole = false;
    if (end - at < POFI_FRAME_HEADER) {
        return 0;
    }
    struct pof_folder *f = &log->folder;
    char header[POFI_FRAME_HEADER];
    int rc = f->read(f->ctx, (struct pof_place){"journal", at}, header, sizeof header, err);
    if (rc || !parse_header(header, at, end, frame)) {
        return rc;
    }
    frame->framed = true;
    frame->data.len = 0;
    rc = pof_buf_reserve(&frame->data, (size_t)frame->bytes, err);
    rc = rc ? rc : pof_grow(&frame->leaf, &frame->leaf_cap, frame->count, POF_HASH, err);
    rc = rc ? rc
            : f->read(f->ctx, (struct pof_place){"journal", at + POFI_FRAME_HEADER},
                      frame->data.data, (size_t)frame->bytes, err);
    if (rc || !lengths_fit(frame)) {
        return rc;
    }
    frame->data.len = (size_t)frame->bytes;
    frame->split = true;
    size_t place = 0;
    for (uint32_t i = 0; i < frame->count; i++) {
        struct pof_text entry = pofi_frame_entry(frame, &place);
        pof_merkle_leaf(log->hasher, entry.ptr, entry.len, &frame->leaf[i]);
    }
    struct pof_hash check;
    checksum(log, header, frame->leaf, frame->count, &check);
    frame->whole = memcmp(check.b, header + CHECK, POF_HASH) == 0;
    return pof_hasher_check(log->hasher, err);
}

int pofi_frame_seek(struct pof_log *log, uint64_t at, uint64_t end, struct pofi_frame *frame,
                    bool *found, struct pof_err *err)
{
    enum { BLOCK = 64 * 1024 };
    struct pof_folder *f = &log->folder;
    struct pof_buf block = {0};
    int rc = pof_buf_reserve(&block, BLOCK, err);
    *found = false;
    while (rc == 0 && !*found && end - at >= POFI_FRAME_HEADER) {
        size_t n = end - at < BLOCK ? (size_t)(end - at) : BLOCK;
        rc = f->read(f->ctx, (struct pof_place){"journal", at}, block.data, n, err);
        size_t next = n - (sizeof magic - 1); /* a magic across the border is seen again */
        for (size_t i = 0; rc == 0 && !*found && i + sizeof magic <= n; i++) {
            const char *zero = memchr(block.data + i, '\0', n - i);
            i = zero ? (size_t)(zero - block.data) : n;
            if (i + sizeof magic <= n && memcmp(zero, magic, sizeof magic) == 0) {
                rc = pofi_frame_read(log, at + i, end, frame, err);
                *found = rc == 0 && frame->whole;
            }
        }
        at += next;
    }
    pof_buf_release(&block);
    return rc;
}
