/* SPDX-License-Identifier: Apache-2.0 */
/* Messages from an MQTT broker into a spool, and lines to a broker, none of them lost. */
#include "pof-mqtt/parts.h"

#include <stddef.h>
#include <string.h>

static const char *const protocols[] = {"3.1.1", "5", NULL};
static const char *const forms[] = {"json", "lines", NULL};

#define AT(member) offsetof(struct args, member)
static const struct pof_option options[] = {
    {"broker", 0, POF_OPT_TEXT, AT(broker), "HOST:PORT", "where the broker is", 0, 0, NULL},
    {"topic", 0, POF_OPT_LIST, AT(topic), "TOPIC",
     "receive: what to subscribe to, may be given several times; send: where to publish", 0, 0,
     NULL},
    {"client", 0, POF_OPT_TEXT, AT(client), "NAME",
     "receive: under which the broker keeps messages while nobody listens; send: optional", 0, 0,
     NULL},
    {"spool", 0, POF_OPT_FILE, AT(spool), "DIR", "receive: directory in which messages land", 0, 0,
     NULL},
    {"protocol", 0, POF_OPT_WORD, AT(protocol), "VERSION", "of MQTT: 3.1.1 or 5 (3.1.1)", 0, 0, protocols},
    {"user", 0, POF_OPT_TEXT, AT(user), "NAME", "user name (none)", 0, 0, NULL},
    {"password-file", 0, POF_OPT_FILE, AT(password_file), "FILE",
     "file with the password, readable by its owner only", 0, 0, NULL},
    {"tls", 0, POF_OPT_FLAG, AT(tls), NULL, "speak TLS; --ca and --cert say so too", 0, 0, NULL},
    {"ca", 0, POF_OPT_FILE, AT(ca), "FILE",
     "authorities that may have signed the broker's certificate (those of the system)", 0, 0, NULL},
    {"cert", 0, POF_OPT_FILE, AT(cert), "FILE", "the client's certificate (none)", 0, 0, NULL},
    {"key", 0, POF_OPT_FILE, AT(key), "FILE", "its key, when it is in another file", 0, 0, NULL},
    {"keep-alive", 0, POF_OPT_INT, AT(keep_alive_s), "S",
     "longest silence before the broker counts as gone; 0: any (30)", 0, 65535, NULL},
    {"give-up", 0, POF_OPT_INT, AT(give_up_s), "S",
     "end when the broker is away so long; 0: never (60)", 0, 1000000000, NULL},
    {"batch", 0, POF_OPT_INT, AT(batch), "N",
     "receive: lines after which a file is handed on (1000)", 1, 1000000, NULL},
    {"wait", 0, POF_OPT_INT, AT(wait_ms), "MS",
     "receive: milliseconds after its first line when it is at the latest (100)", 0, 86400000,
     NULL},
    {"spool-max", 0, POF_OPT_INT, AT(spool_max), "N",
     "receive: files that may wait; with more, messages wait at the broker (1000)", 1, 1000000,
     NULL},
    {"max-bytes", 0, POF_OPT_INT, AT(max_bytes), "N", "longest message (1048576)", 1, 268000000,
     NULL},
    {"form", 0, POF_OPT_WORD, AT(form), "FORM",
     "receive: json: a message is a JSON text; lines: text of one or more lines (json)", 0, 0,
     forms},
    {"envelope", 0, POF_OPT_FLAG, AT(envelope), NULL,
     "receive: lines are {\"topic\":..., \"payload\":...}", 0, 0, NULL},
    {"count", 0, POF_OPT_INT, AT(count), "N", "receive: end after N messages; 0: never (0)", 0,
     INT64_MAX, NULL},
    {"idle", 0, POF_OPT_INT, AT(idle_s), "S",
     "receive: end when no message came for S seconds; 0: never (0)", 0, 1000000000, NULL},
    {"window", 0, POF_OPT_INT, AT(window), "N",
     "messages on the way, not yet acknowledged; receive: with MQTT 5 (100)", 1, 65535, NULL},
    {"expiry", 0, POF_OPT_INT, AT(expiry_s), "S",
     "receive: MQTT 5: how long the broker keeps a session nobody uses; 0: for ever (0)", 0, 4294967294, NULL},
    {"join", 0, POF_OPT_INT, AT(join), "N",
     "send: up to N lines that are there make one message (1)", 1, 1000000, NULL},
    {0}};

static const struct pof_program program = {
    .name = "pof-mqtt",
    .purpose = "messages from an MQTT broker into a spool, and lines to a broker",
    .operands = "receive|send",
    .examples = "pof-mqtt receive --broker localhost:1883 --client scd --topic 'pof/v1/ln/+/meas' "
                "--spool in\n"
                "pof-mqtt send --broker localhost:1883 --topic pof/v1/results < results.jsonl",
    .options = options};

static int run(struct pof_cli *cli, void *args, struct pof_err *err)
{
    const char *const *operand;
    size_t n = pof_cli_operands(cli, &operand);
    if (n == 1 && strcmp(operand[0], "receive") == 0) {
        return mqtt_receive(cli, args, err);
    }
    if (n == 1 && strcmp(operand[0], "send") == 0) {
        return mqtt_send(cli, args, err);
    }
    return pof_fail(err, POF_E_USAGE, "expected %s; see pof-mqtt --help", program.operands);
}

int main(int argc, char **argv)
{
    struct args args = {.keep_alive_s = 30,
                        .give_up_s = 60,
                        .batch = 1000,
                        .wait_ms = 100,
                        .spool_max = 1000,
                        .max_bytes = 1 << 20,
                        .window = 100,
                        .join = 1};
    return pof_main(&program, argc, argv, &args, run);
}
