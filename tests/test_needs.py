"""From files to needs: every mistake is told with its place."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from planner.config import Cluster, Config
from planner.core.errors import InputError, UsageError
from planner.core.family import NodeFlags
from planner.core.plan import Input
from planner.needs import Wanted, collect, load_spec, read_image_list, unchanged

SPEC = 'mirrors: {docker.io: {endpoint: ["https://registry.corp"]}}\n'
DIGEST = f"sha256:{'0' * 64}"


@pytest.fixture
def spec(tmp_path: Path) -> Path:
    return write(tmp_path / "edge/registries.yaml", SPEC)


def write(path: Path, text: str | bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def test_a_list_holds_one_image_per_line(tmp_path: Path) -> None:
    path = write(
        tmp_path / "images.txt",
        f"# all images\n\nrancher/pause:3.6 # why\r\n   quay.io/a/b@{DIGEST}\nalpine\n\t\n",
    )
    listed = read_image_list(str(path))
    assert [str(each.image) for each in listed] == [
        "docker.io/rancher/pause:3.6",
        f"quay.io/a/b@{DIGEST}",
        "docker.io/library/alpine:latest",
    ]
    assert [each.because.line for each in listed] == [3, 4, 5]
    assert listed[0].because.text == "listed in images.txt"


def test_an_empty_list_is_empty(tmp_path: Path) -> None:
    assert read_image_list(str(write(tmp_path / "i", "# nothing\n"))) == ()


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        pytest.param("a b", "not a repository name", id="two-words"),
        pytest.param("a/UPPER", "upper-case letters", id="upper-case"),
        pytest.param("a:t@sha256:1", "is not a digest", id="digest"),
        pytest.param("a:", "is not a tag", id="no-tag"),
        pytest.param("https://r.corp/a:1", "not a", id="url"),
    ],
)
def test_a_line_that_is_no_image_is_told_with_its_place(
    tmp_path: Path, line: str, problem: str
) -> None:
    path = write(tmp_path / "images.txt", f"alpine:3\n{line}\n")
    with pytest.raises(InputError, match=problem) as caught:
        read_image_list(str(path))
    assert caught.value.message.startswith(f"{path}:2: ")


@pytest.mark.parametrize(
    ("content", "problem"),
    [(None, "No such file"), (b"\xff\xfe", "is not UTF-8 text")],
    ids=["missing", "binary"],
)
def test_a_list_that_cannot_be_read_is_named(
    tmp_path: Path, content: bytes | None, problem: str
) -> None:
    path = tmp_path / "images.txt"
    if content is not None:
        write(path, content)
    with pytest.raises(InputError, match=problem) as caught:
        read_image_list(str(path))
    assert str(path) in caught.value.message


def test_a_folder_is_no_list(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="Is a directory"):
        read_image_list(str(tmp_path))


def test_a_spec_with_a_list_has_needs(tmp_path: Path, spec: Path) -> None:
    images = write(tmp_path / "images.txt", "alpine:3\nquay.io/a/b:1\n")
    collected = collect(Config(), Wanted((str(spec),), images=(str(images),)))
    targets = [str(each.target) for each in collected.needs]
    assert targets == ["registry.corp/library/alpine:3", "None"]
    assert [each.name for each in collected.clusters] == ["edge"]


def test_what_was_read_is_noted_with_its_digest(tmp_path: Path, spec: Path) -> None:
    images = write(tmp_path / "images.txt", "alpine:3\n")
    collected = collect(Config(), Wanted((str(spec),), images=(str(images), str(images))))
    assert collected.inputs == (
        Input(str(spec), hashlib.sha256(SPEC.encode()).hexdigest(), "k3s"),
        Input(str(images), hashlib.sha256(b"alpine:3\n").hexdigest(), "images"),
    )


def cluster(tmp_path: Path, name: str, images: str = "alpine:3\n") -> Cluster:
    spec = write(tmp_path / name / "registries.yaml", SPEC)
    listed = write(tmp_path / name / "images.txt", images)
    return Cluster(name, str(spec), images=(str(listed),))


def test_the_clusters_of_planner_yaml_are_used_without_specs(tmp_path: Path) -> None:
    clusters = (cluster(tmp_path, "a"), cluster(tmp_path, "b", "busybox\n"))
    path = write(tmp_path / "planner.yaml", "version: 1")
    collected = collect(Config(path, clusters=clusters), Wanted())
    assert [each.name for each in collected.clusters] == ["a", "b"]
    reasons = [each.because[0].reason for each in collected.needs]
    assert reasons == ["a: listed in images.txt", "b: listed in images.txt"]
    assert [each.role for each in collected.inputs].count("config") == 1


def test_a_spec_of_planner_yaml_keeps_its_settings(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = Config(clusters=(cluster(tmp_path, "a"), cluster(tmp_path, "b")))
    monkeypatch.chdir(tmp_path / "b")
    (only,) = collect(config, Wanted(("registries.yaml",))).clusters
    assert (only.name, len(only.needs)) == ("b", 1)


def test_lists_of_the_command_line_come_on_top(tmp_path: Path) -> None:
    more = write(tmp_path / "more.txt", "busybox\n")
    config = Config(clusters=(cluster(tmp_path, "a"),))
    assert len(list(collect(config, Wanted(images=(str(more),))).needs)) == 2


@pytest.mark.parametrize("key", ["spec", "images", "packs"])
def test_a_file_that_is_not_there_is_told_with_its_cluster(tmp_path: Path, key: str) -> None:
    given = {"spec": "gone"} if key == "spec" else {key: ("gone",)}
    clusters = (cluster(tmp_path, "a"), cluster(tmp_path, "b")._replace(**given))
    path = write(tmp_path / "planner.yaml", "version: 1")
    with pytest.raises(
        InputError, match=r"^gone, which cluster 'b' names, is not there$"
    ) as caught:
        collect(Config(path, clusters=clusters), Wanted())
    assert str(path) in caught.value.hint


def test_without_spec_and_clusters_there_is_nothing_to_do() -> None:
    with pytest.raises(UsageError, match="there is no spec to read") as caught:
        collect(Config(), Wanted())
    assert "planner.yaml" in caught.value.hint


def platforms_of(config: Config, wanted: Wanted) -> set[tuple[str, ...]]:
    return {each.platforms for each in collect(config, wanted).needs}


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        pytest.param((), ("linux/amd64", "linux/arm64"), id="as-planner.yaml-has-it"),
        pytest.param(("linux/arm",), ("linux/arm/v7",), id="the-command-line-instead"),
        pytest.param(("all",), (), id="whole-images-after-all"),
    ],
)
def test_platforms_are_those_of_the_cluster(
    tmp_path: Path, asked: tuple[str, ...], expected: tuple[str, ...]
) -> None:
    chosen = cluster(tmp_path, "a")._replace(platforms=("linux/x86_64", "linux/arm64/v8"))
    assert platforms_of(Config(clusters=(chosen,)), Wanted(platforms=asked)) == {expected}


def test_a_cluster_whose_platform_is_none_is_named(tmp_path: Path) -> None:
    chosen = cluster(tmp_path, "a")._replace(platforms=("linux/amd46",))
    with pytest.raises(UsageError, match="cluster 'a': 'linux/amd46' is no platform") as caught:
        collect(Config(clusters=(chosen,)), Wanted())
    assert caught.value.hint == "did you mean linux/amd64?"


def test_an_unknown_release_is_refused_with_a_guess(spec: Path) -> None:
    with pytest.raises(
        UsageError, match=r"no image list is packaged for release 'v1\.35\.0\+k3s9'"
    ):
        collect(Config(), Wanted((str(spec),), release="v1.35.0+k3s9"))


def test_a_spec_that_says_too_little_is_refused(spec: Path) -> None:
    with pytest.raises(UsageError, match="does not say which images") as caught:
        collect(Config(), Wanted((str(spec),)))
    assert "--release" in caught.value.hint


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param(b"a: [\nb", "not valid YAML", id="broken"),
        pytest.param(b"a: 1\n\tb: 2", "spec.yaml:2:", id="tab"),
        pytest.param(b"\xff\xfe\x00", "byte 0 is not UTF-8 text", id="binary"),
        pytest.param(b"hello: world", "not a spec that planner knows", id="no-family"),
        pytest.param(b"", "not a spec that planner knows", id="empty"),
        pytest.param(b"- 1", "not a spec that planner knows", id="list"),
    ],
)
def test_what_is_no_spec_is_refused(tmp_path: Path, text: bytes, message: str) -> None:
    path = write(tmp_path / "spec.yaml", text)
    with pytest.raises(InputError) as caught:
        load_spec(str(path))
    assert message in caught.value.message
    assert str(path) in caught.value.message


@pytest.mark.parametrize(
    ("kind", "what", "use"),
    [
        pytest.param("plan", "a saved plan", "planner show", id="plan"),
        pytest.param("inventory", "an inventory", "--against", id="inventory"),
        pytest.param("lock", "a lock", "--locked", id="lock"),
        pytest.param("record", "planner's own, record", "name a spec", id="record"),
    ],
)
def test_a_file_of_our_own_is_called_what_it_is(
    tmp_path: Path, kind: str, what: str, use: str
) -> None:
    path = write(tmp_path / "it.json", f'{{\n"format": "planner.{kind}/1"}}\n')
    with pytest.raises(InputError) as caught:
        load_spec(str(path))
    assert caught.value.message == f"{path}: this is {what}, not a spec"
    assert use in caught.value.hint


def test_a_missing_spec_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"gone\.yaml: cannot be read: No such file"):
        load_spec(str(tmp_path / "gone.yaml"))


def test_an_unknown_kind_is_refused(spec: Path) -> None:
    with pytest.raises(InputError) as caught:
        load_spec(str(spec), "nomad")
    assert "k3s" in caught.value.hint


def test_a_kind_says_what_a_file_is(tmp_path: Path) -> None:
    path = write(tmp_path / "odd-name.yaml", SPEC)
    assert load_spec(str(path), "k3s")[1].name == "k3s"


def test_schemes_are_those_of_the_nodes(tmp_path: Path) -> None:
    path = write(tmp_path / "registries.yaml", SPEC.replace("https", "http"))
    images = write(tmp_path / "i", "alpine\n")
    collected = collect(Config(), Wanted((str(path),), images=(str(images),)))
    assert collected.schemes == {"registry.corp": "http"}


def test_changed_inputs_are_found(tmp_path: Path, spec: Path) -> None:
    same = write(tmp_path / "same", "x")
    inputs = [
        Input(str(each), hashlib.sha256(each.read_bytes()).hexdigest(), "x")
        for each in (spec, same)
    ]
    gone = Input(str(tmp_path / "gone"), "00", "x")
    assert list(unchanged([*inputs, gone])) == []
    write(spec, SPEC + "#")
    assert list(unchanged([*inputs, gone])) == [str(spec)]


def test_nothing_is_meant_for_the_embedded_registry(tmp_path: Path) -> None:
    spec = write(
        tmp_path / "registries.yaml", "mirrors: {docker.io: {endpoint: ['https://r.lan']}}\n"
    )
    listed = write(tmp_path / "images.txt", "docker.io/team/app:1\n")
    flags = NodeFlags(embedded_registry="127.0.0.1:6443")
    wanted = Wanted((str(spec),), images=(str(listed),), flags=flags)
    (need,) = collect(Config(), wanted).needs
    assert str(need.target) == "r.lan/team/app:1"
