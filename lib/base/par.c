/* SPDX-License-Identifier: Apache-2.0 */
/* Items dealt to threads from one counter. */
#include "base/par.h"

#include "base/mem.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

struct shared {
    int (*work)(void *ctx, unsigned worker, size_t i, struct pof_err *err);
    void *ctx;
    size_t n;
    atomic_size_t next;
    atomic_size_t stop; /* items at or above this need not be started: a lower one failed */
};

struct worker {
    struct shared *shared;
    pthread_t thread;
    unsigned index;
    size_t failed; /* lowest failing item of this worker; n: none */
    struct pof_err err;
};

static void *run(void *arg)
{
    struct worker *w = arg;
    struct shared *s = w->shared;
    for (;;) {
        size_t i = atomic_fetch_add(&s->next, 1);
        if (i >= s->n || i > atomic_load(&s->stop)) {
            return NULL;
        }
        if (s->work(s->ctx, w->index, i, &w->err) != 0) {
            w->failed = i;
            size_t seen = atomic_load(&s->stop);
            while (i < seen && !atomic_compare_exchange_weak(&s->stop, &seen, i)) {
            }
            return NULL;
        }
    }
}

static int run_threads(struct shared *s, struct worker *workers, unsigned threads,
                       struct pof_err *err)
{
    unsigned started = 0;
    for (unsigned t = 0; t < threads; t++) {
        workers[t] = (struct worker){.shared = s, .index = t, .failed = s->n};
        if (t > 0 && pthread_create(&workers[t].thread, NULL, run, &workers[t]) != 0) {
            break; /* fewer threads than asked for give the same result, later */
        }
        started++;
    }
    run(&workers[0]);
    size_t first = s->n;
    for (unsigned t = 0; t < started; t++) {
        if (t > 0) {
            pthread_join(workers[t].thread, NULL);
        }
        if (workers[t].failed < first) {
            first = workers[t].failed;
            if (err) {
                *err = workers[t].err;
            }
        }
    }
    if (first == s->n) {
        return 0;
    }
    for (unsigned t = 0; t < started; t++) {
        if (workers[t].failed == first) {
            return workers[t].err.code;
        }
    }
    return POF_E_INTERNAL;
}

int pof_parallel(size_t n, unsigned threads,
                 int (*work)(void *ctx, unsigned worker, size_t i, struct pof_err *err), void *ctx,
                 struct pof_err *err)
{
    if (threads <= 1 || n <= 1) {
        for (size_t i = 0; i < n; i++) {
            int rc = work(ctx, 0, i, err);
            if (rc) {
                return rc;
            }
        }
        return 0;
    }
    struct worker *workers;
    int rc = pof_calloc(&workers, threads, sizeof *workers, err);
    if (rc) {
        return rc;
    }
    struct shared s = {.work = work, .ctx = ctx, .n = n};
    atomic_init(&s.next, 0);
    atomic_init(&s.stop, n);
    rc = run_threads(&s, workers, threads, err);
    free(workers);
    return rc;
}
