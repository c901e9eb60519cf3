/* SPDX-License-Identifier: Apache-2.0 */
/* Sorting by keys against qsort. */
#include "base/bucket.h"
#include "tap.h"

struct item {
    uint32_t key;
    int value;
    char more[300];
};

static int by_all(const void *a, const void *b)
{
    const struct item *x = a;
    const struct item *y = b;
    int c = (x->key > y->key) - (x->key < y->key);
    return c != 0 ? c : (x->value > y->value) - (x->value < y->value);
}

static uint32_t next(uint32_t *seed)
{
    *seed = *seed * 1664525 + 1013904223;
    return *seed >> 8;
}

/* n items of few or many keys, their first `size` bytes. */
static bool agrees(size_t n, uint32_t keys, size_t size)
{
    static struct item item[600];
    static char mine[600 * sizeof(struct item)], other[600 * sizeof(struct item)];
    static uint32_t key[600];
    struct pof_err err = {0};
    uint32_t seed = (uint32_t)(n * 31 + keys + size);
    for (size_t i = 0; i < n; i++) {
        item[i].key = key[i] = next(&seed) % keys;
        item[i].value = (int)(next(&seed) % 50);
        memset(item[i].more, (int)(item[i].key * 7 + (uint32_t)item[i].value) & 0x7f, sizeof item[i].more);
        memcpy(mine + i * size, &item[i], size);
        memcpy(other + i * size, &item[i], size);
    }
    qsort(other, n, size, by_all);
    return pof_bucket_sort(mine, n, size, key, keys, by_all, &err) == 0 &&
           memcmp(mine, other, n * size) == 0;
}

int main(void)
{
    static const size_t counts[] = {0, 1, 2, 3, 9, 100, 600};
    static const uint32_t keys[] = {1, 2, 40, 1000};
    static const size_t sizes[] = {8, 40, sizeof(struct item)};
    unsigned wrong = 0;
    for (size_t i = 0; i < 7; i++) {
        for (size_t k = 0; k < 4; k++) {
            for (size_t s = 0; s < 3; s++) {
                wrong += !agrees(counts[i], keys[k], sizes[s]);
            }
        }
    }
    is_int(wrong, 0, "any number of items, keys and bytes");
    return done();
}
