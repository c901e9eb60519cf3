/* SPDX-License-Identifier: Apache-2.0 */
/* Running another program and measuring it. */
#include "io/run.h"

#include "io/file.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static int64_t now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static int64_t microseconds(struct timeval t)
{
    return (int64_t)t.tv_sec * 1000000 + t.tv_usec;
}

/* In the child: becomes the program, or tells the parent through the pipe why not. */
static void become(char *const *argv, int pipe_fd)
{
    execvp(argv[0], argv);
    int why = errno;
    ssize_t ignored = write(pipe_fd, &why, sizeof why);
    (void)ignored;
    _exit(127);
}

int pof_run_command(char *const *argv, struct pof_run_cost *cost, struct pof_err *err)
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) {
        return pof_fail_errno(err, POF_E_THREAD, errno, "cannot make a pipe");
    }
    cost->started_ms = now_ms();
    pid_t pid = fork();
    if (pid == 0) {
        become(argv, ends[1]);
    }
    close(ends[1]);
    if (pid < 0) {
        close(ends[0]);
        return pof_fail_errno(err, POF_E_THREAD, errno, "cannot fork");
    }
    int why = 0;
    ssize_t told;
    do {
        told = read(ends[0], &why, sizeof why);
    } while (told < 0 && errno == EINTR);
    close(ends[0]);
    int status = 0;
    struct rusage usage;
    while (wait4(pid, &status, 0, &usage) < 0 && errno == EINTR) {
    }
    cost->ended_ms = now_ms();
    cost->cpu_us = microseconds(usage.ru_utime) + microseconds(usage.ru_stime);
    cost->rss_kib = usage.ru_maxrss;
    cost->status = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
    return told > 0 ? pof_fail_errno(err, POF_E_OPEN, why, "cannot run '%s'", argv[0]) : 0;
}

int pof_append_file(const char *path, const void *bytes, size_t n, struct pof_err *err)
{
    int fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0666);
    if (fd < 0) {
        return pof_fail_errno(err, POF_E_CREATE, errno, "cannot open '%s'", path);
    }
    int rc = pof_write_all(fd, bytes, n, path, err);
    if (close(fd) != 0 && rc == 0) {
        rc = pof_fail_errno(err, POF_E_WRITE, errno, "cannot close '%s'", path);
    }
    return rc;
}
