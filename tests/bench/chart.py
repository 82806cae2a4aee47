"""The chart of a run: a hand-written SVG that is readable on light and dark pages."""

import math
from html import escape

NAMES = {"portal": "the portal", "plain": "N", "alone": "PostgreSQL alone"}
LABELS, PLOT, VALUES, BAR, GAP = 220, 440, 70, 14, 12  # Pixels.
STYLE = """
    text { font: 13px system-ui, sans-serif; fill: #212b32; }
    .grid { stroke: #d8dde0; }
    .portal { fill: #005eb8; } .plain { fill: #aeb7bd; } .alone { fill: #007f3b; }
    @media (prefers-color-scheme: dark) {
        text { fill: #e8edee; } .grid { stroke: #4c6272; }
        .portal { fill: #41b6e6; } .plain { fill: #768692; } .alone { fill: #78be20; }
    }
"""


def chart(rates: dict[str, dict[str, float]]) -> str:
    """Returns bars of requests a second on a logarithmic scale, for each row by system."""
    largest = max((rate for systems in rates.values() for rate in systems.values()), default=1)
    decades = max(1, math.ceil(math.log10(max(largest, 10))))
    parts, y = [_legend()], 40
    top = y
    for row, systems in rates.items():
        parts.append(f'<text x="0" y="{y + 12}">{escape(row)}</text>')
        for name in NAMES:
            if name in systems:
                parts.append(_bar(name, systems[name], y, decades))
                y += BAR
        y += GAP
    grid = [_line(decade, decades, top, y) for decade in range(decades + 1)]
    width, height = LABELS + PLOT + VALUES, y + 24
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" '
        f'height="{height}" role="img">\n<title>Requests a second</title>\n'
        f"<style>{STYLE}</style>\n" + "\n".join([*grid, *parts]) + "\n</svg>\n"
    )


def _bar(name: str, rate: float, y: int, decades: int) -> str:
    length = max(1.0, PLOT * math.log10(max(rate, 1)) / decades)
    value = f"{rate:,.0f}" if rate >= 10 else f"{rate:.1f}"
    return (
        f'<rect class="{name}" x="{LABELS}" y="{y}" width="{length:.1f}" height="{BAR - 2}"/>'
        f'<text x="{LABELS + length + 6:.1f}" y="{y + 11}">{value}</text>'
    )


def _line(decade: int, decades: int, top: int, bottom: int) -> str:
    x = LABELS + PLOT * decade / decades
    return (
        f'<line class="grid" x1="{x:.1f}" x2="{x:.1f}" y1="{top}" y2="{bottom}"/>'
        f'<text x="{x:.1f}" y="{bottom + 16}" text-anchor="middle">{10**decade:,}</text>'
    )


def _legend() -> str:
    parts = []
    for at, (name, label) in enumerate(NAMES.items()):
        x = LABELS + 150 * at
        parts.append(f'<rect class="{name}" x="{x}" y="8" width="12" height="12"/>')
        parts.append(f'<text x="{x + 18}" y="19">{label}</text>')
    return "".join(parts)
