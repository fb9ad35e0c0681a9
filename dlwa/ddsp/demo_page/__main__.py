"""Start the command: `python -m dlwa.ddsp.demo_page --out=FOLDER ...`."""

from dlwa.ddsp.demo_page._command import main

if __name__ == "__main__":
    main()
