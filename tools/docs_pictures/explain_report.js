// Shorten the report to the rows of a few metrics and to the possible copies, and write notes with arrows on it.
({ rows, notes }) => {
  const metrics = document.querySelector("table");
  for (const row of [...metrics.querySelectorAll("tr")].slice(1)) {
    row.id = row.querySelector("code").textContent;
    if (!rows.includes(row.id)) row.remove();
  }
  let kept = true;
  for (const element of [...document.body.children]) {
    if (element.tagName === "H2") kept = ["Metrics", "Possible copies"].includes(element.textContent);
    if (!kept) element.remove();
  }

  document.body.insertAdjacentHTML("beforeend", `<svg id="arrows"><defs>
    <marker id="head" viewBox="0 0 10 10" refX="8" refY="5" markerWidth="7" markerHeight="7" orient="auto">
    <path d="M0 0L10 5L0 10z"/></marker></defs></svg>`);
  const arrows = document.querySelector("#arrows");
  for (const { target, at, text, place, width, start } of notes) {
    const box = document.querySelector(target).getBoundingClientRect();
    const [x, y] = [box.left + at[0] * box.width, box.top + at[1] * box.height];
    const note = document.createElement("div");
    note.className = "note";
    note.textContent = text;
    Object.assign(note.style, { left: `${x + place[0]}px`, top: `${y + place[1]}px`, width: `${width}px` });
    document.body.append(note);
    const textBox = note.getBoundingClientRect();
    const [startX, startY] = [textBox.left + start[0] * textBox.width, textBox.top + start[1] * textBox.height];
    arrows.insertAdjacentHTML("beforeend", `<line x1="${startX}" y1="${startY}" x2="${x}" y2="${y}"/>`);
  }
  arrows.outerHTML += "";  // The browser then draws the lines as SVG.
}
