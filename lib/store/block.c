/* SPDX-License-Identifier: Apache-2.0 */
/* Days of quarter-hours as bytes. */
#include "store/block.h"

#include <string.h>

enum { LAYOUT = 1 };

static bool bit(const uint64_t *set, size_t i)
{
    return (set[i / 64] >> (i % 64)) & 1u;
}

static bool same_set(const uint64_t *a, const uint64_t *b)
{
    return a[0] == b[0] && a[1] == b[1];
}

void pof_block_clear(struct pof_block *b)
{
    memset(b->there, 0, sizeof b->there);
    memset(b->has, 0, sizeof b->has);
}

bool pof_block_there(const struct pof_block *b, size_t slot)
{
    return bit(b->there, slot);
}

size_t pof_block_count(const struct pof_block *b)
{
    return (size_t)(__builtin_popcountll(b->there[0]) + __builtin_popcountll(b->there[1]));
}

void pof_block_get(const struct pof_block *b, size_t slot, struct pof_cell *cell)
{
    cell->has = 0;
    for (size_t c = 0; c < POF_COLUMNS; c++) {
        bool has = bit(b->has[c], slot);
        cell->has |= (uint64_t)has << c;
        cell->value[c] = has ? b->value[c][slot] : 0;
    }
}

void pof_block_set(struct pof_block *b, size_t slot, const struct pof_cell *cell)
{
    size_t word = slot / 64;
    uint64_t one = UINT64_C(1) << (slot % 64);
    b->there[word] |= one;
    for (size_t c = 0; c < POF_COLUMNS; c++) {
        uint64_t has = (cell->has >> c) & 1u;
        b->has[c][word] = (b->has[c][word] & ~one) | (has << (slot % 64));
        b->value[c][slot] = cell->value[c];
    }
}

/* A nibble at a time: 64 bytes of table, for machines without an instruction for it. */
static uint32_t crc_by_table(uint32_t crc, const uint8_t *from, size_t n)
{
    static const uint32_t table[16] = {0x00000000, 0x105ec76f, 0x20bd8ede, 0x30e349b1,
                                       0x417b1dbc, 0x5125dad3, 0x61c69362, 0x7198540d,
                                       0x82f63b78, 0x92a8fc17, 0xa24bb5a6, 0xb21572c9,
                                       0xc38d26c4, 0xd3d3e1ab, 0xe330a81a, 0xf36e6f75};
    for (size_t i = 0; i < n; i++) {
        crc ^= from[i];
        crc = (crc >> 4) ^ table[crc & 15u];
        crc = (crc >> 4) ^ table[crc & 15u];
    }
    return crc;
}

#ifdef __x86_64__
/* SSE 4.2 has CRC-32C as an instruction, eight bytes at a time. */
__attribute__((target("sse4.2"))) static uint32_t crc_by_machine(uint32_t crc, const uint8_t *from,
                                                                 size_t n)
{
    uint64_t wide = crc;
    for (; n >= 8; from += 8, n -= 8) {
        uint64_t v;
        memcpy(&v, from, sizeof v);
        wide = __builtin_ia32_crc32di(wide, v);
    }
    crc = (uint32_t)wide;
    for (; n > 0; from++, n--) {
        crc = __builtin_ia32_crc32qi(crc, *from);
    }
    return crc;
}
#endif

uint32_t pof_crc32c(const uint8_t *from, size_t n)
{
#ifdef __x86_64__
    if (__builtin_cpu_supports("sse4.2")) {
        return ~crc_by_machine(UINT32_MAX, from, n);
    }
#endif
    return ~crc_by_table(UINT32_MAX, from, n);
}

uint32_t pof_crc32c_portable(const uint8_t *from, size_t n)
{
    return ~crc_by_table(UINT32_MAX, from, n);
}

static void put_le(uint8_t *to, uint64_t v, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++) {
        to[i] = (uint8_t)(v >> (8 * i));
    }
}

static uint64_t get_le(const uint8_t *from, size_t bytes)
{
    uint64_t v = 0;
    for (size_t i = 0; i < bytes; i++) {
        v |= (uint64_t)from[i] << (8 * i);
    }
    return v;
}

static void put_bitmap(uint8_t *to, const uint64_t *set)
{
    put_le(to, set[0], 8);
    put_le(to + 8, set[1], POF_DAY_BITMAP - 8);
}

static void get_bitmap(uint64_t *set, const uint8_t *from)
{
    set[0] = get_le(from, 8);
    set[1] = get_le(from + 8, POF_DAY_BITMAP - 8);
}

static size_t width_of(uint64_t span)
{
    return span == 0            ? 0
           : span <= UINT8_MAX  ? 1
           : span <= UINT16_MAX ? 2
           : span <= UINT32_MAX ? 4
                                : 8;
}

/* The values that are there, side by side. Returns their number. */
static size_t gather(const uint64_t *has, const int64_t *value, int64_t *out)
{
    size_t n = 0;
    for (size_t word = 0; word < 2; word++) {
        for (uint64_t rest = has[word]; rest; rest &= rest - 1) {
            out[n++] = value[64 * word + (size_t)__builtin_ctzll(rest)];
        }
    }
    return n;
}

static size_t put_offsets(uint8_t *to, const int64_t *value, size_t n, int64_t low, size_t width)
{
    uint64_t base = (uint64_t)low;
    switch (width) {
    case 0:
        break;
    case 1:
        for (size_t i = 0; i < n; i++) {
            to[i] = (uint8_t)((uint64_t)value[i] - base);
        }
        break;
    case 2:
        for (size_t i = 0; i < n; i++) {
            put_le(to + 2 * i, (uint64_t)value[i] - base, 2);
        }
        break;
    default:
        for (size_t i = 0; i < n; i++) {
            put_le(to + width * i, (uint64_t)value[i] - base, width);
        }
    }
    return n * width;
}

static size_t pack_column(const struct pof_block *b, size_t c, uint8_t *to)
{
    int64_t value[POF_DAY_SLOTS];
    size_t count = gather(b->has[c], b->value[c], value);
    int64_t low = INT64_MAX;
    int64_t high = INT64_MIN;
    for (size_t i = 0; i < count; i++) {
        low = value[i] < low ? value[i] : low;
        high = value[i] > high ? value[i] : high;
    }
    size_t width = width_of((uint64_t)high - (uint64_t)low);
    bool own = !same_set(b->has[c], b->there);
    to[0] = (uint8_t)c;
    to[1] = (uint8_t)width;
    to[2] = own;
    put_le(to + 3, (uint64_t)low, 8);
    size_t n = 11;
    if (own) {
        put_bitmap(to + n, b->has[c]);
        n += POF_DAY_BITMAP;
    }
    return n + put_offsets(to + n, value, count, low, width);
}

size_t pof_block_pack(const struct pof_block *b, uint8_t *to)
{
    size_t n = POF_BLOCK_HEAD;
    to[0] = LAYOUT;
    to[1] = 0;
    put_bitmap(to + 2, b->there);
    for (size_t c = 0; c < POF_COLUMNS; c++) {
        if (b->has[c][0] | b->has[c][1]) {
            n += pack_column(b, c, to + n);
            to[1]++;
        }
    }
    put_le(to + n, pof_crc32c(to, n), 4);
    return n + 4;
}

/* The bytes of one column, from *at on; advances *at. false: they are not a column. */
static bool unpack_column(struct pof_block *b, int *last, const uint8_t **at, const uint8_t *end)
{
    const uint8_t *p = *at;
    if (end - p < 11 || p[0] >= POF_COLUMNS || p[0] <= *last || p[2] > 1) {
        return false;
    }
    size_t c = p[0];
    size_t width = p[1];
    bool own = p[2];
    uint64_t base = get_le(p + 3, 8);
    *last = p[0];
    p += 11;
    if (own && end - p < POF_DAY_BITMAP) {
        return false;
    }
    memcpy(b->has[c], b->there, sizeof b->there);
    if (own) {
        get_bitmap(b->has[c], p);
        p += POF_DAY_BITMAP;
    }
    size_t n = (size_t)(__builtin_popcountll(b->has[c][0]) + __builtin_popcountll(b->has[c][1]));
    if (n == 0 || (b->has[c][0] & ~b->there[0]) || (b->has[c][1] & ~b->there[1]) ||
        (width != 0 && width != 1 && width != 2 && width != 4 && width != 8) ||
        (size_t)(end - p) < n * width) {
        return false;
    }
    for (size_t word = 0; word < 2; word++) {
        for (uint64_t rest = b->has[c][word]; rest; rest &= rest - 1) {
            uint64_t v = base + get_le(p, width);
            memcpy(&b->value[c][64 * word + (size_t)__builtin_ctzll(rest)], &v, sizeof v);
            p += width;
        }
    }
    *at = p;
    return true;
}

int pof_block_unpack(struct pof_block *b, const uint8_t *from, size_t n, struct pof_err *err)
{
    pof_block_clear(b);
    if (n < POF_BLOCK_HEAD + 4 || pof_crc32c(from, n - 4) != get_le(from + n - 4, 4)) {
        return pof_fail(err, POF_E_SYNTAX, "a day's %zu bytes do not match their checksum", n);
    }
    if (from[0] != LAYOUT) {
        return pof_fail(err, POF_E_SYNTAX, "a day's bytes have layout %d, known is %d", from[0],
                        LAYOUT);
    }
    get_bitmap(b->there, from + 2);
    const uint8_t *at = from + POF_BLOCK_HEAD;
    const uint8_t *end = from + n - 4;
    int last = -1;
    for (size_t i = 0; i < from[1]; i++) {
        if (!unpack_column(b, &last, &at, end)) {
            return pof_fail(err, POF_E_SYNTAX, "column %zu of a day's bytes is not well-formed", i);
        }
    }
    return at == end ? 0
                     : pof_fail(err, POF_E_SYNTAX, "%zu bytes too many in a day's bytes",
                                (size_t)(end - at));
}
