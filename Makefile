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
ifeq ($(VARIANT),clang)
CC := clang
endif
# Results must not depend on fused multiply-add or reordered sums: no -ffast-math, no contraction.
ALL_CFLAGS = -std=c11 -ffp-contract=off -pthread -fvisibility=hidden -ffunction-sections \
	$(WARN) $(CFLAGS)
ALL_CPPFLAGS = -Itest -D_GNU_SOURCE -DPOF_VERSION='"$(VERSION)"' -Ilib \
	-I/usr/include/suitesparse $(CPPFLAGS)
# Only what a program really uses is linked: --as-needed keeps GLPK (GPL-3+) out of the others.
PKGS := jansson openssl libcurl sqlite3 lapacke openblas
ALL_LDFLAGS = -pthread -Wl,--gc-sections -Wl,--as-needed $(LDFLAGS)
ALL_LDLIBS = $(shell $(PKG_CONFIG) --libs $(PKGS) 2>/dev/null) -lcsv -lglpk -lklu -lbtf -lamd \
	-lcolamd -lm $(LDLIBS)

Q := $(if $(V),,@)
say = $(if $(V),,@printf '  %-5s %s\n' $(1) $(2))

LIB_SRC := $(sort $(wildcard lib/*/*.c))
CMD_SRC := $(sort $(wildcard cmd/pof*.c))
UNIT_SRC := $(sort $(wildcard test/unit/*.c test/prop/*.c))
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

$(B)/libpof.a: $(LIB_OBJ)
	$(call say,AR,$@)
	$(Q)rm -f $@ && $(AR) rcsD $@ $^

$(B)/bin/%: $(B)/cmd/%.o $(B)/libpof.a
	@mkdir -p $(@D)
	$(call say,LD,$@)
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $< $(B)/libpof.a $(ALL_LDLIBS)

$(B)/test/%: $(B)/test/%.o $(B)/libpof.a
	$(call say,LD,$@)
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $< $(B)/libpof.a $(ALL_LDLIBS)

-include $(LIB_OBJ:.o=.d) $(CMD_SRC:%.c=$(B)/%.d) $(UNIT_SRC:%.c=$(B)/%.d)

.SECONDARY:

# --- what people type ---

DEPS_BUILD := gcc libc6-dev pkg-config libjansson-dev libcsv-dev libglpk-dev liblapacke-dev \
	libopenblas-dev libsuitesparse-dev libcurl4-openssl-dev libssl-dev libsqlite3-dev
DEPS_DEMO := inotify-tools
DEPS_CHECK := $(DEPS_DEMO) bats jq mandoc strace shellcheck binutils python3-minimal python3-jsonschema \
	golang-go golang-golang-x-mod-dev

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
	$(Q)$< records >man/pof-records.5 && $< errors >man/pof-errors.7

# Every suite is one command that speaks TAP; test/run counts.
SUITES := $(UNIT) \
	"test/generated.sh $(B)/tools/generate" "test/purity.sh $(B)" \
	$(foreach d,$(sort $(wildcard test/golden/*)),"test/golden.sh $(d)") \
	$(foreach f,$(sort $(wildcard test/bats/*.bats test/fault/*.bats)),"bats --tap $(f)") \
	test/docs.sh

check:
	@share/deps.sh $(DEPS_BUILD) $(DEPS_CHECK)
	@$(MAKE) --no-print-directory -j2 all unit $(B)/tools/generate
	@$(MAKE) --no-print-directory check-suites

check-suites: export POF_BIN = $(CURDIR)/$(B)/bin
check-suites: export POF_DATA ?= $(wildcard $(abspath $(CURDIR)/../shared/data))
check-suites:
	@test/run $(B)/log $(SUITES)

golden-accept:
	@VARIANT=$(VARIANT) test/golden.sh --accept $(CASE)

clean:
	rm -rf build demo

print-version:
	@echo $(VERSION)
