"""Credentials from where docker and podman keep them, or a spec's own tools. They stay in memory and in one request header.

Source: docker/cli docs/reference/commandline/login (config.json: ``auths``, ``credHelpers``, ``credsStore``,
``identitytoken``), docker/docker-credential-helpers README (the protocol), containers-auth.json(5) and containers/image
pkg/docker/config/config.go ``findCredentialsInFile`` (entries of namespaces), aws/eks-anywhere aebd9a0 pkg/config/registry.go
(``REGISTRY_USERNAME``).
"""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from planner.core.errors import RegistryError
from planner.core.refs import DOCKER_HUB

_HUB_KEY = "https://index.docker.io/v1/"
_HUB_NAMES = frozenset({DOCKER_HUB, "index.docker.io", "registry-1.docker.io"})
_TOKEN_USER = "<token>"  # noqa: S105 - the marker by which a helper says that the secret is an identity token
_NOT_FOUND = "credentials not found"
_HELPER_TIMEOUT = 60
_USERNAME, _PASSWORD = "REGISTRY_USERNAME", "REGISTRY_PASSWORD"


@dataclass(frozen=True, slots=True)
class Credentials:
    """How to prove who we are; ``origin`` says where it was found, for messages."""

    origin: str
    username: str = ""
    password: str = field(default="", repr=False)
    identity_token: str = field(default="", repr=False)
    registry_token: str = field(default="", repr=False)

    @property
    def basic(self) -> str:
        """The value of a Basic header, empty without a password."""
        if not self.username or not self.password:
            return ""
        encoded = base64.b64encode(f"{self.username}:{self.password}".encode())
        return f"Basic {encoded.decode()}"


class Keyring(NamedTuple):
    """What is known for one registry: credentials with the namespace that they are for, the narrowest first.

    The empty namespace is the whole registry, and the last one.
    """

    entries: tuple[tuple[str, Credentials], ...] = ()

    def for_repository(self, repository: str = "") -> Credentials | None:
        """The narrowest that fit; those of the whole registry when no repository is given."""
        return next(
            (each for name, each in self.entries if not name or _is_below(repository, name)), None
        )


def find_credentials(host: str, helper: str = "", *, has_login: bool = False) -> Keyring:
    """What is known for ``host[:port]``: by ``helper`` alone when given, else by docker's and podman's files in turn.

    ``has_login``: a spec says that its own tools log in there from the environment, which then goes before the files.

    Raises:
        RegistryError: a file or helper that claims to have them cannot be used.
    """
    if helper:
        return _keyring(_ask_helper(helper, host))
    if has_login and (found := _from_environment()):
        return _keyring(found)
    entries: list[tuple[str, Credentials]] = []
    for path in _files():
        entries += _from_file(path, host)
        if entries and not entries[-1][0]:
            break
    return Keyring(tuple(entries))


def _keyring(found: Credentials | None) -> Keyring:
    return Keyring((("", found),) if found else ())


def _is_below(repository: str, namespace: str) -> bool:
    return f"{repository}/".startswith(f"{namespace}/")


def _from_environment() -> Credentials | None:
    found = Credentials(
        f"{_USERNAME} and {_PASSWORD}",
        os.environ.get(_USERNAME, ""),
        os.environ.get(_PASSWORD, ""),
    )
    return found if found.basic else None


def _files() -> Iterator[Path]:
    """The files in order of precedence."""
    environment = os.environ
    home = Path(environment.get("HOME") or Path.home())
    if explicit := environment.get("REGISTRY_AUTH_FILE"):
        yield Path(explicit)
    yield Path(environment.get("DOCKER_CONFIG") or home / ".docker") / "config.json"
    if runtime := environment.get("XDG_RUNTIME_DIR"):
        yield Path(runtime) / "containers" / "auth.json"
    yield Path(environment.get("XDG_CONFIG_HOME") or home / ".config") / "containers" / "auth.json"


def _from_file(path: Path, host: str) -> list[tuple[str, Credentials]]:
    """What a file has for the registry, the narrowest namespace first."""
    try:
        config = json.loads(path.read_bytes())
    except FileNotFoundError:
        return []
    except (OSError, ValueError, RecursionError) as error:
        raise RegistryError(
            f"{path}: cannot be read as JSON", "repair it, or log in again"
        ) from error
    if not isinstance(config, dict):
        return []
    helpers = _entries(config.get("credHelpers"), host)
    helper = next((each for name, each in helpers if not name), config.get("credsStore"))
    if helper and (found := _ask_helper(str(helper), host)):
        return [("", found)]
    entries = (
        (name, _from_entry(entry, path))
        for name, entry in _entries(config.get("auths"), host)
        if isinstance(entry, dict)
    )
    return [(name, found) for name, found in entries if found]


def _entries(table: Any, host: str) -> list[tuple[str, Any]]:
    """The entries of a host by namespace: the narrowest first, and one under exactly its name before one under a URL of it."""
    if not isinstance(table, dict):
        return []
    keys = [(key, *_parts_of(key)) for key in table]
    ours = [(key, name) for key, of, name in keys if of == _normal(host)]
    ours.sort(key=lambda each: (-len(each[1]), each[0] != host))
    return [(name, table[key]) for key, name in ours]


def _parts_of(key: str) -> tuple[str, str]:
    """Host and namespace. A key that is a URL stands for the host: the path of such a key is that of an API."""
    _, scheme, rest = key.rpartition("://")
    host, _, path = rest.partition("/")
    return _normal(host), "" if scheme else path.strip("/")


def _normal(host: str) -> str:
    """All names of Docker Hub are one, and the port of https may be left out."""
    return DOCKER_HUB if host in _HUB_NAMES else host.removesuffix(":443")


def _from_entry(entry: Mapping[str, Any], path: Path) -> Credentials | None:
    username, password = str(entry.get("username") or ""), str(entry.get("password") or "")
    if encoded := entry.get("auth"):
        try:
            username, _, password = base64.b64decode(encoded).decode().rstrip("\0").partition(":")
        except (ValueError, TypeError) as error:
            raise RegistryError(f"{path}: an auth entry is not base64", "log in again") from error
    found = Credentials(
        str(path),
        username,
        password,
        str(entry.get("identitytoken") or ""),
        str(entry.get("registrytoken") or ""),
    )
    return found if found.basic or found.identity_token or found.registry_token else None


def _ask_helper(name: str, host: str) -> Credentials | None:
    """What a helper has for a registry, whose name may be stored there with the port of https or without it."""
    known = _normal(host)
    servers = (_HUB_KEY,) if known == DOCKER_HUB else dict.fromkeys((host, known))
    answers = (_ask(f"docker-credential-{name}", server) for server in servers)
    return next(filter(None, answers), None)


def _ask(program: str, server: str) -> Credentials | None:
    import subprocess  # noqa: PLC0415 - slow, and few have a helper

    by_hand = f"try it by hand: echo {server} | {program} get"
    try:
        done = subprocess.run(
            [program, "get"],
            input=server,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            timeout=_HELPER_TIMEOUT,
            check=False,
        )
    except OSError as error:
        reason = "is not on PATH" if isinstance(error, FileNotFoundError) else "cannot be run"
        message = f"the credential helper {program} {reason}"
        raise RegistryError(
            message, f"install it, or log in without it: docker login {server}"
        ) from error
    except subprocess.TimeoutExpired as error:
        message = f"the credential helper {program} did not answer within {_HELPER_TIMEOUT} s"
        raise RegistryError(message, by_hand) from error
    if done.returncode != 0:
        if _NOT_FOUND in done.stdout + done.stderr:
            return None
        message = f"the credential helper {program} failed for {server} (exit {done.returncode})"
        raise RegistryError(message, by_hand)
    return _from_helper(done.stdout, program)


def _from_helper(output: str, program: str) -> Credentials | None:
    try:
        answer = json.loads(output)
        username, secret = str(answer["Username"] or ""), str(answer["Secret"] or "")
    except (ValueError, KeyError, TypeError) as error:
        message = f"the credential helper {program} answered in no known form"
        raise RegistryError(message, "check its version") from error
    if username == _TOKEN_USER:
        return Credentials(program, identity_token=secret)
    return Credentials(program, username, secret) if username and secret else None
