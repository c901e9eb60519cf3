#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The shape of the house, as TAP: arrows between rooms go down, the domain touches nothing outside,
# each foreign library has one door, commands hold no arithmetic of their own size.
# test/purity.sh BUILDDIR
set -u
build=$1
cd "$(dirname "$0")/.." || exit 1
ls "$build"/lib/*/*.o >/dev/null || exit 1 # nothing built: nothing to judge
n=0
bad=0
result() { # result DESCRIPTION FINDINGS
    n=$((n + 1))
    if [ -z "$2" ]; then echo "ok $n - $1"; else
        bad=1
        echo "not ok $n - $1"
        printf '%s\n' "$2" | head -n 20 | sed 's/^/# /'
    fi
}

# Who may include whom; the same table stands in ARCHITECTURE.md.
declare -A below=(
    [base]="base"
    [num]="num base"
    [record]="record num base"
    [io]="io base"
    [cli]="cli grid io record num base"
    [grid]="grid record num base"
    [market]="market grid record num base"
    [flex]="flex grid record num base"
    [trust]="trust record num base"
    [store]="store record num base"
    [net]="net io base"
    [view]="view grid record num base"
    [chain]="chain trust record num base"
)
for room in lib/*/; do
    room=$(basename "$room")
    found=$(grep -Ho '^#include "[a-z]*/' lib/"$room"/*.[ch] 2>/dev/null | while IFS= read -r hit; do
        to=${hit##*\"}
        to=${to%/}
        case " ${below[$room]:-} " in *" $to "*) ;; *) echo "${hit%%:*} includes $to/" ;; esac
    done)
    result "lib/$room calls only ${below[$room]:-(not in the table)}" "$found"
done

# OpenSSL is two libraries: keys and hashes are in trust/crypto.c, TLS is in net/tls.c.
for lib in jansson.h csv.h glpk.h lapacke.h cblas.h klu.h amd.h 'openssl/(?!ssl\.h|err\.h)' 'openssl/(ssl|err)\.h' curl/ sqlite3.h libpq-fe.h expat.h zlib.h \
    nettle/ sodium.h secp256k1.h secp256k1_; do
    users=$(grep -lP "^#include <(.*/)?$lib" lib/*/*.[ch] cmd/*.c 2>/dev/null)
    rooms=$(printf '%s\n' "$users" | grep -c .)
    if [ "$rooms" -gt 1 ]; then result "<$lib> is included by one module" "$users"; else
        result "<$lib> is included by one module" ""
    fi
done

# What a pure object must not call. snprintf and vsnprintf only format into memory.
forbidden='printf|fprintf|vprintf|vfprintf|puts|fputs|putchar|fputc|fwrite|fopen|fdopen|freopen|popen|system|exit|_exit|abort|getenv|secure_getenv|time|clock|clock_gettime|gettimeofday|localtime|gmtime|setlocale|rand|random|srand|open|openat|creat|read|write|socket|connect|sleep|nanosleep|signal|sigaction|stdout|stderr|stdin|__printf_chk|__fprintf_chk|perror'
for room in base num record grid market flex trust chain view; do
    found=$(nm -A -u "$build/lib/$room"/*.o | awk -v words="^($forbidden)\$" '
        { sub(/@.*/, "", $NF); file = $1; sub(/.*\//, "", file); sub(/\.o:.*/, ".c", file) }
        $NF ~ words { print file " calls " $NF }')
    result "lib/$room does not print, exit, open, read the clock or the environment" "$found"
done
for room in num record grid market flex trust chain store view; do
    found=$(objdump -t "$build/lib/$room"/*.o | awk '
        /file format/ { file = $1; sub(/.*\//, "", file); sub(/\.o:.*/, ".c", file) }
        $4 ~ /^\.(data|bss)(\.|$)/ && $4 !~ /^\.data\.rel\.ro/ && $0 ~ / O / && $NF !~ /^__(gcov|asan|ubsan)/ {
            print file " keeps " $NF }')
    case $build in *asan* | *coverage*) found= ;; esac
    result "lib/$room keeps no state between calls" "$found"
done

banned='strcpy|strcat|sprintf|vsprintf|strtok|atoi|atol|atof|gmtime|localtime|ctime|rand|system|popen|mktemp|setlocale|alloca'
result "no banned function in lib and cmd" "$(grep -nE "(^|[^a-zA-Z0-9_>.])($banned)\(" lib/*/*.[ch] cmd/*.c)"
# Under set -e neither ends a test: "! this", nor the first part of "this && that".
result "every line of a bats test can fail" "$(grep -nE '^ +(! |(\[ .* \]|\[\[ .* \]\]) && (\[|not |grep |cmp |jq ))' test/*/*.bats | grep -v '||')"
result "every source file names its licence" "$(grep -L 'SPDX-License-Identifier: Apache-2.0' lib/*/*.[ch] lib/*/*.def cmd/*.c test/*.sh test/*/*.c test/*.h test/run pipelines/* Makefile 2>/dev/null)"
result "command files have at most 300 lines" "$(wc -l cmd/*.c | awk '$2 != "total" && $1 > 300 {print $2 ": " $1}')"
result "library files have at most 800 lines" "$(wc -l lib/*/*.[ch] | awk '$2 != "total" && $1 > 800 {print $2 ": " $1}')"
result "no word of a place or tool outside the project" "$(git grep -nIE '/(work|farm)/|/tmp/wt' -- . ':!test/purity.sh' 2>/dev/null)"
result "no unfinished work" "$(git grep -nIwE 'TODO|FIXME|XXX|HACK' -- lib cmd test pipelines man ':!test/purity.sh' 2>/dev/null)"
echo "1..$n"
exit $bad
