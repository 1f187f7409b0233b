"""Routing tables, sans-IO: Adj-RIB-In, decision process, Loc-RIB, reflection, update groups."""
