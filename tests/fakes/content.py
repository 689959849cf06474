"""Images as registries keep them: digests, media types, and the JSON of small OCI images."""

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
OCI_INDEX = "application/vnd.oci.image.index.v1+json"
DOCKER_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
DOCKER_LIST = "application/vnd.docker.distribution.manifest.list.v2+json"

MANIFESTS = frozenset({OCI_MANIFEST, DOCKER_MANIFEST})
INDEXES = frozenset({OCI_INDEX, DOCKER_LIST})

EMPTY = b"{}"
EMPTY_TYPE = "application/vnd.oci.empty.v1+json"

_CONFIG = "application/vnd.oci.image.config.v1+json"
_LAYER = "application/vnd.oci.image.layer.v1.tar"
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")


def digest_of(data: bytes) -> str:
    """Return the SHA-256 digest as registries write it."""
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


def is_digest(text: str) -> bool:
    """Tell whether a text is a digest; only SHA-256 is known here."""
    return _DIGEST.fullmatch(text) is not None


def make_config(layers: Iterable[bytes], platform: str) -> bytes:
    """Return the configuration of an image of uncompressed layers."""
    rootfs = {"type": "layers", "diff_ids": [digest_of(layer) for layer in layers]}
    return _encode({**_split(platform), "config": {}, "rootfs": rootfs})


def make_manifest(config: bytes, layers: Iterable[bytes]) -> bytes:
    """Return the OCI manifest of an image."""
    return _encode(
        {
            "schemaVersion": 2,
            "mediaType": OCI_MANIFEST,
            "config": _describe(_CONFIG, config),
            "layers": [_describe(_LAYER, layer) for layer in layers],
        }
    )


def make_index(children: Iterable[tuple[str, bytes, Mapping[str, str]]]) -> bytes:
    """Return the OCI index of manifests, each a media type, a body and a platform, may be empty."""
    manifests = [
        {**_describe(media_type, body), **({"platform": platform} if platform else {})}
        for media_type, body, platform in children
    ]
    return _encode({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": manifests})


def platform_of(config: bytes) -> dict[str, str]:
    """Return what a configuration says of its platform, as an index repeats it."""
    parts = json.loads(config)
    return {name: parts[name] for name in ("os", "architecture", "variant") if name in parts}


def references(body: bytes, media_type: str) -> list[str]:
    """Return the digests that a manifest needs in its repository, as often as it names them.

    Layers of other hosts (with ``urls``) are not needed.

    Raises:
        ValueError: The body is not a manifest of that media type.
    """
    try:
        document = json.loads(body)
        if document.get("mediaType", media_type) != media_type or document["schemaVersion"] != 2:
            raise ValueError("the media type or the schema version is another one")
        return [each["digest"] for each in _needed(document, media_type)]
    except (AttributeError, KeyError, TypeError) as error:
        raise ValueError("the manifest lacks something") from error


def make_referrer(
    subject: bytes, artifact_type: str, layers: Iterable[bytes], kind: str = OCI_MANIFEST
) -> bytes:
    """Return the OCI manifest of an artifact about a manifest of ``kind``; its configuration is ``EMPTY``."""
    return _encode(
        {
            "schemaVersion": 2,
            "mediaType": OCI_MANIFEST,
            "artifactType": artifact_type,
            "config": _describe(EMPTY_TYPE, EMPTY),
            "layers": [_describe("application/octet-stream", layer) for layer in layers],
            "subject": _describe(kind, subject),
            "annotations": {"made.by": "the test"},
        }
    )


def subject_of(body: bytes) -> str:
    """Return the digest of a manifest's subject; empty for none."""
    subject = json.loads(body).get("subject")
    return str(subject["digest"]) if subject else ""


def entry_of(body: bytes, media_type: str) -> dict[str, Any]:
    """Return the descriptor of a manifest in a list of referrers."""
    document = json.loads(body)
    kind = document.get("artifactType") or document.get("config", {}).get("mediaType", "")
    more = {"artifactType": kind, "annotations": document.get("annotations", {})}
    return {**_describe(media_type, body), **{key: each for key, each in more.items() if each}}


def config_digest(body: bytes) -> str | None:
    """Return the digest of a manifest's configuration; None for an index."""
    config = json.loads(body).get("config")
    return str(config["digest"]) if config else None


def _needed(document: dict[str, Any], media_type: str) -> list[dict[str, Any]]:
    if media_type in INDEXES:
        return list(document["manifests"])
    if media_type in MANIFESTS:
        return [document["config"], *(each for each in document["layers"] if "urls" not in each)]
    raise ValueError(f"unknown media type {media_type!r}")


def _describe(media_type: str, data: bytes) -> dict[str, Any]:
    return {"mediaType": media_type, "digest": digest_of(data), "size": len(data)}


def _split(platform: str) -> dict[str, str]:
    return dict(zip(("os", "architecture", "variant"), platform.split("/"), strict=False))


def _encode(document: object) -> bytes:
    return json.dumps(document, separators=(",", ":")).encode()
