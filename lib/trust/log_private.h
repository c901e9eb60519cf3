/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the log module share. */
#ifndef POF_TRUST_LOG_PRIVATE_H
#define POF_TRUST_LOG_PRIVATE_H

#include "trust/log.h"

enum {
    POFI_TILE_BITS = 8,
    POFI_TILE_FILES = 8, /* tree levels 0, 8 ... 56: sizes below 2^63 */
    POFI_JOURNAL_HEADER = 16,
    POFI_FRAME_HEADER = 56,
    POFI_SMALL_FILE = 1 << 20
};

/* What was signed last. */
struct pofi_signed {
    struct pof_head head;
    uint64_t bytes; /* of the journal */
};

/* A frame of the journal that was read. */
struct pofi_frame {
    uint64_t at;
    uint64_t first;
    uint32_t count;
    uint64_t bytes;        /* of entries */
    bool framed;           /* the header can be true: the entries end inside the journal */
    bool split;            /* the lengths of the entries fit together; leaf[] is set */
    bool whole;            /* the checksum is right */
    struct pof_buf data;   /* the entries with their lengths */
    struct pof_hash *leaf; /* [count]; owned */
    size_t leaf_cap;
};

/* A node of the tree that was computed. */
struct pofi_node {
    bool set;
    unsigned level;
    uint64_t index;
    struct pof_hash hash;
};

enum { POFI_NODES = 8192 }; /* 450 KiB: the upper levels of some millions of records */

struct pof_log {
    struct pof_folder folder;
    struct pof_vkey vkey;
    struct pof_signer signer;
    bool writer;
    bool broken; /* an error left the files in a state only opening can judge */
    struct pof_hasher *hasher;
    struct pofi_signed last;
    struct pof_range last_range; /* the tree of `last`; set when writer */
    bool publish;                /* `checkpoint` is behind `signed` */
    struct pof_buf checkpoint;
    uint64_t size;                        /* durable entries */
    uint64_t bytes;                       /* durable bytes of the journal */
    struct pof_range range;               /* durable and pending */
    struct pof_buf batch;                 /* the frame being filled, room for its header in front */
    struct pof_buf tile[POFI_TILE_FILES]; /* hashes of the batch, to be added to the tiles */
    uint32_t pending;
    struct pofi_node *node;  /* [POFI_NODES]; owned; NULL until the first proof */
    struct pofi_frame frame; /* scratch for reading */
};

/* log_frame.c */

/* What a journal begins with. */
extern const char pofi_journal_header[POFI_JOURNAL_HEADER];
/* Does a journal of end bytes begin as one? */
int pofi_journal_begins(struct pof_log *log, uint64_t end, bool *good,
                        struct pof_err *err) POF_CHECKED;

/* Reads the frame at a place of the journal that ends at `end`; what is not right is told in the
 * flags and is not an error. */
int pofi_frame_read(struct pof_log *log, uint64_t at, uint64_t end, struct pofi_frame *frame,
                    struct pof_err *err) POF_CHECKED;
/* Finds the first whole frame at or behind a place; *found false when there is none. */
int pofi_frame_seek(struct pof_log *log, uint64_t at, uint64_t end, struct pofi_frame *frame,
                    bool *found, struct pof_err *err) POF_CHECKED;
uint64_t pofi_frame_end(const struct pofi_frame *frame);
/* The next entry of a split frame; *at counts from 0. */
struct pof_text pofi_frame_entry(const struct pofi_frame *frame, size_t *at);
/* Fills in the header of log->batch. */
void pofi_frame_close(struct pof_log *log);

/* log_tiles.c */

/* Hashes in tiles.L, 0 when there is no such file. */
int pofi_tiles_count(struct pof_log *log, unsigned file, uint64_t *count,
                     struct pof_err *err) POF_CHECKED;
int pofi_tiles_read(struct pof_log *log, unsigned file, uint64_t from, size_t n,
                    struct pof_hash *out, struct pof_err *err) POF_CHECKED;
/* Adds a leaf to log->range and the hashes it completes to log->tile[]. */
int pofi_tiles_push(struct pof_log *log, const struct pof_hash *leaf,
                    struct pof_err *err) POF_CHECKED;
/* Writes log->tile[] behind the hashes of the first `size` leaves. */
int pofi_tiles_write(struct pof_log *log, uint64_t size, struct pof_err *err) POF_CHECKED;
/* Syncs the tiles, after cutting them to what belongs to `size` leaves. */
int pofi_tiles_settle(struct pof_log *log, uint64_t size, bool cut,
                      struct pof_err *err) POF_CHECKED;
/* The right edge of the first `size` leaves; *good tells whether the tiles hold that many and
 * their root is *root. */
int pofi_tiles_range(struct pof_log *log, const struct pof_head *head, struct pof_range *range,
                     bool *good, struct pof_err *err) POF_CHECKED;

#endif
