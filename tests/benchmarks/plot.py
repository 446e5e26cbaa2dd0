"""Lines on two logarithmic axes as SVG, for light and dark. Pure."""

from html import escape
from math import ceil, floor, log10

_COLOURS = ("#2f6fdb", "#c62f3b", "#1a7f4b", "#b77900", "#7b4fc4", "#8a8f98")
_WIDTH, _HEIGHT, _LEFT, _RIGHT, _TOP, _BOTTOM = 670, 400, 56, 240, 16, 40


def log_log(lines, x_title, y_title):
    """A picture of {name: [(x, y), ...]}; everything is above 0."""
    points = [point for line in lines.values() for point in line]
    bounds = [_bounds([point[axis] for point in points]) for axis in (0, 1)]

    def place(point):
        (x0, x1), (y0, y1) = bounds
        across = (log10(point[0]) - x0) / (x1 - x0)
        up = (log10(point[1]) - y0) / (y1 - y0)
        return _LEFT + across * (_WIDTH - _LEFT - _RIGHT), _HEIGHT - _BOTTOM - up * (_HEIGHT - _TOP - _BOTTOM)

    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" role="img" viewBox="0 0 {_WIDTH} {_HEIGHT}" '
            f'width="{_WIDTH}" height="{_HEIGHT}" aria-label="{escape(y_title)} by {escape(x_title)}">',
            "<style>text { font: 12px ui-monospace, monospace; fill: #1c1f24 } .grid { stroke: #8a8f98; "
            "stroke-width: .4 } path { fill: none; stroke-width: 2 } "
            "@media (prefers-color-scheme: dark) { text { fill: #e8eaed } }</style>",
            *_grid(bounds, place),
            *(_line(name, line, colour, place) for (name, line), colour in zip(lines.items(), _COLOURS, strict=False)),
            *_legend(lines),
            f'<text x="{_LEFT}" y="{_HEIGHT - 6}">{escape(x_title)}</text>',
            f'<text transform="translate(12 {_HEIGHT - _BOTTOM}) rotate(-90)">{escape(y_title)}</text>',
            "</svg>",
            "",
        ]
    )


def _bounds(values):
    low, high = floor(log10(min(values))), ceil(log10(max(values)))
    return low, max(high, low + 1)


def _grid(bounds, place):
    (x0, x1), (y0, y1) = bounds
    for x in range(x0, x1 + 1):
        (left, bottom), (_, top) = place((10**x, 10**y0)), place((10**x, 10**y1))
        yield f'<line class="grid" x1="{left:.0f}" y1="{bottom:.0f}" x2="{left:.0f}" y2="{top:.0f}"/>'
        yield f'<text x="{left:.0f}" y="{bottom + 16:.0f}" text-anchor="middle">{10**x:,}</text>'
    for y in range(y0, y1 + 1):
        (left, bottom), (right, _) = place((10**x0, 10**y)), place((10**x1, 10**y))
        yield f'<line class="grid" x1="{left:.0f}" y1="{bottom:.0f}" x2="{right:.0f}" y2="{bottom:.0f}"/>'
        yield f'<text x="{left - 6:.0f}" y="{bottom + 4:.0f}" text-anchor="end">{10.0**y:g}</text>'


def _line(name, line, colour, place):
    path = " ".join(f"{'L' if n else 'M'}{x:.1f} {y:.1f}" for n, (x, y) in enumerate(map(place, sorted(line))))
    return f'<path d="{path}" stroke="{colour}"><title>{escape(name)}</title></path>'


def _legend(lines):
    for number, (name, colour) in enumerate(zip(lines, _COLOURS, strict=False)):
        x, y = _WIDTH - _RIGHT + 12, _TOP + 14 + 18 * number
        yield f'<rect x="{x}" y="{y - 9}" width="10" height="10" fill="{colour}"/>'
        yield f'<text x="{x + 16}" y="{y}">{escape(name)}</text>'
