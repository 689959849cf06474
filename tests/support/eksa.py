"""Releases of EKS Anywhere in small, and clusters of them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from planner.bundles import load_manifests
from planner.core.document import Spec
from planner.core.family import Need, Selection
from planner.core.reader import read
from planner.specs.eksa import FAMILY

CORE = "public.ecr.aws"
MIRROR = {
    "endpoint": "h.corp",
    "ociNamespaces": [{"registry": CORE, "namespace": "mirror"}],
}
PREFIX = "h.corp:443/mirror"


def uri(name: str, tag: str) -> dict[str, str]:
    return {"uri": f"{CORE}/{name}:{tag}"}


def entry(version: str, **more: Any) -> dict[str, Any]:
    """An entry of versionsBundles with some slots of each sort, all tagged with the version."""

    def image(name: str) -> dict[str, str]:
        return uri(f"eks-anywhere/{name}", version)

    return {
        "kubeVersion": version,
        "eksD": {
            "manifestUrl": f"https://distro.example.com/kubernetes-{version}.yaml",
            "kindNode": image("kind/node"),
        },
        "eksa": {"cliTools": image("cli-tools"), "clusterController": image("controller")},
        "certManager": {"webhook": image("webhook"), "manifest": {"uri": "https://e.com/c.yaml"}},
        "cilium": {
            "cilium": uri("eks/cilium/cilium", f"v{version}"),
            "helmChart": uri("eks/cilium/cilium", version),
        },
        "packageController": {
            "packageController": image("eks-anywhere-packages"),
            "credentialProviderPackage": image("unused"),
        },
        "docker": {"manager": image("capd")},
        "vSphere": {"manager": image("cpi"), "driver": image("csi-driver")},
        "cloudStack": {"kubeVip": {"uri": "<placeholder>"}},
        "nutanix": {"cloudProvider": image("ntnx"), "kubeVip": image("ntnx-kube-vip")},
        "tinkerbell": {
            "kubeVip": image("tink-kube-vip"),
            "tinkerbellStack": {
                "rufio": image("rufio"),
                "hook": {"docker": image("hook-docker")},
                "stack": image("stack-chart"),
            },
        },
        "snow": {"manager": {"uri": ""}},
    } | more


def bundle(*entries: dict[str, Any], **more: str) -> dict[str, Any]:
    return {"kind": "Bundles", "spec": {"versionsBundles": list(entries), **more}}


def distribution(version: str) -> dict[str, Any]:
    assets = [
        {"type": "Image", "image": uri("eks-distro/pause", version)},
        {"image": uri("eks-distro/etcd", version)},
        {"type": "Archive", "archive": {"uri": "https://e.com/a.tar.gz"}},
    ]
    return {"kind": "Release", "status": {"components": [{"assets": assets}, {}]}}


TWO = bundle(entry("1.33"), entry("1.34"))


class Folder:
    """A folder with a bundle and the EKS-D releases beside it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.noted: list[str] = []
        self.write("bundle.yaml", TWO)
        for version in ("1.33", "1.34"):
            self.write(f"kubernetes-{version}.yaml", distribution(version))

    def write(self, name: str, content: Any) -> Path:
        path = self.path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        text = content if isinstance(content, str) else json.dumps(content, indent=1)
        path.write_text(text, "utf-8")
        return path

    def needs(self, spec: Spec, *, everything: bool = False) -> list[Need]:
        manifests = load_manifests(str(self.path / "bundle.yaml"), self.noted.append)
        selection = Selection(bundle=manifests, everything=everything)
        return list(FAMILY.images().needs(spec, selection))


def cluster(version: str = "1.34", provider: str = "VSphere", *others: Any, **more: Any) -> Spec:
    return read("eksa.yaml", cluster_text(version, provider, *others, **more))


def cluster_text(version: str, provider: str, *others: Any, **more: Any) -> str:
    spec = {
        "kubernetesVersion": version,
        "datacenterRef": {"kind": f"{provider}DatacenterConfig", "name": "dc"},
        "registryMirrorConfiguration": MIRROR,
        **more,
    }
    return "\n---\n".join(
        json.dumps(each, indent=1) for each in (document("Cluster", spec), *others)
    )


def document(kind: str, spec: Any, name: str = "prod") -> dict[str, Any]:
    group = "anywhere.eks.amazonaws.com/v1alpha1"
    return {"apiVersion": group, "kind": kind, "metadata": {"name": name}, "spec": spec}
