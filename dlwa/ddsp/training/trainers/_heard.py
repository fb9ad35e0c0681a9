"""What a trainer hears in the sounds of a batch."""

import tensorflow as tf

_FRAME = 2048
_BAND = 16  # bins in which a tone stands out of its neighbours


def heard(model, batch, outputs):
    """Levels and noisiness of the target and of what the model plays.

    Args:
        model: gives its sound by get_audio_from_outputs.
        batch: features; without audio nothing is heard.
        outputs: of the model.

    Returns:
        {target, sound: mean squares; target_noisiness, sound_noisiness: 0 ... 1}.
    """
    if not isinstance(batch, dict) or "audio" not in batch:
        return {}
    target, sound = batch["audio"], model.get_audio_from_outputs(outputs)
    return {
        "target": tf.reduce_mean(tf.square(target)),
        "sound": tf.reduce_mean(tf.square(sound)),
        "target_noisiness": noisiness(target),
        "sound_noisiness": noisiness(sound),
    }


def noisiness(audio):
    """How much a sound is noise: about 0.6 for noise, below 0.1 for a clear tone.

    Spectral flatness (geometric by arithmetic mean of the power spectrum; Gray and Markel 1974) in
    narrow bands, weighted by their energy. A tone that is 6 dB softer than noise around it gives
    0.5.

    Args:
        audio: `[batch, n_samples]`.
    """
    spectra = tf.signal.stft(tf.cast(audio, tf.float32), _FRAME, _FRAME // 2, _FRAME, pad_end=True)
    power = tf.square(tf.abs(spectra))[..., 1:] + 1e-12
    shape = tf.shape(power)
    bands = tf.reshape(power, [shape[0], shape[1], -1, _BAND])
    mean = tf.reduce_mean(bands, axis=-1)
    flatness = tf.exp(tf.reduce_mean(tf.math.log(bands), axis=-1)) / mean
    return tf.reduce_sum(flatness * mean) / tf.reduce_sum(mean)
