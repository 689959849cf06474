"""planner.yaml: how this machine reaches registries, and which clusters there are."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from planner.core.document import Node, Spec
from planner.core.errors import UsageError
from planner.core.lint import Finding, Severity, Structure, first_document, lint
from planner.core.reader import read
from planner.files import read_text

FILE_NAME = "planner.yaml"
STRUCTURE = Structure(
    schema="planner",
    unknown_key="planner knows no such key here",
    wrong_type="planner cannot use it",
    duplicate_key="one of the two is lost",
)


@dataclass(frozen=True, slots=True)
class Tls:
    """How to trust a registry, and how it can trust us. Empty paths: the system's authorities, no certificate of ours."""

    ca_file: str = ""
    cert_file: str = ""
    key_file: str = ""
    insecure_skip_verify: bool = False


@dataclass(frozen=True, slots=True)
class RegistrySettings:
    """One entry of ``registries``. ``parallelism`` 0 means: planner's own choice."""

    endpoint: str = ""
    plain_http: bool = False
    parallelism: int = 0
    tls: Tls = Tls()
    credential_helper: str = ""


@dataclass(frozen=True, slots=True)
class Cluster:
    """One entry of ``clusters``; paths are usable from the working directory.

    ``companions`` are further files of the cluster, which its spec is compared with.
    """

    name: str
    spec: str
    kind: str = ""
    release: str = ""
    images: tuple[str, ...] = ()
    platforms: tuple[str, ...] = ()
    companions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class LintSettings:
    """What ``lint`` runs and what it leaves out, and from which severity on it fails (None: never).

    Rules are given by code, name, or the beginning of codes; no ``select`` means all. ``baseline`` is a file, empty for
    none. ``root`` is the folder to which the names in fingerprints are relative.
    """

    ignore: tuple[str, ...] = ()
    per_file: tuple[tuple[str, tuple[str, ...]], ...] = ()
    fail_on: Severity | None = Severity.ERROR
    select: tuple[str, ...] = ()
    baseline: str = ""
    root: str = ""


@dataclass(frozen=True, slots=True)
class Config:
    """The nearest planner.yaml, or the defaults when there is none (``path`` is None then)."""

    path: Path | None = None
    registries: Mapping[str, RegistrySettings] = field(default_factory=dict)
    clusters: tuple[Cluster, ...] = ()
    lint: LintSettings = LintSettings()


def load_config(path: str = "") -> Config:
    """Read ``path``, or else the nearest planner.yaml from the working directory upwards.

    Raises:
        UsageError: it has findings; all of them stand in the message.
    """
    found = Path(path) if path else _nearest(Path.cwd())
    return parse_config(found) if found else Config()


def parse_config(path: Path) -> Config:
    """Read one planner.yaml."""
    spec = read_spec(path)
    findings = config_findings(spec)
    if findings:
        listed = "\n  ".join(
            f"{f.file}:{f.span.line}:{f.span.column}: {f.message}" for f in findings
        )
        raise UsageError(
            f"{path} cannot be used:\n  {listed}", f"planner lint {path} shows it in place"
        )
    return _parse(spec.root, path)


def config_findings(spec: Spec) -> list[Finding]:
    """What is wrong with a planner.yaml."""
    return lint(spec, first_document(STRUCTURE)(spec), ())


def read_spec(path: Path) -> Spec:
    """Read a YAML file; raises what ``read_text`` raises."""
    return read(str(path), read_text(path))


def _nearest(folder: Path) -> Path | None:
    for each in (folder, *folder.parents):
        if (each / FILE_NAME).is_file():
            return _from_here(each / FILE_NAME)
        if (each / ".git").exists():
            return None
    return None


def _from_here(path: Path) -> Path:
    """Relative to the working directory where that is shorter to read."""
    here = Path.cwd()
    return path.relative_to(here) if path.is_relative_to(here) else path


def _parse(root: Node, path: Path) -> Config:
    folder = path.parent
    return Config(
        path,
        {name: _registry(node, folder) for name, node in root.get("registries").fields()},
        tuple(_cluster(node, folder) for node in root.get("clusters").items),
        _lint(root.get("lint"), folder),
    )


def _registry(node: Node, folder: Path) -> RegistrySettings:
    return RegistrySettings(
        endpoint=_endpoint(node.get("endpoint").string(), folder),
        plain_http=node.get("plain_http").is_true(),
        parallelism=int(node.get("parallelism").value or 0),
        tls=_tls(node.get("tls"), folder),
        credential_helper=node.get("credentials", "helper").string(),
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
    )


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
    )


def _strings(node: Node) -> Iterator[str]:
    return (item.string() for item in node.items)
