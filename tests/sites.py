"""Where a product stands, for tests of one product alone: behind a ``Front``, greeted as planner greets it."""

from __future__ import annotations

from planner.config import Tls
from planner.stores.credentials import Credentials
from planner.stores.greeting import Greeting
from planner.stores.http import Connection
from planner.stores.products.product import Site
from tests.fakes.front import Front
from tests.making import IMPATIENT

PASSWORD = "secret"


def site_of(front: Front, user: str = "", password: str = PASSWORD, *, api: str = "") -> Site:
    """The site of a front, logged in as ``user``; without one, with no credentials."""
    found = Credentials("the test", user, password) if user else None
    return Site("r.corp", front.url, greet(front.url), connect, lambda: found, api)


def connect(base: str) -> Connection:
    """A connection that does not wait between its tries."""
    return Connection(base, Tls(), 4, IMPATIENT)


def greet(base: str) -> Greeting:
    """What is answered to the first request."""
    response = connect(base).send("GET", "v2/")
    headers = {name.lower(): value for name, value in response.headers.items()}
    return Greeting(response.status_code, headers, response.content)
