/* SPDX-License-Identifier: Apache-2.0 */
/* Lines of records into a log. */
#include "trust/certify.h"

#include "base/mem.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

int pof_record_canonical(struct pof_jcs *jcs, struct pof_text text, struct pof_buf *to,
                         struct pof_err *err)
{
    to->len = 0;
    int rc = pof_jcs_add(jcs, text, to, err);
    if (rc == 0 && to->data[0] != '{') {
        return pof_fail(err, POF_E_SYNTAX, "'%.*s' is not a record, expected a JSON object {...}",
                        to->len > 40 ? 40 : (int)to->len, to->data);
    }
    return rc;
}

/* Does the record stand at c->next already, or does something else? */
static int is_known(struct pof_certifier *c, struct pof_hash *leaf, struct pof_err *err)
{
    struct pof_hash there;
    int rc = pof_log_leaves(c->log, c->next, 1, &there, err);
    rc = rc ? rc : pof_log_leaf_of(c->log, (struct pof_text){c->one.data, c->one.len}, leaf, err);
    if (rc == 0 && !pof_hash_eq(&there, leaf)) {
        rc = pof_fail(err, POF_E_ANSWER_NO, "the log holds another record at %" PRIu64, c->next);
    }
    c->known += rc == 0;
    return rc;
}

/* Keeps the record and its line until they are durable. */
static int keep(struct pof_certifier *c, struct pof_text line, const struct pof_hash *leaf,
                struct pof_err *err)
{
    int rc = pof_grow(&c->waiting, &c->cap, c->n + 1, sizeof *c->waiting, err);
    rc = rc ? rc : pof_buf_add(&c->line, line.ptr, line.len, err);
    rc = rc ? rc : pof_buf_add(&c->line, "\n", 1, err);
    rc = rc ? rc : pof_buf_add(&c->canonical, c->one.data, c->one.len, err);
    if (rc == 0) {
        c->waiting[c->n++] =
            (struct pof_certified){.index = c->next++, .leaf = *leaf, .record.len = c->one.len};
    }
    return rc;
}

int pof_certifier_take(struct pof_certifier *c, struct pof_text line, struct pof_err *err)
{
    uint64_t size = pof_log_size(c->log);
    uint64_t end = size + pof_log_pending(c->log);
    struct pof_hash leaf;
    int rc = pof_record_canonical(&c->jcs, line, &c->one, err);
    if (rc) {
        return rc;
    }
    if (c->next > end) {
        return pof_fail(err, POF_E_ANSWER_NO,
                        "the log has %" PRIu64 " records, so none can stand at %" PRIu64, end,
                        c->next);
    }
    if (c->next < size) {
        rc = is_known(c, &leaf, err);
    } else {
        rc = pof_log_add(c->log, (struct pof_text){c->one.data, c->one.len}, &leaf, err);
        c->added += rc == 0;
    }
    rc = rc ? rc : keep(c, line, &leaf, err);
    return rc || (c->n < c->batch && !pof_log_full(c->log)) ? rc : pof_certifier_flush(c, err);
}

int pof_certifier_flush(struct pof_certifier *c, struct pof_err *err)
{
    int rc = pof_log_commit(c->log, err);
    if (rc == 0 && pof_log_unsigned(c->log) >= POF_SIGN_EVERY) {
        rc = pof_log_sign(c->log, c->reread, err);
    }
    if (rc || c->n == 0) {
        return rc;
    }
    const char *p = c->canonical.data;
    for (size_t i = 0; i < c->n; i++) {
        c->waiting[i].record.ptr = p;
        p += c->waiting[i].record.len;
    }
    rc = c->on_durable(c->ctx, c->waiting, c->n, (struct pof_text){c->line.data, c->line.len}, err);
    c->n = 0;
    c->line.len = 0;
    c->canonical.len = 0;
    return rc;
}

void pof_certifier_release(struct pof_certifier *c)
{
    pof_jcs_release(&c->jcs);
    pof_buf_release(&c->line);
    pof_buf_release(&c->canonical);
    pof_buf_release(&c->one);
    free(c->waiting);
    c->waiting = NULL;
}
