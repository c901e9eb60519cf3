/* SPDX-License-Identifier: Apache-2.0 */
/* Documents read straight from their text against the same read through a tree of values, on documents
 * mutated from good ones: what the first takes the second takes too, and makes the same grid of. */
#include "grid/document_plain.h"
#include "num/rng.h"

#include "tap.h"

static const char *const seeds[] = {
    ("{\"schema\":\"pof.grid/1\",\"name\":\"g\",\"base_va\":1000000,\"f_hz\":50,\n \"nodes\":[{\"name\":\"A\",\"base_v\":20000,"
     "\"kind\":\"slack\",\"v_set_pu\":1.02,\"angle_deg\":-0.0},\n{\"name\":\"B\",\"base_v\":20000,\"p_w\":-12.5,\"q_var\":1e3,"
     "\"x\":1,\"y\":-2},{\"name\":\"C\",\"base_v\":400,\"v_min_pu\":0.95,\"v_max_pu\":1.05,\"rated_w\":15360.999000000002},"
     "{\"name\":\"D\",\"base_v\":400,\"zero_injection\":true,\"x_own\":[1,{\"a\":\"]\"}]}],\"branches\":["
     "{\"name\":\"1\",\"kind\":\"line\",\"from\":\"A\",\"to\":\"B\",\"r_ohm_per_km\":0.5,\"x_ohm_per_km\":0.07,\"length_km\":2.5,"
     "\"c_nf_per_km\":151.1749,\"rating_a\":145},{\"name\":\"2\",\"kind\":\"transformer\",\"from\":\"B\",\"to\":\"C\",\"sn_va\":"
     "250000,\"uk_pct\":6,\"pk_w\":3000,\"v_from_v\":20000,\"v_to_v\":410,\"shift_deg\":150},{\"name\":\"3\",\"kind\":\"switch\","
     "\"from\":\"C\",\"to\":\"D\",\"closed\":false}]}"),
    ("{\"schema\": \"pof.grid/1\", \"base_va\": 100000000, \"x_source\": \"of a paper\", \"nodes\": [\n"
     "  {\"name\": \"N\\u00f6rd\", \"base_v\": 110000, \"kind\": \"slack\", \"v_set_pu\": 1},\n"
     "  {\"name\": \"S\xc3\xbc" "d\", \"base_v\": 110000, \"kind\": \"pv\", \"v_set_pu\": 1, \"q_min_var\": -5, \"q_max_var\": 7,"
     " \"p_w\": -1e6},\n  {\"name\": \"Z\", \"base_v\": 110000, \"g_w\": 1, \"b_var\": -2, \"p_w_abc\": [1, 2, 3]}],\n"
     " \"branches\": [\n  {\"name\": \"a\", \"kind\": \"line\", \"from\": \"Z\", \"to\": \"S\xc3\xbc" "d\", \"r_pu\": 0.01, \"x_pu\": "
     "0.1, \"b_pu\": 0.02, \"rating_va\": 1e8},\n  {\"name\": \"b\", \"kind\": \"line\", \"from\": \"N\\u00f6rd\", \"to\": \"Z\","
     " \"r_ohm\": 1, \"x_ohm\": 2, \"b_us\": 3, \"r0_ohm\": 3, \"x0_ohm\": 4, \"b0_us\": 1},\n  {\"name\": \"c\", \"kind\": "
     "\"transformer\", \"from\": \"Z\", \"to\": \"S\xc3\xbc" "d\", \"r_pu\": 0, \"x_pu\": 0.1, \"ratio\": 1.05,\n"
     "   \"tap\": {\"pos\": 1, \"min\": -2, \"max\": 2, \"neutral\": 0, \"step_pct\": 2.5}}],\n"
     " \"shunts\": [{\"node\": \"Z\", \"v_low_pu\": 0.9, \"v_high_pu\": 1.1, \"blocks\": [{\"steps\": 2, \"b_var\": 1000}]}]}\n")};
static const char alphabet[] = "{}[],:\"\\0123456789.-+eE truefalsn\n\x01\xc3\xa9" "ABCx_";

/* Most edits are of digits, so that many documents stay good. */
static size_t mutate(char *text, size_t n, uint64_t seed)
{
    uint64_t edits = pof_below(pof_random(seed, 1, 0), 5);
    for (uint64_t e = 0; e < edits && n > 0; e++) {
        size_t at = (size_t)pof_below(pof_random(seed, 2, e), n);
        char c = alphabet[pof_below(pof_random(seed, 3, e), sizeof alphabet - 1)];
        uint64_t what = pof_below(pof_random(seed, 4, e), 8);
        if (what >= 2 && text[at] >= '0' && text[at] <= '9') {
            text[at] = (char)('0' + c % 10);
        } else if (what == 0) {
            memmove(text + at, text + at + 1, n - at - 1);
            n--;
        } else if (what == 1) {
            memmove(text + at + 1, text + at, n - at);
            text[at] = c;
            n++;
        }
    }
    return n;
}

static bool same_numbers(const struct pof_grid *a, const struct pof_grid *b)
{
    bool same = a->nodes == b->nodes && a->branches == b->branches && a->banks == b->banks &&
                memcmp(&a->base_va, &b->base_va, sizeof a->base_va) == 0 && a->f_hz == b->f_hz;
    for (uint32_t i = 0; same && i < a->nodes; i++) {
        const struct pof_node *m = &a->node[i], *n = &b->node[i];
        same = memcmp(&m->base_v, &n->base_v, offsetof(struct pof_node, has_q_limits) - offsetof(struct pof_node, base_v)) == 0 &&
               m->kind == n->kind && m->has_q_limits == n->has_q_limits && m->has_xy == n->has_xy;
    }
    for (uint32_t k = 0; same && k < a->branches; k++) {
        const struct pof_branch *m = &a->branch[k], *n = &b->branch[k];
        same = memcmp(&m->r, &n->r, offsetof(struct pof_branch, closed) - offsetof(struct pof_branch, r)) == 0 &&
               m->from == n->from && m->to == n->to && m->kind == n->kind && m->closed == n->closed && !m->asset == !n->asset;
    }
    return same;
}

static bool same_grids(const struct pof_grid *a, const struct pof_grid *b)
{
    struct pof_err err = {0};
    struct pof_buf one = {0}, two = {0};
    bool same = same_numbers(a, b) && pof_grid_write(a, &one, &err) == 0 && pof_grid_write(b, &two, &err) == 0 &&
                one.len == two.len && memcmp(one.data, two.data, one.len) == 0;
    pof_buf_release(&one);
    pof_buf_release(&two);
    return same;
}

/* 1: both take it, alike; 0: the first leaves it; -1: they differ. */
static int compare(const char *text, size_t n, bool *good)
{
    struct pof_err err = {0};
    struct pof_grid a = {0}, b = {0};
    int plain = pofi_grid_plain(&(struct pof_build){.grid = &a}, (struct pof_text){text, n}, &err);
    *good = pofi_grid_tree(&b, (struct pof_text){text, n}, "t", &err) == 0;
    int verdict = plain == 0 ? 0 : plain == 1 && *good && same_grids(&a, &b) ? 1 : -1;
    pof_grid_release(&a);
    pof_grid_release(&b);
    return verdict;
}

int main(void)
{
    enum { ROUNDS = 8000, KINDS = sizeof seeds / sizeof seeds[0] };
    unsigned taken = 0, left = 0;
    bool good;
    for (size_t k = 0; k < KINDS; k++) {
        ok(compare(seeds[k], strlen(seeds[k]), &good) == 1, "document %zu is read straight", k);
    }
    for (uint64_t seed = 0; seed < ROUNDS; seed++) {
        char text[4096];
        const char *from = seeds[seed % KINDS];
        size_t n = strlen(from);
        memcpy(text, from, n);
        n = mutate(text, n, seed);
        char *copy = malloc(n ? n : 1); /* so that reading beyond its end is seen */
        memcpy(copy, text, n);
        int verdict = compare(copy, n, &good);
        free(copy);
        if (verdict < 0) {
            ok(false, "seed %" PRIu64 ": the readers differ", seed);
            printf("# %.*s\n", (int)n, text);
            return done();
        }
        taken += verdict == 1;
        left += verdict == 0 && good;
    }
    ok(true, "%d documents: what is read straight is the same grid", ROUNDS);
    ok(taken > ROUNDS / 3, "many are");
    printf("# taken %u, good but left to the other reader %u\n", taken, left);
    return done();
}
