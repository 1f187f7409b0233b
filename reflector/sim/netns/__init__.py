"""Simulated peers in network namespaces of their own: Linux, and root."""
