"""The list of mirrors: how it is written."""

from __future__ import annotations

from collections.abc import Iterator

from planner.core.document import Spec
from planner.core.edits import Fix
from planner.core.lint import Hit, Severity, rule
from planner.core.mending import rewritten
from planner.specs.palette.lists import MirrorList, keyword, mirror_lists, respelt
from planner.specs.palette.mirrors import SEPARATOR, Located, join, shown
from planner.specs.palette.placeholders import is_unfilled


@rule("PAL050")
def mirror_separator(spec: Spec) -> Iterator[Hit]:
    """An entry of the list has not exactly one ``::``.

    The webhook drops such an entry with a warning in its log; for the nodes it becomes, as far as is known, a mirror of a host
    that does not exist. Entries are separated by commas: a semicolon glues two into one.

    Source: phenixblue/imageswap-webhook d45185b app/imageswap/imageswap.py ``build_swap_map``; validator-labs/validatorctl
    pkg/services, validateMirrorRegistry (wants exactly one).

    Bad:
        config:
          ociImageRegistry:
            mirrorRegistries: docker.io=harbor.example.org/images/docker.io  # <- PAL050

    Good:
        config:
          ociImageRegistry:
            mirrorRegistries: docker.io::harbor.example.org/images/docker.io

    Fixed:
        config:
          ociImageRegistry:
            mirrorRegistries: docker.io::harbor.example.org/images/docker.io
    """
    for each, _ in _entries(spec, "separator"):
        count = each.entry.raw.count(SEPARATOR)
        semicolon = "; separate entries with commas, not with ;" if ";" in each.entry.raw else ""
        message = f"{shown(each.entry.text)!r} has {count or 'no'} '::', so nothing is redirected by it{semicolon}"
        yield Hit(each.node, message, "write SOURCE::TARGET", fix=_separated(each))


@rule("PAL051", Severity.WARNING)
def mirror_whitespace(spec: Spec) -> Iterator[Hit]:
    """There is white space in the list.

    The webhook deletes blanks, though not tabs. Nothing is known to do so for the nodes: their mirror is then one of
    ``" gcr.io"``, which no image matches.

    Source: phenixblue/imageswap-webhook d45185b app/imageswap/imageswap.py ``build_swap_map``; validator-labs/validatorctl
    34285c6 pkg/utils/embed/resources/kind/cluster-configuration.tmpl (splits, and trims nothing).

    Bad:
        config:
          ociImageRegistry:
            mirrorRegistries: "docker.io::harbor.example.org/a/docker.io, gcr.io::harbor.example.org/a/gcr.io"  # <- PAL051

    Good:
        config:
          ociImageRegistry:
            mirrorRegistries: "docker.io::harbor.example.org/a/docker.io,gcr.io::harbor.example.org/a/gcr.io"

    Fixed:
        config:
          ociImageRegistry:
            mirrorRegistries: "docker.io::harbor.example.org/a/docker.io,gcr.io::harbor.example.org/a/gcr.io"
    """
    for found in mirror_lists(spec):
        blank = [each for each in found.entries if each.entry.has_blanks]
        if blank and not is_unfilled(found.settings.mirrors.text):
            first = blank[0].entry.text or blank[0].entry.raw
            what = "a line end" if "\n" in blank[0].entry.raw else "white space"
            message = f"there is {what} at {shown(first)!r}: the nodes' containerd gets it as part of a name"
            fix = _joined(spec, found)
            hint = "write the list on one line, with nothing between the entries but commas"
            yield Hit(blank[0].node, message, hint, fix=fix)


@rule("PAL052", Severity.WARNING)
def mirror_empty_entry(spec: Spec) -> Iterator[Hit]:
    """Nothing stands between two commas of the list, or at one of its ends.

    The webhook skips it. For the nodes it becomes, probably, a mirror without a name.

    Source: phenixblue/imageswap-webhook d45185b app/imageswap/imageswap.py ``build_swap_map``; validator-labs/validatorctl
    34285c6 pkg/utils/embed/resources/kind/cluster-configuration.tmpl.

    Bad:
        config:
          ociImageRegistry:
            mirrorRegistries: docker.io::harbor.example.org/images/docker.io,  # <- PAL052

    Good:
        config:
          ociImageRegistry:
            mirrorRegistries: docker.io::harbor.example.org/images/docker.io

    Fixed:
        config:
          ociImageRegistry:
            mirrorRegistries: "docker.io::harbor.example.org/images/docker.io"
    """
    for each, found in _entries(spec, "empty"):
        fix = _joined(spec, found)
        yield Hit(each.node, "the list has an empty entry", "take the comma out", fix=fix)
        return


@rule("PAL053")
def mirror_empty_source(spec: Spec) -> Iterator[Hit]:
    """An entry has no source.

    Nothing is redirected by it.

    Source: phenixblue/imageswap-webhook d45185b app/imageswap/imageswap.py ``swap_image`` (compares the host of the image).

    Bad:
        config:
          ociImageRegistry:
            mirrorRegistries: "::harbor.example.org/images/docker.io"  # <- PAL053

    Good:
        config:
          ociImageRegistry:
            mirrorRegistries: "docker.io::harbor.example.org/images/docker.io"
    """
    for each, _ in _entries(spec, "source"):
        yield Hit(each.node, f"{shown(each.entry.text)!r} names no source", "write SOURCE::TARGET")


@rule("PAL054")
def mirror_empty_target(spec: Spec) -> Iterator[Hit]:
    """An entry has no target.

    To the webhook that means: do not redirect images of this source. For the nodes it makes a mirror without an address.

    Source: phenixblue/imageswap-webhook d45185b app/imageswap/imageswap.py ``swap_image`` (an empty value);
    containerd/containerd 301026e internal/cri/server/images/image_pull.go ``registryHosts``.

    Bad:
        config:
          ociImageRegistry:
            mirrorRegistries: "docker.io::"  # <- PAL054

    Good:
        config:
          ociImageRegistry:
            mirrorRegistries: "docker.io::harbor.example.org/images/docker.io"
    """
    for each, _ in _entries(spec, "target"):
        if not keyword(each.entry.source):
            yield Hit(each.node, f"{each.entry.source} is sent nowhere", "write SOURCE::TARGET")


def _entries(spec: Spec, problem: str) -> Iterator[tuple[Located, MirrorList]]:
    for found in mirror_lists(spec):
        for each in found.entries:
            if each.entry.problem == problem and not is_unfilled(each.entry.raw):
                yield each, found


def _joined(spec: Spec, found: MirrorList) -> Fix | None:
    """The list with nothing but commas between its entries."""
    text = join(each.entry for each in found.entries)
    if found.settings.mirrors.is_encoded or not text:
        return None
    return rewritten(spec, found.node, text, "leave nothing but commas between the entries")


def _separated(each: Located) -> Fix | None:
    """``a=b`` → ``a::b``."""
    source, equals, target = each.entry.text.partition("=")
    is_evident = equals and "=" not in target and SEPARATOR not in each.entry.text
    return respelt(each, len(source), equals, SEPARATOR) if is_evident else None
