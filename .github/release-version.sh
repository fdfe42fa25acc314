#!/usr/bin/env bash
# Exits 1 unless the version given is the one of the crate, of the chart, and of the newest part of the changelog.
set -euo pipefail
cd "$(dirname "$0")/.."
version=$1
told() { [ "$2" = "$version" ] || { echo "$1 says \`$2\`, the tag says \`$version\`"; exit 1; }; }
told Cargo.toml "$(sed -n '/^\[workspace.package\]/,/^$/s/^version = "\(.*\)"/\1/p' Cargo.toml)"
told "envoy/helm/Chart.yaml, version," "$(sed -n 's/^version: //p' envoy/helm/Chart.yaml)"
told "envoy/helm/Chart.yaml, appVersion," "$(sed -n 's/^appVersion: //p' envoy/helm/Chart.yaml)"
told docs/changelog.md "$(sed -n 's/^## \[\([0-9][^]]*\)\].*/\1/p' docs/changelog.md | head -1)"
