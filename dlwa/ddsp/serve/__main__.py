"""Start the command: `python -m dlwa.ddsp.serve --models=FOLDER`."""

from dlwa.ddsp.serve._command import main

if __name__ == "__main__":
    main()
