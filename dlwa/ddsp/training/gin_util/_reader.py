"""From the text of a gin file to its statements, with nothing looked up yet."""

import io
from dataclasses import dataclass

from gin import config_parser

from ._errors import GinError


@dataclass(frozen=True)
class Reference:
    """`@scope/name` or `@scope/name()` in a value."""

    scoped_selector: str
    evaluate: bool

    @property
    def selector(self):
        """The name without its scopes."""
        return self.scoped_selector.rsplit("/", 1)[-1]


@dataclass(frozen=True)
class Macro:
    """`%name` in a value."""

    name: str


class _Delegate(config_parser.ParserDelegate):
    def configurable_reference(self, scoped_configurable_name, evaluate):
        return Reference(scoped_configurable_name, evaluate)

    def macro(self, macro_name):
        return Macro(macro_name)


class _Named(io.StringIO):
    def __init__(self, text, name):
        super().__init__(text)
        self.name = name


def read_statements(text, name):
    """The statements of a text; values hold Reference and Macro objects.

    Args:
        text: gin statements.
        name: what to call the text in errors.

    Raises:
        GinError: at the first line that is no gin statement.
    """
    try:
        return list(config_parser.ConfigParser(_Named(text, name), _Delegate()))
    except SyntaxError as error:
        line = (error.text or "").strip()
        where = f"{name}:{error.lineno}" if error.lineno else name
        why = error.msg.strip().splitlines()[-1].strip().rstrip(".")
        raise GinError(f"cannot read {line!r}: {why}", where, _advice(line)) from None
    except Exception as error:  # the tokenizer's own errors: an open bracket, an odd character
        raise GinError(f"cannot be read: {error}", name, "Is every bracket closed?") from None


def _advice(line):
    name, equals, value = (part.strip() for part in line.partition("="))
    if not equals:
        return "A binding is written Name.parameter = value"
    if value and (value[0].isalpha() or value[0] in "/~.") and "'" not in value:
        return f"Text needs quotes: {name} = '{value}'"
    if not value:
        return f"A value is missing: {name} = ..."
    return "Values are Python numbers, 'text', (tuples), [lists], @references and %macros"


def walk(value):
    """Every Reference and Macro in a value."""
    if isinstance(value, Reference | Macro):
        yield value
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from walk(key)
            yield from walk(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from walk(item)


def replace(value, function):
    """The value with every Reference and Macro replaced by function(it)."""
    if isinstance(value, Reference | Macro):
        return function(value)
    if isinstance(value, dict):
        return {replace(k, function): replace(v, function) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(replace(item, function) for item in value)
    return value
