"""The DDSP autoencoder: features in, synthesizer controls and audio out."""

from dlwa.ddsp.registry import configurable_layer

from .model import Model

__all__ = ["Autoencoder"]


@configurable_layer("dlwa.ddsp.training.models")
class Autoencoder(Model):
    """Preprocessor, encoder, decoder and synthesizer in a row, compared with the audio by losses.

    Args:
        preprocessor: scales the features for the networks.
        encoder: adds a latent `z` to the features; None for none.
        decoder: makes the synthesizer's controls.
        processor_group: the synthesizer.
        losses: loss objects comparing the features' audio with the synthesized audio.
    """

    def __init__(
        self,
        preprocessor=None,
        encoder=None,
        decoder=None,
        processor_group=None,
        losses=None,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.preprocessor = preprocessor
        self.encoder = encoder
        self.decoder = decoder
        self.processor_group = processor_group
        self.loss_objs = [] if losses is None else _as_list(losses)

    def encode(self, features, training=True):
        """The features together with what preprocessor and encoder make of them."""
        features = dict(features)
        if self.preprocessor is not None:
            features.update(self.preprocessor(features))
        if self.encoder is not None:
            features.update(self.encoder(features))
        return features

    def decode(self, features, training=True):
        """Audio `[batch, n_samples]` from encoded features."""
        return self.processor_group({**features, **self.decoder(features)})

    def get_audio_from_outputs(self, outputs):
        """`outputs['audio_synth']`."""
        return outputs["audio_synth"]

    def call(self, features, training=True):
        """All controls and signals by name, and 'audio_synth' `[batch, n_samples]`."""
        features = self.encode(features)
        features.update(self.decoder(features))
        result = self.processor_group(features, return_outputs_dict=True)
        outputs = dict(result["controls"])
        outputs["audio_synth"] = result["signal"]
        if training or self._wants_losses:
            self._add_losses(features, outputs["audio_synth"])
        return outputs

    def _add_losses(self, features, audio_synth):
        if self.loss_objs and "audio" not in features:
            raise ValueError(
                f"features must hold 'audio' for the losses; keys present: {sorted(features)}. "
                "To play without losses call the model with training=False"
            )
        if self.loss_objs:
            self._update_losses_dict(self.loss_objs, features["audio"], audio_synth)


def _as_list(losses):
    return list(losses) if isinstance(losses, list | tuple) else [losses]
