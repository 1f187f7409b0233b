"""The presenter's buttons, in a real browser: there for who may press them, and seen by all."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from reflector import sim
from tests.support.browser import Page, chromium
from tests.support.reflector_process import free_port
from tests.web.test_page import CONTRAST, SIZES

pytestmark = pytest.mark.web

BANNER = "document.getElementById('banner')"
BUTTONS = "[...document.querySelectorAll('button.control')].map((each) => each.ariaLabel)"

# Buttons of which a cluster's box, its padding included, doesn't show all.
CUT_OFF = """[...document.querySelectorAll('.cluster .control')].filter((button) =>
  button.getBoundingClientRect().right > button.closest('.cluster').getBoundingClientRect().right - 2)
  .map((button) => button.ariaLabel)"""


class Class:
    """Two nodes of a cluster and one of another, with a page."""

    def __init__(self, reflector: sim.RunningReflector, peers: sim.Blocking, url: str) -> None:
        self.url = url
        self.nodes = {}
        for name, cluster, number in (("anna-1", 1, 1), ("anna-2", 1, 2), ("ben-1", 2, 1)):
            node = peers.connect(
                *reflector.address,
                profile=sim.kube_router(node_name=name),
                source=f"127.0.{cluster}.{number + 10}",
                router_id=f"10.0.{cluster}.{number}",
            )
            node.announce(f"10.{cluster}.{number}.0/24")
            self.nodes[name] = node
        self.nodes["anna-1"].route("10.2.1.0/24")


@contextmanager
def room(*arguments: str) -> Iterator[Class]:
    http = f"127.0.0.1:{free_port()}"
    with sim.RunningReflector(*arguments, http=http) as reflector, sim.Blocking() as peers:
        yield Class(reflector, peers, f"http://{http}/")


async def _open(page: Page, made: Class) -> None:
    await page.open(made.url, 1280, 800)
    await page.until("document.querySelectorAll('.node.up').length === 3")


async def _fits(page: Page, made: Class) -> None:
    """It is legible on every screen, buttons and banner included."""
    for width, height in SIZES.values():
        for theme in ("light", "dark"):
            await page.open(f"{made.url}?theme={theme}&scale=1", width, height)
            await page.until("document.querySelectorAll('button.control').length >= 5")
            await page.until(f"!{BANNER}.hidden")
            await page.until("document.getAnimations().every((a) => a.playState !== 'running')")
            assert await page.run(CONTRAST) == [], (width, theme)
            assert await page.violations() == [], (width, theme)
            overhang = "document.documentElement.scrollWidth - window.innerWidth"
            assert await page.run(overhang) <= 0, (width, theme)
        await page.open(f"{made.url}?scale=2", width, height)
        await page.until("document.querySelectorAll('button.control').length >= 5")
        await page.until(f"!{BANNER}.hidden")
        assert await page.run(CUT_OFF) == [], width
        assert await page.run(overhang) <= 0, width


async def _press(page: Page, name: str) -> None:
    """Press the button of this name, by its label or its text."""
    await page.until(
        "(() => { const found = [...document.querySelectorAll('button')].find((each) => "
        f"!each.hidden && (each.ariaLabel === '{name}' || each.textContent === '{name}'));"
        " if (found) found.click(); return Boolean(found); })()"
    )


def test_a_cluster_is_disconnected_and_connected_by_buttons() -> None:
    with room("--http-controls", "127.0.0.1") as made:
        asyncio.run(_steer(made))


async def _steer(made: Class) -> None:
    anna, ben = made.nodes["anna-1"], made.nodes["ben-1"]
    async with chromium() as page:
        await _open(page, made)
        await _press(page, "Disconnect 10.1.0.0/16")
        await page.until(f"{BANNER}.innerText.includes('10.1.0.0/16 is disconnected')")
        await asyncio.to_thread(anna.no_route, "10.2.1.0/24")
        await asyncio.to_thread(ben.no_route, "10.1.1.0/24")
        await asyncio.to_thread(anna.route, "10.1.2.0/24")
        await page.until("document.body.innerText.includes('10.1.0.0/16 ✂ disconnected')")
        await page.until("document.querySelector('.problem').innerText.includes('is disconnected')")
        pictures = os.environ.get("BGP_REFLECTOR_SCREENSHOTS")
        if pictures:
            await page.until("document.getAnimations().every((a) => a.playState !== 'running')")
            await page.screenshot(Path(pictures) / "page-disconnected.png")
        await _fits(page, made)
        await _press(page, "Connect 10.1.0.0/16")
        await page.until(f"{BANNER}.hidden")
        await asyncio.to_thread(anna.route, "10.2.1.0/24")
        await _press(page, "Hide debug route")
        await page.until(f"{BANNER}.innerText.includes('The debug route is hidden')")
        await asyncio.to_thread(anna.no_route, "1.0.0.2/32")
        await _press(page, "Show it")
        await page.until(f"{BANNER}.hidden")
        await asyncio.to_thread(anna.route, "1.0.0.2/32")
        await _press(page, "Drop session of ben-1")
        await page.until("document.querySelectorAll('.node.left').length === 1")
        assert page.complaints == []


def test_who_may_not_sees_no_button_and_is_told_what_is_off() -> None:
    with room() as made:
        asyncio.run(_watch(made))


async def _watch(made: Class) -> None:
    async with chromium() as page:
        await _open(page, made)
        assert await page.run(BUTTONS) == []
        assert await page.run("document.getElementById('debug-route').hidden")
        # Whoever sends the order all the same is refused, and told so.
        await page.run("giveOrder('own-routes', { hidden: true })")
        await page.until(f"{BANNER}.innerText.includes('this address may not do that')")
        assert made.nodes["anna-1"].route("1.0.0.2/32")
