import pytest

from planner.specs.kubeone.semver import Version, parse_version, satisfies


@pytest.mark.parametrize(
    ("text", "version"),
    [
        pytest.param("1.35.2", Version(1, 35, 2), id="plain"),
        pytest.param("v1.35.2", Version(1, 35, 2), id="leading-v"),
        pytest.param("1.35", Version(1, 35, 0), id="no-patch"),
        pytest.param("2", Version(2, 0, 0), id="no-minor"),
        pytest.param("01.35.0", Version(1, 35, 0), id="leading-zero"),
        pytest.param("1.35.0-rc.1", Version(1, 35, 0, "rc.1"), id="pre-release"),
        pytest.param("1.34.1-eks-1", Version(1, 34, 1, "eks-1"), id="eks-d"),
        pytest.param("1.35.2+build.5", Version(1, 35, 2), id="build"),
        pytest.param("vv1.35.2", None, id="two-v"),
        pytest.param("latest", None, id="word"),
        pytest.param("1.35.2.1", None, id="four-numbers"),
        pytest.param(" 1.35.2", None, id="space"),
        pytest.param("1.35.x", None, id="wildcard"),
        pytest.param("", None, id="empty"),
    ],
)
def test_versions_are_read_as_masterminds_reads_them(text: str, version: Version | None) -> None:
    assert parse_version(text) == version


@pytest.mark.parametrize(
    ("constraint", "inside", "outside"),
    [
        pytest.param("*", ["0.0.0", "1.35.2", "9.9.9"], ["1.35.0-rc.1"], id="any"),
        pytest.param(
            "1.34.x", ["1.34.0", "1.34.99"], ["1.33.9", "1.35.0", "1.34.1-rc.0"], id="minor"
        ),
        pytest.param(">= 1.36.x", ["1.36.0", "1.37.1", "2.0.0"], ["1.35.9", "1.36.0-rc.1"], id="x"),
        pytest.param(">=1.34.x", ["1.34.0", "1.40.0"], ["1.33.12"], id="no-space"),
        pytest.param(">= 1.33.0", ["1.33.0", "1.34.0"], ["1.32.13"], id="zero"),
        pytest.param(">= 1.36", ["1.36.0", "1.36.3"], ["1.35.7"], id="two-numbers"),
        pytest.param("< 1.31", ["1.30.9", "0.9.0"], ["1.31.0", "1.30.1-rc.0"], id="below"),
    ],
)
def test_constraints_hold_for_final_releases_only(
    constraint: str, inside: list[str], outside: list[str]
) -> None:
    def holds(text: str) -> bool:
        version = parse_version(text)
        assert version
        return satisfies(version, constraint)

    assert [text for text in inside if not holds(text)] == []
    assert [text for text in outside if holds(text)] == []


def test_an_unknown_constraint_is_a_mistake_of_the_tables() -> None:
    with pytest.raises(ValueError, match=r"~1\.34"):
        satisfies(Version(1, 34), "~1.34")
