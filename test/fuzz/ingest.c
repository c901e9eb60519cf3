/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as a source of measurements, in whatever form they begin with: no crash, every record that
 * comes out could be written, every reject too, all are counted, and it does not matter in which pieces
 * the bytes came. The first byte chooses the options. */
#include "num/time.h"
#include "record/intake.h"
#include "record/writer.h"

#include <stdlib.h>
#include <string.h>

/* A hash of all that came out, in order. */
struct heard {
    uint64_t hash;
    uint64_t out, rejects;
    struct pof_buf line;
};

static int hear(struct heard *h, enum pof_type type, const void *record, struct pof_err *err)
{
    h->line.len = 0;
    if (pof_record_check(type, record, err) || pof_record_format(&h->line, type, record, err)) {
        abort();
    }
    for (size_t i = 0; i < h->line.len; i++) {
        h->hash = (h->hash ^ (unsigned char)h->line.data[i]) * UINT64_C(1099511628211);
    }
    return 0;
}

static int on_out(void *ctx, const struct pof_measurement *m, const struct pof_origin *o,
                  struct pof_err *err)
{
    (void)o;
    struct heard *h = ctx;
    h->out++;
    return hear(h, POF_measurement, m, err);
}

static int on_reading(void *ctx, const struct pof_reading *r, const struct pof_origin *o,
                      struct pof_err *err)
{
    (void)o;
    struct heard *h = ctx;
    h->out++;
    return hear(h, POF_reading, r, err);
}

static int on_gap(void *ctx, const struct pof_missing *m, struct pof_err *err)
{
    return hear(ctx, POF_missing, m, err);
}

static int on_reject(void *ctx, const struct pof_reject *r, struct pof_err *err)
{
    struct heard *h = ctx;
    h->rejects++;
    return hear(h, POF_reject, r, err);
}

/* Memory in pieces of a few bytes. */
struct pieces {
    struct pof_memory all;
    size_t piece; /* 0: as much as is wanted */
};

static ssize_t read_pieces(void *ctx, void *to, size_t n, struct pof_err *err)
{
    (void)err;
    struct pieces *p = ctx;
    n = p->piece && p->piece < n ? p->piece : n;
    n = n < p->all.len ? n : p->all.len;
    if (n) {
        memcpy(to, p->all.ptr, n);
    }
    p->all.ptr += n;
    p->all.len -= n;
    return (ssize_t)n;
}

static void run(const struct pof_intake_options *how, struct pof_text bytes, size_t piece, struct heard *h)
{
    const struct pof_intake_hooks hooks = {
        .on_out = on_out, .on_reading = on_reading, .on_gap = on_gap, .on_reject = on_reject, .ctx = h};
    struct pieces p = {{bytes.ptr, bytes.len}, piece};
    const struct pof_source src = {read_pieces, &p, "fuzz"};
    struct pof_intake *in;
    struct pof_err err = {0};
    if (pof_intake_new(&in, how, &hooks, &err)) {
        abort();
    }
    int rc = pof_intake_read(in, &src, &err);
    rc = rc ? rc : pof_intake_finish(in, &err);
    const struct pof_intake_counts *n = pof_intake_counts(in);
    if (rc == 0 && (n->in + n->filled != n->out + n->rejected + n->repeated + n->superseded + n->late || n->out != h->out ||
                    n->rejected != h->rejects)) {
        abort();
    }
    h->hash ^= (uint64_t)(rc != 0);
    pof_intake_free(in);
    pof_buf_release(&h->line);
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
    if (size == 0) {
        return 0;
    }
    unsigned c = data[0];
    const struct pof_intake_options how = {
        .rules = {.raster_s = c & 1 ? 900 : 0, .latest_end = INT64_MAX, .window_s = c & 2 ? 172800 : 0},
        .sort = c % 5 == 0,
        .fill = c % 5 ? POF_FILL_NONE : POF_FILL_LINEAR,
        .fill_max_s = 86400,
        .flag = c % 3 == 0,
        .form = {.dialect = (enum pof_dialect)(c / 4 % 3),
                 .unit = c & 16 ? "kwh" : NULL,
                 .pod = c & 32 ? "P" : NULL,
                 .zone = c & 64 ? (int)POF_ZONE_CET : -1,
                 .raster_s = c & 1 ? 900 : 0,
                 .energy_pct = 1,
                 .accuracy_pct = 1,
                 .balanced = c & 128}};
    struct pof_text bytes = {(const char *)data + 1, size - 1};
    struct heard whole = {0}, pieces = {0};
    run(&how, bytes, 0, &whole);
    run(&how, bytes, 7, &pieces);
    if (whole.hash != pieces.hash) {
        abort();
    }
    return 0;
}
