"use strict";
// Pixels -> canvases and files.

/** Paint the picture of a number on a canvas, a pixel for a pixel. */
function paint(canvas, pictures, index, [height, width, channels]) {
  const data = new ImageData(width, height);
  const start = index * height * width * channels;
  for (let i = 0; i < height * width; i++) {
    for (let c = 0; c < 3; c++) data.data[4 * i + c] = pictures.pixels[start + i * channels + (channels === 3 ? c : 0)];
    data.data[4 * i + 3] = 255;
  }
  Object.assign(canvas, { width, height });
  canvas.getContext("2d").putImageData(data, 0, 0);
}

/** All pictures in rows on one canvas, each pixel drawn large. */
function sheet(pictures, shape, columns) {
  const [scale, gap] = [Math.max(1, Math.round(112 / shape[0])), 4];
  const [rowStep, columnStep] = [shape[0] * scale + gap, shape[1] * scale + gap];
  const canvas = document.createElement("canvas");
  Object.assign(canvas, { width: columns * columnStep + gap, height: Math.ceil(pictures.count / columns) * rowStep + gap });
  const context = canvas.getContext("2d");
  context.fillStyle = "#303030";
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.imageSmoothingEnabled = false;
  const one = document.createElement("canvas");
  for (let i = 0; i < pictures.count; i++) {
    paint(one, pictures, i, shape);
    const [left, top] = [gap + (i % columns) * columnStep, gap + Math.floor(i / columns) * rowStep];
    context.drawImage(one, left, top, shape[1] * scale, shape[0] * scale);
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
  sheet(pictures, shape, columns).toBlob((blob) => saveFile(blob, name), "image/png");
}
