"""What Seedleaf and the extras that are named require, one a line: an image's layer that only they change.

``-NAME`` leaves a package out that the image's processes never import.
"""

import re
import sys
import tomllib
from pathlib import Path

project = tomllib.loads(Path("pyproject.toml").read_text())["project"]
left_out = [argument[1:] for argument in sys.argv[1:] if argument.startswith("-")]
wanted = list(project["dependencies"])
for extra in sys.argv[1:]:
    if not extra.startswith("-"):
        wanted += project["optional-dependencies"][extra]
print("\n".join(line for line in wanted if re.split(r"[^\w-]", line)[0] not in left_out))
