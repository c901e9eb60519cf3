/* SPDX-License-Identifier: Apache-2.0 */
/* Taking measurements in: every line of the inputs is written, rejected with its reason, recognised
 * as a repetition, or superseded by another, and counted as one of these:
 *     in + filled = out + rejected + repeated + superseded + late
 *
 * As a stream, a measurement is handed on as soon as its line is read, and memory is that of
 * check.h. With sort, all are kept until pof_intake_finish() and handed on in canonical order. */
#ifndef POF_RECORD_INTAKE_H
#define POF_RECORD_INTAKE_H

#include "base/stream.h"
#include "record/check.h"
#include "record/fill.h"
#include "record/sorted.h"

/* What becomes of lines. Records live until the callback returns; negative ends the intake. */
struct pof_intake_hooks {
    /* origin says whether its line can be written as it is. */
    int (*on_out)(void *ctx, const struct pof_measurement *m, const struct pof_origin *origin,
                  struct pof_err *err);
    /* A sound measurement that begins before the window; NULL: it is rejected. */
    int (*on_late)(void *ctx, const struct pof_measurement *m, const struct pof_origin *origin,
                   struct pof_err *err);
    /* A sound reading, which devices for estimation send; NULL: it is rejected. */
    int (*on_reading)(void *ctx, const struct pof_reading *r, const struct pof_origin *origin,
                      struct pof_err *err);
    /* Intervals that are missing and can no more come in time; NULL: they are counted only. */
    int (*on_gap)(void *ctx, const struct pof_missing *gap, struct pof_err *err);
    int (*on_reject)(void *ctx, const struct pof_reject *r, struct pof_err *err);
    void *ctx;
};

/* How sources in the forms of other programs are read (form.h). */
enum pof_dialect { POF_DIALECT_NONE, POF_DIALECT_IT, POF_DIALECT_IT_END };
struct pof_form_options {
    enum pof_dialect dialect; /* of CSV: Italian meter files, times naming begins or ends */
    const char *unit;         /* of values whose column does not say it: "kwh", "wh", "kw", "w"; NULL */
    const char *pod;          /* of files that do not name one; NULL */
    int zone;                 /* enum pof_zone of times without an offset; -1: they are refused */
    int64_t raster_s;         /* length of intervals that do not say it; 0: they must */
    int64_t per_second;       /* unit of times that are numbers: 1, 1000, ...; 0: by their size */
    int64_t energy_pct;       /* how far energy may be from power times time; -1: not compared */
    bool flag;                /* then a record where it is farther is suspect, not refused */
    double accuracy_pct;      /* of readings without one: three standard deviations */
    bool balanced;            /* phase a stands for all three */
};

struct pof_intake_options {
    struct pof_check_rules rules;
    struct pof_form_options form;
    enum pof_dup dup; /* LAST only with sort */
    bool sort;
    enum pof_fill fill;  /* only with sort */
    int64_t fill_max_s;  /* gaps that are longer are not filled */
    bool flag;   /* what breaks p_max_w, change_max_w or form.energy_pct is taken as suspect */
    bool strict; /* unknown fields reject a line */
};

enum { POF_INTAKE_CODES = 1000 };

struct pof_intake_counts {
    uint64_t in, out, rejected;
    uint64_t repeated;   /* the same content again */
    uint64_t superseded; /* other content for the same interval counts, by the rule dup */
    uint64_t late;       /* handed to on_late */
    uint64_t filled;     /* made here: in + filled is the sum of the others */
    uint64_t flagged;    /* of out and the others: taken as suspect */
    uint64_t unknown;    /* fields skipped */
    uint64_t rejected_by[POF_INTAKE_CODES]; /* by error number */
    char first_unknown[64];
    struct pof_check_counts taken;
};

struct pof_intake;

int pof_intake_new(struct pof_intake **out, const struct pof_intake_options *options,
                   const struct pof_intake_hooks *hooks, struct pof_err *err) POF_CHECKED;
void pof_intake_free(struct pof_intake *in); /* NULL allowed */

/* As pof_check_allow(). */
int pof_intake_allow(struct pof_intake *in, struct pof_text pod, struct pof_err *err) POF_CHECKED;

/* Takes in one source to its end, in whatever form it begins with (form.h). src->name must live until pof_intake_finish(). Fails when the
 * source cannot be read to its end, or when the header of a CSV says nothing: what was handed on
 * must not be used then. */
int pof_intake_read(struct pof_intake *in, const struct pof_source *src,
                    struct pof_err *err) POF_CHECKED;
/* After the last source. */
int pof_intake_finish(struct pof_intake *in, struct pof_err *err) POF_CHECKED;

const struct pof_intake_counts *pof_intake_counts(struct pof_intake *in);

/* The counts as one JSON object with LF, and as Prometheus text. */
int pof_intake_summary(struct pof_intake *in, struct pof_buf *to, struct pof_err *err) POF_CHECKED;
int pof_intake_metrics(struct pof_intake *in, struct pof_buf *to, struct pof_err *err) POF_CHECKED;

#endif
