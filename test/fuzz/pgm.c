/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes through the reader of power-grid-model data sets, as a grid for a power flow and for
 * estimates of one and three phases: no crash; what is read can be written and read again, with as
 * many nodes and branches; updates change only what they name. */
#include "grid/pgm.h"

#include <stdlib.h>
#include <string.h>

static void one(const struct pofi_pgm *p, unsigned phases)
{
    struct pof_readings readings = {.phases = phases ? phases : 1};
    struct pof_grid_wish wish = {.readings = phases ? &readings : NULL};
    struct pof_err err = {0};
    struct pof_grid grid, again;
    struct pofi_pgm_map map;
    if (pofi_pgm_grid(&grid, p, &wish, &map, &err) != 0) {
        pof_readings_release(&readings);
        return;
    }
    struct pof_buf text = {0};
    if (pof_pgm_write(&grid, &readings, &text, NULL, &err) != 0 || pof_buf_add(&text, "", 1, &err) != 0) {
        abort();
    }
    /* What is written may go beyond what the model allows, as a plate of a tapped winding does. */
    if (pof_pgm_read(&again, (struct pof_text){text.data, text.len - 1}, "again", &(struct pof_grid_wish){0}, &err) == 0) {
        if (again.nodes < grid.nodes || again.branches < grid.branches) {
            abort();
        }
        pof_grid_release(&again);
    }
    for (size_t i = 0; i < readings.n; i++) {
        const struct pof_observation *o = &readings.item[i];
        if (o->element >= (o->branch ? grid.branches : grid.nodes)) {
            abort();
        }
    }
    pof_buf_release(&text);
    pofi_pgm_map_release(&map);
    pof_grid_release(&grid);
    pof_readings_release(&readings);
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
    struct pofi_pgm_set set;
    struct pof_err err = {0};
    char *text = malloc(size + 1);
    if (!text) {
        return 0;
    }
    memcpy(text, data, size);
    text[size] = '\0';
    if (pofi_pgm_parse(&set, (struct pof_text){text, size}, "fuzz", &err) == 0) {
        for (size_t i = 0; i < set.n && i < 4; i++) {
            struct pofi_pgm changed;
            if (pofi_pgm_index(&set.scenario[i], &err) != 0) {
                continue;
            }
            for (unsigned phases = 0; phases <= 3; phases += phases + 1) {
                one(&set.scenario[i], phases);
            }
            if (pofi_pgm_copy(&changed, &set.scenario[0], &err) == 0) {
                (void)!pofi_pgm_update(&changed, &set.scenario[i], &err);
                pofi_pgm_release(&changed);
            }
        }
        pofi_pgm_set_release(&set);
    }
    free(text);
    return 0;
}
