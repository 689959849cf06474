"""The registry blocks of values: what the rules' pages do not reach."""

from __future__ import annotations

import pytest

from planner.core.lint import Finding, lint
from planner.core.reader import read
from planner.specs.palette import FAMILY

HOST = "harbor.example.org"


def _values(endpoint: str = HOST, base: str = "a", mirrors: str = "") -> str:
    return f"""\
config:
  imageSwapImages:
    imageSwapInitImage: {HOST}/a/imageswap-init:v1
    imageSwapImage: {HOST}/a/imageswap:v1
  ociImageRegistry:
    endpoint: "{endpoint}"
    baseContentPath: {base}
    mirrorRegistries: "{mirrors or f"docker.io::{HOST}/a/hub,quay.io::{HOST}/a/quay"}"
"""


def _findings(text: str, *codes: str) -> list[Finding]:
    spec = read("values.yaml", text)
    found = lint(spec, FAMILY.layers(spec), FAMILY.rules)
    return [each for each in found if each.code in codes]


@pytest.mark.parametrize("endpoint", ["harbor.example.org:99999", "harbor example", "-x.org"])
def test_nothing_is_compared_with_an_address_that_is_none(endpoint: str) -> None:
    found = _findings(_values(endpoint), "PAL020", "PAL043", "PAL067")
    assert [each.code for each in found] == ["PAL020"]


def test_one_wrong_address_is_one_finding_about_the_list() -> None:
    (found,) = _findings(_values("registry.example.org"), "PAL067")
    assert found.message.startswith("no target is below registry.example.org/a")


def test_each_target_that_strays_is_told() -> None:
    mirrors = f"docker.io::{HOST}/a/hub,quay.io::{HOST}/b/quay,gcr.io::{HOST}/b/gcr"
    found = _findings(_values(mirrors=mirrors), "PAL067")
    assert [each.message.split()[0] for each in found] == [f"{HOST}/b/quay", f"{HOST}/b/gcr"]


@pytest.mark.parametrize(("base", "is_found"), [("v2/a", True), ("v2", True), ("v2a/v2", False)])
def test_a_base_path_does_not_begin_with_the_api(base: str, is_found: bool) -> None:
    assert bool(_findings(_values(base=base), "PAL021")) == is_found


def test_a_registry_of_a_similar_name_is_no_slip() -> None:
    mirrors = f"icr.io::{HOST}/a/icr.io"
    assert not _findings(_values(mirrors=mirrors), "PAL056")
