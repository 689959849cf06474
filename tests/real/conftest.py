"""Real servers, clients and a terminal, each started anew for the test that asks for it."""

from collections.abc import Iterator
from contextlib import ExitStack
from typing import Protocol, Unpack

import pytest

from tests.support.certificates import Certificates, make_certificates
from tests.support.containerd_server import ContainerdServer
from tests.support.registry_server import RegistryOptions, RegistryServer
from tests.support.skopeo import Skopeo
from tests.support.terminal import Terminal
from tests.support.token_server import TokenServer


class MakeRegistry(Protocol):
    """Starts a registry that ends with the test."""

    def __call__(self, **options: Unpack[RegistryOptions]) -> RegistryServer: ...


class MakeTokenServer(Protocol):
    """Starts a token server that ends with the test."""

    def __call__(
        self, *, anonymous_pull: bool = False, ttl: int = 300, **users: str
    ) -> TokenServer: ...


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return make_certificates(tmp_path_factory.mktemp("certificates"))


@pytest.fixture
def make_registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MakeRegistry]:
    with ExitStack() as stack:

        def make(**options: Unpack[RegistryOptions]) -> RegistryServer:
            directory = tmp_path_factory.mktemp("registry")
            return stack.enter_context(RegistryServer(directory, **options))

        yield make


@pytest.fixture
def registry(make_registry: MakeRegistry) -> RegistryServer:
    """An open registry over plain HTTP."""
    return make_registry()


@pytest.fixture
def upstream(make_registry: MakeRegistry) -> RegistryServer:
    """A second open registry, to copy from."""
    return make_registry()


@pytest.fixture
def make_token_server(certificates: Certificates) -> Iterator[MakeTokenServer]:
    with ExitStack() as stack:

        def make(*, anonymous_pull: bool = False, ttl: int = 300, **users: str) -> TokenServer:
            server = TokenServer(
                certificates.token, users=users, anonymous_pull=anonymous_pull, ttl=ttl
            )
            return stack.enter_context(server)

        yield make


@pytest.fixture
def token_server(make_token_server: MakeTokenServer) -> TokenServer:
    """Knows ``user`` with the password ``secret``, and nobody else."""
    return make_token_server(user="secret")


@pytest.fixture
def containerd() -> Iterator[ContainerdServer]:
    with ContainerdServer() as server:
        yield server


@pytest.fixture
def skopeo(tmp_path_factory: pytest.TempPathFactory) -> Skopeo:
    return Skopeo(tmp_path_factory.mktemp("skopeo"))


@pytest.fixture
def terminal() -> Iterator[Terminal]:
    with Terminal() as started:
        yield started
