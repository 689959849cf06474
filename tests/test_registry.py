"""The client of a registry: what it stores is what was promised, or nothing."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest

from planner.config import Config, RegistrySettings
from planner.core.content import DOCKER_MANIFEST, OCI_MANIFEST, Manifest, digest_of
from planner.core.errors import RegistryError
from planner.core.place import Place
from planner.core.steps import CopyBlob, MountBlob, Outcome, PutManifest, PutTag, Step
from planner.stores.credentials import Credentials, Keyring
from planner.stores.opening import Places, Stores
from planner.stores.perform import Report, perform
from planner.stores.verified import InterruptedStepError
from tests.fakes import (
    AddHeaders,
    Basic,
    CutAfter,
    CutUploadAfter,
    DropHeader,
    FakeRegistry,
    Fault,
    OtherHost,
    RedirectTo,
    Reset,
    Status,
    Truncate,
    WrongBytes,
    WrongDigestHeader,
)
from tests.making import IMPATIENT, error_of, make_registry, stream_of

LAYER = bytes(range(256)) * 9000  # more than one chunk
DIGEST = digest_of(LAYER)
OTHER = digest_of(b"other")
EMPTY = digest_of(b"")


@pytest.fixture
def fake() -> Iterator[FakeRegistry]:
    """Holds ``a/b:v1``, whose only layer is ``LAYER``."""
    with FakeRegistry() as registry:
        registry.add_image("a/b", "v1", [LAYER])
        yield registry


@pytest.fixture
def target() -> Iterator[FakeRegistry]:
    with FakeRegistry() as registry:
        yield registry


def holds(fake: FakeRegistry, repository: str, digest: str) -> bool:
    try:
        return bool(fake.blob(repository, digest)) or digest == EMPTY
    except KeyError:
        return False


def do(
    source: FakeRegistry, target: FakeRegistry, step: Step, report: Report = lambda *_: None
) -> Outcome:
    """Perform a step from ``source.corp`` to ``target.corp``."""
    named = {"source.corp": source, "target.corp": target}
    settings = {name: RegistrySettings(endpoint=fake.url) for name, fake in named.items()}
    stores = Stores(Places(Config(registries=settings)), IMPATIENT)
    return perform(stores, report, step)


COPY = CopyBlob(Place("target.corp", "x/y"), DIGEST, len(LAYER), Place("source.corp", "a/b"))
MOUNT = MountBlob(
    Place("target.corp", "x/y"),
    DIGEST,
    len(LAYER),
    Place("source.corp", "a/b"),
    Place("target.corp", "s/t"),
)


# Reading.


def test_a_tag_is_looked_up_with_one_head(fake: FakeRegistry) -> None:
    found = make_registry(fake).head("a/b", "v1")
    expected = fake.manifest("a/b", "v1")
    assert found
    assert (found.digest, found.size) == (expected.digest, len(expected.body))
    assert found.media_type == OCI_MANIFEST
    assert [each.method for each in fake.requests] == ["HEAD"]


def test_a_tag_that_has_the_likely_digest_is_confirmed_in_short(fake: FakeRegistry) -> None:
    expected = fake.manifest("a/b", "v1")
    registry = make_registry(fake)
    for likely, status in ((expected.digest, 304), (OTHER, 200)):
        found = registry.head("a/b", "v1", likely=likely)
        assert found
        assert (found.digest, fake.requests[-1].status) == (expected.digest, status)


def test_an_answer_of_nothing_new_that_nobody_asked_for_is_an_error(fake: FakeRegistry) -> None:
    fake.faults.add(Fault("HEAD", "manifests", Status(304)))
    assert error_of(lambda: make_registry(fake).head("a/b", "v1")).status == 304


def test_manifests_are_given_freely_by_who_has_answered_without_a_limit(fake: FakeRegistry) -> None:
    registry = make_registry(fake)
    assert not registry.gives_freely
    registry.head("no/such", "v1")
    assert not registry.gives_freely
    registry.head("a/b", "v1")
    assert registry.gives_freely


@pytest.mark.parametrize(
    "limited",
    [
        AddHeaders(lambda: {"RateLimit-Limit": "100;w=21600", "RateLimit-Remaining": "9;w=21600"}),
        Status(429),
    ],
    ids=["with-a-limit", "too-many"],
)
def test_manifests_are_not_given_freely_by_who_counts(fake: FakeRegistry, limited: Any) -> None:
    registry = make_registry(fake)
    registry.head("a/b", "v1")
    fake.faults.add(Fault("HEAD", "manifests", limited, every=True))
    with contextlib.suppress(RegistryError):
        registry.head("a/b", "v1")
    assert not registry.gives_freely


@pytest.mark.parametrize("reference", ["v2", OTHER])
def test_what_is_not_there_is_none(fake: FakeRegistry, reference: str) -> None:
    assert make_registry(fake).head("a/b", reference) is None
    assert make_registry(fake).head("no/such", reference) is None


def test_a_registry_that_names_no_digest_is_asked_for_the_manifest() -> None:
    with FakeRegistry(digest_header=False) as fake:
        digest = fake.add_image("a/b", "v1", [b"x"])
        found = make_registry(fake).head("a/b", "v1")
        assert found
        assert found.digest == digest
        assert fake.count("GET", "manifests") == 1


@pytest.mark.parametrize(
    "fault",
    [DropHeader("Docker-Content-Digest"), WrongDigestHeader()],
    ids=["no-header", "wrong-header"],
)
def test_what_is_looked_up_by_digest_has_that_digest(fake: FakeRegistry, fault: Any) -> None:
    digest = fake.manifest("a/b", "v1").digest
    fake.faults.add(Fault("HEAD", "manifests", fault))
    found = make_registry(fake).head("a/b", digest)
    assert found
    assert found.digest == digest
    assert fake.count("GET", "") == 0


def test_a_wrong_digest_header_leads_to_nothing(fake: FakeRegistry) -> None:
    fake.faults.add(Fault("HEAD", "manifests", WrongDigestHeader()))
    registry = make_registry(fake)
    found = registry.head("a/b", "v1")
    assert found
    assert error_of(lambda: registry.manifest("a/b", found.digest)).status == 404


def test_a_manifest_comes_byte_for_byte(fake: FakeRegistry) -> None:
    expected = fake.manifest("a/b", "v1")
    for reference in ("v1", expected.digest):
        manifest = make_registry(fake).manifest("a/b", reference)
        assert (manifest.data, manifest.digest) == (expected.body, expected.digest)


@pytest.mark.parametrize("fault", [WrongBytes(), Truncate(40)], ids=["other-bytes", "short"])
def test_a_manifest_with_another_digest_is_refused(fake: FakeRegistry, fault: Any) -> None:
    digest = fake.manifest("a/b", "v1").digest
    fake.faults.add(Fault("GET", "manifests", fault, every=True))
    error = error_of(lambda: make_registry(fake).manifest("a/b", digest))
    assert error.code == "DIGEST_MISMATCH"
    assert f"asked for {digest}, got sha256:" in error.message


def test_a_manifest_that_is_not_what_its_tag_is_said_to_have_is_refused(fake: FakeRegistry) -> None:
    fake.faults.add(Fault("GET", "manifests", WrongDigestHeader()))
    assert error_of(lambda: make_registry(fake).manifest("a/b", "v1")).code == "DIGEST_MISMATCH"


def test_a_manifest_that_breaks_off_is_fetched_again(fake: FakeRegistry) -> None:
    fake.faults.add(Fault("GET", "manifests", CutAfter(40), times=2))
    assert make_registry(fake).manifest("a/b", "v1").digest == fake.manifest("a/b", "v1").digest


def test_a_manifest_that_always_breaks_off_is_an_error(fake: FakeRegistry) -> None:
    fake.faults.add(Fault("GET", "manifests", CutAfter(40), every=True))
    assert error_of(lambda: make_registry(fake).manifest("a/b", "v1")).retryable


def test_a_manifest_larger_than_any_is_refused(fake: FakeRegistry) -> None:
    fake.faults.add(Fault("GET", "manifests", Status(200, b" " * (16 * 1024 * 1024 + 1))))
    error = error_of(lambda: make_registry(fake).manifest("a/b", "v1"))
    assert "larger than 16,777,216 bytes" in error.message


def test_dockers_schema_1_is_refused_with_a_way_out(fake: FakeRegistry) -> None:
    body = b'{"schemaVersion": 1, "name": "a/b", "tag": "v1", "fsLayers": []}'
    kind = "application/vnd.docker.distribution.manifest.v1+prettyjws"
    fake.faults.add(Fault("GET", "manifests", Status(200, body, {"Content-Type": kind})))
    error = error_of(lambda: make_registry(fake).manifest("a/b", "v1"))
    assert f"manifests of type '{kind}' cannot be copied" in error.message
    assert "push the image again" in error.hint


@pytest.mark.parametrize(
    ("document", "message"),
    [
        pytest.param('{"schemaVersion": 2, "mediaType": "x/y"}', "'x/y' cannot be", id="unknown"),
        pytest.param('{"schemaVersion": 1, "fsLayers": []}', "not an image manifest", id="liar"),
        pytest.param("<html></html>", "not an image manifest", id="html"),
        pytest.param("[]", "not an image manifest", id="list"),
        pytest.param("null", "not an image manifest", id="null"),
        pytest.param("", "not an image manifest", id="empty"),
        pytest.param("[" * 100_000, "not an image manifest", id="deep"),
    ],
)
def test_what_is_no_manifest_is_refused(fake: FakeRegistry, document: str, message: str) -> None:
    fake.add_manifest("a/b", "odd", document.encode(), OCI_MANIFEST)
    error = error_of(lambda: make_registry(fake).manifest("a/b", "odd"))
    assert message in error.message
    assert "a/b:odd" in error.message


def test_a_missing_manifest_is_an_error(fake: FakeRegistry) -> None:
    error = error_of(lambda: make_registry(fake).manifest("a/b", "no"))
    assert (error.status, error.code) == (404, "MANIFEST_UNKNOWN")
    assert "r.corp/a/b:no" in error.message


@pytest.mark.parametrize(("digest", "is_there"), [(DIGEST, True), (OTHER, False)])
def test_a_blob_is_looked_up(fake: FakeRegistry, digest: str, is_there: bool) -> None:
    assert make_registry(fake).has_blob("a/b", digest) is is_there
    assert not make_registry(fake).has_blob("no/such", digest)


def test_a_blob_is_streamed(fake: FakeRegistry) -> None:
    with make_registry(fake).open_blob("a/b", DIGEST) as chunks:
        assert b"".join(map(bytes, chunks)) == LAYER


def test_a_blob_from_another_host_comes_without_our_credentials(target: FakeRegistry) -> None:
    me = Credentials("test", "me", "secret")
    with FakeRegistry(auth=Basic("me", "secret")) as fake, OtherHost(LAYER) as other:
        fake.faults.add(Fault("GET", "blobs", RedirectTo(f"{other.url}/signed")))
        with make_registry(fake, find=lambda: Keyring((("", me),))).open_blob(
            "a/b", DIGEST
        ) as chunks:
            assert b"".join(map(bytes, chunks)) == LAYER
        assert "authorization" not in other.requests[0].headers


def test_a_missing_blob_is_an_error(fake: FakeRegistry) -> None:
    with pytest.raises(RegistryError, match="BLOB_UNKNOWN") as caught:
        make_registry(fake).open_blob("a/b", OTHER).__enter__()
    assert caught.value.status == 404


@pytest.mark.parametrize(
    ("status", "hint"),
    [
        pytest.param(401, "docker login", id="401"),
        pytest.param(403, "do not give this right", id="403"),
        pytest.param(405, "takes no writes", id="405"),
        pytest.param(413, "limits the size", id="413"),
        pytest.param(500, "its own log", id="500"),
    ],
)
@pytest.mark.parametrize("call", ["head", "manifest", "has_blob", "write_manifest"])
def test_a_refusal_names_what_who_and_why(
    fake: FakeRegistry, status: int, hint: str, call: str
) -> None:
    fake.faults.add(Fault("HEAD|GET|PUT", "", Status(status), every=True))
    manifest = Manifest(OCI_MANIFEST, b"{}")
    more = (manifest,) if call == "write_manifest" else ()
    error = error_of(lambda: getattr(make_registry(fake), call)("a/b", DIGEST, *more))
    assert f"r.corp/a/b@{DIGEST} with no credentials: {status}" in error.message
    assert (error.status, hint in error.hint) == (status, True)


def test_a_repository_that_does_not_exist_is_told_from_a_missing_tag(fake: FakeRegistry) -> None:
    body = b'{"errors":[{"code":"NAME_UNKNOWN","message":"no such repository"}]}'
    fake.faults.add(Fault("POST", "", Status(404, body), every=True))
    error = error_of(lambda: write(fake))
    assert error.hint == "the repository does not exist there"


def test_an_endpoint_path_stands_before_the_repository(fake: FakeRegistry) -> None:
    fake.add_image("cache/hub/a/b", "v1", [LAYER])
    registry = make_registry(fake, prefix="/cache/hub/")
    assert registry.head("a/b", "v1")
    assert registry.has_blob("a/b", DIGEST)
    write(fake, prefix="cache/hub", sibling="a/b")
    assert {each.path.startswith("/v2/cache/hub/") for each in fake.requests} == {True}
    assert holds(fake, "cache/hub/x/y", DIGEST)
    assert fake.count("POST", "from=cache%2Fhub%2Fa%2Fb") == 1


# Writing.


def write(
    fake: FakeRegistry,
    data: bytes = LAYER,
    digest: str = "",
    *,
    sibling: str = "",
    prefix: str = "",
) -> str:
    digest = digest or digest_of(data)
    registry = make_registry(fake, prefix=prefix)
    return registry.write_blob("x/y", digest, lambda _=0: stream_of(data, digest), sibling)


@pytest.mark.parametrize("data", [LAYER, b"x", b""], ids=["large", "small", "empty"])
def test_a_blob_is_uploaded_with_one_put(fake: FakeRegistry, data: bytes) -> None:
    assert write(fake, data) == "copied"
    assert holds(fake, "x/y", digest_of(data))
    assert [each.method for each in fake.requests] == ["POST", "PUT"]
    assert fake.open_uploads() == 0


def test_a_blob_that_is_there_is_not_sent(fake: FakeRegistry) -> None:
    write(fake)
    assert write(fake) == "present"
    assert fake.count("PUT", "") == 1


def test_a_blob_is_mounted(fake: FakeRegistry) -> None:
    assert write(fake, sibling="a/b") == "mounted"
    assert holds(fake, "x/y", DIGEST)
    assert fake.count("PUT", "") == 0


@pytest.mark.parametrize("sibling", ["a/b", "no/such"])
def test_a_refused_mount_goes_on_as_the_upload_that_it_opened(sibling: str) -> None:
    with FakeRegistry(mount=False) as fake:
        fake.add_image("a/b", "v1", [LAYER])
        assert write(fake, sibling=sibling) == "copied"
        assert (fake.count("POST", ""), fake.open_uploads()) == (1, 0)
        assert holds(fake, "x/y", DIGEST)


def test_a_relative_location_is_understood() -> None:
    with FakeRegistry(relative_location=True) as fake:
        assert write(fake) == "copied"
        assert holds(fake, "x/y", DIGEST)


def test_an_upload_to_another_host_carries_no_credentials() -> None:
    me = Credentials("test", "me", "secret")
    with FakeRegistry(auth=Basic("me", "secret")) as fake, OtherHost() as other:
        location = {"Location": f"{other.url}/upload?signed=1"}
        fake.faults.add(Fault("POST", "", Status(202, headers=location)))
        registry = make_registry(fake, find=lambda: Keyring((("", me),)))
        error_of(lambda: registry.write_blob("x/y", DIGEST, lambda _=0: stream_of(LAYER, DIGEST)))
        (request,) = other.requests
        assert (request.method, request.bytes_in) == ("PUT", len(LAYER))
        assert request.query == f"signed=1&digest={DIGEST.replace(':', '%3A')}"
        assert "authorization" not in request.headers


def test_an_upload_without_address_is_an_error(fake: FakeRegistry) -> None:
    fake.faults.add(Fault("POST", "", Status(202), every=True))
    assert "uploading to r.corp/x/y" in error_of(lambda: write(fake)).message
    assert fake.count("PUT", "") == 0


@pytest.mark.parametrize(
    ("digest", "size"),
    [
        pytest.param(OTHER, len(LAYER), id="digest"),
        pytest.param(DIGEST, len(LAYER) + 1, id="too-short"),
        pytest.param(DIGEST, len(LAYER) - 1, id="too-long"),
        pytest.param(DIGEST, 0, id="promised-nothing"),
    ],
)
def test_bytes_that_are_not_the_promised_ones_are_never_stored(
    fake: FakeRegistry, digest: str, size: int
) -> None:
    registry = make_registry(fake)
    error = error_of(
        lambda: registry.write_blob("x/y", digest, lambda _=0: stream_of(LAYER, digest, size))
    )
    assert error.code in ("DIGEST_MISMATCH", "DIGEST_INVALID")
    assert not holds(fake, "x/y", digest)


def test_a_manifest_is_stored_byte_for_byte(fake: FakeRegistry) -> None:
    data = fake.manifest("a/b", "v1").body
    make_registry(fake).write_manifest("a/b", "v2", Manifest(OCI_MANIFEST, data))
    assert fake.manifest("a/b", "v2").body == data
    assert fake.requests[0].headers["content-type"] == OCI_MANIFEST


def test_a_registry_that_stores_another_manifest_is_caught(fake: FakeRegistry) -> None:
    fake.faults.add(Fault("PUT", "manifests", WrongDigestHeader()))
    manifest = Manifest(OCI_MANIFEST, fake.manifest("a/b", "v1").body)
    error = error_of(lambda: make_registry(fake).write_manifest("a/b", "v2", manifest))
    assert error.code == "DIGEST_MISMATCH"
    assert "the registry stored sha256:" in error.message


def test_a_manifest_whose_content_is_gone_says_what_to_do(fake: FakeRegistry) -> None:
    manifest = Manifest(OCI_MANIFEST, fake.manifest("a/b", "v1").body)
    error = error_of(lambda: make_registry(fake).write_manifest("x/y", "v1", manifest))
    assert (error.code, error.hint) == (
        "MANIFEST_BLOB_UNKNOWN",
        "content that was there is gone: plan again",
    )


# Steps between two registries.


def test_a_copy_reports_its_bytes(fake: FakeRegistry, target: FakeRegistry) -> None:
    reported: list[tuple[str, int]] = []
    outcome = do(fake, target, COPY, lambda step, moved: reported.append((step, moved)))
    assert outcome == Outcome(moved=len(LAYER))
    assert {step for step, _ in reported} == {COPY.id}
    assert sum(moved for _, moved in reported) == len(LAYER)


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param(WrongBytes(), id="other-bytes"),
        pytest.param(Truncate(1000), id="short"),
        pytest.param(CutAfter(1000), id="breaks-off"),
        pytest.param(CutAfter(0), id="breaks-off-at-once"),
        pytest.param(Status(200, LAYER + b"more"), id="long"),
    ],
)
def test_a_source_that_lies_stores_nothing(
    fake: FakeRegistry, target: FakeRegistry, fault: Any
) -> None:
    fake.faults.add(Fault("GET", "blobs", fault, every=True))
    outcome = do(fake, target, COPY)
    assert outcome.error
    assert not holds(target, "x/y", DIGEST)


def test_a_lie_is_told_as_one(fake: FakeRegistry, target: FakeRegistry) -> None:
    fake.faults.add(Fault("GET", "blobs", WrongBytes(), every=True))
    outcome = do(fake, target, COPY)
    assert outcome.error.startswith("source.corp/a/b: the source sent bytes with the digest sha256")
    assert (outcome.code, "tampered" in outcome.hint) == ("DIGEST_MISMATCH", True)
    assert fake.count("GET", "blobs") == 1


@pytest.mark.parametrize(
    ("side", "fault"),
    [
        pytest.param("source", Fault("GET", "blobs", CutAfter(1000)), id="download-breaks-off"),
        pytest.param("source", Fault("GET", "blobs", Truncate(1000)), id="download-is-short"),
        pytest.param("source", Fault("GET", "blobs", Reset()), id="download-reset"),
        pytest.param("source", Fault("GET", "blobs", Status(503), times=2), id="source-busy"),
        pytest.param("target", Fault("PUT", "uploads", CutUploadAfter(99_999)), id="upload-cut"),
        pytest.param("target", Fault("PUT", "uploads", Reset()), id="upload-reset"),
        pytest.param("target", Fault("PUT", "uploads", Reset(performed=True)), id="answer-lost"),
        pytest.param("target", Fault("PUT", "uploads", Status(502)), id="upload-fails"),
        pytest.param("target", Fault("POST", "uploads", Status(429), times=2), id="target-busy"),
        pytest.param("target", Fault("POST", "mount=", Reset(), times=2), id="look-up-reset"),
    ],
)
def test_a_copy_outlives_a_fault(
    fake: FakeRegistry, target: FakeRegistry, side: str, fault: Fault
) -> None:
    (fake if side == "source" else target).faults.add(fault)
    assert do(fake, target, COPY).error == ""
    assert holds(target, "x/y", DIGEST)
    assert (fake.faults.unused(), target.faults.unused()) == ((), ())


def test_a_copy_gives_up_after_some_tries(fake: FakeRegistry, target: FakeRegistry) -> None:
    target.faults.add(Fault("PUT", "uploads", CutUploadAfter(10), every=True))
    outcome = do(fake, target, COPY)
    assert f"127.0.0.1:{target.host.partition(':')[2]} does not answer" in outcome.error
    assert target.count("PUT", "") == 3


def test_a_mount_needs_no_source(fake: FakeRegistry, target: FakeRegistry) -> None:
    target.add_blob("s/t", LAYER)
    assert do(fake, target, MOUNT) == Outcome(moved=0, mounted=True)
    assert fake.requests == []


def test_a_mount_that_is_refused_copies(fake: FakeRegistry) -> None:
    with FakeRegistry(mount=False) as target:
        assert do(fake, target, MOUNT) == Outcome(moved=len(LAYER), mounted=False)
        assert target.open_uploads() == 0


def test_stopping_leaves_no_blob(fake: FakeRegistry, target: FakeRegistry) -> None:
    def stop(_step: str, _moved: int) -> None:
        raise InterruptedStepError

    assert do(fake, target, COPY, stop).code == "CANCELLED"
    assert not holds(target, "x/y", DIGEST)


def test_manifests_are_put_under_digest_and_tag(fake: FakeRegistry, target: FakeRegistry) -> None:
    target.add_image("x/y", OTHER[:20].replace(":", "-"), [LAYER])
    manifest = Manifest(OCI_MANIFEST, fake.manifest("a/b", "v1").body)
    place = Place("target.corp", "x/y")
    assert do(fake, target, PutManifest(place, manifest)) == Outcome()
    assert target.count("PUT", f"manifests/{manifest.digest}") == 1
    assert do(fake, target, PutTag(place, "v9", manifest)) == Outcome()
    assert target.manifest("x/y", "v9").digest == manifest.digest


def test_the_type_of_a_docker_manifest_survives(fake: FakeRegistry, target: FakeRegistry) -> None:
    document = json.loads(fake.manifest("a/b", "v1").body) | {"mediaType": DOCKER_MANIFEST}
    fake.add_manifest("a/b", "docker", json.dumps(document).encode(), DOCKER_MANIFEST)
    manifest = make_registry(fake).manifest("a/b", "docker")
    make_registry(fake).write_manifest("a/b", "copy", manifest)
    assert fake.manifest("a/b", "copy").media_type == DOCKER_MANIFEST


@pytest.mark.parametrize("step", [COPY, MOUNT], ids=["copy", "mount"])
def test_a_step_may_be_repeated(fake: FakeRegistry, target: FakeRegistry, step: Step) -> None:
    again = partial(do, fake, target, step)
    assert (again().error, again()) == ("", Outcome())
    assert target.count("PUT", "") == 1


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(
            Status(401, headers={"WWW-Authenticate": 'Bearer realm="http://["'}), id="realm"
        ),
        pytest.param(Status(307, headers={"Location": "http://["}), id="redirect"),
        pytest.param(Status(200, headers={"Content-Length": "9" * 5000}), id="length"),
    ],
)
def test_an_answer_that_makes_no_sense_is_the_registrys_fault(answer: Status) -> None:
    with FakeRegistry() as fake:
        fake.faults.add(Fault("HEAD", r"/manifests/", answer, every=True))
        with pytest.raises(RegistryError):
            make_registry(fake).head("a/one", "1")
