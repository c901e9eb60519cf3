/* SPDX-License-Identifier: Apache-2.0 */
/* Plain lines against the general way, for every type of record: a line that our writer made is
 * plain, and whatever is taken as plain (written, or mutated by a few bytes) gives the same record by
 * the general way, byte for byte. */
#include "num/rng.h"
#include "record/bytes.h"
#include "record/plain.h"
#include "record/writer.h"

#include "tap.h"

static const char alphabet[] = "{},:\"\\0123456789.-+eTZ \t\n\r\x01\x7f\xc3\xa9pu\0";
enum { ROUNDS = 4000, LINE = 8192 };

/* A value of a field from a seed: its bounds often, else something between. */
static void set_value(const struct pof_field *f, void *member, uint64_t h)
{
    static const char letters[] = "abcXYZ019-_ .:/(;\\\"\x09\xc3\xa9\xe2\x82\xac";
    static char pool[512];
    int64_t span = f->max - f->min, v = f->min + (int64_t)(h % (uint64_t)(span > 0 ? span + 1 : 1));
    struct pof_text t = {pool, 0};
    double d = (double)(int64_t)(h >> 20) / 1e6;
    int w = 0;
    switch (f->kind) {
    case POF_KIND_WORD:
        while (f->words[w]) {
            w++;
        }
        w = (int)(h % (uint64_t)w);
        memcpy(member, &w, sizeof w);
        return;
    case POF_KIND_REAL:
        memcpy(member, &d, sizeof d);
        return;
    case POF_KIND_INSTANT:
        v = (int64_t)(h % 253402300800u);
        break;
    case POF_KIND_MILLIS:
        v = (int64_t)(h % 253402300800000u);
        break;
    case POF_KIND_MICRO:
        v = (h & 1 ? v : (int64_t)(h >> 40) % 1000 + (f->min > 0 ? f->min : 0)) * (h & 2 ? 1000000 : 1);
        v = v > f->max * 1000000 ? f->max : v < f->min ? f->min : v;
        break;
    case POF_KIND_INT:
        v = h & 1 ? v : h & 2 ? f->min : f->max;
        break;
    case POF_KIND_TEXT: {
        bool odd = h % 7 == 0; /* now and then with what needs quotes or escapes */
        t.len = (size_t)f->min + (size_t)(h >> 8) % 12;
        t.len = t.len > (size_t)f->max ? (size_t)f->max : t.len;
        for (size_t i = 0; i < t.len; i++) {
            pool[i] = letters[(h >> (i % 32)) % (odd ? 19 : 13)];
        }
        memcpy(member, &t, sizeof t);
        return;
    }
    case POF_KIND_DATE:
        memcpy(pool, "2026-03-29", 10);
        t.len = 10;
        memcpy(member, &t, sizeof t);
        return;
    }
    memcpy(member, &v, sizeof v);
}

/* A line of a type as the writer makes it; texts are written one at a time because they share a
 * place. 0 when the record is not a valid one. */
static size_t make_line(enum pof_type type, enum pof_format format, uint64_t seed, char *line)
{
    const struct pof_layout *l = pof_layout(type);
    struct pof_err err = {0};
    struct pof_buf b = {0};
    size_t n = 0;
    int rc = format == POF_NDJSON ? pof_buf_addf(&b, &err, "{\"schema\":\"%s\"", l->schema) : 0;
    for (size_t i = 0; rc == 0 && i < l->n; i++) {
        const struct pof_field *f = &l->fields[i];
        struct pof_record r = {.type = type};
        void *member = (char *)&r.u + f->offset;
        uint64_t h = pof_random(seed, 10 + i, type);
        bool given = f->required || (h >> 50) % 3;
        if (format == POF_CSV && i) {
            rc = pof_buf_adds(&b, ",", &err);
        }
        if (!given || rc) {
            continue;
        }
        set_value(f, member, h);
        char value[256];
        struct pof_text t = {0};
        bool text = f->kind == POF_KIND_TEXT || f->kind == POF_KIND_DATE;
        if (text) {
            memcpy(&t, member, sizeof t);
        }
        bool quotes = f->kind != POF_KIND_INT && f->kind != POF_KIND_MICRO && f->kind != POF_KIND_REAL;
        if (format == POF_NDJSON) {
            rc = pof_buf_addf(&b, &err, ",\"%s\":", f->name);
        }
        if (rc == 0 && text && format == POF_NDJSON) {
            rc = pof_json_string(&b, t, &err);
        } else if (rc == 0 && text) {
            rc = pof_buf_add(&b, t.ptr, t.len, &err);
        } else if (rc == 0) {
            size_t len = pof_value_format(f, member, value);
            const char *q = quotes && format == POF_NDJSON ? "\"" : "";
            rc = pof_buf_addf(&b, &err, "%s%.*s%s", q, (int)len, value, q);
        }
    }
    rc = rc ? rc : pof_buf_adds(&b, format == POF_NDJSON ? "}\n" : "\n", &err);
    if (rc == 0 && b.len <= LINE) {
        memcpy(line, b.data, n = b.len);
    }
    pof_buf_release(&b);
    return n;
}

static size_t mutate(char *line, size_t n, uint64_t seed)
{
    uint64_t edits = 1 + pof_below(pof_random(seed, 1, 0), 3);
    for (uint64_t e = 0; e < edits && n > 1; e++) {
        size_t at = (size_t)pof_below(pof_random(seed, 2, e), n);
        char c = alphabet[pof_below(pof_random(seed, 3, e), sizeof alphabet - 1)];
        switch (pof_below(pof_random(seed, 4, e), 4)) {
        case 0:
            line[at] = c;
            break;
        case 1:
            memmove(line + at, line + at + 1, n - at - 1);
            n--;
            break;
        case 2:
            if (n < LINE) {
                memmove(line + at + 1, line + at, n - at);
                line[at] = c;
                n++;
            }
            break;
        default: /* another byte of the line */
            line[at] = line[pof_below(pof_random(seed, 5, e), n)];
        }
    }
    return n;
}

/* Does a first column of CSV name the type? */
static bool typed;

/* The cells of a row under a header of all fields in their order, with their names. */
static bool name_cells(struct pofi_line *scanned, enum pof_type *type)
{
    const struct pof_layout *l = pof_layout(*type);
    if (scanned->n != l->n + typed) {
        return false;
    }
    for (size_t k = 0; k < l->n; k++) {
        scanned->value[k + typed].name = (struct pof_text){l->fields[k].name, l->fields[k].name_len};
    }
    if (typed) {
        scanned->value[0].name = pof_text("schema");
        *type = pof_type_of(scanned->value[0].text);
    }
    return *type == pof_type_of(pof_text(l->schema)); /* another type has other columns */
}

/* The general way over one line without its LF. */
static bool general(enum pof_type type, enum pof_format format, struct pof_text line,
                    struct pof_record *record)
{
    static struct pofi_line scanned;
    struct pofi_unknown unknown = {.strict = true};
    struct pof_err err = {0};
    bool good = !memchr(line.ptr, '\0', line.len) && !memchr(line.ptr, '\n', line.len) &&
                pofi_is_utf8(line);
    if (format == POF_NDJSON) {
        good = good && pofi_scan_json(&scanned, line, &err) == 0;
        for (size_t k = 0; good && k < scanned.n; k++) {
            const struct pofi_value *v = &scanned.value[k];
            if (pof_text_is(v->name, "schema") && v->text.len) {
                type = v->kind == POFI_STRING ? pof_type_of(v->text) : POF_TYPES;
                good = type != POF_TYPES;
                break;
            }
        }
    } else {
        good = good && pofi_scan_csv(&scanned, line, &err) == 0 && name_cells(&scanned, &type);
    }
    memset(record, 0, sizeof *record);
    record->type = type;
    good = good && pofi_assign(&scanned, type, &record->u, &unknown, &err) == 0;
    pof_buf_release(&scanned.scratch);
    return good;
}

struct tally {
    size_t lines, taken, wrong, written;
};

/* A line that is said to be as the writer writes it is. */
static bool is_as_written(enum pof_format format, struct pof_text line, const struct pof_record *r)
{
    struct pof_writer w;
    struct pof_sink nowhere = {0};
    struct pof_err err = {0};
    pof_writer_init(&w, &nowhere, format);
    w.type = r->type; /* no header */
    bool same = pof_writer_put(&w, r->type, &r->u, &err) == 0 && w.buf.len == line.len &&
                memcmp(w.buf.data, line.ptr, line.len) == 0;
    pof_writer_release(&w);
    return same;
}

static void try_line(enum pof_type type, enum pof_format format, struct pofi_plain *p,
                     struct pof_text line, struct tally *t)
{
    static char bytes[LINE + POF_STREAM_ZEROS];
    struct pof_record fast, slow;
    memset(&fast, 0, sizeof fast);
    memcpy(bytes, line.ptr, line.len);
    memset(bytes + line.len, 0, POF_STREAM_ZEROS);
    line.ptr = bytes;
    const char *end = line.ptr + line.len;
    size_t n = format == POF_CSV ? pofi_plain_csv(p, line.ptr, end, &fast)
                                 : pofi_plain_json(p, line.ptr, end, &fast);
    if (n == 0) {
        return;
    }
    t->taken++;
    bool same = n <= line.len && general(type, format, (struct pof_text){line.ptr, n - 1}, &slow) &&
                fast.type == slow.type &&
                memcmp(&fast.u, &slow.u, pof_layout(slow.type)->size) == 0;
    if (same && p->written) {
        same = is_as_written(format, (struct pof_text){line.ptr, n}, &fast);
        t->written++;
    }
    t->wrong += !same;
    if (!same && t->wrong < 4) {
        printf("# %.*s\n", (int)(n - 1), line.ptr);
    }
}

static void hold_together(enum pof_type type, enum pof_format format)
{
    const struct pof_layout *l = pof_layout(type);
    struct pof_names header = {0};
    struct pof_err err = {0};
    struct pofi_plain p = {0};
    struct tally t = {0}, hurt = {0};
    static char line[LINE];
    uint32_t id;
    int rc = 0;
    for (size_t i = 0; i < l->n; i++) {
        rc |= pof_names_add(&header, (struct pof_text){l->fields[i].name, l->fields[i].name_len}, &id,
                            &err);
    }
    pofi_plain_header(&p, format == POF_CSV ? type : POF_TYPES, &header);
    for (uint64_t seed = 0; rc == 0 && seed < ROUNDS / POF_TYPES + 40; seed++) {
        size_t n = make_line(type, format, seed, line);
        t.lines += n > 0;
        try_line(type, format, &p, (struct pof_text){line, n}, &t);
        for (uint64_t k = 0; n && k < 20; k++) {
            size_t m = make_line(type, format, seed, line);
            m = mutate(line, m, seed * 20 + k);
            try_line(type, format, &p, (struct pof_text){line, m}, &hurt);
        }
    }
    ok(t.lines > 0 && t.taken * 10 >= t.lines && t.wrong == 0 && hurt.wrong == 0 &&
           (t.written > 0 || pofi_many_forms(type)),
       "%s, %s: %zu of %zu written lines are plain, %zu mutated ones; the same by the general way, "
       "%zu and %zu of them byte for byte when written again",
       l->name, format == POF_CSV ? "CSV" : "NDJSON", t.taken, t.lines, hurt.taken, t.written,
       hurt.written);
    pof_names_release(&header);
}

/* Rows whose first column names their type, as files of several types put together have it. */
static void typed_rows(enum pof_type type)
{
    const struct pof_layout *l = pof_layout(type);
    struct pof_names header = {0};
    struct pof_err err = {0};
    struct pofi_plain p = {0};
    struct tally t = {0}, hurt = {0};
    static char line[LINE], row[LINE];
    uint32_t id;
    int rc = pof_names_add(&header, pof_text("schema"), &id, &err);
    for (size_t i = 0; i < l->n; i++) {
        rc |= pof_names_add(&header, pof_text(l->fields[i].name), &id, &err);
    }
    typed = true;
    pofi_plain_row(&p, (enum pof_type)((type + 1) % POF_TYPES), &header); /* some other row */
    pofi_plain_row(&p, type, &header);
    for (uint64_t seed = 0; rc == 0 && seed < ROUNDS / POF_TYPES / 4 + 10; seed++) {
        size_t n = make_line(type, POF_CSV, seed, line);
        if (n == 0 || n + 64 > LINE) {
            continue;
        }
        n = (size_t)sprintf(row, "%s,%.*s", l->schema, (int)n, line);
        t.lines++;
        try_line(type, POF_CSV, &p, (struct pof_text){row, n}, &t);
        for (uint64_t k = 0; k < 20; k++) {
            memcpy(line, row, n);
            size_t m = mutate(line, n, seed * 20 + k);
            try_line(type, POF_CSV, &p, (struct pof_text){line, m}, &hurt);
        }
    }
    typed = false;
    ok(rc == 0 && t.taken * 10 >= t.lines && t.taken > 0 && t.written == 0 && t.wrong == 0 &&
           hurt.wrong == 0,
       "%s, rows that name it: %zu of %zu are plain, %zu mutated ones; the same by the general way",
       l->name, t.taken, t.lines, hurt.taken);
    pof_names_release(&header);
}

/* A line of ours as another program would write it: members in an order of its own, blanks or none, with
 * or without the schema. 0 when it has escapes or is too long. */
static size_t foreign(struct pof_text line, uint64_t style, char *to)
{
    static struct pofi_line scanned;
    struct pof_err err = {0};
    size_t order[POFI_MEMBERS] = {0}, n = 0;
    if (pofi_scan_json(&scanned, line, &err) || line.len * 2 > LINE || memchr(line.ptr, '\\', line.len)) {
        return 0;
    }
    for (size_t k = 0; k < scanned.n; k++) { /* a random order, made as it grows */
        size_t at = (size_t)pof_below(pof_random(style, k, 1), k + 1);
        order[k] = order[at];
        order[at] = k;
    }
    const char *blank = style % 3 ? "" : " ";
    to[n++] = '{';
    for (size_t k = 0; k < scanned.n; k++) {
        const struct pofi_value *v = &scanned.value[order[k]];
        const char *quote = v->kind == POFI_STRING ? "\"" : "";
        if (style % 2 && order[k] == 0) {
            continue; /* the schema */
        }
        n += (size_t)sprintf(to + n, "%s%s\"%.*s\":%s%s%.*s%s", n > 1 ? "," : "", n > 1 ? blank : "",
                             (int)v->name.len, v->name.ptr, blank, quote, (int)v->text.len,
                             v->text.ptr, quote);
    }
    n += (size_t)sprintf(to + n, "%s}\n", blank);
    pof_buf_release(&scanned.scratch);
    return n;
}

/* Shapes learnt from lines that went the long way: a line is taken once its shape is known, and it and
 * what comes of it by a few bytes more or less is read as the long way reads it. */
static void shapes(enum pof_type type)
{
    struct tally t = {0}, hurt = {0};
    static char line[LINE], other[LINE];
    size_t lines = 0, known = 0;
    for (uint64_t style = 0; style < 12; style++) {
        static struct pofi_plain p;
        p = (struct pofi_plain){0};
        for (uint64_t seed = 0; seed < 12; seed++) {
            size_t n = make_line(type, POF_NDJSON, seed, line);
            n = n ? foreign((struct pof_text){line, n - 1}, style, other) : 0;
            struct pof_text text = {other, n ? n - 1 : 0};
            struct pof_record record;
            if (!n || !general(type, POF_NDJSON, text, &record)) {
                continue;
            }
            try_line(type, POF_NDJSON, &p, (struct pof_text){other, n}, &t);
            static struct pofi_line scanned;
            struct pof_err err = {0};
            if (pofi_scan_json(&scanned, text, &err) == 0) {
                pofi_plain_learn(&p, &scanned, text, &record);
            }
            size_t before = t.taken;
            try_line(type, POF_NDJSON, &p, (struct pof_text){other, n}, &t);
            lines++;
            known += t.taken - before;
            for (uint64_t k = 0; k < 20; k++) {
                memcpy(line, other, n);
                size_t m = mutate(line, n, style * 1000 + seed * 20 + k);
                try_line(type, POF_NDJSON, &p, (struct pof_text){line, m}, &hurt);
            }
            pof_buf_release(&scanned.scratch);
            scanned.scratch = (struct pof_buf){0};
        }
    }
    ok(lines > 0 && known * 2 >= lines && t.wrong == 0 && hurt.wrong == 0,
       "%s as others write it: %zu of %zu lines known once seen, %zu mutated ones; the same by the "
       "general way",
       pof_layout(type)->name, known, lines, hurt.taken);
}

/* The ends of texts sixteen bytes at a time and eight at a time. */
static void text_ends(void)
{
    char bytes[96];
    size_t wrong = 0;
    for (uint64_t seed = 0; seed < 20000; seed++) {
        for (size_t i = 0; i < sizeof bytes; i++) {
            uint64_t h = pof_random(seed, i, 2);
            bytes[i] = h % 16 ? (char)(0x20 + (h >> 8) % 0x5f) : (char)(h >> 8);
            bytes[i] = i >= 64 ? '\0' : bytes[i];
        }
        const char *from = bytes + seed % 16;
        char stop = seed & 64 ? '"' : ',';
        size_t n = 0;
        while (from[n] != '"' && from[n] != '\\' && from[n] != stop && from[n] >= 0x20 &&
               from[n] < 0x7f) {
            n++;
        }
        wrong += pofi_text_end(from, stop) != from + n || pofi_text_end_plain(from, stop) != from + n;
    }
    ok(wrong == 0, "ends of texts: sixteen, eight and one byte at a time agree");
}

/* Edges that chance would seldom meet: each is read alike, or left alone. */
static void edges(void)
{
    static const char *const prices[] = {"-0.5", "-0", "0", "00", "0.", ".5", "0.000001", "0.0000001",
                                         "1e3", "1000000000", "1000000000.9", "99999999999",
                                         "123456789012345678901", "-1", "+1", " 1", "1 ", "\"1\"", ""};
    const char *const before = "a,S,x,P,N,up,2026-03-10T00:00:00Z,2026-03-10T00:15:00Z,";
    const struct pof_layout *l = pof_layout(POF_offer);
    struct pof_names header = {0};
    struct pof_err err = {0};
    struct tally t = {0};
    uint32_t id;
    int rc = 0;
    for (size_t i = 0; i < l->n; i++) {
        rc |= pof_names_add(&header, (struct pof_text){l->fields[i].name, l->fields[i].name_len}, &id,
                            &err);
    }
    struct pofi_plain p;
    pofi_plain_header(&p, POF_offer, &header);
    for (size_t i = 0; i < sizeof prices / sizeof prices[0]; i++) {
        for (int as_power = 0; as_power < 2; as_power++) {
            char line[200];
            int n = snprintf(line, sizeof line, "%s%s,%s%.*s\n", before, as_power ? prices[i] : "7",
                             as_power ? "7" : prices[i], (int)l->n - 10, ",,,,,,,,,,,,,,,,"); /* what may be left out */
            try_line(POF_offer, POF_CSV, &p, (struct pof_text){line, (size_t)n}, &t);
        }
    }
    ok(rc == 0 && t.taken > 4 && t.wrong == 0, "numbers at the edges: %zu plain", t.taken);
    pof_names_release(&header);
}

int main(void)
{
    edges();
    text_ends();
    for (int type = 0; type < POF_TYPES; type++) {
        hold_together((enum pof_type)type, POF_CSV);
        hold_together((enum pof_type)type, POF_NDJSON);
        shapes((enum pof_type)type);
        typed_rows((enum pof_type)type);
    }
    return done();
}
