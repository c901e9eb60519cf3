/* SPDX-License-Identifier: Apache-2.0 */
/* Making, opening, growing and signing a log. */
#include "trust/log_private.h"

#include "base/mem.h"
#include "base/base64.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static const char signed_title[] = "pof.signed/1";

/* --- small files --- */

static int write_vkey(const struct pof_folder *f, const struct pof_vkey *key, struct pof_err *err)
{
    struct pof_buf b = {0};
    int rc = pof_vkey_format(&b, key, err);
    rc = rc ? rc : pof_buf_add(&b, "\n", 1, err);
    rc = rc ? rc : f->replace(f->ctx, "vkey", (struct pof_text){b.data, b.len}, err);
    pof_buf_release(&b);
    return rc;
}

static int read_vkey(struct pof_log *log, struct pof_err *err)
{
    struct pof_buf b = {0};
    int rc = pof_folder_slurp(&log->folder, "vkey", 4096, &b, err);
    rc = rc ? rc : pof_vkey_parse(&log->vkey, (struct pof_text){b.data, b.len}, err);
    pof_buf_release(&b);
    return rc;
}

static int write_signed(struct pof_log *log, const struct pofi_signed *last, struct pof_err *err)
{
    struct pof_buf b = {0};
    int rc = pof_buf_addf(&b, err, "%s\n%" PRIu64 "\n", signed_title, last->head.size);
    rc = rc ? rc : pof_base64_add(&b, last->head.root.b, POF_HASH, err);
    rc = rc ? rc : pof_buf_addf(&b, err, "\n%" PRIu64 "\n", last->bytes);
    struct pof_folder *f = &log->folder;
    rc = rc ? rc : f->replace(f->ctx, "signed", (struct pof_text){b.data, b.len}, err);
    pof_buf_release(&b);
    return rc;
}

static int read_signed(struct pof_log *log, struct pof_err *err)
{
    struct pof_buf b = {0};
    int rc = pof_folder_slurp(&log->folder, "signed", 4096, &b, err);
    struct pof_text rest = {b.data, b.len};
    struct pof_text title, size, root, bytes;
    struct pofi_signed *s = &log->last;
    if (rc == 0 &&
        !(pof_tlog_line(&rest, &title) && pof_text_is(title, signed_title) &&
          pof_tlog_line(&rest, &size) && pof_tlog_number(size, &s->head.size) &&
          pof_tlog_line(&rest, &root) && pof_tlog_hash(root, &s->head.root) &&
          pof_tlog_line(&rest, &bytes) && pof_tlog_number(bytes, &s->bytes) && rest.len == 0)) {
        rc = pof_fail(err, POF_E_CONFLICT,
                      "'%s/signed' is damaged, expected '%s', size, root and bytes",
                      log->folder.name, signed_title);
    }
    pof_buf_release(&b);
    return rc;
}

static int read_checkpoint(struct pof_log *log, struct pof_checkpoint *out, struct pof_err *err)
{
    int rc = pof_folder_slurp(&log->folder, "checkpoint", POF_NOTE_MAX, &log->checkpoint, err);
    struct pof_note note;
    rc = rc ? rc
            : pof_checkpoint_open(out, &note,
                                  (struct pof_text){log->checkpoint.data, log->checkpoint.len},
                                  &log->vkey, err);
    if (rc == 0 && note.status != POF_NOTE_GOOD) {
        rc = pof_fail(err, POF_E_CONFLICT, "'%s/checkpoint' is not this log's checkpoint: %s",
                      log->folder.name, note.why);
    }
    return rc;
}

/* Signs a head, remembers it, publishes it. In this order: nobody sees a head that the log could
 * forget. */
static int publish(struct pof_log *log, const struct pofi_signed *last, struct pof_err *err)
{
    struct pof_folder *f = &log->folder;
    log->checkpoint.len = 0;
    int rc = pof_checkpoint_sign(&log->checkpoint, &last->head, &log->signer, err);
    rc = rc ? rc : write_signed(log, last, err);
    return rc ? rc
              : f->replace(f->ctx, "checkpoint",
                           (struct pof_text){log->checkpoint.data, log->checkpoint.len}, err);
}

/* --- opening --- */

static int new_log(struct pof_log **out, const struct pof_folder *folder, struct pof_err *err)
{
    struct pof_log *log;
    int rc = pof_calloc(&log, 1, sizeof *log, err);
    if (rc) {
        return rc;
    }
    log->folder = *folder;
    rc = pof_hasher_new(&log->hasher, err);
    if (rc) {
        pof_log_close(log);
        return rc;
    }
    *out = log;
    return 0;
}

void pof_log_close(struct pof_log *log)
{
    if (!log) {
        return;
    }
    pof_hasher_free(log->hasher);
    pof_wipe(&log->signer, sizeof log->signer);
    pof_buf_release(&log->checkpoint);
    pof_buf_release(&log->batch);
    for (size_t i = 0; i < POFI_TILE_FILES; i++) {
        pof_buf_release(&log->tile[i]);
    }
    pof_buf_release(&log->frame.data);
    free(log->frame.leaf);
    free(log->node);
    free(log);
}

int pof_log_create(const struct pof_folder *folder, const struct pof_signer *key,
                   struct pof_err *err)
{
    struct pof_log *log;
    int rc = new_log(&log, folder, err);
    if (rc) {
        return rc;
    }
    log->signer = *key;
    struct pof_folder *f = &log->folder;
    struct pofi_signed last = {.bytes = POFI_JOURNAL_HEADER};
    pof_merkle_empty(log->hasher, &last.head.root);
    rc = pof_hasher_check(log->hasher, err);
    rc = rc ? rc
            : f->replace(f->ctx, "journal",
                         (struct pof_text){pofi_journal_header, POFI_JOURNAL_HEADER}, err);
    rc = rc ? rc : write_vkey(f, &key->vkey, err);
    rc = rc ? rc : publish(log, &last, err);
    pof_log_close(log);
    return rc;
}

/* Takes the entries of a whole frame into the tree and the tiles. */
static int take_frame(struct pof_log *log, const struct pofi_frame *frame, struct pof_err *err)
{
    uint64_t size = log->range.size;
    int rc = 0;
    for (uint32_t i = 0; i < frame->count && rc == 0; i++) {
        rc = pofi_tiles_push(log, &frame->leaf[i], err);
    }
    return rc ? rc : pofi_tiles_write(log, size, err);
}

/* Computes the tiles again from the journal, up to what was signed. */
static int rebuild(struct pof_log *log, struct pof_err *err)
{
    log->range = (struct pof_range){0};
    uint64_t at = POFI_JOURNAL_HEADER;
    int rc = 0;
    while (rc == 0 && at < log->last.bytes) {
        struct pofi_frame *frame = &log->frame;
        rc = pofi_frame_read(log, at, log->last.bytes, frame, err);
        if (rc == 0 && (!frame->whole || frame->first != log->range.size)) {
            return pof_fail(err, POF_E_CONFLICT,
                            "'%s/journal' is damaged at byte %" PRIu64 ", record %" PRIu64
                            "; restore it from a copy",
                            log->folder.name, at, log->range.size);
        }
        rc = rc ? rc : take_frame(log, frame, err);
        at = pofi_frame_end(frame);
    }
    struct pof_hash root;
    pof_range_root(&log->range, log->hasher, &root);
    rc = rc ? rc : pof_hasher_check(log->hasher, err);
    if (rc == 0 &&
        (log->range.size != log->last.head.size || !pof_hash_eq(&root, &log->last.head.root))) {
        rc = pof_fail(err, POF_E_CONFLICT,
                      "'%s/journal' is not what was signed; restore it from a copy",
                      log->folder.name);
    }
    return rc;
}

/* Writes a part of the journal over itself. After a failed sync the kernel may call pages clean
 * that never reached the disk; written again they are dirty, and the next sync says the truth. */
static int write_again(struct pof_log *log, uint64_t at, uint64_t end, struct pof_err *err)
{
    enum { BLOCK = 1 << 20 };
    struct pof_folder *f = &log->folder;
    struct pof_buf b = {0};
    int rc = pof_buf_reserve(&b, BLOCK, err);
    while (rc == 0 && at < end) {
        size_t n = end - at < BLOCK ? (size_t)(end - at) : BLOCK;
        struct pof_place place = {"journal", at};
        rc = f->read(f->ctx, place, b.data, n, err);
        rc = rc ? rc : f->write(f->ctx, place, b.data, n, err);
        at += n;
    }
    pof_buf_release(&b);
    return rc ? rc : f->sync(f->ctx, "journal", err);
}

/* Takes what stands behind the signed part of the journal: whole frames are kept, a torn last one
 * is dropped. Damage with whole frames behind it is no torn write and is refused. */
static int replay(struct pof_log *log, uint64_t end, struct pof_err *err)
{
    struct pof_folder *f = &log->folder;
    struct pofi_frame *frame = &log->frame;
    uint64_t at = log->last.bytes;
    while (at < end) {
        int rc = pofi_frame_read(log, at, end, frame, err);
        if (rc) {
            return rc;
        }
        if (!frame->whole || frame->first != log->range.size) {
            break;
        }
        rc = take_frame(log, frame, err);
        if (rc) {
            return rc;
        }
        at = pofi_frame_end(frame);
    }
    bool more = false;
    int rc = at < end ? pofi_frame_seek(log, at, end, frame, &more, err) : 0;
    if (rc == 0 && more) {
        rc = pof_fail(err, POF_E_CONFLICT,
                      "'%s/journal' is damaged at byte %" PRIu64 ", before whole records at byte "
                      "%" PRIu64 "; restore it from a copy",
                      log->folder.name, at, frame->at);
    }
    rc = rc || at == end ? rc : f->cut(f->ctx, "journal", at, err);
    /* Records that a killed writer left unsynced become durable before they are signed. */
    rc = rc || end == log->last.bytes ? rc : write_again(log, log->last.bytes, at, err);
    log->size = log->range.size;
    log->bytes = at;
    return rc;
}

/* Is the folder what its own memory says? */
static int check_memory(struct pof_log *log, uint64_t *end, struct pof_err *err)
{
    struct pof_folder *f = &log->folder;
    struct pof_checkpoint c;
    bool begins;
    int rc = read_signed(log, err);
    rc = rc ? rc : read_checkpoint(log, &c, err);
    rc = rc ? rc : f->size(f->ctx, "journal", end, err);
    if (rc) {
        return rc;
    }
    const struct pofi_signed *s = &log->last;
    if (c.head.size > s->head.size ||
        (c.head.size == s->head.size && !pof_hash_eq(&c.head.root, &s->head.root))) {
        return pof_fail(err, POF_E_CONFLICT,
                        "'%s/checkpoint' is of %" PRIu64
                        " records, the file 'signed' knows %" PRIu64
                        ": files of different times were mixed",
                        f->name, c.head.size, s->head.size);
    }
    if (*end < s->bytes || s->bytes < POFI_JOURNAL_HEADER) {
        return pof_fail(err, POF_E_CONFLICT,
                        "'%s/journal' has %" PRIu64 " bytes, %" PRIu64 " were signed; restore it "
                        "from a copy",
                        f->name, *end, s->bytes);
    }
    log->publish = c.head.size < s->head.size;
    rc = pofi_journal_begins(log, *end, &begins, err);
    if (rc == 0 && !begins) {
        rc = pof_fail(err, POF_E_CONFLICT, "'%s/journal' does not begin as a journal", f->name);
    }
    return rc;
}

static int open_writer(struct pof_log *log, const struct pof_signer *signer, bool again,
                       struct pof_err *err)
{
    log->writer = true;
    log->signer = *signer;
    if (memcmp(&log->signer.vkey, &log->vkey, sizeof log->vkey) != 0) {
        return pof_fail(err, POF_E_CONFIG,
                        "the secret key is of '%s', the log of '%s' (or another key)",
                        log->signer.vkey.name, log->vkey.name);
    }
    uint64_t end;
    bool good = false;
    int rc = check_memory(log, &end, err);
    rc = rc || again ? rc : pofi_tiles_range(log, &log->last.head, &log->range, &good, err);
    rc = rc || good ? rc : rebuild(log, err);
    log->last_range = log->range;
    rc = rc ? rc : replay(log, end, err);
    return rc ? rc : pofi_tiles_settle(log, log->size, true, err);
}

static int open_reader(struct pof_log *log, struct pof_err *err)
{
    struct pof_checkpoint c;
    int rc = read_checkpoint(log, &c, err);
    if (rc == 0) {
        log->last.head = c.head;
        log->size = c.head.size;
    }
    return rc;
}

int pof_log_open(struct pof_log **out, const struct pof_folder *folder,
                 const struct pof_signer *signer, bool again, struct pof_err *err)
{
    struct pof_log *log;
    int rc = new_log(&log, folder, err);
    if (rc) {
        return rc;
    }
    rc = read_vkey(log, err);
    if (rc == 0) {
        rc = signer ? open_writer(log, signer, again, err) : open_reader(log, err);
    }
    if (rc) {
        pof_log_close(log);
        return rc;
    }
    *out = log;
    return 0;
}

const struct pof_vkey *pof_log_vkey(const struct pof_log *log)
{
    return &log->vkey;
}

uint64_t pof_log_size(const struct pof_log *log)
{
    return log->size;
}

size_t pof_log_pending(const struct pof_log *log)
{
    return log->pending;
}

struct pof_text pof_log_checkpoint(const struct pof_log *log)
{
    return (struct pof_text){log->checkpoint.data, log->checkpoint.len};
}

struct pof_head pof_log_head(const struct pof_log *log)
{
    return log->last.head;
}

/* --- growing --- */

static int usable(const struct pof_log *log, struct pof_err *err)
{
    if (!log->writer) {
        return pof_fail(err, POF_E_INTERNAL, "the log was opened to read");
    }
    return log->broken ? pof_fail(err, POF_E_WRITE, "an earlier write to the log failed") : 0;
}

int pof_log_add(struct pof_log *log, struct pof_text entry, struct pof_hash *leaf,
                struct pof_err *err)
{
    if (entry.len > POF_ENTRY_MAX) {
        return pof_fail(err, POF_E_TOO_LONG, "a record of %zu bytes, at most %d can be certified",
                        entry.len, POF_ENTRY_MAX);
    }
    int rc = usable(log, err);
    rc = rc ? rc : pof_buf_reserve(&log->batch, POFI_FRAME_HEADER + 2 + entry.len, err);
    if (rc) {
        return rc;
    }
    if (log->pending == 0) {
        log->batch.len = POFI_FRAME_HEADER;
    }
    char *p = log->batch.data + log->batch.len;
    p[0] = (char)(entry.len >> 8);
    p[1] = (char)(entry.len & 255);
    if (entry.len) {
        memcpy(p + 2, entry.ptr, entry.len);
    }
    pof_merkle_leaf(log->hasher, p + 2, entry.len, leaf);
    log->broken = true; /* for as long as tree and batch differ */
    rc = pofi_tiles_push(log, leaf, err);
    if (rc == 0) {
        log->broken = false;
        log->batch.len += 2 + entry.len;
        log->pending++;
    }
    return rc;
}

int pof_log_leaf_of(struct pof_log *log, struct pof_text entry, struct pof_hash *leaf,
                    struct pof_err *err)
{
    pof_merkle_leaf(log->hasher, entry.ptr, entry.len, leaf);
    return pof_hasher_check(log->hasher, err);
}

struct pof_hasher *pof_log_hasher(struct pof_log *log)
{
    return log->hasher;
}

bool pof_log_full(const struct pof_log *log)
{
    return log->pending >= POF_BATCH_MAX || log->batch.len >= POF_BATCH_BYTES;
}

int pof_log_commit(struct pof_log *log, struct pof_err *err)
{
    int rc = usable(log, err);
    if (rc || log->pending == 0) {
        return rc;
    }
    struct pof_folder *f = &log->folder;
    log->broken = true;
    pofi_frame_close(log);
    rc = pof_hasher_check(log->hasher, err);
    rc = rc ? rc
            : f->write(f->ctx, (struct pof_place){"journal", log->bytes}, log->batch.data,
                       log->batch.len, err);
    rc = rc ? rc : f->sync(f->ctx, "journal", err);
    rc = rc ? rc : pofi_tiles_write(log, log->size, err);
    if (rc == 0) {
        log->bytes += log->batch.len;
        log->size += log->pending;
        log->pending = 0;
        log->broken = false;
    }
    return rc;
}

uint64_t pof_log_unsigned(const struct pof_log *log)
{
    return log->size - log->last.head.size;
}

/* Reads the journal since the last signature again and compares the tree it gives. */
static int reread_journal(struct pof_log *log, const struct pof_hash *root, struct pof_err *err)
{
    struct pof_range range = log->last_range;
    struct pofi_frame *frame = &log->frame;
    int rc = 0;
    for (uint64_t at = log->last.bytes; at < log->bytes && rc == 0; at = pofi_frame_end(frame)) {
        rc = pofi_frame_read(log, at, log->bytes, frame, err);
        if (rc == 0 && (!frame->whole || frame->first != range.size)) {
            return pof_fail(err, POF_E_CONFLICT,
                            "'%s/journal' is damaged at byte %" PRIu64 ": not what was written",
                            log->folder.name, at);
        }
        for (uint32_t i = 0; rc == 0 && i < frame->count; i++) {
            rc = pof_range_push(&range, log->hasher, &frame->leaf[i], NULL, NULL, err);
        }
    }
    struct pof_hash again;
    pof_range_root(&range, log->hasher, &again);
    rc = rc ? rc : pof_hasher_check(log->hasher, err);
    if (rc == 0 && !pof_hash_eq(&again, root)) {
        rc = pof_fail(err, POF_E_CONFLICT,
                      "'%s/journal' read back gives another root than was "
                      "computed: a bit fell over; nothing was signed",
                      log->folder.name);
    }
    return rc;
}

int pof_log_sign(struct pof_log *log, bool reread, struct pof_err *err)
{
    int rc = usable(log, err);
    if (rc || log->pending || (pof_log_unsigned(log) == 0 && !log->publish)) {
        return rc || !log->pending
                   ? rc
                   : pof_fail(err, POF_E_INTERNAL, "records that are not durable cannot be signed");
    }
    log->broken = true;
    struct pofi_signed last = {.bytes = log->bytes, .head.size = log->size};
    pof_range_root(&log->range, log->hasher, &last.head.root);
    rc = pof_hasher_check(log->hasher, err);
    rc = rc || !reread ? rc : reread_journal(log, &last.head.root, err);
    rc = rc ? rc : pofi_tiles_settle(log, log->size, false, err);
    rc = rc ? rc : publish(log, &last, err);
    if (rc == 0) {
        log->last = last;
        log->last_range = log->range;
        log->publish = false;
        log->broken = false;
    }
    return rc;
}
