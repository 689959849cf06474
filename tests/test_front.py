"""The front that puts a product's control plane before a registry."""

from __future__ import annotations

from planner.core.content import OCI_MANIFEST, digest_of
from tests.fakes import FakeRegistry
from tests.fakes.front import Front, json_reply
from tests.fakes.messages import Call, Reply
from tests.sites import connect


def plane(call: Call) -> Reply | None:
    return json_reply(200, {"path": call.path}) if call.path.startswith("/api/") else None


def test_what_the_plane_answers_the_registry_never_sees() -> None:
    with FakeRegistry() as registry, Front(plane, registry.url) as front:
        assert connect(front.url).send("GET", "api/a%2Fb").json() == {"path": "/api/a%2Fb"}
        assert registry.requests == []
        assert front.count("GET", "^/api/a%2Fb$") == 1


def test_the_registry_answers_the_rest() -> None:
    accept = {"Accept": OCI_MANIFEST}
    with FakeRegistry() as registry, Front(plane, registry.url) as front:
        digest = registry.add_image("a/b", "t", [b"layer"])
        head = connect(front.url).send("HEAD", "v2/a/b/manifests/t", headers=accept)
        body = connect(front.url).send("GET", "v2/a/b/manifests/t", headers=accept).content
        assert head.headers["Docker-Content-Digest"] == digest_of(body) == digest
        assert head.headers["Content-Length"] == str(len(body))
        assert connect(front.url).send("GET", "v2/a/b/manifests/none").status_code == 404
        assert front.count("GET|HEAD", "/v2/a/b/") == registry.count("GET|HEAD", "/v2/a/b/") == 3


def test_uploads_go_through_it_to_their_end() -> None:
    data = bytes(300_000)
    digest = digest_of(data)
    with FakeRegistry() as registry, Front(plane, registry.url) as front:
        connection = connect(front.url)
        place = connection.send("POST", "v2/a/blobs/uploads/").headers["Location"]
        assert place.startswith(front.url)
        chunks = iter((data[:70_000], data[70_000:]))
        done = connection.send("PUT", f"{place}&digest={digest}", body=chunks, retries=False)
        assert done.status_code == 201
        assert registry.blob("a", digest) == data


def test_credentials_stay_before_the_registry() -> None:
    with FakeRegistry() as registry, Front(plane, registry.url) as front:
        connect(front.url).send("GET", "v2/", headers={"Authorization": "Basic YTpi"})
        assert "authorization" in front.requests[0].headers
        assert "authorization" not in registry.requests[0].headers


def test_headers_of_the_product_are_on_every_answer() -> None:
    with FakeRegistry() as registry, Front(plane, registry.url, {"Server": "Nexus/3"}) as front:
        for path in ("api/x", "v2/"):
            assert connect(front.url).send("GET", path).headers["Server"] == "Nexus/3"


def test_without_a_registry_there_is_nothing_else() -> None:
    with Front(plane) as front:
        assert connect(front.url).send("GET", "v2/").status_code == 404
