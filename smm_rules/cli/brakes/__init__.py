"""`smm-rules pause`, `resume`, `panic` and `pauses`: the operator's brakes, beside a running daemon."""
