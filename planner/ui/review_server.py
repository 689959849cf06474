"""The review in a browser: textual-serve behind a door of our own.

It listens on the loopback interface alone. Every path begins with a random token; whatever else is asked for is not found.
``Host`` must be a name of the loopback interface, and ``Origin``, where a browser sends one, the same place: a page from
elsewhere reaches nothing, even when it has its own name point here. The page loads nothing from anywhere else.

Source of what is replaced: Textualize/textual-serve 1.1.3, src/textual_serve/server.py:106-122 (routes without a token)
and templates/app_index.html:6-9 (a font from fonts.googleapis.com).
"""

from __future__ import annotations

import asyncio
import hmac
import html
import ipaddress
import secrets
import shlex
import signal
import sys
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from urllib.parse import urlsplit

from aiohttp import web
from textual_serve.server import Server

from planner.core.errors import DONE, UsageError

_HOST = "127.0.0.1"
_ENOUGH = 1.0  # seconds that whoever is connected has to take leave
_COOKIE = "planner-review"
_ASSETS = ("js/textual.js", "css/xterm.css", "fonts/RobotoMono-VariableFont_wght.ttf")
_HEADERS = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; connect-src 'self'; font-src 'self';"
    " style-src 'self' 'unsafe-inline'; img-src 'self' data:; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
}
_PAGE = """\
<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>planner review</title>
<link rel="stylesheet" href="static/css/xterm.css">
<script src="static/js/textual.js"></script>
<script src="static/focus.js"></script>
<style>
@font-face {{ font-family: "Roboto Mono"; src: url("static/fonts/RobotoMono-VariableFont_wght.ttf"); }}
body {{ background: #000; color: #ccc; margin: 0; font-family: "Roboto Mono", monospace; }}
p {{ position: absolute; z-index: 10; margin: 2em; }}
.textual-terminal {{ width: 100vw; height: 100vh; }}
body.-first-byte #wait, #end {{ display: none; }}
body.-closed #end {{ display: block; background: #000; padding: 1em; }}
</style>
</head>
<body>
<p id="wait">The review starts …</p>
<p id="end" role="status">The review has ended. <a href="./" style="color: inherit">Start it again</a></p>
<div id="terminal" class="textual-terminal" data-session-websocket-url="{websocket}" data-font-size="14"></div>
</body>
</html>
"""

# textual.js leaves the focus where it is, so that no key would be heard before somebody clicks.
_FOCUS = """\
const waiting = setInterval(() => {
  const keys = document.querySelector("#terminal textarea");
  if (keys) { clearInterval(waiting); keys.focus(); }
}, 20);
"""

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def serve(command: Sequence[str], port: int) -> int:
    """Serve the command's screen, one process for each page that is opened, until Ctrl-C. Port 0 takes a free one.

    Raises:
        UsageError: the port is taken.
    """
    return asyncio.run(_serve(ReviewServer(shlex.join(command)), port))


async def _serve(server: ReviewServer, port: int) -> int:
    runner = web.AppRunner(
        server.application(), access_log=None, handle_signals=False, shutdown_timeout=_ENOUGH
    )
    end = _told_to_end()
    await runner.setup()
    try:
        await web.TCPSite(runner, _HOST, port).start()
        _announce(server.token, runner.addresses[0][1])
        await end.wait()
    except OSError as error:
        message = f"port {port} of {_HOST} cannot be used: {error.strerror or error}"
        raise UsageError(message, "leave --port out, or name another one") from error
    finally:
        await runner.cleanup()
    return DONE


def _announce(token: str, port: int) -> None:
    sys.stdout.write(
        f"http://{_HOST}:{port}/{token}/\n"
        "Whoever knows this address sees the review; Ctrl-C ends it.\n"
        f"From another machine: ssh -N -L {port}:{_HOST}:{port} HOST, then open the same address there.\n"
    )
    sys.stdout.flush()


def _told_to_end() -> asyncio.Event:
    """Set by Ctrl-C and SIGTERM from now on."""
    told = asyncio.Event()
    loop = asyncio.get_running_loop()
    for each in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(each, told.set)
    return told


class ReviewServer(Server):
    """What is served, and to whom."""

    def __init__(self, command: str) -> None:
        super().__init__(command, host=_HOST, title="planner review")
        self.token = secrets.token_urlsafe(32)

    def application(self) -> web.Application:
        """All there is to ask for."""
        app = web.Application(middlewares=[self._guard])
        app.add_routes(
            [
                web.get("/{token}/", self._page),
                web.get("/{token}/ws", self._screen),
                web.get("/{token}/static/focus.js", self._focus),
                web.get("/{token}/static/{name:.+}", self._asset),
                # Its script looks for downloads here, without the token: the page's cookie takes its place.
                web.get("/download/{key}", self.handle_download),
            ]
        )
        return app

    @web.middleware
    async def _guard(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Who does not know the token learns nothing, not even what there is."""
        if not self._is_ours(request):
            return web.Response(status=404, text="not found\n", headers=_HEADERS)
        try:
            return await handler(request)
        except web.HTTPException as error:
            return web.Response(status=error.status, text="not found\n", headers=_HEADERS)

    def _is_ours(self, request: web.Request) -> bool:
        host, origin = request.headers.get("Host", ""), request.headers.get("Origin")
        if not is_loopback(host) or origin not in (None, f"http://{host}"):
            return False
        given = request.match_info.get("token") or (
            request.cookies.get(_COOKIE, "") if request.path.startswith("/download/") else ""
        )
        return hmac.compare_digest(given.encode(), self.token.encode())

    async def _page(self, request: web.Request) -> web.StreamResponse:
        """The page, which speaks to wherever it was loaded from."""
        address = f"ws://{request.headers['Host']}/{self.token}/ws"
        text = _PAGE.format(websocket=html.escape(address, quote=True))
        response = web.Response(text=text, content_type="text/html", headers=_HEADERS)
        response.set_cookie(_COOKIE, self.token, path="/download", httponly=True, samesite="Strict")
        return response

    async def _focus(self, _request: web.Request) -> web.StreamResponse:
        return web.Response(text=_FOCUS, content_type="text/javascript", headers=_HEADERS)

    async def _screen(self, request: web.Request) -> web.StreamResponse:
        """The screen's traffic. Every browser says where its page is from, so who does not is none."""
        if "Origin" not in request.headers or not web.WebSocketResponse().can_prepare(request):
            raise web.HTTPNotFound
        return await self.handle_websocket(request)

    async def _asset(self, request: web.Request) -> web.StreamResponse:
        """One of the files that the page needs."""
        name = request.match_info["name"]
        if name not in _ASSETS:
            raise web.HTTPNotFound
        return web.FileResponse(Path(self.statics_path, name), headers=_HEADERS)


def is_loopback(host: str) -> bool:
    """Whether a ``Host`` header names this machine as it sees itself; the port may be that of a tunnel."""
    try:
        name = urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return False
    if name == "localhost":
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False
