"""``planner verify``.

Walks the nodes' own order of attempts on the live registries, for every image that the
specs need, and says which endpoint answers, or who will fail on what is not there, and
how. An image that only its own registry has counts as not found. A registry that cannot
be asked (unreachable, unauthorised) is an error, not a missing image.

With platforms (--platform, planner.yaml), only what their nodes need is looked for.

--deep reads each blob once, however many images share it, and names the images that a
damaged one spoils. --referrers asks the images' own registries what belongs to them.

Examples:
  planner verify registries.yaml --release v1.35.0+k3s1
  planner verify --blobs         # look for every blob as well
  planner verify --deep          # read every blob back, and hash it
  planner verify --referrers     # are signatures and SBOMs there as well?
"""

from __future__ import annotations

import argparse
import json
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from planner.core.errors import DONE, FAILED
from planner.core.text import plural, printable, size
from planner.stores.rehash import Reading
from planner.ui.consequence import consequence, consumer
from planner.ui.options import Session, add_place_arguments, add_spec_arguments, open_session
from planner.ui.style import Style, style_for
from planner.verify import Verdict, Verified, readings_of, rehash, verify

FORMAT = "planner.verify/1"
_REDRAW = 0.1
_WORDS: dict[Verdict, tuple[str, str]] = {
    "found": ("ok", "green"),
    "unsigned": ("UNSIGNED", "red"),
    "incomplete": ("INCOMPLETE", "red"),
    "corrupted": ("CORRUPTED", "red"),
    "upstream": ("FALLS BACK", "red"),
    "missing": ("MISSING", "red"),
}
_COUNTED: dict[Verdict, str] = {
    "found": "ok",
    "unsigned": "without their signatures",
    "incomplete": "incomplete",
    "corrupted": "corrupted",
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
    parser.add_argument(
        "--deep",
        action="store_true",
        help="read every blob and check its digest; implies --blobs",
    )
    parser.add_argument(
        "--referrers",
        action="store_true",
        help="look for the signatures, attestations and SBOMs that the sources have, too",
    )
    parser.add_argument("--format", default="text", choices=["text", "json"], help="default: text")


def run(options: argparse.Namespace) -> int:
    """Print a verdict for each image; 1 when one of them is bad."""
    session = open_session(options, tuple(options.specs))
    results = list(
        verify(
            session.collected.needs,
            session.stores,
            blobs=options.blobs or options.deep,
            referrers=options.referrers or session.config.referrers,
        )
    )
    if options.deep:
        readings = readings_of(results)
        with live_bytes(readings) as report:
            results = list(rehash(results, readings, report))
    if options.format == "json":
        sys.stdout.write(json.dumps(_document(results), indent=1, ensure_ascii=False) + "\n")
    else:
        sys.stdout.write(_stand_ins(session) + _text(results, style_for(sys.stdout)))
    return DONE if all(result.is_good for result in results) else FAILED


@contextmanager
def live_bytes(readings: Sequence[Reading]) -> Iterator[Callable[[int], None]]:
    """One line on stderr that says how much has been read, drawn over and gone in the end; nothing where nobody looks.

    What it gives may be called from any thread.
    """
    if not sys.stderr.isatty():
        yield lambda _: None
        return
    total = sum(each.blob.size for each in readings)
    done, drawn_at, lock = 0, 0.0, threading.Lock()

    def report(count: int) -> None:
        nonlocal done, drawn_at
        with lock:
            done += count
            if (now := time.monotonic()) - drawn_at >= _REDRAW:
                drawn_at = now
                of = f"{size(done)} of {size(total)} in {plural(len(readings), 'blob')}"
                sys.stderr.write(f"\r\x1b[Kreading {of}")
                sys.stderr.flush()

    try:
        yield report
    finally:
        sys.stderr.write("\r\x1b[K")
        sys.stderr.flush()


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
