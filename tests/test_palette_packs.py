"""Packs of Palette: what a list of them needs, where Palette itself asks for it, and what is said when one is not there."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from planner.config import Config, load_config
from planner.core.document import Spec
from planner.core.errors import InputError, PlannerError, UsageError
from planner.core.family import Because, ListedPack, Need, NodeFlags, Selection
from planner.core.reader import read
from planner.needs import Collected, Wanted, collect, read_pack_list
from planner.specs.palette import FAMILY, MAP_FILE
from planner.ui.cli import main
from planner.ui.consequence import consequence, consumer
from planner.verify import Verified, verify
from tests.fakes import FakeRegistry
from tests.making import MIRROR, World, make_world

VENDOR = "vendor.example.com/v4"
ARCHIVE = "spectro-packs/archive"
ALIAS = "public.ecr.aws/a1b2c3d4"
ACCOUNT = "123456789012.dkr.ecr.us-east-1.amazonaws.com"
LIST = "# packs of 4.8.37\n\ncni-calico:3.25.1\n  ubuntu-aws:22.04  # for machines\n"
TARGETS = [
    f"harbor.corp/p/{ARCHIVE}/cni-calico:3.25.1",
    f"harbor.corp/p/{ARCHIVE}/ubuntu-aws:22.04",
]


def text_of(
    endpoint: str = "https://harbor.corp", name: str = "ociPackRegistry", **keys: Any
) -> str:
    block = {"endpoint": endpoint, "baseContentPath": "p"} | keys
    return json.dumps({"config": {name: block}})


def values(
    endpoint: str = "https://harbor.corp", name: str = "ociPackRegistry", **keys: Any
) -> Spec:
    return read("values.yaml", text_of(endpoint, name, **keys))


def pack(name: str = "cni-calico", tag: str = "3.25.1") -> ListedPack:
    return ListedPack(name, tag, Because("packs.txt", 1, 1, "listed in packs.txt"))


def needs(
    spec: Spec, *packs: ListedPack, packs_from: str = VENDOR, release: str = ""
) -> list[Need]:
    selection = Selection(release, packs=packs or (pack(),), packs_from=packs_from)
    return list(FAMILY.images().needs(spec, selection))


@pytest.mark.parametrize("name", ["ociPackRegistry", "ociPackEcrRegistry"])
def test_the_registry_of_packs_is_trusted_as_palette_trusts_it(name: str) -> None:
    pem = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"
    told = base64.b64encode(pem.encode()).decode()
    (found,) = FAMILY.images().trusts(values("harbor.corp:8443", name, caCert=told))
    assert (found.address, found.is_verified, found.ca) == ("harbor.corp:8443", True, pem)
    (found,) = FAMILY.images().trusts(values(name=name, caCert=told, insecureSkipVerify=True))
    assert (found.address, found.is_verified, found.ca) == ("harbor.corp:443", False, "")
    assert not list(FAMILY.images().trusts(values("", name)))


def wrong(spec: Spec, packs_from: str = VENDOR) -> PlannerError:
    with pytest.raises(PlannerError) as caught:
        needs(spec, packs_from=packs_from)
    return caught.value


class Folder:
    """A spec, a list, and ``planner`` on them."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.spec = self.write("values.yaml", text_of())
        self.packs = self.write("packs.txt", LIST)

    def write(self, name: str, text: str) -> str:
        (self.path / name).write_text(text, "utf-8")
        return str(self.path / name)

    def collect(self, **wanted: Any) -> Collected:
        return collect(Config(), Wanted((self.spec,), **wanted))


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path)


def test_a_pack_goes_from_below_one_base_path_to_below_the_other() -> None:
    (need,) = needs(values())
    assert str(need.source) == f"{VENDOR}/{ARCHIVE}/cni-calico:3.25.1"
    assert str(need.target) == f"harbor.corp/p/{ARCHIVE}/cni-calico:3.25.1"
    assert (need.kind, need.consumer) == ("artifact", "palette")
    assert [(each.file, each.text) for each in need.because] == [
        ("packs.txt", "listed in packs.txt"),
        ("values.yaml", "asked for by Palette in ociPackRegistry"),
    ]


def test_palette_asks_at_one_place_whatever_else_redirects_images() -> None:
    mirrors = {
        "endpoint": "h.corp",
        "mirrorRegistries": "vendor.example.com::h.corp/p/vendor,*::h.corp/any",
    }
    document = json.loads(text_of(username="robot", password="cw==", insecureSkipVerify=True))
    document["config"]["ociImageRegistry"] = mirrors
    (need,) = needs(read("values.yaml", json.dumps(document)))
    (attempt,) = need.resolution.attempts
    assert attempt.url == f"https://harbor.corp/v2/p/{ARCHIVE}/cni-calico/manifests/3.25.1"
    assert need.resolution.rewrites == ()
    assert (attempt.auth, attempt.skip_verify) == (True, True)


@pytest.mark.parametrize("release", ["4.8.37", "v4.8.37"])
def test_the_manifest_comes_with_a_release(release: str) -> None:
    *_, need = needs(values(), release=release)
    path = "spectro-manifests/manifest:4.8.37"
    assert (str(need.source), str(need.target)) == (f"{VENDOR}/{path}", f"harbor.corp/p/{path}")
    assert (need.kind, need.consumer) == ("artifact", "palette")


@pytest.mark.parametrize(
    ("spec", "root", "place"),
    [
        pytest.param(values("harbor.corp"), "https", "harbor.corp/p", id="host"),
        pytest.param(values("https://harbor.corp:8443/"), "https", "harbor.corp:8443/p", id="port"),
        pytest.param(values("HTTP://harbor.corp"), "http", "harbor.corp/p", id="plain-http"),
        pytest.param(values("127.0.0.1:5000"), "http", "127.0.0.1:5000/p", id="loopback"),
        pytest.param(values("https://harbor.corp/v2/"), "https", "harbor.corp/p", id="api"),
        pytest.param(values(baseContentPath=""), "https", "harbor.corp", id="no-path"),
        pytest.param(values(baseContentPath="/a/b/"), "https", "harbor.corp/a/b", id="path"),
        pytest.param(
            values(baseContentPath="spectro-packs"),
            "https",
            "harbor.corp/spectro-packs",
            id="twice",
        ),
        pytest.param(
            values("https://art.corp/artifactory/api/docker/key", baseContentPath=""),
            "https",
            "art.corp/key",
            id="artifactory",
        ),
        pytest.param(values(ALIAS, "ociPackEcrRegistry"), "https", f"{ALIAS}/p", id="ecr-public"),
        pytest.param(
            values(f"https://{ACCOUNT}", "ociPackEcrRegistry"), "https", f"{ACCOUNT}/p", id="ecr"
        ),
    ],
)
def test_an_endpoint_is_read_as_palette_reads_it(spec: Spec, root: str, place: str) -> None:
    (need,) = needs(spec)
    assert str(need.target) == f"{place}/{ARCHIVE}/cni-calico:3.25.1"
    (attempt,) = need.resolution.attempts
    assert attempt.endpoint == f"{root}://{place.partition('/')[0]}/v2"


def test_keys_of_ecr_are_credentials() -> None:
    (need,) = needs(values(ACCOUNT, "ociPackEcrRegistry", accessKey="YQ==", secretKey="Yg=="))
    assert need.resolution.attempts[0].auth


def test_a_block_without_an_endpoint_is_not_used() -> None:
    document = json.loads(text_of())
    document["config"]["ociPackEcrRegistry"] = {"endpoint": "", "accessKey": ""}
    (need,) = needs(read("values.yaml", json.dumps(document)))
    assert str(need.target).startswith("harbor.corp/")


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        pytest.param(values(""), "values.yaml: this file does not say where packs go", id="empty"),
        pytest.param(
            read("secret.yaml", "kind: Secret\nmetadata: {name: registry-info}\n"),
            "secret.yaml: this file does not say where packs go",
            id="secret",
        ),
        pytest.param(
            read(
                "v.yaml",
                "config: {ociPackRegistry: {endpoint: a.b}, ociPackEcrRegistry: {endpoint: c.d}}",
            ),
            "v.yaml:1:75: two registries of packs",
            id="two",
        ),
        pytest.param(
            values("https://<REPLACE_WITH_HOST>"),
            "ociPackRegistry makes no name of a repository: '<REPLACE_WITH_HOST>' is not a registry host",
            id="placeholder",
        ),
        pytest.param(values(baseContentPath="A"), "repository 'A/spectro-packs", id="upper-case"),
    ],
)
def test_values_must_say_where_packs_go(spec: Spec, message: str) -> None:
    error = wrong(spec)
    assert message in error.message
    assert error.hint


def test_no_password_of_an_endpoint_is_shown() -> None:
    error = wrong(values("https://me:pass@harbor.corp/UPPER"))
    assert "pass" not in f"{error.message} {error.hint}"


def test_a_pack_needs_a_source() -> None:
    error = wrong(values(), packs_from="")
    assert isinstance(error, UsageError)
    assert error.message.startswith("packs.txt: these packs lie on their makers' registry")
    assert "--packs-from REGISTRY/BASE" in error.hint


@pytest.mark.parametrize("written", ["vendor.example.com", f"{VENDOR}/", "localhost:5000/a/b"])
def test_a_source_is_a_registry_with_or_without_a_path(written: str) -> None:
    (need,) = needs(values(), packs_from=written)
    assert str(need.source) == f"{written.rstrip('/')}/{ARCHIVE}/cni-calico:3.25.1"


@pytest.mark.parametrize(
    ("written", "message"),
    [
        pytest.param(f"https://{VENDOR}", "no registry with a base path", id="scheme"),
        pytest.param("vendor/base", "no registry with a base path", id="no-registry"),
        pytest.param("vendor.example.com/Base", "no registry with a base path", id="upper-case"),
        pytest.param(f"{VENDOR}/{ARCHIVE}/", "ends with spectro-packs/archive", id="too-far"),
    ],
)
def test_what_is_no_source_is_refused(written: str, message: str) -> None:
    error = wrong(values(), packs_from=written)
    assert isinstance(error, UsageError)
    assert message in error.message


def test_a_source_without_packs_is_a_mistake() -> None:
    with pytest.raises(UsageError, match="but none is listed"):
        list(FAMILY.images().needs(values(), Selection(packs_from=VENDOR)))


def test_packs_need_no_list_of_images_and_go_along_with_one(folder: Folder) -> None:
    alone = [
        str(each.target) for each in folder.collect(packs=(folder.packs,), packs_from=VENDOR).needs
    ]
    assert alone == TARGETS
    images = folder.write("images.txt", "quay.io/a/b:1\n")
    both = folder.collect(images=(images,), packs=(folder.packs,), packs_from=VENDOR)
    assert [each.kind for each in both.needs] == ["image", "artifact", "artifact"]
    assert ("packs.txt", "packs") in {(Path(each.path).name, each.role) for each in both.inputs}


@pytest.mark.parametrize(
    "line", ["docker.io/library/nginx:1", "cni-calico", "cni-calico:", "A:1", "a:1@sha256:b", ":1"]
)
def test_a_line_that_is_no_pack_is_shown(folder: Folder, line: str) -> None:
    path = folder.write("packs.txt", f"a:1\n{line}\n")
    with pytest.raises(InputError) as caught:
        read_pack_list(path)
    assert caught.value.message.startswith(f"{path}:2: '{line}' is no pack")


def test_planner_yaml_and_the_command_line_add_up(folder: Folder) -> None:
    folder.write("more.txt", "vault:1.2\n")
    settings = "{name: a, spec: values.yaml, packs: [packs.txt], packs_from: old.example.com/x, release: 4.8.37}"
    config = load_config(folder.write("planner.yaml", f"version: 1\nclusters: [{settings}]\n"))
    sources = [str(each.source) for each in collect(config, Wanted()).needs]
    assert sources[0] == f"old.example.com/x/{ARCHIVE}/cni-calico:3.25.1"
    assert sources[-1] == "old.example.com/x/spectro-manifests/manifest:4.8.37"
    wanted = Wanted(packs=(str(folder.path / "more.txt"),), packs_from=VENDOR)
    found = [each.source for each in collect(config, wanted).needs]
    assert {each.registry for each in found} == {"vendor.example.com"}
    assert [each.repository.rpartition("/")[2] for each in found] == [
        "cni-calico",
        "ubuntu-aws",
        "vault",
        "manifest",
    ]


@pytest.mark.parametrize(
    ("option", "given"), [("--packs", {"packs": True}), ("--packs-from", {"packs_from": VENDOR})]
)
@pytest.mark.parametrize(
    ("name", "text"),
    [("registries.yaml", "mirrors: {}\n"), ("maps.conf", "default::\n")],
    ids=["k3s", "imageswap-map"],
)
def test_others_refuse_packs(
    folder: Folder, name: str, text: str, option: str, given: dict[str, Any]
) -> None:
    folder.spec = folder.write(name, text)
    kind = "" if name.endswith(".yaml") else MAP_FILE.name
    more = {key: (folder.packs,) if value is True else value for key, value in given.items()}
    with pytest.raises(UsageError, match=f"{option} has no meaning"):
        folder.collect(kind=kind, **more)


def test_a_list_of_packs_given_as_images_is_refused(folder: Folder) -> None:
    with pytest.raises(UsageError, match=r"packs\.txt: these are packs, not images") as caught:
        folder.collect(images=(folder.packs,))
    assert f"--packs {folder.packs}" in caught.value.hint


def test_images_lists_them(folder: Folder, capsys: pytest.CaptureFixture[str]) -> None:
    given = ("--packs", folder.packs, "--packs-from", VENDOR, "--release", "4.8.37")
    assert main(("images", folder.spec, *given, "--format", "json")) == 0
    document = json.loads(capsys.readouterr().out)
    manifest = "harbor.corp/p/spectro-manifests/manifest:4.8.37"
    assert [(each["target"], each["kind"]) for each in document["images"]] == [
        (manifest, "artifact"),
        *((target, "artifact") for target in TARGETS),
    ]
    (namespace,) = document["namespaces"]
    assert (namespace["registry"], namespace["namespace"]) == ("harbor.corp", "p")
    assert namespace["because"][0]["file"] == folder.spec


@pytest.mark.parametrize(
    "name", [f"{ARCHIVE}/cni-calico:3.25.1", "spectro-manifests/manifest:4.8.37"]
)
def test_resolve_shows_the_one_place(name: str) -> None:
    resolution = FAMILY.images().resolve(values(), f"{VENDOR}/{name}", NodeFlags())
    repository, _, tag = name.partition(":")
    assert [each.url for each in resolution.attempts] == [
        f"https://harbor.corp/v2/p/{repository}/manifests/{tag}"
    ]


def test_resolve_leaves_images_to_the_nodes() -> None:
    resolution = FAMILY.images().resolve(values(), "nginx:1", NodeFlags())
    assert [each.registry for each in resolution.attempts] == ["docker.io"]


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with make_world(tmp_path) as world:
        yield world


def asked(world: World) -> Verified:
    (need,) = needs(values(f"https://{MIRROR}"), packs_from="docker.io/v4")
    (result,) = verify([need], world.stores(), blobs=True)
    return result


def fill(fake: FakeRegistry, base: str) -> str:
    return fake.add_image(f"{base}/{ARCHIVE}/cni-calico", "3.25.1", [b"pack"])


def test_palette_fails_on_a_pack_that_is_not_there(world: World) -> None:
    fill(world.upstream, "v4")
    result = asked(world)
    assert (result.verdict, consumer(result)) == ("missing", "palette")
    name = f"{MIRROR}/p/{ARCHIVE}/cni-calico:3.25.1"
    assert consequence(result) == f"Palette cannot pull it: {name} is not there"


def test_a_pack_that_is_there_is_found(world: World) -> None:
    digest = fill(world.mirror, "p")
    assert (asked(world).verdict, asked(world).digest) == ("found", digest)


def test_palette_asks_its_makers_when_the_values_send_it_there(world: World) -> None:
    (need,) = needs(values("https://docker.io"), packs_from="docker.io/v4")
    (result,) = verify([need], world.stores(), blobs=False)
    assert consequence(result).startswith("Palette pulls it from docker.io itself ")
