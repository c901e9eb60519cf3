/* SPDX-License-Identifier: Apache-2.0 */
/* Messages into the spool: on the disk first, then acknowledged, then handed on. */
#include "parts.h"

#include "base/base64.h"
#include "base/utf8.h"
#include "io/landing.h"
#include "record/json.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { PENDING_MAX = 1 << 20, TICK_MS = 100, SOURCE_MAX = 255, RAW_MAX = 65536 };

struct receive {
    struct link link;
    const struct args *a;
    struct pof_landing *landing;
    struct pof_sink names; /* of files handed on, a line each */
    unsigned *ids;         /* to be acknowledged when what they came with is on the disk */
    size_t n_ids, ids_cap;
    struct pof_buf line;
    int64_t seal_ms;  /* when the growing file is handed on */
    int64_t heard_ms; /* when the last message came */
    bool deaf;        /* the spool is full */
    uint64_t messages, dead, again, files;
};

/* --- one message --- */

/* Of a text, so much as fits, not ending within a character. */
static struct pof_text front(struct pof_text t, size_t max)
{
    size_t n = t.len < max ? t.len : max;
    while (n < t.len && n && ((unsigned char)t.ptr[n] & 0xc0) == 0x80) {
        n--;
    }
    return (struct pof_text){t.ptr, n};
}

/* A message that cannot be used, with the reason; what is not text as base64. */
static int bury(struct receive *r, const struct pof_mqtt_packet *p, const struct pof_err *why,
                struct pof_err *err)
{
    struct pof_buf raw = {0};
    struct pof_reject reject = {.source = front(p->topic, SOURCE_MAX),
                                .line = (int64_t)r->messages,
                                .code = -why->code,
                                .reason = pof_text(why->text)};
    bool text = pof_utf8_text(p->payload);
    int rc = 0;
    if (text) {
        reject.raw = p->payload;
    } else {
        rc = pof_base64_add(&raw, p->payload.ptr, p->payload.len, err);
        reject.raw = (struct pof_text){raw.data, raw.len};
        reject.field = pof_text("raw in base64");
        POF_SET(&reject, reject, field);
    }
    if (reject.raw.len > 0 && reject.raw.len <= RAW_MAX) {
        POF_SET(&reject, reject, raw);
    }
    r->dead++;
    r->line.len = 0;
    rc = rc ? rc : pof_record_format(&r->line, POF_reject, &reject, err);
    rc = rc ? rc : pof_landing_dead(r->landing, (struct pof_text){r->line.data, r->line.len}, err);
    pof_buf_release(&raw);
    return rc;
}

/* A JSON text on one line: line breaks can only stand between its parts. */
static int add_flat(struct pof_buf *to, struct pof_text t, struct pof_err *err)
{
    size_t from = to->len;
    int rc = pof_buf_add(to, t.ptr, t.len, err);
    for (size_t i = from; i < to->len; i++) {
        to->data[i] = to->data[i] == '\n' || to->data[i] == '\r' ? ' ' : to->data[i];
    }
    return rc;
}

static int land_json(struct receive *r, const struct pof_mqtt_packet *p, struct pof_err *err)
{
    struct pof_json_doc *doc;
    struct pof_err why = {0};
    int rc = pof_json_parse(&doc, p->payload.ptr, p->payload.len, "message", &why);
    pof_json_free(doc);
    if (rc) {
        *err = why;
        return rc == POF_E_NOMEM ? rc : bury(r, p, &why, err);
    }
    r->line.len = 0;
    if (r->a->envelope) {
        rc = pof_buf_adds(&r->line, "{\"topic\":", err);
        rc = rc ? rc : pof_json_string(&r->line, p->topic, err);
        rc = rc ? rc : pof_buf_adds(&r->line, ",\"payload\":", err);
    }
    rc = rc ? rc : add_flat(&r->line, p->payload, err);
    rc = rc || !r->a->envelope ? rc : pof_buf_adds(&r->line, "}", err);
    return rc ? rc : pof_landing_add(r->landing, (struct pof_text){r->line.data, r->line.len}, err);
}

static int land_lines(struct receive *r, const struct pof_mqtt_packet *p, struct pof_err *err)
{
    struct pof_err why;
    if (!pof_utf8_text(p->payload)) {
        pof_fail(&why, POF_E_ENCODING, "a message that is not UTF-8, or holds NUL");
        return bury(r, p, &why, err);
    }
    int rc = 0;
    for (struct pof_text t = p->payload; rc == 0 && t.len;) {
        const char *lf = memchr(t.ptr, '\n', t.len);
        size_t n = lf ? (size_t)(lf - t.ptr) : t.len;
        rc = pof_landing_add(r->landing, (struct pof_text){t.ptr, n}, err);
        n += lf != NULL;
        t = (struct pof_text){t.ptr + n, t.len - n};
    }
    return rc;
}

static int land(struct receive *r, const struct pof_mqtt_packet *p, struct pof_err *err)
{
    struct pof_err why;
    size_t size = p->payload.len + p->skip;
    r->messages++;
    r->again += p->again;
    if (p->skip || size > (size_t)r->a->max_bytes) {
        pof_fail(&why, POF_E_TOO_LONG, "a message of %zu bytes, --max-bytes allows %" PRId64, size,
                 r->a->max_bytes);
        return bury(r, p, &why, err);
    }
    if (size == 0) {
        pof_fail(&why, POF_E_MISSING, "a message without content");
        return bury(r, p, &why, err);
    }
    return r->a->form == FORM_LINES ? land_lines(r, p, err) : land_json(r, p, err);
}

/* --- what is on the disk --- */

static int tell_file(struct receive *r, const char *path, struct pof_err *err)
{
    r->line.len = 0;
    r->files++;
    int rc = pof_buf_addf(&r->line, err, "%s\n", path);
    return rc ? rc : r->names.write(r->names.ctx, r->line.data, r->line.len, err);
}

/* Everything that came is kept, and only now the broker may forget it. */
static int settle(struct receive *r, struct pof_err *err)
{
    int rc = pof_landing_sync(r->landing, err);
    for (size_t i = 0; i < r->n_ids && rc == 0 && r->link.mqtt; i++) {
        rc = pof_mqtt_ack(r->link.mqtt, r->ids[i], err);
    }
    r->n_ids = 0;
    return rc;
}

static int seal(struct receive *r, struct pof_err *err)
{
    const char *path;
    size_t files;
    int rc = settle(r, err);
    rc = rc ? rc : pof_landing_seal(r->landing, &path, err);
    rc = rc ? rc : tell_file(r, path, err);
    rc = rc ? rc : pof_landing_files(r->landing, (size_t)r->a->spool_max, &files, err);
    if (rc == 0 && files >= (size_t)r->a->spool_max) {
        pof_cli_note(r->link.cli, "%zu files wait in '%s': messages wait at the broker", files,
                     r->a->spool);
        r->deaf = true;
    }
    return rc;
}

/* Is there room again? */
static int listen_again(struct receive *r, struct pof_err *err)
{
    size_t files;
    int rc = pof_landing_files(r->landing, (size_t)r->a->spool_max, &files, err);
    r->deaf = rc == 0 && files >= (size_t)r->a->spool_max;
    return rc;
}

/* --- the stream --- */

static bool enough(const struct receive *r)
{
    return r->a->count && r->messages >= (uint64_t)r->a->count;
}

static int take(struct receive *r, const struct pof_mqtt_packet *p, struct pof_err *err)
{
    if (p->type != POF_MQTT_PUBLISH) {
        return pof_fail(err, POF_E_PROTOCOL, "'%s' acknowledges what was not sent", r->a->broker);
    }
    size_t before = pof_landing_lines(r->landing);
    int rc = land(r, p, err);
    int64_t now = pof_wire_now();
    if (before == 0) {
        r->seal_ms = now + r->a->wait_ms;
    }
    r->heard_ms = now;
    if (rc == 0 && p->qos) {
        rc = pof_grow(&r->ids, &r->ids_cap, r->n_ids + 1, sizeof *r->ids, err);
        if (rc == 0) {
            r->ids[r->n_ids++] = p->id;
        }
    }
    if (rc == 0 && pof_landing_lines(r->landing) >= (size_t)r->a->batch) {
        return seal(r, err);
    }
    return rc || pof_landing_pending(r->landing) < PENDING_MAX ? rc : settle(r, err);
}

/* What came, up to a full spool. */
static int take_all(struct receive *r, struct pof_err *err)
{
    struct pof_mqtt_packet p;
    int rc = 0;
    while (rc == 0 && !r->deaf && !enough(r)) {
        int got = pof_mqtt_next(r->link.mqtt, &p, err);
        if (got <= 0) {
            return got;
        }
        link_good(&r->link);
        rc = take(r, &p, err);
    }
    return rc;
}

/* Waits for messages; those that come together are kept together. */
static int turn(struct receive *r, struct pof_err *err)
{
    bool open = r->n_ids || pof_landing_pending(r->landing);
    int64_t wait = pof_landing_lines(r->landing) ? r->seal_ms - pof_wire_now() : TICK_MS;
    struct pof_wire_turn t = {.ms = open             ? 0
                                    : wait < TICK_MS ? wait
                                                     : TICK_MS,
                              .deaf = r->deaf,
                              .fd = -1};
    int rc = pof_mqtt_turn(r->link.mqtt, &t, err);
    rc = rc ? rc : take_all(r, err);
    if (rc == 0 && !t.heard && open) { /* the broker waits for us */
        rc = settle(r, err);
    }
    if (rc == 0 && pof_landing_lines(r->landing) && pof_wire_now() >= r->seal_ms) {
        rc = seal(r, err);
    }
    return rc || !r->deaf ? rc : listen_again(r, err);
}

static int subscribe(struct receive *r, struct pof_err *err)
{
    int rc = 0;
    for (size_t i = 0; i < r->a->topic.n && rc == 0; i++) {
        rc = pof_mqtt_subscribe(r->link.mqtt, pof_text(r->a->topic.item[i]), err);
    }
    return rc;
}

static bool is_over(const struct receive *r)
{
    return enough(r) || (r->a->idle_s && r->link.mqtt && !r->deaf &&
                         pof_wire_now() - r->heard_ms >= r->a->idle_s * 1000);
}

static int stream(struct receive *r, struct pof_err *err)
{
    int rc = 0;
    while (rc == 0 && !is_over(r)) {
        if (!r->link.mqtt) {
            r->n_ids = 0; /* the broker sends them again */
            rc = link_up(&r->link, err);
            rc = rc ? rc : subscribe(r, err);
            r->heard_ms = pof_wire_now();
        }
        rc = rc ? rc : turn(r, err);
        rc = rc ? link_lost(&r->link, rc, err) : 0;
    }
    rc = rc ? rc : settle(r, err);
    return rc || !pof_landing_lines(r->landing) ? rc : seal(r, err);
}

static int check(const struct args *a, struct pof_err *err)
{
    if (!a->spool || !a->topic.n || !a->client) {
        return pof_fail(err, POF_E_USAGE,
                        "receive needs --spool DIR, --topic FILTER and --client NAME, under which "
                        "the broker keeps messages while nobody listens");
    }
    for (size_t i = 0; i < a->topic.n; i++) {
        if (!pof_mqtt_is_filter(pof_text(a->topic.item[i]))) {
            return pof_fail(err, POF_E_USAGE, "'%.120s' is not a topic to subscribe to",
                            a->topic.item[i]);
        }
    }
    return a->envelope && a->form == FORM_LINES
               ? pof_fail(err, POF_E_USAGE, "--envelope needs --form json")
               : 0;
}

int mqtt_receive(struct pof_cli *cli, const struct args *a, struct pof_err *err)
{
    struct receive r = {.a = a};
    const char *left = "";
    int rc = check(a, err);
    rc = rc ? rc : link_init(&r.link, cli, a, true, err);
    rc = rc ? rc : pof_cli_sink(cli, NULL, &r.names, err);
    rc = rc ? rc : pof_landing_open(&r.landing, a->spool, &left, err);
    rc = rc || !left[0] ? rc : tell_file(&r, left, err);
    rc = rc ? rc : stream(&r, err);
    if (r.landing) { /* nothing was begun without a spool */
        pof_cli_note(cli,
                     "%" PRIu64 " messages, %" PRIu64 " of them perhaps again; %" PRIu64
                     " dead letters; %" PRIu64 " files handed on",
                     r.messages, r.again, r.dead, r.files);
    }
    link_close(&r.link, rc == 0);
    pof_landing_close(r.landing);
    pof_buf_release(&r.line);
    free(r.ids);
    return rc;
}
