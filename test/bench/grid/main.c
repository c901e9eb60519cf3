/* SPDX-License-Identifier: Apache-2.0 */
/* make bench-grid: lines "bench WHAT net=NAME ms=...", one for each network and kind of work, and a
 * judgement of their shape. Arguments: directory of the programs, then networks (all). */
#include "bench.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { MOST_NETS = 32 };

static const char *const words[KINDS] = {"se", "se-check", "se-batch", "se-draws", "se-file",
                                         "se-file-all", "se-file-check", "pf", "pf-batch"};

static void run(const struct net *net, enum kind kind, const struct place *place, struct figure *f)
{
    struct bed bed;
    bed_make(&bed, net, place);
    f->nodes = bed.grid.nodes;
    f->readings = bed.set.n;
    switch (kind) {
    case SE:
        run_se(&bed, f);
        break;
    case SE_CHECK:
        run_se_check(&bed, f);
        break;
    case SE_BATCH:
        run_se_batch(&bed, f);
        break;
    case SE_DRAWS:
        run_se_draws(&bed, f);
        break;
    case PF:
        run_pf(&bed, f);
        break;
    case PF_BATCH:
        run_pf_batch(&bed, f);
        break;
    default:
        run_se_file(&bed, place, kind, f);
    }
    bed_free(&bed);
}

/* In a process of its own. */
static struct figure apart(const struct net *net, enum kind kind, const struct place *place)
{
    struct figure f = {0};
    int ends[2], status;
    fflush(stdout);
    pid_t pid = pipe(ends) == 0 ? fork() : -1;
    if (pid == 0) {
        run(net, kind, place, &f);
        _exit(write(ends[1], &f, sizeof f) == sizeof f ? 0 : 70);
    }
    if (pid < 0) {
        die("fork", NULL);
    }
    close(ends[1]);
    ssize_t n = read(ends[0], &f, sizeof f);
    close(ends[0]);
    if (waitpid(pid, &status, 0) != pid || status != 0 || n != sizeof f) {
        die(net->name, &(struct pof_err){.text = "a run failed"});
    }
    return f;
}

static void peer(const char *name, double theirs, double ours)
{
    if (theirs > 0) {
        printf(" %s=%.4g ratio=%.3g", name, theirs, theirs / ours);
    } else if (theirs < 0) {
        printf(" %s=fails", name);
    }
}

static void print(const struct net *net, enum kind kind, const struct figure *f)
{
    const struct peer *p = &net->peer;
    printf("bench %s net=%s ms=%.4g us_node=%.3g rss_mib=%.1f", words[kind], net->name, f->ms,
           1e3 * f->ms / f->nodes, f->rss_mib);
    if (kind != PF && kind != PF_BATCH) {
        printf(" readings=%zu", f->readings);
    }
    if (f->scenarios) {
        printf(" scenarios=%u", f->scenarios);
    }
    printf(" runs=%u failures=%u", f->runs, f->failures);
    if (kind == SE_CHECK) {
        printf(" estimate_ms=%.4g ratio=%.3g", f->estimate_ms, f->estimate_ms / f->ms);
    } else if (kind == SE || kind == SE_BATCH) {
        peer("pgm_newton_ms", kind == SE ? p->nr : p->nr_batch, f->ms);
        peer("pgm_linear_ms", kind == SE ? p->il : p->il_batch, f->ms);
        peer("pgm_rss_mib", p->se_rss, f->rss_mib);
    } else if (kind == SE_FILE) {
        peer("pgm_ms", p->file, f->ms);
        peer("pgm_rss_mib", p->se_rss, f->rss_mib);
    } else if (kind == PF || kind == PF_BATCH) {
        peer("pgm_ms", kind == PF ? p->pf : p->pf_batch, f->ms);
        peer("pgm_rss_mib", p->pf_rss, f->rss_mib);
    }
    printf("\n");
}

static bool wanted(const struct net *net, int argc, char **argv)
{
    for (int i = 2; i < argc; i++) {
        if (strcmp(argv[i], net->name) == 0) {
            return true;
        }
    }
    return argc <= 2;
}

/* Time per node must not grow: at 100k nodes at most twice that at 1k. */
static int judge_shape(double node[][KINDS])
{
    static const enum kind shaped[] = {SE, SE_BATCH, SE_FILE, SE_FILE_CHECK, PF, PF_BATCH};
    size_t small = nets_n, large = nets_n;
    int bad = 0;
    for (size_t i = 0; i < nets_n; i++) {
        small = strcmp(nets[i].name, "rad1k") == 0 ? i : small;
        large = strcmp(nets[i].name, "rad100k") == 0 ? i : large;
    }
    for (size_t k = 0; k < sizeof shaped / sizeof shaped[0]; k++) {
        double a = node[small][shaped[k]], b = node[large][shaped[k]];
        if (a > 0 && b > 0) {
            bad += b > 2 * a;
            printf("bench shape kind=%s ratio=%.2f\n", words[shaped[k]], b / a);
            printf("%s - %s: time per node at 100k nodes is %.2f times that at 1k, at most 2\n",
                   b > 2 * a ? "not ok" : "ok", words[shaped[k]], b / a);
        }
    }
    return bad;
}

static bool fits(const struct net *net, enum kind kind)
{
    bool small = strcmp(net->name, "rad100") == 0 || strcmp(net->name, "rad1k") == 0;
    return kind != SE_DRAWS || small;
}

static int all(const struct place *place, int argc, char **argv)
{
    double node[MOST_NETS][KINDS] = {{0}};
    unsigned failures = 0;
    printf("# CPU time of one thread, median of the runs; us_node: microseconds per node.\n"
           "# pgm_*: figures of power-grid-model 1.13.137 on the machine where they were measured, "
           "and "
           "their ratio to the figure before; elsewhere only a hint.\n"
           "# se-file: pof-se from files to voltages on disk; the peer's figure is its reading, model "
           "and\n# voltages, without a file of them. se-file-all: all of the state; se-file-check: with "
           "tests and\n# deviations, as pof-se does by itself.\n");
    for (size_t i = 0; i < nets_n; i++) {
        if (!wanted(&nets[i], argc, argv)) {
            continue;
        }
        if (nets[i].nodes == 0 && !place->data) {
            printf("# %s: skipped: no shared data\n", nets[i].name);
            continue;
        }
        for (enum kind kind = 0; kind < KINDS; kind++) {
            if (fits(&nets[i], kind)) {
                struct figure f = apart(&nets[i], kind, place);
                print(&nets[i], kind, &f);
                node[i][kind] = f.ms / f.nodes;
                failures += f.failures;
            }
        }
    }
    printf("%s - every estimate and power flow converged\n", failures ? "not ok" : "ok");
    return judge_shape(node) || failures ? 1 : 0;
}

int main(int argc, char **argv)
{
    char scratch[] = "bench-grid.XXXXXX";
    const char *data = getenv("POF_DATA");
    if (argc < 2 || !mkdtemp(scratch)) {
        perror("bench-grid: usage: bench-grid BIN [NETWORK ...]");
        return 2;
    }
    const struct place place = {argv[1], scratch, data && *data ? data : NULL};
    int status = all(&place, argc, argv);
    rmdir(scratch);
    return status;
}
