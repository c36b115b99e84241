"""The lists of a service, for tests of what they have in common."""

from collections.abc import Iterator

from fastapi import FastAPI


def list_paths(app: FastAPI) -> Iterator[str]:
    """The path of every GET operation that returns pages, with the id 1 for path parameters."""
    for path, item in app.openapi()["paths"].items():
        names = [parameter.get("name") for parameter in item.get("get", {}).get("parameters", ())]
        if "page_size" in names:
            yield "/".join("1" if part.startswith("{") else part for part in path.split("/"))
