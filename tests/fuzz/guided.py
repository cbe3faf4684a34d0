"""`python -m tests.fuzz.guided TARGET -max_total_time=60`: guided by coverage, where atheris is installed.

`pip install atheris` (not a dependency: it is large and comes for few platforms). Options after the target
are libFuzzer's. New inputs are kept out of the tree, in a directory it prints; a finding ends the run and its
input is written to the working directory: move it to `tests/fuzz/corpus/<target>/`.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["smm_rules"]):
    from tests.fuzz.corpus import kept
    from tests.fuzz.targets import TARGETS


def main() -> None:
    target = sys.argv[1]
    directory = Path(tempfile.mkdtemp(prefix=f"smm-rules-{target}-"))
    print(f"inputs in {directory}")
    for number, (_, data) in enumerate(kept(target)):
        (directory / f"{number:04}").write_bytes(data)
    options = ["-max_len=4000", "-timeout=10", "-rss_limit_mb=2048", *sys.argv[2:], str(directory)]
    atheris.Setup([sys.argv[0], *options], TARGETS[target])
    atheris.Fuzz()


if __name__ == "__main__":
    main()
