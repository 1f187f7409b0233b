"""The API's description as an OpenAPI 3.1 document."""

from collections.abc import Iterable
from typing import Final

from reflector import __version__
from reflector.observe.server.questions import DONE, ORDERS, QUESTIONS, Order, Parameter, Question
from reflector.observe.server.schema import Schema, one
from reflector.observe.server.shapes import COMPONENTS

_JSON: Final = "application/json"


def document() -> Schema:
    """The OpenAPI document."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "bgp-reflector",
            "version": __version__,
            "description": "What a running reflector knows. A POST is an order of the presenter "
            "(docs/controls.md); nothing else changes anything. Answers may gain keys.",
        },
        "paths": {path: {"get": _operation(question)} for path, question in QUESTIONS.items()}
        | {path: {"post": _order(order)} for path, order in ORDERS.items()},
        "components": {"schemas": COMPONENTS},
    }


def _operation(question: Question) -> Schema:
    content = {} if question.answer is None else {"schema": question.answer}
    return {
        "summary": question.says,
        "parameters": _parameters(question.parameters),
        "responses": {
            "200": {"description": question.says, "content": {question.kind: content}},
            "default": _WRONG,
        },
    }


def _order(order: Order) -> Schema:
    return {
        "summary": order.says,
        "parameters": _parameters(order.parameters),
        "requestBody": {"required": True, "content": {_JSON: {"schema": order.body}}},
        "responses": {
            "200": {"description": "It is done", "content": {_JSON: {"schema": DONE}}},
            "default": _WRONG,
        },
    }


def _parameters(parameters: Iterable[Parameter]) -> list[Schema]:
    return [
        {
            "name": each.name,
            "in": each.place,
            "required": each.required,
            "schema": each.schema,
            **({"example": each.example} if each.example else {}),
        }
        for each in parameters
    ]


_WRONG: Final[Schema] = {
    "description": "What is wrong with the question",
    "content": {_JSON: {"schema": one("Error")}},
}
