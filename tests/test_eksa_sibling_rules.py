"""What the rules about EKS Anywhere's sibling documents find beyond the examples on their pages."""

from __future__ import annotations

import base64
import textwrap

import pytest

from planner.core.edits import apply_edits
from planner.core.lint import Finding, Peer, Severity, lint
from planner.core.reader import read
from planner.specs.eksa import FAMILY

_RULES = {rule.code: rule for rule in FAMILY.rules}
_HEAD = "apiVersion: anywhere.eks.amazonaws.com/v1alpha1\nkind: {}\nmetadata: {{name: {}}}\n"
_DER = bytes([0x30, 0x09, 0x30, 0x00, 0x30, 0x00, 0x03, 0x03, 0x00, 0x01, 0x02])


def _pem(data: bytes, label: str = "CERTIFICATE") -> str:
    body = base64.b64encode(data).decode()
    return f"-----BEGIN {label}-----\n{body}\n-----END {label}-----\n"


def _found(code: str, text: str, *others: str) -> list[Finding]:
    spec = read("eksa.yaml", text)
    assert not spec.problems
    peers = [Peer("eksa", read(f"other-{n}.yaml", other)) for n, other in enumerate(others)]
    return lint(spec, (), [_RULES[code]], peers)


def _document(kind: str, below: str, name: str = "x") -> str:
    body = textwrap.indent(textwrap.dedent(below).strip("\n"), "  ")
    return _HEAD.format(kind, name) + f"spec:\n{body}\n"


def _cluster(provider: str, below: str, *documents: str) -> str:
    ref = f"datacenterRef: {{kind: {provider}DatacenterConfig, name: x}}\n"
    return "---\n".join([_document("Cluster", ref + textwrap.dedent(below)), *documents])


def _plane(provider: str, more: str = "") -> str:
    ref = f"machineGroupRef: {{kind: {provider}MachineConfig, name: x}}"
    return f"controlPlaneConfiguration: {{{ref}{more}}}\n"


def _with(text: str, document: str) -> str:
    return f"{text}---\n{document}"


DOCKER = _cluster("Docker", "")


@pytest.mark.parametrize(
    ("code", "text", "message"),
    [
        pytest.param("EKS100", _document("Cluster", "count: 1"), "has no kind", id="no-ref"),
        pytest.param("EKS101", _cluster("Snow", ""), "crashes", id="snow-datacenter"),
        pytest.param(
            "EKS103",
            _cluster("VSphere", "externalEtcdConfiguration: {machineGroupRef: {name: x}}"),
            "has no kind",
            id="ref-without-kind",
        ),
        pytest.param(
            "EKS105",
            _cluster(
                "Docker",
                "identityProviderRefs: [{kind: AWSIamConfig, name: a}, {kind: OIDCConfig, name: b}]",
                _document("OIDCConfig", "clientId: x", "b"),
            ),
            "nor does it read what is listed after it: b",
            id="later-provider",
        ),
        pytest.param(
            "EKS106",
            _document(
                "SnowMachineConfig",
                "network: {directNetworkInterfaces: [{ipPoolRef: {kind: SnowIPPool, name: p}}]}",
            ),
            "crashes",
            id="pool",
        ),
        pytest.param(
            "EKS111",
            _cluster(
                "Nutanix", _plane("Nutanix"), _document("NutanixMachineConfig", "osFamily: ubuntu")
            )
            .replace("{name: x}", "{name: x, namespace: a}", 1)
            .replace("datacenterRef: {kind: NutanixDatacenterConfig, name: x, namespace: a}", ""),
            "the controllers will not find it",
            id="namespace-of-nutanix-machine",
        ),
        pytest.param(
            "EKS122",
            _cluster("Nutanix", "workerNodeGroupConfigurations: [{upgradeRolloutStrategy: {}}]"),
            "refuses any",
            id="worker-strategy",
        ),
        pytest.param(
            "EKS123", _cluster("Snow", "etcdEncryption: []"), "does not support", id="provider"
        ),
        pytest.param("EKS124", _cluster("VSphere", "etcdEncryption: []"), "no config", id="empty"),
        pytest.param(
            "EKS124",
            _cluster("VSphere", "etcdEncryption: [{providers: [{}], resources: [secrets]}]"),
            "no kms",
            id="no-kms",
        ),
        pytest.param(
            "EKS124",
            _cluster("VSphere", "etcdEncryption: [{providers: [], resources: [secrets]}]"),
            "no provider",
            id="no-provider",
        ),
        pytest.param(
            "EKS125",
            _document("TinkerbellMachineConfig", "users: []"),
            "has no osFamily",
            id="no-family",
        ),
        pytest.param(
            "EKS126",
            _document("SnowMachineConfig", "hostOSConfiguration: {ntpConfiguration: {}}"),
            "no servers",
            id="no-servers",
        ),
        pytest.param(
            "EKS127",
            _document(
                "TinkerbellMachineConfig",
                "osFamily: redhat\nhostOSConfiguration: {certBundles: [{name: a}]}",
            ),
            "certBundles is refused",
            id="bundles",
        ),
        pytest.param(
            "EKS129",
            _document(
                "VSphereMachineConfig",
                """\
                hostOSConfiguration:
                  bottlerocketConfiguration: {boot: {bootKernelParameters: {"": [a]}}}
                """,
            ),
            "a key of bootKernelParameters is empty",
            id="boot",
        ),
        pytest.param(
            "EKS129",
            _document(
                "VSphereMachineConfig",
                """\
                hostOSConfiguration:
                  bottlerocketConfiguration: {kubernetes: {allowedUnsafeSysctls: [""]}}
                """,
            ),
            "allowedUnsafeSysctls",
            id="sysctl",
        ),
        pytest.param(
            "EKS130",
            _document("FluxConfig", "git: {repositoryUrl: a}\ngithub: {owner: a}"),
            "stand together",
            id="two-providers",
        ),
        pytest.param("EKS131", _document("FluxConfig", "git: {}"), "repositoryUrl", id="git"),
        pytest.param(
            "EKS131",
            _document("GitOpsConfig", "flux: {github: {owner: a}}"),
            "no repository",
            id="gitops",
        ),
        pytest.param(
            "EKS132",
            _document("GitOpsConfig", "flux: {github: {branch: a}}"),
            "'a'",
            id="branch-of-one-character",
        ),
        pytest.param(
            "EKS138",
            _document(
                "AWSIamConfig",
                "awsRegion: a\nbackendMode: [CRD]\nmapUsers: [{username: a}]",
            ),
            "no userARN",
            id="user",
        ),
        pytest.param(
            "EKS143",
            _cluster(
                "VSphere",
                "workerNodeGroupConfigurations: [{failureDomains: [a, b]}]",
                _document("VSphereDatacenterConfig", "failureDomains: [{name: a}, {name: b}]"),
            ),
            "more than one",
            id="two-domains",
        ),
        pytest.param(
            "EKS143",
            _cluster(
                "VSphere",
                "workerNodeGroupConfigurations: [{failureDomains: [a]}]",
                _document("VSphereDatacenterConfig", "server: a"),
            ),
            "nobody checks that",
            id="no-domains",
        ),
        pytest.param(
            "EKS150",
            _document("NutanixDatacenterConfig", "endpoint: a\nport: 70000"),
            "70000",
            id="port",
        ),
        pytest.param(
            "EKS150", _document("NutanixDatacenterConfig", "port: 9440"), "no endpoint", id="prism"
        ),
        pytest.param(
            "EKS152",
            _document("SnowDatacenterConfig", "identityRef: {name: a}"),
            "kind Secret",
            id="snow-kind",
        ),
        pytest.param(
            "EKS153",
            _document(
                "NutanixDatacenterConfig",
                "failureDomains: [{cluster: {type: name, name: a}, subnets: [{type: uuid}]}]",
            ),
            "no uuid",
            id="subnet",
        ),
        pytest.param(
            "EKS157",
            _document("NutanixMachineConfig", "gpus: [{type: deviceID}]"),
            "no deviceID",
            id="device",
        ),
        pytest.param(
            "EKS157", _document("NutanixMachineConfig", "gpus: [{}]"), "identified", id="gpu-type"
        ),
        pytest.param(
            "EKS160",
            _document(
                "CloudStackDatacenterConfig", "availabilityZones: [{name: a}]\naccount: admin"
            ),
            "account is dropped",
            id="both-ways",
        ),
        pytest.param(
            "EKS161",
            _document("CloudStackDatacenterConfig", "availabilityZones: [{name: a}, {name: a}]"),
            "two zones",
            id="zone-twice",
        ),
        pytest.param(
            "EKS163",
            _document("CloudStackDatacenterConfig", "zones: [{name: a}]"),
            "no network",
            id="old-zone",
        ),
        pytest.param(
            "EKS165",
            _document("CloudStackMachineConfig", "diskOffering: {label: a}"),
            "neither name nor id",
            id="disk-name",
        ),
        pytest.param(
            "EKS167",
            _document("CloudStackMachineConfig", "affinity: pro\naffinityGroupIds: [a]"),
            "stand together",
            id="groups",
        ),
        pytest.param(
            "EKS169",
            _cluster(
                "CloudStack",
                "kubernetesVersion: '1.33'\n" + _plane("CloudStack"),
                _document("CloudStackMachineConfig", "template: {id: a-133}"),
            ),
            "empty name",
            id="template-by-id",
        ),
        pytest.param(
            "EKS160",
            _document("CloudStackDatacenterConfig", "availabilityZones: null"),
            "has no availabilityZones",
            id="null-zones",
        ),
        pytest.param(
            "EKS172",
            _document("SnowMachineConfig", "network: {directNetworkInterfaces: null}"),
            "has no network interface",
            id="null-interfaces",
        ),
        pytest.param(
            "EKS172",
            _document(
                "SnowMachineConfig",
                "network: {directNetworkInterfaces: [{primary: true}, {primary: true}]}",
            ),
            "a second",
            id="two-primaries",
        ),
        pytest.param(
            "EKS173",
            _document("SnowMachineConfig", "osFamily: bottlerocket"),
            "has no containersVolume",
            id="no-volume",
        ),
        pytest.param(
            "EKS176",
            _cluster(
                "Snow",
                "externalEtcdConfiguration: {machineGroupRef: {kind: SnowMachineConfig, name: x}}",
                _document("SnowMachineConfig", "network: {directNetworkInterfaces: [{index: 1}]}"),
            ),
            "needs ipPoolRef",
            id="etcd-without-pool",
        ),
        pytest.param(
            "EKS180",
            _cluster(
                "Tinkerbell",
                "controlPlaneConfiguration: {endpoint: {host: 192.0.2.1}}",
                _document("TinkerbellDatacenterConfig", "tinkerbellIP: 192.0.2.1"),
            ),
            "that of the control plane",
            id="same-address",
        ),
        pytest.param(
            "EKS182",
            _document("TinkerbellDatacenterConfig", "hookIsoURL: http://a/b.iso"),
            "without isoBoot",
            id="iso-without-boot",
        ),
        pytest.param(
            "EKS184",
            _document("TinkerbellMachineConfig", "hardwareAffinity: {required: []}"),
            "requires nothing",
            id="affinity",
        ),
        pytest.param(
            "EKS188",
            _cluster(
                "Tinkerbell",
                _plane("Tinkerbell"),
                _document("TinkerbellDatacenterConfig", "osImageURL: http://a/b"),
                _document("TinkerbellMachineConfig", "osImageURL: http://a/b"),
            ),
            "by the datacenter and by a machine config",
            id="image-twice",
        ),
        pytest.param(
            "EKS189",
            _cluster(
                "Tinkerbell",
                "kubernetesVersion: '1.33'\n" + _plane("Tinkerbell"),
                _document("TinkerbellDatacenterConfig", "tinkerbellIP: 192.0.2.1"),
                _document("TinkerbellMachineConfig", "osImageURL: http://a/1-32.gz"),
            ),
            "the Kubernetes version of the control plane",
            id="image-of-machine",
        ),
    ],
)
def test_one_finding_says(code: str, text: str, message: str) -> None:
    (finding,) = _found(code, text)
    assert message in finding.message


@pytest.mark.parametrize(
    ("code", "text"),
    [
        pytest.param(
            "EKS189",
            _cluster(
                "Tinkerbell",
                "kubernetesVersion: v1.33",
                _document("TinkerbellDatacenterConfig", "osImageURL: https://h/a-133", "x"),
            ),
            id="no-version",
        ),
        pytest.param("EKS102", DOCKER, id="docker-needs-no-machines"),
        pytest.param("EKS104", _cluster("Docker", "gitOpsRef: {kind: FluxConfig}"), id="no-name"),
        pytest.param(
            "EKS112", _with(DOCKER, _document("FluxConfig", "branch: a", '""')), id="nameless"
        ),
        pytest.param("EKS120", _cluster("Docker", "controlPlaneConfiguration: {}"), id="docker"),
        pytest.param("EKS125", _document("VSphereMachineConfig", "folder: a"), id="default-family"),
        pytest.param("EKS125", _document("VSphereMachineConfig", "osFamily: [a]"), id="wrong-type"),
        pytest.param(
            "EKS126",
            _document(
                "VSphereMachineConfig",
                "hostOSConfiguration: {ntpConfiguration: {servers: ['2001:db8::1', 'udp://a:123']}}",
            ),
            id="ipv6-server",
        ),
        pytest.param(
            "EKS135",
            _with(DOCKER, _document("OIDCConfig", "groupsClaim: a")),
            id="not-referred-to",
        ),
        pytest.param("EKS145", _document("VSphereMachineConfig", "users: []"), id="default-user"),
        pytest.param("EKS152", _document("SnowDatacenterConfig", "identityRef: {}"), id="default"),
        pytest.param(
            "EKS158",
            _document("NutanixDatacenterConfig", "ccmExcludeNodeIPs: [' 192.0.2.1 ', 'a::1-a::2']"),
            id="excluded",
        ),
        pytest.param(
            "EKS161",
            _document("CloudStackDatacenterConfig", "availabilityZones: [{zone: {}}]"),
            id="empty-label-value",
        ),
        pytest.param(
            "EKS165",
            _document("CloudStackMachineConfig", "diskOffering: {mountPath: '', label: ''}"),
            id="empty-disk",
        ),
        pytest.param(
            "EKS169",
            _cluster(
                "Nutanix",
                "kubernetesVersion: '1.33'\n" + _plane("Nutanix"),
                _document("NutanixMachineConfig", "image: {type: uuid, uuid: a}"),
            ),
            id="image-by-uuid",
        ),
        pytest.param(
            "EKS187",
            _cluster(
                "Tinkerbell",
                "kubernetesVersion: '1.33'\n" + _plane("Tinkerbell"),
                _document("TinkerbellMachineConfig", "osFamily: ubuntu"),
            ),
            id="ubuntu",
        ),
    ],
)
def test_nothing_is_found(code: str, text: str) -> None:
    assert _found(code, text) == []


@pytest.mark.parametrize(
    ("code", "text", "severities"),
    [
        pytest.param(
            "EKS155",
            _document(
                "NutanixMachineConfig",
                "{vcpuSockets: 1, vcpusPerSocket: 0, memorySize: 3.5Gi, systemDiskSize: 10e9}",
            ),
            ["warning", "error", "warning", "error"],
            id="sizes",
        ),
        pytest.param(
            "EKS139",
            _document("AWSIamConfig", "backendMode: [MountedFile, EKSConfigMap, CRD]"),
            ["error", "warning"],
            id="backends",
        ),
        pytest.param(
            "EKS141",
            _document(
                "VSphereDatacenterConfig",
                "{datacenter: dc, network: /other/network/a, failureDomains: [{network: a}]}",
            ),
            ["warning", "error"],
            id="networks",
        ),
        pytest.param(
            "EKS172",
            _document(
                "SnowMachineConfig",
                "network: {directNetworkInterfaces: [{primary: true, index: 9, vlanID: 4096}]}",
            ),
            ["warning", "warning"],
            id="bounds",
        ),
        pytest.param(
            "EKS175",
            _document("SnowIPPool", "pools: [{}]"),
            ["error"] * 4,
            id="empty-pool",
        ),
    ],
)
def test_each_part_has_its_severity(code: str, text: str, severities: list[str]) -> None:
    found = sorted(_found(code, text), key=lambda each: each.span)
    assert sorted(each.severity.value for each in found) == sorted(severities)


@pytest.mark.parametrize(
    ("document", "hint"),
    [
        pytest.param(
            _document("DockerDatacenterConfig", "{}", "other"), "or name one of other", id="unused"
        ),
        pytest.param(
            _document("VSphereDatacenterConfig", "{}"), "is a VSphereDatacenterConfig", id="kind"
        ),
        pytest.param(
            _document("DockerDatacenterConfigs", "{}"), "write kind: Docker", id="misspelt-kind"
        ),
        pytest.param(
            _document("DockerDatacenterConfig", "{}").replace("anywhere.eks", "eks"),
            "needs apiVersion: anywhere.eks.amazonaws.com/v1alpha1",
            id="api-version",
        ),
        pytest.param(_document("FluxConfig", "{}"), "add a document of kind", id="nothing-near"),
    ],
)
def test_a_missing_document_has_a_hint(document: str, hint: str) -> None:
    (finding,) = _found("EKS101", _with(DOCKER, document))
    assert hint in finding.hint


def test_a_missing_document_may_stand_in_another_file() -> None:
    (finding,) = _found("EKS101", DOCKER, _document("DockerDatacenterConfig", "{}"))
    assert "copy the document from other-0.yaml" in finding.hint
    assert [each.file for each in finding.related] == ["other-0.yaml"]


@pytest.mark.parametrize(
    ("code", "text", "before", "after"),
    [
        pytest.param(
            "EKS102",
            _cluster(
                "VSphere",
                "workerNodeGroupConfigurations:\n"
                "- machineGroupRef: {kind: VSphereMachineConfig, name: worker}\n",
                _document("VSphereMachineConfig", "{}", "workers"),
            ),
            "name: worker}",
            "name: workers}",
            id="name",
        ),
        pytest.param(
            "EKS133",
            _document("FluxConfig", "git: {repositoryUrl: 'git@git.example.com:a/b.git'}"),
            "'git@git.example.com:a/b.git'",
            "ssh://git@git.example.com/a/b.git",
            id="short-url",
        ),
        pytest.param(
            "EKS145",
            _document("VSphereMachineConfig", "users: [{name: admin}]"),
            "admin",
            "ec2-user",
            id="user",
        ),
    ],
)
def test_a_fix_writes_what_was_meant(code: str, text: str, before: str, after: str) -> None:
    (finding,) = _found(code, text)
    assert finding.fix
    assert not finding.fix.is_safe
    assert apply_edits(text, finding.fix.edits).text == text.replace(before, after, 1)


@pytest.mark.parametrize(
    ("data", "hits"),
    [
        pytest.param(_pem(_DER), 0, id="certificate"),
        pytest.param(_pem(_DER) + _pem(_DER), 0, id="two"),
        pytest.param(_pem(_DER) + _pem(b"\x30\x00"), 1, id="something-else-behind"),
        pytest.param(_pem(_DER[:-2]), 1, id="cut-off"),
        pytest.param(_pem(b"\x30\x84\xff"), 1, id="endless-length"),
        pytest.param("-----BEGIN CERTIFICATE-----\n%\n-----END CERTIFICATE-----\n", 1, id="no64"),
        pytest.param("", 1, id="nothing"),
    ],
)
def test_a_bundle_needs_the_outline_of_certificates(data: str, hits: int) -> None:
    bundle = textwrap.indent(data or "\n", " " * 6)
    below = f"hostOSConfiguration:\n  certBundles:\n  - name: a\n    data: |\n{bundle}"
    text = _HEAD.format("VSphereMachineConfig", "x") + "spec:\n" + textwrap.indent(below, "  ")
    assert len(_found("EKS128", text)) == hits


def test_an_unused_document_is_not_reported_while_a_reference_looks_for_one() -> None:
    text = _with(DOCKER, _document("DockerDatacenterConfig", "{}", "y"))
    assert _found("EKS110", text) == []
    other = _with(text, _document("FluxConfig", "{}", "y"))
    assert [each.severity for each in _found("EKS110", other)] == [Severity.WARNING]
