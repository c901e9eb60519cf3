/* SPDX-License-Identifier: Apache-2.0 */
/* Documents of the Common Information Model for tests: files, directories and archives under a path. */
#ifndef POF_TEST_CIM_DOCUMENTS_H
#define POF_TEST_CIM_DOCUMENTS_H

#include "grid/format.h"
#include "record/zip.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

struct documents {
    struct pof_cim_document item[64];
    size_t n;
};

static int documents_keep(void *ctx, const char *name, struct pof_buf *bytes, struct pof_err *err)
{
    struct documents *d = ctx;
    if (d->n == sizeof d->item / sizeof d->item[0]) {
        return pof_fail(err, POF_E_TOO_LONG, "too many documents for a test");
    }
    d->item[d->n++] = (struct pof_cim_document){{bytes->data, bytes->len}, strdup(name)};
    *bytes = (struct pof_buf){0};
    return 0;
}

static int documents_file(struct documents *d, const char *path, struct pof_err *err)
{
    struct pof_buf b = {0};
    FILE *f = fopen(path, "rb");
    int rc = f ? 0 : pof_fail(err, POF_E_OPEN, "no '%.200s'", path);
    for (size_t n = 1; rc == 0 && n > 0;) {
        rc = pof_buf_reserve(&b, 65536, err);
        n = rc ? 0 : fread(b.data + b.len, 1, 65535, f);
        b.len += n;
        if (rc == 0) {
            b.data[b.len] = '\0';
        }
    }
    if (f) {
        fclose(f);
    }
    struct pof_zip_taker taker = {documents_keep, d};
    rc = rc ? rc
         : pof_zip_is((struct pof_text){b.data, b.len})
             ? pof_zip_walk((struct pof_text){b.data, b.len}, path, &taker, err)
             : documents_keep(d, path, &b, err);
    pof_buf_release(&b);
    return rc;
}

/* All *.xml and *.zip of a directory, or a file. */
__attribute__((unused)) static int documents_add(struct documents *d, const char *path, struct pof_err *err)
{
    struct stat st;
    struct dirent **entry;
    if (stat(path, &st) != 0 || !S_ISDIR(st.st_mode)) {
        return documents_file(d, path, err);
    }
    int n = scandir(path, &entry, NULL, alphasort), rc = 0;
    for (int i = 0; i < n; i++) {
        const char *dot = strrchr(entry[i]->d_name, '.');
        char full[8192];
        snprintf(full, sizeof full, "%s/%s", path, entry[i]->d_name);
        if (rc == 0 && dot && (strcmp(dot, ".xml") == 0 || strcmp(dot, ".zip") == 0)) {
            rc = documents_file(d, full, err);
        }
        free(entry[i]);
    }
    free(entry);
    return rc;
}

__attribute__((unused)) static void documents_release(struct documents *d)
{
    for (size_t i = 0; i < d->n; i++) {
        free((char *)(uintptr_t)d->item[i].text.ptr);
        free((char *)(uintptr_t)d->item[i].name);
    }
    d->n = 0;
}

#endif
