"""Options that several commands share, and what they mean."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable
from dataclasses import dataclass, replace

from planner.accepted import error_count
from planner.config import Config, load_config
from planner.core.errors import UsageError
from planner.core.family import NodeFlags
from planner.core.text import plural, printable
from planner.files import is_file
from planner.needs import Collected, Wanted, collect
from planner.own_folder import folder_of
from planner.specs import NAMES
from planner.stores.journal import Journal
from planner.stores.opening import Places, Stores
from planner.stores.recorded import load_recordings
from planner.ui.progress import tell_wait


def add_spec_arguments(parser: argparse.ArgumentParser, *, or_plan: bool = False) -> None:
    """SPEC and what chooses the images; with ``or_plan``, a saved plan may stand in its place."""
    text = "spec files (default: the clusters of planner.yaml)"
    parser.add_argument(
        "specs",
        nargs="*",
        metavar="PLAN|SPEC" if or_plan else "SPEC",
        help=f"a saved plan, or {text}" if or_plan else text,
    )
    add_choice_arguments(parser)


def add_choice_arguments(parser: argparse.ArgumentParser) -> None:
    """What chooses the images of specs, and planner.yaml."""
    group = parser.add_argument_group("which images")
    group.add_argument("--kind", default="", help=f"what the specs are: {', '.join(NAMES)}")
    group.add_argument(
        "--release",
        default="",
        help="release whose packaged image list is used; of Palette, the version whose manifest goes with the packs",
    )
    group.add_argument(
        "--images",
        action="append",
        default=[],
        metavar="FILE",
        help="a list with one image per line; may be given several times",
    )
    group.add_argument(
        "--bundle",
        default="",
        metavar="FILE",
        help="Bundles manifest of the EKS Anywhere release, a file or URL; EKS-D manifests are looked for beside it",
    )
    group.add_argument(
        "--packages",
        action="append",
        default=[],
        metavar="FILE",
        help="PackageBundle with curated packages of EKS Anywhere, a file or URL; may be given several times",
    )
    group.add_argument(
        "--packs",
        action="append",
        default=[],
        metavar="FILE",
        help="a list with one pack of Palette per line, NAME:TAG; may be given several times",
    )
    group.add_argument(
        "--packs-from",
        default="",
        metavar="REGISTRY/BASE",
        help="where Palette's makers publish the packs, as their support tells",
    )
    group.add_argument(
        "--everything",
        action="store_true",
        help="everything that the release brings, for all versions and providers (EKS Anywhere, KubeOne), of all groups (RKE2)",
    )
    group.add_argument(
        "--filter",
        dest="groups",
        type=_comma_list,
        default=(),
        metavar="LIST",
        help="only these groups of the release's images: base,optional,control-plane (KubeOne); core,canal,cilium,… (RKE2)",
    )
    group.add_argument(
        "--kubernetes-versions",
        type=_comma_list,
        default=(),
        metavar="LIST",
        help="these versions in place of the manifest's, for an upgrade: 1.34.5,1.35.2 (KubeOne)",
    )
    group.add_argument(
        "--platform",
        dest="platforms",
        type=_comma_list,
        action="extend",
        default=[],
        metavar="LIST",
        help="only these platforms of images that have several: linux/amd64,linux/arm64; changes their digests, and may be"
        " given several times (default: those of planner.yaml, or all)",
    )
    add_flag_arguments(parser)
    parser.add_argument(
        "--config", default="", metavar="FILE", help="planner.yaml (default: the nearest)"
    )


def add_spec_option(parser: argparse.ArgumentParser) -> None:
    """-c, where what stands without an option is something else."""
    parser.add_argument(
        "-c",
        "--spec",
        dest="specs",
        action="append",
        default=[],
        metavar="SPEC",
        help="a spec file; may be given several times (default: the clusters of planner.yaml)",
    )


def add_node_arguments(parser: argparse.ArgumentParser) -> None:
    """What runs on a node, where no images are chosen."""
    parser.add_argument(
        "--release",
        default="",
        help="K3s or RKE2 release on the nodes (default: as the newest behaves)",
    )
    add_flag_arguments(parser)


def add_flag_arguments(parser: argparse.ArgumentParser) -> None:
    """The flags of the K3s agent."""
    group = parser.add_argument_group("flags of the K3s or RKE2 agent, as set on the nodes")
    group.add_argument(
        "--disable-default-registry-endpoint", action="store_true", help="as on the agent"
    )
    group.add_argument(
        "--embedded-registry",
        default="",
        metavar="HOST:PORT",
        help="address of the embedded registry",
    )
    group.add_argument(
        "--system-default-registry", default="", metavar="REGISTRY", help="as on the agent"
    )


def add_place_arguments(parser: argparse.ArgumentParser) -> None:
    """--from and --to."""
    group = parser.add_argument_group("where bytes are read and written")
    group.add_argument(
        "--from",
        dest="read_from",
        default="",
        metavar="PLACE",
        help="read all images here: a registry URL, or oci:DIR",
    )
    group.add_argument(
        "--to",
        dest="write_to",
        default="",
        metavar="PLACE",
        help="write here instead of the specs' registries: a registry URL, or oci:DIR",
    )


def add_deep_argument(parser: argparse.ArgumentParser) -> None:
    """--deep."""
    parser.add_argument(
        "--deep",
        action="store_true",
        help="look whether the content behind right tags is still there, and repair it",
    )


def add_referrers_argument(parser: argparse.ArgumentParser) -> None:
    """--referrers."""
    parser.add_argument(
        "--referrers",
        action="store_true",
        help="also copy what signs, attests or describes the images: OCI referrers, and cosign's tags",
    )


def flags_from(options: argparse.Namespace) -> NodeFlags:
    """The agent's flags, and its release."""
    return NodeFlags(
        options.disable_default_registry_endpoint,
        options.embedded_registry,
        options.system_default_registry,
        options.release,
    )


def wanted_from(options: argparse.Namespace, specs: tuple[str, ...]) -> Wanted:
    """What the options ask for."""
    return Wanted(
        specs,
        options.kind,
        options.release,
        tuple(options.images),
        options.bundle,
        options.everything,
        flags_from(options),
        options.groups,
        options.kubernetes_versions,
        tuple(options.packages),
        tuple(options.packs),
        options.packs_from,
        tuple(options.platforms),
    )


def _comma_list(text: str) -> tuple[str, ...]:
    return tuple(filter(None, map(str.strip, text.split(","))))


@dataclass(frozen=True, slots=True)
class Session:
    """The configuration, the needs, and the stores to compare them with."""

    config: Config
    collected: Collected
    stores: Stores


def refuse_files(registries: Iterable[str], command: str) -> None:
    """Registries are named; files that say something about them are given with -c.

    Raises:
        UsageError: one of them is a file.
    """
    for each in registries:
        if is_file(each):
            raise UsageError(f"{each} is a file, not a registry", f"planner {command} -c {each}")


def open_session(
    options: argparse.Namespace, specs: tuple[str, ...], against: Iterable[str] = ()
) -> Session:
    """Read planner.yaml and the specs; open the stores lazily. Errors in a spec are noted, since they may mislead.

    ``against`` are inventories that answer for the registries they tell of.
    """
    recordings = load_recordings(against)
    config = load_config(options.config)
    collected = collect(config, wanted_from(options, specs))
    for cluster in collected.clusters:
        errors = error_count(cluster.spec, cluster.family, config.lint, config.clusters)
        if errors:
            file = printable(cluster.spec.file)
            shows = f"planner lint {file} shows {'it' if errors == 1 else 'them'}"
            sys.stderr.write(f"note: {file} has {plural(errors, 'error')}; {shows}\n")
    places = Places(
        config,
        options.read_from,
        options.write_to,
        collected.schemes,
        collected.logins,
        collected.authorities,
    )
    inputs = sorted((*collected.inputs, *recordings.inputs), key=lambda each: each.path)
    collected = replace(collected, inputs=tuple(inputs))
    stores = Stores(places, recordings=recordings, journal=Journal(folder_of(config)))
    stores.traffic.tell = tell_wait
    return Session(config, collected, stores)
