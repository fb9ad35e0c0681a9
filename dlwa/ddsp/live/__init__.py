"""A model plays along while somebody plays or sings: blocks of sound in, blocks of sound out.

    python -m dlwa.ddsp.live --model_dir=models/ddsp/ann/violin
    python -m dlwa.ddsp.live --model_dir=models/ddsp/ann/violin --source=flute.wav --target=out.wav

Each block is heard (pitch, loudness), moved to where the model has learned to play, and played
from where the last block ended. Without a sound card a file takes the place of the microphone, at
the pace of the sound.
"""
