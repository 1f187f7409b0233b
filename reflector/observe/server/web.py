"""The live page: static files beside the API, and the care that a browser needs.

A page of somebody else must neither show this one in a frame nor read it under a name that it has had
resolved to our address (DNS rebinding), and what peers say of themselves must never run as script.
"""

import socket
from importlib.resources import files
from ipaddress import ip_address
from typing import Final

from aiohttp import web

from reflector.observe.reflector import Reflector
from reflector.observe.server.api import Handler, Server
from reflector.observe.server.api import serve as serve_api

# Each open page holds one connection for its events, and asks over one or two more.
_MAX_VISITORS: Final = 512

_FILES: Final = {
    "/": ("index.html", "text/html"),
    "/page.css": ("page.css", "text/css"),
    "/page.js": ("page.js", "text/javascript"),
    "/roll.js": ("roll.js", "text/javascript"),
    "/routes.js": ("routes.js", "text/javascript"),
    "/messages.js": ("messages.js", "text/javascript"),
    "/controls.js": ("controls.js", "text/javascript"),
    "/looks.js": ("looks.js", "text/javascript"),
    "/icon.svg": ("icon.svg", "image/svg+xml"),
}

_HEADERS: Final = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
        "img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}


async def serve(listener: socket.socket, reflector: Reflector) -> Server:
    """Serve the page and the API on a listening socket.

    Returns:
        What is to be cleaned up at the end.
    """
    return await serve_api(listener, reflector, _MAX_VISITORS, _configure)


def is_our_name(host: str) -> bool:
    """Whether a Host header can't be a name that somebody else has resolved to our address.

    Args:
        host: As it came, with or without port.
    """
    name = host.rpartition(":")[0] if host.rpartition(":")[2].isdecimal() else host
    name = name.removesuffix(".").lower()
    if name.startswith("[") and name.endswith("]"):
        name = name[1:-1]
    try:
        ip_address(name)
    except ValueError:
        ours = socket.gethostname().lower()
        short = ours.partition(".")[0]
        return name.endswith(".localhost") or name in ("localhost", ours, short, f"{short}.local")
    return True


def _configure(application: web.Application) -> None:
    application.middlewares.insert(0, _careful)
    application.on_response_prepare.append(_add_headers)
    application.add_routes([web.get(path, _file(*of)) for path, of in _FILES.items()])


@web.middleware
async def _careful(request: web.Request, handler: Handler) -> web.StreamResponse:
    if not is_our_name(request.headers.get("Host", "")):
        return web.json_response(
            {"error": "ask by this machine's address or by its own host name"}, status=421
        )
    return await handler(request)


async def _add_headers(_: web.Request, response: web.StreamResponse) -> None:
    for name, value in _HEADERS.items():
        response.headers.setdefault(name, value)
    response.headers.setdefault("Cache-Control", "no-cache")


def _file(name: str, content_type: str) -> Handler:
    body = (files("reflector.observe") / "page" / name).read_bytes()

    async def answer(_: web.Request) -> web.Response:
        return web.Response(body=body, content_type=content_type, charset="utf-8")

    return answer
