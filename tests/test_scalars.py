"""What a YAML scalar is to Go. Source: gopkg.in/yaml.v2 v2.4.0 resolve.go and decode_test.go."""

from __future__ import annotations

import math

import pytest

from planner.core.scalars import Scalar, resolve

_TAG = "tag:yaml.org,2002:"


@pytest.mark.parametrize(
    ("text", "value"),
    [
        *(
            pytest.param(each, None, id=f"null-{each}")
            for each in ("", "~", "null", "Null", "NULL")
        ),
        *(
            pytest.param(each, True, id=each)
            for each in "true True TRUE yes Yes YES on On y Y".split()
        ),
        *(pytest.param(each, False, id=each) for each in "false No off OFF n N".split()),
        *(pytest.param(each, each, id=each) for each in "tRue nULL yEs oN None nil".split()),
        pytest.param("0", 0, id="zero"),
        pytest.param("12", 12, id="decimal"),
        pytest.param("-12", -12, id="negative"),
        pytest.param("+12", 12, id="plus"),
        pytest.param("1_000", 1000, id="underscore"),
        pytest.param("017", 15, id="octal"),
        pytest.param("0o17", 15, id="octal-with-o"),
        pytest.param("089", 89.0, id="no-octal-is-a-float"),
        pytest.param("0x1F", 31, id="hexadecimal"),
        pytest.param("0b101", 5, id="binary"),
        pytest.param("-0x1f", -31, id="negative-hexadecimal"),
        pytest.param("1.5", 1.5, id="float"),
        pytest.param(".5", 0.5, id="float-without-zero"),
        pytest.param("1.", 1.0, id="float-without-fraction"),
        pytest.param(".1_", ".1_", id="underscore-at-the-end"),
        pytest.param(".4_2", 0.42, id="underscore-behind-a-dot"),
        pytest.param("18446744073709551615", 2**64 - 1, id="largest"),
        pytest.param("18446744073709551616", 2.0**64, id="beyond-64-bits-is-a-float"),
        pytest.param("-9223372036854775808", -(2**63), id="smallest"),
        pytest.param("0x10000000000000000", "0x10000000000000000", id="large-hexadecimal"),
        pytest.param("9" * 5000, "9" * 5000, id="beyond-floats-is-a-text"),
        pytest.param("1e400", "1e400", id="large-exponent"),
        pytest.param("1e5", 100000.0, id="exponent"),
        pytest.param("1.2.3", "1.2.3", id="version"),
        pytest.param("v1.2", "v1.2", id="version-with-v"),
        pytest.param(".", ".", id="dot"),
        pytest.param("-", "-", id="dash"),
        pytest.param("+", "+", id="plus-alone"),
        pytest.param("1:30", "1:30", id="no-sexagesimal"),
        pytest.param("2020-01-01", "2020-01-01", id="date-stays-text"),
        pytest.param("12e", "12e", id="broken-exponent"),
        pytest.param("0x", "0x", id="broken-hexadecimal"),
        pytest.param("1 2", "1 2", id="two-numbers"),
        pytest.param("<<", "<<", id="merge"),
    ],
)
def test_a_plain_scalar_is_typed_as_by_go(text: str, value: Scalar) -> None:
    found = resolve(text, plain=True)
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize("text", ["true", "1", "", "~", "1.5", "null"])
def test_a_quoted_scalar_is_a_text(text: str) -> None:
    assert resolve(text, plain=False) == text


@pytest.mark.parametrize(
    ("text", "value"),
    [
        pytest.param(".inf", math.inf, id="inf"),
        pytest.param("+.Inf", math.inf, id="plus"),
        pytest.param("-.INF", -math.inf, id="minus"),
    ],
)
def test_infinity_is_a_number(text: str, value: float) -> None:
    assert resolve(text, plain=True) == value


def test_nan_is_a_number() -> None:
    found = resolve(".nan", plain=True)
    assert isinstance(found, float)
    assert math.isnan(found)


@pytest.mark.parametrize(
    ("tag", "text", "value"),
    [
        pytest.param("str", "true", "true", id="str"),
        pytest.param("int", "5", 5, id="int"),
        pytest.param("bool", "yes", True, id="bool"),
        pytest.param("float", "5", 5, id="float"),
        pytest.param("null", "", None, id="null"),
        pytest.param("int", "five", "five", id="not-an-int"),
    ],
)
def test_a_tag_decides(tag: str, text: str, value: Scalar) -> None:
    assert resolve(text, plain=False, tag=_TAG + tag) == value


def test_an_unknown_tag_makes_a_text() -> None:
    assert resolve("1", plain=True, tag="!vault") == "1"
