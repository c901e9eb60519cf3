# SPDX-License-Identifier: Apache-2.0
# pof-zonal: eight days of the Italian day-ahead market, every published price to the cent.
load ../helper

setup() {
    cd "$BATS_TEST_TMPDIR"
}

# The published tables as records. Energies are MWh with noise of the 16th digit: whole Wh.
italy() {
    need_data market/italy-mgp
    local from="$POF_DATA/market/italy-mgp"
    for book in bid-curves simple-bid-curves; do
        gzip -dc "$from/$book.csv.gz" | awk -F, -v OFS=, '
            NR == 1 { print "schema,zone,start,duration_s,side,price_eur_mwh,energy_wh"; next }
            { print "pof.zone_order/1", $4, $1, 3600, $5, $6, sprintf("%.0f", $7 * 1e6) }' >$book.csv
    done
    gzip -dc "$from/block-orders.csv.gz" | awk -F, -v OFS=, '
        BEGIN { s["ACC"] = "accepted"; s["REJ"] = "rejected"; s["PREJ"] = "paradoxically_rejected" }
        NR == 1 { print "schema,zone,start,duration_s,side,price_eur_mwh,energy_wh,block,status"; next }
        { print "pof.zone_order/1", $5, $1, 3600, $6, $8, sprintf("%.0f", $7 * 1e6), $3, s[$9] }' >blocks.csv
    gzip -dc "$from/transfer-capacities.csv.gz" | awk -F, -v OFS=, '
        NR == 1 { print "schema,from,to,start,duration_s,min_wh,max_wh"; next }
        { print "pof.zone_link/1", $5, $6, $1, 3600, sprintf("%d", $7 * 1e6), sprintf("%d", $8 * 1e6) }' >links.csv
    gzip -dc "$from/published-prices.csv.gz" >prices.csv
    awk -F, -v OFS=, 'BEGIN { inner() }
        function inner(  a, i) { split("NORD CNOR CSUD SUD CALA SICI SARD PUN NAT", a, " "); for (i in a) own[a[i]] = 1 }
        NR == 1 { print "schema,zone,start,duration_s,price_eur_mwh"; next }
        !($4 in own) { print "pof.zone_price/1", $4, $1, 3600, $5 }' prices.csv >borders.csv
}

# same_prices RESULT: every zone and hour as published; prints how many.
same_prices() {
    grep -E '"zone":"(NORD|CNOR|CSUD|SUD|CALA|SICI|SARD)"' "$1" |
        sed 's/.*"zone":"\([A-Z]*\)","start":"\([^"]*\)".*"price_eur_mwh":\([-0-9.]*\),.*/\1 \2 \3/' >got
    TZ=UTC awk -F, '$4 ~ /^(NORD|CNOR|CSUD|SUD|CALA|SICI|SARD)$/ {
        split($1, t, /[-T:+]/)
        s = mktime(t[1] " " t[2] " " t[3] " " t[4] " 0 0") - 7200
        print $4, strftime("%Y-%m-%dT%H:%M:%SZ", s), $5 }' prices.csv >want
    awk 'NR == FNR { want[$1 " " $2] = $3; next }
        { n++; if (!(($1 " " $2) in want) || (want[$1 " " $2] - $3) ^ 2 > 1e-12) bad++ }
        END { print n " prices, " bad + 0 " not as published"; exit bad > 0 || n != 1344 }' want got
}

@test "Italy, blocks as published within the curves: 1344 prices to the cent, under 0.3 s" {
    italy
    TIMEFORMAT='%U %S'
    { time pof-zonal -q -o out bid-curves.csv links.csv borders.csv; } 2>time
    same_prices out
    echo "# CPU: $(cat time) s" >&3
    [ "$VARIANT" = asan ] || awk '{ exit $1 + $2 > 0.3 }' time
}

@test "Italy, published block decisions held: the same prices" {
    italy
    pof-zonal -q --blocks given -o out simple-bid-curves.csv blocks.csv links.csv borders.csv
    same_prices out
    [ "$(grep -c block_result out)" = 308 ]
    [ "$(grep -c '"given"' out)" = 0 ]
}

@test "Italy, blocks left open: at least 97 % as published, each difference with its surplus, none at a loss" {
    italy
    pof-zonal -o out simple-bid-curves.csv blocks.csv links.csv borders.csv 2>said
    blocks=$(grep -c block_result out)
    differ=$(grep -c '"given"' out)
    echo "# $blocks blocks, $differ otherwise; $(head -n 1 said)" >&3
    [ $((100 * (blocks - differ))) -ge $((97 * blocks)) ]
    [ "$(grep '"status":"accepted"' out | grep -c '"surplus_eur":-')" = 0 ]
    grep -q "at most 0 EUR from the best" said
}

@test "shuffled rows in other files: the same bytes" {
    cp "$ROOT"/samples/zone*.csv .
    pof-zonal -q zones.csv zone-links.csv zone-border.csv >a
    { head -n 1 zones.csv; tail -n +2 zones.csv | sort -t, -k6,6 -k2,2; } >z.csv
    { head -n 1 zone-links.csv; tail -n +2 zone-links.csv | sort -r; } >l.csv
    pof-zonal -q zone-border.csv l.csv z.csv >b
    cmp a b
}
