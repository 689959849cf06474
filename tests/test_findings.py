"""Each format as its consumers read it, also when a spec says things that could steer them."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from jsonschema import Draft4Validator

from planner.check import Checked, rules
from planner.core import schema
from planner.core.document import Span
from planner.core.lint import BUILT_IN, Finding, Related, Severity, Suppression
from planner.core.reader import read
from planner.ui.findings import FORMATS, writer_of
from planner.ui.findings.counting import statistics
from planner.ui.findings.sarif_rules import described_rules
from planner.ui.style import Style

SARIF_SCHEMA = json.loads((Path(__file__).parent / "data/sarif-2.1.0-rtm.5.json").read_bytes())
HOSTILE_FILE = "my specs/a,b:c|`d`%.yaml"
HOSTILE = Finding(
    HOSTILE_FILE,
    Span(2, 3, 2, 7),
    "SCH001",
    "unknown_key",
    "a|b 100%\n::error::x ]]> \x1b[31m`<b>` @team [l](u)",
    "",
    path=("a", 0),
    related=(Related(HOSTILE_FILE, Span(1, 1, 1, 2), "first\x1b"),),
)
PLAIN = Finding("k.yaml", Span(3, 5, 3, 14), "K3S002", "invalid_rewrite_pattern", "m", "do this")
WARNING = PLAIN._replace(severity=Severity.WARNING, code="K3S003", name="other")
INFO = PLAIN._replace(severity=Severity.INFO, code="SCH004", name="invalid_value")
HIDDEN = PLAIN._replace(message="hidden", suppressed=Suppression("comment", "known"))


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def checked(*findings: Finding, file: str = "", kind: str = "k3s") -> Checked:
    name = file or (findings[0].file if findings else "clean.yaml")
    return Checked(read(name, "a: 1\n  b: 2\n"), kind, findings)


def written(form: str, *each: Checked) -> str:
    return writer_of(form)(each, Style())


def sarif(*findings: Finding) -> Any:
    """The only run of a log that the published schema accepts."""
    log = json.loads(written("sarif", checked(*findings)))
    assert [error.message for error in Draft4Validator(SARIF_SCHEMA).iter_errors(log)] == []
    return log["runs"][0]


GOLDEN = {
    "text": r"""error[SCH001 unknown_key]: a|b 100%
::error::x ]]> \x1b[31m`<b>` @team [l](u)
  --> my specs/a,b:c|`d`%.yaml:2:3
    2 |   b: 2
      |   ^^^^
  ::: my specs/a,b:c|`d`%.yaml:1:1 first\x1b
    1 | a: 1
      | -

1 spec checked: 1 error
""",
    "concise": r"""my specs/a,b:c|`d`%.yaml:2:3: error SCH001 a|b 100%\n::error::x ]]> \x1b[31m`<b>` @team [l](u)
""",
    "github": r"""::error file=my specs/a%2Cb%3Ac|`d`%25.yaml,line=2,col=3,endLine=2,endColumn=7,"""
    r"""title=SCH001 unknown_key::a|b 100%25%0A::error::x ]]> \x1b[31m`<b>` @team [l](u)
""",
    "junit": r"""<?xml version="1.0" encoding="UTF-8"?>
<testsuites name="planner lint" tests="1" failures="1" errors="0" skipped="0" time="0">
 <testsuite name="my specs/a,b:c|`d`%.yaml" tests="1" failures="1" errors="0" skipped="0" time="0">
  <testcase name="SCH001 unknown_key" classname="my specs/a,b:c|`d`%.yaml" file="my specs/a,b:c|`d`%.yaml" time="0">
   <failure message="a|b 100%\n::error::x ]]&gt; \x1b[31m`&lt;b&gt;` @team [l](u)" type="error">"""
    r"""my specs/a,b:c|`d`%.yaml:2:3: error: a|b 100%
::error::x ]]&gt; \x1b[31m`&lt;b&gt;` @team [l](u)</failure>
  </testcase>
 </testsuite>
</testsuites>
""",
    "markdown": """**planner lint**: 1 spec checked: 1 error

### ``my specs/a,b:c|`d`%.yaml``

| line | severity | rule | finding |
| ---: | --- | --- | --- |
| 2:3 | error | `SCH001` unknown\\_key | """
    "a\\|b 100%<br>::error::x \\]\\]&gt; \\\\x1b\\[31m\\`&lt;b&gt;\\` @\u200bteam \\[l\\]\\(u\\) |\n",
}


@pytest.mark.parametrize("form", GOLDEN)
def test_what_a_spec_says_steers_nobody(form: str) -> None:
    assert written(form, checked(HOSTILE)) == GOLDEN[form]


@pytest.mark.parametrize("form", FORMATS)
def test_no_format_lets_a_control_character_through(form: str) -> None:
    text = written(form, checked(HOSTILE))
    assert not [each for each in text if ord(each) < 0x20 and each != "\n"]


@pytest.mark.parametrize("form", FORMATS)
def test_suppressed_findings_are_shown_by_json_and_sarif_only(form: str) -> None:
    text = written(form, checked(HIDDEN))
    assert ("hidden" in text) == (form in ("json", "sarif"))
    assert "1 error" not in text


@pytest.mark.parametrize("form", FORMATS)
def test_every_format_can_say_that_there_is_nothing(form: str) -> None:
    assert writer_of(form)((), Style()).count("error:") == 0
    assert written(form, checked()) is not None


# json


def test_json_keeps_who_suppressed_a_finding_and_does_not_count_it() -> None:
    document = json.loads(written("json", checked(PLAIN, HIDDEN)))
    assert [each["suppressed"] for each in document["findings"]] == [
        None,
        {"by": "comment", "reason": "known"},
    ]
    assert document["summary"] == {"files": 1, "error": 1, "warning": 0, "info": 0}
    assert schema.violations("formats/lint", document) == []


# sarif


def test_a_place_in_sarif_is_relative_and_ends_before_its_end() -> None:
    run = sarif(HOSTILE)
    (location,) = run["results"][0]["locations"]
    assert location["physicalLocation"] == {
        "artifactLocation": {
            "uri": "my%20specs/a%2Cb%3Ac%7C%60d%60%25.yaml",
            "uriBaseId": "%SRCROOT%",
        },
        "region": {"startLine": 2, "startColumn": 3, "endLine": 2, "endColumn": 7},
    }
    assert run["columnKind"] == "unicodeCodePoints"
    assert run["originalUriBaseIds"]["%SRCROOT%"]["uri"] == f"{Path.cwd().as_uri()}/"


def test_a_file_elsewhere_has_an_absolute_uri_in_sarif() -> None:
    (result,) = sarif(PLAIN._replace(file="../x y.yaml"))["results"]
    uri = (Path.cwd().parent / "x y.yaml").as_uri()
    assert result["locations"][0]["physicalLocation"]["artifactLocation"] == {"uri": uri}


def test_sarif_names_related_places_and_levels() -> None:
    results = sarif(HOSTILE, WARNING, INFO)["results"]
    assert [each["level"] for each in results] == ["error", "warning", "note"]
    (related,) = results[0]["relatedLocations"]
    assert (related["id"], related["message"]) == (1, {"text": "first\\x1b"})
    assert results[1]["message"] == {"text": "m\ndo this"}


def test_a_message_makes_no_link_in_sarif() -> None:
    (result,) = sarif(HOSTILE)["results"]
    assert result["message"]["text"].endswith(" \\[l](u)")


@pytest.mark.parametrize(("by", "kind"), [("comment", "inSource"), ("baseline", "external")])
def test_sarif_keeps_suppressed_results(by: Any, kind: str) -> None:
    results = sarif(PLAIN, PLAIN._replace(suppressed=Suppression(by, "known")))["results"]
    accepted = {"kind": kind, "status": "accepted", "justification": "known"}
    assert [each["suppressions"] for each in results] == [[], [accepted]]


def test_equal_findings_have_different_line_hashes() -> None:
    hashes = [
        each["partialFingerprints"]["primaryLocationLineHash"]
        for each in sarif(PLAIN, PLAIN._replace(span=Span(9, 1, 9, 2)))["results"]
    ]
    assert [each.partition(":")[2] for each in hashes] == ["1", "2"]
    assert len({each.partition(":")[0] for each in hashes}) == 1


def test_results_point_at_their_rule() -> None:
    run = sarif(PLAIN, HOSTILE, INFO)
    described = run["tool"]["driver"]["rules"]
    assert [described[each["ruleIndex"]]["id"] for each in run["results"]] == [
        "K3S002",
        "SCH001",
        "SCH004",
    ]


def test_every_rule_can_be_described_in_sarif() -> None:
    names = [(rule.code, rule.name) for rule in rules()] + [
        (c, n) for c, (n, _) in BUILT_IN.items()
    ]
    described = {each["id"]: each for each in described_rules(names)}
    assert len(described) == len(names)
    for each in described.values():
        assert each["shortDescription"]["text"]
        assert each["help"]["markdown"].count("```") % 2 == 0
        assert each["properties"]["tags"] != ["planner"]
    assert "**Bad:**\n\n```yaml\nmirrors:\n" in described["K3S002"]["help"]["markdown"]


# github


def many(severity: Severity, count: int) -> Iterable[Finding]:
    return (PLAIN._replace(severity=severity, span=Span(n, 1, n, 2)) for n in range(1, count + 1))


def test_github_gets_errors_first() -> None:
    lines = written("github", checked(INFO, WARNING, PLAIN)).splitlines()
    assert [line.split()[0] for line in lines] == ["::error", "::warning", "::notice"]


@pytest.mark.parametrize(
    ("errors", "warnings", "notice"),
    [
        pytest.param(10, 10, "", id="all-shown"),
        pytest.param(11, 1, "1 more finding", id="one"),
        pytest.param(12, 13, "5 more findings", id="both"),
    ],
)
def test_github_is_told_what_it_does_not_show(errors: int, warnings: int, notice: str) -> None:
    found = (*many(Severity.WARNING, warnings), *many(Severity.ERROR, errors))
    lines = written("github", checked(*found)).splitlines()
    last = [f"::notice title=planner lint::{notice} in the log of this step"] if notice else []
    assert lines[errors + warnings :] == last


def test_github_gets_columns_only_within_a_line() -> None:
    text = written("github", checked(PLAIN._replace(span=Span(3, 5, 4, 1))))
    assert text.startswith("::error file=k.yaml,line=3,endLine=4,title=")


# gitlab


def test_gitlab_gets_what_it_needs() -> None:
    issues = json.loads(written("gitlab", checked(HOSTILE, WARNING, INFO)))
    assert [each["severity"] for each in issues] == ["major", "minor", "info"]
    assert {"description", "check_name", "fingerprint", "severity", "location"} == set(issues[0])
    assert issues[0]["location"]["path"] == HOSTILE_FILE
    assert issues[0]["location"]["lines"] == {"begin": 2, "end": 2}
    assert issues[0]["location"]["positions"]["begin"] == {"line": 2, "column": 3}


def test_fingerprints_for_gitlab_are_unique_and_stay_when_lines_move() -> None:
    def fingerprints(*lines: int) -> list[str]:
        found = (PLAIN._replace(span=Span(line, 1, line, 2)) for line in lines)
        return [each["fingerprint"] for each in json.loads(written("gitlab", checked(*found)))]

    assert len(set(fingerprints(1, 2, 3))) == 3
    assert fingerprints(1, 2, 3) == fingerprints(4, 5, 6)


@pytest.mark.parametrize("form", ["github", "gitlab", "sarif", "junit", "markdown"])
def test_absolute_paths_below_the_working_directory_become_relative(form: str, here: Path) -> None:
    text = written(form, checked(PLAIN._replace(file=str(here / "sub/k.yaml"))))
    assert "sub/k.yaml" in text
    assert f"{here}/sub" not in text


# junit


def test_junit_has_a_suite_for_each_file_and_a_case_for_each_broken_rule() -> None:
    text = written("junit", checked(PLAIN, WARNING, PLAIN), checked(), checked(file="x", kind=""))
    root = ET.fromstring(text)
    assert [(each.get("name"), each.get("tests"), each.get("failures")) for each in root] == [
        ("k.yaml", "2", "2"),
        ("clean.yaml", "1", "0"),
    ]
    assert root.attrib.items() >= {"tests": "3", "failures": "2", "errors": "0"}.items()
    first = root.find("testsuite/testcase")
    assert first is not None
    assert (first.get("name"), first.get("classname")) == (
        "K3S002 invalid_rewrite_pattern",
        "k.yaml",
    )
    assert first.findtext("failure", "").count("k.yaml:3:5: error: m\ndo this") == 2


def test_junit_reads_back_what_a_spec_said() -> None:
    failure = ET.fromstring(written("junit", checked(HOSTILE))).find(".//failure")
    assert failure is not None
    assert failure.get("message") == "a|b 100%\\n::error::x ]]> \\x1b[31m`<b>` @team [l](u)"


# markdown


def test_a_long_table_is_folded() -> None:
    text = written("markdown", checked(*many(Severity.ERROR, 11)))
    assert "<summary><code>k.yaml</code>: 11 findings</summary>\n\n| line |" in text
    assert text.endswith("|\n\n</details>\n")


def test_a_very_long_report_is_cut_and_says_so() -> None:
    text = written(
        "markdown", checked(*many(Severity.ERROR, 150)), checked(*many(Severity.INFO, 53))
    )
    assert text.count("| `K3S002`") == 200
    assert text.endswith("… and 3 more findings.\n")


def test_a_clean_run_has_no_table() -> None:
    assert written("markdown", checked()) == "**planner lint**: 1 spec checked: no findings\n"


# statistics


def test_statistics_name_the_most_frequent_rule_first() -> None:
    found = (WARNING, HOSTILE, *many(Severity.ERROR, 10), HIDDEN)
    assert statistics([checked(*found)]).splitlines() == [
        "10  K3S002  invalid_rewrite_pattern",
        " 1  K3S003  other",
        " 1  SCH001  unknown_key",
        "1 spec checked: 11 errors, 1 warning (1 suppressed)",
    ]
