"""Credentials from where docker and podman keep them. They stay in memory and in one request header.

Source: docker/cli docs/reference/commandline/login (config.json: ``auths``, ``credHelpers``, ``credsStore``,
``identitytoken``), docker/docker-credential-helpers README (the protocol), containers-auth.json(5).
"""

from __future__ import annotations

import base64
import json
import os
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from planner.core.errors import RegistryError
from planner.core.refs import DOCKER_HUB

_HUB_KEY = "https://index.docker.io/v1/"
_HUB_NAMES = frozenset({DOCKER_HUB, "index.docker.io", "registry-1.docker.io"})
_TOKEN_USER = "<token>"  # noqa: S105 - the marker by which a helper says that the secret is an identity token
_NOT_FOUND = "credentials not found"
_HELPER_TIMEOUT = 60


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


def find_credentials(host: str, helper: str = "") -> Credentials | None:
    """What is known for ``host[:port]``: by ``helper`` when given, else by docker's and podman's files in turn.

    Raises:
        RegistryError: a file or helper that claims to have them cannot be used.
    """
    if helper:
        return _ask_helper(helper, host)
    for path in _files():
        found = _from_file(path, host)
        if found:
            return found
    return None


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


def _from_file(path: Path, host: str) -> Credentials | None:
    try:
        config = json.loads(path.read_bytes())
    except FileNotFoundError:
        return None
    except (OSError, ValueError, RecursionError) as error:
        raise RegistryError(
            f"{path}: cannot be read as JSON", "repair it, or log in again"
        ) from error
    if not isinstance(config, dict):
        return None
    helper = _lookup(config.get("credHelpers"), host) or config.get("credsStore")
    if helper and (found := _ask_helper(str(helper), host)):
        return found
    entry = _lookup(config.get("auths"), host)
    return _from_entry(entry, path) if isinstance(entry, dict) else None


def _lookup(table: Any, host: str) -> Any:
    """The entry of a host; one under exactly its name goes before one under a URL or a namespace of it."""
    if not isinstance(table, dict):
        return None
    if host in table:
        return table[host]
    return next((value for key, value in table.items() if _host_of(key) == _host_of(host)), None)


def _host_of(key: str) -> str:
    """Keys may be URLs; all names of Docker Hub are one."""
    host = key.partition("://")[2] or key
    host = host.partition("/")[0]
    return DOCKER_HUB if host in _HUB_NAMES else host


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
    program = f"docker-credential-{name}"
    server = _HUB_KEY if _host_of(host) == DOCKER_HUB else host
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
            message, f"install it, or log in without it: docker login {host}"
        ) from error
    except subprocess.TimeoutExpired as error:
        message = f"the credential helper {program} did not answer within {_HELPER_TIMEOUT} s"
        raise RegistryError(message, f"try it by hand: echo {host} | {program} get") from error
    if done.returncode != 0:
        if _NOT_FOUND in done.stdout + done.stderr:
            return None
        message = f"the credential helper {program} failed for {host} (exit {done.returncode})"
        raise RegistryError(message, f"try it by hand: echo {host} | {program} get")
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
