/* SPDX-License-Identifier: Apache-2.0 */
/* Spells of activity, against trying all ways to lay them. */
#include "market/spell.h"

#include "base/text.h"
#include "num/rng.h"
#include "tap.h"

enum { N = 9 };

/* Can spells cover the set of times (bits)? Tries each length of the spell that begins at the first. */
static bool covered(const struct pof_spell *s, const uint32_t *at, unsigned set, uint32_t spells)
{
    if (!set) {
        return true;
    }
    unsigned first = 0;
    while (!(set >> first & 1)) {
        first++;
    }
    for (uint32_t length = 1; spells < s->most && length <= s->span; length++) {
        unsigned left = 0;
        bool rests = true;
        for (unsigned i = first; i < N; i++) {
            bool in = set >> i & 1 && at[i] - at[first] >= length;
            rests = rests && !(in && at[i] - at[first] < length + s->rest);
            left |= in ? 1U << i : 0;
        }
        if (rests && covered(s, at, left, spells + 1)) {
            return true;
        }
    }
    return false;
}

static uint64_t roll(uint64_t seed, uint64_t *at, uint64_t n)
{
    return pof_below(pof_random(seed, 1, (*at)++), n);
}

int main(void)
{
    int fits = 0, best = 0, asked = 0, possible = 0;
    const int n = 400;
    struct pof_spell_table table = {0};
    struct pof_err err = {0};
    for (int k = 0; k < n; k++) {
        uint64_t seed = 20260310 + (uint64_t)k, d = 0;
        struct pof_spell s = {1 + (uint32_t)roll(seed, &d, 5), (uint32_t)roll(seed, &d, 4),
                              roll(seed, &d, 4) ? 1 + (uint32_t)roll(seed, &d, 3) : POF_NONE};
        struct pof_spell_time time[N];
        uint32_t at[N];
        unsigned must = 0;
        for (unsigned i = 0; i < N; i++) {
            at[i] = (i ? at[i - 1] + 1 : 0) + (roll(seed, &d, 4) == 0 ? (uint32_t)roll(seed, &d, 4) : 0);
            time[i] = (struct pof_spell_time){.at = at[i], .must = roll(seed, &d, 8) == 0};
            time[i].worth = time[i].must ? 0 : (pof_wide)roll(seed, &d, 6);
            must |= time[i].must ? 1U << i : 0;
        }
        pof_wide most = -1, worth = 0, kept = 0;
        for (unsigned set = 0; set < 1U << N; set++) {
            uint32_t some[N], least[N];
            size_t of = 0;
            pof_wide sum = 0;
            for (unsigned i = 0; i < N; i++) {
                some[of] = at[i];
                of += set >> i & 1;
                sum += set >> i & 1 ? time[i].worth : 0;
            }
            bool can = covered(&s, at, set, 0);
            fits += can == pof_spell_fits(&s, some, of, least);
            asked++;
            most = can && (set & must) == must && sum > most ? sum : most;
        }
        int rc = pof_spell_best(&s, time, N, &table, &worth, &err);
        unsigned set = must;
        for (unsigned i = 0; i < N; i++) {
            kept += time[i].kept ? time[i].worth : 0;
            set |= time[i].kept ? 1U << i : 0;
        }
        best += rc == 0 && worth == most && (most < 0 || (kept == most && covered(&s, at, set, 0)));
        possible += most >= 0;
    }
    pof_spell_table_release(&table);
    is_int(fits, asked, "every subset of times lies in spells when trying says so");
    is_int(best, n, "the choice worth most is, and says which times it keeps");
    ok(possible > n / 2 && possible < n, "in %d of %d what must be can be", possible, n);
    return done();
}
