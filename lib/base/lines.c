/* SPDX-License-Identifier: Apache-2.0 */
/* From bytes to lines. */
#include "base/lines.h"

#include <string.h>

/* Drops used bytes and reads one more block. */
static int fill(struct pof_lines *l, struct pof_err *err)
{
    ssize_t n = pof_source_more(&l->src, &l->buf, l->pos, err);
    l->dropped += l->pos;
    l->pos = 0;
    l->eof = n == 0;
    return n < 0 ? (int)n : 0;
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
