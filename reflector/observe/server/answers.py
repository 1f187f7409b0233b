"""What handlers of the API share: reading a question, and answers that delay nobody's KEEPALIVE."""

import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from ipaddress import IPv6Address, ip_address, ip_network
from typing import Final, TypeVar

from aiohttp import hdrs, web

from reflector.bgp.nlri import IPNetwork
from reflector.observe.server.pace import PACE
from reflector.observe.views import View
from reflector.rib.source import IPAddress

# How long the loop may be held at a stretch while a long answer is made.
_SLICE_S: Final = 0.002

# More digits than any number that is asked for has; of thousands, Python refuses to make a number.
_MAX_DIGITS: Final = 12

_T = TypeVar("_T")


# Reading a question.


def number(request: web.Request, name: str, default: int, least: int, most: int) -> int:
    """A number that is asked for, or its default.

    Raises:
        HTTPBadRequest: It is none, or out of bounds.
    """
    text = request.query.get(name)
    if text is None:
        return default
    known = len(text) <= _MAX_DIGITS and text.isascii() and text.isdigit()
    if not known or not least <= int(text) <= most:
        raise problem(400, f"{name}: {text[:40]!r} is not a number from {least} to {most}")
    return int(text)


def read_address(request: web.Request) -> IPAddress:
    """The address in the path.

    Raises:
        HTTPBadRequest: It is none.
    """
    return to_address(request.match_info["address"])


def to_address(text: str) -> IPAddress:
    """An address out of a question.

    Raises:
        HTTPBadRequest: It is none.
    """
    try:
        return ip_address(text)
    except ValueError:
        raise problem(400, f"{text!r} is not an IP address") from None


def read_prefix(text: str) -> IPNetwork | IPAddress:
    """A prefix or an address out of a question.

    Raises:
        HTTPBadRequest: It is neither.
    """
    try:
        return ip_network(text) if "/" in text else ip_address(text)
    except ValueError as error:
        raise problem(400, f"no prefix and no address: {error}") from None


def end_of(request: web.Request, name: str) -> IPAddress | None:
    """The address of an end of the connection that a question came over.

    Args:
        request: The question.
        name: "sockname" for the address of ours that whoever asks has reached, "peername" for theirs.

    Returns:
        None over the control socket.
    """
    transport = request.transport
    end = None if transport is None else transport.get_extra_info(name)
    if not isinstance(end, tuple):
        return None
    address = ip_address(end[0].partition("%")[0])
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        return address.ipv4_mapped
    return address


# Answers.


async def send_list(request: web.Request, name: str, items: Iterator[View]) -> web.StreamResponse:
    """Send `{name: [items]}` as it is made."""

    def pieces() -> Iterator[str]:
        yield f'{{"{name}": ['
        separator = "\n"
        for item in items:
            yield separator + json.dumps(item)
            separator = ",\n"
        yield "\n]}\n"

    return await send(request, pieces(), "application/json; charset=utf-8")


async def send(
    request: web.Request, pieces: Iterator[str] | Iterator[bytes], content_type: str
) -> web.StreamResponse:
    """Send text or octets as they are made, pausing for the rest of the reflector."""
    pace = request.app[PACE]
    octets = (piece.encode() if isinstance(piece, str) else piece for piece in pieces)
    response = web.StreamResponse(headers={"Content-Type": content_type})
    if await head_alone(request, response):
        return response
    async with pace.answering(request) as answer:
        await response.prepare(request)
        more = True
        while more:
            async with pace.turn():
                parts, more = _some(octets)
            with answer.writing():
                await response.write(b"".join(parts))
        await response.write_eof()
    return response


async def head_alone(request: web.Request, response: web.StreamResponse) -> bool:
    """Send what is all of an answer to a HEAD (RFC 9110 9.3.2).

    What is written piece by piece would go out behind the head, and be read as the next answer.

    Returns:
        Whether the question was a HEAD.
    """
    if request.method != hdrs.METH_HEAD:
        return False
    await response.prepare(request)
    await response.write_eof()
    return True


async def send_view(
    request: web.Request, make: Callable[[], Awaitable[View]]
) -> web.StreamResponse:
    """Send a view that is long, or long in the making.

    Args:
        request: Who has asked.
        make: Makes it when it is its turn.
    """
    pace = request.app[PACE]
    async with pace.answering(request) as answer:
        view = await make()
        async with pace.turn():
            response = web.json_response(view)
        await response.prepare(request)
        with answer.writing():
            await response.write_eof()
    return response


async def paced(request: web.Request, items: Iterator[_T]) -> AsyncIterator[_T]:
    """Go through items, pausing for the rest of the reflector."""
    pace = request.app[PACE]
    more = True
    while more:
        async with pace.turn():
            some, more = _some(items)
        for each in some:
            yield each


def _some(items: Iterator[_T]) -> tuple[list[_T], bool]:
    """The items that can be made in a moment, and whether there may be more."""
    until_s = time.monotonic() + _SLICE_S
    some: list[_T] = []
    for item in items:
        some.append(item)
        if time.monotonic() >= until_s:
            return some, True
    return some, False


def problem(status: int, message: str) -> web.HTTPException:
    """What is wrong with a question, to be raised: 404 or 400, and a sentence."""
    kind = web.HTTPNotFound if status == web.HTTPNotFound.status_code else web.HTTPBadRequest
    return kind(text=json.dumps({"error": message}), content_type="application/json")
