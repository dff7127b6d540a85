"""The course: seven chapters about GANs, with the helpers that their notebooks import."""
