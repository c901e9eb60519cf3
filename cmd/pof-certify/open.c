/* SPDX-License-Identifier: Apache-2.0 */
/* Logs, keys and lines that sub-commands begin with. */
#include "parts.h"

#include "base/lines.h"
#include "trust/certify.h"

#include <stdlib.h>
#include <string.h>

int certify_load_signer(const char *path, struct pof_signer *out, struct pof_err *err)
{
    struct pof_buf text = {0};
    int rc = pof_secret_read(path, 4096, &text, err);
    rc = rc ? rc : pof_signer_parse(out, (struct pof_text){text.data, text.len}, err);
    if (text.data) {
        pof_wipe(text.data, text.len);
    }
    pof_buf_release(&text);
    return rc ? pof_at(err, path, 0, NULL) : 0;
}

int certify_public_key(const struct args *a, struct pof_vkey *key, const struct pof_vkey **out,
                       struct pof_err *err)
{
    *out = a->key ? key : NULL;
    if (a->key && pof_vkey_parse(key, pof_text(a->key), err) != 0) {
        return pof_fail(err, POF_E_USAGE,
                        "--key: '%.80s' is not a public key; expected the line in the file 'vkey' "
                        "of the log",
                        a->key);
    }
    return 0;
}

void certify_close(struct work *w)
{
    pof_openings_close(w->openings);
    pof_log_close(w->log);
    pof_tiles_close(w->tiles);
    pof_tree_close(w->tree);
    pof_directory_close(w->dir);
    pof_buf_release(&w->text);
    free(w->policy);
    free(w->policy_text);
    pof_wipe(&w->signer, sizeof w->signer);
}

int certify_answer(struct work *w, bool yes, struct pof_err *err)
{
    struct pof_sink out;
    int rc = pof_cli_sink(w->cli, NULL, &out, err);
    rc = rc ? rc : out.write(out.ctx, w->text.data, w->text.len, err);
    return rc ? rc : !yes;
}

int certify_open_openings(struct work *w, struct pof_err *err)
{
    uint64_t bytes;
    struct pof_err none = {0};
    if (w->folder.size(w->folder.ctx, "openings", &bytes, &none) == POF_E_OPEN) {
        return 0;
    }
    return pof_openings_open(&w->openings, &w->folder, err);
}

int certify_read_policy(struct work *w, struct pof_err *err)
{
    size_t n;
    if (!w->a->policy) {
        return 0;
    }
    int rc = pof_cli_slurp(w->cli, w->a->policy, &w->policy_text, &n, err);
    rc = rc ? rc : pof_calloc(&w->policy, 1, sizeof *w->policy, err);
    if (rc == 0) {
        rc = pof_policy_parse(w->policy, (struct pof_text){w->policy_text, n}, err);
        rc = rc ? pof_at(err, w->a->policy, 0, NULL) : 0;
    }
    return rc;
}

int certify_read_note(struct work *w, const char *file, struct pof_buf *to, struct pof_err *err)
{
    struct pof_err none = {0};
    uint64_t bytes;
    to->len = 0;
    if (w->folder.size(w->folder.ctx, file, &bytes, &none) == POF_E_OPEN) {
        return 0;
    }
    return pof_folder_slurp(&w->folder, file, POF_NOTE_MAX, to, err);
}

int certify_judge(struct work *w, struct pof_text note, struct pof_policy_verdict *v,
                  struct pof_err *err)
{
    const struct pof_vkey *log = w->log     ? pof_log_vkey(w->log)
                                 : w->tiles ? pof_tiles_vkey(w->tiles)
                                            : NULL;
    return pof_policy_judge(w->policy, log, note, v, err);
}

int certify_open_to_read(struct work *w, struct pof_err *err)
{
    int rc = pof_directory_open(&w->dir, w->target, NULL, err);
    if (rc == 0) {
        w->folder = pof_directory_folder(w->dir);
        rc = pof_log_open(&w->log, &w->folder, NULL, false, err);
    }
    return rc;
}

int certify_open_to_write(struct work *w, struct pof_err *err)
{
    struct pof_buf path = {0};
    int rc = pof_buf_addf(&path, err, "%s/key", w->target);
    rc = rc ? rc : pof_buf_add(&path, "", 1, err);
    rc = rc ? rc : pof_directory_open(&w->dir, w->target, "journal", err);
    rc = rc ? rc : certify_load_signer(w->a->key ? w->a->key : path.data, &w->signer, err);
    if (rc == 0) {
        w->folder = pof_directory_folder(w->dir);
        rc = pof_log_open(&w->log, &w->folder, &w->signer, w->a->rebuild, err);
    }
    pof_buf_release(&path);
    return rc;
}

static int lines_of(struct work *w, const char *path, certify_on_line *take, void *ctx,
                    struct pof_err *err)
{
    struct pof_lines lines = {.max = 1 << 20};
    struct pof_text line;
    int rc = pof_cli_source(w->cli, path, &lines.src, err);
    while (rc == 0 && (rc = pof_lines_next(&lines, &line, err)) > 0) {
        struct pof_given_place place = {path, lines.number};
        rc = line.len ? take(ctx, line, place, err) : 0;
        if (rc) {
            pof_at(err, path, lines.number, NULL);
        }
    }
    pof_lines_release(&lines);
    return rc;
}

int certify_each_line(struct work *w, certify_on_line *take, void *ctx, struct pof_err *err)
{
    if (w->n_rest == 0) {
        return lines_of(w, "-", take, ctx, err);
    }
    int rc = 0;
    for (size_t i = 0; i < w->n_rest && rc == 0; i++) {
        rc = lines_of(w, w->rest[i], take, ctx, err);
    }
    return rc;
}
