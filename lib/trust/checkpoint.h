/* SPDX-License-Identifier: Apache-2.0 */
/* Checkpoints, https://c2sp.org/tlog-checkpoint, and proofs, https://c2sp.org/tlog-proof.
 *
 * A checkpoint is a signed note of three lines (origin, size, base64 root) and perhaps extension
 * lines. The parser follows the text of the specification where Go's is laxer: no leading zero,
 * exactly 32 bytes of root, and the root of size 0 is SHA-256(""). */
#ifndef POF_TRUST_CHECKPOINT_H
#define POF_TRUST_CHECKPOINT_H

#include "trust/merkle.h"
#include "trust/note.h"

struct pof_checkpoint {
    char origin[POF_KEY_NAME_MAX + 1];
    struct pof_head head;
};

/* The body of a note (note.text) into a checkpoint. SYNTAX says which line is wrong. */
int pof_checkpoint_parse(struct pof_checkpoint *out, struct pof_text body,
                         struct pof_err *err) POF_CHECKED;
/* A checkpoint signed by a log's key; the origin is the key's name. */
int pof_checkpoint_sign(struct pof_buf *to, const struct pof_head *head,
                        const struct pof_signer *key, struct pof_err *err) POF_CHECKED;

/* Opens a note as a checkpoint of the log of keys[0]: signed by that key, origin equal to its
 * name. A negative answer is in note->status; *out is set when it is POF_NOTE_GOOD. A good
 * signature below a malformed checkpoint is POF_NOTE_MALFORMED. */
int pof_checkpoint_open(struct pof_checkpoint *out, struct pof_note *note, struct pof_text text,
                        const struct pof_vkey *key, struct pof_err *err) POF_CHECKED;

/* An offline proof that an entry is in a log. */
struct pof_tlog_proof {
    uint64_t index;
    struct pof_proof path;
    struct pof_text extra;      /* the application's own bytes in base64 as in the file; "" none */
    struct pof_text checkpoint; /* a view of the file */
};

/* Parses a proof file; the views live as long as text. */
int pof_tlog_proof_parse(struct pof_tlog_proof *out, struct pof_text text,
                         struct pof_err *err) POF_CHECKED;
int pof_tlog_proof_format(struct pof_buf *to, const struct pof_tlog_proof *proof,
                          struct pof_err *err) POF_CHECKED;

/* Decimal digits without needless leading zeros, below 2^63. */
bool pof_tlog_number(struct pof_text text, uint64_t *out);
/* Steps over one line of *rest and gives it without its LF; false when there is no LF left. */
bool pof_tlog_line(struct pof_text *rest, struct pof_text *line);
/* Exactly the base64 of 32 bytes. */
bool pof_tlog_hash(struct pof_text text, struct pof_hash *out);

#endif
