/* SPDX-License-Identifier: Apache-2.0 */
/* The shared customer database: registers points of delivery, keeps their series, answers for them. */
#include "pof-scd/parts.h"

#include "num/time.h"

#include <inttypes.h>
#include <stddef.h>
#include <string.h>

static const char *const unknowns[] = {"refuse", "keep", NULL};
static const char *const revisions[] = {"current", "all", NULL};
const char *const scd_whats[] = {"measurements", "baselines", "setpoints", "pods", NULL};

#define AT(member) offsetof(struct args, member)
static const struct pof_option options[] = {
    {"replace", 0, POF_OPT_FLAG, AT(replace), NULL, "register: node, aggregator, kind and owner may change", 0, 0, NULL},
    {"unknown", 0, POF_OPT_WORD, AT(unknown), "RULE", "load: refuse or keep series of pods that are not registered (refuse)", 0, 0, unknowns},
    {"batch", 0, POF_OPT_INT, AT(batch), "N", "load: records for one transaction, 96 bytes of memory each (1000000)", 1, 100000000, NULL},
    {"what", 0, POF_OPT_WORD, AT(what), "WHAT", "query: measurements, baselines, setpoints or pods (measurements)", 0, 0, scd_whats},
    {"pod", 'p', POF_OPT_LIST, AT(pods), "POD", "query, stat: only this pod; may be repeated", 0, 0, NULL},
    {"area", 'a', POF_OPT_LIST, AT(areas), "NODE", "query, stat: only pods at this node; may be repeated", 0, 0, NULL},
    {"aggregator", 'A', POF_OPT_LIST, AT(aggregators), "NAME", "query, stat: only pods of this aggregator; may be repeated", 0, 0, NULL},
    {"from", 0, POF_OPT_INSTANT, AT(from), "TIME", "query, stat: quarter-hours that begin at or after (all)", 0, 0, NULL},
    {"until", 0, POF_OPT_INSTANT, AT(until), "TIME", "query, stat: and before (all)", 0, 0, NULL},
    {"revision", 0, POF_OPT_WORD, AT(revision), "WHICH", "query: the current value or all versions, oldest first (current)", 0, 0, revisions},
    {"known-at", 0, POF_OPT_INSTANT, AT(known_at), "TIME", "query: as it was known then (now)", 0, 0, NULL},
    {"before", 0, POF_OPT_INSTANT, AT(before), "TIME", "forget: days that were over at this instant", 0, 0, NULL},
    {"gaps", 0, POF_OPT_FLAG, AT(gaps), NULL, "stat: every gap on a line of its own", 0, 0, NULL},
    {0}};
#undef AT

/* Was something wrong with the data only, so that what is sound may be kept? */
static bool is_about_data(int rc)
{
    int status = rc < 0 ? pof_errinfo((enum pof_code)rc)->exit_status : 0;
    return status == 0 || status == 1 || status == 65 || status == 66;
}

/* --- register --- */

static int on_pod(void *ctx, const struct pof_record *record, struct pof_err *err)
{
    const struct run *r = ctx;
    return pof_register(r->store, &record->u.pod, err);
}

static int run_register(struct run *r, struct pof_err *err)
{
    const struct pof_want wants[] = {{POF_pod, on_pod}};
    struct pof_registered n;
    int rc = pof_register_begin(r->store, r->args->replace, err);
    if (rc) {
        return rc;
    }
    int read = pof_cli_read_files(r->cli, r->files, r->n_files, wants, 1, r, err);
    struct pof_err later = {0};
    rc = pof_register_end(r->store, read == 0, &n, read ? &later : err);
    if (read || rc) {
        pof_cli_note(r->cli, "nothing was registered; %" PRIu64 " pods were refused", n.refused);
        return read ? read : rc;
    }
    pof_cli_note(r->cli, "%" PRIu64 " pods new, %" PRIu64 " updated, %" PRIu64 " unchanged", n.added,
                 n.updated, n.unchanged);
    return 0;
}

/* --- load --- */

static int on_series(void *ctx, const struct pof_record *record, struct pof_err *err)
{
    const struct run *r = ctx;
    pof_cli_progress(r->cli, "loading", pof_load_counts(r->load)->records, 0);
    return pof_load_put(r->load, record, err);
}

static void tell_load(struct pof_cli *cli, const struct pof_loaded *n)
{
    pof_cli_note(cli,
                 "%" PRIu64 " records: %" PRIu64 " new, %" PRIu64 " unchanged, %" PRIu64
                 " revised, %" PRIu64 " older than known, %" PRIu64 " contradicting",
                 n->records, n->added, n->unchanged, n->revised, n->stale, n->contradicts);
    if (n->contradicts) {
        char start[POF_INSTANT_MAX];
        size_t len = pof_instant_format(n->first_start, start);
        pof_cli_warn(cli,
                     "this load says two things about a quarter-hour %" PRIu64
                     " times, first of pod '%s' at %.*s; all are kept, pof-ingest --dup decides",
                     n->contradicts, n->first_pod, (int)len, start);
    }
}

static int run_load(struct run *r, struct pof_err *err)
{
    const struct pof_want wants[] = {
        {POF_measurement, on_series}, {POF_baseline, on_series}, {POF_setpoint, on_series}};
    struct pof_load_options how = {.known = pof_cli_now(r->cli),
                                   .keep_unknown = r->args->unknown == 1,
                                   .batch = (size_t)r->args->batch};
    int rc = pof_load_new(&r->load, r->store, &how, err);
    if (rc) {
        return rc;
    }
    int read = pof_cli_read_files(r->cli, r->files, r->n_files, wants, 3, r, err);
    struct pof_err later = {0};
    rc = is_about_data(read) ? pof_load_flush(r->load, read ? &later : err) : 0;
    if (rc && read) {
        pof_cli_report(r->cli, &later); /* worse than the lines reported so far */
    }
    if (is_about_data(read) && rc == 0) {
        tell_load(r->cli, pof_load_counts(r->load));
    }
    pof_load_free(r->load);
    return read ? read : rc;
}

/* --- query --- */

struct pof_query scd_question(const struct args *a)
{
    return (struct pof_query){.series = (enum pof_series)a->what,
                              .pods = a->pods.item,
                              .n_pods = a->pods.n,
                              .nodes = a->areas.item,
                              .n_nodes = a->areas.n,
                              .aggregators = a->aggregators.item,
                              .n_aggregators = a->aggregators.n,
                              .from = a->from,
                              .until = a->until,
                              .known_at = a->known_at,
                              .versions = a->revision ? POF_WANT_ALL : POF_WANT_CURRENT};
}

static int write_record(void *ctx, const struct pof_record *record, struct pof_err *err)
{
    const struct run *r = ctx;
    return pof_writer_put(pof_cli_out(r->cli), record->type, &record->u, err);
}

static int run_query(struct run *r, struct pof_err *err)
{
    struct pof_query q = scd_question(r->args);
    return r->args->what == WHAT_PODS ? pof_store_pods(r->store, &q, write_record, r, err)
                                      : pof_store_query(r->store, &q, write_record, r, err);
}

/* --- the program --- */

static const struct command {
    const char *name;
    int (*run)(struct run *r, struct pof_err *err);
    enum pof_db_mode mode;
    bool reads; /* records, from operands */
} commands[] = {{"register", run_register, POF_DB_CREATE, true},
                {"load", run_load, POF_DB_WRITE, true},
                {"query", run_query, POF_DB_READ, false},
                {"export", scd_export, POF_DB_READ, false},
                {"stat", scd_stat, POF_DB_READ, false},
                {"forget", scd_forget, POF_DB_WRITE, false}};

static const struct command *find_command(const char *name)
{
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++) {
        if (strcmp(commands[i].name, name) == 0) {
            return &commands[i];
        }
    }
    return NULL;
}

/* An option that this command would not look at is a mistake, not a wish to be ignored. */
static int check_options(const struct command *c, const struct args *a, struct pof_err *err)
{
    bool asks = !c->reads && c->run != scd_forget;
    bool query = c->run == run_query;
    bool export = c->run == scd_export;
    const struct {
        const char *name;
        bool given, fits;
    } rules[] = {{"replace", a->replace, c->run == run_register},
                 {"unknown", a->unknown != 0, c->run == run_load},
                 {"what", a->what != 0, query},
                 {"revision", a->revision != 0, query && a->what != WHAT_PODS},
                 {"known-at", a->known_at != INT64_MAX, export || (query && a->what != WHAT_PODS)},
                 {"from", a->from != INT64_MIN, asks && a->what != WHAT_PODS},
                 {"until", a->until != INT64_MAX, asks && a->what != WHAT_PODS},
                 {"pod", a->pods.n > 0, asks},
                 {"area", a->areas.n > 0, asks},
                 {"aggregator", a->aggregators.n > 0, asks},
                 {"before", a->before != INT64_MIN, c->run == scd_forget},
                 {"gaps", a->gaps, c->run == scd_stat}};
    for (size_t i = 0; i < sizeof rules / sizeof rules[0]; i++) {
        if (rules[i].given && !rules[i].fits) {
            return pof_fail(err, POF_E_USAGE, "--%s has no meaning here; see pof-scd --help",
                            rules[i].name);
        }
    }
    return 0;
}

static int run(struct pof_cli *cli, void *args, struct pof_err *err)
{
    struct run r = {.cli = cli, .args = args};
    const char *const *operands;
    size_t n = pof_cli_operands(cli, &operands);
    const struct command *c = n >= 2 ? find_command(operands[1]) : NULL;
    if (!c) {
        return pof_fail(err, POF_E_USAGE,
                        "a database and one of register, load, query, export, stat, forget are expected");
    }
    if (c->run == scd_export && n != 3) {
        return pof_fail(err, POF_E_USAGE, "export needs the name of one new directory");
    }
    if (!c->reads && c->run != scd_export && n > 2) {
        return pof_fail(err, POF_E_USAGE, "%s takes no operand '%.80s'", c->name, operands[2]);
    }
    r.files = operands + 2;
    r.n_files = n - 2;
    int rc = check_options(c, args, err);
    rc = rc ? rc : pof_store_open(&r.store, operands[0], c->mode, err);
    rc = rc ? rc : c->run(&r, err);
    pof_store_close(r.store);
    return rc;
}

static const struct pof_program program = {
    .name = "pof-scd",
    .purpose = "shared customer database: points of delivery and their series",
    .operands = "DATABASE register|load|query|export|stat|forget [FILE ...|DIR]",
    .examples = "pof-scd scd.db register pods.jsonl\n"
                "pof-scd scd.db load meters.jsonl\n"
                "pof-scd scd.db query --pod P1 --from 2026-03-10T00:00Z\n"
                "pof-scd scd.db stat --gaps\n"
                "pof-scd postgresql:///market query --what pods",
    .options = options,
};

int main(int argc, char **argv)
{
    struct args args = {
        .batch = 1000000, .from = INT64_MIN, .until = INT64_MAX, .known_at = INT64_MAX, .before = INT64_MIN};
    return pof_main(&program, argc, argv, &args, run);
}
