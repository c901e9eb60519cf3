/* SPDX-License-Identifier: Apache-2.0 */
/* Inside lib/record: eight and sixteen bytes at a time.
 *
 * Where the processor has SSE2, sixteen bytes are looked at together; the plain C beside it gives the
 * same answers eight at a time (bit tricks after S. E. Anderson, "Bit Twiddling Hacks"; digits after
 * D. Lemire, "Quickly parsing eight digits", 2022). test/prop/record_plain.c holds them together. */
#ifndef POF_RECORD_BYTES_H
#define POF_RECORD_BYTES_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

/* Small functions of which every call counts. */
#define POFI_INLINE static inline __attribute__((always_inline))

#define POFI_ONES UINT64_C(0x0101010101010101)
#define POFI_HIGHS UINT64_C(0x8080808080808080)

/* Eight bytes, the first one lowest. */
static inline uint64_t pofi_load8(const char *p)
{
    uint64_t w;
    memcpy(&w, p, 8);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    w = __builtin_bswap64(w);
#endif
    return w;
}

static inline uint32_t pofi_load4(const char *p)
{
    uint32_t w;
    memcpy(&w, p, 4);
    return w;
}

/* Do the n bytes of a key, at most 32, padded with zeros to 32, stand at p? 32 bytes there may be read. */
static inline bool pofi_is_key(const char *p, const char *key, size_t n)
{
#ifdef __SSE2__
    __m128i first = _mm_cmpeq_epi8(_mm_loadu_si128((const __m128i *)(const void *)p),
                                   _mm_loadu_si128((const __m128i *)(const void *)key));
    __m128i second = _mm_cmpeq_epi8(_mm_loadu_si128((const __m128i *)(const void *)(p + 16)),
                                    _mm_loadu_si128((const __m128i *)(const void *)(key + 16)));
    uint64_t same = (uint32_t)_mm_movemask_epi8(first) |
                    (uint64_t)(uint32_t)_mm_movemask_epi8(second) << 16;
    return (~same & ((UINT64_C(1) << n) - 1)) == 0;
#else
    return memcmp(p, key, n) == 0;
#endif
}

/* Are n bytes, at least 4, the same? */
static inline bool pofi_same(const char *a, const char *b, size_t n)
{
    if (n < 8) {
        return pofi_load4(a) == pofi_load4(b) && pofi_load4(a + n - 4) == pofi_load4(b + n - 4);
    }
    bool same = pofi_load8(a + n - 8) == pofi_load8(b + n - 8);
    for (size_t i = 0; same && i + 8 < n; i += 8) {
        same = pofi_load8(a + i) == pofi_load8(b + i);
    }
    return same;
}

/* High bits set in the bytes of w that equal c; bytes above the first may be wrong. */
static inline uint64_t pofi_equal_bytes(uint64_t w, char c)
{
    uint64_t x = w ^ POFI_ONES * (unsigned char)c;
    return (x - POFI_ONES) & ~x & POFI_HIGHS;
}

/* The first byte from p on that ends a plain text: a quote, a backslash, the stop, below 0x20 or above
 * 0x7e. There must be one, and 16 bytes that may be read behind it. Borrows run upwards, so that the
 * lowest hit is always a true one. */
static inline const char *pofi_text_end_plain(const char *p, char stop)
{
    for (;; p += 8) {
        uint64_t w = pofi_load8(p);
        uint64_t hit = pofi_equal_bytes(w, '"') | pofi_equal_bytes(w, '\\') |
                       pofi_equal_bytes(w, stop) | pofi_equal_bytes(w, 0x7f) |
                       ((w - POFI_ONES * 0x20) & ~w & POFI_HIGHS) | (w & POFI_HIGHS);
        if (hit) {
            return p + __builtin_ctzll(hit) / 8;
        }
    }
}

static inline const char *pofi_text_end(const char *p, char stop)
{
#ifdef __SSE2__
    for (;; p += 16) {
        __m128i v = _mm_loadu_si128((const __m128i *)(const void *)p);
        __m128i hit = _mm_or_si128(
            _mm_or_si128(_mm_cmpeq_epi8(v, _mm_set1_epi8('"')),
                         _mm_cmpeq_epi8(v, _mm_set1_epi8('\\'))),
            _mm_or_si128(_mm_cmpeq_epi8(v, _mm_set1_epi8(0x7f)),
                         _mm_cmplt_epi8(v, _mm_set1_epi8(0x20)))); /* signed: above 0x7f too */
        hit = stop == '"' ? hit : _mm_or_si128(hit, _mm_cmpeq_epi8(v, _mm_set1_epi8(stop)));
        int bits = _mm_movemask_epi8(hit);
        if (bits) {
            return p + __builtin_ctz((unsigned)bits);
        }
    }
#else
    return pofi_text_end_plain(p, stop);
#endif
}

/* How many of the eight bytes are digits before the first that is none. */
static inline unsigned pofi_digit_count(uint64_t w)
{
    uint64_t t = w ^ POFI_ONES * '0';
    uint64_t no = ((t + POFI_ONES * 0x76) | t) & POFI_HIGHS;
    return no ? (unsigned)__builtin_ctzll(no) / 8 : 8;
}

/* The number that eight digits make, first one highest; 0x00 counts as 0 as '0' does. */
static inline uint64_t pofi_eight_digits(uint64_t w)
{
    w = (w & POFI_ONES * 0x0f) * 2561 >> 8;
    w = (w & UINT64_C(0x00ff00ff00ff00ff)) * 6553601 >> 16;
    return (w & UINT64_C(0x0000ffff0000ffff)) * UINT64_C(42949672960001) >> 32;
}

/* Is any of eight bytes below 0x20, a quote, or the other one asked for? A byte with its high bit set
 * may answer yes by mistake, which costs only time. */
static inline bool pofi_eight_special(uint64_t w, char other)
{
    uint64_t quote = w ^ POFI_ONES * '"';
    uint64_t same = w ^ POFI_ONES * (unsigned char)other;
    return (((w - POFI_ONES * 0x20) | (quote - POFI_ONES) | (same - POFI_ONES) | w) & POFI_HIGHS) != 0;
}

/* Copies sixteen bytes; the same of them. */
static inline bool pofi_copy_sixteen(char *to, const char *from, char other)
{
#ifdef __SSE2__
    __m128i v = _mm_loadu_si128((const __m128i *)(const void *)from);
    _mm_storeu_si128((__m128i *)(void *)to, v);
    __m128i hit = _mm_or_si128(_mm_cmplt_epi8(v, _mm_set1_epi8(0x20)), /* signed: above 0x7f too */
                               _mm_or_si128(_mm_cmpeq_epi8(v, _mm_set1_epi8('"')),
                                            _mm_cmpeq_epi8(v, _mm_set1_epi8(other))));
    return _mm_movemask_epi8(hit) != 0;
#else
    uint64_t first, last;
    memcpy(&first, from, 8);
    memcpy(&last, from + 8, 8);
    memcpy(to, &first, 8);
    memcpy(to + 8, &last, 8);
    return pofi_eight_special(first, other) || pofi_eight_special(last, other);
#endif
}

#endif
