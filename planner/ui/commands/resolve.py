"""``planner resolve IMAGE -c SPEC``.

The node's eye: what rewriting makes of the name, and the URLs that the node asks, in
the order in which it asks them. Asks no registry.

Examples:
  planner resolve docker.io/rancher/mirrored-pause:3.6 -c registries.yaml
  planner resolve nginx -c registries.yaml --disable-default-registry-endpoint
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator

from planner.core.errors import DONE
from planner.core.resolution import Attempt, Resolution
from planner.needs import load_spec
from planner.specs import NAMES
from planner.ui.options import add_node_arguments, flags_from

FORMAT = "planner.resolve/1"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the options."""
    parser.add_argument("image", metavar="IMAGE", help="as it stands in a pod")
    parser.add_argument(
        "-c", "--spec", required=True, metavar="SPEC", help="the spec that the node uses"
    )
    parser.add_argument("--kind", default="", help=f"what the spec is: {', '.join(NAMES)}")
    parser.add_argument("--format", default="text", choices=["text", "json"], help="default: text")
    add_node_arguments(parser)


def run(options: argparse.Namespace) -> int:
    """Print the attempts."""
    spec, family = load_spec(options.spec, options.kind)
    resolution = family.images().resolve(spec, options.image, flags_from(options))
    if options.format == "json":
        sys.stdout.write(json.dumps(_document(resolution), indent=1) + "\n")
    else:
        sys.stdout.write("\n".join(_lines(resolution)) + "\n")
    return DONE


def _lines(resolution: Resolution) -> Iterator[str]:
    yield str(resolution.image)
    for rewrite in resolution.rewrites:
        made = f"makes it {rewrite.image}" if rewrite.image else "fails on it: the pod is refused"
        yield f"  {rewrite.by} {made}"
    for number, attempt in enumerate(resolution.attempts, 1):
        yield f"  {number}. {attempt.url}{_notes(attempt, resolution)}"
    if not resolution.attempts:
        yield "  nothing is asked for: no node pulls this image"


def _notes(attempt: Attempt, resolution: Resolution) -> str:
    is_renamed = attempt.namespace != resolution.image.registry
    notes = (
        ("the image's own registry", attempt.default and not is_renamed),
        ("the registry of its new name", attempt.default and is_renamed),
        ("without /v2 of its own", attempt.override_path and "/v2" not in attempt.endpoint),
        ("certificate not verified", attempt.skip_verify),
        ("with credentials", attempt.auth),
    )
    said = ", ".join(text for text, holds in notes if holds)
    return f"  ({said})" if said else ""


def _document(resolution: Resolution) -> dict[str, object]:
    return {
        "format": FORMAT,
        "image": str(resolution.image),
        "rewrites": [{"by": each.by, "image": each.image or None} for each in resolution.rewrites],
        "attempts": [
            {
                "url": each.url,
                "endpoint": each.endpoint,
                "default": each.default,
                "override_path": each.override_path,
                "skip_verify": each.skip_verify,
                "auth": each.auth,
            }
            for each in resolution.attempts
        ],
    }
