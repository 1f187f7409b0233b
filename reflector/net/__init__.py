"""Sockets: the only package that talks to the network, on asyncio."""
