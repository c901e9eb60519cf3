/* SPDX-License-Identifier: Apache-2.0 */
/* checkpoint: prints it, and asks witnesses to sign it too. */
#include "parts.h"

#include "net/http.h"
#include "trust/witness.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { TRIES = 3, ANSWER_MAX = 1 << 17 };

/* What a witness said, and the request it answered. */
struct asking {
    struct work *w;
    const char *address;
    uint64_t old;           /* what it is thought to have cosigned */
    struct pof_buf request; /* the last one that was made */
    struct pof_buf note;    /* the checkpoint, with what was gathered so far */
    long status;
    struct pof_text body;
    bool refused; /* it holds another history: told in w->text */
};

/* --- requests --- */

/* From the size that the witness has to the checkpoint of now. */
static int make_request(struct asking *a, struct pof_err *err)
{
    struct pof_log *log = a->w->log;
    struct pof_witness_request r = {.old = a->old, .checkpoint = pof_log_checkpoint(log)};
    struct pof_head old;
    bool same;
    int rc = pof_log_head_at(log, a->old, &old, err);
    rc = rc ? rc : pof_log_consistency(log, &old, &r.proof, &same, err);
    a->request.len = 0;
    return rc ? rc : pof_witness_request_format(&a->request, &r, err);
}

/* --- answers --- */

/* The size in the body of a 409. */
static bool held_size(const struct asking *a, uint64_t *size)
{
    struct pof_text rest = a->body;
    struct pof_text line;
    return pof_tlog_line(&rest, &line) && pof_tlog_number(line, size);
}

/* A witness that holds another history: what it holds, what was signed here, and the proof that
 * does not lead from the one to the other. */
static int say_refused(struct asking *a, const char *what, struct pof_err *err)
{
    struct pof_buf *b = &a->w->text;
    struct pof_text now = pof_log_checkpoint(a->w->log);
    a->refused = true;
    int rc = pof_buf_addf(b, err, "no: witness %s refuses, status %ld: %s\nit answered:\n",
                          a->address, a->status, what);
    rc = rc ? rc : pof_buf_add(b, a->body.ptr, a->body.len, err);
    rc = rc ? rc : pof_buf_adds(b, "this log signed:\n", err);
    rc = rc ? rc : pof_buf_add(b, now.ptr, now.len, err);
    size_t proof = a->request.len > now.len ? a->request.len - now.len : 0;
    if (rc == 0 && proof) {
        rc = pof_buf_adds(b, "the consistency proof that fails:\n", err);
        rc = rc ? rc : pof_buf_add(b, a->request.data, proof, err);
    }
    return rc;
}

/* Judges an answer. *again: ask once more, from a->old. */
static int take_answer(struct asking *a, bool *again, struct pof_err *err)
{
    uint64_t now = pof_log_size(a->w->log);
    uint64_t size;
    size_t added;
    *again = false;
    switch (a->status) {
    case 200: {
        int rc = pof_policy_merge(a->w->policy, &a->note, a->body, &added, err);
        if (rc == 0 && added == 0) {
            pof_cli_warn(a->w->cli, "%s: no new cosignature of a witness of the policy",
                         a->address);
        }
        return rc;
    }
    case 409:
        if (!held_size(a, &size)) {
            pof_cli_warn(a->w->cli, "%s: status 409 without a size", a->address);
            return 0;
        }
        if (size > now) {
            return say_refused(a, "rollback: it has seen more records than this log has", err);
        }
        if (size == a->old) {
            return say_refused(a, "fork: it has seen another root of the same size", err);
        }
        a->old = size;
        *again = true;
        return 0;
    case 422:
        return say_refused(a, "fork: this log does not begin with what it has seen", err);
    default:
        pof_cli_warn(a->w->cli, "%s: status %ld: %.*s", a->address, a->status,
                     a->body.len > 80 ? 80 : (int)a->body.len, a->body.ptr);
        return 0;
    }
}

/* --- ways to a witness --- */

static int ask_http(struct asking *a, struct pof_err *err)
{
    const struct pof_http_options options = {.max_bytes = ANSWER_MAX, .stall_s = 10};
    struct pof_http_answer answer = {.status = 0};
    struct pof_buf url = {0};
    size_t n = strlen(a->address);
    n -= n && a->address[n - 1] == '/';
    int rc = pof_buf_addf(&url, err, "%.*s/add-checkpoint", (int)n, a->address);
    rc = rc ? rc : pof_buf_add(&url, "", 1, err);
    bool again = true;
    for (int i = 0; rc == 0 && again && i < TRIES; i++) {
        struct pof_err why = {0};
        rc = make_request(a, err);
        if (rc) {
            break;
        }
        if (pof_http_post(url.data, (struct pof_text){a->request.data, a->request.len}, &options,
                          &answer, &why) != 0) {
            pof_cli_warn(a->w->cli, "%s", why.text); /* a quorum may be had without it */
            break;
        }
        a->status = answer.status;
        a->body = (struct pof_text){answer.body.data, answer.body.len};
        rc = take_answer(a, &again, err);
    }
    pof_buf_release(&answer.body);
    pof_buf_release(&url);
    return rc;
}

/* The first 16 hexadecimal digits of SHA-256 of the origin: the name of its files in a drop. */
static int drop_name(const struct asking *a, char name[40], const char *suffix, struct pof_err *err)
{
    const char *origin = pof_log_vkey(a->w->log)->name;
    struct pof_hash h;
    pof_hash_two(pof_log_hasher(a->w->log), pof_text(origin), pof_text(""), &h);
    for (int i = 0; i < 8; i++) {
        name[2 * i] = "0123456789abcdef"[h.b[i] >> 4];
        name[2 * i + 1] = "0123456789abcdef"[h.b[i] & 15];
    }
    memcpy(name + 16, suffix, strlen(suffix) + 1);
    return pof_hasher_check(pof_log_hasher(a->w->log), err);
}

/* "STATUS OLD" LF body: the answer to a request from size OLD on. */
static bool split_answer(struct asking *a, const struct pof_buf *text)
{
    struct pof_text line;
    uint64_t status;
    a->body = (struct pof_text){text->data, text->len};
    if (!pof_tlog_line(&a->body, &line) || line.len < 5 || line.ptr[3] != ' ' ||
        !pof_tlog_number((struct pof_text){line.ptr, 3}, &status) ||
        !pof_tlog_number((struct pof_text){line.ptr + 4, line.len - 4}, &a->old)) {
        return false;
    }
    a->status = (long)status;
    return true;
}

/* Judges an answer beside the request that it answers. */
static int take_dropped(struct asking *a, const struct pof_buf *text, struct pof_err *err)
{
    bool again = false;
    uint64_t guess = a->old;
    if (!split_answer(a, text)) {
        return pof_fail(err, POF_E_PROTOCOL, "'%s' holds an answer that is none", a->address);
    }
    int rc = a->old <= pof_log_size(a->w->log) ? make_request(a, err) : 0;
    rc = rc ? rc : take_answer(a, &again, err);
    a->old = again ? a->old : guess;
    return rc;
}

/* Takes the answer to an earlier request; without a good one drops a request. */
static int ask_drop(struct asking *a, struct pof_err *err)
{
    struct pof_tree *tree;
    struct pof_buf text = {0};
    char name[40];
    bool there = false;
    size_t before = a->note.len;
    int rc = pof_tree_open(&tree, a->address, false, err);
    if (rc) {
        return rc;
    }
    struct pof_files f = pof_tree_files(tree);
    rc = drop_name(a, name, ".answer", err);
    rc = rc ? rc : f.get(f.ctx, name, ANSWER_MAX, &text, &there, err);
    if (rc == 0 && there) {
        rc = take_dropped(a, &text, err);
        rc = rc ? rc : pof_tree_remove(tree, name, err);
    }
    if (rc == 0 && a->note.len == before && !a->refused) {
        rc = make_request(a, err);
        rc = rc ? rc : drop_name(a, name, ".request", err);
        rc = rc ? rc : f.put(f.ctx, name, (struct pof_text){a->request.data, a->request.len}, err);
        pof_cli_note(a->w->cli, "%s: the request waits for the witness", a->address);
    }
    pof_buf_release(&text);
    pof_tree_close(tree);
    return rc;
}

static int ask(struct asking *a, struct pof_err *err)
{
    a->status = 0;
    a->body = (struct pof_text){"", 0};
    a->request.len = 0;
    return pof_http_is_url(a->address) ? ask_http(a, err) : ask_drop(a, err);
}

/* --- the whole --- */

/* What was gathered before for this checkpoint, or the checkpoint alone; old gets the size that was
 * cosigned last. */
static int begin(struct asking *a, struct pof_err *err)
{
    struct pof_buf before = {0};
    struct pof_checkpoint c;
    struct pof_note note;
    struct pof_text text = pof_log_checkpoint(a->w->log);
    int rc = certify_read_note(a->w, "gathered", &before, err);
    if (rc == 0 && before.len) {
        struct pof_text old = {before.data, before.len};
        rc = pof_checkpoint_open(&c, &note, old, pof_log_vkey(a->w->log), err);
        bool good = rc == 0 && note.status == POF_NOTE_GOOD;
        if (good && c.head.size <= pof_log_size(a->w->log)) {
            a->old = c.head.size;
            text = c.head.size == pof_log_size(a->w->log) ? old : text;
        }
    }
    rc = rc ? rc : pof_buf_add(&a->note, text.ptr, text.len, err);
    pof_buf_release(&before);
    return rc;
}

/* Asks every witness that did not sign yet, by the addresses of the policy and of --witness. */
static int ask_all(struct asking *a, struct pof_err *err)
{
    const struct pof_policy *p = a->w->policy;
    uint64_t old = a->old;
    struct pof_policy_verdict v;
    int rc = certify_judge(a->w, (struct pof_text){a->note.data, a->note.len}, &v, err);
    for (size_t i = 0; rc == 0 && i < p->witnesses; i++) {
        char address[1024];
        struct pof_text url = p->witness[i].url;
        if (url.len && url.len < sizeof address && !v.witness[i]) {
            memcpy(address, url.ptr, url.len);
            address[url.len] = '\0';
            a->address = address;
            a->old = old;
            rc = ask(a, err);
        }
    }
    for (size_t i = 0; rc == 0 && i < a->w->a->witness.n; i++) {
        a->address = a->w->a->witness.item[i];
        a->old = old;
        rc = ask(a, err);
    }
    return rc;
}

/* Keeps what was gathered for the next run, and for proofs once there is a quorum. */
static int keep(struct asking *a, bool good, struct pof_err *err)
{
    struct pof_folder *f = &a->w->folder;
    struct pof_text now = {a->note.data, a->note.len};
    int rc = f->replace(f->ctx, "gathered", now, err);
    return rc || !good ? rc : f->replace(f->ctx, "cosigned", now, err);
}

static int gather(struct work *w, bool *good, struct pof_err *err)
{
    struct asking a = {.w = w};
    struct pof_policy_verdict v = {.good = false};
    int rc = begin(&a, err);
    rc = rc ? rc : ask_all(&a, err);
    rc = rc ? rc : certify_judge(w, (struct pof_text){a.note.data, a.note.len}, &v, err);
    rc = rc ? rc : keep(&a, v.good, err);
    if (rc == 0 && !a.refused && v.good) {
        rc = pof_buf_add(&w->text, a.note.data, a.note.len, err);
    } else if (rc == 0 && !v.good) {
        rc = pof_buf_addf(&w->text, err, "no: the checkpoint of %" PRIu64 " records: %s\n",
                          pof_log_size(w->log), v.why);
        rc = rc ? rc : pof_policy_say(w->policy, &v, &w->text, err);
    }
    *good = v.good && !a.refused;
    pof_buf_release(&a.note);
    pof_buf_release(&a.request);
    return rc;
}

int certify_checkpoint(struct work *w, struct pof_err *err)
{
    bool good = true;
    if (w->a->witness.n && !w->a->policy) {
        return pof_fail(err, POF_E_USAGE,
                        "--witness needs --policy FILE: whose cosignatures are wanted?");
    }
    int rc = certify_read_policy(w, err);
    if (rc == 0 && !w->policy) {
        rc = certify_open_to_read(w, err);
    } else if (rc == 0) { /* to keep cosignatures; not the journal's lock: others may append */
        rc = pof_directory_open(&w->dir, w->target, "vkey", err);
        if (rc == 0) {
            w->folder = pof_directory_folder(w->dir);
            rc = pof_log_open(&w->log, &w->folder, NULL, false, err);
        }
    }
    if (rc == 0 && w->policy) {
        rc = gather(w, &good, err);
    } else if (rc == 0) {
        struct pof_text text = pof_log_checkpoint(w->log);
        rc = pof_buf_add(&w->text, text.ptr, text.len, err);
    }
    return rc ? rc : certify_answer(w, good, err);
}
