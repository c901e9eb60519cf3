/* SPDX-License-Identifier: Apache-2.0 */
/* pof-case: readings of all ages into network cases, an instant each. */
#include "pof-case/parts.h"

#include "cli/grid.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#define AT(member) offsetof(struct args, member)
static const struct pof_option options[] = {
    {"grid", 'g', POF_OPT_FILE, AT(grid), "FILE", "grid document", 0, 0, NULL},
    {"pods", 0, POF_OPT_FILE, AT(pods), "FILE", "pod records; measurements of others are rejected (no pods)", 0, 0, NULL},
    {"window", 'w', POF_OPT_TEXT, AT(window), "DIR", "directory that keeps what was read lately", 0, 0, NULL},
    {"into", 'i', POF_OPT_TEXT, AT(into), "DIR", "directory that gets the cases", 0, 0, NULL},
    {"name", 0, POF_OPT_TEXT, AT(name), "NAME", "part of the names of the cases; later ones sort behind (0)", 0, 0, NULL},
    {"keep", 0, POF_OPT_INT, AT(keep), "SECONDS", "how far behind the newest a reading may come (86400)", 0, 2592000, NULL},
    {"max-future", 0, POF_OPT_INT, AT(max_future), "SECONDS", "readings are at most so far ahead of --now (no rule)", 0, 1000000000, NULL},
    {"rejects", 0, POF_OPT_OUTPUT, AT(rejects), "FILE", "rejected lines with their reasons, as reject records", 0, 0, NULL},
    {"summary", 0, POF_OPT_OUTPUT, AT(summary), "FILE", "counts as one JSON object", 0, 0, NULL},
    {"sigma-least", 0, POF_OPT_MICRO, AT(sigma_least), "W", "least standard deviation of p and q from meters (10)", 0, 1000000, NULL},
    FEED_OPTIONS(struct args, "1800"),
    {0}};
#undef AT

static const struct pof_program program = {
    .name = "pof-case",
    .purpose = "merge readings of all ages into network cases, one for each instant",
    .operands = "[FILE ...]",
    .examples = "pof-case --grid grid.json --window window --into cases readings.jsonl\n"
                "pof-case --grid grid.json --pods pods.jsonl --window w --into c meters.jsonl scada.jsonl",
    .options = options,
    .no_output = true};

static int on_pod(void *ctx, const struct pof_record *r, struct pof_err *err)
{
    struct work *w = ctx;
    uint32_t id;
    int rc = pof_feed_pod(w->feed, &r->u.pod, err);
    return rc ? rc : pof_names_add(&w->pods, r->u.pod.pod, &id, err);
}

static int check(const struct args *a, struct pof_err *err)
{
    if (!a->window || !a->into) {
        return pof_fail(err, POF_E_USAGE, "--window DIR and --into DIR are needed; see --help");
    }
    if (!a->name[0] || strlen(a->name) > 64 || strchr(a->name, '/')) {
        return pof_fail(err, POF_E_USAGE, "--name '%.80s' is no part of a file name of 1 to 64 bytes", a->name);
    }
    return 0;
}

static int prepare(struct work *w, struct pof_err *err)
{
    static const struct pof_want pods = {POF_pod, on_pod};
    const struct args *a = w->args;
    const struct pof_feed_options feed = feed_options(&a->feed);
    w->latest = a->max_future < 0 ? INT64_MAX : pof_cli_now(w->cli) + a->max_future;
    int rc = check(a, err);
    rc = rc ? rc : pof_cli_grid(w->cli, a->grid, &w->grid, err);
    rc = rc ? rc : pof_feed_new(&w->feed, &w->grid, &feed, err);
    rc = rc || !a->pods ? rc : pof_cli_read_files(w->cli, &a->pods, 1, &pods, 1, w, err);
    return rc || !a->rejects ? rc : pof_cli_writer(w->cli, a->rejects, &w->rejects, err);
}

/* What the operands hold; it is read twice. */
struct text {
    char *data;
    size_t len;
};

static int slurp_all(struct work *w, const char *const *paths, size_t n, struct text *text, struct pof_err *err)
{
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < n; i++) {
        rc = pof_cli_slurp(w->cli, paths[i], &text[i].data, &text[i].len, err);
    }
    return rc;
}

static int pass(struct work *w, const char *const *paths, size_t n, struct text *text, enum take how,
                struct pof_err *err)
{
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < n; i++) {
        if (text[i].len == 0) {
            continue;
        }
        struct pof_memory m = {text[i].data, text[i].len};
        struct pof_source src = pof_source_memory(&m, paths[i]);
        rc = case_take(w, &src, how, err);
    }
    return rc;
}

/* First which instants the input is about, then what of the window counts there, then the input. */
static int take_all(struct work *w, struct pof_err *err)
{
    static const char *const standard[] = {"-"};
    const char *const *paths;
    struct text *text = NULL;
    size_t n = pof_cli_operands(w->cli, &paths);
    paths = n ? paths : standard;
    n = n ? n : 1;
    int rc = pof_calloc(&text, n, sizeof *text, err);
    rc = rc ? rc : slurp_all(w, paths, n, text, err);
    rc = rc ? rc : window_open(w, err);
    w->window.newest = w->newest_before;
    rc = rc ? rc : pass(w, paths, n, text, TAKE_LOOK, err);
    w->window.newest = w->newest_before;
    rc = rc || w->first > w->until ? rc : window_load(w, err);
    rc = rc ? rc : pass(w, paths, n, text, TAKE_IN, err);
    for (size_t i = 0; text && i < n; i++) {
        free(text[i].data);
    }
    free(text);
    return rc;
}

static int write_summary(struct work *w, struct pof_err *err)
{
    const struct counts *n = &w->n;
    struct pof_sink sink;
    char when[POF_INSTANT_MAX] = "";
    int len = w->window.newest == INT64_MIN ? 0 : (int)pof_instant_format(w->window.newest, when);
    if (!w->args->summary) {
        return 0;
    }
    w->text.len = 0;
    int rc = pof_buf_addf(&w->text, err,
                          "{\"lines\":%" PRIu64 ",\"taken\":%" PRIu64 ",\"repeated\":%" PRIu64
                          ",\"rejected\":%" PRIu64 ",\"cases\":%" PRIu64 ",\"revised\":%" PRIu64,
                          n->lines, n->taken, n->repeated, n->rejected, n->cases, n->revised);
    rc = rc ? rc : pof_buf_addf(&w->text, err,
                                ",\"aged\":%" PRIu64 ",\"oldest_s\":%" PRId64 ",\"pseudo\":%" PRIu64
                                ",\"newest\":\"%.*s\"}\n",
                                n->aged, n->oldest_s, n->pseudo, len, when);
    rc = rc ? rc : pof_cli_sink(w->cli, w->args->summary, &sink, err);
    return rc ? rc : sink.write(sink.ctx, w->text.data, w->text.len, err);
}

/* Cases before the window: who is stopped between the two finds the input as new as it was. */
static int run(struct pof_cli *cli, void *args, struct pof_err *err)
{
    struct work w = {.cli = cli, .args = args, .first = INT64_MAX, .until = INT64_MIN,
                     .newest_before = INT64_MIN};
    int rc = prepare(&w, err);
    rc = rc ? rc : take_all(&w, err);
    rc = rc || w.first > w.until ? rc : case_write(&w, err);
    rc = rc ? rc : window_store(&w, err);
    rc = rc ? rc : write_summary(&w, err);
    if (rc == 0) {
        pof_cli_note(cli, "%" PRIu64 " lines: %" PRIu64 " taken, %" PRIu64 " repeated, %" PRIu64
                          " rejected; %" PRIu64 " cases, %" PRIu64 " of them again",
                     w.n.lines, w.n.taken, w.n.repeated, w.n.rejected, w.n.cases, w.n.revised);
    }
    window_release(&w.window);
    pof_names_release(&w.pods);
    pof_buf_release(&w.text);
    pof_feed_free(w.feed);
    pof_grid_release(&w.grid);
    return rc ? rc : w.n.rejected > 0;
}

int main(int argc, char **argv)
{
    struct args args = {.name = "0",
                        .keep = 86400,
                        .max_future = -1,
                        .sigma_least = 10000000,
                        .feed = USUAL_FEED(1800)};
    return pof_main(&program, argc, argv, &args, run);
}
