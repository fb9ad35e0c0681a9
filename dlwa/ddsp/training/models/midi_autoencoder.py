"""A model that learns notes: audio to synthesizer controls to notes, and all the way back."""

import tensorflow as tf

from dlwa.ddsp import core, effects, processors, spectral_ops, synths
from dlwa.ddsp.registry import configurable_layer
from dlwa.ddsp.training import nn, preprocessing

from .model import Model

__all__ = ["MidiAutoencoder"]

_N_PITCHES = 128
# Pitches up to here are silence in the piano roll.
_LOWEST_PITCH = 20
# Where the played pitch is further from the note, the note is not what is heard.
_MAX_F0_DEVIATION_MIDI = 2.0


@configurable_layer("dlwa.ddsp.training.models")
class MidiAutoencoder(Model):
    """Two autoencoders, one in the other: of the sound, and of its controls through notes.

    Args:
        synthcoder: from the preprocessed features to amplitudes, harmonic_distribution and
            magnitudes.
        midi_encoder: from f0_midi, amps, hd, noise to z_pitch and z_vel; None: the notes come
            with the data, as note_active_velocities `[batch, frames, 128]`.
        midi_decoder: from z_pitch (and z) back to the controls.
        sg_before_midiae: the inner autoencoder does not change the outer one.
        reverb: add a trainable reverb.
        preprocessor: F0LoudnessPreprocessor or F0PowerPreprocessor.
        reconstruction_losses: a LossGroup on all outputs by name.
        qpitch_f0rec_loss: a loss of (quantised pitch, decoded f0_midi).
        pitch_f0rec_loss: a loss of (pitch before rounding, decoded f0_midi).
        pitch_qpitch_loss: a loss of (pitch before rounding, quantised pitch).
        midi_slowness_loss: a loss of the change of the pitch from frame to frame against 0.
        mask_f0_loss: f0_loss_weights is 0 where the played pitch is not the note's.
    """

    def __init__(
        self,
        synthcoder=None,
        midi_encoder=None,
        midi_decoder=None,
        sg_before_midiae=True,
        reverb=True,
        preprocessor=None,
        reconstruction_losses=None,
        qpitch_f0rec_loss=None,
        pitch_f0rec_loss=None,
        pitch_qpitch_loss=None,
        midi_slowness_loss=None,
        mask_f0_loss=True,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.synthcoder = synthcoder
        self.midi_encoder = midi_encoder
        self.midi_decoder = midi_decoder
        self.sg_before_midiae = sg_before_midiae
        self.preprocessor = preprocessor
        self.reconstruction_losses = reconstruction_losses
        self.qpitch_f0rec_loss = qpitch_f0rec_loss
        self.pitch_f0rec_loss = pitch_f0rec_loss
        self.pitch_qpitch_loss = pitch_qpitch_loss
        self.midi_slowness_loss = midi_slowness_loss
        self.mask_f0_loss = mask_f0_loss
        self.processor_group = _synthesizer(reverb)
        by_power = isinstance(preprocessor, preprocessing.F0PowerPreprocessor)
        self.db_key = "power_db" if by_power else "loudness_db"

    def call(self, features, training=True):
        """All outputs by name; what is None is left out."""
        features = self._preprocess(features)
        synth_params, synth_audio = self._synthesize(self._synthcode(features), features["f0_hz"])
        outer = _measures(synth_params)
        features.update(outer)
        held = {key: self._hold(value) for key, value in outer.items()}
        notes = self._find_notes({**features, **held})
        decoded = self._decode({**features, **held, **notes})
        midi_params, midi_audio = self._synthesize(decoded, decoded["f0_hz"])
        outputs = {
            **features,
            **synth_params,
            **notes,
            "synth_params": synth_params,
            "synth_audio": synth_audio,
            "midi_synth_params": midi_params,
            "midi_audio": midi_audio,
            "f0_midi_pred": decoded["f0_midi"],
            "f0_hz_pred": decoded["f0_hz"],
            "pianoroll": _pianoroll(notes["q_pitch"]),
            f"{self.db_key}_pred": self._level(midi_audio),
            **{f"{key}_pred": value for key, value in _measures(midi_params).items()},
            **held,
        }
        outputs = {key: value for key, value in outputs.items() if value is not None}
        if training or self._wants_losses:
            self._add_losses(outputs)
        return outputs

    def get_audio_from_outputs(self, outputs):
        """The audio that went through the notes."""
        return outputs["midi_audio"]

    def _preprocess(self, features):
        features = {**features, **self.preprocessor(features)}
        features["f0_midi"] = core.hz_to_midi(features["f0_hz"])
        if "pw_db" in features:
            features["power_db"] = features["pw_db"]
        return features

    def _synthcode(self, features):
        return self.synthcoder(features)

    def _synthesize(self, params, f0_hz):
        """(controls as the synthesizer uses them, audio)."""
        result = self.processor_group({**params, "f0_hz": f0_hz}, return_outputs_dict=True)
        controls = result["controls"]
        used = {**controls["harmonic"]["controls"], **controls["filtered_noise"]["controls"]}
        return used, result["signal"]

    def _find_notes(self, features):
        """q_pitch, q_vel, z_pitch and f0_loss_weights, `[batch, frames, 1]`."""
        f0_midi = features["f0_midi"]
        if self.midi_encoder is None:
            return self._given_notes(features)
        found = self.midi_encoder(features)
        q_pitch = nn.straight_through_int_quantization(found["z_pitch"])
        return {
            "z_pitch": found["z_pitch"],
            "q_pitch": q_pitch,
            "q_vel": found["z_vel"] * 0.0,
            "f0_loss_weights": tf.ones_like(f0_midi),
        }

    def _given_notes(self, features):
        if "note_active_velocities" not in features:
            raise ValueError(
                "features must hold 'note_active_velocities' when there is no midi_encoder; keys "
                f"present: {sorted(features)}"
            )
        velocities = features["note_active_velocities"]
        pitch = tf.cast(tf.argmax(velocities, axis=-1), tf.float32)[..., tf.newaxis]
        weights = tf.ones_like(features["f0_midi"])
        if self.mask_f0_loss:
            deviation = tf.abs(features["f0_midi"] - pitch)
            weights = tf.cast(deviation < _MAX_F0_DEVIATION_MIDI, tf.float32)
        return {
            "z_pitch": None,
            "q_pitch": pitch,
            "q_vel": tf.reduce_max(velocities, axis=-1, keepdims=True),
            "f0_loss_weights": weights,
        }

    def _decode(self, features):
        """The controls for the second audio, with f0_midi and f0_hz."""
        decoded = dict(self.midi_decoder(self._decoder_inputs(features)))
        if "f0_hz" not in decoded:
            decoded["f0_hz"] = core.midi_to_hz(decoded["f0_midi"])
        if "harmonic_distribution" not in decoded:
            # A decoder of curves: they are played by the same synthcoder.
            curves = {
                **features,
                "f0_scaled": preprocessing.scale_f0_hz(decoded["f0_hz"]),
                "ld_scaled": preprocessing.scale_db(decoded["loudness"]),
            }
            decoded.update(self._synthcode(curves))
        return decoded

    def _decoder_inputs(self, features):
        return {"z_pitch": features["q_pitch"], "z_vel": features["q_vel"]}

    def _level(self, audio):
        measure = spectral_ops.compute_loudness
        if self.db_key == "power_db":
            measure = spectral_ops.compute_power
        level = measure(audio, self.preprocessor.sample_rate, self.preprocessor.frame_rate)
        return self.preprocessor.resample(level)

    def _hold(self, x):
        return tf.stop_gradient(x) if self.sg_before_midiae else x

    def _add_losses(self, outputs):
        if self.reconstruction_losses is not None:
            self._update_losses_dict(self.reconstruction_losses, outputs)
        z_pitch = outputs.get("z_pitch", outputs["q_pitch"])
        change = core.diff(z_pitch, axis=1)
        pairs = (
            (self.qpitch_f0rec_loss, outputs["q_pitch"], outputs["f0_midi_pred"]),
            (self.pitch_f0rec_loss, z_pitch, outputs["f0_midi_pred"]),
            (self.pitch_qpitch_loss, z_pitch, outputs["q_pitch"]),
            (self.midi_slowness_loss, change, tf.zeros_like(change)),
        )
        for loss, one, other in pairs:
            if loss is not None:
                self._update_losses_dict(loss, one, other)


def _measures(params):
    """What the inner autoencoder is to find again: levels in dB and the distribution."""
    return {
        "amps": core.amplitude_to_db(params["amplitudes"]),
        "hd": params["harmonic_distribution"],
        "noise": core.amplitude_to_db(params["magnitudes"]),
    }


def _pianoroll(q_pitch):
    """`[batch, frames, 1]` -> one key of 128 a frame, none for the lowest pitches."""
    keys = tf.one_hot(tf.cast(tf.round(q_pitch[..., 0]), tf.int32), _N_PITCHES)
    return keys * tf.cast(tf.range(_N_PITCHES) > _LOWEST_PITCH, tf.float32)


def _synthesizer(reverb):
    dag = [
        (synths.Harmonic(name="harmonic"), ["amplitudes", "harmonic_distribution", "f0_hz"]),
        (synths.FilteredNoise(name="filtered_noise"), ["magnitudes"]),
        (processors.Add(name="add"), ["filtered_noise/signal", "harmonic/signal"]),
    ]
    if reverb:
        room = effects.FilteredNoiseReverb(
            trainable=True, reverb_length=24000, n_frames=500, n_filter_banks=32, name="reverb"
        )
        dag.append((room, ["add/signal"]))
    return processors.ProcessorGroup(dag=dag)
