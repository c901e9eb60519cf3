/* SPDX-License-Identifier: Apache-2.0 */
/* The store: 10 M measurements of 10,000 pods loaded, a pod's month asked for, a late value
 * corrected; with SQLite, and with a private PostgreSQL server against bare COPY of the same
 * measurements as rows. bench-store BIN GRID POSTGRESQL.SH [LINES]
 *
 * per_s of SQLite is of CPU of the whole process, reading of the CSV and checkpoints included;
 * per_s and copy_per_s of PostgreSQL are of CPU of client and server together. ratio: bare COPY's
 * CPU is 1. */
#include "num/time.h"
#include "record/record.h"
#include "store/store.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { PODS = 10000, ASKED = 101, DAY = 86400, MONTH = 31 * 96, BEGIN = 1767225600 };

struct bench {
    char bin[3000], grid[3000], server[3000], folder[3000];
    size_t lines;
};

static _Noreturn void fail(const char *what)
{
    fprintf(stderr, "bench: %s\n", what);
    exit(1);
}

static void check(int rc, const struct pof_err *err)
{
    if (rc) {
        fail(err->text);
    }
}

static double wall(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static double seconds(const struct rusage *u)
{
    return (double)(u->ru_utime.tv_sec + u->ru_stime.tv_sec) +
           1e-6 * (double)(u->ru_utime.tv_usec + u->ru_stime.tv_usec);
}

/* CPU of one program; its output goes to a file. status: NULL, or where it goes instead of an end.
 */
static double spawn(char *const *argv, const char *output, int *status)
{
    struct rusage u;
    int how;
    fflush(stdout);
    pid_t pid = fork();
    if (pid == 0) {
        int fd = open(output, O_WRONLY | O_CREAT | O_TRUNC, 0600);
        if (fd < 0 || dup2(fd, 1) < 0) {
            _exit(126);
        }
        execvp(argv[0], argv);
        _exit(127);
    }
    if (pid < 0 || wait4(pid, &how, 0, &u) != pid || !WIFEXITED(how)) {
        fail(argv[0]);
    }
    if (status) {
        *status = WEXITSTATUS(how);
    } else if (WEXITSTATUS(how) != 0) {
        fail(argv[0]);
    }
    return seconds(&u);
}

/* CPU of the processes of the server that have ended, in seconds: what it says of its children. */
static double server_cpu(void)
{
    char line[1024];
    FILE *f = fopen("pg/data/postmaster.pid", "r");
    long pid = f && fgets(line, sizeof line, f) ? strtol(line, NULL, 10) : 0;
    if (f) {
        fclose(f);
    }
    snprintf(line, sizeof line, "/proc/%ld/stat", pid);
    f = fopen(line, "r");
    if (!f || !fgets(line, sizeof line, f)) {
        fail("the server's process cannot be seen");
    }
    fclose(f);
    const char *p = strrchr(line, ')'); /* the fields after the name: state is 3, cutime 16 */
    double sum = 0;
    for (int field = 2; p && field < 17; field++) {
        p = strchr(p + 1, ' ');
        if (p && (field == 15 || field == 16)) {
            sum += (double)strtol(p, NULL, 10);
        }
    }
    return sum / (double)sysconf(_SC_CLK_TCK);
}

/* Days beginning on 2026-01-01, each whole, and what is left of the last. */
static void make_input(const struct bench *b)
{
    char until[POF_INSTANT_MAX + 1], program[4096];
    int64_t quarters = (int64_t)((b->lines + PODS - 1) / PODS);
    until[pof_instant_format(BEGIN + quarters * 900, until)] = '\0';
    snprintf(program, sizeof program, "%s/pof-sim", b->bin);
    char *series[] = {
        program,   "-q",    "--make",   "measurements", "--grid", (char *)b->grid,
        "--pods",  "10000", "--format", "csv",          "--from", "2026-01-01T00:00:00Z",
        "--until", until,   NULL};
    char *const pods[] = {program,         "-q",     "--make", "pods", "--grid",
                          (char *)b->grid, "--pods", "10000",  NULL};
    spawn(series, "series.csv", NULL);
    series[7] = "101";
    series[13] = "2026-02-01T00:00:00Z";
    spawn(series, "month.csv", NULL);
    spawn(pods, "pods.jsonl", NULL);
}

static double scd(const struct bench *b, const char *database, const char *what, const char *file)
{
    char program[4096];
    snprintf(program, sizeof program, "%s/pof-scd", b->bin);
    char *const argv[] = {program, "-q", (char *)database, (char *)what, (char *)file, NULL};
    return spawn(argv, "said", NULL);
}

static int count(void *ctx, const struct pof_record *record, struct pof_err *err)
{
    (void)record;
    (void)err;
    ++*(size_t *)ctx;
    return 0;
}

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Medians over pods: January of one, and one value of it corrected. The store has ten days of all
 * pods; those that are asked for are given the rest of the month first. */
static void ask(const struct bench *b, const char *kind, const char *database)
{
    struct pof_store *s;
    struct pof_err err = {0};
    double month[ASKED], correct[ASKED];
    size_t records = 0;
    scd(b, database, "load", "month.csv");
    check(pof_store_open(&s, database, POF_DB_WRITE, &err), &err);
    for (size_t i = 0; i < ASKED; i++) {
        char name[16];
        const char *pods[] = {name};
        struct pof_query q = {.pods = pods,
                              .n_pods = 1,
                              .from = BEGIN,
                              .until = BEGIN + 31 * DAY,
                              .known_at = INT64_MAX};
        snprintf(name, sizeof name, "P%07zu", 1 + i);
        double at = wall();
        check(pof_store_query(s, &q, count, &records, &err), &err);
        month[i] = wall() - at;
        struct pof_load_options how = {.known = INT64_C(2000000000) + (int64_t)i, .batch = 1};
        struct pof_record late = {.type = POF_measurement};
        struct pof_load *l;
        late.u.measurement = (struct pof_measurement){.pod = pof_text(name),
                                                      .start = BEGIN + 900 * (int64_t)(i % 90),
                                                      .duration_s = 900,
                                                      .p_w = -123456};
        check(pof_load_new(&l, s, &how, &err), &err);
        at = wall();
        check(pof_load_put(l, &late, &err), &err);
        correct[i] = wall() - at;
        if (pof_load_counts(l)->revised != 1) {
            fail("a late value was not taken as a further version");
        }
        pof_load_free(l);
    }
    pof_store_close(s);
    qsort(month, ASKED, sizeof month[0], by_size);
    qsort(correct, ASKED, sizeof correct[0], by_size);
    if (records != (size_t)ASKED * MONTH) {
        fail("an answer is no month");
    }
    printf("bench query store=%s what=pod-month ms=%.2f records=%zu\n", kind,
           1e3 * month[ASKED / 2], records / ASKED);
    printf("bench correct store=%s us=%.0f\n", kind, 1e6 * correct[ASKED / 2]);
}

static void bench_sqlite(const struct bench *b)
{
    double best = 1e9;
    for (int i = 0; i < 3; i++) {
        unlink("store.db");
        scd(b, "store.db", "register", "pods.jsonl");
        double s = scd(b, "store.db", "load", "series.csv");
        best = s < best ? s : best;
    }
    printf("bench load store=sqlite per_s=%.0f lines=%zu\n", (double)b->lines / best, b->lines);
    fflush(stdout);
    ask(b, "sqlite", "store.db");
}

/* The same measurements, a row each, no index, no check, straight into a table. */
static double bare_copy(const char *server)
{
    char address[3200];
    snprintf(address, sizeof address, "%s/postgres", server);
    char *const make[] = {
        "psql",
        "-q",
        address,
        "-c",
        "CREATE TABLE bare(pod TEXT, start TIMESTAMPTZ,"
        " duration_s INT, p_w BIGINT, q_var BIGINT, v_mv BIGINT, quality TEXT,"
        " source TEXT, seq BIGINT)",
        NULL};
    char *const copy[] = {
        "psql", "-q", address, "-c", "\\copy bare FROM series.csv (FORMAT csv, HEADER)", NULL};
    spawn(make, "said", NULL);
    sleep(1); /* until the server has waited for its process */
    double before = server_cpu();
    double client = spawn(copy, "said", NULL);
    sleep(1);
    return client + server_cpu() - before;
}

static double server_load(const struct bench *b, const char *server)
{
    char address[3200];
    snprintf(address, sizeof address, "%s/postgres", server);
    char *const clean[] = {"psql",
                           "-q",
                           address,
                           "-c",
                           "SET client_min_messages=error",
                           "-c",
                           "DROP SCHEMA IF EXISTS pof CASCADE",
                           NULL};
    spawn(clean, "said", NULL);
    scd(b, address, "register", "pods.jsonl");
    sleep(1); /* until the server has waited for its process */
    double before = server_cpu();
    double client = scd(b, address, "load", "series.csv");
    sleep(1);
    return client + server_cpu() - before;
}

static void bench_postgresql(const struct bench *b)
{
    char dir[3100], address[3200] = "";
    int status;
    snprintf(dir, sizeof dir, "%s/pg", b->folder);
    char *const start[] = {(char *)b->server, "start", dir, NULL};
    char *const stop[] = {(char *)b->server, "stop", dir, NULL};
    spawn(start, "server", &status);
    if (status == 77) {
        printf("# PostgreSQL is not installed: not measured\n");
        return;
    }
    FILE *f = fopen("server", "r");
    if (status != 0 || !f || !fgets(address, 3000, f)) {
        fail("the server does not start");
    }
    fclose(f);
    address[strcspn(address, "\n")] = '\0';
    double copy = bare_copy(address), ours = server_load(b, address);
    printf("bench load store=postgresql per_s=%.0f copy_per_s=%.0f ratio=%.2f\n",
           (double)b->lines / ours, (double)b->lines / copy, ours / copy);
    fflush(stdout);
    strncat(address, "/postgres", sizeof address - strlen(address) - 1);
    ask(b, "postgresql", address);
    spawn(stop, "said", NULL);
}

int main(int argc, char **argv)
{
    static const char *const files[] = {"series.csv", "month.csv", "pods.jsonl",
                                        "said",       "server",    "store.db"};
    struct bench b = {.lines = argc > 4 ? strtoul(argv[4], NULL, 10) : 10000000};
    const char *tmp = getenv("TMPDIR");
    if (argc < 4 || !realpath(argv[1], b.bin) || !realpath(argv[2], b.grid) ||
        !realpath(argv[3], b.server) || b.lines < PODS) {
        fail("usage: bench-store BIN GRID POSTGRESQL.SH [LINES], at least 10000");
    }
    b.lines -= b.lines % PODS;
    snprintf(b.folder, sizeof b.folder, "%s/pof-bench-XXXXXX", tmp ? tmp : "/tmp");
    if (!mkdtemp(b.folder) || chdir(b.folder) != 0 || chmod(b.folder, 0711) != 0) {
        fail("no place for files");
    }
    make_input(&b);
    bench_sqlite(&b);
    bench_postgresql(&b);
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        unlink(files[i]);
    }
    return chdir("/") != 0 || rmdir(b.folder) != 0;
}
