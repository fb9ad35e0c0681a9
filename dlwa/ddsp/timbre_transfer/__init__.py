"""Timbre transfer: a trained model plays what another instrument, or a voice, has played.

    from dlwa.ddsp import timbre_transfer
    model = timbre_transfer.load_model("models/ddsp/ann/violin")
    result = timbre_transfer.transfer("flute.wav", model, "out.wav")
    print(result.explanation.text())

Pitch and loudness of the recording are measured, moved to where the model has learned to play
(`condition`), and played in blocks, so that a recording may have any length. The same from a shell:
`python -m dlwa.ddsp.timbre_transfer flute.wav out.wav --model_dir=models/ddsp/ann/violin`.

The parts are imported when first used, so that a mistyped command is told at once.
"""

import importlib

_HOMES = {
    "BY_HAND": "_knobs",
    "CancelledError": "_stage",
    "Conditioned": "_conditioning",
    "Controls": "_player",
    "EFFECTS": "_knobs",
    "Explanation": "_explain",
    "Features": "_measure",
    "Knobs": "_knobs",
    "LevelMeter": "_level",
    "PlayableModel": "_model",
    "Player": "_player",
    "RANGES": "_knobs",
    "RATES": "_writer",
    "Result": "_transfer",
    "SoundWriter": "_writer",
    "Stage": "_stage",
    "TransferError": "_errors",
    "add_knobs": "_arguments",
    "best_octaves": "_conditioning",
    "check_output": "_writer",
    "condition": "_conditioning",
    "controls_for": "_transfer",
    "detected_notes": "_conditioning",
    "find_model": "_shelf",
    "given_knobs": "_arguments",
    "inside": "_conditioning",
    "listen": "_transfer",
    "load_model": "_model",
    "measure": "_measure",
    "model_names": "_shelf",
    "reference_octaves": "_conditioning",
    "scaled_features": "_decoding",
    "shift_octaves": "_conditioning",
    "transfer": "_transfer",
    "turned": "_stage",
}

__all__ = sorted(_HOMES)


def __getattr__(name):
    if name in _HOMES:
        return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
