"""The way to one registry, step by step: what is there, what is wrong, and what to do about it first.

Nothing is written, and no right to write is asked for.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

from planner.core.errors import PlannerError, RegistryError
from planner.core.examined import STEPS, Examined, Fact, Step, judged, no_tls
from planner.core.refs import DOCKER_HUB, ImageRef
from planner.core.text import plural
from planner.stores.auth import pull
from planner.stores.opening import Stores
from planner.stores.probing import addresses, connect, look_at_tls, route_to
from planner.stores.products.detection import detect
from planner.stores.registry import Registry

# Source: distribution v2.8.2 registry/auth/token/token.go, Leeway: tokens are taken a minute early and a minute late.
_LEEWAY = 60
# Source: docker/docs content/manuals/docker-hub/usage/pulls.md: the image whose headers tell the limit; a HEAD is no pull.
_HUB = "registry-1.docker.io"
_HUBS_PROBE = ImageRef(DOCKER_HUB, "ratelimitpreview/test", "latest")
_REFUSED = frozenset({401, 403})
_NOT_TRIED = "not tried"
_USE_TLS = "if it can speak TLS, let its address begin with https://"

Clock = Callable[[], datetime]


def _now() -> datetime:
    return datetime.now(UTC)


def examine(
    registry: str, stores: Stores, probe: ImageRef | None = None, clock: Clock = _now
) -> Examined:
    """Go all the way to a registry; ``probe`` is an image to look for, there or not."""
    url = stores.places.endpoint(registry, stores.places.read_from)
    if not url.startswith("http"):
        return Examined(registry, url, (_layout(registry, stores),))
    if probe is None and urlsplit(url).netloc == _HUB:
        probe = _HUBS_PROBE
    try:
        way = _Way(registry, url, stores, probe, clock)
    except PlannerError as error:
        return Examined(registry, url, (Step("settings", "failure", error.message, error.hint),))
    steps: list[Step] = []
    for name in STEPS:
        is_blocked = bool(steps) and steps[-1].verdict in ("failure", "skipped")
        steps.append(Step(name, "skipped", _NOT_TRIED) if is_blocked else way.step(name))
    return Examined(registry, url, tuple(steps))


def _layout(registry: str, stores: Stores) -> Step:
    try:
        stores.source(registry)
    except PlannerError as error:
        return Step("folder", "failure", error.message, error.hint)
    return Step("folder", "ok", "an OCI layout, which can be read")


class _Way:
    """One registry on the way to it. Lives for one examination."""

    def __init__(
        self, registry: str, url: str, stores: Stores, probe: ImageRef | None, clock: Clock
    ) -> None:
        store = stores.source(registry)
        assert isinstance(store, Registry)  # noqa: S101 - an address is no folder
        self._registry = registry
        self._stores = stores
        self._store = store
        self._settings = stores.settings(registry, url)
        self._route = route_to(store.base)
        self._probe = probe
        self._time = clock
        self._host = urlsplit(store.base).netloc

    def step(self, name: str) -> Step:
        looks: Mapping[str, Callable[[], Step]] = {
            "proxy": self._proxy,
            "name": self._name,
            "connection": self._connection,
            "tls": self._tls,
            "api": self._api,
            "clock": self._clock,
            "product": self._product,
            "credentials": self._credentials,
            "login": self._login,
            "pull": self._pull,
            "quota": self._quota,
        }
        try:
            return looks[name]()
        except PlannerError as error:
            return Step(name, "failure", error.message, error.hint)

    def _proxy(self) -> Step:
        route = self._route
        if not route.proxy:
            return Step("proxy", "ok", "none", facts={"proxy": ""})
        scheme, (host, port) = urlsplit(route.proxy).scheme, route.first
        shown = f"{scheme}://{host}:{port}"
        return Step("proxy", "ok", f"{shown}, from the environment", facts={"proxy": shown})

    def _name(self) -> Step:
        host, port = self._route.first
        try:
            found = addresses(host, port)
        except OSError as error:
            hint = f"check the spelling of {host}, this machine's DNS, and HTTPS_PROXY"
            reason = f"{host} has no address ({error.strerror or error})"
            return Step("name", "failure", reason, hint)
        text = host if found == (host,) else f"{host} is {', '.join(found)}"
        return Step("name", "ok", text, facts={"addresses": found})

    def _connection(self) -> Step:
        host, port = self._route.first
        try:
            connect(host, port)
        except OSError as error:
            reason = "nothing listens" if isinstance(error, ConnectionRefusedError) else "no answer"
            hint = (
                f"check that the registry runs, and that firewalls let this machine to port {port}"
            )
            return Step("connection", "failure", f"{reason} at {host}, port {port}", hint)
        return Step("connection", "ok", f"{host}, port {port}")

    def _tls(self) -> Step:
        if not self._route.is_tls:
            return Step("tls", "warning", "none: all is sent in the clear, passwords too", _USE_TLS)
        try:
            seen = look_at_tls(self._route, self._settings.tls)
        except (OSError, ValueError) as error:
            return no_tls(error, self._host)
        skips = self._settings.tls.insecure_skip_verify
        return judged(seen, self._host, self._time(), skips=skips)

    def _api(self) -> Step:
        self._store.greet()
        greeting, challenge = self._store.greeting, self._store.authorizer.challenge
        facts: dict[str, Fact] = {"status": greeting.status}
        if greeting.status == 200:
            return Step("api", "ok", "/v2/ answers 200: it is open", facts=facts)
        if greeting.status != 401:
            text = f"/v2/ answers {greeting.status}: no registry, or none that serves now"
            return Step("api", "failure", text, f"look at {self._store.base}/v2/", facts)
        if challenge is None:
            text = "/v2/ answers 401, and not how it wants to be asked"
            return Step("api", "failure", text, "ask its operator for Basic or Bearer", facts)
        is_basic = challenge.scheme == "basic"
        facts |= {"scheme": challenge.scheme, "service": challenge.service}
        facts |= {"server": "" if is_basic else challenge.server}
        if is_basic:
            return Step("api", "ok", "/v2/ answers 401: it wants a name and password", facts=facts)
        service = f" for {challenge.service}" if challenge.service else ""
        text = f"/v2/ answers 401: it wants tokens of {challenge.server}{service}"
        return Step("api", "ok", text, facts=facts)

    def _clock(self) -> Step:
        try:
            theirs = parsedate_to_datetime(self._store.greeting.headers.get("date", ""))
            skew = round((theirs - self._time()).total_seconds())
        except (ValueError, TypeError):
            return Step("clock", "ok", "the registry does not tell the time")
        facts = {"skew_seconds": skew}
        if abs(skew) <= _LEEWAY:
            return Step("clock", "ok", "within a minute of the registry's", facts=facts)
        way = "ahead of" if skew < 0 else "behind"
        text = f"this machine is {plural(abs(skew), 'second')} {way} the registry"
        hint = "set the clocks by NTP: tokens and certificates are valid by the clock"
        return Step("clock", "warning", text, hint, facts)

    def _product(self) -> Step:
        said = self._settings.product
        name = said or detect(self._host, self._store.greeting)
        origin = "as planner.yaml says" if said else "by its answers"
        return Step("product", "ok", f"{name}, {origin}", facts={"product": name})

    def _credentials(self) -> Step:
        entries = self._store.authorizer.keyring.entries
        found = [f"{each.origin}{f' for {name}/…' if name else ''}" for name, each in entries]
        facts = {"origins": tuple(found)}
        if found:
            return Step("credentials", "ok", f"from {', '.join(found)}", facts=facts)
        if self._store.authorizer.challenge is None:
            return Step("credentials", "ok", "none, and none are asked for", facts=facts)
        return Step(
            "credentials", "warning", "none: it is asked as a stranger", self._log_in, facts
        )

    @property
    def _log_in(self) -> str:
        return f"docker login {self._host}, or credentials.helper in planner.yaml"

    @property
    def _repository(self) -> str:
        return self._store.path_of(self._probe.repository) if self._probe else ""

    def _login(self) -> Step:
        challenge, authorizer = self._store.authorizer.challenge, self._store.authorizer
        if challenge is None:
            return Step("login", "ok", "not needed")
        credentials = authorizer.credentials_for(self._repository)
        if challenge.scheme == "basic" and not credentials:
            return Step("login", "failure", "it lets no stranger in", self._log_in)
        scope = pull(self._repository) if self._repository else ()
        who = authorizer.describe(self._repository)
        granted = _granted(authorizer.header(scope).get("Authorization", ""))
        facts = {"granted": granted}
        if challenge.scheme == "bearer" and (self._repository or not credentials):
            words = f", for {'; '.join(granted)}" if granted else ""
            return Step("login", "ok", f"a token is given out with {who}{words}", facts=facts)
        status = self._store.admission(scope)
        if status != 200:
            text = f"{status} with {who}"
            return Step("login", "failure", text, self._log_in, {"status": status})
        return Step("login", "ok", f"accepted with {who}", facts=facts)

    def _pull(self) -> Step:
        probe = self._probe
        if not probe:
            return Step("pull", "ok", "no image is known to look for")
        try:
            found = self._store.head(probe.repository, probe.reference)
        except RegistryError as error:
            if error.status in _REFUSED and (lacking := self._lacking()):
                return Step("pull", "ok", f"{lacking}: nothing can be looked for yet")
            raise
        name = f"{self._repository}:{probe.tag}" if probe.tag else self._repository
        text = f"{name} is there" if found else f"{name} may be looked for, and is not there"
        return Step("pull", "ok", text, facts={"image": name, "found": found is not None})

    def _lacking(self) -> str:
        """The namespace that is not there, in words: some products then refuse whoever asks, whatever the login."""
        try:
            product = self._stores.product(self._registry)
            home = product.namespace(self._repository)
            is_missing = home and product.standings([home])[home].state == "missing"
        except PlannerError:
            return ""
        return f"{product.title} has no {product.word} {home!r}" if is_missing else ""

    def _quota(self) -> Step:
        quota = self._store.quota
        if quota is None:
            return Step("quota", "ok", "none that the registry tells of")
        facts = dict(quota._asdict())
        window = f" in {quota.window // 3600} h" if quota.window >= 3600 else ""
        text = f"{quota.remaining} of {plural(quota.limit, 'pull')} left{window}"
        if quota.remaining:
            return Step("quota", "ok", text, facts=facts)
        return Step("quota", "failure", text, f"wait, or log in: {self._log_in}", facts)


def _granted(header: str) -> tuple[str, ...]:
    """What a token says that it is good for; nothing when it does not say, as tokens need not.

    Source: distribution docs/spec/auth/jwt.md, the claim ``access``.
    """
    try:
        body = header.removeprefix("Bearer ").split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(f"{body}{'=' * (-len(body) % 4)}"))
        return tuple(_grants(claims["access"]))
    except (ValueError, IndexError, KeyError, TypeError, AttributeError, RecursionError):
        return ()


def _grants(access: Sequence[Mapping[str, object]]) -> Iterator[str]:
    for each in access:
        actions = each.get("actions")
        if isinstance(actions, list) and actions:
            yield f"{','.join(map(str, actions))} on {each.get('name')}"
