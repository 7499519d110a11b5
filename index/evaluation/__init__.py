"""Evaluation in parts: what is judged, where it is asked, what is measured, and how much of that is chance.

`index/evaluate.py` puts them together for the front end; the benchmarks use some of them by themselves.
"""
