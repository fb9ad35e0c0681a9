"""Timbre transfer for other programs: Pure Data, Max, SuperCollider, anything that speaks OSC.

One UDP socket, on loopback unless told otherwise. A program sends, and is answered where it sent
from (or at the port it names with `/dlwa/reply_to PORT`):

    /dlwa/hello                -> /dlwa/ready VERSION SCRATCH_FOLDER
    /dlwa/models               -> /dlwa/model NAME ... /dlwa/models HOW_MANY
    /dlwa/load NAME            -> /dlwa/loaded NAME SAMPLE_RATE
    /dlwa/knob NAME VALUE      -> /dlwa/knob NAME VALUE
    /dlwa/knobs                -> /dlwa/knob NAME VALUE, for each
    /dlwa/reset                -> the same, all at their resting place
    /dlwa/rate HZ              -> /dlwa/rate HZ          (of the sounds made; 0: the model's)
    /dlwa/play IN [OUT]        -> /dlwa/progress PART WHAT ... /dlwa/done OUT SECONDS TOOK_S
    /dlwa/cancel               -> /dlwa/cancelled

Whatever cannot be done is answered by `/dlwa/error TEXT HINT`. Every program has knobs and a model
of its own; the work of several is done one after the other.
"""
