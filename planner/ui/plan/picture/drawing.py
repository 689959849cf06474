"""The picture as SVG.

Colours stand in one style sheet, with those for dark backgrounds in a media query; there are no scripts, fonts or links.
They repeat what symbols and words say.
"""

from __future__ import annotations

from collections.abc import Iterator
from html import escape

from planner.core.plan import Op
from planner.core.text import size
from planner.ui.plan.picture.layout import MARGIN, ROW, WIDTH, Box, Flow, Picture, PlacedBand
from planner.ui.plan.picture.scene import Home, Row
from planner.ui.plan.words import MEANINGS, SYMBOLS, one_line

_BAR = 150
_FIGURES = 62
_CHARACTER = 6.7
_STYLE = """
text { font: 12px ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace; fill: #1f2328; }
.title { font-size: 17px; font-weight: bold; }
.bold { font-weight: bold; }
.dim { fill: #59636e; }
.small { font-size: 11px; }
.ground { fill: #ffffff; }
.box { fill: #f6f8fa; stroke: #d1d9e0; }
.flow { fill: none; stroke: #8c959f; stroke-opacity: 0.45; }
.flow.stopped { stroke: #cf222e; stroke-dasharray: 5 4; stroke-opacity: 0.8; }
text.create { fill: #1a7f37; } text.move, text.repair { fill: #9a6700; }
text.delete, text.blocked { fill: #cf222e; } text.same { fill: #59636e; }
rect.create { fill: #2da44e; } rect.move, rect.repair { fill: #bf8700; }
rect.shared { fill: #afb8c1; }
rect.box.create { fill: #f6f8fa; stroke: #2da44e; } rect.box.blocked { fill: #f6f8fa; stroke: #cf222e; }
rect.box.move { fill: #f6f8fa; stroke: #bf8700; }
@media (prefers-color-scheme: dark) {
text { fill: #f0f6fc; }
.dim { fill: #9198a1; }
.ground { fill: #0d1117; }
.box { fill: #161b22; stroke: #3d444d; }
.flow { stroke: #9198a1; }
.flow.stopped { stroke: #f85149; }
text.create { fill: #3fb950; } text.move, text.repair { fill: #d29922; }
text.delete, text.blocked { fill: #f85149; } text.same { fill: #9198a1; }
rect.create { fill: #3fb950; } rect.move, rect.repair { fill: #d29922; }
rect.shared { fill: #565e67; }
rect.box.create { fill: #161b22; stroke: #3fb950; } rect.box.blocked { fill: #161b22; stroke: #f85149; }
rect.box.move { fill: #161b22; stroke: #d29922; }
}
"""


def drawn(picture: Picture) -> str:
    """The whole document."""
    height = round(picture.height)
    said = escape(picture.scene.title)
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}"'
        f' height="{height}" role="img" aria-label="{said}">\n<title>{said}</title>\n<style>{_STYLE}</style>\n'
    )
    parts = [
        f'<rect class="ground" width="{WIDTH}" height="{height}"/>',
        *_headings(picture),
        *(_flow(each) for each in picture.flows),
        *(line for name, box in picture.sources.items() for line in _source(picture, name, box)),
        *(line for each in picture.bands for line in _band(picture, each)),
        *(line for home, box in picture.homes for line in _home(home, box)),
        *_legend(picture),
    ]
    return f"{head}{chr(10).join(parts)}\n</svg>\n"


def _headings(picture: Picture) -> Iterator[str]:
    yield _text(MARGIN, 36, picture.scene.title, "title")
    yield _text(MARGIN, 58, picture.scene.subtitle, "dim")
    if picture.bands:
        for x, words in (
            (MARGIN, "read from"),
            (picture.bands[0].box.x, "images"),
            (picture.homes[0][1].x, "written to"),
        ):
            yield _text(x, 84, words, "dim small")


def _flow(flow: Flow) -> str:
    bend = (flow.x2 - flow.x1) / 2
    path = (
        f"M{flow.x1:.1f} {flow.y1:.1f} C{flow.x1 + bend:.1f} {flow.y1:.1f}"
        f" {flow.x2 - bend:.1f} {flow.y2:.1f} {flow.x2:.1f} {flow.y2:.1f}"
    )
    kind = "flow stopped" if flow.is_blocked else "flow"
    return f'<path class="{kind}" stroke-width="{flow.width:.1f}" d="{path}"/>'


def _source(picture: Picture, name: str, box: Box) -> Iterator[str]:
    shown = one_line(name)
    yield _rectangle(box, "box", shown)
    yield _text(box.x + 12, box.y + 20, _cut(shown, box.width - 24), "bold")
    yield _text(box.x + 12, box.y + 38, picture.scene.sources[name], "dim small")


def _band(picture: Picture, placed: PlacedBand) -> Iterator[str]:
    band, box = placed.band, placed.box
    yield _rectangle(box, "box", band.name)
    room = box.width - 24 - len(band.figures) * _CHARACTER
    yield _text(box.x + 12, box.y + 20, _cut(band.name, room), "bold")
    yield _text(box.x + box.width - 12, box.y + 20, band.figures, "dim small", anchor="end")
    for row, y in placed.rows:
        yield from _row(picture, row, box, y)


def _row(picture: Picture, row: Row, box: Box, y: float) -> Iterator[str]:
    """Symbol and name; on the right the size, and a bar: what is sent for it, and what it shares."""
    total = row.own + row.shared
    told = f"{row.name}: {row.about}" if row.about else row.name
    sizes = f"; {size(row.own)} to send, {size(row.shared)} shared" if total else ""
    base = y + ROW - 6
    room = box.width - 52 - (_BAR + _FIGURES if total else 0)
    yield f"<g><title>{escape(MEANINGS[row.op])}: {escape(told + sizes)}</title>"
    yield _text(box.x + 14, base, SYMBOLS[row.op], f"bold {row.op}")
    yield _text(box.x + 34, base, _cut(row.name, room), "same" if row.op == "same" else "")
    if total:
        right = box.x + box.width - 12
        scale = (_BAR - 8) / picture.heaviest
        own, shared = row.own * scale, row.shared * scale
        left = right - _BAR + 8
        yield _text(left - 8, base, size(total), "dim small", anchor="end")
        yield _rectangle(Box(left, y + 5, own, ROW - 10), row.op, "")
        yield _rectangle(Box(left + own, y + 5, shared, ROW - 10), "shared", "")
    elif row.op in ("blocked", "repair", "delete") and row.about:
        used = 34 + len(_cut(row.name, room)) * 7.3 + 14
        if (left_over := box.width - used - 12) > 12 * _CHARACTER:
            reason = _cut(row.about, left_over, keeps_end=False)
            yield _text(box.x + used, base, reason, f"small {row.op}")
    yield "</g>"


def _home(home: Home, box: Box) -> Iterator[str]:
    whole = f"{home.registry}/{home.name}" if home.registry else home.name
    yield _rectangle(box, f"box {home.op}", whole)
    yield _text(box.x + 12, box.y + 20, _cut(home.name or "at the root", box.width - 24), "bold")
    yield _text(box.x + 12, box.y + 35, _cut(home.registry, box.width - 24), "dim small")
    if home.about:
        room = box.width - 24
        y = box.y + (50 if home.registry else 36)
        yield _text(box.x + 12, y, _cut(home.about, room), f"small {home.op}")


def _legend(picture: Picture) -> Iterator[str]:
    """What symbols and colours mean; of the bars only when there are any."""
    x, y = float(MARGIN), picture.height - 22
    for op in picture.scene.ops:
        words = f"{SYMBOLS[op]} {MEANINGS[op]}"
        yield _text(x, y, words, f"small {op}")
        x += len(words) * _CHARACTER + 22
    if picture.heaviest:
        bars: tuple[tuple[Op | str, str], ...] = (
            ("create", "sent for the image"),
            ("shared", "shared: comes with another, or is there"),
        )
        for kind, words in bars:
            yield _rectangle(Box(x, y - 9, 14, 10), kind, "")
            yield _text(x + 20, y, words, "dim small")
            x += 20 + len(words) * _CHARACTER + 22


def _rectangle(box: Box, kind: str, title: str) -> str:
    corner = 6 if "box" in kind else 2
    inside = f"<title>{escape(title)}</title>" if title else ""
    return (
        f'<rect class="{kind}" x="{box.x:.1f}" y="{box.y:.1f}" width="{box.width:.1f}"'
        f' height="{box.height:.1f}" rx="{corner}">{inside}</rect>'
    )


def _text(x: float, y: float, words: str, kind: str, *, anchor: str = "start") -> str:
    if not words:
        return ""
    where = f' text-anchor="{anchor}"' if anchor != "start" else ""
    kinds = f' class="{kind}"' if kind else ""
    return f'<text{kinds} x="{x:.1f}" y="{y:.1f}"{where}>{escape(words)}</text>'


def _cut(words: str, room: float, *, keeps_end: bool = True) -> str:
    """As much as fits: without its middle, since beginnings and ends tell names apart, or without its end."""
    most = max(4, int(room / 7.3))
    if len(words) <= most:
        return words
    if not keeps_end:
        return f"{words[: most - 1]}…"
    tail = (most - 1) // 2
    return f"{words[: most - 1 - tail]}…{words[-tail:]}"
