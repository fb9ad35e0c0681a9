"""Draw pd/timbre_transfer.pd: the knobs in it are those of dlwa, with their ranges.

python pd/draw_patch.py > pd/timbre_transfer.pd     (or: make docs)
"""

import itertools
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from dlwa.ddsp.timbre_transfer import BY_HAND, RANGES, Knobs

COLOURS = "#f4f1ea #1d1d1f #1d1d1f"
PORT = 9001


class Canvas:
    """A window of a patch: things in the order in which they are drawn, and the cords."""

    def __init__(self, head):
        self._lines = [f"#N canvas {head};"]
        self._cords = []
        self._count = 0

    def put(self, text):
        """Draw a thing; returns its number for `wire`."""
        self._lines.append(f"#X {text};")
        self._count += 1
        return self._count - 1

    def obj(self, x, y, text):
        """Draw an object."""
        return self.put(f"obj {x} {y} {text}")

    def msg(self, x, y, text):
        """Draw a message; `$`, `,` and `;` in it are escaped."""
        for sign in ("$", ",", ";"):
            text = text.replace(sign, ("\\" if sign == "$" else " \\") + sign)
        return self.put(f"msg {x} {y} {text}")

    def chain(self, x, y, *texts):
        """Draw objects below each other, wired; returns their numbers."""
        made = [self.obj(x, y + 26 * row, text) for row, text in enumerate(texts)]
        for upper, lower in itertools.pairwise(made):
            self.wire(upper, lower)
        return made

    def wire(self, source, target, outlet=0, inlet=0):
        """Draw a cord."""
        self._cords.append(f"#X connect {source} {outlet} {target} {inlet};")

    def inside(self, other, x, y, name):
        """Put another canvas into this one as a sub-patch."""
        self._lines += other.lines()
        self._lines.append(f"#X restore {x} {y} pd {name};")
        self._count += 1

    def array(self, name, x, y, width, height):
        """Draw an array with its graph."""
        self._lines += [
            "#N canvas 0 0 450 300 (subpatch) 0;",
            f"#X array {name} 100 float 0;",
            f"#X coords 0 1 100 -1 {width} {height} 1 0 0;",
            f"#X restore {x} {y} graph;",
        ]
        self._count += 1

    def lines(self):
        """The canvas as lines of a patch file."""
        return self._lines + self._cords


def net():
    """Sub-patch: OSC out and in."""
    c = Canvas("60 60 900 560 net 0")
    prepend, send = c.chain(30, 300, "list prepend send", "list trim")
    socket = c.obj(30, 380, "netsend -u -b")
    c.wire(send, socket)
    for place, what in enumerate(
        ("hello", "models", "load", "knob", "knobs", "reset", "rate", "play", "cancel")
    ):
        *_, last = c.chain(30 + 100 * place, 30, f"r dlwa-{what}", f"oscformat dlwa {what}")
        c.wire(last, prepend)
    *_, after = c.chain(450, 120, "r dlwa-connect", "t b f b")
    for outlet, text, y in ((2, "disconnect", 180), (1, "connect 127.0.0.1 $1", 206)):
        message = c.msg(450, y, text)
        c.wire(after, message, outlet)
        c.wire(message, socket)
    later = c.obj(640, 180, "t b b b b")
    c.wire(after, later)
    for outlet, name in enumerate(("knobs", "models", "models-clear", "hello")):
        target = c.obj(640 + 90 * outlet, 210, f"s dlwa-{name}")
        c.wire(later, target, outlet)
    port = c.obj(450, 40, f"f {PORT}")
    c.wire(c.obj(450, 14, "r dlwa-go-connect"), port)
    c.wire(c.obj(600, 14, "r dlwa-port"), port, 0, 1)
    c.wire(port, c.obj(450, 66, "s dlwa-connect"))
    parsed, _, routed = c.chain(30, 420, "oscparse", "list trim", "route dlwa")
    c.wire(socket, parsed, 1)
    told = ("ready", "model", "loaded", "knob", "progress", "warning", "error", "done", "cancelled")
    split = c.obj(30, 500, "route " + " ".join(told))
    c.wire(routed, split)
    for place, what in enumerate(told):
        c.wire(split, c.obj(30 + 95 * place, 530, f"s dlwa-got-{what}"), place)
    return c


def models():
    """Sub-patch: which models there are, and stepping through them."""
    c = Canvas("80 80 700 420 models 0")
    c.obj(30, 20, "text define dlwa-models")
    _, clear = c.chain(250, 20, "r dlwa-models-clear", "t b b")
    message = c.msg(250, 80, "clear")
    c.wire(clear, message, 0)
    c.wire(message, 0)
    zero = c.msg(330, 80, "-1")
    c.wire(clear, zero, 1)
    *_, ask = c.chain(450, 20, "r dlwa-got-model", "t a", "list append")
    line = c.obj(450, 110, "text set dlwa-models 1e+09")
    c.wire(ask, line)
    step_up = c.obj(30, 150, "r dlwa-model-next")
    step_down = c.obj(180, 150, "r dlwa-model-previous")
    at = c.obj(30, 250, "f -1")
    c.wire(zero, at, 0, 1)
    up, down = c.obj(30, 280, "+ 1"), c.obj(120, 280, "- 1")
    for start, step in ((step_up, up), (step_down, down)):
        bang = c.obj(30 if step == up else 180, 200, "t b b")
        holder = c.obj(30 if step == up else 180, 225, "f")
        c.wire(start, bang)
        c.wire(bang, holder)
        c.wire(at, holder, 0, 1)
        c.wire(bang, at, 1)
        c.wire(holder, step)
    size = c.obj(300, 250, "text size dlwa-models")
    bounded = c.obj(30, 310, "max 0")
    for step in (up, down):
        c.wire(step, bounded)
    both = c.obj(30, 335, "t f f b")
    c.wire(bounded, both)
    c.wire(both, size, 2)
    top = c.obj(300, 280, "- 1")
    c.wire(size, top)
    low = c.obj(30, 360, "min 0")
    c.wire(top, low, 0, 1)
    c.wire(both, low)
    keep = c.obj(30, 385, "t f f")
    c.wire(low, keep)
    c.wire(keep, at, 1, 1)
    shown = c.msg(560, 210, "set $1")
    *_, loaded = c.chain(560, 150, "r dlwa-got-loaded", "unpack s f")
    c.wire(loaded, shown)
    c.wire(shown, c.obj(560, 236, "s dlwa-shown-model"))
    get = c.obj(200, 385, "text get dlwa-models")
    c.wire(keep, get)
    name, _ = c.chain(400, 305, "symbol", "s dlwa-load")
    c.wire(get, name)
    return c


def sounds():
    """Sub-patch: files and arrays in and out."""
    c = Canvas("100 100 900 600 sounds 0")
    c.chain(30, 20, "r dlwa-choose", "openpanel", "s dlwa-file")
    *_, both = c.chain(30, 120, "r dlwa-file", "t s s s")
    c.wire(both, c.obj(30, 175, "s dlwa-shown-file"), 0)
    kept = c.obj(150, 230, "symbol")
    c.wire(both, kept, 1, 1)
    read = c.msg(250, 175, "read -resize $1 dlwa-source")
    c.wire(both, read, 2)
    reader, info = c.obj(250, 205, "soundfiler"), c.obj(330, 235, "unpack f")
    c.wire(read, reader)
    c.wire(reader, info, 1)
    c.wire(info, c.obj(330, 265, "s dlwa-array-rate"))
    go = c.obj(150, 200, "r dlwa-go")
    c.wire(go, kept)
    c.wire(kept, c.obj(150, 260, "s dlwa-play"))
    # an array: written into the server's folder, then played as a file
    *_, scratch = c.chain(480, 20, "r dlwa-got-ready", "unpack s s")
    place = c.obj(560, 90, "symbol")
    name = c.obj(560, 150, "makefilename %s/from-pd.wav")
    c.wire(scratch, place, 1, 1)
    start = c.obj(700, 90, "r dlwa-go-array")
    c.wire(start, place)
    c.wire(place, name)
    path = c.obj(560, 180, "t s s")
    c.wire(name, path)
    pack = c.obj(640, 230, "pack s f")
    c.chain(750, 60, "loadbang", "samplerate~", "s dlwa-array-rate")
    c.wire(c.obj(750, 180, "r dlwa-array-rate"), pack, 0, 1)
    c.wire(path, pack, 1)
    write = c.msg(640, 260, "write -wave -rate $2 $1 dlwa-source")
    c.wire(pack, write)
    c.wire(write, c.obj(640, 290, "soundfiler"))
    c.wire(path, c.obj(560, 230, "s dlwa-play"))
    # the result
    *_, parts = c.chain(30, 320, "r dlwa-got-done", "unpack s f f", "t s s")
    c.wire(parts, c.obj(30, 410, "s dlwa-result-file"), 0)
    load = c.msg(160, 410, "read -resize $1 dlwa-result")
    c.wire(parts, load, 1)
    filer = c.obj(160, 440, "soundfiler")
    c.wire(load, filer)
    c.wire(filer, c.obj(160, 470, "s dlwa-result-samples"))
    *_, panel = c.chain(400, 320, "r dlwa-save", "savepanel", "t s")
    other = c.obj(400, 410, "r dlwa-save-as")
    saved = c.obj(400, 440, "t s b")
    c.wire(panel, saved)
    c.wire(other, saved)
    rate = c.obj(520, 470, "samplerate~")
    c.wire(saved, rate, 1)
    named = c.obj(400, 500, "pack s f")
    c.wire(rate, named, 0, 1)
    c.wire(saved, named)
    out = c.msg(400, 530, "write -wave -rate $2 $1 dlwa-result")
    c.wire(named, out)
    c.wire(out, c.obj(400, 560, "soundfiler"))
    *_, player = c.chain(700, 400, "r dlwa-hear", "tabplay~ dlwa-result", "*~ 0.8")
    dac = c.obj(700, 490, "dac~")
    c.wire(player, dac, 0, 0)
    c.wire(player, dac, 0, 1)
    c.chain(480, 560, "r dlwa-got-ready", "t b", "samplerate~", "s dlwa-rate")
    return c


def status():
    """Sub-patch: one line that says what happens."""
    c = Canvas("120 120 800 320 status 0")
    told = (("loaded", "s f"), ("warning", "s"), ("error", "s s"), ("done", "s f f"))
    for place, (what, kinds) in enumerate(told):
        x = 30 + 190 * place
        *_, parts = c.chain(x, 30, f"r dlwa-got-{what}", f"unpack {kinds}")
        shown = c.obj(x, 90, f"makefilename {what}:\\ %s")
        c.wire(parts, shown)
        c.wire(shown, c.obj(x, 120, "s dlwa-status"))
        if what == "error":
            c.wire(parts, c.obj(x + 60, 150, "s dlwa-hint"), 1)
    cancelled = c.obj(30, 150, "r dlwa-got-cancelled")
    message = c.msg(30, 176, "symbol cancelled")
    c.wire(cancelled, message)
    c.wire(message, c.obj(170, 176, "s dlwa-status"))
    *_, parts = c.chain(30, 200, "r dlwa-got-progress", "unpack f s")
    c.wire(parts, c.obj(30, 260, "s dlwa-shown-progress"), 0)
    c.wire(parts, c.obj(200, 260, "s dlwa-status"), 1)
    return c


def knobs():
    """Sub-patch: every knob's cord to the server and back."""
    c = Canvas("140 140 1000 500 knobs 0")
    names = list(Knobs.__dataclass_fields__)
    *_, split = c.chain(30, 20, "r dlwa-got-knob", "route " + " ".join(names))
    for place, name in enumerate(names):
        x = 30 + 85 * place
        back = c.msg(x, 100, "set $1")
        c.wire(split, back, place)
        c.wire(back, c.obj(x, 130, f"s dlwa-w-{name}"))
        c.chain(
            x, 200 + 90 * (place % 2), f"r dlwa-k-{name}", f"list prepend {name}", "s dlwa-knob"
        )
    return c


def widget(name, default, x, y):
    """The knob itself, as Pd draws it; what BY_HAND leaves out can be sent to dlwa-knob."""
    low, high = BY_HAND.get(name, RANGES.get(name, (0, 1)))
    cords = f"dlwa-k-{name} dlwa-w-{name}"
    label = name.replace("_db", "_(dB)")
    if name == "adjust":
        return f"obj {x} {y} tgl 17 0 {cords} {label} 24 8 0 11 {COLOURS} {int(default)} 1"
    if isinstance(RANGES[name][0], int):
        return (
            f"obj {x} {y} nbx 5 17 {low} {high} 0 0 {cords} {label} 62 8 0 11 {COLOURS} "
            f"{default} 256"
        )
    return (
        f"obj {x} {y} hsl 160 17 {low} {high} 0 0 {cords} {label} 168 8 0 11 {COLOURS} "
        f"{round((default - low) / (high - low) * 15900)} 1"
    )


def button(send, label, x, y):
    """A button that bangs a name."""
    return f"obj {x} {y} bng 19 250 50 0 {send} empty {label} 26 9 0 12 {COLOURS}"


def patch():
    """The window a musician sees."""
    c = Canvas("40 40 800 620 12")
    c.put("text 20 12 dlwa: timbre transfer \\, played by a model you trained")
    c.put(f"text 20 34 start the server first: ./dlwa.py ddsp serve (port {PORT})")
    c.put(button("dlwa-go-connect", "connect", 20, 70))
    c.put(f"obj 620 70 nbx 5 17 1024 65535 0 1 dlwa-port empty port 62 8 0 11 {COLOURS} {PORT} 256")
    c.put(button("dlwa-model-previous", "model", 140, 70))
    c.put(button("dlwa-model-next", "next", 230, 70))
    c.put("symbolatom 310 70 30 0 0 0 - dlwa-shown-model dlwa-load 12")
    c.put(button("dlwa-choose", "choose_a_file", 20, 110))
    c.put("symbolatom 160 110 50 0 0 0 - dlwa-shown-file - 12")
    c.put(button("dlwa-go", "play_the_file", 20, 140))
    c.put(button("dlwa-go-array", "play_the_array", 160, 140))
    c.put(button("dlwa-cancel", "cancel", 310, 140))
    c.put(button("dlwa-hear", "hear", 400, 140))
    c.put(button("dlwa-save", "save_as", 20, 172))
    c.put(button("dlwa-reset", "knobs_back", 160, 172))
    bar = "hsl 160 17 0 1 0 0 empty dlwa-shown-progress progress 168 8 0 11"
    c.put(f"obj 310 172 {bar} {COLOURS} 0 1")
    c.put("symbolatom 20 202 88 0 0 0 - dlwa-status - 12")
    c.put("symbolatom 20 222 88 0 0 0 - dlwa-hint - 12")
    for place, (name, field) in enumerate(Knobs.__dataclass_fields__.items()):
        column, row = divmod(place, 6)
        c.put(widget(name, field.default, 20 + 390 * column, 252 + 30 * row))
    c.array("dlwa-source", 20, 440, 360, 140)
    c.array("dlwa-result", 410, 440, 360, 140)
    for place, (name, make) in enumerate(
        (("net", net), ("models", models), ("sounds", sounds), ("status", status), ("knobs", knobs))
    ):
        c.inside(make(), 20 + 90 * place, 594, name)
    return "\n".join(c.lines()) + "\n"


if __name__ == "__main__":
    sys.stdout.write(patch())
