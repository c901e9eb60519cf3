/* SPDX-License-Identifier: Apache-2.0 */
/* pof.grid/1: what differs between phases, and tap changers. */
#include "grid/build.h"
#include "grid/document.h"
#include "num/real.h"
#include "record/writer.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static const struct pof_json_range watts = {-1e12, 1e12, NULL};
static const struct pof_json_range tap_range = {-1e4, 1e4, NULL};

static const char *const windings[] = {"y", "yn", "d", "z", "zn", NULL};
static const char *const neutrals[] = {"earthed", "return", NULL};
static const char *const sides[] = {"from", "to", NULL};

/* --- numbers of three phases --- */

#define ABC(key, member) key, offsetof(struct pof_node_phases, member)
#define TRIPLE(key, member) ABC(key, member), offsetof(struct pof_node, member)
static const struct triple {
    const char *key;
    size_t offset, total; /* in the phases and in the node */
} triples[] = {{TRIPLE("p_w_abc", p_w)},   {TRIPLE("q_var_abc", q_var)},
               {TRIPLE("ip_w_abc", ip_w)}, {TRIPLE("iq_var_abc", iq_var)},
               {TRIPLE("g_w_abc", g_w)},   {TRIPLE("b_var_abc", b_var)}};
enum { TRIPLES = sizeof triples / sizeof triples[0], SHUNT_G = 4 };

static const struct pofi_member zero_shunt[] = {
    {ABC("g0_w", g0_w), false, 0, {-1e12, 1e12, NULL}},
    {ABC("b0_var", b0_var), false, 0, {-1e12, 1e12, NULL}},
    {0}};

static double *place_of(struct pof_node_phases *p, const struct triple *t)
{
    return (double *)(void *)((char *)p + t->offset);
}

static double *total_of(struct pof_node *n, const struct triple *t)
{
    return (double *)(void *)((char *)n + t->total);
}

/* What is less than this share of its parts is their rounding. */
#define ROUNDING 1e-12

/* A document has what each phase draws beside the total of the node; in memory the total is that of
 * all. Returns what was added to the total. */
static double take_together(double *total, double abc[3])
{
    double sum = abc[0] + abc[1] + abc[2];
    double largest = fmax(fabs(abc[0]), fmax(fabs(abc[1]), fabs(abc[2])));
    sum = fabs(sum) <= ROUNDING * largest ? 0 : sum;
    *total += sum;
    for (int f = 0; f < 3 && sum != 0; f++) {
        abc[f] -= sum / 3;
    }
    return sum;
}

int pofi_read_node_phases(const struct pof_json *at, struct pof_node *node,
                          struct pof_node_phases *p, struct pof_err *err)
{
    struct pof_json member;
    const char *unused;
    *p = (struct pof_node_phases){.has_zero = pofi_any_member(at, zero_shunt, &unused)};
    bool any = p->has_zero;
    int rc = pofi_read_members(at, zero_shunt, p, err);
    for (int i = 0; i < TRIPLES && rc == 0; i++) {
        if (pof_json_member(at, triples[i].key, &member)) {
            double *abc = place_of(p, &triples[i]), sum;
            any = true;
            rc = pof_json_reals(&member, &watts, abc, 3, err);
            sum = rc ? 0 : take_together(total_of(node, &triples[i]), abc);
            p->g0_w += i == SHUNT_G && p->has_zero ? sum : 0;
            p->b0_var += i > SHUNT_G && p->has_zero ? sum : 0;
        }
    }
    node->phases = any ? p : NULL;
    return rc;
}

/* The shortest numbers of phases alone, with no total beside them, that are read as these. */
static bool phases_alone(double total, const double less[3], double abc[3])
{
    for (int digits = 12; digits <= 17; digits++) {
        double sum = 0, again[3];
        bool same = true;
        for (int f = 0; f < 3; f++) {
            char text[POF_REAL_MAX];
            int n = snprintf(text, sizeof text, "%.*g", digits, less[f] + total / 3);
            same = same && pof_real_parse((struct pof_text){text, (size_t)n}, &abc[f]);
            again[f] = abc[f];
        }
        if (same) {
            take_together(&sum, again);
            same = sum == total && memcmp(again, less, sizeof again) == 0;
        }
        if (same) {
            return true;
        }
    }
    return false;
}

/* Where no numbers of phases alone do, the total stands beside what they draw more or less. */
void pofi_tell_node(const struct pof_node *n, struct pof_node *told, struct pof_node_phases *phases)
{
    *told = *n;
    if (!n->phases) {
        return;
    }
    *phases = *n->phases;
    told->phases = phases;
    for (int i = 0; i < TRIPLES; i++) {
        double *less = place_of(phases, &triples[i]), *total = total_of(told, &triples[i]), abc[3];
        bool differs = less[0] != 0 || less[1] != 0 || less[2] != 0;
        if (differs && !(i >= SHUNT_G && phases->has_zero) && phases_alone(*total, less, abc)) {
            memcpy(less, abc, sizeof abc);
            *total = 0;
        }
    }
}

static int put_list(struct pof_buf *to, const double *v, int n, struct pof_err *err)
{
    int rc = pof_buf_adds(to, "[", err);
    for (int i = 0; i < n && rc == 0; i++) {
        char text[POF_REAL_MAX];
        size_t len = pof_real_format(v[i], text);
        rc = i ? pof_buf_adds(to, ", ", err) : 0;
        rc = rc ? rc : pof_buf_add(to, text, len, err);
    }
    return rc ? rc : pof_buf_adds(to, "]", err);
}

int pofi_put_node_phases(struct pof_buf *to, const struct pof_node_phases *p, struct pof_err *err)
{
    int rc = 0;
    for (int i = 0; i < TRIPLES && rc == 0; i++) {
        const double *v = (const double *)(const void *)((const char *)p + triples[i].offset);
        if (v[0] != 0 || v[1] != 0 || v[2] != 0) {
            rc = pofi_put_key(to, triples[i].key, err);
            rc = rc ? rc : put_list(to, v, 3, err);
        }
    }
    if (rc == 0 && p->has_zero) {
        rc = pofi_put_real(to, "g0_w", p->g0_w, err);
        rc = rc ? rc : pofi_put_real(to, "b0_var", p->b0_var, err);
    }
    return rc;
}

/* --- matrices --- */

/* A lower triangle of *n rows, 3 or 4 where *n is 0 on entry. 1: given, 0: not. */
static int read_triangle(const struct pof_json *at, const char *key, int *n, double *out,
                         struct pof_err *err)
{
    static const struct pof_json_range range = {-1e9, 1e9, NULL};
    struct pof_json rows;
    if (!pof_json_member(at, key, &rows)) {
        return 0;
    }
    int rc = pof_json_is_array(&rows, err);
    size_t given = rc ? 0 : pof_json_size(&rows);
    if (rc == 0 && (*n ? given != (size_t)*n : given != 3 && given != 4)) {
        rc = pof_json_fail(at, key, err, POF_E_COLUMNS, "the matrix has %zu rows, %s", given,
                           *n == 4   ? "4 are needed"
                           : *n == 3 ? "3 are needed: a, b and c"
                                     : "3 or 4 are needed: a, b, c and perhaps the neutral");
    }
    for (size_t i = 0; i < given && rc == 0; i++) {
        struct pof_json row = pof_json_item(&rows, i);
        rc = pof_json_reals(&row, &range, out, i + 1, err);
        out += i + 1;
    }
    *n = (int)given;
    return rc ? rc : 1;
}

static int put_triangle(struct pof_buf *to, const char *key, const double *v, int n,
                        struct pof_err *err)
{
    int rc = pofi_put_key(to, key, err);
    rc = rc ? rc : pof_buf_adds(to, "[", err);
    for (int i = 0; i < n && rc == 0; v += ++i) {
        rc = i ? pof_buf_adds(to, ", ", err) : 0;
        rc = rc ? rc : put_list(to, v, i + 1, err);
    }
    return rc ? rc : pof_buf_adds(to, "]", err);
}

static int read_neutral(const struct pof_json *at, struct pof_conductors *c, struct pof_err *err)
{
    int word = 0;
    int rc = pof_json_word_opt(at, "neutral", neutrals, &word, err);
    if (rc < 0) {
        return rc;
    }
    c->neutral = (enum pof_neutral)word;
    if (rc == 0 && c->n == 4) {
        return pof_json_fail(at, "neutral", err, POF_E_MISSING,
                             "the fourth conductor is 'earthed' at both ends, or 'return' of all that "
                             "the phases leave; say which");
    }
    return rc == 1 && c->n == 3
               ? pof_json_fail(at, "neutral", err, POF_E_CONFLICT, "the matrices have no fourth row")
               : 0;
}

int pofi_read_conductors(const struct pof_json *at, struct pofi_branch_read *r, struct pof_err *err)
{
    struct pof_conductors *c = &r->conductors;
    const char *const *key = r->form->matrices;
    *c = (struct pof_conductors){0};
    int rc = read_triangle(at, key[0], &c->n, c->r_ohm, err);
    int x = rc < 0 ? rc : read_triangle(at, key[1], &c->n, c->x_ohm, err);
    if (x == 0) {
        return pof_json_fail(at, key[1], err, POF_E_MISSING, "'%s' is required beside '%s'", key[1],
                             key[0]);
    }
    int three = 3;
    int b = x < 0 ? x : read_triangle(at, key[2], &three, c->b_us, err);
    int n = b < 0 ? b : read_triangle(at, key[3], &three, c->c_nf, err);
    if (n < 0) {
        return n;
    }
    if (b && n) {
        return pof_json_fail(at, key[3], err, POF_E_CONFLICT,
                             "capacitance and susceptance say the same; give one");
    }
    r->asset.conductors = c;
    return read_neutral(at, c, err);
}

static int put_conductors(struct pof_buf *to, const char *const *key,
                          const struct pof_conductors *c, struct pof_err *err)
{
    const double *const optional[] = {c->b_us, c->c_nf};
    int rc = put_triangle(to, key[0], c->r_ohm, c->n, err);
    rc = rc ? rc : put_triangle(to, key[1], c->x_ohm, c->n, err);
    for (int k = 0; k < 2 && rc == 0; k++) {
        bool any = false;
        for (int i = 0; i < 6; i++) {
            any = any || optional[k][i] != 0;
        }
        rc = any ? put_triangle(to, key[2 + k], optional[k], 3, err) : 0;
    }
    return rc || c->n == 3 ? rc : pofi_put_text(to, "neutral", pof_text(neutrals[c->neutral]), err);
}

static const int lower[6] = {0, 3, 4, 6, 7, 8}; /* places of a triangle in a matrix by rows */

static int read_pu_matrices(const struct pof_json *at, struct pofi_branch_read *r,
                            struct pof_err *err)
{
    const char *const *key = r->form->matrices;
    double *const to[] = {r->phases.r, r->phases.x, r->phases.g, r->phases.b};
    for (int k = 0; k < 4; k++) {
        double triangle[10];
        int three = 3;
        int rc = read_triangle(at, key[k], &three, triangle, err);
        if (rc < 0) {
            return rc;
        }
        if (rc == 0 && k < 2) {
            return pof_json_fail(at, key[k], err, POF_E_MISSING,
                                 "'%s' and '%s' are required together", key[0], key[1]);
        }
        for (int i = 0; i < 6 && rc == 1; i++) {
            to[k][lower[i]] = to[k][lower[i] % 3 * 3 + lower[i] / 3] = triangle[i];
        }
    }
    r->phases.form = POF_PHASES_MATRIX;
    r->b.phases = &r->phases;
    return 0;
}

static int put_pu_matrices(struct pof_buf *to, const char *const *key,
                           const struct pof_branch_phases *p, struct pof_err *err)
{
    const double *const from[] = {p->r, p->x, p->g, p->b};
    int rc = 0;
    for (int k = 0; k < 4 && rc == 0; k++) {
        double triangle[6];
        bool any = k < 2;
        for (int i = 0; i < 6; i++) {
            triangle[i] = from[k][lower[i]];
            any = any || triangle[i] != 0;
        }
        rc = any ? put_triangle(to, key[k], triangle, 3, err) : 0;
    }
    return rc;
}

/* --- zero sequence and windings --- */

/* Is there a shunt in the positive sequence of which the zero sequence says nothing? */
static int check_shunt(const struct pof_json *at, const struct pofi_branch_read *r,
                       struct pof_err *err)
{
    bool shunt = r->b.g != 0 || r->b.b != 0;
    const struct pofi_member *m = r->form->zero;
    for (; m->key && shunt; m++) {
        struct pof_json unused;
        shunt = m->required || !pof_json_member(at, m->key, &unused);
    }
    return shunt ? pof_json_fail(at, m[-1].key, err, POF_E_MISSING,
                                 "the line has a capacitance; give that of the zero sequence as well, "
                                 "0 if it has none")
                 : 0;
}

static int read_sequence(const struct pof_json *at, struct pofi_branch_read *r, struct pof_err *err)
{
    bool pu = r->form->form == POF_FORM_PU;
    int rc = pofi_read_members(at, r->form->zero, pu ? (void *)&r->phases : (void *)&r->asset, err);
    if (rc == 0 && r->asset.b0_us != 0 && r->asset.c0_nf != 0) {
        rc = pof_json_fail(at, r->form->zero[3].key, err, POF_E_CONFLICT,
                           "capacitance and susceptance say the same; give one");
    }
    rc = rc ? rc : check_shunt(at, r, err);
    if (rc == 0 && !pu && !pof_asset_phases(r->grid, &r->asset, &r->b, &r->phases)) {
        rc = pof_json_fail(at, r->form->zero[0].key, err, POF_E_PHYSICS,
                           "the line has no zero-sequence impedance");
    }
    r->b.phases = &r->phases;
    return rc;
}

static int read_winding(const struct pof_json *at, const char *key, enum pof_winding *w,
                        struct pof_err *err)
{
    int word;
    int rc = pof_json_word_opt(at, key, windings, &word, err);
    if (rc == 0) {
        return pof_json_fail(at, key, err, POF_E_MISSING,
                             "'%s' is required beside the other winding: y, yn, d, z or zn", key);
    }
    *w = rc == 1 ? (enum pof_winding)word : POF_WINDING_Y;
    return rc < 0 ? rc : 0;
}

static int read_clock(const struct pof_json *at, int *clock, struct pof_err *err)
{
    static const struct pof_json_range hours = {0, 11, "12 is 0"};
    double v;
    int rc = pof_json_real(at, "clock", &hours, &v, err);
    if (rc == 0 && v != floor(v)) {
        rc = pof_json_fail(at, "clock", err, POF_E_TYPE, "%.15g is not a whole number", v);
    }
    *clock = rc ? 0 : (int)v;
    return rc;
}

/* A grounding impedance where no neutral is led out would be without effect. */
static int check_ground(const struct pof_json *at, const struct pofi_branch_read *r,
                        struct pof_err *err)
{
    const struct pofi_member *m = r->form->form == POF_FORM_PU ? pofi_ground_pu : pofi_ground_ohm;
    for (int i = 0; m[i].key; i++) {
        enum pof_winding w = i < 2 ? r->phases.from : r->phases.to;
        struct pof_json unused;
        if (w != POF_WINDING_YN && w != POF_WINDING_ZN && pof_json_member(at, m[i].key, &unused)) {
            return pof_json_fail(at, m[i].key, err, POF_E_CONFLICT,
                                 "a winding '%s' has no neutral to ground", windings[w]);
        }
    }
    return 0;
}

static int read_windings(const struct pof_json *at, struct pofi_branch_read *r, struct pof_err *err)
{
    struct pof_branch_phases *p = &r->phases;
    struct pof_json unused;
    bool pu = r->form->form == POF_FORM_PU;
    p->form = POF_PHASES_WINDINGS;
    int rc = read_winding(at, "winding_from", &p->from, err);
    rc = rc ? rc : read_winding(at, "winding_to", &p->to, err);
    rc = rc ? rc : read_clock(at, &p->clock, err);
    rc = rc ? rc : check_ground(at, r, err);
    rc = rc ? rc : pofi_read_members(at, r->form->zero, pu ? (void *)p : (void *)&r->asset, err);
    rc = rc ? rc
            : pofi_read_members(at, pu ? pofi_ground_pu : pofi_ground_ohm,
                                pu ? (void *)p : (void *)&r->asset, err);
    if (rc == 0 && !pu && !pof_asset_phases(r->grid, &r->asset, &r->b, p)) {
        rc = pof_json_fail(at, r->asset.uk0_pct > 0 ? "uk0_pct" : "p0_zero_w", err, POF_E_PHYSICS,
                           "losses of the zero sequence exceed what its uk0_pct or i0_zero_pct allow");
    }
    if (rc == 0 && !pof_json_member(at, "shift_deg", &unused)) {
        r->b.shift = pof_rad_of_deg(30 * p->clock);
    }
    r->b.phases = p;
    return rc;
}

/* Members that would be without effect, as winding_from is not there or the branch is no transformer. */
static int refuse_windings(const struct pof_json *at, const struct pofi_branch_read *r,
                           struct pof_err *err)
{
    static const char *const keys[] = {"winding_to", "clock", "winding_from"};
    const char *key = NULL;
    for (int i = 0; i < 3; i++) {
        struct pof_json unused;
        key = pof_json_member(at, keys[i], &unused) ? keys[i] : key;
    }
    bool transformer = r->b.kind == POF_BRANCH_TRANSFORMER;
    if (key || pofi_any_member(at, pofi_ground_ohm, &key) ||
        pofi_any_member(at, pofi_ground_pu, &key) ||
        (transformer && r->form->zero && pofi_any_member(at, r->form->zero, &key))) {
        return pof_json_fail(at, transformer ? "winding_from" : key, err,
                             transformer ? POF_E_MISSING : POF_E_CONFLICT,
                             transformer ? "'winding_from' is required beside '%s'"
                                         : "'%s' is said of transformers only",
                             key);
    }
    return 0;
}

int pofi_read_branch_phases(const struct pof_json *at, struct pofi_branch_read *r,
                            struct pof_err *err)
{
    const struct pofi_form *f = r->form;
    struct pof_json unused;
    const char *key;
    bool winds = r->b.kind == POF_BRANCH_TRANSFORMER && f &&
                 pof_json_member(at, "winding_from", &unused);
    int rc = winds ? read_windings(at, r, err) : refuse_windings(at, r, err);
    if (rc || winds || !f) {
        return rc;
    }
    if (!(f->matrices && f->form != POF_FORM_PU) && pof_json_member(at, "neutral", &unused)) {
        return pof_json_fail(at, "neutral", err, POF_E_CONFLICT,
                             "'neutral' is said of a line given by matrices in ohm");
    }
    if (f->matrices && f->form == POF_FORM_PU &&
        (pof_json_member(at, f->matrices[0], &unused) || pof_json_member(at, f->matrices[1], &unused) ||
         pof_json_member(at, f->matrices[2], &unused) || pof_json_member(at, f->matrices[3], &unused))) {
        return f->zero && pofi_any_member(at, f->zero, &key)
                   ? pof_json_fail(at, key, err, POF_E_CONFLICT,
                                   "the matrices say already what '%s' says", key)
                   : read_pu_matrices(at, r, err);
    }
    if (r->asset.conductors) {
        r->b.phases = pof_asset_phases(r->grid, &r->asset, &r->b, &r->phases) ? &r->phases : NULL;
        return 0;
    }
    return f->zero && pofi_any_member(at, f->zero, &key) ? read_sequence(at, r, err) : 0;
}

static int put_windings(struct pof_buf *to, const struct pofi_form *form, const struct pof_branch *b,
                        struct pof_err *err)
{
    const struct pof_branch_phases *p = b->phases;
    bool pu = form->form == POF_FORM_PU;
    int rc = pofi_put_text(to, "winding_from", pof_text(windings[p->from]), err);
    rc = rc ? rc : pofi_put_text(to, "winding_to", pof_text(windings[p->to]), err);
    rc = rc ? rc : pofi_put_real(to, "clock", p->clock, err);
    rc = rc ? rc
            : pofi_put_members(to, form->zero, pu ? (const void *)p : (const void *)b->asset, err);
    return rc ? rc
              : pofi_put_members(to, pu ? pofi_ground_pu : pofi_ground_ohm,
                                 pu ? (const void *)p : (const void *)b->asset, err);
}

/* The shunt of a line is said even where it is 0, as check_shunt wants it. */
static int put_sequence(struct pof_buf *to, const struct pofi_form *form, const struct pof_branch *b,
                        struct pof_err *err)
{
    bool pu = form->form == POF_FORM_PU;
    int rc = pofi_put_members(to, form->zero, pu ? (const void *)b->phases : (const void *)b->asset,
                              err);
    bool said = b->phases->g0 != 0 || b->phases->b0 != 0;
    return rc || said || (b->g == 0 && b->b == 0) ? rc
                                                  : pofi_put_real(to, form->zero[3].key, 0, err);
}

int pofi_put_branch_phases(struct pof_buf *to, const struct pofi_form *form,
                           const struct pof_branch *b, struct pof_err *err)
{
    if (!b->phases || !form) {
        return 0;
    }
    switch (b->phases->form) {
    case POF_PHASES_WINDINGS:
        return put_windings(to, form, b, err);
    case POF_PHASES_MATRIX:
        return form->form == POF_FORM_PU
                   ? put_pu_matrices(to, form->matrices, b->phases, err)
                   : put_conductors(to, form->matrices, b->asset->conductors, err);
    case POF_PHASES_SEQUENCE:
        return put_sequence(to, form, b, err);
    }
    return 0;
}

/* --- tap changers --- */

#define TAP(key, member) key, offsetof(struct pof_tap, member)
static const struct pofi_member tap_steps[] = {
    {TAP("step_pct", step_pct), false, 0, {-50, 50, NULL}},
    {TAP("step_deg", step_deg), false, 0, {-90, 90, NULL}},
    {0}};
static const struct pofi_member tap_ends[] = {
    {TAP("uk_min_pct", uk_min_pct), true, 0, {0.01, 100, NULL}},
    {TAP("uk_max_pct", uk_max_pct), true, 0, {0.01, 100, NULL}},
    {TAP("pk_min_w", pk_min_w), true, 0, {0, 1e9, NULL}},
    {TAP("pk_max_w", pk_max_w), true, 0, {0, 1e9, NULL}},
    {0}};
static const struct pofi_member tap_control[] = {
    {TAP("v_low_pu", v_low_pu), true, 0, {0.5, 1.5, "it is in p.u. of base_v"}},
    {TAP("v_high_pu", v_high_pu), true, 0, {0.5, 1.5, "it is in p.u. of base_v"}},
    {TAP("drop_r_pu", drop_r_pu), false, 0, {-1e4, 1e4, NULL}},
    {TAP("drop_x_pu", drop_x_pu), false, 0, {-1e4, 1e4, NULL}},
    {0}};
static const char *const tap_keys[] = {"pos",        "min",        "max",      "neutral",  "side",
                                       "step_pct",   "step_deg",   "uk_min_pct", "uk_max_pct",
                                       "pk_min_w",   "pk_max_w",   "control",  NULL};
static const char *const control_keys[] = {"node",      "v_low_pu",  "v_high_pu",
                                           "drop_r_pu", "drop_x_pu", NULL};

static int read_position(const struct pof_json *at, const char *key, int32_t *out,
                         struct pof_err *err)
{
    double v;
    int rc = pof_json_real(at, key, &tap_range, &v, err);
    if (rc == 0 && v != floor(v)) {
        rc = pof_json_fail(at, key, err, POF_E_TYPE, "%.15g is not a whole number", v);
    }
    *out = rc ? 0 : (int32_t)v;
    return rc;
}

static int read_control(const struct pof_json *at, struct pofi_branch_read *r, struct pof_err *err)
{
    struct pof_json control;
    if (!pof_json_member(at, "control", &control)) {
        return 0;
    }
    r->tap.controlled = true;
    int rc = pof_json_is_object(&control, err);
    rc = rc ? rc : pof_json_only(&control, control_keys, err);
    rc = rc ? rc : pofi_read_end(r->grid, &control, "node", &r->tap.node, err);
    return rc ? rc : pofi_read_members(&control, tap_control, &r->tap, err);
}

int pofi_read_tap(const struct pof_json *at, struct pofi_branch_read *r, struct pof_err *err)
{
    struct pof_json tap;
    struct pof_tap *t = &r->tap;
    const char *unused;
    int side = 0;
    *t = (struct pof_tap){0};
    if (!pof_json_member(at, "tap", &tap)) {
        return 0;
    }
    int rc = pof_json_is_object(&tap, err);
    rc = rc ? rc : pof_json_only(&tap, tap_keys, err);
    rc = rc ? rc : read_position(&tap, "pos", &t->pos, err);
    rc = rc ? rc : read_position(&tap, "min", &t->min, err);
    rc = rc ? rc : read_position(&tap, "max", &t->max, err);
    rc = rc ? rc : read_position(&tap, "neutral", &t->neutral, err);
    rc = rc ? rc : pofi_read_members(&tap, tap_steps, t, err);
    t->has_uk_ends = pofi_any_member(&tap, tap_ends, &unused);
    if (rc == 0 && t->has_uk_ends) {
        rc = pofi_read_members(&tap, tap_ends, t, err);
    }
    rc = rc ? rc : read_control(&tap, r, err);
    if (rc || (rc = pof_json_word_opt(&tap, "side", sides, &side, err)) < 0) {
        return rc;
    }
    t->on_to = side == 1;
    r->b.tap = t;
    return 0;
}

int pofi_put_tap(struct pof_buf *to, const struct pof_grid *grid, const struct pof_branch *b,
                 struct pof_err *err)
{
    const struct pof_tap *t = b->tap;
    if (!t) {
        return 0;
    }
    int rc = pof_buf_addf(to, err, ", \"tap\": {\"pos\": %d, \"min\": %d, \"max\": %d, \"neutral\": %d",
                          t->pos, t->min, t->max, t->neutral);
    rc = rc ? rc : pofi_put_text(to, "side", pof_text(sides[t->on_to]), err);
    rc = rc ? rc : pofi_put_members(to, tap_steps, t, err);
    rc = rc || !t->has_uk_ends ? rc : pofi_put_members(to, tap_ends, t, err);
    if (rc == 0 && t->controlled) {
        rc = pof_buf_adds(to, ", \"control\": {\"node\": ", err);
        rc = rc ? rc : pof_json_string(to, grid->node[t->node].name, err);
        rc = rc ? rc : pofi_put_members(to, tap_control, t, err);
        rc = rc ? rc : pof_buf_adds(to, "}", err);
    }
    return rc ? rc : pof_buf_adds(to, "}", err);
}
