/* SPDX-License-Identifier: Apache-2.0 */
/* Is it UTF-8? Eight ASCII bytes at a time, the rest by the table of RFC 3629, section 4. */
#include "record/scan.h"

#include <string.h>

/* Length of the well-formed sequence at p, 0 when it is not one. */
static size_t sequence(const unsigned char *p, size_t left)
{
    unsigned char c = p[0];
    unsigned char low = 0x80;
    unsigned char high = 0xbf;
    size_t n;
    if (c >= 0xc2 && c <= 0xdf) {
        n = 2;
    } else if (c >= 0xe0 && c <= 0xef) {
        n = 3;
        low = c == 0xe0 ? 0xa0 : 0x80;
        high = c == 0xed ? 0x9f : 0xbf;
    } else if (c >= 0xf0 && c <= 0xf4) {
        n = 4;
        low = c == 0xf0 ? 0x90 : 0x80;
        high = c == 0xf4 ? 0x8f : 0xbf;
    } else {
        return c < 0x80;
    }
    if (left < n || p[1] < low || p[1] > high) {
        return 0;
    }
    for (size_t i = 2; i < n; i++) {
        if (p[i] < 0x80 || p[i] > 0xbf) {
            return 0;
        }
    }
    return n;
}

bool pofi_is_utf8(struct pof_text t)
{
    const unsigned char *p = (const unsigned char *)t.ptr;
    size_t i = 0;
    unsigned char all = 0;
    for (size_t k = 0; t.len < 8 && k < t.len; k++) {
        all |= p[k];
    }
    i = t.len < 8 && all < 0x80 ? t.len : 0; /* a short name, as most are */
    while (i < t.len) {
        uint64_t eight;
        if (t.len - i >= 8) {
            memcpy(&eight, p + i, 8);
            if (!(eight & UINT64_C(0x8080808080808080))) {
                i += 8;
                continue;
            }
        }
        size_t n = sequence(p + i, t.len - i);
        if (n == 0) {
            return false;
        }
        i += n;
    }
    return true;
}
