"""All SQL of the record. Every function takes a connection and belongs to the caller's transaction.

A state changes in exactly one function of its kind (``studies.set_state``, ``trials.end``, ``jobs.set_state``), which
writes the event in the same transaction.
"""
