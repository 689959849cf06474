"""What went wrong with a request, in words: which refusals may pass, which last, and what to do about them."""

from __future__ import annotations

import json
import socket
from urllib.parse import urlsplit

from planner.core.errors import RegistryError
from planner.core.quota import read_quota
from planner.core.text import duration, printable
from planner.stores.answer import Answer

RETRYABLE = frozenset({408, 429, 500, 502, 503, 504})
_TOO_MANY = 429
# Docker Hub's words for its limit on pulls. Source: docker/docs content/manuals/docker-hub/usage (which tells it from the limit
# on all requests, a bare "429 Too Many Requests"); docker/hub-feedback #1907.
_PULL_LIMIT = ("pull rate limit", "increase-rate-limit", "download-rate-limit")


class StalledError(OSError):
    """A transfer in which no byte has moved for a while."""


def refused(answer: Answer, what: str, hint: str = "") -> RegistryError:
    """The error for an answer that is not the one hoped for; ``what`` names the request."""
    code, detail = _error_of(answer)
    status, lasting = answer.status_code, lasting_limit(answer) or answer.advice
    words = " ".join(filter(None, (str(status), code)))
    message = f"{what}: {words}{f': {detail}' if detail else ''}"
    return RegistryError(
        message,
        hint or lasting or _hint(status, code),
        status=status,
        code=code,
        retryable=status in RETRYABLE and not lasting,
        tries=answer.tries,
    )


def unreachable(error: Exception, url: str, tries: int = 1) -> RegistryError:
    """The error for a registry that did not answer, after so many tries."""
    host = host_of(url)
    if isinstance(error, StalledError):
        return RegistryError(f"{host}: {error}", retryable=True, tries=tries)
    text = _text(error)
    for mark, reason, hint in _REASONS:
        if mark in text:
            said = f"{host}: {reason}"
            return RegistryError(said, hint.format(host=host), retryable=not hint, tries=tries)
    message = f"{host} does not answer ({type(error).__name__})"
    hint = "check that the registry runs and can be reached"
    return RegistryError(message, hint, retryable=True, tries=tries)


def short_reason(answer: Answer) -> str:
    """``429 TOOMANYREQUESTS``."""
    return f"{answer.status_code} {_error_of(answer)[0]}".rstrip()


def lasting_limit(answer: Answer) -> str:
    """What to do about a limit that minutes do not lift: on pulls, or on repositories. Empty for every other answer.

    Source of the second: project-zot/zot 6d19b44 pkg/api/quota.go:84 (429), 0c70ac0 pkg/api/quota.go ``writeQuotaExceeded``
    (413): TOOMANYREQUESTS, with the limit in ``detail``.
    """
    if answer.status_code == 413 and _error_of(answer)[0] == "TOOMANYREQUESTS":
        return _quota(answer) or _NO_ROOM
    if answer.status_code != _TOO_MANY:
        return ""
    quota = read_quota(answer.headers)
    text = answer.content.decode("utf-8", "replace").lower()
    if (quota and not quota.remaining) or any(each in text for each in _PULL_LIMIT):
        if quota and quota.window:
            window = f"{quota.limit} pulls in {duration(quota.window)}"
            return f"it allows {window}: log in, or run it again when the next window begins"
        return "log in, or run it again in some hours"
    return _quota(answer)


_NO_ROOM = "the registry's limit on repositories is reached: ask its administrator"


def _quota(answer: Answer) -> str:
    try:
        first = json.loads(answer.content)["errors"][0]
        limit = (
            printable(str(first["detail"]["limit"]))[:20]
            if first["code"] == "TOOMANYREQUESTS"
            else ""
        )
    except (ValueError, KeyError, IndexError, TypeError, RecursionError):
        return ""
    return f"{_NO_ROOM} ({limit})" if limit else ""


_REASONS = (
    (
        "CERTIFICATE_VERIFY_FAILED",
        "its certificate is not trusted",
        "give the authority's certificate as tls.ca_file under registries.{host} in planner.yaml",
    ),
    (
        "CERTIFICATE_REQUIRED",
        "it asks for a client certificate",
        "give tls.cert_file and tls.key_file under registries.{host} in planner.yaml",
    ),
    (
        "BAD_CERTIFICATE",
        "it did not accept the client certificate",
        "check tls.cert_file and tls.key_file under registries.{host} in planner.yaml",
    ),
    (
        "WRONG_VERSION_NUMBER",
        "it does not speak TLS",
        "if it really is plain HTTP, say plain_http: true under registries.{host} in planner.yaml",
    ),
    (
        "record layer failure",
        "it does not speak TLS",
        "if it really is plain HTTP, say plain_http: true under registries.{host} in planner.yaml",
    ),
    (
        "NameResolutionError",
        "the host name is unknown",
        "check its spelling and this machine's DNS",
    ),
    ("Connection refused", "nothing listens there", "check the port, and that the registry runs"),
    (
        "Exceeded",
        "it redirects in circles",
        "check the registry's address and the proxies before it",
    ),
    ("timed out", "it did not answer in time", ""),
)
_HOPELESS = (
    "CERTIFICATE",
    "WRONG_VERSION",
    "record layer",
    "NameResolution",
    "Connection refused",
    "Exceeded",
)


def may_come_back(error: OSError) -> bool:
    """Whether another try may go better."""
    text = _text(error)
    return not any(mark in text for mark in _HOPELESS)


def is_timeout(error: OSError) -> bool:
    """Whether somebody waited in vain, and the connection did not break."""
    return isinstance(error, TimeoutError | StalledError) or "timed out" in str(error)


def host_of(url: str) -> str:
    """``host[:port]`` without a name and password, which do not belong in a message."""
    return urlsplit(url).netloc.rpartition("@")[2]


def _text(error: Exception) -> str:
    return "NameResolutionError" if isinstance(error, socket.gaierror) else str(error)


def _error_of(answer: Answer) -> tuple[str, str]:
    """The registry's code and words; bodies may be empty, plain text or HTML."""
    body = answer.content
    try:
        found = json.loads(body)
        # A product's own API (GitLab, Quay, Docker Hub) has one object instead of the registry's list.
        first = found["errors"][0] if "errors" in found else {"message": found["message"]}
        code, message = (printable(str(first.get(each, ""))) for each in ("code", "message"))
        return code[:60], message[:300]
    except (ValueError, KeyError, IndexError, TypeError, AttributeError, RecursionError):
        words = body.decode("utf-8", "replace").strip()
        return "", "" if words.startswith("<") else printable(words.partition("\n")[0])[:200]


def _hint(status: int, code: str) -> str:
    match status:
        case 401:
            return "log in with docker login or podman login, or name a credential helper in planner.yaml"
        case 403:
            return "the credentials do not give this right; ask the registry's administrator"
        case 404 if code == "NAME_UNKNOWN":
            return "the repository does not exist there"
        case 405:
            return "this registry takes no writes here: it is read-only or a pull-through cache"
        case 413:
            return "a proxy in front of the registry limits the size of uploads"
        case 429:
            return (
                "the registry limits requests: wait, log in, or lower parallelism in planner.yaml"
            )
        case 400 if code == "MANIFEST_BLOB_UNKNOWN":
            return "content that was there is gone: plan again"
        case _ if 200 <= status < 300:
            return "no registry answers like this: look for a proxy or a login page in between"
        case _:
            return "the registry failed; its own log says why" if status >= 500 else ""
