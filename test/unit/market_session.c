/* SPDX-License-Identifier: Apache-2.0 */
#include "market/session.h"
#include "market/timer.h"

#include "tap.h"

static int64_t at(const char *text)
{
    int64_t s = 0;
    if (!pof_instant_parse(pof_text(text), &s)) {
        printf("Bail out! %s\n", text);
        exit(1);
    }
    return s;
}

#define HEAD "name,kind,opens,gate,clear_by,validate_by,final_by,start,end\n"
#define DA "DA,day_ahead,D-1 13:30,D-1 16:00,D-1 17:00,D-1 17:30,D-1 18:00,D 00:00,D+1 00:00\n"

/* What a table is refused with; 0 when it is not. */
static int refused(const char *text, struct pof_err *err)
{
    struct pof_memory m = {text, strlen(text)};
    struct pof_source src = pof_source_memory(&m, "t.csv");
    struct pof_slots slots;
    *err = (struct pof_err){0};
    int rc = pof_slots_read(&slots, &src, err);
    ok(rc == 0 || (slots.n == 0 && slots.slot == NULL), "a refused table is empty");
    pof_slots_release(&slots);
    return rc;
}

static void expect(const char *text, enum pof_code code, uint64_t line, const char *field)
{
    struct pof_err err;
    int rc = refused(text, &err);
    ok(rc == code && err.line == line && strcmp(err.field, field) == 0 &&
           (rc == 0 || strcmp(err.source, "t.csv") == 0),
       "%d %s:%d:%s: %s", rc, err.source, (int)err.line, err.field, err.text);
}

static void tables(void)
{
    expect(HEAD DA, POF_OK, 0, "");
    expect(HEAD, POF_E_CONFIG, 0, "");
    expect(HEAD DA DA, POF_E_CONFIG, 3, "name");
    expect(HEAD "D A,day_ahead,D-1 13:30,D-1 16:00,D-1 17:00,D-1 17:30,D-1 18:00,D 00:00,D+1 00:00\n",
           POF_E_CONFIG, 2, "name");
    expect(HEAD "DA,day_ahead,D-1 13:30,D-1 16:00,D-1 15:00,D-1 17:30,D-1 18:00,D 00:00,D+1 00:00\n",
           POF_E_CONFIG, 2, "clear_by");
    expect(HEAD "DA,day_ahead,D-1 16:00,D-1 16:00,D-1 17:00,D-1 17:30,D-1 18:00,D 00:00,D+1 00:00\n",
           POF_E_CONFIG, 2, "gate");
    expect(HEAD "DA,day_ahead,D-1 13:30,D-1 16:00,D-1 17:00,D-1 17:30,D 01:00,D 00:00,D+1 00:00\n",
           POF_E_CONFIG, 2, "start");
    expect(HEAD "DA,day_ahead,D-1 13:30,D-1 16:00,D-1 17:00,D-1 17:30,D-1 18:00,D 00:00,D 23:50\n",
           POF_E_CONFIG, 2, "end");
    expect(HEAD "DA,day_ahead,D-1 13:30,D-1 16:00,D-1 17:00,D-1 17:30,D-1 18:00,D 00:00,D 23:45\n",
           POF_E_CONFIG, 2, "end");
    expect(HEAD "DA,day_ahead,D-1 13:30,D-1 24:00,D-1 17:00,D-1 17:30,D-1 18:00,D 00:00,D+1 00:00\n",
           POF_E_TIME, 2, "gate");
    expect(HEAD "DA,day_ahead,D-1 13:30,yesterday,D-1 17:00,D-1 17:30,D-1 18:00,D 00:00,D+1 00:00\n",
           POF_E_TIME, 2, "gate");
    expect(HEAD "DA,hourly,D-1 13:30,D-1 16:00,D-1 17:00,D-1 17:30,D-1 18:00,D 00:00,D+1 00:00\n",
           POF_E_ENUM, 2, "kind");
    expect(HEAD DA "RT1,real_time,D-1 19:00,D-1 23:00,D-1 23:30,D-1 23:45,D 00:00,D 00:00,D 12:00\n"
                   "RT2,real_time,D-1 23:00,D 03:00,D 03:30,D 03:45,D 04:00,D 11:00,D+1 00:00\n",
           POF_E_CONFIG, 4, "start");
    expect(HEAD DA "RT2,real_time,D-1 23:00,D 03:00,D 03:30,D 03:45,D 04:00,D 13:00,D+1 00:00\n"
                   "RT1,real_time,D-1 19:00,D-1 23:00,D-1 23:30,D-1 23:45,D 00:00,D 00:00,D 12:00\n",
           POF_E_CONFIG, 3, "start");
    expect(HEAD DA "RT1,real_time,D-1 19:00,D-1 23:00,D-1 23:30,D-1 23:45,D 00:00,D 00:00,D 12:00\n",
           POF_E_CONFIG, 3, "end");
}

/* Lengths of the windows of a day in quarter-hours, as the sum, and of RT1. */
static void day(const struct pof_slots *slots, struct pof_date date, int64_t whole, int64_t first)
{
    int64_t sum = 0;
    int64_t rt1 = 0;
    int64_t da = 0;
    int64_t until = 0;
    bool joint = true;
    for (size_t i = 0; i < slots->n; i++) {
        struct pof_session s;
        struct pof_session_text text;
        pof_session_make(&slots->slot[i], POF_ZONE_CET, date, &s, &text);
        int64_t n = (s.end - s.start) / 900;
        da += s.kind == 0 ? n : 0;
        sum += s.kind == 1 ? n : 0;
        rt1 = pof_text_is(slots->slot[i].name, "RT1") ? n : rt1;
        ok(s.opens < s.gate && s.gate <= s.clear_by && s.clear_by <= s.validate_by &&
               s.validate_by <= s.final_by && s.final_by <= s.start && s.start < s.end,
           "%.*s is in order", (int)s.id.len, s.id.ptr);
        ok(pof_record_check(POF_session, &s, NULL) == 0, "and a sound record");
        joint = joint && (i <= 1 || s.start == until);
        until = s.end;
    }
    is_int(da, whole, "day-ahead window");
    is_int(sum, whole, "real-time windows");
    is_int(rt1, first, "first real-time window");
    ok(joint, "real-time windows follow each other");
}

struct seen {
    int n;
    char ids[4][33];
};

static int see(void *ctx, const struct pof_session *s, struct pof_err *err)
{
    struct seen *seen = ctx;
    if (seen->n == 4) {
        return pof_fail(err, POF_E_INTERNAL, "too many");
    }
    snprintf(seen->ids[seen->n++], 33, "%.*s", (int)s->id.len, s->id.ptr);
    return 0;
}

static void instants(const struct pof_slots *slots)
{
    struct pof_err err = {0};
    const struct pof_slot *slot;
    struct pof_date date;
    struct pof_session s;
    struct pof_session_text text;
    is_int(pof_session_find(slots, pof_text("2026-03-10-RT3"), &slot, &date, &err), 0, "found");
    pof_session_make(slot, POF_ZONE_CET, date, &s, &text);
    is_text(s.id.ptr, s.id.len, "2026-03-10-RT3", "and made again");
    is_int(pof_session_gate(&s, s.opens - 1), POF_GATE_EARLY, "a second before it opens");
    is_int(pof_session_gate(&s, s.opens), POF_GATE_OPEN, "when it opens");
    is_int(pof_session_gate(&s, s.gate - 1), POF_GATE_OPEN, "a second before the gate");
    is_int(pof_session_gate(&s, s.gate), POF_GATE_CLOSED, "at the gate");
    is_int(pof_session_find(slots, pof_text("2026-03-10-RT7"), &slot, &date, &err), POF_E_REFERENCE,
           "no seventh");
    is_int(pof_session_find(slots, pof_text("2026-02-30-RT1"), &slot, &date, &err), POF_E_REFERENCE,
           "no such day");
    is_int(pof_session_find(slots, pof_text("RT1"), &slot, &date, &err), POF_E_REFERENCE, "no id");
    struct seen seen = {0};
    is_int(pof_session_current(slots, POF_ZONE_CET, at("2026-03-10T13:00:00Z"), see, &seen, &err), 0,
           "sessions at 14:00 local");
    ok(seen.n == 2 && strcmp(seen.ids[0], "2026-03-10-RT5") == 0 &&
           strcmp(seen.ids[1], "2026-03-11-DA") == 0,
       "are RT5 of the day and DA of the next: %d %s %s", seen.n, seen.ids[0], seen.ids[1]);
}

static int cmp(const char *a, const char *b)
{
    return pof_session_id_cmp(pof_text(a), pof_text(b));
}

static void order(void)
{
    static const char *const sorted[] = {"2026-03-09-RT6", "2026-03-10-DA",  "2026-03-10-RT1",
                                         "2026-03-10-RT02", "2026-03-10-RT2", "2026-03-10-RT2a",
                                         "2026-03-10-RT10"};
    bool total = true;
    for (int i = 0; i < 7; i++) {
        for (int j = 0; j < 7; j++) {
            int c = cmp(sorted[i], sorted[j]);
            total = total && (i < j ? c < 0 : i > j ? c > 0 : c == 0);
        }
    }
    ok(total, "ids in order, numbers by their value");
}

static void timers(const struct pof_slots *slots)
{
    struct pof_err err = {0};
    struct pof_buf b = {0};
    struct pof_timer t = {.zone = pof_timer_zone("CET", POF_ZONE_CET), .dir = "/srv/pof", .command = "run"};
    ok(pof_timer_check(&t, &err) == 0 && pof_timer_cron(slots, &t, &b, &err) == 0, "cron lines");
    ok(pof_buf_add(&b, "", 1, &err) == 0 &&
           strstr(b.data, "\n0 16 * * * cd '/srv/pof' && run \"$(date -d '+1 day' +\\%F)-DA\"\n") &&
           strstr(b.data, "\n0 3 * * * cd '/srv/pof' && run \"$(date -d '+0 day' +\\%F)-RT2\"\n"),
       "at the gates, for the day they are for");
    pof_buf_release(&b);
    t.dir = "/srv/it's";
    is_int(pof_timer_check(&t, &err), POF_E_USAGE, "no quotes in a directory");
    t.dir = "srv";
    is_int(pof_timer_check(&t, &err), POF_E_USAGE, "no relative one");
    t.dir = "/srv";
    t.command = "a;b";
    is_int(pof_timer_check(&t, &err), POF_E_USAGE, "no second command");
    ok(strcmp(pof_timer_zone("Europe/Madrid", POF_ZONE_CET), "Europe/Madrid") == 0, "a city is kept");
}

int main(void)
{
    struct pof_err err = {0};
    struct pof_slots slots;
    tables();
    if (!ok(pof_slots_default(&slots, &err) == 0, "the default table is sound")) {
        return done();
    }
    is_int((int64_t)slots.n, 7, "with seven sessions");
    day(&slots, (struct pof_date){2026, 3, 10}, 96, 16);
    day(&slots, (struct pof_date){2026, 3, 29}, 92, 12);
    day(&slots, (struct pof_date){2026, 10, 25}, 100, 20);
    instants(&slots);
    timers(&slots);
    pof_slots_release(&slots);
    order();
    return done();
}
