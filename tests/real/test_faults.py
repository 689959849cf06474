"""Everything that is known to go wrong between planner and a registry, in front of a real one: ``planner apply`` either gets
over it, or says in one line which image is not there and does everything else; ``apply --resume`` then completes it.

The target's content is compared with the source's in the end, byte for byte, and whenever a tag was written, what it names was
looked for at that moment. How each fault ends stands in ``CASES``, and so in docs/faults.md.
"""

from __future__ import annotations

import time
from dataclasses import replace
from email.utils import formatdate
from functools import partial
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

import pytest

from planner.core.content import OCI_INDEX
from planner.core.refs import ImageRef
from planner.stores import opening, wire
from planner.stores.patience import Patience
from planner.ui.cli import main
from tests.fakes import (
    Action,
    ChangeCall,
    ChangeReply,
    CutAfter,
    CutUploadAfter,
    DropHeader,
    Fault,
    ReadSlowly,
    Reset,
    Stall,
    StallAfter,
    Status,
    Trickle,
    Truncate,
    WrongBytes,
    WrongDigestHeader,
)
from tests.fakes.messages import Call, Reply, make_reply
from tests.real.faulty import APP, EXTRA, TOOL, Site, base, filled, site, waits

__all__ = ["base", "filled", "site", "waits"]

STALL = 0.8
_EXTRA = "/kit/extra/"
_HTML = {"Content-Type": "text/html"}


def code(name: str, detail: str = "{}") -> bytes:
    """A refusal as registries word it."""
    return f'{{"errors": [{{"code": "{name}", "message": "by the test", "detail": {detail}}}]}}'.encode()


HTML = Status(200, b"<html><body>Welcome to the hotel's network</body></html>", _HTML)
BUSY = Status(429, b"Too Many Requests (HAP429).\n", {"Content-Type": "text/plain"})
UNSEEN = Status(400, code("MANIFEST_BLOB_UNKNOWN"))
GONE = Status(404, code("BLOB_UPLOAD_INVALID"))


def too_many(after: str = "") -> Status:
    return Status(429, code("TOOMANYREQUESTS"), {"Retry-After": after} if after else {})


def relative(_call: Call, reply: Reply) -> Reply:
    """A Location without scheme and host."""
    parts = urlsplit(reply.headers.get("Location", ""))
    return with_headers(reply, Location=f"{parts.path}?{parts.query}") if parts.path else reply


def elsewhere(_call: Call, reply: Reply) -> Reply:
    """A Location on another host: the same machine by another name."""
    place = reply.headers.get("Location", "")
    return with_headers(reply, Location=place.replace("127.0.0.1", "localhost")) if place else reply


def with_headers(reply: Reply, **headers: str) -> Reply:
    return replace(reply, headers={**reply.headers, **headers})


def with_status(status: int) -> ChangeReply:
    return ChangeReply(lambda _call, reply: replace(reply, status=status))


def hidden(call: Call, reply: Reply) -> Reply:
    """What distribution does with an index for who does not take one."""
    accepted = call.headers.get("Accept", "")
    return reply if OCI_INDEX in accepted else make_reply(404, code("MANIFEST_UNKNOWN"))


def without_query(call: Call) -> Call:
    return replace(call, query="")


def with_gap(call: Call) -> Call:
    return replace(call, body=call.body[1000:])


def as_if_whole(call: Call, reply: Reply) -> Reply:
    """The place in an upload that the client expects."""
    last = call.headers.get("Content-Range", "").partition("-")[2]
    return with_headers(reply, Range=f"0-{last}")


class Case(NamedTuple):
    """A fault, on the way to the ``source`` or the ``target``, and how it ends.

    ``fails`` is the one image that is not there then, and ``says`` what its line says; without them the run gets over it.
    ``blocked``: the plan already says so. ``stall``: something waits in vain. ``waits``: for how many seconds somebody asked.
    """

    faults: tuple[Fault, ...]
    where: str = "target"
    fails: bool = False
    says: str = ""
    blocked: bool = False
    stall: bool = False
    waits: tuple[float, ...] = ()


def once(
    method: str, path: str, *actions: Action, nth: int = 1, times: int = 1
) -> tuple[Fault, ...]:
    return tuple(Fault(method, path, action, nth, times) for action in actions)


def always(method: str, path: str, *actions: Action) -> tuple[Fault, ...]:
    return tuple(Fault(method, path, action, every=True) for action in actions)


_BASE, _SESSION, _OPENED, _PUT = (
    "/blobs/BASE",
    "/blobs/uploads/.",
    "/blobs/uploads/(\\?|$)",
    "/manifests/",
)
source = partial(Case, where="source")

CASES = {
    # Connections.
    "download cut": source(once("GET", _BASE, CutAfter(200_000))),
    "download cut at once, twice": source(once("GET", _BASE, CutAfter(10), times=2)),
    "chunk cut": Case(once("PATCH", _SESSION, CutUploadAfter(90_000), nth=2)),
    "whole blob cut": Case(once("PUT", f"{_EXTRA}blobs", CutUploadAfter(1000))),
    "manifest cut": Case(once("PUT", _PUT, CutUploadAfter(100))),
    "manifest answer cut": source(once("GET", _PUT, CutAfter(100))),
    "download never begins": source(once("GET", _BASE, Stall(60), Reset()), stall=True),
    "download stalls": source(once("GET", _BASE, StallAfter(200_000)), stall=True),
    "chunk stalls": Case(once("PATCH", _SESSION, Stall(60), Reset(), nth=2), stall=True),
    "whole blob stalls": Case(once("PUT", f"{_EXTRA}blobs", Stall(60), Reset()), stall=True),
    "manifest stalls": Case(once("PUT", _PUT, Stall(60), Reset()), stall=True),
    "download a byte at a time": source(once("GET", _BASE, Trickle(40, 0.01)), stall=True),
    "upload a bit at a time": Case(once("PATCH", _SESSION, ReadSlowly(0.05)), stall=True),
    "download reset": source(once("GET", _BASE, Reset(), times=2)),
    "upload reset": Case(once("POST", _OPENED, Reset())),
    "upload reset behind it": Case(once("POST", _OPENED, Reset(performed=True), times=3)),
    "chunk reset": Case(once("PATCH", _SESSION, Reset(), nth=2)),
    "chunk reset behind it": Case(once("PATCH", _SESSION, Reset(performed=True), nth=2)),
    "closing reset behind it": Case(once("PUT", _SESSION, Reset(performed=True), times=3)),
    "manifest reset behind it": Case(once("PUT", _PUT, Reset(performed=True), times=2)),
    "look reset": Case(once("HEAD", _PUT, Reset(), times=2)),
    # Limits.
    "429 in seconds": Case(once("POST", _OPENED, too_many("3")), waits=(3.0,)),
    "429 until a date": Case(once("PUT", _PUT, too_many("DATE")), waits=(90.0,)),
    "429 without a time": Case(once("PATCH", _SESSION, too_many(), times=2)),
    "429 for reads": source(once("GET", "/v2/.", too_many("2"), times=3), waits=(2.0,)),
    "429 of Docker Hub for too many requests": source(once(".*", "/v2/.", BUSY, times=3)),
    "429 for new repositories": Case(
        always("POST", f"{_EXTRA}blobs", Status(429, code("TOOMANYREQUESTS", '{"limit": 2}'))),
        fails=True,
        says="TOOMANYREQUESTS",
    ),
    "429 for days": Case(always("POST", f"{_EXTRA}blobs", too_many("86400")), fails=True, says="429"),
    # Failures of servers.
    "500 for anything": Case(once(".*", "/v2/.", Status(500), times=3)),
    "502 for uploads": Case(once("POST|PUT|PATCH", _SESSION, Status(502, b"<html>"), times=2)),
    "503 for manifests": Case(once("PUT", _PUT, Status(503), times=3)),
    "503 for downloads": source(once("GET", "/blobs/", Status(503), times=3)),
    "500 for ever": Case(always("PUT", f"{_EXTRA}manifests", Status(500)), fails=True, says="500"),
    "no space left": Case(
        always("PATCH|PUT", f"{_EXTRA}blobs", Status(500, code("UNKNOWN", '{"Op": "write", "Err": 28}'))),
        fails=True,
        says="500 UNKNOWN",
    ),
    # Refusals.
    "403 for a mount": Case(always("POST", "[?&]mount=", Status(403, code("DENIED")))),
    "403 for a push": Case(
        always("POST|PUT|PATCH", f"{_EXTRA}blobs", Status(403, code("DENIED"))), fails=True, says="403 DENIED"
    ),
    "mount not done": Case(always("POST", "[?&]mount=", ChangeCall(without_query))),
    "413 by a proxy": Case(
        (Fault("PUT|PATCH", _SESSION, Status(413, b"<html>"), every=True, longer=100_000),)
    ),
    # Uploads in chunks.
    "session gone": Case(once("PATCH", _SESSION, GONE, nth=2) + once("GET", _SESSION, GONE)),
    "session gone, again and again": Case(always("PATCH", _SESSION, GONE)),
    "416 with the place": Case(once("PATCH", _SESSION, Status(416, b"", {"Range": "0-9"}), nth=2)),
    "gap not noticed": Case(
        once("PATCH", _SESSION, ChangeCall(with_gap), ChangeReply(as_if_whole), nth=2)
    ),
    "201 for a chunk": Case(always("PATCH", _SESSION, with_status(201))),
    "relative Location": Case(always("POST|PATCH", "/uploads/", ChangeReply(relative))),
    "Location on another host": Case(always("POST|PATCH", "/uploads/", ChangeReply(elsewhere))),
    # Content.
    "no digest told": Case(always(".*", "/v2/.", DropHeader("Docker-Content-Digest"))),
    "no digest told by the source": source(always(".*", "/v2/.", DropHeader("Docker-Content-Digest"))),
    "another digest stored": Case(
        once("PUT", f"{_EXTRA}manifests", WrongDigestHeader()), fails=True, says="the registry stored"
    ),
    "another digest read back": Case(
        once("HEAD", f"{_EXTRA}manifests", WrongDigestHeader(), nth=2), fails=True, says="was written"
    ),
    "another digest named": source(
        always("HEAD|GET", f"{_EXTRA}manifests", WrongDigestHeader()), fails=True, blocked=True, says="404 MANIFEST_UNKNOWN"
    ),
    "wrong bytes": source(always("GET", f"{_EXTRA}blobs", WrongBytes()), fails=True, says="sent bytes with the digest"),
    "wrong manifest": source(
        always("GET", f"{_EXTRA}manifests", WrongBytes()), fails=True, blocked=True, says="asked for sha256:"
    ),
    "short blob, once": source(once("GET", _BASE, Truncate(200_000))),
    "short blob": source(always("GET", f"{_EXTRA}blobs", Truncate(100)), fails=True, says="ended after 100 of"),
    "blobs not seen yet": Case(once("PUT", _PUT, UNSEEN, times=2)),
    "blobs never seen": Case(always("PUT", f"{_EXTRA}manifests", UNSEEN), fails=True, says="MANIFEST_BLOB_UNKNOWN"),
    "index hidden": Case(always("HEAD|GET", _PUT, ChangeReply(hidden))),
    "index hidden by the source": source(always("HEAD|GET", _PUT, ChangeReply(hidden))),
    # Who answers is no registry.
    "page for a manifest": source(
        always("GET", f"{_EXTRA}manifests", HTML), fails=True, blocked=True, says="asked for sha256:"
    ),
    "page for a blob": source(always("GET", f"{_EXTRA}blobs", HTML), fails=True, says="ended after"),
    "page for an upload": Case(always("POST", f"{_EXTRA}blobs", HTML), fails=True, says="a login page"),
    "page for a chunk": Case(once("PATCH", _SESSION, HTML, nth=2)),
    "page for a closing": Case(always("PUT", f"{_EXTRA}blobs", HTML), fails=True, says="a login page"),
    "page for a tag": Case(always("PUT", f"{_EXTRA}manifests", HTML), fails=True, says="was written"),
    "page for a tag, once": Case(once("PUT", f"{_EXTRA}manifests", HTML)),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_a_fault_is_got_over_or_costs_one_image(
    name: str,
    site: Site,
    base: str,
    waits: list[float],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    case = CASES[name]
    if case.stall:
        impatient = partial(Patience, sleep=waits.append, stall=STALL)
        monkeypatch.setattr(opening, "Patience", impatient)
        monkeypatch.setattr(wire, "_READ_TIMEOUT", STALL)
    proxy = site.source if case.where == "source" else site.target
    proxy.faults.add(*(made(each, base) for each in case.faults))
    result = main(["apply", "--auto-approve"])
    said = capsys.readouterr()
    assert result == (1 if case.fails else 0), said.err
    assert proxy.faults.unused() == ()
    proxy.faults.clear()
    for seconds in case.waits:
        assert any(seconds - 5 < each <= seconds for each in waits), waits
    if case.fails:
        assert case.says in (said.out if case.blocked else said.err)
        if not case.blocked:
            failed = [line for line in said.err.splitlines() if line.startswith("failed: ")]
            assert failed
            assert all(str(EXTRA).partition("/")[2] in line for line in failed), said.err
        site.assert_has(APP, TOOL, *extra_that_was_written(name))
        again = ["apply", "--auto-approve"] if case.blocked else ["apply", "--resume"]
        assert main(again) == 0, capsys.readouterr().err
    site.assert_complete()


def extra_that_was_written(name: str) -> tuple[ImageRef, ...]:
    """Where the registry tells lies about what it did, it has it."""
    return (EXTRA,) if name in ("another digest stored", "another digest read back") else ()


def made(fault: Fault, base: str) -> Fault:
    action = fault.action
    if isinstance(action, Status) and action.headers.get("Retry-After") == "DATE":
        action = Status(
            action.code, action.body, {"Retry-After": formatdate(time.time() + 90, usegmt=True)}
        )
    return replace(fault, path=fault.path.replace("BASE", base), action=action)


def test_the_page_tells_how_each_fault_ends() -> None:
    page = (Path(__file__).parents[2] / "docs/faults.md").read_text("utf-8")
    listed = [line for line in page.splitlines() if line.endswith((_OVER, _ONE, _BLOCKED))]
    assert listed == [f"| {name} | {case.where} | {ending(case)}" for name, case in CASES.items()]


_OVER, _ONE, _BLOCKED = "got over |", "that image fails |", "the plan says that it is blocked |"


def ending(case: Case) -> str:
    return _BLOCKED if case.blocked else _ONE if case.fails else _OVER
