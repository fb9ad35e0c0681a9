"""Start the command: `python -m dlwa.ddsp.live --model_dir=MODEL`."""

from dlwa.ddsp.live._command import main

if __name__ == "__main__":
    main()
