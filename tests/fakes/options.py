"""How a registry behaves, and the headers that depend on it."""

from dataclasses import dataclass
from typing import Literal

from .messages import Call
from .storage import Storage


@dataclass(frozen=True, slots=True)
class Options:
    """What registries differ in.

    Attributes:
        mount: Whether blobs can be mounted; if not, a mount opens a session (202).
        page_size: The most entries of a page, whatever a client asks for.
        digest_header: Whether answers carry Docker-Content-Digest.
        relative_location: Whether a Location is a path.
        resumable: Whether a session that lost an answer or half a request tells its offset and
            goes on (distribution 3), or is dead (2.8).
        deletes: What can be deleted: tags and digests, digests alone (2.8), or nothing.
        referrers: Whether it lists what names a digest as its subject, as OCI 1.1 has it.
        patch_status: What a chunk is answered with; ECR has 201.
        least_chunk: The smallest chunk that it says it takes, but for the last one.
        largest_body: The most bytes of a request that the proxy in front of it lets through.
        ranges: Whether parts of a blob can be had; if not, all of it comes.
    """

    mount: bool = True
    page_size: int = 100
    digest_header: bool = True
    relative_location: bool = False
    resumable: bool = True
    deletes: Literal["tags", "digests", "nothing"] = "tags"
    referrers: bool = False
    patch_status: int = 202
    least_chunk: int = 0
    largest_body: int | None = None
    ranges: bool = True


@dataclass(frozen=True, slots=True)
class Api:
    """The storage of a registry and how it behaves."""

    storage: Storage
    options: Options


def location_header(api: Api, call: Call, path: str) -> dict[str, str]:
    """Return the Location of a path."""
    host = "" if api.options.relative_location else f"http://{call.headers['Host']}"
    return {"Location": host + path}


def digest_header(api: Api, digest: str) -> dict[str, str]:
    """Return the Docker-Content-Digest, if the registry sends it."""
    return {"Docker-Content-Digest": digest} if api.options.digest_header else {}
