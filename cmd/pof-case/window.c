/* SPDX-License-Identifier: Apache-2.0 */
/* The window: what was read lately, a file for each instant. */
#include "parts.h"

#include "io/file.h"
#include "io/watch.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { QUANTITY_CLOSED = POF_QUANTITY_I_ANGLE_TO_V + 1, INTERVAL_MAX_S = 3600 };

static int64_t start_of(const struct pof_record *r)
{
    return r->type == POF_reading ? r->u.reading.start : r->u.measurement.start;
}

/* What can be said once of an instant: a pod's measurement, a switch's position. A canonical line begins
 * with what it is about, and what it says of that stands behind; empty: may be said often. */
static struct pof_text key_of(const struct pof_record *r, struct pof_text line)
{
    const char *behind = r->type == POF_measurement                   ? ",\"duration_s\""
                         : r->u.reading.quantity == QUANTITY_CLOSED ? ",\"value\""
                                                                      : NULL;
    const char *end = behind ? memmem(line.ptr, line.len, behind, strlen(behind)) : NULL;
    return (struct pof_text){line.ptr, end ? (size_t)(end - line.ptr) : 0};
}

int window_look(const struct window *w, const struct pof_record *record, struct pof_text line, bool *there,
                struct pof_err *err)
{
    struct pof_text key = key_of(record, line);
    *there = pof_names_find(&w->texts, line) != POF_NONE;
    return *there || key.len == 0 || pof_names_find(&w->keys, key) == POF_NONE
               ? 0
               : pof_fail(err, POF_E_CONFLICT,
                          "says something else than an earlier line of the same thing and instant");
}

int window_add(struct window *w, const struct pof_record *record, struct pof_text line, bool fresh,
               struct pof_err *err)
{
    struct pof_text key = key_of(record, line);
    uint32_t id;
    int rc = key.len ? pof_names_add(&w->keys, key, &id, err) : 0;
    rc = rc ? rc : pof_names_add(&w->texts, line, &id, err);
    rc = rc ? rc : pof_grow(&w->line, &w->line_cap, w->texts.n, sizeof *w->line, err);
    if (rc == 0) {
        w->line[id] = (struct line){start_of(record), id, fresh};
        w->newest = w->line[id].start > w->newest ? w->line[id].start : w->newest;
    }
    return rc;
}

void window_release(struct window *w)
{
    pof_names_release(&w->texts);
    pof_names_release(&w->keys);
    free(w->line);
}

/* --- on the disk --- */

static const char ending[] = ".jsonl";

static int list_files(const struct work *w, struct pof_arena *arena, char ***list, size_t *n,
                      struct pof_err *err)
{
    const struct pof_watch_files which = {w->args->window, ending, SIZE_MAX};
    return pof_watch_list(&which, arena, list, n, err);
}

/* Files are named by their instants. */
static int64_t start_of_file(const char *path)
{
    const char *name = strrchr(path, '/') + 1;
    int64_t start;
    return pof_instant_parse((struct pof_text){name, strlen(name) - strlen(ending)}, &start) ? start : INT64_MAX;
}

int window_open(struct work *w, struct pof_err *err)
{
    struct pof_arena arena = {0};
    char **list = NULL;
    size_t n = 0;
    int rc = list_files(w, &arena, &list, &n, err);
    for (size_t i = 0; rc == 0 && i < n; i++) {
        int64_t start = start_of_file(list[i]);
        bool newer = start != INT64_MAX && start > w->newest_before;
        w->newest_before = newer ? start : w->newest_before;
    }
    pof_arena_release(&arena);
    return rc;
}

/* Does a file that begins then count at one of the instants? */
static bool counts(const struct work *w, int64_t start)
{
    return start <= w->until && start >= w->first - w->args->feed.age_limit - INTERVAL_MAX_S;
}

int window_load(struct work *w, struct pof_err *err)
{
    struct pof_arena arena = {0};
    char **list = NULL;
    size_t n = 0;
    int rc = list_files(w, &arena, &list, &n, err);
    for (size_t i = 0; rc == 0 && i < n; i++) {
        struct pof_input *in = NULL;
        if (!counts(w, start_of_file(list[i]))) {
            continue;
        }
        rc = pof_input_open(&in, list[i], err);
        if (rc == 0) {
            struct pof_source src = pof_input_source(in);
            rc = case_take(w, &src, TAKE_BACK, err);
        }
        pof_input_close(in);
    }
    pof_arena_release(&arena);
    return rc;
}

struct sorted {
    const struct line *line;
    struct pof_text text;
};

static int by_start(const void *a, const void *b)
{
    const struct sorted *x = a;
    const struct sorted *y = b;
    int c = (x->line->start > y->line->start) - (x->line->start < y->line->start);
    return c ? c : pof_text_cmp(x->text, y->text);
}

/* The lines of one instant, when there is a fresh one among them. */
static int store_instant(struct work *w, const struct sorted *s, size_t n, struct pof_err *err)
{
    char name[POF_INSTANT_MAX + sizeof ending];
    bool fresh = false;
    int rc = 0;
    for (size_t i = 0; i < n; i++) {
        fresh = fresh || s[i].line->fresh;
    }
    w->text.len = 0;
    for (size_t i = 0; rc == 0 && fresh && i < n; i++) {
        rc = pof_buf_add(&w->text, s[i].text.ptr, s[i].text.len, err);
        rc = rc ? rc : pof_buf_adds(&w->text, "\n", err);
    }
    snprintf(name + pof_instant_format(s->line->start, name), sizeof ending, "%s", ending);
    return rc || !fresh ? rc : case_put_file(w, w->args->window, name, err);
}

/* What is older than the oldest reading that could still come can make use of goes. */
static int forget(struct work *w, struct pof_err *err)
{
    int64_t before = w->window.newest - w->args->keep - w->args->feed.age_limit - INTERVAL_MAX_S;
    struct pof_arena arena = {0};
    char **list = NULL;
    size_t n = 0;
    int rc = list_files(w, &arena, &list, &n, err);
    for (size_t i = 0; rc == 0 && i < n; i++) {
        if (start_of_file(list[i]) < before && unlink(list[i]) != 0) {
            rc = pof_fail_errno(err, POF_E_WRITE, errno, "cannot remove '%s'", list[i]);
        }
    }
    pof_arena_release(&arena);
    return rc;
}

int window_store(struct work *w, struct pof_err *err)
{
    const struct window *win = &w->window;
    struct sorted *s = NULL;
    size_t n = win->texts.n;
    int rc = pof_calloc(&s, n, sizeof *s, err);
    for (size_t i = 0; rc == 0 && i < n; i++) {
        s[i] = (struct sorted){&win->line[i], win->texts.text[i]};
    }
    if (rc == 0 && n) {
        qsort(s, n, sizeof *s, by_start);
    }
    for (size_t i = 0, k; rc == 0 && i < n; i = k) {
        for (k = i + 1; k < n && s[k].line->start == s[i].line->start; k++) {
        }
        rc = store_instant(w, s + i, k - i, err);
    }
    free(s);
    return rc || n == 0 ? rc : forget(w, err);
}
