"""OCI layouts on disk: whole or not at all, also when several write at once."""

from __future__ import annotations

import json
import resource
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import pytest

from planner.config import Config
from planner.core.content import OCI_MANIFEST, Descriptor, Manifest, digest_of
from planner.core.errors import RegistryError
from planner.core.refs import parse_image
from planner.sample import write_samples
from planner.stores.layout import Layout, LayoutFolder
from planner.stores.opening import Places, Stores
from planner.stores.pieces import Buffers
from tests.making import error_of, make_manifest, stream_of

LAYER = b"layer" * 300_000  # more than one chunk
DIGEST = digest_of(LAYER)
MANIFEST = make_manifest([Descriptor(DIGEST, len(LAYER), "x")])
NAME = "org.opencontainers.image.ref.name"
ROOT = Path(__file__).parent.parent


def layout(folder: Path, registry: str = "docker.io") -> Layout:
    return Layout(LayoutFolder(folder), registry)


def write(store: Layout, data: bytes = LAYER, digest: str = "", sibling: str = "") -> str:
    digest = digest or digest_of(data)
    return store.write_blob("a/b", digest, lambda _=0: stream_of(data, digest), sibling)


def files(folder: Path) -> set[str]:
    """Every file but the lock."""
    found = (path for path in folder.rglob("*") if path.is_file())
    return {str(each.relative_to(folder)) for each in found} - {".planner-lock"}


def blob_file(digest: str) -> str:
    return f"blobs/{digest.replace(':', '/')}"


def index(folder: Path) -> list[dict[str, Any]]:
    manifests: list[dict[str, Any]] = json.loads((folder / "index.json").read_bytes())["manifests"]
    return manifests


def names(folder: Path) -> list[str]:
    return [each["annotations"][NAME] for each in index(folder)]


def test_a_blob_comes_back(tmp_path: Path) -> None:
    store = layout(tmp_path)
    assert write(store) == "copied"
    assert store.has_blob("any/where", DIGEST)
    with store.open_blob("a/b", DIGEST) as chunks:
        assert b"".join(map(bytes, chunks)) == LAYER


def test_a_blob_is_written_once_for_all_repositories(tmp_path: Path) -> None:
    store = layout(tmp_path)
    assert [write(store), write(store), write(store, sibling="c/d")] == [
        "copied",
        "present",
        "mounted",
    ]


def test_a_folder_is_a_layout_after_its_first_manifest(tmp_path: Path) -> None:
    folder = tmp_path / "new/folder"
    layout(folder).write_manifest("a/b", "v1", MANIFEST)
    assert json.loads((folder / "oci-layout").read_bytes()) == {"imageLayoutVersion": "1.0.0"}
    assert files(folder) == {"oci-layout", "index.json", blob_file(MANIFEST.digest)}
    (entry,) = index(folder)
    assert entry == {
        "mediaType": OCI_MANIFEST,
        "digest": MANIFEST.digest,
        "size": len(MANIFEST.data),
        "annotations": {NAME: "docker.io/a/b:v1"},
    }


@pytest.mark.parametrize("reference", ["v1", MANIFEST.digest], ids=["tag", "digest"])
def test_a_manifest_comes_back_byte_for_byte(tmp_path: Path, reference: str) -> None:
    store = layout(tmp_path)
    store.write_manifest("a/b", reference, MANIFEST)
    found = layout(tmp_path).head("a/b", reference)
    assert found
    assert (found.digest, found.size) == (MANIFEST.digest, len(MANIFEST.data))
    assert store.has_blob("a/b", MANIFEST.digest)


def test_a_manifest_under_its_digest_alone_has_no_name(tmp_path: Path) -> None:
    layout(tmp_path).write_manifest("a/b", MANIFEST.digest, MANIFEST)
    assert not (tmp_path / "index.json").exists()


def test_registries_share_a_folder_and_its_blobs(tmp_path: Path) -> None:
    stores = Stores(Places(Config(), write_to=f"oci:{tmp_path}"))
    images = [parse_image(each) for each in ("r.corp/a/b:1", "s.corp:5000/a/b:1", "alpine:3")]
    write_samples(images, stores.target, kib=1)
    assert names(tmp_path) == sorted(map(str, images))
    for image in images:
        found = stores.target(image.registry).head(image.repository, image.tag)
        assert found
        assert stores.target("other").head(image.repository, image.tag) is None


@pytest.mark.parametrize(
    ("written", "registry", "repository"),
    [
        pytest.param("docker.io/rancher/pause:3", "docker.io", "rancher/pause", id="full"),
        pytest.param("rancher/pause:3", "docker.io", "rancher/pause", id="short"),
        pytest.param("library/alpine:3", "docker.io", "library/alpine", id="library"),
        pytest.param("alpine:3", "docker.io", "library/alpine", id="official"),
        pytest.param("r.corp/pause:3", "r.corp", "pause", id="registry"),
    ],
)
def test_names_of_other_tools_are_found(
    tmp_path: Path, written: str, registry: str, repository: str
) -> None:
    layout(tmp_path).write_manifest("x", "1", MANIFEST)
    entries = [{**index(tmp_path)[0], "annotations": {NAME: written}}]
    (tmp_path / "index.json").write_text(json.dumps({"schemaVersion": 2, "manifests": entries}))
    assert layout(tmp_path, registry).head(repository, "3")


def test_a_short_name_belongs_to_docker_hub_alone(tmp_path: Path) -> None:
    layout(tmp_path, "").write_manifest("x", "1", MANIFEST)
    assert names(tmp_path) == ["/x:1"]
    assert layout(tmp_path, "r.corp").head("x", "1") is None


def test_a_name_is_moved_and_others_are_kept(tmp_path: Path) -> None:
    other = Manifest(OCI_MANIFEST, MANIFEST.data + b" ")
    store = layout(tmp_path)
    for tag, manifest in (("1", MANIFEST), ("2", MANIFEST), ("1", other)):
        store.write_manifest("a", tag, manifest)
    assert names(tmp_path) == ["docker.io/a:1", "docker.io/a:2"]
    assert [each["digest"] for each in index(tmp_path)] == [other.digest, MANIFEST.digest]


def test_what_others_wrote_into_the_index_is_kept(tmp_path: Path) -> None:
    entry = {"mediaType": OCI_MANIFEST, "digest": DIGEST, "size": 1, "platform": {"os": "linux"}}
    document = {"schemaVersion": 2, "annotations": {"a": "b"}, "manifests": [entry]}
    (tmp_path / "index.json").write_text(json.dumps(document))
    layout(tmp_path).write_manifest("a", "1", MANIFEST)
    written = json.loads((tmp_path / "index.json").read_bytes())
    assert entry in written["manifests"]
    assert written["annotations"] == {"a": "b"}


def test_a_change_by_another_process_is_seen(tmp_path: Path) -> None:
    mine, theirs = layout(tmp_path), layout(tmp_path)
    assert mine.head("a", "1") is None
    theirs.write_manifest("a", "1", MANIFEST)
    assert mine.head("a", "1")
    (tmp_path / "index.json").unlink()
    assert mine.head("a", "1") is None


def test_a_name_whose_content_is_gone_is_absent(tmp_path: Path) -> None:
    store = layout(tmp_path)
    store.write_manifest("a", "1", MANIFEST)
    (tmp_path / blob_file(MANIFEST.digest)).unlink()
    assert store.head("a", "1") is None


def test_nothing_is_there_before_something_is_written(tmp_path: Path) -> None:
    store = layout(tmp_path / "none")
    store.greet()
    assert store.head("a", "1") is None
    assert store.head("a", DIGEST) is None
    assert not store.has_blob("a", DIGEST)
    assert not (tmp_path / "none").exists()


@pytest.mark.parametrize("reference", ["1", DIGEST], ids=["tag", "digest"])
def test_a_missing_manifest_is_an_error(tmp_path: Path, reference: str) -> None:
    error = error_of(lambda: layout(tmp_path).manifest("a/b", reference))
    assert (error.status, f"docker.io/a/b:{reference}: not there" in error.message) == (404, True)


def test_a_missing_blob_is_an_error(tmp_path: Path) -> None:
    error = error_of(lambda: layout(tmp_path).open_blob("a", DIGEST).__enter__())
    assert (error.status, error.code) == (404, "BLOB_UNKNOWN")


def test_a_damaged_manifest_is_an_error(tmp_path: Path) -> None:
    store = layout(tmp_path)
    store.write_manifest("a", "1", MANIFEST)
    (tmp_path / blob_file(MANIFEST.digest)).write_bytes(b"{}")
    error = error_of(lambda: store.manifest("a", "1"))
    assert (error.code, "the file is damaged" in error.hint) == ("DIGEST_MISMATCH", True)


def test_a_damaged_blob_is_not_passed_on(tmp_path: Path) -> None:
    source, target = layout(tmp_path / "a"), layout(tmp_path / "b")
    write(source)
    (tmp_path / "a" / blob_file(DIGEST)).write_bytes(b"x" * len(LAYER))
    with source.open_blob("a", DIGEST) as chunks:
        data = b"".join(map(bytes, chunks))
    assert error_of(lambda: write(target, data, DIGEST)).code == "DIGEST_MISMATCH"
    assert files(tmp_path / "b") == {"oci-layout"}


@pytest.mark.parametrize(
    "digest",
    [
        "sha256:../../../../etc/passwd",
        f"sha256:{'0' * 63}/",
        f"../{DIGEST}",
        f"sha256/..:{'0' * 64}",
        "sha256:",
        f"{DIGEST}\n",
        DIGEST.upper(),
    ],
)
def test_a_digest_is_never_a_path(tmp_path: Path, digest: str) -> None:
    store = layout(tmp_path)
    calls: list[Callable[[], object]] = [
        lambda: store.has_blob("a", digest),
        lambda: write(store, b"x", digest),
        lambda: store.open_blob("a", digest).__enter__(),
    ]
    for call in calls:
        assert "is not a digest" in error_of(call).message
    assert files(tmp_path) == set()


ENTRY = {"digest": DIGEST, "size": 1, "annotations": {NAME: "docker.io/a:1"}}


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="empty"),
        pytest.param("{", id="no-json"),
        pytest.param("[]", id="list"),
        pytest.param("{}", id="no-manifests"),
        pytest.param('{"manifests": 7}', id="number"),
        pytest.param('{"manifests": ["x"]}', id="texts"),
        pytest.param("[" * 100_000, id="deep"),
    ],
)
def test_a_file_that_is_no_index_is_named(tmp_path: Path, text: str) -> None:
    (tmp_path / "index.json").write_text(text)
    for call in (
        lambda: layout(tmp_path).head("a", "1"),
        lambda: layout(tmp_path).write_manifest("a", "1", MANIFEST),
    ):
        assert f"{tmp_path}/index.json: this is not the index" in error_of(call).message
    assert (tmp_path / "index.json").read_text() == text


@pytest.mark.parametrize(
    "entry",
    [
        pytest.param({**ENTRY, "digest": "sha256:../../x"}, id="path"),
        pytest.param({**ENTRY, "digest": 7}, id="number"),
        pytest.param({key: ENTRY[key] for key in ENTRY if key != "digest"}, id="no-digest"),
    ],
)
def test_an_entry_without_digest_is_an_error(tmp_path: Path, entry: dict[str, Any]) -> None:
    (tmp_path / "index.json").write_text(json.dumps({"manifests": [entry]}))
    assert "is not a digest" in error_of(lambda: layout(tmp_path).head("a", "1")).message


@pytest.mark.parametrize("annotations", [None, [], "x", {}, {NAME: 7}])
def test_an_entry_without_name_is_passed_over(tmp_path: Path, annotations: Any) -> None:
    entries = [{**ENTRY, "annotations": annotations}]
    (tmp_path / "index.json").write_text(json.dumps({"manifests": entries}))
    assert layout(tmp_path).head("a", "1") is None


@pytest.mark.parametrize("size", ["x", None, -1, 10**30])
def test_the_size_in_an_index_is_not_believed(tmp_path: Path, size: Any) -> None:
    write(layout(tmp_path))
    (tmp_path / "index.json").write_text(json.dumps({"manifests": [{**ENTRY, "size": size}]}))
    found = layout(tmp_path).head("a", "1")
    assert found
    assert found.size == len(LAYER)


# What fails leaves nothing.


@pytest.mark.parametrize("digest", [DIGEST, digest_of(b"x")], ids=["short", "other"])
def test_a_stream_that_lies_leaves_no_file(tmp_path: Path, digest: str) -> None:
    assert error_of(lambda: write(layout(tmp_path), LAYER[:-1], digest)).code == "DIGEST_MISMATCH"
    assert files(tmp_path) == {"oci-layout"}


class Interrupted(BaseException):
    """As KeyboardInterrupt is."""


def test_an_interrupted_write_leaves_no_file(tmp_path: Path) -> None:
    def chunks() -> Any:
        yield b"x"
        raise Interrupted

    with pytest.raises(Interrupted):
        LayoutFolder(tmp_path).write(DIGEST, chunks())
    assert files(tmp_path) == {"oci-layout"}


def test_a_place_that_is_no_folder_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    error = error_of(lambda: write(layout(tmp_path / "file")))
    assert error.message == f"oci:{tmp_path}/file: cannot write: File exists"


@pytest.mark.parametrize("what", ["index.json", blob_file(DIGEST)])
def test_what_cannot_be_read_is_named(tmp_path: Path, what: str) -> None:
    store = layout(tmp_path)
    write(store)
    store.write_manifest("a", "1", MANIFEST)
    (tmp_path / what).unlink()
    (tmp_path / what).mkdir()

    def read() -> None:
        store.head("a", "1")
        b"".join(LayoutFolder(tmp_path).read(DIGEST, Buffers(1)))

    assert f"oci:{tmp_path}: cannot read: Is a directory" in error_of(read).message


def test_a_source_that_cannot_be_read_is_not_blamed_on_the_target(tmp_path: Path) -> None:
    source, target = layout(tmp_path / "a"), layout(tmp_path / "b")
    write(source)
    with source.open_blob("x", DIGEST) as chunks:
        (tmp_path / "a" / blob_file(DIGEST)).unlink()
        error = error_of(lambda: target._folder.write(DIGEST, iter(chunks)))
    assert error.message == f"oci:{tmp_path}/a: cannot read: No such file or directory"


def write_limited(folder: Path, limit: int) -> str:
    """Write a blob where no file may be larger than ``limit`` bytes; what is said about it."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
    try:
        return write(layout(folder))
    except RegistryError as error:
        return error.message


def test_a_disk_that_takes_no_more_leaves_no_file(tmp_path: Path) -> None:
    command = (
        f"from tests.test_layout import *; print(write_limited(Path({str(tmp_path)!r}), 9999))"
    )
    done = subprocess.run(
        [sys.executable, "-c", command], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout == f"oci:{tmp_path}: cannot write: File too large\n"
    assert files(tmp_path) == {"oci-layout"}


def write_many(folder: str, number: int) -> None:
    """What one of several processes writes: a common blob, and names of its own."""
    store = layout(Path(folder), f"r{number}.corp")
    for each in range(10):
        write(store, b"common")
        write(store, f"{number}-{each}".encode())
        store.write_manifest("a", f"{each}", Manifest(OCI_MANIFEST, b'{"n":%d}' % number))


def expected_names(count: int) -> list[str]:
    return sorted(f"r{number}.corp/a:{each}" for number in range(count) for each in range(10))


def test_threads_may_write_at_once(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda number: write_many(str(tmp_path), number), range(8)))
    assert names(tmp_path) == expected_names(8)
    assert len(files(tmp_path)) == 2 + 1 + 80 + 8


def test_processes_may_write_at_once(tmp_path: Path) -> None:
    context = get_context("forkserver")
    processes = [context.Process(target=write_many, args=(str(tmp_path), each)) for each in (0, 1)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(30)
    assert [process.exitcode for process in processes] == [0, 0]
    assert names(tmp_path) == expected_names(2)


def test_files_can_be_read_by_others(tmp_path: Path) -> None:
    write(layout(tmp_path))
    assert (tmp_path / blob_file(DIGEST)).stat().st_mode & 0o777 == 0o644
