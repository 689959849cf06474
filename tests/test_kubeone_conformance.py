import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from planner.core.lint import Finding, Severity, lint
from planner.core.reader import read
from planner.specs.kubeone import FAMILY

CASES = Path(__file__).with_name("conformance") / "kubeone_lint.jsonl"
EXAMPLES = Path(__file__).parent.parent / "examples" / "kubeone"


def findings(text: str) -> list[Finding]:
    spec = read("kubeone.yaml", text)
    return lint(spec, FAMILY.layers(spec), FAMILY.rules)


def cases() -> Iterator[Any]:
    for line in CASES.read_text("utf-8").splitlines():
        case = json.loads(line)
        yield pytest.param(case["yaml"], case["loader_valid"], id=case["id"])


@pytest.mark.parametrize(("text", "valid"), list(cases()))
def test_what_kubeone_refuses_has_a_finding_and_what_it_accepts_no_error(
    text: str, valid: bool
) -> None:
    found = findings(text)
    errors = [each for each in found if each.severity is Severity.ERROR]
    loud = [each for each in found if each.severity is not Severity.INFO]
    assert not errors if valid else loud


CLUSTER = "apiVersion: kubeone.k8c.io/v1beta2\nkind: KubeOneCluster\nname: a\nversions: {kubernetes: 1.35.2}\n"
COMPLETE = f"{CLUSTER}cloudProvider: {{none: {{}}}}\ncontrolPlane: {{hosts: [{{publicAddress: 192.0.2.1}}]}}\n"


def codes(text: str) -> list[str]:
    return [each.code for each in findings(text)]


def test_a_complete_manifest_is_clean() -> None:
    assert codes(COMPLETE) == []


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        pytest.param("proxy: null", [], id="null-mapping"),
        pytest.param("helmReleases: null", [], id="null-list"),
        pytest.param("loggingConfig: {containerLogMaxFiles: null}", [], id="null-number"),
        pytest.param("kubeletConfig: {imageMinimumGCAge: null}", ["SCH003"], id="null-duration"),
        pytest.param(
            "certificateAuthority: {certificateValidityPeriod: null}",
            [],
            id="null-pointer-to-duration",
        ),
        pytest.param("kubeletConfig: {imageMinimumGCAge: 1.5h30m}", [], id="duration"),
        pytest.param("kubeletConfig: {imageMinimumGCAge: 1d}", ["SCH004"], id="no-days"),
        pytest.param("kubeletConfig: {maxPods: 3000000000}", ["SCH004"], id="int32"),
        pytest.param("kubeletConfig: {maxPods: 110.0}", [], id="whole-float"),
        pytest.param("kubeletConfig: {systemReserved: {cpu: 1}}", ["SCH003"], id="quantity-number"),
        pytest.param("proxy: {noProxy: no}", ["SCH003"], id="yaml-1.1-boolean"),
        pytest.param("features: {webhookAuditLog: {}}", ["SCH001"], id="v1beta3-only"),
        pytest.param("---\napiVersion: kubeone.k8c.io/v1beta2", ["KUB003"], id="second-document"),
    ],
)
def test_decoding_is_as_strict_as_kubeones(lines: str, expected: list[str]) -> None:
    assert codes(COMPLETE + lines) == expected


def test_an_empty_file_is_no_manifest() -> None:
    assert "KUB002" in codes("")


def test_a_float_version_is_reported_once() -> None:
    text = COMPLETE.replace("1.35.2", "1.35")
    assert codes(text) == ["SCH003"]


@pytest.mark.parametrize(
    ("provider", "hits"), [("aws", 1), ("none", 0), ("vmwareCloudDirector", 0), ("hetzner", 1)]
)
def test_external_is_forced_for_most_providers(provider: str, hits: int) -> None:
    text = f"{CLUSTER}cloudProvider: {{external: false, {provider}: {{}}}}"
    assert codes(text).count("KUB011") == hits


@pytest.mark.parametrize(
    ("registry", "hint"),
    [
        pytest.param("https://r.corp", "write r.corp", id="scheme"),
        pytest.param("r.corp:5000/", "write r.corp:5000", id="slash"),
        pytest.param("r.corp/Upper", "HOST[:PORT][/PATH]", id="upper-case"),
        pytest.param("mirror", "mirror:5000, or a name with a dot", id="hub-namespace"),
    ],
)
def test_an_unusable_registry_has_a_hint_to_type(registry: str, hint: str) -> None:
    text = f"{COMPLETE}registryConfiguration: {{overwriteRegistry: '{registry}'}}"
    assert [(each.code, each.hint) for each in findings(text)] == [("KUB040", hint)]


@pytest.mark.parametrize("url", ["https://[a", "https://[::1", "https://a b"])
def test_what_is_no_url_is_no_crash(url: str) -> None:
    entry = f"containerRuntime: {{containerd: {{registries: {{'{url}': {{mirrors: ['{url}']}}}}}}}}"
    assert "KUB046" in codes(f"{COMPLETE}{entry}\n")


CERTIFICATE = (
    "MIIBLDCB36ADAgECAhRDfj5jsjtyKAGhl19ZVnWirglkCzAFBgMrZXAwDDEKMAgG"
    "A1UEAwwBdDAeFw0yNjExMjEwMzE2MzlaFw0zNjExMTgwMzE2MzlaMAwxCjAIBgNV"
    "BAMMAXQwKjAFBgMrZXADIQCXSblS/XQ2ATyt8IeQZYgT9soAJ3Pr+4j6EZKPMr+7"
    "J6NTMFEwHQYDVR0OBBYEFMi2oKIgJbXwWoVZ4qSYBfMu4opmMB8GA1UdIwQYMBaA"
    "FMi2oKIgJbXwWoVZ4qSYBfMu4opmMA8GA1UdEwEB/wQFMAMBAf8wBQYDK2VwA0EA"
    "3Av+9Yjnh8G+re0qqRLy/YR24ZM2m/Fvn/WujGihh6QrkT37lJKzgQCs5walkeM8"
    "l2HS9qgpGvZaCB7sXa4BAA=="
)


@pytest.mark.parametrize(
    ("body", "hits"),
    [
        pytest.param(CERTIFICATE, 0, id="certificate"),
        pytest.param(CERTIFICATE[:-8], 1, id="cut-off"),
        pytest.param("AAAA", 1, id="no-sequence"),
        pytest.param("no base64", 1, id="no-base64"),
    ],
)
def test_a_bundle_needs_the_outline_of_a_certificate(body: str, hits: int) -> None:
    lines = ["-----BEGIN CERTIFICATE-----", body, "-----END CERTIFICATE-----"]
    bundle = "".join(f"    {line}\n" for line in lines)
    assert codes(f"{COMPLETE}certificateAuthority:\n  bundle: |\n{bundle}").count("KUB073") == hits


def test_a_ca_file_replaces_the_bundle() -> None:
    assert codes(f"{COMPLETE}certificateAuthority: {{bundle: nonsense, file: ca.pem}}") == []


def test_terraform_may_supply_what_is_missing() -> None:
    missing = [each for each in findings(CLUSTER.replace("name: a\n", "")) if each.code == "KUB006"]
    assert [each.severity for each in missing] == [Severity.WARNING] * 3


def test_the_example_is_clean() -> None:
    assert codes((EXAMPLES / "aws.yaml").read_text("utf-8")) == []


def test_the_example_with_mistakes_has_ten_findings() -> None:
    assert len(set(codes((EXAMPLES / "mistakes.yaml").read_text("utf-8")))) == 10
