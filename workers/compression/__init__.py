"""Compression techniques and the pipeline that turns a trial's weights into a measured, deployable file."""
