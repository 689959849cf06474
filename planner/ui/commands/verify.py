"""``planner verify``.

Walks the nodes' own order of attempts on the live registries, for every image that the
specs need, and says which endpoint answers, or which image no node will find. An image
that only its own registry has counts as not found.

Examples:
  planner verify registries.yaml --release v1.35.0+k3s1
  planner verify --blobs         # look for every blob as well
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from collections.abc import Sequence

from planner.core.errors import DONE, FAILED
from planner.core.text import plural, printable, short_digest
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
        lines.append(f"{'':{_WIDEST}}  {_explanation(result)}")
    counts = Counter(result.verdict for result in results)
    found = ", ".join(f"{count} {_WORDS[verdict][0].lower()}" for verdict, count in counts.items())
    lines.append(f"{plural(len(results), 'image')}: {found or 'nothing is needed'}")
    return "\n".join(lines) + "\n"


def _explanation(result: Verified) -> str:
    match result.verdict:
        case "found":
            return f"{short_digest(result.digest)} at {result.where}"
        case "incomplete":
            return f"{result.where} answers, but {printable(result.detail)}"
        case "upstream":
            return f"nodes turn to {result.where}: {printable(result.detail)}"
        case "missing":
            return f"no node will find it: {printable(result.detail)}"


def _document(results: Sequence[Verified]) -> dict[str, object]:
    return {
        "format": FORMAT,
        "images": [
            {
                "source": str(each.need.source),
                "verdict": each.verdict,
                "endpoint": each.where,
                "digest": each.digest,
                "detail": each.detail,
            }
            for each in results
        ],
        "ok": all(each.is_good for each in results),
    }
