"""Reference pages made from the code when the site is built: the command line, the fields of a study, and HTTP.

MkDocs calls ``on_files`` (https://www.mkdocs.org/user-guide/configuration/#hooks). The pages exist only in the site.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any

import typer.main
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from typer.testing import CliRunner

from api.cli.main import app as command_line
from api.server.openapi import openapi_document
from search.study.spec import StudySpec

Schema = Mapping[str, Any]


def on_files(files: Files, config: MkDocsConfig) -> Files:
    for name, page in (("cli.md", cli_page()), ("study.md", study_page()), ("http.md", http_page())):
        files.append(File.generated(config, name, content=page))
    return files


def cli_page() -> str:
    """The help of every command."""
    intro = """\
# The command line

A command uses the server at `SEEDLEAF_URL`, or the one on this machine, and sends `SEEDLEAF_API_KEY` if it is set. Exit
codes: 0 for success, 1 for a failure with a one-line reason, 2 for wrong usage. `--format json` is for programs.
`seedleaf --install-completion` teaches your shell (bash, zsh, fish, PowerShell) to complete commands and options;
`seedleaf --show-completion` prints what it would add.
"""
    return "\n".join([intro, *_commands(typer.main.get_command(command_line), ())])


def _commands(command: Any, path: tuple[str, ...]) -> Iterator[str]:
    for name, child in command.commands.items():
        if hasattr(child, "commands"):
            yield from _commands(child, (*path, name))
        else:
            words = (*path, name)
            result = CliRunner().invoke(command_line, [*words, "--help"], env={"COLUMNS": "110"}, prog_name="seedleaf")
            yield f"## {' '.join(words)}\n\n```text\n{result.output.strip()}\n```\n"


def study_page() -> str:
    """Every field of a study, from its JSON Schema."""
    schema = StudySpec.model_json_schema()
    intro = """\
# A study, field by field

The fields of a study, in YAML or JSON. Only `name` and `dataset` are required. Where a list of values is given, the
search chooses among them. `seedleaf study schema` prints this as JSON Schema.
"""
    return "\n".join([intro, "## StudySpec\n", *_fields(schema), *_schemas(schema["$defs"])])


def http_page() -> str:
    """Every operation and every schema, from the OpenAPI document."""
    document = openapi_document()
    intro = """\
# HTTP

Lists are `{"items": [...], "next": cursor or null}`. Errors are problem documents (RFC 9457) that name the field and
say what to do. A server that other machines can reach requires `Authorization: Bearer KEY`. A running server shows this
page at `/docs`, and the OpenAPI document at `/openapi.json`. Each operation is a method of the
[Python client](python.md) with the same name.
"""
    lines = [intro]
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            lines += _operation(method.upper(), path, operation)
    return "\n".join([*lines, "# Schemas\n", *_schemas(document["components"]["schemas"])])


def _operation(method: str, path: str, operation: Schema) -> Iterator[str]:
    yield f"## {method} {path}\n"
    yield f"`{operation['operationId']}`: {operation.get('description', operation['summary'])}\n"
    parameters = operation.get("parameters", [])
    if parameters:
        yield "| parameter | in | type | meaning |\n|---|---|---|---|"
        for item in parameters:
            described = _cell(item.get("description", ""))
            yield f"| `{item['name']}` | {item['in']} | {_cell(_type(item['schema']))} | {described} |"
        yield ""
    for content in operation.get("requestBody", {}).get("content", {}).values():
        yield f"Body: {_type(content['schema'])}\n"
    responses = []
    for status, response in operation["responses"].items():
        shapes = [_type(content["schema"]) for content in response.get("content", {}).values() if content.get("schema")]
        responses.append(f"{status} {shapes[0] if shapes else response.get('description', '')}")
    yield f"Responses: {'; '.join(responses)}\n"


def _schemas(schemas: Mapping[str, Schema]) -> Iterator[str]:
    for name, schema in sorted(schemas.items()):
        yield f"## {name}\n"
        if "description" in schema:
            yield f"{schema['description']}\n"
        if "properties" in schema:
            yield from _fields(schema)
        else:
            yield f"{_type(schema)}\n"


def _fields(schema: Schema) -> Iterator[str]:
    yield "| field | type | default | meaning |\n|---|---|---|---|"
    required = schema.get("required", [])
    for name, field in schema["properties"].items():
        default = "" if name in required or "default" not in field else f"`{_short(field['default'])}`"
        described = _cell(field.get("description", ""))
        yield f"| `{name}` | {_cell(_type(field))} | {_cell(default)} | {described} |"
    yield ""


def _type(schema: Schema) -> str:
    """A schema in a few words, with a link to each schema that has a name."""
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return f"[{name}](#{name.lower().replace('[', '').replace(']', '')})"
    for key in ("anyOf", "oneOf"):
        if key in schema:
            return " or ".join(dict.fromkeys(_type(choice) for choice in schema[key]))
    if "allOf" in schema:
        return _type(schema["allOf"][0])
    if "enum" in schema:
        return ", ".join(f"`{value}`" for value in schema["enum"])
    if "const" in schema:
        return f"`{schema['const']}`"
    if schema.get("type") == "array":
        items = schema.get("items") or (schema.get("prefixItems") or [{}])[0]
        return f"list of {_type(items)}"
    if schema.get("type") == "object" and isinstance(schema.get("additionalProperties"), Mapping):
        return f"map to {_type(schema['additionalProperties'])}"
    return str(schema.get("type", "any")) + _limits(schema)


def _limits(schema: Schema) -> str:
    names = {"minimum": "≥", "exclusiveMinimum": ">", "maximum": "≤", "exclusiveMaximum": "<"}
    limits = [f"{sign} {schema[name]:g}" for name, sign in names.items() if name in schema]
    return f" {', '.join(limits)}" if limits else ""


def _short(value: Any) -> str:
    text = json.dumps(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def _cell(text: str | None) -> str:
    return (text or "").replace("|", "\\|").replace("\n", " ")
