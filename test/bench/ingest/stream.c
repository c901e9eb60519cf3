/* SPDX-License-Identifier: Apache-2.0 */
/* The stream: 10,000 points of delivery, a quarter-hour after the other. */
#include "ingest.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum {
    PODS = 10000,
    EVERY = 997,    /* one line of so many is disturbed */
    LATER = 60000,  /* by so many lines, six quarter-hours */
    WAITING = LATER / EVERY + 2,
    LINE = 512
};

/* Lines that are late or come again, oldest first. */
struct waiting {
    char line[WAITING][LINE];
    size_t due[WAITING];
    size_t first, n;
};

static void put(FILE *to, FILE *head, bool in_head, const char *line)
{
    if (fputs(line, to) < 0 || (in_head && fputs(line, head) < 0)) {
        fail("no room for the stream");
    }
}

static void disturb(FILE *from, FILE *to, FILE *head, const struct stream *s)
{
    static struct waiting w;
    char line[LINE];
    size_t n = 0;
    w.first = w.n = 0;
    if (strcmp(s->format, "csv") == 0 && fgets(line, sizeof line, from)) {
        put(to, head, true, line);
    }
    for (size_t i = 0; n < s->lines && fgets(line, sizeof line, from); i++) {
        bool late = i % EVERY == 0, twice = i % EVERY == EVERY / 2;
        if ((late || twice) && w.n < WAITING) {
            size_t k = (w.first + w.n++) % WAITING;
            memcpy(w.line[k], line, sizeof line);
            w.due[k] = i + LATER;
        }
        if (!late) {
            put(to, head, n++ < s->head, line);
        }
        for (; w.n && w.due[w.first] <= i && n < s->lines; w.first = (w.first + 1) % WAITING, w.n--) {
            put(to, head, n++ < s->head, w.line[w.first]);
        }
    }
    if (n < s->lines) {
        fail("the stream is too short");
    }
}

static void instant(char *to, size_t size, size_t quarter)
{
    size_t day = quarter / 96, rest = quarter % 96; /* January 2026 and February */
    snprintf(to, size, "2026-%02zu-%02zuT%02zu:%02zu:00Z", 1 + day / 31, 1 + day % 31, rest / 4,
             rest % 4 * 15);
}

void make_stream(const struct stream *s, const char *path, const char *head_path)
{
    char command[4096], until[32];
    instant(until, sizeof until, (s->lines + LATER) / PODS + 2);
    snprintf(command, sizeof command,
             "'%s/pof-sim' -q --make measurements --grid '%s' --pods %d --format %s"
             " --from 2026-01-01T00:00:00Z --until %s",
             s->bin, s->grid, PODS, strcmp(s->format, "csv") == 0 ? "csv" : "json", until);
    FILE *from = popen(command, "r"), *to = fopen(path, "w"), *head = fopen(head_path, "w");
    if (!from || !to || !head) {
        fail("no place for the stream");
    }
    disturb(from, to, head, s);
    bool bad = fclose(to) != 0;
    bad |= fclose(head) != 0;
    pclose(from); /* it was stopped where the stream has its length */
    if (bad) {
        fail("no room for the stream");
    }
}
