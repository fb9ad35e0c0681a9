"""The report of a training: how it went, how it sounds, what it learned from, in one HTML page.

    python -m dlwa.ddsp.report --model_dir=models/ddsp/ann/violin --out=report.html

Works at any time: while the model trains, after it stopped or failed, without held-out sounds, and
when its data set is gone; the page says what is missing and why.
"""
