/* SPDX-License-Identifier: Apache-2.0 */
/* Recursive Length Prefix, Appendix B of the Ethereum yellow paper: bytes and lists of them.
 *
 * Written items are added to a buffer; a list is made of the bytes of its items. Read items are
 * views. There is one encoding of an item, and every other is refused. */
#ifndef POF_CHAIN_RLP_H
#define POF_CHAIN_RLP_H

#include "chain/bytes.h"

int pof_rlp_bytes(struct pof_buf *to, struct pof_text bytes, struct pof_err *err) POF_CHECKED;
/* A number: its bytes without leading zeros; 0 is no byte at all. */
int pof_rlp_word(struct pof_buf *to, const struct pof_word *number,
                 struct pof_err *err) POF_CHECKED;
int pof_rlp_u64(struct pof_buf *to, uint64_t number, struct pof_err *err) POF_CHECKED;
/* A list whose items are encoded already. */
int pof_rlp_list(struct pof_buf *to, struct pof_text items, struct pof_err *err) POF_CHECKED;

struct pof_rlp {
    bool list;
    struct pof_text payload; /* the bytes, or the encoded items */
};

/* Steps over one item of *rest; SYNTAX says what is wrong with it. The items of a list are not
 * looked at. O(1). */
int pof_rlp_next(struct pof_text *rest, struct pof_rlp *out, struct pof_err *err) POF_CHECKED;
/* The next item as a number without leading zeros. */
int pof_rlp_next_word(struct pof_text *rest, struct pof_word *out, struct pof_err *err) POF_CHECKED;
/* Is it one item, with all that is in it, and nothing behind it? Lists may be nested 64 deep. O(n).
 */
int pof_rlp_check(struct pof_text text, struct pof_err *err) POF_CHECKED;

#endif
