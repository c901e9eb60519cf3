/* SPDX-License-Identifier: Apache-2.0 */
/* Versions of a quarter-hour: which counts, and that the order of arrival does not matter. */
#include "num/rng.h"
#include "store/version.h"

#include "../tap.h"

/* Names are numbered in the order they came; only their text may decide. */
static struct pof_text text_of(void *ctx, int64_t id)
{
    const char *const *names = ctx;
    return pof_text(names[id]);
}

static const char *names[] = {"meter", "backup", "2026-03-10-RT1", "2026-03-10-DA"};

#define HAS(cell, c) (((cell)->has >> (c)) & 1u)

static struct pof_cell measured(int64_t known, int64_t p, int64_t seq)
{
    struct pof_cell c = {.has = 1 | UINT64_C(1) << POF_COLUMN_KNOWN};
    c.value[POF_MEASUREMENT_P] = p;
    c.value[POF_COLUMN_KNOWN] = known;
    if (seq >= 0) {
        c.has |= 1u << POF_MEASUREMENT_SEQ | 1u << POF_MEASUREMENT_SOURCE;
        c.value[POF_MEASUREMENT_SEQ] = seq;
    }
    return c;
}

static enum pof_insert insert(struct pof_versions *v, struct pof_cell c)
{
    struct pof_err err = {0};
    enum pof_insert what = POF_INSERT_KNOWN;
    if (pof_versions_insert(v, &c, &what, &err)) {
        ok(false, "insertion fails: %s", err.text);
    }
    return what;
}

static int64_t counts(const struct pof_versions *v, int64_t known_at)
{
    size_t i = pof_versions_current(v, known_at);
    return i < v->n ? v->cell[i].value[POF_MEASUREMENT_P] : -1;
}

static struct pof_versions list(enum pof_series series)
{
    return (struct pof_versions){.series = series, .text = text_of, .ctx = names};
}

static void test_corrections(void)
{
    struct pof_versions v = list(POF_SERIES_MEASUREMENT);
    is_int((int64_t)pof_versions_current(&v, 0), 0, "nothing counts before anything is known");
    is_int(insert(&v, measured(10, 100, -1)), POF_INSERT_REVISION, "a first value");
    is_int(insert(&v, measured(20, 100, -1)), POF_INSERT_KNOWN, "said again later");
    is_int(insert(&v, measured(20, 90, -1)), POF_INSERT_REVISION, "a correction");
    is_int(insert(&v, measured(30, 100, -1)), POF_INSERT_REVISION, "the correction taken back");
    is_int((int64_t)v.n, 3, "three versions");
    is_int(counts(&v, 9), -1, "as known before the first");
    is_int(counts(&v, 10), 100, "as known with the first");
    is_int(counts(&v, 29), 90, "as known with the correction");
    is_int(counts(&v, INT64_MAX), 100, "as known at last");
    is_int(insert(&v, measured(15, 95, -1)), POF_INSERT_REVISION, "a load made up for later");
    is_int(counts(&v, 19), 95, "takes its place in time");
    is_int(counts(&v, INT64_MAX), 100, "and changes nothing that came after");
    pof_versions_release(&v);
}

static void test_numbered(void)
{
    struct pof_versions v = list(POF_SERIES_MEASUREMENT);
    insert(&v, measured(10, 50, 5));
    is_int(insert(&v, measured(20, 40, 4)), POF_INSERT_STALE, "an older message arrives late");
    is_int(counts(&v, INT64_MAX), 50, "and does not count");
    is_int(insert(&v, measured(30, 40, 4)), POF_INSERT_KNOWN, "nor is it new a second time");
    is_int(insert(&v, measured(30, 60, 6)), POF_INSERT_REVISION, "a newer message counts");
    is_int(counts(&v, INT64_MAX), 60, "from then on");
    is_int(insert(&v, measured(40, 50, 5)), POF_INSERT_KNOWN,
           "replaying the first changes nothing");
    is_int(insert(&v, measured(30, 61, 6)), POF_INSERT_CONTRADICTS, "one number, two contents");
    pof_versions_release(&v);
}

static void test_contradiction(void)
{
    struct pof_versions v = list(POF_SERIES_MEASUREMENT);
    struct pof_cell suspect = measured(10, 200, -1);
    suspect.has |= 1u << POF_MEASUREMENT_QUALITY;
    suspect.value[POF_MEASUREMENT_QUALITY] = 1;
    insert(&v, measured(10, 100, -1));
    is_int(insert(&v, suspect), POF_INSERT_CONTRADICTS, "two values in one load");
    is_int(counts(&v, 10), 100, "the one of better quality counts");
    pof_versions_release(&v);

    v = list(POF_SERIES_SETPOINT);
    struct pof_cell da = measured(10, 1, -1);
    struct pof_cell rt = measured(10, 2, -1);
    da.has |= 1u << POF_SETPOINT_SESSION;
    rt.has |= 1u << POF_SETPOINT_SESSION;
    rt.value[POF_SETPOINT_SESSION] = 2;
    da.value[POF_SETPOINT_SESSION] = 3;
    insert(&v, rt);
    is_int(insert(&v, da), POF_INSERT_REVISION, "two sessions are in order");
    is_int(counts(&v, 10), 2, "and the real-time session counts");
    da.value[POF_COLUMN_KNOWN] = 20;
    is_int(insert(&v, da), POF_INSERT_KNOWN, "loading the earlier session again changes nothing");
    is_int(counts(&v, 20), 2, "the real-time session still counts");
    da.value[POF_SETPOINT_P] = 9;
    is_int(insert(&v, da), POF_INSERT_REVISION, "unless it says something new");
    is_int(counts(&v, 20), 9, "which counts");
    pof_versions_release(&v);
}

/* One load in any order of lines, once or twice over, gives the same list. */
static void test_order(void)
{
    int wrong = 0;
    for (uint64_t seed = 0; seed < 500; seed++) {
        struct pof_cell cell[8];
        struct pof_versions a = list(POF_SERIES_MEASUREMENT);
        struct pof_versions b = list(POF_SERIES_MEASUREMENT);
        insert(&a, measured(1, 2, -1));
        insert(&b, measured(1, 2, -1));
        for (size_t i = 0; i < 8; i++) {
            uint64_t r = pof_random(seed, i, 0);
            cell[i] = measured(5, (int64_t)(r % 4), (int64_t)(r / 4 % 4) - 1);
            if (HAS(&cell[i], POF_MEASUREMENT_SOURCE)) {
                cell[i].value[POF_MEASUREMENT_SOURCE] = (int64_t)(r / 16 % 2);
            }
            insert(&a, cell[i]);
        }
        for (size_t i = 16; i > 0; i--) {
            insert(&b, cell[pof_below(pof_random(seed, i, 1), 8)]);
            insert(&b, cell[i % 8]);
        }
        wrong += a.n != b.n || memcmp(a.cell, b.cell, a.n * sizeof *a.cell) != 0;
        pof_versions_release(&a);
        pof_versions_release(&b);
    }
    is_int(wrong, 0, "500 random loads in two orders give the same versions");
}

int main(void)
{
    test_corrections();
    test_numbered();
    test_contradiction();
    test_order();
    return done();
}
