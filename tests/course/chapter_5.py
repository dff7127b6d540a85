"""How the tests run chapter 5."""

PARAMETERS = {"SEEDS": (0, 1), "SCORED": 250, "LEARNED": 64, "COUNT": 32, "STEPS": (0, 15, 30), "MEMORY_SEEDS": (0,)}

HINTS = ["Start with Dense(7 * 7 * 64)", "Input number i adds 1", "one mean and one variance"]
"""Words of the hint that each exercise prints while it has blanks."""

ASSERTS = """
assert repeated.shape == stamped.shape == (1, 8, 8, 1)
counts = {size: set(np.unique(board[4:-4, 4:-4]).tolist()) for size, board in zip(KERNELS, boards, strict=True)}
assert counts == {2: {1}, 3: {1, 2, 4}, 4: {4}, 5: {4, 6, 9}}
assert spreads["with batch norm"][1] > 5 * spreads["without"][1], spreads
assert differences[True] > 0.01 and differences[False] < 1e-5, differences
assert max(map(abs, ends["linear"])) > 1 and ends["sigmoid"][0] >= 0 and -1 <= ends["tanh"][0] < 0, ends
assert means["kernel 3"] > 2.5 and means["kernel 5"] > 1.4, "an uneven overlap makes a checkerboard"
assert means["kernel 4"] < 1.4 and means["upsampling"] < 1.1, "a divisible kernel, or upsampling, cures it"
assert all((values[:, -1, 1] < 0.8 * values[:, 0, 1]).all() for values in learned.values()), "G's error falls"
left = {kind: values[:, -1, 0].mean() for kind, values in learned.items()}
assert left[3] > 1.1 * max(left[4], left["upsampling"]), "training does not cure it"
assert scores["untrained, training=False"].frechet > 30 * scores["real pictures"].frechet
"""
