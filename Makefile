# The main targets: make run, make test, make bench, make fuzz, make docs, make lint.
.PHONY: run test soak fuzz bench stage-costs docs lint build build-tools test-tools install-tests

BUILD_PACKAGES = libldns-dev pkg-config
# systemd-resolved is not in the list, because its package makes it the machine's resolver. Its test runs if it is
# installed.
TEST_PACKAGES = bind9 bind9-dnsutils bind9-utils curl dnsdist dnsmasq-base gcc iproute2 knot knot-dnssecutils \
	knot-resolver ldnsutils musl-tools nsd openssl patch pdns-recursor python3 python3-venv unbound
BENCH_PACKAGES = bind9 dnsdist dnsmasq-base dnsperf gcc knot knot-resolver libc6-dev nsd pdns-recursor python3 unbound \
	util-linux
# A server with AWS's API to import from, and the client that fills it.
TEST_PYTHON = 'moto[server]==5.2.1' 'awscli==1.45.11'
ZONAL = .build/release/zonal
CONFIG = zones/zonal.yaml
# A module may import only its declared dependencies.
STRICT = --explicit-target-dependency-import-check error

# Builds the server and serves the sample world on 127.0.0.1:5300.
run: build-tools build
	@echo
	@echo "Serving $(CONFIG). Try, in another terminal:"
	@echo
	@echo "  dig -b 127.20.1.7 -p 5300 @127.0.0.1 ssm.us-east-1.amazonaws.com"
	@echo "  dig -b 127.30.1.7 -p 5300 @127.0.0.1 db-us-east-1a.internal.example"
	@echo "  dig -b 127.0.0.1  -p 5300 @127.0.0.1 ssm.us-east-1.amazonaws.com"
	@echo
	@exec $(ZONAL) serve --config $(CONFIG)

# Limits parallel tests, so that tests that wait for threads do not also wait for all other tests.
WIDTH = --experimental-maximum-parallelization-width 4

# Installs the packages for the tests, builds, and runs all tests. Measurements run alone.
test: build-tools test-tools build
	swift build --build-tests $(STRICT)
	ZONAL=$(ZONAL) Scripts/run-tests --skip-build --skip MeasurementTests $(WIDTH)
	ZONAL=$(ZONAL) Scripts/run-tests --skip-build --no-parallel --filter MeasurementTests

# Ten minutes of load with faulty upstreams, with the release build and each sanitizer. docs/soak.md has the results.
SOAK_SECONDS = 600
SANITIZED = SOAK_PATIENCE=8000 SOAK_SECONDS=$(SOAK_SECONDS)
SOAK = Scripts/run-tests --skip-build --no-parallel --filter "MeasurementTests.*soak"
soak: build-tools test-tools build
	swift build --build-tests $(STRICT)
	swift build --sanitize=address --product zonal --scratch-path .build-asan
	swift build --sanitize=thread --product zonal --scratch-path .build-tsan
	SOAK_SECONDS=$(SOAK_SECONDS) ZONAL=$(ZONAL) $(SOAK)
	$(SANITIZED) ASAN_OPTIONS=quarantine_size_mb=16 ZONAL=.build-asan/debug/zonal $(SOAK)
	$(SANITIZED) TSAN_OPTIONS=suppressions=$(CURDIR)/Tests/ThreadSanitizer.supp ZONAL=.build-tsan/debug/zonal $(SOAK)

# Compares Zonal with its peers, CPU time per answer. Writes the table into the README and the drawing into docs.
bench: build-tools build
	@Scripts/install-packages $(BENCH_PACKAGES)
	python3 Benchmarks/bench.py --zonal $(ZONAL) --seconds 2 --into README.md --svg docs/benchmark.svg

# Compares the number of instructions of each stage of a query with its limit.
stage-costs: build-tools
	@Scripts/install-packages valgrind binutils python3
	ZONAL_BENCHMARKS=1 swift build --configuration release --product StageCosts --scratch-path .build-bench
	python3 Benchmarks/stage_costs.py .build-bench/release/StageCosts

# Fuzzes each reader of untrusted octets, starting from its seeds. docs/fuzzing.md has the results.
FUZZ_SECONDS = 600
FUZZ_TARGETS = message answer proxy stream cache zone yaml aws
FUZZ_FOLDER = .build-fuzz
FUZZ_OPTIONS = -max_total_time=$(FUZZ_SECONDS) -max_len=4096 -timeout=10 -rss_limit_mb=2048 -print_final_stats=1
fuzz: build-tools
	ZONAL_FUZZING=1 swift build --configuration release --product Fuzzer --scratch-path $(FUZZ_FOLDER) \
	    --sanitize fuzzer -Xswiftc -sanitize=fuzzer,address
	set -e; for target in $(FUZZ_TARGETS); do \
	    LSAN_OPTIONS=suppressions=$(CURDIR)/Fuzzing/LeakSanitizer.supp \
	    $(FUZZ_FOLDER)/release/Fuzzer $$target $(FUZZ_FOLDER)/corpus/$$target \
	        $(FUZZ_OPTIONS) -artifact_prefix=$(FUZZ_FOLDER)/$$target-; \
	done

# Writes the reference of the keys, the manual page, the tables of options, and what commands print into the documents.
docs: build
	ZONAL_WRITE_DOCS=1 ZONAL=$(ZONAL) swift test --no-parallel \
	    --filter 'a document says what the declarations say|have every option of every command|every command prints what the page shows'

lint:
	swift format lint --strict --recursive Package.swift Sources Tests Benchmarks Fuzzing

build:
	swift build --configuration release --product zonal $(STRICT)

build-tools:
	@Scripts/install-packages $(BUILD_PACKAGES)

test-tools: install-tests .build/python/installed

install-tests:
	@Scripts/install-packages $(TEST_PACKAGES)

.build/python/installed: | install-tests
	python3 -m venv --system-site-packages $(@D)
	$(@D)/bin/pip install --quiet --disable-pip-version-check $(TEST_PYTHON)
	@touch $@
