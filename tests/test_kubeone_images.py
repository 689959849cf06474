from collections.abc import Iterable

import pytest

from planner.core.document import Spec
from planner.core.errors import InputError, UsageError
from planner.core.family import Because, ListedImage, Need, Selection
from planner.core.reader import read
from planner.core.refs import parse_image
from planner.specs.kubeone import FAMILY

KUBERNETES = {
    "registry.k8s.io/kube-apiserver:v1.35.2",
    "registry.k8s.io/kube-controller-manager:v1.35.2",
    "registry.k8s.io/kube-scheduler:v1.35.2",
    "registry.k8s.io/kube-proxy:v1.35.2",
    "registry.k8s.io/etcd:3.6.6-0",
    "registry.k8s.io/coredns/coredns:v1.13.1",
    "registry.k8s.io/pause:3.10.1",
}
CANAL = {
    "quay.io/calico/cni:v3.32.0",
    "quay.io/calico/kube-controllers:v3.32.0",
    "quay.io/calico/node:v3.32.0",
    "docker.io/flannel/flannel:v0.24.4",
}
DEFAULTS = {
    "registry.k8s.io/metrics-server/metrics-server:v0.8.1",
    "registry.k8s.io/dns/k8s-dns-node-cache:1.26.7",
}
CONTROLLERS = {
    "quay.io/kubermatic/machine-controller:v1.66.1",
    "quay.io/kubermatic/operating-system-manager:v1.11.1",
}
HETZNER_CSI = {
    "docker.io/hetznercloud/hcloud-csi-driver:v2.21.2",
    "registry.k8s.io/sig-storage/csi-attacher:v4.11.0",
    "registry.k8s.io/sig-storage/csi-resizer:v2.1.0",
    "registry.k8s.io/sig-storage/csi-provisioner:v6.2.0",
    "registry.k8s.io/sig-storage/livenessprobe:v2.18.0",
    "registry.k8s.io/sig-storage/csi-node-driver-registrar:v2.16.0",
    "registry.k8s.io/sig-storage/snapshot-controller:v8.1.1",
    "registry.k8s.io/sig-storage/snapshot-validation-webhook:v8.1.1",
}
HETZNER_CCM = {"docker.io/hetznercloud/hcloud-cloud-controller-manager:v1.34.0"}
CILIUM = {
    "quay.io/cilium/cilium:v1.19.6",
    "quay.io/cilium/operator-generic:v1.19.6",
    "quay.io/cilium/cilium-envoy:v1.36.9-1782267392-edeb3f2af56c37c407efa1f63f0b32f595399bbc",
}
HUBBLE = {
    "quay.io/cilium/hubble-relay:v1.19.6",
    "quay.io/cilium/hubble-ui:v0.13.5",
    "quay.io/cilium/hubble-ui-backend:v0.13.5",
    "quay.io/cilium/certgen:v0.4.6",
}
AUTOSCALER = "registry.k8s.io/autoscaling/cluster-autoscaler:v1.35.0"
RESTIC = {"registry.k8s.io/etcd:3.5.32-0", "ghcr.io/restic/restic:0.19.1"}
PROVIDERS = "azure digitalocean gce hetzner kubevirt nutanix openstack vsphere".split()
REPLACED = "[{name: cluster-autoscaler, params: {CLUSTER_AUTOSCALER_IMAGE: r.corp/a:1}}]"
EBS = "public.ecr.aws/ebs-csi-driver/aws-ebs-csi-driver:v1.61.1"


def cluster(*lines: str, version: str = "1.35.2", provider: str = "none") -> Spec:
    head = [
        "apiVersion: kubeone.k8c.io/v1beta2",
        "kind: KubeOneCluster",
        f"versions: {{kubernetes: {version}}}",
        f"cloudProvider: {{{provider}: {{}}}}",
    ]
    return read("kubeone.yaml", "\n".join([*head, *lines]))


def needs(spec: Spec, release: str = "", images: Iterable[str] = ()) -> list[Need]:
    listed = tuple(
        ListedImage(parse_image(each), Because("list", 1, 1, "listed")) for each in images
    )
    return list(FAMILY.images().needs(spec, Selection(release, listed)))


def sources(found: Iterable[Need]) -> set[str]:
    return {str(each.source) for each in found}


def targets(found: Iterable[Need]) -> set[str]:
    return {str(each.target) for each in found}


def because(found: Iterable[Need], source: str) -> list[Because]:
    return [reason for each in found if str(each.source) == source for reason in each.because]


def test_a_cluster_without_cloud_needs_the_least() -> None:
    assert sources(needs(cluster())) == KUBERNETES | CANAL | DEFAULTS


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        pytest.param([], KUBERNETES | CANAL | DEFAULTS | CONTROLLERS | HETZNER_CCM | HETZNER_CSI, id="all"),
        pytest.param(
            ["clusterNetwork: {cni: {cilium: {}}}", "machineController: {}", "features:",
             "  metricsServer: {enable: false}", "  nodeLocalDNS: {}"],
            KUBERNETES | CILIUM | HETZNER_CCM | HETZNER_CSI,
            id="switched-off",
        ),
        pytest.param(
            ["clusterNetwork: {cni: {external: {}}, kubeProxy: {skipInstallation: true}}",
             "operatingSystemManager: {deploy: false}"],
            (KUBERNETES | DEFAULTS | CONTROLLERS | HETZNER_CCM | HETZNER_CSI)
            - {"registry.k8s.io/kube-proxy:v1.35.2", "quay.io/kubermatic/operating-system-manager:v1.11.1"},
            id="external-cni",
        ),
        pytest.param(
            ["clusterNetwork: {cni: {cilium: {enableHubble: true}}}"],
            KUBERNETES | CILIUM | HUBBLE | DEFAULTS | CONTROLLERS | HETZNER_CCM | HETZNER_CSI,
            id="hubble",
        ),
    ],
)  # fmt: skip
def test_the_manifest_decides_about_every_addon(lines: list[str], expected: set[str]) -> None:
    assert sources(needs(cluster(*lines, provider="hetzner"))) == expected


def test_disabled_csi_drivers_take_the_snapshot_controller_along() -> None:
    spec = read(
        "k.yaml",
        cluster(provider="hetzner").text.replace("{}}", "{}, disableBundledCSIDrivers: true}"),
    )
    assert sources(needs(spec)) == KUBERNETES | CANAL | DEFAULTS | CONTROLLERS | HETZNER_CCM


def test_equinix_metal_has_a_controller_and_no_storage() -> None:
    extra = sources(needs(cluster(provider="equinixmetal"))) - sources(needs(cluster()))
    assert extra == CONTROLLERS | {"quay.io/equinix-oss/cloud-provider-equinix-metal:v3.8.1"}


def test_cloud_director_has_storage_and_no_controller() -> None:
    found = sources(needs(cluster(provider="vmwareCloudDirector")))
    assert not any("cloud-controller-manager" in each for each in found)
    assert any("cloud-director-named-disk-csi-driver" in each for each in found)


@pytest.mark.parametrize(
    ("version", "image"),
    [
        ("1.34.3", "registry.k8s.io/provider-os/openstack-cloud-controller-manager:v1.34.1"),
        ("1.35.0", "registry.k8s.io/provider-os/openstack-cloud-controller-manager:v1.35.0"),
        ("1.36.1", "registry.k8s.io/provider-os/openstack-cloud-controller-manager:v1.36.0"),
    ],
)
def test_some_images_follow_the_kubernetes_version(version: str, image: str) -> None:
    assert image in sources(needs(cluster(version=version, provider="openstack")))


@pytest.mark.parametrize(
    ("addons", "extra"),
    [
        pytest.param("[{name: backups-restic}]", RESTIC, id="restic"),
        pytest.param("[{name: backups-restic, delete: true}]", set(), id="deleted"),
        pytest.param("[{name: cluster-autoscaler}]", {AUTOSCALER}, id="autoscaler"),
        pytest.param(REPLACED, {"r.corp/a:1"}, id="param"),
        pytest.param("[{name: ccm-aws}]", set(), id="decided-by-the-provider"),
        pytest.param("[{name: of-the-user}]", set(), id="unknown"),
    ],
)  # fmt: skip
def test_listed_addons_bring_their_images(addons: str, extra: set[str]) -> None:
    found = sources(needs(cluster(f"addons: {{addons: {addons}}}")))
    assert found - sources(needs(cluster())) == extra


def test_overwrite_registry_replaces_the_host_and_keeps_the_path() -> None:
    found = needs(cluster("registryConfiguration: {overwriteRegistry: r.corp:5000/k}"))
    kept = {each.partition("/")[2] for each in KUBERNETES | CANAL | DEFAULTS}
    assert targets(found) == {f"r.corp:5000/k/{each}" for each in kept} | {
        "r.corp:5000/k/coredns:v1.13.1"
    }


def test_without_a_private_registry_nothing_has_a_target() -> None:
    assert targets(needs(cluster())) == {"None"}


def test_coredns_has_two_names_behind_a_registry() -> None:
    spec = cluster("registryConfiguration: {overwriteRegistry: r.corp}")
    found = [each for each in needs(spec) if "coredns" in each.source.repository]
    assert [str(each.target) for each in found] == [
        "r.corp/coredns:v1.13.1",
        "r.corp/coredns/coredns:v1.13.1",
    ]
    assert {str(each.source) for each in found} == {"registry.k8s.io/coredns/coredns:v1.13.1"}


def test_a_repository_for_coredns_alone_gives_one_name() -> None:
    spec = cluster("features: {coreDNS: {imageRepository: dns.corp/proxy}}")
    assert targets(needs(spec)) == {"dns.corp/proxy/coredns:v1.13.1", "None"}


def test_the_storage_daemon_on_aws_ignores_the_registry() -> None:
    spec = cluster("registryConfiguration: {overwriteRegistry: r.corp}", provider="aws")
    found = [each for each in needs(spec) if str(each.source) == EBS]
    assert [str(each.target) for each in found] == [
        "r.corp/ebs-csi-driver/aws-ebs-csi-driver:v1.61.1",
        "None",
    ]


def test_older_releases_have_no_literal_image_on_aws() -> None:
    spec = cluster(
        "registryConfiguration: {overwriteRegistry: r.corp}", provider="aws", version="1.34.0"
    )
    assert "None" not in targets(needs(spec, "1.13"))


def test_unattended_upgrades_of_old_releases_pull_alpine_from_the_hub() -> None:
    spec = cluster(
        "registryConfiguration: {overwriteRegistry: r.corp}",
        "addons: {addons: [{name: unattended-upgrades}]}",
        version="1.32.4",
    )
    assert [str(each.source) for each in needs(spec, "1.11") if not each.target] == [
        "docker.io/library/alpine:3"
    ]


def test_a_sandbox_image_replaces_the_pinned_one_on_ssh_nodes_only() -> None:
    spec = cluster(
        "registryConfiguration: {overwriteRegistry: r.corp}",
        "containerRuntime: {containerd: {sandboxImage: r.corp/own/pause:3.9}}",
        provider="hetzner",
    )
    found = {str(each.source): each for each in needs(spec) if "pause" in each.source.repository}
    assert sorted(found) == ["registry.k8s.io/pause:3.10.1", "registry.k8s.io/pause:3.9"]
    assert str(found["registry.k8s.io/pause:3.9"].target) == "r.corp/own/pause:3.9"


def test_a_sandbox_image_elsewhere_is_its_own_source() -> None:
    spec = cluster("containerRuntime: {containerd: {sandboxImage: docker.io/rancher/pause:3.6}}")
    assert "docker.io/rancher/pause:3.6" in sources(needs(spec))


def test_dynamic_workers_take_the_pause_image_of_kubeadm() -> None:
    found = needs(cluster(version="1.33.2", provider="hetzner"), "1.13")
    assert {"registry.k8s.io/pause:3.10.1", "registry.k8s.io/pause:3.10"} <= sources(found)
    static = needs(cluster(version="1.33.2"), "1.13")
    assert "registry.k8s.io/pause:3.10" not in sources(static)


def test_a_reason_points_at_what_decides() -> None:
    spec = cluster("clusterNetwork:", "  cni:", "    canal: {}")
    (reason,) = because(needs(spec), "quay.io/calico/cni:v3.32.0")
    assert (reason.line, reason.column) == (7, 5)
    assert reason.text.startswith("canal is the CNI ")


def test_a_default_is_given_as_the_reason_at_the_nearest_parent() -> None:
    spec = cluster("clusterNetwork:", "  podSubnet: 10.0.0.0/16")
    (reason,) = because(needs(spec), "quay.io/calico/cni:v3.32.0")
    assert (reason.line, reason.text) == (
        5,
        "canal is the default CNI (addon cni-canal of KubeOne v1.14.2)",
    )


def test_an_image_of_two_addons_is_one_need_with_two_reasons() -> None:
    image = "mcr.microsoft.com/oss/v2/kubernetes-csi/livenessprobe:v2.18.0"
    found = [each for each in needs(cluster(provider="azure")) if str(each.source) == image]
    assert [len(each.because) for each in found] == [2]


def test_an_unknown_patch_takes_the_tags_of_the_nearest() -> None:
    found = needs(cluster(version="1.36.9"))
    assert "registry.k8s.io/kube-apiserver:v1.36.9" in sources(found)
    (reason,) = because(found, "registry.k8s.io/etcd:3.6.8-0")
    assert reason.text.endswith("tag of 1.36.3, the nearest patch that is known")


def test_build_metadata_becomes_part_of_the_tag() -> None:
    found = needs(cluster(version="1.35.2+corp.1"))
    assert "registry.k8s.io/kube-proxy:v1.35.2_corp.1" in sources(found)


def test_leading_v_is_taken_off() -> None:
    assert sources(needs(cluster(version="v1.35.2"))) == KUBERNETES | CANAL | DEFAULTS


TOTALS = {"v1.14.2": 27, "v1.13.7": 26, "v1.12.4": 26, "v1.11.4": 26, "v1.10.4": 26}
NEWEST = {
    "v1.14.2": "1.36.3",
    "v1.13.7": "1.35.7",
    "v1.12.4": "1.34.10",
    "v1.11.4": "1.33.13",
    "v1.10.4": "1.32.13",
}


@pytest.mark.parametrize("release", FAMILY.images().releases())
def test_every_release_is_packaged_with_the_images_of_a_cluster_on_aws(release: str) -> None:
    lines = ["registryConfiguration: {overwriteRegistry: r.corp}"]
    found = needs(cluster(*lines, version=NEWEST[release], provider="aws"), release)
    assert len(found) == TOTALS[release]


@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.parametrize("release", FAMILY.images().releases())
def test_every_provider_has_a_controller_and_storage_in_every_release(
    release: str, provider: str
) -> None:
    version = NEWEST[release]
    without = sources(needs(cluster(version=version), release))
    extra = sources(needs(cluster(version=version, provider=provider), release)) - without
    assert len(extra) >= 9


@pytest.mark.parametrize("name", ["v1.14.2", "1.14.2", "1.14", "v1.14", ""])
def test_a_release_is_found_by_every_spelling(name: str) -> None:
    assert "quay.io/calico/cni:v3.32.0" in sources(needs(cluster(), name))


def test_without_a_release_the_newest_that_installs_the_version_is_taken() -> None:
    assert "quay.io/calico/cni:v3.31.4" in sources(needs(cluster(version="1.33.2")))


@pytest.mark.parametrize("name", ["1.9.2", "1.1", "latest", "v1.14.9"])
def test_an_unknown_release_is_a_usage_error_that_names_the_known(name: str) -> None:
    with pytest.raises(UsageError, match=name) as error:
        needs(cluster(), name)
    assert "v1.14.2" in error.value.hint
    assert "--images" in error.value.hint


@pytest.mark.parametrize(
    ("spec", "release", "message"),
    [
        pytest.param(cluster(version="latest"), "", "must be a version, not 'latest'", id="no-version"),
        pytest.param(cluster(version="null"), "", "must be a version", id="null-version"),
        pytest.param(cluster(version="1.37.0"), "", "no images are known", id="future"),
        pytest.param(cluster(version="1.31.0"), "", "packaged from 1.32 on", id="no-kubeadm-tags"),
        pytest.param(cluster(version="1.33.2"), "1.14", "deploys Kubernetes 1.34 to 1.36", id="other-release"),
        pytest.param(cluster(version="1.35.0-rc.1"), "", "no images are known", id="pre-release"),
    ],
)  # fmt: skip
def test_what_the_manifest_does_not_say_is_an_error_or_comes_from_a_list(
    spec: Spec, release: str, message: str
) -> None:
    with pytest.raises(InputError, match=message) as error:
        needs(spec, release)
    assert "--images" in error.value.hint
    assert sources(needs(spec, release, ["quay.io/a/b:1"])) == {"quay.io/a/b:1"}


def test_a_provider_that_terraform_names_must_be_written_or_listed_for() -> None:
    spec = cluster(provider="unknown")
    with pytest.raises(InputError, match="names no provider"):
        needs(spec)
    extra = sources(needs(spec, images=["quay.io/a/ccm:1"])) - {"quay.io/a/ccm:1"}
    assert extra == KUBERNETES | CANAL | DEFAULTS | CONTROLLERS


def test_listed_images_come_besides_and_only_kubeones_are_renamed() -> None:
    spec = cluster("registryConfiguration: {overwriteRegistry: r.corp}")
    found = needs(
        spec, images=["quay.io/team/app:1", "quay.io/calico/apiserver:v1", "quay.io/calico/cni:v9"]
    )
    added = {str(each.source): str(each.target) for each in found if each.because[0].file == "list"}
    assert added == {
        "quay.io/team/app:1": "None",
        "quay.io/calico/apiserver:v1": "None",
        "quay.io/calico/cni:v9": "r.corp/calico/cni:v9",
    }


@pytest.mark.parametrize("registry", ["https://r.corp", "r.corp/", "r.corp/Upper"])
def test_a_registry_that_makes_no_names_is_an_input_error(registry: str) -> None:
    with pytest.raises(InputError, match="makes no image name"):
        needs(cluster(f"registryConfiguration: {{overwriteRegistry: '{registry}'}}"))
