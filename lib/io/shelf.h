/* SPDX-License-Identifier: Apache-2.0 */
/* A spool into which whole documents land, each once, whatever happens to the process or the machine,
 * with a note of the last one beside them.
 *
 *     DIR/000000000017.data   whole and handed on; whoever takes it removes it
 *     DIR/.000000000018.doc   coming in, or whole and about to be handed on
 *     DIR/.last               number and note of the last document
 *     DIR/.lock
 *
 * The note is on the disk before the document has its name: the next opening hands on a document whose
 * note is there, and forgets one whose note is not. So the note never speaks of a document that nobody
 * gets, and none is handed on that the note does not know. (landing.h is for lines that are to stay as
 * they come; half a document is worth nothing.)
 *
 * Errors: OPEN, CREATE, LOCKED (another process lands there), WRITE, READ, CONFIG (.last is not as it
 * was written). */
#ifndef POF_IO_SHELF_H
#define POF_IO_SHELF_H

#include "base/stream.h"
#include "base/text.h"

struct pof_shelf;

enum { POF_SHELF_NOTE_MAX = 8192 }; /* bytes of a note */

/* Opens an existing directory. Names of documents end with `ending`, which outlives the shelf. *path
 * gets the document that was left behind and is handed on now, "" when there was none; as below. */
struct pof_shelf_place {
    const char *dir, *ending;
};
int pof_shelf_open(struct pof_shelf **out, struct pof_shelf_place where, const char **path,
                   struct pof_err *err) POF_CHECKED;
/* The note of the last document; empty when there was none. Until the next note. */
struct pof_text pof_shelf_note(const struct pof_shelf *s);

/* Begins a document, forgetting one that was not kept. Its bytes go to the sink, straight to the disk. */
int pof_shelf_begin(struct pof_shelf *s, struct pof_err *err) POF_CHECKED;
struct pof_sink pof_shelf_sink(struct pof_shelf *s);
/* Hands the document on, with a note. *path is its path, valid until the next call. */
int pof_shelf_keep(struct pof_shelf *s, struct pof_text note, const char **path,
                   struct pof_err *err) POF_CHECKED;
/* Another note of the last document. */
int pof_shelf_renote(struct pof_shelf *s, struct pof_text note, struct pof_err *err) POF_CHECKED;

/* Documents that were handed on and not taken. O(files of the directory). */
int pof_shelf_files(const struct pof_shelf *s, size_t *n, struct pof_err *err) POF_CHECKED;
void pof_shelf_close(struct pof_shelf *s); /* NULL allowed */

#endif
