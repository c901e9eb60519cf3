/* SPDX-License-Identifier: Apache-2.0 */
/* UTF-8 (RFC 3629), strictly: one code point, a text. */
#ifndef POF_BASE_UTF8_H
#define POF_BASE_UTF8_H

#include "base/text.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Bytes of the code point at p (1 to 4), its value in *cp; 0 when p does not begin a valid one:
 * overlong forms, surrogates and values above U+10FFFF are not. */
static inline size_t pofi_utf8(const char *p, const char *end, uint32_t *cp)
{
    const unsigned char *u = (const unsigned char *)p;
    size_t left = (size_t)(end - p);
    if (left == 0) {
        return 0;
    }
    if (u[0] < 0x80) {
        *cp = u[0];
        return 1;
    }
    size_t n = u[0] >= 0xf0 ? 4 : u[0] >= 0xe0 ? 3 : 2;
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    if (u[0] < 0xc2 || u[0] > 0xf4 || left < n) {
        return 0;
    }
    uint32_t v = u[0] & (0xffu >> (n + 1));
    for (size_t i = 1; i < n; i++) {
        if ((u[i] & 0xc0) != 0x80) {
            return 0;
        }
        v = v << 6 | (u[i] & 0x3fu);
    }
    *cp = v;
    return v < least[n] || v > 0x10ffff || (v >= 0xd800 && v <= 0xdfff) ? 0 : n;
}

/* Is t UTF-8 without NUL, as a text of MQTT must be (MQTT 5.0, section 1.5.4)? O(len). */
static inline bool pof_utf8_text(struct pof_text t)
{
    const char *end = t.ptr + t.len;
    for (const char *p = t.ptr; p < end;) {
        uint32_t c;
        size_t n = pofi_utf8(p, end, &c);
        if (n == 0 || c == 0) {
            return false;
        }
        p += n;
    }
    return true;
}

#endif
