/* SPDX-License-Identifier: Apache-2.0 */
/* The store on a disk: registration, loads in any order, answers, statistics, damage. */
#include "num/rng.h"
#include "record/writer.h"
#include "store/store.h"

#include "../tap.h"

#include <unistd.h>

enum { DAY0 = 1773100800 }; /* 2026-03-10T00:00:00Z */

static char dir[] = "/tmp/pof-store-XXXXXX";
static char path[64];

/* A fresh store of its own for each test. */
static struct pof_store *fresh(const char *name)
{
    struct pof_store *s = NULL;
    struct pof_err err = {0};
    snprintf(path, sizeof path, "%s/%s", dir, name);
    if (pof_store_open(&s, path, POF_DB_CREATE, &err)) {
        ok(false, "a store is made: %s", err.text);
        exit(done());
    }
    return s;
}

static struct pof_pod pod(const char *name, const char *node, int64_t up)
{
    return (struct pof_pod){.pod = pof_text(name),
                            .node = pof_text(node),
                            .aggregator = pof_text("agg"),
                            .kind = 3,
                            .p_up_max_w = up,
                            .p_down_max_w = 5};
}

/* Registers n pods and returns the worst code; nothing is kept when one is refused. */
static int enrol(struct pof_store *s, const struct pof_pod *p, size_t n, bool replace,
                 struct pof_registered *counts)
{
    struct pof_err err = {0};
    int worst = pof_register_begin(s, replace, &err);
    for (size_t i = 0; i < n; i++) {
        int rc = pof_register(s, &p[i], &err);
        worst = worst ? worst : rc;
    }
    int rc = pof_register_end(s, true, counts, &err);
    return worst ? worst : rc;
}

static int collect(void *ctx, const struct pof_record *r, struct pof_err *err)
{
    struct pof_buf *b = ctx;
    int rc = pof_record_format(b, r->type, &r->u, err);
    return rc ? rc : pof_buf_adds(b, "\n", err);
}

static const struct pof_query everything = {
    .from = INT64_MIN, .until = INT64_MAX, .known_at = INT64_MAX};

static int64_t lines(const struct pof_buf *b)
{
    int64_t n = 0;
    for (size_t i = 0; i < b->len; i++) {
        n += b->data[i] == '\n';
    }
    return n;
}

static void test_register(void)
{
    struct pof_store *s = fresh("register");
    struct pof_registered n;
    struct pof_pod two[] = {pod("B", "N1", 10), pod("A", "N2", 10)};
    is_int(enrol(s, two, 2, false, &n), 0, "two pods are registered");
    is_int((int64_t)n.added, 2, "as new");
    is_int(enrol(s, two, 2, false, &n), 0, "and again");
    is_int((int64_t)n.unchanged, 2, "which changes nothing");
    two[0].p_up_max_w = 11;
    is_int(enrol(s, two, 2, false, &n), 0, "with another limit");
    ok(n.updated == 1 && n.unchanged == 1, "one is updated");
    struct pof_pod moved[] = {pod("C", "N1", 1), pod("B", "N9", 11), pod("A", "N8", 10)};
    is_int(enrol(s, moved, 3, false, &n), POF_E_ANSWER_NO, "a pod does not move by itself");
    is_int((int64_t)n.refused, 2, "both are told");
    struct pof_query q = everything;
    struct pof_buf b = {0};
    struct pof_err err = {0};
    is_int(pof_store_pods(s, &q, collect, &b, &err), 0, "the pods are read");
    ok(lines(&b) == 2 && b.len > 40 && memcmp(strstr(b.data, "\"pod\""), "\"pod\":\"A\"", 9) == 0,
       "nothing of a refused registration is kept, order is by name");
    is_int(enrol(s, moved, 3, true, &n), 0, "with replace they move");
    ok(n.updated == 2 && n.added == 1, "two updated, one new");
    struct pof_pod twice[] = {pod("D", "N1", 1), pod("D", "N1", 2)};
    is_int(enrol(s, twice, 2, true, &n), POF_E_CONFLICT, "one input must not say two things");
    twice[1] = twice[0];
    is_int(enrol(s, twice, 2, false, &n), 0, "but may say one thing twice");
    pof_buf_release(&b);
    pof_store_close(s);
}

static struct pof_record measured(const char *p, int64_t slot, int64_t w)
{
    return (struct pof_record){
        .type = POF_measurement,
        .u.measurement = {
            .pod = pof_text(p), .start = DAY0 + slot * 900, .duration_s = 900, .p_w = w}};
}

/* Loads records as one load; returns the first error. */
static int load(struct pof_store *s, const struct pof_record *r, size_t n, int64_t known,
                size_t batch, struct pof_loaded *counts)
{
    struct pof_load_options how = {.known = known, .keep_unknown = true, .batch = batch};
    struct pof_load *l = NULL;
    struct pof_err err = {0};
    int rc = pof_load_new(&l, s, &how, &err);
    for (size_t i = 0; i < n && rc == 0; i++) {
        rc = pof_load_put(l, &r[i], &err);
    }
    rc = rc ? rc : pof_load_flush(l, &err);
    if (rc == 0) {
        *counts = *pof_load_counts(l);
    }
    pof_load_free(l);
    return rc;
}

static bool answer_is(struct pof_store *s, const struct pof_query *q, const char *want)
{
    struct pof_buf b = {0};
    struct pof_err err = {0};
    int rc = pof_store_query(s, q, collect, &b, &err);
    bool same = rc == 0 && b.len == strlen(want) && memcmp(b.data ? b.data : "", want, b.len) == 0;
    if (!same) {
        printf("# %d: got %.*s\n", rc, (int)b.len, b.data ? b.data : "");
    }
    pof_buf_release(&b);
    return same;
}

#define M(rest)                                                                                    \
    "{\"schema\":\"pof.measurement/1\",\"pod\":\"A\",\"start\":\"2026-03-10T00:" rest "}\n"

static void test_fields(void)
{
    struct pof_store *s = fresh("fields");
    struct pof_loaded n;
    struct pof_record r[3] = {measured("A", 2, -INT64_C(1000000000000)), measured("A", 0, 1),
                              measured("A", 1, INT64_C(1000000000000))};
    struct pof_measurement *m = &r[1].u.measurement;
    POF_SET(m, measurement, q_var);
    POF_SET(m, measurement, v_mv);
    POF_SET(m, measurement, quality);
    POF_SET(m, measurement, source);
    POF_SET(m, measurement, seq);
    m->q_var = -7;
    m->v_mv = 230123;
    m->quality = 2;
    m->source = pof_text("m\xc3\xb6");
    m->seq = INT64_C(9007199254740991);
    is_int(load(s, r, 3, 1, 100, &n), 0, "measurements with all and with few fields are loaded");
    struct pof_query q = everything;
    ok(answer_is(s, &q,
                 M("00:00Z\",\"duration_s\":900,\"p_w\":1,\"q_var\":-7,\"v_mv\":230123,"
                   "\"quality\":\"estimated\",\"source\":\"m\xc3\xb6\",\"seq\":9007199254740991")
                     M("15:00Z\",\"duration_s\":900,\"p_w\":1000000000000")
                         M("30:00Z\",\"duration_s\":900,\"p_w\":-1000000000000")),
       "and come back whole, in order of time");
    struct pof_record set = {.type = POF_setpoint,
                             .u.setpoint = {.pod = pof_text("A"),
                                            .start = DAY0,
                                            .duration_s = 900,
                                            .p_w = 5,
                                            .change_w = -3,
                                            .session = pof_text("S"),
                                            .aggregator = pof_text("agg")}};
    struct pof_record base = {
        .type = POF_baseline,
        .u.baseline = {.pod = pof_text("A"), .start = DAY0, .duration_s = 900, .p_w = 8}};
    ok(load(s, &set, 1, 1, 1, &n) == 0 && load(s, &base, 1, 1, 1, &n) == 0,
       "a set point and a baseline are loaded");
    q.series = POF_SERIES_SETPOINT;
    ok(answer_is(s, &q,
                 "{\"schema\":\"pof.setpoint/1\",\"pod\":\"A\",\"start\":\"2026-03-10T00:00:00Z\","
                 "\"duration_s\":900,\"p_w\":5,\"change_w\":-3,\"session\":\"S\","
                 "\"aggregator\":\"agg\"}\n"),
       "the set point comes back");
    q.series = POF_SERIES_BASELINE;
    ok(answer_is(s, &q,
                 "{\"schema\":\"pof.baseline/1\",\"pod\":\"A\",\"start\":\"2026-03-10T00:00:00Z\","
                 "\"duration_s\":900,\"p_w\":8}\n"),
       "the baseline comes back");
    pof_store_close(s);
}

static void test_refusals(void)
{
    struct pof_store *s = fresh("refusals");
    struct pof_load_options how = {.known = 1, .batch = 10};
    struct pof_load *l = NULL;
    struct pof_err err = {0};
    struct pof_registered n;
    struct pof_pod p = pod("A", "N", 1);
    struct pof_record r = measured("A", 0, 1);
    is_int(enrol(s, &p, 1, false, &n), 0, "one pod is registered");
    is_int(pof_load_new(&l, s, &how, &err), 0, "a load begins");
    r.u.measurement.duration_s = 3600;
    is_int(pof_load_put(l, &r, &err), POF_E_RANGE, "an hour is no quarter-hour");
    r = measured("A", 0, 1);
    r.u.measurement.start += 60;
    is_int(pof_load_put(l, &r, &err), POF_E_RANGE, "a minute past is no quarter-hour");
    r = measured("X", 0, 1);
    is_int(pof_load_put(l, &r, &err), POF_E_REFERENCE, "a pod that is not registered is refused");
    ok(strstr(err.text, "'X'") != NULL, "by its name: %s", err.text);
    r.type = POF_pod;
    is_int(pof_load_put(l, &r, &err), POF_E_SCHEMA, "a pod is no series");
    r = measured("A", 3, 1);
    is_int(pof_load_put(l, &r, &err), 0, "the load goes on");
    is_int(pof_load_flush(l, &err), 0, "and commits");
    is_int((int64_t)pof_load_counts(l)->added, 1, "what was sound");
    pof_load_free(l);
    pof_store_close(s);
}

static void test_revisions(void)
{
    struct pof_store *s = fresh("revisions");
    struct pof_loaded n;
    struct pof_record first[] = {measured("A", 0, 100), measured("A", 1, 200)};
    struct pof_record second[] = {measured("A", 0, 90), measured("A", 1, 200)};
    ok(load(s, first, 2, 10, 5, &n) == 0 && n.added == 2, "two values, known at 10");
    ok(load(s, first, 2, 15, 5, &n) == 0 && n.unchanged == 2, "again at 15: nothing changes");
    ok(load(s, second, 2, 20, 5, &n) == 0 && n.revised == 1 && n.unchanged == 1,
       "one is corrected at 20");
    struct pof_query q = everything;
    ok(answer_is(s, &q,
                 M("00:00Z\",\"duration_s\":900,\"p_w\":90")
                     M("15:00Z\",\"duration_s\":900,\"p_w\":200")),
       "the correction counts");
    q.known_at = 19;
    ok(answer_is(s, &q,
                 M("00:00Z\",\"duration_s\":900,\"p_w\":100")
                     M("15:00Z\",\"duration_s\":900,\"p_w\":200")),
       "as known at 19 it did not");
    q.known_at = 9;
    ok(answer_is(s, &q, ""), "as known at 9 there was nothing");
    q.known_at = INT64_MAX;
    q.versions = POF_WANT_ALL;
    ok(answer_is(s, &q,
                 M("00:00Z\",\"duration_s\":900,\"p_w\":100")
                     M("00:00Z\",\"duration_s\":900,\"p_w\":90")
                         M("15:00Z\",\"duration_s\":900,\"p_w\":200")),
       "all versions, oldest first");
    struct pof_record both[] = {measured("A", 2, 1), measured("A", 2, 2)};
    ok(load(s, both, 2, 30, 1, &n) == 0 && n.contradicts == 1 && strcmp(n.first_pod, "A") == 0 &&
           n.first_start == DAY0 + 1800,
       "a load that contradicts itself is told");
    struct pof_stat stat;
    struct pof_err err = {0};
    q = everything;
    is_int(pof_store_stat(s, &q, &stat, NULL, NULL, &err), 0, "statistics");
    ok(stat.records == 3 && stat.revisions == 2 && stat.pods == 1, "count values and revisions");
    pof_store_close(s);
}

/* The same lines in another order and in batches of another size: the same answer. */
static void test_order(void)
{
    enum { N = 600 };
    static struct pof_record r[N];
    static const char *names[] = {"A", "B", "C", "D"};
    struct pof_buf first = {0};
    struct pof_err err = {0};
    int differ = 0;
    for (uint64_t round = 0; round < 6; round++) {
        static const size_t batches[] = {1000, 1, 7, 64, 599, 600};
        char name[16];
        struct pof_loaded n;
        for (uint64_t i = 0; i < N; i++) { /* contradictions among them, numbered and not */
            uint64_t x = pof_random(1, i, 0);
            r[i] = measured(names[x % 4], (int64_t)(x / 4 % 200), (int64_t)(x / 800 % 3));
            if (x / 2400 % 2) {
                POF_SET(&r[i].u.measurement, measurement, source);
                POF_SET(&r[i].u.measurement, measurement, seq);
                r[i].u.measurement.source = pof_text(names[x / 4800 % 2]);
                r[i].u.measurement.seq = (int64_t)(x / 9600 % 3);
            }
        }
        for (size_t i = N - 1; i > 0; i--) {
            size_t j = (size_t)pof_below(pof_random(round, i, 1), i + 1);
            struct pof_record swap = r[i];
            r[i] = r[j];
            r[j] = swap;
        }
        snprintf(name, sizeof name, "order%d", (int)round);
        struct pof_store *s = fresh(name);
        struct pof_query q = everything;
        struct pof_buf b = {0};
        q.versions = POF_WANT_ALL;
        int rc = load(s, r, N, 5, batches[round], &n);
        rc = rc ? rc : load(s, r, N / 2, 5, 3, &n); /* and half of it once more */
        rc = rc ? rc : pof_store_query(s, &q, collect, &b, &err);
        q.versions = POF_WANT_CURRENT;
        rc = rc ? rc : pof_store_query(s, &q, collect, &b, &err);
        differ += rc != 0 || (round && (b.len != first.len || memcmp(b.data, first.data, b.len)));
        if (round == 0) {
            first = b;
        } else {
            pof_buf_release(&b);
        }
        pof_store_close(s);
    }
    ok(differ == 0 && lines(&first) > 400, "six orders and batches, the same %d lines",
       (int)lines(&first));
    pof_buf_release(&first);
}

static int count_gap(void *ctx, const struct pof_gap *gap, struct pof_err *err)
{
    int64_t *sum = ctx;
    (void)err;
    *sum += (gap->until - gap->from) / 900 * (pof_text_is(gap->pod, "A") ? 1 : 1000);
    return 0;
}

static void test_stat(void)
{
    struct pof_store *s = fresh("stat");
    struct pof_loaded n;
    struct pof_registered reg;
    struct pof_pod silent = pod("Z", "N", 1);
    struct pof_record r[] = {measured("A", 0, 1), measured("A", 3, 1), measured("B", 100, 1)};
    struct pof_stat stat;
    struct pof_err err = {0};
    int64_t sum = 0;
    uint64_t with = 0;
    uint64_t without = 0;
    ok(enrol(s, &silent, 1, false, &reg) == 0 && load(s, r, 3, 1, 10, &n) == 0,
       "a store with gaps");
    struct pof_query q = everything;
    is_int(pof_store_stat(s, &q, &stat, count_gap, &sum, &err), 0, "statistics");
    is_int(stat.until - stat.from, 101 * 900, "from the first to behind the last");
    ok(stat.pods == 2 && stat.silent == 1 && stat.records == 3, "pods, silent ones, records");
    is_int((int64_t)stat.missing, 2 * 101 - 3, "what is missing");
    is_int(sum, 99 + 100 * 1000, "is told gap by gap");
    is_int((int64_t)stat.gaps, 3, "three of them");
    q.from = DAY0 + 1;
    q.until = DAY0 + 4 * 900;
    is_int(pof_store_stat(s, &q, &stat, NULL, NULL, &err), 0, "in a window");
    ok(stat.pods == 1 && stat.records == 1 && stat.missing == 2, "only what lies in it");
    is_int(pof_store_count_pods(s, &with, &without, &err), 0, "pods are counted");
    ok(with == 1 && without == 2, "one registered, two by their series");
    pof_store_close(s);
}

static void test_damage(void)
{
    struct pof_store *s = fresh("damage");
    struct pof_loaded n;
    struct pof_record r = measured("A", 0, 1);
    struct pof_err err = {0};
    struct pof_db *db = NULL;
    struct pof_query q = everything;
    struct pof_buf b = {0};
    is_int(load(s, &r, 1, 1, 1, &n), 0, "a store with one value");
    pof_store_close(s);
    bool spoilt = pof_db_open(&db, path, POF_DB_WRITE, &err) == 0 &&
                  pof_db_exec(db, "UPDATE day SET slots=zeroblob(40)", &err) == 0;
    pof_db_close(db);
    ok(spoilt && pof_store_open(&s, path, POF_DB_READ, &err) == 0, "whose bytes are spoilt");
    is_int(pof_store_query(s, &q, collect, &b, &err), POF_E_SYNTAX, "is not believed");
    pof_store_close(s);
    spoilt = pof_db_open(&db, path, POF_DB_WRITE, &err) == 0 &&
             pof_db_exec(db, "PRAGMA user_version=2", &err) == 0;
    pof_db_close(db);
    s = NULL;
    is_int(spoilt ? pof_store_open(&s, path, POF_DB_WRITE, &err) : 0, POF_E_SCHEMA,
           "a store of a later version is left alone");
    ok(strstr(err.text, "version 2") != NULL, "and says so: %s", err.text);
    FILE *f = fopen(path, "w");
    ok(f &&
           fputs("not a database, but long enough to be read as the head of one, surely, it is\n"
                 "one hundred bytes that SQLite looks at",
                 f) >= 0 &&
           fclose(f) == 0,
       "a file of text");
    is_int(pof_store_open(&s, path, POF_DB_CREATE, &err), POF_E_SYNTAX, "is no store");
    is_int(pof_store_open(&s, "/nonexistent/x", POF_DB_READ, &err), POF_E_OPEN, "nor is nothing");
    is_int(pof_store_open(&s, "/nonexistent/x", POF_DB_CREATE, &err), POF_E_CREATE,
           "and there nothing can be made");
    pof_buf_release(&b);
}

int main(void)
{
    if (!mkdtemp(dir)) {
        ok(false, "a directory to work in");
        return done();
    }
    test_register();
    test_fields();
    test_refusals();
    test_revisions();
    test_order();
    test_stat();
    test_damage();
    static const char *const names[] = {"register", "fields", "refusals", "revisions",
                                        "stat",     "damage", "order0",   "order1",
                                        "order2",   "order3", "order4",   "order5"};
    static const char *const ends[] = {"", "-wal", "-shm"};
    for (size_t i = 0; i < 36; i++) {
        snprintf(path, sizeof path, "%s/%s%s", dir, names[i / 3], ends[i % 3]);
        unlink(path);
    }
    is_int(rmdir(dir), 0, "nothing else was left");
    return done();
}
