"""How the documents of an EKS Anywhere file are found, decoded and separated."""

from __future__ import annotations

import json
from typing import Any

import pytest

from planner.core.document import Spec
from planner.core.errors import UsageError
from planner.core.lint import Finding, Severity, lint
from planner.core.reader import read
from planner.core.schema import load
from planner.specs.eksa import FAMILY
from planner.specs.eksa.documents import (
    CLUSTER,
    SIBLINGS,
    cluster,
    datacenter,
    machine_config,
    machine_refs,
    provider,
    schema_of,
    sibling,
    siblings,
)
from planner.ui.cli import main

GROUP = "anywhere.eks.amazonaws.com/v1alpha1"
CLUSTER_TEXT = f"""\
apiVersion: {GROUP}
kind: Cluster
metadata: {{name: prod}}
spec:
  controlPlaneConfiguration: {{machineGroupRef: {{kind: VSphereMachineConfig, name: cp}}}}
  workerNodeGroupConfigurations:
    - {{name: md-0, machineGroupRef: {{kind: VSphereMachineConfig, name: md}}}}
  externalEtcdConfiguration: {{machineGroupRef: null}}
  datacenterRef: {{kind: VSphereDatacenterConfig, name: prod}}
"""


def document(kind: str, name: str, spec: str = "{}", version: str = GROUP) -> str:
    return f"---\napiVersion: {version}\nkind: {kind}\nmetadata: {{name: {name}}}\nspec: {spec}\n"


COMPLETE = CLUSTER_TEXT + "".join(
    document(kind, name)
    for kind, name in [
        ("VSphereDatacenterConfig", "prod"),
        ("VSphereMachineConfig", "cp"),
        ("VSphereMachineConfig", "md"),
    ]
)


def spec_of(text: str) -> Spec:
    return read("eksa.yaml", text)


def findings(text: str) -> list[Finding]:
    """What the structural layer and the rules about decoding find."""
    spec = spec_of(text)
    rules = [each for each in FAMILY.rules if each.code >= "EKS200"]
    return lint(spec, FAMILY.layers(spec), rules)


def codes(text: str) -> list[str]:
    return [each.code for each in findings(text)]


def names(text: str, kind: str = "") -> list[str]:
    return [each.get("metadata", "name").string() for each in siblings(spec_of(text), kind)]


def test_siblings_come_in_order_and_by_kind() -> None:
    assert names(COMPLETE) == ["prod", "cp", "md"]
    assert names(COMPLETE, "VSphereMachineConfig") == ["cp", "md"]


def test_documents_of_other_groups_and_kinds_are_no_siblings() -> None:
    others = document("Package", "p", version="packages.eks.amazonaws.com/v1alpha1")
    others += document("Secret", "s", version="v1") + document("Bundles", "b")
    assert names(COMPLETE + others) == ["prod", "cp", "md"]


def test_references_lead_to_their_documents() -> None:
    spec = spec_of(COMPLETE)
    machines = [machine_config(spec, ref) for ref in machine_refs(spec)]
    assert [each.get("metadata", "name").string() for each in machines] == ["cp", "md"]
    assert datacenter(spec) is sibling(spec, "VSphereDatacenterConfig", "prod")


def test_what_is_not_there_is_absent() -> None:
    spec = spec_of(document("Secret", "s"))
    assert not cluster(spec)
    assert not datacenter(spec)
    assert not sibling(spec, "", "s")
    assert machine_refs(spec) == ()


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("VSphereDatacenterConfig", "VSphere"),
        ("DockerDatacenterConfig", "Docker"),
        ("CloudStackDatacenterConfig", "CloudStack"),
        ("AWSDatacenterConfig", ""),
        ("VSphereMachineConfig", ""),
    ],
)
def test_the_kind_of_the_datacenter_names_the_provider(kind: str, expected: str) -> None:
    assert provider(spec_of(CLUSTER_TEXT.replace("VSphereDatacenterConfig", kind))) == expected


@pytest.mark.parametrize(
    "keys",
    [
        "{controlPlaneConfiguration: {endpoint: {host: 192.0.2.1}}}",
        "{ControlPlaneConfiguration: {endPoint: {HOST: 192.0.2.1}}}",
        "{controlplaneconfiguration: {endpoint: {ho\u017ft: 192.0.2.1}}}",
    ],
)
def test_keys_are_found_in_any_case_and_stay_where_they_are(keys: str) -> None:
    text = f"apiVersion: {GROUP}\nKind: Cluster\nspec: {keys}\n"
    node = cluster(spec_of(text)).get("spec", "controlPlaneConfiguration", "endpoint", "host")
    assert node.string() == "192.0.2.1"
    assert node.key
    assert node.span.column == text.splitlines()[2].index("192") + 1


@pytest.mark.parametrize(
    ("keys", "value"),
    [("Count: 1, count: 2", "2"), ("count: 2, Count: 1", "2"), ("cOUNT: 1, count: 2", "2")],
)
def test_of_two_spellings_the_last_by_its_letters_wins(keys: str, value: str) -> None:
    text = f"kind: Cluster\nspec: {{controlPlaneConfiguration: {{{keys}}}}}\n"
    found = cluster(spec_of(text)).get("spec", "controlPlaneConfiguration", "count")
    assert found.string() == value


def test_keys_of_free_form_values_are_left_alone() -> None:
    text = "kind: Cluster\nspec: {controlPlaneConfiguration: {labels: {KIND: a}}}\n"
    labels = cluster(spec_of(text)).get("spec", "controlPlaneConfiguration", "labels")
    assert [key for key, _ in labels.fields()] == ["KIND"]


@pytest.mark.parametrize("kind", [CLUSTER, *SIBLINGS])
def test_every_kind_has_a_schema_of_its_name(kind: str) -> None:
    assert load(schema_of(kind))["title"] == kind


@pytest.mark.parametrize(
    ("kind", "severity"),
    [
        pytest.param("VSphereDatacenterConfig", Severity.ERROR, id="the-datacenter"),
        pytest.param("VSphereMachineConfig", Severity.WARNING, id="machines"),
        pytest.param("NutanixDatacenterConfig", Severity.WARNING, id="another-datacenter"),
    ],
)
def test_unknown_keys_are_refused_only_where_decoding_is_strict(
    kind: str, severity: Severity
) -> None:
    found = findings(CLUSTER_TEXT + document(kind, "prod", "{none: 1}"))
    assert [(each.code, each.severity) for each in found] == [("SCH001", severity)]


def test_snow_never_decodes_its_datacenter_strictly() -> None:
    text = CLUSTER_TEXT.replace("VSphereDatacenterConfig", "SnowDatacenterConfig")
    (found,) = findings(text + document("SnowDatacenterConfig", "prod", "{none: 1}"))
    assert found.severity is Severity.WARNING


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        pytest.param("kubernetesVersion: 1.30", [], id="version-without-quotes"),
        pytest.param('kubernetesVersion: "1.30"  # note', [], id="version-and-comment"),
        pytest.param("kubernetesVersion:\n    1.30", [], id="version-on-the-next-line"),
        pytest.param("kubernetesVersion: '1.33.1'", ["EKS221"], id="patch-version"),
        pytest.param('"kubernetesVersion": 1.30', ["EKS221"], id="quoted-key"),
        pytest.param('"kubernetesVersion": "1.30"', [], id="both-quoted"),
        pytest.param("kubernetesVersion: &v 1.30", ["EKS221"], id="anchor"),
        pytest.param("licenseToken: null", [], id="null-text"),
        pytest.param("licenseToken: 1e3", ["EKS222"], id="changed-number"),
        pytest.param("licenseToken: 0443", ["EKS222"], id="octal"),
        pytest.param("licenseToken: 1.23456789", ["EKS222"], id="32-bits"),
        pytest.param("licenseToken: y", ["EKS222"], id="boolean"),
        pytest.param("licenseToken: 12", ["EKS223"], id="number-for-text"),
        pytest.param("licenseToken: [a]", ["SCH003"], id="list-for-text"),
        pytest.param("clusterNetwork: null", [], id="null-mapping"),
        pytest.param("clusterNetwork: []", ["SCH003"], id="list-for-mapping"),
        pytest.param("identityProviderRefs: [null]", [], id="null-item"),
        pytest.param("machineHealthCheck: {maxUnhealthy: 40%}", [], id="percentage"),
        pytest.param("machineHealthCheck: {maxUnhealthy: 0.4}", ["SCH003"], id="fraction"),
        pytest.param("machineHealthCheck: {nodeStartupTimeout: 1.5h30m}", [], id="duration"),
        pytest.param("machineHealthCheck: {nodeStartupTimeout: 5}", ["SCH003"], id="no-unit"),
        pytest.param("machineHealthCheck: {nodeStartupTimeout: 1d}", ["SCH004"], id="no-days"),
        pytest.param("clusterNetwork: {nodes: {cidrMaskSize: '24'}}", ["SCH003"], id="text"),
        pytest.param("clusterNetwork: {nodes: {cidrMaskSize: 24.0}}", [], id="whole-float"),
        pytest.param("packages: {disable: yes}", [], id="yaml-1.1-boolean"),
        pytest.param("packages: {disable: 'true'}", ["SCH003"], id="text-for-boolean"),
        pytest.param("packages: {DISABLE: true}", ["EKS220"], id="other-case"),
        pytest.param("packages: {DISABLE: true, disable: false}", ["EKS220"], id="two-cases"),
        pytest.param("licenseToken: a\n  licenseToken: b", ["YAM002"], id="twice"),
    ],
)
def test_the_cluster_is_decoded_as_go_does(lines: str, expected: list[str]) -> None:
    head = f"apiVersion: {GROUP}\nkind: Cluster\nmetadata: {{name: prod}}\nspec:\n  "
    assert codes(head + lines) == expected


@pytest.mark.parametrize("value", ["0123767", "123767"])
@pytest.mark.parametrize("place", ["licenseToken: {}", "packages: {{controller: {{env: [{}]}}}}"])
def test_secrets_are_not_shown(place: str, value: str) -> None:
    text = f"apiVersion: {GROUP}\nkind: Cluster\nspec:\n  {place.format(value)}\n"
    (found,) = findings(text)
    assert value not in str(found._replace(fix=None))
    assert str(int(value, 8)) not in found.message


@pytest.mark.parametrize(
    ("value", "expected"),
    [("4Gi", []), ("4", []), ("1.5Gi", []), ("4 Gb", ["SCH004"]), ("true", ["SCH003"])],
)
def test_quantities_are_numbers_or_texts(value: str, expected: list[str]) -> None:
    machines = document("NutanixMachineConfig", "cp", f"{{memorySize: {value}}}")
    assert codes(CLUSTER_TEXT + machines) == expected


def test_the_ways_to_write_a_kubelet_configuration() -> None:
    group = "controlPlaneConfiguration: {kubeletConfiguration: "
    expected = {"null": 0, "{}": 1, "{Kind: K}": 1, "{kind: 1}": 1, "{kind: K, maxPods: 5}": 0}
    for value, count in expected.items():
        text = f"kind: Cluster\napiVersion: {GROUP}\nspec: {{{group}{value}}}}}\n"
        assert codes(text).count("EKS224") == count, value


@pytest.mark.parametrize(
    ("separator", "lines"),
    [
        pytest.param("---", [], id="plain"),
        pytest.param("\n# note\n---\n# note\n", [], id="comments-around"),
        pytest.param("---\n---", [], id="two"),
        pytest.param("--- ", [4], id="blank"),
        pytest.param("--- # note", [4], id="comment"),
        pytest.param("...\n--- # note", [5], id="end-marker"),
    ],
)
def test_documents_are_split_at_bare_dashes_only(separator: str, lines: list[int]) -> None:
    one, two = (f"apiVersion: {GROUP}\nkind: {kind}\nmetadata: {{name: a}}\n" for kind in KINDS)
    found = findings(f"{one}{separator}\n{two}")
    assert [each.span.line for each in found if each.code == "EKS200"] == lines


KINDS = ("Cluster", "DockerDatacenterConfig")


def test_windows_line_ends_are_reported_once() -> None:
    assert codes(COMPLETE.replace("\n", "\r\n")) == ["EKS200"]
    assert codes(CLUSTER_TEXT.replace("\n", "\r\n")) == []


def test_a_document_before_the_first_dashes_is_no_second_one() -> None:
    assert codes("# a comment\n--- # note\n" + COMPLETE) == []


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        pytest.param("VsphereMachineConfig", [Severity.ERROR], id="near-miss"),
        pytest.param("Something", [Severity.WARNING], id="far"),
        pytest.param("Bundles", [], id="object-of-the-cluster"),
    ],
)
def test_unknown_kinds_of_the_group_are_told_apart(kind: str, expected: list[Severity]) -> None:
    found = [each for each in findings(COMPLETE + document(kind, "x")) if each.code == "EKS201"]
    assert [each.severity for each in found] == expected


def test_a_misspelt_cluster_is_reported_as_that() -> None:
    assert codes(COMPLETE.replace("kind: Cluster", "kind: Clusters")) == ["EKS201"]


def test_documents_that_live_in_a_cluster_need_no_cluster_beside_them() -> None:
    assert codes(document("Bundles", "bundles-1") + document("EKSARelease", "eksa-v0-22-0")) == []


def test_a_cluster_of_another_group_counts_as_one() -> None:
    other = document("Cluster", "capi", version="cluster.x-k8s.io/v1beta1")
    assert codes(COMPLETE + other) == ["EKS203"]


@pytest.mark.parametrize(
    "version", ["anywhere.eks.amazon.com/v1alpha1", "anywhere.eks.amazonaws.com/v1", "v1"]
)
def test_the_only_cluster_must_be_of_the_one_version(version: str) -> None:
    text = document("Cluster", "a", version=version)
    assert codes(text + document("DockerDatacenterConfig", "a")) == ["EKS205"]


def test_a_key_in_two_cases_is_an_error_without_a_fix() -> None:
    text = f"apiVersion: {GROUP}\nkind: Cluster\nspec: {{packages: {{DISABLE: true, disable: false}}}}\n"
    (found,) = findings(text)
    assert (found.severity, found.fix) == (Severity.ERROR, None)


def test_the_fixes_give_what_was_meant() -> None:
    text = f"apiVersion: {GROUP}\nkind: Cluster\nspec: {{kubernetesVersion: '1.33.1'}}\n"
    (found,) = findings(text)
    assert found.fix
    assert [edit.text for edit in found.fix.edits] == ["'1.33'"]


def test_the_schema_of_the_family_looks_at_the_kind(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["schema", "eksa"]) == 0
    schema: dict[str, Any] = json.loads(capsys.readouterr().out)
    kinds = [each["if"]["properties"]["kind"]["const"] for each in schema["allOf"]]
    assert sorted(kinds) == sorted([CLUSTER, *SIBLINGS])
    assert "$ref" not in json.dumps(schema)


def test_several_schemas_that_cannot_be_one_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["schema", "formats"]) == UsageError.exit_code
    assert "formats/lint" in capsys.readouterr().err


@pytest.mark.parametrize(("value", "is_refused"), [("10s", False), ("x", True), ("10", True)])
def test_bottlerocket_settings_have_durations(value: str, is_refused: bool) -> None:
    below = f"{{hostOSConfiguration: {{bottlerocketConfiguration: {{kubernetes: {{shutdownGracePeriod: {value}}}}}}}}}"
    found = codes(document("VSphereMachineConfig", "cp", below))
    assert any(code.startswith("SCH") for code in found) == is_refused


def test_a_worker_group_may_leave_its_version_null() -> None:
    text = document("Cluster", "c", "{workerNodeGroupConfigurations: [{kubernetesVersion: null}]}")
    assert "EKS221" not in codes(text)
