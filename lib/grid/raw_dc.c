/* SPDX-License-Identifier: Apache-2.0 */
/* PSS/E RAW: DC lines and FACTS devices as what they are scheduled to exchange with the grid. */
#include "grid/raw.h"

#include <math.h>
#include <string.h>

#define MEGA 1e6
#define PI 3.14159265358979323846

static void consume(struct pofi_raw *r, uint32_t at, double p_mw, double q_mvar)
{
    struct pof_node *node = &r->build.grid->node[at];
    node->p_w += p_mw * MEGA;
    node->q_var += q_mvar * MEGA;
    r->in_service[at]++;
}

/* --- two-terminal lines of line-commutated converters --- */

/* Reactive consumption of a converter whose tap changer keeps it at its smallest firing or extinction
 * angle: V = V0 cos a - 3/pi N Xc I, cos phi = V / V0 (P. Kundur, Power System Stability and Control,
 * sections 10.2 and 10.9). v kV and i kA of the line. */
static double converter_q(double v, double i, double bridges, double xc, double angle_deg)
{
    double v0 = (v + 3 / PI * bridges * xc * i) / cos(angle_deg * PI / 180);
    double sine = sqrt(fmax(0, 1 - v / v0 * v / v0));
    return v0 * i * sine;
}

/* Power mode: SETVL is the power of the rectifier, negative: the power that the inverter gives.
 * Current mode: SETVL in A. VSCHD is the voltage of the inverter and RCOMP I. */
static int schedule(struct pofi_raw *r, const double *v, double *i_ka, double *v_rectifier)
{
    enum { MDC, RDC, SETVL, VSCHD, VCMOD, RCOMP };
    double vs = v[VSCHD], rest = v[RDC] - v[RCOMP], p = fabs(v[SETVL]);
    if (!(vs > 0)) {
        return pofi_raw_fail(r, 4, POF_E_PHYSICS, "scheduled voltage %.15g kV is not above 0", vs);
    }
    if (v[MDC] == 2) {
        *i_ka = v[SETVL] / 1000;
    } else {
        /* The inverter has vs - RCOMP I, the rectifier vs + (RDC - RCOMP) I; P = V I. */
        double a = v[SETVL] > 0 ? rest : -v[RCOMP];
        double root = vs * vs + 4 * a * p;
        if (root < 0) {
            return pofi_raw_fail(r, 3, POF_E_PHYSICS, "%.15g MW cannot go through this line", v[SETVL]);
        }
        *i_ka = a == 0 ? p / vs : 2 * p / (vs + sqrt(root));
    }
    *v_rectifier = vs + rest * *i_ka;
    return 0;
}

int pofi_raw_read_dc(struct pofi_raw *r)
{
    enum { NAME, MDC, RDC, MET = 8, IPR, NBR, ANMNR, XCR, IPI, NBI, ANMNI, XCI };
    double v[MET - MDC] = {0}, rect[3] = {1, 0, 0}, inv[3] = {1, 0, 0};
    uint32_t from, to;
    int rc = pofi_raw_line(r, 1);
    rc = rc ? rc : pofi_raw_line(r, 2);
    rc = rc ? rc : pofi_raw_reals(r, MDC, 6, v);
    if (rc || v[0] == 0) {
        return rc; /* blocked */
    }
    rc = pofi_raw_bus(r, IPR, &from);
    rc = rc ? rc : pofi_raw_bus(r, IPI, &to);
    rc = rc ? rc : pofi_raw_reals(r, NBR, 3, rect);
    rc = rc ? rc : pofi_raw_reals(r, NBI, 3, inv);
    double i = 0, vr = 0;
    rc = rc ? rc : schedule(r, v, &i, &vr);
    if (rc) {
        return rc;
    }
    double vi = vr - v[RDC - MDC] * i;
    consume(r, from, vr * i, converter_q(vr, i, rect[0], rect[2], rect[1]));
    consume(r, to, -vi * i, converter_q(vi, i, inv[0], inv[2], inv[1]));
    r->told.dc++;
    return 0;
}

/* --- voltage source converters --- */

enum { PER_CONVERTER = 11 };
enum { IBUS, TYPE, AC_MODE, DCSET, ACSET, ALOSS, BLOSS, MINLOSS, MAXQ, MINQ, VSREG };
enum { OUT_OF_SERVICE, DC_VOLTAGE, DC_POWER };

struct converter {
    uint32_t node;
    double v[PER_CONVERTER];
    size_t k; /* its first wanted field */
};

static int read_converter(struct pofi_raw *r, size_t k, struct converter *c)
{
    *c = (struct converter){.k = k};
    c->v[AC_MODE] = 1;
    c->v[ACSET] = 1;
    c->v[MAXQ] = 9999;
    c->v[MINQ] = -9999;
    int rc = pofi_raw_bus(r, k, &c->node);
    rc = rc ? rc : pofi_raw_reals(r, k + TYPE, PER_CONVERTER - TYPE, c->v + TYPE);
    if (rc == 0 && c->v[TYPE] != OUT_OF_SERVICE && c->v[TYPE] != DC_VOLTAGE && c->v[TYPE] != DC_POWER) {
        rc = pofi_raw_fail(r, k + TYPE, POF_E_RANGE, "converter type %.15g is not 0, 1 or 2",
                           c->v[TYPE]);
    }
    return rc;
}

/* Losses in MW at i kA: ALOSS kW, BLOSS kW per A. */
static double losses(const struct converter *c, double i_ka)
{
    return fmax(c->v[ALOSS] + c->v[BLOSS] * fabs(i_ka) * 1000, c->v[MINLOSS]) / 1000;
}

/* What a converter exchanges: p_mw into the AC grid; its reactive power by the AC control. */
static int inject(struct pofi_raw *r, const struct converter *c, double p_mw)
{
    enum { AC_VOLTAGE = 1 };
    if (c->v[AC_MODE] == AC_VOLTAGE) {
        if (!(c->v[ACSET] > 0.5 && c->v[ACSET] < 1.5)) {
            return pofi_raw_fail(r, c->k + ACSET, POF_E_PHYSICS,
                                 "voltage set point %.15g p.u. is not in 0.5 .. 1.5", c->v[ACSET]);
        }
        r->build.grid->node[c->node].p_w -= p_mw * MEGA;
        return pofi_raw_hold(r, c->node, c->v[ACSET], c->v[MINQ] * MEGA, c->v[MAXQ] * MEGA);
    }
    double factor = fabs(c->v[ACSET]);
    if (!(factor > 0 && factor <= 1)) {
        return pofi_raw_fail(r, c->k + ACSET, POF_E_PHYSICS, "power factor %.15g is not in -1 .. 1",
                             c->v[ACSET]);
    }
    double q = fabs(p_mw) * sqrt(1 - factor * factor) / factor;
    q = c->v[ACSET] < 0 ? -q : q;
    consume(r, c->node, -p_mw, -fmin(fmax(q, c->v[MINQ]), c->v[MAXQ]));
    return 0;
}

/* The converter that sets the power gives DCSET to the grid and takes it, with its losses, from the
 * line; the other holds the voltage of the line and covers the rest. The current follows by a few
 * substitutions, since losses depend on it. */
static int balance(struct pofi_raw *r, const struct converter *power, const struct converter *voltage,
                   double ohm)
{
    double v = voltage->v[DCSET], i = 0;
    if (!(v > 0)) {
        return pofi_raw_fail(r, voltage->k + DCSET, POF_E_PHYSICS, "DC voltage %.15g kV is not above 0",
                             v);
    }
    for (int n = 0; n < 50; n++) {
        double from_line = power->v[DCSET] + losses(power, i);
        double at_end = v - ohm * i;
        i = at_end > v / 2 ? from_line / at_end : from_line / v;
    }
    int rc = inject(r, power, power->v[DCSET]);
    return rc ? rc : inject(r, voltage, -(v * i + losses(voltage, i)));
}

int pofi_raw_read_vsc(struct pofi_raw *r)
{
    enum { NAME, MDC, RDC, FIRST };
    double v[] = {1, 0};
    struct converter c[2];
    int rc = pofi_raw_line(r, 1);
    rc = rc ? rc : pofi_raw_line(r, 2);
    rc = rc ? rc : pofi_raw_reals(r, MDC, 2, v);
    rc = rc ? rc : read_converter(r, FIRST, &c[0]);
    rc = rc ? rc : read_converter(r, FIRST + PER_CONVERTER, &c[1]);
    if (rc || v[0] == 0 || c[0].v[TYPE] == OUT_OF_SERVICE || c[1].v[TYPE] == OUT_OF_SERVICE) {
        return rc;
    }
    int power = c[0].v[TYPE] == DC_POWER ? 0 : 1;
    if (c[power].v[TYPE] != DC_POWER || c[!power].v[TYPE] != DC_VOLTAGE) {
        return pofi_raw_fail(r, FIRST + TYPE, POF_E_CONFLICT,
                             "one converter must hold the DC voltage (1), the other a power (2)");
    }
    r->told.vsc++;
    return balance(r, &c[power], &c[!power], v[1]);
}

/* --- FACTS devices --- */

/* Without a second bus: a compensator that holds the voltage of its bus with at most SHMX Mvar. With
 * one: PDES and QDES arrive at the second bus, the device has no losses. */
int pofi_raw_read_facts(struct pofi_raw *r)
{
    enum { NAME, I, J, MODE, PDES, QDES, VSET, SHMX, LINX, FIELDS };
    enum { OFF, NORMAL, BYPASSED };
    double v[FIELDS] = {[MODE] = 1, [VSET] = 1, [SHMX] = 9999, [LINX] = 0.05};
    uint32_t at, to;
    int rc = pofi_raw_bus(r, I, &at);
    rc = rc ? rc : pofi_raw_reals(r, J, FIELDS - J, v + J);
    if (rc || v[MODE] == OFF) {
        return rc;
    }
    if (v[MODE] != NORMAL && v[MODE] != BYPASSED) {
        return pofi_raw_fail(r, MODE, POF_E_SCHEMA,
                             "control mode %.15g; 0, 1 and 2 are read: others hold no scheduled value",
                             v[MODE]);
    }
    if (!(v[VSET] > 0.5 && v[VSET] < 1.5)) {
        return pofi_raw_fail(r, VSET, POF_E_PHYSICS, "voltage set point %.15g p.u. is not in 0.5 .. 1.5",
                             v[VSET]);
    }
    r->told.facts++;
    if (v[J] != 0 && (rc = pofi_raw_bus(r, J, &to)) != 0) {
        return rc;
    }
    if (v[J] != 0 && v[MODE] == BYPASSED) {
        struct pof_branch b = {.from = at, .to = to, .x = v[LINX], .ratio = 1, .closed = true};
        rc = b.x > 0 ? pofi_raw_add_branch(r, &b, pofi_raw_text(r, NAME), (struct pof_text){"", 0})
                     : pofi_raw_fail(r, LINX, POF_E_PHYSICS, "reactance %.15g is not above 0", b.x);
    } else if (v[J] != 0) {
        consume(r, at, v[PDES], 0);
        consume(r, to, -v[PDES], -v[QDES]);
    }
    return rc ? rc : pofi_raw_hold(r, at, v[VSET], -v[SHMX] * MEGA, v[SHMX] * MEGA);
}
