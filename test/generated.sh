#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Are the committed files what the tables say? test/generated.sh GENERATE
generate=$1
cd "$(dirname "$0")/.." || exit 1
n=0
bad=0
same() { # same FILE ARGUMENT...
    n=$((n + 1))
    file=$1
    shift
    if "$generate" "$@" | cmp -s - "$file"; then echo "ok $n - $file is up to date"; else
        bad=1
        echo "not ok $n - $file is up to date (run make schema)"
    fi
}
same man/pof-records.5 records
same man/pof-errors.7 errors
same lib/num/powers.def powers
for t in $("$generate" types); do same "schema/$t.schema.json" schema "$t"; done
n=$((n + 1))
set -- schema/*
if [ "$#" = "$("$generate" types | wc -l)" ]; then echo "ok $n - no schema is left over"; else
    bad=1
    echo "not ok $n - no schema is left over"
fi
echo "1..$n"
exit $bad
