"""Training: the GAN as a Keras model, its losses and data stream, the callbacks, and the loop around ``fit``."""
