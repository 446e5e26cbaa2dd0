"""The interface's documentation as a page drawn from its own schema; it needs nothing from elsewhere."""

from django.shortcuts import render
from django.views.decorators.http import require_safe
from drf_spectacular.generators import SchemaGenerator


@require_safe
def api_docs(request):
    schema = SchemaGenerator().get_schema(request=None, public=True)
    return render(request, "api_docs.html", {"info": schema["info"], "operations": list(_operations(schema))})


def _operations(schema):
    for path, methods in schema["paths"].items():
        for method, operation in methods.items():
            yield {
                "method": method.upper(),
                "path": path,
                "text": operation.get("description", ""),
                "parameters": [p for p in operation.get("parameters", ()) if p["in"] == "query"],
                "answers": ", ".join(operation["responses"]),
            }
