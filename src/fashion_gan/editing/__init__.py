"""Edit what a generator draws: find latents of pictures, move latents, and mix them. Knows no generator."""

PROJECTION_STEPS = 150
