/* SPDX-License-Identifier: Apache-2.0 */
#include "flex/profile.h"

#include "tap.h"

static int highest(enum pof_profile p, struct pof_date date, int *at_s)
{
    struct pof_profile_day day;
    int best = INT32_MIN;
    pof_profile_day(&day, date);
    for (int s = 0; s < 86400; s += 900) {
        int v = pof_profile_at(p, &day, s, s);
        if (v > best) {
            best = v;
            *at_s = s;
        }
    }
    return best;
}

static void seasons(void)
{
    struct pof_profile_day day;
    pof_profile_day(&day, (struct pof_date){2026, 3, 20});
    is_int(day.winter_permille, 1000, "20 March is winter");
    pof_profile_day(&day, (struct pof_date){2026, 4, 17});
    is_int(day.winter_permille, 500, "half way to summer on 17 April");
    pof_profile_day(&day, (struct pof_date){2026, 5, 15});
    is_int(day.winter_permille, 0, "15 May is summer");
    pof_profile_day(&day, (struct pof_date){2026, 9, 14});
    is_int(day.winter_permille, 0, "14 September is summer");
    pof_profile_day(&day, (struct pof_date){2026, 11, 1});
    is_int(day.winter_permille, 1000, "1 November is winter");
    pof_profile_day(&day, (struct pof_date){2026, 3, 14});
    ok(day.weekend, "14 March 2026 is a Saturday");
    pof_profile_day(&day, (struct pof_date){2026, 3, 13});
    ok(!day.weekend, "the day before is none");
}

static void loads(void)
{
    int at = 0;
    is_int(highest(POF_PROFILE_HOUSEHOLD, (struct pof_date){2026, 1, 14}, &at), 1000,
           "a household's winter peak is its size");
    is_int(at, 19 * 3600, "at seven in the evening");
    ok(highest(POF_PROFILE_HOUSEHOLD, (struct pof_date){2026, 7, 15}, &at) < 800,
       "in summer it is lower");
    ok(highest(POF_PROFILE_HEATPUMP, (struct pof_date){2026, 7, 15}, &at) < 300,
       "heat pumps hardly run in summer");
    struct pof_profile_day day;
    pof_profile_day(&day, (struct pof_date){2026, 1, 14});
    is_int(pof_profile_at(POF_PROFILE_HOUSEHOLD, &day, 19 * 3600 + 1800, 0), 975,
           "half way between two hours is half way between their values");
    is_int(pof_profile_at(POF_PROFILE_HOUSEHOLD, &day, -3600, 0),
           pof_profile_at(POF_PROFILE_HOUSEHOLD, &day, 23 * 3600, 0), "seconds wrap at midnight");
}

static void plants(void)
{
    struct pof_profile_day june, december;
    int noon = 44100;
    pof_profile_day(&june, (struct pof_date){2026, 6, 16});
    pof_profile_day(&december, (struct pof_date){2026, 12, 16});
    int high = pof_profile_at(POF_PROFILE_PV, &june, 0, noon);
    ok(high < -800 && high >= -1000, "a plant generates about its peak at noon in June");
    ok(pof_profile_at(POF_PROFILE_PV, &december, 0, noon) > -400, "and little in December");
    is_int(pof_profile_at(POF_PROFILE_PV, &june, 0, 3 * 3600), 0, "nothing at night");
    is_int(pof_profile_at(POF_PROFILE_PV, &december, 0, 17 * 3600), 0,
           "nothing on a December evening");
    ok(pof_profile_at(POF_PROFILE_PV, &june, 0, 17 * 3600) < -100, "but in June");
    is_int(pof_profile_at(POF_PROFILE_PV, &june, 0, noon - 7200),
           pof_profile_at(POF_PROFILE_PV, &june, 0, noon + 7200), "the same before and after noon");
    bool falling = true;
    for (int s = noon; s < 80000; s += 900) {
        falling = falling && pof_profile_at(POF_PROFILE_PV, &june, 0, s) <=
                                 pof_profile_at(POF_PROFILE_PV, &june, 0, s + 900);
    }
    ok(falling, "it only falls after noon");
}

int main(void)
{
    seasons();
    loads();
    plants();
    return done();
}
