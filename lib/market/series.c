/* SPDX-License-Identifier: Apache-2.0 */
/* Powers by quarter-hour and ranks of names. */
#include "market/series.h"

#include "num/time.h"

#include <stdlib.h>

struct pof_series_entry {
    uint32_t quarter;
    uint32_t pod;
    int64_t p_w;
};

int pof_quarter_of(struct pof_text pod, int64_t start, int64_t duration_s, uint32_t *quarter,
                   struct pof_err *err)
{
    if (duration_s != POF_QUARTER_S || start % POF_QUARTER_S != 0 || start < 0 ||
        start / POF_QUARTER_S > UINT32_MAX) {
        char when[POF_INSTANT_MAX];
        int n = (int)pof_instant_format(start, when);
        return pof_fail(err, POF_E_RANGE,
                        "%lld s from %.*s of pod '%.*s' are not a quarter-hour; expected 900 s from "
                        "a full quarter",
                        (long long)duration_s, n, when, (int)pod.len, pod.ptr);
    }
    *quarter = (uint32_t)(start / POF_QUARTER_S);
    return 0;
}

int pof_series_add(struct pof_series *s, uint32_t pod, uint32_t quarter, int64_t p_w,
                   struct pof_err *err)
{
    int rc = pof_grow(&s->entry, &s->cap, s->n + 1, sizeof *s->entry, err);
    if (rc == 0) {
        s->entry[s->n++] = (struct pof_series_entry){quarter, pod, p_w};
    }
    return rc;
}

static uint64_t key_of(const struct pof_series_entry *e)
{
    return (uint64_t)e->quarter << 32 | e->pod;
}

/* The bits in which keys differ; *sorted: they never fall. */
static uint64_t key_bits(const struct pof_series *s, bool *sorted)
{
    uint64_t differ = 0;
    *sorted = true;
    for (size_t i = 1; i < s->n; i++) {
        uint64_t before = key_of(&s->entry[i - 1]);
        uint64_t key = key_of(&s->entry[i]);
        differ |= key ^ before;
        *sorted = *sorted && before <= key;
    }
    return differ;
}

/* One pass of a radix sort (D. Knuth, TAOCP volume 3, section 5.2.5): stable, by eight bits. */
static void pass(const struct pof_series_entry *from, struct pof_series_entry *to, size_t n,
                 int shift)
{
    size_t at[256] = {0};
    size_t sum = 0;
    for (size_t i = 0; i < n; i++) {
        at[key_of(&from[i]) >> shift & 255]++;
    }
    for (int d = 0; d < 256; d++) {
        size_t count = at[d];
        at[d] = sum;
        sum += count;
    }
    for (size_t i = 0; i < n; i++) {
        to[at[key_of(&from[i]) >> shift & 255]++] = from[i];
    }
}

static int sort_entries(struct pof_series *s, struct pof_err *err)
{
    bool sorted;
    uint64_t differ = key_bits(s, &sorted);
    struct pof_series_entry *other = NULL;
    int rc = sorted ? 0 : pof_calloc(&other, s->n, sizeof *other, err);
    if (rc || sorted) {
        return rc;
    }
    for (int shift = 0; shift < 64; shift += 8) {
        if (differ >> shift & 255) {
            struct pof_series_entry *swap = s->entry;
            pass(s->entry, other, s->n, shift);
            s->entry = other;
            other = swap;
        }
    }
    s->cap = s->n; /* which of the two arrays it is now may be the shorter one */
    free(other);
    return 0;
}

static int conflict(const struct pof_series_entry *e, const struct pof_names *pods,
                    const char *what, struct pof_err *err)
{
    char when[POF_INSTANT_MAX];
    size_t n = pof_instant_format((int64_t)e[0].quarter * POF_QUARTER_S, when);
    return pof_fail(err, POF_E_CONFLICT, "pod '%.*s' has two %ss at %.*s: %lld W and %lld W",
                    (int)pods->text[e->pod].len, pods->text[e->pod].ptr, what, (int)n, when,
                    (long long)(e[0].p_w < e[1].p_w ? e[0].p_w : e[1].p_w),
                    (long long)(e[0].p_w < e[1].p_w ? e[1].p_w : e[0].p_w));
}

int pof_series_seal(struct pof_series *s, const struct pof_names *pods, const char *what,
                    struct pof_err *err)
{
    size_t kept = 0;
    int rc = sort_entries(s, err);
    if (rc) {
        return rc;
    }
    for (size_t i = 0; i < s->n; i++) {
        const struct pof_series_entry *e = &s->entry[i];
        if (kept > 0 && e->quarter == s->entry[kept - 1].quarter &&
            e->pod == s->entry[kept - 1].pod) {
            if (e->p_w != s->entry[kept - 1].p_w) {
                const struct pof_series_entry two[2] = {s->entry[kept - 1], *e};
                return conflict(two, pods, what, err);
            }
            continue;
        }
        s->entry[kept++] = *e;
    }
    s->n = kept;
    return 0;
}

bool pof_series_find(const struct pof_series *s, uint32_t pod, uint32_t quarter, int64_t *p_w)
{
    size_t lo = 0;
    size_t hi = s->n;
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        const struct pof_series_entry *e = &s->entry[mid];
        if (e->quarter == quarter && e->pod == pod) {
            *p_w = e->p_w;
            return true;
        }
        if (e->quarter < quarter || (e->quarter == quarter && e->pod < pod)) {
            lo = mid + 1;
        } else {
            hi = mid;
        }
    }
    return false;
}

void pof_series_release(struct pof_series *s)
{
    free(s->entry);
    *s = (struct pof_series){0};
}

/* --- names --- */

int pof_award_once(struct pof_names *seen, struct pof_text session, struct pof_text award,
                   struct pof_err *err)
{
    struct pof_buf key = {0};
    uint32_t id;
    size_t before = seen->n;
    int rc = pof_buf_add(&key, session.ptr, session.len, err);
    rc = rc ? rc : pof_buf_add(&key, "", 1, err); /* NUL is in no name */
    rc = rc ? rc : pof_buf_add(&key, award.ptr, award.len, err);
    rc = rc ? rc : pof_names_add(seen, (struct pof_text){key.data, key.len}, &id, err);
    pof_buf_release(&key);
    if (rc == 0 && seen->n == before) {
        return pof_fail(err, POF_E_DUPLICATE, "award '%.*s' of session '%.*s' is given twice",
                        (int)award.len, award.ptr, (int)session.len, session.ptr);
    }
    return rc;
}

struct ranked {
    struct pof_text name;
    int (*cmp)(struct pof_text, struct pof_text); /* qsort hands nothing else on */
    uint32_t id;
};

static int ranked_cmp(const void *a, const void *b)
{
    const struct ranked *x = a;
    const struct ranked *y = b;
    return x->cmp(x->name, y->name);
}

int pof_names_rank(const struct pof_names *names, int (*cmp)(struct pof_text, struct pof_text),
                   uint32_t **rank, struct pof_err *err)
{
    struct ranked *sorted = NULL;
    *rank = NULL;
    int rc = pof_calloc(&sorted, names->n, sizeof *sorted, err);
    rc = rc ? rc : pof_calloc(rank, names->n, sizeof **rank, err);
    for (uint32_t i = 0; i < names->n && rc == 0; i++) {
        sorted[i] = (struct ranked){names->text[i], cmp, i};
    }
    if (rc == 0 && names->n > 1) {
        qsort(sorted, names->n, sizeof *sorted, ranked_cmp);
    }
    for (uint32_t i = 0; i < names->n && rc == 0; i++) {
        (*rank)[sorted[i].id] = i;
    }
    free(sorted);
    return rc;
}
