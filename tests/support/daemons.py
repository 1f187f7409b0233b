"""The real daemons that the reflector must get on with, by name."""

from __future__ import annotations

from typing import Final

from tests.support.bird import Bird
from tests.support.frr import Frr
from tests.support.gobgp import GoBgp
from tests.support.openbgpd import OpenBgpd
from tests.support.peer import Peer

PEERS: Final[dict[str, type[Peer]]] = {each.kind: each for each in (GoBgp, Bird, Frr, OpenBgpd)}
KINDS: Final = tuple(PEERS)
