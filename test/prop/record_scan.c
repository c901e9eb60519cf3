/* SPDX-License-Identifier: Apache-2.0 */
/* Our scanner of one-line objects against jansson, on lines mutated from good ones: the same lines
 * are accepted, with the same names and strings. Two rules of ours are stricter or looser on
 * purpose and left out: duplicates inside nested values, and numbers beyond 64 bits. */
#include "num/rng.h"
#include "record/scan.h"

#include <jansson.h>

#include "tap.h"

static const char *const seeds[] = {
    "{\"a\":\"x\\u00e9\\n\\ud83d\\ude00\",\"b\":-12.50,\"c\":true,\"d\":null,\"e\":[1,{\"f\":[]}]}",
    "{}",
    " { \"k\" : 0 , \"l\" : 1e5 , \"m\":\"\\\"\\\\\\/\\b\\f\\n\\r\\t\" } ",
    "{\"schema\":\"pof.pod/1\",\"pod\":\"P\",\"nested\":{\"a\":{\"b\":[[],{}]},\"c\":\"}\"}}",
    "{\"\xc3\xa9\":\"\xe2\x82\xac\",\"z\":false}",
};
static const char alphabet[] = "{}[],:\"\\u0123456789abdefnrt.+-eE tfls\t\x01\xc3\xa9\x7f";

static size_t mutate(char *line, size_t n, uint64_t seed)
{
    uint64_t edits = pof_below(pof_random(seed, 1, 0), 4);
    for (uint64_t e = 0; e <= edits && n > 0; e++) {
        size_t at = (size_t)pof_below(pof_random(seed, 2, e), n);
        char c = alphabet[pof_below(pof_random(seed, 3, e), sizeof alphabet - 1)];
        switch (pof_below(pof_random(seed, 4, e), 4)) {
        case 0:
            line[at] = c;
            break;
        case 1:
            memmove(line + at, line + at + 1, n - at - 1);
            n--;
            break;
        case 2:
            memmove(line + at + 1, line + at, n - at);
            line[at] = c;
            n++;
            break;
        default:
            n = at;
        }
    }
    return n;
}

static bool has_long_number(const char *line, size_t n)
{
    size_t digits = 0;
    for (size_t i = 0; i < n; i++) {
        digits = line[i] >= '0' && line[i] <= '9' ? digits + 1 : 0;
        if (digits > 17 || ((line[i] | 0x20) == 'e' && i + 3 < n && line[i + 3] >= '0' && line[i + 3] <= '9')) {
            return true;
        }
    }
    return false;
}

static bool same_members(const struct pofi_line *ours, json_t *theirs)
{
    if (json_object_size(theirs) != ours->n) {
        return false;
    }
    size_t i = 0;
    const char *key;
    json_t *value;
    json_object_foreach(theirs, key, value) {
        const struct pofi_value *v = &ours->value[i++];
        if (!pof_text_is(v->name, key)) {
            return false;
        }
        if (json_is_string(value) &&
            (v->kind != POFI_STRING ||
             !pof_text_eq(v->text, (struct pof_text){json_string_value(value),
                                                     json_string_length(value)}))) {
            return false;
        }
    }
    return true;
}

int main(void)
{
    static struct pofi_line line;
    int wrong = 0;
    int accepted = 0;
    for (uint64_t seed = 1; seed <= 200000; seed++) {
        char text[512];
        const char *from = seeds[pof_below(pof_random(seed, 0, 0), sizeof seeds / sizeof seeds[0])];
        size_t n = strlen(from);
        memcpy(text, from, n);
        n = mutate(text, n, seed);
        if (has_long_number(text, n)) {
            continue;
        }
        struct pof_err err = {0};
        bool utf8 = pofi_is_utf8((struct pof_text){text, n}) && !memchr(text, '\n', n);
        bool ours = utf8 && pofi_scan_json(&line, (struct pof_text){text, n}, &err) == 0;
        json_t *doc = json_loadb(text, n, JSON_REJECT_DUPLICATES, NULL);
        if (ours && !doc) { /* names given twice inside a nested value are not our business */
            doc = json_loadb(text, n, 0, NULL);
        }
        bool theirs = json_is_object(doc);
        if (ours != theirs || (ours && !same_members(&line, doc))) {
            if (wrong++ < 5) {
                printf("# seed %" PRIu64 ": ours %d, jansson %d: %.*s\n", seed, ours, theirs, (int)n, text);
            }
        }
        accepted += ours;
        json_decref(doc);
    }
    ok(wrong == 0, "scanner and jansson agree on 200,000 mutated lines (%d accepted)", accepted);
    ok(accepted > 2000, "and many of them are good lines");
    pof_buf_release(&line.scratch);
    return done();
}
