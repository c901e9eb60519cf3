/* SPDX-License-Identifier: Apache-2.0 */
/* What happened to a sequence of records. */
#include "trust/compare.h"

#include "base/mem.h"
#include "trust/certify.h"

#include <stdlib.h>
#include <string.h>

#define NOT_THERE SIZE_MAX

int pof_given_add(struct pof_given *g, struct pof_text line, struct pof_given_place place,
                  struct pof_err *err)
{
    int rc = g->hasher ? 0 : pof_hasher_new(&g->hasher, err);
    rc = rc ? rc : pof_record_canonical(&g->jcs, line, &g->one, err);
    rc = rc ? rc : pof_grow(&g->leaf, &g->leaf_cap, g->n + 1, sizeof *g->leaf, err);
    rc = rc ? rc : pof_grow(&g->place, &g->place_cap, g->n + 1, sizeof *g->place, err);
    if (rc == 0) {
        pof_merkle_leaf(g->hasher, g->one.data, g->one.len, &g->leaf[g->n]);
        g->place[g->n++] = place;
        rc = pof_hasher_check(g->hasher, err);
    }
    return rc;
}

void pof_given_release(struct pof_given *g)
{
    pof_hasher_free(g->hasher);
    pof_jcs_release(&g->jcs);
    pof_buf_release(&g->one);
    free(g->leaf);
    free(g->place);
    *g = (struct pof_given){0};
}

/* A leaf hash and its place, to be sorted. */
struct key {
    struct pof_hash hash;
    size_t at;
};

/* The two sequences without what they begin with in common. */
struct match {
    const struct pof_hash *log, *given;
    size_t n_log, n_given;
    uint64_t log_first, given_first; /* to be added to places */
    size_t *to_log;                  /* [n_given]: equal record in the log, or NOT_THERE; owned */
    size_t *to_given;                /* [n_log]: the reverse; owned */
    unsigned char *stands;           /* [n_given]: in the longest rising run; owned */
    pof_on_difference *on_difference;
    void *ctx;
};

static int by_hash(const void *a, const void *b)
{
    const struct key *x = a;
    const struct key *y = b;
    int c = memcmp(x->hash.b, y->hash.b, POF_HASH);
    return c ? c : (x->at > y->at) - (x->at < y->at);
}

static int sorted(const struct pof_hash *hash, size_t n, struct key **out, struct pof_err *err)
{
    int rc = pof_calloc(out, n, sizeof **out, err);
    if (rc == 0) {
        for (size_t i = 0; i < n; i++) {
            (*out)[i] = (struct key){hash[i], i};
        }
        qsort(*out, n, sizeof **out, by_hash);
    }
    return rc;
}

/* Matches the k-th of equal records here with the k-th there. */
static int pair_equal(struct match *m, struct pof_err *err)
{
    struct key *a = NULL;
    struct key *b = NULL;
    int rc = sorted(m->log, m->n_log, &a, err);
    rc = rc ? rc : sorted(m->given, m->n_given, &b, err);
    for (size_t i = 0, k = 0; rc == 0 && i < m->n_log && k < m->n_given;) {
        int c = memcmp(a[i].hash.b, b[k].hash.b, POF_HASH);
        if (c == 0) {
            m->to_log[b[k].at] = a[i].at;
            m->to_given[a[i].at] = b[k].at;
        }
        i += c <= 0;
        k += c >= 0;
    }
    free(a);
    free(b);
    return rc;
}

/* Marks the longest increasing subsequence of to_log: tail[l] is the given record that ends a
 * rising run of length l + 1 at the least place, before[] the one in front of it. */
static int longest_run(struct match *m, struct pof_err *err)
{
    size_t *tail = NULL;
    size_t *before = NULL;
    size_t len = 0;
    int rc = pof_calloc(&tail, m->n_given, sizeof *tail, err);
    rc = rc ? rc : pof_calloc(&before, m->n_given, sizeof *before, err);
    for (size_t i = 0; rc == 0 && i < m->n_given; i++) {
        if (m->to_log[i] == NOT_THERE) {
            continue;
        }
        size_t lo = 0;
        size_t hi = len;
        while (lo < hi) {
            size_t mid = lo + (hi - lo) / 2;
            if (m->to_log[tail[mid]] < m->to_log[i]) {
                lo = mid + 1;
            } else {
                hi = mid;
            }
        }
        before[i] = lo ? tail[lo - 1] : NOT_THERE;
        tail[lo] = i;
        len += lo == len;
    }
    for (size_t i = rc == 0 && len ? tail[len - 1] : NOT_THERE; i != NOT_THERE; i = before[i]) {
        m->stands[i] = 1;
    }
    free(tail);
    free(before);
    return rc;
}

static int tell(const struct match *m, enum pof_difference_kind kind, size_t given, size_t index,
                struct pof_err *err)
{
    struct pof_difference d = {kind, m->given_first + given, m->log_first + index};
    return m->on_difference(m->ctx, &d, err);
}

/* A stretch between two records that stand. */
struct stretch {
    size_t given, given_end;
    size_t log, log_end;
};

static int tell_stretch(const struct match *m, struct stretch s, struct pof_err *err)
{
    size_t l = s.log;
    int rc = 0;
    for (size_t g = s.given; rc == 0 && g < s.given_end; g++) {
        if (m->to_log[g] != NOT_THERE) {
            rc = tell(m, POF_MOVED, g, m->to_log[g], err);
            continue;
        }
        while (l < s.log_end && m->to_given[l] != NOT_THERE) {
            l++; /* told where it went */
        }
        rc = l < s.log_end ? tell(m, POF_ALTERED, g, l, err) : tell(m, POF_ADDED, g, 0, err);
        l += l < s.log_end;
    }
    for (; rc == 0 && l < s.log_end; l++) {
        rc = m->to_given[l] == NOT_THERE ? tell(m, POF_REMOVED, 0, l, err) : 0;
    }
    return rc;
}

static int tell_all(const struct match *m, struct pof_err *err)
{
    struct stretch s = {0};
    int rc = 0;
    for (size_t g = 0; rc == 0 && g <= m->n_given; g++) {
        bool last = g == m->n_given;
        if (last || m->stands[g]) {
            s.given_end = g;
            s.log_end = last ? m->n_log : m->to_log[g];
            rc = tell_stretch(m, s, err);
            s.given = s.given_end + 1;
            s.log = s.log_end + 1;
        }
    }
    return rc;
}

int pof_compare(const struct pof_sequences *s, pof_on_difference *on_difference, void *ctx,
                struct pof_err *err)
{
    size_t same = 0;
    while (same < s->n_log && same < s->n_given && pof_hash_eq(&s->log[same], &s->given[same])) {
        same++;
    }
    struct match m = {.log = s->log + same,
                      .given = s->given + same,
                      .n_log = s->n_log - same,
                      .n_given = s->n_given - same,
                      .log_first = s->first + same,
                      .given_first = same,
                      .on_difference = on_difference,
                      .ctx = ctx};
    if (m.n_log == 0 && m.n_given == 0) {
        return 0;
    }
    int rc = pof_calloc(&m.to_log, m.n_given, sizeof *m.to_log, err);
    rc = rc ? rc : pof_calloc(&m.to_given, m.n_log, sizeof *m.to_given, err);
    rc = rc ? rc : pof_calloc(&m.stands, m.n_given, 1, err);
    if (rc == 0) {
        memset(m.to_log, 0xff, m.n_given * sizeof *m.to_log); /* NOT_THERE */
        memset(m.to_given, 0xff, m.n_log * sizeof *m.to_given);
        rc = pair_equal(&m, err);
    }
    rc = rc ? rc : longest_run(&m, err);
    rc = rc ? rc : tell_all(&m, err);
    free(m.to_log);
    free(m.to_given);
    free(m.stands);
    return rc;
}
