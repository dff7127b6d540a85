"""Generated images as data sets of PyTorch, TensorFlow and Hugging Face. Each library is imported when asked for."""
