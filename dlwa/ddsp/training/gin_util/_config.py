"""Reading a configuration: one file after the other, later bindings win."""

import sys
from pathlib import Path

import gin
from absl import logging
from gin import config_parser

from . import _names
from ._errors import GinError
from ._files import SearchPath, is_shipped
from ._legacy import convert_text
from ._reader import Macro, Reference, read_statements, replace, walk

_OURS = ("ddsp", "dlwa")
_FLAG = "--gin_param"


class Config:
    """A configuration being put together in gin's global table.

    Args:
        search_path: more folders with gin files.

    Attributes:
        notes: what was translated or skipped, one sentence each.
    """

    def __init__(self, search_path=()):
        _names.register_all()
        self.search_path = SearchPath(search_path)
        self.notes = []
        self._bound = {}  # macro -> (place, whether the user wrote it)
        self._used = {}  # macro -> place of its last use
        self._typed = {}  # full name of what a --gin_param sets -> its place
        self._open = []  # files being read, against circles

    def add_file(self, name):
        """Read a gin file and what it includes; everything in it must be known.

        Raises:
            GinError: for the first thing that cannot be right.
        """
        self._read_file(self.search_path.find(name, place="--gin_file"), lenient=False)

    def add_params(self, params):
        """Read single bindings, as given by --gin_param; a text may hold several lines."""
        for text in params:
            self._read_text(text, _FLAG, lenient=False, path=None)

    def add_old_config(self, path):
        """Read the configuration a run left; what is no longer known is skipped and noted.

        It may come from anybody, so nothing it names is imported; what is imported already counts.
        """
        self._read_file(Path(path), lenient=True)

    def check(self):
        """Compare macros that are used with those that are bound, once everything is read.

        Raises:
            GinError: for a macro that nobody binds, or one of the user's that nobody uses.
        """
        for name, place in self._used.items():
            if name not in self._bound and not _is_constant(name):
                raise GinError(
                    f"macro %{name} has no value", place, self._meant(name, self._bound, "{} = ...")
                )
        shipped = {name for name, (_, own) in self._bound.items() if not own}
        for name, (place, own) in self._bound.items():
            if own and name not in self._used and name not in shipped:
                raise GinError(
                    f"macro {name!r} is used nowhere",
                    place,
                    self._meant(name, set(self._used) | shipped, "{} = ..."),
                )
        self._tell_unused()

    def _tell_unused(self):
        """Note what was typed for nothing: parameters of what nobody uses."""
        used = {
            reference.configurable.selector
            for reference in gin.config.iterate_references(gin.config._CONFIG)
        }
        for full, place in self._typed.items():
            if full not in used and not _names.acts_on_every_call(full):
                name = _names.short_form(full)
                self._note(f"{place} has no effect: the configuration uses @{name} nowhere")

    def _read_file(self, path, lenient):
        if path.resolve() in self._open:
            raise GinError(f"{path} includes itself", str(path))
        try:
            text = path.read_text(encoding="utf-8-sig")
        except (OSError, UnicodeDecodeError) as error:
            raise GinError(f"{path} cannot be read: {error}") from None
        self._open.append(path.resolve())
        try:
            self._read_text(text, str(path), lenient, path)
        finally:
            self._open.pop()

    def _read_text(self, text, name, lenient, path):
        text, changes = convert_text(text)
        for change in changes:
            self._note(f"{name}: {change}")
        for statement in read_statements(text, name):
            try:
                self._apply(statement, lenient, path)
            except GinError as error:
                if not lenient:
                    raise
                self._note(f"skipped: {error.place}: {error.problem}")

    def _note(self, sentence):
        if sentence not in self.notes:
            self.notes.append(sentence)
            logging.warning("gin: %s", sentence)

    def _apply(self, statement, lenient, path):
        place = _place(statement.location)
        if isinstance(statement, config_parser.IncludeStatement):
            self._read_file(self.search_path.find(statement.filename, path, place), lenient)
        elif isinstance(statement, config_parser.ImportStatement):
            _import(statement, place, lenient)
        elif isinstance(statement, config_parser.BlockDeclaration):
            _full_name(statement.selector, place)
        else:
            self._bind(statement, place, own=path is None or not (lenient or is_shipped(path)))

    def _bind(self, statement, place, own):
        scope, selector, parameter, value, _ = statement
        for item in walk(value):
            if isinstance(item, Reference):
                _full_name(item.selector, place, reference=True)
        if not parameter:
            name = f"{scope}/{selector}" if scope else selector
            key = (name, "gin.macro", "value")
        else:
            full = _full_name(selector, place, parameter)
            _check_parameter(full, selector, parameter, place)
            key = (scope, full, parameter)
            if statement.location.filename == _FLAG:
                self._typed[full] = place
        try:
            gin.bind_parameter(key, replace(value, _to_gin))
        except ValueError as error:
            raise GinError(str(error), place) from None
        if not parameter:
            was_shipped = name in self._bound and not self._bound[name][1]
            self._bound[name] = (place, own and not was_shipped)
        for item in walk(value):
            if isinstance(item, Macro):
                self._used[item.name] = place

    @staticmethod
    def _meant(name, known, form):
        close = _names.nearest(name, known)
        if close:
            return "Did you mean " + " or ".join(form.format(c) for c in close) + "?"
        return f"Known macros: {', '.join(sorted(known)) or 'none'}"


def _to_gin(item):
    delegate = gin.config.ParserDelegate()
    if isinstance(item, Macro):
        return delegate.macro(item.name)
    return delegate.configurable_reference(item.scoped_selector, item.evaluate)


def _is_constant(name):
    return bool(gin.config._CONSTANTS.matching_selectors(name))


def _place(location):
    if location.filename == _FLAG:
        return f"--gin_param {location.line_content.strip()!r}"
    return f"{location.filename}:{location.line_num}"


def _import(statement, place, lenient):
    if statement.module.split(".")[0] in _OURS:
        _names.register_all()
        gin.parse_config("import dlwa.ddsp\nimport dlwa.ddsp.training\n")
        return
    if lenient:
        if statement.module in sys.modules:
            return
        raise GinError(f"{statement.format()}, which is not dlwa's", place)
    try:
        gin.parse_config(statement.format() + "\n")
    except ImportError as error:
        hint = "A module of your own is looked for in the folders that PYTHONPATH names"
        raise GinError(f"cannot import {statement.module}: {error}", place, hint) from None


def _full_name(selector, place, parameter="", reference=False):
    """The one full name meant by a possibly shortened one."""
    found = _names.matches(selector)
    if len(found) == 1:
        return found[0]
    sign = "@" if reference else ""
    ending = f".{parameter}" if parameter else ""
    if found:
        shown = " or ".join(sign + _names.short_form(name) + ending for name in found)
        raise GinError(f"{sign}{selector} can mean several things", place, f"Write {shown}")
    close = _names.nearest_selectors(selector, parameter=parameter)
    if close:
        hint = f"Did you mean {' or '.join(sign + name + ending for name in close)}?"
    else:
        hint = "If it is your own, import its module at the top of the gin file"
    raise GinError(f"nothing is called {sign}{selector}", place, hint)


def _check_parameter(full, selector, parameter, place):
    known = _names.parameters(full)
    if known is None or parameter in known:
        return
    close = _names.nearest(parameter, known)
    hint = (
        f"Did you mean {' or '.join(f'{selector}.{name}' for name in close)}?"
        if close
        else f"It has: {', '.join(sorted(known))}"
    )
    raise GinError(f"{selector} has no parameter {parameter!r}", place, hint)
