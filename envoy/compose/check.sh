#!/usr/bin/env bash
# `make compose-check`: docker-compose.yml as it stands, with every image built from local files: Stepgate's and the bank's by
# their Dockerfiles from binaries built here, Envoy's from the Envoy of this machine, and the double in Kratos' place.
# Then the story over HTTP/1.1 and HTTP/2, and one of two Stepgates stopped, then killed, while browsers knock.
#
#   COMPOSE="docker compose"   which compose; default docker-compose, else docker compose
#   DOCKER=docker              which docker; it must speak BuildKit
#   BANK_PORT, LEDGER_PORT     where 8080 or 8090 is taken here: other ports, the bank then being asked at its container's address
set -euo pipefail
cd "$(dirname "$0")/../.."

export DOCKER_BUILDKIT=1 COMPOSE_PROJECT_NAME=stepgate-check
docker=${DOCKER:-docker}
compose="${COMPOSE:-$(command -v docker-compose || echo "$docker compose")} -f envoy/docker-compose.yml"
export STEPGATE_IMAGE=stepgate-check/stepgate BANK_IMAGE=stepgate-check/bank
export KRATOS_IMAGE=stepgate-check/kratos ENVOY_IMAGE=stepgate-check/envoy
envoy=127.0.0.1:8080 ledger=127.0.0.1:${LEDGER_PORT:-8090}

say() { echo "compose-check: $*"; }
"$docker" version >/dev/null 2>&1 || { say "no Docker engine answers; start one, then try again"; exit 1; }

say "building static binaries"
host=$(rustc -vV | sed -n 's/^host: //p')
RUSTFLAGS="-C target-feature=+crt-static" cargo build --quiet --release --locked --target "$host" \
  --package stepgate --package demo --bins
built="${CARGO_TARGET_DIR:-target}/$host/release"

work=$(mktemp -d)
# What was started here is taken down again, whatever happens.
finish() {
  local code=$?
  [ $code = 0 ] || $compose logs --no-color --tail 20 || true
  $compose down --volumes --timeout 1 >/dev/null 2>&1 || true
  rm -rf "$work"
}
trap finish EXIT

# An image from a folder: image NAME FOLDER LINES…
image() {
  local name=$1 folder=$2; shift 2
  printf '%s\n' "FROM scratch" "COPY . /" "$@" > "$work/Dockerfile"
  "$docker" build --quiet --tag "stepgate-check/$name" --file "$work/Dockerfile" "$folder" >/dev/null
}

say "building images"
mkdir -p "$work"/{stepgate,bank}/out "$work/stepgate/out/etc/ssl/certs" "$work/envoy/usr/local/bin"
cp "$built/stepgate" "$work/stepgate/out/" && strip "$work/stepgate/out/stepgate"
cp /etc/ssl/certs/ca-certificates.crt "$work/stepgate/out/etc/ssl/certs/"
cp "$built/demo" "$work/bank/out/" && strip "$work/bank/out/demo"
image stepgate-files "$work/stepgate"
image bank-files "$work/bank"
"$docker" build --quiet --build-arg BINARY=stepgate-check/stepgate-files --tag "$STEPGATE_IMAGE" . >/dev/null
"$docker" build --quiet --build-arg BINARY=stepgate-check/bank-files --tag "$BANK_IMAGE" --file demo/Dockerfile . >/dev/null
printf '%s\n' "FROM $BANK_IMAGE" 'ENTRYPOINT ["/demo", "kratos"]' \
  | "$docker" build --quiet --tag "$KRATOS_IMAGE" - >/dev/null
program=$(PATH="$PATH:target/tools/bin" command -v envoy)
cp -L "$program" "$work/envoy/usr/local/bin/envoy"
# The libraries that it names, at the places where it looks for them.
ldd "$program" | grep -o '/[^ ]*' | while read -r library; do
  install -D "$(readlink -f "$library")" "$work/envoy$library"
done
image envoy "$work/envoy" 'ENV PATH=/usr/local/bin'
"$docker" image ls --format '{{.Repository}} {{.Size}}' | grep '^stepgate-check/'

say "starting"
$compose config --quiet
# Envoy brings what it depends on; nothing here sends mail.
$compose up --detach --no-build envoy people > "$work/up.log" 2>&1 || { cat "$work/up.log"; exit 1; }
if [ -n "${BANK_PORT:-}" ]; then
  envoy=$("$docker" inspect --format '{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}' "$($compose ps -q envoy)"):8080
fi

demo="$built/demo"
for _ in $(seq 60); do
  "$demo" knock $envoy 1 >/dev/null 2>&1 && break
  sleep 1
done

say "the story over HTTP/1.1"
"$demo" walk $envoy $ledger 1
# A double without memory: the same people, as they were.
$compose restart --timeout 1 kratos >/dev/null 2>&1
for _ in $(seq 60); do
  "$demo" knock $envoy 1 >/dev/null 2>&1 && break
  sleep 1
done
say "the story over HTTP/2"
"$demo" walk $envoy $ledger 2

# Does something to the second Stepgate while browsers knock; not one of them may notice.
under_load() {
  say "$1"; shift
  "$demo" knock $envoy 12 & local knocking=$!
  sleep 3
  "$@" >/dev/null 2>&1
  wait $knocking
}
under_load "one of two Stepgates is stopped under load" $compose stop stepgate-2
$compose start stepgate-2 >/dev/null 2>&1
sleep 3
under_load "one of two Stepgates is killed under load" $compose kill stepgate-2
$compose start stepgate-2 >/dev/null 2>&1
say "held"
