"""Names of older versions of the field's package, translated line by line."""

import re

_SCOPE = r"(?:\w+/)*"
_RENAMED = {
    "Additive": "Harmonic",
    "DefaultPreprocessor": "F0LoudnessPreprocessor",
    "ZRnnFcDecoder": "RnnFcDecoder",
}
_MODULE_OF = {
    "Harmonic": "synths",
    "F0LoudnessPreprocessor": "preprocessing",
    "RnnFcDecoder": "decoders",
}
_REMOVED = (
    "ZRnnFcDecoder.append_f0_loudness",
    "RnnFcDecoder.append_f0_loudness",
    "SpectralLoss.delta_delta_freq_weight",
    "SpectralLoss.delta_delta_time_weight",
    "DilatedConvEncoder.resample",
    "DilatedConvDecoder.resample",
)
_BINDING = re.compile(rf"^(\s*{_SCOPE}(?:\w+\.)*?)(\w+)(\.\w+\s*=|\s*:)")
_REFERENCE = re.compile(rf"(@{_SCOPE}(?:\w+\.)*?)(\w+)\b(?!\.)")


def convert_text(text):
    """Translate old names to those of ddsp 3.7.0; lines keep their numbers.

    Returns:
        (new text, list of sentences that say what was changed).
    """
    changes = []
    old = {name for name in _RENAMED if re.search(rf"(?<![\w'\"]){name}\b", text)}
    lines = [_line(line, number, changes) for number, line in enumerate(text.split("\n"), 1)]
    added = _additions("\n".join(lines), old)
    for binding, why in added:
        changes.append(f"added `{binding}`: {why}")
    return "\n".join(lines + [binding for binding, _ in added]), changes


def _line(line, number, changes):
    if line.lstrip().startswith("#"):
        return line
    for removed in _REMOVED:
        if re.match(rf"\s*{_SCOPE}(?:\w+\.)*{re.escape(removed)}\s*=", line):
            changes.append(f"line {number}: dropped `{removed}`, which no longer exists")
            return "# " + line
    new = _BINDING.sub(_rename, line)
    new = _REFERENCE.sub(_rename_reference, new)
    new = re.sub(r"^Add\.name(\s*=)", r"processors.Add.name\1", new)
    if new != line:
        changes.append(f"line {number}: `{line.strip()}` is now `{new.strip()}`")
    return new


def _rename(match):
    before, name, after = match.groups()
    return f"{before}{_RENAMED.get(name, name)}{after}"


def _rename_reference(match):
    before, name = match.groups()
    new = _RENAMED.get(name, name)
    if name == "Add" and before.endswith(("@", "/")):
        return f"{before}processors.Add"
    return f"{before}{new}"


def _additions(text, old):
    """Bindings that say what was the only way in old versions: (binding, why)."""
    added = []
    if "DefaultPreprocessor" in old and not _bound(text, "F0LoudnessPreprocessor.compute_loudness"):
        why = "the old preprocessor used the loudness stored in the data"
        added.append(("F0LoudnessPreprocessor.compute_loudness = False", why))
    is_old = bool(old) or _is_operative(text)
    if is_old and "RnnFcDecoder." in text and not _bound(text, "RnnFcDecoder.input_keys"):
        keys = "('f0_scaled', 'ld_scaled', 'z')" if "ZRnnFcDecoder" in old else None
        keys = keys or "('f0_scaled', 'ld_scaled')"
        why = "the old decoder always read the pitch first"
        added.append((f"RnnFcDecoder.input_keys = {keys}", why))
    return added


def _bound(text, key):
    return re.search(rf"^\s*{_SCOPE}(?:\w+\.)*{re.escape(key)}\s*=", text, re.M) is not None


def _is_operative(text):
    """Whether gin wrote this: then a parameter that is not there did not exist."""
    return "# Parameters for RnnFcDecoder" in text
