"""Work that may take long, beside the loop: sessions go on meanwhile, and an end waits for nothing."""

import asyncio
import contextlib
import threading
from collections.abc import Callable
from typing import TypeVar

_T = TypeVar("_T")


async def aside(work: Callable[[], _T]) -> _T:
    """Do something in a thread of its own.

    Unlike one of `asyncio.to_thread`, the thread ends with the process though its work never does: a
    file may be a pipe to which nobody writes.

    Args:
        work: What is to be done.

    Returns:
        What that returns.
    """
    loop = asyncio.get_running_loop()
    done: asyncio.Future[_T] = loop.create_future()

    def tell(say: Callable[[], None]) -> None:
        with contextlib.suppress(RuntimeError):  # the loop is closed
            loop.call_soon_threadsafe(lambda: None if done.done() else say())

    def run() -> None:
        try:
            result = work()
        except Exception as error:  # noqa: BLE001 - it is for who awaits this
            failed = error
            tell(lambda: done.set_exception(failed))
        else:
            tell(lambda: done.set_result(result))

    threading.Thread(target=run, daemon=True).start()
    return await done
