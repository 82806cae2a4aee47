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
# Source maps are not shipped, so nothing may point to them.
sed 's|//# sourceMappingURL=.*$||' node_modules/nhsuk-frontend/dist/nhsuk/nhsuk-frontend.min.js > "$out/nhsuk-frontend.js"
cp node_modules/uplot/dist/uPlot.iife.min.js "$out/uplot.js"
cp node_modules/uplot/dist/uPlot.min.css "$out/uplot.css"
cp node_modules/uplot/LICENSE "$out/LICENCE-uplot.txt"
cp LICENCE-nhsuk-frontend.txt "$out/"

cd "$out" && sha256sum -- *.css *.js *.svg *.txt > SHA256SUMS
