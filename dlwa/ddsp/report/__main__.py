"""Start the command: `python -m dlwa.ddsp.report --model_dir=MODEL --out=FILE`."""

from dlwa.ddsp.report._command import main

if __name__ == "__main__":
    main()
