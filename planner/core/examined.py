"""What is found out about a registry on the way to it, and what a certificate there is worth."""

from __future__ import annotations

import ssl
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Literal, NamedTuple

from planner.core.certificate import Certificate
from planner.core.gourl import split_port
from planner.core.text import plural

Verdict = Literal["ok", "warning", "failure", "skipped"]
Trusted = Literal["system", "planner.yaml", "spec", ""]
Problem = Literal["", "expired", "early", "name", "authority"]
Fact = str | int | bool | Sequence[str] | None
_SOON = timedelta(days=30)
STEPS = (
    "proxy",
    "name",
    "connection",
    "tls",
    "api",
    "clock",
    "product",
    "credentials",
    "login",
    "pull",
    "quota",
)


class Step(NamedTuple):
    """One step. ``hint`` is what to do; ``facts`` are for programs."""

    name: str
    verdict: Verdict
    text: str
    hint: str = ""
    facts: Mapping[str, Fact] = {}


class Examined(NamedTuple):
    """One registry: ``url`` is what is contacted for it."""

    registry: str
    url: str
    steps: tuple[Step, ...]

    @property
    def is_usable(self) -> bool:
        """Whether no step failed."""
        return all(step.verdict != "failure" for step in self.steps)

    @property
    def first(self) -> Step | None:
        """What to look at first: the failure, or else the first warning."""
        bad = (step for step in self.steps if step.verdict in ("failure", "warning"))
        return min(bad, key=lambda step: step.verdict != "failure", default=None)


class Seen(NamedTuple):
    """A TLS server. ``chain`` counts the certificates that it sent, 0 when that is not known.

    ``trusted`` says whose authorities vouch for it, ``problem`` why none of them does, ``said`` the same in OpenSSL's words.
    """

    protocol: str
    certificate: Certificate
    chain: int
    trusted: Trusted = ""
    problem: Problem = ""
    said: str = ""


_OWN_CA = "give the authority as tls.ca_file under registries.{host} in planner.yaml"


def no_tls(error: Exception, host: str) -> Step:
    """Why there was no handshake; ``host`` as planner.yaml names it."""
    if isinstance(error, ssl.SSLError) and "CERTIFICATE_REQUIRED" in str(error):
        hint = f"give tls.cert_file and tls.key_file under registries.{host} in planner.yaml"
        return Step("tls", "failure", "it asks for a client certificate", hint)
    if isinstance(error, ssl.SSLError | ValueError | ConnectionError):
        hint = (
            f"if it really is plain HTTP: plain_http: true under registries.{host} in planner.yaml"
        )
        return Step("tls", "failure", "it does not speak TLS", hint)
    hint = "look at the proxy and at what stands before the registry"
    return Step("tls", "failure", f"no TLS connection ({type(error).__name__})", hint)


def judged(seen: Seen, host: str, now: datetime, *, skips: bool) -> Step:
    """What the certificate of ``host`` is worth at a time; ``skips``: nobody is to verify it."""
    certificate = seen.certificate
    until = f"{certificate.not_after:%Y-%m-%d}"
    facts: dict[str, Fact] = {
        "protocol": seen.protocol,
        "subject": certificate.subject,
        "issuer": certificate.issuer,
        "chain": seen.chain,
        "not_before": certificate.not_before.isoformat(),
        "not_after": certificate.not_after.isoformat(),
        "names": certificate.names,
        "trusted_by": "skipped" if skips else seen.trusted,
    }
    who = certificate.subject or ", ".join(certificate.names)
    chain = f" (chain of {seen.chain})" if seen.chain else ""
    what = f"{seen.protocol}, {who} by {certificate.issuer}{chain}, until {until}"
    if skips:
        problem = f"; it would fail: {_PROBLEMS[seen.problem]}" if seen.problem else ""
        text = f"{what}, not verified (insecure_skip_verify){problem}"
        return Step("tls", "warning", text, "remove insecure_skip_verify, and give ca_file", facts)
    if seen.problem:
        text = f"{_reason(seen, host)}: {what}"
        return Step("tls", "failure", text, _advice(seen, host), facts)
    text = f"{what}, trusted by {_TRUSTED[seen.trusted]}"
    left = certificate.not_after - now
    if left < _SOON:
        text = f"ends in {plural(max(0, left.days), 'day')}: {text}"
        return Step("tls", "warning", text, "renew the certificate", facts)
    return Step("tls", "ok", text, facts=facts)


_TRUSTED = {
    "system": "the system's authorities",
    "planner.yaml": "ca_file of planner.yaml",
    "spec": "the authority that the spec gives",
    "": "nobody",
}
_PROBLEMS = {
    "expired": "a certificate has expired",
    "early": "a certificate is not valid yet",
    "name": "it is for other hosts",
    "authority": "nobody trusted vouches for it",
}


def _reason(seen: Seen, host: str) -> str:
    names = ", ".join(seen.certificate.names) or "no host at all"
    if seen.problem == "name":
        return f"the certificate is for {names}, not for {split_port(host)[0]}"
    if seen.problem == "authority" and seen.said:
        return f"{_PROBLEMS['authority']} ({seen.said})"
    return _PROBLEMS[seen.problem]


def _advice(seen: Seen, host: str) -> str:
    match seen.problem:
        case "expired":
            return "renew the certificate; look at this machine's clock, too"
        case "early":
            return "look at this machine's clock"
        case "name":
            return "ask for it by a name that the certificate has, or have one made for this name"
        case _:
            return _OWN_CA.format(host=host)
