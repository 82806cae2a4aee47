#!/bin/sh
# Adds to .env every secret that compose.yaml needs and .env lacks, with a shell and /dev/urandom.
set -eu
umask 077
cd "$(dirname "$0")/.."
new=$(mktemp .env.XXXXXX)
trap 'rm -f "$new"' EXIT
names=$(sed -n 's/.*\${\([A-Z_]*\):?.*/\1/p' compose.yaml | sort -u)
test ! -e .env || cp .env "$new"
# A last line without a newline would swallow the first secret.
test -z "$(tail -c 1 "$new")" || echo >>"$new"
for name in $names; do
    grep -q "^$name=..*" "$new" && continue
    # Letters and digits only, because secrets are part of addresses too.
    printf '%s=%s\n' "$name" "$(od -An -N32 -tx1 /dev/urandom | tr -d ' \n')" >>"$new"
    echo "$name: made"
done
chmod 600 "$new"
mv "$new" .env
