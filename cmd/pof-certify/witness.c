/* SPDX-License-Identifier: Apache-2.0 */
/* witness: over HTTP, or through a directory in which requests are dropped. */
#include "parts.h"

#include "net/server.h"
#include "trust/witness.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

struct witnessing {
    struct work *w;
    struct pof_witness *witness;
    struct pof_witness_answer answer;
    struct pof_sink out;
};

/* Answers a request, and tells the owner. */
static int add(struct witnessing *s, struct pof_text request, struct pof_err *err)
{
    int rc = pof_witness_add(s->witness, request, pof_cli_now(s->w->cli), &s->answer, err);
    rc = rc ? rc : pof_buf_add(&s->answer.event, "\n", 1, err);
    return rc ? rc : s->out.write(s->out.ctx, s->answer.event.data, s->answer.event.len, err);
}

/* --- HTTP --- */

static int handle(void *ctx, const struct pof_server_request *request,
                  struct pof_server_reply *reply, struct pof_err *err)
{
    static const char call[] = "/add-checkpoint";
    struct witnessing *s = ctx;
    struct pof_text t = request->target;
    size_t n = sizeof call - 1;
    if (t.len < n || memcmp(t.ptr + t.len - n, call, n) != 0) {
        reply->status = 404;
        return pof_buf_adds(&reply->body, "only /add-checkpoint is here\n", err);
    }
    if (!pof_text_is(request->method, "POST")) {
        reply->status = 405;
        return pof_buf_adds(&reply->body, "expected POST\n", err);
    }
    int rc = add(s, request->body, err);
    reply->status = s->answer.status;
    reply->type = s->answer.type;
    return rc ? rc : pof_buf_add(&reply->body, s->answer.body.data, s->answer.body.len, err);
}

static int serve(struct witnessing *s, struct pof_err *err)
{
    struct pof_server_options options = {.address = s->w->a->listen,
                                         .max_body = POF_WITNESS_REQUEST_MAX,
                                         .handle = handle,
                                         .ctx = s};
    struct pof_server *server;
    struct pof_buf *b = &s->w->text;
    int rc = pof_server_open(&server, &options, err);
    if (rc) {
        return rc;
    }
    rc = pof_buf_addf(b, err, "listening on port %u\n", pof_server_port(server));
    rc = rc ? rc : s->out.write(s->out.ctx, b->data, b->len, err);
    rc = rc ? rc : pof_server_run(server, err);
    pof_server_close(server);
    return rc;
}

/* --- a directory --- */

/* A request of any length; one that is too long is none. */
static int read_request(struct work *w, const char *path, struct pof_buf *to, struct pof_err *err)
{
    bool there;
    struct pof_err detail = {0};
    int rc = w->files.get(w->files.ctx, path, POF_WITNESS_REQUEST_MAX, to, &there, &detail);
    if (rc == POF_E_TOO_LONG) {
        to->len = 0;
        return 0;
    }
    return rc ? pof_fail(err, detail.code, "%s", detail.text) : 0;
}

/* The old size in a request; 0 when it is none. */
static uint64_t old_of(const struct pof_buf *request)
{
    struct pof_witness_request r;
    struct pof_err detail = {0};
    int rc = pof_witness_request_parse(&r, (struct pof_text){request->data, request->len}, &detail);
    return rc ? 0 : r.old;
}

/* "NAME.request" becomes "NAME.answer": a line "STATUS OLD" with the old size of the request, and
 * the body of the answer. */
static int answer_file(struct witnessing *s, struct pof_text name, struct pof_err *err)
{
    struct work *w = s->w;
    struct pof_buf request = {0};
    struct pof_buf path = {0};
    struct pof_buf text = {0};
    int stem = (int)(name.len - strlen(".request"));
    int rc = pof_buf_addf(&path, err, "%.*s", (int)name.len, name.ptr);
    rc = rc ? rc : pof_buf_add(&path, "", 1, err);
    rc = rc ? rc : read_request(w, path.data, &request, err);
    rc = rc ? rc : add(s, (struct pof_text){request.data, request.len}, err);
    rc = rc ? rc : pof_buf_addf(&text, err, "%d %" PRIu64 "\n", s->answer.status, old_of(&request));
    rc = rc ? rc : pof_buf_add(&text, s->answer.body.data, s->answer.body.len, err);
    path.len = 0;
    rc = rc ? rc : pof_buf_addf(&path, err, "%.*s.answer", stem, name.ptr);
    rc = rc ? rc : pof_buf_add(&path, "", 1, err);
    rc = rc ? rc
            : w->files.put(w->files.ctx, path.data, (struct pof_text){text.data, text.len}, err);
    path.len = 0;
    rc = rc ? rc : pof_buf_addf(&path, err, "%.*s", (int)name.len, name.ptr);
    rc = rc ? rc : pof_buf_add(&path, "", 1, err);
    rc = rc ? rc : pof_tree_remove(w->tree, path.data, err);
    pof_buf_release(&request);
    pof_buf_release(&path);
    pof_buf_release(&text);
    return rc;
}

static int answer_drop(struct witnessing *s, struct pof_err *err)
{
    static const char suffix[] = ".request";
    struct work *w = s->w;
    struct pof_buf names = {0};
    int rc = pof_tree_open(&w->tree, w->a->drop, false, err);
    if (rc == 0) {
        w->files = pof_tree_files(w->tree);
        rc = w->files.list(w->files.ctx, ".", &names, err);
    }
    struct pof_text rest = {names.data, names.len};
    struct pof_text name;
    while (rc == 0 && pof_tlog_line(&rest, &name)) {
        size_t n = sizeof suffix - 1;
        if (name.len > n && name.len < 200 && name.ptr[0] != '.' &&
            memcmp(name.ptr + name.len - n, suffix, n) == 0) {
            rc = answer_file(s, name, err);
        }
    }
    pof_buf_release(&names);
    return rc;
}

int certify_witness(struct work *w, struct pof_err *err)
{
    struct witnessing s = {.w = w};
    struct pof_buf key = {0};
    if (!w->a->policy || (w->a->listen != NULL) == (w->a->drop != NULL)) {
        return pof_fail(err, POF_E_USAGE,
                        "witness needs --policy FILE with the logs it knows, and --listen "
                        "ADDRESS:PORT or --drop DIR");
    }
    int rc = certify_read_policy(w, err);
    rc = rc ? rc : pof_directory_open(&w->dir, w->target, "vkey", err);
    rc = rc ? rc : pof_buf_addf(&key, err, "%s/key", w->target);
    rc = rc ? rc : pof_buf_add(&key, "", 1, err);
    rc = rc ? rc : certify_load_signer(w->a->key ? w->a->key : key.data, &w->signer, err);
    if (rc == 0) {
        w->folder = pof_directory_folder(w->dir);
        rc = pof_witness_open(&s.witness, &w->folder, &w->signer, w->policy, err);
    }
    rc = rc ? rc : pof_cli_sink(w->cli, NULL, &s.out, err);
    if (rc == 0) {
        rc = w->a->listen ? serve(&s, err) : answer_drop(&s, err);
    }
    pof_witness_answer_release(&s.answer);
    pof_witness_close(s.witness);
    pof_buf_release(&key);
    return rc;
}
