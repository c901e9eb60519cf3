/* SPDX-License-Identifier: Apache-2.0 */
/* Comparing sequences: the story told turns the log into what was given, and is never longer than
 * the edits that were made. */
#include "tap.h"

#include "num/rng.h"
#include "trust/compare.h"

enum { MAX = 60 };

static struct pof_hash hash_of(uint64_t v)
{
    struct pof_hash h = {{0}};
    memcpy(h.b, &v, sizeof v);
    return h;
}

struct story {
    struct pof_difference d[4 * MAX];
    size_t n;
};

static int keep(void *ctx, const struct pof_difference *d, struct pof_err *err)
{
    (void)err;
    struct story *s = ctx;
    if (s->n < sizeof s->d / sizeof *s->d) {
        s->d[s->n++] = *d;
    }
    return 0;
}

/* Is every record accounted for exactly once, truly, and are those without a word equal in order?
 */
static bool story_fits(const struct story *s, const uint64_t *log, size_t n_log,
                       const uint64_t *given, size_t n_given)
{
    bool told_log[MAX * 2] = {false};
    bool told_given[MAX * 2] = {false};
    for (size_t i = 0; i < s->n; i++) {
        const struct pof_difference *d = &s->d[i];
        if (d->kind != POF_ADDED) {
            if (d->index >= n_log || told_log[d->index]) {
                return false;
            }
            told_log[d->index] = true;
        }
        if (d->kind != POF_REMOVED) {
            if (d->given >= n_given || told_given[d->given]) {
                return false;
            }
            told_given[d->given] = true;
        }
        bool same =
            (d->kind == POF_MOVED || d->kind == POF_ALTERED) && log[d->index] == given[d->given];
        if (same != (d->kind == POF_MOVED)) {
            return false;
        }
    }
    size_t l = 0;
    for (size_t g = 0; g < n_given; g++) {
        if (told_given[g]) {
            continue;
        }
        while (l < n_log && told_log[l]) {
            l++;
        }
        if (l == n_log || log[l++] != given[g]) {
            return false;
        }
    }
    while (l < n_log && told_log[l]) {
        l++;
    }
    return l == n_log;
}

static int compare(const uint64_t *log, size_t n_log, const uint64_t *given, size_t n_given,
                   struct story *s)
{
    struct pof_hash a[2 * MAX], b[2 * MAX];
    for (size_t i = 0; i < n_log; i++) {
        a[i] = hash_of(log[i]);
    }
    for (size_t i = 0; i < n_given; i++) {
        b[i] = hash_of(given[i]);
    }
    struct pof_sequences q = {.log = a, .n_log = n_log, .given = b, .n_given = n_given};
    struct pof_err err = {0};
    s->n = 0;
    return pof_compare(&q, keep, s, &err);
}

/* The stream of a seed. */
struct stream {
    uint64_t seed, at;
};

static uint64_t below(struct stream *r, uint64_t n)
{
    return pof_below(pof_random(r->seed, r->at++, 0), n);
}

/* A random edit of `given`. */
static void edit(struct stream *r, uint64_t *given, size_t *n, uint64_t fresh)
{
    size_t at = *n ? (size_t)below(r, *n) : 0;
    switch (below(r, 4)) {
    case 0:
        if (*n) {
            given[at] = fresh;
        }
        break;
    case 1:
        if (*n < 2 * MAX - 1) {
            memmove(given + at + 1, given + at, (*n - at) * sizeof *given);
            given[at] = fresh;
            ++*n;
        }
        break;
    case 2:
        if (*n) {
            memmove(given + at, given + at + 1, (*n - at - 1) * sizeof *given);
            --*n;
        }
        break;
    default:
        if (*n) {
            uint64_t v = given[at];
            size_t to = (size_t)below(r, *n);
            memmove(given + at, given + at + 1, (*n - at - 1) * sizeof *given);
            memmove(given + to + 1, given + to, (*n - to - 1) * sizeof *given);
            given[to] = v;
        }
    }
}

static void random_edits(void)
{
    int wrong = 0, longer = 0;
    for (uint64_t seed = 1; seed <= 4000; seed++) {
        struct stream r = {seed, 0};
        uint64_t log[MAX], given[2 * MAX];
        size_t n_log = (size_t)below(&r, MAX);
        bool repeats = seed % 2;
        for (size_t i = 0; i < n_log; i++) {
            log[i] = repeats ? below(&r, 8) : i + 1;
        }
        size_t n = n_log;
        memcpy(given, log, n_log * sizeof *log);
        size_t edits = (size_t)below(&r, 6);
        for (size_t i = 0; i < edits; i++) {
            edit(&r, given, &n, 1000 + i);
        }
        struct story s;
        if (compare(log, n_log, given, n, &s) || !story_fits(&s, log, n_log, given, n)) {
            printf("# seed %d: the story is not true\n", (int)seed);
            wrong++;
        }
        /* An altered record that then moved counts as one edit and is told as two. */
        if (!repeats && s.n > 2 * edits) {
            printf("# seed %d: %zu differences of %zu edits\n", (int)seed, s.n, edits);
            longer++;
        }
    }
    is_int(wrong, 0, "4000 random edits: the story told is true");
    is_int(longer, 0, "and not longer than it must be");
}

static void single_edits(void)
{
    uint64_t log[] = {1, 2, 3, 4, 5};
    uint64_t altered[] = {1, 2, 9, 4, 5};
    uint64_t added[] = {1, 2, 9, 3, 4, 5};
    uint64_t removed[] = {1, 2, 4, 5};
    uint64_t moved[] = {1, 5, 2, 3, 4};
    struct story s;
    ok(compare(log, 5, log, 5, &s) == 0 && s.n == 0, "the same: nothing to tell");
    ok(compare(log, 5, altered, 5, &s) == 0 && s.n == 1 && s.d[0].kind == POF_ALTERED &&
           s.d[0].given == 2 && s.d[0].index == 2,
       "one altered");
    ok(compare(log, 5, added, 6, &s) == 0 && s.n == 1 && s.d[0].kind == POF_ADDED &&
           s.d[0].given == 2,
       "one added");
    ok(compare(log, 5, removed, 4, &s) == 0 && s.n == 1 && s.d[0].kind == POF_REMOVED &&
           s.d[0].index == 2,
       "one removed");
    ok(compare(log, 5, moved, 5, &s) == 0 && s.n == 1 && s.d[0].kind == POF_MOVED &&
           s.d[0].given == 1 && s.d[0].index == 4,
       "one moved");
    ok(compare(log, 5, log, 0, &s) == 0 && s.n == 5, "all removed");
    ok(compare(log, 0, log, 5, &s) == 0 && s.n == 5, "all added");
}

int main(void)
{
    single_edits();
    random_edits();
    return done();
}
