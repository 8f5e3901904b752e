# Two commands do everything on a fresh machine: make run, make test.
# The rest: make (build), make install and make uninstall, make bundle (a folder that runs where
# nothing is installed), make bench, make lint, make clean.
#
# CUDA=1 builds the CUDA kernels or says what is missing, CUDA=0 leaves them out. By default they are
# built where the toolkit is; for make run, only where an NVIDIA driver is, too (cmake/cuda.cmake).

JOBS ?= $(shell nproc)
PREFIX ?= /usr/local
PRESET ?= release
BUILD := build/$(PRESET)
EEX := $(BUILD)/bin/eex

# An option that cmake was given by hand stays; what make run has left out, the others take in again.
CACHE := $(wildcard $(BUILD)/CMakeCache.txt)
CUDA_1 := -DEEX_CUDA=ON
CUDA_0 := -DEEX_CUDA=OFF
CUDA_OPTION = $(if $(CUDA),$(or $(CUDA_$(CUDA)),$(error CUDA=$(CUDA): 1 or 0)))
run: FIRST := $(if $(CACHE),,-DEEX_CUDA=DRIVER)
build install: FIRST := $(if $(CACHE),$(shell sed -n 's/^EEX_CUDA:.*=DRIVER$$/-DEEX_CUDA=AUTO/p' $(CACHE)))
CONFIGURE = @cmake --preset $(PRESET) $(or $(CUDA_OPTION),$(FIRST)) $(if $(CACHE),>/dev/null)

.PHONY: all run test deps build install uninstall bundle lint format bench clean

all: build

# The program alone, without the tests.
run: deps
	$(CONFIGURE)
	@cmake --build $(BUILD) -j $(JOBS) --target eex
	$(EEX) run experiments/quickstart.lua

test: build
	ctest --test-dir $(BUILD) --output-on-failure -j $(JOBS)

build: deps
	$(CONFIGURE)
	@cmake --build $(BUILD) -j $(JOBS)

# Installs what is missing with the system's package manager; says so and does nothing when
# everything is there.
PACKAGES := gcc cmake ninja-build pkg-config liblua5.4-dev libhdf5-dev zlib1g-dev \
    libjpeg62-turbo-dev libpng-dev libwebp-dev libtiff-dev libcriterion-dev libcurl4-openssl-dev libssl-dev \
    libedit-dev

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
	         "libjpeg-turbo, libpng, libwebp, libtiff 4.5, OpenSSL 3, Criterion; libcurl and libedit if you like"; \
	fi

# The program, the library, manual pages and documents; no tests, no benchmarks.
install: deps
	$(CONFIGURE)
	@cmake --build $(BUILD) -j $(JOBS) --target eex_installed
	cmake --install $(BUILD) --prefix $(PREFIX)

# What the last make install from this build folder has installed.
uninstall:
	@test -f $(BUILD)/install_manifest.txt || { echo "nothing was installed from $(BUILD)"; exit 1; }
	xargs -d '\n' -I FILE rm -fv "$(DESTDIR)FILE" <$(BUILD)/install_manifest.txt

# BUNDLE_TESTS=1 puts the tests in too, for a GPU machine that has no packages; CUDA_ARCHITECTURES=90-real
# leaves out kernels for other chips.
ARCHITECTURES = $(if $(CUDA_ARCHITECTURES),"-DEEX_CUDA_ARCHITECTURES=$(CUDA_ARCHITECTURES)")
bundle: deps
	@cmake --preset bundle $(CUDA_OPTION) $(ARCHITECTURES) -DEEX_TEST_ROOT=$(if $(BUNDLE_TESTS),.,$(CURDIR)) >/dev/null
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
