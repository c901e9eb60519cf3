/* SPDX-License-Identifier: Apache-2.0 */
/* Canonical JSON: the examples of RFC 8785, what must be refused, and the shared vectors. */
#include "vectors.h"

#include "trust/jcs.h"
#include "trust/merkle.h"

#include <jansson.h>

static struct pof_jcs jcs;

static int canonical(const char *text, size_t n, struct pof_buf *out, struct pof_err *err)
{
    out->len = 0;
    return pof_jcs_add(&jcs, (struct pof_text){text, n}, out, err);
}

static void is_canonical(const char *text, const char *want)
{
    struct pof_buf out = {0};
    struct pof_err err = {0};
    int rc = canonical(text, strlen(text), &out, &err);
    if (rc) {
        ok(false, "%s: %s", text, err.text);
    } else {
        is_text(out.data, out.len, want, text);
    }
    pof_buf_release(&out);
}

static void is_refused(const char *text, size_t n, enum pof_code code, const char *what)
{
    struct pof_buf out = {0};
    struct pof_err err = {0};
    int rc = canonical(text, n, &out, &err);
    ok(rc == (int)code && out.len == 0, "refused: %s", what);
    if (rc != (int)code) {
        printf("# got %d, want %d\n", rc, (int)code);
    }
    pof_buf_release(&out);
}

static void values(void)
{
    is_canonical("{}", "{}");
    is_canonical(" [ ] ", "[]");
    is_canonical("{\"b\":1,\"a\":2}", "{\"a\":2,\"b\":1}");
    is_canonical("{\"b\":{\"d\":[3,{\"z\":1,\"y\":2}],\"c\":null},\"a\":true,\"aa\":false}",
                 "{\"a\":true,\"aa\":false,\"b\":{\"c\":null,\"d\":[3,{\"y\":2,\"z\":1}]}}");
    /* RFC 8785 section 3.2.3: names in the order of their UTF-16 units */
    is_canonical(
        "{\"\\u20ac\":1,\"\\r\":2,\"\\ufb33\":3,\"1\":4,\"\\ud83d\\ude00\":5,\"\\u0080\":6,"
        "\"\\u00f6\":7}",
        "{\"\\r\":2,\"1\":4,\"\xc2\x80\":6,\"\xc3\xb6\":7,\"\xe2\x82\xac\":1,"
        "\"\xf0\x9f\x98\x80\":5,\"\xef\xac\xb3\":3}");
    is_canonical("\"\\u0000\\u001F\\b\\t\\n\\f\\r\\u000b\\\"\\\\\\/\\u007f\\u0041\"",
                 "\"\\u0000\\u001f\\b\\t\\n\\f\\r\\u000b\\\"\\\\/\x7f"
                 "A\"");
}

static void numbers(void)
{
    static const char *const number[][2] = {{"0", "0"},
                                            {"-0", "0"},
                                            {"-0.000", "0"},
                                            {"0e5", "0"},
                                            {"12.500", "12.5"},
                                            {"-12.000", "-12"},
                                            {"100", "100"},
                                            {"9007199254740991", "9007199254740991"},
                                            {"-9007199254740991", "-9007199254740991"},
                                            {"0.000001", "0.000001"},
                                            {"0.0000001", "1e-7"},
                                            {"0.0000010", "0.000001"},
                                            {"1E30", "1e+30"},
                                            {"1e21", "1e+21"},
                                            {"1e20", "100000000000000000000"},
                                            {"2.312E2", "231.2"},
                                            {"333333333.33333329", "333333333.3333333"},
                                            {"5e-324", "5e-324"},
                                            {"1.7976931348623157e308", "1.7976931348623157e+308"},
                                            {"5.684341886080802e-14", "5.684341886080802e-14"},
                                            {"0.1234567890123456789", "0.12345678901234568"},
                                            {"123456789012345.6", "123456789012345.6"}};
    for (size_t i = 0; i < sizeof number / sizeof *number; i++) {
        is_canonical(number[i][0], number[i][1]);
    }
}

static void refusals(void)
{
    static const struct {
        const char *text;
        enum pof_code code;
    } bad[] = {{"", POF_E_TRUNCATED},
               {"{", POF_E_TRUNCATED},
               {"[1", POF_E_TRUNCATED},
               {"{\"a\"", POF_E_SYNTAX},
               {"{\"a\":1,}", POF_E_SYNTAX},
               {"[1,]", POF_E_SYNTAX},
               {"[1}", POF_E_SYNTAX},
               {"{a:1}", POF_E_SYNTAX},
               {"{\"a\" 1}", POF_E_SYNTAX},
               {"{}{}", POF_E_SYNTAX},
               {"01", POF_E_SYNTAX},
               {"-", POF_E_SYNTAX},
               {"1.", POF_E_SYNTAX},
               {".5", POF_E_SYNTAX},
               {"+1", POF_E_SYNTAX},
               {"1e", POF_E_SYNTAX},
               {"NaN", POF_E_SYNTAX},
               {"tru", POF_E_SYNTAX},
               {"1e999", POF_E_NUMBER},
               {"9007199254740992", POF_E_NUMBER},
               {"-9007199254740993", POF_E_NUMBER},
               {"18446744073709551617", POF_E_NUMBER},
               {"\"\\x\"", POF_E_SYNTAX},
               {"\"\\u12g4\"", POF_E_SYNTAX},
               {"\"\\ud800\"", POF_E_ENCODING},
               {"\"\\udead\"", POF_E_ENCODING},
               {"\"\\ud800\\u0041\"", POF_E_ENCODING},
               {"\"a", POF_E_SYNTAX},
               {"\"\\", POF_E_SYNTAX},
               {"\"a\tb\"", POF_E_SYNTAX},
               {"\"\xff\"", POF_E_ENCODING},
               {"\"\xc0\xaf\"", POF_E_ENCODING},
               {"\"\xed\xa0\x80\"", POF_E_ENCODING},
               {"\"\xf4\x90\x80\x80\"", POF_E_ENCODING},
               {"{\"a\":1,\"a\":1}", POF_E_DUPLICATE},
               {"{\"b\":0,\"a\":1,\"\\u0061\":2}", POF_E_DUPLICATE},
               {"\xef\xbb\xbf{}", POF_E_SYNTAX}};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        is_refused(bad[i].text, strlen(bad[i].text), bad[i].code, bad[i].text);
    }
    is_refused("\"a\0b\"", 5, POF_E_SYNTAX, "a NUL in a string");
    char deep[200];
    memset(deep, '[', sizeof deep);
    is_refused(deep, sizeof deep, POF_E_DEPTH, "200 deep");
    memset(deep + 64, ']', 64);
    struct pof_buf out = {0};
    is_int(canonical(deep, 128, &out, NULL), 0, "64 deep is allowed");
    pof_buf_release(&out);
}

/* More members than insertion sort is used for, in falling order. */
static void many_members(void)
{
    struct pof_buf in = {0};
    struct pof_buf want = {0};
    struct pof_buf out = {0};
    struct pof_err err = {0};
    for (int i = 0; i < 500; i++) {
        if (pof_buf_addf(&in, &err, "%c\"k%03d\":%d", i ? ',' : '{', 499 - i, 499 - i) ||
            pof_buf_addf(&want, &err, "%c\"k%03d\":%d", i ? ',' : '{', i, i)) {
            break;
        }
    }
    ok(pof_buf_adds(&in, "}", &err) == 0 && pof_buf_add(&want, "}", 2, &err) == 0, "texts made");
    is_int(canonical(in.data, in.len, &out, &err), 0, "500 members");
    is_text(out.data, out.len, want.data, "500 members in order");
    pof_buf_release(&in);
    pof_buf_release(&want);
    pof_buf_release(&out);
}

static FILE *data(const char *name)
{
    char path[512];
    if (!tap_data()) {
        skip(name, "no shared data");
        return NULL;
    }
    snprintf(path, sizeof path, "%s/certify/%s", tap_data(), name);
    FILE *f = fopen(path, "rb");
    if (!f) {
        skip(name, "not in the shared data");
    }
    return f;
}

/* One line of numbers.tsv: a bit pattern and the text V8 prints. */
static bool number_agrees(uint64_t bits, const char *want)
{
    double v;
    memcpy(&v, &bits, sizeof v);
    char got[32];
    size_t len = pof_jcs_number(v, got);
    bool same = len == strlen(want) && memcmp(got, want, len) == 0;
    struct pof_buf out = {0};
    struct pof_err err = {0};
    if (canonical(want, strlen(want), &out, &err) == 0) {
        same = same && out.len == len && memcmp(out.data, want, len) == 0;
    } else {
        same = same && strpbrk(want, ".e") == NULL; /* an integer of 2^53 and more is refused */
    }
    pof_buf_release(&out);
    if (!same) {
        printf("# %016" PRIx64 ": got %.*s, want %s\n", bits, (int)len, got, want);
    }
    return same;
}

static void doubles(void)
{
    FILE *f = data("own/jcs/numbers.tsv");
    if (!f) {
        return;
    }
    char line[128];
    int wrong = 0;
    int n = 0;
    while (fgets(line, sizeof line, f)) {
        uint64_t bits;
        char want[64];
        if (sscanf(line, "%16" SCNx64 "\t%63s", &bits, want) == 2 && strcmp(want, "ERROR") != 0) {
            wrong += !number_agrees(bits, want);
            n++;
        }
    }
    fclose(f);
    vectors_told("own/jcs/numbers.tsv", n - wrong, wrong, "");
    ok(n > 2000 && wrong == 0, "%d doubles print as in V8", n);
}

static void documents(void)
{
    static const char *const name[] = {"arrays",  "french", "structures",
                                       "unicode", "values", "weird"};
    int passed = 0;
    for (size_t i = 0; i < sizeof name / sizeof *name; i++) {
        char path[64];
        static char in[65536];
        static char want[65536];
        snprintf(path, sizeof path, "third-party/jcs/input/%s.json", name[i]);
        FILE *f = data(path);
        if (!f) {
            return;
        }
        size_t n = fread(in, 1, sizeof in, f);
        fclose(f);
        snprintf(path, sizeof path, "third-party/jcs/output/%s.json", name[i]);
        f = data(path);
        if (!f) {
            return;
        }
        want[fread(want, 1, sizeof want - 1, f)] = '\0';
        fclose(f);
        struct pof_buf out = {0};
        struct pof_err err = {0};
        if (canonical(in, n, &out, &err)) {
            ok(false, "%s: %s", name[i], err.text);
        } else {
            passed += is_text(out.data, out.len, want, name[i]);
        }
        pof_buf_release(&out);
    }
    vectors_told("third-party/jcs", passed, 6 - passed, "");
}

/* Readings, their canonical form and leaf hash. */
static void measurements(void)
{
    FILE *f = data("own/jcs/measurements.jsonl");
    static char line[65536];
    struct pof_hasher *h;
    struct pof_err err = {0};
    int passed = 0, refused = 0, count = 0;
    if (!f) {
        return;
    }
    if (pof_hasher_new(&h, &err)) {
        ok(false, "%s", err.text);
    }
    for (; fgets(line, sizeof line, f); count++) {
        json_t *j = json_loads(line, 0, NULL);
        const char *in = json_string_value(json_object_get(j, "input"));
        const char *want = json_string_value(json_object_get(j, "canonical"));
        char hex[65];
        struct pof_buf out = {0};
        struct pof_hash leaf;
        int rc = canonical(in, strlen(in), &out, &err);
        if (rc == 0) {
            pof_merkle_leaf(h, out.data, out.len, &leaf);
            for (int i = 0; i < POF_HASH; i++) {
                snprintf(hex + 2 * i, 3, "%02x", leaf.b[i]);
            }
            bool same = is_text(out.data, out.len, want, "canonical form");
            passed +=
                ok(same && strcmp(hex, json_string_value(json_object_get(j, "leaf_sha256"))) == 0,
                   "and its leaf hash");
        } else {
            refused += ok(rc == POF_E_NUMBER, "an integer of 2^53 and more is refused");
        }
        pof_buf_release(&out);
        json_decref(j);
    }
    fclose(f);
    pof_hasher_free(h);
    is_int(passed + refused, count, "all of them");
    vectors_told("own/jcs/measurements.jsonl", passed + refused, count - passed - refused,
                 "of these 1 refused: integers of 2^53 and more are");
    is_int(refused, 1, "one has an integer of more than 2^53");
}

/* Texts that are to be refused; some as bytes in hexadecimal. */
static void rejects(void)
{
    FILE *f = data("own/jcs/reject.jsonl");
    static char line[65536];
    int passed = 0, count = 0;
    if (!f) {
        return;
    }
    for (; fgets(line, sizeof line, f); count++) {
        json_t *j = json_loads(line, 0, NULL);
        const char *text = json_string_value(json_object_get(j, "text"));
        const char *hex = json_string_value(json_object_get(j, "hex"));
        char bytes[256];
        size_t n = text ? strlen(text) : strlen(hex) / 2;
        for (size_t i = 0; i < n; i++) {
            unsigned v;
            bytes[i] = text ? text[i] : sscanf(hex + 2 * i, "%2x", &v) == 1 ? (char)v : '?';
        }
        struct pof_buf out = {0};
        passed += ok(canonical(bytes, n, &out, NULL) != 0, "refused: %s",
                     json_string_value(json_object_get(j, "case")));
        pof_buf_release(&out);
        json_decref(j);
    }
    fclose(f);
    is_int(count, 18, "18 of them");
    vectors_told("own/jcs/reject.jsonl", passed, count - passed, "");
}

int main(void)
{
    values();
    numbers();
    refusals();
    many_members();
    doubles();
    documents();
    measurements();
    rejects();
    pof_jcs_release(&jcs);
    return done();
}
