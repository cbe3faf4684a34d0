"""Charts: values over time as SVG and as a line of text."""
