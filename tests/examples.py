"""What planner says about the specs in ``examples/``, kept beside each of them: documentation, and a test.

For ``examples/kubeone/aws.yaml`` it stands in ``examples/kubeone/aws/``. ``python -m tests.examples`` (``make examples``)
writes it anew. A folder of sample images stands in for the upstream registries and an empty one for the private registry,
so sizes are not those of the real images.
"""

from __future__ import annotations

import contextlib
import io
import os
import shlex
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple
from unittest.mock import patch

from planner.core.refs import parse_canonical
from planner.sample import write_samples
from planner.stores.layout import Layout, LayoutFolder
from planner.ui.cli import main
from tests.configuration import PAGE, page
from tests.keymap import SCHEMA, schema_with_keys

FOLDER = Path(__file__).parents[1] / "examples"
_PLACES = ("--from", "oci:upstream", "--to", "oci:registry")
_BROKEN = 64
_WIDTH = "80"  # without digests: those of the samples differ with the version of Python


class Case(NamedTuple):
    """A spec, what chooses its images, images that a pod may name, and flags of the nodes.

    Without ``resolved``, it is only linted.
    """

    name: str
    chosen: tuple[str, ...] = ()
    resolved: tuple[str, ...] = ()
    flags: tuple[str, ...] = ()

    @property
    def spec(self) -> Path:
        return FOLDER / f"{self.name}.yaml"

    @property
    def folder(self) -> Path:
        """Where it is kept what planner says."""
        return FOLDER / self.name


CASES = (
    Case(
        "k3s/registries",
        ("--release", "v1.35.0+k3s1"),
        ("rancher/mirrored-pause:3.6", "quay.io/prometheus/node-exporter:v1.9.1", "ghcr.io/a/b:1"),
    ),
    Case("k3s/mistakes/registries"),
    Case(
        "rke2/registries",
        ("--release", "v1.36.3+rke2r1"),
        ("rancher/mirrored-pause:3.6", "quay.io/prometheus/node-exporter:v1.9.1"),
        ("--disable-default-registry-endpoint",),
    ),
    Case(
        "kubeone/aws",
        (),
        ("registry.k8s.io/coredns/coredns:v1.13.1", "nginx:1.29", "quay.io/team/tool:1"),
    ),
    Case("kubeone/mistakes"),
    Case(
        "eksa/vsphere",
        ("--bundle", "bundle.yaml"),
        ("public.ecr.aws/eks-distro/kubernetes/pause:v1.33.5-eks-1-33-20", "nginx:1.29"),
    ),
    Case("eksa/mistakes"),
    Case(
        "palette/values",
        (
            *("--images", "images.txt", "--release", "4.8.37"),
            *("--packs", "packs.txt", "--packs-from", "vendor.example.com/palette"),
        ),
        (
            *("nginx:1.29", "quay.io/prometheus/node-exporter:v1.9.1", "ghcr.io:443/a/b:1"),
            "vendor.example.com/palette/spectro-packs/archive/cni-calico:3.30.2",
        ),
    ),
    Case(
        "palette/registry-secret",
        ("--images", "images.txt"),
        ("nginx:1.29", "quay.io/prometheus/node-exporter:v1.9.1"),
    ),
    Case("palette/mistakes/values"),
    Case("palette/mistakes/registry-secret"),
)


def said(case: Case) -> Mapping[str, str]:
    """File names and texts: what planner says about a spec, offline, in a copy of its folder."""
    with _copy(case.spec.parent):
        spec = case.spec.name
        files = {
            "findings.txt": _shown("lint", spec),
            "findings.json": _output("lint", spec, "--format", "json"),
        }
        if case.resolved:
            files |= _about_images(spec, case)
        return files


def _about_images(spec: str, case: Case) -> Mapping[str, str]:
    needs = (spec, *case.chosen, *case.flags)
    tsv = _output("images", *needs, "--format", "tsv")
    sources = dict.fromkeys(parse_canonical(line.partition("\t")[0]) for line in tsv.splitlines())
    upstream = LayoutFolder(Path("upstream"))
    write_samples(sources, lambda registry: Layout(upstream, registry), kib=4)
    resolved = (_shown("resolve", each, "-c", spec, *case.flags) for each in case.resolved)
    return {
        "images.tsv": tsv,
        "render.txt": _shown("render", spec, *case.flags),
        "resolve.txt": "\n".join(resolved),
        "plan.txt": _shown("plan", *needs, *_PLACES),
        "verify.txt": _shown("verify", *needs, *_PLACES[2:]),
    }


def _shown(*command: str) -> str:
    return f"$ {shlex.join(('planner', *command))}\n{_output(*command)}"


def _output(*command: str) -> str:
    with contextlib.redirect_stdout(io.StringIO()) as output:
        code = main(command)
    assert code < _BROKEN, f"{shlex.join(command)} ended with {code}"
    return output.getvalue()


@contextlib.contextmanager
def _copy(folder: Path) -> Iterator[None]:
    """Work in a copy of the files of a folder, with nothing of the developer's own configuration."""
    with tempfile.TemporaryDirectory() as name:
        work = Path(name, folder.name)
        work.mkdir()
        for each in folder.iterdir():
            if each.is_file():
                shutil.copy(each, work)
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": name,
            "XDG_CACHE_HOME": f"{name}/cache",
            "COLUMNS": _WIDTH,
        }
        with patch.dict(os.environ, environment, clear=True), contextlib.chdir(work):
            yield


def _write(case: Case) -> None:
    files = said(case)
    case.folder.mkdir(exist_ok=True)
    for old in case.folder.iterdir():
        if old.suffix != ".yaml" and old.is_file():
            old.unlink()
    for name, text in files.items():
        (case.folder / name).write_text(text, "utf-8")


if __name__ == "__main__":
    # First of all: whatever reads the schema keeps it.
    SCHEMA.write_text(schema_with_keys(SCHEMA.read_text("utf-8")), "utf-8")
    for each in CASES:
        _write(each)
    PAGE.write_text(page(), "utf-8")
