"""The picture of the clusters around the reflector, in a real browser."""

from __future__ import annotations

import asyncio
from ipaddress import ip_address

import pytest

from reflector.observe.server.http import HttpServer
from tests.support.browser import chromium
from tests.support.reflector_process import free_port
from tests.unit.observe.scene import Scene

pytestmark = pytest.mark.web

# What covers what: a text may stand wholly within a shape, as the number of a cluster's nodes does.
COVERED = """(() => {
  const box = (each) => each.getBoundingClientRect();
  const meet = (a, b) => Math.min(a.right, b.right) - Math.max(a.left, b.left) > 1
    && Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top) > 1;
  const holds = (a, b) => a.left <= b.left && a.right >= b.right && a.top <= b.top && a.bottom >= b.bottom;
  const drawn = [...document.querySelectorAll('#picture text, #picture circle, #picture rect')];
  const whole = box(document.getElementById('picture'));
  const found = [];
  drawn.forEach((one, index) => {
    if (!holds(whole, box(one))) found.push(`${one.textContent || one.tagName} is cut off`);
    for (const other of drawn.slice(index + 1)) {
      const [a, b] = [box(one), box(other)];
      const inside = one.tagName !== 'text' && other.tagName === 'text' && holds(a, b);
      if (meet(a, b) && !inside) found.push(`${one.textContent || one.tagName} and ${other.textContent || other.tagName}`);
    }
  });
  return found;
})()"""


def test_every_clusters_name_can_be_read_however_many_there_are() -> None:
    asyncio.run(_read())


async def _read() -> None:
    scene = Scene()
    server = HttpServer(ip_address("127.0.0.1"), free_port(), scene)
    await server.start()
    try:
        async with chromium() as page:
            for number in range(1, 31):
                peer = scene.join(f"10.0.0.{number}", f"node-{number}")
                scene.announce(peer, f"172.{100 + number}.0.0/24")
                # Two that come last have a problem, and a place in the picture before others.
                if number == 29:
                    scene.announce(peer, "172.130.0.0/24")
                if number not in {1, 2, 3, 5, 8, 10, 11, 13, 16, 30}:
                    continue
                await page.open(server.url, 1920, 1080)
                await page.until(
                    "document.querySelectorAll('#picture circle, #picture rect').length"
                    f" === {min(number, 16) + 1}"
                )
                assert await page.run(COVERED) == [], number
            shown = "document.getElementById('picture').textContent"
            await page.until("document.querySelectorAll('#picture rect').length === 2")
            assert "and 14 more" in await page.run(shown)
            assert "172.130.0.0/16" in await page.run(shown)
            # Of more than have room the rest is counted.
            for number in range(1, 21):
                [peer] = [
                    each
                    for each in scene.speaker.peers.values()
                    if str(each.source.address) == f"10.0.0.{number}"
                ]
                scene.announce(peer, "172.130.0.0/24")
            await page.until(f"{shown}.includes('and 14 more, 6 with a problem')")
    finally:
        await server.stop()
