/* SPDX-License-Identifier: Apache-2.0 */
/* Inside of sensitivities, which the screening of outages goes by too. Unknown 2 b is the angle of bus
 * b, 2 b + 1 its voltage; the equations with these numbers are its balances of P and Q, or, where angle
 * or voltage is held, that it stays. With a distributed slack the unknown 2 b of a slack bus is the
 * power that its island shares, and its balance of P an equation like others. */
#ifndef POF_GRID_SENSITIVITY_IMPL_H
#define POF_GRID_SENSITIVITY_IMPL_H

#include "grid/net.h"
#include "grid/sensitivity.h"
#include "grid/sparse.h"

struct pofi_complex {
    double re, im;
};

struct pof_sens {
    const struct pof_grid *grid;
    struct pof_net net;
    struct pof_csc jacobian;
    struct pof_lu *lu;
    int32_t *slot; /* four for each entry of a bus's form: where dP/da, dP/dv, dQ/da, dQ/dv go */
    int32_t *own;  /* in slot: the same four by the voltage of the bus before its current */
    int32_t *part; /* in slot, for each bus: P by the power its island shares */
    double *share; /* [buses] of that power, p.u. of it; NULL: none is shared */
    bool *shares;  /* [buses] a slack bus whose island shares its power */
    bool *held;    /* [2 buses] not an unknown */
    struct pofi_complex *e; /* [buses] e^(j angle) */
    double *v;         /* [buses] p.u. */
    double *iq, *ip;   /* [buses] consumption that grows with the voltage, p.u. */
    double *y;         /* [2 buses] */
    bool regular;
};

/* Current of a form, p.u.; what flows with it. */
struct pofi_complex pofi_sens_current(const struct pof_sens *s, uint32_t form);
struct pofi_complex pofi_sens_power(const struct pof_sens *s, uint32_t form);
/* y += p grad P + q grad Q of the power of a form. */
void pofi_sens_gradient(const struct pof_sens *s, uint32_t form, double p, double q, double *y);

#endif
