"""How fast smm-rules is and how much memory it takes. `python -m benchmarks` measures all of it."""
