/* SPDX-License-Identifier: Apache-2.0 */
/* export and erase. */
#include "parts.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* --size as numbers; freed by the caller. */
static int sizes(const struct work *w, uint64_t **out, struct pof_err *err)
{
    const struct pof_texts *t = &w->a->size;
    int rc = pof_calloc(out, t->n, sizeof **out, err);
    for (size_t i = 0; rc == 0 && i < t->n; i++) {
        if (!pof_tlog_number(pof_text(t->item[i]), &(*out)[i])) {
            rc = pof_fail(err, POF_E_USAGE, "--size: '%.40s' is not a number of records",
                          t->item[i]);
        }
    }
    return rc;
}

int certify_export(struct work *w, struct pof_err *err)
{
    struct pof_buf cosigned = {0};
    uint64_t *size = NULL;
    struct pof_checkpoint c;
    struct pof_note note;
    if (w->n_rest != 1) {
        return pof_fail(err, POF_E_USAGE, "export needs the directory of the log and another one");
    }
    int rc = certify_open_to_read(w, err);
    rc = rc ? rc : sizes(w, &size, err);
    rc = rc ? rc : certify_read_note(w, "cosigned", &cosigned, err);
    rc = rc ? rc : pof_tree_open(&w->tree, w->rest[0], true, err);
    struct pof_tiles_export export = {.size = size, .n_sizes = w->a->size.n};
    if (rc == 0) {
        struct pof_text text = {cosigned.data, cosigned.len};
        export.checkpoint = pof_log_checkpoint(w->log);
        w->files = pof_tree_files(w->tree);
        rc = text.len ? pof_checkpoint_open(&c, &note, text, pof_log_vkey(w->log), err) : 0;
        if (rc == 0 && text.len && note.status == POF_NOTE_GOOD &&
            c.head.size == pof_log_size(w->log)) {
            export.checkpoint = text; /* the same head, with the signatures of witnesses */
        }
    }
    rc = rc ? rc : pof_tiles_export(w->log, &w->files, &export, err);
    if (rc == 0) {
        pof_cli_note(w->cli,
                     "%" PRIu64 " records: %" PRIu64 " files written, %" PRIu64 " were there",
                     pof_log_size(w->log), export.written, export.kept);
    }
    free(size);
    pof_buf_release(&cosigned);
    return rc;
}

/* One place; the answer is a line. */
static int erase_one(struct work *w, const char *text, bool *all, struct pof_err *err)
{
    enum pof_opening_status was = POF_OPENING_NONE;
    uint64_t index;
    if (!pof_tlog_number(pof_text(text), &index)) {
        return pof_fail(err, POF_E_USAGE, "'%.40s' is not a place in the log (0, 1 ...)", text);
    }
    int rc = w->openings ? pof_openings_erase(w->openings, index, &was, err) : 0;
    *all = *all && was != POF_OPENING_NONE;
    return rc ? rc
              : pof_buf_addf(&w->text, err,
                             was == POF_OPENING_OPEN     ? "erased: record %" PRIu64 "\n"
                             : was == POF_OPENING_ERASED ? "erased before: record %" PRIu64 "\n"
                                                         : "no: record %" PRIu64
                                                           " is not one that was committed to\n",
                             index);
}

int certify_erase(struct work *w, struct pof_err *err)
{
    bool all = true;
    if (w->n_rest == 0) {
        return pof_fail(err, POF_E_USAGE, "erase needs DIR and places in the log (0, 1 ...)");
    }
    /* The lock is not the journal's: records are erased while others are added. */
    int rc = pof_directory_open(&w->dir, w->target, "vkey", err);
    if (rc == 0) {
        w->folder = pof_directory_folder(w->dir);
        rc = certify_open_openings(w, err);
    }
    for (size_t i = 0; rc == 0 && i < w->n_rest; i++) {
        rc = erase_one(w, w->rest[i], &all, err);
    }
    return rc ? rc : certify_answer(w, all, err);
}
