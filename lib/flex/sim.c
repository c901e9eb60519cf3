/* SPDX-License-Identifier: Apache-2.0 */
/* A simulated market: numbers to pods, nodes and sizes. */
#include "flex/sim_internal.h"

#include "base/mem.h"
#include "num/units.h"

#include <stdlib.h>
#include <string.h>

/* How many of each kind there are, how large against each other, and how flexible: chosen so that
 * evening peaks in winter are made of households, vehicles and heat pumps, that about a third of
 * the peak is flexible upwards, and that plants at noon give more than rural feeders take. */
static const struct pofi_kind kinds[POFI_KINDS] = {
    {POFI_HOUSEHOLD, POF_PROFILE_HOUSEHOLD, 440, 1000, 150, 100, 250, 160, 60},
    {POFI_COMMERCIAL, POF_PROFILE_COMMERCIAL, 150, 2600, 150, 100, 330, 110, 55},
    {POFI_PV, POF_PROFILE_PV, 160, 3000, 0, 1000, 0, 0, 45},
    {POFI_BATTERY, POF_PROFILE_BATTERY, 60, 1200, 800, 800, 0, 85, 40},
    {POFI_VEHICLE, POF_PROFILE_VEHICLE, 90, 1500, 700, 600, 100, 95, 30},
    {POFI_HEATPUMP, POF_PROFILE_HEATPUMP, 100, 1200, 500, 300, 300, 105, 35},
};

const struct pofi_kind *pofi_kind(int k)
{
    return &kinds[k];
}

const struct pofi_kind *pofi_kind_of(int word)
{
    int k = 0;
    while (k < POFI_KINDS - 1 && (int)kinds[k].word != word) {
        k++;
    }
    return &kinds[k];
}

const char *pofi_aggregator(int a)
{
    static const char *const name[] = {"aurora", "borea", "celeste", "delta", "estia"};
    return name[a];
}

/* Kinds follow each other in a Weyl sequence (multiples of the golden ratio), so that any run of
 * pods, hence any node, has about the right mixture. */
static int kind_row(const struct pof_sim *sim, int64_t i)
{
    uint64_t w = sim->seed_of[POFI_KIND] + (uint64_t)i * UINT64_C(0x9e3779b97f4a7c15);
    int at = (int)pof_below(w, 1000);
    int k = 0;
    while (at >= kinds[k].share_permille) {
        at -= kinds[k].share_permille;
        k++;
    }
    return k;
}

/* Size against others at the same place: half to one and a half of the kind's unit. */
static uint64_t units_of(int k, uint64_t bits)
{
    return (uint64_t)kinds[k].unit * (500 + (bits & 1023) * 1000 / 1023) / 1000;
}

static int shift_of(int k, uint64_t bits)
{
    enum pof_profile p = kinds[k].profile;
    if (p == POF_PROFILE_PV || p == POF_PROFILE_BATTERY) {
        return 0; /* sun and tariff keep the same time for all */
    }
    return (int)pof_below(bits << 20, 2 * POFI_SHIFT + 1) - POFI_SHIFT;
}

/* The last of the used places whose pods begin at or before i. */
static size_t used_of(const struct pof_sim *sim, int64_t i)
{
    size_t lo = 0;
    size_t hi = sim->n_used;
    while (hi - lo > 1) {
        size_t mid = lo + (hi - lo) / 2;
        if (sim->first[mid] <= i) {
            lo = mid;
        } else {
            hi = mid;
        }
    }
    return lo;
}

static size_t plant_place(const struct pof_sim *sim, int64_t i)
{
    uint64_t w = sim->seed_of[POFI_PLANT] + (uint64_t)i * UINT64_C(0xd1b54a32d192ed03);
    return sim->used[pof_below(w, sim->n_used)];
}

static void pod_name(int64_t i, char name[9])
{
    int64_t v = i + 1;
    name[0] = 'P';
    for (int d = 7; d >= 1; d--) {
        name[d] = (char)('0' + v % 10);
        v /= 10;
    }
    name[8] = '\0';
}

int64_t pof_sim_find(const struct pof_sim *sim, struct pof_text name)
{
    int64_t v = 0;
    if (name.len != 8 || name.ptr[0] != 'P') {
        return -1;
    }
    for (size_t d = 1; d < 8; d++) {
        if (name.ptr[d] < '0' || name.ptr[d] > '9') {
            return -1;
        }
        v = v * 10 + (name.ptr[d] - '0');
    }
    return v >= 1 && v <= sim->options.pods ? v - 1 : -1;
}

/* Size against all others, 16 binary places: a load's part of what stands at its place. */
static uint64_t shared_size(const struct pof_sim *sim, int k, size_t used, uint64_t bits)
{
    uint64_t share = kinds[k].word == POFI_PV ? sim->plant_share : sim->share[used];
    return (uint64_t)((unsigned __int128)units_of(k, bits) * share >> 16);
}

/* Of 20 pods 17 follow their set points, 2 follow partly, 1 does not. */
static int care_of(uint64_t bits)
{
    uint64_t u = pof_below(bits << 32, 20);
    return u < 17 ? 0 : u < 19 ? 1 : 2;
}

void pof_sim_pod(const struct pof_sim *sim, int64_t i, struct pof_sim_pod *pod)
{
    uint64_t bits = pofi_bits(sim, POFI_POD, (uint64_t)i, 0);
    int k = kind_row(sim, i);
    size_t used = used_of(sim, i);
    unsigned __int128 scaled = (unsigned __int128)shared_size(sim, k, used, bits) * sim->scale;
    pod_name(i, pod->name);
    pod->place = kinds[k].word == POFI_PV ? plant_place(sim, i) : sim->used[used];
    pod->kind = (int)kinds[k].word;
    pod->aggregator = (int)pof_below(bits << 44, (uint64_t)sim->aggregators);
    pod->shift = shift_of(k, bits);
    pod->size_w = (int64_t)((scaled + (UINT64_C(1) << 31)) >> 32);
    pod->p_up_max_w = pofi_permille(pod->size_w, kinds[k].up_permille);
    pod->p_down_max_w = pofi_permille(pod->size_w, kinds[k].down_permille);
    pod->care = care_of(bits);
}

void pofi_shapes(const struct pof_sim *sim, int64_t t, struct pofi_shapes *shapes)
{
    enum pof_zone zone = sim->options.zone;
    struct pof_date date = pof_local_date(zone, t);
    int64_t january = pof_date_days((struct pof_date){date.year, 1, 1}) * 86400;
    int load_s = (int)((t + pof_zone_offset(zone, t)) % 86400);
    int sun_s = (int)((t + pof_zone_offset(zone, january)) % 86400);
    struct pof_profile_day day;
    pof_profile_day(&day, date);
    for (int p = 0; p < POF_PROFILES; p++) {
        for (int s = -POFI_SHIFT; s <= POFI_SHIFT; s++) {
            shapes->value[p][s + POFI_SHIFT] =
                pof_profile_at((enum pof_profile)p, &day, load_s - s * POF_QUARTER_S, sun_s);
        }
    }
}

int64_t pofi_forecast(const struct pof_sim_pod *pod, const struct pofi_shapes *shapes)
{
    enum pof_profile p = pofi_kind_of(pod->kind)->profile;
    return pofi_permille(pod->size_w, shapes->value[p][pod->shift + POFI_SHIFT]);
}

/* --- making a market --- */

static double weight_by(const struct pof_sim_place *place, int rule)
{
    double w = rule == 0 ? place->rated_w : rule == 1 ? place->p_w : 1.0;
    w = w < 0 && rule == 1 ? -w : w;
    return place->bare || !(w > 0) ? 0 : w;
}

/* The first rule under which any place has a weight; 3 when there is none. */
static int weight_rule(const struct pof_sim_options *o)
{
    for (int rule = 0; rule < 3; rule++) {
        for (size_t i = 0; i < o->places; i++) {
            if (weight_by(&o->place[i], rule) >= 0.5) {
                return rule;
            }
        }
    }
    return 3;
}

/* Fills used and first: pod i stands where (i + 1/2) / pods of the total weight is reached.
 * Returns the total weight, W (places under rule 2). */
static int spread(struct pof_sim *sim, int rule, int64_t *total, struct pof_err *err)
{
    const struct pof_sim_options *o = &sim->options;
    *total = 0;
    for (size_t i = 0; i < o->places; i++) {
        double w = weight_by(&o->place[i], rule);
        if (w > 1e12) {
            return pof_fail(err, POF_E_RANGE, "node '%.*s' is rated above 1 TW",
                            (int)o->place[i].name.len, o->place[i].name.ptr);
        }
        if (w >= 0.5) {
            sim->used[sim->n_used] = i;
            sim->first[sim->n_used++] = *total; /* cumulative weight before it, for now */
            *total += (int64_t)(w + 0.5);
        }
    }
    for (size_t k = 0; k < sim->n_used; k++) {
        __int128 over = (__int128)2 * o->pods * sim->first[k] - *total;
        __int128 step = (__int128)2 * *total;
        sim->first[k] = over <= 0 ? 0 : (int64_t)((over + step - 1) / step);
    }
    return 0;
}

/* Installed power of all plants against the highest consumption of each load, added up. */
enum { PLANTS_PERMILLE = 415 };

/* What stands at a place is its number of loads, however large their kinds: with few pods a single
 * large one would else overload the place for good. Plants share a fixed part of all loads. */
static int set_shares(struct pof_sim *sim, struct pof_err *err)
{
    uint64_t plants = 0; /* units */
    uint64_t loads = 0;  /* number */
    int rc = pof_calloc(&sim->share, sim->n_used, sizeof *sim->share, err);
    for (size_t u = 0; u < sim->n_used && rc == 0; u++) {
        int64_t end = u + 1 < sim->n_used ? sim->first[u + 1] : sim->options.pods;
        uint64_t units = 0;
        uint64_t n = 0;
        for (int64_t i = sim->first[u]; i < end; i++) {
            int k = kind_row(sim, i);
            uint64_t own = units_of(k, pofi_bits(sim, POFI_POD, (uint64_t)i, 0));
            bool plant = kinds[k].word == POFI_PV;
            plants += plant ? own : 0;
            units += plant ? 0 : own;
            n += !plant;
        }
        loads += n;
        sim->share[u] = units ? (n << 32) / units : 0;
    }
    if (plants > 0) {
        unsigned __int128 all = ((unsigned __int128)loads << 32) * PLANTS_PERMILLE / 1000;
        sim->plant_share = (uint64_t)(all / plants);
    }
    return rc;
}

/* Highest sum of sizes times profile of a winter working day, in per mille of shares. */
static int64_t relative_peak(const struct pof_sim *sim)
{
    int64_t sum[POFI_KINDS][2 * POFI_SHIFT + 1] = {{0}};
    struct pof_profile_day day;
    size_t used = 0;
    pof_profile_day(&day, (struct pof_date){2026, 1, 14});
    for (int64_t i = 0; i < sim->options.pods; i++) {
        uint64_t bits = pofi_bits(sim, POFI_POD, (uint64_t)i, 0);
        int k = kind_row(sim, i);
        while (used + 1 < sim->n_used && sim->first[used + 1] <= i) {
            used++;
        }
        sum[k][shift_of(k, bits) + POFI_SHIFT] += (int64_t)shared_size(sim, k, used, bits);
    }
    int64_t peak = 0;
    for (int s = 0; s < 86400; s += POF_QUARTER_S) {
        int64_t v = 0;
        for (int k = 0; k < POFI_KINDS; k++) {
            for (int h = -POFI_SHIFT; h <= POFI_SHIFT; h++) {
                v += sum[k][h + POFI_SHIFT] *
                     pof_profile_at(kinds[k].profile, &day, s - h * POF_QUARTER_S, s);
            }
        }
        peak = v > peak ? v : peak;
    }
    return peak;
}

static int set_scale(struct pof_sim *sim, int rule, int64_t total, struct pof_err *err)
{
    int64_t target = sim->options.peak_w;
    int rc = 0;
    if (target == 0 && rule == 2) {
        return pof_fail(err, POF_E_RANGE,
                        "no node has rated_w or p_w, so the peak must be said in W");
    }
    if (target == 0) {
        rc = pof_muldiv(total, sim->options.peak_micro, 1000000, &target, err);
    }
    if (rc == 0 && (target < 1 || target > INT64_C(1000000000000))) {
        return pof_fail(err, POF_E_RANGE, "a peak of %lld W is not between 1 W and 1 TW",
                        (long long)target);
    }
    int64_t peak = relative_peak(sim);
    if (rc == 0 && peak <= 0) {
        return pof_fail(err, POF_E_RANGE, "%lld pods are too few to have any load",
                        (long long)sim->options.pods);
    }
    if (rc == 0) {
        unsigned __int128 per = (unsigned __int128)target * 1000 << 32;
        sim->scale = (uint64_t)(per / (unsigned __int128)peak);
    }
    return rc;
}

int pof_sim_new(struct pof_sim **out, const struct pof_sim_options *options, struct pof_err *err)
{
    struct pof_sim *sim = NULL;
    int64_t total = 0;
    int rule = weight_rule(options);
    *out = NULL;
    if (options->pods < POF_SIM_PODS_MIN || options->pods > POF_SIM_PODS_MAX) {
        return pof_fail(err, POF_E_RANGE, "%lld pods are not between %d and %d",
                        (long long)options->pods, POF_SIM_PODS_MIN, POF_SIM_PODS_MAX);
    }
    if (rule == 3) {
        return pof_fail(err, POF_E_REFERENCE, "the grid has no node that pods could stand at");
    }
    int rc = pof_calloc(&sim, 1, sizeof *sim, err);
    if (rc == 0) {
        sim->options = *options;
        sim->aggregators = 3 + (int)pof_below(pof_random(options->seed, POFI_MARKET, 0), 3);
        for (int s = 0; s <= POFI_ANSWER; s++) {
            sim->seed_of[s] = pof_random(options->seed, (uint64_t)s, 1);
        }
        rc = pof_calloc(&sim->used, options->places, sizeof *sim->used, err);
    }
    if (rc == 0) {
        rc = pof_calloc(&sim->first, options->places, sizeof *sim->first, err);
    }
    if (rc == 0) {
        rc = spread(sim, rule, &total, err);
    }
    if (rc == 0) {
        rc = set_shares(sim, err);
    }
    if (rc == 0) {
        rc = set_scale(sim, rule, total, err);
    }
    if (rc == 0) {
        *out = sim;
        return 0;
    }
    pof_sim_free(sim);
    return rc;
}

void pof_sim_free(struct pof_sim *sim)
{
    if (sim) {
        free(sim->used);
        free(sim->first);
        free(sim->share);
        free(sim);
    }
}

int pof_sim_span(struct pof_sim_span *span, enum pof_zone zone, const struct pof_date *day,
                 const struct pof_sim_span *wish, struct pof_err *err)
{
    struct pof_sim_span s = *wish;
    struct pof_sim_span whole = *wish;
    if (day) {
        pof_market_day(zone, *day, &whole.start, &whole.end);
    }
    s.start = s.start == INT64_MIN ? whole.start : s.start;
    s.end = s.end == INT64_MIN ? whole.end : s.end;
    if (s.start == INT64_MIN || s.end == INT64_MIN) {
        return pof_fail(err, POF_E_USAGE, "a day is needed, or both ends of a time");
    }
    if (s.start < whole.start || s.end > whole.end || s.start >= s.end ||
        s.start % POF_QUARTER_S != 0 || s.end % POF_QUARTER_S != 0) {
        return pof_fail(err, POF_E_USAGE,
                        "from and until must be quarter-hours of the day, from before until");
    }
    *span = s;
    return 0;
}
