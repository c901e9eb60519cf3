/* SPDX-License-Identifier: Apache-2.0 */
/* The name of a quarter-hour inside ids. */
#ifndef POF_MARKET_QUARTER_H
#define POF_MARKET_QUARTER_H

#include <stdint.h>

enum { POF_QUARTER_NAME = 14 };

/* 20260310T1315Z, NUL-terminated: UTC, so never ambiguous; names sort as the instants do. */
void pof_quarter_name(int64_t start, char to[POF_QUARTER_NAME + 1]);

#endif
