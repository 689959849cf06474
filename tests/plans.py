"""Plans by hand that have everything: each kind of change, shared layers, several clusters, and names as bad as they come.

How they look is kept in ``tests/data/plans``; ``python -m tests.plans`` writes it anew.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from planner import __version__
from planner.core.content import Descriptor, Manifest, digest_of
from planner.core.family import Because
from planner.core.namespaces import Namespace
from planner.core.place import Place
from planner.core.plan import Change, Input, Plan
from planner.core.refs import ImageRef, parse_canonical
from planner.ui.plan.groups import GROUPINGS
from planner.ui.plan.markdown import markdown
from planner.ui.plan.picture import svg
from planner.ui.plan.reasons import why_text
from planner.ui.plan_text import Detail, plan_text
from planner.ui.style import Style
from tests.making import make_manifest

CORP = "registry.corp:5000"
SIX = "[2001:db8::5]:5000"
MIB = 1024 * 1024
HOSTILE = '\x1b[31m<script>alert("1")</script>|`*_@team\n# x\u202e'
_BASE = Descriptor(digest_of(b"base"), 30 * MIB, "layer")
_HELD = Descriptor(digest_of(b"held"), 12 * MIB, "layer")


def blob(name: str, mib: float) -> Descriptor:
    """A layer of its own."""
    return Descriptor(digest_of(name.encode()), int(mib * MIB), "layer")


def image(name: str, mib: float = 1, *more: Descriptor) -> Manifest:
    """An image with a configuration, a layer of its own, and others."""
    return make_manifest((blob(f"{name} config", 0.01), blob(name, mib), *more))


def reason(cluster: str, line: int, text: str = "listed in images.txt") -> Because:
    """A line of a cluster's spec."""
    return Because(f"clusters/{cluster}/kubeone.yaml", line, 3, text, cluster)


def change(op: str, source: str, target: str, **more: object) -> Change:
    """A change between two names as they are written."""
    return Change(op, parse_canonical(target), parse_canonical(source), **more)  # type: ignore[arg-type]


def full_plan() -> Plan:
    """Every kind of change and namespace."""
    contents: dict[str, Manifest] = {}
    changes: list[Change] = []

    def add(op: str, source: str, target: str, *blobs: Descriptor, **more: object) -> None:
        manifest = image(target, 2.5, *blobs)
        contents[manifest.digest] = manifest
        more.setdefault("because", (reason("prod", len(changes) + 1),))
        changes.append(change(op, source, target, digest=manifest.digest, **more))

    both = (reason("lab", 7), reason("prod", 12, "component pause of kubeone v1.13"))
    k8s, hub = "registry.k8s.io", "docker.io"
    for name in ("kube-apiserver", "kube-controller-manager", "kube-proxy", "kube-scheduler"):
        add("create", f"{k8s}/{name}:v1.35.2", f"{CORP}/k8s/{name}:v1.35.2", _BASE)
    add("create", f"{k8s}/pause:3.10", f"{CORP}/k8s/pause:3.10", because=both)
    add(
        "move",
        f"{k8s}/etcd:3.6.8-0",
        f"{CORP}/k8s/etcd:3.6.8-0",
        _HELD,
        current=digest_of(b"old"),
        because=both,
    )
    add("repair", f"{k8s}/dns:1.2", f"{CORP}/k8s/dns:1.2", reason="2 parts of its content are gone")
    add("same", f"{k8s}/coredns:v1.13", f"{CORP}/k8s/coredns:v1.13")
    add("create", f"{hub}/library/alpine:3", f"{SIX}/hub/library/alpine:3", _BASE)
    long = "a-team-with-a-very-long-name/and-a-project-that-is-not-short-either/component-of-it"
    add("create", f"{hub}/{long}:v1.2.3-rc.4", f"{CORP}/hub/{long}:v1.2.3-rc.4")
    changes += [
        change(
            "blocked",
            f"public.ecr.aws/eks-distro/coredns:{tag}",
            f"{CORP}/eksa/eks-distro/coredns:{tag}",
            reason="there is no project eksa, and robot$planner may not create one",
            because=(reason("prod", 61),),
        )
        for tag in ("v1", "v2")
    ]
    for name in ("nginx", "busybox"):
        source = f"{hub}/library/{name}:1"
        note = "no mirror: the nodes pull it from docker.io itself"
        changes.append(change("blocked", source, source, reason=note, because=(reason("lab", 9),)))
    for tag in ("3.8", "3.9"):
        old = f"{CORP}/k8s/pause:{tag}"
        changes.append(change("delete", old, old, current=digest_of(tag.encode())))
    return Plan(
        tuple(sorted(changes, key=lambda each: (each.target, each.op))),
        contents,
        {_HELD.digest: (Place(CORP, "other/app"),)},
        (
            Input("clusters/lab/kubeone.yaml", "00" * 32, "kubeone"),
            Input("clusters/prod/kubeone.yaml", "11" * 32, "kubeone"),
            Input("planner.yaml", "22" * 32, "config"),
        ),
        namespaces=_namespaces(),
    )


def _namespaces() -> tuple[Namespace, ...]:
    k8s = tuple(
        f"k8s/{name}"
        for name in (
            *("coredns", "dns", "etcd", "kube-apiserver", "kube-controller-manager"),
            *("kube-proxy", "kube-scheduler", "pause"),
        )
    )
    command = (
        "curl -X POST -u admin -H 'Content-Type: application/json'"
        """ -d '{"project_name": "eksa"}' https://registry.corp:5000/api/v2.0/projects"""
    )
    return (
        Namespace(CORP, "k8s", "project", "create", "Harbor", repositories=k8s),
        Namespace(
            CORP,
            "eksa",
            "project",
            "blocked",
            "Harbor",
            "robot$planner may not create projects",
            command,
            ("eksa/eks-distro/coredns",),
        ),
        Namespace(SIX, "hub", "organisation", "unknown", "", "it does not say what it has", "", ("hub/library/alpine",)),
        Namespace(CORP, "hub", "project", "same", "Harbor"),
    )  # fmt: skip


def hostile_plan() -> Plan:
    """Every text that comes from outside tries to be more than text."""
    bad = ImageRef("evil.corp", f"a/{HOSTILE}", "1")
    manifest = image("evil")
    because = (Because(HOSTILE, 1, 1, HOSTILE, HOSTILE),)
    target = bad.moved_to(CORP, f"x/{HOSTILE}")
    return Plan(
        (
            Change("blocked", target._replace(tag="2"), bad, reason=HOSTILE, because=because),
            Change("create", target, bad, manifest.digest, because=because, platforms=(HOSTILE,)),
            Change("delete", target._replace(tag="0"), target, "", digest_of(b"x"), HOSTILE),
        ),
        {manifest.digest: manifest},
        namespaces=(
            Namespace(CORP, HOSTILE, HOSTILE, "blocked", HOSTILE, HOSTILE, HOSTILE, (f"x/{HOSTILE}",)),
        ),
    )  # fmt: skip


def large_plan(count: int, *, same_every: int = 0) -> Plan:
    """Many images in groups of 25, half of which share a layer with the next one."""
    contents: dict[str, Manifest] = {}
    changes = []
    for number in range(count):
        shared = blob(f"shared {number // 2}", 5)
        manifest = image(f"image {number}", 1 + number % 7, shared)
        contents[manifest.digest] = manifest
        name = f"team-{number // 25:03}/app-{number:04}:v1"
        op = "same" if same_every and number % same_every == 0 else "create"
        source = f"{('docker.io', 'quay.io', 'ghcr.io')[number % 3]}/{name}"
        changes.append(change(op, source, f"{CORP}/mirror/{name}", digest=manifest.digest))
    return Plan(tuple(changes), contents)


FOLDER = Path(__file__).parent / "data" / "plans"
WIDTHS = (60, 80, 100, 200, None)


def looks() -> Iterator[tuple[str, str]]:
    """Names of files, and how plans look."""
    for width in WIDTHS:
        name, style = width or "pipe", Style(width=width)
        yield f"full-{name}.txt", plan_text(full_plan(), style, Detail())
        yield f"large-{name}.txt", plan_text(large_plan(60), style, Detail())
    narrow = Style(width=80)
    for by in GROUPINGS[1:]:
        yield f"by-{by}.txt", plan_text(full_plan(), narrow, Detail(group_by=by))
    yield "everything.txt", plan_text(full_plan(), narrow, Detail(everything=True))
    yield "summary.txt", plan_text(full_plan(), narrow, Detail(summary=True))
    yield "concise.txt", plan_text(full_plan(), narrow, Detail(concise=True))
    yield "hostile.txt", plan_text(hostile_plan(), narrow, Detail())
    yield (
        "why.txt",
        why_text(full_plan(), ["*pause:3.10", "*etcd*", "*coredns:v1", "*kube-*"], narrow),
    )
    yield "full.md", markdown(full_plan(), everything=True)
    yield "hostile.md", markdown(hostile_plan())


PICTURE = FOLDER.parents[2] / "docs" / "plan.svg"


def picture() -> str:
    """The one in the README: without the name that is there to be a nuisance."""
    plan = full_plan()
    changes = (each for each in plan.changes if "a-team" not in each.target.repository)
    return svg(replace(plan, changes=tuple(changes)))


def kept(text: str) -> str:
    """A text as it is kept: whatever release made it."""
    return text.replace(f"planner {__version__} ", "planner VERSION ")


if __name__ == "__main__":
    PICTURE.write_text(picture(), "utf-8")
    for file, look in looks():
        (FOLDER / file).write_text(kept(look), "utf-8")
