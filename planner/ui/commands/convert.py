"""``planner convert SPEC --to KIND``.

The same mirror map in another system's words: a whole registries.yaml or map file, or the
block that belongs into a KubeOneCluster, a Cluster of EKS Anywhere, or Palette's values.
What those cannot express stands in comments at the top, and on standard error. Credentials
are never copied. The spec itself is not changed.

Examples:
  planner convert registries.yaml --to kubeone
  planner convert cluster.yaml --to k3s -o registries.yaml

The exit code is 0 when the result means the same, once what is left to be done by hand is
done, and 1 when something could not be expressed; the result is written all the same.
"""

from __future__ import annotations

import argparse
import io
import os
import re
import sys
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from planner.core.document import Spec
from planner.core.errors import DONE, FAILED, UsageError
from planner.core.family import Family
from planner.core.mirror_map import ANY, Loss, Written
from planner.core.scalars import resolve
from planner.core.text import plural, printable
from planner.files import write_whole
from planner.needs import load_spec
from planner.specs import NAMES, family_named
from planner.ui.style import style_for

_WIDTH = 78  # of a comment
_CREDENTIALS = re.compile(r"[^\s/@,:]+:[^\s/@,]+@(?!sha\d+:)")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the options."""
    kinds = ", ".join(NAMES)
    parser.add_argument("spec", metavar="SPEC", help="the spec file")
    parser.add_argument("--to", required=True, metavar="KIND", help=f"whose words: {kinds}")
    parser.add_argument("--kind", default="", help="what the spec is, of the same kinds")
    parser.add_argument("-o", "--output", default="", metavar="FILE", help="write to FILE")


def run(options: argparse.Namespace) -> int:
    """Print or write the map."""
    spec, family = load_spec(options.spec, options.kind)
    if options.output and os.path.realpath(options.output) == os.path.realpath(options.spec):
        raise UsageError(
            f"{options.output} is the spec itself, of which only a part is converted",
            "name another file with -o",
        )
    other = family_named(options.to)
    if other is None:
        raise UsageError(f"--to {options.to}: there is no such kind", f"one of {', '.join(NAMES)}")
    written = other.images().write_map(family.images().read_map(spec))
    text = document_text(spec, other, written)
    if options.output:
        write_whole(options.output, text.encode())
    else:
        sys.stdout.write(text)
    sys.stdout.flush()
    sys.stderr.write("".join(f"{line}\n" for line in _report(spec, written)))
    return FAILED if any(not loss.by_hand for loss in written.losses) else DONE


def document_text(spec: Spec, family: Family, written: Written) -> str:
    """The document with its head of comments."""
    head = "".join(f"{line}\n" for line in _head(spec, family, written))
    if isinstance(written.document, str):
        return head + written.document
    return head + (_yaml(written.document) if written.document else "")


def _head(spec: Spec, family: Family, written: Written) -> Iterator[str]:
    yield from _comment(f"The mirror map of {spec.file}, for: {family.title}")
    if not written.document:
        yield "# No mirror is left to write." if written.losses else "# There are no mirrors in it."
    lost, left = _sorted(written.losses)
    for title, losses in (("Not the same as before:", lost), ("Left to be done by hand:", left)):
        if losses:
            yield "#"
            yield f"# {title}"
        for loss in losses:
            yield from _comment(_said(loss), "- ")


def _comment(text: str, mark: str = "") -> list[str]:
    return _wrapped(text, _WIDTH, f"# {mark}", f"# {' ' * len(mark)}")


def _report(spec: Spec, written: Written) -> Iterator[str]:
    width = style_for(sys.stderr).width
    lost, left = _sorted(written.losses)
    for word, losses in (("not the same", lost), ("by hand", left)):
        for loss in losses:
            place = f":{loss.node.place.line}:{loss.node.place.column}" if loss.node else ""
            text = f"{spec.file}{place}: {word}: {_said(loss)}"
            yield from _wrapped(text, width, "", "  ") if width else [printable(text)]
    if lost:
        yield f"{plural(len(lost), 'thing')} could not be expressed"


def _sorted(losses: Sequence[Loss]) -> tuple[list[Loss], list[Loss]]:
    """What changes the meaning, and what is left to be done; what is the same for several is said once."""
    told: dict[str, list[Loss]] = {}
    for loss in losses:
        told.setdefault(loss.text, []).append(loss)
    once = [
        same[0]._replace(about=", ".join(dict.fromkeys(each.about for each in same)))
        for same in told.values()
    ]
    return [each for each in once if not each.by_hand], [each for each in once if each.by_hand]


def _said(loss: Loss) -> str:
    """What a loss tells, without a password that stands in an address."""
    text = f"{loss.about}: {loss.text}" if loss.about else loss.text
    return _CREDENTIALS.sub("…@", text)


def _wrapped(text: str, width: int, first: str, further: str) -> list[str]:
    return textwrap.wrap(
        printable(text),
        width,
        initial_indent=first,
        subsequent_indent=further,
        break_long_words=False,
        break_on_hyphens=False,
    )


def _yaml(document: Mapping[str, Any]) -> str:
    from ruamel.yaml import YAML  # noqa: PLC0415 - 60 ms that --help need not take

    yaml = YAML()
    yaml.width = 1 << 16  # a list in one text stays in one line
    yaml.indent(mapping=2, sequence=4, offset=2)
    stream = io.StringIO()
    yaml.dump(_legible(document), stream)
    return stream.getvalue()


def _legible(value: Any) -> Any:
    """The same with certificates as blocks of lines, and quotes around what is no text without."""
    from ruamel.yaml.scalarstring import (  # noqa: PLC0415 - as above
        DoubleQuotedScalarString,
        LiteralScalarString,
    )

    match value:
        case dict():
            return {_legible(key): _legible(each) for key, each in value.items()}
        case list():
            return [_legible(each) for each in value]
        case str() if "\n" in value:
            return LiteralScalarString(value)
        case str() if value == ANY or not isinstance(resolve(value, plain=True), str):
            return DoubleQuotedScalarString(value)
        case _:
            return value
