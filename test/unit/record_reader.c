/* SPDX-License-Identifier: Apache-2.0 */
/* Reading records: every kind of bad line has its answer, and the reader goes on behind it. */
#include "num/rng.h"
#include "record/reader.h"
#include "record/writer.h"

#include "tap.h"

/* Reads one record of a text; the result code, and the first error in *err. */
static int read_first(const char *bytes, size_t n, enum pof_type expect, struct pof_record *out,
                      struct pof_err *err)
{
    static struct pof_reader *r;
    pof_reader_free(r);
    struct pof_memory m = {bytes, n};
    struct pof_source src = pof_source_memory(&m, "t");
    struct pof_reader_options o = {.expect = expect, .max_line = 4096};
    *err = (struct pof_err){0};
    if (pof_reader_new(&r, &src, &o, err)) {
        return -1;
    }
    int rc = pof_reader_next(r, out, err);
    if (!bytes[0] && n == 0) { /* the last call frees */
        pof_reader_free(r);
        r = NULL;
    }
    return rc;
}

#define GOOD                                                                                       \
    "{\"schema\":\"pof.measurement/1\",\"pod\":\"P1\",\"start\":\"2026-03-01T00:00:00Z\","         \
    "\"duration_s\":900,\"p_w\":1234"

struct bad {
    const char *what;
    const char *line;
    size_t len; /* 0: strlen */
    enum pof_code code;
    const char *field;
};

static const struct bad bads[] = {
    {"unknown schema", "{\"schema\":\"pof.nothing/1\"}", 0, POF_E_SCHEMA, "schema"},
    {"no schema", "{\"pod\":\"a\"}", 0, POF_E_SCHEMA, "schema"},
    {"missing field", "{\"schema\":\"pof.measurement/1\",\"pod\":\"P1\"}", 0, POF_E_MISSING, "start"},
    {"null is missing",
     "{\"schema\":\"pof.measurement/1\",\"pod\":null,\"start\":\"2026-03-01T00:00:00Z\","
     "\"duration_s\":900,\"p_w\":1}", 0, POF_E_MISSING, "pod"},
    {"duplicate member", GOOD ",\"p_w\":1}", 0, POF_E_DUPLICATE, ""},
    {"out of range", GOOD ",\"q_var\":1000000000001}", 0, POF_E_RANGE, "q_var"},
    {"beyond int64", GOOD ",\"q_var\":99999999999999999999}", 0, POF_E_RANGE, "q_var"},
    {"fraction in an integer", GOOD ",\"q_var\":1.5}", 0, POF_E_NUMBER, "q_var"},
    {"exponent in an integer", GOOD ",\"q_var\":1e3}", 0, POF_E_NUMBER, "q_var"},
    {"string for a number", GOOD ",\"q_var\":\"1\"}", 0, POF_E_TYPE, "q_var"},
    {"array for a number", GOOD ",\"q_var\":[1]}", 0, POF_E_TYPE, "q_var"},
    {"number for a text", GOOD ",\"source\":5}", 0, POF_E_TYPE, "source"},
    {"empty text", GOOD ",\"source\":\"\"}", 0, POF_E_RANGE, "source"},
    {"unknown word", GOOD ",\"quality\":\"fine\"}", 0, POF_E_ENUM, "quality"},
    {"bad time",
     "{\"schema\":\"pof.measurement/1\",\"pod\":\"P1\",\"start\":\"2026-02-30T00:00:00Z\","
     "\"duration_s\":900,\"p_w\":1}", 0, POF_E_TIME, "start"},
    {"truncated", GOOD, 0, POF_E_TRUNCATED, ""},
    {"truncated string", GOOD ",\"sou", 0, POF_E_TRUNCATED, ""},
    {"trailing text", GOOD "} x", 0, POF_E_SYNTAX, ""},
    {"two objects", GOOD "}{}", 0, POF_E_SYNTAX, ""},
    {"trailing comma", GOOD ",}", 0, POF_E_SYNTAX, ""},
    {"array", "[1,2]", 0, POF_E_SYNTAX, ""},
    {"NaN", GOOD ",\"q_var\":NaN}", 0, POF_E_SYNTAX, ""},
    {"leading zero", GOOD ",\"q_var\":01}", 0, POF_E_SYNTAX, ""},
    {"raw tab in a string", GOOD ",\"source\":\"a\tb\"}", 0, POF_E_SYNTAX, ""},
    {"bad escape", GOOD ",\"source\":\"a\\xb\"}", 0, POF_E_SYNTAX, ""},
    {"lone surrogate", GOOD ",\"source\":\"\\ud800\"}", 0, POF_E_ENCODING, ""},
    {"escaped NUL", GOOD ",\"source\":\"\\u0000\"}", 0, POF_E_NUL, ""},
    {"NUL byte", GOOD "\0}", sizeof GOOD + 1, POF_E_NUL, ""},
    {"not UTF-8", GOOD ",\"source\":\"\xc3\x28\"}", 0, POF_E_ENCODING, ""},
    {"overlong UTF-8", GOOD ",\"source\":\"\xc0\xaf\"}", 0, POF_E_ENCODING, ""},
};

static void test_bad_lines(void)
{
    for (size_t i = 0; i < sizeof bads / sizeof bads[0]; i++) {
        const struct bad *b = &bads[i];
        struct pof_record rec;
        struct pof_err err;
        int rc = read_first(b->line, b->len ? b->len : strlen(b->line), POF_TYPES, &rec, &err);
        bool pass = rc == (int)b->code && err.code == b->code && strcmp(err.field, b->field) == 0 &&
                    err.line == 1 && strcmp(err.source, "t") == 0;
        if (!ok(pass, "%s is refused", b->what)) {
            printf("# rc %d code %d field '%s' line %d text '%s'\n", rc, err.code, err.field,
                   (int)err.line, err.text);
        }
    }
}

static void test_goes_on(void)
{
    char text[9000];
    size_t n = 0;
    n += (size_t)sprintf(text + n, "\xef\xbb\xbf%s}\r\n", GOOD);
    n += (size_t)sprintf(text + n, "\n{broken\n");
    memset(text + n, 'x', 6000); /* longer than max_line */
    n += 6000;
    n += (size_t)sprintf(text + n, "\n%s,\"source\":\"\\u00e9\\\"\\ud83d\\ude00\",\"x_note\":{\"a\":[1,{}]}}", GOOD);
    struct pof_memory m = {text, n};
    struct pof_source src = pof_source_memory(&m, "f");
    struct pof_reader *r;
    struct pof_reader_options o = {.expect = POF_TYPES, .max_line = 4096};
    struct pof_err err = {0};
    struct pof_record rec;
    if (!ok(pof_reader_new(&r, &src, &o, &err) == 0, "a reader")) {
        return;
    }
    is_int(pof_reader_next(r, &rec, &err), 1, "BOM and CRLF are no part of the record");
    is_int(rec.u.measurement.p_w, 1234, "its power");
    is_int(pof_reader_next(r, &rec, &err), POF_E_SYNTAX, "a broken line");
    is_int((int64_t)err.line, 3, "names its line, empty lines counted");
    err = (struct pof_err){0};
    is_int(pof_reader_next(r, &rec, &err), POF_E_TOO_LONG, "a line that is too long");
    is_int((int64_t)err.line, 4, "names its line");
    is_int(pof_reader_next(r, &rec, &err), 1, "the next line is read, without LF at the end");
    is_text(rec.u.measurement.source.ptr, rec.u.measurement.source.len, "\xc3\xa9\"\xf0\x9f\x98\x80",
            "escapes are undone");
    is_int((int64_t)pof_reader_unknown(r, NULL), 0, "x_ members are nobody's business");
    is_int(pof_reader_next(r, &rec, &err), 0, "the end");
    pof_reader_free(r);
}

static void test_csv(void)
{
    static const char text[] = "pod,start,duration_s,p_w,source\n"
                               "P1,2026-03-01T00:00:00Z,900,-5,\n"
                               "P2,2026-03-01T01:00:00+01:00,900,7,\"a,\"\"b\nc\"\n"
                               "P3,2026-03-01T00:00:00Z,900\n"
                               "P4,2026-03-01T00:00:00Z,900,8,d\"e\n"
                               "P5,2026-03-01T00:00:00Z,900, 9,f\n"
                               "P6,2026-03-01T00:15:00Z,900,10,\"g\n"
                               "P7,2026-03-01T00:15:00Z,900,10,g";
    struct pof_memory m = {text, sizeof text - 1};
    struct pof_source src = pof_source_memory(&m, "c");
    struct pof_reader *r;
    struct pof_reader_options o = {.expect = POF_measurement};
    struct pof_err err = {0};
    struct pof_record rec;
    if (!ok(pof_reader_new(&r, &src, &o, &err) == 0, "a CSV reader")) {
        return;
    }
    is_int(pof_reader_next(r, &rec, &err), 1, "a plain row");
    ok(!POF_HAS(&rec.u.measurement, measurement, source), "an empty cell is not given");
    is_int(rec.u.measurement.p_w, -5, "a negative power");
    is_int(pof_reader_next(r, &rec, &err), 1, "a quoted row over two lines");
    is_text(rec.u.measurement.source.ptr, rec.u.measurement.source.len, "a,\"b\nc", "unquoted");
    is_int(rec.u.measurement.start, 1772323200, "an offset is turned into UTC");
    is_int(pof_reader_next(r, &rec, &err), POF_E_COLUMNS, "a ragged row");
    is_int((int64_t)err.line, 5, "its line, after a row of two lines");
    err = (struct pof_err){0};
    is_int(pof_reader_next(r, &rec, &err), POF_E_SYNTAX, "a stray quote swallows no later row");
    is_int((int64_t)err.line, 6, "its line");
    err = (struct pof_err){0};
    is_int(pof_reader_next(r, &rec, &err), POF_E_NUMBER, "a blank is part of its cell");
    is_int((int64_t)err.line, 7, "its line");
    err = (struct pof_err){0};
    is_int(pof_reader_next(r, &rec, &err), POF_E_SYNTAX, "quotes that never close");
    is_int((int64_t)err.line, 8, "their line");
    is_int(pof_reader_next(r, &rec, &err), 1, "the row behind them is read");
    is_int(rec.u.measurement.p_w, 10, "whole");
    is_int(pof_reader_next(r, &rec, &err), 0, "the end");
    pof_reader_free(r);
}

/* Rows that name their type, which changes between them, more often than the reader cares to learn. */
static void test_typed_rows(void)
{
    struct pof_buf b = {0};
    struct pof_err err = {0};
    struct pof_record rec;
    struct pof_reader *r = NULL;
    size_t wrong = 0;
    int rc = pof_buf_adds(&b, "schema,pod,start,duration_s,p_w\n", &err);
    for (int i = 0; rc == 0 && i < 400; i++) {
        bool one = i < 200 ? i % 7 < 4 : i % 2;
        rc = pof_buf_addf(&b, &err, "%s,P%d,2026-03-01T00:00:00Z,900,%d\n",
                          one ? "pof.baseline/1" : i % 3 ? "pof.measurement/1" : "measurement", i, i);
    }
    rc = rc ? rc : pof_buf_adds(&b, ",P,2026-03-01T00:00:00Z,900,1\npof.baseline/12,P,,,\n", &err);
    struct pof_memory m = {b.data, b.len};
    struct pof_source src = pof_source_memory(&m, "t");
    rc = rc ? rc : pof_reader_new(&r, &src, &(struct pof_reader_options){.expect = POF_TYPES}, &err);
    for (int i = 0; rc == 0 && i < 400; i++) {
        bool one = i < 200 ? i % 7 < 4 : i % 2;
        bool read = pof_reader_next(r, &rec, &err) == 1;
        wrong += !read || rec.type != (one ? POF_baseline : POF_measurement) ||
                 (one ? rec.u.baseline.p_w : rec.u.measurement.p_w) != i;
    }
    ok(rc == 0 && wrong == 0, "rows are of the type they name, %zu are not", wrong);
    is_int(rc ? 0 : pof_reader_next(r, &rec, &err), POF_E_SCHEMA, "a row that names none");
    is_int(rc ? 0 : pof_reader_next(r, &rec, &err), POF_E_SCHEMA, "a row that names one that there is not");
    pof_reader_free(r);
    pof_buf_release(&b);
}

static void test_round_trip(void)
{
    struct pof_offer o = {.id = pof_text("o\"1\\"), .session = pof_text("s"),
                          .seller = pof_text("a, b"), .pod = pof_text("p\n"), .node = pof_text("n"),
                          .direction = 1, .start = 1772323200, .end = 1772324100, .p_w = 17,
                          .price_ueur_mwh = 52500000};
    for (int format = POF_NDJSON; format <= POF_CSV; format++) {
        struct pof_buf b = {0};
        struct pof_err err = {0};
        struct pof_record rec;
        int rc = 0;
        if (format == POF_NDJSON) {
            rc = pof_record_format(&b, POF_offer, &o, &err);
        } else {
            rc = pof_buf_adds(&b, "id,session,seller,pod,node,direction,start,end,p_w,price_eur_mwh\n"
                                  "\"o\"\"1\\\",s,\"a, b\",\"p\n\",n,down,2026-03-01T00:00:00Z,"
                                  "2026-03-01T00:15:00Z,17,52.50\n", &err);
        }
        ok(rc == 0 && read_first(b.data, b.len, POF_TYPES, &rec, &err) == 1, "written is read (%d)",
           format);
        ok(rec.type == POF_offer && rec.u.offer.price_ueur_mwh == 52500000 &&
               pof_text_eq(rec.u.offer.id, o.id) && pof_text_eq(rec.u.offer.pod, o.pod) &&
               pof_text_eq(rec.u.offer.seller, o.seller) && rec.u.offer.direction == 1,
           "and is the same");
        pof_buf_release(&b);
    }
}

/* A source that gives a few bytes at a time. */
struct drip {
    const char *bytes;
    size_t left, at_once;
};

static ssize_t drip(void *ctx, void *to, size_t n, struct pof_err *err)
{
    struct drip *d = ctx;
    (void)err;
    n = n < d->at_once ? n : d->at_once;
    n = n < d->left ? n : d->left;
    memcpy(to, d->bytes, n);
    d->bytes += n;
    d->left -= n;
    return (ssize_t)n;
}

/* What a reader says of a text, as text; wrong counts lines that are not where they are said to be. */
static void tell(const char *text, size_t at_once, struct pof_buf *to, size_t *wrong)
{
    struct drip d = {text, strlen(text), at_once};
    struct pof_source src = {drip, &d, "t"};
    struct pof_reader_options o = {.expect = POF_measurement, .max_line = 400};
    struct pof_reader *r = NULL;
    struct pof_err err = {0};
    struct pof_record record;
    int rc = pof_reader_new(&r, &src, &o, &err);
    while (rc == 0 && (rc = pof_reader_next(r, &record, &err)) != 0) {
        struct pof_text raw = pof_reader_raw(r);
        const char *there = text + pof_reader_offset(r);
        there += strncmp(there, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;
        *wrong += raw.len && memcmp(there, raw.ptr, raw.len) != 0;
        *wrong += pof_buf_addf(to, &err, "%d %d %d ", (int)pof_reader_line(r),
                               (int)pof_reader_offset(r), rc < 0 ? (int)err.code : 0) != 0;
        *wrong += rc < 0 ? pof_buf_addf(to, &err, "%s %s", err.field, err.text) != 0
                         : pof_record_format(to, record.type, &record.u, &err) != 0;
        *wrong += pof_buf_adds(to, "\n", &err) != 0;
        rc = 0;
    }
    pof_reader_free(r);
}

/* However bytes come, and whichever way a line goes: the same records, errors and places. */
static void chunks(void)
{
    static const char *const lines[] = {
        GOOD "}\n",
        "{\"pod\": \"P2\", \"p_w\": 5, \"duration_s\": 900, \"start\": \"2026-03-01T00:15:00Z\"}\n",
        "{\"pod\": \"P3\", \"p_w\": 6, \"duration_s\": 900, \"start\": \"2026-03-01T00:30:00Z\"}\n",
        "{\"pod\": \"P3\", \"p_w\": 6.5, \"duration_s\": 900, \"start\": \"2026-03-01T00:30:00Z\"}\n",
        "{\"pod\": \"\", \"p_w\": 6, \"duration_s\": 900, \"start\": \"2026-03-01T00:30:00Z\"}\n",
        "{\"pod\": \"P4\", \"p_w\": 7, \"duration_s\": 900, \"start\": \"2026-03-01T00:30:00Z\"}\r\n",
        "{\"pod\": \"P5\", \"p_w\": 8, \"duration_s\": 900, \"start\": \"2026-03-01T00:30:00Z\"}\r\n",
        "\n", GOOD ",\"q_var\":}\n", GOOD ",\"q_var\":-0}\n", GOOD ",\"x_own\":[1,{}]}\n"};
    struct pof_buf text = {0}, whole = {0};
    struct pof_err err = {0};
    size_t wrong = 0, differ = 0;
    int rc = pof_buf_adds(&text, "\xef\xbb\xbf", &err);
    for (uint64_t i = 0; i < 300 && rc == 0; i++) {
        size_t n = sizeof lines / sizeof lines[0];
        rc = pof_buf_adds(&text, lines[pof_below(pof_random(5, i, 0), n)], &err);
        for (int k = 0; k < 50 && i % 97 == 96 && rc == 0; k++) {
            rc = pof_buf_adds(&text, k < 49 ? " too long " : "\n", &err);
        }
    }
    rc = rc ? rc : pof_buf_add(&text, GOOD "}", sizeof GOOD "}", &err); /* no LF; the NUL ends the text */
    tell(text.data, SIZE_MAX, &whole, &wrong);
    for (size_t at_once = 1; at_once < 2000; at_once += at_once < 8 ? 1 : 331) {
        struct pof_buf again = {0};
        tell(text.data, at_once, &again, &wrong);
        differ += again.len != whole.len || memcmp(again.data, whole.data, whole.len) != 0;
        pof_buf_release(&again);
    }
    ok(rc == 0 && whole.len > 20000 && wrong == 0 && differ == 0,
       "bytes by one, by few and all at once: the same records, errors and places");
    pof_buf_release(&text);
    pof_buf_release(&whole);
}

int main(void)
{
    struct pof_record rec;
    struct pof_err err;
    test_bad_lines();
    test_goes_on();
    test_csv();
    test_typed_rows();
    test_round_trip();
    is_int(read_first("", 0, POF_TYPES, &rec, &err), 0, "nothing in, nothing out");
    chunks();
    return done();
}
