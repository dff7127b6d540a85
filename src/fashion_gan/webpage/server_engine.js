"use strict";
// Asks the server to draw. It has the methods of the engine in local_engine.js, and also `nearest` and `save`.

const bytesOf = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));

class ServerEngine {
  constructor(about) {
    this.dim = about.latent_dim;
  }

  draw(parameters) {
    return this._pictures("draw", parameters);
  }

  vary({ latent, ...parameters }) {
    return this._pictures("vary", { latent: [...latent], ...parameters });
  }

  walk({ first, second, ...parameters }) {
    return this._pictures("walk", { first: [...first], second: [...second], ...parameters });
  }

  decode(pictures) {
    return this._pictures("decode", this._toJson(pictures));
  }

  /** Find the training images nearest to a picture: {message, again}, and if known {pictures, numbers, distances}. */
  async nearest(pictures) {
    const answer = await (await this._post("nearest", this._toJson(pictures))).json();
    return answer.pixels ? { ...answer, pictures: { count: answer.numbers.length, pixels: bytesOf(answer.pixels) } } : answer;
  }

  /** Save pictures as a file of the format "npz" or "gif". Returns a Blob. */
  async save(format, pictures) {
    return (await this._post(`save/${format}`, this._toJson(pictures))).blob();
  }

  _toJson({ latents, labels }) {
    const rows = Array.from({ length: latents.length / this.dim }, (_, i) => [...latents.slice(i * this.dim, (i + 1) * this.dim)]);
    return { latents: rows, labels: labels.includes(null) ? null : labels };
  }

  async _pictures(path, parameters) {
    const { count, labels, latents, pixels } = await (await this._post(path, parameters)).json();
    return {
      count,
      labels: labels ?? Array(count).fill(null),
      latents: new Float32Array(bytesOf(latents).buffer),
      pixels: bytesOf(pixels),
    };
  }

  async _post(path, body) {
    let response;
    try {
      response = await fetch(`api/${path}`, {
        method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body),
      });
    } catch {
      throw new Error("The server does not answer: is fashion-gan explore still running?");
    }
    if (!response.ok) throw new Error((await response.json()).error);
    return response;
  }
}

const openEngine = (about) => new ServerEngine(about);
