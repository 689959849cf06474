"""URLs as Go reads them. Source of the tables: Go 1.26 net/url/url_test.go, and rancher/wharfie's own cases."""

from __future__ import annotations

import pytest

from planner.core.gourl import GoUrl, parse_url, split_port


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        pytest.param("https://h", ("https", "", "h", "", ""), id="host"),
        pytest.param("HTTPS://H:5000/v2", ("https", "", "H:5000", "/v2", ""), id="scheme-case"),
        pytest.param("//h/v2/", ("", "", "h", "/v2/", ""), id="no-scheme"),
        pytest.param("http://u:p@h/", ("http", "u:p", "h", "/", ""), id="user-info"),
        pytest.param("http://a@b@h", ("http", "a@b", "h", "", ""), id="last-at-counts"),
        pytest.param("https://h?q=1#f", ("https", "", "h", "", "?q=1#f"), id="query"),
        pytest.param("https://h/a#f?q", ("https", "", "h", "/a", "#f?q"), id="fragment"),
        pytest.param("https://[fd00::1]:5000", ("https", "", "[fd00::1]:5000", "", ""), id="ipv6"),
        pytest.param("https://h:", ("https", "", "h:", "", ""), id="empty-port"),
        pytest.param("https://", ("https", "", "", "", ""), id="no-host"),
        pytest.param("//http//h", ("", "", "http", "//h", ""), id="scheme-without-colon"),
        pytest.param("//https:/h", ("", "", "https:", "/h", ""), id="scheme-with-one-slash"),
        pytest.param("oci://h/p", ("oci", "", "h", "/p", ""), id="other-scheme"),
        pytest.param("https://h_1.<x>/p", ("https", "", "h_1.<x>", "/p", ""), id="odd-host"),
        pytest.param("https://bücher.example", ("https", "", "bücher.example", "", ""), id="idn"),
        pytest.param("https://h/a b", ("https", "", "h", "/a b", ""), id="blank-in-path"),
        pytest.param("https://h/%2F", ("https", "", "h", "/%2F", ""), id="escape"),
        pytest.param("mailto:x", ("mailto", "", "", "x", ""), id="opaque"),
    ],
)
def test_go_takes_a_url_apart(text: str, parts: tuple[str, str, str, str, str]) -> None:
    assert parse_url(text) == GoUrl(*parts)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("https://h ", id="blank-behind"),
        pytest.param(" https://h", id="blank-before"),
        pytest.param("https://a b/", id="blank-in-host"),
        pytest.param("https://h\n", id="control"),
        pytest.param("https://h:port", id="port"),
        pytest.param("https://h:80a/", id="port-with-letter"),
        pytest.param("https://[fd00::1", id="open-bracket"),
        pytest.param("https://[fd00::1]x", id="behind-bracket"),
        pytest.param("https://a[::1]", id="bracket-inside"),
        pytest.param("https://[name]", id="bracket-without-address"),
        pytest.param("https://h%20/", id="escape-in-host"),
        pytest.param("https://h#%z", id="escape-in-fragment"),
        pytest.param("https://u:bad{@h", id="user-info"),
        pytest.param("https://h/%zz", id="escape"),
        pytest.param("https://h%", id="half-escape"),
        pytest.param("://h", id="missing-scheme"),
        pytest.param("1http://h", id="scheme-begins-with-digit"),
        pytest.param("https://h{x}", id="braces"),
        pytest.param("https://h\\x", id="backslash"),
    ],
)
def test_go_refuses(text: str) -> None:
    assert parse_url(text) is None


@pytest.mark.parametrize(
    "text", ["https://u:p@h:1/v2?q#f", "https://[::1]:5000/v2/", "http://h", "oci://h/a//b"]
)
def test_a_url_is_written_as_it_was_read(text: str) -> None:
    assert str(parse_url(text)) == text


@pytest.mark.parametrize(
    ("host", "parts"),
    [
        pytest.param("h", ("h", ""), id="host"),
        pytest.param("h:5000", ("h", "5000"), id="port"),
        pytest.param("h:", ("h", ""), id="empty-port"),
        pytest.param("[::1]", ("[::1]", ""), id="ipv6"),
        pytest.param("[::1]:5000", ("[::1]", "5000"), id="ipv6-and-port"),
        pytest.param("", ("", ""), id="empty"),
    ],
)
def test_a_port_is_split_off(host: str, parts: tuple[str, str]) -> None:
    assert split_port(host) == parts
