"""Credentials are found where docker and podman keep them, and are never shown."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from planner.core.errors import RegistryError
from planner.stores.credentials import Credentials, Keyring, find_credentials

HOST = "r.corp:5000"
HUB = "https://index.docker.io/v1/"
MISSING = '{"code": "credentials not found in native keychain"}'


def encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def write(home: Path, config: Any, name: str = ".docker/config.json") -> Path:
    path = home / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(config if isinstance(config, str) else json.dumps(config))
    return path


def write_auth(home: Path, entry: Any, host: str = HOST) -> Path:
    return write(home, {"auths": {host: entry}})


def found(host: str = HOST, helper: str = "", repository: str = "") -> Credentials:
    credentials = find_credentials(host, helper).for_repository(repository)
    assert credentials is not None
    return credentials


def secrets(credentials: Credentials) -> tuple[str, ...]:
    return (
        credentials.username,
        credentials.password,
        credentials.identity_token,
        credentials.registry_token,
    )


@pytest.fixture
def programs(home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The only folder on PATH; helpers are scripts of the system's shell."""
    folder = home / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")
    return folder


def write_helper(programs: Path, answer: str = "", *, code: int = 0, name: str = "fake") -> Path:
    """A helper that notes what it was asked for, and gives one answer."""
    path = programs / f"docker-credential-{name}"
    asked = programs / "asked"
    path.write_text(
        f"#!/bin/sh\necho \"$1 $(cat)\" >> {asked}\ncat <<'END'\n{answer}\nEND\nexit {code}\n"
    )
    path.chmod(0o755)
    return asked


def write_auths(home: Path, users: dict[str, str]) -> Path:
    """A password for each user, by key."""
    entries = {key: {"auth": encoded(f"{user}:p")} for key, user in users.items()}
    return write(home, {"auths": entries})


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        pytest.param({"auth": encoded("me:pass")}, ("me", "pass", "", ""), id="auth"),
        pytest.param({"auth": encoded("me:a:b")}, ("me", "a:b", "", ""), id="colon-in-password"),
        pytest.param({"auth": encoded("me:pass\0")}, ("me", "pass", "", ""), id="zero-at-the-end"),
        pytest.param({"username": "me", "password": "p"}, ("me", "p", "", ""), id="plain"),
        pytest.param({"identitytoken": "idt"}, ("", "", "idt", ""), id="identity-token"),
        pytest.param(
            {"auth": encoded("0000:"), "identitytoken": "idt"}, ("0000", "", "idt", ""), id="acr"
        ),
        pytest.param({"registrytoken": "reg"}, ("", "", "", "reg"), id="registry-token"),
    ],
)
def test_an_entry_of_docker_is_read(
    home: Path, entry: dict[str, str], expected: tuple[str, ...]
) -> None:
    write_auth(home, entry)
    assert secrets(found()) == expected


@pytest.mark.parametrize(
    "entry",
    [
        pytest.param({}, id="empty"),
        pytest.param({"auth": ""}, id="empty-auth"),
        pytest.param({"username": "me"}, id="no-password"),
        pytest.param([], id="no-mapping"),
    ],
)
def test_an_entry_without_secret_is_none(home: Path, entry: Any) -> None:
    write_auth(home, entry)
    assert find_credentials(HOST) == Keyring()


@pytest.mark.parametrize("config", ["[]", '"text"', "{}", '{"auths": []}', '{"auths": null}'])
def test_a_file_without_entries_holds_none(home: Path, config: str) -> None:
    write(home, config)
    assert find_credentials(HOST) == Keyring()


@pytest.mark.parametrize(
    ("key", "host"),
    [
        pytest.param(HOST, HOST, id="host"),
        pytest.param(f"https://{HOST}", HOST, id="url"),
        pytest.param(f"https://{HOST}/v1/", HOST, id="url-with-path"),
        pytest.param(f"https://{HOST}/v2/", HOST, id="url-with-another-path"),
        pytest.param("r.corp", "r.corp:443", id="no-port"),
        pytest.param("r.corp:443", "r.corp", id="port"),
        pytest.param(HUB, "docker.io", id="hub"),
        pytest.param("docker.io", "registry-1.docker.io", id="hub-api-host"),
        pytest.param("registry-1.docker.io", "docker.io", id="hub-by-api-host"),
        pytest.param("index.docker.io", "docker.io", id="hub-index"),
    ],
)
def test_a_key_may_be_written_in_several_ways(home: Path, key: str, host: str) -> None:
    write_auth(home, {"username": "me", "password": "p"}, key)
    assert found(host).username == "me"


@pytest.mark.parametrize(
    "key", ["r.corp", "r.corp:50", "xr.corp:5000", "https://other/r.corp:5000"]
)
def test_another_host_is_not_ours(home: Path, key: str) -> None:
    write_auth(home, {"username": "me", "password": "p"}, key)
    assert find_credentials(HOST) == Keyring()


def test_the_exact_name_goes_before_a_url_of_it(home: Path) -> None:
    write_auths(home, {f"https://{HOST}/v1/": "old", HOST: "new"})
    assert found().username == "new"


@pytest.mark.parametrize(
    ("repository", "user"),
    [
        ("team/app/web", "web"),
        ("team/app", "app"),
        ("team/app/api", "app"),
        ("team/application", "team"),
        ("team", "team"),
        ("teams/app", "all"),
        ("", "all"),
    ],
)
def test_the_narrowest_namespace_counts(home: Path, repository: str, user: str) -> None:
    write_auths(
        home,
        {
            HOST: "all",
            f"{HOST}/team": "team",
            f"{HOST}/team/app/web": "web",
            f"{HOST}/team/app": "app",
            "other.corp/team/app": "somebody",
        },
    )
    assert found(repository=repository).username == user


def test_the_login_of_a_namespace_is_for_nothing_else(home: Path) -> None:
    write_auths(home, {f"{HOST}/team": "team"})
    keyring = find_credentials(HOST)
    assert keyring.for_repository("team/app")
    assert keyring.for_repository("other/app") is None
    assert keyring.for_repository() is None


def test_a_namespace_of_docker_hub(home: Path) -> None:
    write_auths(home, {"docker.io/rancher": "rancher", HUB: "all"})
    assert found("docker.io", repository="rancher/mirrored-pause").username == "rancher"
    assert found("docker.io", repository="library/busybox").username == "all"


def test_a_file_with_a_namespace_leaves_the_rest_to_the_next(home: Path) -> None:
    write_auths(home, {f"{HOST}/team": "team"})
    podmans = {"auths": {HOST: {"auth": encoded("all:p")}}}
    write(home, podmans, ".config/containers/auth.json")
    assert found(repository="team/app").username == "team"
    assert found(repository="other/app").username == "all"


ENVIRONMENT = "REGISTRY_USERNAME and REGISTRY_PASSWORD"


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """A login as EKS Anywhere's tools take it."""
    monkeypatch.setenv("REGISTRY_USERNAME", "robot$eksa")
    monkeypatch.setenv("REGISTRY_PASSWORD", "pass")


@pytest.mark.usefixtures("environment")
def test_the_environment_goes_before_the_files_where_a_spec_says_so(home: Path) -> None:
    write_auths(home, {HOST: "filed", f"{HOST}/team": "team"})
    keyring = find_credentials(HOST, has_login=True)
    assert [(name, each.origin) for name, each in keyring.entries] == [("", ENVIRONMENT)]
    assert secrets(keyring.entries[0][1]) == ("robot$eksa", "pass", "", "")


@pytest.mark.usefixtures("environment")
def test_the_environment_is_for_no_other_registry(home: Path) -> None:
    assert find_credentials(HOST) == Keyring()
    write_auths(home, {HOST: "filed"})
    assert found().username == "filed"


@pytest.mark.usefixtures("environment")
def test_a_helper_by_option_goes_before_the_environment(programs: Path) -> None:
    write_helper(programs, '{"Username": "me", "Secret": "pass"}')
    found = find_credentials(HOST, "fake", has_login=True).for_repository()
    assert found
    assert found.username == "me"


@pytest.mark.parametrize("missing", ["REGISTRY_USERNAME", "REGISTRY_PASSWORD"])
@pytest.mark.usefixtures("environment")
def test_half_of_a_login_is_none(home: Path, monkeypatch: pytest.MonkeyPatch, missing: str) -> None:
    monkeypatch.setenv(missing, "")
    write_auths(home, {HOST: "filed"})
    login = find_credentials(HOST, has_login=True).for_repository()
    assert login
    assert login.username == "filed"


def test_a_helper_may_know_a_registry_without_its_port(programs: Path) -> None:
    path = programs / "docker-credential-fake"
    path.write_text(_WITHOUT_PORT)
    path.chmod(0o755)
    assert found("r.corp:443", "fake").username == "me"


_WITHOUT_PORT = """\
#!/bin/sh
read server
[ "$server" = r.corp ] || { echo "credentials not found in native keychain"; exit 1; }
echo '{"Username": "me", "Secret": "pass"}'
"""


@pytest.mark.parametrize("text", ["{", "", "\x00", "[" * 100_000])
def test_a_broken_file_is_named_and_not_quoted(home: Path, text: str) -> None:
    path = write(home, text + "topsecret")
    with pytest.raises(RegistryError, match="cannot be read as JSON") as caught:
        find_credentials(HOST)
    assert str(path) in str(caught.value)
    assert "topsecret" not in str(caught.value) + caught.value.hint


@pytest.mark.parametrize(
    "auth",
    [
        pytest.param("topsecret!", id="length"),
        pytest.param("topsecrét", id="not-ascii"),
        pytest.param(7, id="number"),
        pytest.param(base64.b64encode(b"\xff\xfe").decode(), id="not-utf8"),
    ],
)
def test_an_entry_that_is_not_base64_is_an_error_without_the_entry(home: Path, auth: Any) -> None:
    write_auth(home, {"auth": auth})
    with pytest.raises(RegistryError, match="not base64") as caught:
        find_credentials(HOST)
    assert "topsecr" not in repr(caught.value)


def test_a_folder_in_place_of_the_file_is_an_error(home: Path) -> None:
    (home / ".docker/config.json").mkdir(parents=True)
    with pytest.raises(RegistryError, match=r"config\.json"):
        find_credentials(HOST)


def test_nobody_is_logged_in_without_files() -> None:
    assert find_credentials(HOST) == Keyring()


def test_files_are_tried_in_order(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REGISTRY_AUTH_FILE", str(home / "explicit.json"))
    monkeypatch.setenv("DOCKER_CONFIG", str(home / "docker"))
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(home / "run"))
    order = (
        "explicit.json",
        "docker/config.json",
        "run/containers/auth.json",
        ".config/containers/auth.json",
    )
    written = [write(home, {"auths": {HOST: {"auth": encoded("me:p")}}}, name) for name in order]
    for path in written:
        assert found().origin == str(path)
        path.unlink()
    assert find_credentials(HOST) == Keyring()


def test_a_file_without_the_host_leaves_it_to_the_next(home: Path) -> None:
    write_auth(home, {"auth": encoded("me:p")}, "elsewhere")
    write(home, {"auths": {HOST: {"auth": encoded("you:p")}}}, ".config/containers/auth.json")
    assert found().username == "you"


@pytest.mark.parametrize(
    "config",
    [
        pytest.param({"credsStore": "fake"}, id="store"),
        pytest.param({"credHelpers": {HOST: "fake"}, "credsStore": "nobody"}, id="helper"),
        pytest.param(
            {"credHelpers": {HOST: "fake"}, "auths": {HOST: {"auth": encoded("a:b")}}}, id="both"
        ),
    ],
)
def test_a_helper_is_asked(home: Path, programs: Path, config: Any) -> None:
    asked = write_helper(programs, '{"Username": "me", "Secret": "pass"}')
    write(home, config)
    assert secrets(found()) == ("me", "pass", "", "")
    assert asked.read_text() == f"get {HOST}\n"


def test_a_helper_by_option_goes_before_all_files(home: Path, programs: Path) -> None:
    write_helper(programs, '{"Username": "me", "Secret": "pass"}')
    write_auth(home, {"auth": encoded("other:p")})
    assert found(HOST, "fake").username == "me"


def test_a_helper_knows_docker_hub_by_its_old_address(home: Path, programs: Path) -> None:
    asked = write_helper(programs, '{"Username": "me", "Secret": "pass"}')
    write(home, {"credHelpers": {HUB: "fake"}})
    assert found("docker.io").username == "me"
    assert asked.read_text() == f"get {HUB}\n"


def test_a_helper_may_give_an_identity_token(programs: Path) -> None:
    write_helper(programs, '{"Username": "<token>", "Secret": "idt"}')
    assert secrets(found(HOST, "fake")) == ("", "", "idt", "")


def test_a_helper_without_the_host_leaves_it_to_the_auths(home: Path, programs: Path) -> None:
    write_helper(programs, MISSING, code=1)
    write(home, {"credsStore": "fake", "auths": {HOST: {"auth": encoded("me:p")}}})
    assert found().username == "me"


@pytest.mark.parametrize(
    "answer", ['{"Username": "", "Secret": ""}', '{"Username": null, "Secret": null}']
)
def test_an_empty_answer_of_a_helper_is_none(programs: Path, answer: str) -> None:
    write_helper(programs, answer)
    assert find_credentials(HOST, "fake") == Keyring()


def test_a_missing_helper_is_named(programs: Path) -> None:
    with pytest.raises(RegistryError, match="docker-credential-fake is not on PATH") as caught:
        find_credentials(HOST, "fake")
    assert f"docker login {HOST}" in caught.value.hint


def test_a_helper_that_cannot_be_run_is_named(programs: Path) -> None:
    write_helper(programs)
    (programs / "docker-credential-fake").write_bytes(b"\x7fELF")
    with pytest.raises(RegistryError, match="docker-credential-fake cannot be run"):
        find_credentials(HOST, "fake")


@pytest.mark.parametrize(
    ("answer", "code", "message"),
    [
        pytest.param("topsecret", 1, "exit 1", id="fails"),
        pytest.param("aws: command not found, topsecret", 127, "exit 127", id="its-own-program"),
        pytest.param("topsecret", 0, "no known form", id="no-json"),
        pytest.param('["topsecret"]', 0, "no known form", id="list"),
        pytest.param('{"Secret": "topsecret"}', 0, "no known form", id="no-user"),
    ],
)
def test_a_failing_helper_is_an_error_without_its_answer(
    programs: Path, answer: str, code: int, message: str
) -> None:
    write_helper(programs, answer, code=code)
    with pytest.raises(RegistryError, match=message) as caught:
        find_credentials(HOST, "fake")
    assert "topsecret" not in repr(caught.value)


def test_credentials_do_not_show_their_secrets() -> None:
    shown = repr(Credentials("file", "me", "topsecret", "topsecret", "topsecret"))
    assert "topsecret" not in shown
    assert "me" in shown


def test_a_basic_header_is_utf8() -> None:
    header = Credentials("file", "me", "pässword").basic
    assert base64.b64decode(header.removeprefix("Basic ")).decode() == "me:pässword"
