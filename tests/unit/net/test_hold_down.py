"""Who is kept out, and until when."""

from math import inf

from reflector.net.hold_down import HoldDown


def test_a_peer_is_kept_out_until_its_time_has_come() -> None:
    held = HoldDown()
    held.add("a", 10.0)
    held.add("b", inf)
    assert held.left_s("a", 4.0) == 6.0
    assert held.left_s("a", 10.0) == 0.0
    assert held.left_s("a", 4.0) == 0.0, "it is forgotten"
    assert held.left_s("b", 1e9) == inf
    assert held.left_s("c", 0.0) == 0.0
    held.clear()
    assert held.left_s("b", 0.0) == 0.0


def test_the_oldest_is_forgotten_beyond_a_bound() -> None:
    held = HoldDown()
    for i in range(4096):
        held.add(i, inf)
    held.add(1, inf)
    assert held.left_s(0, 0.0) == inf, "nobody has to go for who is kept out already"
    held.add(4096, inf)
    assert held.left_s(0, 0.0) == 0.0
    held.add(4097, inf)
    assert held.left_s(1, 0.0) == inf, "it was kept out anew"
    assert held.left_s(2, 0.0) == 0.0
    assert held.left_s(4097, 0.0) == inf
