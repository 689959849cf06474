"""An index for fewer platforms: what stays is the source's own bytes, and what is made is the same each time."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from planner.core.content import DOCKER_LIST, OCI_INDEX, OCI_MANIFEST, Manifest, digest_of
from planner.core.errors import RegistryError
from planner.core.narrowing import Narrowed, kept_of, lacking_in, narrow

AMD, ARM = ("linux/amd64",), ("linux/arm64",)


def listed(name: str, platform: str = "", about: str = "", **more: Any) -> dict[str, Any]:
    """A descriptor; ``about`` names what it attests."""
    entry: dict[str, Any] = {
        "mediaType": OCI_MANIFEST,
        "digest": digest_of(name.encode()),
        "size": 7,
    }
    if platform:
        parts = zip(("os", "architecture", "variant"), platform.split("/"), strict=False)
        entry["platform"] = dict(parts)
    if about:
        entry["annotations"] = {
            "vnd.docker.reference.digest": digest_of(about.encode()),
            "vnd.docker.reference.type": "attestation-manifest",
        }
    return entry | more


def index_of(*entries: Mapping[str, Any], kind: str = OCI_INDEX, **more: Any) -> Manifest:
    document = {"schemaVersion": 2, "mediaType": kind, "manifests": entries, **more}
    return Manifest(kind, json.dumps(document, indent=2).encode())


def narrowed(index: Manifest, wanted: Sequence[str] = AMD, *inner: Manifest) -> Narrowed:
    return narrow(index, wanted, {each.digest: each for each in inner}.__getitem__, "the image")


def names_of(manifest: Manifest | None) -> list[str]:
    assert manifest
    return [each.digest for each in manifest.children]


MULTI = index_of(
    listed("amd", "linux/amd64"), listed("arm", "linux/arm64/v8"), listed("s390", "linux/s390x")
)


def test_only_what_is_wanted_stays_in_its_order() -> None:
    found = narrowed(MULTI, ("linux/s390x", "linux/arm64"))
    assert names_of(found.manifest) == [digest_of(b"arm"), digest_of(b"s390")]
    assert found.kept == ("linux/arm64/v8", "linux/s390x")
    assert found.dropped == AMD
    assert found.lacking == ()


def test_one_manifest_stays_in_an_index_of_its_type() -> None:
    found = narrowed(index_of(*MULTI.document()["manifests"], kind=DOCKER_LIST))
    assert found.manifest
    assert (found.manifest.media_type, found.manifest.is_index) == (DOCKER_LIST, True)
    assert names_of(found.manifest) == [digest_of(b"amd")]


def test_an_index_of_which_all_is_kept_stays_itself() -> None:
    found = narrowed(MULTI, (*AMD, *ARM, "linux/s390x"))
    assert found.manifest is MULTI
    assert (found.made, found.dropped) == ((), ())


def test_an_index_without_any_of_the_platforms_is_none() -> None:
    found = narrowed(MULTI, ("linux/riscv64",))
    assert found.manifest is None
    assert found.lacking == ("linux/riscv64",)
    assert found.dropped == ("linux/amd64", "linux/arm64/v8", "linux/s390x")


def test_what_some_platforms_lack_is_told() -> None:
    assert narrowed(MULTI, (*AMD, "linux/riscv64")).lacking == ("linux/riscv64",)


def test_every_other_byte_is_the_source_s_own() -> None:
    """Order, white space, escapes, numbers, unknown fields: nothing of it is written anew."""
    one, two, three = (
        json.dumps(listed(each, f"linux/{each}")) for each in ("amd64", "386", "arm")
    )
    odd = '{"x":1.0e2 ,\n"manifests" : [ %s\t] , "annotations":{"\\u00e9":"\\/"},"schemaVersion":2}'
    index = Manifest(OCI_INDEX, (odd % f"{one} ,\n {two},{three}").encode())
    assert narrowed(index, ("linux/arm/v7",)).manifest == Manifest(
        OCI_INDEX, (odd % three).encode()
    )
    both = Manifest(OCI_INDEX, (odd % f"{one},{three}").encode())
    assert narrowed(index, ("linux/amd64", "linux/arm/v7")).manifest == both


def test_an_attestation_stays_with_what_it_is_about() -> None:
    index = index_of(
        listed("amd", "linux/amd64"),
        listed("arm", "linux/arm64"),
        listed("of arm", "unknown/unknown", about="arm"),
        listed("of amd", "unknown/unknown", about="amd"),
    )
    found = narrowed(index)
    assert names_of(found.manifest) == [digest_of(b"amd"), digest_of(b"of amd")]
    assert (found.kept, found.dropped) == (AMD, ("linux/arm64",))


def test_what_names_no_platform_stays() -> None:
    """containerd looks at its configuration (``FilterPlatforms``)."""
    found = narrowed(index_of(listed("any"), listed("arm", "linux/arm64")))
    assert names_of(found.manifest) == [digest_of(b"any")]
    assert found.kept == ("unknown",)


def test_the_same_image_for_two_platforms_stays_for_one() -> None:
    found = narrowed(index_of(listed("both", "linux/amd64"), listed("both", "linux/arm64")))
    assert found.manifest
    assert [each.platform for each in found.manifest.children] == ["linux/amd64"]


def test_all_versions_of_windows_stay() -> None:
    windows = [listed(each, "windows/amd64") for each in ("2019", "2022")]
    for each, version in zip(windows, ("10.0.17763.1", "10.0.20348.1"), strict=True):
        each["platform"]["os.version"] = version
    found = narrowed(index_of(*windows, listed("amd", "linux/amd64")), ("windows/amd64",))
    assert len(names_of(found.manifest)) == 2
    assert found.kept == ("windows/amd64",)


def nested(inner: Manifest, **more: Any) -> dict[str, Any]:
    entry = listed("", "", mediaType=inner.media_type, **more)
    return entry | {"digest": inner.digest, "size": len(inner.data)}


def test_an_index_in_an_index_is_narrowed_too() -> None:
    outer = index_of(
        nested(MULTI, data=base64.b64encode(MULTI.data).decode(), annotations={"a": "b"}),
        listed("x", "linux/arm64"),
    )
    found = narrowed(outer, AMD, MULTI)
    inner, own = found.made
    assert own is found.manifest
    assert names_of(inner) == [digest_of(b"amd")]
    assert own.document()["manifests"] == [
        nested(inner, data=base64.b64encode(inner.data).decode(), annotations={"a": "b"})
    ]
    assert (found.kept, found.dropped) == (AMD, ("linux/arm64/v8", "linux/s390x", "linux/arm64"))


def test_an_index_in_an_index_with_nothing_of_it_goes() -> None:
    foreign = index_of(listed("x", "linux/s390x"))
    found = narrowed(index_of(nested(foreign), listed("amd", "linux/amd64")), AMD, foreign)
    assert names_of(found.manifest) == [digest_of(b"amd")]
    assert found.dropped == ("linux/s390x",)


def test_an_index_in_an_index_of_which_all_is_kept_stays_itself() -> None:
    inner = index_of(listed("x", "linux/amd64"))
    found = narrowed(index_of(nested(inner), listed("arm", "linux/arm64")), AMD, inner)
    assert names_of(found.manifest) == [inner.digest]
    assert found.made == (found.manifest,)


def test_an_index_without_end_is_refused() -> None:
    deep = index_of(listed("x", "linux/amd64"))
    levels = [deep]
    for _ in range(4):
        levels.append(index_of(nested(levels[-1])))
    with pytest.raises(RegistryError, match="the image: the index is too deep"):
        narrowed(levels[-1], AMD, *levels)


@pytest.mark.parametrize("key", ["manifests", "Manifests"])
def test_what_says_its_list_twice_is_not_rewritten(key: str) -> None:
    """Go's decoder takes either case for it, and other readers another one of the two."""
    text = MULTI.data.decode().rstrip().removesuffix("}") + f', "{key}": []}}'
    data = text if key != "manifests" else MULTI.data.decode().replace("{", '{"manifests": [],', 1)
    with pytest.raises(RegistryError, match="twice"):
        narrowed(Manifest(OCI_INDEX, data.encode()))


PLATFORMS = ["", "linux/amd64", "linux/arm64", "linux/arm/v7", "windows/amd64"]


@given(
    st.lists(st.tuples(st.sampled_from(PLATFORMS), st.text(max_size=4)), max_size=6),
    st.sets(st.sampled_from(PLATFORMS[1:]), min_size=1),
    st.sampled_from([None, 1, "\t"]),
    st.booleans(),
)
def test_the_result_says_what_the_source_says_without_the_rest(
    children: list[tuple[str, str]], wanted: set[str], indent: Any, ascii_only: bool
) -> None:
    entries = [
        listed(f"{number}{text}", platform, note=text)
        for number, (platform, text) in enumerate(children)
    ]
    document = {"note": [{"manifests": [1]}], "manifests": entries, "schemaVersion": 2}
    text = json.dumps(document, indent=indent, ensure_ascii=ascii_only)
    index = Manifest(OCI_INDEX, text.encode("utf-8"))
    found = narrowed(index, sorted(wanted))
    there = {each for each, _ in children}
    kept = [
        entry
        for (platform, _), entry in zip(children, entries, strict=True)
        if not platform
        or platform in wanted
        or (platform == "linux/arm/v7" and "linux/arm64" in wanted - there)
    ]
    if kept or not children:
        assert found.manifest
        assert found.manifest.document() == document | {"manifests": kept}
    else:
        assert found.manifest is None


def test_what_nodes_look_at_is_what_is_kept() -> None:
    index = index_of(
        listed("amd", "linux/amd64"),
        listed("of amd", "unknown/unknown", about="amd"),
        listed("arm", "linux/arm64"),
        listed("of arm", "unknown/unknown", about="arm"),
    )
    assert [each.digest for each in kept_of(index.children, ARM)] == [
        digest_of(b"arm"),
        digest_of(b"of arm"),
    ]
    assert kept_of(index.children, ()) == index.children
    assert lacking_in(index.children, ("linux/arm64", "linux/s390x")) == ("linux/s390x",)
    assert lacking_in(index_of(listed("any")).children, ARM) == ()
