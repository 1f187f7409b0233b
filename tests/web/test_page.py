"""The live page in a real Chromium, against a running reflector with real and simulated peers.

Where BGP_REFLECTOR_SCREENSHOTS names a folder, the pictures of the documentation are left there.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from ipaddress import ip_address
from pathlib import Path

import pytest

from reflector import sim
from reflector.observe.server.http import HttpServer
from tests.support.browser import Page, chromium
from tests.support.gobgp import GoBgp
from tests.support.peer import Announcement, PeerSettings
from tests.support.reflector_process import ReflectorProcess, ReflectorSettings, free_port
from tests.unit.observe.scene import Scene

pytestmark = pytest.mark.web

EVIL = "<img src=x onerror=document.title=1><b>evil</b>"
SIZES = {"projector": (1280, 800), "xga": (1024, 768), "wide": (1920, 1080), "phone": (390, 844)}
STUDENTS = ("anna", "ben", "carla", "dora")

TOP_OF_ROLL = (
    "(document.getElementById('roll').getBoundingClientRect().top"
    " - document.querySelector('.top').getBoundingClientRect().bottom)"
)
# Clusters whose network doesn't stand in one line.
TORN_NUMBERS = """[...document.querySelectorAll('.cluster h3 b')]
  .filter((b) => b.getClientRects().length && b.offsetHeight > 2 * parseFloat(getComputedStyle(b).fontSize))
  .map((b) => b.textContent)"""

# The least contrast of WCAG 2.1 AA for text, of everything that is in the page.
CONTRAST = """(() => {
  const rgb = (text) => text.match(/[0-9.]+/g).map(Number);
  const light = (color) => color.slice(0, 3).map((c) => c / 255)
    .map((c) => (c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4))
    .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
  const faint = [];
  for (const element of document.querySelectorAll("body *")) {
    if (element.closest("svg, noscript, dialog:not([open]), .skip") || !element.checkVisibility()) continue;
    if (![...element.childNodes].some((n) => n.nodeType === 3 && n.textContent.trim())) continue;
    let behind = element, back;
    do { back = rgb(getComputedStyle(behind).backgroundColor); behind = behind.parentElement; }
    while (back[3] === 0 && behind);
    const [a, b] = [light(rgb(getComputedStyle(element).color)), light(back)];
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (ratio < 4.5) faint.push(`${element.className} ${element.textContent} ${ratio}`);
  }
  return faint;
})()"""


class Class:
    """A reflector with its page, two real GoBGPs and a few simulated kube-routers."""

    def __init__(self, directory: Path) -> None:
        self.port, http = free_port(), free_port()
        self.url = f"http://127.0.0.1:{http}/"
        self.reflector = ReflectorProcess(
            ReflectorSettings(
                directory=directory / "reflector",
                listen=("127.0.0.1",),
                port=self.port,
                arguments=("--http", f"127.0.0.1:{http}"),
            )
        )
        self.gobgps = [
            GoBgp(
                PeerSettings(
                    name=f"gobgp-{number}",
                    directory=directory / f"gobgp-{number}",
                    local_address=f"127.0.9.{number}",
                    reflector_address="127.0.0.1",
                    reflector_port=self.port,
                    announcements=(
                        Announcement(prefix=f"10.9.{number}.0/24", next_hop=f"10.0.9.{number}"),
                    ),
                )
            )
            for number in (1, 2)
        ]
        self.world = sim.Blocking()

    def start(self) -> None:
        self.reflector.start()
        for gobgp in self.gobgps:
            gobgp.settings.directory.mkdir()
            gobgp.start()

    def stop(self) -> None:
        for gobgp in self.gobgps:
            gobgp.stop()
        self.world.close()
        self.reflector.stop()

    def node(self, name: str, cluster: int, number: int, asn: int = 64512) -> sim.BlockingPeer:
        """A kube-router with a pod CIDR."""
        node = self.world.connect(
            "127.0.0.1",
            self.port,
            sim.kube_router(node_name=name, asn=asn),
            source=f"127.0.{cluster}.{number + 11}",
        )
        if asn == 64512:
            node.announce(f"10.{cluster}.{number}.0/24")
        return node


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Class]:
    room = Class(tmp_path)
    room.start()
    try:
        yield room
    finally:
        room.stop()


@asynccontextmanager
async def looking_at(room: Class, query: str = "", size: str = "projector") -> AsyncIterator[Page]:
    async with chromium() as page:
        await page.open(room.url + query, *SIZES[size])
        await page.until("document.querySelectorAll('.node.up').length >= 2")
        yield page
        assert page.complaints == []


def test_the_class_arrives_errs_mends_and_leaves(room: Class) -> None:
    asyncio.run(_arrive(room))


async def _arrive(room: Class) -> None:
    async with looking_at(room) as page:
        await page.until(
            "document.getElementById('flags').textContent.includes('--peer-router-ips')"
        )
        flags = await page.run("document.getElementById('flags').textContent")
        assert f"--peer-router-asns=64512 --peer-router-ports={room.port}" in flags
        await page.until(
            "[...document.querySelectorAll('.cluster h3')].some("
            "(h) => h.textContent === '10.9.0.0/162 nodes')"
        )
        assert not await page.run("document.getElementById('fine').hidden")

        totals = "[...document.querySelectorAll('.totals div')].map((d) => d.textContent)"
        await page.until(f"{totals}.includes('cluster1') && {totals}.includes('nodes2')")

        # Who arrives is there at once, whatever it calls itself.
        evil = await asyncio.to_thread(room.node, EVIL, 7, 0)
        await page.until(
            f"[...document.querySelectorAll('.name')].some((n) => n.textContent === {EVIL!r})"
        )
        assert await page.run("document.querySelectorAll('main img, main script').length") == 0
        assert "The class" in await page.run("document.title")

        # A mistake is named, and gone when it is mended.
        await asyncio.to_thread(evil.announce, "10.9.1.0/24")
        await page.until(
            "document.querySelector('.problem.error')?.textContent"
            ".includes('both announce 10.9.1.0/24')"
        )
        await page.until("document.querySelectorAll('.node.trouble').length === 2")
        await asyncio.to_thread(evil.withdraw, "10.9.1.0/24")
        await page.until("!document.getElementById('fine').hidden")

        # Who leaves is shown with the reason.
        await asyncio.to_thread(evil.close)
        await page.until(
            "document.querySelector('.node.left .facts')?.textContent.includes('Cease')"
        )
        await page.until("document.querySelector('.events').textContent.includes('10.0.7.11')")

        # Clusters are as wide as one says.
        await page.run(
            "document.getElementById('bits').value = '24';"
            "document.getElementById('bits').dispatchEvent(new Event('change'))"
        )
        await page.until(
            "[...document.querySelectorAll('.cluster h3')].some("
            "(h) => h.textContent.startsWith('10.9.2.0/24'))"
        )


def test_routes_are_found_and_explained_by_keyboard(room: Class) -> None:
    asyncio.run(_find(room))


async def _find(room: Class) -> None:
    async with looking_at(room) as page:
        await page.run("document.getElementById('search').focus()")
        await page.tell("Input.insertText", text="10.9.2")
        await page.until("document.querySelector('.rows').textContent.startsWith('10.9.2.0/24')")
        assert await page.run("document.getElementById('found').textContent") == "1 route"
        await page.run("document.querySelector('.rows button').focus()")
        await page.tell(
            "Input.dispatchKeyEvent",
            type="keyDown",
            key="Enter",
            code="Enter",
            windowsVirtualKeyCode=13,
            text="\r",
        )
        await page.until("document.getElementById('route').open")
        said = await page.run("document.getElementById('route').innerText")
        assert "10.9.2.0/24" in said
        assert "Best: the only path" in said
        assert "10.0.9.2" in said
        await page.until(
            "document.getElementById('route-peers').innerText.includes("
            "'Not told: the best path is its own (1 peer)')"
        )
        assert "✓ Told" in await page.run("document.getElementById('route-peers').innerText")
        assert await page.violations() == []
        await page.press("Escape", 27)
        await page.until("!document.getElementById('route').open")


def test_a_nodes_messages_are_decoded(room: Class) -> None:
    room.node("franz-control", 6, 0, asn=65001)
    asyncio.run(_decode(room))


async def _decode(room: Class) -> None:
    shown = "document.getElementById('messages').innerText"
    async with looking_at(room) as page:
        await page.run(
            "[...document.querySelectorAll('.node.up .name')]"
            ".find((n) => n.closest('.node').textContent.includes('10.9.1.0/24')).click()"
        )
        await page.until("document.getElementById('messages').open")
        await page.until(f"{shown}.includes('UPDATE announces 10.9.1.0/24 via 10.0.9.1')")
        assert await page.run("document.getElementById('messages-pcap').href") == (
            f"{room.url}api/v1/neighbors/127.0.9.1/messages.pcap"
        )
        # Each capability of an OPEN is explained when one looks.
        await page.run("document.querySelector('.messages .received').closest('summary').click()")
        await page.until(f"{shown}.includes('it can be asked to announce its routes again')")
        assert await page.run(CONTRAST) == []
        assert await page.violations() == []
        await page.press("Escape", 27)
        await page.until("!document.getElementById('messages').open")
        pictures = os.environ.get("BGP_REFLECTOR_SCREENSHOTS")
        # Who never had a session is asked about most.
        await page.run("openMessages('127.0.6.11')")
        await page.until(f"{shown}.includes('NOTIFICATION 2/2 OPEN message error / Bad Peer AS')")
        await page.until(f"{shown}.includes('The session ended: the peer is in AS 65001')")
        if pictures:
            await page.run("document.querySelectorAll('.messages summary')[2].click()")
            await page.screenshot(Path(pictures) / "page-messages.png")


def test_a_lost_connection_comes_back(room: Class) -> None:
    asyncio.run(_lose(room))


async def _lose(room: Class) -> None:
    async with chromium() as page:
        await page.open(room.url)
        await page.until("document.getElementById('live').textContent === '● live'")
        await asyncio.to_thread(room.reflector.stop)
        await page.until("document.getElementById('live').textContent === '○ no connection'")
        await asyncio.to_thread(room.reflector.start)
        await page.until("document.getElementById('live').textContent === '● live'")
        await page.until("document.querySelectorAll('.node.up').length === 2")


def test_it_fits_every_screen_and_reads_well_in_both_themes(room: Class) -> None:
    for cluster, student in enumerate(STUDENTS, 1):
        for number in range(3):
            room.node(f"{student}-{f'worker{number}' if number else 'control'}", cluster, number)
    room.node("emil-control", 5, 0).announce("10.1.2.0/24")
    room.node("franz-control", 6, 0, asn=65001)
    room.node("dora-worker3", 4, 3).close()
    asyncio.run(_fit(room))


async def _fit(room: Class) -> None:
    pictures = os.environ.get("BGP_REFLECTOR_SCREENSHOTS")
    async with chromium() as page:
        for size, (width, height) in SIZES.items():
            for theme in ("light", "dark"):
                await page.open(f"{room.url}?theme={theme}", width, height)
                await page.until("document.querySelectorAll('.problem').length === 2")
                await page.until("document.querySelectorAll('.node').length === 16")
                await page.until("document.querySelectorAll('.rows .row').length")
                await page.until("document.getAnimations().every((a) => a.playState !== 'running')")
                overhang = "document.documentElement.scrollWidth - window.innerWidth"
                assert await page.run(overhang) <= 0, (size, theme)
                assert await page.run(CONTRAST) == [], (size, theme)
                assert await page.violations() == [], (size, theme)
                if pictures:
                    await page.screenshot(Path(pictures) / f"page-{size}-{theme}.png")
        await page.open(f"{room.url}?scale=1.5", 1280, 800)
        await page.until("getComputedStyle(document.documentElement).fontSize === '27px'")
        assert await page.violations() == []
        await _read_aloud(page)
        for size, (width, height) in SIZES.items():
            await _enlarge(page, f"{room.url}?scale=2", size, width, height)
        await page.open(f"{room.url}?scale=1#roll", 1024, 768)
        await page.until("document.querySelectorAll('.node').length === 16")
        await page.run("location.hash = ''; location.hash = '#roll'")
        await page.until(f"{TOP_OF_ROLL} >= 0 && {TOP_OF_ROLL} < innerHeight / 4")
        assert page.complaints == []


async def _enlarge(page: Page, url: str, size: str, width: int, height: int) -> None:
    """Text twice as large: in one column where two don't fit, and most of the screen is the class's."""
    await page.open(url, width, height)
    await page.until("document.querySelectorAll('.node').length === 16")
    await page.until("document.getAnimations().every((a) => a.playState !== 'running')")
    assert await page.violations() == [], size
    assert await page.run("document.documentElement.scrollWidth - innerWidth") <= 0, size
    if size != "phone":  # where such letters leave room for nine of them
        assert await page.run(TORN_NUMBERS) == [], size
    stays = "getComputedStyle(document.querySelector('.top')).position === 'sticky'"
    assert not await page.run(
        f"{stays} && document.querySelector('.top').offsetHeight > innerHeight / 3"
    )


async def _read_aloud(page: Page) -> None:
    """What a screen reader finds: landmarks, and a name for everything that can be used."""
    await page.tell("Accessibility.enable")
    nodes = (await page.tell("Accessibility.getFullAXTree"))["nodes"]
    roles: dict[str, list[str]] = {}
    for node in nodes:
        if not node.get("ignored"):
            name = node.get("name", {}).get("value", "")
            roles.setdefault(node["role"]["value"], []).append(name)
    assert {"banner", "main", "region", "heading", "table"} <= roles.keys()
    for role in ("button", "combobox", "searchbox", "region", "image", "heading", "table"):
        assert all(roles.get(role, [])), (role, roles.get(role))


def test_a_thousand_peers_and_a_hundred_thousand_routes(tmp_path: Path) -> None:
    del tmp_path
    asyncio.run(_crowd())


async def _crowd() -> None:
    scene = Scene()
    for number in range(1000):
        peer = scene.join(f"10.0.{number >> 8}.{number & 255}", f"node-{number}")
        first = number * 100
        scene.announce(
            peer,
            *(f"{20 + (n >> 16)}.{n >> 8 & 255}.{n & 255}.0/24" for n in range(first, first + 100)),
        )
    server = HttpServer(ip_address("127.0.0.1"), free_port(), scene)
    await server.start()
    try:
        async with chromium() as page:
            await page.open(server.url)
            await page.until("document.querySelectorAll('.node.up').length === 1000")
            await page.until("document.getElementById('found').textContent === '100,000 routes'")
            assert await page.run("document.querySelectorAll('.rows .row').length") <= 100
            await page.run("document.getElementById('window').scrollTop = 1e9")
            await page.until(
                "document.querySelector('.rows').textContent.includes('21.134.159.0/24')"
            )
            # It still answers while peers come and go.
            scene.join("10.9.0.1", "late")
            await page.until(
                "[...document.querySelectorAll('.name')].some((n) => n.textContent === 'late')"
            )
            assert page.complaints == []
    finally:
        await server.stop()


def test_a_change_touches_the_tiles_that_it_is_about() -> None:
    asyncio.run(_touch())


# What becomes new among the tiles, and of which texts the characters change.
WATCH_TILES = """window.made = []; window.counted = new Set();
new MutationObserver((found) => { for (const each of found) {
  if (each.type === 'characterData') counted.add(each.target.parentElement.closest('.node').dataset.address);
  for (const node of each.addedNodes) if (node.classList?.contains('node')) made.push(node.dataset.address);
} }).observe(document.getElementById('clusters'), {childList: true, subtree: true, characterData: true});
0"""


async def _touch() -> None:
    scene = Scene()
    nodes = [scene.join(f"10.0.0.{number}", f"node-{number}") for number in range(1, 9)]
    for number, node in enumerate(nodes, 1):
        scene.announce(node, f"10.{number % 2}.{number}.0/24")
    server = HttpServer(ip_address("127.0.0.1"), free_port(), scene)
    await server.start()
    try:
        async with chromium() as page:
            await page.open(server.url)
            out = "[...document.querySelectorAll('.node')].filter((n) => n.textContent.includes('{} out')).length"
            await page.until(f"{out.format(7)} === 8")
            # With who may press buttons all tiles are made once more.
            await page.until("document.querySelectorAll('.node .control').length === 8")
            await page.run(WATCH_TILES)
            await page.run("document.querySelectorAll('.node .name')[2].focus()")
            kept = await page.run("document.activeElement.textContent")
            # A host route: of the others only the number of routes differs.
            scene.announce(nodes[0], "10.96.0.1/32")
            await page.until(f"{out.format(8)} === 7")
            assert await page.run("made") == []
            assert len(await page.run("[...counted]")) == 8
            # A pod CIDR more: one tile is made anew, where it stands.
            scene.announce(nodes[0], "10.1.101.0/24")
            await page.until(f"{out.format(9)} === 7")
            assert await page.run("made") == ["10.0.0.1"]
            # Who moves to another cluster is there, and nobody else is made again.
            scene.withdraw(nodes[0], "10.1.1.0/24", "10.1.101.0/24")
            scene.announce(nodes[0], "10.0.1.0/24")
            await page.until(
                "document.querySelector('.cluster').textContent.includes('10.0.0.0/165 nodes')"
            )
            assert set(await page.run("made")) == {"10.0.0.1"}
            assert await page.run("document.activeElement.textContent") == kept
            assert page.complaints == []
    finally:
        await server.stop()


def test_a_problem_is_told_once_to_who_listens_to_a_screen_reader() -> None:
    asyncio.run(_tell())


async def _tell() -> None:
    scene = Scene()
    first, second = scene.join("10.0.0.5", "node-a"), scene.join("10.0.0.6", "node-b")
    scene.announce(first, "10.1.0.0/24")
    scene.announce(second, "10.2.0.0/24")
    server = HttpServer(ip_address("127.0.0.1"), free_port(), scene)
    await server.start()
    news = "document.getElementById('problem-news').textContent"
    try:
        async with chromium() as page:
            await page.open(server.url)
            await page.until("document.querySelectorAll('.node.up').length === 2")
            await page.run(
                "window.told = []; new MutationObserver(() => told.push("
                f"{news})).observe(document.getElementById('problem-news'), {{childList: true}}); 0"
            )
            scene.announce(second, "10.1.0.0/24")
            await page.until(f"{news}.includes('both announce 10.1.0.0/24')")
            await page.run("window.item = document.querySelector('.problem'); 0")
            # One prefix more of the same two: the text says so, in place, and nobody is told again.
            scene.announce(first, "10.3.0.0/24")
            scene.announce(second, "10.3.0.0/24")
            await page.until(
                "document.querySelector('.problem').textContent.includes('(and 1 more)')"
            )
            assert await page.run("item === document.querySelector('.problem')")
            # Nor of the seconds that it lasts.
            assert await page.run("!item.closest('[aria-live], [role=status], [role=alert]')")
            assert len(await page.run("told")) == 1
            scene.withdraw(second, "10.1.0.0/24", "10.3.0.0/24")
            await page.until("document.querySelectorAll('.problem').length === 0")
            new, over = await page.run("told")
            assert new == (
                "✖ Error: Nodes announce the same pod CIDR. node-a (10.0.0.5) and node-b "
                "(10.0.0.6) both announce 10.1.0.0/24. Its traffic goes to node-a."
            )
            assert over == "Nothing is wrong any more."
    finally:
        await server.stop()
