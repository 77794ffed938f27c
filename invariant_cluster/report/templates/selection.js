// Selected images of the map: a list, their names to copy, and how many there are.
function startSelection(section, data, changed) {
  const mostShown = 120;
  const box = section.querySelector(".selection");
  const part = (name) => box.querySelector(name);
  const selection = { chosen: new Set(), choose, toggle };
  const nameOf = (i) => (data.names ? data.names[i] : String(data.rows[i]));

  function toggle(i) {
    if (i < 0) return;
    const chosen = new Set(selection.chosen);
    if (!chosen.delete(i)) chosen.add(i);
    choose(chosen);
  }

  function choose(images) {
    selection.chosen = new Set(images);
    const all = [...selection.chosen];
    box.hidden = !all.length;
    part(".count").textContent = `${all.length} image${all.length === 1 ? "" : "s"} selected`;
    part("ul").replaceChildren(...all.slice(0, mostShown).map(drawTile));
    const rest = all.length - mostShown;
    part(".rest").textContent = rest > 0 ? `and ${rest} more, in the list below` : "";
    part("textarea").value = all.map(nameOf).join("\n");
    part(".copied").textContent = "";
    changed();
  }

  function drawTile(i) {
    const item = document.createElement("li");
    const tile = document.createElement("span");
    tile.className = "tile sheet-map";
    tile.setAttribute("role", "img");
    tile.ariaLabel = tile.title = data.told[i];
    tile.style.backgroundPosition = spriteAt(data, i);
    const caption = document.createElement("span");
    caption.className = "caption name";
    caption.ariaHidden = "true";
    caption.textContent = data.names ? data.names[i] : `#${data.rows[i]}`;
    item.append(tile, caption);
    return item;
  }

  async function copy() {
    const text = part("textarea");
    try {
      await navigator.clipboard.writeText(text.value);
    } catch { // not allowed here: the older way
      text.select();
      document.execCommand("copy");
    }
    part(".copied").textContent = `${selection.chosen.size} copied`;
  }

  section.querySelector("[data-do=copy]").addEventListener("click", copy);
  section.querySelector("[data-do=clear]").addEventListener("click", () => choose([]));
  return selection;
}

function spriteAt(data, i) {
  const [width, height] = data.tile;
  const row = Math.floor(i / data.columns);
  return `${-(i % data.columns) * width}px ${-row * height}px`;
}

// Whether a point is inside of a polygon: a ray to the right crosses its sides oddly often.
function isInside([x, y], corners) {
  let inside = false;
  for (let i = 0, j = corners.length - 1; i < corners.length; j = i++) {
    const [ax, ay] = corners[i];
    const [bx, by] = corners[j];
    if (ay > y !== by > y && x < ((bx - ax) * (y - ay)) / (by - ay) + ax) inside = !inside;
  }
  return inside;
}
