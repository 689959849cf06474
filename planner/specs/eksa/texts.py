"""Scalars where EKS Anywhere expects a text, and the texts that Go makes of them.

Source: sigs.k8s.io/yaml v1.6.0, yaml.go ``convertToJSONableObject``.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any, NamedTuple

from planner.core.document import Node, Spec
from planner.core.scalars import Scalar
from planner.core.schema import load
from planner.specs.eksa.documents import cluster, schema_of, siblings
from planner.specs.eksa.folding import below

VERSION = "kubernetesVersion"
_GREATEST = 3.4028235677973362e38  # what is above rounds to no 32-bit float


class Text(NamedTuple):
    """A scalar where a text is expected; ``is_secret``: it must not be shown."""

    node: Node
    is_secret: bool = False


def unquoted_texts(spec: Spec) -> Iterator[Text]:
    """Numbers and booleans where a text is expected, but for Kubernetes versions, which EKS Anywhere quotes itself."""
    for document in filter(None, (cluster(spec), *siblings(spec))):
        schema = load(schema_of(document.get("kind").string()))
        for text in _texts(document, schema):
            path, value = text.node.path, text.node.value
            if value is not None and not isinstance(value, str) and path[-1:] != (VERSION,):
                yield text


def _texts(node: Node, schema: Mapping[str, Any], *, is_secret: bool = False) -> Iterator[Text]:
    """The scalars that ``schema`` makes texts of: those that may be a string as well as a boolean."""
    is_secret = is_secret or schema.get("writeOnly", False)
    if node.kind == "scalar":
        if {"string", "boolean"} <= set(schema.get("type", ())):
            yield Text(node, is_secret)
        return
    for item in node.items:
        yield from _texts(item, schema.get("items", {}), is_secret=is_secret)
    for key, value in node.fields():
        yield from _texts(value, below(key, schema), is_secret=is_secret)


def text_in_go(value: Scalar) -> str:
    """The text that sigs.k8s.io/yaml makes of a scalar: of a float, the shortest that a 32-bit one needs."""
    match value:
        case bool():
            return "true" if value else "false"
        case float():
            return _float_in_go(value)
        case _:
            return "" if value is None else str(value)


def _float_in_go(value: float) -> str:
    """``strconv.FormatFloat(value, 'g', -1, 32)``."""
    if not math.isfinite(value) or abs(value) > _GREATEST:
        return "NaN" if math.isnan(value) else f"{'-' if value < 0 else '+'}Inf"
    written = (f"{_single(value):.{digits}e}" for digits in range(9))
    number = Decimal(next(each for each in written if _single(float(each)) == _single(value)))
    exponent = number.adjusted() if number else 0
    if -5 < exponent < 6:
        return f"{number.normalize():f}"
    return f"{number.scaleb(-exponent).normalize():f}e{exponent:+03d}"


def _single(value: float) -> float:
    """The 32-bit float next to ``value``."""
    nearest: float = struct.unpack("f", struct.pack("f", value))[0]
    return nearest
