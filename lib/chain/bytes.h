/* SPDX-License-Identifier: Apache-2.0 */
/* Numbers of 256 bits, hexadecimal text and Keccak-256: what everything on an Ethereum chain is
 * made of. */
#ifndef POF_CHAIN_BYTES_H
#define POF_CHAIN_BYTES_H

#include "base/text.h"

enum { POF_WORD = 32, POF_ADDRESS = 20 };

/* A number of 256 bits, most significant byte first; also 32 bytes that are no number. */
struct pof_word {
    uint8_t b[POF_WORD];
};

/* An account or a contract. */
struct pof_address {
    uint8_t b[POF_ADDRESS];
};

struct pof_word pof_word(uint64_t value);
/* false when it has more than 64 bits. */
bool pof_word_u64(const struct pof_word *w, uint64_t *out);
bool pof_word_eq(const struct pof_word *a, const struct pof_word *b);
struct pof_word pof_word_address(const struct pof_address *a);
bool pof_address_eq(const struct pof_address *a, const struct pof_address *b);

enum { POF_WORD_DIGITS = 79 };
/* Decimal digits, NUL behind them. */
void pof_word_decimal(const struct pof_word *w, char out[POF_WORD_DIGITS]);

/* Adds "0x" and two lower-case digits a byte. */
int pof_hex_add(struct pof_buf *to, struct pof_text bytes, struct pof_err *err) POF_CHECKED;
/* Exactly n bytes from 2n hexadecimal digits of either case, with or without "0x". */
bool pof_hex_read(struct pof_text text, uint8_t *out, size_t n);
/* Adds the bytes of "0x" and an even number of digits; SYNTAX when it is something else. */
int pof_hex_bytes(struct pof_text text, struct pof_buf *to, struct pof_err *err) POF_CHECKED;
/* A quantity of JSON-RPC: "0x" and 1 to 64 digits. Leading zeros, which some nodes write against
 * the specification, are taken. */
bool pof_hex_quantity(struct pof_text text, struct pof_word *out);

/* Keccak-256 as Ethereum uses it: the sponge of FIPS 202 with the padding of the original
 * submission (0x01 where SHA3-256 has 0x06). */
void pof_keccak(struct pof_text bytes, uint8_t out[POF_WORD]);

#endif
