"""As much of a Kubernetes API server as kube-router's router asks for: nodes, services, nothing else.

``python -m tests.kube_router.api PORT CLUSTER``, the cluster as JSON: its nodes, each with name, addresses
and pod CIDRs, and addresses of a service. Nothing ever changes, so that a watch is an answer that
doesn't end.
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


def _node(name: str, addresses: list[str], pod_cidrs: list[str]) -> dict[str, Any]:
    return {
        "kind": "Node",
        "apiVersion": "v1",
        "metadata": {"name": name, "uid": name, "resourceVersion": "1"},
        "spec": {"podCIDR": pod_cidrs[0], "podCIDRs": pod_cidrs},
        "status": {"addresses": [{"type": "InternalIP", "address": each} for each in addresses]},
    }


def _service(addresses: list[str]) -> dict[str, Any]:
    cluster_ip, *external = addresses
    return {
        "kind": "Service",
        "apiVersion": "v1",
        "metadata": {"name": "web", "namespace": "default", "uid": "web", "resourceVersion": "1"},
        "spec": {
            "type": "ClusterIP",
            "clusterIP": cluster_ip,
            "clusterIPs": [cluster_ip],
            "externalIPs": external,
            "ports": [{"name": "http", "protocol": "TCP", "port": 80, "targetPort": 80}],
        },
    }


def _endpoints(address: str) -> dict[str, Any]:
    return {
        "kind": "EndpointSlice",
        "apiVersion": "discovery.k8s.io/v1",
        "metadata": {
            "name": "web-1",
            "namespace": "default",
            "uid": "web-1",
            "resourceVersion": "1",
            "labels": {"kubernetes.io/service-name": "web"},
        },
        "addressType": "IPv4",
        "endpoints": [{"addresses": [address], "conditions": {"ready": True}}],
        "ports": [{"name": "http", "protocol": "TCP", "port": 80}],
    }


def _older_endpoints(address: str) -> dict[str, Any]:
    return {
        "kind": "Endpoints",
        "apiVersion": "v1",
        "metadata": {"name": "web", "namespace": "default", "uid": "web", "resourceVersion": "1"},
        "subsets": [{"addresses": [{"ip": address}], "ports": [{"name": "http", "port": 80}]}],
    }


def _refusal(code: int, reason: str) -> web.Response:
    status = {"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": reason}
    return web.json_response({**status, "code": code}, status=code)


class Api:
    """Answers for one cluster.

    Args:
        nodes: Name, addresses and pod CIDRs of each.
        service: Addresses of a service: the cluster's and external ones; none if it has no service.
    """

    def __init__(self, nodes: list[tuple[str, list[str], list[str]]], service: list[str]) -> None:
        self._nodes = {name: _node(name, *rest) for name, *rest in nodes}
        self._items = {"nodes": list(self._nodes.values())}
        if service:
            pod = nodes[0][2][0].replace(".0/24", ".2")
            self._items |= {
                "services": [_service(service)],
                "endpoints": [_older_endpoints(pod)],
                "endpointslices": [_endpoints(pod)],
            }

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
        answer = {"kind": kind, "apiVersion": version, "items": self._items.get(last, [])}
        return web.json_response({**answer, "metadata": {"resourceVersion": "1"}})


if __name__ == "__main__":
    app = web.Application()
    app.router.add_route("GET", "/{path:.*}", Api(**json.loads(sys.argv[2])).answer)
    web.run_app(app, host="127.0.0.1", port=int(sys.argv[1]), print=lambda *_: None)
