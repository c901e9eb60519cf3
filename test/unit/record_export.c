/* SPDX-License-Identifier: Apache-2.0 */
/* Points and tables: escapes, what is refused, and that a table read back is the same records. */
#include "num/rng.h"
#include "record/export.h"
#include "record/reader.h"
#include "record/table.h"
#include "record/writer.h"
#include "tap.h"

static struct pof_state state(const char *name)
{
    struct pof_state s = {.element = 0, .name = pof_text(name), .start = 1773136800, .v_pu = 1.0125};
    POF_SET(&s, state, v_pu);
    return s;
}

static void is_point(const struct pof_export *x, enum pof_type type, const void *record,
                     const char *want, const char *what)
{
    struct pof_buf b = {0};
    struct pof_err err = {0};
    int rc = pof_export_point(x, &b, type, record, &err);
    ok(rc == 0, "%s is a point %s", what, err.text);
    is_text(b.data ? b.data : "", b.len, want, what);
    pof_buf_release(&b);
}

static void is_refused(const struct pof_export *x, enum pof_type type, const void *record, int code,
                       const char *what)
{
    struct pof_buf b = {0};
    struct pof_err err = {0};
    is_int(pof_export_point(x, &b, type, record, &err), code, what);
    is_int((int64_t)b.len, 0, "and nothing is written");
    pof_buf_release(&b);
}

static void points(void)
{
    struct pof_export json = {.form = POF_EXPORT_TELEGRAF, .per_second = 1};
    struct pof_export line = {.form = POF_EXPORT_LINE, .per_second = 1000000000};
    struct pof_state s = state("N 1,a=b\\c");
    is_point(&json, POF_state, &s,
             "{\"name\":\"state\",\"tags\":{\"element\":\"node\",\"name\":\"N 1,a=b\\\\c\"},"
             "\"fields\":{\"v_pu\":1.0125},\"timestamp\":1773136800}",
             "telegraf");
    is_point(&line, POF_state, &s,
             "state,element=node,name=N\\ 1\\,a\\=b\\c v_pu=1.0125 1773136800000000000\n", "line");
    s.name = pof_text("ends\\");
    is_refused(&line, POF_state, &s, POF_E_SYNTAX, "a backslash at the end of a tag");
    s.name = pof_text("two\nlines");
    is_refused(&line, POF_state, &s, POF_E_SYNTAX, "a line break in a tag");
    s = state("x");
    s.has = 0;
    is_refused(&json, POF_state, &s, POF_E_MISSING, "no value at all");
    struct pof_pod pod = {.pod = pof_text("p"), .node = pof_text("n"), .aggregator = pof_text("a")};
    is_refused(&json, POF_pod, &pod, POF_E_MISSING, "no instant");
    struct pof_event e = {.flow = pof_text("flow0"),
                          .datetime = 1773136800123,
                          .reference_id = pof_text("r"),
                          .records = 7};
    POF_SET(&e, event, records);
    is_refused(&json, POF_event, &e, POF_E_RANGE, "milliseconds where seconds are counted");
    is_point(&line, POF_event, &e,
             "event,flow=flow0,type=message_received,platform=AP,reference_id=r records=7i "
             "1773136800123000000\n",
             "integers and milliseconds");
    json.per_second = 1000;
    struct pof_tag tag = {pof_text("site"), pof_text("A \"1\"")};
    json.tag = &tag;
    json.tags = 1;
    json.name = pof_text("mqtt_consumer");
    s = state("x");
    is_point(&json, POF_state, &s,
             "{\"name\":\"mqtt_consumer\",\"tags\":{\"site\":\"A \\\"1\\\"\",\"element\":\"node\","
             "\"name\":\"x\"},\"fields\":{\"v_pu\":1.0125},\"timestamp\":1773136800000}",
             "name, tag and milliseconds");
    tag.key = pof_text("v_pu");
    is_refused(&json, POF_state, &s, POF_E_DUPLICATE, "a tag that is a field");
    struct pof_estimate q = {.detail = pof_text("a \"b\" \\ c")};
    POF_SET(&q, estimate, detail);
    is_point(&line, POF_estimate, &q,
             "estimate,status=converged iterations=0i,readings=0i,constraints=0i,dof=0i,"
             "detail=\"a \\\"b\\\" \\\\ c\" 0\n",
             "long texts are strings");
    ok(pof_tag_parse(pof_text("a=b=c"), &tag) && pof_text_is(tag.key, "a") &&
           pof_text_is(tag.value, "b=c"),
       "a tag is cut at its first equal sign");
    ok(!pof_tag_parse(pof_text("a="), &tag) && !pof_tag_parse(pof_text("=b"), &tag) &&
           !pof_tag_parse(pof_text("ab"), &tag),
       "half a tag is none");
}

/* Hands out a few bytes at a time. */
struct drip {
    struct pof_memory m;
    size_t step;
};

static ssize_t drip(void *ctx, void *to, size_t n, struct pof_err *err)
{
    struct drip *d = ctx;
    (void)err;
    size_t give = d->m.len < d->step ? d->m.len : d->step;
    give = give < n ? give : n;
    memcpy(to, d->m.ptr, give);
    d->m.ptr += give;
    d->m.len -= give;
    return (ssize_t)give;
}

/* Texts of all sorts of bytes, numbers of all sizes. */
static void random_state(struct pof_state *s, char *name, uint64_t seed)
{
    static const char bytes[] = "ab-\", \\'#=zA1";
    size_t n = 1 + pof_below(pof_random(seed, 0, 0), 20);
    for (size_t i = 0; i < n; i++) {
        name[i] = bytes[pof_below(pof_random(seed, i, 1), sizeof bytes - 1)];
    }
    *s = (struct pof_state){.element = (int)pof_below(pof_random(seed, 0, 2), 2),
                            .name = {name, n},
                            .start = (int64_t)pof_below(pof_random(seed, 0, 3), 4000000000)};
    double *real[] = {&s->v_pu, &s->angle_deg, &s->p_w, &s->i_a};
    for (uint64_t i = 0; i < 4; i++) {
        uint64_t bits = pof_random(seed, i, 4);
        *real[i] = ldexp((double)(int64_t)bits, (int)pof_below(bits >> 7, 80) - 90);
    }
    uint64_t has = pof_random(seed, 0, 5);
    s->has = has & ((UINT64_C(1) << POF_BIT_state_v_pu) | (UINT64_C(1) << POF_BIT_state_angle_deg) |
                    (UINT64_C(1) << POF_BIT_state_p_w) | (UINT64_C(1) << POF_BIT_state_i_a));
}

static void reads_back(void)
{
    enum { ROWS = 500 };
    struct pof_buf table = {0}, want = {0}, got = {0};
    struct pof_err err = {0};
    char name[32];
    int rc = pof_table_header(&table, POF_state, &err);
    for (uint64_t i = 0; i < ROWS && rc == 0; i++) {
        struct pof_state s;
        random_state(&s, name, i);
        rc = pof_table_row(&table, POF_state, &s, &err);
        rc = rc ? rc : pof_record_format(&want, POF_state, &s, &err);
    }
    ok(rc == 0, "500 random rows are written %s", err.text);
    for (size_t step = 1; step < 100000; step = step * 9 + 4) {
        struct drip d = {{table.data, table.len}, step};
        struct pof_source src = {.read = drip, .ctx = &d, .name = "t"};
        struct pof_table *t = NULL;
        struct pof_reader *r = NULL;
        struct pof_record record;
        enum pof_type type = POF_TYPES;
        got.len = 0;
        rc = pof_table_open(&t, &src, &type, &err);
        struct pof_source csv = t ? pof_table_source(t) : src;
        struct pof_reader_options options = {.expect = type};
        rc = rc ? rc : pof_reader_new(&r, &csv, &options, &err);
        int more = rc;
        uint64_t line = 0;
        while (rc == 0 && (more = pof_reader_next(r, &record, &err)) > 0) {
            rc = pof_record_format(&got, POF_state, &record.u.state, &err);
            line = pof_reader_line(r);
        }
        ok(rc == 0 && more == 0 && type == POF_state && got.len == want.len &&
               memcmp(got.data, want.data, got.len) == 0,
           "read %zu bytes at a time they are the same records %s", step, err.text);
        is_int((int64_t)line, ROWS + 2, "and lines keep their numbers");
        pof_reader_free(r);
        pof_table_close(t);
    }
    struct pof_state s = state("two\nlines");
    size_t before = table.len;
    is_int(pof_table_row(&table, POF_state, &s, &err), POF_E_SYNTAX, "no line break in a table");
    is_int((int64_t)table.len, (int64_t)before, "and nothing is written");
    pof_buf_release(&table);
    pof_buf_release(&want);
    pof_buf_release(&got);
}

static void titles(void)
{
    static const char *const bad[] = {"", "\n", "# pof.nothing/1\n", "element name\n", "#"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct pof_memory m = {bad[i], strlen(bad[i])};
        struct pof_source src = pof_source_memory(&m, "t");
        struct pof_table *t = NULL;
        struct pof_err err = {0};
        enum pof_type type;
        is_int(pof_table_open(&t, &src, &type, &err), POF_E_SCHEMA, "not the title of a table");
        ok(t == NULL, "and no table");
    }
}

int main(void)
{
    points();
    reads_back();
    titles();
    return done();
}
