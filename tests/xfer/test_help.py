"""Every `--help` stands in docs/commands.md as the program prints it (`XFER_ACCEPT=help` writes it there)."""

import os
import re
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from xfer.cli import main

DOCUMENT = Path(__file__).parents[2] / "docs" / "commands.md"
HEADING = "## Every option\n"
COMMANDS = ["", *sorted(main.commands)]


def printed(command):
    """The command line and what it prints at a width of 100."""
    arguments = [*command.split(), "--help"]
    said = CliRunner().invoke(main, arguments, prog_name="xfer", terminal_width=100)

    assert 0 == said.exit_code
    return f"$ {' '.join(['xfer', *arguments])}\n{said.output}"


def blocks():
    section = DOCUMENT.read_text(encoding="utf-8").partition(HEADING)[2]
    return re.findall(r"^```text\n(.*?)^```$", section, re.DOTALL | re.MULTILINE)


@pytest.fixture(scope="module", autouse=True)
def _accepted():
    if os.environ.get("XFER_ACCEPT") == "help":
        before = DOCUMENT.read_text(encoding="utf-8").partition(HEADING)[0]
        shown = "\n".join(f"```text\n{printed(command)}```\n" for command in COMMANDS)
        DOCUMENT.write_text(f"{before}{HEADING}\n{shown}", encoding="utf-8")


@pytest.mark.parametrize("command", COMMANDS)
def test_the_help_of_a_command_stands_in_the_document(command):
    assert printed(command) in blocks()


def test_the_document_shows_no_command_that_there_is_not():
    assert len(COMMANDS) == len(blocks())


@pytest.mark.parametrize("command", sorted(main.commands))
def test_every_command_and_option_says_what_it_does(command):
    found = main.commands[command]

    assert found.help
    assert [] == [p.name for p in found.params if isinstance(p, click.Option) and not p.help]
