/* SPDX-License-Identifier: Apache-2.0 */
/* Full rank seen without elimination.
 *
 * Unknowns whose differences are determined are a group; those whose values are, the group of the
 * ground, of value 0. Summed up over groups, a row of one group determines it, and a row of two with
 * opposite coefficients joins them. Injections spread from the leaves of a feeder to its root that
 * way, flows along branches; the grid needs no factors where nothing is left alone.
 *
 * A row waits while it has three groups, or two that it cannot join. It is read entry by entry, only
 * as far as needed, and looked at again when one of its groups is joined to another: of two groups
 * the one with fewer waiting rows tells them, so that a row is told O(log n) times of each. */
#include "grid/estimate_rank.h"

#include "base/mem.h"

#include <stdlib.h>

enum { HELD = 3 };

static const uint32_t NONE = UINT32_MAX;

/* A row that waits, in the list of one of its groups. */
struct waiter {
    uint32_t row, next;
};

struct group {
    uint32_t parent; /* itself: it stands for its group */
    uint32_t first, last, waiting;
};

/* How far a row is read. */
struct reading {
    size_t at;              /* next of its entries, two for each block */
    uint32_t groups;        /* of what was read */
    uint32_t member[HELD];  /* one unknown of each ... */
    uint64_t sum[HELD];     /* ... and what its coefficients add up to */
    bool due;               /* on the heap of rows to look at */
};

struct spread {
    const struct pof_rank_rows *in;
    uint32_t ground, apart; /* apart: groups beside that of the ground */
    struct group *group;    /* [unknowns + 1] */
    struct reading *row;    /* [rows] */
    uint32_t *due;          /* [rows] */
    size_t n_due;
    struct waiter *waiter;
    size_t waiters, waiter_cap;
};

static uint32_t group_of(struct spread *s, uint32_t unknown)
{
    while (s->group[unknown].parent != unknown) {
        uint32_t up = s->group[unknown].parent;
        s->group[unknown].parent = s->group[up].parent;
        unknown = up;
    }
    return unknown;
}

static int wait_for(struct spread *s, uint32_t row, uint32_t which, struct pof_err *err)
{
    int rc = pof_grow(&s->waiter, &s->waiter_cap, s->waiters + 1, sizeof *s->waiter, err);
    if (rc != 0) {
        return rc;
    }
    struct group *g = &s->group[which];
    uint32_t own = (uint32_t)s->waiters++;
    s->waiter[own] = (struct waiter){row, g->first};
    g->last = g->first == NONE ? own : g->last;
    g->first = own;
    g->waiting++;
    return 0;
}

/* One group of two; rows that wait for one of them are looked at again. */
static void join(struct spread *s, uint32_t a, uint32_t b)
{
    bool keep_b = b == s->ground || (a != s->ground && s->group[b].waiting > s->group[a].waiting);
    struct group *from = &s->group[keep_b ? a : b];
    struct group *to = &s->group[keep_b ? b : a];
    from->parent = keep_b ? b : a;
    s->apart--;
    for (uint32_t i = from->first; i != NONE; i = s->waiter[i].next) {
        uint32_t row = s->waiter[i].row;
        if (!s->row[row].due) {
            s->row[row].due = true;
            s->due[s->n_due++] = row;
        }
    }
    if (from->first != NONE && to != &s->group[s->ground]) {
        s->waiter[from->last].next = to->first;
        to->last = to->first == NONE ? from->last : to->last;
        to->first = from->first;
        to->waiting += from->waiting;
    }
}

/* Adds to the group of an unknown; false: it would be one more than can be held. */
static bool add(struct spread *s, struct reading *r, uint32_t unknown, uint64_t factor)
{
    uint32_t own = group_of(s, unknown);
    uint32_t k = 0;
    if (own == s->ground) {
        return true;
    }
    while (k < r->groups && group_of(s, r->member[k]) != own) {
        k++;
    }
    if (k == HELD) {
        return false;
    }
    r->sum[k] = k < r->groups ? pof_rank_add(r->sum[k], factor) : factor;
    r->member[k] = k < r->groups ? r->member[k] : unknown;
    r->groups += k == r->groups;
    return true;
}

/* Groups that were joined since count once. */
static void collect(struct spread *s, struct reading *r)
{
    struct reading old = *r;
    r->groups = 0;
    for (uint32_t k = 0; k < old.groups; k++) {
        (void)add(s, r, old.member[k], old.sum[k]);
    }
}

/* Reads on until three groups are found, or all. */
static int read_on(struct spread *s, uint32_t row, struct pof_err *err)
{
    struct reading *r = &s->row[row];
    int rc = 0;
    collect(s, r);
    for (; rc == 0 && r->at < 2 * s->in->begin[row + 1]; r->at++) {
        uint32_t unknown = 2 * s->in->block[r->at / 2] + (uint32_t)(r->at % 2);
        uint32_t before = r->groups;
        if (s->in->value[r->at] == 0) {
            continue;
        }
        if (!add(s, r, unknown, s->in->value[r->at])) {
            break;
        }
        rc = r->groups > before ? wait_for(s, row, group_of(s, unknown), err) : 0;
    }
    return rc;
}

static int look_at(struct spread *s, uint32_t row, struct pof_err *err)
{
    struct reading *r = &s->row[row];
    uint32_t group[HELD], n = 0;
    uint64_t sum = 0;
    int rc = read_on(s, row, err);
    if (rc != 0 || r->at < 2 * s->in->begin[row + 1]) {
        return rc;
    }
    for (uint32_t k = 0; k < r->groups; k++) {
        group[n] = group_of(s, r->member[k]);
        sum = pof_rank_add(sum, r->sum[k]);
        n += r->sum[k] != 0;
    }
    if (n == 1 || (n == 2 && sum == 0)) {
        join(s, group[0], n == 1 ? s->ground : group[1]);
    }
    return 0;
}

static int begin(struct spread *s, const struct pof_rank_rows *in, struct pof_err *err)
{
    *s = (struct spread){.in = in, .ground = 2 * in->blocks, .apart = 2 * in->blocks};
    int rc = pof_calloc(&s->group, (size_t)s->ground + 1, sizeof *s->group, err);
    rc = rc == 0 ? pof_calloc(&s->row, in->rows, sizeof *s->row, err) : rc;
    rc = rc == 0 ? pof_calloc(&s->due, in->rows, sizeof *s->due, err) : rc;
    for (uint32_t i = 0; rc == 0 && i <= s->ground; i++) {
        s->group[i] = (struct group){i, NONE, NONE, 0};
    }
    for (size_t i = in->rows; rc == 0 && i-- > 0;) {
        s->row[i].at = 2 * in->begin[i];
        s->row[i].due = true;
        s->due[s->n_due++] = (uint32_t)i;
    }
    return rc;
}

int pof_rank_spread(const struct pof_rank_rows *rows, bool *full, struct pof_err *err)
{
    struct spread s = {0};
    int rc = rows->rows < NONE ? begin(&s, rows, err) : 0;
    while (rc == 0 && s.n_due > 0 && s.apart > 0) {
        uint32_t row = s.due[--s.n_due];
        s.row[row].due = false;
        rc = look_at(&s, row, err);
    }
    *full = rc == 0 && rows->rows < NONE && s.apart == 0;
    free(s.group);
    free(s.row);
    free(s.due);
    free(s.waiter);
    return rc;
}
