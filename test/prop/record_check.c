/* SPDX-License-Identifier: Apache-2.0 */
/* Repetitions in a window against a list of everything that was ever kept: streams in time order with
 * late, repeated, contradicting and future lines, in a ring and in a table. */
#include "num/rng.h"
#include "record/check.h"

#include "tap.h"

enum { LINES = 6000, PODS = 70, SOURCES = 5 };

struct kept {
    int pod, source;
    int64_t start, p_w, seq;
};

static struct kept list[LINES];
static size_t listed;

/* The plain answer: look at all that was kept, the newest of its pod first of all. A number that was
 * used longer ago than the window may be forgotten: then what was answered is right. */
static enum pof_repeat model(const struct kept *k, int64_t window, enum pof_repeat got)
{
    int64_t seen = INT64_MIN, newest = INT64_MIN;
    bool long_ago = false;
    for (size_t i = 0; i < listed; i++) {
        seen = list[i].pod == k->pod && list[i].start > seen ? list[i].start : seen;
        newest = list[i].source == k->source && list[i].start > newest ? list[i].start : newest;
    }
    if (seen != INT64_MIN && k->start < seen - window) {
        return POF_REPEAT_TOO_LATE;
    }
    for (size_t i = 0; i < listed; i++) {
        if (list[i].pod == k->pod && list[i].start == k->start) {
            bool same = list[i].p_w == k->p_w && list[i].source == k->source && list[i].seq == k->seq;
            return same ? POF_REPEAT_SAME : POF_REPEAT_DIFFERS;
        }
    }
    for (size_t i = 0; i < listed && k->source >= 0; i++) {
        if (list[i].source == k->source && list[i].seq == k->seq) {
            if (list[i].start >= newest - window) {
                return POF_REPEAT_NUMBER;
            }
            long_ago = true;
        }
    }
    if (long_ago && got == POF_REPEAT_NUMBER) {
        return got;
    }
    list[listed++] = *k;
    return POF_REPEAT_NONE;
}

/* Line i of a stream: mostly the next one by time, now and then an old one again or something odd.
 * Numbers of a source rise for ever, so that none returns after it may have been forgotten. */
static struct kept line_of(uint64_t seed, size_t i, int64_t raster)
{
    uint64_t h = pof_random(seed, i, 0);
    struct kept k = {.pod = (int)(i % PODS),
                     .start = 1773100800 + (int64_t)(i / PODS) * raster,
                     .p_w = (int64_t)(h >> 8 & 0xff),
                     .source = (int)(h >> 16 & 7) < SOURCES ? (int)(h >> 16 & 7) : -1,
                     .seq = (int64_t)i * 3};
    if (h % 8 == 1 && listed) { /* something kept, again, late or altered */
        k = list[listed - 1 - pof_below(h << 8, listed < 900 ? listed : 900)];
        k.p_w += (int64_t)(h >> 30 & 1);
        k.pod = h >> 31 & 1 ? (k.pod + 1) % PODS : k.pod;
    } else if (h % 8 == 2) { /* out of order, sometimes by far */
        k.start -= (int64_t)(h >> 24 & 63) * raster * ((h >> 30 & 7) == 0 ? 1000 : 1);
    } else if (h % 64 == 3) { /* a clock ahead */
        k.start += (int64_t)(h >> 24 & 31) * raster;
    }
    return k;
}

static void stream(uint64_t seed, int64_t raster, int64_t window, const char *what)
{
    const struct pof_check_rules rules = {
        .raster_s = raster, .window_s = window, .latest_end = INT64_MAX};
    struct pof_check *c = NULL;
    struct pof_err err = {0}, why = {0};
    size_t wrong = 0, of[5] = {0};
    int rc = pof_check_new(&c, &rules, &err);
    listed = 0;
    for (size_t i = 0; i < LINES && rc == 0; i++) {
        struct kept k = line_of(seed, i, raster ? raster : 777);
        char pod[64], source[16];
        int n = snprintf(pod, sizeof pod, "%.*sP%d", k.pod % 40, "a-long-prefix-of-a-pod-that-goes-on", k.pod);
        snprintf(source, sizeof source, "S%d", k.source);
        struct pof_measurement m = {.pod = {pod, (size_t)n},
                                    .start = k.start,
                                    .duration_s = 900,
                                    .p_w = k.p_w};
        if (k.source >= 0) {
            m.source = pof_text(source);
            m.seq = k.seq;
            POF_SET(&m, measurement, source);
            POF_SET(&m, measurement, seq);
        } else {
            k.seq = 0;
        }
        enum pof_repeat got;
        rc = pof_check_repeat(c, &m, &got, &why, &err);
        enum pof_repeat expected = model(&k, window, got);
        wrong += got != expected;
        of[expected]++;
    }
    ok(rc == 0 && wrong == 0 && of[0] && of[1] && of[2] && of[3],
       "%s: %zu new, %zu same, %zu differ, %zu numbers again, %zu too late; %zu answers wrong", what,
       of[0], of[1], of[2], of[3], of[4], wrong);
    pof_check_free(c);
}

int main(void)
{
    for (uint64_t seed = 1; seed <= 3; seed++) {
        stream(seed, 900, 900 * 96, "a day of quarter-hours");
        stream(seed, 900, 900 * 3, "a window of three");
        stream(seed, 1, 70000, "a window of many steps");
        stream(seed, 0, 900 * 96, "no raster");
    }
    return done();
}
