/* SPDX-License-Identifier: Apache-2.0 */
/* MeterReadings of IEC 61968-9: the readings of a meter, of one or several channels, as measurements.
 *
 * What a reading is, its ReadingType says: 18 numbers with points between (IEC 61968-9, Annex C), of
 * which these count here: measuringPeriod, accumulation, flowDirection, commodity, multiplier, unit. The
 * time of an interval's reading is its end. Channels of one meter with the same time become one
 * measurement: energy taken less energy fed in. The point of delivery stands behind its readings, so one
 * MeterReading is kept, 200,000 readings at most. */
#include "record/form.h"

#include "base/mem.h"
#include "num/decimal.h"
#include "record/words.h"
#include "record/xml.h"

#include <stdlib.h>
#include <string.h>

enum { READINGS_MAX = 200000, TYPES_MAX = 64 };

/* Where in the document we are. */
enum place { ELSEWHERE, METER_READING, BLOCK, READING, QUALITY, METER, USAGE, NAMES };

static const struct {
    const char *name;
    enum place inside, place;
} elements[] = {{"MeterReading", ELSEWHERE, METER_READING}, {"IntervalBlocks", METER_READING, BLOCK},
                {"IntervalReadings", BLOCK, READING},       {"Readings", METER_READING, READING},
                {"ReadingQualities", READING, QUALITY},     {"Meter", METER_READING, METER},
                {"UsagePoint", METER_READING, USAGE},       {"Names", METER, NAMES},
                {"Names", USAGE, NAMES}};

/* What readings of a type are: a name as in terms.c, NULL: of no use here. */
struct kind {
    const char *name;
    int duration_s; /* 0: not said */
};

struct reading {
    int64_t at; /* its time; INT64_MIN: none that can be read */
    uint64_t line;
    struct pof_text stamp, value;
    struct kind kind;
    struct pof_text unused; /* the type, when it is of no use */
    int quality;            /* enum pof_quality, the worse the higher */
};

struct meters {
    struct pofi_feed *f;
    enum place place[POF_XML_DEPTH + 1];
    int depth;
    struct pof_arena arena; /* texts of the meter at hand */
    size_t bytes;           /* in it */
    struct reading *reading;
    size_t n, cap, block; /* block: the first of the block at hand */
    struct reading now;
    struct pof_text type; /* of the block or reading at hand */
    struct pof_text pod, meter, pod_name, meter_name;
};

/* --- reading types --- */

static bool numbers(struct pof_text t, int *part)
{
    size_t n = 0;
    int v = 0;
    bool digit = false;
    for (size_t i = 0; i <= t.len; i++) {
        if (i < t.len && t.ptr[i] >= '0' && t.ptr[i] <= '9' && v < 100000) {
            v = v * 10 + (t.ptr[i] - '0');
            digit = true;
        } else if (digit && n < 18 && (i == t.len || t.ptr[i] == '.')) {
            part[n++] = v;
            v = 0;
            digit = false;
        } else {
            return false;
        }
    }
    return n == 18;
}

static struct kind kind_of(struct pof_text type)
{
    static const struct {
        int code, seconds;
    } periods[] = {{1, 600},  {2, 900},  {3, 60},   {4, 86400}, {5, 1800},
                   {6, 300},  {7, 3600}, {10, 120}, {14, 180},  {31, 1200}};
    enum { W = 38, VAR = 63, V = 29, WH = 72, FORWARD = 1, NET = 4, REVERSE = 19, ANY = -1 };
    static const struct {
        int unit, direction, multiplier;
        const char *name;
    } kinds[] = {{WH, FORWARD, 0, "e_in_wh"},  {WH, FORWARD, 3, "e_in_kwh"}, {WH, REVERSE, 0, "e_out_wh"},
                 {WH, REVERSE, 3, "e_out_kwh"}, {WH, NET, 0, "e_wh"},        {WH, NET, 3, "e_kwh"},
                 {W, FORWARD, 0, "p_w"},        {W, FORWARD, 3, "p_kw"},     {W, NET, 0, "p_w"},
                 {W, NET, 3, "p_kw"},           {W, 0, 0, "p_w"},            {W, 0, 3, "p_kw"},
                 {VAR, ANY, 0, "q_var"},        {VAR, ANY, 3, "q_kvar"},     {V, ANY, 0, "v_v"}};
    int p[18];
    struct kind k = {NULL, 0};
    if (!numbers(type, p) || (p[5] != 1 && p[5] != 2)) { /* electricity, metered low or high */
        return k;
    }
    for (size_t i = 0; i < sizeof periods / sizeof periods[0]; i++) {
        k.duration_s = p[2] == periods[i].code ? periods[i].seconds : k.duration_s;
    }
    bool counter = p[3] == 1 || p[3] == 2 || p[3] == 3 || p[3] == 9; /* bulk, cumulative, summation */
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        if (p[16] == kinds[i].unit && p[15] == kinds[i].multiplier &&
            (kinds[i].direction == ANY || p[4] == kinds[i].direction)) {
            k.name = p[16] == WH && counter ? "counter_wh" : kinds[i].name;
        }
    }
    return k;
}

/* Quality "system.category.detail" (Annex D): which word it comes to. */
static int quality_of(struct pof_text t)
{
    static const int by_category[] = {
        POF_QUALITY_GOOD,      POF_QUALITY_SUSPECT,     POF_QUALITY_SUSPECT,   POF_QUALITY_SUSPECT,
        POF_QUALITY_SUSPECT,   POF_QUALITY_SUSPECT,     POF_QUALITY_SUSPECT,   POF_QUALITY_SUBSTITUTED,
        POF_QUALITY_ESTIMATED, POF_QUALITY_SUSPECT,     POF_QUALITY_SUSPECT,   POF_QUALITY_ESTIMATED,
        POF_QUALITY_ESTIMATED};
    const char *dot = memchr(t.ptr, '.', t.len);
    size_t left = dot ? (size_t)(t.ptr + t.len - dot - 1) : 0;
    unsigned v = 0;
    size_t i = 0;
    for (; i < left && i < 3 && dot[1 + i] >= '0' && dot[1 + i] <= '9'; i++) {
        v = v * 10 + (unsigned)(dot[1 + i] - '0');
    }
    return i && v < sizeof by_category / sizeof by_category[0] ? by_category[v] : POF_QUALITY_SUSPECT;
}

/* --- elements --- */

static int keep(struct meters *m, struct pof_text t, struct pof_text *to, struct pof_err *err)
{
    m->bytes += t.len + sizeof(void *);
    if (m->bytes > POFI_VALUE_MAX) {
        return pof_fail(err, POF_E_TOO_LONG, "a MeterReading of more than %d bytes", (int)POFI_VALUE_MAX);
    }
    to->ptr = pof_arena_text(&m->arena, t.ptr, t.len, err);
    to->len = t.len;
    return to->ptr ? 0 : POF_E_NOMEM;
}

static int begin(void **state, struct pofi_feed *f, struct pof_err *err)
{
    struct meters *m;
    int rc = pof_calloc(&m, 1, sizeof *m, err);
    if (rc == 0) {
        m->f = f;
        *state = m;
    }
    return rc;
}

static void forget(struct meters *m)
{
    pof_arena_release(&m->arena);
    m->bytes = m->n = m->block = 0;
    m->pod = m->meter = m->pod_name = m->meter_name = m->type = (struct pof_text){"", 0};
}

static void release(void *state)
{
    struct meters *m = state;
    pof_arena_release(&m->arena);
    free(m->reading);
    free(m);
}

static const char *attribute(const char *const *attr, const char *name)
{
    for (; *attr; attr += 2) {
        if (strcmp(pof_xml_local(attr[0]), name) == 0) {
            return attr[1];
        }
    }
    return NULL;
}

static int on_open(void *state, const char *name, const char *const *attr, struct pof_err *err)
{
    struct meters *m = state;
    const char *local = pof_xml_local(name);
    enum place inside = m->place[m->depth], place = inside;
    for (size_t i = 0; i < sizeof elements / sizeof elements[0]; i++) {
        place = elements[i].inside == inside && strcmp(local, elements[i].name) == 0 ? elements[i].place : place;
    }
    m->place[++m->depth] = place;
    if (place != inside && place == METER_READING) {
        forget(m);
    } else if (place != inside && place == BLOCK) {
        m->block = m->n;
        m->type = (struct pof_text){"", 0};
    } else if (place != inside && place == READING) {
        m->now = (struct reading){.at = INT64_MIN, .stamp = {"", 0}, .value = {"", 0}};
        if (inside == METER_READING) {
            m->block = m->n;
            m->type = (struct pof_text){"", 0};
        }
    }
    const char *ref = attribute(attr, "ref");
    if (ref && strcmp(local, "ReadingType") == 0) {
        return keep(m, pof_text(ref), &m->type, err);
    }
    if (ref && strcmp(local, "ReadingQualityType") == 0) {
        int q = quality_of(pof_text(ref));
        m->now.quality = q > m->now.quality ? q : m->now.quality;
    }
    return 0;
}

/* The readings of a block, when it is said what they are. */
static void name_block(struct meters *m)
{
    struct kind k = kind_of(m->type);
    for (size_t i = m->block; i < m->n; i++) {
        m->reading[i].kind = k;
        m->reading[i].unused = m->type;
    }
}

static int end_reading(struct meters *m, uint64_t line, struct pof_err *err)
{
    int64_t ms;
    if (m->n == READINGS_MAX) {
        return pof_fail(err, POF_E_TOO_LONG, "a MeterReading of more than %d readings", READINGS_MAX);
    }
    int rc = pof_grow(&m->reading, &m->cap, m->n + 1, sizeof *m->reading, err);
    if (rc == 0) {
        m->now.line = line;
        m->now.at = pofi_instant_of(m->f->how, m->now.stamp, &ms, &m->f->why) ? INT64_MIN : ms;
        m->reading[m->n++] = m->now;
    }
    return rc;
}

static int end_meter(struct meters *m, struct pof_err *err);

static int on_close(void *state, const char *name, struct pof_text text, uint64_t line,
                    struct pof_err *err)
{
    struct meters *m = state;
    const char *local = pof_xml_local(name);
    enum place place = m->place[m->depth--], outside = m->place[m->depth];
    bool left = place != outside;
    if (left && place == READING) {
        int rc = end_reading(m, line, err);
        if (rc == 0 && outside == METER_READING) {
            name_block(m);
        }
        return rc;
    }
    if (left && place == BLOCK) {
        name_block(m);
        return 0;
    }
    if (left && place == METER_READING) {
        return end_meter(m, err);
    }
    if (place == READING && strcmp(local, "timeStamp") == 0) {
        return keep(m, text, &m->now.stamp, err);
    }
    if (place == READING && strcmp(local, "value") == 0) {
        return keep(m, text, &m->now.value, err);
    }
    if ((place == METER || place == USAGE) && strcmp(local, "mRID") == 0) {
        return keep(m, text, place == METER ? &m->meter : &m->pod, err);
    }
    if (place == NAMES && strcmp(local, "name") == 0) {
        bool of_meter = false;
        for (int d = m->depth; d > 0; d--) {
            of_meter |= m->place[d] == METER;
        }
        return keep(m, text, of_meter ? &m->meter_name : &m->pod_name, err);
    }
    return text.len && strcmp(local, "ReadingType") == 0 && m->type.len == 0 ? keep(m, text, &m->type, err) : 0;
}

/* --- measurements --- */

static int by_time(const void *a, const void *b)
{
    const struct reading *x = a, *y = b;
    int by = (x->at > y->at) - (x->at < y->at);
    by = by ? by : x->kind.duration_s - y->kind.duration_s;
    return by ? by : (x->line > y->line) - (x->line < y->line);
}

static void add(struct pofi_line *values, const char *name, struct pof_text text)
{
    if (text.len && values->n < POFI_MEMBERS) {
        values->value[values->n++] = (struct pofi_value){pof_text(name), text, POFI_CSV};
    }
}

/* Readings of one time, as one measurement. */
static int emit(struct meters *m, const struct reading *r, size_t n, struct pof_err *err)
{
    struct pofi_line *values = &m->f->scan[0];
    char duration[16];
    int quality = POF_QUALITY_GOOD;
    bool any = false;
    values->n = 0;
    add(values, "pod", m->pod.len ? m->pod : m->pod_name.len ? m->pod_name : m->meter.len ? m->meter : m->meter_name);
    add(values, "end", r->stamp);
    struct pof_text seconds = {duration, pof_decimal_format(r->kind.duration_s, 0, duration)};
    add(values, "duration_s", r->kind.duration_s ? seconds : (struct pof_text){"", 0});
    for (size_t i = 0; i < n; i++) {
        if (!r[i].kind.name) {
            pofi_skipped(m->f, r[i].unused.len ? r[i].unused : pof_text("ReadingType"));
            continue;
        }
        any = true;
        quality = r[i].quality > quality ? r[i].quality : quality;
        add(values, r[i].kind.name, r[i].value);
    }
    if (quality != POF_QUALITY_GOOD) {
        add(values, "quality", pof_text(pof_words("quality")[quality]));
    }
    add(values, "source", m->meter.len ? m->meter : m->meter_name);
    int rc = any ? pofi_flat_text(&m->f->raw, values, err) : 0;
    struct pof_origin o = {.source = m->f->name, .line = r->line, .offset = POF_NO_OFFSET, .raw = {m->f->raw.data, m->f->raw.len}};
    return rc || !any ? rc : pofi_feed_values(m->f, values, POF_measurement, &o, err);
}

static int end_meter(struct meters *m, struct pof_err *err)
{
    int rc = 0;
    if (m->n) {
        qsort(m->reading, m->n, sizeof *m->reading, by_time);
    }
    for (size_t i = 0, k; i < m->n && rc == 0; i = k) {
        for (k = i + 1; k < m->n && k - i < TYPES_MAX && m->reading[i].at != INT64_MIN &&
                        m->reading[k].at == m->reading[i].at &&
                        m->reading[k].kind.duration_s == m->reading[i].kind.duration_s;) {
            k++;
        }
        rc = emit(m, m->reading + i, k - i, err);
    }
    forget(m);
    return rc;
}

static int finish(void *state, struct pof_err *err)
{
    (void)state, (void)err;
    return 0;
}

const struct pofi_xml_part pofi_meter_readings = {"MeterReadings", begin, on_open, on_close, finish, release};
