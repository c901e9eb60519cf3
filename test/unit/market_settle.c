/* SPDX-License-Identifier: Apache-2.0 */
#include "market/settle.h"
#include "num/units.h"
#include "record/writer.h"

#include "tap.h"

#define HASH "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

enum { T = 900 * 1970000 };

static int take(void *ctx, const void *from, size_t n, struct pof_err *err)
{
    return pof_buf_add(ctx, from, n, err);
}

static int missed;

static void on_missing(void *ctx, const struct pof_err *problem)
{
    (void)ctx;
    missed += problem->code == POF_E_ANSWER_NO;
}

static int on_settlement(void *ctx, const struct pof_settlement *s, struct pof_err *err)
{
    return pof_writer_put(((struct pof_writer **)ctx)[0], POF_settlement, s, err);
}

static int on_statement(void *ctx, const struct pof_statement *s, struct pof_err *err)
{
    return pof_writer_put(((struct pof_writer **)ctx)[1], POF_statement, s, err);
}

static struct pof_settle *with_terms(int64_t penalty, int64_t permille, int64_t tolerance, int64_t tokens)
{
    struct pof_err err = {0};
    struct pof_settle *s = NULL;
    struct pof_terms t = {.name = {"t", 1}, .penalty_ueur_mwh = penalty, .penalty_permille = permille,
                          .tolerance_permille = tolerance, .tokens_per_kwh = tokens};
    if (penalty) {
        POF_SET(&t, terms, penalty_ueur_mwh);
    }
    if (permille) {
        POF_SET(&t, terms, penalty_permille);
    }
    POF_SET(&t, terms, tolerance_permille);
    POF_SET(&t, terms, tokens_per_kwh);
    ok(pof_settle_new(&s, NULL, 0, &err) == 0 && pof_settle_terms(s, &t, pof_text(HASH), &err) == 0, "terms taken");
    return s;
}

static void outcome(struct pof_settle *s, const char *session, const char *award, int direction, int64_t p_w, int64_t price)
{
    struct pof_err err = {0};
    struct pof_outcome o = {.award = pof_text(award), .session = pof_text(session), .request = {"r", 1},
                            .offer = {"o", 1}, .pod = {"p", 1}, .node = {"n", 1}, .buyer = {"B", 1},
                            .seller = {"S", 1}, .direction = direction, .start = T, .duration_s = 900,
                            .p_awarded_w = p_w, .p_w = p_w, .price_ueur_mwh = price};
    ok(pof_settle_outcome(s, &o, &err) == 0, "outcome %s taken%s", award, err.text);
}

static void powers(struct pof_settle *s, int64_t baseline, int64_t measured)
{
    struct pof_err err = {0};
    struct pof_baseline b = {.pod = {"p", 1}, .start = T, .duration_s = 900, .p_w = baseline};
    struct pof_measurement m = {.pod = {"p", 1}, .start = T, .duration_s = 900, .p_w = measured};
    ok(pof_settle_baseline(s, &b, &err) == 0 && pof_settle_measurement(s, &m, &err) == 0, "powers taken");
}

/* The settlements as CSV, without the columns that all have in common; statements behind. */
static struct pof_buf result(struct pof_settle *s, int want)
{
    struct pof_err err = {0};
    struct pof_buf text = {0};
    struct pof_sink sink = {take, &text, "memory"};
    struct pof_writer w;
    struct pof_writer v;
    struct pof_writer *both[2] = {&w, &v};
    const struct pof_settle_taker taker = {on_settlement, on_statement, on_missing, both};
    pof_writer_init(&w, &sink, POF_CSV);
    pof_writer_init(&v, &sink, POF_CSV);
    missed = 0;
    int rc = pof_settle_run(s, &taker, &err);
    is_int(rc, want, "run");
    ok(pof_writer_flush(&w, &err) == 0 && pof_writer_flush(&v, &err) == 0 &&
           pof_buf_add(&text, "", 1, &err) == 0, "written");
    pof_writer_release(&w);
    pof_writer_release(&v);
    pof_settle_free(s);
    return text;
}

static void has(struct pof_buf *text, const char *part)
{
    const char *word = part + (part[0] == '\n');
    ok(strstr(text->data, part) != NULL, "there is '%.*s'", (int)strcspn(word, "\n"), word);
    if (!strstr(text->data, part)) {
        printf("# in %s\n", text->data);
    }
}

static void mixed(void)
{
    struct pof_settle *s = with_terms(44000000, 0, 0, 0);
    outcome(s, "2026-03-10-RT10", "a", POF_UP, 300, 28000000);
    outcome(s, "2026-03-10-RT2", "b", POF_UP, 500, 28000000);
    outcome(s, "2026-03-10-DA", "z", POF_DOWN, 200, 28000000);
    powers(s, 1000, 550); /* net order 600 up, realised 450: 150 short, from RT10 */
    struct pof_buf text = result(s, 0);
    has(&text, "z,2026-03-10-DA,p,B,S,down,2026-03-08T20:00:00Z,900,1000,550,200,200,0,");
    has(&text, "b,2026-03-10-RT2,p,B,S,up,2026-03-08T20:00:00Z,900,1000,550,500,500,0,");
    has(&text, "a,2026-03-10-RT10,p,B,S,up,2026-03-08T20:00:00Z,900,1000,550,300,150,150,");
    pof_buf_release(&text);
}

static void rounding(void)
{
    /* 1 W for a quarter-hour is 900 W.s: at 2 EUR/MWh half a micro-euro. */
    struct pof_settle *s = with_terms(0, 1000, 0, 0);
    outcome(s, "S", "a", POF_UP, 1, 2000000); /* 0.5: to 0 */
    outcome(s, "S", "b", POF_UP, 1, 6000000); /* 1.5: to 2 */
    outcome(s, "S", "c", POF_UP, 1, 6000000);
    powers(s, 3, 1);
    struct pof_buf text = result(s, 0);
    has(&text, "a,S,p,B,S,up,2026-03-08T20:00:00Z,900,3,1,1,1,0,0,0,0,0," HASH ",,,,\n");
    has(&text, "b,S,p,B,S,up,2026-03-08T20:00:00Z,900,3,1,1,1,0,0.000002,0,0.000002,0," HASH ",,,,\n");
    has(&text, "c,S,p,B,S,up,2026-03-08T20:00:00Z,900,3,1,1,0,1,0,0.000002,-0.000002,0," HASH ",,,,\n");
    has(&text, "\nB,3,2700,1800,-0.000002,0.000002,0,0\n");
    has(&text, "\nS,3,2700,1800,0.000002,-0.000002,0,0\n");
    pof_buf_release(&text);
}

static void terms(void)
{
    /* 1000 W ordered, 940 delivered; 50 tolerated, so 10 W at 1.5 times 40 EUR/MWh. */
    struct pof_settle *s = with_terms(0, 1500, 50, 7);
    outcome(s, "S", "a", POF_DOWN, 1000, 40000000);
    powers(s, -5000, -4060);
    struct pof_buf text = result(s, 0);
    has(&text, ",down,2026-03-08T20:00:00Z,900,-5000,-4060,1000,940,60,0.0094,0.00015,0.00925,1," HASH ",,,,\n");
    pof_buf_release(&text);
    struct pof_err err = {0};
    struct pof_terms both = {.name = {"t", 1}};
    POF_SET(&both, terms, penalty_ueur_mwh);
    POF_SET(&both, terms, penalty_permille);
    struct pof_terms plain = {.name = {"u", 1}};
    ok(pof_settle_new(&s, NULL, 0, &err) == 0, "new");
    is_int(pof_settle_terms(s, &both, pof_text(HASH), &err), POF_E_CONFLICT, "two penalties");
    is_int(pof_settle_terms(s, &plain, pof_text(HASH), &err), 0, "one set of terms");
    is_int(pof_settle_terms(s, &plain, pof_text(HASH), &err), POF_E_DUPLICATE, "not two");
    pof_settle_free(s);
    ok(pof_settle_new(&s, &(const char *){"u"}, 1, &err) == 0 && pof_settle_terms(s, &both, pof_text(HASH), &err) == 0 &&
           pof_settle_terms(s, &plain, pof_text(HASH), &err) == 0, "unless one is chosen");
    pof_settle_free(s);
    ok(pof_settle_new(&s, &(const char *){"v"}, 1, &err) == 0, "new");
    text = result(s, POF_E_MISSING);
    pof_buf_release(&text);
}

static void gaps(void)
{
    struct pof_err err = {0};
    struct pof_settle *s = with_terms(1, 0, 0, 0);
    outcome(s, "S", "a", POF_UP, 5, 1000000);
    outcome(s, "S", "b", POF_UP, 0, 1000000);
    struct pof_buf text = result(s, 0);
    is_int(missed, 1, "neither baseline nor measurement is said once");
    pof_buf_release(&text);
    s = with_terms(1, 0, 0, 0);
    outcome(s, "S", "a", POF_UP, 5, 1000000);
    struct pof_outcome again = {.award = {"a", 1}, .session = {"S", 1}, .pod = {"p", 1}, .start = T, .duration_s = 900};
    is_int(pof_settle_outcome(s, &again, &err), POF_E_DUPLICATE, "an award twice");
    again.award = pof_text("c");
    again.duration_s = 600;
    is_int(pof_settle_outcome(s, &again, &err), POF_E_RANGE, "ten minutes are no quarter-hour");
    powers(s, 1, 2);
    powers(s, 1, 2);
    text = result(s, 0);
    is_int(missed, 0, "the same powers twice are one");
    pof_buf_release(&text);
    s = with_terms(1, 0, 0, 0);
    powers(s, 1, 2);
    powers(s, 1, 3);
    text = result(s, POF_E_CONFLICT);
    pof_buf_release(&text);
}

int main(void)
{
    mixed();
    rounding();
    terms();
    gaps();
    return done();
}
