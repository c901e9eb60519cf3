/* SPDX-License-Identifier: Apache-2.0 */
/* The table of powers of ten. */
#include "num/powers.h"

const struct pofi_power pofi_power[POFI_POWER_MAX - POFI_POWER_MIN + 1] = {
#include "num/powers.def"
};
