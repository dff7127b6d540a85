"""Edited clothes: real pictures that are redrawn and changed, directions, and mixtures."""

import numpy as np

import fashion_gan
from docs_pictures.studio import img_grid

REAL = (1, 3, 6, 9, 13, 28, 30, 42)  # positions in the test set: of several classes, not chosen by how well they go
AMOUNTS = (-3, -1.5, 0, 1.5, 3)


def titled(title, text, images, columns):
    """A row of a grid: a title and its images."""
    return (
        f'<p style="align-self: center"><b>{title}</b><br><span class="soft">{text}</span></p>'
        f"{img_grid(images, columns, 56, gap=4)}"
    )


def sheet(studio, rows):
    """Titled rows on a sheet."""
    body = f'<div class="grid" style="grid-template-columns: 190px auto; gap: 10px">{"".join(rows)}</div>'
    return studio.sheet(body, width=716)


def projected_clothes(studio):
    """Eight test images, the nearest training images, and what is drawn from their latents: as they are, and edited."""
    from fashion_gan.api.project import nearest_training

    generator = fashion_gan.Generator.from_pretrained("fashion")
    train, test = fashion_gan.load_fashion_mnist("train"), fashion_gan.load_fashion_mnist("test")
    real = test.images[list(REAL)]
    found = generator.project(real)
    nearest = nearest_training(real, found.images, train)
    rows = [
        ("Real", "test images", real),
        ("Nearest real", "of 60,000 training images", train.images[nearest.of_given]),
        ("Redrawn", "from the found latents", found.images),
    ]
    for name, amount, title in (("brighter", -2, "Darker"), ("brighter", 2, "Brighter"), ("taller", 2, "Taller")):
        moved = generator.edit(found.latents, name, amount)
        rows.append((title, f"edit(…, “{name}”, {amount:g})", generator.decode(moved, found.labels)))
    other = generator.latents(1, seed=7)[0]
    textured = found.latents.copy()
    textured[:, 2:] = other
    rows.append(("Another texture", "depths 2 to 4 of seed 7", generator.decode(textured, found.labels)))
    return sheet(studio, [titled(*row, len(REAL)) for row in rows])


def directions(studio):
    """The shipped model's directions, on a dress and a shoe."""
    generator = fashion_gan.Generator.from_pretrained("fashion")
    latents, rows = 0.8 * generator.latents(8, seed=0), []
    for direction in generator.directions:
        moved = [[generator.edit(latents[number], direction.vector, amount) for amount in AMOUNTS] for number in (1, 7)]
        images = np.concatenate([generator.decode(moved[0], "Dress")[:4], generator.decode(moved[1], "Sneaker")[:4]])
        rows.append(titled(direction.name, f"class kept {direction.class_kept:.0%}", images, 8))
    return sheet(studio, rows)


def mixtures(studio):
    """Textures by depth, and classes mixed."""
    generator = fashion_gan.Generator.from_pretrained("fashion")
    rows = []
    for name, seeds in (("Shirt", (2, 5)), ("Sneaker", (3, 9)), ("Bag", (1, 4))):
        latents = [generator.mix_depths(*seeds, first) for first in range(generator.depths, -1, -1)]
        rows.append(titled(name, "texture from depth 5 to 0", generator.decode(latents, name), 8))
    for first, second in (("Dress", "Coat"), ("Sneaker", "Ankle boot"), ("Trouser", "Bag")):
        shares = np.linspace(0, 1, 8)[:, np.newaxis]
        ends = np.eye(10)[[generator.label_number(first), generator.label_number(second)]]
        latents = np.repeat(generator.latents(1, seed=6), 8, axis=0)
        images = generator.decode(latents, (1 - shares) * ends[0] + shares * ends[1])
        rows.append(titled(f"{first} to {second.lower()}", "shares of two classes", images, 8))
    return sheet(studio, rows)
