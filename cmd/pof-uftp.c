/* SPDX-License-Identifier: Apache-2.0 */
/* pof-uftp: messages of the USEF flexibility trading protocol, checked, read and written. */
#include "cli/cli.h"
#include "io/file.h"
#include "market/uftp.h"
#include "num/sha256.h"

#include <stddef.h>
#include <stdlib.h>

struct args {
    const char *session, *offers, *into, *sender, *recipient, *area, *zone;
    int64_t expires;
    bool check;
};

#define AT(member) offsetof(struct args, member)
static const struct pof_option options[] = {
    {"session", 's', POF_OPT_TEXT, AT(session), "ID", "read: session of the records", 0, 0, NULL},
    {"offers", 0, POF_OPT_FILE, AT(offers), "FILE", "offers that orders, awards and revocations are about", 0, 0, NULL},
    {"check", 0, POF_OPT_FLAG, AT(check), NULL, "check messages and write no records", 0, 0, NULL},
    {"into", 0, POF_OPT_TEXT, AT(into), "DIR", "write records as messages into this directory", 0, 0, NULL},
    {"sender", 0, POF_OPT_TEXT, AT(sender), "DOMAIN", "write: who sends (the buyer or seller)", 0, 0, NULL},
    {"recipient", 0, POF_OPT_TEXT, AT(recipient), "DOMAIN", "write: who receives", 0, 0, NULL},
    {"area", 0, POF_OPT_TEXT, AT(area), "ENTITY", "write: what entity addresses begin with, before the colon", 0, 0, NULL},
    {"zone", 'z', POF_OPT_TEXT, AT(zone), "ZONE", "time zone of the market (Europe/Berlin)", 0, 0, NULL},
    {"expires", 0, POF_OPT_INSTANT, AT(expires), "TIME", "write: messages are valid until then (begin of their first ISP)", 0, 0, NULL},
    {0}};
#undef AT

static const struct pof_program program = {
    .name = "pof-uftp",
    .purpose = "check, read and write messages of the USEF flexibility trading protocol",
    .operands = "[FILE ...]",
    .examples = "pof-uftp --session 2026-03-10-DA FlexRequest.xml FlexOffer.xml\n"
                "    pof-uftp --into DIR --recipient agr.example --area ea1.2026-11.dso.example \\\n"
                "        requests.jsonl",
    .options = options};

/* Records of one type, kept. */
struct list {
    void *at;
    size_t n, cap;
};

struct job {
    struct pof_cli *cli;
    const struct args *args;
    struct pof_uftp_reader reader;
    struct pof_uftp_writer writer;
    struct list offers, awards, revocations, settlements;
    struct list known; /* of --offers */
    struct pof_uftp_offers offers_known;
    struct pof_arena arena;
};

static int keep(struct job *j, struct list *to, enum pof_type type, const void *record, struct pof_err *err)
{
    size_t size = pof_layout(type)->size;
    int rc = pof_grow(&to->at, &to->cap, to->n + 1, size, err);
    rc = rc ? rc : pof_record_copy(type, record, (char *)to->at + to->n * size, &j->arena, err);
    to->n += rc == 0;
    return rc;
}

static void say_counts(struct job *j, const struct pof_uftp_counts *n)
{
    pof_cli_note(j->cli, "%llu FlexRequest, %llu FlexOffer, %llu FlexOfferRevocation, %llu FlexOrder, %llu "
                 "FlexSettlement; %llu messages with a violation", (unsigned long long)n->sound[POF_UFTP_REQUEST],
                 (unsigned long long)n->sound[POF_UFTP_OFFER], (unsigned long long)n->sound[POF_UFTP_REVOCATION],
                 (unsigned long long)n->sound[POF_UFTP_ORDER], (unsigned long long)n->sound[POF_UFTP_SETTLEMENT],
                 (unsigned long long)n->unsound);
    for (int i = 0; i < POF_UFTP_LOSTS; i++) {
        if (n->lost[i]) {
            pof_cli_note(j->cli, "%llu %s", (unsigned long long)n->lost[i],
                         pof_uftp_lost_text((enum pof_uftp_lost)i));
        }
    }
}

static int take_known(void *ctx, const struct pof_record *r, struct pof_err *err)
{
    struct job *j = ctx;
    return keep(j, &j->known, POF_offer, &r->u.offer, err);
}

static int read_known(struct job *j, struct pof_err *err)
{
    static const struct pof_want want = {POF_offer, take_known};
    int rc = j->args->offers ? pof_cli_read_files(j->cli, &j->args->offers, 1, &want, 1, j, err) : 0;
    j->offers_known = (struct pof_uftp_offers){j->known.at, j->known.n};
    pof_uftp_offers_sort(&j->offers_known);
    return rc;
}

static int find_zone(const struct args *a, enum pof_zone *zone, struct pof_err *err)
{
    return pof_zone_parse(pof_text(a->zone), zone) && a->zone[0] == 'E' && a->zone[1] == 'u'
               ? 0
               : pof_fail(err, POF_E_USAGE, "--zone '%.60s' is not a European zone such as Europe/Rome", a->zone);
}

/* --- messages to records --- */

static int on_request(void *ctx, const struct pof_request *r, struct pof_err *err)
{
    return pof_writer_put(pof_cli_out(((struct job *)ctx)->cli), POF_request, r, err);
}

static int on_offer(void *ctx, const struct pof_offer *o, struct pof_err *err)
{
    return pof_writer_put(pof_cli_out(((struct job *)ctx)->cli), POF_offer, o, err);
}

static int on_award(void *ctx, const struct pof_award *a, struct pof_err *err)
{
    return pof_writer_put(pof_cli_out(((struct job *)ctx)->cli), POF_award, a, err);
}

static int on_revocation(void *ctx, const struct pof_revocation *r, struct pof_err *err)
{
    return pof_writer_put(pof_cli_out(((struct job *)ctx)->cli), POF_revocation, r, err);
}

static int on_settlement(void *ctx, const struct pof_settlement *s, struct pof_err *err)
{
    return pof_writer_put(pof_cli_out(((struct job *)ctx)->cli), POF_settlement, s, err);
}

static void on_problem(void *ctx, const struct pof_err *problem)
{
    pof_cli_report(((struct job *)ctx)->cli, problem);
}

static int read_file(struct job *j, const char *path, struct pof_err *err)
{
    char *data = NULL;
    size_t len = 0;
    int rc = pof_cli_slurp(j->cli, path, &data, &len, err);
    rc = rc ? rc : pof_uftp_read(&j->reader, (struct pof_text){data, len}, path, err);
    free(data);
    return rc;
}

static int read_messages(struct job *j, struct pof_err *err)
{
    const char *const *paths;
    size_t n = pof_cli_operands(j->cli, &paths);
    if (!j->args->session && !j->args->check) {
        return pof_fail(err, POF_E_USAGE, "name the session of the records by --session, or only --check");
    }
    j->reader = (struct pof_uftp_reader){.session = pof_text(j->args->session ? j->args->session : ""),
                                         .request = j->args->check ? NULL : on_request,
                                         .offer = j->args->check ? NULL : on_offer,
                                         .offers = j->args->offers && !j->args->check ? &j->offers_known : NULL,
                                         .settlement = j->args->check ? NULL : on_settlement,
                                         .award = on_award,
                                         .revocation = on_revocation,
                                         .problem = on_problem,
                                         .ctx = j};
    int rc = find_zone(j->args, &j->reader.zone, err);
    rc = rc ? rc : read_known(j, err);
    rc = rc || n ? rc : read_file(j, "-", err);
    for (size_t i = 0; i < n && rc == 0; i++) {
        rc = read_file(j, paths[i], err);
    }
    if (rc == 0) {
        say_counts(j, &j->reader.counts);
    }
    return rc;
}

/* --- records to messages --- */

static int make_uuid(void *ctx, struct pof_text name, char to[POF_UUID_MAX], struct pof_err *err)
{
    static const char program_name[] = "pof-uftp ";
    struct pof_sha256 h;
    uint8_t digest[POF_SHA256_BYTES];
    (void)ctx, (void)err;
    pof_sha256_init(&h);
    pof_sha256_add(&h, program_name, sizeof program_name - 1);
    pof_sha256_add(&h, name.ptr, name.len);
    pof_sha256_end(&h, digest);
    pof_sha256_uuid(digest, to);
    return 0;
}

/* Each message is a file of its own, closed at once: there may be more of them than files that may be open. The
 * name tells the content but for its time, so one that is there already is replaced. */
static int on_message(void *ctx, const char *kind, const char *uuid, struct pof_text xml, struct pof_err *err)
{
    struct job *j = ctx;
    struct pof_buf path = {0};
    struct pof_output *out = NULL;
    int rc = pof_buf_addf(&path, err, "%s/%s-%s.xml%c", j->args->into, kind, uuid, '\0');
    rc = rc ? rc : pof_output_open(&out, path.data, true, err);
    if (rc == 0) {
        struct pof_sink sink = pof_output_sink(out);
        rc = sink.write(sink.ctx, xml.ptr, xml.len, err);
    }
    if (rc == 0) {
        rc = pof_output_commit(out, err);
    } else {
        pof_output_abort(out);
    }
    pof_buf_release(&path);
    return rc;
}

static int take_request(void *ctx, const struct pof_record *r, struct pof_err *err)
{
    return pof_uftp_write_request(&((struct job *)ctx)->writer, &r->u.request, err);
}

static int take_kept(void *ctx, const struct pof_record *r, struct pof_err *err)
{
    struct job *j = ctx;
    struct list *to = r->type == POF_offer   ? &j->offers
                      : r->type == POF_award ? &j->awards
                      : r->type == POF_revocation ? &j->revocations : &j->settlements;
    return keep(j, to, r->type, &r->u, err);
}

/* An outcome orders what is left of its award. */
static int take_outcome(void *ctx, const struct pof_record *r, struct pof_err *err)
{
    struct job *j = ctx;
    const struct pof_outcome *o = &r->u.outcome;
    const struct pof_award a = {.id = o->award, .session = o->session, .request = o->request, .offer = o->offer,
                                .pod = o->pod, .node = o->node, .buyer = o->buyer, .role = o->role, .seller = o->seller,
                                .direction = o->direction, .start = o->start, .duration_s = o->duration_s,
                                .p_w = o->p_w, .price_ueur_mwh = o->price_ueur_mwh};
    j->writer.counts.lost[POF_UFTP_LOST_NONE] += o->p_w == 0;
    return o->p_w ? keep(j, &j->awards, POF_award, &a, err) : 0;
}

static int write_all(struct job *j, struct pof_err *err)
{
    struct pof_uftp_writer *w = &j->writer;
    int rc = pof_uftp_write_offers(w, j->offers.at, j->offers.n, err);
    rc = rc ? rc : pof_uftp_write_orders(w, j->awards.at, j->awards.n, &j->offers_known, err);
    rc = rc ? rc : pof_uftp_write_revocations(w, j->revocations.at, j->revocations.n, &j->offers_known, err);
    return rc ? rc : pof_uftp_write_settlements(w, j->settlements.at, j->settlements.n, err);
}

static int write_messages(struct job *j, struct pof_err *err)
{
    static const struct pof_want wants[] = {{POF_request, take_request},
                                            {POF_offer, take_kept},
                                            {POF_award, take_kept},
                                            {POF_outcome, take_outcome},
                                            {POF_revocation, take_kept},
                                            {POF_settlement, take_kept}};
    const struct args *a = j->args;
    if (!a->recipient || !a->area) {
        return pof_fail(err, POF_E_USAGE, "--into needs --recipient and --area");
    }
    j->writer = (struct pof_uftp_writer){.sender = pof_text(a->sender ? a->sender : ""),
                                         .recipient = pof_text(a->recipient),
                                         .area = pof_text(a->area),
                                         .zone_name = a->zone,
                                         .now = pof_cli_now(j->cli),
                                         .expires = a->expires,
                                         .uuid = make_uuid,
                                         .message = on_message,
                                         .ctx = j};
    int rc = find_zone(a, &j->writer.zone, err);
    rc = rc ? rc : pof_uftp_writer_check(&j->writer, err);
    rc = rc ? rc : read_known(j, err);
    rc = rc ? rc : pof_cli_read(j->cli, wants, sizeof wants / sizeof *wants, j, err);
    rc = rc ? rc : write_all(j, err);
    if (rc == 0) {
        say_counts(j, &j->writer.counts);
    }
    return rc;
}

static int run(struct pof_cli *cli, void *args, struct pof_err *err)
{
    struct job j = {.cli = cli, .args = args};
    int rc = j.args->into ? write_messages(&j, err) : read_messages(&j, err);
    pof_arena_release(&j.arena);
    free(j.offers.at);
    free(j.awards.at);
    free(j.revocations.at);
    free(j.settlements.at);
    free(j.known.at);
    return rc;
}

int main(int argc, char **argv)
{
    struct args args = {.expires = INT64_MIN, .zone = "Europe/Berlin"};
    return pof_main(&program, argc, argv, &args, run);
}
