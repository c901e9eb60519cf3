/* SPDX-License-Identifier: Apache-2.0 */
/* Static tiles: their paths, and writing them. */
#include "trust/tiles.h"

#include "trust/log_private.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void pof_tile_path(unsigned level, uint64_t n, unsigned width, char to[POF_TILE_PATH])
{
    size_t at = (size_t)(level == POF_TILE_ENTRIES ? snprintf(to, POF_TILE_PATH, "tile/entries")
                                                   : snprintf(to, POF_TILE_PATH, "tile/%u", level));
    uint64_t group = 1;
    while (n / group >= 1000) {
        group *= 1000;
    }
    for (; group; group /= 1000) {
        at += (size_t)snprintf(to + at, POF_TILE_PATH - at, group > 1 ? "/x%03u" : "/%03u",
                               (unsigned)(n / group % 1000));
    }
    if (width < POF_TILE_WIDTH) {
        snprintf(to + at, POF_TILE_PATH - at, ".p/%u", width);
    }
}

bool pof_bundle_split(struct pof_text bundle, size_t n, struct pof_text entry[POF_TILE_WIDTH])
{
    const unsigned char *p = (const unsigned char *)bundle.ptr;
    size_t at = 0;
    for (size_t i = 0; i < n; i++) {
        if (bundle.len - at < 2) {
            return false;
        }
        size_t len = (size_t)p[at] << 8 | p[at + 1];
        at += 2;
        if (bundle.len - at < len) {
            return false;
        }
        entry[i] = (struct pof_text){bundle.ptr + at, len};
        at += len;
    }
    return at == bundle.len;
}

/* An export under way. */
struct writing {
    struct pof_log *log;
    const struct pof_files *files;
    struct pof_tiles_export *export;
    uint64_t size;
    struct pof_buf bundle;
    struct pof_buf there; /* scratch */
};

/* Writes a file unless it is there with the same bytes. */
static int put(struct writing *w, const char *path, struct pof_text bytes, struct pof_err *err)
{
    bool there;
    struct pof_err detail = {0};
    int rc = w->files->get(w->files->ctx, path, bytes.len, &w->there, &there, &detail);
    if (rc && rc != POF_E_TOO_LONG) {
        return pof_fail(err, detail.code, "%s", detail.text);
    }
    if (rc == 0 && there && w->there.len == bytes.len &&
        memcmp(w->there.data, bytes.ptr, bytes.len) == 0) {
        w->export->kept++;
        return 0;
    }
    w->export->written++;
    return w->files->put(w->files->ctx, path, bytes, err);
}

/* Is the tile that ends before hash `end` of a level (8 level bits up) wanted as a partial one, for
 * the checkpoint or for a size that was published? */
static bool is_wanted(const struct writing *w, unsigned level, uint64_t end)
{
    if (end == w->size >> 8 * level) {
        return true;
    }
    for (size_t i = 0; i < w->export->n_sizes; i++) {
        if (end == w->export->size[i] >> 8 * level) {
            return true;
        }
    }
    return false;
}

/* Collects entries; a bundle is written when it is full, and where it is wanted as a partial. */
static int on_entry(void *ctx, uint64_t index, struct pof_text entry, const struct pof_hash *leaf,
                    struct pof_err *err)
{
    (void)leaf;
    struct writing *w = ctx;
    unsigned width = (unsigned)(index % POF_TILE_WIDTH) + 1;
    char length[2] = {(char)(entry.len >> 8), (char)(entry.len & 255)};
    if (width == 1) {
        w->bundle.len = 0;
    }
    int rc = pof_buf_add(&w->bundle, length, sizeof length, err);
    rc = rc ? rc : pof_buf_add(&w->bundle, entry.ptr, entry.len, err);
    if (rc == 0 && (width == POF_TILE_WIDTH || is_wanted(w, 0, index + 1))) {
        char path[POF_TILE_PATH];
        pof_tile_path(POF_TILE_ENTRIES, index / POF_TILE_WIDTH, width, path);
        rc = put(w, path, (struct pof_text){w->bundle.data, w->bundle.len}, err);
    }
    return rc;
}

static int on_finding(void *ctx, const struct pof_finding *f, struct pof_err *err)
{
    (void)f;
    struct writing *w = ctx;
    return pof_fail(err, POF_E_CONFLICT,
                    "'%s' is damaged and is not published; 'pof-certify verify' tells where",
                    w->log->folder.name);
}

/* The tiles of a level, from its file. */
static int write_level(struct writing *w, unsigned level, struct pof_err *err)
{
    struct pof_hash hash[POF_TILE_WIDTH];
    uint64_t end = w->size >> 8 * level;
    int rc = 0;
    for (uint64_t from = 0; rc == 0 && from < end; from += POF_TILE_WIDTH) {
        unsigned n = end - from < POF_TILE_WIDTH ? (unsigned)(end - from) : POF_TILE_WIDTH;
        rc = pofi_tiles_read(w->log, level, from, n, hash, err);
        for (unsigned width = 1; rc == 0 && width <= n; width++) {
            if (width == POF_TILE_WIDTH || is_wanted(w, level, from + width)) {
                char path[POF_TILE_PATH];
                pof_tile_path(level, from / POF_TILE_WIDTH, width, path);
                rc = put(w, path, (struct pof_text){(const char *)hash, width * sizeof *hash}, err);
            }
        }
    }
    return rc;
}

/* What was exported before must be the beginning of what is exported now. */
static int check_history(struct writing *w, struct pof_err *err)
{
    struct pof_checkpoint old;
    struct pof_note note;
    struct pof_proof proof;
    bool there;
    bool same = false;
    int rc = w->files->get(w->files->ctx, "checkpoint", POF_NOTE_MAX, &w->there, &there, err);
    if (rc || !there) {
        return rc;
    }
    rc = pof_checkpoint_open(&old, &note, (struct pof_text){w->there.data, w->there.len},
                             &w->log->vkey, err);
    if (rc == 0 && note.status == POF_NOTE_GOOD) {
        rc = pof_log_consistency(w->log, &old.head, &proof, &same, err);
    }
    if (rc == 0 && !same) {
        rc =
            pof_fail(err, POF_E_CONFLICT,
                     "'%s/checkpoint' is not of this log's history; expected an empty directory or "
                     "an earlier export",
                     w->files->name);
    }
    return rc;
}

int pof_tiles_export(struct pof_log *log, const struct pof_files *files,
                     struct pof_tiles_export *export, struct pof_err *err)
{
    struct writing w = {.log = log, .files = files, .export = export, .size = log->last.head.size};
    struct pof_auditor judge = {NULL, on_finding, &w};
    struct pof_auditor write = {on_entry, on_finding, &w};
    struct pof_audit audit;
    export->written = export->kept = 0;
    int rc = check_history(&w, err);
    for (size_t i = 0; rc == 0 && i < export->n_sizes; i++) {
        if (export->size[i] > w.size) {
            rc = pof_fail(err, POF_E_RANGE, "the checkpoint has %" PRIu64 " records, not %" PRIu64,
                          w.size, export->size[i]);
        }
    }
    /* Twice: nothing is written over what was published before all is known to be good. */
    rc = rc ? rc : pof_log_audit(log, &judge, &audit, err);
    rc = rc ? rc : pof_log_audit(log, &write, &audit, err);
    for (unsigned level = 0; rc == 0 && level < POFI_TILE_FILES; level++) {
        rc = write_level(&w, level, err);
    }
    rc = rc ? rc : files->sync(files->ctx, err);
    rc = rc ? rc : put(&w, "checkpoint", export->checkpoint, err);
    rc = rc ? rc : files->sync(files->ctx, err);
    pof_buf_release(&w.bundle);
    pof_buf_release(&w.there);
    return rc;
}
