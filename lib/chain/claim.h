/* SPDX-License-Identifier: Apache-2.0 */
/* Claims on a settlement contract (share/contracts/Settlement.sol): a settlement record in
 * canonical form, where its members begin, and its proof. */
#ifndef POF_CHAIN_CLAIM_H
#define POF_CHAIN_CLAIM_H

#include "chain/bytes.h"
#include "trust/checkpoint.h"

enum { POF_CLAIM_PLACES = 8 };

struct pof_claim {
    struct pof_text record;           /* canonical bytes; not owned */
    struct pof_text terms;            /* of the record: hash of what it was settled under */
    uint16_t place[POF_CLAIM_PLACES]; /* of award, owner (0: none), penalty_eur, schema, seller,
                                         session, terms, tokens */
    struct pof_word salt;             /* of the commitment in the log; 0: the record is in it */
    struct pof_word key;              /* by which the contract remembers the award */
    uint64_t index, size;
    struct pof_proof path;
};

/* Reads what the contract will read. MISSING: not a settlement record of this form; TOO_LONG: more
 * than 65,535 bytes. */
int pof_claim_read(struct pof_claim *out, struct pof_text record, struct pof_err *err) POF_CHECKED;
/* The call settle(claims). */
int pof_claim_call(const struct pof_claim *claim, size_t n, struct pof_buf *to,
                   struct pof_err *err) POF_CHECKED;

#endif
