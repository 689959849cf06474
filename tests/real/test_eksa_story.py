"""EKS Anywhere against a real registry with TLS: images and charts of a bundle, and a node that pulls as it is told to."""

from __future__ import annotations

import json
from pathlib import Path
from textwrap import indent

import pytest

from planner.core.refs import ImageRef, parse_image
from tests.real.conftest import MakeRegistry
from tests.real.story import WRITES, Workplace, endpoints, fill, fill_chart, trusted
from tests.support.certificates import Certificates
from tests.support.chart import make_chart
from tests.support.containerd_server import ContainerdServer
from tests.support.registry_server import RegistryServer
from tests.support.skopeo import Skopeo

CORE = "public.ecr.aws"
PAUSE = parse_image(f"{CORE}/eks-distro/kubernetes/pause:v1.33.1-eks-1-33-5")
CILIUM = parse_image(f"{CORE}/eks-anywhere/cilium/cilium:v1.17.6-0")
CHART_NAME = parse_image(f"{CORE}/eks/cilium/cilium:1.17.6-0")
CHART = make_chart("cilium", "1.17.6-0")

CLUSTER = """\
apiVersion: anywhere.eks.amazonaws.com/v1alpha1
kind: Cluster
metadata: {{name: prod}}
spec:
  kubernetesVersion: "1.33"
  controlPlaneConfiguration:
    count: 1
    endpoint: {{host: 10.20.0.10}}
    machineGroupRef: {{kind: VSphereMachineConfig, name: prod}}
  datacenterRef: {{kind: VSphereDatacenterConfig, name: prod}}
  registryMirrorConfiguration:
    endpoint: 127.0.0.1
    port: "{port}"
    ociNamespaces:
      - {{registry: public.ecr.aws, namespace: core}}
    caCertContent: |
{ca}
---
apiVersion: anywhere.eks.amazonaws.com/v1alpha1
kind: VSphereMachineConfig
metadata: {{name: prod}}
spec: {{osFamily: ubuntu}}
"""
BUNDLE = f"""\
apiVersion: anywhere.eks.amazonaws.com/v1alpha1
kind: Bundles
spec:
  versionsBundles:
    - kubeVersion: "1.33"
      eksD: {{manifestUrl: "https://distro.example.com/eks-d.yaml"}}
      cilium:
        cilium: {{uri: "{CILIUM}"}}
        helmChart: {{uri: "{CHART_NAME}"}}
"""
RELEASE = f"""\
apiVersion: distro.eks.amazonaws.com/v1alpha1
kind: Release
status:
  components:
    - assets: [{{type: Image, image: {{uri: "{PAUSE}"}}}}]
"""


@pytest.fixture
def mirror(make_registry: MakeRegistry, certificates: Certificates) -> RegistryServer:
    """The private registry, with a certificate of an authority that nobody knows yet."""
    return make_registry(tls=certificates.server)


@pytest.fixture
def place(
    tmp_path: Path, upstream: RegistryServer, mirror: RegistryServer, certificates: Certificates
) -> Workplace:
    fill(upstream.url, [PAUSE, CILIUM])
    fill_chart(upstream.url, CHART_NAME, CHART)
    place = Workplace(tmp_path)
    authority = certificates.ca.certificate
    ca = indent(authority.read_text("ascii").strip(), "      ")
    place.write("prod.yaml", CLUSTER.format(port=mirror.host.rpartition(":")[2], ca=ca))
    place.write("bundle.yaml", BUNDLE)
    place.write("eks-d.yaml", RELEASE)
    place.write(
        "planner.yaml",
        f"version: 1\n{endpoints(upstream.url, [CORE])}{trusted(mirror.host, authority)}"
        "clusters:\n  - {name: prod, spec: prod.yaml, bundle: bundle.yaml}\n",
    )
    return place


def applied(place: Workplace) -> None:
    done = place.planner("apply", "--auto-approve")
    assert done.returncode == 0, done.stderr


def on_mirror(name: ImageRef, mirror: RegistryServer) -> str:
    return f"docker://{mirror.host}/core/{name.repository}:{name.tag}"


def test_the_chart_is_copied_byte_for_byte(
    place: Workplace, mirror: RegistryServer, skopeo: Skopeo
) -> None:
    applied(place)
    assert skopeo.inspect_raw(on_mirror(CHART_NAME, mirror)) == CHART.manifest
    assert {CHART.digest, *CHART.digests} <= mirror.blob_digests_on_disk()


def test_charts_and_images_are_verified_and_a_second_plan_is_empty(
    place: Workplace, mirror: RegistryServer
) -> None:
    applied(place)
    verified = place.planner("verify", "--blobs", "--format", "json")
    assert verified.returncode == 0, verified.stdout
    kinds = sorted(each["kind"] for each in json.loads(verified.stdout)["images"])
    assert kinds == ["chart", "image", "image"]
    mark = mirror.mark()
    planned = place.planner("plan", "--detailed-exitcode")
    assert planned.returncode == 0, planned.stdout
    assert not WRITES & {each.method for each in mirror.requests_since(mark)}


def test_verify_says_who_fails_on_what_is_lost(place: Workplace, mirror: RegistryServer) -> None:
    applied(place)
    mirror.delete_blob_file(CHART.digests[1])
    verified = place.planner("verify", "--blobs")
    assert verified.returncode == 1
    assert "helm cannot pull the chart" in verified.stdout
    assert "3 images: 2 ok, 1 incomplete" in verified.stdout


@pytest.mark.parametrize("written", ["as-published", "as-deployed"])
def test_containerd_pulls_through_the_rendered_files(
    place: Workplace,
    mirror: RegistryServer,
    containerd: ContainerdServer,
    written: str,
) -> None:
    """Pods may name an image as its makers do; what EKS Anywhere deploys names the mirror."""
    applied(place)
    assert place.planner("render", "prod.yaml", "-o", "node").returncode == 0
    certs = place.folder / "node/certs.d"
    for file in certs.glob("*/hosts.toml"):  # on a node, the folder stands elsewhere
        file.write_text(file.read_text("utf-8").replace("/etc/containerd/certs.d", str(certs)))
    deployed = f"{mirror.host}/core/{PAUSE.repository}:{PAUSE.tag}"
    mark = mirror.mark()
    fetched = containerd.fetch(str(PAUSE) if written == "as-published" else deployed, certs)
    assert fetched.returncode == 0, fetched.stderr
    assert containerd.content()
    paths = [each.path for each in mirror.requests_since(mark)]
    assert paths[0].startswith(f"/v2/core/{PAUSE.repository}/manifests/{PAUSE.tag}")
