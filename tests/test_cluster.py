"""A plan carried out by other processes: real workers of dask, which get no secret and lose nothing when they die."""

from __future__ import annotations

import json
import os
import signal
from argparse import Namespace
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from distributed import Client, LocalCluster
from distributed.protocol.pickle import dumps

from planner import cluster, remote
from planner.config import Config, RegistrySettings
from planner.core.content import digest_of
from planner.core.errors import ClusterError, UsageError
from planner.core.events import BytesMoved, Event, Finished, ImageFailed, Progress
from planner.core.graph import build_graph
from planner.core.plan import Plan
from planner.own_folder import folder_of
from planner.stores.journal import Journal, Key, Session
from planner.stores.opening import Places
from planner.stores.tally import Counts, Tally
from planner.ui.cli import main
from planner.ui.copying import Copying
from planner.ui.executors import Crew, _dask, crew_for
from tests.fakes import Basic, FakeRegistry, Fault, StallAfter, Status
from tests.making import World, ending, login, make_world
from tests.support.process import free_port
from tests.test_metrics import read

MIB = 1024 * 1024
SECRET = "topsecret-password"
IMAGES = tuple(f"team/app{number}:v1" for number in range(4))
SHARED = os.urandom(2 * MIB)


@contextmanager
def local_cluster(workers: int) -> Iterator[LocalCluster]:
    with LocalCluster(
        n_workers=workers,
        threads_per_worker=4,
        host="127.0.0.1",
        dashboard_address=None,
        scheduler_kwargs={"dashboard_address": "127.0.0.1:0"},
        memory_limit=0,
    ) as started:
        yield started


@pytest.fixture(scope="module")
def scheduler() -> Iterator[str]:
    """The address of a scheduler with two workers, as somebody else may have started it."""
    with local_cluster(2) as started:
        yield started.scheduler_address


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with make_world(tmp_path) as world:
        for each in IMAGES:
            name, _, tag = each.partition(":")
            world.upstream.add_image(name, tag, [SHARED, name.encode() * 1000])
        yield world


def on(scheduler: str, rate: float = 0.0) -> Crew:
    return partial(_dask, scheduler, rate)


def run_on(scheduler: str, world: World, plan: Plan, rate: float = 0.0) -> list[Event]:
    return list(Copying(plan, plan.pending, world.stores(), crew=on(scheduler, rate)).events())


def at_workers(scheduler: str, function: Callable[..., Any], *arguments: Any) -> dict[str, Any]:
    with Client(scheduler, set_as_default=False) as client:
        answers: dict[str, Any] = client.run(function, *arguments)
        return answers


def busy(scheduler: str) -> set[str]:
    """The workers that do something now."""
    with Client(scheduler, set_as_default=False) as client:
        return {worker for worker, steps in client.processing().items() if steps}


def call_itself(version: str) -> None:
    remote.__version__ = version  # type: ignore[attr-defined]


def test_all_images_arrive_and_each_blob_once(scheduler: str, world: World) -> None:
    plan, stores = world.plan(*IMAGES), world.stores()
    progress = Progress()
    for event in Copying(plan, plan.pending, stores, crew=on(scheduler)).events():
        progress = progress.after(event)
    assert progress.end
    assert (progress.end.done, progress.end.failed, progress.end.cancelled) == (4, 0, 0)
    assert progress.moved == progress.bytes == plan.bytes_to_send(plan.pending)
    assert (progress.mounted, progress.steps_done) == (3, progress.steps)
    assert world.upstream.count("GET", "/blobs/") == 1 + 2 * len(IMAGES)
    assert not world.plan(*IMAGES).pending
    counts = {host.name: host.counts for host in stores.traffic.hosts}
    assert counts[world.mirror.host].requests["PUT", 2] == world.mirror.count("PUT", "")
    assert counts[world.upstream.host].read == progress.moved


def test_a_failure_comes_back_with_its_hint_and_the_others_go_on(
    scheduler: str, world: World
) -> None:
    body = json.dumps({"errors": [{"code": "DENIED", "message": "not you"}]}).encode()
    world.mirror.faults.add(Fault("PUT", "app2/manifests", Status(403, body), every=True))
    events = run_on(scheduler, world, world.plan(*IMAGES))
    (failed,) = (each for each in events if isinstance(each, ImageFailed))
    assert failed.image == "registry.corp/team/app2:v1"
    assert "403" in failed.reason or "not you" in failed.reason
    assert failed.hint
    assert (ending(events).done, ending(events).failed) == (3, 1)


def test_a_step_whose_worker_is_killed_is_done_by_another(scheduler: str, world: World) -> None:
    layer = os.urandom(950_000)
    held = world.upstream.add_image("team/held", "v1", [layer])
    plan = world.plan("team/held:v1")
    world.upstream.faults.add(Fault("GET", digest_of(layer), StallAfter(900_000)))
    pids = at_workers(scheduler, os.getpid)
    killed: set[str] = set()
    events = []
    crew = on(scheduler, 1_000_000)
    for event in Copying(plan, plan.pending, world.stores(), crew=crew).events():
        events.append(event)
        if isinstance(event, BytesMoved) and event.moved > 100_000 and not killed:
            killed = busy(scheduler)
            for each in killed:
                os.kill(pids[each], signal.SIGKILL)
    assert len(killed) == 1
    assert (ending(events).done, ending(events).failed) == (1, 0)
    assert world.mirror.manifest("team/held", "v1").digest == held
    moved = sum(event.moved for event in events if isinstance(event, BytesMoved))
    assert moved > plan.bytes_to_send(plan.pending)  # what the dead one had read was read in vain


def test_a_run_that_is_stopped_leaves_no_tag_and_can_be_run_again(
    scheduler: str, world: World
) -> None:
    for number in range(3):
        world.upstream.add_image(f"team/large{number}", "v1", [os.urandom(8 * MIB)])
    plan = world.plan(*(f"team/large{number}:v1" for number in range(3)))
    copying = Copying(plan, plan.pending, world.stores(), crew=on(scheduler, 2_000_000))
    events = []
    for event in copying.events():
        events.append(event)
        if isinstance(event, BytesMoved):
            copying.stop()
    assert (ending(events).done, ending(events).failed, ending(events).cancelled) == (0, 0, 3)
    moved = sum(event.moved for event in events if isinstance(event, BytesMoved))
    assert moved < 24 * MIB
    assert world.mirror.count("PUT", "/manifests/") == 0
    assert ending(run_on(scheduler, world, plan)).done == 3


def test_a_run_whose_scheduler_dies_ends_and_says_so(world: World) -> None:
    world.upstream.add_image("team/large", "v1", [os.urandom(MIB)])
    plan = world.plan("team/large:v1")
    events = []
    with local_cluster(1) as started:
        crew = on(started.scheduler_address, 500_000)
        for event in Copying(plan, plan.pending, world.stores(), crew=crew).events():
            events.append(event)
            if isinstance(event, BytesMoved):
                started.close()
    reasons = {(each.reason, each.hint) for each in events if isinstance(each, ImageFailed)}
    (said,) = reasons
    assert "scheduler is gone" in said[0]
    assert "apply again" in said[1]
    assert (ending(events).done, ending(events).failed) == (0, 1)


def test_no_scheduler_is_an_error_that_names_the_option(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cluster, "_TO_CONNECT", 0.3)
    address = f"tcp://127.0.0.1:{free_port()}"
    with pytest.raises(ClusterError, match=address) as raised:
        run_on(address, world, world.plan(*IMAGES))
    assert "--scheduler" in raised.value.hint
    assert raised.value.exit_code == 69


def test_a_scheduler_without_workers_is_an_error(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cluster, "_TO_SEE_WORKERS", 0.3)
    with local_cluster(0) as started, pytest.raises(ClusterError, match="no workers"):
        run_on(started.scheduler_address, world, world.plan(*IMAGES))


def test_workers_need_this_planner(scheduler: str, world: World) -> None:
    plan = world.plan(*IMAGES)
    at_workers(scheduler, call_itself, "0.0.7")
    with pytest.raises(ClusterError, match=r"has planner 0\.0\.7") as raised:
        run_on(scheduler, world, plan)
    assert f"install planner {remote.__version__}" in raised.value.hint  # type: ignore[attr-defined]
    at_workers(scheduler, call_itself, remote.__version__)  # type: ignore[attr-defined]
    assert world.mirror.count("PUT", "") == 0


def test_a_rate_that_cannot_be_shared_is_refused(scheduler: str, world: World) -> None:
    with pytest.raises(UsageError, match="less than 1Mbit/s"):
        run_on(scheduler, world, world.plan(*IMAGES), 100_000)


def test_uploads_that_another_run_left_are_not_touched(
    scheduler: str, world: World, tmp_path: Path
) -> None:
    folder = folder_of(Config(path=tmp_path / "planner.yaml"))
    with Journal(folder) as journal:
        journal.advance(Key("http://r", "a/b", "sha256:1"), Session("http://r/up", 1, 2))
    (left,) = folder.glob("uploads-*")
    before = left.read_bytes()
    plan, stores = world.plan(*IMAGES), world.stores()
    stores.journal = Journal(folder)
    assert ending(list(Copying(plan, plan.pending, stores, crew=on(scheduler)).events())).done == 4
    assert [each.read_bytes() for each in folder.glob("uploads-*")] == [before]


def test_what_is_sent_holds_no_secret(
    tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not the step, not what is said of places, and not what comes back; and the password was really used."""
    monkeypatch.setenv("REGISTRY_PASSWORD", SECRET)
    with make_world(tmp_path, auth=Basic("me", SECRET)) as world:
        login(home / ".docker", world.mirror, password=SECRET)
        world.upstream.add_image("team/app", "v1", [b"layer" * 1000])
        plan = world.plan("team/app:v1")
        config = world.places.config._replace(clusters=(SECRET,), spec=SECRET)  # type: ignore[arg-type]
        places = Places(config, schemes={"r.corp": "http"}, logins=(world.mirror.host,))
        site = remote.site_of("run", places, 2)
        said: list[remote.Message] = []
        monkeypatch.setattr(remote, "_EVERY", 0.0)
        for step in build_graph(plan, plan.pending).steps.values():
            sent = dumps((partial(cluster._at_worker, site), step))
            told = remote.perform_at(site, step, said.append)
            assert not told.error
            assert SECRET.encode() not in sent + dumps(told)
        remote.forget("run")
        assert said
        assert SECRET not in str(said)
        assert world.mirror.manifest("team/app", "v1")
        assert any("authorization" in each.headers for each in world.mirror.requests)


def test_others_get_places_in_full_and_their_share_of_the_limits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    busy = RegistrySettings(endpoint="oci:here", parallelism=6)
    narrow = RegistrySettings(endpoint="https://x/y", parallelism=2)
    narrow = narrow._replace(tls=narrow.tls._replace(ca_file="ca.pem"))
    places = Places(Config(registries={"a": busy, "b": narrow, "c": RegistrySettings()}), "oci:in")
    site = remote.site_of("run", places, 4, 100.0)
    said = site.registries
    assert site.rate == 25.0
    assert (said["a"].endpoint, said["b"].endpoint) == (f"oci:{tmp_path}/here", "https://x/y")
    assert [said[each].parallelism for each in "abc"] == [1, 1, 0]
    assert said["b"].tls == narrow.tls._replace(ca_file=f"{tmp_path}/ca.pem")
    assert (site.read_from, site.write_to) == (f"oci:{tmp_path}/in", "")
    assert Places(site.places.config, site.read_from) == site.places


@pytest.mark.parametrize(
    "live", [(), (3,), (3, 7), (7, 3), (7, 7), (10,)], ids=lambda each: f"{each}"
)
@pytest.mark.parametrize("late", [(), (5,), (10,)], ids=lambda each: f"late {each}")
def test_bytes_are_counted_once_whatever_is_heard_of_them(
    live: tuple[int, ...], late: tuple[int, ...]
) -> None:
    counted: list[int] = []
    heard = remote.Heard(lambda _step, moved: counted.append(moved))
    for passed in live:
        heard.live("step", "attempt", passed)
    heard.end("step", remote.Told(attempt="attempt", passed=10))
    for passed in late:
        heard.live("step", "attempt", passed)
    assert sum(counted) == 10
    assert all(each > 0 for each in counted)


def test_figures_of_processes_add_up_and_never_go_back(world: World) -> None:
    traffic = world.stores().traffic
    early = Counts({("GET", 2): 1}, {}, 0.5, 10, 0)
    last = Counts({("GET", 2): 2, ("PUT", 2): 1}, {"429": 1}, 1.0, 30, 5)
    traffic.host("r.corp").note("GET", 200, 7, 0)
    for process, counts, again in (("one", last, 2), ("one", early, 1), ("two", early, 1)):
        traffic.hear(process, Tally({"r.corp": counts}, again))
    (host,) = traffic.hosts
    assert host.counts == Counts({("GET", 2): 4, ("PUT", 2): 1}, {"429": 1}, 1.5, 47, 5)
    assert traffic.steps_again == 3
    assert traffic.tally() == Tally({"r.corp": Counts({("GET", 2): 1}, {}, 0.0, 7, 0)}, 0)


def test_dask_is_asked_for_where_it_is_missing(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("planner.ui.executors.find_spec", lambda _: None)
    assert main(["apply", "--executor", "dask", "plan.json"]) == 64
    assert "planner[dask]" in capsys.readouterr().err


def test_a_scheduler_is_for_dask(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["apply", "--scheduler", "tcp://127.0.0.1:1", "plan.json"]) == 64
    assert "--executor dask" in capsys.readouterr().err


def test_the_address_may_stand_in_the_environment(
    scheduler: str, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DASK_SCHEDULER_ADDRESS", scheduler)
    crew = crew_for(Namespace(executor="dask", scheduler="", bandwidth=None))
    plan = world.plan(*IMAGES)
    events = list(Copying(plan, plan.pending, world.stores(), crew=crew).events())
    assert isinstance(events[-1], Finished)
    assert events[-1].done == 4


def test_a_cluster_of_its_own_uses_the_credentials_of_its_user(
    tmp_path: Path,
    home: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    """The whole command, with processes that it starts and ends itself."""
    monkeypatch.chdir(tmp_path)
    with FakeRegistry() as source, FakeRegistry(auth=Basic("me", SECRET)) as target:
        login(home / ".docker", target, password=SECRET)
        source.add_image("team/app", "v1", [os.urandom(MIB)])
        (tmp_path / "images.txt").write_text(f"{source.host}/team/app:v1\n")
        spec = f"mirrors: {{'{source.host}': {{endpoint: ['{target.url}']}}}}\n"
        (tmp_path / "registries.yaml").write_text(spec)
        words = "apply registries.yaml --images images.txt --auto-approve --executor dask"
        more = "--parallelism 4 --metrics m.prom --events e.jsonl --progress plain"
        assert main([*words.split(), *more.split()]) == 0, capfd.readouterr().err
        assert target.manifest("team/app", "v1")
        figures = read((tmp_path / "m.prom").read_text())
        written = f'planner_bytes_total{{registry="{target.host}",direction="written"}}'
        assert figures[written] > MIB
    shown = capfd.readouterr()
    assert "1 image done" in shown.out
    assert "distributed" not in shown.err
    everything = [shown.out, shown.err, (tmp_path / "e.jsonl").read_text()]
    assert not any(SECRET in each for each in everything)
