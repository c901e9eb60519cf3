/* SPDX-License-Identifier: Apache-2.0 */
/* The documents of one grid: files, directories and archives. */
#include "documents.h"
#include "record/zip.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

bool is_directory(const char *path)
{
    struct stat st;
    return strcmp(path, "-") != 0 && stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

/* Takes bytes over. */
static int keep(struct documents *d, const char *name, char *bytes, size_t len, struct pof_err *err)
{
    char *copy = NULL;
    int rc = pof_grow(&d->item, &d->cap, d->n + 1, sizeof *d->item, err);
    rc = rc ? rc : pof_calloc(&copy, strlen(name) + 1, 1, err);
    if (rc) {
        free(bytes);
        return rc;
    }
    memcpy(copy, name, strlen(name));
    d->item[d->n++] = (struct pof_cim_document){{bytes, len}, copy};
    return 0;
}

static int take_member(void *ctx, const char *name, struct pof_buf *bytes, struct pof_err *err)
{
    struct documents *d = ctx;
    if (!pof_cim_is((struct pof_text){bytes->data, bytes->len})) {
        pof_cli_warn(d->cli, "'%s' is no XML document, left out", name);
        return 0;
    }
    struct pof_buf own = *bytes;
    *bytes = (struct pof_buf){0};
    return keep(d, name, own.data, own.len, err);
}

static int add_file(struct documents *d, const char *path, struct pof_err *err)
{
    char *data = NULL;
    size_t len;
    int rc = pof_cli_slurp(d->cli, path, &data, &len, err);
    if (rc || !pof_zip_is((struct pof_text){data, len})) {
        return rc ? rc : keep(d, path, data, len, err);
    }
    struct pof_zip_taker taker = {take_member, d};
    rc = pof_zip_walk((struct pof_text){data, len}, path, &taker, err);
    free(data);
    return rc;
}

static bool ends_in(const char *name, const char *with)
{
    size_t n = strlen(name), m = strlen(with);
    return n > m && strcmp(name + n - m, with) == 0;
}

static int add_entry(struct documents *d, const char *directory, const char *name, struct pof_err *err)
{
    char path[4096];
    if (name[0] == '.') {
        return 0;
    }
    if (!ends_in(name, ".xml") && !ends_in(name, ".zip")) {
        pof_cli_warn(d->cli, "'%s' is left out, only *.xml and *.zip are read", name);
        return 0;
    }
    int n = snprintf(path, sizeof path, "%s/%s", directory, name);
    return n < (int)sizeof path ? add_file(d, path, err)
                                : pof_fail(err, POF_E_TOO_LONG, "the path of '%.60s' is too long", name);
}

int documents_add(struct documents *d, const char *path, struct pof_err *err)
{
    if (!is_directory(path)) {
        return add_file(d, path, err);
    }
    struct dirent **entry;
    int n = scandir(path, &entry, NULL, alphasort);
    int rc = n < 0 ? pof_fail_errno(err, POF_E_OPEN, errno, "cannot open '%s'", path) : 0;
    for (int i = 0; i < n; i++) {
        rc = rc ? rc : add_entry(d, path, entry[i]->d_name, err);
        free(entry[i]);
    }
    if (n >= 0) {
        free(entry);
    }
    return rc;
}

void documents_release(struct documents *d)
{
    for (size_t i = 0; i < d->n; i++) {
        free((char *)(uintptr_t)d->item[i].text.ptr);
        free((char *)(uintptr_t)d->item[i].name);
    }
    free(d->item);
    *d = (struct documents){0};
}
