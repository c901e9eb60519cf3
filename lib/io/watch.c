/* SPDX-License-Identifier: Apache-2.0 */
/* Watching a folder. */
#include "io/watch.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

struct pof_watch {
    int fd;
};

int pof_watch_open(struct pof_watch **out, const char *path, struct pof_err *err)
{
    struct pof_watch *w;
    int rc = pof_calloc(&w, 1, sizeof *w, err);
    *out = NULL;
    if (rc) {
        return rc;
    }
    w->fd = inotify_init1(IN_CLOEXEC);
    if (w->fd < 0 || inotify_add_watch(w->fd, path, IN_CLOSE_WRITE | IN_MOVE | IN_DELETE | IN_ONLYDIR) < 0) {
        rc = pof_fail_errno(err, POF_E_OPEN, errno, "cannot watch the directory '%s'", path);
        pof_watch_close(w);
        return rc;
    }
    *out = w;
    return 0;
}

int pof_watch_wait(struct pof_watch *w, struct pof_err *err)
{
    char events[16384]; /* what does not fit comes at once with the next call */
    ssize_t n;
    do {
        n = read(w->fd, events, sizeof events);
    } while (n < 0 && errno == EINTR);
    return n < 0 ? pof_fail_errno(err, POF_E_READ, errno, "cannot wait for files") : 0;
}

void pof_watch_close(struct pof_watch *w)
{
    if (w) {
        if (w->fd >= 0) {
            close(w->fd);
        }
        free(w);
    }
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

struct names {
    char **name;
    size_t n, cap;
};

static bool fits(const char *name, const char *ending)
{
    size_t n = strlen(name), e = strlen(ending);
    return name[0] != '.' && n >= e && strcmp(name + n - e, ending) == 0;
}

/* All names that fit, with the directory in front, as a growing array. */
static int collect(DIR *dir, const struct pof_watch_files *which, struct pof_arena *arena, struct names *to,
                   struct pof_err *err)
{
    struct pof_buf full = {0};
    int rc = 0;
    for (struct dirent *e = readdir(dir); rc == 0 && e; e = readdir(dir)) {
        if (fits(e->d_name, which->ending)) {
            full.len = 0;
            rc = pof_buf_addf(&full, err, "%s/%s", which->path, e->d_name);
            rc = rc ? rc : pof_grow(&to->name, &to->cap, to->n + 1, sizeof *to->name, err);
            char *text = rc ? NULL : pof_arena_text(arena, full.data, full.len, err);
            rc = rc ? rc : text ? 0 : (int)POF_E_NOMEM;
            if (rc == 0) {
                to->name[to->n++] = text;
            }
        }
    }
    pof_buf_release(&full);
    return rc;
}

int pof_watch_list(const struct pof_watch_files *which, struct pof_arena *arena, char ***list, size_t *n,
                   struct pof_err *err)
{
    struct names all = {0};
    DIR *dir = opendir(which->path);
    if (dir == NULL) {
        return pof_fail_errno(err, POF_E_OPEN, errno, "cannot open the directory '%s'", which->path);
    }
    int rc = collect(dir, which, arena, &all, err);
    closedir(dir);
    *n = all.n < which->most ? all.n : which->most;
    *list = rc ? NULL : pof_arena_alloc(arena, (*n + 1) * sizeof **list, err);
    if (*list) {
        if (all.n) {
            qsort(all.name, all.n, sizeof *all.name, by_name);
            memcpy(*list, all.name + all.n - *n, *n * sizeof *all.name);
        }
        (*list)[*n] = NULL;
    }
    free(all.name);
    return rc ? rc : *list ? 0 : (int)POF_E_NOMEM;
}
