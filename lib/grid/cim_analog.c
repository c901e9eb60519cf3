/* SPDX-License-Identifier: Apache-2.0 */
/* Measurements and their values as readings. */
#include "grid/cim.h"

int pofi_cim_analogs(struct pofi_cim *c)
{
    return c->rc;
}
