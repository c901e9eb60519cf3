/* SPDX-License-Identifier: Apache-2.0 */
/* A connection to a broker that comes back. */
#include "parts.h"

#include "io/directory.h"

#include <inttypes.h>
#include <time.h>

enum { CONNECT_MS = 10000, DELAY_MS = 100, DELAY_MAX_MS = 30000, STABLE_MS = 5000, BYE_MS = 2000 };

static int read_password(struct link *l, struct pof_err *err)
{
    const char *path = l->a->password_file;
    if (!path) {
        return 0;
    }
    if (!l->a->user) {
        return pof_fail(err, POF_E_USAGE, "--password-file needs --user");
    }
    int rc = pof_secret_read(path, POF_MQTT_TEXT_MAX, &l->password, err);
    if (rc) {
        return rc;
    }
    while (l->password.len && (l->password.data[l->password.len - 1] == '\n' ||
                               l->password.data[l->password.len - 1] == '\r')) {
        l->password.len--;
    }
    l->how.connect.password =
        (struct pof_text){l->password.data ? l->password.data : "", l->password.len};
    return 0;
}

int link_init(struct link *l, struct pof_cli *cli, const struct args *a, bool keep,
              struct pof_err *err)
{
    *l = (struct link){.cli = cli, .a = a, .delay_ms = DELAY_MS, .since_ms = pof_wire_now()};
    if (!a->broker) {
        return pof_fail(err, POF_E_USAGE, "which broker? --broker HOST:PORT");
    }
    if (a->key && !a->cert) {
        return pof_fail(err, POF_E_USAGE, "--key needs --cert");
    }
    if (a->expiry_s && !a->protocol) {
        return pof_fail(err, POF_E_USAGE, "--expiry needs --protocol 5");
    }
    l->how = (struct pof_mqtt_options){.wire = {.address = a->broker,
                                                .tls = a->tls || a->ca || a->cert,
                                                .ca = a->ca,
                                                .cert = a->cert,
                                                .key = a->key,
                                                .connect_ms = CONNECT_MS},
                                       .connect = {.client = pof_text(a->client ? a->client : ""),
                                                   .keep = keep,
                                                   .keep_alive_s = (unsigned)a->keep_alive_s,
                                                   .five = a->protocol != 0,
                                                   .expiry_s = a->expiry_s ? (uint32_t)a->expiry_s : UINT32_MAX,
                                                   .receive_max = keep ? (unsigned)a->window : 0},
                                       .max_packet = (size_t)a->max_bytes + 2 * POF_MQTT_TEXT_MAX};
    if (a->user) {
        l->how.connect.user = pof_text(a->user);
    }
    return read_password(l, err);
}

static void rest(int64_t ms)
{
    struct timespec t = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};
    while (nanosleep(&t, &t) != 0) { /* a signal that does not end the program */
    }
}

int link_lost(struct link *l, int rc, struct pof_err *err)
{
    if (l->mqtt && pof_wire_now() - l->up_ms >= STABLE_MS) {
        link_good(l);
    }
    int64_t left = l->a->give_up_s * 1000 - (pof_wire_now() - l->since_ms);
    pof_mqtt_close(l->mqtt, 0);
    l->mqtt = NULL;
    if (rc != POF_E_UNAVAILABLE || (l->a->give_up_s && left <= 0)) {
        return rc;
    }
    int64_t delay = l->a->give_up_s && left < l->delay_ms ? left : l->delay_ms;
    pof_cli_note(l->cli, "%s; again in %" PRId64 ".%" PRId64 " s", err->text, delay / 1000,
                 delay % 1000 / 100);
    *err = (struct pof_err){0};
    rest(delay);
    l->delay_ms = l->delay_ms * 2 < DELAY_MAX_MS ? l->delay_ms * 2 : DELAY_MAX_MS;
    return 0;
}

int link_up(struct link *l, struct pof_err *err)
{
    int rc = 0;
    while (rc == 0 && !l->mqtt) {
        rc = pof_mqtt_open(&l->mqtt, &l->how, err);
        rc = rc ? link_lost(l, rc, err) : 0;
    }
    l->up_ms = pof_wire_now();
    if (rc == 0 && !l->connections && l->how.connect.keep && l->how.connect.five &&
        pof_mqtt_expiry_s(l->mqtt) < l->how.connect.expiry_s) {
        pof_cli_note(l->cli, "'%s' keeps the session for %" PRIu32 " s only while nobody listens",
                     l->a->broker, pof_mqtt_expiry_s(l->mqtt));
    }
    if (rc == 0 && l->connections++ && l->how.connect.keep && !pof_mqtt_known(l->mqtt)) {
        pof_cli_warn(l->cli, "'%s' has forgotten the session: messages that waited there are lost",
                     l->a->broker);
    }
    return rc;
}

void link_good(struct link *l)
{
    l->since_ms = pof_wire_now();
    l->delay_ms = DELAY_MS;
}

void link_close(struct link *l, bool well)
{
    pof_mqtt_close(l->mqtt, well ? BYE_MS : 0);
    l->mqtt = NULL;
    pof_buf_release(&l->password);
}
