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

/* Behind the string that begins at a quote. Canonical text is well-formed. */
static const char *skip_string(const char *p)
{
    for (p++; *p != '"'; p++) {
        p += *p == '\\';
    }
    return p + 1;
}

struct pof_text pof_record_schema(struct pof_text canonical)
{
    static const char name[] = "\"schema\":\"";
    const char *end = canonical.ptr + canonical.len;
    int depth = 0;
    for (const char *p = canonical.ptr; p < end;) {
        if (depth == 1 && (size_t)(end - p) > sizeof name &&
            memcmp(p, name, sizeof name - 1) == 0) {
            p += sizeof name - 2;
            return (struct pof_text){p + 1, (size_t)(skip_string(p) - p) - 2};
        }
        if (*p == '"') {
            p = skip_string(p);
            continue;
        }
        depth += (*p == '{' || *p == '[') - (*p == '}' || *p == ']');
        p++;
    }
    return (struct pof_text){"", 0};
}

/* Is the record of a type that is committed to? */
static bool is_private(const struct pof_certifier *c)
{
    struct pof_text schema = {"", 0};
    if (c->n_commit) {
        schema = pof_record_schema((struct pof_text){c->one.data, c->one.len});
    }
    for (size_t i = 0; i < c->n_commit; i++) {
        const char *type = c->commit[i];
        size_t n = strlen(type);
        if (strcmp(type, "all") == 0 || pof_text_is(schema, type) ||
            (schema.len > n + 5 && memcmp(schema.ptr, "pof.", 4) == 0 &&
             memcmp(schema.ptr + 4, type, n) == 0 && schema.ptr[4 + n] == '/')) {
            return true;
        }
    }
    return false;
}

/* Does the record stand at c->next already, or does something else? *entry gets what stands. */
static int is_known(struct pof_certifier *c, struct pof_hash *leaf, struct pof_text *entry,
                    struct pof_err *err)
{
    struct pof_hash there;
    struct pof_opening opening = {.status = POF_OPENING_NONE};
    int rc = pof_log_leaves(c->log, c->next, 1, &there, err);
    if (rc == 0 && c->openings) {
        rc = pof_openings_find(c->openings, c->next, &opening, err);
    }
    if (rc == 0 && opening.status == POF_OPENING_ERASED) {
        return pof_fail(err, POF_E_ANSWER_NO,
                        "record %" PRIu64 " of the log was erased: nobody can say that it is this",
                        c->next);
    }
    if (rc == 0 && opening.status == POF_OPENING_OPEN) {
        c->entry.len = 0;
        rc = pof_commitment_add(&c->entry, pof_log_hasher(c->log), opening.salt, *entry, err);
        *entry = (struct pof_text){c->entry.data, c->entry.len};
    }
    rc = rc ? rc : pof_log_leaf_of(c->log, *entry, leaf, err);
    if (rc == 0 && !pof_hash_eq(&there, leaf)) {
        rc = pof_fail(err, POF_E_ANSWER_NO, "the log holds another record at %" PRIu64, c->next);
    }
    c->known += rc == 0;
    return rc;
}

/* Adds the record, or a commitment to it, as *entry. */
static int add(struct pof_certifier *c, struct pof_hash *leaf, struct pof_text *entry,
               struct pof_err *err)
{
    int rc = 0;
    if (is_private(c)) {
        uint8_t salt[POF_SALT];
        if (!c->openings) {
            return pof_fail(err, POF_E_INTERNAL, "there is no place for openings");
        }
        c->entry.len = 0;
        rc = pof_random_bytes(salt, sizeof salt, err);
        rc = rc ? rc : pof_commitment_add(&c->entry, pof_log_hasher(c->log), salt, *entry, err);
        rc = rc ? rc : pof_openings_add(c->openings, c->next, salt, *entry, err);
        pof_wipe(salt, sizeof salt);
        *entry = (struct pof_text){c->entry.data, c->entry.len};
    }
    rc = rc ? rc : pof_log_add(c->log, *entry, leaf, err);
    c->added += rc == 0;
    return rc;
}

/* Keeps the entry and the record's line until they are durable. */
static int keep(struct pof_certifier *c, struct pof_text line, struct pof_text entry,
                const struct pof_hash *leaf, struct pof_err *err)
{
    int rc = pof_grow(&c->waiting, &c->cap, c->n + 1, sizeof *c->waiting, err);
    rc = rc ? rc : pof_buf_add(&c->line, line.ptr, line.len, err);
    rc = rc ? rc : pof_buf_add(&c->line, "\n", 1, err);
    rc = rc ? rc : pof_buf_add(&c->canonical, entry.ptr, entry.len, err);
    if (rc == 0) {
        c->waiting[c->n++] =
            (struct pof_certified){.index = c->next++, .leaf = *leaf, .record.len = entry.len};
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
    struct pof_text entry = {c->one.data, c->one.len};
    rc = c->next < size ? is_known(c, &leaf, &entry, err) : add(c, &leaf, &entry, err);
    rc = rc ? rc : keep(c, line, entry, &leaf, err);
    return rc || (c->n < c->batch && !pof_log_full(c->log)) ? rc : pof_certifier_flush(c, err);
}

int pof_certifier_flush(struct pof_certifier *c, struct pof_err *err)
{
    int rc = c->openings ? pof_openings_commit(c->openings, err) : 0;
    rc = rc ? rc : pof_log_commit(c->log, err);
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
    pof_buf_release(&c->entry);
    free(c->waiting);
    c->waiting = NULL;
}
