"""One script a claim: both sides in one run, the ratio with n and spread, the machine beside it."""
