"""The whole story for a KubeOne cluster on AWS: KubeOne v1.14.2, Kubernetes 1.35.2, one registry for everything."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from planner.core.refs import ImageRef, parse_canonical
from tests.real.conftest import MakeRegistry
from tests.real.story import WRITES, Workplace, endpoints, fill, trusted
from tests.support.certificates import Certificates
from tests.support.containerd_server import ContainerdServer
from tests.support.registry_server import RegistryServer
from tests.support.skopeo import Skopeo

Pair = tuple[ImageRef, ImageRef]


@pytest.fixture
def place(tmp_path: Path, registry: RegistryServer) -> Workplace:
    """The manifest of the examples, with the registry of this test in the place of its own."""
    place = Workplace(tmp_path)
    example = (Path(__file__).parents[2] / "examples/kubeone/aws.yaml").read_text("utf-8")
    assert "https://registry.corp:5000" in example
    own = example.replace("https://registry.corp:5000", registry.url).replace(
        "registry.corp:5000", registry.host
    )
    place.write("kubeone.yaml", own)
    return place


@pytest.fixture
def pairs(place: Workplace, upstream: RegistryServer) -> list[Pair]:
    """Source and target of everything that the manifest needs; the sources are on ``upstream``."""
    listed = place.planner("images", "kubeone.yaml", "--format", "json")
    images = json.loads(listed.stdout)["images"]
    pairs = [(parse_canonical(each["source"]), parse_canonical(each["target"])) for each in images]
    sources = {source for source, _ in pairs}
    fill(upstream.url, sorted(sources))
    place.write(
        "planner.yaml",
        f"version: 1\n{endpoints(upstream.url, {each.registry for each in sources})}",
    )
    return pairs


def test_every_name_gets_the_bytes_of_its_source(
    place: Workplace,
    pairs: list[Pair],
    upstream: RegistryServer,
    registry: RegistryServer,
    skopeo: Skopeo,
) -> None:
    done = place.planner("apply", "kubeone.yaml", "--auto-approve")
    assert done.returncode == 0, done.stderr
    for source, target in pairs:
        origin = f"docker://{upstream.host}/{source}"
        assert skopeo.inspect_raw(f"docker://{target}") == skopeo.inspect_raw(origin)


def test_coredns_stands_under_both_names(
    place: Workplace, pairs: list[Pair], registry: RegistryServer
) -> None:
    coredns = sorted(
        str(target) for source, target in pairs if source.repository == "coredns/coredns"
    )
    place.planner("apply", "kubeone.yaml", "--auto-approve")
    assert coredns == [
        f"{registry.host}/kubeone/coredns/coredns:v1.13.1",
        f"{registry.host}/kubeone/coredns:v1.13.1",
    ]


def test_each_blob_crosses_once_and_a_second_run_writes_nothing(
    place: Workplace, pairs: list[Pair], registry: RegistryServer
) -> None:
    place.planner("apply", "kubeone.yaml", "--auto-approve")
    uploads = [
        each
        for each in registry.requests()
        if each.method == "PUT" and "/blobs/uploads/" in each.path
    ]
    digests = [each.path.partition("digest=")[2] for each in uploads]
    assert len(digests) == len(set(digests))
    mark = registry.mark()
    again = place.planner("apply", "kubeone.yaml", "--auto-approve")
    assert (again.returncode, "No changes" in again.stdout) == (0, True)
    assert not WRITES & {each.method for each in registry.requests_since(mark)}


def test_verify_passes(place: Workplace, pairs: list[Pair]) -> None:
    place.planner("apply", "kubeone.yaml", "--auto-approve")
    verified = place.planner("verify", "kubeone.yaml", "--blobs")
    assert verified.returncode == 0, verified.stdout


@pytest.fixture
def mirror(make_registry: MakeRegistry, certificates: Certificates) -> RegistryServer:
    """A registry with TLS in the place of the open one."""
    return make_registry(tls=certificates.server)


@pytest.fixture
def tls_place(
    place: Workplace,
    registry: RegistryServer,
    mirror: RegistryServer,
    certificates: Certificates,
) -> Workplace:
    manifest = place.folder / "kubeone.yaml"
    text = manifest.read_text("utf-8").replace(registry.url, mirror.url)
    manifest.write_text(text.replace(registry.host, mirror.host), "utf-8")
    with (place.folder / "planner.yaml").open("a") as config:
        config.write(trusted(mirror.host, certificates.ca.certificate))
    return place


def test_containerd_pulls_through_the_rendered_files(
    pairs: list[Pair],
    tls_place: Workplace,
    mirror: RegistryServer,
    containerd: ContainerdServer,
    certificates: Certificates,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """With ``overridePath``. The node knows the authority by KubeOne's ``caBundle``, which no hosts.toml names."""
    done = tls_place.planner("apply", "kubeone.yaml", "--auto-approve")
    assert done.returncode == 0, done.stderr
    assert tls_place.planner("render", "kubeone.yaml", "-o", "node").returncode == 0
    image = next(source for source, _ in pairs if source.registry == "public.ecr.aws")
    monkeypatch.setenv("SSL_CERT_FILE", str(certificates.ca.certificate))
    mark = mirror.mark()
    fetched = containerd.fetch(str(image), tls_place.folder / "node/certs.d")
    assert fetched.returncode == 0, fetched.stderr
    paths = [each.path for each in mirror.requests_since(mark)]
    assert paths[0].startswith(f"/v2/kubeone/{image.repository}/manifests/{image.tag}")
