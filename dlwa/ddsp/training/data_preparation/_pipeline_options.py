"""Beam options: which are understood, and whether they ask for Beam at all.

One machine does not need Beam: without options, and with the reference's default of a plain
DirectRunner, recordings are prepared by threads of this process.
"""

import difflib
import sys
from collections.abc import Sequence

_ONE_MACHINE = ("", "--runner=DirectRunner")


def check_pipeline_options(pipeline_options: str | Sequence[str]) -> list[str]:
    """The options to run Beam with, none where Beam is not asked for.

    Raises ValueError for options that Beam or its runner does not have.
    """
    given = [pipeline_options] if isinstance(pipeline_options, str) else list(pipeline_options)
    if all(option in _ONE_MACHINE for option in given):
        return []
    words = ",".join(given)
    try:
        from apache_beam.options import pipeline_options as beam_options
        from apache_beam.runners.runner import create_runner
    except ImportError:
        raise ValueError(
            f"pipeline_options={words!r} need Apache Beam: pip install 'dlwa[beam]'"
        ) from None
    _refuse_unknown(given, beam_options)
    if " " in sys.executable and "multi_processing" in words:
        raise ValueError(
            f"pipeline_options={words!r}: Beam cannot start worker processes from a path with a "
            f"space ({sys.executable}); use direct_running_mode=multi_threading, or move dlwa"
        )
    runner = beam_options.PipelineOptions(given).view_as(beam_options.StandardOptions).runner
    known = beam_options.StandardOptions.KNOWN_RUNNER_NAMES
    if runner and "." not in runner and runner.lower() not in map(str.lower, known):
        raise ValueError(
            f"pipeline_options={words!r}: runner={runner} is unknown, {_nearest(runner, known)}"
        )
    try:
        create_runner(runner or "DirectRunner")
    except (ImportError, ValueError, AttributeError) as error:
        raise ValueError(f"pipeline_options={words!r}: {error}") from None
    return given


def _refuse_unknown(given: list[str], beam_options) -> None:
    parser = beam_options._BeamArgumentParser(allow_abbrev=False, exit_on_error=False)
    for group in beam_options.PipelineOptions.__subclasses__():
        group._add_argparse_args(parser)
    _, unknown = parser.parse_known_args(given)
    if unknown:
        names = [name for action in parser._actions for name in action.option_strings]
        flag = unknown[0].split("=")[0]
        raise ValueError(
            f"pipeline_options={','.join(given)!r}: {flag} is no option of Apache Beam, "
            f"{_nearest(flag, names)}"
        )


def _nearest(word: str, known: Sequence[str]) -> str:
    lower = {name.lower(): name for name in known}
    near = difflib.get_close_matches(word.lower(), lower, 1, 0.5)
    return f"did you mean {lower[near[0]]}?" if near else f"known: {', '.join(sorted(known)[:12])}"
