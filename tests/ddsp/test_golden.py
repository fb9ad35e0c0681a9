"""Every recorded call of the reference package gives the same numbers here."""

import builtins

import pytest

from tests.ddsp import golden

pytestmark = pytest.mark.ddsp

# The reference's float32 FFT is off by up to 1.3e-5 (checked against float64); ours by 2e-6.
_FFT = {"atol": 3e-5, "rtol": 1e-4}
_LOG_OF_FFT = {"atol": 5e-3, "rtol": 1e-3}
WIDER = {
    "spectral_ops.compute_mag": _FFT,
    "spectral_ops.compute_mel": {"atol": 1e-4, "rtol": 1e-4},
    "spectral_ops.compute_mfcc": {"atol": 3e-4, "rtol": 1e-4},
    "spectral_ops.compute_logmag": _LOG_OF_FFT,
    "spectral_ops.compute_logmel": {"atol": 5e-4, "rtol": 1e-4},
}

# Corrected on purpose, with tests of their own.
CORRECTED = {
    ("processors.Mix", "a"): "constant-power crossfade, see tests/ddsp/test_processors.py",
}


@pytest.mark.parametrize("name", golden.automatic_files())
def test_same_numbers_as_recorded(name):
    recording = golden.Recording(name)
    for case in recording.cases:
        if (name, case["id"]) in CORRECTED:
            continue
        case = {**case, **WIDER.get(name, {})}
        if case.get("raises"):
            kinds = tuple(_exception(kind) for kind in case["raises"].split("|"))
            with pytest.raises(kinds):
                recording.results(case)
            continue
        results = recording.results(case)
        for call, result in zip(case["calls"], results, strict=True):
            recording.compare(call["out"], golden.plain(result), case, f"{name}[{case['id']}]")


def _exception(name):
    if hasattr(builtins, name):
        return getattr(builtins, name)
    import tensorflow as tf

    return getattr(tf.errors, name)
