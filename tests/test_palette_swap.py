import json
import posixpath
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from planner.core.document import Spec
from planner.core.errors import InputError, UsageError
from planner.core.family import Because, ListedImage, Need, NodeFlags, Selection
from planner.core.reader import read
from planner.core.refs import parse_image
from planner.core.resolution import Resolution
from planner.specs.palette.needs import needs
from planner.specs.palette.nodes import render, resolve
from planner.specs.palette.swap import (
    SwapError,
    SwapMap,
    map_of_list,
    map_text,
    read_map,
    swapped,
)
from planner.specs.palette.swapmap import map_spec
from tests.support.conformance import Case, cases

EXAMPLES = Path(__file__).parents[1] / "examples/palette"
HUB = "docker.io::h.corp/p/docker.io"
WORDS = st.text("ab.:/-*[]#", max_size=8)
IMAGES = st.text("ab.:/-@", max_size=8)


def of_mode(mode: str) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("case", cases("palette_swap", lambda case: case["mode"] == mode))


def values(mirrors: str, *lines: str) -> Spec:
    head = ["config:", "  ociImageRegistry:", "    endpoint: h.corp", "    baseContentPath: p"]
    given = (f"    {line}" for line in lines)
    return read(
        "values.yaml", "\n".join([*head, f"    mirrorRegistries: {json.dumps(mirrors)}", *given])
    )


def secret(mirrors: str, **fields: str) -> Spec:
    given = {"DOMAIN": "h.corp", "BASE_PATH": "p", "MIRROR_REGISTRIES": mirrors} | fields
    head = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "registry-info"}}
    return read("secret.yaml", json.dumps(head | {"stringData": given}))


def a_map(text: str) -> Spec:
    return map_spec(Spec("maps.conf", text, ()))


def ask(spec: Spec, image: str) -> Resolution:
    return resolve(spec, image, NodeFlags())


def urls(spec: Spec, image: str) -> list[str]:
    return [each.url for each in ask(spec, image).attempts]


def needed(spec: Spec, *images: str, file: str = "images.txt") -> list[Need]:
    listed = tuple(
        ListedImage(parse_image(each), Because(file, number, 1, f"listed in {file}"))
        for number, each in enumerate(images, 1)
    )
    return list(needs(spec, Selection(images=listed)))


def targets(found: list[Need]) -> list[str]:
    return [str(each.target) for each in found]


def why(need: Need) -> list[str]:
    return [each.text for each in need.because]


def outcome(image: str, table: SwapMap) -> str | None:
    """The image as the webhook leaves it; None when the webhook fails."""
    try:
        return swapped(image, table)
    except SwapError:
        return None


def test_every_case_belongs_to_a_mode() -> None:
    """``legacy`` is left out: IMAGE_PREFIX is deprecated, no map is read there, and Palette has no setting for it."""
    modes = [case.values[0]["mode"] for case in cases("palette_swap")]  # type: ignore[index]
    counted = {mode: modes.count(mode) for mode in modes}
    assert counted == {"maps": 95, "palette-webhook": 35, "palette-containerd": 17, "legacy": 4}


@of_mode("maps")
def test_a_map_file_renames_as_the_webhook_does(case: Case) -> None:
    assert outcome(case["image"], read_map(case["map"])) == case["expected"]


@of_mode("palette-webhook")
def test_a_list_renames_as_the_webhook_does(case: Case) -> None:
    assert outcome(case["image"], map_of_list(case["map"])) == case["expected"]


@of_mode("palette-webhook")
def test_what_is_no_image_name_is_asked_nowhere(case: Case) -> None:
    spec = a_map(map_text(case["map"]))
    assert bool(ask(spec, case["image"]).attempts) == case["valid_ref"]


@of_mode("palette-containerd")
def test_a_node_asks_as_containerd_does(case: Case) -> None:
    assert urls(secret(case["map"]), case["image"]) == case["urls"]


@of_mode("palette-containerd")
def test_the_first_url_of_a_node_is_the_name_that_must_exist(case: Case) -> None:
    """But an API below a path, as Artifactory has it, is no place that planner can write to: it writes below /v2 of a host."""
    first = ask(secret(case["map"]), case["image"]).first
    is_below_a_path = "/artifactory/" in case["map"]
    assert first
    assert str(first.target) == str(None if is_below_a_path else case["expected"])


@given(st.lists(st.tuples(WORDS, st.sampled_from(["::", ":", ""]), WORDS), max_size=5), IMAGES)
def test_no_map_makes_anything_but_a_name_or_a_failure(
    lines: list[tuple[str, str, str]], image: str
) -> None:
    text = "".join(f"{''.join(line)}\n" for line in [("default", "::", ""), *lines])
    assert isinstance(outcome(image, read_map(text)), str | None)


@given(st.lists(st.tuples(WORDS, WORDS), max_size=5), IMAGES)
def test_without_a_default_no_registry_is_looked_at(
    pairs: list[tuple[str, str]], image: str
) -> None:
    text = "".join(f"{key}::{value}\n" for key, value in pairs if "[" not in key)
    assert outcome(image, read_map(text)) == image


@given(
    st.sampled_from(["quay.io", "r.corp:5000", "docker.io"]),
    st.from_regex(r"[a-z]{1,5}(/[a-z]{1,5})?", fullmatch=True),
)
def test_a_plain_entry_puts_its_value_in_the_place_of_the_registry(host: str, name: str) -> None:
    table = map_of_list(f"{host}::h.corp/p")
    assert swapped(f"{host}/{name}:1", table) == f"h.corp/p/{name}:1"


@pytest.mark.parametrize("value", [r"h.corp/\1", r"h.corp/\g<x>", r"h.corp/\q"])
def test_a_value_that_is_no_template_fails(value: str) -> None:
    assert outcome("quay.io/a:1", map_of_list(f"quay.io::{value}")) is None
    assert outcome("gcr.io/a:1", map_of_list(f"quay.io::{value}")) == "gcr.io/a:1"


def test_the_rendered_map_is_the_one_that_is_followed() -> None:
    mirrors = f"{HUB}, quay.io::h.corp/q,,"
    assert read_map(render(values(mirrors), NodeFlags())["imageswap/maps.conf"]) == map_of_list(
        mirrors
    )


def test_a_default_of_the_list_counts() -> None:
    assert map_text("default::h.corp").splitlines() == ["default::", "default::h.corp"]
    assert swapped("quay.io/a:1", map_of_list("default::h.corp")) == "h.corp/a:1"


def test_values_go_through_the_webhook_and_then_to_the_node() -> None:
    resolution = ask(values(HUB), "nginx")
    assert [tuple(each) for each in resolution.rewrites] == [
        ("imageswap", "h.corp/p/docker.io/nginx")
    ]
    assert [each.url for each in resolution.attempts] == [
        "https://h.corp/v2/p/docker.io/nginx/manifests/latest"
    ]


def test_the_secret_feeds_the_node_alone() -> None:
    resolution = ask(secret("docker.io::h.corp/v2/p"), "nginx")
    assert not resolution.rewrites
    assert resolution.first
    assert str(resolution.first.target) == "h.corp/p/library/nginx:latest"


def test_a_cluster_that_holds_a_map_follows_it() -> None:
    spec = read("pack.yaml", "imageSwap:\n  imageChange: |\n    default::\n    quay.io::h.corp/q\n")
    assert urls(spec, "quay.io/a/b:1") == ["https://h.corp/v2/q/a/b/manifests/1"]
    assert targets(needed(spec, "quay.io/a/b:1")) == ["h.corp/q/a/b:1"]


def test_a_target_of_the_webhook_that_has_a_mirror_is_looked_for_there() -> None:
    spec = values("docker.io::ghcr.io/mirror,ghcr.io::h.corp/v2/g")
    assert urls(spec, "nginx:1") == [
        "https://h.corp/v2/g/mirror/nginx/manifests/1?ns=ghcr.io",
        "https://ghcr.io/v2/mirror/nginx/manifests/1",
    ]


@pytest.mark.parametrize(
    ("endpoint", "expected"),
    [
        ("localhost/v2/m", "http://localhost/v2/m/a/b/manifests/1?ns=quay.io"),
        ("127.0.0.1:443", "http://127.0.0.1:443/v2/a/b/manifests/1?ns=quay.io"),
        ("h.corp/", "https://h.corp/a/b/manifests/1?ns=quay.io"),
        ("https://u:p@h.corp/v2/m", "https://h.corp/v2/m/a/b/manifests/1?ns=quay.io"),
    ],
)
def test_an_endpoint_gets_the_scheme_and_the_path_that_containerd_gives_it(
    endpoint: str, expected: str
) -> None:
    assert urls(secret(f"quay.io::{endpoint}"), "quay.io/a/b:1")[0] == expected


def test_an_endpoint_that_is_no_url_ends_the_search() -> None:
    assert not urls(secret("quay.io::h.corp:port/x"), "quay.io/a/b:1")


@pytest.mark.parametrize("mirrors", ["quay.io::h/1,quay.io::h/2", 'quay.io::h/"'])
def test_a_list_that_breaks_the_configuration_is_an_error_and_still_shown(mirrors: str) -> None:
    spec = secret(mirrors)
    with pytest.raises(InputError, match="MIRROR_REGISTRIES makes a config"):
        ask(spec, "quay.io/a/b:1")
    with pytest.raises(InputError, match=r"^secret\.yaml: "):
        needed(spec, "quay.io/a/b:1")
    assert '"quay.io"]' in render(spec, NodeFlags())["containerd/config.toml"]


def test_credentials_and_trust_hold_for_the_host_of_the_registry_alone() -> None:
    spec = secret(
        "quay.io::h.corp/v2/q,gcr.io::other.corp", USERNAME="u", PASSWORD="p", INSECURE="true"
    )
    found = [ask(spec, image).attempts[0] for image in ("quay.io/a:1", "gcr.io/a:1")]
    assert [(each.auth, each.skip_verify) for each in found] == [(True, True), (False, False)]
    assert ask(spec, "h.corp/a/b:1").attempts[0].skip_verify


def test_the_configuration_is_written_as_the_documentation_shows_it() -> None:
    spec = secret(
        f"{HUB},quay.io::h.corp/v2/q,ghcr.io::h.corp",
        USERNAME="me",
        PASSWORD="hidden",
        INSECURE="true",
    )
    assert render(spec, NodeFlags()) == {
        "containerd/config.toml": """version = 2

[plugins."io.containerd.grpc.v1.cri".registry.mirrors."docker.io"]
  endpoint = ["h.corp/p/docker.io"]
  # no registry answers there, but at: endpoint = ["h.corp/v2/p/docker.io"]

[plugins."io.containerd.grpc.v1.cri".registry.mirrors."quay.io"]
  endpoint = ["h.corp/v2/q"]

[plugins."io.containerd.grpc.v1.cri".registry.mirrors."ghcr.io"]
  endpoint = ["h.corp"]

# [plugins."io.containerd.grpc.v1.cri".registry.configs."h.corp".auth]: USERNAME and PASSWORD

[plugins."io.containerd.grpc.v1.cri".registry.configs."h.corp".tls]
  insecure_skip_verify = true
"""
    }


def test_the_working_form_in_the_comment_works() -> None:
    text = render(secret("docker.io::http://h.corp//p/"), NodeFlags())["containerd/config.toml"]
    working = re.findall(r'# .*\["(.*)"\]', text)
    assert working == ["http://h.corp/v2/p"]
    assert [str(ask(secret(f"docker.io::{each}"), "a/b:1").first.target) for each in working] == [  # type: ignore[union-attr]
        "h.corp/p/a/b:1"
    ]


def test_an_official_image_is_needed_under_the_names_of_both_spellings() -> None:
    assert targets(needed(values(HUB), "nginx:1")) == [
        "h.corp/p/docker.io/library/nginx:1",
        "h.corp/p/docker.io/nginx:1",
    ]


def test_a_name_that_both_consumers_ask_for_is_one_need_with_both_reasons() -> None:
    (need,) = needed(values("quay.io::h.corp"), "quay.io/a/b:1")
    assert str(need.target) == "h.corp/a/b:1"
    assert why(need) == [
        "listed in images.txt",
        "renamed by the image-swap webhook in a pod",
        "asked for by the nodes' containerd, which no webhook changes",
    ]


def test_consumers_that_ask_for_two_names_make_two_needs() -> None:
    found = needed(values("quay.io::h.corp/v2/p"), "quay.io/a/b:1")
    assert {str(each.target): why(each)[1][:7] for each in found} == {
        "h.corp/v2/p/a/b:1": "renamed",
        "h.corp/p/a/b:1": "asked f",
    }


def test_no_need_is_given_twice() -> None:
    mirrors = "docker.io::h.corp,quay.io::h.corp/q,[EXACT]nginx:1::h.corp/x:2"
    found = needed(values(mirrors), "nginx:1", "nginx:1", "quay.io/a/b:1", "gcr.io/a:1")
    pairs = [(each.source, each.target) for each in found]
    assert len(pairs) == len(set(pairs))
    assert {str(source) for source, _ in pairs} == {
        "docker.io/library/nginx:1",
        "quay.io/a/b:1",
        "gcr.io/a:1",
    }


@pytest.mark.parametrize(
    ("spec", "reason"),
    [
        pytest.param(values("gcr.io::h.corp"), "left as it is by the image-swap webhook", id="unmapped"),
        pytest.param(values("quay.io::h//q"), "makes it h//q/a/b:1, which no node can pull", id="no-name"),
        pytest.param(secret("quay.io::h.corp/p"), "at https://h.corp/p/a/b/manifests/1?ns=quay.io, which", id="no-api"),
        pytest.param(secret("quay.io::h.corp/api/v2"), "which is not below /v2 of a host", id="api-below-a-path"),
        pytest.param(a_map("default::\nquay.io/library::x\n"), "fails on it: the pod is refused", id="failure"),
        pytest.param(read("cm.yaml", "image: {webhookImage: gcr.io/w:1}"), "nothing in this file", id="nothing"),
    ],
)  # fmt: skip
def test_an_image_that_is_redirected_nowhere_stays_and_says_why(spec: Spec, reason: str) -> None:
    need = needed(spec, "quay.io/a/b:1")[0]
    assert (str(need.source), need.target) == ("quay.io/a/b:1", None)
    assert reason in why(need)[1]


@pytest.mark.parametrize(
    ("address", "mirrors", "source"),
    [
        pytest.param("h.corp/p/us-docker.pkg.dev/x/y:1", "", "us-docker.pkg.dev/x/y:1", id="documented"),
        pytest.param("h.corp/p/us-docker.pkg.dev/x/y:1", "gcr.io::h.corp/p", "us-docker.pkg.dev/x/y:1", id="not-by-the-list"),
        pytest.param("h.corp/p/docker.io/nginx:1", "", "docker.io/library/nginx:1", id="official"),
        pytest.param("h.corp/p/r.vendor.example/y:1", "", "r.vendor.example/y:1", id="any-host-below-the-base"),
        pytest.param("h.corp/other/quay.io/y@sha256:" + "a" * 64, "", "quay.io/y@sha256:" + "a" * 64, id="beside-the-base"),
        pytest.param("h.corp/g/x/y:1", "gcr.io::h.corp/g", "gcr.io/x/y:1", id="by-the-list"),
        pytest.param("quay.io/x/y:1", "", "quay.io/x/y:1", id="public"),
        pytest.param("h.corp/p/my-copy/y:1", "", None, id="unknown"),
        pytest.param("h.corp/g/x/y:1", "gcr.io::h.corp/g,k8s.gcr.io::h.corp/g", None, id="ambiguous"),
        pytest.param("h2.corp/my.project/y:1", "", None, id="dotted-project"),
    ],
)  # fmt: skip
def test_a_pinned_image_has_its_public_name_for_a_source(
    address: str, mirrors: str, source: str | None
) -> None:
    text = "\n".join(
        (values(mirrors).text, f"  imageSwapImages: {{imageSwapImage: {json.dumps(address)}}}")
    )
    (need,) = (each for each in needed(read("v.yaml", text), "x/z:1") if "named by" in why(each)[0])
    assert str(need.source) == (source or address)
    assert str(need.target) == str(None if address in (source, str(need.source)) else address)
    assert ("planner cannot copy it" in why(need)[0]) == (source is None)


def test_an_image_that_is_listed_and_pinned_is_one_need() -> None:
    text = values("quay.io::h.corp/p/quay.io").text
    spec = read("v.yaml", f"{text}\nimage: {{webhookImage: h.corp/p/quay.io/a/b:1}}\n")
    (need,) = needed(spec, "quay.io/a/b:1")
    assert why(need)[-1] == "named by webhookImage"


def test_the_values_of_cert_manager_need_no_list() -> None:
    spec = read("cm.yaml", "image: {amceResolverImage: h.corp/p/quay.io/a/b:1}")
    assert [(str(each.source), str(each.target)) for each in needed(spec)] == [
        ("quay.io/a/b:1", "h.corp/p/quay.io/a/b:1")
    ]


def test_a_pin_that_is_no_image_is_not_left_out() -> None:
    spec = read("cm.yaml", "image:\n  webhookImage: h.corp/<PLACE_HOLDER>/a:1")
    with pytest.raises(InputError, match=r"cm\.yaml:2: webhookImage: "):
        needed(spec)


@pytest.mark.parametrize("spec", [values(HUB), secret(HUB), a_map("default::")])
def test_without_a_list_nothing_is_known(spec: Spec) -> None:
    with pytest.raises(UsageError, match="does not say which images") as error:
        needed(spec)
    assert "--images" in error.value.hint


def test_packs_are_refused_instead_of_looked_for_on_docker_hub() -> None:
    with pytest.raises(UsageError, match=r"support/packs\.txt: these are packs"):
        needed(values(HUB), "cni-calico:3.25.1", file="support/packs.txt")


def planner(*arguments: str | Path) -> str:
    command = [sys.executable, "-m", "planner", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def answered(*arguments: str | Path) -> tuple[list[Any], list[str]]:
    document = json.loads(planner("resolve", *arguments, "--format", "json"))
    return [each["image"] for each in document["rewrites"]], [
        each["url"] for each in document["attempts"]
    ]


def test_resolve_answers_for_a_map_file(tmp_path: Path) -> None:
    path = tmp_path / "maps.conf"
    path.write_text("# ours\ndefault::\ngcr.io/library::x\ndocker.io::h.corp/p-  # note\n")
    kind = ("-c", path, "--kind", "imageswap-map")
    assert answered("nginx:1", *kind) == (
        ["h.corp/p-docker.io/nginx:1"],
        ["https://h.corp/v2/p-docker.io/nginx/manifests/1"],
    )
    assert answered("gcr.io/a:1", *kind) == ([None], [])


def test_resolve_answers_for_the_examples() -> None:
    base = "harbor.example.org/airgap-images/docker.io"
    assert answered("nginx:1", "-c", EXAMPLES / "values.yaml") == (
        [f"{base}/nginx:1"],
        [
            f"https://harbor.example.org/v2/{posixpath.relpath(base, 'harbor.example.org')}/nginx/manifests/1"
        ],
    )
    assert answered("nginx:1", "-c", EXAMPLES / "registry-secret.yaml") == (
        [],
        [
            "https://harbor.example.org/v2/airgap-images/docker.io/library/nginx/manifests/1?ns=docker.io",
            "https://registry-1.docker.io/v2/library/nginx/manifests/1",
        ],
    )


def test_every_image_of_the_example_has_a_place() -> None:
    listed = planner(
        "images", EXAMPLES / "values.yaml", "--images", EXAMPLES / "images.txt", "--format", "json"
    )
    images = json.loads(listed)["images"]
    assert len(images) > 10
    assert all(each["target"] for each in images)
