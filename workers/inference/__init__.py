"""Inference as a submission does it: a deployed file, a folder of images, one at a time."""
