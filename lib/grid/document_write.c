/* SPDX-License-Identifier: Apache-2.0 */
/* Writing pof.grid/1 documents. */
#include "grid/build.h"
#include "grid/document.h"
#include "num/real.h"
#include "record/writer.h"

int pofi_put_key(struct pof_buf *to, const char *key, struct pof_err *err)
{
    return pof_buf_addf(to, err, ", \"%s\": ", key);
}

int pofi_put_real(struct pof_buf *to, const char *key, double v, struct pof_err *err)
{
    char text[POF_REAL_MAX];
    size_t n = pof_real_format(v, text);
    int rc = pofi_put_key(to, key, err);
    return rc ? rc : pof_buf_add(to, text, n, err);
}

int pofi_put_text(struct pof_buf *to, const char *key, struct pof_text text, struct pof_err *err)
{
    int rc = pofi_put_key(to, key, err);
    return rc ? rc : pof_json_string(to, text, err);
}

int pofi_put_members(struct pof_buf *to, const struct pofi_member *m, const void *base,
                       struct pof_err *err)
{
    int rc = 0;
    for (; m->key && rc == 0; m++) {
        double v = *(const double *)(const void *)((const char *)base + m->offset);
        if (m->required || v != m->without) {
            rc = pofi_put_real(to, m->key, v, err);
        }
    }
    return rc;
}

static int put_angle(struct pof_buf *to, const char *key, double rad, struct pof_err *err)
{
    return rad == 0 ? 0 : pofi_put_real(to, key, pof_deg_of_rad(rad), err);
}

static int put_node(struct pof_buf *to, const struct pof_node *n, struct pof_err *err)
{
    if (n->base_v < 50) { /* such as the reader refuses, for a unit is likely wrong */
        return pof_fail(err, POF_E_RANGE, "node '%s' of %.15g V: a document holds 50 V and more",
                        n->name.ptr, n->base_v);
    }
    int rc = pof_buf_adds(to, "{\"name\": ", err);
    rc = rc ? rc : pof_json_string(to, n->name, err);
    rc = rc ? rc : pofi_put_real(to, "base_v", n->base_v, err);
    if (rc == 0 && n->kind != POF_NODE_PQ) {
        rc = pofi_put_text(to, "kind", pof_text(pofi_node_kinds[n->kind]), err);
        rc = rc ? rc : pofi_put_members(to, pofi_node_held, n, err);
        rc = rc ? rc : put_angle(to, "angle_deg", n->angle_set, err);
    }
    rc = rc ? rc : pofi_put_members(to, pofi_node_members, n, err);
    rc = rc ? rc : put_angle(to, "angle_start_deg", n->angle_start, err);
    if (rc == 0 && n->has_q_limits) {
        rc = pofi_put_real(to, "q_min_var", n->q_min_var, err);
        rc = rc ? rc : pofi_put_real(to, "q_max_var", n->q_max_var, err);
    }
    rc = rc || !n->phases ? rc : pofi_put_node_phases(to, n->phases, err);
    if (rc == 0 && n->zero_injection) {
        rc = pof_buf_adds(to, ", \"zero_injection\": true", err);
    }
    if (rc == 0 && n->has_xy) {
        rc = pofi_put_real(to, "x", n->x, err);
        rc = rc ? rc : pofi_put_real(to, "y", n->y, err);
    }
    return rc ? rc : pof_buf_adds(to, "}", err);
}

static bool same_phases(const struct pof_branch_phases *a, const struct pof_branch_phases *b)
{
    bool same = a->form == b->form && a->r0 == b->r0 && a->x0 == b->x0 && a->g0 == b->g0 &&
                a->b0 == b->b0 && a->from == b->from && a->to == b->to && a->clock == b->clock &&
                a->r_ground_from == b->r_ground_from && a->x_ground_from == b->x_ground_from &&
                a->r_ground_to == b->r_ground_to && a->x_ground_to == b->x_ground_to;
    for (int i = 0; i < 9; i++) {
        same = same && a->r[i] == b->r[i] && a->x[i] == b->x[i] && a->g[i] == b->g[i] &&
               a->b[i] == b->b[i];
    }
    return same;
}

/* Do the phases follow from the asset? */
static bool phases_hold(const struct pof_grid *grid, const struct pof_branch *b)
{
    struct pof_branch_phases again = {0};
    bool known = b->asset->form == POF_FORM_PLATE || b->asset->conductors ||
                 b->asset->r0_ohm != 0 || b->asset->x0_ohm != 0;
    if (!b->phases) {
        return b->asset->form == POF_FORM_PLATE || !known;
    }
    again.from = b->phases->from;
    again.to = b->phases->to;
    again.clock = b->phases->clock;
    return known && pof_asset_phases(grid, b->asset, b, &again) && same_phases(&again, b->phases);
}

/* Does the asset still say what the branch is? A program may have changed the branch. */
static bool asset_holds(const struct pof_grid *grid, const struct pof_branch *b)
{
    if (!b->asset) {
        return false;
    }
    struct pof_branch again = *b;
    return pof_asset_model(grid, b->asset, &again) && again.r == b->r && again.x == b->x &&
           again.g == b->g && again.b == b->b && again.ratio == b->ratio &&
           again.rating_va == b->rating_va &&
           (b->asset->form == POF_FORM_PU || phases_hold(grid, b));
}

/* The form that the impedance of a branch is written in; NULL: a switch without one. */
static const struct pofi_form *form_of(const struct pof_grid *grid, const struct pof_branch *b)
{
    bool ideal = b->kind == POF_BRANCH_SWITCH && b->r == 0 && b->g == 0 && b->b == 0 &&
                 (b->x == 0 || b->x == POF_SWITCH_X_PER_VA * grid->base_va) && !b->phases;
    bool holds = asset_holds(grid, b);
    enum pof_form said = holds ? b->asset->form : POF_FORM_PU;
    bool conductors = holds && b->asset->conductors;
    for (size_t f = 0; f < POFI_FORMS && !ideal; f++) {
        if (pofi_forms[f].form == said && pofi_forms[f].of_kind[b->kind] &&
            (said == POF_FORM_PU || conductors == (pofi_forms[f].matrices != NULL))) {
            return &pofi_forms[f];
        }
    }
    return NULL;
}

static int put_impedance(struct pof_buf *to, const struct pof_grid *grid,
                         const struct pof_branch *b, struct pof_err *err)
{
    const struct pofi_form *form = form_of(grid, b);
    if (!form) {
        return 0;
    }
    bool pu = form->form == POF_FORM_PU;
    int rc = pofi_put_members(to, form->members, pu ? (const void *)b : (const void *)b->asset, err);
    return rc ? rc : pofi_put_branch_phases(to, form, b, err);
}

/* The angle of windings follows from their clock unless a tap turns it. */
static int put_shift(struct pof_buf *to, const struct pof_branch *b, struct pof_err *err)
{
    bool winds = b->phases && b->phases->form == POF_PHASES_WINDINGS;
    if (winds && b->shift == pof_rad_of_deg(30 * b->phases->clock)) {
        return 0;
    }
    return winds ? pofi_put_real(to, "shift_deg", pof_deg_of_rad(b->shift), err)
                 : put_angle(to, "shift_deg", b->shift, err);
}

static int put_rating(struct pof_buf *to, const struct pof_grid *grid, const struct pof_branch *b,
                      struct pof_err *err)
{
    bool holds = asset_holds(grid, b);
    if (holds && b->asset->rating_a > 0) {
        return pofi_put_real(to, "rating_a", b->asset->rating_a, err);
    }
    double without = holds && b->asset->form == POF_FORM_PLATE ? b->asset->sn_va : 0;
    return b->rating_va == without ? 0 : pofi_put_real(to, "rating_va", b->rating_va, err);
}

static int put_branch(struct pof_buf *to, const struct pof_grid *grid, const struct pof_branch *b,
                      struct pof_err *err)
{
    int rc = pof_buf_adds(to, "{\"name\": ", err);
    rc = rc ? rc : pof_json_string(to, b->name, err);
    rc = rc ? rc : pofi_put_text(to, "kind", pof_text(pofi_branch_kinds[b->kind]), err);
    rc = rc ? rc : pofi_put_text(to, "from", grid->node[b->from].name, err);
    rc = rc ? rc : pofi_put_text(to, "to", grid->node[b->to].name, err);
    rc = rc ? rc : put_impedance(to, grid, b, err);
    rc = rc ? rc : put_shift(to, b, err);
    rc = rc ? rc : pofi_put_tap(to, grid, b, err);
    rc = rc ? rc : put_rating(to, grid, b, err);
    if (rc == 0 && !b->closed) {
        rc = pof_buf_adds(to, ", \"closed\": false", err);
    }
    return rc ? rc : pof_buf_adds(to, "}", err);
}

static int put_head(struct pof_buf *to, const struct pof_grid *grid, struct pof_err *err)
{
    int rc = pof_buf_adds(to, "{\"schema\": \"" POFI_GRID_SCHEMA "\"", err);
    if (rc == 0 && grid->name.len) {
        rc = pofi_put_text(to, "name", grid->name, err);
    }
    rc = rc ? rc : pofi_put_real(to, "base_va", grid->base_va, err);
    return rc ? rc : pofi_put_real(to, "f_hz", grid->f_hz, err);
}

int pof_grid_write(const struct pof_grid *grid, struct pof_buf *to, struct pof_err *err)
{
    int rc = put_head(to, grid, err);
    rc = rc ? rc : pof_buf_adds(to, ",\n \"nodes\": [", err);
    for (uint32_t i = 0; i < grid->nodes && rc == 0; i++) {
        rc = pof_buf_adds(to, i ? ",\n  " : "\n  ", err);
        struct pof_node_phases phases;
        struct pof_node told;
        pofi_tell_node(&grid->node[i], &told, &phases);
        rc = rc ? rc : put_node(to, &told, err);
    }
    rc = rc ? rc : pof_buf_adds(to, "],\n \"branches\": [", err);
    for (uint32_t i = 0; i < grid->branches && rc == 0; i++) {
        rc = pof_buf_adds(to, i ? ",\n  " : "\n  ", err);
        rc = rc ? rc : put_branch(to, grid, &grid->branch[i], err);
    }
    rc = rc ? rc : pof_buf_adds(to, "]", err);
    rc = rc ? rc : pofi_put_banks(to, grid, err);
    return rc ? rc : pof_buf_adds(to, "}\n", err);
}
