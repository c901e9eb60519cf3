/* SPDX-License-Identifier: Apache-2.0 */
/* Our reader of plain documents against jansson, on documents mutated from good ones: what ours takes
 * jansson takes too, with the same values in the same order. What ours leaves is jansson's affair. */
#include "num/rng.h"
#include "record/tree.h"

#include <jansson.h>

#include "tap.h"

static const char *const seeds[] = {
    ("{\"schema\":\"pof.grid/1\",\"name\":\"g\",\"base_va\":1e6,\"f_hz\":50,\n \"nodes\":[{\"name\":\"A\","
     "\"v\":-0.0,\"k\":[1,2.5,[]],\"x_\":{}},{}],\"t\":true,\"f\":false,\"n\":null}"),
    "[0,-0,12345678901234567,1234567890123456789,0.1,1e-7,-2.5E+3,\"\xc3\xa9\",[[[]]],{\"a\":{\"b\":[{}]}}]",
    " \"text\" ",
    "{\"a\":1,\"b\":2,\"c\":3,\"aa\":4,\"ab\":5}"};
static const char alphabet[] = "{}[],:\"\\0123456789.-+eE truefalsn\n\x01\xc3\xa9";

static size_t mutate(char *text, size_t n, uint64_t seed)
{
    uint64_t edits = pof_below(pof_random(seed, 1, 0), 4);
    for (uint64_t e = 0; e < edits && n > 0; e++) {
        size_t at = (size_t)pof_below(pof_random(seed, 2, e), n);
        char c = alphabet[pof_below(pof_random(seed, 3, e), sizeof alphabet - 1)];
        uint64_t what = pof_below(pof_random(seed, 4, e), 3);
        if (what == 0) {
            text[at] = c;
        } else if (what == 1) {
            memmove(text + at, text + at + 1, n - at - 1);
            n--;
        } else {
            memmove(text + at + 1, text + at, n - at);
            text[at] = c;
            n++;
        }
    }
    return n;
}

static bool same(const struct pofi_tree *ours, json_t *theirs)
{
    const char *key;
    json_t *value;
    size_t i = 0;
    switch (ours->kind) {
    case POFI_TREE_OBJECT:
        if (!json_is_object(theirs) || json_object_size(theirs) != ours->n) {
            return false;
        }
        json_object_foreach(theirs, key, value) {
            const struct pofi_tree_member *m = &ours->u.member[i++];
            if (!pof_text_is(m->name, key) || !same(&m->value, value) ||
                pofi_tree_member(ours, m->name) != &m->value) {
                return false;
            }
        }
        return true;
    case POFI_TREE_ARRAY:
        if (!json_is_array(theirs) || json_array_size(theirs) != ours->n) {
            return false;
        }
        for (; i < ours->n; i++) {
            if (!same(&ours->u.item[i], json_array_get(theirs, i))) {
                return false;
            }
        }
        return true;
    case POFI_TREE_STRING:
        return json_is_string(theirs) && json_string_length(theirs) == ours->n &&
               strcmp(json_string_value(theirs), ours->u.text) == 0;
    case POFI_TREE_NUMBER: {
        double v = json_is_number(theirs) ? json_number_value(theirs) : ours->u.number + 1;
        return memcmp(&v, &ours->u.number, sizeof v) == 0;
    }
    case POFI_TREE_TRUE:
        return json_is_true(theirs);
    case POFI_TREE_FALSE:
        return json_is_false(theirs);
    case POFI_TREE_NULL:
        return json_is_null(theirs);
    }
    return false;
}

int main(void)
{
    for (size_t s = 0; s < sizeof seeds / sizeof seeds[0]; s++) {
        size_t taken = 0, wrong = 0;
        for (uint64_t seed = 0; seed < 5000; seed++) {
            char text[512];
            size_t n = strlen(seeds[s]);
            memcpy(text, seeds[s], n);
            n = mutate(text, n, seed * 4 + s);
            struct pof_arena arena = {0};
            struct pof_err err = {0};
            struct pofi_tree root;
            if (pofi_tree_read(&root, (struct pof_text){text, n}, &arena, &err) == 1) {
                json_error_t error;
                json_t *theirs =
                    json_loadb(text, n, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &error);
                bool good = theirs && same(&root, theirs);
                taken++;
                wrong += !good;
                if (!good && wrong < 4) {
                    printf("# seed %llu: %.*s\n", (unsigned long long)seed, (int)n, text);
                }
                json_decref(theirs);
            }
            pof_arena_release(&arena);
        }
        ok(taken > (s == 1 ? 0 : 1000) && wrong == 0, "document %zu: %zu mutations taken, %zu wrong", s, taken,
           wrong);
    }
    return done();
}
