"""Start the command: `python -m dlwa.ddsp.studio --models=FOLDER`."""

from dlwa.ddsp.studio._command import main

if __name__ == "__main__":
    main()
