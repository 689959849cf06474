"""The bytes of a blob: from anywhere in it, and on from where a download broke off."""

from __future__ import annotations

import random
from collections.abc import Iterator

import pytest

from planner.config import Config, RegistrySettings, Tls
from planner.core.content import digest_of
from planner.core.errors import RegistryError
from planner.core.place import Place
from planner.core.steps import CopyBlob, Outcome
from planner.stores.auth import Authorizer
from planner.stores.credentials import Credentials, Keyring
from planner.stores.http import Connection
from planner.stores.opening import Places, Stores
from planner.stores.perform import perform
from planner.stores.registry import Registry
from tests.fakes import Basic, CutAfter, FakeRegistry, Fault, OtherHost, RedirectTo, Status
from tests.making import IMPATIENT, make_registry

SIZE = 5_000_000
BLOB = random.Random(2).randbytes(SIZE)
DIGEST = digest_of(BLOB)
MUCH = 1_500_000  # enough of a blob to be worth going on


@pytest.fixture
def fake() -> Iterator[FakeRegistry]:
    with FakeRegistry() as registry:
        registry.add_blob("a/b", BLOB)
        yield registry


def read(registry: Registry, part: range | None = None) -> bytes:
    with registry.open_blob("a/b", DIGEST, part) as chunks:
        return b"".join(map(bytes, chunks))


def ranges(fake: FakeRegistry) -> list[str]:
    return [each.headers.get("range", "") for each in fake.requests if each.method == "GET"]


@pytest.mark.parametrize("part", [range(SIZE), range(1, SIZE), range(SIZE - 1, SIZE)])
def test_a_blob_is_read_from_anywhere(fake: FakeRegistry, part: range) -> None:
    assert read(make_registry(fake), part) == BLOB[part.start :]
    asked = f"bytes={part.start}-{SIZE - 1}" if part.start else ""
    assert ranges(fake) == [asked]


def test_who_knows_no_ranges_sends_everything_again() -> None:
    with FakeRegistry(ranges=False) as fake:
        fake.add_blob("a/b", BLOB)
        assert read(make_registry(fake), range(MUCH, SIZE)) == BLOB[MUCH:]
        fake.faults.add(Fault("GET", "blobs", CutAfter(MUCH)))
        assert read(make_registry(fake)) == BLOB


def test_who_refuses_ranges_is_asked_for_everything(fake: FakeRegistry) -> None:
    fake.faults.add(Fault("GET", "blobs", Status(416)))
    assert read(make_registry(fake), range(MUCH, SIZE)) == BLOB[MUCH:]
    assert ranges(fake) == [f"bytes={MUCH}-{SIZE - 1}", ""]


def test_another_part_than_the_one_asked_for_is_refused(fake: FakeRegistry) -> None:
    wrong = Status(206, BLOB[7:], {"Content-Range": f"bytes 7-{SIZE - 1}/{SIZE}"})
    fake.faults.add(Fault("GET", "blobs", wrong))
    with pytest.raises(RegistryError, match="asked for one part, got another"):
        read(make_registry(fake), range(MUCH, SIZE))


def test_a_part_that_nobody_asked_for_is_refused(fake: FakeRegistry) -> None:
    part = Status(206, BLOB, {"Content-Range": f"bytes 0-{SIZE - 1}/{SIZE}"})
    fake.faults.add(Fault("GET", "blobs", part))
    with pytest.raises(RegistryError, match="206"):
        read(make_registry(fake))


@pytest.mark.parametrize("times", [1, 3])
def test_a_download_that_breaks_off_is_continued(fake: FakeRegistry, times: int) -> None:
    fake.faults.add(Fault("GET", "blobs", CutAfter(MUCH), times=times))
    assert read(make_registry(fake)) == BLOB
    starts = [each.partition("=")[2].partition("-")[0] for each in ranges(fake)]
    assert starts == ["", *(str(MUCH * each) for each in range(1, times + 1))]


def test_a_download_that_hardly_comes_further_is_an_error(fake: FakeRegistry) -> None:
    fake.faults.add(Fault("GET", "blobs", CutAfter(1_000), every=True))
    with pytest.raises(RegistryError, match="does not answer") as caught:
        read(make_registry(fake))
    assert (caught.value.retryable, len(fake.requests)) == (True, 3)


def test_some_bad_luck_is_forgotten_when_it_goes_on(fake: FakeRegistry) -> None:
    for number in (1, 2, 4, 5):
        fake.faults.add(Fault("GET", "blobs", CutAfter(10), nth=number))
    fake.faults.add(Fault("GET", "blobs", CutAfter(MUCH), nth=3))
    assert read(make_registry(fake)) == BLOB
    assert len(fake.requests) == 6


def test_a_continued_download_is_proved_as_a_whole(fake: FakeRegistry) -> None:
    """The part that comes later is somebody else's."""
    fake.faults.add(Fault("GET", "blobs", CutAfter(MUCH)))
    rest = bytes(SIZE - MUCH)
    bounds = {"Content-Range": f"bytes {MUCH}-{SIZE - 1}/{SIZE}"}
    fake.faults.add(Fault("GET", "blobs", Status(206, rest, bounds), nth=2, times=99))
    with FakeRegistry() as target:
        assert copy(fake, target).code == "DIGEST_MISMATCH"
        assert target.open_uploads() <= 1
        with pytest.raises(KeyError):
            target.blob("x/y", DIGEST)


def test_each_continuation_begins_at_the_registry(fake: FakeRegistry) -> None:
    """What it redirects to may be good for a moment only; and is never shown our credentials."""
    me = Credentials("the-test", "me", "secret")
    with OtherHost(BLOB) as other, FakeRegistry(auth=Basic("me", "secret")) as registry:
        registry.add_blob("a/b", BLOB)
        registry.faults.add(Fault("GET", "blobs", CutAfter(MUCH)))
        registry.faults.add(Fault("GET", "blobs", RedirectTo(f"{other.url}/signed"), nth=2))
        connection = Connection(registry.url, Tls(), 8, IMPATIENT)
        authorizer = Authorizer(connection, lambda: Keyring((("", me),)))
        assert read(Registry("r.corp", connection, authorizer)) == BLOB
        (request,) = other.requests
        assert request.headers["range"] == f"bytes={MUCH}-{SIZE - 1}"
        assert "authorization" not in request.headers


def test_who_copies_within_one_registry_does_not_wait_for_itself(fake: FakeRegistry) -> None:
    fake.faults.add(Fault("GET", "blobs", CutAfter(MUCH)))
    assert copy(fake, fake, parallelism=1).error == ""
    assert fake.blob("x/y", DIGEST) == BLOB


def copy(source: FakeRegistry, target: FakeRegistry, *, parallelism: int = 0) -> Outcome:
    same = source is target
    settings = {
        "source.corp": RegistrySettings(endpoint=source.url, parallelism=parallelism),
        "target.corp": RegistrySettings(endpoint=target.url),
    }
    stores = Stores(Places(Config(registries=settings)), IMPATIENT)
    place = Place("source.corp" if same else "target.corp", "x/y")
    step = CopyBlob(place, DIGEST, SIZE, Place("source.corp", "a/b"))
    return perform(stores, lambda *_: None, step)
