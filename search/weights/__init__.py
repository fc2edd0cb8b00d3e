"""Pretrained weights: what is known of them, where they are looked for, and which of them a space needs."""
