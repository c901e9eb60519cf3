/* SPDX-License-Identifier: Apache-2.0 */
/* What became of a file of shared test vectors: a line that test/oracle/certify/vectors makes its
 * table of. */
#ifndef POF_TEST_VECTORS_H
#define POF_TEST_VECTORS_H

#include "tap.h"

static inline void vectors_told(const char *name, long passed, long failed, const char *remark)
{
    printf("# vectors %s %ld %ld %s\n", name, passed, failed, remark);
}

#endif
