/* SPDX-License-Identifier: Apache-2.0 */
/* One run of one program: inputs, outputs, messages, exit status. */
#include "cli/cli.h"

#include "cli/options.h"
#include "io/file.h"
#include "num/decimal.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

struct out {
    struct pof_output *file;
    struct pof_writer writer;
    bool standard; /* on standard output */
};

struct pof_cli {
    const struct pof_program *program;
    struct pofi_common common;
    const char *const *operands;
    size_t n_operands;
    struct pof_input **input; /* open until the end */
    size_t inputs, input_cap;
    struct out **out;
    size_t outs, out_cap;
    struct out *main; /* one of out */
    int status;       /* worst exit status reported so far */
    uint64_t reported;
    bool stdin_used;
    struct timespec started, shown;
    bool progress_on;
};

/* --- messages --- */

static void erase_progress(struct pof_cli *cli)
{
    if (cli->progress_on) {
        fputs("\r\033[K", stderr);
        cli->progress_on = false;
    }
}

static int say_json(struct pof_buf *b, const char *level, const struct pof_err *e)
{
    int rc = pof_buf_addf(b, NULL, "{\"level\":\"%s\"", level);
    if (rc == 0 && e->code) {
        rc = pof_buf_addf(b, NULL, ",\"code\":%d", -e->code);
    }
    if (rc == 0 && e->source[0]) {
        rc = pof_buf_adds(b, ",\"source\":", NULL);
        rc = rc ? rc : pof_json_string(b, pof_text(e->source), NULL);
    }
    if (rc == 0 && e->line) {
        rc = pof_buf_addf(b, NULL, ",\"line\":%" PRIu64, e->line);
    }
    if (rc == 0 && e->field[0]) {
        rc = pof_buf_adds(b, ",\"field\":", NULL);
        rc = rc ? rc : pof_json_string(b, pof_text(e->field), NULL);
    }
    rc = rc ? rc : pof_buf_adds(b, ",\"text\":", NULL);
    rc = rc ? rc : pof_json_string(b, pof_text(e->text), NULL);
    return rc ? rc : pof_buf_adds(b, "}\n", NULL);
}

static int say_text(struct pof_cli *cli, struct pof_buf *b, const struct pof_err *e)
{
    int rc = pof_buf_addf(b, NULL, "%s: ", cli->program->name);
    if (rc == 0 && e->source[0]) {
        rc = pof_buf_addf(b, NULL, "%s:", e->source);
        rc = rc == 0 && e->line ? pof_buf_addf(b, NULL, "%" PRIu64 ":", e->line) : rc;
    }
    if (rc == 0 && e->field[0]) {
        rc = pof_buf_addf(b, NULL, "%s:", e->field);
    }
    if (rc == 0 && (e->source[0] || e->field[0])) {
        rc = pof_buf_adds(b, " ", NULL);
    }
    rc = rc ? rc : pof_buf_adds(b, e->text, NULL);
    if (rc == 0 && e->code) {
        rc = pof_buf_addf(b, NULL, " (E%d)", -e->code);
    }
    return rc ? rc : pof_buf_adds(b, "\n", NULL);
}

/* One message, one write, so that lines of programs in a pipeline do not mix. */
static void say(struct pof_cli *cli, const char *level, const struct pof_err *e)
{
    struct pof_buf b = {0};
    erase_progress(cli);
    int rc = cli->common.diag ? say_json(&b, level, e) : say_text(cli, &b, e);
    const char *text = rc ? "out of memory\n" : b.data;
    ssize_t ignored = write(STDERR_FILENO, text, rc ? strlen(text) : b.len);
    (void)ignored; /* nobody is left to be told */
    pof_buf_release(&b);
}

POF_PRINTF(3, 0)
static void say_line(struct pof_cli *cli, const char *level, const char *fmt, va_list args)
{
    struct pof_err e = {0};
    vsnprintf(e.text, sizeof e.text, fmt, args);
    say(cli, level, &e);
}

void pof_cli_note(struct pof_cli *cli, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    if (!cli->common.quiet) {
        say_line(cli, "note", fmt, args);
    }
    va_end(args);
}

void pof_cli_warn(struct pof_cli *cli, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    if (!cli->common.quiet) {
        say_line(cli, "warning", fmt, args);
    }
    if (cli->common.strict) {
        cli->status = pof_exit_worse(cli->status, 1);
    }
    va_end(args);
}

void pof_cli_report(struct pof_cli *cli, const struct pof_err *err)
{
    if (err->text[0]) {
        say(cli, "error", err);
    }
    cli->status = pof_exit_worse(cli->status, pof_errinfo(err->code)->exit_status);
    cli->reported++;
}

void pof_cli_progress(struct pof_cli *cli, const char *what, uint64_t done, uint64_t total)
{
    enum { NEVER = 2, ALWAYS = 1 };
    if (cli->common.progress == NEVER || cli->common.quiet ||
        (cli->common.progress != ALWAYS && !isatty(STDERR_FILENO))) {
        return;
    }
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    int64_t since_shown = (now.tv_sec - cli->shown.tv_sec) * 1000 +
                          (now.tv_nsec - cli->shown.tv_nsec) / 1000000;
    if (now.tv_sec - cli->started.tv_sec < 1 || since_shown < 200) {
        return;
    }
    cli->shown = now;
    cli->progress_on = true;
    if (total) {
        fprintf(stderr, "\r\033[K%s: %s %" PRIu64 " of %" PRIu64 " (%d %%)", cli->program->name,
                what, done, total, (int)(done * 100 / total));
    } else {
        fprintf(stderr, "\r\033[K%s: %s %" PRIu64, cli->program->name, what, done);
    }
    fflush(stderr);
}

/* --- input --- */

size_t pof_cli_operands(const struct pof_cli *cli, const char *const **operands)
{
    *operands = cli->operands;
    return cli->n_operands;
}

int pof_cli_source(struct pof_cli *cli, const char *path, struct pof_source *out,
                   struct pof_err *err)
{
    if (strcmp(path, "-") == 0) {
        if (cli->stdin_used) {
            return pof_fail(err, POF_E_USAGE, "standard input is named twice");
        }
        if (isatty(STDIN_FILENO)) {
            return pof_fail(err, POF_E_USAGE, "input expected: name files or use a pipe; see %s --help",
                            cli->program->name);
        }
        cli->stdin_used = true;
    }
    int rc = pof_grow(&cli->input, &cli->input_cap, cli->inputs + 1, sizeof *cli->input, err);
    rc = rc ? rc : pof_input_open(&cli->input[cli->inputs], path, err);
    if (rc == 0) {
        *out = pof_input_source(cli->input[cli->inputs++]);
    }
    return rc;
}

int pof_cli_slurp(struct pof_cli *cli, const char *path, char **data, size_t *len,
                  struct pof_err *err)
{
    struct pof_source src;
    int rc = pof_cli_source(cli, path, &src, err);
    return rc ? rc : pof_source_slurp(&src, (size_t)1 << 30, data, len, err);
}

static int unwanted(const struct pof_want *wants, size_t n, enum pof_type type,
                    struct pof_err *err)
{
    char list[200] = "";
    for (size_t i = 0; i < n; i++) {
        size_t used = strlen(list);
        snprintf(list + used, sizeof list - used, "%s%s", i ? ", " : "",
                 pof_layout(wants[i].type)->name);
    }
    return pof_fail(err, POF_E_SCHEMA, "a record of type %s, expected %s", pof_layout(type)->name,
                    list);
}

static int dispatch(const struct pof_want *wants, size_t n, void *ctx,
                    const struct pof_record *record, struct pof_err *err)
{
    for (size_t i = 0; i < n; i++) {
        if (wants[i].type == record->type) {
            return wants[i].on_record(ctx, record, err);
        }
    }
    return unwanted(wants, n, record->type, err);
}

/* What pof_cli_read carries from file to file. */
struct reading {
    struct pof_cli *cli;
    const struct pof_want *wants;
    size_t n;
    void *ctx;
    uint64_t bad;
    enum pof_code worst;
};

/* Reports a bad line; true when reading on makes no sense. */
static bool bad_line(struct reading *rd, const struct pof_err *e)
{
    int now = pof_errinfo(e->code)->exit_status;
    if (!rd->worst || pof_exit_worse(now, pof_errinfo(rd->worst)->exit_status) == now) {
        rd->worst = e->code;
    }
    rd->bad++;
    if (rd->bad <= (uint64_t)rd->cli->common.max_errors) {
        pof_cli_report(rd->cli, e);
    }
    return now != 65 && now != 1; /* not the line's fault: memory, disk, database */
}

static int read_records(struct reading *rd, const struct pof_source *src, enum pof_type expect,
                        struct pof_err *err)
{
    struct pof_reader *r;
    struct pof_reader_options options = {.expect = expect, .strict = rd->cli->common.strict};
    int rc = pof_reader_new(&r, src, &options, err);
    if (rc) {
        return rc;
    }
    bool stop = false;
    struct pof_record record;
    struct pof_err e = {0}; /* emptied when it was used: most records have none */
    while (!stop) {
        rc = pof_reader_next(r, &record, &e);
        if (rc == 0) {
            break;
        }
        bool read = rc > 0;
        rc = read ? dispatch(rd->wants, rd->n, rd->ctx, &record, &e) : rc;
        if (rc < 0) {
            pof_at(&e, read ? src->name : NULL, read ? pof_reader_line(r) : 0, NULL);
            stop = bad_line(rd, &e);
            e = (struct pof_err){0};
        }
    }
    const char *first;
    uint64_t unknown = pof_reader_unknown(r, &first);
    if (unknown && !rd->cli->common.strict) {
        pof_cli_warn(rd->cli, "%s: %" PRIu64 " unknown fields were skipped, the first is '%.60s'",
                     src->name, unknown, first);
    }
    pof_reader_free(r);
    return 0;
}

/* Says how many bad lines were not shown; the worst of all is the result. */
static int finish_reading(struct reading *rd, struct pof_err *err)
{
    if (rd->bad > (uint64_t)rd->cli->common.max_errors) {
        struct pof_err more = {.code = rd->worst};
        snprintf(more.text, sizeof more.text, "and %" PRIu64 " more",
                 rd->bad - (uint64_t)rd->cli->common.max_errors);
        pof_cli_report(rd->cli, &more);
    }
    if (rd->bad) {
        *err = (struct pof_err){.code = rd->worst}; /* no text: reported already */
    }
    return rd->worst;
}

int pof_cli_read_source(struct pof_cli *cli, const struct pof_source *src,
                        const struct pof_want *want, void *ctx, struct pof_err *err)
{
    struct reading rd = {.cli = cli, .wants = want, .n = 1, .ctx = ctx};
    int rc = read_records(&rd, src, want->type, err);
    return rc ? rc : finish_reading(&rd, err);
}

int pof_cli_read_files(struct pof_cli *cli, const char *const *paths, size_t n_paths,
                       const struct pof_want *wants, size_t n, void *ctx, struct pof_err *err)
{
    static const char *const standard[] = {"-"};
    if (n_paths == 0) {
        paths = standard;
        n_paths = 1;
    }
    struct reading rd = {.cli = cli, .wants = wants, .n = n, .ctx = ctx};
    for (size_t i = 0; i < n_paths; i++) {
        struct pof_source src;
        struct pof_err e = {0};
        int rc = pof_cli_source(cli, paths[i], &src, &e);
        if (rc == POF_E_USAGE || rc == POF_E_NOMEM) {
            *err = e;
            return rc;
        }
        if (rc) {
            bad_line(&rd, &e);
            continue;
        }
        rc = read_records(&rd, &src, n == 1 ? wants[0].type : POF_TYPES, err);
        if (rc) {
            return rc;
        }
    }
    return finish_reading(&rd, err);
}

int pof_cli_read(struct pof_cli *cli, const struct pof_want *wants, size_t n, void *ctx,
                 struct pof_err *err)
{
    return pof_cli_read_files(cli, cli->operands, cli->n_operands, wants, n, ctx, err);
}

/* --- output --- */

/* Is there an output on standard output? */
static bool on_standard(const struct pof_cli *cli)
{
    for (size_t i = 0; i < cli->outs; i++) {
        if (cli->out[i]->standard) {
            return true;
        }
    }
    return false;
}

/* Two outputs through one descriptor would be mixed, where buffers happen to be full. */
static int add_out(struct pof_cli *cli, const char *path, struct out **out, struct pof_err *err)
{
    bool standard = !path || strcmp(path, "-") == 0;
    if (standard && on_standard(cli)) {
        return pof_fail(err, POF_E_USAGE, "two outputs on standard output: expected a file for all but one of them, "
                                          "as with --output FILE");
    }
    int rc = pof_grow(&cli->out, &cli->out_cap, cli->outs + 1, sizeof *cli->out, err);
    struct out *o = NULL;
    rc = rc ? rc : pof_calloc(&o, 1, sizeof *o, err);
    rc = rc ? rc : pof_output_open(&o->file, path, cli->common.force, err);
    if (rc) {
        free(o);
        return rc;
    }
    struct pof_sink sink = pof_output_sink(o->file);
    pof_writer_init(&o->writer, &sink, pof_cli_format(cli));
    o->standard = standard;
    cli->out[cli->outs++] = o;
    *out = o;
    return 0;
}

int pof_cli_writer(struct pof_cli *cli, const char *path, struct pof_writer **out,
                   struct pof_err *err)
{
    struct out *o;
    int rc = add_out(cli, path, &o, err);
    if (rc == 0) {
        *out = &o->writer;
    }
    return rc;
}

struct pof_writer *pof_cli_out(struct pof_cli *cli)
{
    return &cli->main->writer;
}

int pof_cli_sink(struct pof_cli *cli, const char *path, struct pof_sink *out, struct pof_err *err)
{
    struct out *o = cli->main;
    int rc = path ? add_out(cli, path, &o, err) : 0;
    if (rc == 0) {
        *out = pof_output_sink(o->file);
    }
    return rc;
}

/* Everything appears, or nothing does. */
static void finish_outputs(struct pof_cli *cli)
{
    struct pof_err err = {0};
    bool keep = cli->status <= 1;
    for (size_t i = 0; i < cli->outs && keep; i++) {
        if (pof_writer_flush(&cli->out[i]->writer, &err) != 0) {
            pof_cli_report(cli, &err);
            keep = false;
        }
    }
    for (size_t i = 0; i < cli->outs; i++) {
        struct out *o = cli->out[i];
        err = (struct pof_err){0};
        if (keep && pof_output_commit(o->file, &err) != 0) {
            pof_cli_report(cli, &err);
            keep = false;
        } else if (!keep && o->file) {
            pof_output_abort(o->file);
        }
        pof_writer_release(&o->writer);
        free(o);
    }
    free(cli->out);
}

/* --- the run --- */

bool pof_cli_strict(const struct pof_cli *cli)
{
    return cli->common.strict;
}

int pof_cli_verbose(const struct pof_cli *cli)
{
    return cli->common.verbose;
}

unsigned pof_cli_threads(const struct pof_cli *cli)
{
    return (unsigned)cli->common.threads;
}

enum pof_format pof_cli_format(const struct pof_cli *cli)
{
    return cli->common.format ? POF_CSV : POF_NDJSON;
}

int64_t pof_cli_now(const struct pof_cli *cli)
{
    return cli->common.now != INT64_MIN ? cli->common.now : (int64_t)time(NULL);
}

/* --help, --version, --option-list: text on standard output. */
static int answer(struct pof_cli *cli, struct pof_err *err)
{
    struct pof_buf b = {0};
    int rc;
    if (cli->common.help) {
        rc = pofi_help(cli->program, &b, err);
    } else if (cli->common.option_list) {
        rc = pofi_option_list(cli->program, &b, err);
    } else {
        rc = pof_buf_addf(&b, err, "%s (pof) %s\n", cli->program->name, POF_VERSION);
    }
    rc = rc ? rc : pof_write_all(STDOUT_FILENO, b.data, b.len, "-", err);
    pof_buf_release(&b);
    return rc;
}

static int run_program(struct pof_cli *cli, int argc, char **argv, void *args, pof_run *run,
                       struct pof_err *err)
{
    int n = pofi_parse(cli->program, argc, argv, args, &cli->common, err);
    if (n < 0) {
        return n;
    }
    if (cli->common.help || cli->common.version || cli->common.option_list) {
        return answer(cli, err);
    }
    cli->operands = (const char *const *)argv;
    cli->n_operands = (size_t)n;
    if (n > 0 && !cli->program->operands[0]) {
        return pof_fail(err, POF_E_USAGE, "operand '%.80s' is not expected; see %s --help", argv[0],
                        cli->program->name);
    }
    bool none = cli->program->no_output && !cli->common.output;
    int rc = none ? 0 : add_out(cli, cli->common.output, &cli->main, err);
    return rc ? rc : run(cli, args, err);
}

int pof_main(const struct pof_program *program, int argc, char **argv, void *args, pof_run *run)
{
    struct pof_cli cli = {
        .program = program,
        .common = {.threads = 1, .max_errors = 20, .now = INT64_MIN},
    };
    struct pof_err err = {0};
    clock_gettime(CLOCK_MONOTONIC, &cli.started);
    cli.shown = cli.started;
    pof_io_start();
    int rc = run_program(&cli, argc, argv, args, run, &err);
    if (rc < 0) {
        err.code = err.code ? err.code : (enum pof_code)rc;
        pof_cli_report(&cli, &err);
    } else {
        cli.status = pof_exit_worse(cli.status, rc);
    }
    erase_progress(&cli);
    finish_outputs(&cli);
    for (size_t i = 0; i < cli.inputs; i++) {
        pof_input_close(cli.input[i]);
    }
    free(cli.input);
    pofi_release(program->options, args);
    return cli.status;
}
