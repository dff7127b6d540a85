"""How the tests run chapter 2."""

PARAMETERS = {"PICTURES": 16, "REPEATS": 3, "BATCH": 16}

HINTS = ["generator.generate takes the number of pictures", "time.perf_counter()", "keras.utils.set_random_seed(seed)"]
"""Words of the hint that each exercise prints while it has blanks."""

ASSERTS = """
assert clothes.shape == (16, 28, 28, 1)
assert (first == again).all() and (first != other).any()
assert imported["onnxruntime"] and not imported["keras"] and not imported["tensorflow"]
assert "CPU" in devices
assert line_by_line > 0 and compiled > 0
assert 54 < megabytes < 56
"""
