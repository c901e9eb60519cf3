/* SPDX-License-Identifier: Apache-2.0 */
/* One day of one series of one point of delivery as bytes: 96 quarter-hours (UTC) in a few columns.
 *
 * A row a quarter-hour costs a database ten times more than a row a day (notes of the project: 10 M
 * measurements in 1.9 s instead of 15 to 78 s), so the store keeps days. The bytes hold every value
 * exactly: each column is a base and unsigned offsets of 0, 1, 2, 4 or 8 bytes, whichever is the
 * first that fits ("frame of reference"; J. Goldstein, R. Ramakrishnan, U. Shaft, ICDE 1998), so a
 * household's watts take two bytes and 1 TW is kept all the same.
 *
 *     u8   version of this layout, 1
 *     u8   number of columns
 *     12 B bitmap of the quarter-hours there: number i is bit i % 8 of byte i / 8
 *     each column, numbers ascending:
 *         u8   number
 *         u8   bytes of an offset, 0: all values equal the base
 *         u8   1: a 12 B bitmap follows the base; 0: the column is there wherever the day is
 *         i64  base
 *         offsets, one for each quarter-hour that has the column
 *     u32  CRC-32C of all bytes before it
 *
 * All numbers little-endian. What the columns mean is up to the caller. */
#ifndef POF_STORE_BLOCK_H
#define POF_STORE_BLOCK_H

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    POF_DAY_SLOTS = 96,
    POF_COLUMNS = 7,
    POF_DAY_BITMAP = POF_DAY_SLOTS / 8,
    POF_BLOCK_HEAD = 2 + POF_DAY_BITMAP,
    POF_BLOCK_COLUMN = 3 + 8 + POF_DAY_BITMAP + 8 * POF_DAY_SLOTS,
    POF_BLOCK_MAX = POF_BLOCK_HEAD + POF_COLUMNS * POF_BLOCK_COLUMN + 4
};

/* One quarter-hour: column c is given when bit c of has is set. */
struct pof_cell {
    uint64_t has;
    int64_t value[POF_COLUMNS];
};

/* A day unpacked. Quarter-hour i is there when bit i % 64 of there[i / 64] is set; it has column c
 * when the same bit of has[c] is. value[c][i] is defined only then. Initialise with
 * pof_block_clear(): the values themselves need not be zero. */
struct pof_block {
    uint64_t there[2];
    uint64_t has[POF_COLUMNS][2];
    int64_t value[POF_COLUMNS][POF_DAY_SLOTS];
};

void pof_block_clear(struct pof_block *b);
bool pof_block_there(const struct pof_block *b, size_t slot);
/* The quarter-hours there. */
size_t pof_block_count(const struct pof_block *b);
void pof_block_get(const struct pof_block *b, size_t slot, struct pof_cell *cell);
void pof_block_set(struct pof_block *b, size_t slot, const struct pof_cell *cell);

/* Packs a day; to has POF_BLOCK_MAX bytes. Returns the length. The same day gives the same bytes.
 */
size_t pof_block_pack(const struct pof_block *b, uint8_t *to);

/* Unpacks n bytes; POF_E_SYNTAX when they are not what pof_block_pack() writes (b is undefined). */
int pof_block_unpack(struct pof_block *b, const uint8_t *from, size_t n,
                     struct pof_err *err) POF_CHECKED;

/* CRC-32C (Castagnoli), as in RFC 3720 appendix B.4; by the machine's instruction where it has one.
 * The portable way is there to be held against it. */
uint32_t pof_crc32c(const uint8_t *from, size_t n);
uint32_t pof_crc32c_portable(const uint8_t *from, size_t n);

#endif
