/* SPDX-License-Identifier: Apache-2.0 */
/* Transformers of PSS/E RAW (PSS/E 33 Program Operation Manual, section 5.2.7).
 *
 * A winding is an ideal transformer t e^(j angle) : 1 from its bus to a star point, the impedances lie
 * between the windings. Two windings: seen from the second bus the impedance is z t2^2 and the ratio
 * t1 / t2. Three windings: z1 = (z12 + z31 - z23) / 2 and so on, and a node for the star point. */
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

struct winding {
    uint32_t node;
    double windv, nomv, angle, rating;
    double ratio; /* p.u. of the bus's base voltage */
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

static int bad_code(struct pofi_raw *r, const char *name, double v)
{
    pof_fail(r->err, POF_E_RANGE, "code %.15g is not one of those of PSS/E 33", v);
    return pof_at(r->err, NULL, 0, name);
}

static int read_codes(struct pofi_raw *r, struct transformer *t)
{
    int rc = pofi_raw_real(r, 4, "CW", 1, &t->cw);
    rc = rc ? rc : pofi_raw_real(r, 5, "CZ", 1, &t->cz);
    rc = rc ? rc : pofi_raw_real(r, 6, "CM", 1, &t->cm);
    rc = rc ? rc : pofi_raw_real(r, 7, "MAG1", 0, &t->mag1);
    rc = rc ? rc : pofi_raw_real(r, 8, "MAG2", 0, &t->mag2);
    rc = rc ? rc : pofi_raw_real(r, 11, "STAT", 1, &t->status);
    if (rc) {
        return rc;
    }
    if (t->cw != WINDING_PU && t->cw != WINDING_KV && t->cw != WINDING_NOMINAL) {
        return bad_code(r, "CW", t->cw);
    }
    if (t->cz != IMPEDANCE_SYSTEM && t->cz != IMPEDANCE_OWN && t->cz != IMPEDANCE_LOSS) {
        return bad_code(r, "CZ", t->cz);
    }
    return t->cm == MAGNETISING_SYSTEM || t->cm == MAGNETISING_LOSS ? 0 : bad_code(r, "CM", t->cm);
}

static int read_first(struct pofi_raw *r, struct transformer *t)
{
    double k;
    int rc = pofi_raw_bus(r, 0, "I", &t->w[0].node);
    rc = rc ? rc : pofi_raw_bus(r, 1, "J", &t->w[1].node);
    rc = rc ? rc : pofi_raw_real(r, 2, "K", 0, &k);
    if (rc) {
        return rc;
    }
    t->windings = k == 0 ? 2 : 3;
    if (k != 0 && (rc = pofi_raw_bus(r, 2, "K", &t->w[2].node)) != 0) {
        return rc;
    }
    t->circuit = r->rec.n > 3 ? r->rec.field[3] : (struct pof_text){"", 0};
    t->name = r->rec.n > 10 ? r->rec.field[10] : (struct pof_text){"", 0};
    return read_codes(r, t);
}

static int next(struct pofi_raw *r)
{
    return pofi_raw_next(r) ? 0
                            : pof_fail(r->err, POF_E_TRUNCATED, "the file ends in a transformer");
}

/* The base voltage ratio of a winding's own voltage base to that of its bus. */
static void winding_ratio(const struct pof_grid *g, const struct transformer *t, struct winding *w)
{
    double bus_kv = g->node[w->node].base_v / 1000;
    w->nominal = w->nomv > 0 ? w->nomv / bus_kv : 1;
    w->ratio = t->cw == WINDING_PU   ? w->windv
               : t->cw == WINDING_KV ? w->windv / bus_kv
                                     : w->windv * w->nominal;
}

static int read_winding(struct pofi_raw *r, const struct transformer *t, struct winding *w)
{
    const struct pof_grid *g = r->build.grid;
    double without = t->cw == WINDING_KV ? g->node[w->node].base_v / 1000 : 1;
    int rc = next(r);
    rc = rc ? rc : pofi_raw_real(r, 0, "WINDV", without, &w->windv);
    rc = rc ? rc : pofi_raw_real(r, 1, "NOMV", 0, &w->nomv);
    rc = rc ? rc : pofi_raw_real(r, 2, "ANG", 0, &w->angle);
    rc = rc ? rc : pofi_raw_real(r, 3, "RATA", 0, &w->rating);
    if (rc) {
        return rc;
    }
    if (!(w->windv > 0)) {
        pof_fail(r->err, POF_E_PHYSICS, "winding voltage %.15g is not above 0", w->windv);
        return pof_at(r->err, NULL, 0, "WINDV");
    }
    winding_ratio(g, t, w);
    return 0;
}

static int read_impedances(struct pofi_raw *r, struct transformer *t)
{
    int rc = next(r);
    uint32_t pairs = t->windings == 2 ? 1 : 3;
    for (uint32_t i = 0; i < pairs && rc == 0; i++) {
        rc = pofi_raw_real(r, 3 * i, "R", 0, &t->z[i].r);
        rc = rc ? rc : pofi_raw_real(r, 3 * i + 1, "X", 0, &t->z[i].x);
        rc = rc ? rc : pofi_raw_real(r, 3 * i + 2, "SBASE", r->base_mva, &t->z[i].s);
        if (rc == 0 && !(t->z[i].s > 0)) {
            pof_fail(r->err, POF_E_PHYSICS, "base power %.15g MVA is not above 0", t->z[i].s);
            rc = pof_at(r->err, NULL, 0, "SBASE");
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
            pof_fail(r->err, POF_E_PHYSICS, "load losses exceed what the impedance allows");
            return pof_at(r->err, NULL, 0, "R");
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
            pof_fail(r->err, POF_E_PHYSICS, "no-load losses exceed what the exciting current allows");
            return pof_at(r->err, NULL, 0, "MAG1");
        }
        double nominal = t->w[0].nominal;
        bm = -sqrt(fmax(0, y * y - gm * gm)) / (nominal * nominal);
        gm /= nominal * nominal;
    }
    g->node[t->w[0].node].g_w += gm * g->base_va;
    g->node[t->w[0].node].b_var += bm * g->base_va;
    r->magnetising++;
    return 0;
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
                           .shift = pof_rad_of_deg(t->w[0].angle - t->w[1].angle),
                           .rating_va = t->w[0].rating * MEGA,
                           .closed = t->status != 0};
    if (b.r == 0 && b.x == 0) {
        b.x = POF_SWITCH_X_PER_VA * r->build.grid->base_va;
        r->no_star++;
    }
    return pofi_raw_add_branch(r, &b, t->name, t->circuit);
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
    r->star++;
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
                               .shift = pof_rad_of_deg(t->w[i].angle),
                               .rating_va = t->w[i].rating * MEGA,
                               .closed = winding_closed(t, i)};
        if (b.r == 0 && b.x == 0) {
            b.x = POF_SWITCH_X_PER_VA * r->build.grid->base_va;
            r->no_star++;
        }
        rc = pofi_raw_add_branch(r, &b, (struct pof_text){"", 0}, t->circuit);
    }
    return rc;
}

int pofi_raw_transformer(struct pofi_raw *r)
{
    struct transformer t = {0};
    int rc = read_first(r, &t);
    rc = rc ? rc : read_impedances(r, &t);
    double s_mva = t.z[0].s;
    for (uint32_t i = 0; i < t.windings && rc == 0; i++) {
        rc = read_winding(r, &t, &t.w[i]);
    }
    for (uint32_t i = 0; i < (t.windings == 2 ? 1 : 3) && rc == 0; i++) {
        rc = convert_pair(r, &t, &t.z[i], &t.w[i]);
    }
    if (rc == 0 && t.status != 0) {
        rc = magnetising(r, &t, s_mva);
    }
    return rc ? rc : t.windings == 2 ? add_two(r, &t) : add_three(r, &t);
}
