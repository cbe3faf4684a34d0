"""Whether a secret is where the configuration says."""

from __future__ import annotations

from collections.abc import Mapping

from smm_rules.cli.examination.finding import Finding, ok, problem, warning
from smm_rules.config.secrets import SecretReference, SecretUnavailable


def examine_secret(subject: str, reference: SecretReference, environment: Mapping[str, str]) -> Finding:
    """What `subject` is to be read from, without a word of the secret."""
    if reference.credential is not None and not environment.get("CREDENTIALS_DIRECTORY"):
        found = f"{reference} is given to the service alone, so it can't be looked at from here"
        remedy = f"See that the unit has LoadCredential={reference.credential}:PATH (systemd/README.md)"
        return warning(subject, found, remedy)
    try:
        reference.read(environment)
    except SecretUnavailable as error:
        found, _, remedy = str(error).partition(". ")
        return problem(subject, found, remedy or "Put the secret where the configuration says it is")
    return ok(subject, f"{reference} can be read")
