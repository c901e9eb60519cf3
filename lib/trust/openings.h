/* SPDX-License-Identifier: Apache-2.0 */
/* Commitments to records that may have to be erased, such as the readings of a person's meter.
 *
 * The entry in the log is {"commitment":C,"schema":"pof.commitment/1"} with C the base64 of
 * SHA-256(salt || canonical record) and a salt of 32 random bytes: without the salt nobody can find
 * out by trying whether a record is the one. Salt and record, the opening, are kept beside the log
 * and can be erased there; the log and every proof stay as they are.
 *
 * Files, in the folder of the log:
 *   openings        for each: place in the log (8 bytes), bytes of record (4), salt (32), record;
 *                   numbers big-endian, places rising. Erased: salt and record are zeros
 *   openings.index  for each: place (8), where it begins in `openings` (8). Derived
 * A batch's openings are durable before its entries are: no commitment is ever without. */
#ifndef POF_TRUST_OPENINGS_H
#define POF_TRUST_OPENINGS_H

#include "base/folder.h"
#include "trust/merkle.h"

enum { POF_SALT = 32 };

/* Adds the entry for a record. */
int pof_commitment_add(struct pof_buf *to, struct pof_hasher *h, const uint8_t salt[POF_SALT],
                       struct pof_text record, struct pof_err *err) POF_CHECKED;
/* The leaf hash of that entry. */
int pof_commitment_leaf(struct pof_hasher *h, const uint8_t salt[POF_SALT], struct pof_text record,
                        struct pof_hash *leaf, struct pof_err *err) POF_CHECKED;

struct pof_openings;

/* Opens those of a log; a folder without has none. */
int pof_openings_open(struct pof_openings **out, const struct pof_folder *folder,
                      struct pof_err *err) POF_CHECKED;
/* To write, for a log of size records: drops what a crash left behind of places from size on, and
 * makes the index anew when it is behind. */
int pof_openings_recover(struct pof_openings *o, uint64_t size, struct pof_err *err) POF_CHECKED;
void pof_openings_close(struct pof_openings *o); /* NULL allowed */

/* Adds one; index is above all others. Durable with the next commit. */
int pof_openings_add(struct pof_openings *o, uint64_t index, const uint8_t salt[POF_SALT],
                     struct pof_text record, struct pof_err *err) POF_CHECKED;
int pof_openings_commit(struct pof_openings *o, struct pof_err *err) POF_CHECKED;

enum pof_opening_status {
    POF_OPENING_NONE, /* the entry there is no commitment made here */
    POF_OPENING_OPEN,
    POF_OPENING_ERASED
};

struct pof_opening {
    enum pof_opening_status status;
    uint64_t index;
    uint8_t salt[POF_SALT];
    struct pof_text record; /* a view until the next call */
};

/* How many there are, erased ones included. */
uint64_t pof_openings_count(const struct pof_openings *o);
/* The i-th by place, from 0. CONFLICT when the files are damaged. */
int pof_openings_at(struct pof_openings *o, uint64_t i, struct pof_opening *out,
                    struct pof_err *err) POF_CHECKED;
/* That of a place in the log. O(log n). */
int pof_openings_find(struct pof_openings *o, uint64_t index, struct pof_opening *out,
                      struct pof_err *err) POF_CHECKED;
/* Overwrites salt and record of a place with zeros, durably. *was tells what was there. Copies that
 * were made of the file, and what a file system or a disk keeps of overwritten blocks, are not
 * reached. */
int pof_openings_erase(struct pof_openings *o, uint64_t index, enum pof_opening_status *was,
                       struct pof_err *err) POF_CHECKED;

#endif
