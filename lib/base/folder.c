/* SPDX-License-Identifier: Apache-2.0 */
/* Whole files of a folder. */
#include "base/folder.h"

int pof_folder_slurp(const struct pof_folder *f, const char *file, size_t max, struct pof_buf *data,
                     struct pof_err *err)
{
    uint64_t size;
    data->len = 0;
    int rc = f->size(f->ctx, file, &size, err);
    if (rc == 0 && size > max) {
        rc = pof_fail(err, POF_E_TOO_LONG, "'%s/%s' has more than %zu bytes", f->name, file, max);
    }
    rc = rc ? rc : pof_buf_reserve(data, (size_t)size + 1, err);
    rc = rc ? rc : f->read(f->ctx, (struct pof_place){file, 0}, data->data, (size_t)size, err);
    if (rc == 0) {
        data->len = (size_t)size;
        data->data[size] = '\0';
    }
    return rc;
}
