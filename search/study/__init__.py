"""What a study is: its specification, how a candidate is drawn from it, and which models win it."""
