/* SPDX-License-Identifier: Apache-2.0 */
/* From files to a result on disk: the program pof-se as people run it, CPU of its whole process.
 * Feeders come as one file of power-grid-model, cases as a grid document and readings. */
#include "bench.h"

#include "grid/format.h"
#include "record/words.h"
#include "record/writer.h"

#include <fcntl.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

static int to_file(void *ctx, const void *from, size_t n, struct pof_err *err)
{
    return fwrite(from, 1, n, ctx) == n ? 0 : pof_fail(err, POF_E_WRITE, "cannot write");
}

static void write_grid(const struct bed *bed, const char *path)
{
    struct pof_err err = {0};
    struct pof_buf text = {0};
    FILE *f = fopen(path, "w");
    if (!f || pof_grid_write(&bed->grid, &text, &err) || to_file(f, text.data, text.len, &err)) {
        die(path, &err);
    }
    fclose(f);
    pof_buf_release(&text);
}

static void write_readings(const struct bed *bed, const char *path)
{
    struct pof_err err = {0};
    FILE *f = fopen(path, "w");
    struct pof_writer w;
    const struct pof_sink sink = {to_file, f, path};
    pof_writer_init(&w, &sink, POF_NDJSON);
    for (size_t i = 0; f && i < bed->set.n; i++) {
        const struct pof_observation *o = &bed->set.item[i];
        struct pof_reading r = {.element = o->branch ? POF_ELEMENT_BRANCH : POF_ELEMENT_NODE,
                                .name = o->branch ? bed->grid.branch[o->element].name
                                                  : bed->grid.node[o->element].name,
                                .quantity = o->quantity,
                                .value = o->value,
                                .sigma = o->sigma,
                                .end = o->to};
        if (o->branch) {
            POF_SET(&r, reading, end);
        }
        if (pof_writer_put(&w, POF_reading, &r, &err)) {
            die(path, &err);
        }
    }
    if (!f || pof_writer_flush(&w, &err)) {
        die(path, &err);
    }
    pof_writer_release(&w);
    fclose(f);
}

/* Network and set as one file of power-grid-model, which it can be fed with as well. */
static void write_pgm(const struct bed *bed, const char *path)
{
    struct pof_err err = {0};
    struct pof_buf text = {0};
    const struct pof_readings readings = {
        .item = bed->set.item, .n = bed->set.n, .cap = bed->set.cap, .phases = 1};
    FILE *f = fopen(path, "w");
    if (!f || pof_pgm_write(&bed->grid, &readings, &text, NULL, &err) ||
        to_file(f, text.data, text.len, &err)) {
        die(path, &err);
    }
    fclose(f);
    pof_buf_release(&text);
}

/* CPU seconds and memory of a program; its exit status must be 0 or 1. */
static double spawn(char *const *argv, double *mib)
{
    struct rusage u;
    int status;
    pid_t pid = fork();
    if (pid == 0) {
        int null = open("/dev/null", O_WRONLY);
        dup2(null, 2);
        execv(argv[0], argv);
        _exit(127);
    }
    if (pid < 0 || wait4(pid, &status, 0, &u) != pid || !WIFEXITED(status) ||
        WEXITSTATUS(status) > 1) {
        die(argv[0], &(struct pof_err){.text = "failed"});
    }
    *mib = (double)u.ru_maxrss / 1024;
    return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) +
           1e-6 * (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec);
}

void run_se_file(struct bed *bed, const struct place *place, enum kind kind, struct figure *f)
{
    char program[1024], grid[1024], readings[1024], out[1024];
    struct watch w = {0};
    double used;
    snprintf(program, sizeof program, "%s/pof-se", place->bin);
    snprintf(grid, sizeof grid, "%s/%s.json", place->scratch, bed->net->name);
    snprintf(readings, sizeof readings, "%s/%s.jsonl", place->scratch, bed->net->name);
    snprintf(out, sizeof out, "%s/%s.out", place->scratch, bed->net->name);
    bool pgm = bed->net->nodes > 0;
    if (pgm) {
        write_pgm(bed, grid);
    } else {
        write_grid(bed, grid);
        write_readings(bed, readings);
    }
    bed_free(bed);
    malloc_trim(0); /* a child's memory counts from its parent's */
    char *const argv[] = {program,
                          "--grid",
                          grid,
                          kind == SE_FILE_CHECK ? "--check" : "--no-check",
                          "--state",
                          kind == SE_FILE ? "voltages" : "all",
                          "--quiet",
                          "--output",
                          out,
                          "--force",
                          pgm ? "--own-readings" : readings,
                          NULL};
    do {
        used = spawn(argv, &f->rss_mib);
    } while (watch_take(&w, used, 1));
    f->ms = watch_median(&w);
    f->runs = w.n;
    remove(grid);
    if (!pgm) {
        remove(readings);
    }
    remove(out);
}
