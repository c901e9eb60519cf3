/* SPDX-License-Identifier: Apache-2.0 */
/* By which hash terms of settlement are known: in settlements, lists, and on a chain. */
#ifndef POF_TRUST_TERMS_H
#define POF_TRUST_TERMS_H

#include "record/record.h"
#include "trust/crypto.h"

/* SHA-256 of the canonical form (RFC 8785) of the record as a writer writes it; the order of
 * members in somebody's file does not count. */
int pof_terms_hash(const struct pof_terms *terms, struct pof_hash *out,
                   struct pof_err *err) POF_CHECKED;

/* The same in hexadecimal digits and a NUL. */
enum { POF_TERMS_HEX = 2 * POF_HASH + 1 };
int pof_terms_hex(const struct pof_terms *terms, char to[POF_TERMS_HEX],
                  struct pof_err *err) POF_CHECKED;

#endif
