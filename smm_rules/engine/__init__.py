"""The pure core: (rule, snapshot, memory, now) → memory', decision and reason. No I/O, no clock, no logs."""
