"""Plots as SVG text. Colours and fonts are the page's."""
import dataclasses
import html
import math

WIDTH, LABELS, RIGHT = 1000, 230, 190
ROW, BAR = 30, 16


@dataclasses.dataclass(frozen=True)
class Bar:
    label: str
    value: float
    low: float
    high: float
    kind: str


def number(value):
    return f"{value:.3g}" if abs(value) < 1000 else f"{value:.0f}"


def ticks(low, high, wanted=6):
    """Round numbers from low to high."""
    raw = (high - low) / wanted
    step = 10 ** math.floor(math.log10(raw))
    step *= next(factor for factor in (1, 2, 5, 10) if factor * step >= raw)
    first = math.ceil(low / step)
    return [index * step for index in range(first, math.floor(high / step) + 1)]


def text(x, y, words, anchor="start", kind=""):
    return f"<text x='{x:.1f}' y='{y:.1f}' text-anchor='{anchor}' class='{kind}'>{html.escape(words)}</text>"


def line(x1, y1, x2, y2, kind):
    return f"<line x1='{x1:.1f}' y1='{y1:.1f}' x2='{x2:.1f}' y2='{y2:.1f}' class='{kind}'/>"


def svg(height, parts, title):
    return f"<svg viewBox='0 0 {WIDTH} {height:.0f}' role='img' aria-label='{html.escape(title)}'>\n" + "\n".join(parts) + "\n</svg>\n"


def bars(entries, unit="", marks=()):
    """A horizontal bar each, with its range; `marks` are values with a name, the smaller first. Empty without entries."""
    if not entries:
        return ""
    if unit == " µs" and max(entry.high for entry in entries) >= 10000:
        unit, marks = " ms", [(value / 1000, name) for value, name in marks]
        entries = [dataclasses.replace(entry, value=entry.value / 1000, low=entry.low / 1000, high=entry.high / 1000) for entry in entries]
    low = min(0, *(entry.low for entry in entries))
    # A mark far beyond every bar would squeeze them.
    highest = max(max(entry.high for entry in entries), 1e-9)
    marks = [mark for mark in marks if mark[0] <= 2.5 * highest]
    high = max([highest, *(value for value, _ in marks)]) * 1.02
    left, right, top = LABELS, WIDTH - RIGHT, 24
    bottom = top + ROW * len(entries)

    def x(value):
        return left + (value - low) / (high - low) * (right - left)

    parts = []
    for value in ticks(low, high):
        parts.append(line(x(value), top, x(value), bottom, "grid"))
        parts.append(text(x(value), bottom + 16, number(value) + unit, "middle", "soft"))
    near = len(marks) == 2 and abs(x(marks[0][0]) - x(marks[1][0])) < 70
    for (value, name), anchor in zip(marks, ("end", "start") if near else ("middle",) * len(marks)):
        parts.append(line(x(value), top - 6, x(value), bottom, "mark"))
        parts.append(text(x(value), top - 10, name, anchor, "soft"))
    for index, entry in enumerate(entries):
        middle = top + ROW * index + ROW / 2
        begin, end = sorted((x(0), x(entry.value)))
        spread = "" if entry.low == entry.high else f" ({number(entry.low)}–{number(entry.high)})"
        parts.append(f"<g><title>{html.escape(f'{entry.label}: {number(entry.value)}{unit}{spread}')}</title>")
        parts.append(text(left - 10, middle + 4, entry.label, "end"))
        parts.append(f"<rect x='{begin:.1f}' y='{middle - BAR / 2:.1f}' width='{max(end - begin, 1):.1f}' height='{BAR}' rx='2' class='{entry.kind}'/>")
        if entry.low != entry.high:
            parts.append(f"<path d='M{x(entry.low):.1f} {middle - 4:.1f}v8m0 -4H{x(entry.high):.1f}m0 -4v8' class='range'/>")
        parts.append(text(max(x(entry.high), end) + 8, middle + 4, number(entry.value) + unit + spread))
        parts.append("</g>")
    parts.append(line(x(0), top, x(0), bottom, "range"))
    return svg(bottom + 24, parts, "bars")


def apart(places, least):
    """The places, in their order, moved down until none is nearer than `least` to the one before."""
    moved, last = {}, -math.inf
    for key, place in sorted(places.items(), key=lambda item: item[1]):
        last = moved[key] = max(place, last + least)
    return moved


def curves(lines):
    """[(name, kind, [[percentile, microseconds], …])] over both logarithmic axes. Empty without lines."""
    if not lines:
        return ""
    left, right, top, bottom = 70, WIDTH - RIGHT, 16, 330
    values = [value for _, _, points in lines for _, value in points if value > 0]
    if not values:
        return ""
    low, high = math.log10(min(values)) - 0.05, math.log10(max(values)) + 0.05
    # How rare a percentile is; the highest of all is drawn one step of the curve further than the rarest before it.
    rarest = max(100 / (100 - percentile) for _, _, points in lines for percentile, _ in points if percentile < 100) * 2

    def x(percentile):
        rare = rarest if percentile >= 100 else 100 / (100 - percentile)
        return left + math.log10(rare) / math.log10(rarest) * (right - left)

    def y(value):
        return bottom - (math.log10(max(value, 10 ** low)) - low) / (high - low) * (bottom - top)

    parts = []
    for exponent in range(math.floor(low), math.ceil(high) + 1):
        for factor in (1, 2, 5):
            value = factor * 10.0 ** exponent
            if low <= math.log10(value) <= high:
                parts.append(line(left, y(value), right, y(value), "grid"))
                parts.append(text(left - 8, y(value) + 4, f"{value:g} µs" if value < 1000 else f"{value / 1000:g} ms", "end", "soft"))
    for percentile, name in ((0, "least"), (50, "p50"), (90, "p90"), (99, "p99"), (99.9, "p99.9"), (100, "most")):
        if percentile in (0, 100) or 100 / (100 - percentile) < rarest:
            parts.append(line(x(percentile), top, x(percentile), bottom, "grid"))
            parts.append(text(x(percentile), bottom + 18, name, "middle", "soft"))
    ends = apart({name: y(points[-1][1]) for name, _, points in lines}, 15)
    for name, kind, points in lines:
        path = " ".join(f"{x(percentile):.1f},{y(value):.1f}" for percentile, value in points)
        parts.append(f"<g class='{kind}'><polyline points='{path}' style='fill:none'/>")
        for percentile, value in points:
            parts.append(f"<circle cx='{x(percentile):.1f}' cy='{y(value):.1f}' r='3'><title>{html.escape(name)} p{percentile:g}: {number(value)} µs</title></circle>")
        parts.append("</g>" + text(right + 8, ends[name] + 4, name))
    return svg(bottom + 28, parts, "latency by percentile")
