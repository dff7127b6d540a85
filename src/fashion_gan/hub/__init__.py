"""The Hugging Face Hub: addresses, downloads and uploads. ``huggingface_hub`` is imported when an address is used."""
