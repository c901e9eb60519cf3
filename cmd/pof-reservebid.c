/* SPDX-License-Identifier: Apache-2.0 */
/* pof-reservebid: bids for balancing markets (ReserveBid_MarketDocument), checked, read and written. */
#include "cli/cli.h"
#include "market/reserve_bid.h"

#include <stddef.h>
#include <stdlib.h>

struct args {
    const char *session, *pods, *sender, *receiver, *domain, *scheme, *resource_scheme, *process;
    bool check, write;
};

#define AT(member) offsetof(struct args, member)
static const struct pof_option options[] = {
    {"session", 's', POF_OPT_TEXT, AT(session), "ID", "read: session of the records", 0, 0, NULL},
    {"pods", 'p', POF_OPT_FILE, AT(pods), "FILE", "read: pod records that say at which nodes resources are", 0, 0, NULL},
    {"check", 0, POF_OPT_FLAG, AT(check), NULL, "check documents and write no records", 0, 0, NULL},
    {"write", 'w', POF_OPT_FLAG, AT(write), NULL, "offer records to a document", 0, 0, NULL},
    {"receiver", 0, POF_OPT_TEXT, AT(receiver), "CODE", "write: who receives", 0, 0, NULL},
    {"domain", 0, POF_OPT_TEXT, AT(domain), "CODE", "write: area of the market", 0, 0, NULL},
    {"sender", 0, POF_OPT_TEXT, AT(sender), "CODE", "write: who sends (the seller)", 0, 0, NULL},
    {"scheme", 0, POF_OPT_TEXT, AT(scheme), "SCHEME", "write: coding scheme of these three (A01, EIC)", 0, 0, NULL},
    {"resource-scheme", 0, POF_OPT_TEXT, AT(resource_scheme), "SCHEME", "write: coding scheme of pods (A01)", 0, 0, NULL},
    {"process", 0, POF_OPT_TEXT, AT(process), "CODE", "write: type of process (A47, manual frequency restoration)", 0, 0, NULL},
    {0}};
#undef AT

static const struct pof_program program = {
    .name = "pof-reservebid",
    .purpose = "check, read and write bids for balancing markets",
    .operands = "[FILE ...]",
    .examples = "pof-reservebid --session 2026-03-10-DA --pods pods.jsonl bids.xml > offers.jsonl\n"
                "    pof-reservebid --write --receiver 10X1001A1001A264 --domain 10YFI-1--------U offers.jsonl",
    .options = options};

struct job {
    struct pof_cli *cli;
    const struct args *args;
    struct pof_names pods;
    struct pof_text *node; /* by number of pod */
    size_t node_cap;
    struct pof_offer *offer;
    size_t offers, offer_cap;
    struct pof_arena arena;
};

/* --- documents to records --- */

static int take_pod(void *ctx, const struct pof_record *r, struct pof_err *err)
{
    struct job *j = ctx;
    uint32_t id = 0;
    size_t before = j->pods.n;
    int rc = pof_names_add(&j->pods, r->u.pod.pod, &id, err);
    if (rc == 0 && j->pods.n == before) {
        return pof_fail(err, POF_E_DUPLICATE, "pod '%s' is given twice", j->pods.text[id].ptr);
    }
    rc = rc ? rc : pof_grow(&j->node, &j->node_cap, j->pods.n, sizeof *j->node, err);
    char *copy = rc ? NULL : pof_arena_text(&j->arena, r->u.pod.node.ptr, r->u.pod.node.len, err);
    if (!copy) {
        return rc ? rc : (int)err->code;
    }
    j->node[id] = (struct pof_text){copy, r->u.pod.node.len};
    return 0;
}

static bool node_of(void *ctx, struct pof_text pod, struct pof_text *node)
{
    const struct job *j = ctx;
    uint32_t id = pof_names_find(&j->pods, pod);
    if (id != POF_NONE) {
        *node = j->node[id];
    }
    return id != POF_NONE;
}

static int on_offer(void *ctx, const struct pof_offer *o, struct pof_err *err)
{
    return pof_writer_put(pof_cli_out(((struct job *)ctx)->cli), POF_offer, o, err);
}

static int on_revocation(void *ctx, const struct pof_revocation *r, struct pof_err *err)
{
    return pof_writer_put(pof_cli_out(((struct job *)ctx)->cli), POF_revocation, r, err);
}

static void on_problem(void *ctx, const struct pof_err *problem)
{
    pof_cli_report(((struct job *)ctx)->cli, problem);
}

static void say_read(struct job *j, const struct pof_reserve_counts *n)
{
    pof_cli_note(j->cli, "%llu bids, %llu of them withdrawn; %llu with a violation", (unsigned long long)n->sound,
                 (unsigned long long)n->withdrawn, (unsigned long long)n->unsound);
    if (n->in_part) {
        pof_cli_note(j->cli, "%llu blocks could be taken in part; they are whole or not at all",
                     (unsigned long long)n->in_part);
    }
    if (n->told) {
        pof_cli_note(j->cli, "%llu elements, first %s, say what an offer does not", (unsigned long long)n->told,
                     n->first_told);
    }
}

static int read_documents(struct job *j, struct pof_err *err)
{
    static const struct pof_want want = {POF_pod, take_pod};
    static const char *const standard_input = "-";
    const struct args *a = j->args;
    const char *const *paths;
    size_t n = pof_cli_operands(j->cli, &paths);
    if (!a->session && !a->check) {
        return pof_fail(err, POF_E_USAGE, "name the session of the records by --session, or only --check");
    }
    struct pof_reserve_reader reader = {.session = pof_text(a->session ? a->session : ""),
                                        .offer = a->check ? NULL : on_offer,
                                        .revocation = on_revocation,
                                        .node = a->pods ? node_of : NULL,
                                        .problem = on_problem,
                                        .ctx = j};
    int rc = a->pods ? pof_cli_read_files(j->cli, &a->pods, 1, &want, 1, j, err) : 0;
    for (size_t i = 0; i < (n ? n : 1) && rc == 0; i++) {
        struct pof_source src;
        rc = pof_cli_source(j->cli, n ? paths[i] : standard_input, &src, err);
        rc = rc ? rc : pof_reserve_read(&reader, &src, err);
    }
    if (rc == 0) {
        say_read(j, &reader.counts);
    }
    return rc;
}

/* --- records to a document --- */

static int take_offer(void *ctx, const struct pof_record *r, struct pof_err *err)
{
    struct job *j = ctx;
    int rc = pof_grow(&j->offer, &j->offer_cap, j->offers + 1, sizeof *j->offer, err);
    rc = rc ? rc : pof_record_copy(POF_offer, &r->u.offer, &j->offer[j->offers], &j->arena, err);
    j->offers += rc == 0;
    return rc;
}

static int write_document(struct job *j, struct pof_err *err)
{
    static const struct pof_want want = {POF_offer, take_offer};
    const struct args *a = j->args;
    struct pof_buf xml = {0};
    struct pof_sink out;
    if (!a->receiver || !a->domain) {
        return pof_fail(err, POF_E_USAGE, "--write needs --receiver and --domain");
    }
    struct pof_reserve_writer w = {.sender = pof_text(a->sender ? a->sender : ""),
                                   .receiver = pof_text(a->receiver),
                                   .domain = pof_text(a->domain),
                                   .scheme = pof_text(a->scheme),
                                   .resource_scheme = pof_text(a->resource_scheme),
                                   .process = pof_text(a->process),
                                   .now = pof_cli_now(j->cli)};
    int rc = pof_reserve_writer_check(&w, err);
    rc = rc ? rc : pof_cli_read(j->cli, &want, 1, j, err);
    rc = rc ? rc : pof_reserve_write(&w, j->offer, j->offers, &xml, err);
    rc = rc ? rc : pof_cli_sink(j->cli, NULL, &out, err);
    rc = rc ? rc : out.write(out.ctx, xml.data, xml.len, err);
    pof_buf_release(&xml);
    if (rc == 0) {
        pof_cli_note(j->cli, "%zu offers in %llu bids; their nodes are not in the document", j->offers,
                     (unsigned long long)w.bids);
    }
    if (rc == 0 && w.received) {
        pof_cli_note(j->cli, "%llu offers came in at another time than --now, the document's own",
                     (unsigned long long)w.received);
    }
    return rc;
}

static int run(struct pof_cli *cli, void *args, struct pof_err *err)
{
    struct job j = {.cli = cli, .args = args};
    int rc = j.args->write ? write_document(&j, err) : read_documents(&j, err);
    pof_names_release(&j.pods);
    pof_arena_release(&j.arena);
    free(j.node);
    free(j.offer);
    return rc;
}

int main(int argc, char **argv)
{
    struct args args = {.scheme = "A01", .resource_scheme = "A01", .process = "A47"};
    return pof_main(&program, argc, argv, &args, run);
}
