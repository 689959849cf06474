"""The webhook's map of one cluster, in the values of its Kubernetes pack."""

from __future__ import annotations

from collections.abc import Iterator

from planner.core.document import Node, Spec
from planner.core.lint import Hit, Severity, rule
from planner.specs.palette.documents import dotted, image_changes, is_root_image_change
from planner.specs.palette.swapmap import DEFAULT, LIBRARY, NOSWAP, Line, line_node, parse_map


@rule("PAL070")
def imageswap_not_root(spec: Spec) -> Iterator[Hit]:
    """``imageSwap`` is not a node of its own at the root of the values.

    Palette looks for it there only, beside ``pack`` and not in it. Elsewhere nothing is rewritten, and nothing says so.

    Source: spectrocloud/librarium docs/docs-content/clusters/cluster-management/image-swap.md (a root-level node).

    Bad:
        pack:
          imageSwap:
            imageChange: |-  # <- PAL070
              default::
              quay.io::harbor.example.org/quay.io

    Good:
        imageSwap:
          imageChange: |-
            default::
            quay.io::harbor.example.org/quay.io
    """
    for node in image_changes(spec):
        if not is_root_image_change(node):
            message = f"Palette reads imageSwap at the root of the values only, not {dotted(node.path[:-1])}"
            yield Hit(node, message, "move it to the root", on_key=True)


@rule("PAL071")
def imageswap_default_missing(spec: Spec) -> Iterator[Hit]:
    """The map has no line ``default::``.

    Without it the webhook looks at no registry at all: only ``[EXACT]`` and ``[REPLACE]`` work. An empty value leaves all other
    registries as they are.

    Source: phenixblue/imageswap-webhook d45185b app/imageswap/imageswap.py ``swap_image``, and its test no_default.

    Bad:
        imageSwap:
          imageChange: |-  # <- PAL071
            quay.io::harbor.example.org/quay.io

    Good:
        imageSwap:
          imageChange: |-
            default::
            quay.io::harbor.example.org/quay.io
    """
    for node in image_changes(spec):
        keyed = _plain(node)
        if DEFAULT not in keyed and (keyed or not parse_map(node.string())):
            message = "without a line 'default::', the webhook redirects no registry"
            yield Hit(node, message, "add the line default::", on_key=True)


@rule("PAL072")
def imageswap_line_dropped(spec: Spec) -> Iterator[Hit]:
    """A line of the map is not ``key::value``, so the webhook drops it.

    It writes a warning to its log and goes on. A single colon is still taken, as an old form, but not with a port beside it.

    Source: phenixblue/imageswap-webhook d45185b app/imageswap/imageswap.py ``build_swap_map``.

    Bad:
        imageSwap:
          imageChange: |-
            default::
            quay.io = harbor.example.org/quay.io  # <- PAL072

    Good:
        imageSwap:
          imageChange: |-
            default::
            quay.io::harbor.example.org/quay.io
    """
    for node, line in _all_lines(spec):
        if line.problem == "dropped":
            message = f"the webhook drops {line.text!r}: it is not KEY::VALUE"
            yield Hit(line_node(spec, node, line), message, "write SOURCE::TARGET")
        elif line.problem == "deprecated":
            message = f"the webhook takes the single colon of {line.text!r} as an old form only"
            severity = Severity.WARNING
            yield Hit(line_node(spec, node, line), message, "write ::", severity=severity)


@rule("PAL073")
def imageswap_library_alone(spec: Spec) -> Iterator[Hit]:
    """The map has a line for the official images of a registry, but none for the registry.

    The webhook then fails on any other image of it, and Kubernetes refuses the pod.

    Source: phenixblue/imageswap-webhook d45185b app/imageswap/imageswap.py ``swap_image`` (KeyError);
    deploy/manifests/imageswap-mwc.yaml (failurePolicy Fail).

    Bad:
        imageSwap:
          imageChange: |-
            default::
            docker.io/library::harbor.example.org/hub/library  # <- PAL073

    Good:
        imageSwap:
          imageChange: |-
            default::
            docker.io::harbor.example.org/hub
            docker.io/library::harbor.example.org/hub/library
    """
    for node in image_changes(spec):
        keyed = _plain(node)
        for key, line in keyed.items():
            registry = key.removesuffix(LIBRARY)
            if registry != key and registry not in keyed:
                message = f"the webhook fails on images of {registry} that are not official ones"
                yield Hit(line_node(spec, node, line), message, f"add a line {registry}::…")


@rule("PAL074")
def imageswap_noswap_everything(spec: Spec) -> Iterator[Hit]:
    """The list of ``noswap_wildcards`` has an empty item, which every image matches.

    The webhook looks whether an image contains one of the texts, and each contains the empty one: ``default`` then has no
    effect. A comma at the end is enough.

    Source: phenixblue/imageswap-webhook d45185b app/imageswap/imageswap.py ``swap_image``.

    Bad:
        imageSwap:
          imageChange: |-
            default::harbor.example.org/all
            noswap_wildcards::harbor.example.org,  # <- PAL074

    Good:
        imageSwap:
          imageChange: |-
            default::harbor.example.org/all
            noswap_wildcards::harbor.example.org
    """
    for node in image_changes(spec):
        line = _plain(node).get(NOSWAP)
        if line and line.value and "" in line.value.split(","):
            message = "every image contains the empty text of this list, so default has no effect"
            yield Hit(line_node(spec, node, line), message, "take the comma out")


def _all_lines(spec: Spec) -> Iterator[tuple[Node, Line]]:
    return ((node, line) for node in image_changes(spec) for line in parse_map(node.string()))


def _plain(node: Node) -> dict[str, Line]:
    """The lines for registries and the reserved ones, by key; the last of several equal ones counts."""
    lines = parse_map(node.string())
    return {each.key: each for each in lines if each.kind == "plain" and each.key}
