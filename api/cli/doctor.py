"""``seedleaf doctor``: whether this machine can run studies, and how to fix what is wrong."""

from api.cli.errors import CommandError
from api.cli.output import TextFormat, print_json
from api.tabular.console import STYLES, console


def doctor(format_: TextFormat = "text") -> None:
    """Check whether this machine has what a server and its workers need; exit code 1 if something is wrong."""
    from services.doctor import examine
    from services.settings import Settings

    findings = []
    output = console()
    for finding in examine(Settings()):
        findings.append(finding)
        if format_ == "text":
            output.print(f"{finding.state:<8}", style=STYLES[finding.state], end="")
            output.print(f"{finding.subject}: {finding.found}", soft_wrap=True)
            if finding.advice:
                output.print(f"        {finding.advice}", soft_wrap=True)
    if format_ == "json":
        print_json(findings)
    if wrong := [finding.subject for finding in findings if finding.state == "trouble"]:
        raise CommandError(f"something is wrong with {', '.join(wrong)}: see above")
