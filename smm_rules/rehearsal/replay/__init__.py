"""Rules over the recorded history: what they would have done, beside what was done."""
