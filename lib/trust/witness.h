/* SPDX-License-Identifier: Apache-2.0 */
/* A witness, https://c2sp.org/tlog-witness: it cosigns the checkpoint of a log it knows when that
 * follows from the one it cosigned before, and never two that contradict each other.
 *
 * Files of its folder:
 *   vkey      its public key, of type 4
 *   cosigned  "pof.witness/1", then for each log a line "log N" and N bytes: the newest checkpoint
 *             it cosigned, as the log signed it; last the base64 of SHA-256 of all before. Replaced
 *             as a whole, durably, before it answers
 *   forked    the last submission with another root of the size that was cosigned: a line "held
 *             N", N bytes of checkpoint, a line "request N", N bytes of request. Both are signed by
 *             the log, so the file proves to anybody that it signed two histories
 *   refused   the same for the last one whose consistency proof failed
 * One program at a time works on it, and one request at a time: so comparing with what was cosigned
 * and storing the new one is one step. */
#ifndef POF_TRUST_WITNESS_H
#define POF_TRUST_WITNESS_H

#include "base/folder.h"
#include "trust/policy.h"

enum { POF_WITNESS_REQUEST_MAX = 1 << 16, POF_WITNESS_STATE_MAX = 1 << 20 };

/* The body of an add-checkpoint request. */
struct pof_witness_request {
    uint64_t old;
    struct pof_proof proof;
    struct pof_text checkpoint; /* a view of the request */
};

/* SYNTAX says what is wrong. */
int pof_witness_request_parse(struct pof_witness_request *out, struct pof_text text,
                              struct pof_err *err) POF_CHECKED;
int pof_witness_request_format(struct pof_buf *to, const struct pof_witness_request *request,
                               struct pof_err *err) POF_CHECKED;

struct pof_witness;

/* Makes the files of an empty folder. The key is of type 4. */
int pof_witness_create(const struct pof_folder *folder, const struct pof_signer *key,
                       struct pof_err *err) POF_CHECKED;
/* Opens it to answer for the logs of a policy, which must outlive it. CONFIG when the key is not
 * the witness'; CONFLICT when `cosigned` is damaged: a witness that forgot what it signed must not
 * sign again. */
int pof_witness_open(struct pof_witness **out, const struct pof_folder *folder,
                     const struct pof_signer *key, const struct pof_policy *logs,
                     struct pof_err *err) POF_CHECKED;
void pof_witness_close(struct pof_witness *w); /* NULL allowed */

/* What is sent back, and what is told to the owner of the witness. Release with
 * pof_witness_answer_release. */
struct pof_witness_answer {
    int status;       /* of HTTP: 200, 400, 403, 404, 409, 422 */
    const char *type; /* Content-Type */
    struct pof_buf body;
    struct pof_buf event; /* a line without LF: status, origin, sizes, what happened */
};

/* Answers one request at a time in POSIX seconds. What is answered with 200 is durable. After an
 * error (WRITE ...) the witness can only be closed: what reached the disk is found out when it is
 * opened again. O(proof). */
int pof_witness_add(struct pof_witness *w, struct pof_text request, int64_t now,
                    struct pof_witness_answer *out, struct pof_err *err) POF_CHECKED;
void pof_witness_answer_release(struct pof_witness_answer *a);

#endif
