# Two commands do everything on a fresh machine: make run, make test.
# The rest: make (build), make install, make bundle (a folder that runs where nothing is installed),
# make bench, make lint, make clean.

JOBS ?= $(shell nproc)
PREFIX ?= /usr/local
PRESET ?= release
BUILD := build/$(PRESET)
EEX := $(BUILD)/bin/eex

.PHONY: all run test deps build install bundle lint format bench clean

all: build

# The program alone, without the tests.
run: deps
	@cmake --preset $(PRESET) $(if $(wildcard $(BUILD)/CMakeCache.txt),>/dev/null,)
	@cmake --build $(BUILD) -j $(JOBS) --target eex
	$(EEX) run experiments/quickstart.lua

test: build
	ctest --test-dir $(BUILD) --output-on-failure -j $(JOBS)

build: deps
	@cmake --preset $(PRESET) $(if $(wildcard $(BUILD)/CMakeCache.txt),>/dev/null,)
	@cmake --build $(BUILD) -j $(JOBS)

# Installs what is missing with the system's package manager; says so and does nothing when
# everything is there.
PACKAGES := gcc cmake ninja-build pkg-config liblua5.4-dev libhdf5-dev zlib1g-dev \
    libjpeg62-turbo-dev libpng-dev libwebp-dev libtiff-dev libcriterion-dev libcurl4-openssl-dev libedit-dev

deps:
	@if command -v dpkg-query >/dev/null; then \
	    missing=$$(for p in $(PACKAGES); do \
	        dpkg-query -W -f='$${Status}' $$p 2>/dev/null | grep -q 'ok installed' || echo $$p; \
	    done); \
	    if [ -n "$$missing" ]; then \
	        echo "installing: $$(echo $$missing)"; \
	        sudo=; [ "$$(id -u)" = 0 ] || sudo=sudo; \
	        $$sudo apt-get update -qq && \
	        DEBIAN_FRONTEND=noninteractive $$sudo apt-get install -y -qq $$missing >/dev/null; \
	    fi; \
	else \
	    echo "no Debian packages here; eex needs: gcc, CMake 3.25, Ninja, Lua 5.4, HDF5, zlib," \
	         "libjpeg-turbo, libpng, libwebp, libtiff 4.5, Criterion; libcurl and libedit if you like"; \
	fi

install: build
	cmake --install $(BUILD) --prefix $(PREFIX)

# BUNDLE_TESTS=1 puts the tests in too, for a GPU machine that has no packages.
bundle: deps
	@cmake --preset bundle -DEEX_TEST_ROOT=$(if $(BUNDLE_TESTS),.,$(CURDIR)) >/dev/null
	@cmake --build build/bundled -j $(JOBS) --target $(if $(BUNDLE_TESTS),all,eex)
	BUNDLE_TESTS=$(BUNDLE_TESTS) scripts/bundle.sh build/bundled

SOURCES = $$(git ls-files '*.c' '*.h' '*.cu' '*.cuh' '*.cpp')

# clang-tidy reads what the build compiles, with the build's flags; it counts warnings in system
# headers on the standard error, which nobody wants to know.
lint: $(BUILD)/compile_commands.json
	clang-format --dry-run -Werror $(SOURCES)
	@sed -n 's|.*"file": "\(.*/src/.*\.c\)".*|\1|p' $< | sort -u | \
	    xargs -P $(JOBS) -n 4 clang-tidy -p $(BUILD) --quiet 2>/dev/null && echo "clang-tidy: clean"

$(BUILD)/compile_commands.json: | deps
	@cmake --preset $(PRESET) >/dev/null

format:
	clang-format -i $(SOURCES)

# bench_conv compares with oneDNN, and bench_train takes its ceiling from it, where it is installed.
bench: build
	@grep -q '^DNNL_LIBRARY:.*NOTFOUND' $(BUILD)/CMakeCache.txt && \
	    echo "oneDNN is not installed: libdnnl-dev gives the comparison with it" || true
	$(BUILD)/bin/bench_conv
	$(BUILD)/bin/bench_ops
	$(BUILD)/bin/bench_replay
	$(BUILD)/bin/bench_train

clean:
	rm -rf build
