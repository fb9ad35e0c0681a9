"""The MIDI autoencoder with latent codes: of the instrument, of the playing, of every note."""

import tensorflow as tf

from dlwa.ddsp import core
from dlwa.ddsp.registry import configurable_layer
from dlwa.ddsp.training import nn, preprocessing

from .midi_autoencoder import MidiAutoencoder

__all__ = ["ZMidiAutoencoder"]


@configurable_layer("dlwa.ddsp.training.models")
class ZMidiAutoencoder(MidiAutoencoder):
    """MidiAutoencoder whose coders also get latent codes z.

    Args:
        z_synth_encoders: encoders whose codes, side by side, are the synthcoder's 'z'.
        z_global_encoders: encoders of one code for the whole sound, for the MIDI decoder.
        z_note_encoder: an encoder whose code is averaged over each note (mean and standard
            deviation side by side).
        z_preconditioning_stack: a layer on all codes of the MIDI decoder.
        z_global_prior: a loss of the global code.
        z_note_prior: a loss of the notes' code.
        **kwargs: see MidiAutoencoder.
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
        z_synth_encoders=None,
        z_global_encoders=None,
        z_note_encoder=None,
        z_preconditioning_stack=None,
        z_global_prior=None,
        z_note_prior=None,
        **kwargs,
    ):
        super().__init__(
            synthcoder=synthcoder,
            midi_encoder=midi_encoder,
            midi_decoder=midi_decoder,
            sg_before_midiae=sg_before_midiae,
            reverb=reverb,
            preprocessor=preprocessor,
            reconstruction_losses=reconstruction_losses,
            qpitch_f0rec_loss=qpitch_f0rec_loss,
            pitch_f0rec_loss=pitch_f0rec_loss,
            pitch_qpitch_loss=pitch_qpitch_loss,
            midi_slowness_loss=midi_slowness_loss,
            mask_f0_loss=mask_f0_loss,
            **kwargs,
        )
        self.z_synth_encoders = list(core.make_iterable(z_synth_encoders))
        self.z_global_encoders = list(core.make_iterable(z_global_encoders))
        self.z_note_encoder = z_note_encoder
        self.z_preconditioning_stack = z_preconditioning_stack
        self.z_global_prior = z_global_prior
        self.z_note_prior = z_note_prior

    def _synthcode(self, features):
        codes = [encoder(features)["z"] for encoder in self.z_synth_encoders]
        z = {"z": _side_by_side(codes, features["f0_scaled"])} if codes else {}
        return super()._synthcode({**features, **z})

    def _find_notes(self, features):
        notes = super()._find_notes(features)
        scaled = {
            **features,
            "amps_scaled": preprocessing.scale_db(features["amps"]),
            "hd_scaled": features["hd"],
            "noise_scaled": preprocessing.scale_db(features["noise"]),
        }
        codes = [encoder(scaled)["z"] for encoder in self.z_global_encoders]
        z_global = _side_by_side(codes, features["f0_scaled"]) if codes else None
        z_note = self._note_code(scaled, notes["q_pitch"]) if self.z_note_encoder else None
        every = [z for z in (z_global, z_note) if z is not None]
        z = tf.concat(every, axis=-1) if every else None
        if z is not None and self.z_preconditioning_stack is not None:
            z = tf.cast(self.z_preconditioning_stack(z), tf.float32)
        return {**notes, "z_global": z_global, "z_note": z_note, "z": z}

    def _note_code(self, features, q_pitch):
        z = self.z_note_encoder(features)["z"]
        mean, std = nn.pool_over_notes(z, tf.stop_gradient(nn.get_note_mask(q_pitch)))
        return tf.concat([mean, std], axis=-1)

    def _decoder_inputs(self, features):
        inputs = super()._decoder_inputs(features)
        return inputs if features["z"] is None else {**inputs, "z": features["z"]}

    def _add_losses(self, outputs):
        super()._add_losses(outputs)
        for prior, key in ((self.z_global_prior, "z_global"), (self.z_note_prior, "z_note")):
            if prior is not None and key in outputs:
                self._update_losses_dict(prior, outputs[key])


def _side_by_side(codes, like):
    """Codes of any number of frames as one, at the frames of `like`."""
    frames = like.shape[1]
    return tf.concat(
        [z if z.shape[1] == frames else core.resample(z, frames) for z in codes], axis=-1
    )
