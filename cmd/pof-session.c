/* SPDX-License-Identifier: Apache-2.0 */
/* pof-session: the sessions of a market day, and where in them an instant lies. */
#include "cli/cli.h"
#include "market/session.h"
#include "market/timer.h"

#include <stddef.h>
#include <stdio.h>

struct args {
    const char *table, *day, *zone, *open, *systemd;
    struct pof_timer timer;
    bool current, cron;
};

#define AT(member) offsetof(struct args, member)
static const struct pof_option options[] = {
    {"day", 'd', POF_OPT_TEXT, AT(day), "DATE", "the sessions of this local market day", 0, 0, NULL},
    {"zone", 'z', POF_OPT_TEXT, AT(zone), "ZONE", "UTC, WET, CET, EET or a city such as Europe/Rome (CET)", 0, 0, NULL},
    {"table", 't', POF_OPT_FILE, AT(table), "FILE", "time table (one day-ahead, six real-time sessions)", 0, 0, NULL},
    {"current", 'c', POF_OPT_FLAG, AT(current), NULL, "the sessions under way at --now", 0, 0, NULL},
    {"open", 0, POF_OPT_TEXT, AT(open), "ID", "does this session take orders at --now? status 0 or 1", 0, 0, NULL},
    {"cron", 0, POF_OPT_FLAG, AT(cron), NULL, "crontab lines that run each session at its gate", 0, 0, NULL},
    {"systemd", 0, POF_OPT_TEXT, AT(systemd), "DIR", "timers and services that do the same, written there", 0, 0, NULL},
    {"run", 0, POF_OPT_TEXT, AT(timer.command), "COMMAND", "what cron and systemd run (pipelines/session)", 0, 0, NULL},
    {"dir", 0, POF_OPT_TEXT, AT(timer.dir), "DIR", "where they run it (/srv/pof)", 0, 0, NULL},
    {0}};

static const struct pof_program program = {
    .name = "pof-session",
    .purpose = "the sessions of a market day, and where in them an instant lies",
    .operands = "",
    .examples = "pof-session --day 2026-03-10 --zone CET\n"
                "pof-session --open 2026-03-10-DA --now 2026-03-09T14:00:00Z",
    .options = options};

/* What a run holds. */
struct work {
    struct pof_slots slots;
    enum pof_zone zone;
    struct pof_writer *out;
    uint64_t found;
};

static int read_table(struct pof_cli *cli, const char *path, struct pof_slots *slots,
                      struct pof_err *err)
{
    struct pof_source src;
    if (!path) {
        return pof_slots_default(slots, err);
    }
    int rc = pof_cli_source(cli, path, &src, err);
    return rc ? rc : pof_slots_read(slots, &src, err);
}

static int put_session(void *ctx, const struct pof_session *session, struct pof_err *err)
{
    struct work *w = ctx;
    w->found++;
    return pof_writer_put(w->out, POF_session, session, err);
}

static int sessions_of(struct work *w, const char *text, struct pof_err *err)
{
    struct pof_date day;
    int rc = 0;
    if (!pof_date_parse(pof_text(text), &day)) {
        return pof_fail(err, POF_E_USAGE, "--day '%.80s' is not a date such as 2026-03-10", text);
    }
    for (size_t i = 0; i < w->slots.n && rc == 0; i++) {
        struct pof_session session;
        struct pof_session_text names;
        pof_session_make(&w->slots.slot[i], w->zone, day, &session, &names);
        rc = put_session(w, &session, err);
    }
    return rc;
}

static int write_text(struct pof_cli *cli, const char *path, const struct pof_buf *text,
                      struct pof_err *err)
{
    struct pof_sink sink;
    int rc = pof_cli_sink(cli, path, &sink, err);
    return rc ? rc : sink.write(sink.ctx, text->data, text->len, err);
}

/* A sentence on standard output; 0 when the gate is open, 1 when it is not. */
static int say_gate(struct pof_cli *cli, struct work *w, const char *id, struct pof_err *err)
{
    static const char *const sentence[] = {"is not open yet: it takes orders from",
                                           "is open: it takes orders until",
                                           "is closed: its gate closed at"};
    const struct pof_slot *slot;
    struct pof_date day;
    struct pof_session session;
    struct pof_session_text names;
    struct pof_buf line = {0};
    char when[POF_INSTANT_MAX];
    int rc = pof_session_find(&w->slots, pof_text(id), &slot, &day, err);
    if (rc) {
        return rc;
    }
    pof_session_make(slot, w->zone, day, &session, &names);
    enum pof_gate gate = pof_session_gate(&session, pof_cli_now(cli));
    size_t n = pof_instant_format(gate == POF_GATE_EARLY ? session.opens : session.gate, when);
    rc = pof_buf_addf(&line, err, "%s %s %.*s\n", id, sentence[gate], (int)n, when);
    rc = rc ? rc : write_text(cli, NULL, &line, err);
    pof_buf_release(&line);
    return rc ? rc : gate != POF_GATE_OPEN;
}

static int write_cron(struct pof_cli *cli, struct work *w, const struct pof_timer *timer,
                      struct pof_err *err)
{
    struct pof_buf text = {0};
    int rc = pof_timer_check(timer, err);
    rc = rc ? rc : pof_timer_cron(&w->slots, timer, &text, err);
    rc = rc ? rc : write_text(cli, NULL, &text, err);
    pof_buf_release(&text);
    return rc;
}

typedef int unit_text(const struct pof_slot *, const struct pof_timer *, struct pof_buf *,
                      struct pof_err *);

static int write_unit(struct pof_cli *cli, const struct args *a, const struct pof_slot *slot,
                      unit_text *unit, struct pof_err *err)
{
    struct pof_buf text = {0};
    char path[4096];
    int n = snprintf(path, sizeof path, "%s/pof-session-%.*s.%s", a->systemd, (int)slot->name.len,
                     slot->name.ptr, unit == pof_timer_service ? "service" : "timer");
    int rc = (size_t)n < sizeof path ? unit(slot, &a->timer, &text, err)
                                     : pof_fail(err, POF_E_USAGE, "--systemd: too long a path");
    rc = rc ? rc : write_text(cli, path, &text, err);
    pof_buf_release(&text);
    return rc;
}

static int write_units(struct pof_cli *cli, struct work *w, const struct args *a,
                       struct pof_err *err)
{
    int rc = pof_timer_check(&a->timer, err);
    for (size_t i = 0; i < w->slots.n && rc == 0; i++) {
        rc = write_unit(cli, a, &w->slots.slot[i], pof_timer_systemd, err);
        rc = rc ? rc : write_unit(cli, a, &w->slots.slot[i], pof_timer_service, err);
    }
    return rc;
}

static int current(struct pof_cli *cli, struct work *w, struct pof_err *err)
{
    int rc = pof_session_current(&w->slots, w->zone, pof_cli_now(cli), put_session, w, err);
    if (rc == 0 && w->found == 0) {
        pof_cli_note(cli, "no session is under way");
    }
    return rc ? rc : w->found == 0;
}

static int run(struct pof_cli *cli, void *args, struct pof_err *err)
{
    struct args *a = args;
    struct work w = {.out = pof_cli_out(cli)};
    if (!pof_zone_parse(pof_text(a->zone), &w.zone)) {
        return pof_fail(err, POF_E_USAGE, "--zone '%.80s' is not a European zone", a->zone);
    }
    if ((a->day != NULL) + a->current + (a->open != NULL) + a->cron + (a->systemd != NULL) != 1) {
        return pof_fail(err, POF_E_USAGE,
                        "one of --day, --current, --open, --cron and --systemd is needed");
    }
    a->timer.zone = pof_timer_zone(a->zone, w.zone);
    int rc = read_table(cli, a->table, &w.slots, err);
    if (rc == 0) {
        rc = a->day       ? sessions_of(&w, a->day, err)
             : a->current ? current(cli, &w, err)
             : a->open    ? say_gate(cli, &w, a->open, err)
             : a->cron    ? write_cron(cli, &w, &a->timer, err)
                          : write_units(cli, &w, a, err);
    }
    pof_slots_release(&w.slots);
    return rc;
}

int main(int argc, char **argv)
{
    struct args args = {.zone = "CET", .timer = {.dir = "/srv/pof", .command = "pipelines/session"}};
    return pof_main(&program, argc, argv, &args, run);
}
