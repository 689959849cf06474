"""Amazon's API, through botocore: it finds credentials as Amazon's own tools do, signs, and tries again when told to slow down.

Its errors become ``RegistryError`` here and nowhere else; ``code`` is then Amazon's or botocore's name for it
(``AccessDeniedException``, ``NoCredentialsError``).
"""

from __future__ import annotations

import base64
import re
import threading
from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar

from planner import __version__
from planner.core.errors import RegistryError
from planner.core.text import printable
from planner.stores.credentials import Credentials

T = TypeVar("T")

PUBLIC_REGION = "us-east-1"  # the only one with the API that creates public repositories
ALREADY_THERE = "RepositoryAlreadyExistsException"
NOT_THERE = "RepositoryNotFoundException"

# Source: AWS General Reference, "Amazon ECR endpoints and quotas"; hosts for IPv6, too, are written dkr-ecr.
_HOST = re.compile(r"(?P<account>\d{12})\.dkr[.-]ecr(?P<fips>-fips)?\.(?P<region>[a-z0-9-]+)\..+")
_TRIES = 5
_CONNECT_TIMEOUT = 10
_NO_BOTOCORE = "NoBotocore"
_NO_CREDENTIALS = "NoCredentialsError"
_HINTS = {
    _NO_CREDENTIALS: "log in to AWS (aws sso login, AWS_PROFILE, AWS_ACCESS_KEY_ID…)",
    "NoRegionError": "set AWS_REGION, or name the registry by its host …dkr.ecr.REGION.amazonaws.com",
}


class EcrHost(NamedTuple):
    """What the host of a private registry tells; nothing when it is a name of somebody's own."""

    account: str = ""
    region: str = ""
    fips: bool = False


def read_host(registry: str) -> EcrHost:
    """The parts of ``ACCOUNT.dkr.ecr.REGION.amazonaws.com``."""
    found = _HOST.fullmatch(registry)
    return EcrHost(found["account"], found["region"], bool(found["fips"])) if found else EcrHost()


class Aws:
    """One service in one region. Threads may share it.

    ``api`` replaces the address; without a ``region``, the one that is configured for AWS is asked.
    """

    def __init__(self, service: str, region: str, api: str = "", *, fips: bool = False) -> None:
        self._service = service
        self._region = region
        self._api = api
        self._fips = fips
        self._lock = threading.Lock()
        self._made: Any = None

    def call(self, operation: str, **parameters: Any) -> dict[str, Any]:
        """One operation, by the name that it has in Python.

        Raises:
            RegistryError: botocore is missing, it finds no credentials, or Amazon refuses.
        """
        return self._tried(lambda client: dict(getattr(client, operation)(**parameters)))

    def listed(self, operation: str, key: str, **parameters: Any) -> list[dict[str, Any]]:
        """What stands under ``key``, on all pages of an operation; raises what ``call`` raises."""
        return self._tried(
            lambda client: [
                each
                for page in client.get_paginator(operation).paginate(**parameters)
                for each in page[key]
            ]
        )

    def _tried(self, action: Callable[[Any], T]) -> T:
        try:
            from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415 - an extra
        except ImportError as error:
            message = "botocore is not installed, so planner cannot ask AWS"
            hint = "pip install 'planner[ecr]'"
            raise RegistryError(message, hint, code=_NO_BOTOCORE) from error
        try:
            return action(self._client())
        except ClientError as error:
            told = error.response.get("Error", {})
            status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
            code = str(told.get("Code", ""))
            message = f"{self._service}: {code}: {_line(told.get('Message'))}"
            raise RegistryError(message, status=status, code=code) from error
        except BotoCoreError as error:
            code = type(error).__name__
            message = f"{self._service}: {_line(error)}"
            raise RegistryError(message, _HINTS.get(code, ""), code=code) from error

    def _client(self) -> Any:
        from botocore.config import Config  # noqa: PLC0415 - an extra, and slow to load
        from botocore.session import Session  # noqa: PLC0415

        config = Config(
            retries={"mode": "standard", "total_max_attempts": _TRIES},
            connect_timeout=_CONNECT_TIMEOUT,
            user_agent_extra=f"planner/{__version__}",
            use_fips_endpoint=self._fips or None,
        )
        with self._lock:
            if self._made is None:
                self._made = Session().create_client(
                    self._service,
                    region_name=self._region or None,
                    endpoint_url=self._api or None,
                    config=config,
                )
            return self._made


def ecr_credentials(registry: str, api: str = "") -> Credentials | None:
    """What ECR takes as a password for 12 hours, from the AWS credentials that botocore finds; None without either.

    ``registry`` is the host that the password will be sent to: one that stands in for Amazon's must not get it.

    Raises:
        RegistryError: there are AWS credentials, and the registry gives no password for them.
    """
    host = read_host(registry)
    if not host.account:
        return None
    try:
        told = Aws("ecr", host.region, api, fips=host.fips).call("get_authorization_token")
    except RegistryError as error:
        if error.code in (_NO_BOTOCORE, _NO_CREDENTIALS):
            return None
        raise
    token = told["authorizationData"][0]["authorizationToken"]
    username, _, password = base64.b64decode(token).decode().partition(":")
    return Credentials("AWS (GetAuthorizationToken)", username, password)


def reason(error: RegistryError) -> str:
    """Why AWS does not tell, with what can be done, on one line."""
    return f"{error.message} ({error.hint})" if error.hint else error.message


def _line(words: object) -> str:
    """What botocore says, on one line."""
    return printable(" ".join(str(words).split()))[:300]
