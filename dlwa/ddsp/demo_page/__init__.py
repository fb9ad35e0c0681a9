"""The demo's page: hear and see what a model has learned, in one HTML file without network.

    python -m dlwa.ddsp.demo_page --model_dir=MODEL --recording=LEARNED.flac \
        --transfer_in=FLUTE.flac --transfer_out=SOUND.wav --transfer_report=REPORT.json --out=FOLDER
"""
