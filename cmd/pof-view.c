/* SPDX-License-Identifier: Apache-2.0 */
/* pof-view: a grid and what records say about it, as a page or a picture. */
#include "cli/cli.h"
#include "cli/grid.h"
#include "io/run.h"
#include "io/watch.h"
#include "view/page.h"
#include "view/picture.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

struct args {
    const char *grid, *title, *live, *page;
    int64_t at, width, reload, last;
    bool svg;
};

#define AT(member) offsetof(struct args, member)
static const struct pof_option options[] = {
    {"grid", 'g', POF_OPT_FILE, AT(grid), "FILE", "grid document; needed", 0, 0, NULL},
    {"title", 't', POF_OPT_TEXT, AT(title), "TEXT", "title of the page (the grid's name)", 0, 0, NULL},
    {"svg", 0, POF_OPT_FLAG, AT(svg), NULL, "a picture of one instant instead of a page (no)", 0, 0, NULL},
    {"at", 0, POF_OPT_INSTANT, AT(at), "TIME", "instant of the picture: the last one up to this (the first)", 0, 0, NULL},
    {"width", 'w', POF_OPT_INT, AT(width), "PIXELS", "width of the picture (1000)", 500, 20000, NULL},
    {"reload", 0, POF_OPT_INT, AT(reload), "SECONDS", "the page loads itself again so often (0: never; with --live 5)", 0, 86400, NULL},
    {"live", 0, POF_OPT_TEXT, AT(live), "DIR", "make the page again whenever a file comes into this directory", 0, 0, NULL},
    {"page", 0, POF_OPT_OUTPUT, AT(page), "FILE", "with --live: the page to write", 0, 0, NULL},
    {"last", 0, POF_OPT_INT, AT(last), "N", "with --live: the last N files by name (96)", 1, 1000000, NULL},
    {0}};
#undef AT

static const struct pof_program program = {
    .name = "pof-view",
    .purpose = "show a grid and its records as a page or picture",
    .operands = "[FILE ...]",
    .examples = "pof-pf --grid samples/cigre-mv.json | pof-view --grid samples/cigre-mv.json > page.html",
    .options = options};

static int take(void *ctx, const struct pof_record *r, struct pof_err *err)
{
    return pof_view_take(ctx, r, err);
}

static int read_records(struct pof_cli *cli, struct pof_view *view, struct pof_err *err)
{
    static const struct pof_want wants[] = {
        {POF_state, take},   {POF_node_price, take}, {POF_estimate, take}, {POF_doubt, take},
        {POF_request, take}, {POF_award, take},      {POF_verdict, take},  {POF_outcome, take},
        {POF_session, take}, {POF_contingency, take}};
    int rc = pof_cli_read(cli, wants, sizeof wants / sizeof wants[0], view, err);
    return rc ? rc : pof_view_close(view, err);
}

static int draw(const struct args *args, const struct pof_view *view, struct pof_buf *to, struct pof_err *err)
{
    if (args->svg) {
        size_t first = view->instants ? 0 : SIZE_MAX;
        size_t instant = args->at == INT64_MIN ? first : pof_view_instant_at(view, args->at);
        return pof_view_picture(view, instant, (int)args->width, to, err);
    }
    struct pof_view_page page = {.title = args->title, .reload_s = (int)args->reload};
    return pof_view_page(view, &page, to, err);
}

static int once(struct pof_cli *cli, const struct args *args, struct pof_err *err)
{
    struct pof_grid grid = {0};
    struct pof_view view = {0};
    struct pof_buf bytes = {0};
    struct pof_sink out;
    int rc = pof_cli_grid(cli, args->grid, &grid, err);
    rc = rc ? rc : pof_view_init(&view, &grid, err);
    rc = rc ? rc : read_records(cli, &view, err);
    rc = rc ? rc : draw(args, &view, &bytes, err);
    rc = rc ? rc : pof_cli_sink(cli, NULL, &out, err);
    rc = rc ? rc : out.write(out.ctx, bytes.data, bytes.len, err);
    pof_buf_release(&bytes);
    pof_view_release(&view);
    pof_grid_release(&grid);
    return rc;
}

/* One page from the files there are now, by a process of its own: what a bad file does to it ends there. */
static int refresh(const struct args *args, struct pof_err *err)
{
    struct pof_watch_files which = {args->live, ".jsonl", (size_t)args->last};
    struct pof_arena arena = {0};
    struct pof_run_cost cost;
    char seconds[24], **file = NULL;
    size_t n = 0;
    snprintf(seconds, sizeof seconds, "%" PRId64, args->reload ? args->reload : 5);
    int rc = pof_watch_list(&which, &arena, &file, &n, err);
    const char *head[] = {"/proc/self/exe", "--grid", args->grid, "--reload", seconds, "--title",
                          args->title ? args->title : "Live", "-f", "-o", args->page, n ? NULL : "/dev/null"};
    size_t heads = sizeof head / sizeof head[0] - (n ? 1 : 0);
    char **argv = rc ? NULL : pof_arena_alloc(&arena, (heads + n + 1) * sizeof *argv, err);
    if (argv) {
        memcpy(argv, head, heads * sizeof *argv);
        memcpy(argv + heads, file, (n + 1) * sizeof *argv);
        rc = pof_run_command(argv, &cost, err);
    }
    pof_arena_release(&arena);
    return rc ? rc : argv ? 0 : (int)POF_E_NOMEM;
}

static int follow(const struct args *args, struct pof_err *err)
{
    struct pof_watch *watch;
    if (args->page == NULL || args->grid == NULL) {
        return pof_fail(err, POF_E_USAGE, "--live needs --grid and --page");
    }
    int rc = pof_watch_open(&watch, args->live, err);
    while (rc == 0) {
        rc = refresh(args, err);
        rc = rc ? rc : pof_watch_wait(watch, err);
    }
    pof_watch_close(watch);
    return rc;
}

static int run(struct pof_cli *cli, void *ctx, struct pof_err *err)
{
    const struct args *args = ctx;
    return args->live ? follow(args, err) : once(cli, args, err);
}

int main(int argc, char **argv)
{
    struct args args = {.at = INT64_MIN, .width = 1000, .last = 96};
    return pof_main(&program, argc, argv, &args, run);
}
