/* SPDX-License-Identifier: Apache-2.0 */
/* From lines to measurements that are used once, and rejects that say why. */
#include "record/intake.h"

#include "record/form.h"
#include "record/gaps.h"
#include "record/reader.h"
#include "record/words.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { RAW_MAX = 65536, SOURCE_MAX = 255 }; /* as in the table of rejects */

struct pof_intake {
    struct pof_intake_options options;
    struct pof_intake_hooks hooks;
    struct pof_check *check;
    struct pof_check *readings; /* NULL before the first */
    struct pof_sorted *sorted; /* NULL: a stream */
    struct pofi_gaps gaps;
    struct pof_intake_counts n;
    struct pof_err why; /* what is wrong with the line at hand */
};

int pof_intake_new(struct pof_intake **out, const struct pof_intake_options *options,
                   const struct pof_intake_hooks *hooks, struct pof_err *err)
{
    struct pof_intake *in;
    if (options->dup == POF_DUP_LAST && !options->sort) {
        return pof_fail(err, POF_E_USAGE,
                        "--dup last needs --sort: what is last is known at the end only");
    }
    if (options->fill != POF_FILL_NONE && !options->sort) {
        return pof_fail(err, POF_E_USAGE, "--fill needs --sort: what is missing is known at the end only");
    }
    int rc = pof_calloc(&in, 1, sizeof *in, err);
    if (rc) {
        return rc;
    }
    in->options = *options;
    in->options.form.flag = options->flag;
    in->gaps = (struct pofi_gaps){.window_s = options->sort ? 0 : options->rules.window_s,
                                  .raster_s = options->rules.raster_s,
                                  .on_gap = hooks->on_gap,
                                  .ctx = hooks->ctx};
    in->hooks = *hooks;
    rc = pof_check_new(&in->check, &options->rules, err);
    rc = rc || !options->sort ? rc : pof_sorted_new(&in->sorted, err);
    if (rc) {
        pof_intake_free(in);
        return rc;
    }
    *out = in;
    return 0;
}

void pof_intake_free(struct pof_intake *in)
{
    if (in) {
        pof_check_free(in->check);
        pof_check_free(in->readings);
        pofi_gaps_release(&in->gaps);
        pof_sorted_free(in->sorted);
        free(in);
    }
}

int pof_intake_allow(struct pof_intake *in, struct pof_text pod, struct pof_err *err)
{
    return pof_check_allow(in->check, pod, err);
}

/* --- the fates of a line --- */

static int reject(struct pof_intake *in, const struct pof_origin *origin, const struct pof_err *why,
                  struct pof_err *err)
{
    struct pof_reject r = {.source = pof_text(origin->source),
                           .line = (int64_t)origin->line,
                           .offset = (int64_t)origin->offset,
                           .field = pof_text(why->field),
                           .code = -why->code,
                           .reason = pof_text(why->text),
                           .raw = origin->raw};
    r.source.len = r.source.len < SOURCE_MAX ? r.source.len : SOURCE_MAX;
    if (origin->offset != POF_NO_OFFSET) {
        POF_SET(&r, reject, offset);
    }
    in->n.rejected++;
    in->n.rejected_by[-why->code % POF_INTAKE_CODES]++;
    if (why->field[0]) {
        POF_SET(&r, reject, field);
    }
    bool is_text = why->code != POF_E_NUL && why->code != POF_E_ENCODING;
    if (is_text && origin->raw.len > 0 && origin->raw.len <= RAW_MAX) {
        POF_SET(&r, reject, raw);
    }
    return in->hooks.on_reject(in->hooks.ctx, &r, err);
}

static int hand_on(struct pof_intake *in, const struct pof_measurement *m,
                   const struct pof_origin *origin, struct pof_err *err)
{
    int rc = pof_check_take(in->check, m, err);
    rc = rc || !in->hooks.on_gap ? rc : pofi_gaps_take(&in->gaps, m, err);
    in->n.out++;
    return rc ? rc : in->hooks.on_out(in->hooks.ctx, m, origin, err);
}

/* A measurement of a stream: unless it was here before, it goes out at once. */
static int take_streamed(struct pof_intake *in, const struct pof_measurement *m,
                         const struct pof_origin *origin, struct pof_err *err)
{
    enum pof_repeat what;
    int rc = pof_check_repeat(in->check, m, &what, &in->why, err);
    if (rc) {
        return rc;
    }
    if (what == POF_REPEAT_NONE) {
        return hand_on(in, m, origin, err);
    }
    if (what == POF_REPEAT_TOO_LATE && in->hooks.on_late) {
        in->n.late++;
        return in->hooks.on_late(in->hooks.ctx, m, origin, err);
    }
    bool superseded = what == POF_REPEAT_DIFFERS && in->options.dup == POF_DUP_FIRST;
    in->n.repeated += what == POF_REPEAT_SAME;
    in->n.superseded += superseded;
    return what == POF_REPEAT_SAME || superseded ? 0 : reject(in, origin, &in->why, err);
}

/* Is what is wrong with a measurement a value that is not plausible, and are these taken as suspect? */
static bool may_be_suspect(const struct pof_intake *in)
{
    return in->options.flag && strcmp(in->why.field, "p_w") == 0;
}

static int take_suspect(struct pof_intake *in, const struct pof_measurement *m,
                        const struct pof_origin *origin, struct pof_err *err)
{
    struct pof_measurement suspect = *m;
    struct pof_origin again = *origin;
    suspect.quality = POF_QUALITY_SUSPECT;
    POF_SET(&suspect, measurement, quality);
    again.written[0] = again.written[1] = false;
    in->n.flagged++;
    return take_streamed(in, &suspect, &again, err);
}

/* A measurement of the sorted whole. */
static int take_sorted(void *ctx, const struct pof_measurement *m, const struct pof_origin *origin,
                       enum pof_fate fate, struct pof_err *err)
{
    struct pof_intake *in = ctx;
    in->n.repeated += fate == POF_FATE_SAME;
    in->n.superseded += fate == POF_FATE_SUPERSEDED;
    if (fate == POF_FATE_REJECTED) {
        pof_fail(&in->why, POF_E_CONFLICT, "pod '%.*s' has several measurements for this interval",
                 (int)m->pod.len, m->pod.ptr);
        pof_at(&in->why, NULL, 0, "start");
        return reject(in, origin, &in->why, err);
    }
    if (fate != POF_FATE_OUT) {
        return 0;
    }
    /* Again, because only now the interval before is the one in time. */
    if (pof_check_values(in->check, m, &in->why)) {
        return may_be_suspect(in) ? take_suspect(in, m, origin, err) : reject(in, origin, &in->why, err);
    }
    return take_streamed(in, m, origin, err);
}

/* What a reading is about, as the name of a pod, and what it says, as a measurement: so that it is known
 * when it comes again. key has KEY_MAX bytes. */
enum { KEY_MAX = 160 };
static struct pof_measurement image_of(const struct pof_reading *r, char *key)
{
    struct pof_measurement m = {.start = r->start, .duration_s = 1};
    const int word[] = {r->element, POF_HAS(r, reading, end) ? r->end : 0, r->quantity,
                        POF_HAS(r, reading, phase) ? r->phase : -1};
    char *p = key;
    for (size_t i = 0; i < sizeof word / sizeof word[0]; i++) {
        *p++ = (char)('a' + word[i] + 1);
    }
    memcpy(p, r->name.ptr, r->name.len);
    m.pod = (struct pof_text){key, (size_t)(p - key) + r->name.len};
    memcpy(&m.p_w, &r->value, sizeof m.p_w);
    memcpy(&m.q_var, &r->sigma, sizeof m.q_var);
    memcpy(&m.v_mv, &r->rho, sizeof m.v_mv);
    POF_SET(&m, measurement, q_var);
    m.has |= (uint64_t)POF_HAS(r, reading, rho) << POF_BIT_measurement_v_mv;
    return m;
}

static int reading_twice(struct pof_intake *in, const struct pof_origin *origin, enum pof_repeat what,
                         struct pof_err *err)
{
    bool superseded = what == POF_REPEAT_DIFFERS && in->options.dup == POF_DUP_FIRST;
    in->n.repeated += what == POF_REPEAT_SAME;
    in->n.superseded += superseded;
    if (what == POF_REPEAT_DIFFERS) {
        pof_fail(&in->why, POF_E_CONFLICT, "another reading of this quantity and instant was here before");
        pof_at(&in->why, NULL, 0, "value");
    }
    return what == POF_REPEAT_SAME || superseded ? 0 : reject(in, origin, &in->why, err);
}

/* A reading goes out at once, unless it was here before or comes from the future. */
static int take_reading(struct pof_intake *in, const struct pof_reading *r,
                        const struct pof_origin *origin, struct pof_err *err)
{
    const struct pof_check_rules rules = {.latest_end = in->options.rules.latest_end,
                                          .window_s = in->options.rules.window_s};
    char key[KEY_MAX];
    enum pof_repeat what;
    struct pof_measurement m = image_of(r, key);
    int rc = in->readings ? 0 : pof_check_new(&in->readings, &rules, err);
    if (rc) {
        return rc;
    }
    m.duration_s = 0; /* an instant */
    if (pof_check_values(in->readings, &m, &in->why)) {
        return reject(in, origin, &in->why, err);
    }
    rc = pof_check_repeat(in->readings, &m, &what, &in->why, err);
    if (rc || what != POF_REPEAT_NONE) {
        return rc ? rc : reading_twice(in, origin, what, err);
    }
    rc = pof_check_take(in->readings, &m, err);
    in->n.out++;
    return rc ? rc : in->hooks.on_reading(in->hooks.ctx, r, origin, err);
}

static int take(void *ctx, const struct pof_record *record, const struct pof_origin *origin,
                struct pof_err *err)
{
    struct pof_intake *in = ctx;
    const struct pof_measurement *m = &record->u.measurement;
    if (record->type == POF_reading && in->hooks.on_reading) {
        return take_reading(in, &record->u.reading, origin, err);
    }
    if (record->type != POF_measurement) {
        pof_fail(&in->why, POF_E_SCHEMA, "a record of type %s, expected measurement",
                 pof_layout(record->type)->name);
        return reject(in, origin, &in->why, err);
    }
    if (pof_check_values(in->check, m, &in->why)) {
        if (!may_be_suspect(in)) {
            return reject(in, origin, &in->why, err);
        }
        if (!in->sorted) { /* of the sorted whole it is said again, in order */
            return take_suspect(in, m, origin, err);
        }
    }
    return in->sorted ? pof_sorted_add(in->sorted, m, origin, err)
                      : take_streamed(in, m, origin, err);
}

/* --- the sources --- */

/* What a form hands on counts here. */
static int feed_take(void *ctx, const struct pof_record *record, const struct pof_origin *origin,
                     struct pof_err *err)
{
    struct pof_intake *in = ctx;
    in->n.in++;
    return take(in, record, origin, err);
}

static int feed_refuse(void *ctx, const struct pof_err *why, const struct pof_origin *origin,
                       struct pof_err *err)
{
    struct pof_intake *in = ctx;
    in->n.in++;
    return reject(in, origin, why, err);
}

static void count_unknown(struct pof_intake *in, uint64_t unknown, const char *first)
{
    if (unknown && in->n.unknown == 0) {
        size_t n = strlen(first);
        n = n < sizeof in->n.first_unknown ? n : sizeof in->n.first_unknown - 1;
        memcpy(in->n.first_unknown, first, n);
    }
    in->n.unknown += unknown;
}

/* A line of other programs among our own: a spool holds what many devices sent. */
static int take_foreign(struct pofi_feed *f, const struct pof_origin *origin, bool *is,
                        struct pof_err *err)
{
    int rc = f->scan ? 0 : pofi_feed_init(f, err);
    *is = rc == 0 && origin->raw.len && pofi_json_is_foreign(f->scan, origin->raw);
    return rc || !*is ? rc : pofi_json_value(f, origin->raw, origin, err);
}

static int read_lines(struct pof_intake *in, struct pof_reader *r, struct pofi_feed *f,
                      struct pof_err *err)
{
    struct pof_record record;
    const struct pof_err *why = &in->why;
    for (;;) {
        int rc = pof_reader_next(r, &record, &in->why);
        if (rc == 0) {
            return 0;
        }
        /* Memory that is short is not the line's fault. */
        if (pof_reader_broken(r) || (rc < 0 && pof_errinfo(why->code)->exit_status != 65)) {
            *err = *why;
            return rc;
        }
        struct pof_origin origin = {.source = f->name,
                                    .line = pof_reader_line(r),
                                    .offset = pof_reader_offset(r),
                                    .raw = pof_reader_raw(r),
                                    .written = {pof_reader_is_written(r, POF_NDJSON),
                                                pof_reader_is_written(r, POF_CSV)}};
        bool foreign = false;
        if (rc < 0) {
            rc = take_foreign(f, &origin, &foreign, err);
            if (rc == 0 && !foreign) {
                rc = feed_refuse(in, why, &origin, err);
            }
        } else {
            rc = feed_take(in, &record, &origin, err);
        }
        if (rc) {
            return rc;
        }
    }
}

static int read_records(struct pof_intake *in, const struct pof_source *src, struct pofi_feed *f,
                        struct pof_err *err)
{
    struct pof_reader *r = NULL;
    struct pof_reader_options how = {.expect = POF_measurement, .strict = in->options.strict};
    int rc = pof_reader_new(&r, src, &how, err);
    if (rc) {
        return rc;
    }
    rc = read_lines(in, r, f, err);
    const char *first;
    uint64_t unknown = pof_reader_unknown(r, &first);
    count_unknown(in, unknown, first);
    pof_reader_free(r);
    return rc;
}

/* A source whose first bytes have been looked at. */
struct looked {
    struct pof_source src;
    struct pof_memory head;
};

static ssize_t read_looked(void *ctx, void *to, size_t n, struct pof_err *err)
{
    struct looked *l = ctx;
    size_t k = n < l->head.len ? n : l->head.len;
    if (k == 0) {
        return l->src.read(l->src.ctx, to, n, err);
    }
    memcpy(to, l->head.ptr, k);
    l->head.ptr += k;
    l->head.len -= k;
    return (ssize_t)k;
}

/* Reads until there is a line, or as much as decides what it is. */
static int look(const struct pof_source *src, char *to, size_t size, size_t *len, struct pof_err *err)
{
    ssize_t n = 1;
    bool text = false;
    for (*len = 0; n > 0 && *len < size;) {
        n = src->read(src->ctx, to + *len, size - *len, err);
        if (n < 0) {
            return (int)n;
        }
        for (size_t i = *len; i < *len + (size_t)n; i++) {
            if (to[i] == '\n' && text) {
                *len += (size_t)n;
                return 0;
            }
            text |= !memchr(" \t\r\n", to[i], 4);
        }
        *len += (size_t)n;
    }
    return 0;
}

static int read_form(struct pof_intake *in, struct looked *l, struct pofi_feed *f, struct pof_err *err)
{
    const struct pof_source src = {read_looked, l, f->name};
    const struct pofi_form *form = pofi_form_of(&in->options.form, (struct pof_text){l->head.ptr, l->head.len});
    if (!form) {
        return read_records(in, &src, f, err);
    }
    int rc = pofi_feed_init(f, err);
    return rc ? rc : form->read(f, &src, err);
}

int pof_intake_read(struct pof_intake *in, const struct pof_source *src, struct pof_err *err)
{
    enum { HEAD = 65536 };
    struct pofi_feed f = {.how = &in->options.form,
                          .name = src->name,
                          .unknown.strict = in->options.strict,
                          .take = feed_take,
                          .refuse = feed_refuse,
                          .ctx = in};
    char *head;
    size_t len = 0;
    int rc = pof_calloc(&head, HEAD, 1, err);
    if (rc) {
        return rc;
    }
    rc = look(src, head, HEAD, &len, err);
    struct looked l = {*src, {head, len}};
    rc = rc ? rc : read_form(in, &l, &f, err);
    count_unknown(in, f.unknown.count, f.unknown.first);
    in->n.flagged += f.flagged;
    pofi_feed_release(&f);
    free(head);
    return rc;
}

int pof_intake_finish(struct pof_intake *in, struct pof_err *err)
{
    int rc = 0;
    if (in->options.fill != POF_FILL_NONE) {
        struct pofi_fill how = {in->options.fill, in->options.fill_max_s, in->options.dup, 0};
        rc = pofi_fill(in->sorted, &how, err);
        in->n.filled = how.filled;
    }
    if (in->sorted && rc == 0) {
        rc = pof_sorted_each(in->sorted, in->options.dup, take_sorted, in, err);
    }
    return rc || !in->hooks.on_gap ? rc : pofi_gaps_finish(&in->gaps, err);
}

/* --- what is told --- */

const struct pof_intake_counts *pof_intake_counts(struct pof_intake *in)
{
    pof_check_counts(in->check, &in->n.taken);
    return &in->n;
}

int pof_intake_summary(struct pof_intake *in, struct pof_buf *to, struct pof_err *err)
{
    const struct pof_intake_counts *n = pof_intake_counts(in);
    int rc = pof_buf_addf(to, err,
                          "{\"in\":%" PRIu64 ",\"out\":%" PRIu64 ",\"rejected\":%" PRIu64
                          ",\"repeated\":%" PRIu64 ",\"superseded\":%" PRIu64
                          ",\"late\":%" PRIu64,
                          n->in, n->out, n->rejected, n->repeated, n->superseded, n->late);
    return rc ? rc
              : pof_buf_addf(to, err,
                             ",\"out_of_order\":%" PRIu64 ",\"pods\":%" PRIu64
                             ",\"missing\":%" PRIu64 ",\"unknown_fields\":%" PRIu64
                             ",\"filled\":%" PRIu64 ",\"flagged\":%" PRIu64 "}\n",
                             n->taken.out_of_order, n->taken.pods, n->taken.missing, n->unknown, n->filled,
                             n->flagged);
}

int pof_intake_metrics(struct pof_intake *in, struct pof_buf *to, struct pof_err *err)
{
    const struct pof_intake_counts *n = pof_intake_counts(in);
    int rc =
        pof_buf_addf(to, err,
                     "# HELP pof_ingest_records Lines of the last run by what became of them.\n"
                     "# TYPE pof_ingest_records gauge\n"
                     "pof_ingest_records{fate=\"out\"} %" PRIu64 "\n"
                     "pof_ingest_records{fate=\"rejected\"} %" PRIu64 "\n"
                     "pof_ingest_records{fate=\"repeated\"} %" PRIu64 "\n"
                     "pof_ingest_records{fate=\"superseded\"} %" PRIu64 "\n"
                     "pof_ingest_records{fate=\"late\"} %" PRIu64 "\n",
                     n->out, n->rejected, n->repeated, n->superseded, n->late);
    rc = rc ? rc
            : pof_buf_addf(
                  to, err,
                  "# HELP pof_ingest_missing Intervals without a measurement inside pods' spans.\n"
                  "# TYPE pof_ingest_missing gauge\n"
                  "pof_ingest_missing %" PRIu64 "\n"
                  "# HELP pof_ingest_rejected Rejected lines by error number.\n"
                  "# TYPE pof_ingest_rejected gauge\n",
                  n->taken.missing);
    for (int i = 0; i < POF_INTAKE_CODES && rc == 0; i++) {
        if (n->rejected_by[i]) {
            rc = pof_buf_addf(to, err, "pof_ingest_rejected{code=\"%d\"} %" PRIu64 "\n", i,
                              n->rejected_by[i]);
        }
    }
    return rc;
}
