"use strict";
// Paints pixels on canvases, and saves files.

/** Paint one picture on a canvas, without scaling it. */
function paint(canvas, pictures, index, [height, width, channels]) {
  const image = new ImageData(width, height);
  const start = index * height * width * channels;
  for (let i = 0; i < height * width; i++) {
    const pixel = start + i * channels;
    for (let c = 0; c < 3; c++) image.data[4 * i + c] = pictures.pixels[pixel + (channels >= 3 ? c : 0)];
    image.data[4 * i + 3] = channels === 4 ? pictures.pixels[pixel + 3] : 255;
  }
  Object.assign(canvas, { width, height });
  canvas.getContext("2d").putImageData(image, 0, 0);
}

/** Paint all pictures in rows on one canvas, with enlarged pixels. */
function paintSheet(pictures, shape, columns) {
  const [scale, gap] = [Math.max(1, Math.round(112 / shape[0])), 4];
  const [rowStep, columnStep] = [shape[0] * scale + gap, shape[1] * scale + gap];
  const canvas = document.createElement("canvas");
  Object.assign(canvas, { width: columns * columnStep + gap, height: Math.ceil(pictures.count / columns) * rowStep + gap });
  const context = canvas.getContext("2d");
  context.fillStyle = "#303030";
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.imageSmoothingEnabled = false;
  const small = document.createElement("canvas");
  for (let i = 0; i < pictures.count; i++) {
    paint(small, pictures, i, shape);
    const [left, top] = [gap + (i % columns) * columnStep, gap + Math.floor(i / columns) * rowStep];
    context.drawImage(small, left, top, shape[1] * scale, shape[0] * scale);
  }
  return canvas;
}

function saveFile(blob, name) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

function savePng(pictures, shape, columns, name) {
  paintSheet(pictures, shape, columns).toBlob((blob) => saveFile(blob, name), "image/png");
}
