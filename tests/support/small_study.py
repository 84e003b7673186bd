"""A study of a few seconds, whose report has few figures."""

SMALL = """
question = "Does tau matter?"
replicates = 2
corpus = "bach-prelude"
tokenizer = "midilike-classic"
metric = ["distance.pitch"]
[model.lstm]
hidden = 8
[training]
steps = 2
window = 16
[generation]
samples = 1
tokens = 60
[sampler.temperature]
[axes]
sampler.temperature.tau = [0.8, 1.0]
"""
