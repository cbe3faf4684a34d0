"""How orders become known, for the API can not list them.

What reads lists of orders is imported from its own module: `importing`, `order_file`, `drop_folder`.
"""

from smm_rules.intake.lines import BadLine, IntakeOptions, Line, SourceRefused, Unacceptable
from smm_rules.intake.naming import order_entity, order_named, parse_order_ids

__all__ = [
    "BadLine",
    "IntakeOptions",
    "Line",
    "SourceRefused",
    "Unacceptable",
    "order_entity",
    "order_named",
    "parse_order_ids",
]
