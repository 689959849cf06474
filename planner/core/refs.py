"""Names of images: parse once at the edge, then pass only ``ImageRef``.

Source: distribution/reference, ``reference.go`` (grammar) and ``normalize.go`` (docker.io, ``library/``).
"""

from __future__ import annotations

import re
from typing import NamedTuple

from planner.core.errors import InputError

DOCKER_HUB = "docker.io"

_COMPONENT = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
_REPOSITORY = re.compile(rf"{_COMPONENT}(?:/{_COMPONENT})*")
_TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,127}")
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128}")
_REGISTRY = re.compile(
    r"(?:(?:[A-Za-z0-9]|[A-Za-z0-9][A-Za-z0-9-]*[A-Za-z0-9])"
    r"(?:\.(?:[A-Za-z0-9]|[A-Za-z0-9][A-Za-z0-9-]*[A-Za-z0-9]))*|\[[0-9a-fA-F:]+\])(?::[0-9]+)?"
)
_LONGEST_NAME = 255
# Signatures, attestations and SBOMs stand beside what they are about, under its digest.
# Source: sigstore/cosign specs/SIGNATURE_SPEC.md; opencontainers/distribution-spec v1.1.1 "Referrers Tag Schema".
_ABOUT = re.compile(r"(sha256|sha512)-([0-9a-f]{64,128})(?:\..+)?")


class ImageRef(NamedTuple):
    """A canonical name: ``docker.io/library/alpine:3``, never ``alpine:3``.

    ``tag`` and ``digest`` may each be empty; ``parse_image`` fills in ``latest`` when both are.
    """

    registry: str
    repository: str
    tag: str = ""
    digest: str = ""

    @property
    def reference(self) -> str:
        """What stands after ``/manifests/``: the digest when there is one, else the tag."""
        return self.digest or self.tag

    @property
    def name(self) -> str:
        """Registry and repository, without tag and digest."""
        return f"{self.registry}/{self.repository}"

    def moved_to(self, registry: str, repository: str) -> ImageRef:
        """The same tag and digest under another name."""
        return self._replace(registry=registry, repository=repository)

    def __str__(self) -> str:
        tag = f":{self.tag}" if self.tag else ""
        digest = f"@{self.digest}" if self.digest else ""
        return f"{self.name}{tag}{digest}"


def parse_image(text: str) -> ImageRef:
    """Parse what stands behind ``image:`` in a pod.

    Raises:
        InputError: ``text`` is not an image reference; the message says which part is wrong.
    """
    rest, _, digest = text.partition("@")
    registry, rest = _split_registry(rest)
    repository, colon, tag = rest.partition(":")
    if registry == DOCKER_HUB and "/" not in repository:
        repository = f"library/{repository}"
    ref = ImageRef(registry, repository, tag, digest)
    if "@" in text and not is_digest(digest):
        raise _invalid(text, f"{digest!r} is not a digest (sha256: and 64 hex digits)")
    if colon and not is_tag(tag):
        raise _invalid(text, f"{tag!r} is not a tag")
    if problem := name_problem(ref.registry, ref.repository):
        raise _invalid(text, problem)
    return ref if ref.reference else ref._replace(tag="latest")


def parse_canonical(text: str) -> ImageRef:
    """Parse what ``str(ImageRef)`` wrote: the first component is the registry, whatever it looks like."""
    registry, _, rest = text.partition("/")
    rest, _, digest = rest.partition("@")
    repository, _, tag = rest.partition(":")
    return ImageRef(registry, repository, tag, digest)


def name_problem(registry: str, repository: str) -> str:
    """Why no registry can hold this name; empty when it can."""
    if not _REGISTRY.fullmatch(registry):
        return f"{registry!r} is not a registry host"
    if not _REPOSITORY.fullmatch(repository):
        if repository != repository.lower():
            return f"repository {repository!r} has upper-case letters"
        return f"{repository!r} is not a repository name"
    if len(registry) + 1 + len(repository) > _LONGEST_NAME:
        return (
            f"the name has {len(registry) + 1 + len(repository)} characters, over {_LONGEST_NAME}"
        )
    return ""


def is_digest(text: str) -> bool:
    """Whether ``text`` is a sha256 or sha512 digest in canonical form."""
    return _DIGEST.fullmatch(text) is not None


def is_tag(text: str) -> bool:
    """Whether ``text`` may stand after the colon."""
    return _TAG.fullmatch(text) is not None


def subject_of(tag: str) -> str:
    """The digest that a tag like ``sha256-….sig`` is about; empty for others."""
    found = _ABOUT.fullmatch(tag)
    return f"{found[1]}:{found[2]}" if found else ""


def looks_like_registry(component: str) -> bool:
    """Whether the first component of a name is a host rather than a Docker Hub namespace."""
    return (
        "." in component
        or ":" in component
        or component == "localhost"
        or component != component.lower()
    )


def _split_registry(name: str) -> tuple[str, str]:
    first, slash, rest = name.partition("/")
    if not slash or not looks_like_registry(first):
        return DOCKER_HUB, name
    return (DOCKER_HUB if first == "index.docker.io" else first), rest


def _invalid(text: str, problem: str) -> InputError:
    return InputError(
        f"{text!r} is not an image reference: {problem}",
        "write it as REGISTRY/REPOSITORY:TAG, for example docker.io/rancher/mirrored-pause:3.6",
    )
