"""Augmentation policies put into effect: on a whole batch by torch, on one image by albumentations."""
