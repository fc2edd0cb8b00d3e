"""``python -m workers.data``: a DatasetSpec as JSON on standard input, its report as JSON on standard output.

Exit code 1 with the reason on standard error where there is no data set to report on.
"""

import json
import sys
from dataclasses import asdict

from search.contract.dataset import DatasetSpec
from workers.data.check import check_dataset
from workers.data.errors import DataError


def main() -> None:
    spec = DatasetSpec.model_validate_json(sys.stdin.read())
    try:
        report = check_dataset(spec)
    except DataError as error:
        sys.exit(str(error))
    json.dump(asdict(report), sys.stdout)


if __name__ == "__main__":
    main()
