/* SPDX-License-Identifier: Apache-2.0 */
/* Openings of commitments. */
#include "trust/openings.h"

#include "base/mem.h"
#include "base/base64.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static const char data_file[] = "openings";
static const char index_file[] = "openings.index";

/* Of an opening: place, length, salt; of a row of the index: place, offset. */
enum { HEADER = 12, FRAME = HEADER + POF_SALT, ROW = 16, RECORD_MAX = 1 << 20 };

struct pof_openings {
    struct pof_folder folder;
    uint64_t count;      /* rows in the index file */
    uint64_t bytes;      /* of the data file that they cover */
    struct pof_buf data; /* to be written at `bytes` */
    struct pof_buf rows; /* to be written behind the rows */
    struct pof_buf one;  /* what was read last */
};

/* --- commitments --- */

int pof_commitment_add(struct pof_buf *to, struct pof_hasher *h, const uint8_t salt[POF_SALT],
                       struct pof_text record, struct pof_err *err)
{
    struct pof_hash c;
    pof_hash_two(h, (struct pof_text){(const char *)salt, POF_SALT}, record, &c);
    int rc = pof_buf_adds(to, "{\"commitment\":\"", err);
    rc = rc ? rc : pof_base64_add(to, c.b, POF_HASH, err);
    rc = rc ? rc : pof_buf_adds(to, "\",\"schema\":\"pof.commitment/1\"}", err);
    return rc ? rc : pof_hasher_check(h, err);
}

int pof_commitment_leaf(struct pof_hasher *h, const uint8_t salt[POF_SALT], struct pof_text record,
                        struct pof_hash *leaf, struct pof_err *err)
{
    struct pof_buf entry = {0};
    int rc = pof_commitment_add(&entry, h, salt, record, err);
    if (rc == 0) {
        pof_merkle_leaf(h, entry.data, entry.len, leaf);
        rc = pof_hasher_check(h, err);
    }
    pof_buf_release(&entry);
    return rc;
}

/* --- numbers --- */

static void put(uint8_t *to, uint64_t v, int n)
{
    for (int i = n - 1; i >= 0; i--, v >>= 8) {
        to[i] = (uint8_t)(v & 255);
    }
}

static uint64_t number(const uint8_t *from, int n)
{
    uint64_t v = 0;
    for (int i = 0; i < n; i++) {
        v = v << 8 | from[i];
    }
    return v;
}

/* --- opening --- */

/* Bytes of a file, 0 when there is none. */
static int size_of(const struct pof_openings *o, const char *file, uint64_t *bytes,
                   struct pof_err *err)
{
    struct pof_err detail = {0};
    *bytes = 0;
    int rc = o->folder.size(o->folder.ctx, file, bytes, &detail);
    return rc == 0 || rc == POF_E_OPEN ? 0 : pof_fail(err, detail.code, "%s", detail.text);
}

static int read_at(const struct pof_openings *o, struct pof_place from, void *to, size_t n,
                   struct pof_err *err)
{
    return o->folder.read(o->folder.ctx, from, to, n, err);
}

static int damaged(const struct pof_openings *o, uint64_t i, struct pof_err *err)
{
    return pof_fail(err, POF_E_CONFLICT,
                    "'%s/openings.index', row %" PRIu64 ", does not fit 'openings'; remove the "
                    "index, the next append makes it anew",
                    o->folder.name, i);
}

/* What a row of the index and the header it points to say. */
struct row {
    uint64_t place;  /* in the log */
    uint64_t at;     /* in the data file */
    uint64_t length; /* of the record */
};

static int read_row(const struct pof_openings *o, uint64_t i, struct row *out, struct pof_err *err)
{
    uint8_t row[ROW];
    uint8_t header[HEADER];
    uint64_t size;
    int rc = read_at(o, (struct pof_place){index_file, i * ROW}, row, sizeof row, err);
    rc = rc ? rc : size_of(o, data_file, &size, err);
    if (rc) {
        return rc;
    }
    out->place = number(row, 8);
    out->at = number(row + 8, 8);
    if (size < FRAME || out->at > size - FRAME) {
        return damaged(o, i, err);
    }
    rc = read_at(o, (struct pof_place){data_file, out->at}, header, sizeof header, err);
    out->length = rc ? 0 : number(header + 8, 4);
    if (rc == 0 && (number(header, 8) != out->place || out->length > RECORD_MAX ||
                    out->length > size - out->at - FRAME)) {
        rc = damaged(o, i, err);
    }
    return rc;
}

int pof_openings_open(struct pof_openings **out, const struct pof_folder *folder,
                      struct pof_err *err)
{
    struct pof_openings *o;
    uint64_t bytes = 0;
    int rc = pof_calloc(&o, 1, sizeof *o, err);
    if (rc) {
        return rc;
    }
    o->folder = *folder;
    rc = size_of(o, index_file, &bytes, err);
    o->count = bytes / ROW;
    rc = rc ? rc : size_of(o, data_file, &o->bytes, err);
    if (rc) {
        pof_openings_close(o);
        return rc;
    }
    *out = o;
    return 0;
}

void pof_openings_close(struct pof_openings *o)
{
    if (o) {
        pof_buf_release(&o->data);
        pof_buf_release(&o->rows);
        if (o->one.data) {
            pof_wipe(o->one.data, o->one.cap);
        }
        pof_buf_release(&o->one);
        free(o);
    }
}

static int cut(struct pof_openings *o, const char *file, uint64_t bytes, struct pof_err *err)
{
    uint64_t now;
    int rc = size_of(o, file, &now, err);
    return rc || now <= bytes ? rc : o->folder.cut(o->folder.ctx, file, bytes, err);
}

/* How much of the index is right: up to its last good row below size. Behind it are at most the
 * rows of one batch. */
static int trusted(struct pof_openings *o, uint64_t size, uint64_t *rows, uint64_t *end,
                   struct pof_err *err)
{
    *rows = *end = 0;
    for (uint64_t n = o->count; n > 0; n--) {
        struct row row;
        struct pof_err detail = {0};
        int rc = read_row(o, n - 1, &row, &detail);
        if (rc == 0 && row.place < size) {
            *rows = n;
            *end = row.at + FRAME + row.length;
            return 0;
        }
        if (rc && rc != POF_E_CONFLICT) {
            return pof_fail(err, detail.code, "%s", detail.text);
        }
    }
    return 0;
}

int pof_openings_recover(struct pof_openings *o, uint64_t size, struct pof_err *err)
{
    uint64_t data, at, last = 0;
    uint8_t header[HEADER];
    int rc = trusted(o, size, &o->count, &at, err);
    rc = rc ? rc : size_of(o, data_file, &data, err);
    uint64_t rows = o->count;
    while (rc == 0 && data >= FRAME && at <= data - FRAME) {
        rc = read_at(o, (struct pof_place){data_file, at}, header, sizeof header, err);
        if (rc) {
            return rc;
        }
        uint64_t place = number(header, 8);
        uint64_t length = number(header + 8, 4);
        if (place >= size || length > data - at - FRAME || (at && place < last)) {
            break;
        }
        uint8_t row[ROW];
        memcpy(row, header, 8);
        put(row + 8, at, 8);
        rc = pof_buf_add(&o->rows, row, sizeof row, err);
        at += FRAME + length;
        last = place + 1;
    }
    rc = rc ? rc : cut(o, data_file, at, err);
    rc = rc ? rc : cut(o, index_file, rows * ROW, err);
    o->bytes = at;
    return rc ? rc : pof_openings_commit(o, err);
}

/* --- growing --- */

int pof_openings_add(struct pof_openings *o, uint64_t index, const uint8_t salt[POF_SALT],
                     struct pof_text record, struct pof_err *err)
{
    uint8_t row[ROW];
    uint8_t header[HEADER];
    put(row, index, 8);
    put(row + 8, o->bytes + o->data.len, 8);
    put(header, index, 8);
    put(header + 8, record.len, 4);
    int rc = pof_buf_add(&o->data, header, sizeof header, err);
    rc = rc ? rc : pof_buf_add(&o->data, salt, POF_SALT, err);
    rc = rc ? rc : pof_buf_add(&o->data, record.ptr, record.len, err);
    return rc ? rc : pof_buf_add(&o->rows, row, sizeof row, err);
}

int pof_openings_commit(struct pof_openings *o, struct pof_err *err)
{
    struct pof_folder *f = &o->folder;
    int rc = 0;
    if (o->data.len) {
        rc = f->write(f->ctx, (struct pof_place){data_file, o->bytes}, o->data.data, o->data.len,
                      err);
        rc = rc ? rc : f->sync(f->ctx, data_file, err);
    }
    if (rc == 0 && o->rows.len) {
        rc = f->write(f->ctx, (struct pof_place){index_file, o->count * ROW}, o->rows.data,
                      o->rows.len, err);
    }
    if (rc == 0) {
        o->bytes += o->data.len;
        o->count += o->rows.len / ROW;
        o->data.len = o->rows.len = 0;
    }
    return rc;
}

/* --- reading --- */

uint64_t pof_openings_count(const struct pof_openings *o)
{
    return o->count;
}

int pof_openings_at(struct pof_openings *o, uint64_t i, struct pof_opening *out,
                    struct pof_err *err)
{
    struct row row;
    int rc = read_row(o, i, &row, err);
    size_t n = rc ? 0 : POF_SALT + (size_t)row.length;
    o->one.len = 0;
    rc = rc ? rc : pof_buf_reserve(&o->one, n, err);
    rc = rc ? rc : read_at(o, (struct pof_place){data_file, row.at + HEADER}, o->one.data, n, err);
    if (rc == 0) {
        static const uint8_t erased[POF_SALT];
        out->index = row.place;
        memcpy(out->salt, o->one.data, POF_SALT);
        out->record = (struct pof_text){o->one.data + POF_SALT, n - POF_SALT};
        out->status =
            memcmp(out->salt, erased, POF_SALT) == 0 ? POF_OPENING_ERASED : POF_OPENING_OPEN;
    }
    return rc;
}

/* The row of a place; *found false when there is none. */
static int search(struct pof_openings *o, uint64_t index, uint64_t *row, bool *found,
                  struct pof_err *err)
{
    uint64_t low = 0;
    uint64_t high = o->count;
    *found = false;
    while (low < high && !*found) {
        struct row now;
        *row = low + (high - low) / 2;
        int rc = read_row(o, *row, &now, err);
        if (rc) {
            return rc;
        }
        *found = now.place == index;
        low = now.place < index ? *row + 1 : low;
        high = now.place < index ? high : *row;
    }
    return 0;
}

int pof_openings_find(struct pof_openings *o, uint64_t index, struct pof_opening *out,
                      struct pof_err *err)
{
    uint64_t row;
    bool found;
    *out = (struct pof_opening){.index = index};
    int rc = search(o, index, &row, &found, err);
    return rc || !found ? rc : pof_openings_at(o, row, out, err);
}

int pof_openings_erase(struct pof_openings *o, uint64_t index, enum pof_opening_status *was,
                       struct pof_err *err)
{
    struct pof_folder *f = &o->folder;
    struct pof_opening opening;
    uint64_t i;
    struct row row;
    bool found;
    *was = POF_OPENING_NONE;
    int rc = search(o, index, &i, &found, err);
    if (rc || !found) {
        return rc;
    }
    rc = pof_openings_at(o, i, &opening, err);
    rc = rc ? rc : read_row(o, i, &row, err);
    if (rc || opening.status == POF_OPENING_ERASED) {
        *was = rc ? POF_OPENING_NONE : POF_OPENING_ERASED;
        return rc;
    }
    pof_wipe(&opening, sizeof opening);
    memset(o->one.data, 0, POF_SALT + (size_t)row.length);
    rc = f->write(f->ctx, (struct pof_place){data_file, row.at + HEADER}, o->one.data,
                  POF_SALT + (size_t)row.length, err);
    rc = rc ? rc : f->sync(f->ctx, data_file, err);
    *was = POF_OPENING_OPEN;
    return rc;
}
