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

/* One end of a line. Formulas of P. Kundur, Power System Stability and Control, section 10.2, for n
 * bridges in series: V = V0 cos a - n 3/pi Xc I, V0 = n 3 sqrt(2)/pi E of the valve side, cos phi =
 * V / V0. */
struct end {
    uint32_t node;
    double bridges, angle_deg, xc; /* smallest firing or extinction angle */
    double v0;                     /* at the voltage and the tap of the file, kV; 0: not known */
};

static int read_end(struct pofi_raw *r, size_t k, struct end *e)
{
    enum { IP, NB, ANMN, XC, EBAS, TR, TAP, FIELDS };
    double v[FIELDS] = {[NB] = 1, [TR] = 1, [TAP] = 1};
    int rc = pofi_raw_bus(r, k, &e->node);
    rc = rc ? rc : pofi_raw_reals(r, k + NB, FIELDS - NB, v + NB);
    e->bridges = v[NB];
    e->angle_deg = v[ANMN];
    e->xc = v[XC];
    double side = v[TAP] > 0 ? v[EBAS] * v[TR] / v[TAP] * r->stored_v[rc ? 0 : e->node] : 0;
    e->v0 = v[NB] * 3 * sqrt(2) / PI * side;
    return rc;
}

/* The highest DC voltage at a current in kA: that of the smallest angle. */
static double highest(const struct end *e, double i)
{
    double most = e->v0 * cos(e->angle_deg * PI / 180) - e->bridges * 3 / PI * e->xc * i;
    return e->v0 > 0 ? fmax(most, 1e-3) : HUGE_VAL;
}

/* Reactive consumption. Where the tap is not known it is the one at the smallest angle. */
static double reactive(const struct end *e, double v, double i)
{
    double at_least = (v + e->bridges * 3 / PI * e->xc * i) / cos(e->angle_deg * PI / 180);
    double v0 = e->v0 > 0 ? fmax(e->v0, v) : at_least;
    return v0 * i * sqrt(fmax(0, 1 - v / v0 * v / v0));
}

/* What goes through a line. Power mode: SETVL is the power of the rectifier, negative: that which
 * the inverter gives; current mode: SETVL in A. VSCHD is the voltage of the inverter and RCOMP I,
 * held unless one of the ends cannot reach it. The current follows by substitution. */
struct flow {
    double i, v_rectifier, v_inverter; /* kA, kV */
};

static int schedule(struct pofi_raw *r, const double *v, const struct end *from,
                    const struct end *to, struct flow *f)
{
    enum { MDC, RDC, SETVL, VSCHD, VCMOD, RCOMP };
    if (!(v[VSCHD] > 0)) {
        return pofi_raw_fail(r, 1 + VSCHD, POF_E_PHYSICS,
                             "scheduled voltage %.15g kV is not above 0", v[VSCHD]);
    }
    *f = (struct flow){.i = v[MDC] == 2 ? v[SETVL] / 1000 : fabs(v[SETVL]) / v[VSCHD]};
    for (int n = 0; n < 200; n++) {
        double drop = v[RDC] * f->i;
        f->v_inverter =
            fmin(fmin(v[VSCHD] - v[RCOMP] * f->i, highest(to, f->i)), highest(from, f->i) - drop);
        f->v_rectifier = f->v_inverter + drop;
        double at = v[SETVL] > 0 ? f->v_rectifier : f->v_inverter;
        if (!(at > 0 && f->v_inverter > 0)) {
            return pofi_raw_fail(r, 1 + SETVL, POF_E_PHYSICS,
                                 "%.15g MW cannot go through this line", v[SETVL]);
        }
        f->i = v[MDC] == 2 ? f->i : fabs(v[SETVL]) / at;
    }
    return 0;
}

int pofi_raw_read_dc(struct pofi_raw *r)
{
    enum { NAME, MDC, MET = 8, RECTIFIER, INVERTER = RECTIFIER + 7 };
    double v[MET - MDC] = {0};
    struct end from, to;
    struct flow f = {0};
    int rc = pofi_raw_line(r, 1);
    rc = rc ? rc : pofi_raw_line(r, 2);
    rc = rc ? rc : pofi_raw_reals(r, MDC, 6, v);
    if (rc || v[0] == 0) {
        return rc; /* blocked */
    }
    rc = read_end(r, RECTIFIER, &from);
    rc = rc ? rc : read_end(r, INVERTER, &to);
    rc = rc ? rc : schedule(r, v, &from, &to, &f);
    if (rc == 0) {
        consume(r, from.node, f.v_rectifier * f.i, reactive(&from, f.v_rectifier, f.i));
        consume(r, to.node, -f.v_inverter * f.i, reactive(&to, f.v_inverter, f.i));
        r->told.dc++;
    }
    return rc;
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
    if (rc == 0 && c->v[TYPE] != OUT_OF_SERVICE && c->v[TYPE] != DC_VOLTAGE &&
        c->v[TYPE] != DC_POWER) {
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
static int balance(struct pofi_raw *r, const struct converter *power,
                   const struct converter *voltage, double ohm)
{
    double v = voltage->v[DCSET], i = 0;
    if (!(v > 0)) {
        return pofi_raw_fail(r, voltage->k + DCSET, POF_E_PHYSICS,
                             "DC voltage %.15g kV is not above 0", v);
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

/* Without a second bus: a compensator that holds the voltage of its bus with at most SHMX Mvar.
 * With one: PDES and QDES arrive at the second bus, the device has no losses. */
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
        return pofi_raw_fail(
            r, MODE, POF_E_SCHEMA,
            "control mode %.15g; 0, 1 and 2 are read: others hold no scheduled value", v[MODE]);
    }
    if (!(v[VSET] > 0.5 && v[VSET] < 1.5)) {
        return pofi_raw_fail(r, VSET, POF_E_PHYSICS,
                             "voltage set point %.15g p.u. is not in 0.5 .. 1.5", v[VSET]);
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
