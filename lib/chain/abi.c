/* SPDX-License-Identifier: Apache-2.0 */
#include "chain/abi.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { SELECTOR = 4 };

static void selector(const char *function, char out[SELECTOR])
{
    uint8_t hash[POF_WORD];
    pof_keccak(pof_text(function), hash);
    memcpy(out, hash, SELECTOR);
}

int pof_abi_call(struct pof_buf *to, const char *function, struct pof_err *err)
{
    char four[SELECTOR];
    selector(function, four);
    return pof_buf_add(to, four, sizeof four, err);
}

int pof_abi_word(struct pof_buf *to, const struct pof_word *w, struct pof_err *err)
{
    return pof_buf_add(to, w->b, sizeof w->b, err);
}

int pof_abi_u64(struct pof_buf *to, uint64_t number, struct pof_err *err)
{
    struct pof_word w = pof_word(number);
    return pof_abi_word(to, &w, err);
}

int pof_abi_address(struct pof_buf *to, const struct pof_address *a, struct pof_err *err)
{
    struct pof_word w = pof_word_address(a);
    return pof_abi_word(to, &w, err);
}

int pof_abi_bytes(struct pof_buf *to, struct pof_text bytes, struct pof_err *err)
{
    static const char zeros[POF_WORD];
    int rc = pof_abi_u64(to, bytes.len, err);
    rc = rc ? rc : pof_buf_add(to, bytes.ptr, bytes.len, err);
    return rc || bytes.len % POF_WORD == 0
               ? rc
               : pof_buf_add(to, zeros, POF_WORD - bytes.len % POF_WORD, err);
}

bool pof_abi_word_at(struct pof_text data, size_t i, struct pof_word *out)
{
    if (i >= data.len / POF_WORD) {
        return false;
    }
    memcpy(out->b, data.ptr + i * POF_WORD, POF_WORD);
    return true;
}

/* What lies behind the length that word i points to, and the length. */
static bool tail(struct pof_text data, size_t i, struct pof_text *rest, uint64_t *length)
{
    struct pof_word w;
    uint64_t offset;
    if (!pof_abi_word_at(data, i, &w) || !pof_word_u64(&w, &offset) || data.len < POF_WORD ||
        offset > data.len - POF_WORD) {
        return false;
    }
    memcpy(w.b, data.ptr + offset, POF_WORD);
    *rest = (struct pof_text){data.ptr + offset + POF_WORD, data.len - (size_t)offset - POF_WORD};
    return pof_word_u64(&w, length);
}

bool pof_abi_bytes_at(struct pof_text data, size_t i, struct pof_text *out)
{
    uint64_t n;
    if (!tail(data, i, out, &n) || n > out->len) {
        return false;
    }
    out->len = (size_t)n;
    return true;
}

bool pof_abi_words_at(struct pof_text data, size_t i, struct pof_text *out)
{
    uint64_t n;
    if (!tail(data, i, out, &n) || n > out->len / POF_WORD) {
        return false;
    }
    out->len = (size_t)n * POF_WORD;
    return true;
}

void pof_abi_revert(struct pof_text data, char out[POF_REVERT_TEXT])
{
    char error[SELECTOR], panic[SELECTOR];
    struct pof_text text = {"", 0};
    struct pof_word w;
    uint64_t code;
    selector("Error(string)", error);
    selector("Panic(uint256)", panic);
    struct pof_text args = {data.ptr + SELECTOR, data.len < SELECTOR ? 0 : data.len - SELECTOR};
    if (data.len >= SELECTOR && memcmp(data.ptr, error, SELECTOR) == 0 &&
        pof_abi_bytes_at(args, 0, &text)) {
        size_t n = text.len < POF_REVERT_TEXT - 1 ? text.len : POF_REVERT_TEXT - 1;
        for (size_t i = 0; i < n; i++) {
            unsigned char c = (unsigned char)text.ptr[i];
            out[i] = c < ' ' || c >= 0x7f ? '?' : (char)c;
        }
        out[n] = '\0';
    } else if (data.len >= SELECTOR && memcmp(data.ptr, panic, SELECTOR) == 0 &&
               pof_abi_word_at(args, 0, &w) && pof_word_u64(&w, &code)) {
        snprintf(out, POF_REVERT_TEXT, "panic 0x%02" PRIx64, code);
    } else if (data.len >= SELECTOR) {
        const unsigned char *p = (const unsigned char *)data.ptr;
        snprintf(out, POF_REVERT_TEXT, "0x%02x%02x%02x%02x", p[0], p[1], p[2], p[3]);
    } else {
        snprintf(out, POF_REVERT_TEXT, "without a word");
    }
}
