"""The fakes do what tests of other parts rely on."""

import base64
import errno
import http.client
import json
import re
import socket
import threading
import time
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from email.message import Message
from typing import NamedTuple
from urllib.parse import urlencode, urlsplit

import pytest

from tests.fakes import (
    Access,
    Action,
    Basic,
    Bearer,
    CutAfter,
    CutUploadAfter,
    DropHeader,
    FakeRegistry,
    Fault,
    LinkLoop,
    OtherHost,
    RedirectTo,
    Reset,
    Stall,
    Status,
    TokenRequest,
    Truncate,
    WrongBytes,
    WrongDigestHeader,
)
from tests.fakes.content import (
    DOCKER_LIST,
    DOCKER_MANIFEST,
    OCI_INDEX,
    OCI_MANIFEST,
    digest_of,
    make_manifest,
)
from tests.support.process import PATIENCE

LAYER = b"layer-one"
DIGEST = digest_of(LAYER)
MISSING = digest_of(b"missing")
END = f"&digest={MISSING}"
ALL_TYPES = ", ".join((OCI_MANIFEST, OCI_INDEX, DOCKER_MANIFEST, DOCKER_LIST))
BROKEN = (http.client.HTTPException, ConnectionError)


class Answer(NamedTuple):
    """What came back."""

    status: int
    headers: "Message[str, str]"
    body: bytes

    @property
    def codes(self) -> list[str]:
        """The codes of the errors in the body."""
        return [error["code"] for error in json.loads(self.body)["errors"]]


def ask(
    registry: FakeRegistry,
    method: str,
    target: str,
    body: bytes | Iterator[bytes] | None = None,
    /,
    **headers: str,
) -> Answer:
    """Send one request; underscores in the names of headers stand for hyphens."""
    connection = http.client.HTTPConnection(registry.host, timeout=PATIENCE)
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    try:
        connection.request(method, target, body, named)
        response = connection.getresponse()
        return Answer(response.status, response.headers, response.read())
    finally:
        connection.close()


def upload(registry: FakeRegistry, repository: str, data: bytes) -> Answer:
    """Upload a blob with POST and PUT."""
    location = start(registry, repository)
    return ask(registry, "PUT", f"{location}&digest={digest_of(data)}", data)


def start(registry: FakeRegistry, repository: str = "a/b") -> str:
    """Open a session and return its Location."""
    return ask(registry, "POST", f"/v2/{repository}/blobs/uploads/").headers["Location"]


@pytest.fixture
def registry() -> Iterator[FakeRegistry]:
    """A registry with ``a/b:v1``, whose only layer is ``LAYER``."""
    with FakeRegistry() as registry:
        registry.add_image("a/b", "v1", [LAYER])
        yield registry


@pytest.mark.parametrize(
    ("method", "target", "status", "codes"),
    [
        pytest.param("GET", "/v2/", 200, [], id="root"),
        pytest.param("GET", "/v2/a/b/manifests/v1", 200, [], id="tag"),
        pytest.param("GET", "/v2/a/b/manifests/no", 404, ["MANIFEST_UNKNOWN"], id="no-tag"),
        pytest.param("GET", f"/v2/a/b/manifests/{MISSING}", 404, ["MANIFEST_UNKNOWN"], id="none"),
        pytest.param("GET", "/v2/a/b/manifests/sha256:1", 400, ["DIGEST_INVALID"], id="bad-digest"),
        pytest.param("GET", "/v2/A/b/manifests/v1", 400, ["NAME_INVALID"], id="bad-name"),
        pytest.param("GET", f"/v2/a/b/blobs/{DIGEST}", 200, [], id="blob"),
        pytest.param("GET", f"/v2/a/b/blobs/{DIGEST.replace(':', '%3A')}", 200, [], id="quoted"),
        pytest.param("GET", f"http://other:80/v2/a/b/blobs/{DIGEST}", 200, [], id="as-a-proxy"),
        pytest.param("GET", f"/v2/a/b/blobs/{MISSING}", 404, ["BLOB_UNKNOWN"], id="no-blob"),
        pytest.param("GET", f"/v2/c/d/blobs/{DIGEST}", 404, ["BLOB_UNKNOWN"], id="elsewhere"),
        pytest.param("GET", "/v2/a/b/blobs/sha256:12", 400, ["DIGEST_INVALID"], id="bad-blob"),
        pytest.param("DELETE", f"/v2/a/b/blobs/{DIGEST}", 202, [], id="delete-blob"),
        pytest.param("DELETE", f"/v2/a/b/blobs/{MISSING}", 404, ["BLOB_UNKNOWN"], id="delete-none"),
        pytest.param("GET", "/v2/c/d/tags/list", 404, ["NAME_UNKNOWN"], id="no-repository"),
        pytest.param("GET", "/v2/_catalog?n=1001", 400, ["PAGINATION_NUMBER_INVALID"], id="high"),
        pytest.param("GET", "/v2/_catalog?n=-1", 400, ["PAGINATION_NUMBER_INVALID"], id="low"),
        pytest.param("PATCH", "/v2/a/b/blobs/uploads/x", 404, ["BLOB_UPLOAD_UNKNOWN"], id="patch"),
    ],
)
def test_calls_answer_as_registries_do(
    registry: FakeRegistry, method: str, target: str, status: int, codes: list[str]
) -> None:
    answer = ask(registry, method, target, Accept=ALL_TYPES)
    assert answer.status == status
    assert not codes or answer.codes == codes


@pytest.mark.parametrize(
    ("method", "target", "status", "body"),
    [
        pytest.param("GET", f"/v2/a/b/referrers/{DIGEST}", 404, b"404 page not found\n", id="refs"),
        pytest.param("POST", "/v2/_catalog", 405, b"Method not allowed\n", id="method"),
        pytest.param("PUT", "/v2/a/b/manifests/.bad", 404, b"404 page not found\n", id="bad-tag"),
    ],
)
def test_some_errors_are_plain_text(
    registry: FakeRegistry, method: str, target: str, status: int, body: bytes
) -> None:
    answer = ask(registry, method, target)
    assert (answer.status, answer.body) == (status, body)
    assert answer.headers["Content-Type"].startswith("text/plain")


@pytest.mark.parametrize("target", ["/v2/", "/v2/a/b/manifests/v1", f"/v2/a/b/blobs/{DIGEST}"])
def test_head_is_get_without_the_body(registry: FakeRegistry, target: str) -> None:
    got = ask(registry, "GET", target, Accept=OCI_MANIFEST)
    head = ask(registry, "HEAD", target, Accept=OCI_MANIFEST)
    assert head.body == b""
    assert dict(head.headers) == dict(got.headers)
    assert int(head.headers["Content-Length"]) == len(got.body)


@pytest.mark.parametrize(
    ("asked", "status", "content_range", "body"),
    [
        pytest.param("bytes=1-3", 206, "bytes 1-3/9", b"aye", id="closed"),
        pytest.param("bytes=6-", 206, "bytes 6-8/9", b"one", id="open"),
        pytest.param("bytes=-3", 206, "bytes 6-8/9", b"one", id="suffix"),
        pytest.param("bytes=6-99", 206, "bytes 6-8/9", b"one", id="clamped"),
        pytest.param("bytes=9-12", 416, "bytes */9", b"", id="behind"),
        pytest.param("bytes=x", 416, "bytes */9", b"", id="nonsense"),
    ],
)
def test_blobs_can_be_had_in_ranges(
    registry: FakeRegistry, asked: str, status: int, content_range: str, body: bytes
) -> None:
    answer = ask(registry, "GET", f"/v2/a/b/blobs/{DIGEST}", Range=asked)
    assert (answer.status, answer.body) == (status, body)
    assert answer.headers["Content-Range"] == content_range


@pytest.mark.parametrize(
    "media_type",
    [OCI_MANIFEST, OCI_INDEX, DOCKER_MANIFEST, DOCKER_LIST],
    ids=["oci-manifest", "oci-index", "docker-manifest", "docker-list"],
)
def test_manifests_need_their_media_type_accepted(registry: FakeRegistry, media_type: str) -> None:
    registry.add_manifest("a/b", "x", b"{}", media_type)
    others = ALL_TYPES.replace(media_type, "text/plain")
    statuses = [
        ask(registry, "HEAD", "/v2/a/b/manifests/x", Accept=accept).status
        for accept in (f"text/plain, {media_type};q=0.5", ALL_TYPES, others, "*/*", "")
    ]
    assert statuses == [200, 200, 404, 404, 404]


def put_manifest(
    registry: FakeRegistry, reference: str, body: bytes, media_type: str = OCI_MANIFEST
) -> Answer:
    """Put a manifest into ``a/b``."""
    return ask(registry, "PUT", f"/v2/a/b/manifests/{reference}", body, Content_Type=media_type)


TWO_MISSING = make_manifest(b"config", [b"layer", LAYER])


def index_of(*digests: str) -> bytes:
    """Return an OCI index that names some digests."""
    children = [{"digest": digest} for digest in digests]
    return json.dumps({"schemaVersion": 2, "manifests": children}).encode()


def test_a_manifest_is_served_as_it_was_put(registry: FakeRegistry) -> None:
    body = registry.manifest("a/b", "v1").body + b"\n"
    put = put_manifest(registry, "v2", body)
    got = ask(registry, "GET", f"/v2/a/b/manifests/{digest_of(body)}", Accept=OCI_MANIFEST)
    assert put.status == 201
    assert put.headers["Docker-Content-Digest"] == digest_of(body)
    assert (got.body, got.headers["Content-Type"]) == (body, OCI_MANIFEST)
    assert registry.tags("a/b") == ["v1", "v2"]


@pytest.mark.parametrize(
    ("reference", "body", "media_type", "codes"),
    [
        pytest.param("t", TWO_MISSING, OCI_MANIFEST, ["MANIFEST_BLOB_UNKNOWN"] * 2, id="blobs"),
        pytest.param("t", index_of(MISSING), OCI_INDEX, ["MANIFEST_BLOB_UNKNOWN"], id="child"),
        pytest.param("t", index_of(DIGEST), OCI_INDEX, ["MANIFEST_BLOB_UNKNOWN"], id="blob-child"),
        pytest.param(MISSING, index_of(), OCI_INDEX, ["DIGEST_INVALID"], id="digest"),
        pytest.param("t", b"{", OCI_MANIFEST, ["MANIFEST_INVALID"], id="no-json"),
        pytest.param("t", b"[]", OCI_MANIFEST, ["MANIFEST_INVALID"], id="no-object"),
        pytest.param("t", b"{}", OCI_MANIFEST, ["MANIFEST_INVALID"], id="empty"),
        pytest.param("t", TWO_MISSING, DOCKER_MANIFEST, ["MANIFEST_INVALID"], id="another-type"),
        pytest.param("t", index_of(), "text/plain", ["MANIFEST_INVALID"], id="unknown-type"),
    ],
)
def test_wrong_manifests_are_refused(
    registry: FakeRegistry, reference: str, body: bytes, media_type: str, codes: list[str]
) -> None:
    answer = put_manifest(registry, reference, body, media_type)
    assert (answer.status, answer.codes) == (400, codes)


def test_layers_of_other_hosts_need_not_be_there(registry: FakeRegistry) -> None:
    manifest = json.loads(make_manifest(LAYER, [b"elsewhere"]))
    manifest["layers"][0]["urls"] = ["http://other/"]
    assert put_manifest(registry, "t", json.dumps(manifest).encode()).status == 201


def test_deleting_a_tag_leaves_the_manifest(registry: FakeRegistry) -> None:
    digest = registry.manifest("a/b", "v1").digest
    assert ask(registry, "DELETE", "/v2/a/b/manifests/v1").status == 202
    assert registry.manifest("a/b", digest).digest == digest
    assert registry.tags("a/b") == []


def test_deleting_a_manifest_removes_its_tags(registry: FakeRegistry) -> None:
    image = registry.manifest("a/b", "v1")
    registry.add_manifest("a/b", "v2", image.body, image.media_type)
    assert ask(registry, "DELETE", f"/v2/a/b/manifests/{image.digest}").status == 202
    assert json.loads(ask(registry, "GET", "/v2/a/b/tags/list").body)["tags"] is None
    assert json.loads(ask(registry, "GET", "/v2/_catalog").body) == {"repositories": ["a/b"]}


def test_an_index_names_the_platforms_of_its_children(registry: FakeRegistry) -> None:
    arm = registry.add_image("a/b", "arm", [b"x"], platform="linux/arm/v7")
    digest = registry.add_index("a/b", "all", ["v1", arm])
    index = registry.manifest("a/b", digest).body
    (amd, other) = json.loads(index)["manifests"]
    assert amd["platform"] == {"os": "linux", "architecture": "amd64"}
    assert other["platform"] == {"os": "linux", "architecture": "arm", "variant": "v7"}
    assert put_manifest(registry, "all", index, OCI_INDEX).status == 201


def test_chunks_give_new_locations_and_end_in_a_blob(registry: FakeRegistry) -> None:
    first = ask(registry, "PATCH", start(registry), b"one", Content_Range="0-2")
    second = ask(registry, "PATCH", first.headers["Location"], iter([b"tw", b"o"]))
    location = second.headers["Location"]
    done = ask(registry, "PUT", f"{location}&digest={digest_of(b'onetwo!')}", b"!")
    assert [first.status, second.status, done.status] == [202, 202, 201]
    assert [first.headers["Range"], second.headers["Range"]] == ["0-2", "0-5"]
    assert location != first.headers["Location"]
    assert registry.blob("a/b", digest_of(b"onetwo!")) == b"onetwo!"
    assert registry.open_uploads() == 0


@pytest.mark.parametrize("relative", [False, True])
def test_locations_are_absolute_or_paths(relative: bool) -> None:
    with FakeRegistry(relative_location=relative) as registry:
        beginning = "/v2/" if relative else f"{registry.url}/v2/"
        assert start(registry).startswith(beginning)
        assert upload(registry, "a/b", LAYER).headers["Location"].startswith(beginning)


@pytest.mark.parametrize(
    ("method", "query", "headers", "status", "code"),
    [
        pytest.param("PATCH", "", {"Content_Range": "3-4"}, 202, "", id="in-order"),
        pytest.param("PATCH", "", {"Content_Range": "4-5"}, 416, "RANGE_INVALID", id="gap"),
        pytest.param("PATCH", "", {"Content_Range": "bytes 3-4"}, 416, "RANGE_INVALID", id="form"),
        pytest.param("PATCH", "", {"Content_Range": "3-9"}, 400, "SIZE_INVALID", id="length"),
        pytest.param("PATCH", "", {"Content_Type": "text/plain"}, 415, "UNSUPPORTED", id="type"),
        pytest.param("PUT", "", {}, 400, "DIGEST_INVALID", id="no-digest"),
        pytest.param("PUT", "&digest=sha256:1", {}, 400, "DIGEST_INVALID", id="bad-digest"),
        pytest.param("PUT", END, {}, 400, "DIGEST_INVALID", id="wrong-digest"),
        pytest.param("PUT", END, {"Content_Range": "9-9"}, 416, "RANGE_INVALID", id="last-gap"),
        pytest.param("DELETE", "", {}, 204, "", id="cancel"),
    ],
)
def test_sessions_check_what_comes(
    registry: FakeRegistry, method: str, query: str, headers: dict[str, str], status: int, code: str
) -> None:
    location = ask(registry, "PATCH", start(registry), b"one").headers["Location"]
    answer = ask(registry, method, location + query, b"tw", **headers)
    assert answer.status == status
    assert not code or answer.codes == [code]
    if status == 416:
        assert (answer.headers["Location"], answer.headers["Range"]) == (location, "0-2")


@pytest.mark.parametrize(
    ("digest", "left"),
    [pytest.param("x", 1, id="malformed"), pytest.param(MISSING, 0, id="wrong")],
)
def test_a_wrong_digest_ends_the_session(registry: FakeRegistry, digest: str, left: int) -> None:
    assert ask(registry, "PUT", f"{start(registry)}&digest={digest}", b"one").status == 400
    assert registry.open_uploads() == left


@pytest.mark.parametrize(
    ("resumable", "get", "patch"),
    [pytest.param(True, 204, 416, id="v3"), pytest.param(False, 404, 404, id="v2.8")],
)
def test_an_old_location_finds_the_offset_or_nothing(resumable: bool, get: int, patch: int) -> None:
    with FakeRegistry(resumable=resumable) as registry:
        old = start(registry)
        new = ask(registry, "PATCH", old, b"one").headers["Location"]
        assert ask(registry, "PATCH", old, b"two").status == patch
        assert ask(registry, "GET", old).status == get
        assert ask(registry, "GET", new).headers["Range"] == "0-2"


@pytest.mark.parametrize(
    ("mount", "query", "status"),
    [
        pytest.param(True, f"mount={DIGEST}&from=a/b", 201, id="mounted"),
        pytest.param(True, f"mount={MISSING}&from=a/b", 202, id="no-such-blob"),
        pytest.param(True, f"mount={DIGEST}", 202, id="no-source"),
        pytest.param(False, f"mount={DIGEST}&from=a/b", 202, id="off"),
    ],
)
def test_a_mount_is_done_or_becomes_a_session(mount: bool, query: str, status: int) -> None:
    with FakeRegistry(mount=mount) as registry:
        registry.add_blob("a/b", LAYER)
        answer = ask(registry, "POST", f"/v2/c/d/blobs/uploads/?{query}")
        assert answer.status == status
        assert ("c/d" in registry.repositories()) is (status == 201)
        assert registry.open_uploads() == status - 201


def read_pages(registry: FakeRegistry, target: str, key: str) -> list[list[str]]:
    """Follow Link headers to the end."""
    pages = []
    while target:
        answer = ask(registry, "GET", target)
        pages.append(json.loads(answer.body)[key])
        found = re.fullmatch(r'<(/v2/[^>]+)>; rel="next"', answer.headers.get("Link", ""))
        target = found[1] if found else ""
    return pages


@pytest.mark.parametrize(
    ("query", "pages"),
    [
        pytest.param("", [["a", "b/c"], ["d"]], id="size-of-the-registry"),
        pytest.param("?n=1000", [["a", "b/c"], ["d"]], id="clamped"),
        pytest.param("?n=1", [["a"], ["b/c"], ["d"]], id="asked"),
        pytest.param("?n=0", [[]], id="none"),
        pytest.param("?last=b/c", [["d"]], id="last"),
    ],
)
def test_lists_come_in_pages(query: str, pages: list[list[str]]) -> None:
    with FakeRegistry(page_size=2) as registry:
        for name in ("d", "a", "b/c"):
            registry.add_image(name, "v1", [])
        assert read_pages(registry, f"/v2/_catalog{query}", "repositories") == pages
        for tag in ("v3", "v2"):
            registry.add_image("a", tag, [])
        assert read_pages(registry, "/v2/a/tags/list", "tags") == [["v1", "v2"], ["v3"]]


def test_digest_headers_can_be_missing() -> None:
    with FakeRegistry(digest_header=False) as registry:
        registry.add_image("a/b", "v1", [LAYER])
        answers = [
            ask(registry, "GET", "/v2/a/b/manifests/v1", Accept=OCI_MANIFEST),
            ask(registry, "HEAD", f"/v2/a/b/blobs/{DIGEST}"),
            upload(registry, "a/b", b"new"),
        ]
        assert [answer.status for answer in answers] == [200, 200, 201]
        assert not any("Docker-Content-Digest" in answer.headers for answer in answers)


def basic(user: str, password: str) -> str:
    """Return the value of an Authorization header."""
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


def test_basic_wants_the_user_and_the_password() -> None:
    with FakeRegistry(auth=Basic("ann", "secret")) as registry:
        refused = ask(registry, "GET", "/v2/")
        assert (refused.status, refused.headers["WWW-Authenticate"]) == (401, 'Basic realm="fake"')
        assert ask(registry, "GET", "/v2/", Authorization=basic("ann", "wrong")).status == 401
        assert ask(registry, "GET", "/v2/", Authorization=basic("ann", "secret")).status == 200


ANN = Bearer(users={"ann": "secret"})


def get_token(registry: FakeRegistry, *scopes: str, user: str = "ann") -> str:
    """Return an Authorization header with a fresh token."""
    query = urlencode([("service", "fake-registry"), *(("scope", scope) for scope in scopes)])
    headers = {"Authorization": basic(user, "secret")} if user else {}
    answer = ask(registry, "GET", f"/token?{query}", **headers)
    return f"Bearer {json.loads(answer.body)['token']}"


@pytest.mark.parametrize(
    ("method", "target", "scope"),
    [
        pytest.param("GET", "/v2/", "", id="root"),
        pytest.param("GET", "/v2/_catalog", "registry:catalog:*", id="catalog"),
        pytest.param("HEAD", "/v2/a/b/manifests/v1", "repository:a/b:pull", id="pull"),
        pytest.param("PUT", "/v2/a/b/manifests/v1", "repository:a/b:pull,push", id="push"),
        pytest.param("DELETE", "/v2/a/b/manifests/v1", "repository:a/b:delete", id="delete"),
        pytest.param(
            "POST",
            f"/v2/a/b/blobs/uploads/?mount={DIGEST}&from=c/d",
            "repository:a/b:pull,push repository:c/d:pull",
            id="mount",
        ),
    ],
)
def test_bearer_challenges_name_the_scope(method: str, target: str, scope: str) -> None:
    with FakeRegistry(auth=ANN) as registry:
        answer = ask(registry, method, target)
        expected = f'Bearer realm="{registry.url}/token",service="fake-registry"'
        expected += f',scope="{scope}"' if scope else ""
        assert (answer.status, answer.headers["WWW-Authenticate"]) == (401, expected)
        token = get_token(registry, *scope.split())
        assert ask(registry, method, target, Authorization=token).status != 401


def test_tokens_do_for_their_scopes_only() -> None:
    with FakeRegistry(auth=ANN) as registry:
        token = get_token(registry, "repository:a/b:pull")
        answer = ask(registry, "POST", "/v2/a/b/blobs/uploads/", Authorization=token)
        assert answer.status == 401
        assert answer.headers["WWW-Authenticate"].endswith(',error="insufficient_scope"')
        assert registry.token_requests == [TokenRequest("ann", "GET", ("repository:a/b:pull",))]


def test_tokens_expire_by_the_clock() -> None:
    now = [100.0]
    with FakeRegistry(auth=Bearer({"ann": "secret"}, ttl=60, clock=lambda: now[0])) as registry:
        token = get_token(registry)
        now[0] = 159
        assert ask(registry, "GET", "/v2/", Authorization=token).status == 200
        now[0] = 160
        refused = ask(registry, "GET", "/v2/", Authorization=token)
        assert refused.headers["WWW-Authenticate"].endswith(',error="invalid_token"')


@pytest.mark.parametrize(
    ("user", "statuses"),
    [pytest.param("ann", [404, 202], id="user"), pytest.param("", [404, 401], id="nobody")],
)
def test_grants_can_be_narrower_than_asked(user: str, statuses: list[int]) -> None:
    def allow(user: str, access: Access) -> bool:
        return bool(user) or access.action == "pull"

    with FakeRegistry(auth=Bearer({"ann": "secret"}, allows=allow)) as registry:
        token = get_token(registry, "repository:a/b:pull,push", user=user)
        get = ask(registry, "GET", f"/v2/a/b/blobs/{DIGEST}", Authorization=token)
        post = ask(registry, "POST", "/v2/a/b/blobs/uploads/", Authorization=token)
        assert [get.status, post.status] == statuses


REFRESH = Bearer({"ann": "secret"}, refresh_tokens={"r": "ann"})


@pytest.mark.parametrize(
    ("auth", "form", "status"),
    [
        pytest.param(REFRESH, {"grant_type": "refresh_token", "refresh_token": "r"}, 200, id="ok"),
        pytest.param(REFRESH, {"grant_type": "refresh_token", "refresh_token": "x"}, 401, id="bad"),
        pytest.param(REFRESH, {"username": "ann", "password": "secret"}, 200, id="password"),
        pytest.param(ANN, {"grant_type": "refresh_token", "refresh_token": "r"}, 405, id="off"),
    ],
)
def test_tokens_can_be_had_by_oauth(auth: Bearer, form: dict[str, str], status: int) -> None:
    with FakeRegistry(auth=auth) as registry:
        body = urlencode({**form, "scope": "repository:a:pull repository:b:pull"}).encode()
        assert ask(registry, "POST", "/token", body).status == status
        if status == 200:
            (request,) = registry.token_requests
            assert request.scopes == ("repository:a:pull", "repository:b:pull")


def test_a_wrong_password_gets_no_token() -> None:
    with FakeRegistry(auth=ANN) as registry:
        assert ask(registry, "GET", "/token", Authorization=basic("ann", "wrong")).status == 401


BLOB = f"/v2/a/b/blobs/{DIGEST}"
DIGEST_HEADER = "Docker-Content-Digest"
OTHER = bytes(range(255, -1, -1))
WRONG = digest_of(b"something else")
SLOW = Status(429, b"slow", {"Retry-After": "7"})
PAGE = Status(500, b"<p>", {"Content-Type": "text/html"})


@pytest.mark.parametrize(
    ("action", "status", "body", "header", "value"),
    [
        pytest.param(SLOW, 429, b"slow", "Retry-After", "7", id="status"),
        pytest.param(PAGE, 500, b"<p>", "Content-Type", "text/html", id="html"),
        pytest.param(RedirectTo("http://x/y"), 307, b"", "Location", "http://x/y", id="redirect"),
        pytest.param(Truncate(3), 200, b"lay", "Content-Length", "3", id="truncate"),
        pytest.param(WrongBytes(), 200, LAYER.translate(OTHER), "Content-Length", "9", id="bytes"),
        pytest.param(WrongDigestHeader(), 200, LAYER, DIGEST_HEADER, WRONG, id="digest"),
        pytest.param(DropHeader(DIGEST_HEADER.lower()), 200, LAYER, DIGEST_HEADER, None, id="drop"),
        pytest.param(DropHeader("Content-Length"), 200, LAYER, "Connection", "close", id="length"),
    ],
)
def test_faults_change_one_answer(
    registry: FakeRegistry, action: Action, status: int, body: bytes, header: str, value: str
) -> None:
    true = ask(registry, "GET", BLOB)
    registry.faults.add(Fault("GET", "/blobs/", action))
    false = ask(registry, "GET", BLOB)
    assert (false.status, false.body, false.headers.get(header)) == (status, body, value)
    assert true.headers.get(header) != value or true.body != body
    assert ask(registry, "GET", BLOB).body == LAYER


@pytest.mark.parametrize("action", [Reset(), Reset(performed=True), CutAfter(0), CutAfter(4)])
def test_faults_break_connections(registry: FakeRegistry, action: Action) -> None:
    registry.faults.add(Fault("GET", "/blobs/", action))
    with pytest.raises(BROKEN):
        ask(registry, "GET", BLOB)
    assert ask(registry, "GET", BLOB).body == LAYER


def test_a_cut_answer_has_its_first_bytes(registry: FakeRegistry) -> None:
    registry.faults.add(Fault("GET", "/blobs/", CutAfter(4)))
    with pytest.raises(http.client.IncompleteRead) as caught:
        ask(registry, "GET", BLOB)
    assert caught.value.partial == LAYER[:4]


@pytest.mark.parametrize(
    ("performed", "tags"),
    [pytest.param(False, ["v1"], id="not-done"), pytest.param(True, ["v1", "v2"], id="done")],
)
def test_a_reset_comes_before_or_after_the_work(
    registry: FakeRegistry, performed: bool, tags: list[str]
) -> None:
    registry.faults.add(Fault("PUT", "/manifests/", Reset(performed=performed)))
    with pytest.raises(ConnectionResetError) as caught:
        put_manifest(registry, "v2", registry.manifest("a/b", "v1").body)
    assert caught.value.errno == errno.ECONNRESET
    assert registry.tags("a/b") == tags
    assert registry.requests[-1].status == 0


@pytest.mark.parametrize(
    ("resumable", "shown"),
    [pytest.param(True, "0-3", id="v3"), pytest.param(False, None, id="v2.8")],
)
def test_a_cut_upload_goes_on_or_is_dead(resumable: bool, shown: str | None) -> None:
    with FakeRegistry(resumable=resumable) as registry:
        registry.faults.add(Fault("PATCH", "/uploads/", CutUploadAfter(4)))
        location = start(registry)
        with pytest.raises(BROKEN):
            ask(registry, "PATCH", location, LAYER)
        assert ask(registry, "GET", location).headers.get("Range") == shown
        assert [each.bytes_in for each in registry.requests if each.method == "PATCH"] == [4]


def test_a_client_that_leaves_is_a_cut_upload(registry: FakeRegistry) -> None:
    location = urlsplit(start(registry))
    connection = http.client.HTTPConnection(registry.host)
    connection.putrequest("PATCH", f"{location.path}?{location.query}")
    connection.putheader("Content-Length", "9")
    connection.endheaders(LAYER[:4])
    assert connection.sock is not None
    connection.sock.shutdown(socket.SHUT_WR)
    assert connection.sock.recv(1) == b""
    connection.close()
    assert ask(registry, "GET", location.geturl()).headers["Range"] == "0-3"


@pytest.mark.parametrize("cleared", [False, True])
def test_a_stall_ends_when_released(registry: FakeRegistry, cleared: bool) -> None:
    stall = Stall(60)
    registry.faults.add(Fault("GET", "/blobs/", stall))
    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(ask, registry, "GET", BLOB)
        assert stall.stalled.wait(5)
        with pytest.raises(TimeoutError):
            answer.result(timeout=0.02)
        (registry.faults.clear if cleared else stall.release.set)()
        assert answer.result().body == LAYER


def test_a_stall_ends_after_its_time(registry: FakeRegistry) -> None:
    registry.faults.add(Fault("GET", "/blobs/", Stall(0.01)))
    assert ask(registry, "GET", BLOB).body == LAYER


def test_the_end_of_the_registry_ends_stalls() -> None:
    stall = Stall(60)
    with ThreadPoolExecutor(1) as pool, FakeRegistry() as registry:
        registry.faults.add(Fault("GET", "/v2/", stall))
        answer = pool.submit(ask, registry, "GET", "/v2/")
        assert stall.stalled.wait(5)
    assert answer.exception() is None or isinstance(answer.exception(), BROKEN)


def test_a_link_can_lead_back(registry: FakeRegistry) -> None:
    registry.faults.add(Fault("GET", "/_catalog", LinkLoop(), every=True))
    answer = ask(registry, "GET", "/v2/_catalog?n=5")
    assert answer.headers["Link"] == '</v2/_catalog?n=5>; rel="next"'


@pytest.mark.parametrize(
    ("fault", "statuses"),
    [
        pytest.param(Fault("GET", "/v2/", Status(503)), [503, 200, 200, 200], id="first"),
        pytest.param(Fault("GET", "/v2/", Status(503), nth=2), [200, 503, 200, 200], id="second"),
        pytest.param(Fault("GET", "/v2/", Status(503), times=3), [503, 503, 503, 200], id="burst"),
        pytest.param(Fault("GET", "/v2/", Status(503), every=True), [503] * 4, id="every"),
        pytest.param(Fault("HEAD|GET", r"/$", Status(503), nth=3), [200, 200, 503, 200], id="any"),
        pytest.param(Fault("GE", "/v2/", Status(503)), [200] * 4, id="method"),
        pytest.param(Fault("GET", "/v2/$", Status(503), nth=9), [200] * 4, id="never"),
    ],
)
def test_faults_strike_by_number(registry: FakeRegistry, fault: Fault, statuses: list[int]) -> None:
    registry.faults.add(fault)
    assert [ask(registry, "GET", "/v2/").status for _ in statuses] == statuses
    assert registry.faults.unused() == (() if 503 in statuses else (fault,))


def test_faults_add_up_until_cleared(registry: FakeRegistry) -> None:
    registry.faults.add(
        Fault("GET", "/v2/", DropHeader("Retry-After"), every=True),
        Fault("GET", "/v2/", SLOW, every=True),
    )
    answer = ask(registry, "GET", "/v2/")
    assert (answer.status, answer.headers.get("Retry-After")) == (429, None)
    registry.faults.clear()
    assert ask(registry, "GET", "/v2/").status == 200


def test_faults_pass_over_refused_logins() -> None:
    with FakeRegistry(auth=ANN) as registry:
        registry.faults.add(Fault("GET", "/v2/", Status(500)), Fault("GET", "/token", Status(503)))
        assert ask(registry, "GET", "/v2/").status == 401
        assert ask(registry, "GET", "/token").status == 503
        token = get_token(registry)
        assert ask(registry, "GET", "/v2/", Authorization=token).status == 500


def test_redirects_arrive_at_the_other_host(registry: FakeRegistry) -> None:
    with OtherHost(LAYER) as other:
        registry.faults.add(Fault("GET", "/blobs/", RedirectTo(f"{other.url}/x?y=z")))
        headers = {"Range": "bytes=0-4", "X-Mark": "m"}
        request = urllib.request.Request(registry.url + BLOB, headers=headers)
        with urllib.request.urlopen(request, timeout=PATIENCE) as response:
            assert (response.status, response.read()) == (206, b"layer")
        (arrived,) = other.requests
        assert (arrived.target, arrived.headers["x-mark"]) == ("/x?y=z", "m")
        assert arrived.headers["host"] == other.host != registry.host


def test_requests_are_logged(registry: FakeRegistry) -> None:
    upload(registry, "c/d", LAYER)
    ask(registry, "HEAD", "/v2/c/d/blobs/sha256%3A1?x=1", Accept="text/plain")
    put, head = registry.requests[1:]
    assert (put.method, put.status, put.bytes_in) == ("PUT", 201, len(LAYER))
    assert (head.path, head.query, head.status) == ("/v2/c/d/blobs/sha256:1", "x=1", 400)
    assert head.headers["accept"] == "text/plain"
    assert registry.count("POST|PUT", "/uploads/") == 2
    assert registry.count("PUT", "digest=sha256:") == 1


def test_connections_stay_open(registry: FakeRegistry) -> None:
    connection = http.client.HTTPConnection(registry.host, timeout=PATIENCE)
    connection.connect()
    first = connection.sock
    for method, body in (("GET", None), ("PUT", b"{}"), ("HEAD", None), ("POST", b"x")):
        connection.request(method, "/v2/a/b/manifests/v1", body)
        connection.getresponse().read()
    assert connection.sock is first
    connection.close()


def test_many_clients_can_work_at_once(registry: FakeRegistry) -> None:
    layers = [bytes([number]) * 1000 for number in range(40)]
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda layer: upload(registry, "c/d", layer), layers))
    assert {answer.status for answer in answers} == {201}
    assert all(registry.blob("c/d", digest_of(layer)) == layer for layer in layers)
    assert (len(registry.requests), registry.open_uploads()) == (80, 0)


def test_the_end_is_quick_and_leaves_nothing(capfd: pytest.CaptureFixture[str]) -> None:
    before = set(threading.enumerate())
    with FakeRegistry() as registry:
        idle = http.client.HTTPConnection(registry.host, timeout=PATIENCE)
        idle.request("GET", "/v2/")
        idle.getresponse().read()
        silent = socket.create_connection(("127.0.0.1", int(registry.host.split(":")[1])))
        silent.sendall(b"GARBAGE\r\n")
        began = time.monotonic()
    assert time.monotonic() - began < 0.3
    assert set(threading.enumerate()) == before
    assert capfd.readouterr() == ("", "")
    idle.close()
    silent.close()


def test_a_mistake_in_a_test_is_not_lost() -> None:
    def fail() -> float:
        raise LookupError("no clock")

    registry = FakeRegistry(auth=Bearer({}, clock=fail))
    with pytest.raises(LookupError), registry, pytest.raises(BROKEN):
        ask(registry, "GET", "/token")


def test_what_is_not_there_is_a_key_error(registry: FakeRegistry) -> None:
    with pytest.raises(KeyError):
        registry.manifest("a/b", "v2")
    with pytest.raises(KeyError):
        registry.blob("c/d", DIGEST)
    assert (registry.tags("c/d"), registry.repositories()) == ([], ["a/b"])
