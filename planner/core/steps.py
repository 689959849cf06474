"""What a worker does: one small step, as data.

A step pickles, holds no client and no secret, and may be repeated without harm: doing it again finds that it is done.
"""

from __future__ import annotations

from dataclasses import dataclass

from planner.core.content import Manifest
from planner.core.place import Place


@dataclass(frozen=True, slots=True)
class CreateNamespace:
    """Create what a product wants to exist before anything is pushed: a project, a repository, an organisation."""

    registry: str
    namespace: str

    @property
    def id(self) -> str:
        """Stable name of the step."""
        return f"namespace {self.registry}/{self.namespace}"


@dataclass(frozen=True, slots=True)
class CopyBlob:
    """Bring a blob from ``source`` into ``target``, byte for byte. ``size`` in bytes."""

    target: Place
    digest: str
    size: int
    source: Place

    @property
    def id(self) -> str:
        """Stable name of the step."""
        return f"blob {self.target}@{self.digest}"


@dataclass(frozen=True, slots=True)
class MountBlob:
    """Let ``target`` share the blob that ``sibling`` on the same registry has; copy it if the registry will not."""

    target: Place
    digest: str
    size: int
    source: Place
    sibling: Place

    @property
    def id(self) -> str:
        """Stable name of the step."""
        return f"mount {self.target}@{self.digest}"


@dataclass(frozen=True, slots=True)
class PutManifest:
    """Store a manifest under its digest, after everything that it names."""

    target: Place
    manifest: Manifest

    @property
    def id(self) -> str:
        """Stable name of the step."""
        return f"manifest {self.target}@{self.manifest.digest}"


@dataclass(frozen=True, slots=True)
class PutReferrer:
    """Store a manifest under its digest, and have it listed for the subject that it names."""

    target: Place
    manifest: Manifest

    @property
    def id(self) -> str:
        """Stable name of the step."""
        return f"referrer {self.target}@{self.manifest.digest}"


@dataclass(frozen=True, slots=True)
class PutTag:
    """Store a manifest under a tag: the last step of an image, so that no tag ever points at missing content.

    ``current`` is the digest that the plan saw there, empty for none: a tag that holds another one by now is left alone.
    """

    target: Place
    tag: str
    manifest: Manifest
    current: str = ""

    @property
    def id(self) -> str:
        """Stable name of the step."""
        return f"tag {self.target}:{self.tag}"


@dataclass(frozen=True, slots=True)
class AllCopied:
    """Nothing to do; it stands between everything that comes and whatever goes."""

    @property
    def id(self) -> str:
        """Stable name of the step."""
        return "all copied"


@dataclass(frozen=True, slots=True)
class DeleteTag:
    """Take a tag away, as long as it still points at ``digest``.

    Some registries delete by digest alone, which takes every tag of it. ``together`` are the tags of the repository with the
    same digest that are to go as well, ``keep`` the digests that have to stay in it.
    """

    target: Place
    tag: str
    digest: str
    together: frozenset[str] = frozenset()
    keep: frozenset[str] = frozenset()

    @property
    def id(self) -> str:
        """Stable name of the step."""
        return f"delete {self.target}:{self.tag}"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a step. ``moved`` counts the bytes that crossed; ``error`` is empty on success."""

    moved: int = 0
    mounted: bool = False
    error: str = ""
    hint: str = ""
    code: str = ""


Step = (
    CreateNamespace
    | CopyBlob
    | MountBlob
    | PutManifest
    | PutReferrer
    | PutTag
    | AllCopied
    | DeleteTag
)
BlobStep = CopyBlob | MountBlob


def size_of(step: Step) -> int:
    """Bytes that the step may have to move."""
    return step.size if isinstance(step, BlobStep) else 0
