"""planner.yaml: found from below, relative to itself, and strict."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from planner.config import (
    Config,
    ConfigError,
    RegistrySettings,
    load_config,
    parse_config,
    read_spec,
)
from planner.core.config_words import unknown_rules
from planner.core.errors import InputError, RegistryError, UsageError
from planner.core.lint import Severity
from planner.core.schema import load
from planner.specs import NAMES
from planner.stores.opening import Places, Stores
from planner.stores.registry import Registry

FULL = """\
version: 1
registries:
  docker.io: {endpoint: "https://mirror.corp/dockerhub", parallelism: 2}
  registry.corp:5000:
    plain_http: true
    tls: {ca_file: certs/ca.pem, cert_file: /etc/me.pem, key_file: me.key, insecure_skip_verify: true}
    credentials: {helper: ecr-login}
clusters:
  - {name: edge, spec: edge/registries.yaml, kind: k3s, release: v1, images: [a.txt, /b.txt]}
lint: {ignore: [K3S001], per_file: {"*.yaml": [K3S002]}, fail_on: warning}
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository, in which we stand."""
    (tmp_path / ".git").mkdir()
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write(folder: Path, text: str) -> Path:
    path = folder / "planner.yaml"
    path.write_text(text)
    return path


def problem(folder: Path, text: str) -> str:
    with pytest.raises(UsageError) as caught:
        parse_config(write(folder, text))
    assert caught.value.exit_code == 64
    return caught.value.message


def test_everything_can_be_said(folder: Path) -> None:
    config = parse_config(write(folder, FULL))
    hub, corp = config.registries["docker.io"], config.registries["registry.corp:5000"]
    assert (hub.endpoint, hub.parallelism) == ("https://mirror.corp/dockerhub", 2)
    assert (corp.plain_http, corp.credential_helper) == (True, "ecr-login")
    assert corp.tls.insecure_skip_verify
    assert config.lint.ignore == ("K3S001",)
    assert config.lint.per_file == (("*.yaml", ("K3S002",)),)
    assert config.lint.fail_on is Severity.WARNING


def test_paths_are_relative_to_the_file(folder: Path) -> None:
    config = parse_config(write(folder, FULL))
    tls = config.registries["registry.corp:5000"].tls
    assert (tls.ca_file, tls.cert_file) == (f"{folder}/certs/ca.pem", "/etc/me.pem")
    (cluster,) = config.clusters
    assert (cluster.spec, cluster.kind, cluster.release) == (
        f"{folder}/edge/registries.yaml",
        "k3s",
        "v1",
    )
    assert cluster.images == (f"{folder}/a.txt", "/b.txt")


def test_almost_nothing_need_be_said(folder: Path) -> None:
    config = parse_config(write(folder, "version: 1"))
    assert (config.registries, config.clusters, config.lint.fail_on) == ({}, (), Severity.ERROR)


@pytest.mark.parametrize("key", ["registries", "clusters", "lint"])
def test_a_key_may_be_empty(folder: Path, key: str) -> None:
    parse_config(write(folder, f"version: 1\n{key}:\n"))


def test_lint_is_told_what_to_run_and_what_is_accepted(folder: Path) -> None:
    text = "version: 1\nlint: {select: [K3S, unknown_key], baseline: ci/accepted.json}"
    settings = parse_config(write(folder, text)).lint
    assert settings.select == ("K3S", "unknown_key")
    assert (settings.baseline, settings.root) == (f"{folder}/ci/accepted.json", str(folder))


def test_without_a_baseline_there_is_none(folder: Path) -> None:
    assert parse_config(write(folder, "version: 1\nlint: {ignore: [SCH]}")).lint.baseline == ""


def test_nothing_fails_when_told_so(folder: Path) -> None:
    assert parse_config(write(folder, "version: 1\nlint: {fail_on: never}")).lint.fail_on is None


@pytest.mark.parametrize(
    ("text", "place"),
    [
        pytest.param("version: 1\nregistrys: {}", "2:1: ", id="unknown-key"),
        pytest.param("version: 1\nregistries: {a: {endpont: x}}", "2:18: ", id="unknown-inner"),
        pytest.param("version: 2", "1:10: ", id="version"),
        pytest.param("clusters: []", "1:1: ", id="no-version"),
        pytest.param("version: 1\nclusters: [{name: a}]", "2:13: ", id="cluster-without-spec"),
        pytest.param("version: 1\nregistries: {a: {parallelism: 0}}", "2:31: ", id="too-small"),
        pytest.param("version: 1\nregistries: {a: {parallelism: x}}", "2:31: ", id="no-number"),
        pytest.param("version: 1\nregistries: {a: {plain_http: 1}}", "2:30: ", id="no-boolean"),
        pytest.param("version: 1\nversion: 1", "2:1: ", id="twice"),
        pytest.param("version: 1\nclusters: [}", "2:12: ", id="broken"),
    ],
)
def test_a_mistake_is_told_with_its_place(folder: Path, text: str, place: str) -> None:
    message = problem(folder, text)
    assert message.startswith(f"{folder}/planner.yaml cannot be used:\n")
    assert f"  {folder}/planner.yaml:{place}" in message


def test_all_mistakes_are_told_at_once(folder: Path) -> None:
    assert len(problem(folder, "version: 2\nx: 1\ny: 2").splitlines()) == 4


def test_the_nearest_file_is_found_from_below(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(folder, "version: 1")
    (folder / "a/b").mkdir(parents=True)
    monkeypatch.chdir(folder / "a/b")
    assert load_config().path == folder / "planner.yaml"
    nearer = write(folder / "a", "version: 1")
    assert load_config().path == nearer


def test_a_file_here_is_named_as_briefly_as_can_be(folder: Path) -> None:
    write(folder, FULL)
    config = load_config()
    assert config.path == Path("planner.yaml")
    assert config.clusters[0].spec == "edge/registries.yaml"


def test_the_search_ends_where_the_repository_ends(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(folder, "version: 1")
    inner = folder / "inner"
    (inner / ".git").mkdir(parents=True)
    monkeypatch.chdir(inner)
    assert load_config() == Config()


def test_no_file_is_no_mistake(folder: Path) -> None:
    assert load_config() == Config()


def test_a_named_file_must_exist(folder: Path) -> None:
    with pytest.raises(InputError, match=r"other\.yaml: cannot be read"):
        load_config("other.yaml")


def places(endpoint: str = "", *, read_from: str = "", write_to: str = "") -> Places:
    settings = {"docker.io": RegistrySettings(endpoint=endpoint)} if endpoint else {}
    return Places(Config(registries=settings), read_from, write_to)


@pytest.mark.parametrize(
    "text",
    [
        "https://me:topsecret@mirror.corp",
        "me:topsecret@mirror.corp",
        "https://me@mirror.corp/path",
        "ftp://mirror.corp",
        "https://",
        "oci:",
        "oci-archive:x.tar",
    ],
)
def test_an_address_that_cannot_be_used_is_refused_without_its_secret(text: str) -> None:
    for each in (places(text), places(read_from=text), places(write_to=text)):
        with pytest.raises(UsageError) as caught:
            Stores(each)
        assert "topsecret" not in repr(caught.value)
        assert caught.value.hint


@pytest.mark.parametrize(
    ("registry", "settings", "expected"),
    [
        pytest.param("r.corp", {}, "https://r.corp", id="own"),
        pytest.param("docker.io", {}, "https://registry-1.docker.io", id="hub"),
        pytest.param("localhost:5000", {}, "http://localhost:5000", id="loopback"),
        pytest.param("r.corp", {"plain_http": True}, "http://r.corp", id="plain"),
        pytest.param("r.corp", {"endpoint": "http://m/x"}, "http://m/x", id="endpoint"),
        pytest.param("r.corp", {"endpoint": "m.corp/x"}, "https://m.corp/x", id="no-scheme"),
        pytest.param(
            "r.corp",
            {"endpoint": "m.corp", "plain_http": True},
            "http://m.corp",
            id="plain-endpoint",
        ),
        pytest.param("r.corp", {"endpoint": "oci:dir"}, "oci:dir", id="layout"),
    ],
)
def test_where_a_registry_is_contacted(
    registry: str, settings: dict[str, Any], expected: str
) -> None:
    config = Config(registries={registry: RegistrySettings(**settings)})
    assert Places(config).endpoint(registry) == expected


@pytest.mark.parametrize(
    ("override", "expected"),
    [
        ("https://x.corp/y", "https://x.corp/y"),
        ("x.corp", "https://x.corp"),
        ("127.0.0.1:5000", "http://127.0.0.1:5000"),
        ("plain.corp/y", "http://plain.corp/y"),
        ("oci:dir", "oci:dir"),
    ],
)
def test_an_override_goes_before_everything(override: str, expected: str) -> None:
    settings = {
        "r.corp": RegistrySettings(endpoint="https://m.corp"),
        "plain.corp": RegistrySettings(plain_http=True),
    }
    assert Places(Config(registries=settings)).endpoint("r.corp", override) == expected


def test_a_spec_says_how_its_registry_is_reached() -> None:
    assert Places(schemes={"r.corp": "http"}).endpoint("r.corp") == "http://r.corp"


def test_what_is_contacted_elsewhere_is_told() -> None:
    found = places("https://m.corp").contacted(frozenset({"docker.io", "quay.io"}), frozenset())
    assert found == {"docker.io": "https://m.corp"}


def test_an_override_is_reached_by_its_own_settings(tmp_path: Path) -> None:
    settings = {"m.corp": RegistrySettings(credential_helper="none-such")}
    stores = Stores(Places(Config(registries=settings), write_to="https://m.corp"))
    store = stores.target("r.corp")
    assert isinstance(store, Registry)
    with pytest.raises(RegistryError, match="docker-credential-none-such"):
        store._authorizer.describe()


def test_a_store_is_opened_once(tmp_path: Path) -> None:
    stores = Stores(places())
    assert stores.source("r.corp") is stores.target("r.corp")
    assert stores.source("r.corp") is not stores.source("s.corp")


def test_a_layout_as_endpoint_is_relative_to_the_file(folder: Path) -> None:
    write(folder, "version: 1\nregistries: {docker.io: {endpoint: 'oci:stock/hub'}}\n")
    places = Places(parse_config(Path("planner.yaml")))
    assert places.endpoint("docker.io") == "oci:stock/hub"
    assert (
        Places(parse_config(folder / "planner.yaml")).endpoint("docker.io")
        == f"oci:{folder}/stock/hub"
    )


# pyproject.toml.

TOML = """\
[project]
name = "planner-specs"

[tool.planner]
version = 1
clusters = [{name = "edge", spec = "edge/registries.yaml", terraform = true}]

[tool.planner.lint]
ignore = [
    "K3S001",
]
kinds = {"infra/*" = "kubeone"}

[tool.other]
lint = 5
"""


def write_toml(folder: Path, text: str) -> Path:
    path = folder / "pyproject.toml"
    path.write_text(text)
    return path


def test_pyproject_says_the_same(folder: Path) -> None:
    write_toml(folder, TOML)
    config = load_config()
    assert (config.path, config.lint.ignore) == (Path("pyproject.toml"), ("K3S001",))
    assert config.lint.kinds == (("infra/*", "kubeone"),)
    (cluster,) = config.clusters
    assert (cluster.spec, cluster.terraform) == ("edge/registries.yaml", True)


def test_planner_yaml_wins_in_one_folder_and_the_nearer_one_in_two(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(folder, "version: 1")
    write_toml(folder, TOML)
    assert load_config().path == Path("planner.yaml")
    (folder / "a").mkdir()
    write_toml(folder / "a", TOML)
    monkeypatch.chdir(folder / "a")
    assert load_config().path == Path("pyproject.toml")


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("[project]\nname = 'planner'\n", id="no-table"),
        pytest.param("[project\nname = 'planner'\n", id="broken"),
        pytest.param("tool = 5\n# planner", id="no-tools"),
        pytest.param("[tool.plannerx]\nversion = 1\n", id="another"),
    ],
)
def test_a_pyproject_of_others_is_passed_over(
    folder: Path, text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    above = write(folder, "version: 1")
    (folder / "a").mkdir()
    write_toml(folder / "a", text)
    monkeypatch.chdir(folder / "a")
    assert load_config().path == above


def test_a_pyproject_that_is_named_must_speak_of_planner(folder: Path) -> None:
    path = write_toml(folder, "[project]\n")
    with pytest.raises(UsageError, match=r"has no table \[tool\.planner\]"):
        load_config(str(path))


@pytest.mark.parametrize(
    ("text", "place"),
    [
        pytest.param("[tool.planner]\nversion = 2", "2:1: ", id="value"),
        pytest.param("[tool.planner]\n\nversio = 1\nversion = 1", "3:1: ", id="key"),
        pytest.param("[a]\nx = 1\n[tool.planner]", "3:2: ", id="missing"),
        pytest.param(
            "[tool.planner]\nversion = 1\n[ tool . 'planner'.lint ]\nselct = []",
            "4:1: ",
            id="header-in-another-form",
        ),
        pytest.param(
            "[tool.planner]\nversion = 1\n[tool.planner.lint]\n[other]\nselct = 1\n"
            "[tool.planner.registries.a]\nselct = 1",
            "7:1: ",
            id="the-right-table",
        ),
        pytest.param(
            "[tool.planner]\nversion = 1\n[[tool.planner.clusters]]\nname = 'a'\nspec = 'b'\n"
            "[[tool.planner.clusters]]\nname = 'a'\n",
            "7:1: ",
            id="the-second-of-a-list",
        ),
        pytest.param("tool.planner = {version = 2}", "1:1: ", id="dotted"),
        pytest.param("[tool.planner]\nversion = 1\nclusters = [{naem = 1}]", "3:1: ", id="inline"),
        pytest.param("[tool.planner]\nversion = ", "2:1: ", id="cut-off"),
        pytest.param("[tool.planner]\nversion 1", "2:9: ", id="broken"),
    ],
)
def test_a_mistake_in_pyproject_is_told_with_its_line(folder: Path, text: str, place: str) -> None:
    path = write_toml(folder, text)
    with pytest.raises(UsageError) as caught:
        load_config()
    assert f"  {path.name}:{place}" in caught.value.message


def test_the_kinds_that_can_be_written_are_those_there_are() -> None:
    assert load("planner")["properties"]["clusters"]["items"]["properties"]["kind"]["enum"] == [
        *NAMES
    ]


def test_rules_that_do_not_exist_are_found_where_they_stand(folder: Path) -> None:
    text = (
        "version: 1\nlint:\n  select: [K3S, K3]\n  ignore: [unknown_kye, SCH001]\n"
        "  per_file: {'*': [nonsense_]}\n"
    )
    found = unknown_rules(read_spec(write(folder, text)), {"SCH001": "unknown_key", "K3S001": "a"})
    assert [(each.code, each.span[:2]) for each in found] == [
        ("CFG001", (3, 17)),
        ("CFG001", (4, 12)),
        ("CFG001", (5, 20)),
    ]
    assert found[1].hint == "did you mean unknown_key?"


@pytest.mark.parametrize("name", ["x/evil", "../evil", "a b", ""])
def test_a_helper_is_a_program_on_path_and_no_file_of_the_project(folder: Path, name: str) -> None:
    """What has a slash is looked for from the working directory: whoever writes planner.yaml could bring it along."""
    write(folder, f"version: 1\nregistries: {{r.corp: {{credentials: {{helper: '{name}'}}}}}}\n")
    with pytest.raises(ConfigError, match="helper"):
        parse_config(folder / "planner.yaml")
