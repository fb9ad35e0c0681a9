"""What the field's notebooks import: tuning, statistics, plots and sound in a notebook."""
