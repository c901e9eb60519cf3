/* SPDX-License-Identifier: Apache-2.0 */
/* Base64, strictly. */
#include "base/base64.h"

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

size_t pof_base64_encode(const void *from, size_t n, char *to)
{
    const uint8_t *p = from;
    char *q = to;
    for (; n >= 3; n -= 3, p += 3) {
        uint32_t v = (uint32_t)p[0] << 16 | (uint32_t)p[1] << 8 | p[2];
        *q++ = alphabet[v >> 18];
        *q++ = alphabet[v >> 12 & 63];
        *q++ = alphabet[v >> 6 & 63];
        *q++ = alphabet[v & 63];
    }
    if (n) {
        uint32_t v = (uint32_t)p[0] << 16 | (n == 2 ? (uint32_t)p[1] << 8 : 0);
        *q++ = alphabet[v >> 18];
        *q++ = alphabet[v >> 12 & 63];
        *q++ = n == 2 ? alphabet[v >> 6 & 63] : '=';
        *q++ = '=';
    }
    return (size_t)(q - to);
}

int pof_base64_add(struct pof_buf *to, const void *from, size_t n, struct pof_err *err)
{
    int rc = pof_buf_reserve(to, POF_BASE64_LEN(n), err);
    if (rc == 0) {
        to->len += pof_base64_encode(from, n, to->data + to->len);
    }
    return rc;
}

static int value(char c)
{
    if (c >= 'A' && c <= 'Z') {
        return c - 'A';
    }
    if (c >= 'a' && c <= 'z') {
        return c - 'a' + 26;
    }
    if (c >= '0' && c <= '9') {
        return c - '0' + 52;
    }
    return c == '+' ? 62 : c == '/' ? 63 : -1;
}

bool pof_base64_decode(struct pof_text text, void *to, size_t cap, size_t *n)
{
    uint8_t *q = to;
    if (text.len % 4) {
        return false;
    }
    size_t pad = 0;
    while (pad < 2 && pad < text.len && text.ptr[text.len - 1 - pad] == '=') {
        pad++;
    }
    size_t bytes = text.len / 4 * 3 - pad;
    if (bytes > cap) {
        return false;
    }
    for (size_t i = 0; i < text.len; i += 4) {
        size_t digits = i + 4 == text.len ? 4 - pad : 4;
        uint32_t v = 0;
        for (size_t k = 0; k < 4; k++) {
            int d = k < digits ? value(text.ptr[i + k]) : 0;
            if (d < 0) {
                return false;
            }
            v = v << 6 | (uint32_t)d;
        }
        if (v & ((UINT32_C(1) << 8 * (4 - digits)) - 1)) {
            return false;
        }
        for (size_t k = 0; k + 1 < digits; k++) {
            *q++ = (uint8_t)(v >> (16 - 8 * k));
        }
    }
    *n = bytes;
    return true;
}
