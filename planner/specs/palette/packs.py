"""Packs, and the manifest of a release: where their makers publish them, and where Palette itself asks for them.

No node pulls them: Palette's own client does, to which neither the webhook nor a mirror means anything. It asks one registry,
that of packs in the values of the palette chart, and puts the fixed part of the path behind the base path.

Source: spectrocloud/librarium 02df8c8 docs/docs-content (eks-ecr-airgap-install.md, "Mirror the packs", "Mirror the manifest":
both paths below both base paths), 3105cf4 _partials/_oci-packs-registry-configuration-by-provider.mdx (how an endpoint is
read); validator-labs/validatorctl 34285c6 pkg/repo, ``PackUrl``; JFrog, "Additional Docker Information" (a repository of
Artifactory is ``HOST/KEY`` to clients, and ``HOST/artifactory/api/docker/KEY`` to its own API).
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from planner.core.document import Spec
from planner.core.errors import InputError, UsageError
from planner.core.family import Because, Need, NodeFlags, Selection, because
from planner.core.refs import ImageRef, looks_like_registry, name_problem, parse_image
from planner.core.resolution import Attempt, Resolution, default_scheme
from planner.specs.palette import nodes
from planner.specs.palette.blocks import PACKS, Block, blocks
from planner.specs.palette.mirrors import plain_target, shown

_ARCHIVE = "spectro-packs/archive"
_MANIFEST = "spectro-manifests/manifest"
_ARTIFACT = re.compile(rf"(?:^|/)({_ARCHIVE}/[^/]+|{_MANIFEST})$")
_ARTIFACTORY = re.compile(r"^([^/]+)/artifactory/api/docker/")
_OPTION = "--packs-from REGISTRY/BASE, or packs_from in planner.yaml"


def pack_needs(spec: Spec, selection: Selection) -> Iterator[Need]:
    """The listed packs and, when the release is known, its manifest.

    Raises:
        UsageError: it is not said which packs, where they come from, or where they go.
        InputError: the values make no name of a repository.
    """
    if not selection.packs and not selection.packs_from:
        return
    vendor = _vendor(selection)
    block = _registry(spec)
    asked = because(spec, block.node.get("endpoint"), f"asked for by Palette in {block.name}")
    for pack in selection.packs:
        path = f"{_ARCHIVE}/{pack.name}"
        source = parse_image(f"{vendor}/{path}:{pack.tag}")
        yield _need(spec, source, path, pack.because, asked)
    if selection.release:
        version = selection.release.removeprefix("v")
        text = f"manifest of Palette {version}, asked for by Palette in {block.name}"
        source = parse_image(f"{vendor}/{_MANIFEST}:{version}")
        yield _need(spec, source, _MANIFEST, asked._replace(text=text))


def resolve(spec: Spec, written: str, flags: NodeFlags) -> Resolution:
    """Where Palette looks for a pack or a manifest, by whatever registry's name it is called; else where nodes look.

    Raises:
        UsageError, InputError: as ``pack_needs`` and ``nodes.resolve``.
    """
    image = parse_image(written)
    if match := _ARTIFACT.search(image.repository):
        return _resolution(spec, image, match[1])
    return nodes.resolve(spec, written, flags)


def _need(spec: Spec, source: ImageRef, path: str, *reasons: Because) -> Need:
    return Need(source, _resolution(spec, source, path), reasons, "artifact", "palette")


def _resolution(spec: Spec, image: ImageRef, path: str) -> Resolution:
    """The one place where Palette asks; ``path`` is what it puts behind the base path."""
    block = _registry(spec)
    base = block.node.get("baseContentPath").string().strip().strip("/")
    home = _home(block.endpoint)
    registry, _, repository = "/".join(filter(None, (home, base, path))).partition("/")
    if problem := name_problem(registry, repository):
        place = block.node.get("endpoint").place
        raise InputError(
            f"{spec.file}:{place.line}:{place.column}: {block.name} makes no name of a repository: {shown(problem)}",
            f"correct endpoint and baseContentPath: planner lint {spec.file}",
        )
    attempt = Attempt(
        f"{_scheme(block.endpoint, registry)}://{registry}/v2",
        repository,
        image.reference,
        registry,
        skip_verify=block.node.get("insecureSkipVerify").is_true(),
        auth=all(block.node.get(key).string() for key in block.credentials),
    )
    return Resolution(image, (attempt,))


def _home(endpoint: str) -> str:
    """The endpoint as clients name the place: host, and what of its path is a part of repositories."""
    return _ARTIFACTORY.sub(r"\1/", plain_target(endpoint.strip()))


def _scheme(endpoint: str, registry: str) -> str:
    """That of the endpoint; of one without, what clients take."""
    scheme, colon, _ = endpoint.strip().lower().partition("://")
    if not colon:
        return default_scheme(registry)
    return "http" if scheme == "http" else "https"


def _registry(spec: Spec) -> Block:
    """Where packs go. Which of two registries counts is not documented."""
    found = [each for each in blocks(spec) if each.name in PACKS and each.endpoint]
    if not found:
        raise UsageError(
            f"{spec.file}: this file does not say where packs go: no endpoint in config.{' or config.'.join(PACKS)}",
            "give packs with the values of the palette chart, which has that registry",
        )
    if len(found) > 1:
        place = found[1].node.get("endpoint").place
        raise InputError(
            f"{spec.file}:{place.line}:{place.column}: two registries of packs, {' and '.join(PACKS)}:"
            " it is not documented which one counts",
            "leave the endpoint of one of them empty",
        )
    return found[0]


def _vendor(selection: Selection) -> str:
    """``REGISTRY/BASE`` of the makers."""
    if not selection.packs_from:
        file = selection.packs[0].because.file
        raise UsageError(
            f"{file}: these packs lie on their makers' registry, and nothing says where that is",
            f"give the registry and the base path that Palette's support told you: {_OPTION}",
        )
    written = selection.packs_from
    if not selection.packs:
        raise UsageError(
            f"packs are to come from {shown(written)}, but none is listed",
            "give the list that comes with the release: --packs packs.txt, or packs in planner.yaml",
        )
    registry, _, base = written.rstrip("/").partition("/")
    if not looks_like_registry(registry) or name_problem(registry, f"{base}/a".lstrip("/")):
        raise UsageError(
            f"{shown(written)!r} is no registry with a base path, as packs come from",
            f"write it without a scheme: {_OPTION}",
        )
    if f"/{base}".endswith(f"/{_ARCHIVE}"):
        raise UsageError(
            f"{written} ends with {_ARCHIVE}, which stands behind the base path anyway",
            f"leave it out: {_OPTION}",
        )
    return f"{registry}/{base}".rstrip("/")
