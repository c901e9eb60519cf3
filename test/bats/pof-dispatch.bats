# SPDX-License-Identifier: Apache-2.0
load ../helper
bats_require_minimum_version 1.5.0

setup() {
    cd "$BATS_TEST_TMPDIR"
    usef=$ROOT/samples/usef
}

@test "CSV in, CSV out, standard input" {
    pof-dispatch --format csv "$usef"/{outcomes,baselines,pods}.jsonl >want
    [ "$(wc -l <want)" = 6 ]
    pof-dispatch --format csv "$usef"/{outcomes,pods}.jsonl - <"$usef/baselines.jsonl" | cmp - want
    jq -r -s '(.[0] | keys_unsorted) as $k | ($k | join(",")), (.[] | [.[$k[]]] | join(","))' "$usef/baselines.jsonl" >baselines.csv
    pof-dispatch --format csv "$usef"/{outcomes,pods}.jsonl baselines.csv | cmp - want
}

@test "later outcomes move a set point and put their session's name on it" {
    sed 's/"a1"/"b1"/; s/-DA/-RT5/; s/"up"/"down"/; s/:2000000/:500000/g' "$usef/outcomes.jsonl" | head -n 1 >later
    pof-dispatch "$usef"/{outcomes,baselines,pods}.jsonl later >all
    [ "$(jq -r 'select(.pod == "plant-07") | "\(.p_w) \(.change_w) \(.session)"' all)" = "8500000 -1500000 2026-03-10-RT5" ]
    [ "$(grep -c -e '-DA' all)" = 4 ]
}

@test "with one impossible set point there is no output file at all" {
    sed 's/"p_up_max_w":3000000/"p_up_max_w":1/' "$usef/pods.jsonl" >weak
    run -65 pof-dispatch -o set "$usef"/{outcomes,baselines}.jsonl weak
    [ "${#lines[@]}" = 5 ]
    [ ! -e set ]
}
