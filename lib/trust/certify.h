/* SPDX-License-Identifier: Apache-2.0 */
/* From lines of records to a log: appending as a filter. A record is a JSON object; its canonical
 * bytes (jcs.h) are the entry. */
#ifndef POF_TRUST_CERTIFY_H
#define POF_TRUST_CERTIFY_H

#include "trust/jcs.h"
#include "trust/log.h"
#include "trust/openings.h"

/* The value of "schema" at the top of a canonical record, without quotes; "" none. */
struct pof_text pof_record_schema(struct pof_text canonical);

/* The canonical bytes of a record put in place of what `to` holds. SYNTAX when it is no object. */
int pof_record_canonical(struct pof_jcs *jcs, struct pof_text text, struct pof_buf *to,
                         struct pof_err *err) POF_CHECKED;

/* A record whose place in the log is durable. */
struct pof_certified {
    uint64_t index;
    struct pof_hash leaf;
    struct pof_text record; /* the entry: canonical bytes, or the commitment to them */
};

/* Called once a batch is durable: n records in order, and their lines as they came, each with its
 * LF. All views end with the call. */
typedef int pof_on_durable(void *ctx, const struct pof_certified *records, size_t n,
                           struct pof_text lines, struct pof_err *err);

struct pof_certifier {
    struct pof_log *log; /* open to write; not owned */
    size_t batch;        /* records before they are made durable */
    bool reread;         /* see pof_log_sign */
    pof_on_durable *on_durable;
    void *ctx;
    struct pof_openings *openings; /* to write, not owned; NULL: nothing is committed to */
    const char *const *commit; /* [n_commit]: types that are committed to and not written out, */
    size_t n_commit;           /* such as "measurement" or "pof.measurement/1"; "all" */
    uint64_t next;             /* place of the next record; before the first: where it must stand */
    uint64_t known;            /* records that stood in the log already */
    uint64_t added;
    struct pof_jcs jcs;
    struct pof_buf line;      /* of the batch */
    struct pof_buf canonical; /* of the batch */
    struct pof_buf one;       /* canonical record */
    struct pof_buf entry;     /* the commitment to it */
    struct pof_certified *waiting;
    size_t n, cap;
};

/* Initialise the members down to `next` and leave the others zero. next = pof_log_size(log)
 * appends. Any other place is position-addressed: records that stand there already with the same
 * bytes are not added again but count as certified; another record there is ANSWER_NO, and so is a
 * place behind the end. */

/* Takes one line. After a bad one (SYNTAX, DUPLICATE ...) what came before it can be flushed. */
int pof_certifier_take(struct pof_certifier *c, struct pof_text line,
                       struct pof_err *err) POF_CHECKED;
/* Makes everything taken durable and hands it on. */
int pof_certifier_flush(struct pof_certifier *c, struct pof_err *err) POF_CHECKED;
void pof_certifier_release(struct pof_certifier *c);

#endif
