/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as remedies of a small grid: refused with a text, or remedies that name what the grid has. */
#include "market/remedy.h"

#include <stdlib.h>
#include <string.h>

static const char network[] =
    "{\"schema\":\"pof.grid/1\",\"name\":\"g\",\"base_va\":100000,\"nodes\":[{\"name\":\"hv\",\"base_v\":20000,\"kind\":\"slack\","
    "\"v_set_pu\":1},{\"name\":\"bus\",\"base_v\":400},{\"name\":\"end\",\"base_v\":400}],\"branches\":[{\"name\":\"T\",\"kind\":\"transformer\",\"from\":\"hv\","
    "\"to\":\"bus\",\"sn_va\":250000,\"uk_pct\":4,\"pk_w\":3000,\"tap\":{\"pos\":0,\"min\":-4,\"max\":4,\"neutral\":0,"
    "\"step_pct\":2.5}},{\"name\":\"L\",\"kind\":\"line\",\"from\":\"bus\",\"to\":\"end\",\"r_ohm\":1,\"x_ohm\":1,\"closed\":false}]}";

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
    struct pof_err err = {0};
    struct pof_grid grid;
    struct pof_remedies r;
    if (pof_grid_parse(&grid, network, strlen(network), "grid", &err)) {
        abort();
    }
    int rc = pof_remedies_parse(&r, &grid, (struct pof_text){(const char *)data, size}, "fuzz", &err);
    if (rc && !err.text[0]) {
        abort();
    }
    for (size_t i = 0; rc == 0 && i < r.n; i++) {
        for (uint32_t k = r.remedy[i].first; k < r.remedy[i].first + r.remedy[i].actions; k++) {
            const struct pof_remedy_action *a = &r.action[k];
            if (a->branch >= grid.branches || (a->is_tap && (a->branch != 0 || a->pos < -4 || a->pos > 4))) {
                abort();
            }
        }
    }
    if (rc == 0) {
        pof_remedies_release(&r);
    }
    pof_grid_release(&grid);
    return 0;
}
