"""Both kinds of Palette's files, each with its companion: what is wrong is found, by the rule that is about it."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from planner.core.document import Spec
from planner.core.lint import Finding, Peer, Severity, lint
from planner.core.reader import read
from planner.specs.palette import FAMILY

CASES = Path(__file__).with_name("conformance") / "palette_lint.jsonl"
EXAMPLES = Path(__file__).parent.parent / "examples" / "palette"
FILES = {"values": "values.yaml", "secret": "registry-secret.yaml"}
OTHER = {"values": "secret", "secret": "values"}
# What a case calls its rule, where no rule of ours has that very name.
RULES = {
    "credential-pair": {"credential_pair"},
    "cross-base-path": {"different_base_paths"},
    "cross-ca": {"different_authorities"},
    "cross-credential": {"different_credentials"},
    "cross-endpoint": {"different_endpoints"},
    "cross-insecure": {"different_verification"},
    "cross-mirror": {"different_mirrors"},
    "cross-mirror-v2": {"different_mirror_forms"},
    "data-and-stringdata": {"setting_in_both_places"},
    "data-double-encoded": {"setting_encoded_twice"},
    "data-not-base64": {"invalid_secret_encoding"},
    "domain-format": {"unusable_registry_domain", "surrounding_white_space"},
    "endpoint-format": {"endpoint_format", "unusable_registry_domain"},
    "enum": {"invalid_value", "unknown_insecure_text"},
    "required-key-empty": {"required_key_empty", "missing_registry_setting"},
    "required-key-missing": {"required_key_missing", "missing_registry_setting", "missing_key"},
    "secret-fixed-field": {"changed_secret_identity"},
    "secret-immutable": {"immutable_registry_secret"},
    "stringdata-not-string": {"wrong_type"},
    "unknown-key": {"unknown_key", "misspelt_block"},
    "yaml-syntax": {"invalid_yaml"},
}


def cases() -> Iterator[Any]:
    for line in CASES.read_text("utf-8").splitlines():
        case = json.loads(line)
        yield pytest.param(case, id=case["id"])


def findings(spec: Spec, peers: Sequence[Spec] = ()) -> list[Finding]:
    near = [Peer(FAMILY.name, peer) for peer in peers]
    return lint(spec, FAMILY.layers(spec), FAMILY.rules, near)


def found_in(case: dict[str, Any]) -> list[Finding]:
    kind = case["kind"]
    peers = [read(FILES[OTHER[kind]], case["peer"])] if case.get("peer") else []
    return findings(read(FILES[kind], case["yaml"]), peers)


@pytest.mark.parametrize("case", list(cases()))
def test_what_palette_cannot_use_has_a_finding_and_what_it_takes_no_error(
    case: dict[str, Any],
) -> None:
    found = found_in(case)
    if case["valid"]:
        assert [each for each in found if each.severity is Severity.ERROR] == []
        return
    named = {each.name for each in found if each.severity is not Severity.INFO}
    assert named & RULES.get(case["rule"], {case["rule"].replace("-", "_")})


@pytest.mark.parametrize("case", list(cases()))
def test_a_case_is_recognised_as_palettes(case: dict[str, Any]) -> None:
    spec = read(FILES[case["kind"]], case["yaml"])
    has_sign = any(word in case["yaml"] for word in ("oci", "imageSwap", "Image:", "registry-info"))
    assert FAMILY.matches(spec) or spec.problems or not has_sign


def test_the_example_with_mistakes_has_many() -> None:
    text = (EXAMPLES / "mistakes" / "values.yaml").read_text("utf-8")
    assert len({each.code for each in findings(read("values.yaml", text))}) >= 10


BLOCK = {
    "endpoint": "harbor.example.org",
    "name": "Harbor",
    "baseContentPath": "images",
    "insecureSkipVerify": False,
    "mirrorRegistries": "docker.io::harbor.example.org/images/docker.io",
}


def codes(config: dict[str, Any], root: dict[str, Any] | None = None) -> set[str]:
    """What is found in values with this configuration, besides the advice to list more registries."""
    spec = read("values.yaml", json.dumps({"config": config, **(root or {})}))
    return {each.name for each in findings(spec)} - {"missing_recommended_source"}


def with_block(**changes: Any) -> set[str]:
    return codes({"ociImageRegistry": {**BLOCK, **changes}})


def test_a_complete_block_is_clean() -> None:
    assert with_block() == set()


@pytest.mark.parametrize(
    ("endpoint", "name"),
    [
        pytest.param("harbor.example.org:99999", "endpoint_format", id="port"),
        pytest.param("robot@harbor.example.org", "endpoint_format", id="user"),
        pytest.param("harbor", "endpoint_format", id="namespace"),
        pytest.param("harbor.example.org/v2", "endpoint_format", id="api"),
        pytest.param("<host>", "placeholder_left", id="placeholder"),
        pytest.param("X.X.X.X", "placeholder_left", id="address-placeholder"),
    ],
)
def test_an_endpoint_is_an_address(endpoint: str, name: str) -> None:
    assert name in with_block(endpoint=endpoint, mirrorRegistries="docker.io::a.example.org/b")


@pytest.mark.parametrize(
    ("mirrors", "name"),
    [
        pytest.param("docker.io::h.example.org/a,", "mirror_empty_entry", id="comma-at-end"),
        pytest.param("::h.example.org/a", "mirror_empty_source", id="no-source"),
        pytest.param("quay.io::", "mirror_empty_target", id="no-target"),
        pytest.param("a::b::c", "mirror_separator", id="two-separators"),
        pytest.param("*.gcr.io::h.example.org/a", "mirror_source_format", id="wildcard"),
        pytest.param("localhost:5000::h.example.org/a", "mirror_source_format", id="no-dot"),
        pytest.param("grc.io::h.example.org/a", "mirror_source_unknown", id="slip"),
        pytest.param("hub.docker.com::h.example.org/a", "mirror_source_unknown", id="web-site"),
        pytest.param("quay.io::https://h.example.org/a", "mirror_target_scheme", id="scheme"),
        pytest.param("quay.io::h.example.org/a/", "mirror_target_format", id="slash"),
        pytest.param("quay.io::registry/a", "mirror_target_format", id="target-without-dot"),
        pytest.param("quay.io::h.example.org/a b", "mirror_target_format", id="blank"),
        pytest.param("[REPLACE]a*::h.example.org/a", "mirror_keyword", id="replace"),
        pytest.param("docker.io/library::h.example.org/a", "mirror_keyword", id="library"),
        pytest.param(
            "quay.io::h.example.org/v2/q,gcr.io::h.example.org/g", "v2_mixed", id="v2-mixed"
        ),
        pytest.param(
            "quay.io::gcr.io/q,gcr.io::h.example.org/g", "mirror_chain", id="target-is-source"
        ),
    ],
)
def test_mistakes_in_the_list_are_found(mirrors: str, name: str) -> None:
    assert name in with_block(
        endpoint="h.example.org", baseContentPath="a", mirrorRegistries=mirrors
    )


@pytest.mark.parametrize(
    "source",
    ["europe-west3-docker.pkg.dev", "registry.corp.example.org", "ecr.example.io", "us.gcr.io"],
)
def test_other_registries_are_not_taken_for_slips(source: str) -> None:
    mirrors = f"{source}::harbor.example.org/images/x"
    assert with_block(mirrorRegistries=mirrors) == set()


PACKS = {"endpoint": "https://harbor.example.org", "name": "packs"}
ECR = "123456789012.dkr.ecr.eu-west-1.amazonaws.com"


PUBLIC_ECR = {"endpoint": "public.ecr.aws/a", "isPrivate": False}


@pytest.mark.parametrize(
    ("config", "name"),
    [
        ({"ociPackRegistry": {**PACKS, "username": "u"}}, "credential_pair"),
        ({"ociPackRegistry": {"name": "packs"}}, "required_key_missing"),
        ({"ociPackRegistry": {**PACKS, "baseContentPath": "spectro-packs"}}, "base_path_repeats_spectro_packs"),
        ({"ociPackRegistry": {**PACKS, "endpoint": "https://h.example.org/spectro-packs"}}, "base_path_repeats_spectro_packs"),
        ({"ociPackRegistry": {**PACKS, "caCert": "-----BEGIN CERTIFICATE-----"}}, "ca_not_pem"),
        ({"ociPackRegistry": {**PACKS, "insecureSkipVerify": True}}, "vertex_insecure"),
        ({"ociPackRegistry": {**PACKS, "endpoint": "oci://h.example.org"}}, "endpoint_format"),
        ({"ociPackEcrRegistry": {"endpoint": ECR, "isPrivate": False}}, "ecr_visibility"),
        ({"ociPackEcrRegistry": {"endpoint": ECR}}, "ecr_visibility"),
        ({"ociPackEcrRegistry": {"endpoint": ECR, "accessKey": "a b", "secretKey": "YQ=="}}, "not_base64"),
        ({"ociPackRegistry": PACKS, "ociPackEcrRegistry": PUBLIC_ECR}, "pack_registry_exclusive"),
        ({"installationMode": "airgap"}, "pack_registry_exclusive"),
        ({"installationMode": "offline"}, "invalid_value"),
        ({"scar": {"endpoint": "https://f.example.org:8443", "username": "admin!", "password": "YQ=="}}, "not_base64"),
        ({"env": {"ociPackRegistry": PACKS}}, "oci_image_registry_not_under_config"),
        ({"imageSwapImages": None, "imageSwapImage": "h.example.org/a:1"}, "image_swap_images_misnested"),
        ({"OciImageRegistry": BLOCK}, "misspelt_block"),
        ({"ociImageRegistry": None, "endpoint": "h.example.org"}, "image_swap_images_misnested"),
        ({"scar": {"username": "u", "password": "harbor12", "endpoint": "https://f.io"}}, "not_base64"),
        ({"imagePullSecret": {"create": True, "dockerConfigJson": "e30="}}, "dockerconfig_shape"),
    ],
)  # fmt: skip
def test_mistakes_in_other_blocks_are_found(config: dict[str, Any], name: str) -> None:
    assert name in codes(config)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        pytest.param("# nothing\n", "no_document", id="empty"),
        pytest.param("kind: Service\napiVersion: v1\n", "no_document", id="other-object"),
        pytest.param("---\n---\nconfig: {x: 1}\n", "ignored_values_document", id="second"),
        pytest.param("imageSwap: {imagechange: 'default::'}\n", "misspelt_block", id="swap-key"),
        pytest.param("imageSwap: {imageChange: ''}\n", "imageswap_default_missing", id="no-map"),
        pytest.param("pack: {x: {imageSwap: {imageChange: 'default::'}}}\n", "imageswap_not_root", id="deep"),
        pytest.param("image: {webhookImage: a.io/b:1, cainjectorImage: c.io/b:1}\n", "image_registry_mismatch", id="two-hosts"),
        pytest.param("image: {webhookImage: a.io/b:1, webhookimage: a.io/b:1}\n", "misspelt_block", id="case"),
    ],
)  # fmt: skip
def test_mistakes_in_the_shape_are_found(text: str, name: str) -> None:
    assert name in {each.name for each in findings(read("values.yaml", text))}


def test_a_map_with_exact_lines_only_needs_no_default() -> None:
    text = "imageSwap:\n  imageChange: |-\n    [EXACT]a.io/b:1::c.io/b:1\n"
    assert findings(read("values.yaml", text)) == []


def test_what_a_program_fills_in_is_not_judged() -> None:
    mirrors = "docker.io::{{ .registry }}/hub"
    assert with_block(endpoint="${REGISTRY}", mirrorRegistries=mirrors) == set()


def test_other_helm_values_are_not_judged() -> None:
    root = {"image": {"repository": "a/b", "tag": 1}, "images": {}, "configs": {"a": 1}}
    assert codes({"cluster": {"x": "<y>"}, "env": {"a": []}}, root) == set()


def test_a_private_registry_at_google_is_not_a_public_one() -> None:
    host = "europe-docker.pkg.dev"
    images = {
        "imageSwapInitImage": f"{host}/corp/images/init:v1",
        "imageSwapImage": f"{host}/corp/images/swap:v1",
    }
    registry = {
        **BLOCK,
        "endpoint": host,
        "baseContentPath": "corp/images",
        "mirrorRegistries": f"quay.io::{host}/corp/images/quay.io",
    }
    assert codes({"imageSwapImages": images, "ociImageRegistry": registry}) == set()


def test_a_password_is_never_shown() -> None:
    registry = {**BLOCK, "username": "u", "password": "<hunter2"}
    pack = {**PACKS, "username": "u", "password": "hunter2 hunter2"}
    registry["endpoint"] = "https://u:hunter2@h.example.org"
    registry["mirrorRegistries"] = "quay.io::u:hunter2@h.example.org/a"
    text = json.dumps({"config": {"ociImageRegistry": registry, "ociPackRegistry": pack}})
    found = findings(read("values.yaml", text))
    assert len(found) >= 4
    assert not any("hunter2" in f"{each.message} {each.hint} {each.fix}" for each in found)
