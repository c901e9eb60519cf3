/* SPDX-License-Identifier: Apache-2.0 */
#include "market/dispatch.h"
#include "num/units.h"

#include "tap.h"

enum { T = 900 * 1970000 };

static int take(void *ctx, const void *from, size_t n, struct pof_err *err)
{
    return pof_buf_add(ctx, from, n, err);
}

struct problems {
    int reference, conflict;
};

static void on_problem(void *ctx, const struct pof_err *problem)
{
    struct problems *p = ctx;
    p->reference += problem->code == POF_E_REFERENCE;
    p->conflict += problem->code == POF_E_CONFLICT;
}

static int outcome(struct pof_dispatch *d, const char *session, const char *award, const char *pod,
                   int64_t up_w)
{
    struct pof_err err = {0};
    struct pof_outcome o = {.award = pof_text(award), .session = pof_text(session), .pod = pof_text(pod),
                            .direction = up_w < 0 ? POF_DOWN : POF_UP, .start = T, .duration_s = 900,
                            .p_w = up_w < 0 ? -up_w : up_w};
    return pof_dispatch_outcome(d, &o, &err);
}

static int pod(struct pof_dispatch *d, const char *name, int64_t up, int64_t down, int64_t base)
{
    struct pof_err err = {0};
    struct pof_pod p = {.pod = pof_text(name), .node = {"n", 1}, .aggregator = {"A", 1}, .p_up_max_w = up, .p_down_max_w = down};
    struct pof_baseline b = {.pod = pof_text(name), .start = T, .duration_s = 900, .p_w = base};
    int rc = pof_dispatch_pod(d, &p, &err);
    return rc ? rc : pof_dispatch_baseline(d, &b, &err);
}

static struct pof_dispatch *new_dispatch(void)
{
    struct pof_err err = {0};
    struct pof_dispatch *d = NULL;
    ok(pof_dispatch_new(&d, &err) == 0, "new");
    return d;
}

static struct problems run(struct pof_dispatch *d, const char *want)
{
    struct pof_err err = {0};
    struct pof_buf text = {0};
    struct pof_sink sink = {take, &text, "memory"};
    struct pof_writer w;
    struct problems p = {0};
    pof_writer_init(&w, &sink, POF_CSV);
    ok(pof_dispatch_run(d, &w, on_problem, &p, &err) == 0 && pof_writer_flush(&w, &err) == 0, "run");
    const char *body = text.len ? (char *)memchr(text.data, '\n', text.len) + 1 : "";
    is_text(body, text.len ? text.len - (size_t)(body - text.data) : 0, want, "set points");
    pof_writer_release(&w);
    pof_buf_release(&text);
    pof_dispatch_free(d);
    return p;
}

int main(void)
{
    struct pof_dispatch *d = new_dispatch();
    ok(outcome(d, "2026-03-09-RT10", "a", "p2", 30) == 0 && outcome(d, "2026-03-09-RT9", "b", "p2", -10) == 0 &&
           outcome(d, "2026-03-09-DA", "a", "p2", 5) == 0 && outcome(d, "2026-03-09-DA", "c", "p1", 7) == 0 &&
           outcome(d, "2026-03-09-RT1", "d", "p1", -7) == 0 && outcome(d, "2026-03-09-RT2", "e", "p1", 0) == 0,
       "outcomes of several sessions");
    ok(pod(d, "p2", 25, 0, -100) == 0 && pod(d, "p1", 0, 0, 50) == 0 && pod(d, "p3", 1, 1, 1) == 0, "pods");
    is_int(outcome(d, "2026-03-09-DA", "c", "p1", 7), POF_E_DUPLICATE, "an award twice");
    is_int(pod(d, "p1", 0, 0, 50), POF_E_DUPLICATE, "a pod twice");
    struct problems p = run(d, "p1,2026-03-08T20:00:00Z,900,50,0,2026-03-09-RT1,A\n"
                               "p2,2026-03-08T20:00:00Z,900,-125,-25,2026-03-09-RT10,A\n");
    is_int(p.reference + p.conflict, 0, "nothing is wrong: net at the limit, up and down that cancel");

    d = new_dispatch();
    struct pof_err err = {0};
    struct pof_baseline lone = {.pod = {"q", 1}, .start = T, .duration_s = 900};
    struct pof_pod bare = {.pod = {"r", 1}, .node = {"n", 1}, .aggregator = {"A", 1}, .p_up_max_w = 9};
    ok(pof_dispatch_baseline(d, &lone, &err) == 0 && pof_dispatch_pod(d, &bare, &err) == 0, "half of two pods");
    ok(outcome(d, "S", "1", "q", 1) == 0 && outcome(d, "S", "2", "r", 1) == 0 && outcome(d, "S", "3", "s", 1) == 0, "outcomes");
    ok(pod(d, "t", 4, 3, 0) == 0 && outcome(d, "S", "4", "t", 5) == 0 && pod(d, "u", 4, 3, 0) == 0 &&
           outcome(d, "S", "5", "u", -4) == 0 && pod(d, "v", 4, 3, 0) == 0 && outcome(d, "S", "6", "v", -3) == 0,
       "two above their limits, one at it");
    p = run(d, "v,2026-03-08T20:00:00Z,900,3,3,S,A\n");
    is_int(p.reference, 4, "no pod record twice, no baseline twice");
    is_int(p.conflict, 2, "more than they can, up and down");

    d = new_dispatch();
    struct problems none = run(d, "");
    is_int(none.reference + none.conflict, 0, "nothing comes of nothing");
    return done();
}
