"""The questions of `smm-rules init` on a terminal. Nothing is written before the last one is answered."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import click

from smm_rules.cli.first_set_up.files import LOG_CHANNEL, Answers, as_yaml, key_name, read_answers
from smm_rules.cli.terminal import output, safe
from smm_rules.config.model import Configuration
from smm_rules.config.secrets import SecretUnavailable
from smm_rules.notify.build import make_channel
from smm_rules.notify.channels.apprise import AppriseMissing

#: Where what must stay secret is kept, beside the configuration.
SECRETS = "secrets"
#: Stands for a secret while it is tried; it never reaches a file or the environment.
_TRIED = "SMM_RULES_INIT_SECRET"
_CHANNEL = "ops"


@dataclass(frozen=True, slots=True)
class Guided:
    """What the questions came to. `secrets` are texts to be stored, by path below the set-up's directory."""

    answers: Answers
    secrets: Mapping[str, str]


#: Asks every panel of a configuration with an environment, prints what it found, and tells whether it worked.
Try = Callable[[Configuration, Mapping[str, str]], bool]


def ask(directory: Path, begun: Answers, known: frozenset[str], try_panel: Try) -> Guided:
    """Ask for what isn't `known` (`name`, `url`, `key`), beginning with what `begun` proposes."""
    _say("A few questions, and a try of the key. Nothing is written before the end; Ctrl-C ends it.")
    answers = begun
    if "name" not in known:
        answers = _asked(directory, answers, "A name for the panel", "panel_name")
        if "key" not in known:
            answers = replace(answers, key_name=key_name(answers.key_place, answers.panel_name))
    if "url" not in known:
        answers = _asked(directory, answers, "The address of its API v2", "panel_url", proposed=False)
    secrets: dict[str, str] = {}
    if "key" not in known and answers.key_place != "credential":  # the service alone could read that
        answers, key = _key(directory, answers, try_panel)
        secrets |= {answers.key_name: key} if key else {}
    channel, more = _channel(directory, answers)
    answers = replace(answers, channel=channel)
    careful = click.confirm("Begin in a dry run, which holds each action for you to see?", default=True)
    return Guided(replace(answers, mode="dry_run" if careful else "live"), {**secrets, **more})


def _asked(directory: Path, answers: Answers, question: str, field: str, *, proposed: bool = True) -> Answers:
    """Ask until the answer can stand in a configuration."""
    while True:
        text = click.prompt(question, default=getattr(answers, field) if proposed else None)
        asked = replace(answers, **{field: text.strip()})
        try:
            read_answers(directory, asked)
        except click.UsageError as error:
            _say(error.message)
        else:
            return asked


# -- the key ------------------------------------------------------------------------------------------------
def _key(directory: Path, answers: Answers, try_panel: Try) -> tuple[Answers, str]:
    """The key, tried and to be stored in a file of its own, or left for later in the environment."""
    while True:
        key = _hidden(f"Its API key (not shown; none: put it into ${answers.key_name} later)")
        if not key:
            return answers, ""
        tried = replace(answers, key_place="env", key_name=_TRIED)
        if try_panel(read_answers(directory, tried), {_TRIED: key}):
            break
        wish = click.prompt(
            "Another key, another address, or keep it as it is",
            type=click.Choice(["key", "address", "keep"]),
            default="key",
        )
        if wish == "keep":
            break
        if wish == "address":
            answers = _asked(directory, answers, "The address of its API v2", "panel_url")
    name = f"{SECRETS}/{_file_name(answers.panel_name)}.key"
    return replace(answers, key_place="file", key_name=name), key


def _hidden(question: str) -> str:
    """Ask for a secret; empty when none is given."""
    while True:
        text: str = click.prompt(question, hide_input=True, default="", show_default=False).strip()
        if all(character.isprintable() for character in text):
            return text
        _say("That holds control characters. Paste only the secret.")


def _file_name(text: str) -> str:
    return re.sub(r"[^A-Za-z0-9_-]", "_", text)


# -- the channel --------------------------------------------------------------------------------------------
def _channel(directory: Path, answers: Answers) -> tuple[str, dict[str, str]]:
    """The settings of the channel that reaches the operator, as YAML, and its secrets."""
    if answers.key_place == "credential":
        # A file of this user's alone couldn't be read by the service, and a credential isn't made here.
        _say(
            "Messages go to the log. For another channel, store its secret as a credential: systemd/README.md"
        )
        return LOG_CHANNEL, {}
    while True:
        kind = click.prompt(
            "Where should messages reach you: the log alone, a service by its Apprise address, or mail",
            type=click.Choice(["log", "apprise", "mail"]),
            default="log",
        )
        if kind == "log":
            return LOG_CHANNEL, {}
        settings, secrets = _apprise() if kind == "apprise" else _mail()
        trouble = _trouble(directory, replace(answers, channel=_with_tried(settings, secrets)), secrets)
        if not trouble:
            return settings, secrets
        _say(trouble)


def _apprise() -> tuple[str, dict[str, str]]:
    url = _hidden("Its address, like ntfy://TOPIC or tgram://TOKEN/CHAT (not shown)")
    name = f"{SECRETS}/{_CHANNEL}.url"
    return f"apprise: {{file: {name}}}", {name: url}


def _mail() -> tuple[str, dict[str, str]]:
    host = click.prompt("The mail server")
    sender = click.prompt("From")
    to = click.prompt("To", default=sender)
    user = click.prompt("User name there (none: no login)", default="", show_default=False)
    words = {"host": host, "from": sender, "to": to} | ({"username": user} if user else {})
    settings = ", ".join(f"{name}: {as_yaml(str(text).strip())}" for name, text in words.items())
    if not user:
        return f"email: {{{settings}}}", {}
    name = f"{SECRETS}/{_CHANNEL}.password"
    return f"email: {{{settings}, password: {{file: {name}}}}}", {name: _hidden("Password (not shown)")}


def _with_tried(settings: str, secrets: Mapping[str, str]) -> str:
    """The settings with the secret where it is while nothing is stored."""
    for name in secrets:
        settings = settings.replace(f"{{file: {name}}}", f"{{env: {_TRIED}}}")
    return settings


def _trouble(directory: Path, answers: Answers, secrets: Mapping[str, str]) -> str:
    """Why the channel can't be used; empty when it can. Nothing is sent."""
    try:
        configuration = read_answers(directory, replace(answers, key_place="env", key_name=_TRIED))
        environment = {**os.environ, _TRIED: next(iter(secrets.values()), "")}
        make_channel(_CHANNEL, configuration.channels[_CHANNEL], environment)
    except click.UsageError as error:
        return error.message
    except (SecretUnavailable, AppriseMissing, ValueError) as error:
        # Its text may name the secret that was typed a moment ago; what is typed hidden isn't shown.
        text = str(error)
        for secret in filter(None, secrets.values()):
            text = text.replace(secret, "…")
        return text
    return ""


def _say(text: str) -> None:
    output().print(safe(text), soft_wrap=True)
