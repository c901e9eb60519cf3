/* SPDX-License-Identifier: Apache-2.0 */
/* Transformers of PSS/E RAW (PSS/E Program Operation Manual, transformer data).
 *
 * A winding is an ideal transformer t e^(j angle) : 1 from its bus to a star point, the impedances
 * lie between the windings. Two windings: seen from the second bus the impedance is z t2^2 and the
 * ratio t1 / t2. Three windings: z1 = (z12 + z31 - z23) / 2 and so on, and a node for the star
 * point. */
#include "grid/raw.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MEGA 1e6

/* How values are given: CW, CZ, CM. */
enum { WINDING_PU = 1, WINDING_KV, WINDING_NOMINAL };
enum { IMPEDANCE_SYSTEM = 1, IMPEDANCE_OWN, IMPEDANCE_LOSS };
enum { MAGNETISING_SYSTEM = 1, MAGNETISING_LOSS };

/* Places of the wanted fields; a winding's from WINDING + i * PER_WINDING on. */
enum { I, J, K, CKT, CW, CZ, CM, MAG1, MAG2, NAME, STAT, R12, WINDING = R12 + 9, PER_WINDING = 14 };
enum { WINDV, NOMV, ANG, RATE, COD, CONT, RMA, RMI, VMA, VMI, NTP, TAB, CR, CX };

/* Control modes of a winding, negative when suspended. */
enum { CONTROL_VOLTAGE = 1, CONTROL_ANGLE = 3, CONTROL_ANGLE_ASYMMETRIC = 5 };

struct winding {
    uint32_t node;
    double v[PER_WINDING]; /* as given */
    uint32_t held;  /* the bus whose voltage is controlled; POF_NONE: no control of voltage */
    double ratio;   /* p.u. of the bus's base voltage */
    double nominal; /* rated voltage over the bus's base voltage */
};

struct pair {
    double r, x, s; /* as given, then p.u. of the system base */
};

struct transformer {
    uint32_t windings;
    double cw, cz, cm, mag1, mag2, status;
    struct pof_text name, circuit;
    struct winding w[3];
    struct pair z[3]; /* 1-2, 2-3, 3-1 */
};

static int bad_code(struct pofi_raw *r, size_t k, double v)
{
    return pofi_raw_fail(r, k, POF_E_RANGE, "code %.15g is not one of those of PSS/E", v);
}

static int read_codes(struct pofi_raw *r, struct transformer *t)
{
    double v[] = {1, 1, 1, 0, 0};
    int rc = pofi_raw_reals(r, CW, 5, v);
    rc = rc ? rc : pofi_raw_real(r, STAT, 1, &t->status);
    t->cw = v[0];
    t->cz = v[1];
    t->cm = v[2];
    t->mag1 = v[3];
    t->mag2 = v[4];
    if (rc) {
        return rc;
    }
    if (t->cw != WINDING_PU && t->cw != WINDING_KV && t->cw != WINDING_NOMINAL) {
        return bad_code(r, CW, t->cw);
    }
    if (t->cz != IMPEDANCE_SYSTEM && t->cz != IMPEDANCE_OWN && t->cz != IMPEDANCE_LOSS) {
        return bad_code(r, CZ, t->cz);
    }
    return t->cm == MAGNETISING_SYSTEM || t->cm == MAGNETISING_LOSS ? 0 : bad_code(r, CM, t->cm);
}

static int read_first(struct pofi_raw *r, struct transformer *t)
{
    double k;
    int rc = pofi_raw_bus(r, I, &t->w[0].node);
    rc = rc ? rc : pofi_raw_bus(r, J, &t->w[1].node);
    rc = rc ? rc : pofi_raw_real(r, K, 0, &k);
    if (rc) {
        return rc;
    }
    t->windings = k == 0 ? 2 : 3;
    if (k != 0 && (rc = pofi_raw_bus(r, K, &t->w[2].node)) != 0) {
        return rc;
    }
    t->circuit = pofi_raw_text(r, CKT);
    t->name = pofi_raw_text(r, NAME);
    return read_codes(r, t);
}

/* The base voltage ratio of a winding's own voltage base to that of its bus. */
static void winding_ratio(const struct pof_grid *g, const struct transformer *t, struct winding *w)
{
    double bus_kv = g->node[w->node].base_v / 1000;
    w->nominal = w->v[NOMV] > 0 ? w->v[NOMV] / bus_kv : 1;
    w->ratio = t->cw == WINDING_PU   ? w->v[WINDV]
               : t->cw == WINDING_KV ? w->v[WINDV] / bus_kv
                                     : w->v[WINDV] * w->nominal;
}

static int read_winding(struct pofi_raw *r, const struct transformer *t, uint32_t i,
                        struct winding *w)
{
    const struct pof_grid *g = r->build.grid;
    size_t k = WINDING + i * PER_WINDING;
    const double defaults[PER_WINDING] = {
        [WINDV] = t->cw == WINDING_KV ? g->node[w->node].base_v / 1000 : 1,
        [RMA] = 1.1,
        [RMI] = 0.9,
        [VMA] = 1.1,
        [VMI] = 0.9,
        [NTP] = 33};
    memcpy(w->v, defaults, sizeof w->v);
    int rc = pofi_raw_reals(r, k, PER_WINDING, w->v);
    if (rc) {
        return rc;
    }
    if (!(w->v[WINDV] > 0)) {
        return pofi_raw_fail(r, k + WINDV, POF_E_PHYSICS, "winding voltage %.15g is not above 0",
                             w->v[WINDV]);
    }
    winding_ratio(g, t, w);
    w->held = POF_NONE;
    double control = fabs(w->v[COD]);
    if (control == CONTROL_VOLTAGE && w->v[CONT] != 0) {
        return pofi_raw_bus(r, k + CONT, &w->held);
    }
    r->told.controls += control > CONTROL_VOLTAGE;
    return 0;
}

static int read_impedances(struct pofi_raw *r, struct transformer *t)
{
    int rc = 0;
    uint32_t pairs = t->windings == 2 ? 1 : 3;
    for (uint32_t i = 0; i < pairs && rc == 0; i++) {
        double v[] = {0, 0, r->base_mva};
        rc = pofi_raw_reals(r, R12 + 3 * i, 3, v);
        t->z[i] = (struct pair){v[0], v[1], v[2]};
        if (rc == 0 && !(v[2] > 0)) {
            rc = pofi_raw_fail(r, R12 + 3 * i + 2, POF_E_PHYSICS,
                               "base power %.15g MVA is not above 0", v[2]);
        }
    }
    return rc;
}

/* To p.u. of the system base and the bus's base voltage. */
static int convert_pair(struct pofi_raw *r, const struct transformer *t, struct pair *z,
                        const struct winding *w)
{
    if (t->cz == IMPEDANCE_SYSTEM) {
        return 0;
    }
    if (t->cz == IMPEDANCE_LOSS) {
        z->r = z->r / MEGA / z->s; /* load loss in W; x is the magnitude so far */
        double xx = z->x * z->x - z->r * z->r;
        if (xx < 0) {
            return pofi_raw_fail(r, R12, POF_E_PHYSICS,
                                 "load losses exceed what the impedance allows");
        }
        z->x = sqrt(xx);
    }
    double scale = r->base_mva / z->s * w->nominal * w->nominal;
    z->r *= scale;
    z->x *= scale;
    return 0;
}

/* The magnetising admittance lies at the first bus: a shunt there. */
static int magnetising(struct pofi_raw *r, const struct transformer *t, double s_mva)
{
    struct pof_grid *g = r->build.grid;
    double gm = t->mag1, bm = t->mag2;
    if (gm == 0 && bm == 0) {
        return 0;
    }
    if (t->cm == MAGNETISING_LOSS) {
        double y = t->mag2 * s_mva / r->base_mva;
        gm = t->mag1 / MEGA / r->base_mva;
        if (gm > y * (1 + 1e-9)) {
            return pofi_raw_fail(r, MAG1, POF_E_PHYSICS,
                                 "no-load losses exceed what the exciting current allows");
        }
        double nominal = t->w[0].nominal;
        bm = -sqrt(fmax(0, y * y - gm * gm)) / (nominal * nominal);
        gm /= nominal * nominal;
    }
    g->node[t->w[0].node].g_w += gm * g->base_va;
    g->node[t->w[0].node].b_var += bm * g->base_va;
    r->told.magnetising++;
    return 0;
}

/* A band, steps or a compensation beyond what pof-grid(5) holds leave it fixed, which is told.
 *
 * The tap changer of a winding. Its positions are counted from RMI in steps of (RMA - RMI) / (NTP -
 * 1); the present ratio is that of the nearest position, where the rated voltage is said to hold,
 * so that steps stay what they are when the present one is off its place. */
static int add_tap(struct pofi_raw *r, const struct winding *w, const struct pof_tap **out)
{
    const double *v = w->v;
    double step = (v[RMA] - v[RMI]) / (v[NTP] - 1);
    *out = NULL;
    if (w->held == POF_NONE || !(v[NTP] >= 2 && v[NTP] <= 9999) || !(step > 0)) {
        return 0;
    }
    double pos = round((v[WINDV] - v[RMI]) / step);
    if (!(pos >= 0 && pos <= v[NTP] - 1) || !(v[VMI] >= 0.5 && v[VMI] < v[VMA] && v[VMA] <= 1.5) ||
        !(step / v[WINDV] <= 0.5) || !(fabs(v[CR]) <= 10 && fabs(v[CX]) <= 10)) {
        r->told.off_step++;
        return 0;
    }
    struct pof_tap *tap = pof_arena_alloc(&r->build.grid->arena, sizeof *tap, r->err);
    if (!tap) {
        return POF_E_NOMEM;
    }
    *tap = (struct pof_tap){.pos = (int32_t)pos,
                            .max = (int32_t)v[NTP] - 1,
                            .neutral = (int32_t)pos,
                            .step_pct = step / v[WINDV] * 100,
                            .controlled = v[COD] == CONTROL_VOLTAGE,
                            .node = w->held,
                            .v_low_pu = v[VMI],
                            .v_high_pu = v[VMA],
                            .drop_r_pu = v[CR],
                            .drop_x_pu = v[CX]};
    *out = tap;
    return 0;
}

/* Remembers that a table, which comes later in the file, corrects the impedance of a branch. */
static int note_correction(struct pofi_raw *r, const struct winding *w, uint32_t branch)
{
    if (w->v[TAB] == 0) {
        return 0;
    }
    int rc = pof_grow(&r->correction, &r->correction_cap, r->corrections + 1, sizeof *r->correction,
                      r->err);
    if (rc == 0) {
        double control = fabs(w->v[COD]);
        r->correction[r->corrections++] =
            (struct pofi_raw_correction){.branch = branch,
                                         .table = (long)fmin(fmax(w->v[TAB], -1), 1e9),
                                         .ratio = w->ratio / w->nominal,
                                         .angle_deg = w->v[ANG],
                                         .control = control <= 9 ? (int)control : 0,
                                         .line = r->line};
    }
    return rc;
}

static int add_winding_branch(struct pofi_raw *r, const struct transformer *t, uint32_t i,
                              struct pof_branch *b, struct pof_text name)
{
    if (b->r == 0 && b->x == 0) {
        b->x = POF_SWITCH_X_PER_VA * r->build.grid->base_va;
        r->told.no_star++;
    }
    uint32_t k = r->build.grid->branches;
    int rc = add_tap(r, &t->w[i], &b->tap);
    rc = rc ? rc : pofi_raw_add_branch(r, b, name, t->circuit);
    return rc ? rc : note_correction(r, &t->w[i], k);
}

static int add_two(struct pofi_raw *r, const struct transformer *t)
{
    double t2 = t->w[1].ratio;
    struct pof_branch b = {.kind = POF_BRANCH_TRANSFORMER,
                           .from = t->w[0].node,
                           .to = t->w[1].node,
                           .r = t->z[0].r * t2 * t2,
                           .x = t->z[0].x * t2 * t2,
                           .ratio = t->w[0].ratio / t2,
                           .shift = pof_rad_of_deg(t->w[0].v[ANG] - t->w[1].v[ANG]),
                           .rating_va = t->w[0].v[RATE] * MEGA,
                           .closed = t->status != 0};
    return add_winding_branch(r, t, 0, &b, t->name);
}

static int add_star(struct pofi_raw *r, const struct transformer *t, uint32_t *star)
{
    struct pof_grid *g = r->build.grid;
    char text[POF_GRID_NAME_MAX + 1];
    int n = 0;
    for (unsigned i = 1; i < 1000000; i++) {
        n = snprintf(text, sizeof text, "star %u", i);
        if (pof_names_find(&g->node_names, (struct pof_text){text, (size_t)n}) == POF_NONE) {
            break;
        }
    }
    struct pof_node node =
        pof_node_default((struct pof_text){text, (size_t)n}, g->node[t->w[0].node].base_v);
    node.zero_injection = true;
    *star = g->nodes;
    r->told.star++;
    return pof_build_node(&r->build, &node, r->err);
}

/* Status 2, 3, 4: winding 2, 3, 1 is out of service. */
static bool winding_closed(const struct transformer *t, uint32_t i)
{
    static const double out[] = {4, 2, 3};
    return t->status != 0 && t->status != out[i];
}

static int add_three(struct pofi_raw *r, const struct transformer *t)
{
    const struct pair *z = t->z;
    const double rs[] = {(z[0].r + z[2].r - z[1].r) / 2, (z[0].r + z[1].r - z[2].r) / 2,
                         (z[1].r + z[2].r - z[0].r) / 2};
    const double xs[] = {(z[0].x + z[2].x - z[1].x) / 2, (z[0].x + z[1].x - z[2].x) / 2,
                         (z[1].x + z[2].x - z[0].x) / 2};
    uint32_t star;
    int rc = add_star(r, t, &star);
    for (uint32_t i = 0; i < 3 && rc == 0; i++) {
        struct pof_branch b = {.kind = POF_BRANCH_TRANSFORMER,
                               .from = t->w[i].node,
                               .to = star,
                               .r = rs[i],
                               .x = xs[i],
                               .ratio = t->w[i].ratio,
                               .shift = pof_rad_of_deg(t->w[i].v[ANG]),
                               .rating_va = t->w[i].v[RATE] * MEGA,
                               .closed = winding_closed(t, i)};
        rc = add_winding_branch(r, t, i, &b, (struct pof_text){"", 0});
    }
    return rc;
}

int pofi_raw_read_transformer(struct pofi_raw *r)
{
    struct transformer t = {0};
    int rc = read_first(r, &t);
    for (int line = 1; line <= (t.windings == 2 ? 3 : 4) && rc == 0; line++) {
        rc = pofi_raw_line(r, line);
    }
    rc = rc ? rc : read_impedances(r, &t);
    double s_mva = t.z[0].s;
    for (uint32_t i = 0; i < t.windings && rc == 0; i++) {
        rc = read_winding(r, &t, i, &t.w[i]);
    }
    for (uint32_t i = 0; i < (t.windings == 2 ? 1 : 3) && rc == 0; i++) {
        rc = convert_pair(r, &t, &t.z[i], &t.w[i]);
    }
    if (rc == 0 && t.status != 0) {
        rc = magnetising(r, &t, s_mva);
    }
    return rc ? rc : t.windings == 2 ? add_two(r, &t) : add_three(r, &t);
}
