"""What the rules about EKS Anywhere's Cluster find beyond the examples on their pages."""

from __future__ import annotations

import base64
import textwrap

import pytest

from planner.core.edits import apply_edits
from planner.core.lint import Finding, Severity, lint
from planner.core.reader import read
from planner.specs.eksa import FAMILY

_RULES = {rule.code: rule for rule in FAMILY.rules}
_DER = bytes([0x30, 0x09, 0x30, 0x00, 0x30, 0x00, 0x03, 0x03, 0x00, 0x01, 0x02])
_BODY = base64.b64encode(_DER).decode()
_PEM = f"-----BEGIN CERTIFICATE-----\n{_BODY}\n-----END CERTIFICATE-----\n"
_KEY = f"-----BEGIN RSA PRIVATE KEY-----\n{_BODY}\n-----END RSA PRIVATE KEY-----\n"


def _found(code: str, text: str) -> list[Finding]:
    spec = read("eksa.yaml", text)
    assert not [each for each in spec.problems if each.kind == "syntax"]
    return lint(spec, (), [_RULES[code]])


def _cluster(below: str, provider: str = "", head: str = "metadata: {name: prod}") -> str:
    ref = f"datacenterRef: {{kind: {provider}DatacenterConfig, name: x}}\n" if provider else ""
    body = textwrap.indent(ref + textwrap.dedent(below), "  ")
    return f"kind: Cluster\n{head}\nspec:\n{body}\n"


def _plane(below: str, provider: str = "") -> str:
    return _cluster(f"controlPlaneConfiguration: {{{below}}}", provider)


def _groups(below: str, provider: str = "") -> str:
    return _cluster(f"workerNodeGroupConfigurations: [{below}]", provider)


def _network(below: str, provider: str = "") -> str:
    return _cluster(f"clusterNetwork: {{{below}}}", provider)


def _cidrs(pods: str, services: str = "10.96.0.0/12", more: str = "") -> str:
    return _network(f"pods: {{cidrBlocks: [{pods}]}}, services: {{cidrBlocks: [{services}]}}{more}")


def _mirror(below: str, provider: str = "") -> str:
    return _cluster(f"registryMirrorConfiguration: {{{below}}}", provider)


def _namespaces(*entries: str) -> str:
    return _mirror(f"endpoint: r.example.com, ociNamespaces: [{', '.join(entries)}]")


def _strategy(below: str, provider: str = "", *, etcd: bool = False) -> str:
    text = _plane(f"upgradeRolloutStrategy: {{{below}}}", provider)
    return text + ("  externalEtcdConfiguration: {count: 3}\n" if etcd else "")


def _worker_strategy(below: str, provider: str = "") -> str:
    return _groups(f"{{name: a, upgradeRolloutStrategy: {{{below}}}}}", provider)


def _proxy(text: str) -> str:
    return _cluster(f"proxyConfiguration: {{httpProxy: '{text}', httpsProxy: '192.0.2.1:80'}}")


def _kubelet(below: str) -> str:
    return _plane(f"kubeletConfiguration: {{kind: KubeletConfiguration, {below}}}")


_EMPTY = "kind: Cluster\n"
_LONG = "a" * 36
_WRONG = [
    pytest.param("EKS001", _EMPTY, id="name-missing"),
    pytest.param("EKS001", _cluster("{}", head=f"metadata: {{name: {_LONG}}}"), id="name-36"),
    pytest.param("EKS001", _cluster("{}", head="metadata: {name: a}"), id="name-one-letter"),
    pytest.param("EKS002", _EMPTY, id="version-missing"),
    pytest.param("EKS002", _cluster("kubernetesVersion: ''"), id="version-empty"),
    pytest.param("EKS002", _cluster("kubernetesVersion: latest"), id="version-word"),
    pytest.param("EKS002", _cluster("'kubernetesVersion': 1.33.1"), id="version-not-requoted"),
    pytest.param("EKS192", _cluster("kubernetesVersion: '1.20'", "Tinkerbell"), id="metal-1.20"),
    pytest.param("EKS004", _cluster("{eksaVersion: v0.22.3, bundlesRef: {name: b}}"), id="both"),
    pytest.param("EKS004", _cluster("eksaVersion: ''"), id="release-empty"),
    pytest.param("EKS004", _cluster("eksaVersion: 01.2.3"), id="release-leading-zero"),
    pytest.param("EKS005", _cluster("gitOpsRef: {kind: FluxConfig}"), id="gitops-name"),
    pytest.param("EKS006", _cluster("identityProviderRefs: [{name: a}]"), id="identity-kind"),
    pytest.param("EKS006", _cluster("identityProviderRefs: [{kind: X, name: a}]"), id="identity-x"),
    pytest.param("EKS007", _cluster("podIamConfig: {serviceAccountIssuer: ''}"), id="issuer"),
    pytest.param("EKS010", _EMPTY, id="endpoint-no-spec"),
    pytest.param("EKS010", _plane("endpoint: {}"), id="endpoint-without-host"),
    pytest.param("EKS011", _plane("endpoint: {host: 'h:0'}", "CloudStack"), id="endpoint-port-0"),
    pytest.param("EKS011", _plane("endpoint: {host: 'a:b:c'}", "CloudStack"), id="endpoint-colons"),
    pytest.param("EKS012", _EMPTY, id="machines-no-spec"),
    pytest.param("EKS013", _EMPTY, id="count-missing"),
    pytest.param("EKS013", _plane("count: 0"), id="count-0"),
    pytest.param("EKS014", _plane("certSans: [API.EXAMPLE.COM]"), id="san-capitals"),
    pytest.param("EKS014", _plane("certSans: [010.0.0.1]"), id="san-leading-zero"),
    pytest.param("EKS020", _plane(f"labels: {{a: {'x' * 64}}}"), id="label-64"),
    pytest.param("EKS020", _plane("labels: {A.example.com/x: a}"), id="label-prefix-capital"),
    pytest.param("EKS020", _plane("labels: {a/b/c: x}"), id="label-two-slashes"),
    pytest.param("EKS020", _groups("{name: a, labels: {/x: y}}"), id="label-empty-prefix"),
    pytest.param("EKS025", _EMPTY, id="workers-no-spec"),
    pytest.param(
        "EKS025",
        _cluster("{kubernetesVersion: '1.21', datacenterRef: {kind: TinkerbellDatacenterConfig}}"),
        id="workers-metal-1.21",
    ),
    pytest.param("EKS028", _plane("taints: [{key: a, effect: NoExecute}]"), id="taint-no-workers"),
    pytest.param("EKS029", _groups("{count: -1}"), id="count-negative"),
    pytest.param(
        "EKS029",
        _groups("{autoscalingConfiguration: {minCount: -1, maxCount: 3}}"),
        id="minimum-negative",
    ),
    pytest.param(
        "EKS029", _groups("{autoscalingConfiguration: {minCount: 3, maxCount: 1}}"), id="min-max"
    ),
    pytest.param("EKS029", _groups("{autoscalingConfiguration: {minCount: 1}}"), id="no-maximum"),
    pytest.param("EKS030", _strategy(""), id="strategy-empty"),
    pytest.param("EKS030", _worker_strategy("type: inplace"), id="strategy-case"),
    pytest.param(
        "EKS031", _strategy("type: RollingUpdate, rollingUpdate: {maxSurge: 2}"), id="surge-2"
    ),
    pytest.param(
        "EKS031", _strategy("type: RollingUpdate, rollingUpdate: {maxSurge: -1}"), id="surge--1"
    ),
    pytest.param("EKS031", _worker_strategy("type: RollingUpdate"), id="no-numbers"),
    pytest.param(
        "EKS031", _worker_strategy("type: RollingUpdate, rollingUpdate: {}"), id="both-default"
    ),
    pytest.param(
        "EKS031",
        _worker_strategy("type: RollingUpdate, rollingUpdate: {maxSurge: 3, maxUnavailable: -1}"),
        id="unavailable--1",
    ),
    pytest.param("EKS032", _worker_strategy("type: InPlace, rollingUpdate: {}"), id="in-place-md"),
    pytest.param("EKS033", _worker_strategy("type: InPlace", "Docker"), id="in-place-docker"),
    pytest.param("EKS033", _strategy("type: InPlace", "VSphere", etcd=True), id="in-place-etcd"),
    pytest.param("EKS040", _cidrs("010.0.0.0/8"), id="cidr-leading-zero"),
    pytest.param("EKS040", _cidrs("10.0.0.0/255.0.0.0"), id="cidr-netmask"),
    pytest.param("EKS040", _cidrs("10.0.0.0/8, 11.0.0.0/8"), id="cidr-two"),
    pytest.param("EKS041", _cidrs("10.0.0.0/7"), id="mask-far"),
    pytest.param("EKS041", _cidrs("fd00::/48"), id="mask-ipv6"),
    pytest.param("EKS041", _cidrs("10.0.0.0/16", more=", nodes: {cidrMaskSize: 16}"), id="mask-16"),
    pytest.param("EKS045", _network("cni: cilium, cniConfig: {cilium: {}}"), id="cni-both"),
    pytest.param("EKS045", _network("cni: calico"), id="cni-unknown"),
    pytest.param("EKS045", _network("cniConfig: {}"), id="cni-empty"),
    pytest.param("EKS045", _EMPTY, id="cni-missing"),
    pytest.param("EKS045", _network("cniConfig: {cilium: {}, kindnetd: {}}"), id="cni-two"),
    pytest.param("EKS046", _network("cni: kindnetd", "Snow"), id="kindnetd-old"),
    pytest.param(
        "EKS047",
        _network("cniConfig: {cilium: {skipUpgrade: true, policyEnforcementMode: default}}"),
        id="skip-upgrade",
    ),
    pytest.param("EKS050", _cluster("externalEtcdConfiguration: {}"), id="etcd-no-count"),
    pytest.param("EKS050", _cluster("externalEtcdConfiguration: {count: -3}"), id="etcd-negative"),
    pytest.param("EKS055", _cluster("proxyConfiguration: {httpsProxy: ''}"), id="proxy-empty"),
    pytest.param("EKS056", _proxy("192.0.2.1:99999"), id="proxy-port"),
    pytest.param("EKS056", _proxy("192.0.2.1:x"), id="proxy-port-word"),
    pytest.param("EKS056", _proxy("0.0.0.1234:1"), id="proxy-address"),
    pytest.param("EKS056", _proxy("2001:db8::1:80"), id="proxy-ipv6-bare"),
    pytest.param("EKS056", _proxy("[2001:db8::1]"), id="proxy-ipv6-no-port"),
    pytest.param("EKS056", _proxy("[2001:db8::1:80"), id="proxy-open-bracket"),
    pytest.param("EKS056", _proxy("httpproxy.example.com:80"), id="proxy-name-like-url"),
    pytest.param("EKS056", _proxy("http://%zz:80"), id="proxy-no-url"),
    pytest.param("EKS056", _proxy(":80"), id="proxy-no-host"),
    pytest.param("EKS060", _mirror(""), id="mirror-empty"),
    pytest.param("EKS061", _mirror("endpoint: 'r.example.com:5000'"), id="endpoint-port"),
    pytest.param("EKS061", _mirror("endpoint: r.example.com/p"), id="endpoint-path"),
    pytest.param("EKS061", _mirror("endpoint: r.example.com/"), id="endpoint-slash"),
    pytest.param("EKS061", _mirror("endpoint: '[2001:db8::1]'"), id="endpoint-brackets"),
    pytest.param("EKS061", _mirror("endpoint: 'r.example.com '"), id="endpoint-blank"),
    pytest.param("EKS062", _mirror("endpoint: r, port: 0"), id="port-0"),
    pytest.param("EKS062", _mirror("endpoint: r, port: '65536'"), id="port-65536"),
    pytest.param("EKS062", _mirror("endpoint: r, port: ' 443'"), id="port-blank"),
    pytest.param("EKS071", _namespaces("{registry: public.ecr.aws/x}"), id="registry-path"),
    pytest.param("EKS071", _namespaces("{registry: Public.ECR.aws}"), id="registry-capitals"),
    pytest.param("EKS071", _namespaces("{registry: '*.ecr.aws'}"), id="registry-wildcard"),
    pytest.param(
        "EKS075", _namespaces("{registry: a.io, namespace: Team}"), id="namespace-capital"
    ),
    pytest.param("EKS075", _namespaces("{registry: a.io, namespace: a b}"), id="namespace-blank"),
    pytest.param("EKS075", _namespaces("{registry: a.io, namespace: a/..}"), id="namespace-up"),
    pytest.param(
        "EKS075", _namespaces("{registry: a.io, namespace: r.example.com/a}"), id="namespace-host"
    ),
    pytest.param("EKS085", _kubelet("authentication: {x: {}}"), id="kubelet-nested"),
    pytest.param("EKS085", _kubelet("tracing: {endpoint: a, rate: 1}"), id="kubelet-struct"),
    pytest.param("EKS086", _kubelet("syncFrequency: 10"), id="kubelet-duration"),
    pytest.param("EKS086", _kubelet("failSwapOn: 'no'"), id="kubelet-boolean"),
    pytest.param("EKS086", _kubelet("clusterDNS: 10.0.0.1"), id="kubelet-list"),
    pytest.param("EKS086", _kubelet("evictionHard: [a]"), id="kubelet-map"),
    pytest.param("EKS086", _kubelet("featureGates: {A: 'true'}"), id="kubelet-gates"),
    pytest.param("EKS086", _kubelet("maxPods: true"), id="kubelet-boolean-number"),
]
_RISKY = [
    pytest.param("EKS001", _cluster("{}", head="metadata: {name: Prod}"), id="name-capital"),
    pytest.param("EKS001", _cluster("{}", head="metadata: {name: prod-}"), id="name-dash"),
    pytest.param("EKS002", _cluster("kubernetesVersion: '1.99'"), id="version-unknown"),
    pytest.param("EKS011", _plane("endpoint: {host: a.lan}", "Tinkerbell"), id="endpoint-metal"),
    pytest.param("EKS017", _plane("auditPolicyContent: some text"), id="audit-no-policy"),
    pytest.param("EKS021", _groups("{taints: [{effect: NoExecute}]}"), id="taint-no-key"),
    pytest.param("EKS021", _plane("taints: [{key: a}]"), id="taint-no-effect"),
    pytest.param("EKS021", _plane("taints: [{key: a, value: b c, effect: NoExecute}]"), id="taint"),
    pytest.param("EKS033", _strategy("type: InPlace", "VSphere"), id="in-place-switch"),
    pytest.param(
        "EKS047", _network("cniConfig: {cilium: {routingMode: native}}"), id="routing-unknown"
    ),
    pytest.param("EKS063", _mirror(f"caCertContent: {_BODY}"), id="certificate-without-frame"),
    pytest.param(
        "EKS064",
        _mirror("insecureSkipVerify: true, caCertContent: x"),
        id="unverified-with-authority",
    ),
    pytest.param("EKS065", _mirror("authenticate: true", "Snow"), id="no-credentials"),
    pytest.param("EKS085", _kubelet("maxpods: 50"), id="kubelet-case"),
]
_FINE = [
    pytest.param("EKS002", _cluster("kubernetesVersion: 1.30"), id="version-unquoted"),
    pytest.param("EKS002", _cluster("kubernetesVersion: 1.33.1"), id="version-requoted"),
    pytest.param("EKS003", _cluster("kubernetesVersion: '1.33'"), id="skew-default"),
    pytest.param("EKS004", _cluster("eksaVersion: 0.22.3-dev+build.5"), id="release-dev"),
    pytest.param("EKS004", _cluster("bundlesRef: {name: b}"), id="bundle-alone"),
    pytest.param("EKS005", _cluster("gitOpsRef: null"), id="gitops-null"),
    pytest.param("EKS010", _plane("count: 1", "Docker"), id="endpoint-docker"),
    pytest.param("EKS011", _plane("endpoint: {host: 'h:6443'}", "CloudStack"), id="cloudstack"),
    pytest.param("EKS011", _plane("endpoint: {host: h}", "CloudStack"), id="cloudstack-no-port"),
    pytest.param("EKS013", _plane("count: [3]"), id="count-wrong-type"),
    pytest.param(
        "EKS013", _plane("count: 2") + "  externalEtcdConfiguration: {}\n", id="unstacked"
    ),
    pytest.param("EKS014", _plane("certSans: ['*.example.com', '::1']"), id="san-wildcard"),
    pytest.param("EKS016", _plane("apiServerExtraArgs: {oidc-client-id: a}"), id="oidc-alone"),
    pytest.param("EKS020", _plane("labels: {a.b/C_d.e: '', x: true}"), id="label-odd"),
    pytest.param("EKS025", _cluster("kubernetesVersion: '1.22'", "Tinkerbell"), id="metal-1.22"),
    pytest.param("EKS025", _cluster("workerNodeGroupConfigurations: {}"), id="workers-wrong-type"),
    pytest.param(
        "EKS028",
        _cluster(
            "{managementCluster: {name: m}, workerNodeGroupConfigurations:"
            " [{taints: [{key: a, effect: NoSchedule}]}]}"
        ),
        id="taints-workload-cluster",
    ),
    pytest.param(
        "EKS029", _groups("{autoscalingConfiguration: {minCount: 2, maxCount: 2}}"), id="scaled"
    ),
    pytest.param("EKS030", _plane("upgradeRolloutStrategy: null"), id="strategy-null"),
    pytest.param("EKS031", _strategy("type: RollingUpdate"), id="plane-without-numbers"),
    pytest.param("EKS034", _strategy("type: InPlace", "VSphere"), id="mixed-vsphere"),
    pytest.param("EKS040", _cidrs("10.1.2.3/16"), id="cidr-host-bits"),
    pytest.param("EKS041", _cidrs("10.0.0.0/8"), id="mask-16-wide"),
    pytest.param("EKS043", _plane("endpoint: {host: 10.0.0.1}"), id="no-network"),
    pytest.param("EKS045", _network("cni: cilium-enterprise"), id="cni-enterprise"),
    pytest.param("EKS046", _network("cni: kindnetd", "Docker"), id="kindnetd-docker"),
    pytest.param(
        "EKS047", _network("cniConfig: {cilium: {skipUpgrade: true, routingMode: overlay}}"), id="s"
    ),
    pytest.param("EKS055", _cluster("proxyConfiguration: null"), id="proxy-null"),
    pytest.param("EKS056", _proxy("http://u:p@proxy.example.com:3128"), id="proxy-url"),
    pytest.param("EKS056", _proxy("[2001:db8::1]:3128"), id="proxy-ipv6"),
    pytest.param("EKS060", _cluster("registryMirrorConfiguration: null"), id="mirror-null"),
    pytest.param("EKS061", _mirror("endpoint: '2001:db8::10'"), id="endpoint-ipv6"),
    pytest.param("EKS062", _mirror("endpoint: r, port: ''"), id="port-default"),
    pytest.param("EKS062", _mirror("endpoint: r, port: 5000"), id="port-number"),
    pytest.param("EKS063", _cluster("registryMirrorConfiguration: {caCertContent: ''}"), id="ca"),
    pytest.param("EKS073", _namespaces("{registry: 346438352937.dkr.ecr.x.amazonaws.com}"), id="r"),
    pytest.param("EKS074", _mirror("endpoint: r, ociNamespaces: []"), id="no-entries"),
    pytest.param("EKS074", _namespaces("{registry: 'https://public.ecr.aws'}"), id="core-misspelt"),
    pytest.param("EKS075", _namespaces("{registry: a.io, namespace: ''}"), id="namespace-empty"),
    pytest.param("EKS080", _cluster("packages: {controller: {tag: a}}"), id="packages-own"),
    pytest.param("EKS085", _kubelet("evictionHard: {memory.available: 5%}"), id="kubelet-map"),
    pytest.param("EKS086", _kubelet("syncFrequency: 1m30s, evictionHard: {a: 5}"), id="kubelet"),
]


@pytest.mark.parametrize(("code", "text"), _WRONG)
def test_what_eks_anywhere_refuses_or_breaks_is_an_error(code: str, text: str) -> None:
    assert Severity.ERROR in {each.severity for each in _found(code, text)}


@pytest.mark.parametrize(("code", "text"), _RISKY)
def test_what_somebody_will_regret_is_a_warning(code: str, text: str) -> None:
    assert {each.severity for each in _found(code, text)} == {Severity.WARNING}


@pytest.mark.parametrize(("code", "text"), _FINE)
def test_what_eks_anywhere_takes_is_not_found(code: str, text: str) -> None:
    assert _found(code, text) == []


@pytest.mark.parametrize("code", [each for each in _RULES if each < "EKS100"])
@pytest.mark.parametrize(
    "text",
    [
        pytest.param("kind: VSphereDatacenterConfig\nspec: {server: a}\n", id="no-cluster"),
        pytest.param("kind: Cluster\nmetadata: []\nspec: []\n", id="lists"),
    ],
)
def test_rules_are_silent_where_there_is_no_cluster_to_judge(code: str, text: str) -> None:
    assert _found(code, text) == []


@pytest.mark.parametrize(
    ("code", "before", "after"),
    [
        pytest.param("EKS061", "endpoint: 'https://r.lan'", "endpoint: r.lan", id="scheme"),
        pytest.param("EKS061", "endpoint: 'r.lan:443'", "endpoint: r.lan", id="default-port"),
        pytest.param("EKS061", "endpoint: '[::1]'", 'endpoint: "::1"', id="brackets"),
        pytest.param("EKS061", "endpoint: 'r.lan:5000'", "", id="port-would-be-lost"),
        pytest.param("EKS061", "endpoint: r.lan/p", "", id="path-would-be-lost"),
        pytest.param("EKS062", "endpoint: r, port: ' 80'", 'endpoint: r, port: "80"', id="port"),
    ],
)
def test_a_fix_writes_what_was_evidently_meant(code: str, before: str, after: str) -> None:
    (finding,) = _found(code, _mirror(before))
    edits = finding.fix.edits if finding.fix else ()
    assert apply_edits(_mirror(before), edits).text == _mirror(after or before)


def test_slashes_too_many_are_dropped_safely() -> None:
    text = _namespaces("{registry: a.io, namespace: /a//b/}")
    (finding,) = _found("EKS075", text)
    assert finding.severity is Severity.INFO
    assert finding.fix
    assert finding.fix.is_safe
    assert apply_edits(text, finding.fix.edits).text == text.replace("/a//b/", '"a/b"')


@pytest.mark.parametrize(
    ("content", "severities"),
    [
        pytest.param(_PEM, [], id="one"),
        pytest.param(_PEM + _PEM, [Severity.INFO], id="two"),
        pytest.param(_PEM + _KEY, [Severity.ERROR], id="private-key"),
        pytest.param(_PEM.replace(_BODY, "MIIF1DCCA..."), [Severity.WARNING], id="placeholder"),
    ],
)
def test_the_authority_must_be_a_certificate(content: str, severities: list[Severity]) -> None:
    block = textwrap.indent(content, "    ")
    text = _cluster("registryMirrorConfiguration:\n  caCertContent: |\n" + block)
    assert [each.severity for each in _found("EKS063", text)] == severities


@pytest.mark.parametrize("text", ["u:hunter2@r.lan", "https://u:hunter2@r.lan:5000/p"])
def test_no_message_shows_a_password(text: str) -> None:
    found = _found("EKS061", _mirror(f"endpoint: '{text}'"))
    found += _found("EKS056", _proxy(f"http://u:hunter2@{'x' * 70}:0"))
    found += _found("EKS071", _namespaces(f"{{registry: '{text}'}}"))
    assert len(found) == 3
    assert "hunter2" not in repr([(each.message, each.hint, each.fix) for each in found])


@pytest.mark.parametrize(
    ("family", "severity"),
    [
        pytest.param("{osFamily: bottlerocket}", Severity.ERROR, id="bottlerocket"),
        pytest.param("{}", Severity.ERROR, id="default"),
        pytest.param("{osFamily: ubuntu}", Severity.INFO, id="ubuntu"),
    ],
)
def test_bottlerocket_must_verify_the_mirror(family: str, severity: Severity) -> None:
    text = _cluster(
        """
        controlPlaneConfiguration: {machineGroupRef: {kind: VSphereMachineConfig, name: cp}}
        registryMirrorConfiguration: {endpoint: r, insecureSkipVerify: true}
        """
    )
    group = "apiVersion: anywhere.eks.amazonaws.com/v1alpha1\nkind: VSphereMachineConfig\n"
    machine = f"---\n{group}metadata: {{name: cp}}\nspec: {family}\n"
    assert [each.severity for each in _found("EKS064", text + machine)] == [severity]


@pytest.mark.parametrize(
    ("provider", "severity"), [("Snow", Severity.ERROR), ("VSphere", Severity.WARNING)]
)
def test_only_snow_refuses_an_endpoint_among_the_pods(provider: str, severity: Severity) -> None:
    text = _cluster(
        """
        controlPlaneConfiguration: {endpoint: {host: 10.0.0.1}}
        clusterNetwork: {pods: {cidrBlocks: [10.0.0.0/16]}}
        """,
        provider,
    )
    assert [each.severity for each in _found("EKS043", text)] == [severity]
