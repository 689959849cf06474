"""What a run of lint loads: a hook that runs at every commit pays for each module, used or not."""

import subprocess
import sys
from pathlib import Path

import pytest

NEVER = frozenset(
    "requests urllib3 networkx textual rich ruamel asyncio jsonschema concurrent.futures logging socket ssl".split()
)
# Of the standard library, what takes longest to load and is easily loaded by the way.
SELDOM = frozenset("dataclasses inspect hashlib tomllib traceback shutil".split())
FAMILIES = frozenset(f"planner.specs.{each}" for each in ("eksa", "k3s", "kubeone", "palette"))
PLANNING = frozenset(f"planner.specs.k3s.{each}" for each in ("images", "needs", "render"))
CLEAN = "mirrors:\n  quay.io:\n    endpoint: [https://registry.corp:5000]\n"
REWRITES = f'{CLEAN}    rewrite: {{"^coreos/(.*)$": "quay/coreos/$1"}}\n'
UNKNOWN = "mirror: {}\n"
PROGRAM = """
import sys
from planner.ui.cli import main
code = main(["lint", *sys.argv[1:]])
print(code, *sorted(sys.modules))
"""


def loaded(path: Path, text: str) -> tuple[int, frozenset[str]]:
    """The exit code of lint, and the modules that it has loaded."""
    path.write_text(text, "utf-8")
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(path)],
        cwd=path.parent,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    code, *modules = done.stdout.splitlines()[-1].split()
    return int(code), frozenset(modules)


@pytest.mark.parametrize("text", [CLEAN, REWRITES], ids=["mirror", "rewrite"])
def test_a_clean_spec_needs_no_validator_and_one_family(tmp_path: Path, text: str) -> None:
    code, modules = loaded(tmp_path / "registries.yaml", text)
    assert code == 0
    assert modules & (NEVER | SELDOM | PLANNING | {"jsonschema_rs"}) == frozenset()
    assert modules & FAMILIES == {"planner.specs.k3s"}
    assert not {each for each in modules if each.startswith(("planner.stores", "planner.baseline"))}


def test_a_spec_with_findings_needs_little_more(tmp_path: Path) -> None:
    code, modules = loaded(tmp_path / "registries.yaml", UNKNOWN)
    assert code == 1
    # jsonschema-rs brings the socket along.
    assert modules & (NEVER - {"socket"} | PLANNING) == frozenset()
    assert modules & FAMILIES == {"planner.specs.k3s"}


@pytest.mark.parametrize("family", ["eksa", "kubeone", "palette"])
def test_every_family_is_as_light(tmp_path: Path, family: str) -> None:
    """Whatever the rules say: loading them must not bring in what planning takes."""
    text = {
        "eksa": "apiVersion: anywhere.eks.amazonaws.com/v1alpha1\nkind: Cluster\n",
        "kubeone": "apiVersion: kubeone.k8c.io/v1beta2\nkind: KubeOneCluster\n",
        "palette": "config: {imageSwapImages: {imageSwapInitImage: a.example/b/c:1}}\n",
    }[family]
    _, modules = loaded(tmp_path / "spec.yaml", text)
    assert modules & (NEVER - {"socket"}) == frozenset()
    assert modules & FAMILIES == {f"planner.specs.{family}"}
