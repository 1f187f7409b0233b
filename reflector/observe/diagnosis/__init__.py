"""What is wrong in the class, in plain English, with what mends it: pure functions of facts."""

from reflector.observe.diagnosis.facts import MD5_S, Facts, Node, nodes
from reflector.observe.diagnosis.problem import KINDS, Problem
from reflector.observe.diagnosis.rules import diagnose

__all__ = ["KINDS", "MD5_S", "Facts", "Node", "Problem", "diagnose", "nodes"]
