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

// Wide tables: say that there is more, until the last column is in view.
for (const box of document.querySelectorAll(".scroll")) {
  const hint = document.createElement("p");
  hint.className = "hint";
  hint.ariaHidden = "true"; // the box is a region that takes the focus and arrow keys
  hint.textContent = "More columns: scroll sideways \u2192";
  box.before(hint);
  const update = () => {
    hint.hidden = box.scrollWidth <= box.clientWidth + 1;
    const left = box.scrollWidth - box.clientWidth - box.scrollLeft;
    hint.classList.toggle("done", left <= 1);
  };
  box.addEventListener("scroll", update, { passive: true });
  new ResizeObserver(update).observe(box);
  update();
}

// Printing: open all sections that are folded on the screen.
window.addEventListener("beforeprint", () => {
  for (const part of document.querySelectorAll("details")) part.open = true;
});
