"""The Secret registry-info, and what it shares with the values of the charts: what the rules' pages do not reach."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest

from planner.check import check
from planner.config import LintSettings
from planner.core.edits import apply_edits
from planner.core.lint import Finding, Peer, Severity, lint
from planner.core.reader import read
from planner.specs.palette import FAMILY
from planner.specs.palette.settings import settings_of

EXAMPLES = Path(__file__).parent.parent / "examples" / "palette"
HOST = "harbor.example.org"
LIST = f"docker.io::{HOST}/a/docker.io,quay.io::{HOST}/a/quay.io"
SETTINGS = {"DOMAIN": HOST, "BASE_PATH": "a", "INSECURE": "false", "MIRROR_REGISTRIES": LIST}
HEAD = """\
apiVersion: v1
kind: Secret
metadata: {name: registry-info, namespace: jet-system}
type: Opaque
"""
PEM = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"


def b64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def quoted(text: str) -> str:
    escaped = text.replace("\n", "\\n")
    return f'"{escaped}"'


def secret(field: str = "stringData", **settings: str) -> str:
    lines = (f"  {key}: {quoted(text)}\n" for key, text in {**SETTINGS, **settings}.items())
    return f"{HEAD}{field}:\n{''.join(lines)}"


def values(*, more: str = "", **settings: str) -> str:
    block = {
        "endpoint": HOST,
        "name": "r",
        "baseContentPath": "a",
        "insecureSkipVerify": "false",
        "mirrorRegistries": LIST,
        **settings,
    }
    lines = (
        f"    {key}: {text if text in ('true', 'false') else quoted(text)}\n"
        for key, text in block.items()
    )
    return f"config:\n{more}  ociImageRegistry:\n{''.join(lines)}"


def findings(
    text: str, *peers: str, is_near: bool = True, family: str = "palette"
) -> list[Finding]:
    """What the rules of this side say about a file, and about it beside others."""
    spec = read("registry-secret.yaml" if "registry-info" in text else "values.yaml", text)
    beside = [
        Peer(family, read(f"peer{number}.yaml", each), is_near)
        for number, each in enumerate(peers, 1)
    ]
    found = lint(spec, FAMILY.layers(spec), FAMILY.rules, beside)
    return [each for each in found if each.code >= "PAL100"]


def codes(text: str, *peers: str, is_near: bool = True, family: str = "palette") -> list[str]:
    return [each.code for each in findings(text, *peers, is_near=is_near, family=family)]


def in_data(**settings: str) -> str:
    return secret("data", **{key: b64(text) for key, text in {**SETTINGS, **settings}.items()})


@pytest.mark.parametrize("text", [secret(), in_data(), f"---\n{secret()}---\n", f"{secret()}---\n"])
def test_a_complete_secret_is_clean(text: str) -> None:
    assert codes(text, values()) == []


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        pytest.param({"DOMAIN": f"https://{HOST}"}, "PAL105", id="scheme"),
        pytest.param({"DOMAIN": f"user@{HOST}"}, "PAL105", id="user"),
        pytest.param({"DOMAIN": f"{HOST}:99999"}, "PAL105", id="port"),
        pytest.param({"DOMAIN": f"{HOST} x"}, "PAL105", id="blank-inside"),
        pytest.param({"DOMAIN": HOST.upper()}, "PAL105", id="capitals"),
        pytest.param({"DOMAIN": f"{HOST}\n"}, "PAL111", id="line-end"),
        pytest.param({"DOMAIN": ""}, "PAL103", id="empty"),
        pytest.param({"DOMAIN": b64(HOST)}, "PAL112", id="encoded-twice"),
        pytest.param({"INSECURE": "True"}, "PAL104", id="upper-case"),
        pytest.param({"INSECURE": "no"}, "PAL104", id="no"),
        pytest.param({"INSECURE": b64("true")}, "PAL112", id="encoded-switch"),
        pytest.param({"PASSWORD": "secret-word\n", "USERNAME": "u"}, "PAL111", id="password"),
    ],
)
def test_a_mistake_is_found_in_either_field(settings: dict[str, str], expected: str) -> None:
    assert codes(secret(**settings)) == [expected]
    assert codes(in_data(**settings)) == [expected]


@pytest.mark.parametrize(
    "domain", [f"{HOST}:8443", "public.ecr.aws/a1b2", "localhost:5000", "[2001:db8::1]:5000"]
)
def test_hosts_with_port_or_path_are_domains(domain: str) -> None:
    assert codes(secret(DOMAIN=domain)).count("PAL105") == 0


def test_a_path_in_the_domain_is_a_warning() -> None:
    (found,) = findings(secret(DOMAIN=f"{HOST}/a"))
    assert (found.code, found.severity) == ("PAL105", Severity.WARNING)
    assert found.hint == f"write {HOST}, and a into BASE_PATH"


def test_a_hint_repairs_the_domain() -> None:
    (found,) = findings(secret(DOMAIN=f"https://{HOST}:8443/"))
    assert found.hint == f"write {HOST}:8443"


def test_what_is_written_in_stringdata_counts() -> None:
    text = f"{secret()}data:\n  DOMAIN: {b64('other.example.org')}\n  BASE_PATH: {b64('a')}\n"
    (settings,) = settings_of(read("s.yaml", text))
    assert settings.endpoint.text == HOST
    assert codes(text) == ["PAL113"]


@pytest.mark.parametrize("name", ["PASSWORD", "USERNAME"])
@pytest.mark.parametrize("field", ["stringData", "data"])
@pytest.mark.parametrize("written", ["hunter-two", "123456", "aHVudGVyLXR3bw==", "' hunter-two'"])
def test_no_message_shows_a_credential(name: str, field: str, written: str) -> None:
    text = f"{HEAD}{field}:\n  {name}: {written}\n"
    peer = values(username="hunter-three", password="hunter-three")
    for found in findings(text, peer):
        assert "hunter" not in found.message + found.hint
        assert "123456" not in found.message + found.hint


@pytest.mark.parametrize(
    ("line", "severity"),
    [
        pytest.param("apiVersion: v1", Severity.ERROR, id="apiVersion"),
        pytest.param("type: Opaque", Severity.WARNING, id="type"),
        pytest.param(", namespace: jet-system", Severity.WARNING, id="namespace"),
    ],
)
def test_a_missing_part_of_the_identity_is_found(line: str, severity: Severity) -> None:
    (found,) = findings(secret().replace(line, "", 1))
    assert (found.code, found.severity) == ("PAL100", severity)


@pytest.mark.parametrize("kind", ["ConfigMap", "secret", "null", "{}"])
def test_another_kind_is_found(kind: str) -> None:
    assert codes(secret().replace("kind: Secret", f"kind: {kind}")).count("PAL100") == 1


def test_a_fix_writes_the_fixed_value() -> None:
    (found,) = findings(secret().replace("type: Opaque", "type: Other"))
    assert found.fix
    assert [edit.text for edit in found.fix.edits] == ["Opaque"]


@pytest.mark.parametrize(
    ("settings", "line"),
    [
        pytest.param({"DOMAIN": f"https://{HOST}/"}, f'DOMAIN: "{HOST}"', id="domain"),
        pytest.param({"DOMAIN": f"{HOST}\n"}, f'DOMAIN: "{HOST}"', id="line-end"),
        pytest.param({"INSECURE": "False"}, 'INSECURE: "false"', id="switch"),
    ],
)
def test_a_fix_leaves_nothing_to_find(settings: dict[str, str], line: str) -> None:
    text = secret(**settings)
    (found,) = findings(text)
    assert found.fix
    assert line in apply_edits(text, found.fix.edits).text
    assert codes(apply_edits(text, found.fix.edits).text) == []


def test_an_encoded_value_is_fixed_in_its_encoding() -> None:
    text = in_data(DOMAIN=f"{HOST}\n")
    (found,) = findings(text)
    assert found.fix
    assert apply_edits(text, found.fix.edits).text == in_data()


def test_no_fix_holds_a_credential() -> None:
    (found,) = findings(secret(USERNAME="u", PASSWORD="hunter-two\n"))
    assert found.fix is None


def test_the_only_secret_of_a_file_is_judged_whatever_its_name() -> None:
    text = secret().replace("registry-info", "registry-information")
    assert "PAL100" in codes(f"{HEAD.replace('registry-info', 'registry-information')}")
    assert codes(text) == ["PAL100"]


def test_another_secret_beside_it_is_left_alone() -> None:
    other = "---\napiVersion: v1\nkind: Secret\nmetadata: {name: pull}\ndata: {.dockerconfigjson: e30=}\n"
    assert codes(secret() + other) == []


def test_a_secret_without_settings_lacks_all_four() -> None:
    (found,) = findings(HEAD)
    assert found.message.startswith("DOMAIN, BASE_PATH, INSECURE, MIRROR_REGISTRIES are missing")


def test_the_same_secret_in_another_namespace_is_no_repetition() -> None:
    other = secret().replace("jet-system", "other")
    assert codes(f"{secret()}---\n{other}") == ["PAL100"]
    assert codes(f"{secret()}---\n{secret()}") == ["PAL101"]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        pytest.param("a::b/c #,d::e/f", ["PAL114"], id="cut"),
        pytest.param("a::b/c # the list", [], id="comment"),
        pytest.param("'a::b/c' # d::e/f", [], id="quoted"),
        pytest.param("a::b/c#,d::e/f", [], id="no-comment"),
    ],
)
def test_only_a_list_that_a_comment_cuts_is_found(line: str, expected: list[str]) -> None:
    text = f"{HEAD}stringData:\n  MIRROR_REGISTRIES: {line}\n"
    assert [each for each in codes(text) if each == "PAL114"] == expected


def test_both_files_point_at_each_other() -> None:
    for text, peer in (
        (secret(DOMAIN="x.example.org"), values()),
        (values(), secret(DOMAIN="x.org")),
    ):
        (found,) = findings(text, peer)
        (related,) = found.related
        assert (found.code, related.file) == ("PAL120", "peer1.yaml")
        assert related.span.line > 1


@pytest.mark.parametrize(
    ("settings", "block", "expected"),
    [
        pytest.param({}, {"endpoint": f"https://{HOST.upper()}/"}, [], id="spelling"),
        pytest.param({"BASE_PATH": "a"}, {"baseContentPath": "/a/"}, [], id="slashes"),
        pytest.param({"BASE_PATH": "a"}, {"baseContentPath": "b"}, ["PAL121"], id="path"),
        pytest.param(
            {"BASE_PATH": "b", "MIRROR_REGISTRIES": LIST.replace("/a/", "/b/")},
            {},
            ["PAL121"],
            id="path-and-targets",
        ),
        pytest.param({"INSECURE": "true"}, {}, ["PAL122"], id="insecure"),
        pytest.param({"INSECURE": "true"}, {"insecureSkipVerify": "true"}, [], id="both-insecure"),
        pytest.param({"USERNAME": "u", "PASSWORD": "p"}, {}, ["PAL123"] * 2, id="one-logs-in"),
        pytest.param(
            {"USERNAME": "u", "PASSWORD": "p"},
            {"username": "u", "password": "q"},
            ["PAL123"],
            id="password",
        ),
        pytest.param({"CA_CERT": PEM}, {"caCert": b64(PEM)}, [], id="ca-forms"),
        pytest.param({"CA_CERT": PEM}, {"caCert": f"\n{PEM}\n"}, [], id="ca-blanks"),
        pytest.param({"CA_CERT": PEM}, {"caCert": PEM.replace("A", "B")}, ["PAL124"], id="ca"),
        pytest.param({"CA_CERT": PEM}, {}, ["PAL124"], id="ca-missing-there"),
        pytest.param({}, {"caCert": PEM}, ["PAL124"], id="ca-missing-here"),
    ],
)
def test_settings_are_compared_by_what_they_mean(
    settings: dict[str, str], block: dict[str, str], expected: list[str]
) -> None:
    assert codes(secret(**settings), values(**block)) == expected
    assert codes(in_data(**settings), values(**block)) == expected
    assert codes(values(**block), secret(**settings)) == expected


@pytest.mark.parametrize(
    ("own", "other", "expected"),
    [
        pytest.param("a.io::r/a,b.io::r/b", "b.io::r/b,a.io::r/a", [], id="order"),
        pytest.param("a.io::r/a", "a.io::r/a,b.io::r/b", ["PAL125"], id="lacking"),
        pytest.param("a.io::r/a,b.io::r/b", "a.io::r/a", ["PAL125"], id="more"),
        pytest.param("a.io::r/a,b.io::r/b", "a.io::r/b,b.io::r/a", ["PAL125"] * 2, id="swapped"),
        pytest.param("a.io=r/a", "a.io::r/a", [], id="malformed-here"),
        pytest.param("a.io::r/a,b.io::r/b", "a.io::r/a,b.io=r/b", [], id="malformed-there"),
        pytest.param("a.io\n b.io::r/a", "a.io::r/a", [], id="several-words"),
        pytest.param("", "a.io::r/a", ["PAL103"], id="empty"),
        pytest.param("a.io::r/v2/a", "a.io::r/a", ["PAL126"], id="api-here"),
        pytest.param("a.io::r/a", "a.io::r/v2/a", ["PAL126"], id="api-there"),
        pytest.param("a.io::r/v2/a", "a.io::r/v2/a", [], id="api-in-both"),
        pytest.param("a.io::https://r/v2/a", "a.io::r/b", ["PAL125", "PAL126"], id="both"),
    ],
)
def test_lists_are_compared_as_sets(own: str, other: str, expected: list[str]) -> None:
    found = codes(secret(MIRROR_REGISTRIES=own), values(mirrorRegistries=other))
    assert sorted(found) == expected


def test_a_moved_target_is_blamed_itself() -> None:
    (found,) = findings(secret(MIRROR_REGISTRIES=LIST.replace("a/quay.io", "b/quay.io")), values())
    assert (
        found.message == f"quay.io goes to {HOST}/b/quay.io, but to {HOST}/a/quay.io in peer1.yaml"
    )
    assert found.span.column > secret().splitlines()[-1].index("docker.io")


def test_the_values_of_both_charts_are_compared() -> None:
    chart = values(more="  installationMode: airgap\n", endpoint="x.example.org")
    assert codes(values(), chart) == ["PAL120"]
    assert codes(chart, values()) == ["PAL120"]


def test_two_files_of_one_kind_are_not_compared() -> None:
    other = values(endpoint="x.example.org")
    assert codes(values(), other) == []
    assert codes(secret(), secret(DOMAIN="x.example.org")) == []


def test_the_file_most_alike_is_the_counterpart() -> None:
    other = values(endpoint="x.example.org", baseContentPath="b", mirrorRegistries="a.io::x/b")
    assert codes(secret(), other, values()) == []
    assert codes(secret(BASE_PATH="c"), other, values()) == ["PAL121"]


@pytest.mark.parametrize(("is_near", "family"), [(False, "palette"), (True, "k3s")])
def test_files_of_other_clusters_and_families_are_not_compared(is_near: bool, family: str) -> None:
    other = values(endpoint="x.example.org")
    assert codes(secret(), other, is_near=is_near, family=family) == []


def test_values_and_secret_in_one_file_are_compared() -> None:
    text = f"{values(endpoint='x.example.org')}---\n{secret()}"
    assert codes(text).count("PAL120") == 2


def test_a_template_is_not_compared() -> None:
    blank = {key: f"REPLACE_WITH_{key}" for key in (*SETTINGS, "USERNAME", "PASSWORD", "CA_CERT")}
    assert codes(secret(**blank), values()) == []
    assert codes(secret(MIRROR_REGISTRIES="docker.io::OCI_URL/a"), values()) == []


def test_a_block_that_is_not_used_is_not_compared() -> None:
    unused = {"endpoint": "", "baseContentPath": "", "mirrorRegistries": "", "name": ""}
    insecure = secret(INSECURE="true", USERNAME="u", PASSWORD="p")
    assert codes(insecure, values(**unused)) == []
    assert codes(values(**unused), insecure) == []


def test_an_address_is_shown_without_the_credentials_in_it() -> None:
    address = "robot:hunter-two@x.example.org"
    for text in (secret(DOMAIN=address), in_data(DOMAIN=address), values(endpoint=address)):
        spec = read("f.yaml", text)
        peers = [Peer("palette", read(f"{each[0]}.yaml", each)) for each in (secret(), values())]
        found = lint(spec, FAMILY.layers(spec), FAMILY.rules, peers)
        assert {"PAL020", "PAL105", "PAL120"} & {each.code for each in found}
        assert not any("hunter" in each.message + each.hint for each in found)


def test_the_template_as_printed_is_no_yaml() -> None:
    text = "".join(f" {line}\n" for line in f"---\n{secret()}---".splitlines())
    spec = read("registry-secret.yaml", text)
    assert "YAM001" in [each.code for each in lint(spec, FAMILY.layers(spec), FAMILY.rules)]


def test_the_example_is_clean() -> None:
    paths = [str(EXAMPLES / name) for name in ("registry-secret.yaml", "values.yaml")]
    found = [found for checked in check(paths, "", LintSettings()) for found in checked.findings]
    assert [each for each in found if each.suppressed is None] == []
    assert {each.code for each in found} == {"PAL126"}  # two readers, two forms


def test_the_example_with_mistakes_has_a_finding_on_each_line_with_a_comment() -> None:
    text = (EXAMPLES / "mistakes" / "registry-secret.yaml").read_text("utf-8")
    spec = read("registry-secret.yaml", text)
    found = lint(spec, FAMILY.layers(spec), FAMILY.rules)
    marked = [number for number, line in enumerate(text.splitlines(), 1) if "  #" in line]
    assert len(marked) == 8
    assert {*marked} <= {each.span.line for each in found}
