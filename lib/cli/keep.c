/* SPDX-License-Identifier: Apache-2.0 */
/* Records kept with the places they were read at. */
#include "cli/cli.h"

int pof_cli_keep_file(struct pof_cli *cli, const char *path, struct pof_kept_records *k,
                      struct pof_err *err)
{
    const struct pof_reader_options how = {.expect = POF_TYPES, .strict = pof_cli_strict(cli)};
    struct pof_source src;
    struct pof_reader *reader = NULL;
    struct pof_record r;
    int rc = pof_cli_source(cli, path, &src, err);
    rc = rc ? rc : pof_reader_new(&reader, &src, &how, err);
    while (rc == 0 && (rc = pof_reader_next(reader, &r, err)) > 0) {
        rc = pof_kept_add(k, path, pof_reader_line(reader), &r, err);
    }
    pof_reader_free(reader);
    return rc;
}

int pof_cli_keep(struct pof_cli *cli, struct pof_kept_records *k, struct pof_err *err)
{
    const char *const *paths;
    size_t n = pof_cli_operands(cli, &paths);
    int rc = n ? 0 : pof_cli_keep_file(cli, "-", k, err);
    for (size_t i = 0; rc == 0 && i < n; i++) {
        rc = pof_cli_keep_file(cli, paths[i], k, err);
    }
    return rc;
}
