/* SPDX-License-Identifier: Apache-2.0 */
/* Days as bytes: what goes in comes out, and damage is seen. */
#include "num/rng.h"
#include "store/block.h"

#include "../tap.h"

static void fill(struct pof_block *b, uint64_t seed)
{
    pof_block_clear(b);
    for (size_t i = 0; i < POF_DAY_SLOTS; i++) {
        uint64_t r = pof_random(seed, i, 0);
        if (pof_below(r, 4) == 0) {
            continue;
        }
        struct pof_cell cell = {.has = pof_random(seed, i, 1) & 0x7f};
        for (size_t c = 0; c < POF_COLUMNS; c++) {
            /* every width: spans of 2^0 .. 2^63, both signs */
            unsigned shift = (unsigned)pof_below(pof_random(seed, c, 2), 64);
            cell.value[c] = (int64_t)(pof_random(seed, i, 3 + c) >> shift);
        }
        pof_block_set(b, i, &cell);
    }
}

static bool same(const struct pof_block *a, const struct pof_block *b)
{
    for (size_t i = 0; i < POF_DAY_SLOTS; i++) {
        struct pof_cell x;
        struct pof_cell y;
        pof_block_get(a, i, &x);
        pof_block_get(b, i, &y);
        if (pof_block_there(a, i) != pof_block_there(b, i) || memcmp(&x, &y, sizeof x) != 0) {
            return false;
        }
    }
    return true;
}

static void test_round_trip(void)
{
    static struct pof_block in;
    static struct pof_block out;
    static uint8_t bytes[POF_BLOCK_MAX];
    struct pof_err err = {0};
    int wrong = 0;
    size_t longest = 0;
    for (uint64_t seed = 0; seed < 2000; seed++) {
        fill(&in, seed);
        size_t n = pof_block_pack(&in, bytes);
        longest = n > longest ? n : longest;
        wrong += pof_block_unpack(&out, bytes, n, &err) != 0 || !same(&in, &out);
    }
    is_int(wrong, 0, "2000 random days come back as they were");
    ok(longest <= POF_BLOCK_MAX && longest > 2000, "the longest day, %zu bytes, fits", longest);
}

static void test_extremes(void)
{
    static struct pof_block in;
    static struct pof_block out;
    uint8_t bytes[POF_BLOCK_MAX];
    struct pof_err err = {0};
    pof_block_clear(&in);
    size_t empty = pof_block_pack(&in, bytes);
    is_int((int64_t)empty, 18, "a day without values takes 18 bytes");
    is_int(pof_block_unpack(&out, bytes, empty, &err), 0, "and is read");
    is_int((int64_t)pof_block_count(&out), 0, "as empty");
    for (size_t i = 0; i < POF_DAY_SLOTS; i++) {
        struct pof_cell cell = {.has = 1, .value = {i % 2 ? INT64_MAX : INT64_MIN}};
        pof_block_set(&in, i, &cell);
    }
    size_t n = pof_block_pack(&in, bytes);
    is_int(pof_block_unpack(&out, bytes, n, &err), 0, "the whole range of 64 bits is read");
    ok(same(&in, &out), "and exact");
    for (size_t i = 0; i < POF_DAY_SLOTS; i++) {
        struct pof_cell cell = {.has = 1, .value = {(int64_t)i * 100 - 3000}};
        pof_block_set(&in, i, &cell);
    }
    n = pof_block_pack(&in, bytes);
    is_int((int64_t)n, 18 + 11 + 96 * 2, "a household's day takes two bytes a quarter-hour");
}

static void test_damage(void)
{
    static struct pof_block b;
    uint8_t bytes[POF_BLOCK_MAX];
    struct pof_err err = {0};
    fill(&b, 7);
    size_t n = pof_block_pack(&b, bytes);
    int unseen = 0;
    for (size_t i = 0; i < n; i++) {
        bytes[i] ^= 0x10;
        unseen += pof_block_unpack(&b, bytes, n, &err) == 0;
        bytes[i] ^= 0x10;
    }
    is_int(unseen, 0, "a flipped bit is seen wherever it is");
    for (size_t k = 0; k < n; k++) {
        unseen += pof_block_unpack(&b, bytes, k, &err) == 0;
    }
    is_int(unseen, 0, "a day cut off anywhere is seen");
}

/* Bytes with a right checksum and nonsense inside must be refused without reading past the end. */
static void test_nonsense(void)
{
    static struct pof_block b;
    uint8_t bytes[200];
    struct pof_err err = {0};
    int accepted = 0;
    for (uint64_t seed = 0; seed < 20000; seed++) {
        size_t n = 18 + pof_below(pof_random(seed, 0, 0), sizeof bytes - 18);
        for (size_t i = 0; i < n; i++) {
            bytes[i] = (uint8_t)pof_random(seed, i, 1);
        }
        bytes[0] = 1;
        bytes[1] = (uint8_t)(bytes[1] % 4);
        bytes[14] = (uint8_t)(bytes[14] % 8);
        bytes[15] = (uint8_t)(1u << (bytes[15] % 5) >> 1);
        bytes[16] &= 1;
        uint32_t crc = pof_crc32c(bytes, n - 4);
        for (size_t i = 0; i < 4; i++) {
            bytes[n - 4 + i] = (uint8_t)(crc >> (8 * i));
        }
        accepted += pof_block_unpack(&b, bytes, n, &err) == 0;
    }
    ok(accepted < 20000 / 10, "random bytes with a right checksum: %d of 20000 read", accepted);
    is_int(err.code, POF_E_SYNTAX, "the others are refused by the right code");
}

/* The machine's instruction and the table say the same, at every length and every place in memory. */
static void test_checksum(void)
{
    uint8_t bytes[300];
    bool same = true;
    for (size_t i = 0; i < sizeof bytes; i++) {
        bytes[i] = (uint8_t)(i * 151 + i / 7);
    }
    for (size_t n = 0; n < sizeof bytes - 8; n++) {
        for (size_t from = 0; from < 8; from++) {
            same &= pof_crc32c(bytes + from, n) == pof_crc32c_portable(bytes + from, n);
        }
    }
    ok(same, "the checksum is the same with and without the machine's instruction");
    is_int(pof_crc32c_portable((const uint8_t *)"123456789", 9), 0xe3069283, "CRC-32C, by table");
}

int main(void)
{
    test_checksum();
    is_int(pof_crc32c((const uint8_t *)"123456789", 9), 0xe3069283, "CRC-32C check value");
    test_round_trip();
    test_extremes();
    test_damage();
    test_nonsense();
    return done();
}
