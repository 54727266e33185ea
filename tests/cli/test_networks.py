import csv
import json
import os

import numpy as np
import pytest


@pytest.fixture
def images(tmp_path):
    """An NPZ file of images of two classes: the brighter half is the upper one, or the lower."""
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(80, 4, 4)).astype(np.float32), np.arange(80) % 2
    x[y == 0, :2] += 2
    x[y == 1, 2:] += 2
    np.savez(tmp_path / "images.npz", x=x, y=y)
    return x, y


def test_images_are_searched_and_predicted_by_a_convolutional_network(jaxsearch, images, tmp_path):
    small = ["--budget", "4", "--folds", "1", "--epochs", "9", "--max-layers", "1", "--max-width", "4"]
    code, out, err = jaxsearch("run", "images.npz", "--model", "conv_net", *small, "--out", "r")
    assert (code, err) == (0, "")
    assert "80 rows, 4 x 4 x 1 features, 2 classes" in out
    assert "over convolutional networks of 1-1 blocks and 4-4 channels" in out
    assert "Best network: 1 block of 4 channels, " in out
    assert "\nValidation error: " in out
    best = json.loads((tmp_path / "r" / "best.json").read_text())
    assert best["model"] == "conv_net"
    assert best["test_score"] < 0.2
    code, out, _ = jaxsearch("predict", "r", "images.npz")
    found = [int(row["y"]) for row in csv.DictReader(out.splitlines())]
    assert code == 0
    assert np.mean(found == images[1]) > 0.8


def test_a_table_is_not_for_a_convolutional_network(jaxsearch):
    for _ in range(2):
        code, _, err = jaxsearch("run", "iris", "--model", "conv_net")
        assert code == 2
        assert err == "Error: conv_net is for images; iris has rows of shape (4,). Use --model mlp.\n"
    assert os.environ["XLA_FLAGS"].count("terminate_timeout_seconds=86400") == 1
