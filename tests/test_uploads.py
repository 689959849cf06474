"""How blobs get into a registry: with few requests, in chunks where that matters, and on from where it broke off."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import pytest

from planner.config import Config, RegistrySettings, Tls
from planner.core.content import digest_of
from planner.core.place import Place
from planner.core.steps import CopyBlob, MountBlob, Outcome, Step
from planner.stores import sending
from planner.stores.answer import Answer, Headers
from planner.stores.auth import Authorizer
from planner.stores.credentials import Credentials, Keyring
from planner.stores.http import Connection
from planner.stores.journal import Journal, Key
from planner.stores.opening import Places, Stores
from planner.stores.perform import perform
from planner.stores.registry import Registry
from planner.stores.sessions import offset_of
from planner.stores.verified import InterruptedStepError, VerifiedStream
from tests.fakes import (
    Access,
    AddHeaders,
    Bearer,
    CutUploadAfter,
    FakeRegistry,
    Fault,
    Reset,
    Stall,
    Status,
    WrongBytes,
)
from tests.making import IMPATIENT, error_of
from tests.support.process import PATIENCE

WHOLE, CHUNK, SMALLEST = 100_000, 40_000, 5_000
BIG = random.Random(1).randbytes(250_000)
SMALL = b"small"
DIGEST = digest_of(BIG)
CHUNKS = 7
PLACE = Place("target.corp", "x/y")
COPY = CopyBlob(PLACE, DIGEST, len(BIG), Place("source.corp", "a/b"))
MOUNT = MountBlob(PLACE, DIGEST, len(BIG), COPY.source, Place("target.corp", "s/t"))


@pytest.fixture(autouse=True)
def small_sizes(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that chunks of real size are not needed."""
    for name, size in (("_WHOLE", WHOLE), ("_CHUNK", CHUNK), ("_SMALLEST", SMALLEST)):
        monkeypatch.setattr(sending, name, size)


@pytest.fixture
def target() -> Iterator[FakeRegistry]:
    with FakeRegistry() as registry:
        yield registry


@pytest.fixture
def source() -> Iterator[FakeRegistry]:
    """Holds ``a/b:v1``, whose only layer is ``BIG``."""
    with FakeRegistry() as registry:
        registry.add_image("a/b", "v1", [BIG])
        yield registry


def registry_of(fake: FakeRegistry, journal: Journal | None = None, **options: Any) -> Registry:
    connection = Connection(fake.url, Tls(), 8, IMPATIENT)
    me = Credentials("the-test", "me", "secret")
    authorizer = Authorizer(connection, lambda: Keyring((("", me),)))
    return Registry("target.corp", connection, authorizer, journal=journal, **options)


class Blob:
    """Some bytes to be sent; ``opened`` says from where on they were read."""

    def __init__(self, data: bytes = BIG) -> None:
        self.data = data
        self.digest = digest_of(data)
        self.opened: list[int] = []

    @contextmanager
    def __call__(self, offset: int = 0, /) -> Iterator[VerifiedStream]:
        self.opened.append(offset)
        pieces = (self.data[at : at + 7_000] for at in range(offset, len(self.data), 7_000))
        yield VerifiedStream(pieces, self.digest, len(self.data), "the test", offset=offset)


def write(registry: Registry, data: bytes = BIG, sibling: str = "") -> str:
    blob = Blob(data)
    return registry.write_blob("x/y", blob.digest, blob, sibling)


def holds(fake: FakeRegistry, data: bytes = BIG, repository: str = "x/y") -> bool:
    try:
        return fake.blob(repository, digest_of(data)) == data
    except KeyError:
        return False


def methods(fake: FakeRegistry) -> list[str]:
    return [each.method for each in fake.requests]


def stores_of(source: FakeRegistry, target: FakeRegistry, journal: Journal | None = None) -> Stores:
    named = {"source.corp": source, "target.corp": target}
    settings = {name: RegistrySettings(endpoint=fake.url) for name, fake in named.items()}
    return Stores(Places(Config(registries=settings)), IMPATIENT, journal=journal)


def do(
    stores: Stores, step: Step = COPY, report: Callable[[str, int], None] = lambda *_: None
) -> Outcome:
    return perform(stores, report, step)


def sent(fake: FakeRegistry) -> int:
    return sum(each.bytes_in for each in fake.requests)


# Finding and mounting.


def test_one_request_finds_what_is_there(target: FakeRegistry) -> None:
    target.add_blob("x/y", BIG)
    assert write(registry_of(target)) == "present"
    (request,) = target.requests
    assert request.query == f"mount={DIGEST}&from=x%2Fy"
    assert target.open_uploads() == 0


def test_a_sibling_is_named_as_the_registry_names_it(target: FakeRegistry) -> None:
    target.add_blob("pre/fix/s/t", BIG)
    assert write(registry_of(target, prefix="/pre/fix"), sibling="s/t") == "mounted"
    assert holds(target, repository="pre/fix/x/y")
    assert methods(target) == ["POST"]


@pytest.mark.parametrize("sibling", ["", "s/t"])
@pytest.mark.parametrize("status", [400, 401, 403, 404, 405, 500])
def test_a_refused_probe_is_no_failure(target: FakeRegistry, status: int, sibling: str) -> None:
    target.faults.add(Fault("POST", "mount=", Status(status), every=True))
    registry = registry_of(target)
    assert write(registry, SMALL, sibling) == "copied"
    assert (holds(target, SMALL), target.open_uploads()) == (True, 0)
    assert write(registry, SMALL, sibling) == "present"


@pytest.mark.parametrize(("status", "times"), [(405, 1), (400, 1), (403, 2)])
def test_who_does_not_understand_a_probe_is_asked_otherwise(
    target: FakeRegistry, status: int, times: int
) -> None:
    """A missing right may be about one repository alone."""
    target.faults.add(Fault("POST", "mount=", Status(status), every=True))
    registry = registry_of(target)
    assert write(registry, SMALL) == write(registry, SMALL * 2) == "copied"
    assert target.count("POST", "mount=") == times


def test_a_probe_without_answer_is_not_tried_twice_over(target: FakeRegistry) -> None:
    target.faults.add(Fault("POST", "", Reset(), every=True))
    assert error_of(lambda: write(registry_of(target))).retryable
    assert target.count("POST", "") == IMPATIENT.tries


def test_a_token_that_does_not_extend_to_the_sibling_copies() -> None:
    def allows(user: str, access: Access) -> bool:
        return access.name != "s/t"

    with FakeRegistry(auth=Bearer({"me": "secret"}, allows=allows)) as target:
        target.add_blob("s/t", BIG)
        assert write(registry_of(target), sibling="s/t") == "copied"
        assert holds(target)


def test_a_token_server_that_refuses_the_sibling_copies() -> None:
    with FakeRegistry(auth=Bearer({"me": "secret"})) as target:
        target.add_blob("s/t", BIG)
        target.faults.add(Fault("GET", r"/token.*s%2Ft", Status(403), every=True))
        assert write(registry_of(target), sibling="s/t") == "copied"
        assert (holds(target), target.faults.unused()) == (True, ())


@pytest.mark.parametrize("product", ["ecr", "artifactory", "dockerhub"])
def test_a_product_that_does_not_tell_by_mounting_is_asked(
    target: FakeRegistry, product: str
) -> None:
    assert write(registry_of(target, product=product), SMALL) == "copied"
    assert write(registry_of(target, product=product), SMALL) == "present"
    assert methods(target) == ["HEAD", "POST", "PUT", "HEAD"]


def test_a_product_is_known_by_its_first_answer_at_the_latest() -> None:
    with FakeRegistry(mount=False) as target:
        target.faults.add(
            Fault("POST", "", AddHeaders(lambda: {"Server": "Nexus/3.70"}), every=True)
        )
        target.add_blob("x/y", BIG)
        assert write(registry_of(target)) == "present"
        assert (methods(target), target.open_uploads()) == (["POST", "HEAD", "DELETE"], 0)


def test_a_refused_mount_finds_what_an_earlier_run_sent() -> None:
    with FakeRegistry(mount=False) as target:
        target.add_blob("x/y", BIG)
        assert write(registry_of(target), sibling="s/t") == "present"
        assert target.open_uploads() == 0


def test_what_a_killed_run_finished_is_not_sent_again_wherever_that_is_hard_to_see() -> None:
    journal = Journal()
    with FakeRegistry(mount=False) as target:
        assert write(registry_of(target, journal), SMALL) == "copied"
        assert write(registry_of(target, journal), SMALL) == "present"
        assert target.count("PUT", "") == 1


@pytest.mark.parametrize("is_gone", [False, True])
def test_what_a_killed_run_sent_elsewhere_is_shared(target: FakeRegistry, is_gone: bool) -> None:
    """The image that it was sent for may be complete, and so in no plan of the next run."""
    journal = Journal()
    write(registry_of(target, journal))
    if is_gone:
        target.faults.add(Fault("POST", "mount=", Status(202), every=True))
    blob = Blob()
    arrival = registry_of(target, journal).write_blob("other/z", DIGEST, blob)
    assert (arrival, blob.opened) == (("copied", [0]) if is_gone else ("mounted", []))
    assert holds(target, repository="other/z")


def test_what_was_finished_and_is_gone_is_sent_again(target: FakeRegistry) -> None:
    journal = Journal()
    journal.finish(Key(target.url, "x/y", digest_of(SMALL)))
    assert write(registry_of(target, journal), SMALL) == "copied"
    assert holds(target, SMALL)


def test_no_session_stays_open_when_the_source_has_nothing(
    source: FakeRegistry, target: FakeRegistry
) -> None:
    source.faults.add(Fault("GET", "blobs", Status(404), every=True))
    assert "404" in do(stores_of(source, target)).error
    assert (target.open_uploads(), target.count("DELETE", "")) == (0, 1)


def test_a_session_that_cannot_be_cancelled_changes_nothing(
    source: FakeRegistry, target: FakeRegistry
) -> None:
    source.faults.add(Fault("GET", "blobs", Status(404), every=True))
    target.faults.add(Fault("DELETE", "", Reset(), every=True))
    assert "404" in do(stores_of(source, target)).error


# Whole or in chunks.


@pytest.mark.parametrize("size", [0, 1, WHOLE])
def test_what_is_small_goes_whole(target: FakeRegistry, size: int) -> None:
    assert write(registry_of(target), BIG[:size]) == "copied"
    assert methods(target) == ["POST", "PUT"]
    assert target.requests[1].headers["content-length"] == str(size)
    assert holds(target, BIG[:size])


@pytest.mark.parametrize("size", [WHOLE + 1, 3 * CHUNK, 3 * CHUNK + 1, len(BIG)])
@pytest.mark.parametrize("relative", [True, False])
def test_what_is_large_goes_in_chunks(size: int, relative: bool) -> None:
    with FakeRegistry(relative_location=relative) as target:
        assert write(registry_of(target), BIG[:size]) == "copied"
        assert holds(target, BIG[:size])
        patches = [each for each in target.requests if each.method == "PATCH"]
        ends = [min(at + CHUNK, size) for at in range(0, size, CHUNK)]
        ranges = [f"{at}-{end - 1}" for at, end in zip(range(0, size, CHUNK), ends, strict=True)]
        assert [each.headers["content-range"] for each in patches] == ranges
        assert [each.bytes_in for each in patches][:-1] == [CHUNK] * (len(patches) - 1)
        assert methods(target) == ["POST", *["PATCH"] * len(patches), "PUT"]
        assert (target.requests[-1].bytes_in, target.open_uploads()) == (0, 0)


def test_chunks_are_as_large_as_the_registry_wants_them() -> None:
    with FakeRegistry(least_chunk=90_000) as target:
        assert write(registry_of(target)) == "copied"
        sizes = [each.bytes_in for each in target.requests if each.method == "PATCH"]
        assert sizes == [90_000, 90_000, 70_000]


def test_a_chunk_may_be_answered_with_201() -> None:
    with FakeRegistry(patch_status=201) as target:
        assert write(registry_of(target)) == "copied"
        assert (target.count("PATCH", ""), holds(target)) == (CHUNKS, True)


@pytest.mark.parametrize("status", [400, 404, 405, 415, 416, 501])
def test_a_registry_that_takes_no_chunks_gets_blobs_whole(
    target: FakeRegistry, status: int
) -> None:
    target.faults.add(Fault("PATCH", "", Status(status), every=True))
    registry = registry_of(target)
    assert write(registry) == write(registry, BIG[1:]) == "copied"
    assert (holds(target), holds(target, BIG[1:])) == (True, True)
    assert target.count("PATCH", "") == 1


def test_a_registry_that_spoils_chunks_gets_blobs_whole(target: FakeRegistry) -> None:
    invalid = Status(400, b'{"errors":[{"code":"DIGEST_INVALID","message":"no"}]}')
    target.faults.add(Fault("PUT", "uploads", invalid))
    registry = registry_of(target)
    assert write(registry) == write(registry, BIG[1:]) == "copied"
    assert (target.count("PATCH", ""), holds(target)) == (CHUNKS, True)


def test_a_registry_that_takes_only_one_chunk_gets_blobs_whole(target: FakeRegistry) -> None:
    second = f"_state={CHUNK}"
    target.faults.add(Fault("PATCH|GET", second, Status(404), every=True))
    assert write(registry_of(target)) == "copied"
    assert (target.count("PATCH", ""), holds(target)) == (4, True)


def test_a_continued_upload_has_chunks_as_large_as_before() -> None:
    journal = Journal()
    with FakeRegistry(least_chunk=90_000) as target:
        target.faults.add(Fault("PATCH", "", Reset(), nth=2, times=99))
        assert error_of(lambda: write(registry_of(target, journal))).retryable
        target.faults.clear()
        assert write(registry_of(target, journal)) == "copied"
        sizes = [each.bytes_in for each in target.requests if each.method == "PATCH"]
        assert sizes == [90_000, 90_000, 90_000, 70_000]


@pytest.mark.parametrize("product", ["gar", "ghcr"])
def test_some_products_are_never_sent_chunks(target: FakeRegistry, product: str) -> None:
    assert write(registry_of(target, product=product)) == "copied"
    assert target.count("PATCH", "") == 0


@pytest.mark.parametrize("largest", [60_000, CHUNK, 11_000, SMALLEST])
def test_a_proxy_that_limits_bodies_gets_chunks(largest: int) -> None:
    with FakeRegistry(largest_body=largest) as target:
        registry = registry_of(target)
        assert write(registry, BIG[:WHOLE]) == "copied"
        assert (holds(target, BIG[:WHOLE]), target.open_uploads()) == (True, 0)
        refused = target.count("PUT|PATCH", "")
        assert write(registry, BIG[1:WHOLE]) == "copied"
        again = [each.status for each in target.requests[refused:]]
        assert 413 not in again
        assert holds(target, BIG[1:WHOLE])


def test_what_is_known_of_a_limit_outlives_a_refusal_that_comes_late() -> None:
    with FakeRegistry(largest_body=11_000) as target:
        stall = Stall(60)
        target.faults.add(Fault("PUT", "", stall))
        registry = registry_of(target)
        with ThreadPoolExecutor() as pool:
            late = pool.submit(write, registry, BIG[:WHOLE])
            assert stall.stalled.wait(PATIENCE)
            assert write(registry, BIG[1:WHOLE]) == "copied"
            known = target.count("PUT|PATCH", "")
            stall.release.set()
            assert late.result() == "copied"
        assert holds(target, BIG[:WHOLE])
        after = [each.status for each in target.requests if each.method in ("PUT", "PATCH")][known:]
        assert after.count(413) == 1


def test_a_proxy_that_lets_nothing_through_is_named() -> None:
    with FakeRegistry(largest_body=SMALLEST - 1) as target:
        error = error_of(lambda: write(registry_of(target)))
        assert (error.status, "a proxy in front" in error.hint) == (413, True)
        assert target.count("PATCH", "") < 10


def test_a_proxy_before_a_product_without_chunks_is_named() -> None:
    with FakeRegistry(largest_body=CHUNK) as target:
        assert error_of(lambda: write(registry_of(target, product="ghcr"))).status == 413
        assert target.count("PUT", "") == 1


# Going on.


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param(Fault("PATCH", "", CutUploadAfter(9_000), nth=3), id="cut"),
        pytest.param(Fault("PATCH", "", Reset(), nth=3), id="reset"),
        pytest.param(Fault("PATCH", "", Reset(performed=True), nth=3), id="answer-lost"),
        pytest.param(Fault("PATCH", "", Status(502), nth=3, times=2), id="bad-gateway"),
        pytest.param(Fault("PATCH", "", Status(416), nth=3), id="out-of-step"),
        pytest.param(Fault("PATCH", "", Status(404), nth=3), id="lost-and-found"),
        pytest.param(Fault("PUT", "", Reset(performed=True)), id="last-answer-lost"),
        pytest.param(Fault("PUT", "", Status(503)), id="close-fails"),
    ],
)
@pytest.mark.parametrize("resumable", [True, False], ids=["resumable", "not-resumable"])
def test_a_fault_costs_a_chunk_at_most(source: FakeRegistry, fault: Fault, resumable: bool) -> None:
    with FakeRegistry(resumable=resumable) as target:
        target.faults.add(fault)
        assert do(stores_of(source, target)).error == ""
        assert (holds(target), target.faults.unused()) == (True, ())
        is_dead = not resumable and isinstance(fault.action, CutUploadAfter | Reset)
        if not is_dead:
            assert sent(target) <= len(BIG) + 2 * CHUNK
            assert target.open_uploads() == 0


def test_a_registry_that_keeps_less_than_it_was_sent_is_sent_the_rest(
    target: FakeRegistry,
) -> None:
    """It says so twice, and changes its mind."""
    for method in ("PATCH", "GET"):
        said = AddHeaders(lambda: {"Range": "0-59999"})
        target.faults.add(Fault(method, "uploads", said, nth=2 if method == "PATCH" else 1))
    blob = Blob()
    assert registry_of(target).write_blob("x/y", DIGEST, blob) == "copied"
    assert (blob.opened, holds(target)) == ([0, 60_000, 2 * CHUNK], True)


def test_a_blob_may_break_off_as_often_as_it_likes_while_it_comes_further(
    source: FakeRegistry, target: FakeRegistry
) -> None:
    target.faults.add(*(Fault("PATCH", "", Reset(), nth=each) for each in range(2, 14, 2)))
    assert do(stores_of(source, target)).error == ""
    assert target.count("PATCH", "") == CHUNKS + 6
    assert holds(target)


def test_a_blob_that_comes_no_further_is_given_up(
    source: FakeRegistry, target: FakeRegistry
) -> None:
    target.faults.add(Fault("PATCH", "", Reset(), nth=3, times=99))
    assert "does not answer" in do(stores_of(source, target)).error
    assert target.count("PATCH", "") <= 2 + 4


def test_a_token_that_expires_between_chunks_is_renewed(source: FakeRegistry) -> None:
    now = [0.0]
    with FakeRegistry(auth=Bearer({"me": "secret"}, ttl=300, clock=lambda: now[0])) as target:
        journal = Journal()
        registry = registry_of(target, journal)
        blob = Blob()

        @contextmanager
        def slow(offset: int = 0, /) -> Iterator[VerifiedStream]:
            def pass_time(_: int) -> None:
                now[0] += 40.0

            with blob(offset) as stream:
                yield VerifiedStream(iter(stream), DIGEST, len(BIG), "", pass_time, offset=offset)

        error = error_of(lambda: registry.write_blob("x/y", DIGEST, slow))
        assert (error.retryable, "expired during an upload" in error.message) == (True, True)
        held = journal.session(Key(target.url, "x/y", DIGEST))
        assert held
        assert held.offset > 0
        assert registry.write_blob("x/y", DIGEST, blob) == "copied"
        assert (blob.opened, holds(target)) == ([0, held.offset], True)


@pytest.mark.parametrize("largest", [1, 3])
def test_another_process_goes_on_inside_of_a_blob(target: FakeRegistry, largest: int) -> None:
    journal, blob = Journal(), Blob()
    target.faults.add(Fault("PATCH", "", Reset(), nth=largest + 1, times=99))
    assert error_of(lambda: registry_of(target, journal).write_blob("x/y", DIGEST, blob)).retryable
    target.faults.clear()
    assert registry_of(target, journal).write_blob("x/y", DIGEST, blob) == "copied"
    assert blob.opened == [0, largest * CHUNK]
    assert sent(target) == len(BIG) + CHUNK
    assert journal.session(Key(target.url, "x/y", DIGEST)) is None


def test_a_session_that_the_registry_forgot_is_begun_anew(target: FakeRegistry) -> None:
    journal, blob = Journal(), Blob()
    target.faults.add(Fault("PATCH", "", Reset(), nth=4, times=99))
    error_of(lambda: registry_of(target, journal).write_blob("x/y", DIGEST, blob))
    target.faults.clear()
    target.faults.add(Fault("GET", "uploads", Status(404)))
    assert registry_of(target, journal).write_blob("x/y", DIGEST, blob) == "copied"
    assert (blob.opened, holds(target)) == ([0, 0], True)


def test_what_somebody_else_finished_meanwhile_is_not_sent(target: FakeRegistry) -> None:
    journal, blob = Journal(), Blob()
    target.faults.add(Fault("PATCH", "", Reset(), nth=4, times=99))
    error_of(lambda: registry_of(target, journal).write_blob("x/y", DIGEST, blob))
    target.add_blob("x/y", BIG)
    assert registry_of(target, journal).write_blob("x/y", DIGEST, blob) == "present"
    assert blob.opened == [0]


def test_wrong_bytes_of_an_earlier_run_are_found_by_the_registry(
    source: FakeRegistry, target: FakeRegistry
) -> None:
    journal, liar = Journal(), Blob(bytes(len(BIG)))
    liar.digest = DIGEST
    target.faults.add(Fault("PATCH", "", Status(403), nth=3))
    registry = registry_of(target, journal)
    assert error_of(lambda: registry.write_blob("x/y", DIGEST, liar)).status == 403
    assert do(stores_of(source, target, journal)).error == ""
    assert holds(target)
    statuses = [each.status for each in target.requests if each.method == "PUT"]
    assert statuses == [400, 201]


def test_a_source_that_lies_in_its_last_chunk_completes_nothing(
    source: FakeRegistry, target: FakeRegistry
) -> None:
    source.faults.add(Fault("GET", "blobs", WrongBytes(), every=True))
    assert do(stores_of(source, target)).code == "DIGEST_MISMATCH"
    assert (target.count("PUT", ""), holds(target)) == (0, False)


def test_a_session_on_another_host_sees_no_credentials(target: FakeRegistry) -> None:
    with FakeRegistry() as other:
        session = other._storage.start_upload("x/y")
        location = {"Location": f"{other.url}/v2/x/y/blobs/uploads/{session}?_state=0"}
        target.faults.add(Fault("POST", "", Status(202, headers=location)))
        assert write(registry_of(target)) == "copied"
        assert holds(other)
        assert all("authorization" not in each.headers for each in other.requests)


# Stopping.


def stop_after(count: int) -> Callable[[str, int], None]:
    passed = 0

    def report(_step: str, moved: int) -> None:
        nonlocal passed
        passed += moved
        if passed > count:
            raise InterruptedStepError

    return report


def test_a_stopped_upload_ends_behind_its_chunk_and_is_continued(
    source: FakeRegistry, target: FakeRegistry
) -> None:
    journal = Journal()
    stores = stores_of(source, target, journal)
    assert do(stores, COPY, stop_after(0)).code == "CANCELLED"
    held = journal.session(Key(target.url, "x/y", DIGEST))
    assert held
    assert (held.offset, held.size) == (CHUNK, len(BIG))
    assert do(stores_of(source, target, journal)).error == ""
    assert (sent(target), holds(target)) == (len(BIG), True)
    (request,) = (each for each in source.requests if "range" in each.headers)
    assert request.headers["range"] == f"bytes={CHUNK}-{len(BIG) - 1}"


def test_a_stopped_upload_whose_last_chunk_is_sent_is_complete(
    source: FakeRegistry, target: FakeRegistry
) -> None:
    journal = Journal()
    target.faults.add(Fault("PATCH", "", Reset(), nth=CHUNKS, times=99))
    assert do(stores_of(source, target, journal)).error
    target.faults.clear()
    assert do(stores_of(source, target, journal), COPY, stop_after(0)).error == ""
    assert holds(target)


def test_a_whole_upload_stops_at_once(target: FakeRegistry) -> None:
    with FakeRegistry() as source:
        source.add_image("a/b", "v1", [SMALL])
        step = CopyBlob(PLACE, digest_of(SMALL), len(SMALL), COPY.source)
        assert do(stores_of(source, target), step, stop_after(0)).code == "CANCELLED"
        assert not holds(target, SMALL)


# What registries say of their place.


@pytest.mark.parametrize(
    ("text", "is_asked", "expected"),
    [
        pytest.param("0-0", False, 0, id="distribution-empty"),
        pytest.param("0-99", False, 100, id="distribution"),
        pytest.param("0-99", True, 100, id="distribution-asked"),
        pytest.param("bytes=0--1", False, 0, id="quay-empty"),
        pytest.param("bytes=0-100", True, 100, id="quay-asked"),
        pytest.param("bytes=0-99", False, 100, id="with-unit"),
        pytest.param("0--1", False, 0, id="minus-one"),
        pytest.param("0-", False, 0, id="no-end"),
        pytest.param("", False, None, id="nothing"),
        pytest.param("5-9", False, None, id="not-from-the-start"),
        pytest.param("bytes 0-9/10", False, None, id="content-range"),
        pytest.param("0-99999999999999999999", False, None, id="absurd"),
    ],
)
def test_a_place_is_read_as_it_is_spelled(text: str, is_asked: bool, expected: int | None) -> None:
    answer = Answer(202, Headers({"range": text}), "http://r.corp/", {})
    assert offset_of(answer, is_asked=is_asked) == expected
