/* SPDX-License-Identifier: Apache-2.0 */
/* pof: runs pof-NAME, lists the programs, shows their manual pages. */
#include <dirent.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PATH_ROOM = 4096, PROGRAMS = 256 };

static const char usage[] = "usage: pof NAME [ARGUMENT ...]   run pof-NAME\n"
                            "       pof help                  list the programs\n"
                            "       pof help NAME             show the manual page of pof-NAME\n"
                            "       pof --version\n";

/* The folder this program lies in; its siblings come before those in PATH. */
static bool own_folder(char *to, size_t size)
{
    ssize_t n = readlink("/proc/self/exe", to, size - 1);
    char *slash = n > 0 ? memrchr(to, '/', (size_t)n) : NULL;
    if (slash) {
        *slash = '\0';
    }
    return slash != NULL;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Prints the line "pof-name - purpose" of a program's --help. */
static void print_purpose(const char *folder, const char *name)
{
    char path[2 * PATH_ROOM];
    char line[512];
    int ends[2];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    if (pipe(ends) != 0) {
        return;
    }
    pid_t pid = fork();
    if (pid == 0) {
        dup2(ends[1], STDOUT_FILENO);
        close(ends[0]);
        execl(path, path, "--help", (char *)NULL);
        _exit(127);
    }
    close(ends[1]);
    FILE *help = pid > 0 ? fdopen(ends[0], "r") : NULL;
    size_t skip = strlen(name);
    while (help && fgets(line, sizeof line, help)) {
        if (strncmp(line, name, skip) == 0 && strncmp(line + skip, " - ", 3) == 0) {
            printf("  %-14s %s", name + strlen("pof-"), line + skip + 3);
        }
    }
    if (help) {
        fclose(help);
    } else {
        close(ends[0]);
    }
    if (pid > 0) {
        waitpid(pid, NULL, 0);
    }
}

static int list_programs(void)
{
    char folder[PATH_ROOM];
    char *names[PROGRAMS];
    size_t n = 0;
    DIR *dir = own_folder(folder, sizeof folder) ? opendir(folder) : NULL;
    if (!dir) {
        fprintf(stderr, "pof: cannot list the folder of the programs: %s\n", strerror(errno));
        return 66;
    }
    for (struct dirent *e; (e = readdir(dir)) && n < PROGRAMS;) {
        if (strncmp(e->d_name, "pof-", 4) == 0 && !strchr(e->d_name, '\'') &&
            (names[n] = strdup(e->d_name))) {
            n++;
        }
    }
    closedir(dir);
    qsort(names, n, sizeof *names, by_name);
    fputs(usage, stdout);
    puts("\nprograms:");
    for (size_t i = 0; i < n; i++) {
        fflush(stdout);
        print_purpose(folder, names[i]);
        free(names[i]);
    }
    return 0;
}

/* Becomes the program; returns only when it cannot. */
static int run_program(const char *name, char **argv)
{
    char path[2 * PATH_ROOM];
    char folder[PATH_ROOM];
    if (strchr(name, '/')) {
        fprintf(stderr, "pof: '%s' is not a name of a program; see pof help (E301)\n", name);
        return 2;
    }
    if (own_folder(folder, sizeof folder)) {
        snprintf(path, sizeof path, "%s/pof-%s", folder, name);
        argv[0] = path;
        execv(path, argv);
    }
    snprintf(path, sizeof path, "pof-%s", name);
    argv[0] = path;
    execvp(path, argv);
    fprintf(stderr, "pof: there is no program '%s'; see pof help (E301)\n", path);
    return 2;
}

/* Before it is installed the page lies in man/ of the source tree, three folders above. */
static bool find_page(const char *name, char *to, size_t size)
{
    static const char *const places[] = {"../share/man/man1", "../../../man"};
    char folder[PATH_ROOM];
    bool found = false;
    if (own_folder(folder, sizeof folder)) {
        for (size_t i = 0; i < 2 && !found; i++) {
            int n = snprintf(to, size, "%s/%s/pof-%s.1", folder, places[i], name);
            found = (size_t)n < size && access(to, R_OK) == 0;
        }
    }
    return found;
}

static int show_manual(const char *name)
{
    char page[2 * PATH_ROOM];
    if (strchr(name, '/') || !find_page(name, page, sizeof page)) {
        snprintf(page, sizeof page, "pof-%s", name);
    }
    execlp("man", "man", page, (char *)NULL);
    execlp("mandoc", "mandoc", page, (char *)NULL);
    fprintf(stderr, "pof: neither man nor mandoc can be run: %s; the pages lie in man/ (E104)\n",
            strerror(errno));
    return 66;
}

/* A late error, such as a full disk, shows when standard output is closed. */
static int finish(int status)
{
    if (fflush(stdout) != 0 || fclose(stdout) != 0) {
        fprintf(stderr, "pof: cannot write: %s (E103)\n", strerror(errno));
        return 74;
    }
    return status;
}

int main(int argc, char **argv)
{
    const char *name = argc > 1 ? argv[1] : "";
    if (strcmp(name, "--version") == 0) {
        printf("pof (pof) %s\n", POF_VERSION);
        return finish(0);
    }
    if (strcmp(name, "help") == 0 && argc > 2) {
        return show_manual(argv[2]);
    }
    if (strcmp(name, "help") == 0 || strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0) {
        return finish(list_programs());
    }
    if (!name[0] || name[0] == '-') {
        fputs(usage, stderr);
        return 2;
    }
    return run_program(name, argv + 1);
}
