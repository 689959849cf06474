"""Rules about several specs: their pages, and what their examples do not reach."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path

import pytest

from planner.across import RULES
from planner.check import check
from planner.config import load_config
from planner.core.lint import Finding, Rule

_CONFIG = "planner.yaml"
_PEM = "-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n"


@pytest.fixture(autouse=True)
def _in_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def _files(example: str) -> dict[str, str]:
    first, *others = re.split(r"(?<=\n)(?=# file: )", example)
    parts = (text.removeprefix("# file: ").partition("\n") for text in others)
    named = {name: text for name, _, text in parts}
    return {"registries.yaml": first, **named}


def _found(files: Mapping[str, str], code: str, file: str = "registries.yaml") -> list[Finding]:
    for name, text in files.items():
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).write_text(text)
    config = load_config(_CONFIG if _CONFIG in files else "")
    (checked,) = check([file], "", config.lint, config.clusters)
    return [each for each in checked.findings if each.code == code]


def _ids(rules: Iterable[Rule]) -> list[str]:
    return [each.code for each in rules]


@pytest.mark.parametrize("rule", RULES, ids=_ids(RULES))
def test_a_rule_finds_exactly_the_marked_lines(rule: Rule) -> None:
    bad = rule.section("Bad")
    lines = _files(bad)["registries.yaml"].splitlines()
    marked = [number for number, line in enumerate(lines, 1) if f"<- {rule.code}" in line]
    assert marked
    assert [each.span.line for each in _found(_files(bad), rule.code)] == marked


@pytest.mark.parametrize("rule", RULES, ids=_ids(RULES))
def test_a_rule_finds_nothing_in_its_good_example(rule: Rule) -> None:
    assert rule.title
    assert "Source:" in rule.doc
    assert _found(_files(rule.section("Good")), rule.code) == []


def _k3s(endpoint: str, configs: str = "{}") -> str:
    return f"mirrors:\n  quay.io:\n    endpoint: ['{endpoint}']\nconfigs: {configs}\n"


def _manifest(overwrite: str, insecure: str = "false") -> str:
    head = "apiVersion: kubeone.k8c.io/v1beta2\nkind: KubeOneCluster\nregistryConfiguration:\n"
    return f"{head}  overwriteRegistry: {overwrite}\n  insecureRegistry: {insecure}\n"


@pytest.mark.parametrize(
    ("spec", "other", "says"),
    [
        pytest.param(_k3s("http://r.corp"), _manifest("r.corp"), "plain HTTP here", id="scheme"),
        pytest.param(
            _k3s("https://r.corp:443"), _manifest("R.corp", "true"), "is verified here", id="verify"
        ),
        pytest.param(
            _k3s("https://r.corp", "{r.corp: {tls: {insecure_skip_verify: true}}}"),
            _manifest("r.corp"),
            "is not verified here",
            id="verify-turned",
        ),
        pytest.param(_k3s("https://r.corp:5000"), _manifest("r.corp", "true"), "", id="port"),
        pytest.param(_k3s("https://r.corp"), _manifest("r.corp"), "", id="agree"),
    ],
)
def test_one_registry_is_reached_in_one_way(spec: str, other: str, says: str) -> None:
    found = _found({"registries.yaml": spec, "kubeone.yaml": other}, "ACR001")
    assert len(found) == bool(says)
    for finding in found:
        assert says in finding.message
        assert [each.file for each in finding.related] == ["kubeone.yaml"]


def test_specs_of_other_folders_count_when_planner_yaml_names_them() -> None:
    files = {
        "edge/registries.yaml": _k3s("http://r.corp"),
        "prod/kubeone.yaml": _manifest("r.corp"),
    }
    assert _found(files, "ACR001", "edge/registries.yaml") == []
    clusters = "[{name: a, spec: edge/registries.yaml}, {name: b, spec: prod/kubeone.yaml}]"
    files[_CONFIG] = f"version: 1\nclusters: {clusters}\n"
    assert len(_found(files, "ACR001", "edge/registries.yaml")) == 1


def test_targets_collide_across_clusters() -> None:
    files = {
        "a/registries.yaml": "mirrors:\n  docker.io:\n    endpoint: ['https://r.corp']\n",
        "b/registries.yaml": "mirrors:\n  quay.io:\n    endpoint: ['https://r.corp']\n",
        "a.txt": "docker.io/team/app:1\ndocker.io/team/web:1\n",
        "b.txt": "quay.io/team/app:1\nquay.io/team/web:1\nquay.io/team/other:1\n",
        _CONFIG: "version: 1\nclusters:\n"
        "- {name: a, spec: a/registries.yaml, images: [a.txt]}\n"
        "- {name: b, spec: b/registries.yaml, images: [b.txt]}\n",
    }
    (finding,) = _found(files, "ACR002", "b/registries.yaml")
    assert finding.span.line == 2
    assert "docker.io/team/app:1 (for a/registries.yaml)" in finding.message
    assert finding.message.endswith("and so 1 more pair")


def test_the_same_image_for_two_clusters_does_not_collide() -> None:
    files = {
        "a/registries.yaml": "mirrors:\n  docker.io:\n    endpoint: ['https://r.corp']\n",
        "a.txt": "docker.io/team/app:1\n",
        _CONFIG: "version: 1\nclusters:\n"
        "- {name: a, spec: a/registries.yaml, images: [a.txt]}\n"
        "- {name: b, spec: a/registries.yaml, images: [a.txt]}\n",
    }
    assert _found(files, "ACR002", "a/registries.yaml") == []


def test_a_spec_that_mirrors_nothing_covers_nothing_on_purpose() -> None:
    files = {
        "registries.yaml": "configs:\n  r.corp: {auth: {username: a, password: b}}\n",
        "a.txt": "docker.io/team/app:1\n",
        _CONFIG: "version: 1\nclusters: [{name: a, spec: registries.yaml, images: [a.txt]}]\n",
    }
    assert _found(files, "ACR003") == []


def test_an_endpoint_that_is_no_url_is_compared_with_nothing() -> None:
    files = {"registries.yaml": _k3s("https://[a"), "kubeone.yaml": _manifest("r.corp")}
    assert _found(files, "ACR001") == []
