"""A real Chromium, driven over its DevTools protocol by what the reflector itself depends on."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import itertools
import os
import shutil
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

import aiohttp
import pytest

DEADLINE_S: Final = 60.0
_OPTIONS: Final = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-dev-shm-usage",
    "--disable-sync",
    "--force-color-profile=srgb",
    "--hide-scrollbars",
    "--no-first-run",
    "--remote-debugging-port=0",
)

# All that axe-core looks for by default, and what it has by default in later versions: WCAG 2.5.3.
_VIOLATIONS: Final = """(async () => {
  const { violations } = await axe.run(document, {
    resultTypes: ["violations"], rules: { "label-content-name-mismatch": { enabled: true } },
  });
  return violations.flatMap((rule) => rule.nodes.map((node) =>
    `${rule.id}: ${node.target} ${node.html} ${node.failureSummary}`));
})()"""


@cache
def _axe() -> str:
    return (files("axe_core_python") / "axe.min.js").read_text(encoding="utf-8")


class Page:
    """A page in a browser.

    Attributes:
        complaints: What the browser's console and its Content-Security-Policy had to say.
    """

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket
        self._numbers = itertools.count(1)
        self._answers: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self._reader = asyncio.get_running_loop().create_task(self._read())
        self.complaints: list[str] = []

    async def tell(self, method: str, **parameters: Any) -> dict[str, Any]:  # noqa: ANN401
        """Give a command of the protocol, and return its result."""
        number = next(self._numbers)
        answer = self._answers[number] = asyncio.get_running_loop().create_future()
        await self._socket.send_json({"id": number, "method": method, "params": parameters})
        async with asyncio.timeout(DEADLINE_S):
            result: dict[str, Any] = await answer
        return result

    async def run(self, script: str) -> Any:  # noqa: ANN401 - whatever the script returns
        """Evaluate an expression in the page, and return its value."""
        answer = await self.tell(
            "Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True
        )
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")

    async def until(self, script: str) -> None:
        """Wait until an expression is true in the page."""
        end_s = asyncio.get_running_loop().time() + DEADLINE_S
        while not await self.run(f"Boolean({script})"):
            if asyncio.get_running_loop().time() > end_s:
                seen = await self.run("document.body.innerText")
                pytest.fail(f"never true: {script}\n{self.complaints}\n{seen}")
            await asyncio.sleep(0.05)

    async def open(self, url: str, width: int = 1280, height: int = 800) -> None:
        """Go to a page at a window's size."""
        await self.tell(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=False,
        )
        await self.tell("Page.navigate", url=url)
        await self.until("document.readyState === 'complete'")

    async def violations(self) -> list[str]:
        """What an accessibility checker (axe-core) finds wrong: rule, and where."""
        await self.until("document.getAnimations().every((a) => a.playState !== 'running')")
        if not await self.run("Boolean(window.axe)"):
            await self.run(_axe() + ";0")
        found: list[str] = await self.run(_VIOLATIONS)
        return found

    async def screenshot(self, path: Path) -> None:
        """Take a picture of the window."""
        answer = await self.tell("Page.captureScreenshot", format="png")
        path.write_bytes(base64.b64decode(answer["data"]))  # noqa: ASYNC240 - a small file

    async def press(self, key: str, code: int) -> None:
        """Press a key."""
        for kind in ("rawKeyDown", "keyUp"):
            await self.tell(
                "Input.dispatchKeyEvent", type=kind, key=key, code=key, windowsVirtualKeyCode=code
            )

    async def _read(self) -> None:
        async for message in self._socket:
            content = message.json()
            if "id" in content:
                answer = self._answers.pop(content["id"])
                if not answer.done():
                    error = content.get("error")
                    if error is None:
                        answer.set_result(content["result"])
                    else:
                        answer.set_exception(RuntimeError(str(error)))
            elif content["method"] == "Runtime.exceptionThrown":
                self.complaints.append(str(content["params"]["exceptionDetails"]))
            elif content["method"] == "Log.entryAdded":
                entry = content["params"]["entry"]
                if entry["level"] == "error":
                    self.complaints.append(f"{entry['text']} {entry.get('url', '')}")

    async def close(self) -> None:
        """Let go of it."""
        self._reader.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._reader
        await self._socket.close()


@asynccontextmanager
async def chromium() -> AsyncIterator[Page]:
    """A browser with an empty page; skipped where there is none, and a failure in CI."""
    program = shutil.which("chromium") or shutil.which("chromium-browser")
    if program is None:
        if os.environ.get("CI"):
            pytest.fail("chromium is not installed")
        pytest.skip("chromium is not installed")
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        browser = await asyncio.create_subprocess_exec(
            program,
            *_OPTIONS,
            f"--user-data-dir={profile}",
            "about:blank",
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
        )
        try:
            port = await _port(Path(profile, "DevToolsActivePort"), browser)
            async with aiohttp.ClientSession() as session:
                async with session.get(f"http://127.0.0.1:{port}/json/list") as response:
                    [target] = [each for each in await response.json() if each["type"] == "page"]
                socket = await session.ws_connect(
                    target["webSocketDebuggerUrl"], max_msg_size=0, heartbeat=None
                )
                page = Page(socket)
                for domain in ("Page", "Runtime", "Log"):
                    await page.tell(f"{domain}.enable")
                yield page
                await page.close()
        finally:
            with contextlib.suppress(ProcessLookupError):
                browser.kill()
            await browser.wait()


async def _port(path: Path, browser: asyncio.subprocess.Process) -> int:
    """The port that the browser has chosen, once it says so."""
    end_s = asyncio.get_running_loop().time() + DEADLINE_S
    while True:
        with contextlib.suppress(FileNotFoundError, IndexError, ValueError):
            return int(path.read_text().splitlines()[0])  # noqa: ASYNC240 - a small file
        if browser.returncode is not None or asyncio.get_running_loop().time() > end_s:
            pytest.fail(f"chromium doesn't start (exit status {browser.returncode})")
        await asyncio.sleep(0.05)
