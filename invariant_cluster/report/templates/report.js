"use strict";

// Tables: a heading sorts by its column; selected again, it reverses the order.
for (const table of document.querySelectorAll("table.sortable")) {
  const headings = [...table.tHead.rows[0].cells];
  const status = document.getElementById("sorted");
  headings.forEach((heading, column) => {
    heading.querySelector("button").addEventListener("click", () => {
      const ascending = heading.ariaSort === "none"
        ? !heading.classList.contains("number")
        : heading.ariaSort !== "ascending";
      for (const other of headings) other.ariaSort = "none";
      heading.ariaSort = ascending ? "ascending" : "descending";
      sortRows(table.tBodies[0], column, ascending ? 1 : -1);
      status.textContent = `Sorted by ${heading.textContent.trim()}, ${heading.ariaSort}`;
    });
  });
}

function sortRows(body, column, direction) {
  const keyed = [...body.rows].map((row) => [sortKey(row.cells[column]), row]);
  keyed.sort(([a], [b]) => direction * compareKeys(a, b));
  body.append(...keyed.map(([, row]) => row));
}

function sortKey(cell) {
  return cell.dataset.value === undefined ? cell.textContent : Number(cell.dataset.value);
}

function compareKeys(a, b) {
  return typeof a === "number" ? a - b : a.localeCompare(b, "en", { numeric: true });
}

// Galleries: one choice of the order for all clusters.
for (const choice of document.querySelectorAll("input[name=order]")) {
  choice.addEventListener("change", () => {
    for (const list of document.querySelectorAll(".tiles[data-order]")) {
      list.hidden = list.dataset.order !== choice.value;
    }
  });
}

// Map: show the thumbnail of the mark that is pointed at, tapped or reached by arrow keys.
const map = document.querySelector(".map");
if (map) startMap(map, JSON.parse(document.getElementById("map-data").textContent));

function startMap(map, data) {
  const drawing = map.querySelector("svg");
  const ring = map.querySelector(".ring");
  const tip = map.querySelector(".tip");
  const tile = tip.querySelector(".tile");
  const caption = tip.querySelector("figcaption");
  const buttons = [...document.querySelectorAll(".legend button")];
  const picked = new Set();
  const nearEnough = 24; // CSS pixels
  let current = -1;

  const isOpen = (i) => !picked.size || picked.has(data.points[i][2]);
  const scale = () => drawing.clientWidth / drawing.viewBox.baseVal.width;

  function nearest(cost) {
    let best = -1;
    let least = Infinity;
    for (let i = 0; i < data.points.length; i++) {
      const value = isOpen(i) ? cost(data.points[i], i) : Infinity;
      if (value < least) [best, least] = [i, value];
    }
    return best;
  }

  function show(i) {
    if (i < 0) return hide();
    current = i;
    const [x, y] = data.points[i];
    ring.setAttribute("cx", x);
    ring.setAttribute("cy", y);
    ring.setAttribute("visibility", "visible");
    const [width, height] = data.tile;
    const row = Math.floor(i / data.columns);
    tile.style.backgroundPosition =
      `${-(i % data.columns) * width}px ${-row * height}px`;
    caption.textContent = data.told[i];
    tip.hidden = false;
    place(x * scale(), y * scale());
  }

  // Place the thumbnail beside the mark, on the side with room, inside the map.
  function place(x, y) {
    const gap = 14;
    const roomX = drawing.clientWidth - tip.offsetWidth;
    const roomY = drawing.clientHeight - tip.offsetHeight;
    const left = x + gap <= roomX ? x + gap : x - gap - tip.offsetWidth;
    tip.style.left = `${Math.max(0, Math.min(left, roomX))}px`;
    tip.style.top = `${Math.max(0, Math.min(y - tip.offsetHeight / 2, roomY))}px`;
  }

  function hide() {
    tip.hidden = true;
    ring.setAttribute("visibility", "hidden");
  }

  function pointAt(event) {
    const box = drawing.getBoundingClientRect();
    const x = (event.clientX - box.left) / scale();
    const y = (event.clientY - box.top) / scale();
    const i = nearest(([px, py]) => Math.hypot(px - x, py - y));
    if (i < 0) return hide();
    const [px, py] = data.points[i];
    show(Math.hypot(px - x, py - y) * scale() <= nearEnough ? i : -1);
  }

  // Nearest mark in the direction of the arrow; sideways distance counts twice.
  function step(dx, dy) {
    const [x, y] = data.points[current];
    const next = nearest(([px, py], i) => {
      const along = (px - x) * dx + (py - y) * dy;
      const aside = Math.abs((px - x) * dy) + Math.abs((py - y) * dx);
      return i === current || along <= 0 ? Infinity : along + 2 * aside;
    });
    if (next >= 0) show(next);
  }

  const arrows = {
    ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1],
  };
  map.addEventListener("keydown", (event) => {
    if (event.key === "Escape") return hide();
    if (!(event.key in arrows)) return;
    event.preventDefault();
    if (current < 0 || !isOpen(current)) show(first());
    else step(...arrows[event.key]);
  });
  function first() {
    const { width, height } = drawing.viewBox.baseVal;
    return nearest(([px, py]) => Math.hypot(px - width / 2, py - height / 2));
  }
  map.addEventListener("focus", () => {
    if (map.matches(":focus-visible")) show(current < 0 || !isOpen(current) ? first() : current);
  });
  map.addEventListener("blur", hide);
  map.addEventListener("pointermove", pointAt);
  map.addEventListener("pointerdown", pointAt);
  map.addEventListener("pointerleave", (event) => {
    if (event.pointerType === "mouse") hide();
  });

  for (const button of buttons) {
    button.addEventListener("click", () => {
      const cluster = Number(button.dataset.cluster);
      if (!picked.delete(cluster)) picked.add(cluster);
      button.setAttribute("aria-pressed", picked.has(cluster));
      map.classList.toggle("picking", picked.size > 0);
      for (const part of drawing.querySelectorAll("[data-cluster]")) {
        part.classList.toggle("picked", picked.has(Number(part.dataset.cluster)));
      }
      hide();
    });
  }
}

// Printing: open all sections that are folded on the screen.
window.addEventListener("beforeprint", () => {
  for (const part of document.querySelectorAll("details")) part.open = true;
});
