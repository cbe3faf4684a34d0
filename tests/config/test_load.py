"""The configuration file: defaults, every refusal at its place, the environment over it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path

import pytest

from smm_rules.config import Configuration, load_configuration
from smm_rules.config.model import PollSettings
from smm_rules.document import DocumentError, Position, Problem
from tests.document.marked import unmarked

SOUND = """\
panels:
  - name: main
    url: https://panel.example/api/v2
    key: {env: MAIN_KEY}
channels:
  ops: {apprise: "tgram://topsecret/1"}
  two: {apprise: [{credential: one}, "json://also-secret"]}
  hook: {webhook: {url: "http://127.0.0.1:8000/", secret: {file: hook.secret}}}
  mail: {email: {host: mail.example, from: a@b.example, to: x@y.example, username: u, password: {env: P}}}
  here: {log: {}}
rules: [rules, more/own.yaml]
ledger: state/ledger.sqlite
drop_folder: /var/drop
operator: {channel: ops}
"""


def load(tmp_path: Path, text: str, environment: Mapping[str, str] | None = None) -> Configuration:
    path = tmp_path / "smm-rules.yaml"
    path.write_text(text, encoding="utf-8")
    return load_configuration(path, environment or {})


def problems(tmp_path: Path, text: str, environment: Mapping[str, str] | None = None) -> tuple[Problem, ...]:
    with pytest.raises(DocumentError) as caught:
        load(tmp_path, text, environment)
    return caught.value.problems


def test_what_is_left_out_has_a_default(tmp_path: Path) -> None:
    configuration = load(tmp_path, SOUND)

    (panel,) = configuration.panels
    assert (panel.requests_per_minute, panel.connections, panel.timeout) == (60, 4, timedelta(seconds=30))
    assert panel.poll.orders == panel.poll.balance == timedelta(minutes=5)
    assert (panel.poll.refills, panel.poll.catalogue) == (timedelta(minutes=15), timedelta(hours=6))
    assert configuration.mode == "live"
    assert configuration.observation_gap == timedelta(minutes=30)
    assert (configuration.settle_after, configuration.retention) == (timedelta(days=1), timedelta(days=90))
    assert (configuration.logging.format, configuration.logging.level) == ("auto", "info")
    assert (configuration.stop_timeout, configuration.sweep_size) == (timedelta(seconds=30), 2000)


def test_paths_start_where_the_file_is(tmp_path: Path) -> None:
    configuration = load(tmp_path, SOUND)

    assert configuration.rules == (tmp_path / "rules", tmp_path / "more/own.yaml")
    assert configuration.ledger == tmp_path / "state/ledger.sqlite"
    assert configuration.drop_folder == Path("/var/drop")
    webhook = configuration.channels["hook"].webhook
    assert webhook is not None
    assert webhook.secret.file == tmp_path / "hook.secret"


def test_channels_know_their_type_and_secrets(tmp_path: Path) -> None:
    configuration = load(tmp_path, SOUND)

    assert configuration.channel_types == {
        "ops": "apprise",
        "two": "apprise",
        "hook": "webhook",
        "mail": "email",
        "here": "log",
    }
    assert [str(reference) for reference in configuration.references] == [
        "{env: MAIN_KEY}",
        "{credential: one}",
        f"{{file: {tmp_path}/hook.secret}}",
        "{env: P}",
    ]


def test_one_rules_path_needs_no_list(tmp_path: Path) -> None:
    text = SOUND.replace("[rules, more/own.yaml]", "rules")

    assert load(tmp_path, text).rules == (tmp_path / "rules",)


@pytest.mark.parametrize(("security", "port"), [("tls", 465), ("starttls", 587)])
def test_mail_ports_follow_security(tmp_path: Path, security: str, port: int) -> None:
    text = SOUND.replace("host: mail.example", f"host: mail.example, security: {security}")
    email = load(tmp_path, text).channels["mail"].email

    assert email is not None
    assert email.effective_port == port


def test_mail_to_this_machine_may_be_plain(tmp_path: Path) -> None:
    text = SOUND.replace("host: mail.example", "host: localhost, security: none")
    email = load(tmp_path, text).channels["mail"].email

    assert email is not None
    assert email.effective_port == 25


def test_no_secret_shows(tmp_path: Path) -> None:
    configuration = load(tmp_path, SOUND)

    assert "secret/" not in repr(configuration)
    assert "also-secret" not in repr(configuration) + str(configuration.channels["two"])


BROKEN = {
    "inline key": ("key: {env: MAIN_KEY}", "key: ⟦CANARY", "`key` must not be written out", "{env: NAME}"),
    "inline webhook secret": (
        "secret: {file: hook.secret}",
        "secret: ⟦CANARY",
        "`secret` must not be",
        "{env",
    ),
    "inline password": ("password: {env: P}", "password: ⟦CANARY", "`password` must not be", "{env"),
    "two places": (
        "key: {env: MAIN_KEY}",
        "key: ⟦{env: MAIN_KEY, file: x}",
        "Only one of these keys can stand here: env, file",
        "",
    ),
    "no place": ("key: {env: MAIN_KEY}", "key: ⟦{}", "One of these keys is needed here: env", ""),
    "empty place": ("key: {env: MAIN_KEY}", "key: ⟦{env: }", "The place of the secret has no name", ""),
    "misspelt place": ("key: {env: MAIN_KEY}", "key: {⟦enw: X}", 'Unknown key "enw"', '"env"'),
    "credential with a slash": (
        "key: {env: MAIN_KEY}",
        "key: {credential: ⟦../x}",
        "`credential` has characters",
        "",
    ),
    "http": ("url: https:", "url: ⟦http:", "would send the API key to panel.example in the clear", ""),
    "no url": ("https://panel.example/api/v2", "⟦panel.example", "`url` can't be used", ""),
    "key in the url": ("api/v2", "api/v2?key=CANARY", "must not hold the API key", ""),
    "password in the url": ("https://panel", "⟦https://u:CANARY@panel", "must not hold a user name", ""),
    "panel name": ("name: main", "name: ⟦main panel", "`name` must be a name", "main-panel"),
    "panel without a name": ("- name: main\n    url", "- ⟦url", "The key `name` is missing", ""),
    "panel key": ("    key:", "    ⟦keys: 1\n    key:", 'Unknown key "keys"', '"key"'),
    "requests": ("    key:", "    requests_per_minute: ⟦0\n    key:", "must be at least 1, not 0", ""),
    "connections": ("    key:", "    connections: ⟦4.5\n    key:", "must be a whole number", ""),
    "timeout": ("    key:", "    timeout: ⟦30\n    key:", "`timeout` must be a duration", "Write 30s"),
    "poll": ("    key:", "    poll: {⟦order: 5m}\n    key:", 'Unknown key "order"', '"orders"'),
    "poll without rest": ("    key:", "    poll: {orders: ⟦0s}\n    key:", "must be at least 1s", ""),
    "channel name": ("  ops: {", "  ⟦o p: {log: {}}\n  ops: {", "must be a name of letters", "o-p"),
    "channel type": ("{log: {}}", "{⟦slack: x}", 'Unknown channel type "slack"', ""),
    "two channel types": ("{log: {}}", "⟦{log: {}, apprise: x}", "Only one of these keys", ""),
    "no channel type": ("{log: {}}", "⟦{}", "One of these keys is needed here: apprise", "log: {}"),
    "apprise without address": ('"tgram://topsecret/1"', "⟦[]", "`apprise` must not be empty", ""),
    "apprise number": ('"tgram://topsecret/1"', "⟦5", "`apprise` must be an address", "{env"),
    "webhook over http": (
        "http://127.0.0.1:8000/",
        "http://hooks.example/",
        "`url` must begin with https://",
        "https://",
    ),
    "webhook without secret": (", secret: {file: hook.secret}", "", "The key `secret` is missing", ""),
    "mail security": ("from: a@b.example", "security: ⟦ssl, from: a@b.example", "`security` must be tls", ""),
    "plain mail": (
        "{host: mail.example",
        "⟦{security: none, host: mail.example",
        "only sent to this machine",
        "starttls",
    ),
    "mail address": ("from: a@b.example", "from: ⟦ops", "`from` must be an e-mail address", ""),
    "mail without password": (", password: {env: P}", "", "`username` and `password` belong together", ""),
    "mail port": ("from: a@", "port: ⟦99999, from: a@", "`port` must be at most 65535", ""),
    "no rules": ("[rules, more/own.yaml]", "⟦[]", "`rules` must not be empty", ""),
    "rules as number": ("[rules, more/own.yaml]", "⟦5", "must be the path of a file", ""),
    "no ledger": ("ledger: state/ledger.sqlite\n", "", "The key `ledger` is missing", ""),
    "operator's channel": ("{channel: ops}", "{channel: ⟦opps}", 'There is no channel "opps"', '"ops"'),
    "mode": ("operator:", "mode: ⟦dry\noperator:", "`mode` must be live, dry_run or shadow", '"dry_run"'),
    "level": ("operator:", "logging: {level: ⟦warn}\noperator:", "`level` must be debug", '"warning"'),
    "format": ("operator:", "logging: {format: ⟦text}\noperator:", "`format` must be json", ""),
    "gap": ("operator:", "observation_gap: ⟦5m\noperator:", "must be longer than the time between", "45m"),
    "retention": ("operator:", "retention: ⟦1h\noperator:", "`retention` must be at least 1d", ""),
    "stop": ("operator:", "stop_timeout: ⟦no\noperator:", "`stop_timeout` must be a duration", ""),
    "sweep": ("operator:", "sweep_size: ⟦0\noperator:", "`sweep_size` must be at least 1", ""),
    "unknown": ("operator:", "⟦rule: x\noperator:", 'Unknown key "rule"', '"rules"'),
}


@pytest.mark.parametrize(("sound", "broken", "message", "suggestion"), BROKEN.values(), ids=BROKEN)
def test_a_fault_is_told_at_its_place(
    tmp_path: Path, sound: str, broken: str, message: str, suggestion: str
) -> None:
    assert sound in SOUND
    text = SOUND.replace(sound, broken, 1)
    marked = "⟦" in text
    text, line, column = unmarked(text) if marked else (text, 0, 0)

    (problem,) = problems(tmp_path, text)

    assert message in problem.message
    assert suggestion in problem.suggestion
    assert "CANARY" not in str(problem)
    assert (problem.position.line, problem.position.column) == (line, column) or not marked


def test_two_panels_of_one_name_are_refused(tmp_path: Path) -> None:
    second = "  - name: Main\n    url: https://other.example/api/v2\n    key: {env: OTHER}\nchannels:"

    (problem,) = problems(tmp_path, SOUND.replace("channels:", second))

    assert problem.message == 'The panel "Main" is named twice; it stands at line 2 already'
    assert (problem.position.line, problem.position.column) == (5, 11)


def test_slow_polling_needs_a_longer_gap(tmp_path: Path) -> None:
    text = SOUND.replace("    key:", "    poll: {orders: 1h}\n    key:")

    (problem,) = problems(tmp_path, text)

    assert problem.suggestion == "Write observation_gap: 3h or look more often"
    assert (problem.position.line, problem.position.column) == (4, 20)


@pytest.mark.parametrize(
    ("poll", "message"),
    [
        (
            "{orders: 5m, fastest: 6m}",
            "`fastest` (6m) must not be longer than the usual time between two looks at orders (5m)",
        ),
        (
            "{orders: 5m, slowest: 4m}",
            "`slowest` (4m) must not be shorter than the usual time between two looks at orders (5m)",
        ),
    ],
)
def test_the_usual_pace_lies_between_the_fastest_and_the_slowest(
    tmp_path: Path, poll: str, message: str
) -> None:
    (problem,) = problems(tmp_path, SOUND.replace("    key:", f"    poll: {poll}\n    key:"))

    assert problem.message == message


@pytest.mark.parametrize(
    ("poll", "bounds"),
    [
        (PollSettings(), (timedelta(minutes=1), timedelta(hours=1))),
        (PollSettings(orders=timedelta(seconds=2)), (timedelta(seconds=1), timedelta(seconds=24))),
        (
            PollSettings(fastest=timedelta(seconds=30), slowest=timedelta(days=1)),
            (timedelta(seconds=30), timedelta(days=1)),
        ),
    ],
)
def test_the_bounds_follow_from_the_usual_pace(
    poll: PollSettings, bounds: tuple[timedelta, timedelta]
) -> None:
    assert poll.bounds == bounds


def test_all_faults_are_told_in_one_run(tmp_path: Path) -> None:
    text = SOUND.replace("https://panel", "ftp://panel").replace("ops}", "5}").replace("ledger:", "leger:")

    assert [problem.position.line for problem in problems(tmp_path, text)] == [3, 12, 14]


def test_an_empty_file_is_told(tmp_path: Path) -> None:
    (problem,) = problems(tmp_path, "")

    assert problem.message == "The file is empty"


def test_the_environment_replaces_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    environment = {
        "SMM_RULES_LEDGER": "other.sqlite",
        "SMM_RULES_RULES": "/etc/rules",
        "SMM_RULES_DROP_FOLDER": "in",
        "SMM_RULES_OPERATOR_CHANNEL": "mail",
        "SMM_RULES_MODE": "dry_run",
        "SMM_RULES_OBSERVATION_GAP": "1h",
        "SMM_RULES_SETTLE_AFTER": "2d",
        "SMM_RULES_RETENTION": "30d",
        "SMM_RULES_LOG_FORMAT": "json",
        "SMM_RULES_LOG_LEVEL": "debug",
        "SMM_RULES_STOP_TIMEOUT": "5s",
        "SMM_RULES_SWEEP_SIZE": "100",
        "SMM_RULES_CONFIG": "elsewhere.yaml",
    }

    configuration = load(tmp_path, SOUND, environment)

    assert configuration.ledger == tmp_path / "other.sqlite"
    assert configuration.rules == (Path("/etc/rules"),)
    assert configuration.drop_folder == tmp_path / "in"
    assert configuration.operator is not None
    assert configuration.operator.channel == "mail"
    assert configuration.mode == "dry_run"
    assert configuration.observation_gap == timedelta(hours=1)
    assert (configuration.settle_after, configuration.retention) == (timedelta(days=2), timedelta(days=30))
    assert (configuration.logging.format, configuration.logging.level) == ("json", "debug")
    assert (configuration.stop_timeout, configuration.sweep_size) == (timedelta(seconds=5), 100)


def test_an_empty_variable_is_not_set(tmp_path: Path) -> None:
    assert load(tmp_path, SOUND, {"SMM_RULES_MODE": ""}).mode == "live"


@pytest.mark.parametrize(
    ("variable", "value", "message"),
    [
        ("SMM_RULES_MODE", "dry", "`mode` must be live, dry_run or shadow"),
        ("SMM_RULES_LOG_LEVEL", "verbose", "`level` must be debug"),
        ("SMM_RULES_SWEEP_SIZE", "many", "`sweep_size` must be a whole number"),
        ("SMM_RULES_SWEEP_SIZE", ".inf", ".inf is not a number"),
        ("SMM_RULES_STOP_TIMEOUT", "5", "`stop_timeout` must be a duration"),
        ("SMM_RULES_OPERATOR_CHANNEL", "nobody", 'There is no channel "nobody"'),
        ("SMM_RULES_OBSERVATION_GAP", "1m", "must be longer than the time between two looks"),
    ],
)
def test_a_fault_in_a_variable_names_it(tmp_path: Path, variable: str, value: str, message: str) -> None:
    (problem,) = problems(tmp_path, SOUND, {variable: value})

    assert problem.position == Position(Path(f"${variable}"), 1, 1)
    assert message in problem.message


def test_a_misspelt_variable_is_told(tmp_path: Path) -> None:
    (problem,) = problems(tmp_path, SOUND, {"SMM_RULES_LEGER": "x"})

    assert problem.message == "The environment variable SMM_RULES_LEGER is not a setting"
    assert problem.suggestion == 'Did you mean "SMM_RULES_LEDGER"?'


def test_a_variable_that_holds_a_secret_is_left_alone(tmp_path: Path) -> None:
    text = SOUND.replace("MAIN_KEY", "SMM_RULES_MOD")

    assert load(tmp_path, text, {"SMM_RULES_MOD": "k"}).panels[0].key.env == "SMM_RULES_MOD"
