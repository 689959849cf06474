"""The lint rules against files of which it is known what K3s makes of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from planner.core.lint import Finding, Severity, lint
from planner.core.reader import read
from planner.specs import family_of
from planner.specs.k3s import FAMILY
from tests.support.conformance import Case, cases

_EXAMPLES = Path(__file__).parent.parent / "examples" / "k3s"


def _findings(text: str) -> list[Finding]:
    spec = read("registries.yaml", text)
    return lint(spec, FAMILY.layers(spec), FAMILY.rules)


@pytest.mark.parametrize("case", cases("k3s_lint", lambda case: bool(case["valid"])))
def test_a_file_that_works_has_no_error(case: Case) -> None:
    assert [each for each in _findings(case["yaml"]) if each.severity is Severity.ERROR] == []


@pytest.mark.parametrize("case", cases("k3s_lint", lambda case: not case["valid"]))
def test_a_file_that_does_not_work_has_a_finding(case: Case) -> None:
    assert any(each.severity is not Severity.INFO for each in _findings(case["yaml"]))


@pytest.mark.parametrize("case", cases("k3s_lint", lambda case: case["severity"] in ("ok", "info")))
def test_a_file_without_fault_has_no_more_than_warnings_for_empty_mirrors(case: Case) -> None:
    loud = {each.code for each in _findings(case["yaml"]) if each.severity is not Severity.INFO}
    assert loud <= {"K3S027"}


def test_the_example_is_clean() -> None:
    assert _findings((_EXAMPLES / "registries.yaml").read_text("utf-8")) == []


def test_the_example_of_mistakes_has_six() -> None:
    found = _findings((_EXAMPLES / "mistakes" / "registries.yaml").read_text("utf-8"))
    codes = ["SCH001", "K3S021", "K3S014", "K3S062", "K3S031", "K3S033"]
    assert [each.code for each in found] == codes


@pytest.mark.parametrize(
    "path", sorted(_EXAMPLES.rglob("*.yaml")), ids=lambda path: path.parent.name
)
def test_examples_are_recognised(path: Path) -> None:
    assert family_of(read(str(path), path.read_text("utf-8"))) is FAMILY


_TO_CORP = "mirrors: {quay.io: {endpoint: ['https://reg.corp:5000']}}\nconfigs: "
_WITH_AUTH = "auth: {username: u, password: p}"
_REWRITE = "mirrors: {docker.io: {endpoint: [https://r.corp], rewrite: {%s}}}"


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        pytest.param(f"{_TO_CORP}{{reg.corp:5000: {{{_WITH_AUTH}}}}}", [], id="same"),
        pytest.param(f"{_TO_CORP}{{other.corp: {{{_WITH_AUTH}}}}}", [], id="other-registry"),
        pytest.param(f"{_TO_CORP}{{ghcr.io: {{{_WITH_AUTH}}}}}", [], id="public-registry"),
        pytest.param(f"{_TO_CORP}{{reh.corp:5000: {{{_WITH_AUTH}}}}}", [], id="another-letter"),
        pytest.param(f"{_TO_CORP}{{reg.corp: {{{_WITH_AUTH}}}}}", ["K3S031"], id="no-port"),
        pytest.param(f"{_TO_CORP}{{reg:5000: {{{_WITH_AUTH}}}}}", ["K3S031"], id="no-domain"),
        pytest.param(f"{_TO_CORP}{{rge.corp:5000: {{{_WITH_AUTH}}}}}", ["K3S031"], id="turned"),
        pytest.param(f"{_TO_CORP}{{reg.corp.lan: {{{_WITH_AUTH}}}}}", ["K3S031"], id="more-domain"),
        pytest.param(f"{_TO_CORP}{{.corp: {{{_WITH_AUTH}}}}}", [], id="leading-dot"),
        pytest.param(f"{_TO_CORP}{{quay.io: {{{_WITH_AUTH}}}}}", ["K3S032"], id="mirror-name"),
        pytest.param(
            f"{_TO_CORP}{{quay.io: {{{_WITH_AUTH}}}, reg.corp:5000: {{{_WITH_AUTH}}}}}",
            [],
            id="both",
        ),
        pytest.param('configs: {"*": {tls: {ca_file: /a}}}', [], id="wildcard-tls-alone"),
        pytest.param(_REWRITE % '"(.*)": "hub/$1"', [], id="everything"),
        pytest.param(_REWRITE % '"^library/(.*)": "$1"', [], id="library-goes-away"),
        pytest.param(_REWRITE % '"/": "-"', [], id="flat-names"),
        pytest.param(_REWRITE % '"^([^/]+)/(.*)": "${2}/$1"', [], id="turned-around"),
        pytest.param(_REWRITE % '"^(?i)rancher/": "r/"', [], id="any-case"),
        pytest.param(_REWRITE % '"^a/": "x/", "^b/": "x/"', [], id="apart"),
        pytest.param(_REWRITE % '"^a/": "x/", "^a/b": "x/b"', [], id="overlap-with-equal-result"),
        pytest.param(
            _REWRITE % '"^a/": "x/", "^[a-c]/": "y/"', ["K3S064"], id="overlap-in-a-class"
        ),
        pytest.param(_REWRITE % '"^Team/(.*)": "$1"', ["K3S068"], id="upper-case-pattern"),
        pytest.param(_REWRITE % '"^/rancher/": "r/"', ["K3S068"], id="slash-in-front"),
        pytest.param(_REWRITE % '"^ghcr[.]io/": "r/"', ["K3S068"], id="host-in-pattern"),
        pytest.param(_REWRITE % '"^a/(.*)": "https://h/$1"', ["K3S067"], id="url"),
        pytest.param(_REWRITE % '"^a/(.*)": "r.corp/$1"', ["K3S067"], id="host-in-replacement"),
        pytest.param(_REWRITE % '"^a/(.*)": ""', ["K3S067"], id="nothing-left"),
        pytest.param(_REWRITE % '"^nginx": "x"', [], id="a-prefix-of-namespaces"),
    ],
)
def test_near_misses_are_told_apart(text: str, codes: list[str]) -> None:
    found = _findings(text)
    assert [each.code for each in found if each.severity is not Severity.INFO] == codes


_SECRETS = """
mirrors:
  docker.io:
    endpoint: ["https://mallory:hunter2@r.example.com", "http://r.corp", "https://hunter2:x{@r", "u:hunter2@a", "u:hunter2@a"]
configs:
  r.corp: {auth: {username: hunter2}}
  a.corp: {auth: {password: hunter2}}
  b.corp: {auth: {auth: hunter2}}
  c.corp: {auth: {username: u, password: "{{ hunter2 }}"}}
  d.corp: {auth: {username: u, token: hunter2}}
  e.corp: {auth: [hunter2]}
  f.corp: {auth: hunter2}
  g.corp: hunter2
  h.corp: {auth: {password: [hunter2]}}
  "*": {auth: {username: u, password: hunter2}}
auths: {"https://f.corp": {password: hunter2}}
"""


def test_no_finding_shows_a_secret() -> None:
    found = _findings(_SECRETS)
    assert len(found) > 10
    assert not [each for each in found if "hunter2" in f"{each.message} {each.hint}"]
