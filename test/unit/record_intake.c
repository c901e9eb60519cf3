/* SPDX-License-Identifier: Apache-2.0 */
/* Taking measurements in: rules, repetitions, the window, canonical order, and that every line is
 * counted once. */
#include "num/rng.h"
#include "record/intake.h"
#include "record/writer.h"

#include "../tap.h"

/* What came out, as NDJSON, and the codes of rejects in order. */
struct heard {
    struct pof_buf out;
    int code[64];
    uint64_t line[64];
    size_t rejects;
};

static int on_out(void *ctx, const struct pof_measurement *m, const struct pof_origin *origin,
                  struct pof_err *err)
{
    struct heard *h = ctx;
    (void)origin;
    int rc = pof_record_format(&h->out, POF_measurement, m, err);
    return rc ? rc : pof_buf_adds(&h->out, "\n", err);
}

static int on_reject(void *ctx, const struct pof_reject *r, struct pof_err *err)
{
    struct heard *h = ctx;
    struct pof_err why = {0};
    if (pof_record_check(POF_reject, r, &why)) {
        return pof_fail(err, POF_E_INTERNAL, "a reject that is no record: %.200s", why.text);
    }
    if (h->rejects < 64) {
        h->code[h->rejects] = (int)r->code;
        h->line[h->rejects] = (uint64_t)r->line;
    }
    h->rejects++;
    return 0;
}

static struct pof_intake_options standard(void)
{
    return (struct pof_intake_options){
        .rules = {.raster_s = 900, .window_s = 172800, .latest_end = INT64_MAX}};
}

/* Runs one text through an intake; the counts are kept in *n. */
static int feed(const char *text, const struct pof_intake_options *options, struct heard *h,
                struct pof_intake_counts *n)
{
    const struct pof_intake_hooks hooks = {on_out, on_reject, h};
    struct pof_intake *in = NULL;
    struct pof_err err = {0};
    struct pof_memory m = {text, strlen(text)};
    struct pof_source src = pof_source_memory(&m, "t");
    int rc = pof_intake_new(&in, options, &hooks, &err);
    rc = rc ? rc : pof_intake_read(in, &src, &err);
    rc = rc ? rc : pof_intake_finish(in, &err);
    if (rc == 0) {
        *n = *pof_intake_counts(in);
    }
    pof_intake_free(in);
    return rc;
}

static void check_sum(const struct pof_intake_counts *n)
{
    is_int((int64_t)n->in, (int64_t)(n->out + n->rejected + n->repeated + n->superseded),
           "in = out + rejected + repeated + superseded");
}

#define HEAD "pod,start,duration_s,p_w,source,seq\n"

static void test_rules(void)
{
    struct heard h = {0};
    struct pof_intake_counts n = {0};
    struct pof_intake_options o = standard();
    o.rules.p_max_w = 5000;
    o.rules.change_max_w = 1000;
    o.rules.latest_end = 1773100800 + 1800; /* 2026-03-10T00:30Z */
    is_int(feed(HEAD "A,2026-03-10T00:00:00Z,900,100,,\n"
                     "A,2026-03-10T00:15:00Z,900,1101,,\n" /* changes by more than 1000 W */
                     "B,2026-03-10T00:00:00Z,900,-5001,,\n"
                     "B,2026-03-10T00:00:01Z,900,1,,\n"
                     "B,2026-03-10T00:00:00Z,1800,1,,\n"
                     "B,2026-03-10T00:30:00Z,900,1,,\n"
                     "B,2026-03-10T00:15:00Z,900,-5000,,\n"
                     "A,2026-03-10T00:15:00Z,900,1100,,\n"
                     "B,2026-03-10T00:00:00Z,900,x,,\n",
                &o, &h, &n),
           0, "an input with bad lines is taken in");
    is_int((int64_t)n.out, 3, "three of its lines are good");
    static const int codes[] = {214, 214, 214, 214, 219, 213};
    static const uint64_t lines[] = {3, 4, 5, 6, 7, 10};
    ok(h.rejects == 6 && memcmp(h.code, codes, sizeof codes) == 0, "six are not, each by its code");
    ok(memcmp(h.line, lines, sizeof lines) == 0, "and named by their lines");
    check_sum(&n);
    pof_buf_release(&h.out);
}

static void test_repetition(void)
{
    static const char text[] = HEAD "A,2026-03-10T00:00:00Z,900,1,m,1\n"
                                    "A,2026-03-10T00:00:00Z,900,1,m,1\n" /* the same */
                                    "A,2026-03-10T00:00:00Z,900,2,m,2\n" /* differs */
                                    "A,2026-03-10T00:15:00Z,900,3,m,1\n" /* its number again */
                                    "A,2026-03-10T00:45:00Z,900,3,m,4\n"
                                    "A,2026-03-10T00:30:00Z,900,3,n,4\n"; /* another source */
    struct heard h = {0};
    struct pof_intake_counts n = {0};
    struct pof_intake_options o = standard();
    is_int(feed(text, &o, &h, &n), 0, "repetitions are taken in");
    ok(n.out == 3 && n.repeated == 1 && n.rejected == 2,
       "once each: %d out, %d repeated, %d rejected", (int)n.out, (int)n.repeated, (int)n.rejected);
    ok(h.code[0] == 222 && h.code[1] == 216, "a contradiction and a number used twice");
    is_int((int64_t)n.taken.out_of_order, 1, "one line is out of order");
    is_int((int64_t)n.taken.missing, 1, "one quarter-hour is missing");
    check_sum(&n);
    o.dup = POF_DUP_FIRST;
    h.out.len = 0;
    is_int(feed(text, &o, &h, &n), 0, "with --dup first");
    ok(n.out == 3 && n.superseded == 1 && n.rejected == 1, "the first counts");
    check_sum(&n);
    o.rules.window_s = 0;
    is_int(feed(text, &o, &h, &n), 0, "without a window");
    is_int((int64_t)n.out, 6, "all go through");
    pof_buf_release(&h.out);
}

/* A stream of 400 days: what lies behind the window is refused, and memory does not grow. */
static void test_window(void)
{
    struct pof_check_rules rules = {.raster_s = 900, .window_s = 86400, .latest_end = INT64_MAX};
    struct pof_check *c = NULL;
    struct pof_err err = {0};
    struct pof_err why = {0};
    enum pof_repeat what;
    int wrong = pof_check_new(&c, &rules, &err);
    for (int64_t i = 0; i < 400 * 96 && !wrong; i++) {
        struct pof_measurement m = {
            .pod = pof_text(i % 2 ? "A" : "B"), .start = i / 2 * 900, .duration_s = 900, .p_w = i};
        wrong = pof_check_repeat(c, &m, &what, &why, &err) || what != POF_REPEAT_NONE;
        wrong = wrong || pof_check_repeat(c, &m, &what, &why, &err) || what != POF_REPEAT_SAME;
        m.start = (i / 2 - 96) * 900;
        m.p_w = i - 192;
        wrong = wrong || (i >= 192 &&
                          (pof_check_repeat(c, &m, &what, &why, &err) || what != POF_REPEAT_SAME));
    }
    ok(!wrong, "a day back a repetition is recognised, all through 200 days");
    struct pof_measurement late = {.pod = pof_text("A"), .start = 0, .duration_s = 900, .p_w = 77};
    wrong = pof_check_repeat(c, &late, &what, &why, &err);
    is_int(what, wrong ? -1 : POF_REPEAT_TOO_LATE, "what lies 200 days back is too late");
    is_int(why.code, POF_E_TIME, "and that is said");
    struct pof_measurement other = {.pod = pof_text("C"), .start = 0, .duration_s = 900, .p_w = 77};
    wrong = pof_check_repeat(c, &other, &what, &why, &err);
    is_int(what, wrong ? -1 : POF_REPEAT_NONE, "another pod may begin its own past");
    pof_check_free(c);
}

static void test_sorted(void)
{
    static const char text[] = HEAD "B,2026-03-10T00:00:00Z,900,7,m,2\n"
                                    "A,2026-03-10T00:15:00Z,900,1,,\n"
                                    "B,2026-03-10T00:00:00Z,900,9,m,1\n"
                                    "A,2026-03-10T00:15:00Z,900,2,,\n"
                                    "A,2026-03-10T00:00:00Z,900,3,,\n"
                                    "A,2026-03-10T00:15:00Z,900,1,,\n";
    static const struct {
        enum pof_dup dup;
        int64_t out, rejected, repeated, superseded;
        const char *p[3];
    } cases[] = {{POF_DUP_REJECT, 1, 4, 1, 0, {"\"p_w\":3}", "", ""}},
                 {POF_DUP_FIRST, 3, 0, 1, 2, {"\"p_w\":3}", "\"p_w\":9,", "\"p_w\":1}"}},
                 {POF_DUP_LAST, 3, 0, 1, 2, {"\"p_w\":3}", "\"p_w\":7,", "\"p_w\":1}"}}};
    for (size_t i = 0; i < 3; i++) {
        struct heard h = {0};
        struct pof_intake_counts n = {0};
        struct pof_intake_options o = standard();
        o.sort = true;
        o.dup = cases[i].dup;
        struct pof_err err = {0};
        is_int(feed(text, &o, &h, &n), 0, "sorted intake");
        ok((int64_t)n.out == cases[i].out && (int64_t)n.rejected == cases[i].rejected &&
               (int64_t)n.repeated == cases[i].repeated &&
               (int64_t)n.superseded == cases[i].superseded,
           "rule %d: %d out, %d rejected, %d repeated, %d superseded", (int)i, (int)n.out,
           (int)n.rejected, (int)n.repeated, (int)n.superseded);
        bool found = pof_buf_add(&h.out, "", 1, &err) == 0;
        const char *at = h.out.data;
        for (int k = 0; k < 3 && found; k++) {
            at = strstr(at, cases[i].p[k]);
            found = at != NULL;
        }
        ok(found, "rule %d: the right values, in order of start and pod", (int)i);
        pof_buf_release(&h.out);
    }
}

/* Shuffled lines, sorted: the same bytes; every rule that does not ask for the order of lines. */
static void test_shuffle(void)
{
    char line[200][64];
    struct heard first = {0};
    struct pof_intake_options o = standard();
    int differ = 0;
    o.sort = true;
    for (uint64_t round = 0; round < 20; round++) {
        struct pof_buf text = {0};
        struct pof_err err = {0};
        struct heard h = {0};
        struct pof_intake_counts n;
        for (size_t i = 0; i < 200; i++) {
            uint64_t r = pof_random(9, i, 0);
            snprintf(line[i], sizeof line[i], "P%d,2026-03-10T0%d:15:00Z,900,%d,,\n", (int)(r % 5),
                     (int)(r / 5 % 8), (int)(r / 40 % 3));
        }
        for (size_t i = 199; i > 0; i--) { /* Fisher-Yates */
            size_t j = (size_t)pof_below(pof_random(round, i, 1), i + 1);
            char swap[64];
            memcpy(swap, line[i], 64);
            memcpy(line[i], line[j], 64);
            memcpy(line[j], swap, 64);
        }
        int rc = pof_buf_adds(&text, HEAD, &err);
        for (size_t i = 0; i < 200 && rc == 0; i++) {
            rc = pof_buf_adds(&text, line[i], &err);
        }
        rc = rc ? rc : pof_buf_add(&text, "", 1, &err);
        rc = rc ? rc : feed(text.data, &o, &h, &n);
        if (round == 0) {
            first = h;
        } else {
            differ += rc || h.out.len != first.out.len || h.rejects != first.rejects ||
                      memcmp(h.out.data, first.out.data, h.out.len) != 0;
            pof_buf_release(&h.out);
        }
        pof_buf_release(&text);
    }
    ok(differ == 0 && first.out.len > 0 && first.rejects > 0,
       "20 shuffles, the same bytes and rejects");
    pof_buf_release(&first.out);
}

static void test_broken(void)
{
    struct heard h = {0};
    struct pof_intake_counts n = {0};
    struct pof_intake_options o = standard();
    is_int(feed("pod,pod\nA,B\n", &o, &h, &n), POF_E_DUPLICATE,
           "a header that says nothing is an error");
    o.dup = POF_DUP_LAST;
    is_int(feed("", &o, &h, &n), POF_E_USAGE, "the last needs the whole");
    o.dup = POF_DUP_REJECT;
    is_int(feed("", &o, &h, &n), 0, "an empty input is none");
    is_int(feed("{\"schema\":\"pof.baseline/1\",\"pod\":\"A\",\"start\":\"2026-03-10T00:00:00Z\","
                "\"duration_s\":900,\"p_w\":1}\n",
                &o, &h, &n),
           0, "another type is rejected");
    is_int(h.code[0], 211, "by its code");
    pof_buf_release(&h.out);
}

int main(void)
{
    test_rules();
    test_repetition();
    test_window();
    test_sorted();
    test_shuffle();
    test_broken();
    return done();
}
