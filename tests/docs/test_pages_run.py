"""Every block of commands on every page does what the page says, in a sandbox of the page's own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.docs import database
from tests.docs.pages import Page, every_page, indented_commands, read_page
from tests.docs.shell import Shell
from tests.docs.worlds import Standing, enter
from tests.postgres.fixtures import drop_database
from tests.postgres.server import Server

PAGES = {page.name: page for page in map(read_page, every_page())}


@pytest.fixture
def shell(request: pytest.FixtureRequest, panel: str, tmp_path: Path) -> Iterator[Shell]:
    """A shell in the world of the page that the test is about."""
    page: Page = request.node.callspec.params["page"]
    with_server = page.world == "database"
    if with_server:
        server: Server = request.getfixturevalue("postgres")
    shell = enter(page.world, panel, tmp_path, database.standing(server) if with_server else Standing())
    yield shell
    shell.close()
    if with_server:
        drop_database(server, database.NAME)


@pytest.mark.timeout(300)  # a page of many commands, on a machine that is busy
@pytest.mark.parametrize(
    "page", [pytest.param(page, id=name) for name, page in PAGES.items() if page.commands]
)
def test_the_commands_of_a_page_run(page: Page, shell: Shell) -> None:
    for block in page.blocks:
        shell.take(block)


@pytest.mark.parametrize("page", [pytest.param(page, id=name) for name, page in PAGES.items()])
def test_no_command_hides_in_an_indented_block(page: Page) -> None:
    assert indented_commands(page.text) == []
