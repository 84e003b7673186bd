"""Fit a line to noisy points; settings are key=value words, as Hydra has them."""

import json
import random
import sys
from pathlib import Path

config = {"optimizer.name": "sgd", "optimizer.lr": 0.1, "steps": 50, "seed": 0, "out": "."}
for word in sys.argv[1:]:
    key, _, value = word.partition("=")
    if key not in config:
        sys.exit(f"no setting '{key}'; there are: {', '.join(config)}")
    config[key] = type(config[key])(value)

draw = random.Random(config["seed"])
points = [(x, 2.0 * x + draw.gauss(0, 0.1)) for x in (draw.uniform(-1, 1) for _ in range(100))]
slope = speed = 0.0
for _ in range(config["steps"]):
    gradient = sum(2 * x * (slope * x - y) for x, y in points) / len(points)
    speed = gradient + (0.9 * speed if config["optimizer.name"] == "momentum" else 0.0)
    slope -= config["optimizer.lr"] * speed
loss = sum((slope * x - y) ** 2 for x, y in points) / len(points)
results = {"fit": {"mse": loss, "slope error": abs(slope - 2.0), "direction": "lower"}}
(Path(config["out"]) / "metrics.json").write_text(json.dumps(results))
