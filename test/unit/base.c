/* SPDX-License-Identifier: Apache-2.0 */
/* Errors, memory, names, threads. */
#include "base/err.h"
#include "base/par.h"
#include "base/stream.h"
#include "base/text.h"

#include "tap.h"

static void test_errors(void)
{
    struct pof_err e = {0};
    is_int(pof_fail(&e, POF_E_RANGE, "bad\x1b[2J %d", 5), POF_E_RANGE, "the code comes back");
    is_text(e.text, strlen(e.text), "bad?[2J 5", "control bytes do not reach a terminal");
    pof_at(&e, "f", 3, "x");
    pof_at(&e, "g", 4, "y");
    ok(strcmp(e.source, "f") == 0 && e.line == 3 && strcmp(e.field, "x") == 0,
       "the first place counts");
    bool unique = true;
    for (size_t i = 0; pof_errinfo_row(i); i++) {
        for (size_t k = 0; k < i; k++) {
            unique = unique && pof_errinfo_row(i)->number != pof_errinfo_row(k)->number;
        }
    }
    ok(unique, "numbers of errors are unique");
    is_int(pof_errinfo(POF_E_USAGE)->exit_status, 2, "usage is 2");
    ok(pof_exit_worse(65, 70) == 70 && pof_exit_worse(0, 1) == 1 && pof_exit_worse(65, 1) == 65,
       "the worse status wins");
}

static void test_names(void)
{
    struct pof_names names = {0};
    struct pof_err err = {0};
    bool right = true;
    for (int round = 0; round < 2; round++) {
        for (uint32_t i = 0; i < 5000; i++) {
            char text[16];
            uint32_t id = 0;
            int n = snprintf(text, sizeof text, "name%u", i * 7919u % 5000u);
            right = right && pof_names_add(&names, (struct pof_text){text, (size_t)n}, &id, &err) == 0 &&
                    id == i;
        }
    }
    ok(right && names.n == 5000, "names are numbered in order of first sight, once");
    ok(pof_names_find(&names, pof_text("nobody")) == POF_NONE, "an unknown name is none");
    pof_names_release(&names);
    ok(pof_names_find(&names, pof_text("name1")) == POF_NONE, "an empty set knows nothing");
}

static int square(void *ctx, unsigned worker, size_t i, struct pof_err *err)
{
    (void)worker;
    if (i % 100 == 37) {
        return pof_fail(err, POF_E_RANGE, "item %zu", i);
    }
    ((size_t *)ctx)[i] = i * i;
    return 0;
}

static void test_parallel(void)
{
    for (unsigned threads = 1; threads <= 4; threads++) {
        size_t out[1000] = {0};
        struct pof_err err = {0};
        ok(pof_parallel(37, threads, square, out, &err) == 0 && out[36] == 36 * 36,
           "%u threads do all the work", threads);
        ok(pof_parallel(1000, threads, square, out, &err) == POF_E_RANGE &&
               strcmp(err.text, "item 37") == 0,
           "%u threads report the first failure", threads);
    }
}

static void test_memory(void)
{
    struct pof_err err = {0};
    struct pof_arena arena = {0};
    char *a = pof_arena_text(&arena, "abc", 3, &err);
    char *big = pof_arena_alloc(&arena, 1000000, &err);
    ok(a && big && strcmp(a, "abc") == 0, "an arena gives small and large pieces");
    ok(pof_arena_alloc(&arena, SIZE_MAX - 8, &err) == NULL && err.code == POF_E_NOMEM,
       "and refuses what cannot be");
    pof_arena_release(&arena);
    char *p = NULL;
    size_t cap = 0;
    ok(pof_grow(&p, &cap, SIZE_MAX / 2, 16, &err) == POF_E_NOMEM && !p,
       "a size that overflows is refused");
    struct pof_memory m = {"hello", 5};
    struct pof_source src = pof_source_memory(&m, "m");
    char *data = NULL;
    size_t len = 0;
    ok(pof_source_slurp(&src, 5, &data, &len, &err) == 0 && len == 5 && strcmp(data, "hello") == 0,
       "a document is read whole");
    free(data);
    m = (struct pof_memory){"hello", 5};
    ok(pof_source_slurp(&src, 4, &data, &len, &err) == POF_E_TOO_LONG, "unless it is too long");
}

int main(void)
{
    test_errors();
    test_names();
    test_parallel();
    test_memory();
    return done();
}
