/* SPDX-License-Identifier: Apache-2.0 */
/* init and append. */
#include "parts.h"

#include "base/base64.h"
#include "trust/certify.h"
#include "trust/witness.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* A key from a seed, or random. */
static int make_signer(struct work *w, struct pof_err *err)
{
    uint8_t seed[POF_ED25519_KEY];
    char *text = NULL;
    size_t n;
    int rc = w->a->seed_file ? pof_cli_slurp(w->cli, w->a->seed_file, &text, &n, err)
                             : pof_random_bytes(seed, sizeof seed, err);
    if (rc == 0 && text && !pof_seed_parse((struct pof_text){text, n}, seed)) {
        pof_fail(err, POF_E_SYNTAX, "not a seed, expected 32 bytes or 64 hexadecimal digits");
        rc = pof_at(err, w->a->seed_file, 0, NULL);
    }
    rc = rc ? rc : pof_signer_make(&w->signer, pof_text(w->a->origin), seed, err);
    rc = rc || !w->a->as_witness ? rc : pof_signer_witness(&w->signer, err);
    pof_wipe(seed, sizeof seed);
    free(text);
    return rc;
}

/* Keeps the key: in the file named by --key, to which the log then has a link, or in the log. */
int certify_keep_signer(struct work *w, bool is_there, struct pof_err *err)
{
    struct pof_buf text = {0};
    int rc = pof_signer_format(&text, &w->signer, err);
    rc = rc ? rc : pof_buf_add(&text, "\n", 1, err);
    struct pof_text bytes = {text.data, text.len};
    if (rc == 0 && !w->a->key) {
        rc = pof_directory_secret(w->dir, "key", bytes, err);
    } else if (rc == 0) {
        rc = is_there ? 0 : pof_secret_write(w->a->key, bytes, err);
        rc = rc ? rc : pof_directory_link(w->dir, "key", w->a->key, err);
    }
    if (text.data) {
        pof_wipe(text.data, text.len);
    }
    pof_buf_release(&text);
    return rc;
}

/* A witness that is there already. */
static int is_same_witness(struct work *w, struct pof_err *err)
{
    struct pof_buf text = {0};
    struct pof_vkey key;
    int rc = pof_directory_open(&w->dir, w->target, NULL, err);
    if (rc == 0) {
        w->folder = pof_directory_folder(w->dir);
        rc = pof_folder_slurp(&w->folder, "vkey", 4096, &text, err);
    }
    rc = rc ? rc : pof_vkey_parse(&key, (struct pof_text){text.data, text.len}, err);
    pof_buf_release(&text);
    if (rc == 0 && (key.type != POF_KEY_WITNESS || strcmp(key.name, w->a->origin) != 0)) {
        rc = pof_fail(err, POF_E_EXISTS, "'%s' is the %s '%s', not the witness '%s'", w->target,
                      key.type == POF_KEY_WITNESS ? "witness" : "log", key.name, w->a->origin);
    }
    return rc;
}

/* A log that is there already is what was asked for when it has the same origin. */
static int is_same(struct work *w, struct pof_err *err)
{
    if (w->a->as_witness) {
        return is_same_witness(w, err);
    }
    int rc = certify_open_to_read(w, err);
    if (rc == 0 && strcmp(pof_log_vkey(w->log)->name, w->a->origin) != 0) {
        rc = pof_fail(err, POF_E_EXISTS, "'%s' is the log '%s', not '%s'", w->target,
                      pof_log_vkey(w->log)->name, w->a->origin);
    }
    if (rc == 0) {
        pof_cli_note(w->cli, "'%s' is there already, with %" PRIu64 " records", w->target,
                     pof_log_size(w->log));
    }
    return rc;
}

int certify_init(struct work *w, struct pof_err *err)
{
    if (!w->a->origin) {
        return pof_fail(err, POF_E_USAGE, "init needs --origin NAME, such as dso.example/pof/scd");
    }
    struct pof_buf path = {0};
    int rc = pof_buf_addf(&path, err, "%s/vkey", w->target);
    rc = rc ? rc : pof_buf_add(&path, "", 1, err);
    bool there = rc == 0 && pof_file_exists(path.data);
    pof_buf_release(&path);
    if (rc || there) {
        return rc ? rc : is_same(w, err);
    }
    bool has_key = w->a->key && pof_file_exists(w->a->key);
    rc = has_key ? certify_load_signer(w->a->key, &w->signer, err) : make_signer(w, err);
    if (rc == 0 && (strcmp(w->signer.vkey.name, w->a->origin) != 0 ||
                    (w->signer.vkey.type == POF_KEY_WITNESS) != w->a->as_witness)) {
        rc = pof_fail(err, POF_E_CONFIG, "the key in '%s' is of the %s '%s', not of '%s'",
                      w->a->key, w->signer.vkey.type == POF_KEY_WITNESS ? "witness" : "log",
                      w->signer.vkey.name, w->a->origin);
    }
    rc = rc ? rc : pof_directory_make(&w->dir, w->target, err);
    rc = rc ? rc : certify_keep_signer(w, has_key, err);
    if (rc == 0) {
        w->folder = pof_directory_folder(w->dir);
        rc = w->a->as_witness ? pof_witness_create(&w->folder, &w->signer, err)
                              : pof_log_create(&w->folder, &w->signer, err);
    }
    return rc ? rc : pof_directory_publish(w->dir, err);
}

/* --- append --- */

struct appending {
    struct pof_certifier certifier;
    struct pof_text origin;
    struct pof_sink out;
    struct pof_writer *receipts; /* NULL: none wanted */
};

/* A batch is durable: its lines go on, its receipts are written. */
static int on_durable(void *ctx, const struct pof_certified *records, size_t n,
                      struct pof_text lines, struct pof_err *err)
{
    struct appending *a = ctx;
    int rc = a->out.write(a->out.ctx, lines.ptr, lines.len, err);
    for (size_t i = 0; i < n && a->receipts && rc == 0; i++) {
        char leaf[POF_BASE64_LEN(POF_HASH)];
        struct pof_receipt r = {
            .origin = a->origin,
            .index = (int64_t)records[i].index,
            .leaf = {leaf, pof_base64_encode(records[i].leaf.b, POF_HASH, leaf)},
            .record = records[i].record};
        rc = pof_writer_put(a->receipts, POF_receipt, &r, err);
    }
    return rc;
}

static int take(void *ctx, struct pof_text line, struct pof_given_place place, struct pof_err *err)
{
    (void)place;
    struct appending *a = ctx;
    return pof_certifier_take(&a->certifier, line, err);
}

/* What came before a bad line is certified and passed on all the same. */
static int finish(struct appending *a, int rc, struct pof_err *err)
{
    struct pof_err late = {0};
    int now = pof_certifier_flush(&a->certifier, &late);
    now = now ? now : pof_log_sign(a->certifier.log, a->certifier.reread, &late);
    if (rc == 0 && now) {
        *err = late;
    }
    return rc ? rc : now;
}

/* Openings are needed where commitments are, or are to be made. */
static int open_openings(struct work *w, struct pof_err *err)
{
    int rc = w->a->commit.n ? pof_openings_open(&w->openings, &w->folder, err)
                            : certify_open_openings(w, err);
    return rc || !w->openings ? rc : pof_openings_recover(w->openings, pof_log_size(w->log), err);
}

int certify_append(struct work *w, struct pof_err *err)
{
    int rc = certify_open_to_write(w, err);
    rc = rc ? rc : open_openings(w, err);
    if (rc) {
        return rc;
    }
    uint64_t size = pof_log_size(w->log);
    struct appending a = {.certifier = {.log = w->log,
                                        .batch = (size_t)w->a->batch,
                                        .reread = w->a->reread,
                                        .on_durable = on_durable,
                                        .openings = w->openings,
                                        .commit = w->a->commit.item,
                                        .n_commit = w->a->commit.n,
                                        .next = w->a->at >= 0 ? (uint64_t)w->a->at : size},
                          .origin = pof_text(pof_log_vkey(w->log)->name)};
    a.certifier.ctx = &a;
    rc = pof_cli_sink(w->cli, NULL, &a.out, err);
    if (rc == 0 && w->a->receipts) {
        rc = pof_cli_writer(w->cli, w->a->receipts, &a.receipts, err);
    }
    rc = rc ? rc : certify_each_line(w, take, &a, err);
    rc = finish(&a, rc, err);
    if (pof_cli_verbose(w->cli)) {
        pof_cli_note(w->cli,
                     "%" PRIu64 " records added, %" PRIu64 " were there, the log has %" PRIu64,
                     a.certifier.added, a.certifier.known, pof_log_size(w->log));
    }
    pof_certifier_release(&a.certifier);
    return rc;
}
