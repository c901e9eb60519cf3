/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes through the parsers of the trust room: canonical JSON is stable, notes, checkpoints,
 * keys and proofs are refused or give back what they were. */
#include "base/base64.h"
#include "trust/checkpoint.h"
#include "trust/jcs.h"

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

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
    struct pof_text text = {(const char *)data, size};
    json(text);
    texts(text);
    return 0;
}
