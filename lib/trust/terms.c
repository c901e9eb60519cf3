/* SPDX-License-Identifier: Apache-2.0 */
#include "trust/terms.h"

#include "record/writer.h"
#include "trust/jcs.h"

int pof_terms_hash(const struct pof_terms *terms, struct pof_hash *out, struct pof_err *err)
{
    struct pof_hasher *h;
    struct pof_jcs jcs = {0};
    struct pof_buf line = {0}, canonical = {0};
    int rc = pof_hasher_new(&h, err);
    if (rc) {
        return rc;
    }
    rc = pof_record_format(&line, POF_terms, terms, err);
    rc = rc ? rc : pof_jcs_add(&jcs, (struct pof_text){line.data, line.len}, &canonical, err);
    if (rc == 0) {
        pof_hash_two(h, (struct pof_text){canonical.data, canonical.len}, (struct pof_text){"", 0},
                     out);
        rc = pof_hasher_check(h, err);
    }
    pof_jcs_release(&jcs);
    pof_buf_release(&line);
    pof_buf_release(&canonical);
    pof_hasher_free(h);
    return rc;
}

int pof_terms_hex(const struct pof_terms *terms, char to[POF_TERMS_HEX], struct pof_err *err)
{
    struct pof_hash hash = {{0}};
    int rc = pof_terms_hash(terms, &hash, err);
    for (int i = 0; i < POF_HASH; i++) {
        to[2 * i] = "0123456789abcdef"[hash.b[i] >> 4];
        to[2 * i + 1] = "0123456789abcdef"[hash.b[i] & 15];
    }
    to[POF_TERMS_HEX - 1] = '\0';
    return rc;
}
