/* SPDX-License-Identifier: Apache-2.0 */
/* Parts of pof-case. */
#ifndef POF_CMD_CASE_PARTS_H
#define POF_CMD_CASE_PARTS_H

#include "../feed.h"
#include "cli/cli.h"
#include "grid/case.h"

struct args {
    const char *grid, *pods, *window, *into, *name, *rejects, *summary;
    int64_t keep, max_future, sigma_least;
    struct feed_args feed;
};

/* A line of the window: a record in canonical form. */
struct line {
    int64_t start;
    uint32_t text; /* in window.texts */
    bool fresh;    /* of this run's input */
};

/* What was read lately, on the disk as DIR/INSTANT.jsonl, the lines of an instant sorted and each once. */
struct window {
    struct pof_names texts; /* canonical lines */
    struct pof_names keys;  /* what can be said once of an instant, and was */
    struct line *line;      /* [texts.n] */
    size_t line_cap;
    int64_t newest;         /* start of the newest line; INT64_MIN: none */
};

struct counts {
    uint64_t lines, taken, repeated, rejected, cases, revised, aged, pseudo;
    int64_t oldest_s;
};

struct work {
    struct pof_cli *cli;
    const struct args *args;
    struct pof_grid grid;
    struct pof_feed *feed;
    struct pof_names pods;
    struct window window;
    struct pof_writer *rejects; /* NULL: told on standard error */
    struct pof_buf text;        /* of the record at hand, or of the file */
    int64_t latest;             /* no reading begins later */
    int64_t newest_before;      /* of the window as it was found */
    /* Instants that the input says something of, itself or by age; first > until: none. */
    int64_t first, until;
    struct counts n;
};

/* Is a line there already? POF_E_CONFLICT when it contradicts one that is. */
int window_look(const struct window *w, const struct pof_record *record, struct pof_text line, bool *there,
                struct pof_err *err);
int window_add(struct window *w, const struct pof_record *record, struct pof_text line, bool fresh,
               struct pof_err *err);
/* Finds the newest instant of the window on the disk. */
int window_open(struct work *w, struct pof_err *err);
/* Reads what of it counts at the instants from first to until, also into the feed. */
int window_load(struct work *w, struct pof_err *err);
/* Writes the files of instants with fresh lines, and removes those that nobody needs any more. */
int window_store(struct work *w, struct pof_err *err);
void window_release(struct window *w);

/* What is done with a line. */
enum take {
    TAKE_LOOK, /* which instants does it say something of? */
    TAKE_IN,   /* into the window and the feed, or aside with the reason */
    TAKE_BACK  /* the same of a line of the window, where what the grid does not know any more is left out */
};
int case_take(struct work *w, const struct pof_source *src, enum take how, struct pof_err *err);
/* Writes the cases of all instants from first to until. */
int case_write(struct work *w, struct pof_err *err);
/* Writes work.text to DIR/NAME, whole and durably, in place of an older file. */
int case_put_file(struct work *w, const char *dir, const char *name, struct pof_err *err);

#endif
