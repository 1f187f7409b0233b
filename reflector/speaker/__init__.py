"""Sessions' routes in, packets out: where `bgp` and `rib` meet, still sans-IO.

`arrivals` is the way in, `speaker` holds it all together and is what others use.
"""

from reflector.speaker.identity import Identity
from reflector.speaker.peer import Counters, Kept, Peer
from reflector.speaker.speaker import Speaker

__all__ = ["Counters", "Identity", "Kept", "Peer", "Speaker"]
