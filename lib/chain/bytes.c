/* SPDX-License-Identifier: Apache-2.0 */
#include "chain/bytes.h"

#include <string.h>

struct pof_word pof_word(uint64_t value)
{
    struct pof_word w = {{0}};
    for (size_t i = 0; i < 8; i++) {
        w.b[POF_WORD - 1 - i] = (uint8_t)(value >> (8 * i));
    }
    return w;
}

bool pof_word_u64(const struct pof_word *w, uint64_t *out)
{
    uint64_t value = 0;
    for (size_t i = 0; i < POF_WORD; i++) {
        if (i < POF_WORD - 8 && w->b[i]) {
            return false;
        }
        value = value << 8 | w->b[i];
    }
    *out = value;
    return true;
}

bool pof_word_eq(const struct pof_word *a, const struct pof_word *b)
{
    return memcmp(a, b, sizeof *a) == 0;
}

struct pof_word pof_word_address(const struct pof_address *a)
{
    struct pof_word w = {{0}};
    memcpy(w.b + POF_WORD - POF_ADDRESS, a->b, POF_ADDRESS);
    return w;
}

bool pof_address_eq(const struct pof_address *a, const struct pof_address *b)
{
    return memcmp(a, b, sizeof *a) == 0;
}

void pof_word_decimal(const struct pof_word *w, char out[POF_WORD_DIGITS])
{
    struct pof_word rest = *w;
    char digits[POF_WORD_DIGITS];
    size_t n = 0;
    bool more = true;
    while (more) { /* long division by ten, last digit first */
        unsigned carry = 0;
        more = false;
        for (size_t i = 0; i < POF_WORD; i++) {
            unsigned part = carry << 8 | rest.b[i];
            rest.b[i] = (uint8_t)(part / 10);
            carry = part % 10;
            more = more || rest.b[i];
        }
        digits[n++] = (char)('0' + carry);
    }
    for (size_t i = 0; i < n; i++) {
        out[i] = digits[n - 1 - i];
    }
    out[n] = '\0';
}

/* --- hexadecimal --- */

static int digit(char c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

static bool has_prefix(struct pof_text text)
{
    return text.len >= 2 && text.ptr[0] == '0' && text.ptr[1] == 'x';
}

int pof_hex_add(struct pof_buf *to, struct pof_text bytes, struct pof_err *err)
{
    static const char hex[] = "0123456789abcdef";
    int rc = bytes.len > SIZE_MAX / 2 - 1 ? pof_fail(err, POF_E_TOO_LONG, "too many bytes")
                                          : pof_buf_reserve(to, 2 + 2 * bytes.len, err);
    rc = rc ? rc : pof_buf_adds(to, "0x", err);
    for (size_t i = 0; rc == 0 && i < bytes.len; i++) {
        unsigned char c = (unsigned char)bytes.ptr[i];
        char two[2] = {hex[c >> 4], hex[c & 15]};
        rc = pof_buf_add(to, two, 2, err);
    }
    return rc;
}

bool pof_hex_read(struct pof_text text, uint8_t *out, size_t n)
{
    const char *p = text.ptr + (has_prefix(text) ? 2 : 0);
    if (text.len - (size_t)(p - text.ptr) != 2 * n) {
        return false;
    }
    for (size_t i = 0; i < n; i++) {
        int high = digit(p[2 * i]);
        int low = digit(p[2 * i + 1]);
        if (high < 0 || low < 0) {
            return false;
        }
        out[i] = (uint8_t)(high << 4 | low);
    }
    return true;
}

int pof_hex_bytes(struct pof_text text, struct pof_buf *to, struct pof_err *err)
{
    size_t n = text.len / 2;
    if (!has_prefix(text) || text.len % 2) {
        return pof_fail(err, POF_E_SYNTAX, "'%.*s' is not 0x and pairs of hexadecimal digits",
                        (int)(text.len < 40 ? text.len : 40), text.ptr);
    }
    int rc = pof_buf_reserve(to, n, err);
    if (rc == 0 && !pof_hex_read(text, (uint8_t *)to->data + to->len, n - 1)) {
        rc = pof_fail(err, POF_E_SYNTAX, "'%.*s' is not 0x and pairs of hexadecimal digits",
                      (int)(text.len < 40 ? text.len : 40), text.ptr);
    }
    to->len += rc ? 0 : n - 1;
    return rc;
}

bool pof_hex_quantity(struct pof_text text, struct pof_word *out)
{
    size_t n = text.len;
    if (!has_prefix(text) || n < 3 || n > 2 + 2 * POF_WORD) {
        return false;
    }
    memset(out, 0, sizeof *out);
    for (size_t i = 0; i < n - 2; i++) {
        int d = digit(text.ptr[n - 1 - i]);
        if (d < 0) {
            return false;
        }
        out->b[POF_WORD - 1 - i / 2] |= (uint8_t)(i % 2 ? d << 4 : d);
    }
    return true;
}
