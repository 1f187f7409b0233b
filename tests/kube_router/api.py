"""As much of a Kubernetes API server as kube-router's router asks for: nodes, and nothing else.

``python -m tests.kube_router.api PORT NODES``, the nodes as JSON: name, address, pod CIDR. Nothing ever
changes, so that a watch is an answer that doesn't end.
"""

from __future__ import annotations

import asyncio
import json
import sys
from typing import Any, Final

from aiohttp import web

# What is listed, with the version and kind of the answer.
_LISTS: Final = {
    "nodes": ("v1", "NodeList"),
    "pods": ("v1", "PodList"),
    "services": ("v1", "ServiceList"),
    "namespaces": ("v1", "NamespaceList"),
    "endpoints": ("v1", "EndpointsList"),
    "endpointslices": ("discovery.k8s.io/v1", "EndpointSliceList"),
    "networkpolicies": ("networking.k8s.io/v1", "NetworkPolicyList"),
}
_UNPROCESSABLE: Final = 422


def _node(name: str, address: str, pod_cidr: str) -> dict[str, Any]:
    return {
        "kind": "Node",
        "apiVersion": "v1",
        "metadata": {"name": name, "uid": name, "resourceVersion": "1"},
        "spec": {"podCIDR": pod_cidr, "podCIDRs": [pod_cidr]},
        "status": {"addresses": [{"type": "InternalIP", "address": address}]},
    }


def _refusal(code: int, reason: str) -> web.Response:
    status = {"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": reason}
    return web.json_response({**status, "code": code}, status=code)


class Api:
    """Answers for one cluster.

    Args:
        nodes: Name, address and pod CIDR of each.
    """

    def __init__(self, nodes: list[tuple[str, str, str]]) -> None:
        self._nodes = {name: _node(name, *rest) for name, *rest in nodes}

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """A list, an endless watch of it, or one node."""
        *_, folder, last = ["", *request.path.strip("/").split("/")]
        if folder == "nodes" and last in self._nodes:
            return web.json_response(self._nodes[last])
        if last not in _LISTS:
            return _refusal(404, "NotFound")
        if "sendInitialEvents" in request.query:
            return _refusal(_UNPROCESSABLE, "Invalid")  # newer clients then list first, as ever
        if request.query.get("watch") in ("1", "true"):
            stream = web.StreamResponse(headers={"Content-Type": "application/json"})
            await stream.prepare(request)
            await asyncio.sleep(float(request.query.get("timeoutSeconds", 300)))
            return stream
        version, kind = _LISTS[last]
        items = list(self._nodes.values()) if last == "nodes" else []
        answer = {"kind": kind, "apiVersion": version, "items": items}
        return web.json_response({**answer, "metadata": {"resourceVersion": "1"}})


if __name__ == "__main__":
    app = web.Application()
    app.router.add_route("GET", "/{path:.*}", Api(json.loads(sys.argv[2])).answer)
    web.run_app(app, host="127.0.0.1", port=int(sys.argv[1]), print=lambda *_: None)
