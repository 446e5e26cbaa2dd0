"""The services' documents as one, by the toolkit's own command, before and after a switch."""

import json

from .conftest import new_project
from .test_life import BEGIN

COMMANDS = """
    from django.conf import settings
    from django.core.management.base import CommandError

    settings.STRANGLER = {**settings.STRANGLER, "OPENAPI": %r}

    def openapi(*words):
        out, problems = io.StringIO(), io.StringIO()
        call_command("openapi", *words, stdout=out, stderr=problems)
        return [out.getvalue(), problems.getvalue()]

    def forgotten():
        out = io.StringIO()
        call_command("purgecache", tag="p1", stdout=out)
        return out.getvalue()
    """


def document(title, *paths):
    get = {"get": {"operationId": title, "responses": {"200": {"description": ""}}}}
    return {"openapi": "3.0.3", "info": {"title": title, "version": "1"}, "paths": dict.fromkeys(paths, get)}


def test_the_merged_document_follows_the_switch(request, tmp_path):
    (tmp_path / "monolith.json").write_text(json.dumps(document("shop", "/reviews/", "/orders/")))
    (tmp_path / "reviews.json").write_text(json.dumps(document("new", "/reviews/")))
    where = {name: f"file:{tmp_path / name}.json" for name in ("monolith", "reviews")}
    with new_project("sqlite", "sqlite", request, tmp_path) as project:
        facts = project.act(
            BEGIN
            + COMMANDS % where
            + """
    facts["before"] = openapi()
    plan()
    facts["after"] = openapi()
    facts["published"] = openapi("--publish")
    facts["forgotten"] = forgotten()
    """
        )

    def owners(told):
        return {path: item["get"]["x-strangler-owner"] for path, item in json.loads(told[0])["paths"].items()}

    assert owners(facts["before"]) == {"/reviews/": "monolith", "/orders/": "monolith"}
    assert owners(facts["after"]) == {"/reviews/": "reviews", "/orders/": "monolith"}
    assert facts["published"] == ["All proxies have the documents of monolith, reviews.\n", ""]
    assert facts["forgotten"] == "All proxies have forgotten what they kept of it: 0 answers.\n"
