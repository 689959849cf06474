"""The registry blocks of the palette chart, besides that of images."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator
from dataclasses import dataclass

from planner.core.document import Node, Spec
from planner.specs.palette.documents import config, values

PACKS = ("ociPackRegistry", "ociPackEcrRegistry")
_PRIVATE_ECR = re.compile(r"\d{12}\.dkr\.ecr(?:-fips)?\.[a-z0-9-]+\.amazonaws\.com(?:\.cn)?(?:/|$)")
_PUBLIC_ECR = "public.ecr.aws"


@dataclass(frozen=True, slots=True)
class Block:
    """A registry of packs or of files: its name, its mapping, and the keys of its two credentials."""

    name: str
    node: Node
    credentials: tuple[str, str]
    encoded: tuple[str, ...]

    @property
    def endpoint(self) -> str:
        """Where it is; empty when the block is not used."""
        return self.node.get("endpoint").string()


def blocks(spec: Spec) -> Iterator[Block]:
    """The blocks that a file has, ``config.registry`` of old releases left out."""
    home = config(spec)
    pair, keys = ("username", "password"), ("accessKey", "secretKey")
    for name, credentials, encoded in (
        ("ociPackRegistry", pair, ("password",)),
        ("ociPackEcrRegistry", keys, keys),
        ("scar", pair, pair),
    ):
        if home.get(name).kind == "mapping":
            yield Block(name, home.get(name), credentials, encoded)


def pull_secrets(spec: Spec) -> Iterator[Node]:
    """The pull secrets that charts create: of cert-manager, image-swap and palette."""
    root = values(spec)
    for path in (
        ("imagePullSecret",),
        ("config", "imagePullSecret"),
        ("global", "imagePullSecret"),
    ):
        if root.get(*path).kind == "mapping":
            yield root.get(*path)


def is_private_ecr(endpoint: str) -> bool:
    """Whether an endpoint, without its scheme, is a private registry of Amazon ECR."""
    return _PRIVATE_ECR.match(endpoint) is not None


def is_public_ecr(endpoint: str) -> bool:
    """Whether an endpoint, without its scheme, is Amazon's public registry."""
    return endpoint.partition("/")[0] == _PUBLIC_ECR


def decoded(text: str) -> bytes | None:
    """What stands behind base64 on one line, as Helm's and Go's decoders take it; None where there is none."""
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None
