"""The examples of docs/policy.md are configurations, and do what it says."""

from __future__ import annotations

import re
from ipaddress import ip_address
from pathlib import Path

from reflector.config.intake import export, intake, policies
from reflector.config.model import Config, settings_for
from reflector.config.yaml_loader import parse_yaml
from tests.support import wire
from tests.support.classroom import Classroom

GUIDE = Path(__file__).resolve().parents[3] / "docs" / "policy.md"
EXAMPLES = re.findall(r"```yaml\n(.*?)```", GUIDE.read_text(), re.DOTALL)


def example(number: int) -> Config:
    return parse_yaml(EXAMPLES[number].encode(), f"example {number}")


def class_of(config: Config) -> Classroom:
    """A class whose peers are filtered as a configuration says, by their addresses."""
    classroom = Classroom()
    known = policies(config)
    for address in ("10.0.0.1", "10.0.0.2", "10.0.9.1"):
        settings = settings_for(config, ip_address(address))
        assert settings is not None
        classroom.join(
            address, address, intake=intake(settings, known), export=export(settings, known)
        )
    return classroom


def test_every_example_is_a_configuration() -> None:
    assert len(EXAMPLES) == 5
    for number in range(len(EXAMPLES)):
        example(number)


def test_only_pods_are_let_in() -> None:
    classroom = class_of(example(0))
    source, other, _ = classroom.students
    classroom.send(source, wire.announce("10.244.1.0/24", "10.244.0.0/16", "192.168.0.0/24"))
    assert other.prefixes == {"10.244.1.0/24"}
    assert source.peer.filter is not None
    assert source.peer.filter.rejected == {"only-pods, otherwise": 2}


def test_a_router_may_lead_the_class_out() -> None:
    classroom = class_of(example(1))
    source, other, router = classroom.students
    classroom.send(source, wire.announce("0.0.0.0/0"))
    assert other.prefixes == set()
    classroom.send(router, wire.announce("0.0.0.0/0"))
    assert other.prefixes == {"0.0.0.0/0"}


def test_what_is_marked_stays_here() -> None:
    classroom = class_of(example(2))
    source, other, outside = classroom.students
    marked = wire.usual(more=wire.communities(64512 << 16 | 666))
    classroom.send(source, wire.announce("10.1.0.0/24", attributes=marked))
    classroom.send(source, wire.announce("10.2.0.0/24"))
    assert other.prefixes == {"10.1.0.0/24", "10.2.0.0/24"}
    assert outside.prefixes == {"10.2.0.0/24"}


def test_one_source_is_preferred() -> None:
    classroom = class_of(example(3))
    source, _, _ = classroom.students
    other = classroom.join("other", "10.0.0.7")
    classroom.send(source, wire.announce("10.1.0.0/24"))
    classroom.send(classroom.students[2], wire.announce("10.1.0.0/24"))
    assert int.from_bytes(other.route("10.1.0.0/24")[5]) == 200
    assert other.route("10.1.0.0/24")[9] == ip_address("10.0.9.1").packed
