"""Answers as AWS gives them."""

from __future__ import annotations

import json

from werkzeug.wrappers import Response


def told(value: object) -> Response:
    return Response(json.dumps(value), mimetype="application/json")


def refusal(status: int, kind: str, said: str) -> Response:
    """An error of that type, which boto3 raises."""
    answer = Response(json.dumps({"message": said}), status=status, mimetype="application/json")
    answer.headers["x-amzn-ErrorType"] = kind
    return answer


def not_found(what: str) -> Response:
    return refusal(404, "NotFoundException", f"{what} does not exist")


def bad_request(said: str) -> Response:
    return refusal(400, "BadRequestException", said)
