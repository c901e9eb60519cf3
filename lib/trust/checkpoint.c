/* SPDX-License-Identifier: Apache-2.0 */
/* Checkpoints and proof files. */
#include "trust/checkpoint.h"

#include "base/base64.h"

#include <string.h>

static const char proof_title[] = "c2sp.org/tlog-proof@v1";

bool pof_tlog_number(struct pof_text text, uint64_t *out)
{
    if (text.len == 0 || (text.len > 1 && text.ptr[0] == '0')) {
        return false;
    }
    uint64_t v = 0;
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        if (c < '0' || c > '9' || __builtin_mul_overflow(v, 10, &v) ||
            __builtin_add_overflow(v, (uint64_t)(c - '0'), &v)) {
            return false;
        }
    }
    *out = v;
    return v >> POF_TREE_LEVELS == 0;
}

bool pof_tlog_line(struct pof_text *rest, struct pof_text *line)
{
    const char *lf = rest->len ? memchr(rest->ptr, '\n', rest->len) : NULL;
    if (!lf) {
        return false;
    }
    *line = (struct pof_text){rest->ptr, (size_t)(lf - rest->ptr)};
    rest->len -= line->len + 1;
    rest->ptr = lf + 1;
    return true;
}

bool pof_tlog_hash(struct pof_text text, struct pof_hash *out)
{
    size_t n;
    return pof_base64_decode(text, out->b, POF_HASH, &n) && n == POF_HASH;
}

static int bad(struct pof_err *err, const char *what, struct pof_text found)
{
    return pof_fail(err, POF_E_SYNTAX, "%s, found '%.*s'", what,
                    found.len > 80 ? 80 : (int)found.len, found.ptr);
}

static int check_empty(const struct pof_head *head, struct pof_err *err)
{
    struct pof_hasher *h;
    struct pof_hash empty;
    int rc = pof_hasher_new(&h, err);
    if (rc) {
        return rc;
    }
    pof_merkle_empty(h, &empty);
    rc = pof_hasher_check(h, err);
    pof_hasher_free(h);
    if (rc == 0 && !pof_hash_eq(&empty, &head->root)) {
        rc = pof_fail(err, POF_E_SYNTAX, "a checkpoint of size 0 must have the root SHA-256(\"\")");
    }
    return rc;
}

int pof_checkpoint_parse(struct pof_checkpoint *out, struct pof_text body, struct pof_err *err)
{
    struct pof_checkpoint c = {0};
    struct pof_text line = {"", 0};
    if (!pof_tlog_line(&body, &line) || line.len == 0 || line.len > POF_KEY_NAME_MAX) {
        return bad(err, "line 1 of a checkpoint must be an origin of 1 to 128 bytes", line);
    }
    memcpy(c.origin, line.ptr, line.len);
    line.len = 0;
    if (!pof_tlog_line(&body, &line) || !pof_tlog_number(line, &c.head.size)) {
        return bad(err, "line 2 of a checkpoint must be a size in decimal digits", line);
    }
    line.len = 0;
    if (!pof_tlog_line(&body, &line) || !pof_tlog_hash(line, &c.head.root)) {
        return bad(err, "line 3 of a checkpoint must be 32 bytes of root in base64", line);
    }
    while (body.len) {
        if (!pof_tlog_line(&body, &line) || line.len == 0) {
            return bad(err, "extension lines of a checkpoint must not be empty", line);
        }
    }
    int rc = c.head.size == 0 ? check_empty(&c.head, err) : 0;
    if (rc == 0) {
        *out = c;
    }
    return rc;
}

int pof_checkpoint_sign(struct pof_buf *to, const struct pof_head *head,
                        const struct pof_signer *key, struct pof_err *err)
{
    struct pof_buf body = {0};
    int rc = pof_buf_addf(&body, err, "%s\n%llu\n", key->vkey.name, (unsigned long long)head->size);
    rc = rc ? rc : pof_base64_add(&body, head->root.b, POF_HASH, err);
    rc = rc ? rc : pof_buf_add(&body, "\n", 1, err);
    rc = rc ? rc : pof_note_sign(to, (struct pof_text){body.data, body.len}, key, err);
    pof_buf_release(&body);
    return rc;
}

int pof_checkpoint_open(struct pof_checkpoint *out, struct pof_note *note, struct pof_text text,
                        const struct pof_vkey *key, struct pof_err *err)
{
    int rc = pof_note_open(note, text, key, 1, err);
    if (rc || note->status != POF_NOTE_GOOD) {
        return rc;
    }
    struct pof_err detail = {0};
    struct pof_checkpoint c;
    rc = pof_checkpoint_parse(&c, note->text, &detail);
    if (rc == POF_E_SYNTAX) {
        note->status = POF_NOTE_MALFORMED;
        note->why = "it is signed, but it is not a checkpoint";
        return 0;
    }
    if (rc) {
        return pof_fail(err, detail.code, "%s", detail.text);
    }
    if (strcmp(c.origin, key->name) != 0) {
        note->status = POF_NOTE_UNKNOWN;
        note->why = "it is of a log with another origin";
        return 0;
    }
    *out = c;
    return 0;
}

int pof_tlog_proof_parse(struct pof_tlog_proof *out, struct pof_text text, struct pof_err *err)
{
    struct pof_tlog_proof p = {.extra = {"", 0}};
    struct pof_text line = {"", 0};
    if (!pof_tlog_line(&text, &line) || !pof_text_is(line, proof_title)) {
        return bad(err, "a proof begins with the line 'c2sp.org/tlog-proof@v1'", line);
    }
    line.len = 0;
    bool more = pof_tlog_line(&text, &line);
    if (more && line.len > 6 && memcmp(line.ptr, "extra ", 6) == 0) {
        p.extra = (struct pof_text){line.ptr + 6, line.len - 6};
        more = pof_tlog_line(&text, &line);
    }
    if (!more || line.len <= 6 || memcmp(line.ptr, "index ", 6) != 0 ||
        !pof_tlog_number((struct pof_text){line.ptr + 6, line.len - 6}, &p.index)) {
        return bad(err, "a proof needs a line 'index N'", line);
    }
    for (;;) {
        if (!pof_tlog_line(&text, &line)) {
            return bad(err, "a proof needs a blank line and a checkpoint", text);
        }
        if (line.len == 0) {
            break;
        }
        if (p.path.n == POF_TREE_LEVELS || !pof_tlog_hash(line, &p.path.hash[p.path.n])) {
            return bad(err, "a proof has at most 63 lines of base64 of 32 bytes", line);
        }
        p.path.n++;
    }
    p.checkpoint = text;
    *out = p;
    return 0;
}

int pof_tlog_proof_format(struct pof_buf *to, const struct pof_tlog_proof *proof,
                          struct pof_err *err)
{
    int rc = pof_buf_addf(to, err, "%s\n", proof_title);
    if (rc == 0 && proof->extra.len) {
        rc = pof_buf_addf(to, err, "extra %.*s\n", (int)proof->extra.len, proof->extra.ptr);
    }
    rc = rc ? rc : pof_buf_addf(to, err, "index %llu\n", (unsigned long long)proof->index);
    for (size_t i = 0; i < proof->path.n && rc == 0; i++) {
        rc = pof_base64_add(to, proof->path.hash[i].b, POF_HASH, err);
        rc = rc ? rc : pof_buf_add(to, "\n", 1, err);
    }
    rc = rc ? rc : pof_buf_add(to, "\n", 1, err);
    return rc ? rc : pof_buf_add(to, proof->checkpoint.ptr, proof->checkpoint.len, err);
}
