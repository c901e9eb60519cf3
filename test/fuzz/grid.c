/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes through the readers of grids: no crash, and what is read can be written in every format;
 * the grid document comes back, and is written with the same bytes again. */
#include "grid/format.h"

#include <stdlib.h>
#include <string.h>

static void check_document(const struct pof_grid *grid)
{
    struct pof_buf first = {0}, second = {0};
    struct pof_err err = {0};
    struct pof_grid again;
    if (pof_grid_write(grid, &first, &err) != 0 ||
        pof_grid_parse(&again, first.data, first.len, "again", &err) != 0 ||
        pof_grid_write(&again, &second, &err) != 0 || first.len != second.len ||
        memcmp(first.data, second.data, first.len) != 0) {
        abort();
    }
    pof_grid_release(&again);
    pof_buf_release(&first);
    pof_buf_release(&second);
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
    struct pof_grid grid;
    struct pof_err err = {0};
    char *text = malloc(size + 1); /* readers may count on the NUL */
    if (!text) {
        return 0;
    }
    memcpy(text, data, size);
    text[size] = '\0';
    if (pof_grid_read(&grid, (struct pof_text){text, size}, "fuzz", NULL, &err) == 0) {
        struct pof_buf raw = {0}, matpower = {0};
        check_document(&grid);
        if (pof_matpower_write(&grid, &matpower, NULL, &err) != 0) {
            abort();
        }
        /* More than 99 parallel branches have no place in RAW: refused, not a failure. */
        (void)!pof_raw_write(&grid, &raw, NULL, &err);
        pof_buf_release(&raw);
        pof_buf_release(&matpower);
        pof_grid_release(&grid);
    }
    free(text);
    return 0;
}
