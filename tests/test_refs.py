"""Image references. Source of the table: distribution/reference reference_test.go and normalize_test.go."""

from __future__ import annotations

import pytest

from planner.core.errors import InputError
from planner.core.refs import (
    ImageRef,
    is_digest,
    is_tag,
    looks_like_registry,
    name_problem,
    parse_image,
)

_DIGEST = "sha256:" + "0123456789abcdef" * 4
_LONG = "sha512:" + "0123456789abcdef" * 8


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        pytest.param("nginx", "docker.io/library/nginx:latest", id="short"),
        pytest.param("nginx:1", "docker.io/library/nginx:1", id="tag"),
        pytest.param("rancher/pause:3.6", "docker.io/rancher/pause:3.6", id="namespace"),
        pytest.param("docker.io/nginx", "docker.io/library/nginx:latest", id="docker-hub"),
        pytest.param("index.docker.io/a/b", "docker.io/a/b:latest", id="index"),
        pytest.param("localhost/a", "localhost/a:latest", id="localhost"),
        pytest.param("local/a", "docker.io/local/a:latest", id="no-host"),
        pytest.param("r.lan:5000/a", "r.lan:5000/a:latest", id="port"),
        pytest.param("host:5000/a:1", "host:5000/a:1", id="port-without-dot"),
        pytest.param("R.lan/a", "R.lan/a:latest", id="upper-case-host"),
        pytest.param("Host/a", "Host/a:latest", id="upper-case-makes-a-host"),
        pytest.param("[fd00::1]:5000/a/b:1", "[fd00::1]:5000/a/b:1", id="ipv6"),
        pytest.param("[::1]/a", "[::1]/a:latest", id="ipv6-without-port"),
        pytest.param("a/b/c/d:x", "docker.io/a/b/c/d:x", id="deep"),
        pytest.param("a__b/c--d.e_f:1", "docker.io/a__b/c--d.e_f:1", id="separators"),
        pytest.param(f"nginx@{_DIGEST}", f"docker.io/library/nginx@{_DIGEST}", id="digest"),
        pytest.param(f"q.io/a:1@{_DIGEST}", f"q.io/a:1@{_DIGEST}", id="tag-and-digest"),
        pytest.param(f"q.io/a@{_LONG}", f"q.io/a@{_LONG}", id="sha512"),
        pytest.param("test:5000", "docker.io/library/test:5000", id="a-number-may-be-a-tag"),
        pytest.param("a:" + "x" * 128, "docker.io/library/a:" + "x" * 128, id="longest-tag"),
    ],
)
def test_a_reference_becomes_canonical(text: str, canonical: str) -> None:
    assert str(parse_image(text)) == canonical


@pytest.mark.parametrize(
    ("text", "part"),
    [
        pytest.param("", "is not a repository name", id="empty"),
        pytest.param("q.io/", "is not a repository name", id="no-repository"),
        pytest.param("q.io//a", "is not a repository name", id="double-slash"),
        pytest.param("q.io/a/", "is not a repository name", id="slash-at-the-end"),
        pytest.param("/a", "is not a repository name", id="slash-in-front"),
        pytest.param("q.io/Team/a", "has upper-case letters", id="upper-case"),
        pytest.param("Nginx", "has upper-case letters", id="upper-case-short"),
        pytest.param("q.io/-a", "is not a repository name", id="separator-in-front"),
        pytest.param("q.io/a..b", "is not a repository name", id="two-dots"),
        pytest.param("q.io/a___b", "is not a repository name", id="three-underscores"),
        pytest.param("q.io/a:", "is not a tag", id="empty-tag"),
        pytest.param("q.io/a:-1", "is not a tag", id="tag-begins-with-dash"),
        pytest.param("q.io/a:1:2", "is not a tag", id="two-tags"),
        pytest.param("q.io/a:" + "x" * 129, "is not a tag", id="long-tag"),
        pytest.param("q.io/a@sha256:12", "is not a digest", id="short-digest"),
        pytest.param("q.io/a@", "is not a digest", id="empty-digest"),
        pytest.param(f"q.io/a@{_DIGEST.upper()}", "is not a digest", id="upper-case-digest"),
        pytest.param("q_x.io/a", "is not a registry host", id="underscore-in-host"),
        pytest.param("q.io:x/a", "is not a registry host", id="port-is-no-number"),
        pytest.param("-q.io/a", "is not a registry host", id="dash-in-front-of-host"),
        pytest.param("https://q.io/a", "is not a re", id="url"),
        pytest.param("q.io/a b", "is not a repository name", id="blank"),
        pytest.param("q.io/a\n", "is not a repository name", id="line-end"),
        pytest.param("q.io/a:1\n", "is not a tag", id="line-end-in-tag"),
        pytest.param("q.io/" + "a" * 251, "over 255", id="too-long"),
    ],
)
def test_what_is_no_reference_is_refused_with_its_reason(text: str, part: str) -> None:
    with pytest.raises(InputError) as caught:
        parse_image(text)
    assert part in str(caught.value)
    assert caught.value.hint


def test_the_longest_name_is_accepted() -> None:
    assert parse_image("q.io/" + "a" * 250).repository == "a" * 250


def test_the_digest_counts_more_than_the_tag() -> None:
    image = parse_image(f"q.io/a:1@{_DIGEST}")
    assert image.reference == _DIGEST
    assert image.name == "q.io/a"


def test_moving_keeps_tag_and_digest() -> None:
    moved = parse_image(f"nginx:1@{_DIGEST}").moved_to("r.lan:5000", "hub/nginx")
    assert moved == ImageRef("r.lan:5000", "hub/nginx", "1", _DIGEST)


@pytest.mark.parametrize("text", ["a/b:1", f"q.io/a@{_DIGEST}", "[::1]:5000/a:1"])
def test_the_canonical_form_is_read_as_itself(text: str) -> None:
    image = parse_image(text)
    assert parse_image(str(image)) == image


@pytest.mark.parametrize(
    ("component", "is_host"),
    [("a.b", True), ("a:1", True), ("localhost", True), ("Host", True), ("rancher", False)],
)
def test_a_component_looks_like_a_registry(component: str, is_host: bool) -> None:
    assert looks_like_registry(component) is is_host


@pytest.mark.parametrize(
    ("registry", "repository", "is_good"),
    [
        pytest.param("q.io", "a/b", True, id="good"),
        pytest.param("q.io/x", "a", False, id="path-in-registry"),
        pytest.param("", "a", False, id="no-registry"),
        pytest.param("q.io", "", False, id="no-repository"),
    ],
)
def test_a_name_may_be_impossible(registry: str, repository: str, is_good: bool) -> None:
    assert (name_problem(registry, repository) == "") is is_good


def test_digests_and_tags_are_told_apart() -> None:
    assert is_digest(_DIGEST)
    assert not is_digest(_DIGEST[:-1])
    assert is_tag("v1.2-rc_3")
    assert not is_tag(_DIGEST)
