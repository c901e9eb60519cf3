/* SPDX-License-Identifier: Apache-2.0 */
/* pof-clear against CLP and GLPK on the same markets, file in to file out: CPU of whole processes,
 * user and system, from the kernel's account of the child. Costs of all results are compared to the
 * unit. Solvers that are not installed are left out with a word. */
#include "market.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

struct bench {
    const char *bin;
    char folder[1024];
    bool clp, glpk;
};

struct use {
    double cpu_s, mib;
};

static bool installed(const char *program)
{
    char command[200];
    snprintf(command, sizeof command, "command -v %s >/dev/null 2>&1", program);
    return system(command) == 0;
}

/* A program to its end. In the bench's folder; what it says goes to files there. */
static struct use spawn(const struct bench *b, char *const *argv)
{
    struct rusage u;
    int status;
    fflush(stdout);
    pid_t pid = fork();
    if (pid == 0) {
        if (chdir(b->folder) != 0 || !freopen("said", "w", stdout) || dup2(1, 2) < 0) {
            _exit(126);
        }
        execvp(argv[0], argv);
        _exit(127);
    }
    if (pid < 0 || wait4(pid, &status, 0, &u) != pid || !WIFEXITED(status) ||
        WEXITSTATUS(status) != 0) {
        fail(argv[0]);
    }
    return (struct use){(double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) +
                            1e-6 * (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec),
                        (double)u.ru_maxrss / 1024};
}

/* The least of several runs: what the machine adds by itself is never negative. */
static struct use best_of(int runs, const struct bench *b, char *const *argv)
{
    struct use best = spawn(b, argv);
    while (--runs > 0) {
        struct use u = spawn(b, argv);
        best.cpu_s = u.cpu_s < best.cpu_s ? u.cpu_s : best.cpu_s;
    }
    return best;
}

static struct use run_clear(const struct bench *b, int runs)
{
    char program[1200];
    snprintf(program, sizeof program, "%s/pof-clear", b->bin);
    char *const argv[] = {program,        "--grid",    "grid.json",    "--quiet",    "--format", "csv",
                          "--output",     "awards.csv", "--force",      "sessions.csv",
                          "requests.csv", "limits.csv", "offers.csv",   NULL};
    return best_of(runs, b, argv);
}

/* A solver's time as a multiple of ours, after its cost was found to be the same. */
static void compare(const char *name, double cpu_s, double ours, bool same)
{
    if (!same) {
        printf("\n");
        fail("the costs differ");
    }
    printf(" %s=%.0f %s_cpu_s=%.3f", name, cpu_s / ours, name, cpu_s);
}

static void bench_clear(const struct bench *b, uint32_t offers, uint32_t periods)
{
    struct bench_market m;
    char path[1200];
    market_init(&m, offers, periods, 1);
    market_write(&m, b->folder);
    snprintf(path, sizeof path, "%s/market.mps", b->folder);
    if (b->clp || (b->glpk && periods == 1)) {
        market_write_mps(&m, path);
    }
    struct use ours = run_clear(b, 7);
    snprintf(path, sizeof path, "%s/awards.csv", b->folder);
    bench_wide cost = market_cost_of_awards(&m, path);
    printf("bench clear offers=%u periods=%u blocks=0 cpu_s=%.4f mib=%.0f cost=%.0f", offers, periods,
           ours.cpu_s, ours.mib, (double)cost);
    if (b->clp) {
        char *const argv[] = {"clp", "market.mps", "-dualsimplex", "-solution", "clp.out", NULL};
        struct use u = best_of(periods == 1 ? 3 : 1, b, argv);
        snprintf(path, sizeof path, "%s/clp.out", b->folder);
        compare("clp", u.cpu_s, ours.cpu_s, market_cost_of_clp(&m, path) == cost);
    }
    if (b->glpk && periods == 1) { /* more of them it does not finish in minutes */
        char *const argv[] = {"glpsol", "--freemps", "market.mps", "-w", "glpk.out", NULL};
        struct use u = spawn(b, argv);
        snprintf(path, sizeof path, "%s/glpk.out", b->folder);
        compare("glpk", u.cpu_s, ours.cpu_s, market_cost_of_glpk(&m, path) == cost);
    }
    printf("\n");
    fflush(stdout);
    market_free(&m);
}

/* --- blocks --- */

/* A column of the one line of pof-clear's report in CSV. */
static double reported(const struct bench *b, const char *name)
{
    char path[1200], head[1024], line[1024], *more_head = NULL, *more_line = NULL;
    snprintf(path, sizeof path, "%s/report", b->folder);
    FILE *f = fopen(path, "r");
    if (!f || !fgets(head, sizeof head, f) || !fgets(line, sizeof line, f)) {
        fail(path);
    }
    fclose(f);
    char *key = strtok_r(head, ",\n", &more_head), *value = strtok_r(line, ",\n", &more_line);
    while (key && value && strcmp(key, name) != 0) {
        key = strtok_r(NULL, ",\n", &more_head);
        value = strtok_r(NULL, ",\n", &more_line);
    }
    if (!key || !value) {
        fail(name);
    }
    return strtod(value, NULL);
}

/* Some of the offers of each quarter-hour in blocks of several: how far the result can be from the best,
 * at most, as pof-clear proves it. */
static void bench_blocks(const struct bench *b, uint32_t offers, uint32_t periods, uint32_t blocks,
                         uint64_t seed)
{
    struct bench_market m;
    char program[1200];
    market_init(&m, offers, periods, seed);
    m.blocks = blocks;
    market_write(&m, b->folder);
    snprintf(program, sizeof program, "%s/pof-clear", b->bin);
    char *const argv[] = {program,        "--grid",       "grid.json",  "--quiet",    "--format",
                          "csv",          "--output",     "awards.csv", "--force",    "--report",
                          "report",       "sessions.csv", "requests.csv", "limits.csv", "offers.csv", NULL};
    struct use u = best_of(1, b, argv);
    double cost = reported(b, "cost_eur"), bound = reported(b, "bound_eur");
    printf("bench clear offers=%u periods=%u blocks=%u seed=%u gap_pct=%.4f cpu_s=%.2f decisions=%.0f nodes=%.0f "
           "cost_eur=%.6f\n", offers, periods, blocks, (unsigned)seed, (cost / bound - 1) * 100, u.cpu_s,
           reported(b, "decisions"), reported(b, "nodes"), cost);
    fflush(stdout);
    market_free(&m);
}

/* --- more offers than memory would hold at once --- */

/* A child that writes records into a FIFO of the bench's folder. */
static pid_t feed(const struct bench *b, struct bench_market *m, const char *name,
                  void (*write)(struct bench_market *m, FILE *f))
{
    char path[1200];
    snprintf(path, sizeof path, "%s/%s", b->folder, name);
    remove(path);
    if (mkfifo(path, 0600) != 0) {
        fail(path);
    }
    fflush(stdout);
    pid_t pid = fork();
    if (pid == 0) {
        FILE *f = create(b->folder, name);
        write(m, f);
        _exit(fclose(f) != 0);
    }
    if (pid < 0) {
        fail("fork");
    }
    return pid;
}

/* A session of which the first quarter-hours have offers; requests and limits are there for all. */
static struct use stream(const struct bench *b, uint32_t offers, uint32_t periods, uint32_t offered)
{
    struct bench_market m;
    int status[2];
    char program[1200];
    market_init(&m, offers, periods, 1);
    market_write_frame(&m, b->folder);
    pid_t limits = feed(b, &m, "limits.csv", market_write_limits);
    m.periods = offered;
    pid_t pid = feed(b, &m, "offers.csv", market_write_offers);
    snprintf(program, sizeof program, "%s/pof-clear", b->bin);
    char *const argv[] = {program,     "--stream",     "--grid",       "grid.json",  "--quiet",
                          "--format",  "csv",          "--output",     "awards.csv", "--force",
                          "sessions.csv", "requests.csv", "limits.csv", "offers.csv", NULL};
    struct use u = spawn(b, argv);
    if (waitpid(limits, &status[0], 0) != limits || waitpid(pid, &status[1], 0) != pid || status[0] ||
        status[1]) {
        fail("the records were not all read");
    }
    market_free(&m);
    return u;
}

/* A day, from what one quarter-hour of offers takes and what each of some further ones adds. Memory is
 * that of the run with the most: every limit of the day is in it, and offers are forgotten. */
static void bench_stream(const struct bench *b, uint32_t offers, uint32_t periods, uint32_t measured)
{
    struct use one = stream(b, offers, periods, 1);
    struct use all = stream(b, offers, periods, measured);
    double each = measured > 1 ? (all.cpu_s - one.cpu_s) / (measured - 1) : one.cpu_s;
    printf("bench clear offers=%u periods=%u blocks=0 cpu_s=%.1f rss_mib=%.0f measured_periods=%u "
           "measured_cpu_s=%.1f each_s=%.3f\n",
           offers, periods, all.cpu_s + each * (periods - measured), all.mib, measured, all.cpu_s, each);
    fflush(stdout);
}

int main(int argc, char **argv)
{
    struct bench b = {.bin = argc > 1 ? argv[1] : "build/release/bin",
                      .clp = installed("clp"),
                      .glpk = installed("glpsol")};
    int measured = argc > 2 ? atoi(argv[2]) : 3; /* of the quarter-hours of the largest session */
    const char *tmp = getenv("TMPDIR");
    snprintf(b.folder, sizeof b.folder, "%s/pof-bench-XXXXXX", tmp ? tmp : "/tmp");
    char bin[4096];
    if (!realpath(b.bin, bin) || !mkdtemp(b.folder)) {
        fail("no programs, or no place for files");
    }
    b.bin = bin;
    if (!b.clp) {
        printf("# clp is not installed (package coinor-clp): not compared with it\n");
    }
    if (!b.glpk) {
        printf("# glpsol is not installed (package glpk-utils): not compared with it\n");
    }
    bench_clear(&b, 15000, 1);
    bench_clear(&b, 1500, 96);
    for (uint64_t seed = 1; seed <= 3; seed++) {
        bench_blocks(&b, 1500, 96, 150, seed);
    }
    bench_stream(&b, 1500000, 96, measured >= 1 && measured <= 96 ? (uint32_t)measured : 3);
    char command[1200];
    snprintf(command, sizeof command, "rm -rf '%s'", b.folder);
    return system(command) != 0;
}
