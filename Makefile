# SPDX-License-Identifier: Apache-2.0
# POF tools. The two commands that do everything: make demo, make check.
# VARIANT=debug|asan|clang ... builds beside the default in build/VARIANT; V=1 shows commands.

VARIANT ?= release
PREFIX ?= /usr/local
prefix ?= $(PREFIX)
bindir ?= $(prefix)/bin
libdir ?= $(prefix)/lib
includedir ?= $(prefix)/include
mandir ?= $(prefix)/share/man
datadir ?= $(prefix)/share
CC = gcc
AR = ar
PKG_CONFIG ?= pkg-config
VERSION := $(shell cat VERSION)
B := build/$(VARIANT)

CFLAGS ?= -O2 -g
WARN := -Wall -Wextra -Wshadow -Wconversion -Wvla -Wstrict-prototypes -Wmissing-prototypes \
	-Wformat=2
ifeq ($(VARIANT),asan)
CFLAGS := -O1 -g -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
LDFLAGS += -fsanitize=address,undefined
endif
ifeq ($(VARIANT),coverage)
CFLAGS := -O0 -g --coverage
LDFLAGS += --coverage
endif
ifeq ($(VARIANT),fuzz)
CC := clang
CFLAGS := -O1 -g -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all
endif
ifeq ($(VARIANT),clang)
CC := clang
endif
# Results must not depend on fused multiply-add or reordered sums: no -ffast-math, no contraction.
ALL_CFLAGS = -std=c11 -ffp-contract=off -pthread -fvisibility=hidden -ffunction-sections \
	$(WARN) $(CFLAGS)
ALL_CPPFLAGS = -Itest -D_GNU_SOURCE -DPOF_VERSION='"$(VERSION)"' -Ilib \
	-I/usr/include/suitesparse $(CPPFLAGS)
# Only what a program really uses is linked: --as-needed keeps GLPK (GPL-3+) in tests alone.
PKGS := jansson openssl libcurl sqlite3 expat zlib nettle libsecp256k1 libsodium
ALL_LDFLAGS = -pthread -Wl,--gc-sections -Wl,--as-needed $(LDFLAGS)
comma := ,
# Small libraries go into the program where they come as archives: each shared one costs its start a
# sixth of a millisecond.
ARCHIVED := $(if $(wildcard /usr/lib/*/libklu.a),-Wl$(comma)-Bstatic -ljansson -lsodium -lklu -lbtf -lamd -lcolamd \
	-lsuitesparseconfig -lexpat -lcsv -Wl$(comma)-Bdynamic)
ALL_LDLIBS = $(ARCHIVED) $(shell $(PKG_CONFIG) --libs $(PKGS) 2>/dev/null) -lcsv -lglpk -lklu -lbtf \
	-lamd -lcolamd -lm $(LDLIBS)

Q := $(if $(V),,@)
say = $(if $(V),,@printf '  %-5s %s\n' $(1) $(2))

LIB_SRC := $(sort $(wildcard lib/*/*.c))
CMD_SRC := $(sort $(wildcard cmd/pof*.c))
UNIT_SRC := $(sort $(wildcard test/unit/*.c test/prop/*.c test/accept/*.c))
LIB_OBJ := $(LIB_SRC:%.c=$(B)/%.o)
BIN := $(CMD_SRC:cmd/%.c=$(B)/bin/%)
UNIT := $(UNIT_SRC:%.c=$(B)/%)
MAN := $(sort $(wildcard man/*.[1-8]))

.DELETE_ON_ERROR:
.SUFFIXES:
.PHONY: all
all: $(BIN)

$(B)/%.o: %.c
	@mkdir -p $(@D)
	$(call say,CC,$<)
	$(Q)$(CC) $(ALL_CPPFLAGS) $(ALL_CFLAGS) -MMD -MP -c $< -o $@

# The page of pof-view is built in.
$(B)/lib/view/assets.o: $(wildcard share/view/*)
# So are the contracts.
$(B)/lib/chain/contracts.o: share/contracts/contracts.json

$(B)/libpof.a: $(LIB_OBJ)
	$(call say,AR,$@)
	$(Q)rm -f $@ && $(AR) rcsD $@ $^

# A program of several parts has the others in cmd/NAME/.
.SECONDEXPANSION:
$(B)/bin/%: $(B)/cmd/%.o $$(addprefix $(B)/,$$(addsuffix .o,$$(basename $$(sort \
		$$(wildcard cmd/$$*/*.c))))) $(B)/libpof.a
	@mkdir -p $(@D)
	$(call say,LD,$@)
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $^ $(ALL_LDLIBS)

$(B)/test/%: $(B)/test/%.o $(B)/libpof.a
	$(call say,LD,$@)
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $< $(B)/libpof.a $(ALL_LDLIBS)

-include $(LIB_OBJ:.o=.d) $(CMD_SRC:%.c=$(B)/%.d) $(B)/tools/generate.d \
	$(patsubst %.c,$(B)/%.d,$(wildcard cmd/*/*.c)) $(UNIT_SRC:%.c=$(B)/%.d)

.SECONDARY:

# --- what people type ---

DEPS_BUILD := gcc libc6-dev pkg-config libjansson-dev libcsv-dev libglpk-dev \
	liblapacke-dev libopenblas-dev libsuitesparse-dev libcurl4-openssl-dev libssl-dev libsqlite3-dev \
	libexpat1-dev zlib1g-dev libsecp256k1-dev nettle-dev libsodium-dev libpq-dev
DEPS_DEMO := inotify-tools
DEPS_CHECK := $(DEPS_DEMO) bats jq procps time mandoc strace shellcheck binutils python3-minimal python3-jsonschema \
	golang-go golang-golang-x-mod-dev chromium chromium-driver librsvg2-bin curl influxdb \
	postgresql mosquitto mosquitto-clients openssl

.PHONY: deps demo check check-suites unit clean print-version schema golden-accept
deps:
	@share/deps.sh $(DEPS_BUILD) $(DEPS_DEMO)

demo: deps
	@$(MAKE) --no-print-directory -j2 all
	@POF_BIN="$(CURDIR)/$(B)/bin" pipelines/demo

unit: $(UNIT)

$(B)/tools/generate: $(B)/tools/generate.o $(B)/libpof.a
	$(call say,LD,$@)
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $< $(B)/libpof.a $(ALL_LDLIBS)

schema: $(B)/tools/generate
	@mkdir -p schema
	$(Q)for t in $$($< types); do $< schema $$t >schema/$$t.schema.json || exit 1; done
	$(Q)$< records >man/pof-records.5 && $< errors >man/pof-errors.7 && $< powers >lib/num/powers.def

# Every suite is one command that speaks TAP; test/run counts. The longest come first, so that no core
# waits at the end.
SLOW := $(addprefix test/bats/,pipelines.bats greek-se.bats pof-mqtt.bats pof-scd-postgresql.bats pof-chain.bats) \
	test/fault/certify-kill.bats
SUITES := "test/fault/inject.sh $(B)/test/inject.so" $(foreach f,$(SLOW),"bats --tap $(f)") $(UNIT) \
	"test/generated.sh $(B)/tools/generate" "test/purity.sh $(B)" test/docs.sh \
	$(foreach d,$(sort $(wildcard test/golden/*)),"test/golden.sh $(d)") \
	$(foreach f,$(filter-out $(SLOW),$(sort $(wildcard test/bats/*.bats test/fault/*.bats))),"bats --tap $(f)")

$(B)/test/inject.so: test/fault/inject.c
	@mkdir -p $(@D)
	$(call say,LD,$@)
	$(Q)$(CC) -shared -fPIC -O2 -D_GNU_SOURCE $(WARN) -o $@ $< -ldl

check:
	@share/deps.sh $(DEPS_BUILD) $(DEPS_CHECK)
	@$(MAKE) --no-print-directory -j2 all unit $(B)/tools/generate $(B)/test/inject.so
	@$(MAKE) --no-print-directory check-suites

check-suites: export POF_BIN = $(CURDIR)/$(B)/bin
check-suites: export POF_DATA ?= $(wildcard $(abspath $(CURDIR)/../shared/data))
check-suites:
	@test/run $(B)/log $(SUITES)

golden-accept:
	@VARIANT=$(VARIANT) test/golden.sh --accept $(CASE)

# Acceptance on the data beside the project: what failed, and the table of families.
.PHONY: accept
ACCEPT := $(patsubst %.c,$(B)/%,$(sort $(wildcard test/accept/*.c)))
accept: export POF_DATA ?= $(wildcard $(abspath $(CURDIR)/../shared/data))
accept: $(ACCEPT)
	@for a in $(ACCEPT); do $$a | grep -E '^(#|not ok)' || exit 1; done

clean:
	rm -rf build demo

print-version:
	@echo $(VERSION)
# --- sanitizers, fuzzing, lint, coverage, benchmarks ---

.PHONY: asan asan-check lint coverage bench fuzz
asan:
	@$(MAKE) --no-print-directory VARIANT=asan all unit

# The whole suite under AddressSanitizer and UndefinedBehaviorSanitizer; any finding ends a program
# with status 99, which no test expects.
asan-check: export ASAN_OPTIONS = exitcode=99:detect_leaks=1
asan-check: export UBSAN_OPTIONS = exitcode=99:print_stacktrace=1
asan-check:
	@share/deps.sh $(DEPS_BUILD) $(DEPS_CHECK)
	@$(MAKE) --no-print-directory -j2 VARIANT=asan all unit build/asan/tools/generate build/asan/test/inject.so
	@$(MAKE) --no-print-directory VARIANT=asan check-suites

lint:
	@share/deps.sh $(DEPS_BUILD) $(DEPS_CHECK) clang libclang-rt-14-dev
	@$(MAKE) --no-print-directory -j2 VARIANT=lint CFLAGS="-O2 -Werror" all unit
	@$(MAKE) --no-print-directory -j2 VARIANT=clang CFLAGS="-O2 -Werror" all unit
	shellcheck -x .ci/run share/deps.sh test/run test/*.sh $(filter-out pipelines/common.sh,$(wildcard pipelines/*))
	mandoc -T lint -W warning $(MAN)
	@echo "lint: nothing to say"

coverage:
	@share/deps.sh $(DEPS_BUILD) $(DEPS_CHECK) gcovr
	@$(MAKE) --no-print-directory -j2 VARIANT=coverage all unit build/coverage/tools/generate build/coverage/test/inject.so
	-@$(MAKE) --no-print-directory VARIANT=coverage check-suites
	gcovr -r . --object-directory build/coverage --filter lib/ --filter cmd/ --txt --print-summary

bench: all
	@POF_BIN="$(CURDIR)/$(B)/bin" test/bench/day

# The certification log: CPU and wall time of its parts, in the current directory's file system.
.PHONY: bench-trust
bench-trust: $(B)/test/bench/trust
	@$<

# The grid engine: estimation and power flow on feeders made by seed and, where the shared data are,
# on MATPOWER's cases. NETS="rad1k rad10k" for some of them.
.PHONY: bench-grid
BENCH_GRID := $(patsubst %.c,$(B)/%.o,$(wildcard test/bench/grid/*.c))
-include $(BENCH_GRID:.o=.d)
$(B)/test/bench/bench-grid: $(BENCH_GRID) $(B)/libpof.a
	$(call say,LD,$@)
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $(BENCH_GRID) $(B)/libpof.a $(ALL_LDLIBS)

bench-grid: export POF_DATA ?= $(wildcard $(abspath $(CURDIR)/../shared/data))
bench-grid: all $(B)/test/bench/bench-grid
	@$(B)/test/bench/bench-grid $(B)/bin $(NETS)

# The market: pof-clear and a session against CLP and GLPK (packages coinor-clp, glpk-utils; left out
# with a word where they are not installed), the same market and the same cost.
.PHONY: bench-market
BENCH_MARKET := $(patsubst %.c,$(B)/%.o,$(wildcard test/bench/market/*.c))
-include $(BENCH_MARKET:.o=.d)
$(B)/test/bench/bench-market: $(BENCH_MARKET)
	$(call say,LD,$@)
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $(BENCH_MARKET) -lm

bench-market: export POF_DATA ?= $(wildcard $(abspath $(CURDIR)/../shared/data))
bench-market: all $(B)/test/bench/bench-market
	@$(B)/test/bench/bench-market $(B)/bin
	@POF_BIN="$(CURDIR)/$(B)/bin" test/bench/market/validate

# Records and pof-ingest: 10 M lines of a stream, file to file, against Miller, jq and a document a line
# by jansson (left out with a word where they are not installed); then each type of record. LINES=1000000
# for a shorter stream; TMPDIR needs 4 GB.
.PHONY: bench-ingest
BENCH_INGEST := $(patsubst %.c,$(B)/%.o,$(wildcard test/bench/ingest/*.c))
-include $(BENCH_INGEST:.o=.d)
$(B)/test/bench/bench-ingest: $(BENCH_INGEST) $(B)/libpof.a
	$(call say,LD,$@)
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $(BENCH_INGEST) $(B)/libpof.a $(ALL_LDLIBS)

bench-ingest: all $(B)/test/bench/bench-ingest
	@$(B)/test/bench/bench-ingest $(B)/bin samples/cigre-mv.json $(LINES)

# The store: 10 M measurements into SQLite and into a private PostgreSQL server (left out with a word where
# that is not installed), a pod's month, a late value. LINES=1000000 for fewer; TMPDIR needs 3 GB.
.PHONY: bench-store
BENCH_STORE := $(patsubst %.c,$(B)/%.o,$(wildcard test/bench/store/*.c))
-include $(BENCH_STORE:.o=.d)
$(B)/test/bench/bench-store: $(BENCH_STORE) $(B)/libpof.a
	$(call say,LD,$@)
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $(BENCH_STORE) $(B)/libpof.a $(ALL_LDLIBS)

bench-store: all $(B)/test/bench/bench-store
	@$(B)/test/bench/bench-store $(B)/bin samples/cigre-mv.json test/postgresql.sh $(LINES)

# Messages through mosquitto on the loopback, on the disk before they are acknowledged, and what
# mosquitto's own client does beside it (left out with a word where it is not installed).
.PHONY: bench-mqtt
bench-mqtt: $(B)/bin/pof-mqtt
	@POF_BIN="$(CURDIR)/$(B)/bin" test/bench/mqtt

# From a message to the database through pipelines/greek-se, with mosquitto (TLS, client certificates) and
# InfluxDB on this machine (left out with a word where they are not installed). NETS="cigre" for one of them.
.PHONY: bench-chain
bench-chain: all
	@POF_BIN="$(CURDIR)/$(B)/bin" test/bench/chain $(NETS)

# make fuzz SECONDS=60: each harness in test/fuzz for that long, from its corpus.
SECONDS ?= 60
FUZZ := $(patsubst test/fuzz/%.c,build/fuzz/%,$(wildcard test/fuzz/*.c))
build/fuzz/%: build/fuzz/test/fuzz/%.o build/fuzz/libpof.a
	$(call say,FUZZ,$@)
	$(Q)$(CC) -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=all $(ALL_LDFLAGS) -o $@ $^ $(ALL_LDLIBS)

fuzz:
	@share/deps.sh $(DEPS_BUILD) clang libclang-rt-14-dev
	@$(MAKE) --no-print-directory -j2 VARIANT=fuzz $(FUZZ)
	@for f in $(FUZZ); do n=$$(basename $$f); mkdir -p build/corpus/$$n; \
		echo "fuzz $$n for $(SECONDS) s"; \
		$$f -max_total_time=$(SECONDS) -verbosity=0 build/corpus/$$n test/fuzz/corpus/$$n || exit 1; done

# --- installing and packing ---

.PHONY: install uninstall dist distcheck
COMPLETIONS := $(datadir)/bash-completion/completions
install: all
	install -d $(DESTDIR)$(bindir) $(DESTDIR)$(libdir)/pkgconfig $(DESTDIR)$(datadir)/pof $(DESTDIR)$(COMPLETIONS)
	install -m 755 $(BIN) $(DESTDIR)$(bindir)
	install -m 644 $(B)/libpof.a $(DESTDIR)$(libdir)
	sed -e 's|@prefix@|$(prefix)|; s|@libdir@|$(libdir)|; s|@includedir@|$(includedir)|; s|@version@|$(VERSION)|' \
		share/pof.pc.in >$(DESTDIR)$(libdir)/pkgconfig/pof.pc
	for h in lib/*/*.h lib/*/*.def; do install -D -m 644 $$h $(DESTDIR)$(includedir)/pof/$${h#lib/} || exit 1; done
	for m in $(MAN); do install -D -m 644 $$m $(DESTDIR)$(mandir)/man$${m##*.}/$${m#man/} || exit 1; done
	for f in $$(find schema samples pipelines share -type f ! -name '.*'); do \
		mode=644; [ ! -x $$f ] || mode=755; install -D -m $$mode $$f $(DESTDIR)$(datadir)/pof/$$f || exit 1; done
	for b in $(BIN); do install -m 644 share/completion.bash $(DESTDIR)$(COMPLETIONS)/$$(basename $$b); done

uninstall:
	for b in $(BIN); do rm -f $(DESTDIR)$(bindir)/$$(basename $$b) $(DESTDIR)$(COMPLETIONS)/$$(basename $$b); done
	for m in $(MAN); do rm -f $(DESTDIR)$(mandir)/man$${m##*.}/$${m#man/}; done
	rm -f $(DESTDIR)$(libdir)/libpof.a $(DESTDIR)$(libdir)/pkgconfig/pof.pc
	rm -rf $(DESTDIR)$(includedir)/pof $(DESTDIR)$(datadir)/pof

DIST := pof-$(VERSION)
dist:
	git archive --format=tar --prefix=$(DIST)/ HEAD | gzip -n9 >$(DIST).tar.gz
	sha256sum $(DIST).tar.gz

# Unpack, build, check, install, uninstall: nothing is left and nothing was changed.
distcheck: dist
	rm -rf build/distcheck && mkdir -p build/distcheck
	tar -xzf $(DIST).tar.gz -C build/distcheck
	cd build/distcheck/$(DIST) && $(MAKE) --no-print-directory check POF_DATA="$(wildcard $(abspath $(CURDIR)/../shared/data))"
	cd build/distcheck/$(DIST) && $(MAKE) --no-print-directory install DESTDIR="$(CURDIR)/build/distcheck/root" >/dev/null
	cd build/distcheck/$(DIST) && $(MAKE) --no-print-directory uninstall DESTDIR="$(CURDIR)/build/distcheck/root" >/dev/null
	test -z "$$(find build/distcheck/root -type f)"
	@echo "distcheck: $(DIST).tar.gz is good"
