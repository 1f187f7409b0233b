"""What is wrong in the class, in plain English, with what mends it: pure functions of facts."""

from reflector.observe.diagnosis.facts import MD5_S, Facts, Node, nodes
from reflector.observe.diagnosis.rules import diagnose
from reflector.observe.problem import KINDS, Problem

__all__ = ["KINDS", "MD5_S", "Facts", "Node", "Problem", "diagnose", "nodes"]
