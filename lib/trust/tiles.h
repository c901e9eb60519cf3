/* SPDX-License-Identifier: Apache-2.0 */
/* A log as static files, https://c2sp.org/tlog-tiles:
 *
 *     checkpoint                     the signed head
 *     tile/L/N, tile/L/N.p/W         256 (or W) hashes of tree level 8 L, from hash 256 N on
 *     tile/entries/N, ... .p/W       as many entries, each with its length in 2 bytes
 *
 * with N in groups of three digits ("x001/x234/067"). Any web server can hand them out, and any
 * program that follows the specification can check them. */
#ifndef POF_TRUST_TILES_H
#define POF_TRUST_TILES_H

#include "base/files.h"
#include "trust/log.h"

enum {
    POF_TILE_WIDTH = 256,
    POF_TILE_PATH = 80,
    POF_TILE_ENTRIES = 64,                                     /* as a level: entry bundles */
    POF_BUNDLE_MAX = POF_TILE_WIDTH * (2 + (int)POF_ENTRY_MAX) /* bytes of a bundle */
};

/* The path of a tile; width is 1 to 256. */
void pof_tile_path(unsigned level, uint64_t n, unsigned width, char to[POF_TILE_PATH]);

/* The entries of a bundle, as views: false when it does not hold exactly n. */
bool pof_bundle_split(struct pof_text bundle, size_t n, struct pof_text entry[POF_TILE_WIDTH]);

/* What an export writes. */
struct pof_tiles_export {
    struct pof_text checkpoint; /* of this log, perhaps cosigned; what is published */
    const uint64_t *size;       /* further sizes whose partial tiles are wanted: those of */
    size_t n_sizes;             /* checkpoints that were handed out, none above the checkpoint's */
    uint64_t written;           /* files */
    uint64_t kept;              /* files that were there with the same bytes */
};

/* Writes a log opened to read as static files; everything is audited on the way, and `checkpoint`
 * is written last. Files that are there already and right are left alone. CONFLICT when the log is
 * damaged, or when the files are of another history than the log's. O(bytes of the log). */
int pof_tiles_export(struct pof_log *log, const struct pof_files *files,
                     struct pof_tiles_export *export, struct pof_err *err) POF_CHECKED;

/* Static files to be read, of whoever made them. */
struct pof_tiles;

/* Reads the checkpoint, which key must have signed (CONFLICT). */
int pof_tiles_open(struct pof_tiles **out, const struct pof_files *files,
                   const struct pof_vkey *key, struct pof_err *err) POF_CHECKED;
void pof_tiles_close(struct pof_tiles *t); /* NULL allowed */
const struct pof_vkey *pof_tiles_vkey(const struct pof_tiles *t);
struct pof_head pof_tiles_head(const struct pof_tiles *t);
struct pof_text pof_tiles_checkpoint(const struct pof_tiles *t);
/* The leaf hashes of n entries from index on, from the tiles of level 0 as they are. */
int pof_tiles_leaves(struct pof_tiles *t, uint64_t index, size_t n, struct pof_hash *out,
                     struct pof_err *err) POF_CHECKED;

/* Full audit, as pof_log_audit: entries are hashed again, and every hash of every tile, partial
 * tiles of other sizes included, is compared with what the entries give (where an entry is wrong,
 * with what the hashes of level 0 give). */
int pof_tiles_audit(struct pof_tiles *t, const struct pof_auditor *auditor,
                    struct pof_audit *result, struct pof_err *err) POF_CHECKED;

#endif
