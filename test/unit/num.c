/* SPDX-License-Identifier: Apache-2.0 */
/* Decimals, money, instants, market days. */
#include "num/decimal.h"
#include "num/real.h"
#include "num/time.h"
#include "num/units.h"

#include "tap.h"

static void test_decimal(void)
{
    static const struct {
        const char *text;
        int scale;
        bool good;
        int64_t value;
        const char *back;
    } cases[] = {
        {"0", 6, true, 0, "0"},
        {"-0", 6, true, 0, "0"},
        {"12.5", 6, true, 12500000, "12.5"},
        {"12.500000000", 6, true, 12500000, "12.5"},
        {"-0.000001", 6, true, -1, "-0.000001"},
        {"0.0000001", 6, false, 0, NULL},
        {"9223372036854.775807", 6, true, INT64_MAX, "9223372036854.775807"},
        {"-9223372036854.775808", 6, true, INT64_MIN, "-9223372036854.775808"},
        {"9223372036854.775808", 6, false, 0, NULL},
        {"100", 0, true, 100, "100"},
        {"1.0", 0, true, 1, "1"},
        {"1.5", 0, false, 0, NULL},
        {"01", 0, false, 0, NULL},
        {"", 0, false, 0, NULL},
        {"-", 0, false, 0, NULL},
        {".5", 6, false, 0, NULL},
        {"5.", 6, false, 0, NULL},
        {"1e3", 6, false, 0, NULL},
        {"1,5", 6, false, 0, NULL},
        {" 1", 6, false, 0, NULL},
        {"+1", 6, false, 0, NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        int64_t v = 0;
        bool good = pof_decimal_parse(pof_text(cases[i].text), cases[i].scale, &v);
        ok(good == cases[i].good && (!good || v == cases[i].value), "decimal '%s' scale %d",
           cases[i].text, cases[i].scale);
        if (good) {
            char to[POF_DECIMAL_MAX];
            size_t n = pof_decimal_format(v, cases[i].scale, to);
            is_text(to, n, cases[i].back, "and back");
        }
    }
}

static void test_real(void)
{
    static const double values[] = {0.1, 1.0 / 3, 1e300, 5e-324, 123456789.123456789, -2.5, 1e22,
                                    0.30000000000000004};
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        char to[POF_REAL_MAX];
        double back = 0;
        size_t n = pof_real_format(values[i], to);
        ok(pof_real_parse((struct pof_text){to, n}, &back) && back == values[i],
           "%.17g is written as %.*s and read back", values[i], (int)n, to);
    }
    double v;
    ok(!pof_real_parse(pof_text("1e999"), &v), "1e999 is not finite");
    ok(!pof_real_parse(pof_text("nan"), &v) && !pof_real_parse(pof_text("0x1"), &v) &&
           !pof_real_parse(pof_text("1."), &v) && !pof_real_parse(pof_text(""), &v),
       "only JSON numbers are numbers");
}

static void test_money(void)
{
    struct pof_err err = {0};
    int64_t m = 0;
    ok(pof_cost(POF_WS_PER_MWH, 52500000, &m, &err) == 0 && m == 52500000, "1 MWh at 52.5");
    ok(pof_muldiv(5, 1, 2, &m, &err) == 0 && m == 2, "2.5 to even is 2");
    ok(pof_muldiv(7, 1, 2, &m, &err) == 0 && m == 4, "3.5 to even is 4");
    ok(pof_muldiv(-5, 1, 2, &m, &err) == 0 && m == -2, "-2.5 to even is -2");
    ok(pof_muldiv(-7, 1, 2, &m, &err) == 0 && m == -4, "-3.5 to even is -4");
    ok(pof_muldiv(-8, 1, 3, &m, &err) == 0 && m == -3, "-8/3 is -3");
    ok(pof_muldiv(INT64_MAX, INT64_MAX, INT64_MAX, &m, &err) == 0 && m == INT64_MAX,
       "128 bits on the way");
    ok(pof_muldiv(INT64_MAX, 2, 1, &m, &err) == POF_E_OVERFLOW, "no silent overflow");
    int64_t sum = INT64_MAX;
    ok(pof_add(&sum, 1, &err) == POF_E_OVERFLOW, "nor in sums");
}

static void instant(const char *text, bool good, int64_t want)
{
    int64_t t = 0;
    bool got = pof_instant_parse(pof_text(text), &t);
    ok(got == good && (!good || t == want), "instant '%s'", text);
}

static void test_instants(void)
{
    instant("1970-01-01T00:00:00Z", true, 0);
    instant("2026-03-29T01:15:00+01:00", true, 1774743300);
    instant("2026-03-29T00:15Z", true, 1774743300);
    instant("2024-02-29T23:59:59Z", true, 1709251199);
    instant("2023-02-29T00:00:00Z", false, 0);
    instant("2023-02-28T24:00:00Z", false, 0);
    instant("2023-02-28T00:60:00Z", false, 0);
    instant("2023-02-28T00:00:00", false, 0);
    instant("2023-02-28 00:00:00Z", false, 0);
    instant("2023-02-28T00:00:00.5Z", false, 0);
    instant("2023-02-28T00:00:00.000Z", true, 1677542400);
    instant("1969-12-31T23:59:59Z", false, 0);
    instant("2023-02-28T00:00:00+01:0", false, 0);
    char to[POF_INSTANT_MAX];
    is_text(to, pof_instant_format(1709251199, to), "2024-02-29T23:59:59Z", "written in UTC");
    is_text(to, pof_instant_ms_format(1709251199007, to), "2024-02-29T23:59:59.007Z", "with ms");
    bool all = true;
    for (int64_t d = 0; d < 60000; d++) {
        all = all && pof_date_days(pof_date_of_days(d)) == d;
    }
    ok(all, "60,000 days are their own dates");
}

static void market_day(enum pof_zone zone, const char *date, int quarters)
{
    struct pof_date d;
    int64_t start;
    int64_t end;
    ok(pof_date_parse(pof_text(date), &d), "date %s", date);
    pof_market_day(zone, d, &start, &end);
    ok(end - start == quarters * 900, "%s in %s has %d quarter-hours", date, pof_zone_name(zone),
       quarters);
    struct pof_date first = pof_local_date(zone, start);
    struct pof_date last = pof_local_date(zone, end - 1);
    ok(first.day == d.day && last.day == d.day, "and is its own local date");
}

static void test_days(void)
{
    market_day(POF_ZONE_CET, "2026-03-28", 96);
    market_day(POF_ZONE_CET, "2026-03-29", 92);
    market_day(POF_ZONE_CET, "2026-10-25", 100);
    market_day(POF_ZONE_EET, "2026-03-29", 92);
    market_day(POF_ZONE_WET, "2026-10-25", 100);
    market_day(POF_ZONE_UTC, "2026-10-25", 96);
    struct pof_date oct = {2026, 10, 25};
    struct pof_date mar = {2026, 3, 29};
    is_int(pof_local_instant(POF_ZONE_CET, oct, 2 * 3600 + 1800), 1792888200,
           "02:30 occurs twice: the first, 00:30 UTC");
    is_int(pof_local_instant(POF_ZONE_CET, oct, 4 * 3600), 1792897200, "04:00 is 03:00 UTC");
    is_int(pof_local_instant(POF_ZONE_CET, mar, 4 * 3600), 1774749600, "04:00 is 02:00 UTC in summer");
    enum pof_zone z;
    ok(pof_zone_parse(pof_text("Europe/Rome"), &z) && z == POF_ZONE_CET, "Rome keeps CET");
    ok(!pof_zone_parse(pof_text("Mars/Olympus"), &z), "Mars does not");
}

int main(void)
{
    test_decimal();
    test_real();
    test_money();
    test_instants();
    test_days();
    return done();
}
