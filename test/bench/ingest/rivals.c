/* SPDX-License-Identifier: Apache-2.0 */
/* The same lines through other programs. Miller checks ranges and keeps the first line of each pod and
 * start; jq and jansson check and write only, for remembering is not theirs. */
#include "ingest.h"

#include <jansson.h>
#include <string.h>
#include <time.h>

enum { RUNS = 3 };

static struct use best(char *const *argv)
{
    struct use b = spawn(argv, NULL);
    for (int i = 1; i < RUNS; i++) {
        struct use u = spawn(argv, NULL);
        b = u.cpu_s < b.cpu_s ? u : b;
    }
    return b;
}

static void say(const char *name, double cpu_s, size_t lines, double ours_per_line)
{
    printf(" %s=%.1f", name, cpu_s / (double)lines / ours_per_line);
}

static bool whole(const json_t *object, const char *name, bool needed)
{
    const json_t *v = json_object_get(object, name);
    return v ? json_is_integer(v) : !needed;
}

static bool is_good(const json_t *m)
{
    const char *start = json_string_value(json_object_get(m, "start"));
    struct tm t;
    return json_is_string(json_object_get(m, "pod")) && start && strptime(start, "%FT%TZ", &t) &&
           timegm(&t) % 900 == 0 && json_integer_value(json_object_get(m, "duration_s")) == 900 &&
           whole(m, "p_w", true) && whole(m, "q_var", false) && whole(m, "seq", false);
}

/* A document a line: what a program without a scanner of its own does. */
static double jansson_s(const char *path)
{
    FILE *in = fopen(path, "r"), *out = fopen("jansson.out", "w");
    char line[1024];
    if (!in || !out) {
        fail("no place for jansson's lines");
    }
    clock_t from = clock();
    while (fgets(line, sizeof line, in)) {
        json_t *m = json_loadb(line, strlen(line), JSON_REJECT_DUPLICATES, NULL);
        if (!is_good(m) || json_dumpf(m, out, JSON_COMPACT) != 0 || fputc('\n', out) == EOF) {
            fail("jansson does not like a line");
        }
        json_decref(m);
    }
    double spent = (double)(clock() - from) / CLOCKS_PER_SEC;
    fclose(in);
    fclose(out);
    return spent;
}

static void miller(bool csv, const char *path, size_t lines, double ours_per_line)
{
    char *const argv[] = {"mlr",
                          csv ? "--icsv" : "--ijson",
                          csv ? "--ocsv" : "--ojsonl",
                          "filter",
                          "is_present($pod) && $duration_s == 900 && strptime($start, \"%Y-%m-%dT%H:%M:%SZ\")"
                          " % 900 == 0 && $p_w >= -1000000000000 && $p_w <= 1000000000000",
                          "then",
                          "head",
                          "-n",
                          "1",
                          "-g",
                          "pod,start",
                          (char *)path,
                          NULL};
    say("mlr", best(argv).cpu_s, lines, ours_per_line);
}

static void jq(const char *path, size_t lines, double ours_per_line)
{
    char *const argv[] = {"jq", "-c",
                          "select((.pod | type) == \"string\" and .duration_s == 900 and"
                          " (.start | fromdate) % 900 == 0 and (.p_w | type) == \"number\")",
                          (char *)path, NULL};
    say("jq", best(argv).cpu_s, lines, ours_per_line);
}

void compare(const char *format, const char *head_path, size_t head, double ours_per_line)
{
    bool csv = strcmp(format, "csv") == 0;
    if (installed("mlr")) {
        miller(csv, head_path, head, ours_per_line);
    }
    if (!csv && installed("jq")) {
        jq(head_path, head, ours_per_line);
    }
    if (!csv) {
        double spent = jansson_s(head_path);
        say("jansson", spent, head, ours_per_line);
    }
}
