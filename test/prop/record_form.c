/* SPDX-License-Identifier: Apache-2.0 */
/* Forms of other programs, by seed: what pof-export writes as points is taken in as it was, one by one, in
 * a batch and as line protocol, whatever pieces it comes in; what is broken at a random byte loses at most
 * itself and what cannot be told from it; energy becomes power as arithmetic says; each quarter-hour of
 * each day of a year of local time becomes the instant that it is. */
#include "num/rng.h"
#include "num/scaled.h"
#include "num/time.h"
#include "record/export.h"
#include "record/intake.h"
#include "record/writer.h"

#include "../tap.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { N = 200 };

struct heard {
    struct pof_buf out;
    uint64_t rejects;
};

static int hear(struct heard *h, enum pof_type type, const void *record, struct pof_err *err)
{
    int rc = pof_record_format(&h->out, type, record, err);
    return rc ? rc : pof_buf_adds(&h->out, "\n", err);
}

static int on_out(void *ctx, const struct pof_measurement *m, const struct pof_origin *o,
                  struct pof_err *err)
{
    (void)o;
    return hear(ctx, POF_measurement, m, err);
}

static int on_reading(void *ctx, const struct pof_reading *r, const struct pof_origin *o,
                      struct pof_err *err)
{
    (void)o;
    return hear(ctx, POF_reading, r, err);
}

static int on_reject(void *ctx, const struct pof_reject *r, struct pof_err *err)
{
    (void)r, (void)err;
    struct heard *h = ctx;
    h->rejects++;
    return 0;
}

struct pieces {
    struct pof_memory all;
    uint64_t seed, n;
};

static ssize_t read_pieces(void *ctx, void *to, size_t n, struct pof_err *err)
{
    (void)err;
    struct pieces *p = ctx;
    size_t k = 1 + (size_t)(pof_random(p->seed, p->n++, 0) % 97);
    k = k < n ? k : n;
    k = k < p->all.len ? k : p->all.len;
    memcpy(to, p->all.ptr, k);
    p->all.ptr += k;
    p->all.len -= k;
    return (ssize_t)k;
}

static void feed(struct pof_text text, enum pof_dialect dialect, uint64_t seed, struct heard *h)
{
    const struct pof_intake_hooks hooks = {
        .on_out = on_out, .on_reading = on_reading, .on_reject = on_reject, .ctx = h};
    const struct pof_intake_options how = {
        .rules = {.latest_end = INT64_MAX},
        .form = {.dialect = dialect, .zone = -1, .raster_s = 900, .energy_pct = 1, .accuracy_pct = 1}};
    struct pieces p = {{text.ptr, text.len}, seed, 0};
    const struct pof_source src = {read_pieces, &p, "t"};
    struct pof_intake *in = NULL;
    struct pof_err err = {0};
    h->out.len = 0;
    h->rejects = 0;
    if (pof_intake_new(&in, &how, &hooks, &err) || pof_intake_read(in, &src, &err) ||
        pof_intake_finish(in, &err)) {
        printf("# %s\n", err.text);
        h->rejects = UINT64_MAX;
    }
    pof_intake_free(in);
}

/* Names with what each form must escape. */
static struct pof_text name_of(uint64_t h, char *room)
{
    static const char alphabet[] = "ab,c= d\\eA.1\"{}[]:;<&\xc3\xa9";
    size_t n = 1 + h % 12, k = 0;
    for (size_t i = 0; i < n; i++) {
        char c = alphabet[pof_random(h, i, 1) % (sizeof alphabet - 3)];
        room[k++] = i + 1 == n && c == '\\' ? 'x' : c; /* line protocol cannot end with one */
    }
    return (struct pof_text){room, k};
}

static void make(struct pof_record *r, uint64_t k, char *room)
{
    uint64_t h = pof_random(5, k, 0);
    memset(r, 0, sizeof *r);
    if (h % 2) {
        r->type = POF_measurement;
        struct pof_measurement *m = &r->u.measurement;
        m->pod = name_of(h, room);
        m->start = (int64_t)(pof_random(6, k, 0) % 4000000000);
        m->duration_s = 1 + (int64_t)(h / 3 % 86400);
        m->p_w = (int64_t)(pof_random(7, k, 0) % 2000000000001) - 1000000000000;
        m->quality = (int)(h / 7 % 4);
        m->seq = (int64_t)(pof_random(8, k, 0) % 9007199254740991);
        m->has = h / 2 % 2 ? UINT64_C(1) << POF_BIT_measurement_quality : 0;
        m->has |= h / 4 % 2 ? UINT64_C(1) << POF_BIT_measurement_seq : 0;
        return;
    }
    r->type = POF_reading;
    struct pof_reading *g = &r->u.reading;
    g->element = (int)(h / 2 % 2);
    g->name = name_of(h, room);
    g->start = (int64_t)(pof_random(6, k, 0) % 4000000000);
    g->quantity = (int)(h / 5 % 8);
    g->value = (double)(int64_t)pof_random(7, k, 0) / 1e9;
    g->sigma = (double)(pof_random(8, k, 0) % 1000000) / 7;
    g->phase = (int)(h / 64 % 3);
    g->has = h / 11 % 2 ? UINT64_C(1) << POF_BIT_reading_phase : 0;
}

static int add_point(const struct pof_export *x, bool batch, const struct pof_record *r, struct pof_buf *to,
                     struct pof_err *err)
{
    int rc = batch ? pof_buf_adds(to, to->len ? ",\n" : "{\"metrics\":[", err) : 0;
    rc = rc ? rc : pof_export_point(x, to, r->type, &r->u, err);
    return rc || batch || x->form == POF_EXPORT_LINE ? rc : pof_buf_adds(to, "\n", err);
}

static void test_points(enum pof_export_form form, bool batch, int64_t per_second)
{
    const struct pof_export x = {.form = form, .name = {"", 0}, .per_second = per_second};
    struct pof_buf text = {0}, want = {0};
    struct heard h = {0};
    struct pof_err err = {0};
    char room[64];
    int rc = 0;
    for (uint64_t k = 0; k < N && rc == 0; k++) {
        struct pof_record r;
        make(&r, k, room);
        /* Before March 1973 a number does not say its unit: ask for times behind that. */
        int64_t *start = r.type == POF_measurement ? &r.u.measurement.start : &r.u.reading.start;
        *start += 100000000;
        rc = add_point(&x, batch, &r, &text, &err);
        rc = rc ? rc : pof_record_format(&want, r.type, &r.u, &err);
        rc = rc ? rc : pof_buf_adds(&want, "\n", &err);
    }
    rc = rc || !batch ? rc : pof_buf_adds(&text, "]}\n", &err);
    ok(rc == 0, "points are written: %s", err.text);
    feed((struct pof_text){text.data, text.len}, POF_DIALECT_NONE, (uint64_t)per_second, &h);
    ok(h.rejects == 0, "none is rejected (%" PRIu64 ")", h.rejects);
    ok(h.out.len == want.len && memcmp(h.out.data, want.data, want.len) == 0,
       "form %d, batch %d, %" PRId64 " a second: as they were", (int)form, (int)batch, per_second);
    pof_buf_release(&text);
    pof_buf_release(&want);
    pof_buf_release(&h.out);
}

/* A byte in a stream of points is changed: those behind the next two line breaks come all the same. The
 * first line is left alone, as it says which form the stream has. */
static void test_broken(enum pof_export_form form)
{
    static const char change[] = "{}[]\",:\n \\x0";
    const struct pof_export x = {.form = form, .name = {"", 0}, .per_second = 1};
    size_t lost = 0;
    for (uint64_t seed = 0; seed < 300; seed++) {
        struct pof_buf text = {0};
        struct heard h = {0};
        char room[64];
        for (uint64_t k = 0; k < 6; k++) {
            struct pof_record r;
            make(&r, 6 * seed + k, room);
            if (add_point(&x, false, &r, &text, NULL)) {
                lost++;
            }
        }
        const char *lf = memchr(text.data, '\n', text.len);
        size_t first = lf ? (size_t)(lf - text.data) + 1 : 0;
        text.data[first + pof_random(9, seed, 0) % (text.len - first)] = change[pof_random(9, seed, 1) % (sizeof change - 1)];
        feed((struct pof_text){text.data, text.len}, POF_DIALECT_NONE, seed, &h);
        size_t lines = 0;
        for (size_t i = 0; i < h.out.len; i++) {
            lines += h.out.data[i] == '\n';
        }
        lost += lines < 4 || h.rejects == UINT64_MAX;
        pof_buf_release(&text);
        pof_buf_release(&h.out);
    }
    ok(lost == 0, "form %d: one changed byte loses two of six points at most (%zu)", (int)form, lost);
}

/* Every quarter-hour of 2026 in Rome, a row each, beside the offset by the rule. */
static void test_local_year(void)
{
    struct pof_buf text = {0}, want = {0};
    struct heard h = {0};
    int rc = pof_buf_adds(&text, "POD;Data;Ora;Energia (kWh)\r\n", NULL);
    int64_t from, to;
    pof_market_day(POF_ZONE_CET, (struct pof_date){2026, 1, 1}, &from, &to);
    for (int64_t t = from; t < from + 365 * 86400 && rc == 0; t += 900) {
        int64_t wall = t + pof_zone_offset(POF_ZONE_CET, t), second = wall % 86400;
        struct pof_date d = pof_date_of_days(wall / 86400);
        int64_t mwh = (int64_t)(pof_random(10, (uint64_t)t, 0) % 100000);
        struct pof_measurement m = {.pod = {"IT1", 3}, .start = t, .duration_s = 900, .p_w = mwh * 4};
        rc = pof_buf_addf(&text, NULL, "IT1;%02d/%02d/%04d;%02d:%02d;%d,%03d\r\n", d.day, d.month, d.year,
                          (int)(second / 3600), (int)(second / 60 % 60), (int)(mwh / 1000), (int)(mwh % 1000));
        rc = rc ? rc : pof_record_format(&want, POF_measurement, &m, NULL);
        rc = rc ? rc : pof_buf_adds(&want, "\n", NULL);
    }
    feed((struct pof_text){text.data, text.len}, POF_DIALECT_IT, 3, &h);
    ok(rc == 0 && h.rejects == 0 && h.out.len == want.len && memcmp(h.out.data, want.data, want.len) == 0,
       "35040 quarter-hours of a year of local time are the instants that they are");
    pof_buf_release(&text);
    pof_buf_release(&want);
    pof_buf_release(&h.out);
}

/* A quoted cell with a line break in it, cut anywhere: also between its comma and its quote. */
static void test_quotes_in_pieces(void)
{
    static const char csv[] = "pod,source,start,duration_s,p_w\n"
                              "P1,\"a\nb\",2026-03-10T00:00:00Z,900,1\n";
    size_t wrong = 0;
    for (uint64_t seed = 0; seed < 200; seed++) {
        struct heard h = {0};
        feed(pof_text(csv), POF_DIALECT_NONE, seed, &h);
        wrong += h.rejects != 0 || h.out.len == 0;
        pof_buf_release(&h.out);
    }
    is_int((int64_t)wrong, 0, "a quoted line break is read whole, whatever pieces it comes in");
}

/* Against 128-bit arithmetic on the digits. */
static void test_scaled(void)
{
    size_t wrong = 0;
    for (uint64_t k = 0; k < 200000; k++) {
        uint64_t h = pof_random(12, k, 0);
        int64_t v = (int64_t)(h % 2000001) - 1000000;
        int fraction = (int)(h / 2000001 % 7), power = (int)(h / 20000007 % 13) - 3;
        char text[64];
        int64_t unit = 1, got;
        bool exact;
        for (int i = 0; i < fraction; i++) {
            unit *= 10;
        }
        int64_t size = v < 0 ? -v : v;
        int n = fraction ? snprintf(text, sizeof text, "%s%" PRId64 ".%0*" PRId64, v < 0 ? "-" : "", size / unit,
                                    fraction, size % unit)
                         : snprintf(text, sizeof text, "%" PRId64, v);
        __int128 num = v, den = unit;
        for (int i = 0; i < power; i++) {
            num *= 10;
        }
        for (int i = power; i < 0; i++) {
            den *= 10;
        }
        __int128 q = num / den, rest = num % den;
        rest = rest < 0 ? -rest : rest;
        if (2 * rest > den || (2 * rest == den && q % 2 != 0)) {
            q += v < 0 ? -1 : 1;
        }
        bool read = pof_decimal_scaled((struct pof_text){text, (size_t)n}, power, &got, &exact);
        wrong += !read || got != (int64_t)q || exact != (rest == 0);
    }
    is_int((int64_t)wrong, 0, "decimals of one unit as integers of another, half to even");
}

static void test_scaled_form(void)
{
    static const struct {
        const char *text;
        bool good;
        int64_t value;
    } cases[] = {{"1e3", true, 1000},   {"4.2e-1", true, 0},      {"-0.5", true, 0},  {"1.5E+1", true, 15},
                 {"0e999999", true, 0}, {"1e-99999", true, 0},    {"1e19", false, 0}, {"", false, 0},
                 {"-", false, 0},       {"1.", false, 0},         {".5", false, 0},   {"1e", false, 0},
                 {"+1", false, 0},      {"0x10", false, 0},       {"1 ", false, 0},   {"2.5", true, 2},
                 {"3.5", true, 4},      {"9223372036854775807.5", false, 0}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        int64_t v = 0;
        bool exact, good = pof_decimal_scaled(pof_text(cases[i].text), 0, &v, &exact);
        ok(good == cases[i].good && (!good || v == cases[i].value), "'%s' is %s", cases[i].text,
           cases[i].good ? "a number" : "none");
    }
}

int main(void)
{
    for (int64_t per = 1; per <= 1000000000; per *= 1000) {
        test_points(POF_EXPORT_TELEGRAF, false, per);
        test_points(POF_EXPORT_TELEGRAF, true, per);
        test_points(POF_EXPORT_LINE, false, per);
    }
    test_broken(POF_EXPORT_TELEGRAF);
    test_broken(POF_EXPORT_LINE);
    test_local_year();
    test_quotes_in_pieces();
    test_scaled();
    test_scaled_form();
    return done();
}
