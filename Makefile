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

.PHONY: unit clean print-version
unit: $(UNIT)

clean:
	rm -rf build demo

print-version:
	@echo $(VERSION)
