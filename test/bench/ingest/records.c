/* SPDX-License-Identifier: Apache-2.0 */
/* What reading and writing one record costs, by type and format: records made by seed are written
 * to memory and read back from it; nanoseconds of this thread's CPU, the least of several runs. */
#include "base/mem.h"
#include "ingest.h"
#include "num/rng.h"
#include "record/reader.h"
#include "record/writer.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { RECORDS = 15000, RUNS = 15 };
static const enum pof_type types[] = {POF_offer, POF_measurement, POF_reading,
                                      POF_award, POF_node_price,  POF_state};

static double cpu_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return 1e9 * (double)t.tv_sec + (double)t.tv_nsec;
}

/* Names as markets have them: a word and a number. */
static struct pof_text name_of(const char *word, uint64_t number, char *to)
{
    int n = snprintf(to, 32, "%s%05" PRIu64, word, number % 100000);
    return (struct pof_text){to, (size_t)n};
}

/* A value of a field for record k: instants in quarter-hours of one day, most other things at random. */
static void set_field(const struct pof_field *f, uint64_t k, uint64_t h, struct pof_arena *arena,
                      void *member)
{
    char text[32];
    struct pof_text t = name_of(f->name_len > 4 ? "K" : f->name, k % 1500, text);
    int64_t v = (int64_t)(h % 20000) + (f->min > 0 ? f->min : 0);
    int word = 0, words = 0;
    double d = (double)(int64_t)(h % 2000000) / 1e4 - 30;
    switch (f->kind) {
    case POF_KIND_TEXT:
    case POF_KIND_DATE:
        t.ptr = pof_arena_text(arena, t.ptr, t.len, NULL);
        memcpy(member, &t, sizeof t);
        return;
    case POF_KIND_WORD:
        while (f->words[words]) {
            words++;
        }
        word = (int)(h % (uint64_t)words);
        memcpy(member, &word, sizeof word);
        return;
    case POF_KIND_REAL:
        memcpy(member, &d, sizeof d);
        return;
    case POF_KIND_INSTANT:
        v = 1773100800 + (int64_t)(k / 1500 % 96 + (f->name[0] == 'e')) * 900;
        break;
    case POF_KIND_MILLIS:
        v = 1773100800000 + (int64_t)k;
        break;
    case POF_KIND_MICRO:
        v = (int64_t)(h % 20000) * 10000;
        break;
    case POF_KIND_INT:
        v = v > f->max ? f->max : strcmp(f->name, "duration_s") == 0 ? 900 : v;
        break;
    }
    memcpy(member, &v, sizeof v);
}

static void make(struct pof_record *r, enum pof_type type, uint64_t k, struct pof_arena *arena)
{
    const struct pof_layout *l = pof_layout(type);
    memset(r, 0, sizeof *r);
    r->type = type;
    for (size_t i = 0; i < l->n; i++) {
        uint64_t h = pof_random(11, k, i);
        /* Optional fields are there or not by the type, as one program writes them. */
        if (l->fields[i].required || pof_random(12, type, i) % 2) {
            set_field(&l->fields[i], k, h, arena, (char *)&r->u + l->fields[i].offset);
            r->u.has |= UINT64_C(1) << i;
        }
    }
}

static int collect(void *ctx, const void *from, size_t n, struct pof_err *err)
{
    return pof_buf_add(ctx, from, n, err);
}

static double write_all(const struct pof_record *r, enum pof_format format, struct pof_buf *to)
{
    struct pof_writer w;
    struct pof_err err = {0};
    struct pof_sink sink = {collect, to, "memory"};
    to->len = 0;
    double from = cpu_ns();
    pof_writer_init(&w, &sink, format);
    for (size_t k = 0; k < RECORDS; k++) {
        if (pof_writer_put(&w, r[k].type, &r[k].u, &err)) {
            fail(err.text);
        }
    }
    if (pof_writer_flush(&w, &err)) {
        fail(err.text);
    }
    double spent = cpu_ns() - from;
    pof_writer_release(&w);
    return spent / RECORDS;
}

static double read_all(enum pof_type type, const struct pof_buf *from)
{
    struct pof_reader *r;
    struct pof_memory m = {from->data, from->len};
    struct pof_source src = pof_source_memory(&m, "memory");
    struct pof_reader_options options = {.expect = type};
    struct pof_record record;
    struct pof_err err = {0};
    size_t n = 0;
    int rc;
    double begin = cpu_ns();
    if (pof_reader_new(&r, &src, &options, &err)) {
        fail(err.text);
    }
    while ((rc = pof_reader_next(r, &record, &err)) > 0) {
        n++;
    }
    double spent = cpu_ns() - begin;
    if (rc < 0 || n != RECORDS) {
        fail(err.text);
    }
    pof_reader_free(r);
    return spent / RECORDS;
}

static void bench(enum pof_type type, enum pof_format format)
{
    struct pof_record *r;
    struct pof_arena arena = {0};
    struct pof_buf text = {0};
    double best_read = 1e9, best_write = 1e9;
    if (pof_calloc(&r, RECORDS, sizeof *r, NULL)) {
        fail("no memory");
    }
    for (uint64_t k = 0; k < RECORDS; k++) {
        make(&r[k], type, k, &arena);
    }
    for (int run = 0; run < RUNS; run++) {
        double spent = write_all(r, format, &text);
        best_write = spent < best_write ? spent : best_write;
        spent = read_all(type, &text);
        best_read = spent < best_read ? spent : best_read;
    }
    printf("bench record type=%s format=%s bytes=%zu read_ns=%.0f write_ns=%.0f\n",
           pof_layout(type)->name, format == POF_CSV ? "csv" : "ndjson", text.len / RECORDS,
           best_read, best_write);
    fflush(stdout);
    pof_buf_release(&text);
    pof_arena_release(&arena);
    free(r);
}

void bench_records(const char *only)
{
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        if (only && types[i] != pof_type_of(pof_text(only))) {
            continue;
        }
        bench(types[i], POF_NDJSON);
        bench(types[i], POF_CSV);
    }
}
