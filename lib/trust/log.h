/* SPDX-License-Identifier: Apache-2.0 */
/* A certification log: entries in a Merkle tree, kept in a folder, signed by one key.
 *
 * Files of the folder:
 *   vkey         the log's public key; its name is the log's origin
 *   journal      16 bytes "POF journal 1\n\0\0", then one frame per batch:
 *                "\0pof", count (4 bytes), index of the first entry (8), bytes of entries (8),
 *                SHA-256 of these 24 bytes followed by the leaf hashes of the entries (32), then
 *                the entries, each as 2 bytes of length and its bytes; numbers big-endian
 *   tiles.L      hashes of the nodes of tree level 8 L, in order; tile N of C2SP's tlog-tiles level
 *                L is the slice of 8192 bytes at 8192 N. Derived from the journal
 *   signed       the last size, root and journal length that was signed
 *   checkpoint   the checkpoint that is published (c2sp.org/tlog-checkpoint)
 *
 * Order of writing, so that a crash at any instant loses nothing that was acknowledged: frame to
 * the journal; sync; hashes to the tiles; the entries may be acknowledged. When signing: sync of
 * tiles; `signed` replaced; `checkpoint` replaced. So nothing is signed that is not durable, and
 * what `signed` speaks of is on the disk. Opening to write keeps every whole frame behind what was
 * signed, drops a torn last one, and refuses a journal that lost what was signed. */
#ifndef POF_TRUST_LOG_H
#define POF_TRUST_LOG_H

#include "base/folder.h"
#include "trust/checkpoint.h"

enum {
    POF_ENTRY_MAX = 65535,      /* bytes of an entry */
    POF_BATCH_MAX = 1 << 20,    /* entries of a batch */
    POF_BATCH_BYTES = 64 << 20, /* bytes of a batch after which it is full */
    POF_SIGN_EVERY = 65536      /* entries after which a new head is due */
};

struct pof_log;

/* Makes the files of an empty log, signed and durable. The key of the log is key->vkey. */
int pof_log_create(const struct pof_folder *folder, const struct pof_signer *key,
                   struct pof_err *err) POF_CHECKED;

/* Opens to read: the tree of the published checkpoint, whose signature is checked (CONFLICT when it
 * is not the log's own). Opens to write with a signer: repairs what a crash left, as told above;
 * with `again` set the tiles are computed anew from the journal even when they look right.
 * CONFLICT when the log is not what was signed; CONFIG when it is not the signer's log. */
int pof_log_open(struct pof_log **out, const struct pof_folder *folder,
                 const struct pof_signer *signer, bool again, struct pof_err *err) POF_CHECKED;
void pof_log_close(struct pof_log *log);

const struct pof_vkey *pof_log_vkey(const struct pof_log *log);
/* Durable entries: to read, those of the checkpoint. */
uint64_t pof_log_size(const struct pof_log *log);
/* Entries that were added and are not committed. */
size_t pof_log_pending(const struct pof_log *log);

/* Adds an entry to the batch; *leaf gets its leaf hash. TOO_LONG for more than POF_ENTRY_MAX. */
int pof_log_add(struct pof_log *log, struct pof_text entry, struct pof_hash *leaf,
                struct pof_err *err) POF_CHECKED;
/* The leaf hash of an entry, without adding it. */
int pof_log_leaf_of(struct pof_log *log, struct pof_text entry, struct pof_hash *leaf,
                    struct pof_err *err) POF_CHECKED;
/* The log's hash engine, for one who has no other at hand. */
struct pof_hasher *pof_log_hasher(struct pof_log *log);
/* Is the batch as large as a frame should be? */
bool pof_log_full(const struct pof_log *log);
/* Makes the batch durable with one sync. After an error the log can only be closed: what reached
 * the disk is found out when it is opened again. */
int pof_log_commit(struct pof_log *log, struct pof_err *err) POF_CHECKED;
/* Signs and publishes the durable tree, when it grew since the last time. With reread set the
 * entries that are new since then are first read back and hashed again, so that a bit that fell
 * over in memory is not signed. */
int pof_log_sign(struct pof_log *log, bool reread, struct pof_err *err) POF_CHECKED;
/* Entries since the last signature. */
uint64_t pof_log_unsigned(const struct pof_log *log);

/* The leaf hashes of n entries from index on, as the tiles have them. */
int pof_log_leaves(struct pof_log *log, uint64_t index, size_t n, struct pof_hash *out,
                   struct pof_err *err) POF_CHECKED;
/* The published checkpoint's text, a view until the log is closed; a log opened to write gives the
 * one it signed last. */
struct pof_text pof_log_checkpoint(const struct pof_log *log);
struct pof_head pof_log_head(const struct pof_log *log);
/* The proof of an entry in the tree of the checkpoint. It is checked against the signed root before
 * it is given: CONFLICT when the tiles are damaged. O(log size), at most 255 hashes a tile. */
int pof_log_prove(struct pof_log *log, uint64_t index, struct pof_proof *proof,
                  struct pof_err *err) POF_CHECKED;
/* The same in the tree of an older head of this log, such as one that was cosigned. */
int pof_log_prove_at(struct pof_log *log, const struct pof_head *head, uint64_t index,
                     struct pof_proof *proof, struct pof_err *err) POF_CHECKED;
/* The head that this log had when it was of a size, which is at most the signed one. */
int pof_log_head_at(struct pof_log *log, uint64_t size, struct pof_head *head,
                    struct pof_err *err) POF_CHECKED;
/* That an older head is the beginning of this tree; *consistent tells. old->size may be 0. */
int pof_log_consistency(struct pof_log *log, const struct pof_head *old, struct pof_proof *proof,
                        bool *consistent, struct pof_err *err) POF_CHECKED;

/* Called for entries in order; the bytes are valid until it returns. */
typedef int pof_on_entry(void *ctx, uint64_t index, struct pof_text entry,
                         const struct pof_hash *leaf, struct pof_err *err);

/* What an audit finds. Runs of neighbours are one finding. */
enum pof_finding_kind {
    POF_FINDING_FRAME,   /* entries first..last: the journal cannot be read there */
    POF_FINDING_ENTRY,   /* entries first..last are not those of the leaf hashes */
    POF_FINDING_TILE,    /* hashes first..last of tiles.`level` do not follow from below */
    POF_FINDING_SHORT,   /* tiles.`level` ends before hash `first` */
    POF_FINDING_MISSING, /* the journal ends before entry `first` */
    POF_FINDING_PARTIAL, /* static tiles: partial tile `first` of `level` (64: entries) and width
                            `last` is not how the tile begins */
    POF_FINDING_ROOT     /* nothing of the above, yet the entries do not give the signed root */
};

struct pof_finding {
    enum pof_finding_kind kind;
    unsigned level;
    uint64_t first;
    uint64_t last;
};

struct pof_auditor {
    pof_on_entry *on_entry; /* NULL allowed; called for every readable entry */
    int (*on_finding)(void *ctx, const struct pof_finding *finding, struct pof_err *err);
    void *ctx;
};

struct pof_audit {
    uint64_t findings;
    bool journal_good; /* the entries in the journal give the signed root */
    bool leaves_good;  /* the leaf hashes in tiles.0 do */
    struct pof_head head;
};

/* Full audit of a log opened to read: every entry is hashed again, every tile computed again from
 * the one below, the root compared with the signed one. O(bytes); memory: one batch. */
int pof_log_audit(struct pof_log *log, const struct pof_auditor *auditor, struct pof_audit *result,
                  struct pof_err *err) POF_CHECKED;

#endif
