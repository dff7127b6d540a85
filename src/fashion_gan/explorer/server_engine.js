"use strict";
// Asks the server to draw. It answers to the same calls as local_engine.js, and to nearest and save besides.

const bytesOf = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));

class ServerEngine {
  constructor(about) {
    this.dim = about.latent_dim;
  }

  draw(wanted) {
    return this._pictures("draw", wanted);
  }

  vary({ latent, ...wanted }) {
    return this._pictures("vary", { latent: [...latent], ...wanted });
  }

  walk({ first, second, ...wanted }) {
    return this._pictures("walk", { first: [...first], second: [...second], ...wanted });
  }

  decode(pictures) {
    return this._pictures("decode", this._named(pictures));
  }

  /** Training images like a picture: {message, again, and once they are known pictures, numbers and distances}. */
  async nearest(pictures) {
    const answer = await (await this._post("nearest", this._named(pictures))).json();
    return answer.pixels ? { ...answer, pictures: { count: answer.numbers.length, pixels: bytesOf(answer.pixels) } } : answer;
  }

  /** A file of pictures, "npz" or "gif", as a Blob. */
  async save(kind, pictures) {
    return (await this._post(`save/${kind}`, this._named(pictures))).blob();
  }

  _named({ latents, labels }) {
    const rows = Array.from({ length: latents.length / this.dim }, (_, i) => [...latents.slice(i * this.dim, (i + 1) * this.dim)]);
    return { latents: rows, labels: labels.includes(null) ? null : labels };
  }

  async _pictures(what, wanted) {
    const { count, labels, latents, pixels } = await (await this._post(what, wanted)).json();
    return {
      count,
      labels: labels ?? Array(count).fill(null),
      latents: new Float32Array(bytesOf(latents).buffer),
      pixels: bytesOf(pixels),
    };
  }

  async _post(what, body) {
    let response;
    try {
      response = await fetch(`api/${what}`, {
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
