/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes through the parsers of the trust room: canonical JSON is stable, notes, checkpoints,
 * keys, proofs and requests are refused or give back what they were; policies, bundles and static
 * tiles of anybody do no harm; so do requests of the HTTP server, which a witness reads. */
#include "trust/checkpoint.h"
#include "net/server.h"
#include "trust/jcs.h"
#include "trust/policy.h"
#include "trust/tiles.h"
#include "trust/witness.h"

#include <stdlib.h>
#include <string.h>

static void json(struct pof_text text)
{
    struct pof_jcs jcs = {0};
    struct pof_buf once = {0};
    struct pof_buf twice = {0};
    struct pof_err err = {0};
    if (pof_jcs_add(&jcs, text, &once, &err) == 0) {
        struct pof_text canonical = {once.data, once.len};
        /* A double of 2^53 and more prints without a point and is then refused as an integer. */
        int rc = pof_jcs_add(&jcs, canonical, &twice, &err);
        if (rc != POF_E_NUMBER &&
            (rc != 0 || twice.len != once.len || memcmp(twice.data, once.data, once.len) != 0)) {
            abort();
        }
    }
    pof_buf_release(&once);
    pof_buf_release(&twice);
    pof_jcs_release(&jcs);
}

static void texts(struct pof_text text)
{
    struct pof_err err = {0};
    struct pof_buf again = {0};
    struct pof_vkey key;
    struct pof_signer signer;
    struct pof_checkpoint c;
    struct pof_note note;
    struct pof_tlog_proof proof;
    uint8_t seed[32] = {1};
    if (pof_signer_make(&signer, pof_text("fuzz"), seed, &err) != 0 ||
        pof_checkpoint_open(&c, &note, text, &signer.vkey, &err) != 0) {
        abort();
    }
    if (pof_checkpoint_parse(&c, text, &err) == 0 && c.head.size >> 63) {
        abort();
    }
    if (pof_vkey_parse(&key, text, &err) == 0 && (pof_vkey_format(&again, &key, &err) != 0 ||
                                                  memcmp(again.data, text.ptr, again.len) != 0)) {
        abort();
    }
    again.len = 0;
    if (pof_tlog_proof_parse(&proof, text, &err) == 0 &&
        (pof_tlog_proof_format(&again, &proof, &err) != 0 || again.len != text.len ||
         memcmp(again.data, text.ptr, again.len) != 0)) {
        abort();
    }
    pof_buf_release(&again);
}

static void requests(struct pof_text text)
{
    struct pof_err err = {0};
    struct pof_buf again = {0};
    struct pof_witness_request r;
    struct pof_server_parsed p;
    struct pof_signature line;
    if (pof_witness_request_parse(&r, text, &err) == 0 &&
        (pof_witness_request_format(&again, &r, &err) != 0 || again.len != text.len ||
         memcmp(again.data, text.ptr, again.len) != 0)) {
        abort();
    }
    if (pof_server_parse(text, 1000, &p) == POF_SERVER_WHOLE &&
        (p.used > text.len || p.request.body.len > 1000)) {
        abort();
    }
    for (struct pof_text rest = text; pof_note_signature(&rest, &line);) {
        if (line.line.len == 0) {
            abort();
        }
    }
    pof_buf_release(&again);
}

static void policies(struct pof_text text)
{
    static struct pof_policy p;
    struct pof_policy_verdict v;
    struct pof_err err = {0};
    struct pof_buf note = {0};
    size_t added;
    if (pof_policy_parse(&p, text, &err) == 0) {
        if (p.logs > POF_POLICY_MAX || p.witnesses > POF_POLICY_MAX || p.groups > POF_POLICY_MAX ||
            pof_policy_judge(&p, NULL, text, &v, &err) != 0 || v.good) {
            abort(); /* a policy is no signed note */
        }
    }
    if (pof_policy_merge(&p, &note, text, &added, &err) != 0 || added) {
        abort();
    }
    pof_buf_release(&note);
}

/* --- static tiles: the input is a file of each kind at once --- */

static int get(void *ctx, const char *path, size_t max, struct pof_buf *to, bool *there,
               struct pof_err *err)
{
    const struct pof_text *text = ctx;
    struct pof_signer signer;
    uint8_t seed[32] = {1};
    struct pof_head head = {.size = 300};
    to->len = 0;
    *there = true;
    if (strcmp(path, "checkpoint") == 0) { /* a good one, so that what is below it is read */
        int rc = pof_signer_make(&signer, pof_text("fuzz"), seed, err);
        return rc ? rc : pof_checkpoint_sign(to, &head, &signer, err);
    }
    if (text->len > max) {
        return pof_fail(err, POF_E_TOO_LONG, "long");
    }
    return pof_buf_add(to, text->ptr, text->len, err);
}

static int list(void *ctx, const char *path, struct pof_buf *names, struct pof_err *err)
{
    (void)ctx;
    (void)path;
    names->len = 0;
    return pof_buf_adds(names, "1\n17\n300\nx\n", err);
}

static int on_finding(void *ctx, const struct pof_finding *f, struct pof_err *err)
{
    (void)f;
    (void)err;
    ++*(int *)ctx;
    return 0;
}

static void tiles(struct pof_text text)
{
    struct pof_files files = {.get = get, .list = list, .ctx = &text, .name = "fuzz"};
    struct pof_text entry[POF_TILE_WIDTH];
    struct pof_err err = {0};
    struct pof_signer signer;
    struct pof_tiles *t;
    struct pof_audit audit;
    int findings = 0;
    uint8_t seed[32] = {1};
    struct pof_auditor auditor = {NULL, on_finding, &findings};
    for (size_t n = 0; n < 4; n++) {
        size_t sum = 0;
        if (pof_bundle_split(text, n, entry)) {
            for (size_t i = 0; i < n; i++) {
                sum += 2 + entry[i].len;
            }
            if (sum != text.len) {
                abort();
            }
        }
    }
    if (pof_signer_make(&signer, pof_text("fuzz"), seed, &err) != 0 ||
        pof_tiles_open(&t, &files, &signer.vkey, &err) != 0 ||
        pof_tiles_audit(t, &auditor, &audit, &err) != 0 || findings == 0) {
        abort();
    }
    pof_tiles_close(t);
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
    struct pof_text text = {(const char *)data, size};
    json(text);
    texts(text);
    requests(text);
    policies(text);
    tiles(text);
    return 0;
}
