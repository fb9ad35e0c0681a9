"""`python -m dlwa.ddsp.audit FOLDER_OR_FILE ...`: the audit as one JSON document on stdout."""

from dlwa.ddsp.audit._command import main

if __name__ == "__main__":
    main()
