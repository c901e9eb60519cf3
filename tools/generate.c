/* SPDX-License-Identifier: Apache-2.0 */
/* From the tables to what people read: generate schema TYPE | records | errors | types; and a table for
 * the machine: generate powers. */
#include "base/err.h"
#include "num/powers.h"
#include "record/record.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static void json_kind(const struct pof_field *f)
{
    int64_t unit = 1;
    switch (f->kind) {
    case POF_KIND_TEXT:
        printf("\"type\": \"string\", \"minLength\": %" PRId64 ", \"maxLength\": %" PRId64,
               f->min > 0 ? 1 : f->min, f->max);
        break;
    case POF_KIND_WORD:
        printf("\"enum\": [");
        for (int i = 0; f->words[i]; i++) {
            printf("%s\"%s\"", i ? ", " : "", f->words[i]);
        }
        printf("]");
        break;
    case POF_KIND_INT:
        printf("\"type\": \"integer\", \"minimum\": %" PRId64 ", \"maximum\": %" PRId64, f->min,
               f->max);
        break;
    case POF_KIND_MICRO:
        printf("\"type\": [\"number\", \"string\"], \"minimum\": %" PRId64
               ", \"exclusiveMaximum\": %" PRId64 ", \"pattern\": \"^-?[0-9]+([.][0-9]{1,6})?$\"",
               f->min < 0 ? f->min - unit : f->min, f->max + unit);
        break;
    case POF_KIND_REAL:
        printf("\"type\": \"number\"");
        break;
    case POF_KIND_INSTANT:
    case POF_KIND_MILLIS:
        printf("\"type\": \"string\", \"format\": \"date-time\"");
        break;
    case POF_KIND_DATE:
        printf("\"type\": \"string\", \"format\": \"date\"");
        break;
    }
}

static int schema(const char *name)
{
    enum pof_type type = pof_type_of((struct pof_text){name, strlen(name)});
    if (type == POF_TYPES) {
        fprintf(stderr, "generate: no record type '%s'\n", name);
        return 2;
    }
    const struct pof_layout *l = pof_layout(type);
    printf("{\n  \"$schema\": \"https://json-schema.org/draft/2020-12/schema\",\n"
           "  \"$id\": \"urn:pof:%s:%d\",\n  \"title\": \"%s\",\n  \"description\": \"%s\",\n"
           "  \"type\": \"object\",\n  \"required\": [\"schema\"",
           l->name, l->version, l->schema, l->text);
    for (size_t i = 0; i < l->n; i++) {
        if (l->fields[i].required) {
            printf(", \"%s\"", l->fields[i].name);
        }
    }
    printf("],\n  \"properties\": {\n    \"schema\": {\"const\": \"%s\"}", l->schema);
    for (size_t i = 0; i < l->n; i++) {
        const struct pof_field *f = &l->fields[i];
        printf(",\n    \"%s\": {", f->name);
        json_kind(f);
        printf(", \"description\": \"%s%s%s%s\"}", f->text, f->unit[0] ? " [" : "", f->unit,
               f->unit[0] ? "]" : "");
    }
    printf("\n  },\n  \"patternProperties\": {\"^x_\": true}\n}\n");
    return 0;
}

static void kind_name(const struct pof_field *f)
{
    static const char *const names[] = {"text",    "word",    "integer", "decimal",
                                        "number",  "instant", "instant, ms", "date"};
    printf("%s", names[f->kind]);
    if (f->kind == POF_KIND_WORD) {
        for (int i = 0; f->words[i]; i++) {
            printf("%s%s", i ? ", " : ": ", f->words[i]);
        }
    }
    if (f->kind == POF_KIND_INT || f->kind == POF_KIND_MICRO) {
        printf(" %" PRId64 " to %" PRId64, f->min, f->max);
    }
    if (f->unit[0]) {
        printf(", %s", f->unit);
    }
}

static int records(void)
{
    printf(".\\\" SPDX-License-Identifier: Apache-2.0\n"
           ".\\\" Made by make schema from lib/record/records.def; do not edit.\n"
           ".Dd November 22, 2026\n.Dt POF-RECORDS 5\n.Os\n.Sh NAME\n.Nm pof-records\n"
           ".Nd the record types of the POF tools\n.Sh DESCRIPTION\n"
           "Programs speak records: one JSON object a line (NDJSON) or CSV with a header line.\n"
           "Which of the two is found out from the content.\n"
           "Every JSON record names its type and version in\n.Qq schema ;\n"
           "a CSV header does so by its columns, or by a\n.Qq schema\ncolumn.\n"
           ".Pp\nConsumption is positive.\nDirection\n.Qq up\n"
           "is more generation or less consumption,\n.Qq down\nthe reverse.\n"
           "Intervals include their start and not their end.\nInstants are RFC 3339, written in UTC.\n"
           "A decimal has at most six decimals and never passes through a binary fraction; it may\n"
           "be written as a JSON number or string.\n"
           "Optional members are marked; null and an empty CSV cell mean not given.\n"
           "Unknown members are skipped with a warning, or refused with\n.Fl -strict ;\n"
           "members whose names begin with\n.Qq x_\nare nobody's business.\n"
           "The file\n.Pa schema/TYPE.schema.json\nholds the same as JSON Schema.\n");
    for (int t = 0; t < POF_TYPES; t++) {
        const struct pof_layout *l = pof_layout((enum pof_type)t);
        printf(".Ss %s\n%s.\n.Bl -tag -width Ds\n", l->schema, l->text);
        for (size_t i = 0; i < l->n; i++) {
            const struct pof_field *f = &l->fields[i];
            printf(".It Va %s%s\n", f->name, f->required ? "" : " Pq optional");
            printf("%s.\n.Pq ", f->text);
            kind_name(f);
            printf("\n");
        }
        printf(".El\n");
    }
    printf(".Sh SEE ALSO\n.Xr pof 1 ,\n.Xr pof-errors 7 ,\n.Xr pof-units 7\n"
           ".Sh STANDARDS\n.Rs\n.%%R RFC 3339\n.%%T Date and Time on the Internet: Timestamps\n.Re\n"
           ".Rs\n.%%R RFC 4180\n.%%T Common Format and MIME Type for Comma-Separated Values (CSV) Files\n.Re\n"
           ".Rs\n.%%R RFC 8259\n.%%T The JavaScript Object Notation (JSON) Data Interchange Format\n.Re\n");
    return 0;
}

static int errors(void)
{
    printf(".\\\" SPDX-License-Identifier: Apache-2.0\n"
           ".\\\" Made by make schema from lib/base/errors.def; do not edit.\n"
           ".Dd November 22, 2026\n.Dt POF-ERRORS 7\n.Os\n.Sh NAME\n.Nm pof-errors\n"
           ".Nd messages and exit statuses of the POF tools\n.Sh DESCRIPTION\n"
           "A message is one line on standard error:\n.Bd -literal -offset indent\n"
           "pof-clear: offers.csv:17:price_eur_mwh: 'abc' is not a decimal number (E213)\n.Ed\n.Pp\n"
           "program, file (- is standard input), line, field, what was found and what was expected,\n"
           "and the number of the error below.\nWith\n.Fl -diag Cm json\n"
           "each message is a JSON object instead.\n"
           ".Ss Exit status\n0: done, warnings allowed.\n"
           "1: a sound run with a negative answer; the report is complete.\n"
           "Anything else: output must not be used.\n"
           "If several apply, the first of 70, 71, 74, 73, 66, 65, 78 wins.\n"
           "A status above 128 is the signal that ended the program.\n"
           ".Ss Errors\n.Bl -column \"E000\" \"Exit\" -offset indent\n.It Sy Number Ta Sy Exit Ta Sy Meaning\n");
    for (size_t i = 0; pof_errinfo_row(i); i++) {
        const struct pof_errinfo *e = pof_errinfo_row(i);
        printf(".It E%d Ta %d Ta %s\n", e->number, e->exit_status, e->text);
    }
    printf(".El\n.Sh SEE ALSO\n.Xr pof 1 ,\n.Xr pof-records 5\n");
    return 0;
}

/* Whole numbers of at most LIMBS * 32 bits, lowest limb first: 5^342 has 795 bits. */
enum { LIMBS = 30 };

static void times(uint32_t *a, uint32_t factor)
{
    uint64_t carry = 0;
    for (int i = 0; i < LIMBS; i++) {
        carry += (uint64_t)a[i] * factor;
        a[i] = (uint32_t)carry;
        carry >>= 32;
    }
}

static int bits(const uint32_t *a)
{
    int i = LIMBS - 1;
    while (i > 0 && a[i] == 0) {
        i--;
    }
    return a[i] ? 32 * (i + 1) - __builtin_clz(a[i]) : 0;
}

/* a -= b when that is not negative; whether it was done. */
static int reduce(uint32_t *a, const uint32_t *b)
{
    uint32_t rest[LIMBS];
    int64_t borrow = 0;
    for (int i = 0; i < LIMBS; i++) {
        borrow += (int64_t)a[i] - b[i];
        rest[i] = (uint32_t)borrow;
        borrow >>= 32;
    }
    if (borrow < 0) {
        return 0;
    }
    memcpy(a, rest, sizeof rest);
    return 1;
}

static void put_power(unsigned __int128 t)
{
    printf("{UINT64_C(0x%016" PRIx64 "), UINT64_C(0x%016" PRIx64 ")},\n", (uint64_t)(t >> 64),
           (uint64_t)t);
}

/* The first 128 bits of 10^q, whose factor 2^q only moves the point: of 5^q, or of 1 / 5^-q by long
 * division from a power of two just below 5^-q. */
static int powers(void)
{
    printf("/* SPDX-License-Identifier: Apache-2.0 */\n"
           "/* Made by make schema; do not edit. The meaning stands in num/powers.h. */\n");
    for (int q = POFI_POWER_MIN; q <= POFI_POWER_MAX; q++) {
        uint32_t five[LIMBS] = {1};
        for (int i = 0; i < (q < 0 ? -q : q); i++) {
            times(five, 5);
        }
        int n = bits(five);
        unsigned __int128 t = 0;
        uint32_t rest[LIMBS] = {0};
        rest[(n - 1) / 32] = UINT32_C(1) << ((n - 1) % 32);
        for (int i = 0; i < 128; i++) {
            t <<= 1;
            if (q < 0) {
                times(rest, 2);
                t |= (unsigned)reduce(rest, five);
            } else if (i < n) {
                t |= (five[(n - 1 - i) / 32] >> ((n - 1 - i) % 32)) & 1u;
            }
        }
        put_power(t);
    }
    return 0;
}

int main(int argc, char **argv)
{
    if (argc == 3 && strcmp(argv[1], "schema") == 0) {
        return schema(argv[2]);
    }
    if (argc == 2 && strcmp(argv[1], "records") == 0) {
        return records();
    }
    if (argc == 2 && strcmp(argv[1], "errors") == 0) {
        return errors();
    }
    if (argc == 2 && strcmp(argv[1], "types") == 0) {
        for (int t = 0; t < POF_TYPES; t++) {
            puts(pof_layout((enum pof_type)t)->name);
        }
        return 0;
    }
    if (argc == 2 && strcmp(argv[1], "powers") == 0) {
        return powers();
    }
    fprintf(stderr, "usage: generate schema TYPE | records | errors | types | powers\n");
    return 2;
}
