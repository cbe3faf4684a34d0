"""YAML files read safely, every value with its place in the file."""

from smm_rules.document.document import Document, Plain, Trail
from smm_rules.document.problem import DocumentError, Position, Problem, Severity, did_you_mean, in_file_order
from smm_rules.document.reader import DEFAULT_BOUNDS, Bounds, read_document, read_text
from smm_rules.document.validate import validate

__all__ = [
    "DEFAULT_BOUNDS",
    "Bounds",
    "Document",
    "DocumentError",
    "Plain",
    "Position",
    "Problem",
    "Severity",
    "Trail",
    "did_you_mean",
    "in_file_order",
    "read_document",
    "read_text",
    "validate",
]
