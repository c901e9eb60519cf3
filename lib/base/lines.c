/* SPDX-License-Identifier: Apache-2.0 */
/* From bytes to lines. */
#include "base/lines.h"

#include <string.h>

enum { BLOCK = 256 * 1024 };

/* Drops used bytes and reads one more block. */
static int fill(struct pof_lines *l, struct pof_err *err)
{
    if (l->pos) {
        l->dropped += l->pos;
        memmove(l->buf.data, l->buf.data + l->pos, l->buf.len - l->pos);
        l->buf.len -= l->pos;
        l->pos = 0;
    }
    int rc = pof_buf_reserve(&l->buf, BLOCK, err);
    if (rc) {
        return rc;
    }
    ssize_t n = l->src.read(l->src.ctx, l->buf.data + l->buf.len, BLOCK, err);
    if (n < 0) {
        return (int)n;
    }
    l->eof = n == 0;
    l->buf.len += (size_t)n;
    return 0;
}

/* Goes behind the next LF, keeping nothing. */
static int skip(struct pof_lines *l, struct pof_err *err)
{
    while (l->too_long) {
        size_t left = l->buf.len - l->pos;
        char *lf = left ? memchr(l->buf.data + l->pos, '\n', left) : NULL;
        l->pos += lf ? (size_t)(lf - l->buf.data) - l->pos + 1 : left;
        l->too_long = !lf && !l->eof;
        int rc = l->too_long ? fill(l, err) : 0;
        if (rc) {
            return rc;
        }
    }
    return 0;
}

int pof_lines_next(struct pof_lines *l, struct pof_text *line, struct pof_err *err)
{
    size_t seen = 0; /* bytes known to hold no LF */
    int rc = skip(l, err);
    if (rc) {
        return rc;
    }
    l->offset = l->dropped + l->pos;
    for (;;) {
        size_t left = l->buf.len - l->pos;
        char *from = left ? l->buf.data + l->pos : NULL;
        char *lf = left > seen ? memchr(from + seen, '\n', left - seen) : NULL;
        if (lf || (l->eof && left)) {
            size_t n = lf ? (size_t)(lf - from) : left;
            l->number++;
            l->pos += n + (lf != NULL);
            n -= n && from[n - 1] == '\r';
            if (n > l->max) {
                break;
            }
            *line = (struct pof_text){from, n};
            return 1;
        }
        if (l->eof) {
            return 0;
        }
        if (left > l->max + 1) {
            l->number++;
            l->too_long = true;
            break;
        }
        seen = left;
        rc = fill(l, err);
        if (rc) {
            return rc;
        }
    }
    pof_fail(err, POF_E_TOO_LONG, "line of more than %zu bytes", l->max);
    return pof_at(err, l->src.name, l->number, NULL);
}

void pof_lines_release(struct pof_lines *l)
{
    pof_buf_release(&l->buf);
}
