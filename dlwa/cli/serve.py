"""`dlwa ddsp serve`, `studio`, `live`: the models played from Pure Data, a page, a microphone."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from dlwa.cli import options, output


@dataclass(frozen=True)
class Listening:
    """Where a program listens, and what it plays with."""

    host: Annotated[
        str,
        typer.Option(
            metavar="ADDRESS", help="Where to listen; others than this machine need --yes."
        ),
    ] = "127.0.0.1"
    pitch_model: Annotated[
        str | None, typer.Option(help="Pitch tracker: auto, swift, tiny ... full. [default: auto]")
    ] = None


def register(app: typer.Typer) -> None:
    """Add the command to the group `ddsp`."""
    app.command("serve")(serve)
    app.command("studio")(studio)
    app.command("live")(live)


def serve(
    port: Annotated[int, typer.Option(help="UDP port; 0 takes a free one.")] = 9001,
    *,
    where: Listening,
    how: options.Consent,
) -> int:
    """Let Pure Data, Max or SuperCollider play the models, by OSC messages.

    Open pd/timbre_transfer.pd in Pure Data while it runs; docs/reference/osc.md lists the
    messages. Ctrl-C ends it.
    """
    from dlwa.actions import serving

    patch = serving.patch()
    if patch:
        output.say(f"in Pure Data open {options.settings().workspace.shown(patch)}")
    return start(serving.SERVE, port, where, how)


def studio(
    port: Annotated[int, typer.Option(help="TCP port; 0 takes a free one.")] = 7860,
    *,
    where: Listening,
    how: options.Consent,
) -> int:
    """Open a page of this machine to play sounds through the models.

    Drop a recording or record one, choose a model, turn the knobs, hear and see. Nothing leaves
    this machine. Ctrl-C ends it.
    """
    from dlwa.actions import serving
    from dlwa.cli import needs

    if not how.dry_run:
        needs.studio(how)
    return start(serving.STUDIO, port, where, how)


def live(
    model_name: options.ModelName,
    source: Annotated[
        Path | None, typer.Option("--source", help="A recording instead of the microphone.")
    ] = None,
    target: Annotated[
        Path | None, typer.Option("--target", help="A sound file instead of the speakers.")
    ] = None,
    extra: Annotated[
        list[str] | None, typer.Argument(metavar="-- KNOBS", help="Knobs, e.g. --octave_shift=1")
    ] = None,
    block_ms: Annotated[float, typer.Option(help="Length of a block.")] = 64.0,
    pitch_model: Annotated[
        str, typer.Option(help="Pitch tracker: tiny ... full, or swift.")
    ] = "tiny",
    device: Annotated[str | None, typer.Option(help="Sound device: number or name.")] = None,
    fast: Annotated[bool, typer.Option("--fast", help="Do not keep a recording's pace.")] = False,
    *,
    how: options.Consent,
) -> int:
    """Let a model play along with the microphone, block by block.

    Says how far it lies behind and whether it keeps up. With --source and --target a recording is
    played at the pace of the sound instead. Ctrl-C ends it.
    """
    from dlwa.actions import serving
    from dlwa.cli import needs
    from dlwa.errors import ExitCode

    given = {"source": source, "target": target, "device": device}
    words = [f"--block_ms={block_ms:g}", f"--pitch_model={pitch_model}", *(["--fast"] * fast)]
    words += [f"--{name}={value}" for name, value in given.items() if value is not None]
    settings = options.settings()
    asked = serving.live_command(settings, model_name, [*words, *(extra or ())])
    if output.only_shown(asked.argv, how.dry_run):
        return ExitCode.OK
    needs.ddsp(how)
    if source is None:
        needs.live(how)
    return serving.run(asked)


def start(module: str, port: int, where: Listening, how: options.Consent) -> int:
    """Start a program that listens; asks before others than this machine may talk to it."""
    from dlwa.actions import serving
    from dlwa.cli import needs
    from dlwa.errors import ExitCode

    serving.check_address(where.host, port)
    words = [f"--port={port}", f"--host={where.host}"]
    words += [f"--pitch_model={where.pitch_model}"] if where.pitch_model else []
    asked = serving.command(options.settings(), module, words)
    if output.only_shown(asked.argv, how.dry_run):
        return ExitCode.OK
    if not serving.is_loopback(where.host):
        question = f"Everybody who reaches {where.host} may read and write sound files here. Go on?"
        if not output.confirm(question, assume_yes=how.yes, no_input=how.no_input):
            return ExitCode.FAILED
    needs.ddsp(how)
    return serving.run(asked)
