/* SPDX-License-Identifier: Apache-2.0 */
/* Fuzzing the Common Information Model: any bytes as a document, or as an archive of them. What is
 * read must be a grid that can be written and read again. */
#include "grid/format.h"
#include "record/zip.h"

#include <stdlib.h>
#include <string.h>

struct members {
    struct pof_cim_document item[8];
    size_t n;
};

static int keep(void *ctx, const char *name, struct pof_buf *bytes, struct pof_err *err)
{
    (void)name, (void)err;
    struct members *m = ctx;
    if (m->n < 8 && bytes->len > 0) {
        m->item[m->n++] = (struct pof_cim_document){{bytes->data, bytes->len}, "member"};
        *bytes = (struct pof_buf){0};
    }
    return 0;
}

static void read_back(const struct pof_grid *g)
{
    struct pof_buf out = {0};
    struct pof_grid again = {0};
    if (pof_grid_write(g, &out, NULL) == 0 && pof_grid_parse(&again, out.data, out.len, "again", NULL) != 0) {
        abort();
    }
    pof_grid_release(&again);
    pof_buf_release(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct members m = {0};
    struct pof_readings readings = {.phases = 1};
    struct pof_cim_state state = {0};
    struct pof_grid g = {0};
    struct pof_text text = {(const char *)data, size};
    struct pof_zip_taker taker = {keep, &m};
    struct pof_cim_document whole = {text, "whole"};
    bool zip = pof_zip_is(text);
    int rc = zip ? pof_zip_walk(text, "zip", &taker, NULL) : 0;
    struct pof_cim in = {.document = zip ? m.item : &whole, .documents = zip ? m.n : 1, .state = &state};
    struct pof_grid_wish wish = {.readings = &readings};
    if (rc == 0 && in.documents > 0 && pof_cim_read(&g, &in, &wish, NULL) == 0) {
        read_back(&g);
    }
    pof_grid_release(&g);
    pof_cim_state_release(&state);
    pof_readings_release(&readings);
    for (size_t i = 0; i < m.n; i++) {
        free((char *)(uintptr_t)m.item[i].text.ptr);
    }
    return 0;
}
