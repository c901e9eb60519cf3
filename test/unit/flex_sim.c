/* SPDX-License-Identifier: Apache-2.0 */
#include "flex/sim.h"
#include "num/units.h"
#include "record/reader.h"

#include "tap.h"

enum { PLACES = 4 };
static const struct pof_sim_place places[PLACES] = {
    {{"root", 4}, 0, 0, true}, {{"big", 3}, 8e6, 0, false}, {{"small", 5}, 2e6, 0, false}, {{"bare", 4}, 0, 5e5, true}};

static int take(void *ctx, const void *from, size_t n, struct pof_err *err)
{
    return pof_buf_add(ctx, from, n, err);
}

static struct pof_sim *market(int64_t pods, uint64_t seed)
{
    struct pof_err err = {0};
    struct pof_sim_options o = {.place = places, .places = PLACES, .pods = pods, .seed = seed,
                                .peak_micro = 1000000, .zone = POF_ZONE_CET};
    struct pof_sim *sim = NULL;
    if (pof_sim_new(&sim, &o, &err) != 0) {
        printf("Bail out! %s\n", err.text);
        exit(1);
    }
    return sim;
}

enum what { BASELINES, MEASUREMENTS, AVAILABILITIES };

/* The records of [from, until) as NDJSON. */
static struct pof_buf lines(const struct pof_sim *sim, enum what what,
                            const struct pof_sim_orders *orders, int64_t from, int64_t until)
{
    static const struct pof_sim_orders none;
    struct pof_err err = {0};
    struct pof_buf text = {0};
    struct pof_sink sink = {take, &text, "memory"};
    struct pof_writer w;
    int rc = 0;
    pof_writer_init(&w, &sink, POF_NDJSON);
    int64_t step = what == AVAILABILITIES ? 3600 : POF_QUARTER_S;
    for (int64_t t = from; t < until && rc == 0; t += step) {
        rc = what == BASELINES      ? pof_sim_baselines(sim, t, &w, &err)
             : what == MEASUREMENTS ? pof_sim_measurements(sim, orders ? orders : &none, t, &w, &err)
                                    : pof_sim_availabilities(sim, t, t + step, &w, &err);
    }
    rc = rc ? rc : pof_writer_flush(&w, &err);
    ok(rc == 0, "records written%s%s", rc ? ": " : "", err.text);
    pof_writer_release(&w);
    return text;
}

static bool same(const struct pof_buf *a, const struct pof_buf *b)
{
    return a->len == b->len && memcmp(a->data, b->data, a->len) == 0;
}

/* Sum of p_w of every quarter-hour, the highest of them. */
static int64_t peak(const struct pof_sim *sim, struct pof_date date)
{
    int64_t from;
    int64_t until;
    int64_t best = INT64_MIN;
    pof_market_day(POF_ZONE_CET, date, &from, &until);
    struct pof_buf text = lines(sim, BASELINES, NULL, from, until);
    struct pof_memory m = {text.data, text.len};
    struct pof_source src = pof_source_memory(&m, "memory");
    struct pof_reader *r;
    struct pof_reader_options o = {.expect = POF_baseline};
    struct pof_record record;
    struct pof_err err = {0};
    int64_t t = 0;
    int64_t sum = 0;
    int64_t n = 0;
    ok(pof_reader_new(&r, &src, &o, &err) == 0, "they can be read");
    while (pof_reader_next(r, &record, &err) > 0) {
        if (record.u.baseline.start != t) {
            sum = 0;
            t = record.u.baseline.start;
            n++;
        }
        sum += record.u.baseline.p_w;
        best = sum > best ? sum : best;
    }
    is_int(n, (until - from) / POF_QUARTER_S, "every quarter-hour of the day is there");
    pof_reader_free(r);
    pof_buf_release(&text);
    return best;
}

static void peaks(void)
{
    static const int64_t sizes[] = {12, 100, 1500, 20000};
    for (size_t i = 0; i < 4; i++) {
        struct pof_sim *sim = market(sizes[i], 7);
        if (sizes[i] < 2000) { /* a whole day of more takes too long here */
            int64_t got = peak(sim, (struct pof_date){2026, 3, 10});
            ok(llabs(got - 10000000) < 10000, "%d pods peak at the rating: %" PRId64 " W",
               (int)sizes[i], got);
        }
        int64_t sum = 0;
        for (int64_t p = 0; p < sizes[i]; p++) {
            struct pof_sim_pod pod;
            pof_sim_pod(sim, p, &pod);
            sum += pod.kind != 3 && pod.place == 1;
        }
        ok(llabs(sum * 1000 / sizes[i] - 800 * 84 / 100) < 120, "load stands where the rating is: %" PRId64
           " of %d", sum, (int)sizes[i]);
        pof_sim_free(sim);
    }
    struct pof_sim *sim = market(100, 7);
    ok(peak(sim, (struct pof_date){2026, 3, 29}) < 10000000, "a Sunday with 92 is lower");
    ok(peak(sim, (struct pof_date){2026, 10, 25}) < 10000000, "a Sunday with 100 is lower");
    pof_sim_free(sim);
}

static void pods(void)
{
    struct pof_sim *a = market(1000, 1);
    int kinds[8] = {0};
    int64_t deaf = 0;
    bool sound = true;
    bool found = true;
    for (int64_t i = 0; i < 1000; i++) {
        struct pof_sim_pod pod;
        pof_sim_pod(a, i, &pod);
        kinds[pod.kind]++;
        deaf += pod.care == 2;
        sound = sound && pod.size_w > 0 && pod.p_up_max_w <= pod.size_w &&
                pod.p_down_max_w <= pod.size_w && (pod.place == 1 || pod.place == 2);
        found = found && pof_sim_find(a, pof_text(pod.name)) == i;
    }
    ok(sound, "pods stand at rated nodes and move at most their size");
    ok(found, "a pod is found by its name");
    ok(abs(kinds[0] - 440) <= 3 && abs(kinds[3] - 160) <= 3 && abs(kinds[4] - 60) <= 3,
       "kinds are mixed as described: %d %d %d", kinds[0], kinds[3], kinds[4]);
    ok(deaf > 25 && deaf < 80, "about one in twenty is deaf: %" PRId64, deaf);
    is_int(pof_sim_find(a, pof_text("P0001001")), -1, "a name beyond the last is not found");
    is_int(pof_sim_find(a, pof_text("P0000000")), -1, "nor one before the first");
    is_int(pof_sim_find(a, pof_text("Q0000001")), -1, "nor another");
    pof_sim_free(a);
}

static void seeds(int64_t t)
{
    struct pof_sim *a = market(50, 1);
    struct pof_sim *b = market(50, 1);
    struct pof_sim *c = market(50, 2);
    struct pof_buf x = lines(a, MEASUREMENTS, NULL, t, t + 3600);
    struct pof_buf y = lines(b, MEASUREMENTS, NULL, t, t + 3600);
    struct pof_buf z = lines(c, MEASUREMENTS, NULL, t, t + 3600);
    struct pof_buf last = lines(a, MEASUREMENTS, NULL, t + 2700, t + 3600);
    ok(same(&x, &y), "the same seed gives the same bytes");
    ok(!same(&x, &z), "another seed gives others");
    ok(last.len < x.len && memcmp(x.data + x.len - last.len, last.data, last.len) == 0,
       "a part made alone is the part of the whole");
    pof_buf_release(&x);
    pof_buf_release(&y);
    pof_buf_release(&z);
    pof_buf_release(&last);
    pof_sim_free(a);
    pof_sim_free(b);
    pof_sim_free(c);
}

/* p_w of pod i in NDJSON of one quarter-hour. */
static int64_t power_of(const struct pof_buf *text, const char *name)
{
    struct pof_memory m = {text->data, text->len};
    struct pof_source src = pof_source_memory(&m, "memory");
    struct pof_reader_options o = {.expect = POF_TYPES};
    struct pof_reader *r;
    struct pof_record record;
    struct pof_err err = {0};
    int64_t p = INT64_MIN;
    if (pof_reader_new(&r, &src, &o, &err) != 0) {
        return p;
    }
    while (pof_reader_next(r, &record, &err) > 0) {
        if (record.type == POF_measurement && pof_text_is(record.u.measurement.pod, name)) {
            p = record.u.measurement.p_w;
        } else if (record.type == POF_baseline && pof_text_is(record.u.baseline.pod, name)) {
            p = record.u.baseline.p_w;
        }
    }
    pof_reader_free(r);
    return p;
}

/* Ten batteries of each care are asked for 1000 W more than their forecast. */
static void answers(int64_t t)
{
    struct pof_err err = {0};
    struct pof_sim *sim = market(2000, 3);
    struct pof_sim_orders orders = {0};
    struct pof_buf base = lines(sim, BASELINES, NULL, t, t + 900);
    int asked[3] = {0};
    struct pof_sim_pod pod;
    for (int64_t i = 0; i < 2000; i++) {
        pof_sim_pod(sim, i, &pod);
        if (pod.kind == 4 && asked[pod.care] < 5) {
            struct pof_setpoint s = {.pod = pof_text(pod.name), .start = t, .duration_s = 900, .change_w = 1000};
            ok(pof_sim_order(&orders, sim, &s, &err) == 0, "set point taken");
            asked[pod.care]++;
        }
    }
    is_int(pof_sim_orders_seal(&orders, sim, &err), 0, "no set point twice");
    struct pof_buf with = lines(sim, MEASUREMENTS, &orders, t, t + 900);
    struct pof_buf without = lines(sim, MEASUREMENTS, NULL, t, t + 900);
    int seen[3] = {0};
    for (int64_t i = 0; i < 2000; i++) {
        pof_sim_pod(sim, i, &pod);
        if (pod.kind != 4 || seen[pod.care]++ >= 5) {
            continue;
        }
        int64_t change = power_of(&with, pod.name) - power_of(&base, pod.name);
        int64_t noise = power_of(&without, pod.name) - power_of(&base, pod.name);
        ok(pod.care == 0   ? llabs(change - 1000) <= 15 + llabs(noise) / 10 + 1
           : pod.care == 1 ? change - noise / 2 >= 499 && change - noise / 2 <= 901
                           : change == noise,
           "care %d: change %" PRId64 " W, unasked %" PRId64 " W", pod.care, change, noise);
    }
    pof_sim_orders_release(&orders);
    pof_buf_release(&base);
    pof_buf_release(&with);
    pof_buf_release(&without);
    pof_sim_free(sim);
}

static void refusals(void)
{
    struct pof_err err = {0};
    struct pof_sim *sim = market(20, 1);
    struct pof_sim_orders orders = {0};
    struct pof_setpoint s = {.pod = {"P0000021", 8}, .start = 0, .duration_s = 900};
    is_int(pof_sim_order(&orders, sim, &s, &err), POF_E_REFERENCE, "a set point for nobody");
    s.pod = pof_text("P0000020");
    s.start = 60;
    is_int(pof_sim_order(&orders, sim, &s, &err), POF_E_RANGE, "one beside the quarter-hour");
    s.start = 900;
    ok(pof_sim_order(&orders, sim, &s, &err) == 0 && pof_sim_order(&orders, sim, &s, &err) == 0,
       "two for the same");
    is_int(pof_sim_orders_seal(&orders, sim, &err), POF_E_DUPLICATE, "are a duplicate");
    pof_sim_orders_release(&orders);
    pof_sim_free(sim);
    struct pof_sim_options o = {.place = places, .places = 1, .pods = 20, .peak_micro = 1000000};
    is_int(pof_sim_new(&sim, &o, &err), POF_E_REFERENCE, "a grid without a place for pods");
    o.places = PLACES;
    o.pods = 11;
    is_int(pof_sim_new(&sim, &o, &err), POF_E_RANGE, "eleven pods are no market");
    o.pods = 12;
    o.peak_micro = 0;
    is_int(pof_sim_new(&sim, &o, &err), POF_E_RANGE, "a peak of nothing");
    const struct pof_sim_place bald[] = {{{"a", 1}, 0, 0, false}, {{"b", 1}, 0, 0, false}};
    o.place = bald;
    o.places = 2;
    o.peak_micro = 1000000;
    is_int(pof_sim_new(&sim, &o, &err), POF_E_RANGE, "no weight and no peak in W");
    o.peak_w = 5000;
    is_int(pof_sim_new(&sim, &o, &err), 0, "with a peak in W the places are equal");
    pof_sim_free(sim);
}

static void spans(void)
{
    struct pof_err err = {0};
    struct pof_date day = {2026, 3, 29};
    struct pof_sim_span s;
    struct pof_sim_span none = {INT64_MIN, INT64_MIN};
    ok(pof_sim_span(&s, POF_ZONE_CET, &day, &none, &err) == 0 && s.end - s.start == 92 * 900,
       "a day of 92 quarter-hours");
    struct pof_sim_span wish = {s.start + 900, INT64_MIN};
    ok(pof_sim_span(&s, POF_ZONE_CET, &day, &wish, &err) == 0 && s.end - s.start == 91 * 900,
       "from its second");
    wish.end = s.end + 900;
    is_int(pof_sim_span(&s, POF_ZONE_CET, &day, &wish, &err), POF_E_USAGE, "not beyond the day");
    is_int(pof_sim_span(&s, POF_ZONE_CET, NULL, &wish, &err), 0, "but without a day");
    is_int(pof_sim_span(&s, POF_ZONE_CET, NULL, &none, &err), POF_E_USAGE, "nothing is no time");
}

int main(void)
{
    int64_t t = 0;
    pof_instant_parse(pof_text("2026-03-10T17:00:00Z"), &t);
    pods();
    seeds(t);
    answers(t);
    peaks();
    refusals();
    spans();
    return done();
}
