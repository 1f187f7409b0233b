"""The page by keyboard alone, in a real browser, while the class goes on."""

from __future__ import annotations

import asyncio
from ipaddress import ip_address

import pytest

from reflector.observe.server.http import HttpServer
from tests.support.browser import chromium
from tests.support.reflector_process import free_port
from tests.unit.observe.scene import Scene

pytestmark = pytest.mark.web

FOCUSED = "(document.activeElement.ariaLabel || document.activeElement.textContent)"


def test_who_walks_through_the_nodes_keeps_the_place_while_they_change() -> None:
    asyncio.run(_walk())


async def _walk() -> None:
    scene = Scene()
    nodes = [scene.join(f"10.0.0.{number}", f"node-{number}") for number in range(1, 4)]
    for number, node in enumerate(nodes, 1):
        scene.announce(node, f"10.{number}.0.0/24")
    server = HttpServer(ip_address("127.0.0.1"), free_port(), scene)
    await server.start()
    try:
        async with chromium() as page:
            await page.open(server.url)
            await page.until("document.querySelectorAll('.node .control').length === 3")
            await page.run("document.querySelectorAll('.node .name')[1].focus()")
            for change, place in enumerate(("node-2", "Drop session of node-2"), 1):
                assert await page.run(FOCUSED) == place
                scene.announce(nodes[1], f"10.2.{change}.0/24")
                await page.until(
                    "document.querySelectorAll('.node')[1].textContent"
                    f".includes('10.2.{change}.0/24')"
                )
                assert await page.run(FOCUSED) == place
                await page.press("Tab", 9)
            # Who isn't there stays where they are.
            await page.run("document.getElementById('search').focus()")
            scene.announce(nodes[1], "10.2.9.0/24")
            await page.until(
                "document.querySelectorAll('.node')[1].textContent.includes('10.2.9.0/24')"
            )
            assert await page.run("document.activeElement.id") == "search"
            assert page.complaints == []
    finally:
        await server.stop()
