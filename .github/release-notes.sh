#!/usr/bin/env bash
# Prints the part of the changelog that tells of the version given, and what the release was built for.
set -euo pipefail
cd "$(dirname "$0")/.."
part=$(awk -v head="## [$1]" 'index($0, "## [") == 1 { on = index($0, head) == 1; next } on' docs/changelog.md)
[ -n "$part" ] || { echo "docs/changelog.md tells nothing of $1" >&2; exit 1; }
printf '%s\n\n' "$part"
printf 'Binaries and image for linux/amd64 and linux/arm64. How to check them: docs/releasing.md.\n'
