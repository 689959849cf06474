"""What registries hold: who lists the repositories, what cannot be read, and that nothing is pulled."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from planner.config import Config, RegistrySettings
from planner.core.content import OCI_MANIFEST, digest_of
from planner.core.errors import InputError, RegistryError
from planner.core.inventory import Holdings, from_json, to_json
from planner.core.text import printable
from planner.inventory import Named, named_by, take
from planner.prepare import quiet
from planner.stores.opening import Places, Stores
from planner.ui.cli import main
from tests.fakes import DropHeader, FakeRegistry, Fault, LinkLoop, Status
from tests.fakes.front import Front
from tests.fakes.harbor import FakeHarbor
from tests.fakes.messages import Call, Reply, make_reply
from tests.making import IMPATIENT, MIRROR, OTHER, UPSTREAM, login, make_need

DIGEST = f"sha256:{'d' * 64}"


@pytest.fixture
def fake() -> Iterator[FakeRegistry]:
    with FakeRegistry(page_size=2) as registry:
        yield registry


def stores_at(url: str, registry: str = MIRROR, product: str = "") -> Stores:
    settings = RegistrySettings(endpoint=url, product=product)
    return Stores(Places(Config(registries={registry: settings})), IMPATIENT)


def look(fake: FakeRegistry | Front, named: Named | None = None, *globs: str) -> Holdings:
    return take(MIRROR, stores_at(fake.url), named, globs, quiet)


def target(**references: str) -> Named:
    return Named({name: {tag} for name, tag in references.items()}, is_target=True)


def fill(fake: FakeRegistry, *names: str) -> dict[str, dict[str, str]]:
    """An image under each name; the result is what an inventory says of them."""
    found: dict[str, dict[str, str]] = {}
    for name in names:
        repository, _, tag = name.partition(":")
        found.setdefault(repository, {})[tag] = fake.add_image(repository, tag, [name.encode()])
    return found


def test_repositories_tags_and_digests_page_by_page_without_a_pull(fake: FakeRegistry) -> None:
    names = [f"team/app-{number}:v{tag}" for number in range(5) for tag in range(5)]
    held = fill(fake, *names)
    found = look(fake)
    assert found == Holdings("distribution", "catalog", complete=True, repositories=held)
    assert fake.count("GET", "/v2/_catalog") == 3
    assert fake.count("GET", "/tags/list") == 15
    assert fake.count("HEAD", "/manifests/") == 25
    assert fake.count("GET", "/manifests/") == 0
    assert fake.count("POST|PUT|PATCH|DELETE", "") == 0


@pytest.mark.parametrize(
    "link",
    [
        pytest.param('</v2/_catalog?n=1000&last={last}>; rel="next"', id="relative"),
        pytest.param('<{url}/v2/_catalog?n=1000&last={last}>; rel="next"', id="absolute"),
        pytest.param('</v2/_catalog?next_page=gAAAAB{last}>; rel="next"', id="opaque"),
        pytest.param("<_catalog?last={last}>; rel=next", id="relative to the page, unquoted"),
    ],
)
def test_links_of_every_kind_are_followed(link: str, fake: FakeRegistry) -> None:
    held = fill(fake, "a/one:1", "b/two:2", "c/three:3")
    pages = dict(zip(("", *held), held, strict=False))

    def plane(call: Call) -> Reply | None:
        if call.path != "/v2/_catalog":
            return None
        last = next((each for each in held if call.query.endswith(each)), "")
        body = json.dumps({"repositories": [pages[last]]}).encode()
        more = (
            {"Link": link.format(url=front.url, last=pages[last])}
            if pages[last] != "c/three"
            else {}
        )
        return make_reply(200, body, more)

    with Front(plane, fake.url) as front:
        assert look(front).repositories == held
        assert front.count("GET", "/v2/_catalog") == 3


def test_a_catalog_that_goes_in_circles_ends(fake: FakeRegistry) -> None:
    held = fill(fake, "team/app:v1")
    fake.faults.add(Fault("GET", "_catalog", LinkLoop(), every=True))
    assert look(fake).repositories == held


@pytest.mark.parametrize("status", [401, 403, 404, 405])
def test_without_a_catalog_the_specs_name_the_repositories(status: int, fake: FakeRegistry) -> None:
    held = fill(fake, "app:v1", "app:v2", "unknown:v1")
    fake.faults.add(Fault("GET", "_catalog", Status(status), every=True))
    found = look(fake, target(app="v1", absent="v9"))
    assert found.listed_by == "specs"
    assert not found.complete
    assert found.repositories == {"app": held["app"], "absent": {}}
    assert not found.errors


def test_an_empty_catalog_may_be_a_proxys(fake: FakeRegistry) -> None:
    held = fill(fake, "app:v1")
    with Front(_catalog([]), fake.url) as front:
        found = look(front, target(app="v1"))
    assert (found.listed_by, found.repositories) == ("specs", held)


def test_an_empty_registry_is_known_to_be_empty(fake: FakeRegistry) -> None:
    assert look(fake) == Holdings("distribution", "catalog", complete=True)


def test_a_wrong_password_is_no_empty_registry(fake: FakeRegistry, home: Path) -> None:
    """Harbor lists what a stranger may see, and says nothing of the password."""
    with Front(FakeHarbor({"me": "right"}), fake.url) as front:
        login(home / ".docker", front)
        with pytest.raises(RegistryError, match="401"):
            look(front)
        found = look(front, target(**{"team/app": "v1"}))
        assert (found.complete, list(found.errors)) == (False, ["team/app"])


def test_nobody_to_name_a_repository_is_an_error(fake: FakeRegistry) -> None:
    fake.faults.add(Fault("GET", "_catalog", Status(403), every=True))
    with pytest.raises(RegistryError, match="listing repositories"):
        look(fake)


def test_a_catalog_that_fails_is_not_taken_for_none(fake: FakeRegistry) -> None:
    fake.faults.add(Fault("GET", "_catalog", Status(500), every=True))
    with pytest.raises(RegistryError) as caught:
        look(fake, target(app="v1"))
    assert caught.value.status == 500


def test_what_a_catalog_hides_and_specs_name_is_found(fake: FakeRegistry) -> None:
    held = fill(fake, "shown:v1", "hidden:v1")
    with Front(_catalog(["shown"]), fake.url) as front:
        found = look(front, target(hidden="v1", absent="v1"))
    assert (found.listed_by, found.complete, found.repositories) == ("catalog", True, held)


def test_the_products_own_api_comes_first(fake: FakeRegistry) -> None:
    held = fill(fake, "apps/web:v1", "infra/dns:v2")

    def plane(call: Call) -> Reply | None:
        if not call.path.startswith("/api/v2.0/repositories"):
            return None
        return make_reply(200, json.dumps([{"name": each} for each in held]).encode())

    with Front(plane, fake.url) as front:
        found = take(MIRROR, stores_at(front.url, product="harbor"), None, (), quiet)
        assert front.count("GET", "_catalog") == 0
    assert found == Holdings("harbor", "api", complete=True, repositories=held)


def test_an_api_that_may_not_be_asked_leaves_the_catalog(fake: FakeRegistry) -> None:
    held = fill(fake, "apps/web:v1")
    with Front(_refusing("/api/"), fake.url) as front:
        found = take(MIRROR, stores_at(front.url, product="harbor"), None, (), quiet)
    assert (found.listed_by, found.repositories) == ("catalog", held)


def test_a_path_in_the_address_is_no_part_of_a_name(fake: FakeRegistry) -> None:
    fill(fake, "cache/team/app:v1", "elsewhere:v1")
    found = take(MIRROR, stores_at(f"{fake.url}/cache"), None, (), quiet)
    assert list(found.repositories) == ["team/app"]


def test_of_a_source_nothing_but_the_names_that_specs_need_is_asked(fake: FakeRegistry) -> None:
    held = fill(fake, "team/app:v1", "team/app:v2", "team/other:v1")
    needs = [make_need("docker.io/team/app:v1", f"{MIRROR}/app:v1")]
    needs += [make_need(f"docker.io/team/app@{held['team/app']['v2']}", f"{MIRROR}/b:v2")]
    needs += [make_need("docker.io/team/absent:v1", f"{MIRROR}/absent:v1")]
    named = named_by(needs)
    found = take(UPSTREAM, stores_at(fake.url, UPSTREAM), named[UPSTREAM], (), quiet)
    digest = held["team/app"]["v2"]
    assert found.repositories == {
        "team/absent": {},
        "team/app": {"v1": held["team/app"]["v1"], digest: digest},
    }
    assert (found.listed_by, found.complete) == ("names", False)
    assert fake.count("GET", "_catalog|tags/list|manifests") == 0
    assert named[MIRROR].is_target


def test_a_manifest_that_specs_name_by_digest_is_looked_for(fake: FakeRegistry) -> None:
    digest = fill(fake, "app:v1")["app"]["v1"]
    untagged = digest_of(b"{}")
    fake.add_manifest("app", untagged, b"{}", OCI_MANIFEST)
    named = Named({"app": {digest, untagged, DIGEST}}, is_target=True)
    held = look(fake, named).repositories["app"]
    assert held == {"v1": digest, digest: digest, untagged: untagged}


def test_a_repository_that_vanished_meanwhile_holds_nothing(fake: FakeRegistry) -> None:
    held = fill(fake, "gone:v1", "team/app:v1")
    fake.faults.add(Fault("GET", "/v2/gone/tags", Status(404), every=True))
    found = look(fake)
    assert found.repositories == {**held, "gone": {}}
    assert found.complete


def test_tags_that_are_null_are_none(fake: FakeRegistry) -> None:
    body = json.dumps({"name": "app", "tags": None}).encode()
    fill(fake, "app:v1")
    with Front(_answering("/v2/app/tags/list", make_reply(200, body)), fake.url) as front:
        assert look(front).repositories == {"app": {}}


def test_a_tag_that_vanished_meanwhile_is_left_out(fake: FakeRegistry) -> None:
    held = fill(fake, "app:v1", "app:v2")
    fake.faults.add(Fault("HEAD", "/manifests/v1", Status(404), every=True))
    found = look(fake)
    assert found.repositories == {"app": {"v2": held["app"]["v2"]}}
    assert found.complete


@pytest.mark.parametrize(
    ("method", "path", "remains"),
    [
        pytest.param("GET", "/v2/bad/tags", {"good": ["v1"]}, id="tags"),
        pytest.param("HEAD", "/v2/bad/manifests/v1", {"bad": ["v2"], "good": ["v1"]}, id="digest"),
    ],
)
@pytest.mark.parametrize("status", [403, 500])
def test_one_repository_that_cannot_be_read_does_not_end_it(
    method: str, path: str, remains: dict[str, list[str]], status: int, fake: FakeRegistry
) -> None:
    fill(fake, "bad:v1", "bad:v2", "good:v1")
    fake.faults.add(Fault(method, path, Status(status), every=True))
    found = look(fake)
    assert {name: list(tags) for name, tags in found.repositories.items()} == remains
    assert list(found.errors) == ["bad"]
    assert not found.complete


def test_a_registry_that_wants_no_more_questions_ends_it(fake: FakeRegistry) -> None:
    fill(fake, "app:v1", "app:v2")
    fake.faults.add(Fault("HEAD", "/manifests/", Status(429), every=True))
    with pytest.raises(RegistryError) as caught:
        look(fake)
    assert caught.value.status == 429


def test_a_digest_that_only_a_pull_would_tell_stays_unknown(fake: FakeRegistry) -> None:
    fill(fake, "app:v1")
    fake.faults.add(Fault("HEAD", "/manifests/", DropHeader("Docker-Content-Digest"), every=True))
    found = look(fake)
    assert found.repositories == {"app": {"v1": ""}}
    assert fake.count("GET", "/manifests/") == 0
    assert found.digest("app", "v1") is None


def test_globs_choose_repositories_and_leave_the_rest_unknown(fake: FakeRegistry) -> None:
    held = fill(fake, "team/a:v1", "team/b:v1", "other/c:v1")
    found = look(fake, None, "team/*")
    assert found.repositories == {name: held[name] for name in ("team/a", "team/b")}
    assert not found.complete
    assert fake.count("GET|HEAD", "other/c") == 0


def test_names_that_no_registry_can_hold_are_not_asked_for(fake: FakeRegistry) -> None:
    strange = ["../../api/secret", "Upper/Case", "\x1b[2Jclear", "a?x=1", "\u202ebidi"]
    with Front(_catalog([*strange, "team/app"]), fake.url) as front:
        fill(fake, "team/app:v1")
        found = look(front)
        asked = {each.path for each in front.requests}
    assert list(found.repositories) == ["team/app"]
    assert sorted(found.errors) == sorted(map(printable, strange))
    assert asked == {
        *("/v2/", "/v2/_catalog", "/v2/team/app/tags/list", "/v2/team/app/manifests/v1")
    }


@pytest.mark.parametrize(
    ("repository", "tag", "known"),
    [
        pytest.param("app", "v1", DIGEST, id="listed"),
        pytest.param("app", "v2", "", id="not in a repository that was read"),
        pytest.param("bad", "v1", DIGEST, id="listed in spite of an error"),
        pytest.param("bad", "v2", None, id="not in a repository with an error"),
        pytest.param("worse", "v1", None, id="repository with nothing but an error"),
        pytest.param("other", "v1", None, id="repository that is not listed"),
    ],
)
@pytest.mark.parametrize("listed_by", ["api", "catalog", "specs", "names"])
@pytest.mark.parametrize("complete", [True, False])
def test_what_is_not_known_is_never_absent(
    repository: str, tag: str, known: str | None, listed_by: str, complete: bool
) -> None:
    held = Holdings(
        "distribution",
        listed_by,  # type: ignore[arg-type]
        complete,
        {"app": {"v1": DIGEST}, "bad": {"v1": DIGEST}},
        {"bad": "refused", "worse": "refused"},
    )
    if known == "" and listed_by == "names":
        known = None
    if repository == "other" and complete:
        known = ""
    assert held.digest(repository, tag) == known


def test_a_saved_inventory_reads_back_as_it_was() -> None:
    held = Holdings("quay", "api", True, {"b/c": {"v2": DIGEST, "v1": ""}, "a": {}}, {"x": "é"})
    data = to_json({OTHER: held, MIRROR: replace(held, complete=False)})
    assert from_json(data, "i.json") == {OTHER: held, MIRROR: replace(held, complete=False)}
    assert data == to_json({MIRROR: replace(held, complete=False), OTHER: held})
    assert f'"b/c": {{"v1": "", "v2": "{DIGEST}"}}\n'.encode() in data


@pytest.mark.parametrize(
    ("data", "said"),
    [
        pytest.param(b"", "not an inventory", id="empty"),
        pytest.param(b"[]", "not an inventory", id="a list"),
        pytest.param(b'{"format": "planner.plan/1"}', "expected format", id="a plan"),
        pytest.param(b'{"format": "planner.inventory/2"}', "expected format", id="newer"),
        pytest.param(b'{"format": "planner.inventory/1"}', "damaged", id="no registries"),
        pytest.param(
            b'{"format": "planner.inventory/1", "registries": {"r": {"product": "", "complete": true,'
            b' "listed_by": "hearsay", "errors": {}, "repositories": {}}}}',
            "damaged",
            id="by nobody",
        ),
        pytest.param(
            b'{"format": "planner.inventory/1", "registries": {"r": {"product": "", "complete": true,'
            b' "listed_by": "api", "errors": {}, "repositories": {"a": {"v1": "sha256:12"}}}}}',
            "damaged",
            id="no digest",
        ),
        pytest.param(
            b'{"format": "planner.inventory/1", "registries": {"r": {"product": "", "complete": true,'
            b' "listed_by": "api", "errors": {}, "repositories": {"a": {"v1": null}}}}}',
            "damaged",
            id="null",
        ),
    ],
)
def test_files_that_are_no_inventory_are_refused(data: bytes, said: str) -> None:
    with pytest.raises(InputError, match=said):
        from_json(data, "i.json")


@pytest.fixture
def place(fake: FakeRegistry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cluster that is filled from one registry into another, which is ``fake``."""
    monkeypatch.chdir(tmp_path)
    Path("r.yaml").write_text(f"mirrors: {{docker.io: {{endpoint: ['{fake.url}']}}}}\n")
    Path("images.txt").write_text("docker.io/team/app:v1\n")
    cluster = "{name: edge, spec: r.yaml, images: [images.txt]}"
    Path("planner.yaml").write_text(f"version: 1\nclusters: [{cluster}]\n")
    return tmp_path


def test_the_command_lists_the_registries_of_the_clusters(
    place: Path, fake: FakeRegistry, capsys: pytest.CaptureFixture[str]
) -> None:
    held = fill(fake, "team/app:v1", f"team/app:{'long-' * 20}", "b:latest")
    assert main(["inventory", "-o", "one.json"]) == 0
    assert f"{fake.host}\n3 tags in 2 repositories by its catalog" in capsys.readouterr().out
    assert main(["inventory", "--format", "json"]) == 0
    printed = capsys.readouterr().out
    assert printed == (place / "one.json").read_text("utf-8")
    assert from_json(printed.encode(), "-")[fake.host].repositories == held
    assert main(["inventory"]) == 0
    text = capsys.readouterr().out
    assert f"\nb\n  latest  {held['b']['latest'][:19]}\n\nteam/app\n" in text
    assert all(len(line) <= 80 for line in text.splitlines() if "long-" not in line)


def test_the_command_says_what_it_could_not_read(
    place: Path, fake: FakeRegistry, capsys: pytest.CaptureFixture[str]
) -> None:
    fill(fake, "team/app:v1", "secret:v1")
    fake.faults.add(Fault("GET", "/v2/secret/tags", Status(403), every=True))
    assert main(["inventory", "-o", "one.json"]) == 1
    text = capsys.readouterr().out
    assert "Not known, or not all of it: 1 repository\n  ! secret\n" in text
    assert not from_json(Path("one.json").read_bytes(), "-")[fake.host].complete


def test_names_from_a_registry_do_not_steer_the_terminal(
    place: Path, fake: FakeRegistry, capsys: pytest.CaptureFixture[str]
) -> None:
    tags = make_reply(200, json.dumps({"tags": ["v1\x1b]0;title\x07", "v1"]}).encode())
    fill(fake, "team/app:v1")

    def plane(call: Call) -> Reply | None:
        listed = _catalog(["team/app", "\x1b[2J\u202e"])(call)
        return tags if call.path == "/v2/team/app/tags/list" else listed

    with Front(plane, fake.url) as front:
        assert main(["inventory", front.host]) == 1
        text = capsys.readouterr().out
        assert main(["inventory", front.host, "--format", "json"]) == 1
    assert "\\x1b[2J\\u202e" in text
    assert not set("\x1b\x07\u202e") & set(text)
    assert not set("\x1b\x07\u202e") & set(capsys.readouterr().out)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        pytest.param([], "no registry to look at", id="nothing named"),
        pytest.param(["https://registry.corp"], "registry.corp", id="a URL"),
        pytest.param(["registry.corp/team"], "registry.corp/team", id="a path"),
    ],
)
def test_what_cannot_be_looked_at_is_a_usage_error(
    words: list[str],
    said: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["inventory", *words]) == 64
    assert said in capsys.readouterr().err


def test_a_registry_without_specs_is_listed(
    fake: FakeRegistry,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    fill(fake, "team/app:v1")
    assert main(["inventory", fake.host]) == 0
    assert "team/app" in capsys.readouterr().out


def _catalog(names: list[str]) -> Callable[[Call], Reply | None]:
    reply = make_reply(200, json.dumps({"repositories": names}).encode())
    return _answering("/v2/_catalog", reply)


def _answering(path: str, reply: Reply) -> Callable[[Call], Reply | None]:
    return lambda call: reply if call.path == path else None


def _refusing(path: str) -> Callable[[Call], Reply | None]:
    return lambda call: make_reply(403, b"{}") if call.path.startswith(path) else None
