"""From spec files to needs: which artifacts the clusters want, and where their nodes will look for them."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from planner.bundles import load_manifests
from planner.config import FILE_NAME, Cluster, Config, read_spec
from planner.core.certificate import certificates
from planner.core.document import Spec
from planner.core.errors import InputError, UsageError
from planner.core.family import (
    Because,
    Choice,
    Family,
    ListedImage,
    ListedPack,
    Need,
    NodeFlags,
    Selection,
    Trust,
)
from planner.core.plan import Input
from planner.core.platforms import wanted_platforms
from planner.core.refs import is_tag, name_problem, parse_image
from planner.files import is_file, is_there, read_text
from planner.specs import families, family_named, family_of

_OUR_FORMAT = re.compile(r'\s*\{\s*"format":\s*"planner\.(\w+)/')
_OUR_FILES = {
    "plan": ("a saved plan", "planner show {0} prints it, planner apply {0} carries it out"),
    "inventory": ("an inventory", "planner plan --against {0} takes it beside the specs"),
    "lock": ("a lock", "planner plan --locked heeds it beside the specs"),
}


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the command line asks for. Without ``specs``, the clusters of planner.yaml are meant.

    What it says comes on top of what planner.yaml says about a cluster: lists are added, everything else replaces its own.
    """

    specs: tuple[str, ...] = ()
    kind: str = ""
    release: str = ""
    images: tuple[str, ...] = ()
    bundle: str = ""
    everything: bool = False
    flags: NodeFlags = field(default_factory=NodeFlags)
    groups: tuple[str, ...] = ()
    kubernetes_versions: tuple[str, ...] = ()
    packages: tuple[str, ...] = ()
    packs: tuple[str, ...] = ()
    packs_from: str = ""
    platforms: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ClusterNeeds:
    """One cluster with its spec and what it needs."""

    name: str
    spec: Spec
    family: Family
    needs: tuple[Need, ...]


@dataclass(frozen=True, slots=True)
class Collected:
    """All clusters, and the files that were read for them."""

    clusters: tuple[ClusterNeeds, ...]
    inputs: tuple[Input, ...]

    @property
    def needs(self) -> Iterator[Need]:
        """The needs of all clusters, in their order."""
        return (need for cluster in self.clusters for need in cluster.needs)

    @property
    def schemes(self) -> dict[str, str]:
        """With which scheme the specs send their nodes to each private registry."""
        homes = (need.home for need in self.needs)
        return {home.registry: urlsplit(home.endpoint).scheme for home in homes if home}

    @property
    def logins(self) -> tuple[str, ...]:
        """To which registries, by host:port, the specs' own tools log in from the environment."""
        return tuple(sorted({each.address for each in self.trusts() if each.has_login}))

    @property
    def authorities(self) -> dict[str, tuple[str, ...]]:
        """What the specs verify registries with, by host:port: PEM, or ``$NAME``, a variable that names a file."""
        found: dict[str, tuple[str, ...]] = {}
        for each in self.trusts():
            known = f"${each.ca_variable}" if each.ca_variable else "".join(certificates(each.ca))
            if known and known not in found.get(each.address, ()):
                found[each.address] = (*found.get(each.address, ()), known)
        return dict(sorted(found.items()))

    def trusts(self) -> Iterator[Trust]:
        """How the specs let their nodes reach registries."""
        for cluster in self.clusters:
            trusts = cluster.family.images().trusts(cluster.spec)
            yield from (each for each in trusts if each.host)


def collect(config: Config, wanted: Wanted) -> Collected:
    """Read the specs and work out their needs.

    Raises:
        InputError: a spec or list cannot be read, or is of no known family.
        UsageError: there is no spec, or it does not say enough.
    """
    reader = _Reader()
    chosen = _clusters(config, wanted)
    _check_files((each for each in chosen if each in config.clusters), config)
    clusters = tuple(reader.cluster(each, wanted) for each in chosen)
    if config.path:
        reader.note(config.path, "config")
    return Collected(clusters, reader.inputs)


def _check_files(clusters: Iterable[Cluster], config: Config) -> None:
    """Name the cluster whose files are not where planner.yaml says."""
    for cluster in clusters:
        for path in (cluster.spec, *cluster.images, *cluster.packs):
            if not is_there(path):
                raise InputError(
                    f"{path}, which cluster {cluster.name!r} names, is not there",
                    f"correct its path in {config.path}, or create it",
                )


def load_spec(path: str, kind: str = "") -> tuple[Spec, Family]:
    """Read one spec and tell its family.

    Raises:
        InputError: unreadable, not YAML, or no family recognises it.
    """
    spec = read_spec(Path(path))
    family = family_named(kind) if kind else family_of(spec)
    spec = family.as_read(spec) if family else spec
    broken = next((each for each in spec.problems if each.kind != "duplicate"), None)
    if broken:
        where = f"{path}:{broken.span.line}:{broken.span.column}"
        raise InputError(f"{where}: {broken.message}", f"planner lint {path} shows the place")
    if family is None:
        _refuse_our_own(spec)
        known = ", ".join(f"{each.name} ({each.title})" for each in families())
        raise InputError(
            f"{path}: not a spec that planner knows", f"say what it is with --kind: {known}"
        )
    return spec, family


def _refuse_our_own(spec: Spec) -> None:
    """Say what a file of planner's own is for, when one is given as a spec."""
    if found := _OUR_FORMAT.match(spec.text):
        what, use = _OUR_FILES.get(found[1], (f"planner's own, {found[1]}", "name a spec instead"))
        raise InputError(f"{spec.file}: this is {what}, not a spec", use.format(spec.file))


def unchanged(inputs: Iterable[Input]) -> Iterator[str]:
    """The inputs that are no longer what they were.

    A file that is not here is not held against a plan, nor is an inventory: the registry itself is asked when it counts.
    """
    for each in inputs:
        path = Path(each.path)
        if each.role != "inventory" and is_file(path) and _sha256(path.read_bytes()) != each.sha256:
            yield each.path


def read_image_list(path: str) -> tuple[ListedImage, ...]:
    """One reference per line, ``#`` starts a comment, blank lines do not count.

    Raises:
        InputError: unreadable, or a line is not a reference.
    """
    return tuple(_images(path))


def read_pack_list(path: str) -> tuple[ListedPack, ...]:
    """One ``NAME:TAG`` per line; comments and blank lines as in a list of images.

    Raises:
        InputError: unreadable, or a line is no pack.
    """
    return tuple(_packs(path))


def _images(path: str) -> Iterator[ListedImage]:
    for text, because in _lines(path):
        try:
            image = parse_image(text)
        except InputError as error:
            raise InputError(f"{path}:{because.line}: {error.message}", error.hint) from error
        yield ListedImage(image, because)


def _packs(path: str) -> Iterator[ListedPack]:
    for text, because in _lines(path):
        name, _, tag = text.partition(":")
        if "/" in name or name_problem("packs", name) or not is_tag(tag):
            raise InputError(
                f"{path}:{because.line}: {text!r} is no pack: one is written as NAME:TAG, without a registry",
                "write it like cni-calico:3.25.1; lists of images are given with --images",
            )
        yield ListedPack(name, tag, because)


def _lines(path: str) -> Iterator[tuple[str, Because]]:
    """What a list names, and where."""
    reason = f"listed in {Path(path).name}"
    for number, line in enumerate(read_text(Path(path)).splitlines(), 1):
        if text := line.partition("#")[0].strip():
            yield text, Because(path, number, 1, reason)


def _clusters(config: Config, wanted: Wanted) -> Sequence[Cluster]:
    if not wanted.specs:
        if not config.clusters:
            raise UsageError(
                "there is no spec to read",
                f"name one (planner plan registries.yaml), or list clusters in {FILE_NAME}",
            )
        return config.clusters
    known = {Path(cluster.spec).resolve(): cluster for cluster in config.clusters}
    return [
        known.get(Path(spec).resolve(), Cluster(name=_name_of(spec), spec=spec))
        for spec in wanted.specs
    ]


def _name_of(spec: str) -> str:
    path = Path(spec)
    return path.resolve().parent.name if path.name.startswith("registries.") else path.stem


class _Reader:
    """Reads files and remembers which. Lives for one command."""

    def __init__(self) -> None:
        self._inputs: dict[str, Input] = {}

    @property
    def inputs(self) -> tuple[Input, ...]:
        return tuple(self._inputs[path] for path in sorted(self._inputs))

    def note(self, path: Path | str, role: str) -> None:
        self._inputs[str(path)] = Input(str(path), _sha256(Path(path).read_bytes()), role)

    def cluster(self, cluster: Cluster, wanted: Wanted) -> ClusterNeeds:
        spec, family = load_spec(cluster.spec, wanted.kind or cluster.kind)
        self.note(cluster.spec, family.name)
        lists = (*cluster.images, *wanted.images)
        images = tuple(image for path in lists for image in read_image_list(path))
        for path in lists:
            self.note(path, "images")
        pack_lists = (*cluster.packs, *wanted.packs)
        packs = tuple(pack for path in pack_lists for pack in read_pack_list(path))
        for path in pack_lists:
            self.note(path, "packs")
        bundle = wanted.bundle or cluster.bundle
        selection = Selection(
            wanted.release or cluster.release,
            images,
            wanted.flags,
            load_manifests(bundle, lambda path: self.note(path, "bundle")) if bundle else None,
            wanted.everything,
            wanted.groups or cluster.groups,
            wanted.kubernetes_versions or cluster.kubernetes_versions,
            tuple(
                load_manifests(path, lambda read: self.note(read, "packages")).manifest
                for path in (*cluster.packages, *wanted.packages)
            ),
            packs,
            wanted.packs_from or cluster.packs_from,
        )
        _check_choices(cluster, family, selection)
        platforms = _platforms(cluster, wanted)
        found = family.images().needs(spec, selection)
        needs = (_named(need, cluster.name)._replace(platforms=platforms) for need in found)
        return ClusterNeeds(cluster.name, spec, family, tuple(needs))


def _check_choices(cluster: Cluster, family: Family, selection: Selection) -> None:
    """Refuse what this family would not heed."""
    given: tuple[tuple[Choice, tuple[object, ...], str], ...] = (
        ("groups", selection.groups, "--filter (groups in planner.yaml)"),
        ("kubernetes_versions", selection.kubernetes_versions, "--kubernetes-versions"),
        ("packages", selection.packages, "--packages"),
        ("packs", selection.packs, "--packs"),
        ("packs", tuple(selection.packs_from), "--packs-from"),
    )
    for choice, value, option in given:
        if value and choice not in family.images().choices:
            raise UsageError(
                f"{cluster.spec}: {option} has no meaning for {family.title}",
                "leave it out, or give it for the clusters that it is meant for in planner.yaml",
            )


def _platforms(cluster: Cluster, wanted: Wanted) -> tuple[str, ...]:
    """Those of the command line, or else those of planner.yaml, which is named when one of them is none."""
    if wanted.platforms:
        return wanted_platforms(wanted.platforms)
    try:
        return wanted_platforms(cluster.platforms)
    except UsageError as error:
        raise UsageError(f"cluster {cluster.name!r}: {error.message}", error.hint) from error


def _named(need: Need, cluster: str) -> Need:
    reasons = tuple(each._replace(cluster=cluster) for each in need.because)
    return need._replace(because=reasons)


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
