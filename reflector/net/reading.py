"""How much is read in a turn of the loop, from all peers together."""

import asyncio

from reflector.bgp.limits import READ_ALL_TURN_BYTES, READ_LEAST_BYTES, READ_TURN_BYTES


class ReadTurn:
    """Shares out what may be read in a turn, so that a turn stays short however many peers flood.

    What is not read waits in the kernel, and TCP slows its sender down.

    Attributes:
        limit: How much a connection may read now. Those that had more to read in the last turn
            share evenly; once a turn has had its fill, the rest of them still read a little.
    """

    def __init__(self) -> None:
        self.limit = READ_TURN_BYTES
        self._loop = asyncio.get_running_loop()
        self._left = READ_ALL_TURN_BYTES
        self._flooding = 0

    def took(self, size: int) -> None:
        """A connection read so many octets, at most `limit`."""
        if size < READ_LEAST_BYTES:
            return  # a few messages: nothing to share out
        if self._left == READ_ALL_TURN_BYTES:
            self._loop.call_soon(self._next)  # runs before anything is read in the next turn
        self._left -= size
        if size == self.limit:
            self._flooding += 1
        if self._left <= 0:
            self.limit = READ_LEAST_BYTES

    def _next(self) -> None:
        share = READ_ALL_TURN_BYTES // max(1, self._flooding)
        self.limit = max(READ_LEAST_BYTES, min(READ_TURN_BYTES, share))
        self._left = READ_ALL_TURN_BYTES
        self._flooding = 0
