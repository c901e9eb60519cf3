/* SPDX-License-Identifier: Apache-2.0 */
/* Records sorted into columns of instants. */
#include "view/view.h"

#include "num/time.h"
#include "record/writer.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    const char *name, *unit;
} quantities[POF_VIEW_QUANTITIES] = {
    [POF_VIEW_V_PU] = {"v_pu", "p.u."},           [POF_VIEW_ANGLE_DEG] = {"angle_deg", "degrees"},
    [POF_VIEW_P_W] = {"p_w", "W"},                [POF_VIEW_Q_VAR] = {"q_var", "var"},
    [POF_VIEW_P_TO_W] = {"p_to_w", "W"},          [POF_VIEW_Q_TO_VAR] = {"q_to_var", "var"},
    [POF_VIEW_I_A] = {"i_a", "A"},                [POF_VIEW_LOADING_PCT] = {"loading_pct", "%"},
    [POF_VIEW_SD_V_PU] = {"sd_v_pu", "p.u."},     [POF_VIEW_PRICE] = {"price_eur_mwh", "EUR/MWh"}};

const char *pof_view_quantity_name(enum pof_view_quantity q)
{
    return quantities[q].name;
}

const char *pof_view_quantity_unit(enum pof_view_quantity q)
{
    return quantities[q].unit;
}

int pof_view_init(struct pof_view *view, const struct pof_grid *grid, struct pof_err *err)
{
    *view = (struct pof_view){.grid = grid};
    int rc = pof_calloc(&view->x, grid->nodes, sizeof *view->x, err);
    rc = rc ? rc : pof_calloc(&view->y, grid->nodes, sizeof *view->y, err);
    return rc ? rc : pof_view_place(grid, view->x, view->y, err);
}

void pof_view_release(struct pof_view *view)
{
    for (size_t c = 0; c < view->columns; c++) {
        for (size_t i = 0; i < view->column[c].rows; i++) {
            free(view->column[c].row[i]);
        }
        free(view->column[c].row);
    }
    free(view->column);
    free(view->x);
    free(view->y);
    free(view->instant);
    free(view->slot);
    free(view->note);
    pof_arena_release(&view->arena);
    *view = (struct pof_view){0};
}

static size_t slot_of(const struct pof_view *v, int64_t t)
{
    size_t at = (size_t)(((uint64_t)t * UINT64_C(0x9e3779b97f4a7c15)) >> 32) & (v->slots - 1);
    while (v->slot[at] && v->instant[v->slot[at] - 1] != t) {
        at = (at + 1) & (v->slots - 1);
    }
    return at;
}

static int grow_slots(struct pof_view *v, struct pof_err *err)
{
    size_t slots = v->slots ? 2 * v->slots : 64;
    uint32_t *fresh;
    int rc = pof_calloc(&fresh, slots, sizeof *fresh, err);
    if (rc) {
        return rc;
    }
    free(v->slot);
    v->slot = fresh;
    v->slots = slots;
    for (size_t i = 0; i < v->instants; i++) {
        v->slot[slot_of(v, v->instant[i])] = (uint32_t)i + 1;
    }
    return 0;
}

static int instant_number(struct pof_view *v, int64_t t, size_t *number, struct pof_err *err)
{
    int rc = 2 * v->instants >= v->slots ? grow_slots(v, err) : 0;
    if (rc) {
        return rc;
    }
    size_t at = slot_of(v, t);
    if (v->slot[at] == 0) {
        rc = pof_grow(&v->instant, &v->instants_cap, v->instants + 1, sizeof *v->instant, err);
        if (rc) {
            return rc;
        }
        v->instant[v->instants++] = t;
        v->slot[at] = (uint32_t)v->instants;
    }
    *number = v->slot[at] - 1;
    return 0;
}

static int column_of(struct pof_view *v, const struct pof_view_column *key, struct pof_view_column **out,
                     struct pof_err *err)
{
    for (size_t c = 0; c < v->columns; c++) {
        struct pof_view_column *k = &v->column[c];
        if (k->of_branches == key->of_branches && k->quantity == key->quantity && k->phase == key->phase) {
            *out = k;
            return 0;
        }
    }
    int rc = pof_grow(&v->column, &v->columns_cap, v->columns + 1, sizeof *v->column, err);
    if (rc == 0) {
        v->column[v->columns] = *key;
        *out = &v->column[v->columns++];
    }
    return rc;
}

static size_t elements(const struct pof_view *v, bool of_branches)
{
    return of_branches ? v->grid->branches : v->grid->nodes;
}

/* Room for instants 0 .. i in a column, and the row of i. */
static int row_of(const struct pof_view *v, struct pof_view_column *c, size_t i, struct pof_err *err)
{
    if (i >= c->rows) {
        size_t want = i + 1 > 2 * c->rows ? i + 1 : 2 * c->rows;
        double **fresh = realloc(c->row, want * sizeof *fresh);
        if (fresh == NULL) {
            return pof_fail(err, POF_E_NOMEM, "out of memory for %zu instants", want);
        }
        memset(fresh + c->rows, 0, (want - c->rows) * sizeof *fresh);
        c->row = fresh;
        c->rows = want;
    }
    if (c->row[i] == NULL) {
        size_t n = elements(v, c->of_branches);
        int rc = pof_calloc(&c->row[i], n, sizeof **c->row, err);
        for (size_t k = 0; rc == 0 && k < n; k++) {
            c->row[i][k] = NAN;
        }
        return rc;
    }
    return 0;
}

/* One value of an element. */
static int put(struct pof_view *v, const struct pof_view_column *key, size_t instant, uint32_t element,
               double value, struct pof_err *err)
{
    struct pof_view_column *c;
    int rc = column_of(v, key, &c, err);
    rc = rc ? rc : row_of(v, c, instant, err);
    if (rc) {
        return rc;
    }
    double *to = &c->row[instant][element];
    if (!isnan(*to)) {
        char when[POF_INSTANT_MAX];
        int n = (int)pof_instant_format(v->instant[instant], when);
        const struct pof_text *name = key->of_branches ? &v->grid->branch[element].name
                                                       : &v->grid->node[element].name;
        return pof_fail(err, POF_E_CONFLICT,
                        "a second %s of '%.*s' at %.*s; show one computation at a time",
                        quantities[key->quantity].name, (int)name->len, name->ptr, n, when);
    }
    *to = value;
    return 0;
}

static int find(const struct pof_view *v, bool branch, struct pof_text name, uint32_t *element,
                struct pof_err *err)
{
    *element = pof_names_find(branch ? &v->grid->branch_names : &v->grid->node_names, name);
    if (*element == POF_NONE) {
        return pof_fail(err, POF_E_REFERENCE, "the grid has no %s '%.*s'", branch ? "branch" : "node",
                        (int)name.len, name.ptr);
    }
    return 0;
}

static int take_state(struct pof_view *v, const struct pof_state *s, struct pof_err *err)
{
    static const struct {
        size_t offset;
        unsigned bit;
        enum pof_view_quantity q;
    } parts[] = {
        {offsetof(struct pof_state, v_pu), POF_BIT_state_v_pu, POF_VIEW_V_PU},
        {offsetof(struct pof_state, angle_deg), POF_BIT_state_angle_deg, POF_VIEW_ANGLE_DEG},
        {offsetof(struct pof_state, p_w), POF_BIT_state_p_w, POF_VIEW_P_W},
        {offsetof(struct pof_state, q_var), POF_BIT_state_q_var, POF_VIEW_Q_VAR},
        {offsetof(struct pof_state, p_to_w), POF_BIT_state_p_to_w, POF_VIEW_P_TO_W},
        {offsetof(struct pof_state, q_to_var), POF_BIT_state_q_to_var, POF_VIEW_Q_TO_VAR},
        {offsetof(struct pof_state, i_a), POF_BIT_state_i_a, POF_VIEW_I_A},
        {offsetof(struct pof_state, loading_pct), POF_BIT_state_loading_pct, POF_VIEW_LOADING_PCT},
        {offsetof(struct pof_state, sd_v_pu), POF_BIT_state_sd_v_pu, POF_VIEW_SD_V_PU}};
    struct pof_view_column key = {.of_branches = s->element == 1,
                                  .phase = POF_HAS(s, state, phase) ? s->phase + 1 : 0};
    uint32_t element;
    size_t instant;
    int rc = find(v, key.of_branches, s->name, &element, err);
    rc = rc ? rc : instant_number(v, s->start, &instant, err);
    for (size_t i = 0; rc == 0 && i < sizeof parts / sizeof parts[0]; i++) {
        if (s->has >> parts[i].bit & 1u) {
            double value;
            memcpy(&value, (const char *)s + parts[i].offset, sizeof value);
            key.quantity = parts[i].q;
            rc = put(v, &key, instant, element, value, err);
        }
    }
    return rc;
}

/* Prices of sessions overlap in time: the sessions stand in the notes, the last price on the map. */
static int take_price(struct pof_view *v, const struct pof_node_price *p, struct pof_err *err)
{
    uint32_t node;
    size_t instant;
    int rc = find(v, false, p->node, &node, err);
    if (rc || p->scope != 0) {
        return rc;
    }
    rc = instant_number(v, p->start, &instant, err);
    struct pof_view_column key = {.quantity = POF_VIEW_PRICE};
    return rc ? rc : put(v, &key, instant, node, (double)p->price_ueur_mwh / 1e6, err);
}

static int keep(struct pof_view *v, const struct pof_record *r, int64_t start, struct pof_err *err)
{
    struct pof_buf b = {0};
    int rc = pof_grow(&v->note, &v->notes_cap, v->notes + 1, sizeof *v->note, err);
    rc = rc ? rc : pof_record_format(&b, r->type, &r->u, err);
    char *text = rc ? NULL : pof_arena_text(&v->arena, b.data, b.len, err);
    if (text) {
        v->note[v->notes++] = (struct pof_view_note){r->type, start, {text, b.len}};
    }
    pof_buf_release(&b);
    return rc ? rc : text ? 0 : (int)POF_E_NOMEM;
}

/* A place in a record must be one of the grid; an empty name is none. */
static int keep_at(struct pof_view *v, const struct pof_record *r, struct pof_text node, int64_t start,
                   struct pof_err *err)
{
    uint32_t element;
    int rc = node.len ? find(v, false, node, &element, err) : 0;
    return rc ? rc : keep(v, r, start, err);
}

static int keep_request(struct pof_view *v, const struct pof_record *r, struct pof_err *err)
{
    const struct pof_request *q = &r->u.request;
    uint32_t element;
    int rc = POF_HAS(q, request, branch) ? find(v, true, q->branch, &element, err) : 0;
    return rc ? rc : keep_at(v, r, POF_HAS(q, request, node) ? q->node : (struct pof_text){0}, q->start, err);
}

int pof_view_take(struct pof_view *view, const struct pof_record *r, struct pof_err *err)
{
    uint32_t element;
    switch (r->type) {
    case POF_state:
        return take_state(view, &r->u.state, err);
    case POF_node_price:
        return take_price(view, &r->u.node_price, err);
    case POF_request:
        return keep_request(view, r, err);
    case POF_award:
        return keep_at(view, r, r->u.award.node, r->u.award.start, err);
    case POF_outcome:
        return keep_at(view, r, r->u.outcome.node, r->u.outcome.start, err);
    case POF_estimate:
        return keep(view, r, r->u.estimate.start, err);
    case POF_contingency:
        return keep(view, r, r->u.contingency.start, err);
    case POF_session:
        return keep(view, r, r->u.session.start, err);
    case POF_verdict:
        return keep(view, r, 0, err);
    case POF_doubt:
        if (find(view, true, r->u.doubt.branch, &element, err)) {
            return err ? (int)err->code : (int)POF_E_REFERENCE;
        }
        return keep(view, r, r->u.doubt.start, err);
    default:
        return pof_fail(err, POF_E_SCHEMA, "a %s is nothing that can be shown on a grid", pof_layout(r->type)->name);
    }
}

static int by_note(const void *a, const void *b)
{
    const struct pof_view_note *x = a, *y = b;
    if (x->type != y->type) {
        return x->type < y->type ? -1 : 1;
    }
    if (x->start != y->start) {
        return x->start < y->start ? -1 : 1;
    }
    return pof_text_cmp(x->json, y->json);
}

static int by_column(const void *a, const void *b)
{
    const struct pof_view_column *x = a, *y = b;
    int kind = (x->of_branches > y->of_branches) - (x->of_branches < y->of_branches);
    int quantity = (x->quantity > y->quantity) - (x->quantity < y->quantity);
    return kind ? kind : quantity ? quantity : (x->phase > y->phase) - (x->phase < y->phase);
}

/* An instant and where it stood. */
struct dated {
    int64_t t;
    size_t was;
};

static int by_time(const void *a, const void *b)
{
    const struct dated *x = a, *y = b;
    return (x->t > y->t) - (x->t < y->t);
}

static int sort_rows(struct pof_view *v, const struct dated *d, struct pof_err *err)
{
    for (size_t c = 0; c < v->columns; c++) {
        struct pof_view_column *k = &v->column[c];
        double **row;
        int rc = pof_calloc(&row, v->instants, sizeof(double *), err);
        if (rc) {
            return rc;
        }
        for (size_t i = 0; i < v->instants; i++) {
            row[i] = d[i].was < k->rows ? k->row[d[i].was] : NULL;
        }
        free(k->row);
        k->row = row;
        k->rows = v->instants;
    }
    return 0;
}

int pof_view_close(struct pof_view *view, struct pof_err *err)
{
    struct dated *d;
    int rc = pof_calloc(&d, view->instants, sizeof *d, err);
    if (rc) {
        return rc;
    }
    for (size_t i = 0; i < view->instants; i++) {
        d[i] = (struct dated){view->instant[i], i};
    }
    qsort(d, view->instants, sizeof *d, by_time);
    rc = sort_rows(view, d, err);
    for (size_t i = 0; rc == 0 && i < view->instants; i++) {
        view->instant[i] = d[i].t;
    }
    free(d);
    if (view->columns) {
        qsort(view->column, view->columns, sizeof *view->column, by_column);
    }
    if (view->notes) {
        qsort(view->note, view->notes, sizeof *view->note, by_note);
    }
    return rc;
}

double pof_view_value(const struct pof_view *view, bool of_branches, enum pof_view_quantity q, size_t instant,
                      uint32_t element)
{
    double best = NAN;
    for (size_t c = 0; c < view->columns; c++) {
        const struct pof_view_column *k = &view->column[c];
        if (k->of_branches != of_branches || k->quantity != q || instant >= k->rows || k->row[instant] == NULL) {
            continue;
        }
        double value = k->row[instant][element];
        bool more = q == POF_VIEW_V_PU ? fabs(value - 1) > fabs(best - 1) : value > best;
        if (isnan(best) || more) {
            best = value;
        }
    }
    return best;
}

size_t pof_view_instant_at(const struct pof_view *view, int64_t t)
{
    size_t low = 0, high = view->instants;
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        if (view->instant[mid] <= t) {
            low = mid + 1;
        } else {
            high = mid;
        }
    }
    return low ? low - 1 : SIZE_MAX;
}
