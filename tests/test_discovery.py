"""Which files lint looks at, and what it takes them for."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterable
from pathlib import Path

import pytest

from planner.check import check, check_text, kinds_of
from planner.config import Cluster, LintSettings
from planner.core.errors import InputError, UsageError
from planner.core.lint import Severity
from planner.core.reader import read
from planner.discovery import Project, files_of
from planner.specs import NAMES, kind_said

K3S = "mirrors: {}\n"
OTHER = "apiVersion: v1\nkind: ConfigMap\n"
SETTINGS = LintSettings()
KUBEONE = "apiVersion: kubeone.k8c.io/v1beta2\nkind: KubeOneCluster\n"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of no repository, in which we stand."""
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write(files: Iterable[str], text: str = K3S) -> None:
    for name in files:
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).write_text(text, "utf-8")


def git(*words: str) -> None:
    identity = ("-c", "user.name=a", "-c", "user.email=a@example.com")
    subprocess.run(["git", *identity, *words], check=True, capture_output=True)


def found(*paths: str, settings: LintSettings = SETTINGS, only_ours: bool = False) -> list[str]:
    files = files_of(paths, Project(settings), only_ours=only_ours)
    return [path.as_posix() for path in files]


# Searching.


def test_a_folder_is_searched_for_what_shows_a_sign() -> None:
    write(["b/registries.yaml", "a.yml", "a.json", "a.txt"])
    write(["other.yaml", "b/other.yml"], OTHER)
    write(["planner.yaml"], "version: 1\n")
    assert found() == ["a.yml", "b/registries.yaml", "planner.yaml"]
    assert found("b") == ["b/registries.yaml"]
    assert found("b", "b/registries.yaml", "a.txt") == ["b/registries.yaml", "a.txt"]


@pytest.mark.parametrize("name", ["node_modules", ".venv", "__pycache__", ".terraform", ".git"])
def test_caches_and_dependencies_are_left_out(name: str) -> None:
    write([f"a/{name}/registries.yaml", "a/registries.yaml"])
    assert found() == ["a/registries.yaml"]


def test_what_git_ignores_is_left_out() -> None:
    git("init", "-q")
    write([f"{name}/registries.yaml" for name in ("kept", "forced", "built", "excluded", "new")])
    write(["deep/built/kept.yaml", "deep/built/dropped.yaml"])
    Path(".gitignore").write_text("/built/\nforced/\n*/built/*\n!*/built/kept.yaml\n")
    Path(".git/info/exclude").write_text("excluded/\n")
    git("add", "kept")
    git("add", "-f", "forced")
    assert found() == [
        "deep/built/kept.yaml",
        *(f"{name}/registries.yaml" for name in ("forced", "kept", "new")),
    ]


def test_what_git_has_and_is_gone_or_a_merge_left_thrice_is_no_trouble() -> None:
    git("init", "-q", "-b", "main")
    write(["gone.yaml", "both.yaml"])
    git("add", ".")
    git("commit", "-qm", "a")
    git("checkout", "-qb", "other")
    write(["both.yaml"], K3S + "configs: {}\n")
    git("commit", "-qam", "b")
    git("checkout", "-q", "main")
    write(["both.yaml"], K3S + "auths: {}\n")
    git("commit", "-qam", "c")
    with pytest.raises(subprocess.CalledProcessError):
        git("merge", "other")
    Path("gone.yaml").unlink()
    assert found() == ["both.yaml"]


def test_an_ignored_folder_is_searched_when_it_is_given() -> None:
    git("init", "-q")
    write(["built/a.yaml", "built/.terraform/b.yaml"])
    Path(".gitignore").write_text("built/\n")
    assert found("built") == ["built/a.yaml"]
    assert found("built/a.yaml") == ["built/a.yaml"]
    assert found() == []


def test_another_repository_in_the_environment_does_not_count(
    monkeypatch: pytest.MonkeyPatch, folder: Path
) -> None:
    git("init", "-q")
    write(["a.yaml", "ignored.yaml"])
    Path(".gitignore").write_text("ignored.yaml\n")
    monkeypatch.setenv("GIT_DIR", str(folder / "nowhere"))
    assert found() == ["a.yaml"]


def test_no_program_that_the_repository_names_is_started(folder: Path) -> None:
    git("init", "-q")
    hook = folder / "hook"
    hook.write_text(f"#!/bin/sh\ntouch {folder}/started\n")
    hook.chmod(0o755)
    git("config", "core.fsmonitor", str(hook))
    write(["a.yaml"])
    assert found() == ["a.yaml"]
    assert not (folder / "started").exists()


def test_without_git_everything_is_searched(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    git("init", "-q")
    write(["a.yaml"])
    Path(".gitignore").write_text("a.yaml\n")
    monkeypatch.setenv("PATH", str(folder))
    assert found() == ["a.yaml"]


def test_names_may_hold_anything() -> None:
    git("init", "-q")
    names = ["-q.yaml", "a b/ü\n.yaml", os.fsdecode(b"\xff.yaml")]
    for name in names:
        Path(name).parent.mkdir(exist_ok=True)
        Path(name).write_text(K3S)
    assert sorted(found()) == sorted(names)


def test_what_is_no_file_is_left_out() -> None:
    Path("registries.yaml").mkdir()
    Path("dangling.yaml").symlink_to("nowhere")
    Path("loop").symlink_to(".")
    os.mkfifo("pipe.yaml")
    assert found() == []


def test_a_path_that_is_not_there_is_told() -> None:
    with pytest.raises(InputError, match=r"gone\.yaml: no such file"):
        found("gone.yaml")


# Signs.


@pytest.mark.parametrize(
    ("data", "is_found"),
    [
        pytest.param(b"mirrors: {}", True, id="sign"),
        pytest.param(b"\xef\xbb\xbfmirrors: {}", True, id="byte-order-mark"),
        pytest.param(b"# \xff\nmirrors: {}", True, id="not-utf8"),
        pytest.param(b"\xff\xfe\x00", False, id="binary"),
        pytest.param(b"#" * 60_000 + b"\nmirrors: {}", True, id="late"),
        pytest.param(b"#" * 70_000 + b"\nmirrors: {}", False, id="too-late"),
        pytest.param(b"# planner: kind=k3s\n{}", True, id="comment"),
    ],
)
def test_the_beginning_shows_whether_a_file_is_ours(data: bytes, is_found: bool) -> None:
    Path("a.yaml").write_bytes(data)
    assert found() == ["a.yaml"] * is_found
    assert found("a.yaml", only_ours=True) == ["a.yaml"] * is_found
    assert found("a.yaml") == ["a.yaml"]


def test_what_cannot_be_read_and_is_not_ours_is_left_alone() -> None:
    Path("secret.yaml").write_bytes(b"\xff")
    write(["registries.yaml"])
    assert [each.spec.file for each in check([], "", LintSettings())] == ["registries.yaml"]
    with pytest.raises(InputError, match=r"secret\.yaml: byte 0 is not UTF-8 text"):
        check(["secret.yaml"], "", LintSettings())
    assert check(["secret.yaml"], "", LintSettings(), only_ours=True) == []


@pytest.mark.parametrize(
    ("name", "text", "codes"),
    [
        pytest.param("registries.yaml", "[", ["YAM001"], id="by-name"),
        pytest.param("a.yaml", "mirrors: [", ["YAM001"], id="by-text"),
        pytest.param("a.yaml", f"{OTHER}---\n{KUBEONE}name: [", ["YAM001"], id="later"),
        pytest.param("a.yaml", "other: [", [], id="no-sign"),
        pytest.param("a.yaml", "a: 1\na: 2", [], id="double-key-elsewhere"),
    ],
)
def test_a_broken_file_is_found_when_it_could_be_ours(
    name: str, text: str, codes: list[str]
) -> None:
    done = check_text(name, text, "", LintSettings())
    assert [each.code for each in done.findings] == codes


# Kinds.


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        pytest.param("# planner: kind=palette\na: 1", "palette", id="first"),
        pytest.param("#planner:kind=k3s", "k3s", id="tight"),
        pytest.param("\ufeff---\n# Copyright\n\n  # planner: kind=k3s\n", "k3s", id="in-the-head"),
        pytest.param("%YAML 1.1\r\n---\r\n# planner: kind=k3s\r\n", "k3s", id="other-line-ends"),
        pytest.param("a: 1\n# planner: kind=k3s\n", "", id="after-the-head"),
        pytest.param("a: '# planner: kind=k3s'", "", id="in-a-string"),
        pytest.param("# not planner: kind=k3s", "", id="in-a-sentence"),
    ],
)
def test_a_comment_in_the_head_says_what_a_file_is(text: str, kind: str) -> None:
    assert kind_said(text) == kind


def test_the_comment_is_no_suppression() -> None:
    done = check_text("a.yaml", "# planner: kind=k3s\nmirror: {}\n", "", LintSettings())
    assert (done.kind, [each.code for each in done.findings]) == ("k3s", ["SCH001"])


def test_a_word_that_is_no_kind_is_found() -> None:
    done = check_text("registries.yaml", "\n# planner: kind=k3\nmirrors: {}\n", "", LintSettings())
    (finding,) = done.findings
    assert (finding.code, finding.span, done.kind) == ("CFG003", (2, 12, 2, 19), "k3s")


def test_the_nearest_word_about_a_kind_counts() -> None:
    settings = LintSettings(kinds=(("infra/*.yaml", "kubeone"), ("*", "palette")))
    project = Project(settings, [Cluster("a", "infra/b.yaml", kind="eksa")])
    said = "# planner: kind=k3s\n"
    assert project.kind(read("infra/a.yaml", said)) == "kubeone"
    assert project.kind(read("infra/b.yaml", said)) == "eksa"
    assert project.kind(read("c.yaml", said)) == "palette"
    assert Project(LintSettings()).kind(read("infra/a.yaml", said + KUBEONE)) == "k3s"
    assert check_text("infra/a.yaml", said, "k3s", settings).kind == "k3s"


def test_what_planner_yaml_names_is_ours_without_a_sign() -> None:
    write(["infra/a.yaml", "b.yaml"], OTHER)
    assert found(settings=LintSettings(kinds=(("infra/*", "kubeone"),))) == ["infra/a.yaml"]


def test_all_files_are_of_a_kind_that_is_given() -> None:
    write(["a/b.yaml", "c.yaml"], OTHER)
    done = check(["a", "c.yaml"], "k3s", LintSettings(), only_ours=True)
    assert [(each.spec.file, each.kind) for each in done] == [
        ("a/b.yaml", "k3s"),
        ("c.yaml", "k3s"),
    ]


def test_an_unknown_kind_is_refused_with_the_known_ones() -> None:
    write(["a.yaml"])
    with pytest.raises(UsageError, match="'k8s' is not a kind of spec") as caught:
        check(["a.yaml"], "k8s", LintSettings())
    assert all(name in caught.value.hint for name in NAMES)


def test_files_are_listed_with_their_kinds() -> None:
    write(["registries.yaml"])
    write(["other.yaml", "configs.yaml"], f"{OTHER}data:\n  configs: {{}}\n")
    write(["broken.yaml"], "mirrors: [")
    assert kinds_of([], "", LintSettings()) == [("broken.yaml", ""), ("registries.yaml", "k3s")]
    assert kinds_of(["other.yaml"], "", LintSettings()) == [("other.yaml", "")]


# Templates.


def codes(text: str, name: str = "a.yaml") -> list[tuple[str, int]]:
    done = check_text(name, text, "", LintSettings())
    return [(each.code, each.span.line) for each in done.findings]


def test_a_template_of_a_spec_is_checked_as_far_as_it_can_be_read() -> None:
    text = (
        f"{KUBEONE}name: {{{{ .name }}}}\n"
        "{{- if .proxy }}\nproxi: {}\n{{- else }}\nproxy: {}\n{{- end }}\n"
        "versions: {kubernetes: {{ .version | quote }}}\n"
        "cloudProvider:\n{{ toYaml .cloud | indent 2 }}\n"
        "addons: {enable: 5}\n"
    )
    assert codes(text) == [("YAM004", 3), ("SCH001", 5), ("SCH003", 12)]


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("mirrors: {{ .m }}\nmirrors: {}\n", id="what-stands-twice"),
        pytest.param("{{ .key }}: {}\nmirrors: {}\n", id="unknown-key"),
        pytest.param("mirrors:\n  a: {{/* two\n  lines */}}\n", id="over-two-lines"),
        pytest.param("configs:\n  {{- range .r }}\n  {{ . }}: {}\n  {{- end }}\n", id="loop"),
    ],
)
def test_what_an_action_may_change_is_not_judged(text: str) -> None:
    assert [code for code, _ in codes(text, "registries.yaml")] == ["YAM004"]


def test_a_template_that_cannot_be_read_is_left_out_with_a_word() -> None:
    done = check_text("a.yaml", f"{KUBEONE}a: {{{{ .b }}}} c: d\n", "", LintSettings())
    (finding,) = done.findings
    assert (finding.code, finding.severity, finding.span) == (
        "YAM004",
        Severity.WARNING,
        (3, 4, 3, 6),
    )
    assert "cannot be checked" in finding.message


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(f"{OTHER}a: {{{{ .b }}}}\n", id="readable"),
        pytest.param("a:\n  configs: {{ .b }} c: d\n", id="not"),
    ],
)
def test_templates_of_others_pass_in_silence(text: str) -> None:
    assert codes(text) == []


def test_yaml_with_actions_in_quotes_is_no_template() -> None:
    assert codes('mirrors: {}\nmirror: "{{ .a }}"\n', "registries.yaml")[0] == ("SCH001", 2)


def test_comments_hide_findings_in_a_template_too() -> None:
    text = "mirrors: {{ .m }}\n# planner: ignore-file[YAM004]\nmirror: {} # planner: ignore[SCH]\n"
    done = check_text("registries.yaml", text, "", LintSettings())
    assert [(each.code, bool(each.suppressed)) for each in done.findings] == [
        ("YAM004", True),
        ("SCH001", True),
    ]
