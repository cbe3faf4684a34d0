"""How orders become known, for the API can not list them."""

from smm_rules.intake.drop_folder import DropFolder, ScanReport
from smm_rules.intake.importing import ImportProgress, ImportReport, import_orders
from smm_rules.intake.lines import BadLine, IntakeOptions, Line, SourceRefused, Unacceptable
from smm_rules.intake.naming import order_entity, order_named, parse_order_ids
from smm_rules.intake.order_file import Format, OrderFile, format_of

__all__ = [
    "BadLine",
    "DropFolder",
    "Format",
    "ImportProgress",
    "ImportReport",
    "IntakeOptions",
    "Line",
    "OrderFile",
    "ScanReport",
    "SourceRefused",
    "Unacceptable",
    "format_of",
    "import_orders",
    "order_entity",
    "order_named",
    "parse_order_ids",
]
