"""Models at debug size: what they answer, their losses, their gradients."""

from pathlib import Path

import gin
import keras
import numpy as np
import pytest
import tensorflow as tf

from dlwa.ddsp import core, effects, losses, processors, spectral_ops, synths
from dlwa.ddsp.training import decoders, encoders, models, nn, preprocessing

pytestmark = pytest.mark.ddsp

FRAMES, HOP = 25, 64
SAMPLES = FRAMES * HOP
SPLITS = (("amps", 1), ("harmonic_distribution", 8), ("noise_magnitudes", 5))
OPERATIVE = Path(__file__).parents[2] / "golden" / "checkpoint_small" / "operative_config-0.gin"


def autoencoder(encoder=None, compute_loudness=True, **kwargs):
    dag = [
        (synths.Harmonic(SAMPLES), ["amps", "harmonic_distribution", "f0_hz"]),
        (synths.FilteredNoise(SAMPLES, window_size=0), ["noise_magnitudes"]),
        (processors.Add(), ["filtered_noise/signal", "harmonic/signal"]),
        (effects.Reverb(trainable=True, reverb_length=400), ["add/signal"]),
    ]
    keys = ("ld_scaled", "f0_scaled", "z") if encoder else ("ld_scaled", "f0_scaled")
    return models.Autoencoder(
        preprocessor=preprocessing.F0LoudnessPreprocessor(
            FRAMES, compute_loudness=compute_loudness
        ),
        encoder=encoder,
        decoder=decoders.RnnFcDecoder(
            8, ch=8, layers_per_stack=1, input_keys=keys, output_splits=SPLITS
        ),
        processor_group=processors.ProcessorGroup(dag=dag),
        losses=[losses.SpectralLoss(fft_sizes=(256, 64), logmag_weight=1.0)],
        **kwargs,
    )


@pytest.fixture
def features():
    t = np.arange(SAMPLES) / 16000
    audio = 0.3 * np.sin(2 * np.pi * 440 * t) + 0.1 * np.sin(2 * np.pi * 880 * t)
    return {
        "audio": np.stack([audio, 0.5 * audio]).astype(np.float32),
        "f0_hz": np.full([2, FRAMES], 440.0, np.float32),
        "loudness_db": np.full([2, FRAMES], -20.0, np.float32),
    }


def gradients(model, features):
    model(features, return_losses=True)
    variables = model.trainable_variables
    with tf.GradientTape() as tape:
        _, found = model(features, return_losses=True)
    slopes = tape.gradient(found["total_loss"], [v.value for v in variables])
    return {v.path: slope for v, slope in zip(variables, slopes, strict=True)}


def test_audio_and_controls_come_out(features):
    outputs = autoencoder()(features, training=False)
    assert outputs["audio_synth"].shape == (2, SAMPLES)
    assert {"harmonic", "filtered_noise", "add", "reverb", "inputs", "out"} <= set(outputs)
    assert outputs["harmonic"]["controls"]["harmonic_distribution"].shape == (2, FRAMES, 8)


def test_the_callers_features_are_not_changed(features):
    before = dict(features)
    autoencoder()(features)
    assert set(features) == set(before)
    assert all(features[key] is before[key] for key in before)


def test_doubles_are_taken_as_single_precision(features):
    model = autoencoder()
    model(features)
    doubles = {key: value.astype(np.float64) for key, value in features.items()}
    assert model(doubles, return_losses=True)[0]["audio_synth"].dtype == tf.float32


def test_losses_are_summed_and_told_in_evaluation_too(features):
    model = autoencoder()
    for training in (True, False):
        _, found = model(features, return_losses=True, training=training)
        assert list(found) == ["spectral_loss", "total_loss"]
        assert float(found["total_loss"]) == pytest.approx(float(found["spectral_loss"]))
        assert float(found["total_loss"]) > 0.1


def test_without_losses_the_total_is_zero(features):
    model = autoencoder()
    model.loss_objs = []
    assert float(model(features, return_losses=True)[1]["total_loss"]) == 0.0


def test_gradient_reaches_every_variable(features):
    for path, slope in gradients(autoencoder(), features).items():
        assert slope is not None, path
        assert np.all(np.isfinite(slope)), path
        assert np.any(slope.numpy() != 0), path


def test_learning_lowers_the_loss(features):
    keras.utils.set_random_seed(1)
    model = autoencoder()
    model(features)
    optimizer = keras.optimizers.Adam(1e-2)
    optimizer.build(model.trainable_variables)

    @tf.function
    def step():
        with tf.GradientTape() as tape:
            _, found = model(features, return_losses=True, training=True)
        variables = model.trainable_variables
        optimizer.apply(tape.gradient(found["total_loss"], [v.value for v in variables]), variables)
        return found["total_loss"]

    values = [float(step()) for _ in range(60)]
    assert np.mean(values[-5:]) < 0.6 * values[0]


def test_playing_needs_no_audio_but_measuring_does(features):
    del features["audio"]
    playing = autoencoder(compute_loudness=False)
    assert playing(features, training=False)["audio_synth"].shape == (2, SAMPLES)
    with pytest.raises(ValueError, match=r"must hold 'audio' for the losses; keys present"):
        playing(features, training=True)
    with pytest.raises(ValueError, match=r"F0LoudnessPreprocessor.compute_loudness = False"):
        autoencoder()(features, training=False)


def test_decode_is_the_second_half_of_call(features):
    model = autoencoder(compute_loudness=False)
    with core.noise_seed(7):
        whole = model(features, training=False)["audio_synth"]
    with core.noise_seed(7):
        half = model.decode(model.encode(features))
    np.testing.assert_allclose(half, whole, atol=1e-5)


def test_a_latent_code_reaches_the_decoder(features):
    encoder = encoders.MfccTimeDistributedRnnEncoder(6, z_dims=4, z_time_steps=125)
    slopes = gradients(autoencoder(encoder), features)
    assert any("z_norm" in path or "normalize" in path for path in slopes)
    assert all(np.any(slope.numpy() != 0) for slope in slopes.values())


def test_half_precision_sounds_the_same(features):
    exact = autoencoder(compute_loudness=False)
    exact(features)
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        half = autoencoder(compute_loudness=False)
        half(features)
        half.set_weights(exact.get_weights())
        with core.noise_seed(3):
            rough, found = half(features, return_losses=True)
    finally:
        keras.config.set_dtype_policy("float32")
    with core.noise_seed(3):
        fine = exact(features, training=False)
    assert rough["audio_synth"].dtype == found["total_loss"].dtype == tf.float32
    assert all(v.dtype == "float32" for v in half.trainable_variables)
    np.testing.assert_array_equal(
        rough["harmonic"]["controls"]["f0_hz"], fine["harmonic"]["controls"]["f0_hz"]
    )
    error = np.std(rough["audio_synth"] - fine["audio_synth"])
    assert error < 0.05 * np.std(fine["audio_synth"])


def test_a_real_operative_config_builds_its_model():
    text = "\n".join(
        line for line in OPERATIVE.read_text().splitlines() if not line.startswith("import")
    )
    gin.clear_config()
    try:
        gin.parse_config(text, skip_unknown=True)
        model = models.get_model()
        assert isinstance(model, models.Autoencoder)
        assert model.decoder.output_splits[1] == ("harmonic_distribution", 60)
        assert [p.name for p in model.processor_group.processors] == [
            "harmonic", "filtered_noise", "add", "reverb"
        ]  # fmt: skip
        assert model.loss_objs[0].name == "spectral_loss"
    finally:
        gin.clear_config()


# ------------------------------------------------------------------ inverse synthesis

SINUSOIDS, HARMONICS, MAGNITUDES, N = 6, 6, 5, 8192


def inverse_synthesis(**kwargs):
    return models.InverseSynthesis(
        sinusoidal_encoder=encoders.ResnetSinusoidalEncoder(
            (
                ("frequencies", SINUSOIDS * 64),
                ("amplitudes", SINUSOIDS),
                ("noise_magnitudes", MAGNITUDES),
            ),
            spectral_fn=lambda x: spectral_ops.compute_logmel(x, bins=32, fft_size=2048),
        ),
        harmonic_encoder=encoders.SinusoidalToHarmonicEncoder(
            nn.RnnSandwich(8, 1, 8), n_harmonics=HARMONICS
        ),
        losses=[losses.SpectralLoss(fft_sizes=(256,), logmag_weight=1.0)],
        sinusoidal_consistency_losses=losses.KDEConsistencyLoss(name="kde_consistency_loss"),
        harmonic_consistency_losses=losses.HarmonicConsistencyLoss(),
        filtered_noise_consistency_loss=losses.FilteredNoiseConsistencyLoss(),
        n_samples=N,
        reverb=False,
        **kwargs,
    )


@pytest.fixture(scope="module")
def notes():
    rng = np.random.default_rng(440)
    uniform = lambda lo, hi, *shape: rng.uniform(lo, hi, shape).astype(np.float32)  # noqa: E731
    return {
        "f0_hz": uniform(200, 400, 2, 16, 1),
        "harm_amp": uniform(0.1, 1, 2, 16, 1),
        "harm_dist": uniform(0.1, 0.3, 2, 16, HARMONICS),
        "sin_amps": uniform(0.01, 0.2, 2, 16, SINUSOIDS),
        "sin_freqs": uniform(200, 2000, 2, 16, SINUSOIDS),
        "noise_magnitudes": uniform(0.0, 0.01, 2, 16, MAGNITUDES),
    }


@pytest.fixture(scope="module")
def recording():
    return {"audio": 0.1 * np.sin(np.arange(N)[None] * 0.2).astype(np.float32)}


AUDIO_LOSSES = {"sin_spectral_loss", "harm_spectral_loss", "kde_consistency_loss"}
SYNTHETIC_LOSSES = {"ss_kde_consistency_loss", "ss_harm_kde_consistency_loss"}
HARMONIC_LOSSES = {"ss_harm_amp_loss", "ss_harm_dist_loss", "ss_f0_hz_loss"}


@pytest.mark.parametrize("kind", ["notes", "recording", "pair"])
def test_inverse_synthesis_learns_what_the_batch_allows(kind, notes, recording):
    batch = {"notes": notes, "recording": recording, "pair": (notes, recording)}[kind]
    model = inverse_synthesis()
    outputs, found = model(batch, return_losses=True)
    assert set(found) >= AUDIO_LOSSES
    known = kind != "recording"
    assert (set(found) >= SYNTHETIC_LOSSES) == known
    assert (set(found) >= HARMONIC_LOSSES) == known
    size = 2 if kind == "notes" else 1
    for key in ("sin_audio", "harm_audio"):
        assert outputs[key].shape == (size, N)
    assert outputs["f0_hz"].shape == (size, 16, 1)
    assert np.isfinite(float(found["total_loss"]))
    assert model.get_audio_from_outputs(outputs).shape == (size, N)


def test_inverse_synthesis_has_finite_gradients(notes, recording):
    for path, slope in gradients(inverse_synthesis(), (notes, recording)).items():
        assert slope is not None, path
        assert np.all(np.isfinite(slope)), path


def test_inverse_synthesis_refuses_other_pairs(notes):
    with pytest.raises(ValueError, match="exactly one has 'sin_amps'"):
        inverse_synthesis()((notes, notes))


# ------------------------------------------------------------------ MIDI autoencoders

MIDI_SPLITS = (("amplitudes", 1), ("harmonic_distribution", 8), ("magnitudes", 5))


def midi_parts(conditional=False):
    return {
        "preprocessor": preprocessing.F0LoudnessPreprocessor(),
        "synthcoder": decoders.DilatedConvDecoder(
            ch=4, layers_per_stack=1, stacks=1, output_splits=MIDI_SPLITS,
            conditioning_keys=("z",) if conditional else None,
        ),
        "midi_decoder": decoders.MidiToHarmonicDecoder(
            nn.DilatedConvStack(4, 1, 1, norm_type="layer", conditional=conditional),
            output_splits=(("f0_midi", 1), *MIDI_SPLITS),
        ),
        "reconstruction_losses": losses.LossGroup(
            dag=[
                [losses.SpectralLoss(fft_sizes=(256,), name="synth"), ["audio", "synth_audio"]],
                [losses.ParamLoss(name="f0"), ["f0_midi", "f0_midi_pred", "f0_loss_weights"]],
                [losses.ParamLoss(name="amps"), ["amps", "amps_pred"]],
                [losses.ParamLoss(name="hd"), ["hd", "hd_pred"]],
                [losses.ParamLoss(name="noise"), ["noise", "noise_pred"]],
            ]
        ),
        "reverb": False,
    }  # fmt: skip


@pytest.fixture(scope="module")
def played():
    """One note of 440 Hz, then one of 494 Hz, four seconds in all."""
    hz = np.repeat([440.0, 493.88], 500).astype(np.float32)
    velocities = np.zeros([1, 1000, 128], np.float32)
    velocities[0, :500, 69] = velocities[0, 500:, 71] = 0.8
    phase = 2 * np.pi * np.cumsum(np.repeat(hz, 64)) / 16000
    return {
        "audio": 0.3 * np.sin(phase)[None].astype(np.float32),
        "f0_hz": hz[None, :, None],
        "loudness_db": np.full([1, 1000, 1], -20.0, np.float32),
        "note_active_velocities": velocities,
        "instrument_id": np.array([[3]]),
    }


def test_given_notes_become_the_piano_roll(played):
    outputs, found = models.MidiAutoencoder(**midi_parts())(played, return_losses=True)
    np.testing.assert_array_equal(
        np.argmax(outputs["pianoroll"][0], axis=-1), [69] * 500 + [71] * 500
    )
    np.testing.assert_array_equal(outputs["f0_loss_weights"], np.ones([1, 1000, 1]))
    assert outputs["midi_audio"].shape == outputs["synth_audio"].shape == (1, 64000)
    assert set(found) == {"synth", "f0", "amps", "hd", "noise", "total_loss"}
    assert "z_pitch" not in outputs
    assert outputs["loudness_db_pred"].shape == (1, 1000, 1)


def test_frames_of_another_pitch_do_not_count(played):
    sharp = {**played, "f0_hz": played["f0_hz"] * 2}
    outputs = models.MidiAutoencoder(**midi_parts())(sharp)
    np.testing.assert_array_equal(outputs["f0_loss_weights"], np.zeros([1, 1000, 1]))


def test_a_midi_encoder_rounds_pitches_and_learns_through_the_rounding(played):
    encoder = encoders.HarmonicToMidiEncoder(nn.FcStack(4, 1))
    model = models.MidiAutoencoder(midi_encoder=encoder, **midi_parts())
    outputs = model(played)
    q_pitch = outputs["q_pitch"].numpy()
    np.testing.assert_allclose(q_pitch, np.round(q_pitch), atol=1e-4)
    slopes = gradients(model, played)
    # Velocity is not used, so half of the last layer's weights get none; the others do.
    assert all(np.all(np.isfinite(slope)) for slope in slopes.values())
    assert sum(bool(np.any(slope.numpy() != 0)) for slope in slopes.values()) == len(slopes)


def test_codes_of_instrument_playing_and_notes(played):
    expression = dict(input_keys=("f0_scaled", "amps_scaled", "hd_scaled", "noise_scaled"))
    model = models.ZMidiAutoencoder(
        **midi_parts(conditional=True),
        z_synth_encoders=[encoders.OneHotEncoder("instrument_id", 13, 3, skip_expand=False)],
        z_global_encoders=[encoders.ExpressionEncoder(nn.FcStack(4, 1), 3, **expression)],
        z_note_encoder=encoders.ExpressionEncoder(
            nn.FcStack(4, 1), 2, pool_time=False, **expression
        ),
        z_preconditioning_stack=nn.FcStackOut(4, 1, 6),
    )
    outputs, found = model(played, return_losses=True)
    assert outputs["z_global"].shape == (1, 1000, 3)
    assert outputs["z_note"].shape == (1, 1000, 4)
    assert outputs["z"].shape == (1, 1000, 6)
    # The code of a note is the same in all its frames, and differs between notes.
    np.testing.assert_allclose(outputs["z_note"][0, 0], outputs["z_note"][0, 400], atol=1e-5)
    assert not np.allclose(outputs["z_note"][0, 0], outputs["z_note"][0, 900])
    assert np.isfinite(float(found["total_loss"]))


def test_notes_must_come_from_somewhere(played):
    silent = {k: v for k, v in played.items() if k != "note_active_velocities"}
    with pytest.raises(ValueError, match="must hold 'note_active_velocities'"):
        models.MidiAutoencoder(**midi_parts())(silent)
