/* SPDX-License-Identifier: Apache-2.0 */
/* Loads of nodes from records of pods. */
#include "grid/loads.h"

#include "num/time.h"
#include "num/units.h"

#include <stdlib.h>
#include <string.h>

struct row {
    int64_t start, p_w, q_var;
    uint32_t pod; /* number in names */
};

struct rows {
    struct row *row;
    size_t n, cap;
};

struct pof_loads_rows {
    struct rows load, change; /* baselines or measurements; outcomes */
    struct pof_names names;   /* of pods */
    uint32_t *node;           /* [nodes_cap] node of each name; POF_NONE: not registered */
    size_t nodes, nodes_cap;
    struct pof_names outcomes; /* session and award of those taken */
    bool baselines, measurements;
};

/* An instant as a C string for messages. */
struct when {
    char text[POF_INSTANT_MAX + 1];
};

static struct when when(int64_t s)
{
    struct when w;
    w.text[pof_instant_format(s, w.text)] = '\0';
    return w;
}

int pof_loads_init(struct pof_loads *l, const struct pof_grid *grid, struct pof_err *err)
{
    *l = (struct pof_loads){.grid = grid};
    int rc = pof_calloc(&l->rows, 1, sizeof *l->rows, err);
    return rc ? rc : pof_calloc(&l->has_pod, grid->nodes, sizeof *l->has_pod, err);
}

/* --- taking records --- */

static int pod_number(struct pof_loads_rows *r, struct pof_text name, uint32_t *id,
                      struct pof_err *err)
{
    int rc = pof_names_add(&r->names, name, id, err);
    if (rc == 0 && *id == r->nodes) {
        rc = pof_grow(&r->node, &r->nodes_cap, r->nodes + 1, sizeof *r->node, err);
        if (rc == 0) {
            r->node[r->nodes++] = POF_NONE;
        }
    }
    return rc;
}

static int take_pod(struct pof_loads *l, const struct pof_pod *pod, struct pof_err *err)
{
    struct pof_loads_rows *r = l->rows;
    uint32_t id, node = pof_names_find(&l->grid->node_names, pod->node);
    if (node == POF_NONE) {
        pof_fail(err, POF_E_REFERENCE, "the grid has no node '%.*s'", (int)pod->node.len,
                 pod->node.ptr);
        return pof_at(err, NULL, 0, "node");
    }
    int rc = pod_number(r, pod->pod, &id, err);
    if (rc == 0 && r->node[id] != POF_NONE) {
        pof_fail(err, POF_E_DUPLICATE, "pod '%.*s' is registered twice", (int)pod->pod.len,
                 pod->pod.ptr);
        return pof_at(err, NULL, 0, "pod");
    }
    if (rc == 0) {
        r->node[id] = node;
        l->has_pod[node] = true;
        l->pods++;
    }
    return rc;
}

static int check_quarter(int64_t start, int64_t duration_s, struct pof_err *err)
{
    if (duration_s != POF_QUARTER_S) {
        pof_fail(err, POF_E_RANGE, "'%lld' is not a quarter-hour; %d s are expected",
                 (long long)duration_s, POF_QUARTER_S);
        return pof_at(err, NULL, 0, "duration_s");
    }
    if (start % POF_QUARTER_S != 0) {
        pof_fail(err, POF_E_RANGE, "'%s' is not the begin of a quarter-hour", when(start).text);
        return pof_at(err, NULL, 0, "start");
    }
    return 0;
}

static int add_row(struct pof_loads_rows *r, struct rows *rows, struct pof_text pod,
                   struct row row, struct pof_err *err)
{
    int rc = pod_number(r, pod, &row.pod, err);
    rc = rc ? rc : pof_grow(&rows->row, &rows->cap, rows->n + 1, sizeof row, err);
    if (rc == 0) {
        rows->row[rows->n++] = row;
    }
    return rc;
}

static int take_baseline(struct pof_loads_rows *r, const struct pof_baseline *b,
                         struct pof_err *err)
{
    int64_t q_var = POF_HAS(b, baseline, q_var) ? b->q_var : 0;
    int rc = check_quarter(b->start, b->duration_s, err);
    r->baselines = true;
    struct row row = {b->start, b->p_w, q_var, 0};
    return rc ? rc : add_row(r, &r->load, b->pod, row, err);
}

static int take_measurement(struct pof_loads_rows *r, const struct pof_measurement *m,
                            struct pof_err *err)
{
    int64_t q_var = POF_HAS(m, measurement, q_var) ? m->q_var : 0;
    int rc = check_quarter(m->start, m->duration_s, err);
    r->measurements = true;
    struct row row = {m->start, m->p_w, q_var, 0};
    return rc ? rc : add_row(r, &r->load, m->pod, row, err);
}

static int take_outcome(struct pof_loads_rows *r, const struct pof_outcome *o, struct pof_err *err)
{
    char key[256]; /* session and award are at most 32 and 160 bytes */
    size_t n = o->session.len, m = o->award.len;
    int rc = check_quarter(o->start, o->duration_s, err);
    if (rc) {
        return rc;
    }
    if (n + m + 1 > sizeof key) {
        return pof_fail(err, POF_E_TOO_LONG, "session and award are too long");
    }
    memcpy(key, o->session.ptr, n);
    key[n] = '\n';
    memcpy(key + n + 1, o->award.ptr, m);
    uint32_t id;
    size_t known = r->outcomes.n;
    rc = pof_names_add(&r->outcomes, (struct pof_text){key, n + m + 1}, &id, err);
    if (rc == 0 && id < known) {
        pof_fail(err, POF_E_DUPLICATE, "the outcome of award '%.*s' is given twice",
                 (int)o->award.len, o->award.ptr);
        return pof_at(err, NULL, 0, "award");
    }
    struct row row = {o->start, o->direction == POF_UP ? -o->p_w : o->p_w, 0, 0};
    return rc ? rc : add_row(r, &r->change, o->pod, row, err);
}

int pof_loads_take(struct pof_loads *l, const struct pof_record *record, struct pof_err *err)
{
    struct pof_loads_rows *r = l->rows;
    int rc;
    switch (record->type) {
    case POF_pod:
        return take_pod(l, &record->u.pod, err);
    case POF_baseline:
        rc = take_baseline(r, &record->u.baseline, err);
        break;
    case POF_measurement:
        rc = take_measurement(r, &record->u.measurement, err);
        break;
    case POF_outcome:
        rc = take_outcome(r, &record->u.outcome, err);
        break;
    default:
        return pof_fail(err, POF_E_SCHEMA, "a record of type '%s' says nothing about loads",
                        pof_layout(record->type)->name);
    }
    if (rc == 0 && r->measurements && (r->baselines || r->change.n > 0)) {
        rc = pof_fail(err, POF_E_CONFLICT,
                      "measurements together with baselines or outcomes; what was measured contains "
                      "both, so give one or the other");
    }
    return rc;
}

/* --- building --- */

static int by_start_and_pod(const void *a, const void *b)
{
    const struct row *x = a;
    const struct row *y = b;
    if (x->start != y->start) {
        return x->start < y->start ? -1 : 1;
    }
    return (x->pod > y->pod) - (x->pod < y->pod);
}

static int find_node(const struct pof_loads_rows *r, const struct row *row, uint32_t *node,
                     struct pof_err *err)
{
    *node = r->node[row->pod];
    struct pof_text name = r->names.text[row->pod];
    return *node != POF_NONE
               ? 0
               : pof_fail(err, POF_E_REFERENCE,
                          "the load of pod '%.*s' at %s: no pod record registers it", (int)name.len,
                          name.ptr, when(row->start).text);
}

/* Sums of one quarter-hour, [nodes] each. */
struct sums {
    int64_t *p, *q;
};

static int add_case(const struct pof_loads *l, struct sums *s, const struct row *row, size_t n,
                    struct pof_err *err)
{
    const struct pof_loads_rows *r = l->rows;
    for (size_t i = 0; i < n; i++) {
        uint32_t node;
        int rc = find_node(r, &row[i], &node, err);
        rc = rc ? rc : pof_add(&s->p[node], row[i].p_w, err);
        rc = rc ? rc : pof_add(&s->q[node], row[i].q_var, err);
        if (rc) {
            return rc;
        }
    }
    return 0;
}

static size_t same_start(const struct rows *rows, size_t from)
{
    size_t i = from;
    while (i < rows->n && rows->row[i].start == rows->row[from].start) {
        i++;
    }
    return i - from;
}

static int refuse_twice(const struct pof_loads_rows *r, struct pof_err *err)
{
    for (size_t i = 1; i < r->load.n; i++) {
        const struct row *row = &r->load.row[i];
        if (by_start_and_pod(row - 1, row) == 0) {
            struct pof_text name = r->names.text[row->pod];
            return pof_fail(err, POF_E_DUPLICATE, "pod '%.*s' has two loads at %s", (int)name.len,
                            name.ptr, when(row->start).text);
        }
    }
    return 0;
}

/* One quarter-hour after the other; outcomes of quarter-hours without loads are passed over. */
static int fill(struct pof_loads *l, struct sums *s, struct pof_err *err)
{
    struct pof_loads_rows *r = l->rows;
    uint32_t nodes = l->grid->nodes;
    size_t change = 0;
    int rc = 0;
    l->cases = 0;
    for (size_t at = 0; at < r->load.n && rc == 0;) {
        int64_t start = r->load.row[at].start;
        size_t n = same_start(&r->load, at);
        memset(s->p, 0, nodes * sizeof *s->p);
        memset(s->q, 0, nodes * sizeof *s->q);
        rc = add_case(l, s, r->load.row + at, n, err);
        while (change < r->change.n && r->change.row[change].start < start) {
            change++;
            l->outside++;
        }
        if (rc == 0 && change < r->change.n && r->change.row[change].start == start) {
            size_t m = same_start(&r->change, change);
            rc = add_case(l, s, r->change.row + change, m, err);
            change += m;
        }
        for (uint32_t i = 0; i < nodes && rc == 0; i++) {
            l->p_w[(size_t)l->cases * nodes + i] = (double)s->p[i];
            l->q_var[(size_t)l->cases * nodes + i] = (double)s->q[i];
        }
        l->missing += l->pods > n ? l->pods - n : 0;
        l->start[l->cases++] = start;
        at += n;
    }
    l->outside += r->change.n - change;
    for (size_t i = 0; i < r->change.n && rc == 0; i++) {
        uint32_t node;
        rc = find_node(r, &r->change.row[i], &node, err); /* also those outside must make sense */
    }
    return rc;
}

static uint32_t count_cases(const struct rows *rows)
{
    uint32_t n = 0;
    for (size_t at = 0; at < rows->n; at += same_start(rows, at)) {
        n++;
    }
    return n;
}

static void free_rows(struct pof_loads *l)
{
    if (l->rows) {
        free(l->rows->load.row);
        free(l->rows->change.row);
        free(l->rows->node);
        pof_names_release(&l->rows->names);
        pof_names_release(&l->rows->outcomes);
        free(l->rows);
        l->rows = NULL;
    }
}

int pof_loads_build(struct pof_loads *l, int64_t at, struct pof_err *err)
{
    struct pof_loads_rows *r = l->rows;
    struct sums s = {0};
    if (r->load.n > 1) {
        qsort(r->load.row, r->load.n, sizeof(struct row), by_start_and_pod);
    }
    if (r->change.n > 1) {
        qsort(r->change.row, r->change.n, sizeof(struct row), by_start_and_pod);
    }
    uint32_t cases = count_cases(&r->load);
    size_t cells = (size_t)(cases ? cases : 1) * l->grid->nodes;
    int rc = refuse_twice(r, err);
    rc = rc ? rc : pof_calloc(&l->start, cases ? cases : 1, sizeof *l->start, err);
    rc = rc ? rc : pof_calloc(&l->p_w, cells, sizeof *l->p_w, err);
    rc = rc ? rc : pof_calloc(&l->q_var, cells, sizeof *l->q_var, err);
    rc = rc ? rc : pof_calloc(&s.p, l->grid->nodes, sizeof *s.p, err);
    rc = rc ? rc : pof_calloc(&s.q, l->grid->nodes, sizeof *s.q, err);
    rc = rc ? rc : fill(l, &s, err);
    if (rc == 0 && l->cases == 0) {
        l->cases = 1;
        l->start[0] = at;
        l->missing = l->pods;
    }
    free(s.p);
    free(s.q);
    free_rows(l);
    return rc;
}

void pof_loads_release(struct pof_loads *l)
{
    free_rows(l);
    free(l->start);
    free(l->p_w);
    free(l->q_var);
    free(l->has_pod);
    *l = (struct pof_loads){0};
}
