/* SPDX-License-Identifier: Apache-2.0 */
/* Witnesses. */
#include "trust/witness.h"

#include "base/mem.h"
#include "base/base64.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static const char title[] = "pof.witness/1";
static const char text_plain[] = "text/plain; charset=utf-8";

/* The newest checkpoint of a log that was cosigned. */
struct held {
    struct pof_checkpoint checkpoint;
    struct pof_buf note; /* as the log signed it */
};

struct pof_witness {
    struct pof_folder folder;
    struct pof_signer signer;
    const struct pof_policy *logs;
    struct pof_hasher *hasher;
    struct held *held; /* [n]; owned */
    size_t n, cap;
    bool broken;
};

/* --- requests --- */

int pof_witness_request_parse(struct pof_witness_request *out, struct pof_text text,
                              struct pof_err *err)
{
    struct pof_witness_request r = {0};
    struct pof_text line;
    if (!pof_tlog_line(&text, &line) || line.len <= 4 || memcmp(line.ptr, "old ", 4) != 0 ||
        !pof_tlog_number((struct pof_text){line.ptr + 4, line.len - 4}, &r.old)) {
        return pof_fail(err, POF_E_SYNTAX, "a request begins with a line 'old SIZE'");
    }
    for (;;) {
        if (!pof_tlog_line(&text, &line)) {
            return pof_fail(err, POF_E_SYNTAX, "a request needs a blank line and a checkpoint");
        }
        if (line.len == 0) {
            break;
        }
        if (r.proof.n == POF_TREE_LEVELS || !pof_tlog_hash(line, &r.proof.hash[r.proof.n])) {
            return pof_fail(err, POF_E_SYNTAX,
                            "a request has at most 63 lines of base64 of 32 bytes");
        }
        r.proof.n++;
    }
    r.checkpoint = text;
    *out = r;
    return 0;
}

int pof_witness_request_format(struct pof_buf *to, const struct pof_witness_request *request,
                               struct pof_err *err)
{
    int rc = pof_buf_addf(to, err, "old %" PRIu64 "\n", request->old);
    for (size_t i = 0; i < request->proof.n && rc == 0; i++) {
        rc = pof_base64_add(to, request->proof.hash[i].b, POF_HASH, err);
        rc = rc ? rc : pof_buf_add(to, "\n", 1, err);
    }
    rc = rc ? rc : pof_buf_add(to, "\n", 1, err);
    return rc ? rc : pof_buf_add(to, request->checkpoint.ptr, request->checkpoint.len, err);
}

/* --- what is held --- */

static struct held *find(const struct pof_witness *w, const char *origin)
{
    for (size_t i = 0; i < w->n; i++) {
        if (strcmp(w->held[i].checkpoint.origin, origin) == 0) {
            return &w->held[i];
        }
    }
    return NULL;
}

/* "WORD N\n" and N bytes, added to a buffer or taken off a text. */
static int add_part(struct pof_buf *to, const char *word, struct pof_text part, struct pof_err *err)
{
    int rc = pof_buf_addf(to, err, "%s %zu\n", word, part.len);
    return rc ? rc : pof_buf_add(to, part.ptr, part.len, err);
}

static bool take_part(struct pof_text *rest, const char *word, struct pof_text *part)
{
    struct pof_text line;
    size_t n = strlen(word);
    uint64_t len;
    if (!pof_tlog_line(rest, &line) || line.len <= n + 1 || memcmp(line.ptr, word, n) != 0 ||
        line.ptr[n] != ' ' ||
        !pof_tlog_number((struct pof_text){line.ptr + n + 1, line.len - n - 1}, &len) ||
        len > rest->len) {
        return false;
    }
    *part = (struct pof_text){rest->ptr, (size_t)len};
    rest->ptr += len;
    rest->len -= (size_t)len;
    return true;
}

/* Remembers a checkpoint of a log that is not held yet. */
static int hold(struct pof_witness *w, const struct pof_checkpoint *c, struct pof_text note,
                struct pof_err *err)
{
    int rc = pof_grow(&w->held, &w->cap, w->n + 1, sizeof *w->held, err);
    if (rc) {
        return rc;
    }
    struct held *h = &w->held[w->n++];
    *h = (struct held){.checkpoint = *c};
    return pof_buf_add(&h->note, note.ptr, note.len, err);
}

static int damaged(const struct pof_witness *w, struct pof_err *err)
{
    return pof_fail(err, POF_E_CONFLICT,
                    "'%s/cosigned' is damaged: a witness that does not know what it cosigned must "
                    "not go on; restore it from a copy of now, or retire its key",
                    w->folder.name);
}

/* What stands in a note without looking at signatures: the files are the witness' own. */
static int parse_unsigned(struct pof_text note, struct pof_checkpoint *c)
{
    struct pof_err detail = {0};
    const char *blank = memmem(note.ptr, note.len, "\n\n", 2);
    struct pof_text body = {note.ptr, blank ? (size_t)(blank + 1 - note.ptr) : 0};
    return pof_checkpoint_parse(c, body, &detail);
}

enum { SUM = POF_BASE64_LEN(POF_HASH) + 1 };

/* Adds the last line: SHA-256 of what stands before it. */
static int add_sum(struct pof_hasher *h, struct pof_buf *b, struct pof_err *err)
{
    struct pof_hash sum;
    pof_hash_two(h, (struct pof_text){b->data, b->len}, pof_text(""), &sum);
    int rc = pof_hasher_check(h, err);
    rc = rc ? rc : pof_base64_add(b, sum.b, POF_HASH, err);
    return rc ? rc : pof_buf_add(b, "\n", 1, err);
}

/* Is the last line right? Takes it off. */
static bool take_sum(struct pof_hasher *h, struct pof_text *text)
{
    struct pof_hash sum, want;
    if (text->len < SUM) {
        return false;
    }
    text->len -= SUM;
    pof_hash_two(h, *text, pof_text(""), &want);
    return text->ptr[text->len + SUM - 1] == '\n' &&
           pof_tlog_hash((struct pof_text){text->ptr + text->len, SUM - 1}, &sum) &&
           pof_hash_eq(&sum, &want);
}

static int read_held(struct pof_witness *w, struct pof_err *err)
{
    struct pof_buf b = {0};
    int rc = pof_folder_slurp(&w->folder, "cosigned", POF_WITNESS_STATE_MAX, &b, err);
    struct pof_text rest = {b.data, b.len};
    struct pof_text line;
    if (rc == 0 && (!take_sum(w->hasher, &rest) || !pof_tlog_line(&rest, &line) ||
                    !pof_text_is(line, title))) {
        rc = damaged(w, err);
    }
    while (rc == 0 && rest.len) {
        struct pof_text note;
        struct pof_checkpoint c;
        bool good = take_part(&rest, "log", &note) && parse_unsigned(note, &c) == 0;
        rc = good && !find(w, c.origin) ? hold(w, &c, note, err) : damaged(w, err);
    }
    pof_buf_release(&b);
    return rc;
}

/* Makes the new checkpoint of a log durable: the whole file in one replacement. */
static int write_held(struct pof_witness *w, const struct pof_checkpoint *c, struct pof_text note,
                      struct pof_err *err)
{
    struct pof_buf b = {0};
    struct held *now = find(w, c->origin);
    int rc = pof_buf_addf(&b, err, "%s\n", title);
    for (size_t i = 0; rc == 0 && i < w->n; i++) {
        struct held *h = &w->held[i];
        rc = add_part(&b, "log", h == now ? note : (struct pof_text){h->note.data, h->note.len},
                      err);
    }
    rc = rc || now ? rc : add_part(&b, "log", note, err);
    rc = rc ? rc : add_sum(w->hasher, &b, err);
    if (rc == 0 && b.len > POF_WITNESS_STATE_MAX) {
        rc = pof_fail(err, POF_E_TOO_LONG, "'%s/cosigned' would have more than %d bytes",
                      w->folder.name, POF_WITNESS_STATE_MAX);
    }
    struct pof_folder *f = &w->folder;
    rc = rc ? rc : f->replace(f->ctx, "cosigned", (struct pof_text){b.data, b.len}, err);
    pof_buf_release(&b);
    if (rc || !now) {
        return rc ? rc : hold(w, c, note, err);
    }
    now->checkpoint = *c;
    now->note.len = 0;
    return pof_buf_add(&now->note, note.ptr, note.len, err);
}

/* --- opening --- */

int pof_witness_create(const struct pof_folder *folder, const struct pof_signer *key,
                       struct pof_err *err)
{
    struct pof_buf b = {0};
    struct pof_hasher *h = NULL;
    int rc = pof_vkey_format(&b, &key->vkey, err);
    rc = rc ? rc : pof_buf_add(&b, "\n", 1, err);
    rc = rc ? rc : pof_hasher_new(&h, err);
    rc = rc ? rc : folder->replace(folder->ctx, "vkey", (struct pof_text){b.data, b.len}, err);
    b.len = 0;
    rc = rc ? rc : pof_buf_addf(&b, err, "%s\n", title);
    rc = rc ? rc : add_sum(h, &b, err);
    rc = rc ? rc : folder->replace(folder->ctx, "cosigned", (struct pof_text){b.data, b.len}, err);
    pof_hasher_free(h);
    pof_buf_release(&b);
    return rc;
}

/* Is the key that of the folder? */
static int check_key(struct pof_witness *w, struct pof_err *err)
{
    struct pof_buf b = {0};
    struct pof_vkey vkey;
    int rc = pof_folder_slurp(&w->folder, "vkey", 4096, &b, err);
    rc = rc ? rc : pof_vkey_parse(&vkey, (struct pof_text){b.data, b.len}, err);
    pof_buf_release(&b);
    if (rc == 0 &&
        (vkey.type != POF_KEY_WITNESS || memcmp(&vkey, &w->signer.vkey, sizeof vkey) != 0)) {
        rc = pof_fail(err, POF_E_CONFIG, "the secret key is not that of the witness '%s'",
                      vkey.name);
    }
    return rc;
}

int pof_witness_open(struct pof_witness **out, const struct pof_folder *folder,
                     const struct pof_signer *key, const struct pof_policy *logs,
                     struct pof_err *err)
{
    struct pof_witness *w;
    int rc = pof_calloc(&w, 1, sizeof *w, err);
    if (rc) {
        return rc;
    }
    w->folder = *folder;
    w->signer = *key;
    w->logs = logs;
    rc = pof_hasher_new(&w->hasher, err);
    rc = rc ? rc : check_key(w, err);
    rc = rc ? rc : read_held(w, err);
    if (rc) {
        pof_witness_close(w);
        return rc;
    }
    *out = w;
    return 0;
}

void pof_witness_close(struct pof_witness *w)
{
    if (w) {
        for (size_t i = 0; i < w->n; i++) {
            pof_buf_release(&w->held[i].note);
        }
        free(w->held);
        pof_hasher_free(w->hasher);
        pof_wipe(&w->signer, sizeof w->signer);
        free(w);
    }
}

/* --- answering --- */

/* A request under way. */
struct adding {
    struct pof_witness *w;
    struct pof_text text; /* the request */
    struct pof_witness_request request;
    struct pof_checkpoint checkpoint;
    struct pof_text body;    /* of the checkpoint: what is signed */
    const struct held *held; /* NULL: nothing of this log */
    uint64_t held_size;
    int64_t now;
    struct pof_witness_answer *out;
};

/* Sets the answer and its event; what is a sentence. */
static int reply(struct adding *a, int status, const char *what, struct pof_err *err)
{
    struct pof_witness_answer *out = a->out;
    out->status = status;
    out->type = text_plain;
    int rc = pof_buf_addf(&out->event, err, "%d %s %" PRIu64 " -> %" PRIu64 ": %s", status,
                          a->checkpoint.origin[0] ? a->checkpoint.origin : "-", a->held_size,
                          a->checkpoint.head.size, what);
    return rc || status == 200 || status == 409 ? rc : pof_buf_addf(&out->body, err, "%s\n", what);
}

/* A submission signed by the log that contradicts what was cosigned: kept, and shown. */
static int refuse(struct adding *a, int status, const char *what, struct pof_err *err)
{
    const char *file = status == 409 ? "forked" : "refused";
    struct pof_folder *f = &a->w->folder;
    struct pof_buf b = {0};
    struct pof_text held = {a->held->note.data, a->held->note.len};
    int rc = add_part(&b, "held", held, err);
    rc = rc ? rc : add_part(&b, "request", a->text, err);
    a->w->broken = true; /* as long as the write is under way */
    rc = rc ? rc : f->replace(f->ctx, file, (struct pof_text){b.data, b.len}, err);
    a->w->broken = rc != 0;
    pof_buf_release(&b);
    rc = rc ? rc : reply(a, status, what, err);
    /* Whoever asked can compare the two. */
    return rc || status == 409 ? rc : pof_buf_add(&a->out->body, held.ptr, held.len, err);
}

static int conflict(struct adding *a, const char *what, bool fork, struct pof_err *err)
{
    int rc = fork ? refuse(a, 409, what, err) : reply(a, 409, what, err);
    a->out->type = "text/x.tlog.size";
    return rc ? rc : pof_buf_addf(&a->out->body, err, "%" PRIu64 "\n", a->held_size);
}

/* Which log is it, and did it sign? false: answered. */
static int identify(struct adding *a, bool *go_on, struct pof_err *err)
{
    const struct pof_policy *p = a->w->logs;
    struct pof_vkey keys[POF_POLICY_MAX];
    struct pof_note note;
    size_t n = 0;
    *go_on = false;
    if (parse_unsigned(a->request.checkpoint, &a->checkpoint) != 0) {
        a->checkpoint = (struct pof_checkpoint){0};
        return reply(a, 400, "malformed checkpoint", err);
    }
    for (size_t i = 0; i < p->logs; i++) {
        if (strcmp(p->log[i].vkey.name, a->checkpoint.origin) == 0) {
            keys[n++] = p->log[i].vkey;
        }
    }
    if (n == 0) {
        return reply(a, 404, "unknown log", err);
    }
    int rc = pof_note_open(&note, a->request.checkpoint, keys, n, err);
    if (rc || note.status == POF_NOTE_MALFORMED) {
        return rc ? rc : reply(a, 400, "malformed checkpoint", err);
    }
    if (note.status != POF_NOTE_GOOD) {
        return reply(a, 403, "invalid signature", err);
    }
    /* With the signature good the text is the log's; its body is read again from what was signed.
     */
    struct pof_err detail = {0};
    if (pof_checkpoint_parse(&a->checkpoint, note.text, &detail) != 0) {
        return reply(a, 400, "malformed checkpoint", err);
    }
    a->body = note.text;
    *go_on = true;
    return 0;
}

/* Does it follow from what is held? false: answered. */
static int compare(struct adding *a, bool *go_on, struct pof_err *err)
{
    const struct pof_head *now = &a->checkpoint.head;
    const struct pof_proof *proof = &a->request.proof;
    *go_on = false;
    if (a->request.old > now->size) {
        return reply(a, 400, "old size beyond the checkpoint's", err);
    }
    if (a->request.old != a->held_size) {
        return conflict(a,
                        now->size < a->held_size ? "rollback: more was cosigned before"
                                                 : "old size is not what was cosigned",
                        false, err);
    }
    bool good = proof->n == 0;
    if (a->held && a->held_size) {
        if (now->size == a->held_size && !pof_hash_eq(&now->root, &a->held->checkpoint.head.root)) {
            return conflict(a, "fork: another root of the same size was cosigned", true, err);
        }
        good = pof_merkle_check_consistency(a->w->hasher, &a->held->checkpoint.head, now, proof);
    }
    int rc = pof_hasher_check(a->w->hasher, err);
    *go_on = rc == 0 && good;
    return rc || good ? rc
           : a->held  ? refuse(a, 422, "bad consistency proof", err)
                      : reply(a, 422, "bad consistency proof", err);
}

/* The checkpoint with the log's own signatures: anybody can add others. */
static int own_note(const struct adding *a, struct pof_buf *to, struct pof_err *err)
{
    const struct pof_policy *p = a->w->logs;
    struct pof_text rest = {a->body.ptr + a->body.len + 1,
                            a->request.checkpoint.len - a->body.len - 1};
    struct pof_signature line;
    int rc = pof_buf_add(to, a->body.ptr, a->body.len, err);
    rc = rc ? rc : pof_buf_add(to, "\n", 1, err);
    while (rc == 0 && pof_note_signature(&rest, &line)) {
        for (size_t i = 0; rc == 0 && i < p->logs; i++) {
            const struct pof_vkey *key = &p->log[i].vkey;
            if (pof_text_is(line.name, key->name) &&
                memcmp(line.id, key->id, sizeof line.id) == 0) {
                rc = pof_buf_add(to, line.line.ptr, line.line.len, err);
            }
        }
    }
    return rc;
}

/* It is kept, and then cosigned. */
static int accept(struct adding *a, struct pof_err *err)
{
    struct pof_witness *w = a->w;
    struct pof_buf note = {0};
    w->broken = true;
    int rc = own_note(a, &note, err);
    rc = rc ? rc : write_held(w, &a->checkpoint, (struct pof_text){note.data, note.len}, err);
    pof_buf_release(&note);
    if (rc) {
        return rc;
    }
    w->broken = false;
    rc = pof_note_cosign(&a->out->body, a->body, &w->signer, a->now, err);
    return rc ? rc : reply(a, 200, "cosigned", err);
}

int pof_witness_add(struct pof_witness *w, struct pof_text request, int64_t now,
                    struct pof_witness_answer *out, struct pof_err *err)
{
    struct adding a = {.w = w, .text = request, .now = now, .out = out};
    struct pof_err detail = {0};
    bool go_on = false;
    out->body.len = out->event.len = 0;
    if (w->broken) {
        return pof_fail(err, POF_E_WRITE, "an earlier write of the witness failed");
    }
    if (request.len > POF_WITNESS_REQUEST_MAX ||
        pof_witness_request_parse(&a.request, request, &detail) != 0) {
        return reply(&a, 400, detail.code ? detail.text : "request too long", err);
    }
    int rc = identify(&a, &go_on, err);
    if (rc || !go_on) {
        return rc;
    }
    a.held = find(w, a.checkpoint.origin);
    a.held_size = a.held ? a.held->checkpoint.head.size : 0;
    rc = compare(&a, &go_on, err);
    return rc || !go_on ? rc : accept(&a, err);
}

void pof_witness_answer_release(struct pof_witness_answer *a)
{
    pof_buf_release(&a->body);
    pof_buf_release(&a->event);
}
