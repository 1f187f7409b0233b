"""Which pods of a class are to reach each other, by what its students did wrong."""

from collections import Counter
from collections.abc import Sequence

from reflector.sim.class_plan import PlannedNode


class Reach:
    """What is to be seen of a class's pings once all is as planned.

    Args:
        plan: All nodes of the class.
    """

    def __init__(self, plan: Sequence[PlannedNode]) -> None:
        announced = Counter(node.pods[0] for node in plan if node.pods)
        # Those of more than one node: only one of these has the traffic.
        self._contested = {pods for pods, times in announced.items() if times > 1}

    def between(self, one: PlannedNode, other: PlannedNode) -> bool | None:
        """Whether the pods of two nodes are to reach each other.

        Returns:
            None where that changes, or depends on whose route the reflector takes for the best.
        """
        both = (one, other)
        if any(_is_cut_off(node) for node in both):
            return False
        if one.pods[0] == other.pods[0]:
            return False  # each has that subnet itself
        if one.profile.router_id == other.profile.router_id:
            return False  # each takes the other's routes for its own (RFC 4456 8)
        if any(_comes_and_goes(node) or node.pods[0] in self._contested for node in both):
            return None
        return True


def _is_cut_off(node: PlannedNode) -> bool:
    """Whether nobody learns where a node's pods are."""
    return not node.pods or (node.mistake is not None and node.mistake.shares is False)


def _comes_and_goes(node: PlannedNode) -> bool:
    """Whether a node's session ends, or what it knows depends on when it stopped reading."""
    mistake = node.mistake
    return mistake is not None and (mistake.shares is None or mistake.name == "stalled")
