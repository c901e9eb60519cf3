/* SPDX-License-Identifier: Apache-2.0 */
/* Options: long names match exactly, short ones may be bundled, operands may stand anywhere. */
#include "cli/options.h"

#include "num/decimal.h"
#include "num/time.h"

#include <stdlib.h>
#include <string.h>

static const char *const formats[] = {"json", "csv", NULL};
static const char *const diags[] = {"text", "json", NULL};
static const char *const when[] = {"auto", "always", "never", NULL};

#define AT(member) offsetof(struct pofi_common, member)
const struct pof_option pofi_common_options[] = {
    {"output", 'o', POF_OPT_OUTPUT, AT(output), "FILE", "write there, whole or not at all (-)", 0, 0, NULL},
    {"force", 'f', POF_OPT_FLAG, AT(force), NULL, "replace output files that exist", 0, 0, NULL},
    {"format", 0, POF_OPT_WORD, AT(format), "FORMAT", "records as json, one a line, or csv (json)", 0, 0, formats},
    {"strict", 0, POF_OPT_FLAG, AT(strict), NULL, "unknown fields are errors, warnings give status 1", 0, 0, NULL},
    {"threads", 0, POF_OPT_INT, AT(threads), "N", "threads; the result is the same for any number (1)", 1, 256, NULL},
    {"max-errors", 0, POF_OPT_INT, AT(max_errors), "N", "bad lines reported before giving up (20)", 1, 1000000, NULL},
    {"diag", 0, POF_OPT_WORD, AT(diag), "FORM", "messages as text or json (text)", 0, 0, diags},
    {"progress", 0, POF_OPT_WORD, AT(progress), "WHEN", "auto, always or never (auto: on a terminal)", 0, 0, when},
    {"now", 0, POF_OPT_INSTANT, AT(now), "TIME", "the present, where a program needs it (the clock)", 0, 0, NULL},
    {"quiet", 'q', POF_OPT_FLAG, AT(quiet), NULL, "no notes and warnings; errors always", 0, 0, NULL},
    {"verbose", 'v', POF_OPT_FLAG, AT(verbose), NULL, "say more", 0, 0, NULL},
    {"help", 'h', POF_OPT_FLAG, AT(help), NULL, "show this", 0, 0, NULL},
    {"version", 0, POF_OPT_FLAG, AT(version), NULL, "show the version", 0, 0, NULL},
    {"option-list", 0, POF_OPT_FLAG, AT(option_list), NULL, "show the options as a table for programs", 0, 0, NULL},
    {0}};
#undef AT

enum { SEEN = 128 };

struct parser {
    const struct pof_program *program;
    void *args;
    struct pofi_common *common;
    const struct pof_option *seen[SEEN]; /* options given so far */
    size_t n_seen;
};

static const struct pof_option none[] = {{0}};

static const struct pof_option *table(const struct pof_program *program)
{
    return program->options ? program->options : none;
}

static const struct pof_option *find(const struct pof_option *o, const char *name, size_t n,
                                     char letter)
{
    for (; o->name; o++) {
        if (letter ? o->letter == letter : strlen(o->name) == n && memcmp(o->name, name, n) == 0) {
            return o;
        }
    }
    return NULL;
}

/* The option and the structure its value goes to. */
static const struct pof_option *lookup(const struct parser *p, const char *name, size_t n,
                                       char letter, void **base)
{
    const struct pof_option *o = find(table(p->program), name, n, letter);
    *base = p->args;
    if (!o) {
        o = find(pofi_common_options, name, n, letter);
        *base = p->common;
    }
    return o;
}

static int bad_value(const struct pof_option *o, const char *value, const char *expected,
                     struct pof_err *err)
{
    return pof_fail(err, POF_E_USAGE, "--%s '%.80s' is not %s", o->name, value, expected);
}

static int set_number(const struct pof_option *o, const char *value, int64_t *to,
                      struct pof_err *err)
{
    bool micro = o->kind == POF_OPT_MICRO;
    int64_t unit = micro ? 1000000 : 1;
    int64_t v;
    if (!pof_decimal_parse(pof_text(value), micro ? POF_MICRO : 0, &v)) {
        return bad_value(o, value, micro ? "a decimal number" : "an integer", err);
    }
    if ((o->min || o->max) && (v < o->min * unit || v > o->max * unit)) {
        return pof_fail(err, POF_E_USAGE, "--%s '%.80s' is out of range %lld to %lld", o->name,
                        value, (long long)o->min, (long long)o->max);
    }
    *to = v;
    return 0;
}

static int set_word(const struct pof_option *o, const char *value, int *to, struct pof_err *err)
{
    int w = pof_word_of(o->words, pof_text(value));
    if (w < 0) {
        struct pof_buf list = {0};
        int rc = pof_buf_adds(&list, "one of", err);
        for (int i = 0; o->words[i] && rc == 0; i++) {
            rc = pof_buf_addf(&list, err, "%s %s", i ? "," : "", o->words[i]);
        }
        rc = rc ? rc : pof_buf_add(&list, "", 1, err);
        rc = rc ? rc : bad_value(o, value, list.data, err);
        pof_buf_release(&list);
        return rc;
    }
    *to = w;
    return 0;
}

static int add_to_list(struct pof_texts *list, const char *value, struct pof_err *err)
{
    size_t cap = list->n;
    int rc = pof_grow(&list->item, &cap, list->n + 1, sizeof *list->item, err);
    if (rc == 0) {
        list->item[list->n++] = value;
    }
    return rc;
}

static int set(struct parser *p, const struct pof_option *o, void *base, const char *value,
               struct pof_err *err)
{
    char *member = (char *)base + o->offset;
    for (size_t i = 0; i < p->n_seen; i++) {
        if (p->seen[i] == o && o->kind != POF_OPT_LIST && o->kind != POF_OPT_FLAG) {
            return pof_fail(err, POF_E_USAGE, "--%s is given twice", o->name);
        }
    }
    if (p->n_seen < SEEN) {
        p->seen[p->n_seen++] = o;
    }
    switch (o->kind) {
    case POF_OPT_FLAG: {
        bool on = value == NULL;
        memcpy(member, &on, sizeof on);
        return 0;
    }
    case POF_OPT_TEXT:
    case POF_OPT_FILE:
    case POF_OPT_OUTPUT:
        memcpy(member, &value, sizeof value);
        return 0;
    case POF_OPT_INT:
    case POF_OPT_MICRO:
        return set_number(o, value, (int64_t *)(void *)member, err);
    case POF_OPT_INSTANT:
        return pof_instant_parse(pof_text(value), (int64_t *)(void *)member)
                   ? 0
                   : bad_value(o, value, "an instant such as 2026-03-29T00:15:00Z", err);
    case POF_OPT_WORD:
        return set_word(o, value, (int *)(void *)member, err);
    case POF_OPT_LIST:
        return add_to_list((struct pof_texts *)(void *)member, value, err);
    }
    return pof_fail(err, POF_E_INTERNAL, "option '%s' has no known kind", o->name);
}

/* --name, --name=value, --name value, --no-name. *next is the word behind, *used whether it was
 * taken. */
static int parse_long(struct parser *p, const char *word, const char *next, bool *used,
                      struct pof_err *err)
{
    void *base;
    const char *equal = strchr(word, '=');
    size_t n = equal ? (size_t)(equal - word) : strlen(word);
    const struct pof_option *o = lookup(p, word, n, 0, &base);
    if (!o && n > 3 && memcmp(word, "no-", 3) == 0) {
        o = lookup(p, word + 3, n - 3, 0, &base);
        if (o && o->kind == POF_OPT_FLAG && !equal) {
            return set(p, o, base, "no", err);
        }
        o = NULL;
    }
    if (!o) {
        return pof_fail(err, POF_E_USAGE, "unknown option '--%.80s'; see %s --help", word,
                        p->program->name);
    }
    if (o->kind == POF_OPT_FLAG) {
        return equal ? pof_fail(err, POF_E_USAGE, "--%s takes no value", o->name)
                     : set(p, o, base, NULL, err);
    }
    if (equal) {
        return set(p, o, base, equal + 1, err);
    }
    if (!next) {
        return pof_fail(err, POF_E_USAGE, "--%s needs a value: %s", o->name, o->value);
    }
    *used = true;
    return set(p, o, base, next, err);
}

/* -q, -qv, -ofile, -o file. */
static int parse_short(struct parser *p, const char *letters, const char *next, bool *used,
                       struct pof_err *err)
{
    for (; *letters; letters++) {
        void *base;
        const struct pof_option *o = lookup(p, NULL, 0, *letters, &base);
        if (!o) {
            return pof_fail(err, POF_E_USAGE, "unknown option '-%c'; see %s --help", *letters,
                            p->program->name);
        }
        if (o->kind != POF_OPT_FLAG) {
            if (!letters[1] && !next) {
                return pof_fail(err, POF_E_USAGE, "-%c needs a value: %s", *letters, o->value);
            }
            *used = !letters[1];
            return set(p, o, base, letters[1] ? letters + 1 : next, err);
        }
        int rc = set(p, o, base, NULL, err);
        if (rc) {
            return rc;
        }
    }
    return 0;
}

int pofi_parse(const struct pof_program *program, int argc, char **argv, void *args,
               struct pofi_common *common, struct pof_err *err)
{
    struct parser p = {.program = program, .args = args, .common = common};
    int operands = 0;
    bool only_operands = false;
    for (int i = 1; i < argc; i++) {
        char *word = argv[i];
        const char *next = i + 1 < argc ? argv[i + 1] : NULL;
        bool used = false;
        int rc = 0;
        if (only_operands || word[0] != '-' || word[1] == '\0') {
            argv[operands++] = word;
        } else if (strcmp(word, "--") == 0) {
            only_operands = true;
        } else if (word[1] == '-') {
            rc = parse_long(&p, word + 2, next, &used, err);
        } else {
            rc = parse_short(&p, word + 1, next, &used, err);
        }
        if (rc) {
            return rc;
        }
        i += used;
    }
    return operands;
}

void pofi_release(const struct pof_option *o, void *args)
{
    for (; o && o->name; o++) {
        if (o->kind == POF_OPT_LIST) {
            struct pof_texts *list = (struct pof_texts *)(void *)((char *)args + o->offset);
            free(list->item);
            *list = (struct pof_texts){0};
        }
    }
}

static int help_option(struct pof_buf *to, const struct pof_option *o, struct pof_err *err)
{
    char left[64] = "";
    struct pof_text letter = {o->letter ? (char[]){'-', o->letter, ',', ' '} : "    ", 4};
    memcpy(left, letter.ptr, 4);
    size_t n = 4;
    const char *parts[] = {"--", o->name, o->value ? " " : "", o->value ? o->value : ""};
    for (size_t i = 0; i < 4; i++) {
        size_t len = strlen(parts[i]);
        if (n + len < sizeof left) {
            memcpy(left + n, parts[i], len);
            n += len;
        }
    }
    return pof_buf_addf(to, err, "  %-26s  %s\n", left, o->help);
}

static int help_options(struct pof_buf *to, const char *title, const struct pof_option *o,
                        struct pof_err *err)
{
    int rc = o->name ? pof_buf_addf(to, err, "\n%s\n", title) : 0;
    for (; o->name && rc == 0; o++) {
        rc = strcmp(o->name, "option-list") == 0 ? 0 : help_option(to, o, err);
    }
    return rc;
}

/* Every line of the examples, indented. */
static int help_examples(struct pof_buf *to, const char *examples, struct pof_err *err)
{
    int rc = 0;
    while (*examples && rc == 0) {
        size_t n = strcspn(examples, "\n");
        rc = pof_buf_addf(to, err, "    %.*s\n", (int)n, examples);
        examples += n + (examples[n] == '\n');
    }
    return rc;
}

int pofi_help(const struct pof_program *program, struct pof_buf *to, struct pof_err *err)
{
    int rc = help_examples(to, program->examples, err);
    rc = rc ? rc
            : pof_buf_addf(to, err, "\n%s - %s\n\nusage: %s [options]%s%s\n", program->name,
                           program->purpose, program->name, program->operands[0] ? " " : "",
                           program->operands);
    rc = rc ? rc : help_options(to, "options:", table(program), err);
    rc = rc ? rc : help_options(to, "options of every program, see pof(1):", pofi_common_options, err);
    return rc ? rc : pof_buf_addf(to, err, "\nmore: man %s\n", program->name);
}

static int list_options(struct pof_buf *to, const struct pof_option *o, struct pof_err *err)
{
    static const char *const kinds[] = {"flag", "text", "file", "output", "int",
                                        "decimal", "instant", "word", "list"};
    int rc = 0;
    for (; o->name && rc == 0; o++) {
        char letter[2] = {o->letter, '\0'};
        rc = pof_buf_addf(to, err, "%s\t%s\t%s\t%s\t%s\n", o->name, letter, kinds[o->kind],
                          o->value ? o->value : "", o->help);
    }
    return rc;
}

int pofi_option_list(const struct pof_program *program, struct pof_buf *to, struct pof_err *err)
{
    int rc = list_options(to, table(program), err);
    return rc ? rc : list_options(to, pofi_common_options, err);
}
