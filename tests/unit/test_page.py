"""The files of the page: what needs no browser to be checked."""

import re
from pathlib import Path

import pytest

import api

_WEB = Path(api.__file__).parent / "web"
_MODULES = sorted(_WEB.rglob("*.js"))
_IMPORT = re.compile(r'^(?:import|export) .*?from "(.+?)";', re.MULTILINE | re.DOTALL)


def test_every_module_behind_the_entry_is_preloaded() -> None:
    preloaded = re.findall(r'rel="modulepreload" href="/web/(.+?)"', (_WEB / "index.html").read_text())
    modules = [path.relative_to(_WEB).as_posix() for path in _MODULES]
    assert preloaded == [path for path in modules if "/" in path]


@pytest.mark.parametrize("module", _MODULES, ids=lambda path: path.relative_to(_WEB).as_posix())
def test_a_module_asks_for_types_and_imports_files_that_exist(module: Path) -> None:
    source = module.read_text()
    assert source.startswith("// @ts-check\n// ")
    for target in _IMPORT.findall(source):
        assert (module.parent / target).is_file(), target
