"""Faults that need more than a script: logins, lists, another host, a disk that is full, a registry that takes no writes."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest

from planner.ui.cli import main
from tests.fakes import (
    Action,
    ChangeCall,
    ChangeReply,
    Fault,
    OtherHost,
    RedirectTo,
    Status,
)
from tests.fakes.messages import Call, Reply, make_reply
from tests.real.conftest import MakeRegistry
from tests.real.faulty import (
    APP,
    EXTRA,
    IMAGES,
    TOOL,
    Site,
    base,
    filled,
    site,
    store_at,
    waits,
)
from tests.support.registry_server import RegistryServer
from tests.support.token_server import TokenServer

__all__ = ["base", "filled", "site", "waits"]

APPLY = ("apply", "--auto-approve")
RESUME = ("apply", "--resume")
Output = pytest.CaptureFixture[str]


def always(method: str, path: str, action: Action) -> Fault:
    return Fault(method, path, action, every=True)


# Who we are.


@pytest.fixture
def guarded(
    site: Site, tmp_path: Path, make_registry: MakeRegistry, token_server: TokenServer, home: Path
) -> Iterator[Site]:
    """A target that lets in who has a token, and this user has a password for."""
    mirror = make_registry(token=token_server.auth)
    beside = tmp_path / "witness"
    beside.mkdir()
    (beside / "data").symlink_to(mirror.data)
    with RegistryServer(beside) as witness:
        guarded = Site(tmp_path, site.upstream, mirror, witness)
        with guarded.source, guarded.target:
            guarded.describe()
            log_in(home, guarded.target.host)
            yield guarded


def log_in(home: Path, host: str) -> None:
    (home / ".docker").mkdir()
    entry = {"auth": base64.b64encode(b"user:secret").decode()}
    (home / ".docker/config.json").write_text(json.dumps({"auths": {host: entry}}))


def nobody(call: Call) -> Call:
    """As if the token had expired: the registry itself refuses it."""
    headers = type(call.headers)()
    for name, value in call.headers.items():
        if name.lower() != "authorization":
            headers[name] = value
    return replace(call, headers=headers)


@pytest.mark.parametrize(
    ("method", "path", "nth"),
    [
        ("PATCH", "/uploads/", 2),
        ("PUT", "/uploads/", 3),
        ("POST", "/uploads/", 2),
        ("PUT", "/manifests/", 2),
        ("HEAD", "/manifests/", 4),
    ],
)
def test_a_token_that_expires_in_the_middle_is_replaced(
    guarded: Site, method: str, path: str, nth: int
) -> None:
    guarded.target.faults.add(Fault(method, path, ChangeCall(nobody), nth))
    assert main([*APPLY]) == 0
    assert guarded.target.faults.unused() == ()
    assert any(each.status == 401 and each.method == method for each in guarded.target.requests)
    guarded.assert_complete()


def test_a_right_that_is_missing_costs_what_needs_it(guarded: Site, capsys: Output) -> None:
    challenge = 'Bearer realm="{}",service="s",scope="repository:kit/extra:pull,push",error="insufficient_scope"'
    refusal = {"WWW-Authenticate": challenge.format(f"{guarded.target.url}/token")}
    body = b'{"errors": [{"code": "DENIED", "message": "insufficient scope"}]}'
    guarded.target.faults.add(
        always("POST|PUT", "/kit/extra/", Status(401, body, refusal)),
        always("GET", "^/token", Status(200, b'{"token": "no more than before"}')),
    )
    assert main([*APPLY]) == 1
    said = capsys.readouterr().err
    assert f"failed: {guarded.target.host}/kit/extra:1" in said
    assert "401 DENIED: insufficient scope" in said
    assert "team/" not in "".join(line for line in said.splitlines() if "failed" in line)
    guarded.assert_has(APP, TOOL)
    guarded.target.faults.clear()
    assert main([*RESUME]) == 0
    guarded.assert_complete()


def test_credentials_do_not_follow_to_where_blobs_are_kept(
    tmp_path: Path, site: Site, base: str, home: Path
) -> None:
    """A source that wants a password, and sends who reads a blob to another host."""
    beside = tmp_path / "guarded"
    beside.mkdir()
    (beside / "data").symlink_to(site.upstream.data)
    data = site.upstream.data / f"docker/registry/v2/blobs/sha256/{base[7:9]}/{base[7:]}/data"
    with ExitStack() as stack:
        upstream = stack.enter_context(RegistryServer(beside, htpasswd=("user", "secret")))
        store = stack.enter_context(OtherHost(data.read_bytes()))
        guarded = Site(tmp_path, upstream, site.mirror, original=site.upstream)
        stack.enter_context(guarded.source)
        stack.enter_context(guarded.target)
        guarded.describe()
        log_in(home, guarded.source.host)
        guarded.source.faults.add(
            always("GET", f"/blobs/{base}", RedirectTo(f"{store.url}/signed?x=1"))
        )
        assert main([*APPLY]) == 0
        assert guarded.source.faults.unused() == ()
        assert store.requests
        assert all("authorization" not in each.headers for each in store.requests)
        guarded.assert_complete()


# Lists.


def by_one(form: str) -> ChangeReply:
    """A list in pages of one tag, which distribution 2.8 does not make, with links to the next one."""

    def change(call: Call, reply: Reply) -> Reply:
        tags = sorted(json.loads(reply.body)["tags"])
        last = call.param("token") or call.param("last") or ""
        page, *more = [each for each in tags if each > last]
        place = form.format(host=call.headers["Host"], path=call.path, last=page)
        link = {"Link": f'<{place}>; rel="next"'} if more else {}
        return make_reply(200, json.dumps({"tags": [page]}).encode(), link)

    return ChangeReply(change)


LINKS = {
    "relative": "{path}?n=1&last={last}",
    "absolute": "http://{host}{path}?n=1&last={last}",
    "opaque": "?token={last}",
}


@pytest.mark.parametrize("form", LINKS)
def test_lists_are_read_to_their_end_however_their_pages_are_linked(site: Site, form: str) -> None:
    """What nobody needs goes only from a list that was read whole."""
    assert main([*APPLY]) == 0
    store = store_at(site.mirror.url)
    manifest = store.manifest(EXTRA.repository, EXTRA.tag)
    for number in range(4):
        store.write_manifest(EXTRA.repository, f"old{number}", manifest)
    before = site.target.count("GET", "/kit/extra/tags/list")
    site.target.faults.add(always("GET", "/tags/list", by_one(LINKS[form])))
    assert main(["plan", "--prune", "-o", "plan.json"]) == 0
    assert site.target.count("GET", "/kit/extra/tags/list") == before + 5
    changes = json.loads(Path("plan.json").read_bytes())["changes"]
    gone = {each["target"].rpartition(":")[2] for each in changes if each["op"] == "delete"}
    assert gone == {f"old{number}" for number in range(4)}


def test_a_repository_whose_last_tag_is_gone_lists_nothing(site: Site) -> None:
    assert main([*APPLY]) == 0
    null = Status(200, b'{"name": "kit/extra", "tags": null}')
    site.target.faults.add(always("GET", "/kit/extra/tags/list", null))
    assert main(["plan", "--prune"]) == 0
    assert site.target.faults.unused() == ()


def test_a_registry_without_referrers_may_say_so_in_plain_words(site: Site) -> None:
    plain = Status(404, b"404 page not found\n", {"Content-Type": "text/plain; charset=utf-8"})
    site.source.faults.add(always("GET", "/referrers/", plain))
    assert main(["plan", "--referrers", "-o", "plan.json"]) == 0
    assert main(["apply", "plan.json"]) == 0
    assert site.source.faults.unused() == ()
    site.assert_complete()


# Registries that take nothing more.


def test_a_registry_that_is_read_only_is_said_for_each_image(
    site: Site, make_registry: MakeRegistry, capsys: Output
) -> None:
    """Distribution answers 405 in plain text."""
    closed = make_registry(read_only=True)
    site.target.lead_to(closed.url)
    assert main([*APPLY]) == 1
    assert_all_failed(site, capsys.readouterr().err, "405: Method not allowed", "it is read-only")
    assert closed.blob_digests_on_disk() == frozenset()
    site.target.lead_to(site.mirror.url)
    assert main([*RESUME]) == 0
    site.assert_complete()


def test_a_registry_in_maintenance_is_waited_for_and_then_said(
    site: Site, capsys: Output, waits: list[float]
) -> None:
    site.target.faults.add(always("POST|PUT|PATCH", "/v2/.", Status(503, b"maintenance\n")))
    assert main([*APPLY]) == 1
    assert waits
    assert_all_failed(site, capsys.readouterr().err, "503: maintenance", "its own log says why")
    assert site.mirror.blob_digests_on_disk() == frozenset()
    site.target.faults.clear()
    assert main([*RESUME]) == 0
    site.assert_complete()


def assert_all_failed(site: Site, said: str, *words: str) -> None:
    assert all(f"failed: {site.target.host}/{each.repository}:1" in said for each in IMAGES)
    assert all(each in said for each in words), said


def test_a_registry_whose_disk_is_full_keeps_what_it_has_and_takes_the_rest_later(
    tmp_path: Path, site: Site, make_registry: MakeRegistry, capsys: Output
) -> None:
    mirror = make_registry(room="1500k")
    full = Site(tmp_path, site.upstream, mirror)
    with full.source, full.target:
        full.describe()
        assert main([*APPLY, "--parallelism", "1"]) == 1
        said = capsys.readouterr().err
        assert f"failed: {full.target.host}/" in said
        assert ": 500 UNKNOWN" in said
        mirror.make_room("20m")
        assert main([*RESUME]) == 0, capsys.readouterr().err
        assert full.incomplete == []
        assert main(["verify", "--blobs"]) == 0, capsys.readouterr().out
