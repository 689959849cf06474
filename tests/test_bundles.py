"""Manifests of releases: where they are looked for, and what is said when they cannot be had."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from planner.bundles import load_manifests
from planner.core.errors import InputError
from planner.core.family import Manifests
from planner.stores.download import download
from tests.fakes import OtherHost
from tests.fakes.messages import Reply, make_reply
from tests.fakes.serving import HttpServer, Incoming
from tests.making import IMPATIENT
from tests.support.process import free_port

URL = "https://distro.example.com/kubernetes-1-33/kubernetes-1-33-eks-7.yaml"
DOWNLOADED = "eks-anywhere-downloads/1.33/eks-distro/kubernetes-1-33-eks-7.yaml"


def load(place: Path | str) -> Manifests:
    return load_manifests(str(place), lambda _: None)


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8")
    return path


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    return write(tmp_path / "some" / "bundle.yaml", "spec: {}\n")


@pytest.mark.parametrize(
    ("url", "file"),
    [
        pytest.param(URL, "some/kubernetes-1-33-eks-7.yaml", id="beside"),
        pytest.param("file:///nowhere/a.yaml", "some/a.yaml", id="file-url-elsewhere"),
        pytest.param(DOWNLOADED, f"some/{DOWNLOADED}", id="below"),
        pytest.param(DOWNLOADED, f"some/1.33/eks-distro/{Path(DOWNLOADED).name}", id="sorted"),
    ],
)
def test_files_near_the_bundle_are_taken(tmp_path: Path, bundle: Path, url: str, file: str) -> None:
    found = write(tmp_path / file, "a: 1\n")
    assert load(bundle).referred(url).file == str(found)


def test_a_file_url_names_a_file(tmp_path: Path, bundle: Path) -> None:
    found = write(tmp_path / "far away" / "a.yaml", "a: 1\n")
    assert load(bundle).referred(found.as_uri()).file == str(found)


def test_a_manifest_is_read_once(tmp_path: Path, bundle: Path) -> None:
    write(tmp_path / "some" / "a.yaml", "a: 1\n")
    manifests = load(bundle)
    assert manifests.referred("a.yaml") is manifests.referred("a.yaml")


def said(place: Path | str, refers: str = "") -> tuple[str, str]:
    with pytest.raises(InputError) as caught:
        load(place).referred(refers)
    return caught.value.message, caught.value.hint


def test_what_is_nowhere_is_told(bundle: Path) -> None:
    message, hint = said(bundle, "file:///nowhere/a.yaml")
    assert message == f"{bundle} refers to file:///nowhere/a.yaml, which is not there"
    assert hint.startswith(f"put a.yaml beside {bundle}")


@pytest.mark.parametrize("url", ["http://[x/a.yaml", "", "ftp://e.com/a.yaml"])
def test_what_cannot_be_followed_is_told(bundle: Path, url: str) -> None:
    assert said(bundle, url)[0] == f"{bundle} refers to {url}, which is not there"


def test_a_broken_manifest_is_told_with_its_place(tmp_path: Path) -> None:
    path = write(tmp_path / "b.yaml", "a:\n  - [\n")
    assert said(path)[0].startswith(f"{path}:")


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    assert "cannot be read" in said(tmp_path / "b.yaml")[0]


def test_a_url_will_do_and_its_query_is_not_shown() -> None:
    with OtherHost(b"spec: {}\n") as host:
        manifests = load(f"{host.url}/bundle.yaml?signature=secret")
        assert manifests.manifest.file == f"{host.url}/bundle.yaml"
        assert manifests.referred(f"{host.url}/a.yaml?token=secret").file == f"{host.url}/a.yaml"
        assert [each.path for each in host.requests] == ["/bundle.yaml", "/a.yaml"]


def test_a_manifest_from_the_network_reads_no_files_here(tmp_path: Path) -> None:
    local = write(tmp_path / "a.yaml", "a: 1\n")
    with OtherHost(b"spec: {}\n") as host:
        message, hint = said(f"{host.url}/bundle.yaml", local.as_uri())
    assert message == f"{host.url}/bundle.yaml refers to {local.as_uri()}, which is not there"
    assert hint.startswith("download the manifest, and put a.yaml beside it")


def test_what_a_bundle_refers_to_may_be_put_beside_it(bundle: Path) -> None:
    url = f"http://127.0.0.1:{free_port()}/a.yaml"
    message, hint = said(bundle, url)
    assert message == f"{url}: nothing listens there ({bundle} refers to it)"
    assert hint.startswith(f"download it, and put a.yaml beside {bundle}")


@contextmanager
def answering(reply: Reply) -> Iterator[str]:
    """A server that answers everything in one way."""

    def application(incoming: Incoming) -> Reply:
        incoming.receive()
        return reply

    with HttpServer(application) as server:
        yield f"http://127.0.0.1:{server.port}/b.yaml"


def failure(url: str) -> str:
    with pytest.raises(InputError) as caught:
        download(url, largest=20, patience=IMPATIENT)
    assert "download the file and name that" in caught.value.hint
    return caught.value.message.replace(url.partition("?")[0], "URL")


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        pytest.param(make_reply(404, b"no"), "URL: answered 404", id="missing"),
        pytest.param(make_reply(403, b"no"), "URL: answered 403", id="forbidden"),
        pytest.param(make_reply(503, b"no"), "URL: answered 503", id="busy"),
        pytest.param(make_reply(200, b"\xff\xfe"), "URL: not UTF-8 text", id="binary"),
        pytest.param(
            make_reply(200, b"a" * 21), "URL: larger than any manifest of a release", id="large"
        ),
        pytest.param(
            make_reply(302, headers={"Location": "/b.yaml"}),
            "URL: it redirects in circles",
            id="circle",
        ),
    ],
)
def test_what_a_server_refuses_is_told(reply: Reply, expected: str) -> None:
    with answering(reply) as url:
        assert failure(f"{url}?token=secret") == expected


def test_the_largest_manifest_is_taken() -> None:
    with answering(make_reply(200, b"a" * 20)) as url:
        assert download(url, largest=20) == "a" * 20


def test_redirects_are_followed() -> None:
    with OtherHost(b"a: 1\n") as host:
        headers = {"Location": f"{host.url}/real.yaml"}
        with answering(make_reply(302, headers=headers)) as url:
            assert download(url) == "a: 1\n"


def test_a_closed_port_is_told() -> None:
    assert failure(f"http://127.0.0.1:{free_port()}/b.yaml") == "URL: nothing listens there"


def test_credentials_in_a_url_are_neither_sent_nor_shown() -> None:
    with OtherHost(b"a: 1\n") as host:
        with pytest.raises(InputError) as caught:
            load(f"http://me:secret@{host.host}/b.yaml")
        assert caught.value.message.startswith(f"{host.url}/b.yaml: credentials stand in the URL")
        assert host.requests == []
