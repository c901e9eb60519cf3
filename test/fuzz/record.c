/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes through the record reader: no crash, and what is read is written and read back the same,
 * lines that are said to be as the writer writes them byte for byte. */
#include "record/reader.h"
#include "record/writer.h"

#include <stdlib.h>
#include <string.h>

/* written: the line, when it is said to be as the writer would write it. */
static void check_round_trip(const struct pof_record *record, struct pof_text written)
{
    struct pof_buf first = {0};
    struct pof_buf second = {0};
    struct pof_err err = {0};
    if (pof_record_format(&first, record->type, &record->u, &err) != 0 ||
        pof_buf_adds(&first, "\n", &err) != 0) {
        abort();
    }
    if (written.len && !pof_text_eq(written, (struct pof_text){first.data, first.len - 1})) {
        abort();
    }
    struct pof_memory m = {first.data, first.len};
    struct pof_source src = pof_source_memory(&m, "again");
    struct pof_reader_options options = {.expect = POF_TYPES, .strict = true};
    struct pof_reader *r;
    struct pof_record again;
    if (pof_reader_new(&r, &src, &options, &err) != 0 || pof_reader_next(r, &again, &err) != 1 ||
        pof_record_format(&second, again.type, &again.u, &err) != 0 ||
        second.len + 1 != first.len || memcmp(first.data, second.data, second.len) != 0) {
        abort();
    }
    pof_reader_free(r);
    pof_buf_release(&first);
    pof_buf_release(&second);
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
    struct pof_memory m = {(const char *)data, size};
    struct pof_source src = pof_source_memory(&m, "fuzz");
    struct pof_reader_options options = {.expect = POF_TYPES, .max_line = 1 << 16};
    struct pof_reader *r;
    struct pof_err err = {0};
    if (pof_reader_new(&r, &src, &options, &err) != 0) {
        return 0;
    }
    struct pof_record record;
    for (int rc; (rc = pof_reader_next(r, &record, &err)) != 0;) {
        if (rc > 0) {
            bool written = pof_reader_is_written(r, POF_NDJSON);
            check_round_trip(&record, written ? pof_reader_raw(r) : (struct pof_text){NULL, 0});
        }
    }
    pof_reader_free(r);
    return 0;
}
