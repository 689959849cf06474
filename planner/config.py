"""planner.yaml: how this machine reaches registries, and which clusters there are.

The same may stand in ``pyproject.toml``, in the table ``tool.planner``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path, PurePath
from types import MappingProxyType
from typing import NamedTuple

from planner.core.document import Node, Spec
from planner.core.errors import InputError, UsageError
from planner.core.lint import Finding, Severity, Structure, first_document, lint
from planner.core.reader import read
from planner.files import read_text

FILE_NAME = "planner.yaml"
TOML_NAME = "pyproject.toml"
KIND = "planner"
_TABLE = ("tool", "planner")
STRUCTURE = Structure(
    schema="planner",
    unknown_key="planner knows no such key here",
    wrong_type="planner cannot use it",
    duplicate_key="one of the two is lost",
)


class Tls(NamedTuple):
    """How to trust a registry, and how it can trust us. Empty paths: the system's authorities, no certificate of ours.

    ``ca_data`` are authorities as PEM, which specs give; ``ca_file`` takes their place.
    """

    ca_file: str = ""
    cert_file: str = ""
    key_file: str = ""
    insecure_skip_verify: bool = False
    ca_data: str = ""


class RegistrySettings(NamedTuple):
    """One entry of ``registries``. ``parallelism`` 0 means: planner's own choice.

    ``product`` is empty when it is to be found out, ``api`` when the product's own API is where it usually is.
    """

    endpoint: str = ""
    plain_http: bool = False
    parallelism: int = 0
    tls: Tls = Tls()
    credential_helper: str = ""
    product: str = ""
    api: str = ""


class Cluster(NamedTuple):
    """One entry of ``clusters``; paths are usable from the working directory.

    ``companions`` are further files of the cluster, which its spec is compared with. ``terraform``: its output supplies what
    the spec does not say. ``platforms`` are those that its nodes have, as they were written; none: all of an image is copied.
    ``bundle`` is the manifest of its release, a file or a URL, as are its ``packages``; ``packs`` are
    lists, as ``images`` are. ``groups``, ``kubernetes_versions`` and ``packs_from`` are what ``Selection`` says of them.
    """

    name: str
    spec: str
    kind: str = ""
    release: str = ""
    images: tuple[str, ...] = ()
    platforms: tuple[str, ...] = ()
    companions: tuple[str, ...] = ()
    terraform: bool = False
    bundle: str = ""
    groups: tuple[str, ...] = ()
    kubernetes_versions: tuple[str, ...] = ()
    packages: tuple[str, ...] = ()
    packs: tuple[str, ...] = ()
    packs_from: str = ""


class ConfigError(UsageError):
    """A planner.yaml has ``findings``, so that nothing can be done with it."""

    def __init__(self, spec: Spec, findings: Sequence[Finding]) -> None:
        listed = "\n  ".join(
            f"{each.file}:{each.span.line}:{each.span.column}: {each.message}" for each in findings
        )
        super().__init__(
            f"{spec.file} cannot be used:\n  {listed}",
            f"planner lint {spec.file} shows it in place",
        )
        self.spec = spec
        self.findings = tuple(findings)


class LintSettings(NamedTuple):
    """What ``lint`` runs and what it leaves out, and from which severity on it fails (None: never).

    Rules are given by code, name, or the beginning of codes; no ``select`` means all. ``baseline`` is a file, empty for
    none. ``root`` is the folder to which the names in fingerprints and globs are relative. ``kinds`` are families by glob.
    ``terraform``: its output supplies what any of the specs does not say.
    """

    ignore: tuple[str, ...] = ()
    per_file: tuple[tuple[str, tuple[str, ...]], ...] = ()
    fail_on: Severity | None = Severity.ERROR
    select: tuple[str, ...] = ()
    baseline: str = ""
    root: str = ""
    kinds: tuple[tuple[str, str], ...] = ()
    terraform: bool = False


class ReviewSettings(NamedTuple):
    """How the full-screen review looks, and its keys by the ids of bindings. Empty: as it was last, or by default."""

    theme: str = ""
    keymap: Mapping[str, str] = {}


class Config(NamedTuple):
    """The nearest planner.yaml, or the defaults when there is none (``path`` and ``spec`` are None then).

    ``prune_scope`` are globs over ``registry/repository``: what ``--prune`` may delete from, besides what planner filled.
    ``referrers``: signatures, attestations and SBOMs go with their images, as ``--referrers`` says.
    """

    path: Path | None = None
    registries: Mapping[str, RegistrySettings] = MappingProxyType({})
    clusters: tuple[Cluster, ...] = ()
    lint: LintSettings = LintSettings()
    prune_scope: tuple[str, ...] = ()
    spec: Spec | None = None
    referrers: bool = False
    review: ReviewSettings = ReviewSettings()


def load_config(path: str = "", folder: Path | None = None) -> Config:
    """Read ``path``, or else the nearest planner.yaml from ``folder`` (None: the working directory) upwards.

    Raises:
        ConfigError: it has findings; all of them stand in the message.
    """
    found = Path(path) if path else _nearest(Path.cwd() / (folder or ""))
    return parse_config(found) if found else Config()


def parse_config(path: Path) -> Config:
    """Read one planner.yaml."""
    spec = read_spec(path)
    findings = config_findings(spec)
    if findings:
        raise ConfigError(spec, findings)
    if path.name == TOML_NAME and not spec.documents:
        raise UsageError(f"{path} has no table [tool.planner]", f"write it, or name a {FILE_NAME}")
    return _parse(spec, path)


def config_findings(spec: Spec) -> list[Finding]:
    """What is wrong with a planner.yaml."""
    found = lint(spec, first_document(STRUCTURE)(spec), ())
    if found or not spec.root.get("review", "keymap"):
        return found
    from planner.core.keymap import keymap_findings  # noqa: PLC0415 - few have other keys

    return keymap_findings(spec)


def read_spec(path: Path) -> Spec:
    """Read a YAML file, or planner's table of a pyproject.toml; raises what ``read_text`` raises."""
    return parse_spec(str(path), read_text(path))


def parse_spec(file: str, text: str) -> Spec:
    """The same of a text that has been read."""
    if PurePath(file).name != TOML_NAME:
        return read(file, text)
    from planner.core.toml_table import read_table  # noqa: PLC0415 - few need it

    return read_table(file, text, _TABLE) or Spec(file, text, ())


def _nearest(folder: Path) -> Path | None:
    for each in (folder, *folder.parents):
        if (each / FILE_NAME).is_file():
            return _from_here(each / FILE_NAME)
        if _has_table(each / TOML_NAME):
            return _from_here(each / TOML_NAME)
        if (each / ".git").exists():
            return None
    return None


def _has_table(path: Path) -> bool:
    """Whether a pyproject.toml speaks of planner; other people's files may be as broken as they like."""
    if not path.is_file():
        return False
    try:
        text = read_text(path)
        spec = read_spec(path) if "planner" in text else None
    except InputError:
        return False
    is_meant = spec is not None and bool(spec.problems) and "[tool.planner" in text
    return is_meant or (spec is not None and bool(spec.documents))


def _from_here(path: Path) -> Path:
    """Relative to the working directory where that is shorter to read."""
    here = Path.cwd()
    return path.relative_to(here) if path.is_relative_to(here) else path


def _parse(spec: Spec, path: Path) -> Config:
    root, folder = spec.root, path.parent
    return Config(
        path,
        {name: _registry(node, folder) for name, node in root.get("registries").fields()},
        tuple(_cluster(node, folder) for node in root.get("clusters").items),
        _lint(root.get("lint"), folder),
        tuple(_strings(root.get("prune", "scope"))),
        spec,
        root.get("referrers").is_true(),
        _review(root.get("review")),
    )


def _registry(node: Node, folder: Path) -> RegistrySettings:
    return RegistrySettings(
        endpoint=_endpoint(node.get("endpoint").string(), folder),
        plain_http=node.get("plain_http").is_true(),
        parallelism=int(node.get("parallelism").value or 0),
        tls=_tls(node.get("tls"), folder),
        credential_helper=node.get("credentials", "helper").string(),
        product=node.get("product").string(),
        api=node.get("api").string(),
    )


def _endpoint(text: str, folder: Path) -> str:
    """An address as it stands; a layout's folder is relative to this file."""
    scheme, _, path = text.partition(":")
    return f"{scheme}:{folder / path}" if scheme == "oci" and path else text


def _tls(node: Node, folder: Path) -> Tls:
    def file(key: str) -> str:
        text = node.get(key).string()
        return str(folder / text) if text else ""

    return Tls(
        file("ca_file"),
        file("cert_file"),
        file("key_file"),
        node.get("insecure_skip_verify").is_true(),
    )


def _cluster(node: Node, folder: Path) -> Cluster:
    return Cluster(
        name=node.get("name").string(),
        spec=str(folder / node.get("spec").string()),
        kind=node.get("kind").string(),
        release=node.get("release").string(),
        images=tuple(str(folder / text) for text in _strings(node.get("images"))),
        platforms=tuple(_strings(node.get("platforms"))),
        companions=tuple(str(folder / text) for text in _strings(node.get("companions"))),
        terraform=node.get("terraform").is_true(),
        bundle=_file_or_url(node.get("bundle").string(), folder),
        groups=tuple(_strings(node.get("groups"))),
        kubernetes_versions=tuple(_strings(node.get("kubernetes_versions"))),
        packages=tuple(_file_or_url(text, folder) for text in _strings(node.get("packages"))),
        packs=tuple(str(folder / text) for text in _strings(node.get("packs"))),
        packs_from=node.get("packs_from").string(),
    )


def _file_or_url(text: str, folder: Path) -> str:
    return text if "://" in text or not text else str(folder / text)


def _lint(node: Node, folder: Path) -> LintSettings:
    baseline = node.get("baseline").string()
    fail_on = node.get("fail_on").string() or Severity.ERROR
    return LintSettings(
        tuple(_strings(node.get("ignore"))),
        tuple((glob, tuple(_strings(rules))) for glob, rules in node.get("per_file").fields()),
        None if fail_on == "never" else Severity(fail_on),
        tuple(_strings(node.get("select"))),
        str(folder / baseline) if baseline else "",
        str(folder),
        tuple((glob, kind.string()) for glob, kind in node.get("kinds").fields()),
    )


def _review(node: Node) -> ReviewSettings:
    keymap = {name: keys.string() for name, keys in node.get("keymap").fields()}
    return ReviewSettings(node.get("theme").string(), keymap)


def _strings(node: Node) -> Iterator[str]:
    return (item.string() for item in node.items)
