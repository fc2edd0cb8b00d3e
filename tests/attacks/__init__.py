"""Attacks on a running server that once worked, each as somebody with the code at hand would make it."""
