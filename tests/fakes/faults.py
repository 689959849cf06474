"""Faults: which requests go wrong, and how."""

import hashlib
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from threading import Event

from .messages import Call, Reply, make_reply, matches, no_reply

_OTHER_BYTES = bytes(255 - value for value in range(256))
_WRONG_DIGEST = "sha256:" + hashlib.sha256(b"something else").hexdigest()


@dataclass(frozen=True, slots=True)
class Status:
    """Answer with a status instead of doing what was asked."""

    code: int
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RedirectTo:
    """Answer with 307 and a Location."""

    url: str


@dataclass(frozen=True, slots=True)
class Reset:
    """Reset the connection without an answer.

    Attributes:
        performed: Do what was asked first, so that only the answer is lost.
    """

    performed: bool = False


@dataclass(frozen=True, slots=True)
class Stall:
    """Hold the request back for some seconds, then go on as if nothing had happened.

    Attributes:
        seconds: The longest wait.
        release: Ends the wait; a test sets it, or the registry at its end.
        stalled: Set when a request hangs.
    """

    seconds: float
    release: Event = field(default_factory=Event)
    stalled: Event = field(default_factory=Event)


@dataclass(frozen=True, slots=True)
class CutUploadAfter:
    """Read so many bytes of the request's body, then close the connection."""

    nbytes: int


@dataclass(frozen=True, slots=True)
class ReadSlowly:
    """Read the request's body a block at a time, and wait some seconds before each. Of a ``FaultProxy``."""

    seconds: float


@dataclass(frozen=True, slots=True)
class ChangeCall:
    """Ask the registry something else than what was asked. Of a ``FaultProxy``."""

    change: Callable[[Call], Call]


@dataclass(frozen=True, slots=True)
class CutAfter:
    """Send so many bytes of the answer's body, then close the connection."""

    nbytes: int


@dataclass(frozen=True, slots=True)
class WrongBytes:
    """Send a body of the right length with other bytes."""


@dataclass(frozen=True, slots=True)
class Truncate:
    """Send so many bytes of the body, with a Content-Length that agrees."""

    nbytes: int


@dataclass(frozen=True, slots=True)
class WrongDigestHeader:
    """Send a well-formed Docker-Content-Digest of something else."""


@dataclass(frozen=True, slots=True)
class DropHeader:
    """Leave a header out; its case does not matter."""

    name: str


@dataclass(frozen=True, slots=True)
class AddHeaders:
    """Send further headers; they are asked for at each answer."""

    headers: Callable[[], Mapping[str, str]]


@dataclass(frozen=True, slots=True)
class LinkLoop:
    """Name the page that was asked for as the next one."""


@dataclass(frozen=True, slots=True)
class Trickle:
    """Send so many bytes of the body one by one, with a pause of some seconds before each, and then the rest."""

    nbytes: int
    seconds: float


@dataclass(frozen=True, slots=True)
class StallAfter:
    """Send so many bytes of the body, then nothing, until it is released; then close the connection."""

    nbytes: int
    release: Event = field(default_factory=Event)


@dataclass(frozen=True, slots=True)
class ChangeReply:
    """Send something else than the true answer."""

    change: Callable[[Call, Reply], Reply]


Early = Status | RedirectTo | Reset | Stall | CutUploadAfter | ReadSlowly | ChangeCall
Late = (
    CutAfter
    | WrongBytes
    | Truncate
    | WrongDigestHeader
    | DropHeader
    | AddHeaders
    | LinkLoop
    | Trickle
    | StallAfter
    | ChangeReply
)
Action = Early | Late


@dataclass(frozen=True, slots=True)
class Fault:
    """An action and the requests it befalls.

    Attributes:
        method: A regular expression that matches the whole method.
        path: A regular expression that is found in the path and query.
        nth: The first matching request that goes wrong, from 1.
        times: How many matching requests in a row go wrong.
        every: All matching requests go wrong.
        longer: Only requests match whose body is said to be longer than so many bytes.
    """

    method: str
    path: str
    action: Action
    nth: int = 1
    times: int = 1
    every: bool = False
    longer: int = -1

    def strikes(self, hit: int) -> bool:
        """Tell whether the matching request with this number, from 1, goes wrong."""
        return self.every or self.nth <= hit < self.nth + self.times


@dataclass(slots=True)
class _Entry:
    fault: Fault
    hits: int = 0
    used: bool = False


class Faults:
    """The script of a registry; safe for threads.

    Several faults may befall one request. Each counts the requests that match it.
    """

    def __init__(self) -> None:
        """Start without faults."""
        self._lock = threading.Lock()
        self._entries: list[_Entry] = []

    def add(self, *faults: Fault) -> None:
        """Put faults at the end of the script; they count from now on."""
        with self._lock:
            self._entries.extend(map(_Entry, faults))

    def clear(self) -> None:
        """Forget all faults and let stalled requests go."""
        self.release()
        with self._lock:
            self._entries.clear()

    def unused(self) -> tuple[Fault, ...]:
        """Return the faults that have befallen no request."""
        with self._lock:
            return tuple(entry.fault for entry in self._entries if not entry.used)

    def strike(self, call: Call) -> tuple[Action, ...]:
        """Count a request and return what befalls it, in the order of the script."""
        with self._lock:
            return tuple(entry.fault.action for entry in self._entries if _strikes(entry, call))

    def release(self) -> None:
        """Let stalled requests go."""
        with self._lock:
            for entry in self._entries:
                if isinstance(entry.fault.action, Stall | StallAfter):
                    entry.fault.action.release.set()


def _strikes(entry: _Entry, call: Call) -> bool:
    if not matches(call, entry.fault.method, entry.fault.path):
        return False
    if int(call.headers.get("Content-Length", 0)) <= entry.fault.longer:
        return False
    entry.hits += 1
    struck = entry.fault.strikes(entry.hits)
    entry.used |= struck
    return struck


def upload_limit(actions: Iterable[Action]) -> int | None:
    """Return how many bytes of the request's body arrive, or None for all."""
    limits = [each.nbytes for each in actions if isinstance(each, CutUploadAfter)]
    return min(limits, default=None)


def forestall(actions: Iterable[Action]) -> Reply | None:
    """Stall as told, then return the answer that comes instead of the true one, or None."""
    for action in actions:
        match action:
            case Stall(seconds, release, stalled):
                stalled.set()
                release.wait(seconds)
            case Status(code, body, headers):
                return make_reply(code, body, headers)
            case RedirectTo(url):
                return make_reply(307, headers={"Location": url})
            case Reset(performed=False):
                return no_reply(reset=True)
            case _:
                pass
    return None


def distort(  # noqa: C901, PLR0911 - a case for each fault
    reply: Reply, action: Action, call: Call
) -> Reply:
    """Return the true answer with one fault in it."""
    match action:
        case CutAfter(nbytes):
            return replace(reply, cut=nbytes)
        case WrongBytes():
            return replace(reply, body=reply.body.translate(_OTHER_BYTES))
        case Truncate(nbytes):
            body = reply.body[:nbytes]
            return replace(_with_header(reply, "Content-Length", str(len(body))), body=body)
        case WrongDigestHeader():
            return _with_header(reply, "Docker-Content-Digest", _WRONG_DIGEST)
        case DropHeader(name):
            kept = {key: reply.headers[key] for key in reply.headers if key.lower() != name.lower()}
            return replace(reply, headers=kept)
        case AddHeaders(headers):
            return replace(reply, headers={**reply.headers, **headers()})
        case LinkLoop():
            return _with_header(reply, "Link", f'<{call.target}>; rel="next"')
        case Reset(performed=True):
            return no_reply(reset=True)
        case Trickle(nbytes, seconds):
            return replace(reply, pieces=lambda body: _trickled(body, nbytes, seconds))
        case StallAfter(nbytes, release):
            whole = replace(reply, cut=nbytes)
            return replace(whole, pieces=lambda body: _stalled(body, release))
        case ChangeReply(change):
            return change(call, reply)
        case _:
            return reply


def _trickled(body: bytes, nbytes: int, seconds: float) -> Iterator[bytes]:
    for at in range(min(nbytes, len(body))):
        time.sleep(seconds)
        yield body[at : at + 1]
    yield body[nbytes:]


def _stalled(body: bytes, release: Event) -> Iterator[bytes]:
    yield body
    release.wait()


def _with_header(reply: Reply, name: str, value: str) -> Reply:
    return replace(reply, headers={**reply.headers, name: value})
