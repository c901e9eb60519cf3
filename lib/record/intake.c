/* SPDX-License-Identifier: Apache-2.0 */
/* From lines to measurements that are used once, and rejects that say why. */
#include "record/intake.h"

#include "record/reader.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { RAW_MAX = 65536, SOURCE_MAX = 255 }; /* as in the table of rejects */

struct pof_intake {
    struct pof_intake_options options;
    struct pof_intake_hooks hooks;
    struct pof_check *check;
    struct pof_sorted *sorted; /* NULL: a stream */
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
    int rc = pof_calloc(&in, 1, sizeof *in, err);
    if (rc) {
        return rc;
    }
    in->options = *options;
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
    POF_SET(&r, reject, offset);
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
    bool superseded = what == POF_REPEAT_DIFFERS && in->options.dup == POF_DUP_FIRST;
    in->n.repeated += what == POF_REPEAT_SAME;
    in->n.superseded += superseded;
    return what == POF_REPEAT_SAME || superseded ? 0 : reject(in, origin, &in->why, err);
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
    return pof_check_values(in->check, m, &in->why) ? reject(in, origin, &in->why, err)
                                                : take_streamed(in, m, origin, err);
}

static int take(struct pof_intake *in, const struct pof_record *record,
                const struct pof_origin *origin, struct pof_err *err)
{
    const struct pof_measurement *m = &record->u.measurement;
    if (record->type != POF_measurement) {
        pof_fail(&in->why, POF_E_SCHEMA, "a record of type %s, expected measurement",
                 pof_layout(record->type)->name);
        return reject(in, origin, &in->why, err);
    }
    if (pof_check_values(in->check, m, &in->why)) {
        return reject(in, origin, &in->why, err);
    }
    return in->sorted ? pof_sorted_add(in->sorted, m, origin, err)
                      : take_streamed(in, m, origin, err);
}

/* --- the sources --- */

static int read_lines(struct pof_intake *in, struct pof_reader *r, const char *name,
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
        in->n.in++;
        struct pof_origin origin = {.source = name,
                                    .line = pof_reader_line(r),
                                    .offset = pof_reader_offset(r),
                                    .raw = pof_reader_raw(r),
                                    .written = {pof_reader_is_written(r, POF_NDJSON),
                                                pof_reader_is_written(r, POF_CSV)}};
        rc = rc < 0 ? reject(in, &origin, why, err) : take(in, &record, &origin, err);
        if (rc) {
            return rc;
        }
    }
}

int pof_intake_read(struct pof_intake *in, const struct pof_source *src, struct pof_err *err)
{
    struct pof_reader *r = NULL;
    struct pof_reader_options how = {.expect = POF_measurement, .strict = in->options.strict};
    int rc = pof_reader_new(&r, src, &how, err);
    if (rc) {
        return rc;
    }
    rc = read_lines(in, r, src->name, err);
    const char *first;
    uint64_t unknown = pof_reader_unknown(r, &first);
    if (unknown && in->n.unknown == 0) {
        size_t n = strlen(first);
        n = n < sizeof in->n.first_unknown ? n : sizeof in->n.first_unknown - 1;
        memcpy(in->n.first_unknown, first, n);
    }
    in->n.unknown += unknown;
    pof_reader_free(r);
    return rc;
}

int pof_intake_finish(struct pof_intake *in, struct pof_err *err)
{
    return in->sorted ? pof_sorted_each(in->sorted, in->options.dup, take_sorted, in, err) : 0;
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
                          ",\"repeated\":%" PRIu64 ",\"superseded\":%" PRIu64,
                          n->in, n->out, n->rejected, n->repeated, n->superseded);
    return rc ? rc
              : pof_buf_addf(to, err,
                             ",\"out_of_order\":%" PRIu64 ",\"pods\":%" PRIu64
                             ",\"missing\":%" PRIu64 ",\"unknown_fields\":%" PRIu64 "}\n",
                             n->taken.out_of_order, n->taken.pods, n->taken.missing, n->unknown);
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
                     "pof_ingest_records{fate=\"superseded\"} %" PRIu64 "\n",
                     n->out, n->rejected, n->repeated, n->superseded);
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
