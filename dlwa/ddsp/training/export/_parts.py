"""What a model is made of, as far as the exports know it."""

from dataclasses import dataclass

from dlwa.ddsp import core, effects, processors, synths

__all__ = ["ExportError", "Parts", "parts_of"]


class ExportError(Exception):
    """An export that cannot be made, and what to do about it."""

    def __init__(self, message, hint="", exit_code=1):
        super().__init__(message)
        self.hint = hint
        self.exit_code = exit_code


@dataclass(frozen=True)
class Parts:
    """A model's synthesizer: its one oscillator bank and its one noise, with their input keys."""

    group: processors.ProcessorGroup
    harmonic: synths.Harmonic
    harmonic_keys: tuple[str, ...]
    noise: synths.FilteredNoise
    noise_keys: tuple[str, ...]

    @property
    def rooms(self):
        """The reverbs, by name."""
        modules = zip(self.group.module_names, self.group.modules, strict=True)
        return {name: m for name, m in modules if isinstance(m, effects.Reverb)}


def parts_of(played):
    """Look at a model's synthesizer.

    Raises:
        ExportError: if it is made of other parts than can be exported.
    """
    group, found = played.model.processor_group, {}
    for node in group.dag:
        name, module = node[0], getattr(group, node[0])
        for kind in (synths.Harmonic, synths.FilteredNoise):
            if isinstance(module, kind):
                found.setdefault(kind, []).append((module, _plain(node[1])))
        _check(name, module)
    counts = {kind.__name__: len(modules) for kind, modules in found.items()}
    if counts != {"Harmonic": 1, "FilteredNoise": 1}:
        raise ExportError(
            f"the synthesizer has {counts or 'no sources'}; one Harmonic and one FilteredNoise can "
            "be exported"
        )
    ((harmonic, harmonic_keys),) = found[synths.Harmonic]
    ((noise, noise_keys),) = found[synths.FilteredNoise]
    return Parts(group, harmonic, harmonic_keys, noise, noise_keys)


def _check(name, module):
    known = synths.Harmonic | synths.FilteredNoise | processors.Add | processors.Crop
    if not isinstance(module, known | effects.Reverb):
        raise ExportError(
            f"processor {name!r} ({type(module).__name__}) cannot be exported; Harmonic, "
            "FilteredNoise, Add, Crop and reverbs can"
        )
    if isinstance(module, effects.Reverb) and not module.trainable:
        raise ExportError(f"reverb {name!r} must be trainable to be exported")
    if isinstance(module, processors.Crop) and module.crop_location != "back":
        raise ExportError(f"processor {name!r} must crop at the back to be exported")
    if isinstance(module, synths.Harmonic):
        if module.amp_resample_method not in ("window", "linear"):
            raise ExportError(
                f"amp_resample_method={module.amp_resample_method!r} of {name!r} must be 'window' "
                "or 'linear' to be exported"
            )
        core.check_positive("sample_rate", module.sample_rate)


def _plain(keys):
    return tuple(key.removeprefix("inputs/") for key in keys)
