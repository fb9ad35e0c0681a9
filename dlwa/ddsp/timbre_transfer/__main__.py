"""Start the command: `python -m dlwa.ddsp.timbre_transfer IN OUT --model_dir=MODEL`."""

from dlwa.ddsp.timbre_transfer._command import main

if __name__ == "__main__":
    main()
