"""A Helm chart as ``helm push`` puts it on a registry.

Source: helm/helm 14066a0 pkg/registry/constants.go (media types).
"""

import gzip
import hashlib
import io
import json
import tarfile
from typing import NamedTuple

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
CONFIG = "application/vnd.cncf.helm.config.v1+json"
CONTENT = "application/vnd.cncf.helm.chart.content.v1.tar+gzip"
PROVENANCE = "application/vnd.cncf.helm.chart.provenance.v1.prov"


class Chart(NamedTuple):
    """``manifest`` names ``blobs``: the configuration, the packed chart, and its signature."""

    manifest: bytes
    blobs: tuple[bytes, ...]

    @property
    def digest(self) -> str:
        """The digest of the manifest."""
        return digest_of(self.manifest)

    @property
    def digests(self) -> tuple[str, ...]:
        """Those of the blobs."""
        return tuple(map(digest_of, self.blobs))


def make_chart(name: str, version: str) -> Chart:
    """A chart with one template."""
    about = {"apiVersion": "v2", "name": name, "version": version, "type": "application"}
    files = {"Chart.yaml": json.dumps(about), "templates/note.yaml": f"# {name}\n"}
    blobs = (json.dumps(about).encode(), _packed(name, files), f"{name}-{version}.tgz\n".encode())
    types = (CONFIG, CONTENT, PROVENANCE)
    config, *layers = (
        {"mediaType": kind, "digest": digest_of(blob), "size": len(blob)}
        for kind, blob in zip(types, blobs, strict=True)
    )
    annotations = {"org.opencontainers.image.title": name}
    manifest = {"schemaVersion": 2, "config": config, "layers": layers, "annotations": annotations}
    return Chart(json.dumps(manifest).encode(), blobs)


def digest_of(data: bytes) -> str:
    """The SHA-256 digest as registries write it."""
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


def _packed(name: str, files: dict[str, str]) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as tar:
        for path, text in files.items():
            entry = tarfile.TarInfo(f"{name}/{path}")
            entry.size = len(text.encode())
            tar.addfile(entry, io.BytesIO(text.encode()))
    return gzip.compress(packed.getvalue(), mtime=0)
