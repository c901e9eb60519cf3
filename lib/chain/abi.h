/* SPDX-License-Identifier: Apache-2.0 */
/* Calls of contracts and their answers: the contract ABI of Solidity, words of 32 bytes. */
#ifndef POF_CHAIN_ABI_H
#define POF_CHAIN_ABI_H

#include "chain/bytes.h"

/* The four bytes of a function, such as "transfer(address,uint256)". */
int pof_abi_call(struct pof_buf *to, const char *function, struct pof_err *err) POF_CHECKED;
int pof_abi_word(struct pof_buf *to, const struct pof_word *w, struct pof_err *err) POF_CHECKED;
int pof_abi_u64(struct pof_buf *to, uint64_t number, struct pof_err *err) POF_CHECKED;
int pof_abi_address(struct pof_buf *to, const struct pof_address *a,
                    struct pof_err *err) POF_CHECKED;
/* The tail of bytes or of a string: their number, and they, filled up to whole words. */
int pof_abi_bytes(struct pof_buf *to, struct pof_text bytes, struct pof_err *err) POF_CHECKED;

/* Word i of an answer; false when it is not that long. */
bool pof_abi_word_at(struct pof_text data, size_t i, struct pof_word *out);
/* The bytes whose offset is word i; a view. false when they do not lie within. */
bool pof_abi_bytes_at(struct pof_text data, size_t i, struct pof_text *out);
/* The words of the array whose offset is word i. */
bool pof_abi_words_at(struct pof_text data, size_t i, struct pof_text *out);

enum { POF_REVERT_TEXT = 120 };
/* What a contract says when it refuses: Error(string), Panic(uint256), else the first bytes in
 * hexadecimal; control characters become '?'. Never fails. */
void pof_abi_revert(struct pof_text data, char out[POF_REVERT_TEXT]);

#endif
