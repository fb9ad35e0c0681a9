"""Inverse synthesis: transcribing audio into sinusoids and those into one harmonic sound.

Engel et al., Self-supervised Pitch Detection by Inverse Audio Synthesis (ICML 2020 workshop).
"""

import tensorflow as tf

from dlwa.ddsp import core, effects, processors, synths
from dlwa.ddsp.registry import configurable_layer

from .model import Model

__all__ = ["InverseSynthesis"]


def _64_deep_softmax(freqs):
    return core.frequencies_softmax(freqs, depth=64)


@configurable_layer("dlwa.ddsp.training.models")
class InverseSynthesis(Model):
    """Finds the controls of two synthesizers that sound like the audio.

    The batch says what can be learnt from it: synthetic notes (with 'sin_amps') know the right
    controls, recorded audio only the sound; a pair of both is learnt from at once.

    Args:
        sinusoidal_encoder: audio -> frequencies, amplitudes, noise_magnitudes.
        harmonic_encoder: sinusoids -> harm_amp, harm_dist, f0_hz.
        losses: audio losses.
        sinusoidal_consistency_losses: of (amps, freqs, target amps, target freqs).
        harmonic_consistency_losses: of the harmonic controls against the target's.
        filtered_noise_consistency_loss: of the noise magnitudes against the target's.
        twm_loss: of (f0, sinusoid frequencies, sinusoid amplitudes).
        harmonic_distribution_prior: a loss of the harmonic distribution alone.
        freq_scale_fn: from the encoder's 'frequencies' to Hz; default: a softmax of depth 64.
        reverb: add a trainable reverb of 2 s.
        n_samples: of the audio.
        sample_rate: in Hz.
        stop_gradient: the harmonic encoder does not change the sinusoidal one.
    """

    def __init__(
        self,
        sinusoidal_encoder=None,
        harmonic_encoder=None,
        losses=None,
        sinusoidal_consistency_losses=None,
        harmonic_consistency_losses=None,
        filtered_noise_consistency_loss=None,
        twm_loss=None,
        harmonic_distribution_prior=None,
        freq_scale_fn=None,
        reverb=True,
        n_samples=64000,
        sample_rate=16000,
        stop_gradient=True,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.sinusoidal_encoder = sinusoidal_encoder
        self.harmonic_encoder = harmonic_encoder
        self.loss_objs = list(core.make_iterable(losses))
        self.sinusoidal_consistency_losses = list(core.make_iterable(sinusoidal_consistency_losses))
        self.harmonic_consistency_losses = list(core.make_iterable(harmonic_consistency_losses))
        self.filtered_noise_consistency_loss = filtered_noise_consistency_loss
        self.twm_loss = twm_loss
        self.harmonic_distribution_prior = harmonic_distribution_prior
        self.freq_scale_fn = freq_scale_fn or _64_deep_softmax
        self.amp_scale_fn = core.exp_sigmoid
        self.n_samples = n_samples
        self.sample_rate = sample_rate
        self.stop_gradient = stop_gradient
        self.processor_group = _synthesizer(n_samples, sample_rate, reverb)

    def call(self, features, training=True):
        """Outputs of recorded audio (of the synthetic half, if there is nothing else).

        Args:
            features: a dictionary with 'audio'; one with 'sin_amps', 'sin_freqs',
                'noise_magnitudes' and the harmonic targets; or a pair with one of each.
        """
        wants_losses = training or self._wants_losses
        if isinstance(features, list | tuple):
            return self._call_pair(features, wants_losses)
        if "sin_amps" in features:
            features = {**features, "audio": self.generate_synthetic_audio(features)}
            outputs = self._forward(features["audio"])
            if wants_losses:
                self._add_synthetic_losses(features, outputs)
        else:
            outputs = self._forward(features["audio"])
        if wants_losses:
            self._add_audio_losses(features["audio"], outputs)
        return {**features, **outputs}

    def generate_synthetic_audio(self, features):
        """Audio `[batch, n_samples]` from sin_amps, sin_freqs and noise_magnitudes."""
        return tf.stop_gradient(
            self._synthesize(
                features["sin_amps"], features["sin_freqs"], features["noise_magnitudes"]
            )
        )

    def get_audio_from_outputs(self, outputs):
        """The audio of the harmonic synthesizer."""
        return outputs["harm_audio"]

    def _call_pair(self, features, wants_losses):
        known = [batch for batch in features if "sin_amps" in batch]
        recorded = [batch for batch in features if "sin_amps" not in batch]
        if len(known) != 1 or len(recorded) != 1:
            keys = [sorted(batch) for batch in features]
            raise ValueError(
                f"features must be a pair of which exactly one has 'sin_amps'; keys present: {keys}"
            )
        synthetic = {**known[0], "audio": self.generate_synthetic_audio(known[0])}
        n_synthetic = tf.shape(synthetic["audio"])[0]
        outputs = self._forward(tf.concat([synthetic["audio"], recorded[0]["audio"]], axis=0))
        synthetic_out = tf.nest.map_structure(lambda x: x[:n_synthetic], outputs)
        recorded_out = tf.nest.map_structure(lambda x: x[n_synthetic:], outputs)
        if wants_losses:
            self._add_synthetic_losses(synthetic, synthetic_out)
            self._add_audio_losses(recorded[0]["audio"], recorded_out)
        return {**recorded[0], **recorded_out}

    def _forward(self, audio):
        found = self.sinusoidal_encoder({"audio": audio})
        sin_freqs = self.freq_scale_fn(found["frequencies"])
        sin_amps = self.amp_scale_fn(found["amplitudes"])
        noise = self.amp_scale_fn(found["noise_magnitudes"])

        harmonic = self.harmonic_encoder(
            {"sin_freqs": self._hold(sin_freqs), "sin_amps": self._hold(sin_amps)}
        )
        harm_amps, harm_freqs = core.harmonic_to_sinusoidal(
            harmonic["harm_amp"], harmonic["harm_dist"], harmonic["f0_hz"], self.sample_rate
        )
        return {
            "sin_freqs": sin_freqs,
            "sin_amps": sin_amps,
            "noise_magnitudes": noise,
            "sin_audio": self._synthesize(sin_amps, sin_freqs, noise),
            # Where evaluators look for the controls of a processor.
            "sinusoidal": {"controls": {"amplitudes": sin_amps, "frequencies": sin_freqs}},
            **harmonic,
            "harm_amps": harm_amps,
            "harm_freqs": harm_freqs,
            "harm_audio": self._synthesize(harm_amps, harm_freqs, self._hold(noise)),
        }

    def _hold(self, x):
        return tf.stop_gradient(x) if self.stop_gradient else x

    def _synthesize(self, amps, freqs, noise_magnitudes):
        return self.processor_group(
            {"amplitudes": amps, "frequencies": freqs, "noise_magnitudes": noise_magnitudes}
        )

    def _add_audio_losses(self, audio, outputs):
        for kind in ("sin", "harm"):
            for loss in self.loss_objs:
                for name, value in loss.get_losses_dict(audio, outputs[f"{kind}_audio"]).items():
                    self._losses_dict[f"{kind}_{name}"] = value
        sinusoids = (outputs["sin_amps"], outputs["sin_freqs"])
        harmonics = (outputs["harm_amps"], outputs["harm_freqs"])
        self._update_losses_dict(
            self.sinusoidal_consistency_losses, *harmonics, *map(self._hold, sinusoids)
        )
        if self.twm_loss is not None:
            self._update_losses_dict(
                self.twm_loss, outputs["f0_hz"], *map(self._hold, reversed(sinusoids))
            )
        if self.harmonic_distribution_prior is not None:
            self._update_losses_dict(self.harmonic_distribution_prior, outputs["harm_dist"])

    def _add_synthetic_losses(self, target, outputs):
        truth = (target["sin_amps"], target["sin_freqs"])
        for loss in self.sinusoidal_consistency_losses:
            for prefix, kind in (("ss", "sin"), ("ss_harm", "harm")):
                found = (outputs[f"{kind}_amps"], outputs[f"{kind}_freqs"])
                for name, value in loss.get_losses_dict(*found, *truth).items():
                    self._losses_dict[f"{prefix}_{name}"] = value
        if self.filtered_noise_consistency_loss is not None:
            loss = self.filtered_noise_consistency_loss
            noise = (outputs["noise_magnitudes"], target["noise_magnitudes"])
            self._losses_dict.update(
                {f"ss_{name}": value for name, value in loss.get_losses_dict(*noise).items()}
            )
        for loss in self.harmonic_consistency_losses:
            pairs = [(outputs[key], target[key]) for key in ("harm_amp", "harm_dist", "f0_hz")]
            values = loss.get_losses_dict(*[x for pair in pairs for x in pair])
            self._losses_dict.update({f"ss_{name}": v for name, v in _flat(values).items()})


def _flat(values):
    """One level: losses that answer with a dictionary are taken apart."""
    flat = {}
    for name, value in values.items():
        flat.update(value if isinstance(value, dict) else {name: value})
    return flat


def _synthesizer(n_samples, sample_rate, reverb):
    dag = [
        (
            synths.Sinusoidal(
                n_samples=n_samples,
                sample_rate=sample_rate,
                amp_scale_fn=None,
                freq_scale_fn=None,
                name="sinusoidal",
            ),
            ["amplitudes", "frequencies"],
        ),
        (
            synths.FilteredNoise(
                n_samples=n_samples, window_size=0, scale_fn=None, name="filtered_noise"
            ),
            ["noise_magnitudes"],
        ),
        (processors.Add(name="add"), ["filtered_noise/signal", "sinusoidal/signal"]),
    ]
    if reverb:
        room = effects.FilteredNoiseReverb(
            trainable=True,
            reverb_length=2 * sample_rate,
            n_frames=500,
            n_filter_banks=16,
            name="reverb",
        )
        dag.append((room, ["add/signal"]))
    return processors.ProcessorGroup(dag=dag)
