"""Metrics say what is heard."""

import numpy as np
import pytest
import tensorflow as tf

from dlwa.ddsp.training import heuristics, metrics, plotting

pytestmark = pytest.mark.ddsp

RATES = {"sample_rate": 16000, "frame_rate": 250}


def tone(hz, seconds=0.5, amplitude=0.5):
    t = np.arange(int(seconds * 16000)) / 16000
    return (amplitude * np.sin(2 * np.pi * hz * t)).astype(np.float32)


def test_half_the_amplitude_is_6_db_less():
    running = metrics.LoudnessMetrics(**RATES)
    running.update_state({"audio": tone(1000)[None]}, 0.5 * tone(1000)[None])
    assert float(running.metrics["loudness_db"].result()) == pytest.approx(6.02, abs=0.05)


def test_crepe_hears_a_semitone_and_flush_writes_and_starts_over(tmp_path):
    running = metrics.F0CrepeMetrics(**RATES)
    frames = 126
    batch = {
        "f0_hz": np.full([2, frames], 440.0, np.float32),
        "f0_confidence": np.stack([np.ones(frames), np.zeros(frames)]).astype(np.float32),
    }
    sharp = tone(440 * 2 ** (1 / 12))
    running.update_state(batch, np.stack([sharp, sharp]))
    assert float(running.metrics["f0_dist"].result()) == pytest.approx(1.0, abs=0.1)
    assert float(running.metrics["outlier_ratio"].result()) == 0.0
    writer = tf.summary.create_file_writer(str(tmp_path))
    with writer.as_default():
        running.flush(7)
    writer.close()
    assert float(running.metrics["f0_dist"].result()) == 0.0
    (events,) = tmp_path.iterdir()
    tags = {
        value.tag: event.step
        for event in tf.compat.v1.train.summary_iterator(str(events))
        for value in event.summary.value
    }
    assert tags == {"metrics/f0_crepe/f0_dist": 7, "metrics/f0_crepe/outlier_ratio": 7}


def test_pitch_and_chroma_are_what_mir_eval_says():
    """RPA and RCA of a curve with small errors, octave errors and rests, against the library."""
    import mir_eval

    random = np.random.default_rng(0)
    true = np.where(np.arange(200) % 7 == 0, 0.0, random.uniform(100, 800, 200))
    cents = random.normal(0, 60, 200) + 1200 * random.integers(-1, 2, 200)
    found = np.where(true > 0, true, 200.0) * 2 ** (cents / 1200)
    running = metrics.F0Metrics(**RATES)
    batch = {"f0_hz": true[None, :, None].astype(np.float32)}
    running.update_state(batch, found[None, :, None].astype(np.float32))
    times = np.arange(200) / 250
    # The field takes the voicing from the truth.
    voiced = np.where(true > 0, found, 0.0)
    scores = mir_eval.melody.evaluate(times, true, times, voiced)
    results = running.results()
    for ours, theirs in (("pitch", "Raw Pitch Accuracy"), ("chroma", "Raw Chroma Accuracy")):
        assert results[f"raw_{ours}_accuracy"] == pytest.approx(scores[theirs], abs=1e-6)
    assert 0.1 < results["raw_pitch_accuracy"] < results["raw_chroma_accuracy"] < 0.9


def test_spectra_are_compared_on_all_scales():
    """Against NumPy; silence against itself is no difference, twice as loud is log 2."""
    audio = np.stack([tone(440), tone(880)])
    running = metrics.SpectralMetrics(**RATES)
    running.update_state({"audio": audio}, audio)
    assert running.results() == {"mag": 0.0, "logmag": 0.0}
    running.flush(0)
    running.update_state({"audio": audio}, 0.5 * audio)
    sizes = (2048, 1024, 512, 256, 128, 64)
    wanted = np.mean([np.mean(np.abs(0.5 * _magnitudes(audio, size))) for size in sizes])
    assert running.results()["mag"] == pytest.approx(wanted, rel=1e-3)
    assert 0 < running.results()["logmag"] <= np.log(2) + 1e-6


def _magnitudes(audio, size):
    """The field's spectrogram: Hann windows with three quarters overlap, the end filled up."""
    hop = size // 4
    count = -(-audio.shape[1] // hop)
    padded = np.pad(audio, [(0, 0), (0, (count - 1) * hop + size - audio.shape[1])])
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(size) / size)
    frames = [padded[:, i * hop : i * hop + size] * window for i in range(count)]
    return np.abs(np.fft.rfft(np.stack(frames, 1)))


def test_an_octave_is_right_in_chroma_only_and_the_batch_stays_as_it_was():
    running = metrics.F0Metrics(**RATES)
    batch = {"f0_hz": np.full([1, 20, 1], 440.0, np.float32)}
    running.update_state(batch, np.full([1, 10, 1], 880.0, np.float32))
    values = {key: float(mean.result()) for key, mean in running.metrics.items()}
    assert values == pytest.approx(
        {"f0_dist": 12.0, "raw_pitch_accuracy": 0.0, "raw_chroma_accuracy": 1.0}
    )
    assert batch["f0_hz"].shape == (1, 20, 1)


def test_the_features_of_a_recording():
    features = metrics.compute_audio_features(tone(440)[None])
    frames = 8000 // 64 + 1
    assert features["f0_hz"].shape == features["f0_confidence"].shape == (frames,)
    assert features["loudness_db"].shape == (frames,)
    sure = features["f0_confidence"] > 0.85
    assert np.mean(sure) > 0.8
    np.testing.assert_allclose(1200 * np.log2(features["f0_hz"][sure] / 440), 0, atol=20)
    with pytest.raises(ValueError, match=r"audio with shape \(2, 100\) must be one recording"):
        metrics.compute_audio_features(np.zeros([2, 100]))


def test_f_measure_is_the_harmonic_mean_where_f1_is_the_fields_number():
    counts = metrics.EvalCounts(tp=1, fp=3, fn=2)
    assert counts.f1 == pytest.approx(1 / 6)
    assert counts.f_measure == pytest.approx(2 * 0.25 * (1 / 3) / (0.25 + 1 / 3))
    counts.add(metrics.EvalCounts(1, 0, 0))
    assert (counts.tp, counts.fp, counts.fn) == (2, 3, 2)


def piano_roll(*notes, frames=500):
    roll = np.zeros([1, frames, 128], np.float32)
    for pitch, start, stop in notes:
        roll[0, start:stop, pitch] = 1.0
    return roll


def test_midi_metrics_align_notes_with_what_is_played(tmp_path):
    # Written 40 frames (0.16 s) too early; played, and found, from frame 100 on.
    batch = {
        "note_active_velocities": piano_roll((69, 60, 200)),
        "f0_hz": np.where(np.arange(500) < 100, 300.0, 440.0)[None, :, None],
    }
    found = {"pianoroll": piano_roll((69, 100, 200))}
    for align, hits in ((True, 1), (False, 0)):
        running = metrics.MidiMetrics(250, "learned", align_midi_with_f0=align)
        running.update_state(batch, found)
        assert running.counts["onset"].tp == hits
        assert running.counts["full_note"].tp == hits
    assert running.counts["frame"].fn == 40
    writer = tf.summary.create_file_writer(str(tmp_path))
    with writer.as_default():
        running.flush(1)
    assert running.counts["onset"].tp == running.counts["onset"].fn == 0


def test_rolls_must_have_the_same_shape():
    with pytest.raises(ValueError, match="must have the same shape"):
        metrics.compute_frame_metrics(np.zeros([3, 128]), np.zeros([4, 128]))


def test_notes_of_the_heuristics_are_understood():
    sequence = heuristics.NoteSequence([heuristics.Note(69, 127, 0.0, 1.0)], 1.0)
    onset, full = metrics.compute_note_metrics(sequence, sequence)
    assert (onset.f1, full.f1) == (1.0, 1.0)


@pytest.fixture
def plt():
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    yield plt
    plt.close("all")


def test_a_tone_is_a_bright_row_of_the_spectrogram(plt):
    plotting.specplot(tone(2000)[None])
    (image,) = plt.gca().get_images()
    pixels = np.asarray(image.get_array())
    row = np.argmax(pixels.mean(axis=1))
    # Rows run from Nyquist at the top to 0 Hz.
    assert (1 - row / (len(pixels) - 1)) * 8000 == pytest.approx(2000, abs=30)


def test_a_delay_lets_all_frequencies_pass(plt):
    ir = np.zeros(64, np.float32)
    ir[10] = 1.0
    frequencies, magnitudes = plotting.transfer_function(ir)
    assert frequencies[0] == 0 and frequencies[-1] == 8000
    np.testing.assert_allclose(magnitudes, 1.0, atol=1e-6)
    figure = plotting.plot_impulse_responses(ir, np.ones(33))
    assert len(figure.axes[1].lines) == 2


def test_the_piano_roll_has_a_keyboard(plt):
    figure, main, keyboard = plotting.pianoroll_plot_setup(xlim=(0, 4))
    assert len(keyboard.patches) == 55
    assert main.get_xlim() == (0, 4)
    assert main.get_ylim() == (-0.5, 131.5)
    figure.canvas.draw()
