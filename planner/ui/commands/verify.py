"""``planner verify``.

Walks the nodes' own order of attempts on the live registries, for every image that the
specs need, and says which endpoint answers, or who will fail on what is not there, and
how. An image that only its own registry has counts as not found. A registry that cannot
be asked (unreachable, unauthorised) is an error, not a missing image.

Examples:
  planner verify registries.yaml --release v1.35.0+k3s1
  planner verify --blobs         # look for every blob as well
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from collections.abc import Iterator, Sequence

from planner.core.errors import DONE, FAILED
from planner.core.text import plural, printable
from planner.ui.consequence import consequence, consumer
from planner.ui.options import Session, add_place_arguments, add_spec_arguments, open_session
from planner.ui.style import Style, style_for
from planner.verify import Verdict, Verified, verify

FORMAT = "planner.verify/1"
_WORDS: dict[Verdict, tuple[str, str]] = {
    "found": ("ok", "green"),
    "incomplete": ("INCOMPLETE", "red"),
    "upstream": ("FALLS BACK", "red"),
    "missing": ("MISSING", "red"),
}
_COUNTED: dict[Verdict, str] = {
    "found": "ok",
    "incomplete": "incomplete",
    "upstream": "falling back",
    "missing": "missing",
}
_WIDEST = max(len(word) for word, _ in _WORDS.values())


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the options."""
    add_spec_arguments(parser)
    add_place_arguments(parser)
    parser.add_argument(
        "--blobs", action="store_true", help="look for every blob, not only for manifests"
    )
    parser.add_argument("--format", default="text", choices=["text", "json"], help="default: text")


def run(options: argparse.Namespace) -> int:
    """Print a verdict for each image; 1 when one of them is bad."""
    session = open_session(options, tuple(options.specs))
    results = list(verify(session.collected.needs, session.stores, blobs=options.blobs))
    if options.format == "json":
        sys.stdout.write(json.dumps(_document(results), indent=1, ensure_ascii=False) + "\n")
    else:
        sys.stdout.write(_stand_ins(session) + _text(results, style_for(sys.stdout)))
    return DONE if all(result.is_good for result in results) else FAILED


def _stand_ins(session: Session) -> str:
    """Which registries were not asked at their own address."""
    registries = frozenset(
        attempt.registry
        for need in session.collected.needs
        for attempt in need.resolution.attempts
        if attempt.registry != need.source.registry
    )
    contacted = session.stores.places.contacted(frozenset(), registries)
    return "".join(f"{name} is asked at {url}\n" for name, url in contacted.items())


def _text(results: Sequence[Verified], style: Style) -> str:
    lines: list[str] = []
    for result in results:
        word, colour = _WORDS[result.verdict]
        name = printable(str(result.need.source))
        lines.append(f"{style.paint(f'{word:{_WIDEST}}', colour)}  {name}")
        lines.append(f"{'':{_WIDEST}}  {printable(consequence(result))}")
        if not result.is_good:
            lines += [f"{'':{_WIDEST}}  {printable(reason)}" for reason in _reason(result)]
    counts = Counter(result.verdict for result in results)
    found = ", ".join(f"{count} {_COUNTED[verdict]}" for verdict, count in counts.items())
    lines.append(f"{plural(len(results), 'image')}: {found or 'nothing is needed'}")
    return "\n".join(lines) + "\n"


def _reason(result: Verified) -> Iterator[str]:
    """Why it is needed: the first reason, and how many there are besides."""
    for each in result.need.because[:1]:
        place = f"{each.file}:{each.line}:{each.column} " if each.line else ""
        more = len(result.need.because) - 1
        others = f" (and {plural(more, 'more reason')})" if more else ""
        yield f"  {place}{each.reason}{others}"


def _document(results: Sequence[Verified]) -> dict[str, object]:
    return {
        "format": FORMAT,
        "images": [
            {
                "source": str(each.need.source),
                "kind": each.need.kind,
                "verdict": each.verdict,
                "endpoint": each.where,
                "digest": each.digest,
                "detail": each.detail,
                "consumer": consumer(each),
                "consequence": consequence(each),
                "rewrites": [
                    {"by": rewrite.by, "image": rewrite.image or None}
                    for rewrite in each.need.resolution.rewrites
                ],
                "because": [reason._asdict() for reason in each.need.because],
            }
            for each in results
        ],
        "ok": all(each.is_good for each in results),
    }
