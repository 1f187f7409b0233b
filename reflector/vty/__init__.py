"""The FRR-style shell: FRR's commands, answered in FRR's shapes from our own API."""
