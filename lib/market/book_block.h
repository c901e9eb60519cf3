/* SPDX-License-Identifier: Apache-2.0 */
/* Blocks, parents, groups and least powers of a book: read from offers, made into decisions. */
#ifndef POF_MARKET_BOOK_BLOCK_H
#define POF_MARKET_BOOK_BLOCK_H

#include "market/block.h"
#include "market/book.h"

/* What an offer says of a least power, a block, a parent and a group; its texts outlive the book.
 * *block: its block or gate, POF_NONE when it has neither. Errors as pof_book_take. */
int pof_book_block_take(struct pof_book *book, const struct pof_offer *offer, uint32_t *block,
                        struct pof_err *err) POF_CHECKED;

/* How long and how often it can be active; *spell as in struct pof_book_terms. */
int pof_book_spell_take(struct pof_book *book, const struct pof_offer *offer, uint32_t *spell,
                        struct pof_err *err) POF_CHECKED;

/* Finds parents and decides which blocks are left out, before offers are clipped to the window.
 * Errors as pof_book_close. O(n). */
int pof_book_blocks_close(struct pof_book *book, struct pof_err *err) POF_CHECKED;

/* The decisions of a closed book; the quarter-hours are the caller's, their offers those of the
 * book's slices in their order. Initialise with {0}. */
struct pof_book_units {
    struct pof_unit *unit;
    struct pof_unit_entry *entry;
    size_t units, entries;
    uint32_t groups;
    struct pof_spell *spell;
    uint32_t spells;
};

/* In order of session and name of blocks, then rank and quarter-hour of offers with a least power:
 * the same for any order of records. O(n log n). */
int pof_book_units_build(struct pof_book_units *u, const struct pof_book *book,
                         struct pof_err *err) POF_CHECKED;
void pof_book_units_release(struct pof_book_units *u);

#endif
