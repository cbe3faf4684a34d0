"""The configuration: one YAML file, environment variables, secrets by reference."""

from smm_rules.config.addresses import PanelUrl, SecureUrl
from smm_rules.config.channels import ChannelSettings, EmailSettings, LogSettings, WebhookSettings
from smm_rules.config.load import load_configuration
from smm_rules.config.model import (
    Configuration,
    LoggingSettings,
    OperatorSettings,
    PanelSettings,
    PollSettings,
)
from smm_rules.config.oddities import oddities
from smm_rules.config.secrets import InlineSecret, SecretReference, SecretUnavailable

__all__ = [
    "ChannelSettings",
    "Configuration",
    "EmailSettings",
    "InlineSecret",
    "LogSettings",
    "LoggingSettings",
    "OperatorSettings",
    "PanelSettings",
    "PanelUrl",
    "PollSettings",
    "SecretReference",
    "SecretUnavailable",
    "SecureUrl",
    "WebhookSettings",
    "load_configuration",
    "oddities",
]
