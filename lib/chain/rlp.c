/* SPDX-License-Identifier: Apache-2.0 */
#include "chain/rlp.h"

#include <string.h>

/* A length up to 55 stands in the first byte, a longer one in up to eight bytes behind it. */
enum { SHORT = 55, STRING = 0x80, LIST = 0xc0, DEPTH = 64 };

static int header(struct pof_buf *to, unsigned base, size_t len, struct pof_err *err)
{
    uint8_t bytes[9];
    size_t n = 0;
    if (len <= SHORT) {
        bytes[n++] = (uint8_t)(base + len);
    } else {
        struct pof_word w = pof_word(len);
        size_t zeros = POF_WORD - 8;
        while (w.b[zeros] == 0) {
            zeros++;
        }
        bytes[n++] = (uint8_t)(base + SHORT + (POF_WORD - zeros));
        memcpy(bytes + n, w.b + zeros, POF_WORD - zeros);
        n += POF_WORD - zeros;
    }
    return pof_buf_add(to, bytes, n, err);
}

int pof_rlp_bytes(struct pof_buf *to, struct pof_text bytes, struct pof_err *err)
{
    int rc = 0;
    if (bytes.len != 1 || (unsigned char)bytes.ptr[0] >= STRING) {
        rc = header(to, STRING, bytes.len, err);
    }
    return rc ? rc : pof_buf_add(to, bytes.ptr, bytes.len, err);
}

int pof_rlp_word(struct pof_buf *to, const struct pof_word *number, struct pof_err *err)
{
    size_t zeros = 0;
    while (zeros < POF_WORD && number->b[zeros] == 0) {
        zeros++;
    }
    return pof_rlp_bytes(to, (struct pof_text){(const char *)number->b + zeros, POF_WORD - zeros},
                         err);
}

int pof_rlp_u64(struct pof_buf *to, uint64_t number, struct pof_err *err)
{
    struct pof_word w = pof_word(number);
    return pof_rlp_word(to, &w, err);
}

int pof_rlp_list(struct pof_buf *to, struct pof_text items, struct pof_err *err)
{
    int rc = header(to, LIST, items.len, err);
    return rc ? rc : pof_buf_add(to, items.ptr, items.len, err);
}

static int refuse(struct pof_err *err, const char *what)
{
    return pof_fail(err, POF_E_SYNTAX, "RLP: %s", what);
}

/* The length of a payload whose own length has n bytes (1 to 8), behind the first byte of text. */
static int long_length(struct pof_text text, size_t n, uint64_t *out, struct pof_err *err)
{
    if (text.len < 1 + n) {
        return refuse(err, "ends in a length");
    }
    *out = 0;
    for (size_t i = 1; i <= n; i++) {
        *out = *out << 8 | (unsigned char)text.ptr[i];
    }
    if (text.ptr[1] == 0 || *out <= SHORT) {
        return refuse(err, "a length is longer than it need be");
    }
    return 0;
}

int pof_rlp_next(struct pof_text *rest, struct pof_rlp *out, struct pof_err *err)
{
    if (rest->len == 0) {
        return refuse(err, "an item is missing");
    }
    unsigned first = (unsigned char)rest->ptr[0];
    unsigned base = first >= LIST ? LIST : STRING;
    uint64_t len = 1;
    size_t skip = 0;
    int rc = 0;
    if (first >= STRING) {
        skip = first - base <= SHORT ? 1 : 1 + (first - base - SHORT);
        len = first - base;
        rc = skip > 1 ? long_length(*rest, skip - 1, &len, err) : 0;
    }
    if (rc) {
        return rc;
    }
    if (len > rest->len - skip) {
        return refuse(err, "an item is longer than what holds it");
    }
    out->list = first >= LIST;
    out->payload = (struct pof_text){rest->ptr + skip, (size_t)len};
    if (skip == 1 && !out->list && len == 1 && (unsigned char)out->payload.ptr[0] < STRING) {
        return refuse(err, "a small byte has a length");
    }
    rest->ptr += skip + len;
    rest->len -= skip + (size_t)len;
    return 0;
}

int pof_rlp_next_word(struct pof_text *rest, struct pof_word *out, struct pof_err *err)
{
    struct pof_rlp item;
    int rc = pof_rlp_next(rest, &item, err);
    if (rc) {
        return rc;
    }
    if (item.list || item.payload.len > POF_WORD ||
        (item.payload.len && item.payload.ptr[0] == 0)) {
        return refuse(err, "expected a number without leading zeros");
    }
    memset(out, 0, sizeof *out);
    memcpy(out->b + POF_WORD - item.payload.len, item.payload.ptr, item.payload.len);
    return 0;
}

int pof_rlp_check(struct pof_text text, struct pof_err *err)
{
    struct pof_text open[DEPTH]; /* what is left of each list that we are in */
    size_t depth = 1;
    struct pof_rlp item;
    int rc = 0;
    open[0] = text;
    do {
        rc = pof_rlp_next(&open[depth - 1], &item, err);
        if (rc == 0 && item.list && item.payload.len) {
            if (depth == DEPTH) {
                return pof_fail(err, POF_E_DEPTH, "RLP: more than %d lists in each other", DEPTH);
            }
            open[depth++] = item.payload;
        }
        while (rc == 0 && depth > 1 && open[depth - 1].len == 0) {
            depth--;
        }
    } while (rc == 0 && depth > 1);
    return rc == 0 && open[0].len ? refuse(err, "something stands behind the item") : rc;
}
