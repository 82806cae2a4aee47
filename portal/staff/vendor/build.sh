#!/bin/sh
# Builds portal/staff/static/staff/vendor out of the pinned npm packages: `make vendor-ui`.
set -eu
cd "$(dirname "$0")"
out=../static/staff/vendor
npm ci --silent
rm -rf "$out" && mkdir -p "$out"

npx sass --style=compressed --no-source-map --no-charset --quiet-deps --load-path=node_modules look.scss "$out/look.css"
grep -o 'url("[^"]*")' "$out/look.css" | cut -d'"' -f2 | sort -u | while read -r picture; do
  cp "node_modules/nhsuk-frontend/dist/nhsuk/assets/images/$picture" "$out/"
done
npx esbuild look.js --bundle --minify --format=esm --target=es2022 --legal-comments=none --log-level=warning --outfile="$out/nhsuk-frontend.js"
cp node_modules/uplot/dist/uPlot.iife.min.js "$out/uplot.js"
cp node_modules/uplot/dist/uPlot.min.css "$out/uplot.css"
cp node_modules/uplot/LICENSE "$out/LICENCE-uplot.txt"
cp LICENCE-nhsuk-frontend.txt "$out/"

cd "$out" && sha256sum -- *.css *.js *.svg *.txt > SHA256SUMS
