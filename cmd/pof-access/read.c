/* SPDX-License-Identifier: Apache-2.0 */
/* read and list: what the steps in a log allow. */
#include "parts.h"

#include "base/lines.h"
#include "io/directory.h"
#include "record/words.h"
#include "trust/certify.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* The log, held by its lock, and what its steps add up to. */
struct state {
    struct work *w;
    struct pof_subscriptions *access;
    struct pof_directory *dir;
    struct pof_folder folder;
    struct pof_log *log; /* to write */
    struct pof_signer signer;
    uint64_t steps, idle; /* that count, that do not */
    bool sound;
    struct pof_subscription *asked; /* list: every step that asked; texts in the arena */
    size_t n, cap;
    struct pof_arena arena;
};

static void state_release(struct state *s)
{
    pof_subscriptions_free(s->access);
    pof_log_close(s->log);
    pof_directory_close(s->dir);
    pof_wipe(&s->signer, sizeof s->signer);
    free(s->asked);
    pof_arena_release(&s->arena);
}

static int read_keys(struct state *s, struct pof_err *err)
{
    const char *path = s->w->a->keys;
    struct pof_lines lines = {.max = 4096};
    struct pof_text line;
    struct pof_vkey key;
    int rc = path ? pof_cli_source(s->w->cli, path, &lines.src, err)
                  : pof_fail(err, POF_E_USAGE, "--keys FILE is needed: a public key a line");
    while (rc == 0 && (rc = pof_lines_next(&lines, &line, err)) > 0) {
        rc = line.len == 0 ? 0 : pof_vkey_parse(&key, line, err);
        rc = rc || line.len == 0 ? rc : pof_subscriptions_key(s->access, &key, err);
        if (rc) {
            pof_at(err, path, lines.number, NULL);
        }
    }
    pof_lines_release(&lines);
    return rc;
}

static int on_pod(void *ctx, const struct pof_record *r, struct pof_err *err)
{
    struct state *s = ctx;
    return pof_subscriptions_pod(s->access, &r->u.pod, err);
}

static int read_pods(struct state *s, struct pof_err *err)
{
    static const struct pof_want want = {POF_pod, on_pod};
    return s->w->a->pods ? pof_cli_read_files(s->w->cli, &s->w->a->pods, 1, &want, 1, s, err)
                         : pof_fail(err, POF_E_USAGE, "--pods FILE is needed: pods with their owners");
}

static int keep(struct state *s, const struct pof_subscription *step, struct pof_err *err)
{
    int rc = pof_grow(&s->asked, &s->cap, s->n + 1, sizeof *s->asked, err);
    rc = rc ? rc : pof_record_copy(POF_subscription, step, &s->asked[s->n], &s->arena, err);
    s->n += rc == 0;
    return rc;
}

static int take_step(struct state *s, uint64_t index, const struct pof_subscription *step, struct pof_err *err)
{
    const char *why;
    int rc = pof_subscriptions_step(s->access, step, &why, err);
    if (rc == 0 && why) {
        s->idle++;
        pof_cli_warn(s->w->cli, "record %" PRIu64 " of the log, subscription '%.*s', does not count: %s", index,
                     (int)step->id.len, step->id.ptr, why);
    } else if (rc == 0) {
        s->steps++;
        rc = step->step == POF_SUBSCRIPTION_STEP_ASK ? keep(s, step, err) : 0;
    }
    return rc;
}

/* An entry of the log; those of other types are none of ours. */
static int on_entry(void *ctx, uint64_t index, struct pof_text entry, const struct pof_hash *leaf,
                    struct pof_err *err)
{
    struct state *s = ctx;
    (void)leaf;
    if (!pof_text_is(pof_record_schema(entry), pof_layout(POF_subscription)->schema)) {
        return 0;
    }
    struct pof_memory memory = {entry.ptr, entry.len};
    struct pof_source src = pof_source_memory(&memory, "log");
    const struct pof_reader_options options = {.expect = POF_subscription};
    struct pof_reader *reader;
    struct pof_record record;
    struct pof_err bad = {0};
    int rc = pof_reader_new(&reader, &src, &options, err);
    if (rc) {
        return rc;
    }
    int got = pof_reader_next(reader, &record, &bad);
    if (got > 0) {
        rc = take_step(s, index, &record.u.subscription, err);
    } else {
        s->idle++;
        pof_cli_warn(s->w->cli, "record %" PRIu64 " of the log is no subscription: %s", index, bad.text);
    }
    pof_reader_free(reader);
    return rc;
}

static int on_finding(void *ctx, const struct pof_finding *finding, struct pof_err *err)
{
    struct state *s = ctx;
    (void)finding;
    (void)err;
    s->sound = false;
    return 0;
}

/* Every entry under the signed head, checked on the way. */
static int fold(struct state *s, struct pof_err *err)
{
    struct pof_log *log;
    struct pof_audit result;
    const struct pof_auditor auditor = {on_entry, on_finding, s};
    s->sound = true;
    int rc = pof_log_sign(s->log, false, err);
    rc = rc ? rc : pof_log_open(&log, &s->folder, NULL, false, err);
    if (rc) {
        return rc;
    }
    rc = pof_log_audit(log, &auditor, &result, err);
    pof_log_close(log);
    if (rc == 0 && !s->sound) {
        rc = pof_fail(err, POF_E_CONFLICT,
                      "the log '%s' is not what was signed; pof-certify verify tells where", s->w->rest[0]);
    }
    return rc;
}

static int open_log(struct state *s, struct pof_err *err)
{
    struct pof_buf path = {0}, text = {0};
    int rc = s->w->n_rest ? 0 : pof_fail(err, POF_E_USAGE, "expected the log's directory; see pof-access --help");
    rc = rc ? rc : pof_buf_addf(&path, err, "%s/key", s->w->rest[0]);
    rc = rc ? rc : pof_buf_add(&path, "", 1, err);
    rc = rc ? rc : pof_directory_open(&s->dir, s->w->rest[0], "journal", err);
    rc = rc ? rc : pof_secret_read(s->w->a->log_key ? s->w->a->log_key : path.data, 4096, &text, err);
    rc = rc ? rc : pof_signer_parse(&s->signer, (struct pof_text){text.data, text.len}, err);
    if (rc == 0) {
        s->folder = pof_directory_folder(s->dir);
        rc = pof_log_open(&s->log, &s->folder, &s->signer, false, err);
    }
    if (text.data) {
        pof_wipe(text.data, text.len);
    }
    pof_buf_release(&text);
    pof_buf_release(&path);
    return rc;
}

static int prepare(struct state *s, struct work *w, struct pof_err *err)
{
    s->w = w;
    int rc = pof_subscriptions_new(&s->access, err);
    rc = rc ? rc : read_keys(s, err);
    rc = rc ? rc : read_pods(s, err);
    rc = rc ? rc : open_log(s, err);
    return rc ? rc : fold(s, err);
}

/* A decision as a record. */
static struct pof_access decision_record(const struct pof_question *r, struct pof_text pod, int64_t start,
                                                const struct pof_permission *d)
{
    struct pof_access a = {.consumer = r->consumer, .pod = pod, .data = r->data, .purpose = r->purpose,
                           .at = r->now, .decision = d->allow ? POF_ACCESS_DECISION_ALLOW : POF_ACCESS_DECISION_DENY,
                           .why = d->why, .start = d->allow ? d->start : start};
    POF_SET(&a, access, start);
    if (d->allow) {
        a.end = d->end;
        POF_SET(&a, access, end);
    }
    if (d->subscription.len) {
        a.subscription = d->subscription;
        POF_SET(&a, access, subscription);
    }
    return a;
}

/* --- read --- */

/* The filter: records wait in the writer's buffer, and before any of them goes out the decisions that
 * let it are made durable in the log. */
struct filter {
    struct state state;
    struct pof_question question;
    enum pof_type type;
    size_t pod_at, start_at; /* members of the type's structure */
    struct pof_sink out;
    struct pof_writer writer;
    struct pof_names pods;
    struct pof_permission *taken; /* of each pod the last decision */
    size_t cap;
    uint64_t allowed, denied;
    struct pof_jcs jcs;
    struct pof_buf text, canonical;
};

static int gate(void *ctx, const void *bytes, size_t n, struct pof_err *err)
{
    struct filter *f = ctx;
    int rc = pof_log_pending(f->state.log) ? pof_log_commit(f->state.log, err) : 0;
    return rc ? rc : f->out.write(f->out.ctx, bytes, n, err);
}

static int record(struct filter *f, struct pof_text pod, int64_t start, const struct pof_permission *d,
                  struct pof_err *err)
{
    struct pof_access a = decision_record(&f->question, pod, start, d);
    struct pof_hash leaf;
    f->text.len = 0;
    int rc = pof_record_format(&f->text, POF_access, &a, err);
    rc = rc ? rc : pof_record_canonical(&f->jcs, (struct pof_text){f->text.data, f->text.len}, &f->canonical, err);
    return rc ? rc : pof_log_add(f->state.log, (struct pof_text){f->canonical.data, f->canonical.len}, &leaf, err);
}

static bool same(const struct pof_permission *a, const struct pof_permission *b)
{
    return a->why == b->why && pof_text_eq(a->subscription, b->subscription);
}

/* Decides on a record; a decision that differs from the pod's last one is recorded. */
static int decide(struct filter *f, struct pof_text pod, int64_t start, bool *allow, struct pof_err *err)
{
    struct pof_permission d;
    uint32_t id;
    size_t before = f->pods.n;
    int rc = pof_grow(&f->taken, &f->cap, before + 1, sizeof *f->taken, err);
    rc = rc ? rc : pof_names_add(&f->pods, pod, &id, err);
    if (rc) {
        return rc;
    }
    pof_subscriptions_permit(f->state.access, &f->question, pod, start, &d);
    *allow = d.allow;
    if (id == before || !same(&f->taken[id], &d)) {
        f->taken[id] = d;
        rc = record(f, pod, start, &d, err);
    }
    return rc;
}

static int on_record(void *ctx, const struct pof_record *r, struct pof_err *err)
{
    struct filter *f = ctx;
    struct pof_text pod;
    int64_t start;
    bool allow;
    memcpy(&pod, (const char *)&r->u + f->pod_at, sizeof pod);
    memcpy(&start, (const char *)&r->u + f->start_at, sizeof start);
    int rc = decide(f, pod, start, &allow, err);
    if (rc == 0 && allow) {
        f->allowed++;
        return pof_writer_put(&f->writer, f->type, &r->u, err);
    }
    f->denied++;
    return rc;
}

/* The type's members that say whose data they are and of when. */
static int find_members(struct filter *f, struct pof_err *err)
{
    const char *name = f->state.w->a->data;
    int found = 0;
    f->type = pof_type_of(pof_text(name));
    const struct pof_layout *layout = f->type == POF_TYPES ? NULL : pof_layout(f->type);
    for (size_t i = 0; layout && i < layout->n; i++) {
        const struct pof_field *k = &layout->fields[i];
        if (strcmp(k->name, "pod") == 0 && k->required) {
            f->pod_at = k->offset;
            found |= 1;
        } else if (strcmp(k->name, "start") == 0 && k->required) {
            f->start_at = k->offset;
            found |= 2;
        }
    }
    return found == 3 ? 0
                      : pof_fail(err, POF_E_USAGE, "--data: '%.40s' is no type of record that has a pod and a start",
                                 name);
}

static void filter_release(struct filter *f)
{
    pof_writer_release(&f->writer);
    pof_names_release(&f->pods);
    free(f->taken);
    pof_jcs_release(&f->jcs);
    pof_buf_release(&f->text);
    pof_buf_release(&f->canonical);
    state_release(&f->state);
}

/* What was decided is signed also when nothing, or not all, goes out. */
static int close_log(struct filter *f, int rc, struct pof_err *err)
{
    struct pof_err late = {0};
    int now = f->state.log && pof_log_pending(f->state.log) ? pof_log_commit(f->state.log, &late) : 0;
    now = now || !f->state.log ? now : pof_log_sign(f->state.log, false, &late);
    if (rc == 0 && now) {
        *err = late;
    }
    return rc ? rc : now;
}

int access_read(struct work *w, struct pof_err *err)
{
    struct filter f = {.state = {.w = w},
                       .question = {pof_text(w->a->consumer ? w->a->consumer : ""), pof_text(w->a->data),
                                    pof_text(w->a->purpose ? w->a->purpose : ""), pof_cli_now(w->cli)}};
    int rc = f.question.consumer.len && f.question.purpose.len
                 ? find_members(&f, err)
                 : pof_fail(err, POF_E_USAGE, "read needs --consumer and --purpose");
    rc = rc ? rc : prepare(&f.state, w, err);
    rc = rc ? rc : pof_cli_sink(w->cli, NULL, &f.out, err);
    if (rc == 0) {
        const struct pof_want want = {f.type, on_record};
        const struct pof_sink gated = {gate, &f, f.out.name};
        pof_writer_init(&f.writer, &gated, pof_cli_format(w->cli));
        rc = pof_cli_read_files(w->cli, w->rest + 1, w->n_rest - 1, &want, 1, &f, err);
        rc = rc ? rc : pof_writer_flush(&f.writer, err);
        rc = close_log(&f, rc, err);
    }
    if (rc == 0) {
        pof_cli_note(w->cli, "%" PRIu64 " records let through, %" PRIu64 " held back", f.allowed, f.denied);
    }
    filter_release(&f);
    return rc;
}

/* --- list --- */

static int by_subscription(const void *x, const void *y)
{
    const struct pof_subscription *a = x, *b = y;
    int consumer = pof_text_cmp(a->consumer, b->consumer), pod = pof_text_cmp(a->pod, b->pod);
    return consumer ? consumer : pod ? pod : pof_text_cmp(a->id, b->id);
}

int access_list(struct work *w, struct pof_err *err)
{
    struct state s = {0};
    int rc = prepare(&s, w, err);
    if (rc == 0 && s.n) {
        qsort(s.asked, s.n, sizeof *s.asked, by_subscription);
    }
    for (size_t i = 0; i < s.n && rc == 0; i++) {
        const struct pof_subscription *q = &s.asked[i];
        struct pof_question r = {q->consumer, q->data, q->purpose, pof_cli_now(w->cli)};
        struct pof_permission d;
        pof_subscriptions_standing(s.access, q, r.now, &d);
        struct pof_access a = decision_record(&r, q->pod, q->start, &d);
        rc = pof_writer_put(pof_cli_out(w->cli), POF_access, &a, err);
    }
    state_release(&s);
    return rc;
}
