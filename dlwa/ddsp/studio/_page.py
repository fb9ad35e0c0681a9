"""The page: what stands where, and what a press of a button does."""

import dataclasses
import html
from pathlib import Path

import gradio as gr

from dlwa.ddsp.studio._pictures import before_and_after
from dlwa.ddsp.studio._play import Told, play
from dlwa.ddsp.timbre_transfer import (
    BY_HAND,
    EFFECTS,
    RANGES,
    Knobs,
    model_names,
)

_RATES = {"the model's": None, "44100 Hz": 44100, "48000 Hz": 48000}
_TURNED = {**RANGES, **BY_HAND, "octave_shift": (-4, 4)}
CSS = """
.made img, .made svg { max-width: 100%; height: auto; }
.made .cards {
  display: grid; gap: 1rem;
  grid-template-columns: repeat(auto-fit, minmax(min(100%, 20rem), 1fr));
}
.made figure { margin: 0; }
.gradio-container { max-width: 62rem !important; margin: auto; }
"""
# fonts of the system, so that nothing is fetched from elsewhere
THEME = gr.themes.Soft(font=["system-ui", "sans-serif"], font_mono=["ui-monospace", "monospace"])


def build(models, stage, scratch):
    """The page.

    Args:
        models: folder of models.
        stage: a Stage.
        scratch: folder for sounds.

    Returns:
        gradio.Blocks.
    """
    names = model_names(models)
    with gr.Blocks(title="dlwa studio", analytics_enabled=False) as page:
        gr.Markdown("# dlwa studio\nA model you trained plays what a recording plays.")
        with gr.Row():
            with gr.Column(min_width=280):
                model = gr.Dropdown(
                    names, value=names[0] if names else None, label="Model", elem_id="model"
                )
                source = gr.Audio(
                    label="Recording",
                    sources=["upload", "microphone"],
                    type="filepath",
                    buttons=["download"],
                    elem_id="source",
                )
                rate = gr.Radio(list(_RATES), value="the model's", label="Sample rate")
                button = gr.Button("Play", variant="primary", elem_id="play")
            with gr.Column(min_width=280):
                sound = gr.Audio(
                    label="The model", type="filepath", buttons=["download"], elem_id="sound"
                )
                told = gr.Markdown(elem_id="told")
        with gr.Accordion("Knobs", open=False), gr.Row():
            knobs = [_knob(field) for field in dataclasses.fields(Knobs)]
        made = gr.HTML(elem_classes="made", elem_id="made")
        button.click(
            _player(models, stage, scratch),
            [model, source, rate, *knobs],
            [sound, told, made],
            concurrency_limit=1,
        )
        page.load(lambda: gr.Dropdown(choices=model_names(models)), None, model)
    return page


def _player(models, stage, scratch):
    """What a press of the button calls."""

    def pressed(name, recording, chosen_rate, *values, progress=gr.Progress()):  # noqa: B008
        if not recording:
            raise gr.Error("Drop a recording first, or record one.", print_exception=False)
        try:
            result, lines = play(
                stage,
                models,
                name or "",
                scratch,
                Path(recording),
                values,
                _RATES.get(chosen_rate),
                progress=lambda part, what: progress(part, desc=what),
            )
        except Told as told:
            raise gr.Error(html.escape(str(told)), print_exception=False) from None
        text = "\n".join(f"- {html.escape(line)}" for line in lines)
        return str(result.path), text, before_and_after(recording, result)

    return pressed


def _knob(field):
    label, info = field.name.replace("_db", " (dB)").replace("_", " "), EFFECTS[field.name]
    if field.name not in RANGES:
        return gr.Checkbox(field.default, label=label, info=info, min_width=260)
    low, high = _TURNED[field.name]
    step = 1 if isinstance(RANGES[field.name][0], int) else (high - low) / 100
    return gr.Slider(low, high, field.default, step=step, label=label, info=info, min_width=260)
