"""Turns arrays into pictures and plots."""
