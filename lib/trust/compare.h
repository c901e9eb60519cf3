/* SPDX-License-Identifier: Apache-2.0 */
/* What happened to a sequence of records: which are altered, added, removed, moved. */
#ifndef POF_TRUST_COMPARE_H
#define POF_TRUST_COMPARE_H

#include "trust/jcs.h"
#include "trust/merkle.h"

/* Records that somebody has: leaf hashes and where each came from. Initialise with {0}. */
struct pof_given {
    struct pof_hash *leaf; /* [n]; owned */
    struct pof_given_place {
        const char *source; /* not owned */
        uint64_t line;
    } * place; /* [n]; owned */
    size_t n, leaf_cap, place_cap;
    struct pof_jcs jcs;
    struct pof_buf one;
    struct pof_hasher *hasher;
};

/* Adds the record of a line; errors as pof_record_canonical. */
int pof_given_add(struct pof_given *g, struct pof_text line, struct pof_given_place place,
                  struct pof_err *err) POF_CHECKED;
void pof_given_release(struct pof_given *g);

enum pof_difference_kind {
    POF_ALTERED, /* the log holds another record at this place */
    POF_ADDED,   /* the log does not hold this record */
    POF_REMOVED, /* the log holds a record that was not given */
    POF_MOVED    /* the log holds this record, in another place of the order */
};

struct pof_difference {
    enum pof_difference_kind kind;
    uint64_t given; /* which of the given records, from 0; not for REMOVED */
    uint64_t index; /* place in the log; not for ADDED */
};

typedef int pof_on_difference(void *ctx, const struct pof_difference *d, struct pof_err *err);

/* What a sequence was and is; the log's begins at place `first`. */
struct pof_sequences {
    const struct pof_hash *log;
    size_t n_log;
    uint64_t first;
    const struct pof_hash *given;
    size_t n_given;
};

/* Tells a least story that turns the one into the other: equal records are matched (the k-th of
 * equal ones with the k-th), the longest run of matches that rises in both stands (longest
 * increasing subsequence; M. L. Fredman, Discrete Mathematics 11, 1975), other matches are MOVED,
 * and between two that stand the unmatched ones are paired as ALTERED, the rest ADDED or REMOVED.
 * In the order of the given records, REMOVED where they are missing. O(n log n), memory O(n). */
int pof_compare(const struct pof_sequences *s, pof_on_difference *on_difference, void *ctx,
                struct pof_err *err) POF_CHECKED;

#endif
