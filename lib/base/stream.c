/* SPDX-License-Identifier: Apache-2.0 */
/* Sources over memory, and whole documents. */
#include "base/stream.h"

#include "base/text.h"

#include <string.h>

static ssize_t memory_read(void *ctx, void *to, size_t n, struct pof_err *err)
{
    (void)err;
    struct pof_memory *m = ctx;
    if (n > m->len) {
        n = m->len;
    }
    if (n) {
        memcpy(to, m->ptr, n);
        m->ptr += n;
        m->len -= n;
    }
    return (ssize_t)n;
}

struct pof_source pof_source_memory(struct pof_memory *m, const char *name)
{
    return (struct pof_source){memory_read, m, name};
}

int pof_source_slurp(const struct pof_source *src, size_t max, char **data, size_t *len,
                     struct pof_err *err)
{
    struct pof_buf b = {0};
    int rc = 0;
    for (;;) {
        if ((rc = pof_buf_reserve(&b, 64 * 1024 + 1, err)) != 0) {
            break;
        }
        ssize_t n = src->read(src->ctx, b.data + b.len, b.cap - b.len - 1, err);
        if (n < 0) {
            rc = (int)n;
            break;
        }
        if (n == 0) {
            b.data[b.len] = '\0';
            *data = b.data;
            *len = b.len;
            return 0;
        }
        b.len += (size_t)n;
        if (b.len > max) {
            rc = pof_fail(err, POF_E_TOO_LONG, "more than %zu bytes", max);
            pof_at(err, src->name, 0, NULL);
            break;
        }
    }
    pof_buf_release(&b);
    return rc;
}

ssize_t pof_source_more(const struct pof_source *src, struct pof_buf *held, size_t used,
                        struct pof_err *err)
{
    if (used) {
        memmove(held->data, held->data + used, held->len - used);
        held->len -= used;
    }
    int rc = pof_buf_reserve(held, POF_STREAM_BLOCK + POF_STREAM_ZEROS, err);
    if (rc) {
        return rc;
    }
    ssize_t n = src->read(src->ctx, held->data + held->len, POF_STREAM_BLOCK, err);
    if (n >= 0) {
        held->len += (size_t)n;
        memset(held->data + held->len, 0, POF_STREAM_ZEROS);
    }
    return n;
}
