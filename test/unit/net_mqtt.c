/* SPDX-License-Identifier: Apache-2.0 */
/* MQTT: packets cut anywhere, and brokers that say no, say nonsense, say nothing or never end. */
#include "net/mqtt.h"

#include "tap.h"

#include <arpa/inet.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { MAX = 200000 };

static const struct pof_mqtt_reading plain = {MAX, false};
static const struct pof_mqtt_reading five = {MAX, true};

/* --- packets --- */

/* What the first n bytes are, for every n. */
static bool cut_anywhere(struct pof_text whole, struct pof_mqtt_reading how)
{
    struct pof_mqtt_packet p;
    const char *why;
    for (size_t n = 0; n < whole.len; n++) {
        char *copy = malloc(n + 1); /* of its own size, so that a sanitizer sees a step too far */
        memcpy(copy, whole.ptr, n);
        enum pof_mqtt_parse what = pof_mqtt_parse((struct pof_text){copy, n}, how, &p, &why);
        free(copy);
        if (what != POF_MQTT_MORE) {
            return false;
        }
    }
    return pof_mqtt_parse(whole, how, &p, &why) == POF_MQTT_WHOLE && p.used == whole.len;
}

static void packets(void)
{
    struct pof_err err = {0};
    struct pof_buf b = {0};
    struct pof_mqtt_packet p;
    const char *why;
    static char payload[3000];
    memset(payload, 'x', sizeof payload);
    const size_t sizes[] = {0, 1, 100, 127 - 7, 128 - 7, 3000};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        struct pof_mqtt_message m = {
            .topic = pof_text("a/b"), .payload = {payload, sizes[i]}, .id = 0x1234, .again = i & 1, .five = i & 1};
        struct pof_mqtt_reading how = m.five ? five : plain;
        b.len = 0;
        bool good =
            pof_mqtt_put_publish(&b, &m, &err) == 0 &&
            cut_anywhere((struct pof_text){b.data, b.len}, how) &&
            pof_mqtt_parse((struct pof_text){b.data, b.len}, how, &p, &why) == POF_MQTT_WHOLE &&
            p.id == m.id && p.again == m.again && p.qos == 1 && pof_text_eq(p.topic, m.topic) &&
            pof_text_eq(p.payload, m.payload) && p.skip == 0;
        ok(good, "a message of %zu bytes goes there and back", sizes[i]);
    }
    /* Section 3.1 of the standard, by hand: keep alive 60 s, client "c", user "u", password "p". */
    static const char connect[] = "\x10\x13\0\4MQTT\4\xc0\0\x3c\0\1c\0\1u\0\1p";
    struct pof_mqtt_connect c = {.client = pof_text("c"),
                                 .user = pof_text("u"),
                                 .password = pof_text("p"),
                                 .keep = true,
                                 .keep_alive_s = 60};
    b.len = 0;
    ok(pof_mqtt_put_connect(&b, &c, &err) == 0 && b.len == sizeof connect - 1 &&
           memcmp(b.data, connect, b.len) == 0,
       "a client presents itself byte for byte");
    c = (struct pof_mqtt_connect){.client = pof_text("c"), .keep_alive_s = 0};
    b.len = 0;
    ok(pof_mqtt_put_connect(&b, &c, &err) == 0 &&
           memcmp(b.data, "\x10\x0d\0\4MQTT\4\2\0\0\0\1c", 15) == 0,
       "without user, and a session that ends");
    b.len = 0;
    ok(pof_mqtt_put_subscribe(&b, 7, pof_text("a/#"), false, &err) == 0 && b.len == 10 &&
           memcmp(b.data, "\x82\x08\0\7\0\3a/#\1", 10) == 0,
       "a subscription");
    static char name[POF_MQTT_TEXT_MAX + 1];
    memset(name, 'n', sizeof name);
    is_int(pof_mqtt_put_subscribe(&b, 1, (struct pof_text){name, sizeof name}, false, &err), POF_E_RANGE,
           "a topic that is too long");
    pof_buf_release(&b);
}

static void bad_packets(void)
{
    static const struct {
        const char *bytes;
        size_t n;
        const char *what;
    } bad[] = {
#define BAD(text, what) {text, sizeof text - 1, what}
        BAD("HTTP/1.1 400 Bad Request\r\n", "HTTP"),
        BAD("\x15\x03\x03\0\2\2\x32", "a word of TLS"),
        BAD("\x30\xff\xff\xff\xff\x01", "a length of five bytes"),
        BAD("\x34\x05\0\1a\0\1", "quality 2"),
        BAD("\x36\x05\0\1a\0\1", "quality 3"),
        BAD("\x32\x04\0\5ab", "a topic longer than the packet"),
        BAD("\x32\x03\0\1a", "no room for a number"),
        BAD("\x32\x05\0\1a\0\0", "number 0"),
        BAD("\x30\x02\0\0", "no topic"),
        BAD("\x30\x01\0", "half a topic length"),
        BAD("\x30\x05\0\3a/+", "a topic with a wildcard"),
        BAD("\x30\x04\0\2a\0", "a topic with NUL"),
        BAD("\x30\x04\0\2\xc3(", "a topic that is not UTF-8"),
        BAD("\x40\x03\0\1\0", "an acknowledgement of three bytes"),
        BAD("\x41\x02\0\1", "reserved flags"),
        BAD("\x40\x02\0\0", "an acknowledgement of nothing"),
        BAD("\x20\x02\2\0", "reserved flags of a welcome"),
        BAD("\xd0\x01x", "a pong with content"),
        BAD("\0\0", "type 0"),
        BAD("\xf0\0", "type 15"),
        BAD("\x82\x08\0\7\0\3a/#\1", "a packet of a client"),
#undef BAD
    };
    struct pof_mqtt_packet p;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        const char *why = NULL;
        enum pof_mqtt_parse what =
            pof_mqtt_parse((struct pof_text){bad[i].bytes, bad[i].n}, plain, &p, &why);
        ok(what == POF_MQTT_BAD && why, "refused: %s", bad[i].what);
    }
    const char *why;
    static const char giant[] = "\x32\xff\xff\xff\x7f\0\1a\0\7zz";
    ok(pof_mqtt_parse((struct pof_text){giant, sizeof giant - 1}, plain, &p, &why) ==
               POF_MQTT_WHOLE &&
           p.used == 10 && p.skip == POF_MQTT_BODY_MAX - 5 && p.id == 7,
       "a message that is too long is told from its first bytes");
    ok(pof_mqtt_is_filter(pof_text("a/+/#")) && pof_mqtt_is_filter(pof_text("#")) &&
           !pof_mqtt_is_filter(pof_text("a/b#")) && !pof_mqtt_is_filter(pof_text("a+/b")) &&
           !pof_mqtt_is_filter(pof_text("#/a")) && !pof_mqtt_is_filter(pof_text("")),
       "wildcards stand alone");
}

/* --- brokers --- */

struct broker {
    pid_t pid;
    char address[32];
    bool five; /* is asked by MQTT 5 */
};

/* One that answers the first bytes of a client with these, then with `endless` zeros, and then
 * waits or leaves. */
struct answer {
    const char *bytes;
    size_t n;
    size_t endless;
    bool leaves;
};

static void serve(int fd, const struct answer *a)
{
    static char some[65536];
    int c = accept(fd, NULL, NULL);
    if (recv(c, some, sizeof some, 0) < 0 || (a->n && send(c, a->bytes, a->n, MSG_NOSIGNAL) < 0)) {
        _exit(1);
    }
    memset(some, 0, sizeof some);
    for (size_t sent = 0; sent < a->endless;) {
        ssize_t n = send(c, some, sizeof some, MSG_NOSIGNAL);
        if (n < 0) {
            _exit(1);
        }
        sent += (size_t)n;
    }
    while (!a->leaves) {
        pause();
    }
    close(c);
    _exit(0);
}

static struct broker start(const struct answer *a)
{
    struct broker b = {0};
    struct sockaddr_in in = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof in;
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    if (fd < 0 || bind(fd, (struct sockaddr *)&in, size) || listen(fd, 1) ||
        getsockname(fd, (struct sockaddr *)&in, &size)) {
        return b;
    }
    snprintf(b.address, sizeof b.address, "127.0.0.1:%d", ntohs(in.sin_port));
    fflush(stdout);
    b.pid = fork();
    if (b.pid == 0) {
        serve(fd, a);
    }
    close(fd);
    return b;
}

static void stop(const struct broker *b)
{
    kill(b->pid, SIGKILL);
    waitpid(b->pid, NULL, 0);
}

/* Connects, subscribes and listens until an error or the first message: its code, or 0. */
static int listen_to(const struct broker *b, int64_t connect_ms, struct pof_mqtt_packet *p,
                     struct pof_err *err)
{
    struct pof_mqtt *m = NULL;
    struct pof_mqtt_options o = {.wire = {.address = b->address, .connect_ms = connect_ms},
                                 .connect = {.client = pof_text("c"), .keep_alive_s = 1},
                                 .max_packet = MAX};
    o.connect.five = b->five;
    int rc = pof_mqtt_open(&m, &o, err);
    rc = rc ? rc : pof_mqtt_subscribe(m, pof_text("t"), err);
    int got = 0;
    int64_t until = pof_wire_now() + 20000;
    while (rc == 0 && got == 0 && pof_wire_now() < until) {
        struct pof_wire_turn t = {.ms = 1000, .fd = -1};
        rc = pof_mqtt_turn(m, &t, err);
        got = rc ? 0 : pof_mqtt_next(m, p, err);
        rc = got < 0 ? got : rc;
    }
    /* What is left of a message that is too long is read and thrown away. */
    size_t rest = rc == 0 && got == 1 && p->skip ? 64u << 20 : 0;
    for (size_t i = 0; rc == 0 && i < rest / 65536; i++) {
        struct pof_wire_turn t = {.ms = 1000, .fd = -1};
        rc = pof_mqtt_turn(m, &t, err);
    }
    pof_mqtt_close(m, 0);
    return rc;
}

static void answers(void)
{
#define SAYS(text) .a = {.bytes = text, .n = sizeof text - 1 }
    static const struct {
        struct answer a;
        int code;
        const char *word;
    } cases[] = {
        {SAYS("\x20\2\0\1"), POF_E_PERMISSION, "3.1.1"},
        {SAYS("\x20\2\0\2"), POF_E_PERMISSION, "client's name"},
        {SAYS("\x20\2\0\3"), POF_E_UNAVAILABLE, "not available"},
        {SAYS("\x20\2\0\4"), POF_E_PERMISSION, "password"},
        {SAYS("\x20\2\0\5"), POF_E_PERMISSION, "not authorized"},
        {SAYS("\x20\2\0\6"), POF_E_PROTOCOL, "no MQTT broker"},
        {SAYS("\xd0\0"), POF_E_PROTOCOL, "no MQTT broker"},
        {SAYS("SSH-2.0-OpenSSH_9.2\r\n"), POF_E_PROTOCOL, "no MQTT broker"},
        {SAYS("\x20\2\0\0\x90\3\0\1\x80"), POF_E_PERMISSION, "refuses subscription 1"},
        {SAYS("\x20\2\0\0\x90\3\0\1\0"), POF_E_PERMISSION, "quality of service 0"},
        {SAYS("\x20\2\0\0\x90\3\0\2\1"), POF_E_PROTOCOL, "not asked for"},
        {SAYS("\x20\2\0\0\x90\3\0\1\1\x90\3\0\1\1"), POF_E_PROTOCOL, "not asked for"},
        {SAYS("\x20\2\0\0\x20\2\0\0"), POF_E_PROTOCOL, "second welcome"},
        {SAYS("\x20\2\0\0\x32\5\0\1a\0\0"), POF_E_PROTOCOL, "without its number"},
        {{.bytes = "", .leaves = true}, POF_E_UNAVAILABLE, "closes the connection"},
        {{.bytes = "\x20\2\0\0", .n = 4, .leaves = true}, POF_E_UNAVAILABLE, ""},
        {{.bytes = "", .endless = 10u << 20}, POF_E_PROTOCOL, "type that no broker sends"},
    };
#undef SAYS
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct pof_err err = {0};
        struct pof_mqtt_packet p;
        struct broker b = start(&cases[i].a);
        int rc = listen_to(&b, 5000, &p, &err);
        ok(rc == cases[i].code && strstr(err.text, cases[i].word), "answer %zu: %s", i, err.text);
        stop(&b);
    }
}

static void silence(void)
{
    struct pof_err err = {0};
    struct pof_mqtt_packet p;
    struct answer mute = {.bytes = ""};
    struct broker b = start(&mute);
    int rc = listen_to(&b, 200, &p, &err);
    ok(rc == POF_E_UNAVAILABLE && strstr(err.text, "does not answer as a broker"),
       "a broker without a word: %s", err.text);
    stop(&b);
    struct answer dead = {.bytes = "\x20\2\0\0", .n = 4};
    b = start(&dead);
    rc = listen_to(&b, 5000, &p, &err);
    ok(rc == POF_E_UNAVAILABLE && strstr(err.text, "does not answer for 1 s"),
       "a broker that dies: %s", err.text);
    stop(&b);
}

static void endless(void)
{
    struct pof_err err = {0};
    struct pof_mqtt_packet p;
    struct rusage before;
    struct rusage after;
    static const char giant[] = "\x20\2\0\0\x90\3\0\1\1\x32\xff\xff\xff\x7f\0\1a\0\7";
    struct answer a = {.bytes = giant, .n = sizeof giant - 1, .endless = 100u << 20};
    struct broker b = start(&a);
    getrusage(RUSAGE_SELF, &before);
    int rc = listen_to(&b, 5000, &p, &err);
    getrusage(RUSAGE_SELF, &after);
    ok(rc == 0 && p.skip > 200u << 20 && p.payload.len == 0,
       "a message of 256 MiB is told without its content");
    ok(after.ru_maxrss - before.ru_maxrss < 16384, "64 MiB of it take %ld KiB of memory",
       after.ru_maxrss - before.ru_maxrss);
    stop(&b);
}

/* --- MQTT 5 --- */

static void packets_5(void)
{
    struct pof_err err = {0};
    struct pof_buf b = {0};
    struct pof_mqtt_packet p;
    const char *why;
    /* Section 3.1 of MQTT 5, by hand: level 5, properties of 8 bytes: expiry for ever, receive maximum 100. */
    static const char connect[] = "\x10\x16\0\4MQTT\5\0\0\x3c\x08\x11\xff\xff\xff\xff\x21\0\x64\0\1c";
    struct pof_mqtt_connect c = {.client = pof_text("c"), .keep = true, .keep_alive_s = 60, .five = true, .expiry_s = UINT32_MAX, .receive_max = 100};
    ok(pof_mqtt_put_connect(&b, &c, &err) == 0 && b.len == sizeof connect - 1 && memcmp(b.data, connect, b.len) == 0,
       "a client presents itself byte for byte");
    b.len = 0;
    ok(pof_mqtt_put_subscribe(&b, 7, pof_text("a/#"), true, &err) == 0 && b.len == 11 &&
           memcmp(b.data, "\x82\x09\0\7\0\0\3a/#\1", 11) == 0,
       "a subscription");
    /* Every property that a welcome can have. */
    static const char welcome[] =
        "\x20\x47\1\0\x44\x11\0\0\1\0\x12\0\1n\x13\0\x0a\x15\0\1m\x16\0\2\0\1\x1a\0\1i\x1c\0\1s\x1f\0\3why"
        "\x21\0\5\x22\0\1\x24\1\x25\0\x26\0\1k\0\1v\x26\0\0\0\0\x27\0\1\0\0\x28\1\x29\1\x2a\1";
    struct pof_text w = {welcome, sizeof welcome - 1};
    ok(cut_anywhere(w, five) && pof_mqtt_parse(w, five, &p, &why) == POF_MQTT_WHOLE && p.session && p.code == 0 &&
           p.properties.has_expiry && p.properties.expiry_s == 256 && p.properties.keep_alive_s == 10 &&
           p.properties.receive_max == 5 && p.properties.packet_max == 65536 && !p.properties.only_qos_0 &&
           pof_text_is(p.properties.reason, "why"),
       "a welcome with all properties");
    static const char message[] = "\x32\x2b\0\1a\0\7\x1e\1\1\2\0\0\0\x3c\3\0\1t\x08\0\1r\x09\0\2\0\xff\x0b\x80\1\x26\0\1k\0\1v{\"x\":1}";
    struct pof_text m = {message, sizeof message - 1};
    ok(cut_anywhere(m, five) && pof_mqtt_parse(m, five, &p, &why) == POF_MQTT_WHOLE && p.id == 7 &&
           pof_text_is(p.payload, "{\"x\":1}"),
       "what a message says beside its content is left out");
    static const struct {
        const char *bytes;
        size_t n;
        unsigned code;
    } good[] = {
#define GOOD(text, code) {text, sizeof text - 1, code}
        GOOD("\x40\2\0\1", 0),          GOOD("\x40\3\0\1\x10", 0x10), GOOD("\x40\4\0\1\x87\0", 0x87),
        GOOD("\x90\4\0\1\0\x8f", 0x8f), GOOD("\xe0\0", 0),            GOOD("\xe0\1\x8e", 0x8e),
        GOOD("\x20\2\0\1", 0x84),       GOOD("\x20\3\0\x87\0", 0x87),
#undef GOOD
    };
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        struct pof_text t = {good[i].bytes, good[i].n};
        ok(cut_anywhere(t, five) && pof_mqtt_parse(t, five, &p, &why) == POF_MQTT_WHOLE && p.code == good[i].code,
           "a short answer %zu", i);
    }
    bool worded = true;
    for (unsigned code = 0x80; code <= 0xa2; code++) {
        worded = worded && pof_mqtt_reason(code);
    }
    ok(worded && !pof_mqtt_reason(0x7f) && !pof_mqtt_reason(0xa3), "every reason has its words");
    pof_buf_release(&b);
}

static void bad_packets_5(void)
{
    static const struct {
        const char *bytes;
        size_t n;
        const char *what;
    } bad[] = {
#define BAD(text, what) {text, sizeof text - 1, what}
        BAD("\x20\2\0\0", "a welcome without properties"),
        BAD("\x20\3\0\0\1", "properties beyond the packet"),
        BAD("\x20\4\0\0\0\0", "bytes behind the properties"),
        BAD("\x20\7\0\0\xff\xff\xff\xff\1", "a length of properties of five bytes"),
        BAD("\x20\5\0\0\2\x04\0", "a number that no property has"),
        BAD("\x20\5\0\0\2\x80\1", "a number of two bytes"),
        BAD("\x20\5\0\0\2\x7f\0", "a high number"),
        BAD("\x20\5\0\0\2\1\1", "a payload format of a welcome"),
        BAD("\x20\x06\0\0\3\x21\0\0", "a receive maximum of 0"),
        BAD("\x20\x09\0\0\6\x21\0\1\x21\0\1", "a property twice"),
        BAD("\x20\5\0\0\2\x21\0", "half a number"),
        BAD("\x20\x08\0\0\5\x27\0\0\0\0", "a packet of 0 bytes at most"),
        BAD("\x20\5\0\0\2\x24\2", "quality 2"),
        BAD("\x20\x06\0\0\3\x1f\0\1", "a text beyond the properties"),
        BAD("\x20\x07\0\0\4\x1f\0\1\xff", "a text that is not UTF-8"),
        BAD("\x20\x07\0\0\4\x1f\0\1\0", "a text with NUL"),
        BAD("\x20\x07\0\0\4\x26\0\1k", "half a pair"),
        BAD("\x20\4\2\0\0\0", "reserved flags"),
        BAD("\x32\x08\0\1a\0\7\3\x23\0\1", "half a message"),
        BAD("\x32\x09\0\1a\0\7\3\x23\0\1", "a topic alias"),
        BAD("\x32\x0a\0\1a\0\7\4\x0b\xff\xff\xff", "a subscription number that does not end"),
        BAD("\x32\5\0\1a\0\7", "a message without properties"),
        BAD("\x32\x05\0\0\0\7\0", "a message without a topic"),
        BAD("\x40\5\0\1\0\2\x21", "an acknowledgement with a cut property"),
        BAD("\x40\7\0\1\0\3\x21\0\1", "an acknowledgement with a receive maximum"),
        BAD("\x90\3\0\1\0", "a subscription without its answer"),
        BAD("\x90\5\0\1\0\1\1", "two answers to one subscription"),
        BAD("\xd0\1\0", "a pong with content"),
        BAD("\xe0\4\x8e\5\x1f\0", "a good-bye that is cut"),
        BAD("\xe1\0", "reserved flags of a good-bye"),
        BAD("\xf0\2\0\0", "authentication that was not asked for"),
        BAD("\x40\xff\xff\x7f", "an acknowledgement of 2 MiB"),
#undef BAD
    };
    struct pof_mqtt_packet p;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        const char *why = NULL;
        char *copy = malloc(bad[i].n); /* of its own size, so that a sanitizer sees a step too far */
        memcpy(copy, bad[i].bytes, bad[i].n);
        enum pof_mqtt_parse what = pof_mqtt_parse((struct pof_text){copy, bad[i].n}, five, &p, &why);
        ok(what == POF_MQTT_BAD && why, "refused: %s: %s", bad[i].what, why ? why : "no word");
        free(copy);
    }
}

static void answers_5(void)
{
#define SAYS(text) .a = {.bytes = text, .n = sizeof text - 1 }
#define HELLO "\x20\3\0\0\0"
    static const struct {
        struct answer a;
        int code;
        const char *word;
    } cases[] = {
        {SAYS("\x20\2\0\1"), POF_E_PERMISSION, "--protocol 3.1.1"},
        {SAYS("\x20\3\0\x86\0"), POF_E_PERMISSION, "password"},
        {SAYS("\x20\3\0\x89\0"), POF_E_UNAVAILABLE, "busy"},
        {SAYS("\x20\x0a\0\x87\7\x1f\0\4nope"), POF_E_PERMISSION, "not authorized (nope)"},
        {SAYS("\x20\3\0\x7f\0"), POF_E_PROTOCOL, "a reason that is none"},
        {SAYS("\x20\5\0\0\2\x24\0"), POF_E_PERMISSION, "quality of service 0 only"},
        {SAYS(HELLO "\x90\4\0\1\0\x87"), POF_E_PERMISSION, "refuses the subscription: the client is not authorized"},
        {SAYS(HELLO "\x90\4\0\1\0\0"), POF_E_PERMISSION, "quality of service 0 only"},
        {SAYS(HELLO "\xe0\1\x8e"), POF_E_PERMISSION, "taken over"},
        {SAYS(HELLO "\xe0\1\x8b"), POF_E_UNAVAILABLE, "shutting down"},
        {SAYS(HELLO "\xe0\0"), POF_E_UNAVAILABLE, "ends the connection"},
        {SAYS(HELLO "\xe0\1\x93"), POF_E_PROTOCOL, "more messages without acknowledgement"},
        {SAYS(HELLO "\x40\3\0\1\x97"), POF_E_UNAVAILABLE, "refuses a message: a quota"},
        {SAYS(HELLO "\x40\3\0\1\x87"), POF_E_PERMISSION, "refuses a message: the client"},
    };
#undef SAYS
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct pof_err err = {0};
        struct pof_mqtt_packet p;
        struct broker b = start(&cases[i].a);
        b.five = true;
        int rc = listen_to(&b, 5000, &p, &err);
        ok(rc == cases[i].code && strstr(err.text, cases[i].word), "MQTT 5, answer %zu: %s", i, err.text);
        stop(&b);
    }
}

/* What the broker allows is known, and kept. */
static void limits_5(void)
{
    struct pof_err err = {0};
    struct pof_mqtt *m = NULL;
    static const char hello[] = "\x20\x10\1\0\x0d\x11\0\0\0\x3c\x21\0\3\x27\0\0\0\x14";
    struct answer a = {.bytes = hello, .n = sizeof hello - 1};
    struct broker b = start(&a);
    struct pof_mqtt_options o = {.wire = {.address = b.address, .connect_ms = 5000},
                                 .connect = {.client = pof_text("c"), .keep = true, .five = true, .expiry_s = UINT32_MAX},
                                 .max_packet = MAX};
    is_int(pof_mqtt_open(&m, &o, &err), 0, "a welcome with limits");
    ok(m && pof_mqtt_known(m) && pof_mqtt_expiry_s(m) == 60 && pof_mqtt_receive_max(m) == 3, "are told");
    struct pof_mqtt_message message = {.topic = pof_text("a"), .payload = pof_text("1234567890123"), .id = 1};
    is_int(pof_mqtt_publish(m, &message, &err), POF_E_TOO_LONG, "one byte more than it takes");
    message.payload.len = 12; /* head 2, topic 3, number 2, properties 1, 12: 20 */
    size_t before = pof_mqtt_waiting(m);
    is_int(pof_mqtt_publish(m, &message, &err), 0, "as much as it takes");
    is_int((long long)(pof_mqtt_waiting(m) - before), 20, "nothing is sent of the one that is refused");
    pof_mqtt_close(m, 0);
    stop(&b);
}

int main(void)
{
    limits_5();
    packets();
    packets_5();
    bad_packets_5();
    answers_5();
    bad_packets();
    answers();
    silence();
    endless();
    return done();
}
