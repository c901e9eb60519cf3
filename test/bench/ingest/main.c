/* SPDX-License-Identifier: Apache-2.0 */
/* pof-ingest on a stream of quarter-hours, checked and each once, file in to file out: CPU of the whole
 * process, user and system. Then what one record costs by type.
 * bench-ingest BIN GRID [LINES], or bench-ingest records [TYPE]. */
#include "ingest.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

enum { RUNS = 3, HEAD = 200000 };

_Noreturn void fail(const char *what)
{
    fprintf(stderr, "bench: %s\n", what);
    exit(1);
}

bool installed(const char *program)
{
    char command[200];
    snprintf(command, sizeof command, "command -v %s >/dev/null 2>&1", program);
    return system(command) == 0;
}

struct use spawn(char *const *argv, const char *output)
{
    struct rusage u;
    int status;
    fflush(stdout);
    pid_t pid = fork();
    if (pid == 0) {
        /* "out" is written over: its pages are there, and what a machine does to find memory for new
         * ones (on a virtual one up to two thirds of all CPU) is not the program's. */
        bool over = output && strcmp(output, "out") == 0;
        int fd = open(output ? output : "said", O_WRONLY | O_CREAT | (over ? 0 : O_TRUNC), 0600);
        if (fd < 0 || dup2(fd, 1) < 0) {
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

/* Least CPU of several runs: what the machine adds by itself is never negative. Into a new file by
 * --output, or over the one that is there. */
static struct use ingest(const char *bin, const char *path, const char *format, bool over)
{
    char program[4096];
    struct use best = {.cpu_s = 1e9};
    snprintf(program, sizeof program, "%s/pof-ingest", bin);
    char *const argv[] = {program, "-q", "--format", strcmp(format, "csv") == 0 ? "csv" : "json", (char *)path,
                          over ? NULL : "--output", "out", "--force", NULL};
    for (int i = 0; i < RUNS; i++) {
        struct use u = spawn(argv, over ? "out" : NULL);
        best = u.cpu_s < best.cpu_s ? u : best;
    }
    return best;
}

static void bench(struct stream *s, const char *format, const char *to)
{
    s->format = format;
    make_stream(s, "stream", "head");
    struct use fresh = ingest(s->bin, "stream", to, false), over = ingest(s->bin, "stream", to, true);
    printf("bench ingest format=%s to=%s lines=%zu per_s=%.0f written_over_per_s=%.0f mib=%.0f", format, to, s->lines,
           (double)s->lines / fresh.cpu_s, (double)s->lines / over.cpu_s, fresh.mib);
    if (strcmp(format, to) == 0) {
        compare(format, "head", s->head, fresh.cpu_s / (double)s->lines);
    }
    printf("\n");
    fflush(stdout);
}

static void enter_folder(char *folder, size_t size)
{
    const char *tmp = getenv("TMPDIR");
    snprintf(folder, size, "%s/pof-bench-XXXXXX", tmp ? tmp : "/tmp");
    if (!mkdtemp(folder) || chdir(folder) != 0) {
        fail("no place for files");
    }
}

static void leave_folder(const char *folder)
{
    static const char *const files[] = {"stream", "head", "out", "said", "jansson.out"};
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        unlink(files[i]);
    }
    if (chdir("/") != 0 || rmdir(folder) != 0) {
        fail("the folder of the bench is not empty");
    }
}

int main(int argc, char **argv)
{
    char bin[4096], grid[4096], folder[4096];
    if (argc > 1 && strcmp(argv[1], "records") == 0) {
        bench_records(argc > 2 ? argv[2] : NULL);
        return 0;
    }
    if (argc < 3 || !realpath(argv[1], bin) || !realpath(argv[2], grid)) {
        fail("usage: bench-ingest BIN GRID [LINES] or bench-ingest records [TYPE]");
    }
    struct stream s = {.bin = bin,
                       .grid = grid,
                       .lines = argc > 3 ? strtoul(argv[3], NULL, 10) : 10000000};
    s.head = s.lines < HEAD ? s.lines : HEAD;
    if (!installed("mlr")) {
        printf("# mlr is not installed (package miller): not compared with it\n");
    }
    if (!installed("jq")) {
        printf("# jq is not installed: not compared with it\n");
    }
    enter_folder(folder, sizeof folder);
    bench(&s, "csv", "csv");
    bench(&s, "csv", "ndjson");
    bench(&s, "ndjson", "ndjson");
    leave_folder(folder);
    bench_records(NULL);
    return 0;
}
