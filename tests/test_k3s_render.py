"""What K3s writes for containerd, and which URLs its containerd then asks, case by case."""

from __future__ import annotations

import pytest

from planner.core.containerd import folder_of
from planner.core.document import Spec
from planner.core.family import NodeFlags
from planner.core.reader import read
from planner.specs.k3s import FAMILY
from planner.specs.k3s.render import rewrite_repository
from tests.support.conformance import Case, cases


def _spec(case: Case) -> Spec:
    return read("registries.yaml", case["registries_yaml"])


def _flags(case: Case) -> NodeFlags:
    flags = case.get("flags") or {}
    return NodeFlags(flags.get("disableDefault", False), flags.get("mirrorAddr", ""))


def _lines(text: str) -> list[str]:
    """What counts: no blank lines, no comments, no indentation."""
    return [line.strip() for line in text.splitlines() if line.strip() and line[0] != "#"]


@pytest.mark.parametrize("case", cases("k3s_render"))
def test_k3s_writes_these_files(case: Case) -> None:
    files = FAMILY.images().render(_spec(case), _flags(case))
    made = {folder_of(file): _lines(text) for file, text in files.items()}
    expected = {name: _lines(text) for name, text in case["expected_hosts_toml"].items()}
    assert made == expected


@pytest.mark.parametrize("case", cases("k3s_rewrite", lambda case: case["kind"] == "resolve"))
def test_the_node_asks_these_urls(case: Case) -> None:
    found = FAMILY.images().resolve(_spec(case), case["image"], _flags(case))
    tried = [{"url": each.url, "repository": each.repository} for each in found.attempts]
    assert tried == case["expected_attempts"]


@pytest.mark.parametrize(
    "case", cases("k3s_rewrite", lambda case: case["kind"] == "system-default-registry")
)
def test_packaged_images_move_to_the_default_registry(case: Case) -> None:
    flags = NodeFlags(system_default_registry=case["system_default_registry"])
    found = FAMILY.images().resolve(_spec(case), case["image"], flags)
    moved = found.rewrites[-1].image if found.rewrites else str(found.image)
    assert moved == case["expected_ref"]


@pytest.mark.parametrize(
    ("table", "repository", "expected"),
    [
        pytest.param({}, "a/b", "a/b", id="no-rule"),
        pytest.param({"^x/": "y/"}, "a/b", "a/b", id="no-match"),
        pytest.param({"(": "y", "^a/": "c/"}, "a/b", "c/b", id="unreadable-is-skipped"),
        pytest.param({"^a/": "a/", "b$": "c"}, "a/b", "a/c", id="without-change-is-no-match"),
        pytest.param({"^a/": "x/", "^x/": "y/"}, "a/b", "x/b", id="only-one-applies"),
    ],
)
def test_one_rewrite_that_changes_the_name_applies(
    table: dict[str, str], repository: str, expected: str
) -> None:
    assert rewrite_repository(table, repository) == expected


def test_credentials_count_for_the_host_that_is_asked() -> None:
    spec = read("registries.yaml", "configs: {quay.io: {auth: {username: u, password: p}}}")
    (attempt,) = FAMILY.images().resolve(spec, "quay.io/a/b", NodeFlags()).attempts
    assert attempt.auth


def test_credentials_of_the_wildcard_count_nowhere() -> None:
    spec = read("registries.yaml", 'configs: {"*": {auth: {username: u, password: p}}}')
    (attempt,) = FAMILY.images().resolve(spec, "quay.io/a/b", NodeFlags()).attempts
    assert not attempt.auth
