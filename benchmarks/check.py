"""What `smm-rules check` costs: `python -m benchmarks.check`.

The installed command as a process of its own, on a file of ten rules and on one of a thousand; CPU time of
the whole process, starting Python included.
"""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

from benchmarks.measure import Row, arguments_of, median, spread, tell

_RULE = """\
  - name: rule-{number}
    description: A rule such as operators write, number {number}
    watch: order
    when: service.id == "{number}" and status == "Partial" and remains > 0 and service.refill
    for: {minutes}m
    do:
      - refill:
      - notify: {{channel: ops, message: "Order {{{{ order.id }}}} lacks {{{{ order.remains }}}}"}}
    otherwise:
      - reorder: {{quantity: "{{{{ order.remains }}}}", max_rate_increase: 10%}}
    limit: {{per_order: 3, every: 24h, per_chain: 2}}
"""
SIZES = (10, 1000)


def write_rules(path: Path, count: int) -> None:
    """A file of `count` rules that act and tell, each for another service: nobody has a thousand for one."""
    rules = (_RULE.format(number=number, minutes=5 + number % 55) for number in range(count))
    path.write_text("rules:\n" + "".join(rules), encoding="utf-8")


def cpu_of(arguments: list[str], directory: Path) -> float:
    """CPU seconds, user and system, of a command that must succeed; its output is dropped."""
    child = os.fork()
    if child == 0:  # pragma: no cover - becomes the command
        os.chdir(directory)
        silent = os.open(os.devnull, os.O_WRONLY)
        os.dup2(silent, 1)
        os.dup2(silent, 2)
        os.execv(arguments[0], arguments)
    _, status, usage = os.wait4(child, 0)
    if status != 0:
        raise RuntimeError(f"{' '.join(arguments)} ended with {os.waitstatus_to_exitcode(status)}")
    return usage.ru_utime + usage.ru_stime


def main() -> None:
    parser = arguments_of(__doc__)
    parser.add_argument("--runs", type=int, default=5)
    given = parser.parse_args()
    program = str(Path(sys.executable).with_name("smm-rules"))
    command = f"python -m benchmarks.check --runs {given.runs}"
    rows = []
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        starts = [cpu_of([program, "--version"], directory) for _ in range(given.runs)]
        rows.append(Row("smm-rules --version, CPU", f"{median(starts):.2f} s", spread(starts), command))
        for size in SIZES:
            path = directory / f"rules-{size}.yaml"
            write_rules(path, size)
            times = [cpu_of([program, "check", str(path)], directory) for _ in range(given.runs)]
            what = f"smm-rules check, {size:,} rules, CPU"
            rows.append(Row(what, f"{median(times):.2f} s", spread(times), command))
    tell(rows, as_json=given.json)


if __name__ == "__main__":
    main()
