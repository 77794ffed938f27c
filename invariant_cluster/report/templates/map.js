// Map: see the image of a mark, zoom and move, select images by a lasso.
const map = document.querySelector(".map");
if (map) startMap(map, JSON.parse(document.getElementById("map-data").textContent));

function startMap(map, data) {
  const section = map.closest("section");
  const drawing = map.querySelector("svg");
  const ring = map.querySelector(".ring");
  const tip = map.querySelector(".tip");
  const size = { width: drawing.viewBox.baseVal.width, height: drawing.viewBox.baseVal.height };
  const view = { x: 0, y: 0, zoom: 1 };
  const mostZoom = 20;
  const nearEnough = 24; // CSS pixels
  const picked = new Set(); // clusters
  const marks = [...drawing.querySelectorAll(".points")].map(readMarks);
  const selection = startSelection(section, data, drawMarks);
  const action = (name) => section.querySelector(`[data-do=${name}]`);
  let current = -1;

  const isOpen = (i) => !picked.size || picked.has(data.points[i][2]);
  const scale = () => (drawing.clientWidth * view.zoom) / size.width;

  function toMap({ clientX, clientY }) {
    const box = drawing.getBoundingClientRect();
    return [view.x + (clientX - box.left) / scale(), view.y + (clientY - box.top) / scale()];
  }

  function nearest(cost) {
    let best = -1;
    let least = Infinity;
    for (let i = 0; i < data.points.length; i++) {
      const value = isOpen(i) ? cost(data.points[i], i) : Infinity;
      if (value < least) [best, least] = [i, value];
    }
    return best;
  }

  function nearestTo([x, y]) {
    const i = nearest(([px, py]) => Math.hypot(px - x, py - y));
    if (i < 0) return i;
    const [px, py] = data.points[i];
    return Math.hypot(px - x, py - y) * scale() <= nearEnough ? i : -1;
  }

  // The image of a mark

  function show(i) {
    if (i < 0) return hide();
    current = i;
    const [x, y] = data.points[i];
    ring.setAttribute("cx", x);
    ring.setAttribute("cy", y);
    ring.setAttribute("visibility", "visible");
    tip.querySelector(".tile").style.backgroundPosition = spriteAt(data, i);
    tip.querySelector("figcaption").textContent = data.told[i];
    tip.hidden = false;
    place((x - view.x) * scale(), (y - view.y) * scale());
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

  // Zoom and move

  function zoomBy(factor, [x, y] = middle()) {
    const zoom = Math.max(1, Math.min(view.zoom * factor, mostZoom));
    moveTo(x - ((x - view.x) * view.zoom) / zoom, y - ((y - view.y) * view.zoom) / zoom, zoom);
  }

  function moveTo(x, y, zoom = view.zoom) {
    view.zoom = zoom;
    view.x = Math.max(0, Math.min(x, size.width - size.width / zoom));
    view.y = Math.max(0, Math.min(y, size.height - size.height / zoom));
    const sides = [size.width / zoom, size.height / zoom];
    drawing.setAttribute("viewBox", [view.x, view.y, ...sides].join(" "));
    map.style.setProperty("--zoom", zoom);
    map.classList.toggle("zoomed", zoom > 1);
    action("out").disabled = action("all").disabled = zoom <= 1;
    action("in").disabled = zoom >= mostZoom;
    hide();
    drawMarks();
  }

  const middle = () => [
    view.x + size.width / view.zoom / 2, view.y + size.height / view.zoom / 2,
  ];

  function reveal(i) {
    const [x, y] = data.points[i];
    const [width, height] = [size.width / view.zoom, size.height / view.zoom];
    const inside = x >= view.x && x <= view.x + width && y >= view.y && y <= view.y + height;
    if (!inside) moveTo(x - width / 2, y - height / 2);
    show(i);
  }

  function readMarks(path) {
    const cluster = Number(path.dataset.cluster);
    const middles = data.points.filter((point) => point[2] === cluster);
    const outlines = path.getAttribute("d").split("Z").slice(0, -1).map((part) =>
      part.slice(1).split("L").map((corner) => corner.split(" ").map(Number)));
    return { path, middles, outlines };
  }

  // Marks grow by the root of the zoom, so that zooming in sets them apart.
  function drawMarks() {
    const growth = 1 / Math.sqrt(view.zoom);
    for (const { path, middles, outlines } of marks) {
      path.setAttribute("d", outlines.map((corners, i) => {
        const [x, y] = middles[i];
        const moved = corners.map(([cx, cy]) =>
          `${(x + (cx - x) * growth).toFixed(2)} ${(y + (cy - y) * growth).toFixed(2)}`);
        return `M${moved.join("L")}Z`;
      }).join(""));
    }
    ring.setAttribute("r", 9 * growth);
    const r = 7 * growth;
    drawing.querySelector(".chosen").setAttribute("d", [...selection.chosen].map((i) => {
      const [x, y] = data.points[i];
      return `M${x - r} ${y}a${r} ${r} 0 1 0 ${2 * r} 0a${r} ${r} 0 1 0 ${-2 * r} 0`;
    }).join(""));
  }

  // Pointers: hover, drag to move, draw a lasso, pinch

  const pointers = new Map();
  let drag = null;

  function start(event) {
    if (event.button > 0) return;
    pointers.set(event.pointerId, event);
    if (pointers.size === 2) {
      if (drag?.lasso) drawLasso([]);
      drag = { pinch: pinchOf() };
    }
    else if (map.classList.contains("lassoing")) drag = { lasso: [toMap(event)] };
    else {
      show(nearestTo(toMap(event)));
      if (view.zoom > 1) drag = { from: toMap(event) };
    }
    if (drag) drawing.setPointerCapture(event.pointerId);
  }

  function move(event) {
    if (pointers.has(event.pointerId)) pointers.set(event.pointerId, event);
    if (drag?.pinch) pinch();
    else if (drag?.lasso) drawLasso([...drag.lasso, toMap(event)]);
    else if (drag?.from) {
      const [x, y] = toMap(event);
      moveTo(view.x + drag.from[0] - x, view.y + drag.from[1] - y);
    } else if (!map.classList.contains("lassoing")) show(nearestTo(toMap(event)));
  }

  function end(event) {
    pointers.delete(event.pointerId);
    if (drag?.lasso && event.type === "pointerup") choose(drag.lasso, event.shiftKey);
    if (drag?.lasso) drawLasso([]);
    drag = null;
  }

  function pinchOf() {
    const [a, b] = [...pointers.values()];
    return {
      gap: Math.max(1, Math.hypot(a.clientX - b.clientX, a.clientY - b.clientY)),
      middle: { clientX: (a.clientX + b.clientX) / 2, clientY: (a.clientY + b.clientY) / 2 },
    };
  }

  function pinch() {
    const now = pinchOf();
    const [fromX, fromY] = toMap(drag.pinch.middle);
    const [x, y] = toMap(now.middle);
    moveTo(view.x + fromX - x, view.y + fromY - y);
    zoomBy(now.gap / drag.pinch.gap, toMap(now.middle));
    drag.pinch = now;
  }

  function drawLasso(corners) {
    if (drag) drag.lasso = corners;
    const path = corners.length > 1 ? `M${corners.map((at) => at.join(" ")).join("L")}Z` : "";
    drawing.querySelector(".lasso").setAttribute("d", path);
  }

  function choose(corners, add) {
    const [x, y] = corners[0];
    const reach = Math.max(...corners.map(([cx, cy]) => Math.hypot(cx - x, cy - y)));
    if (reach * scale() < 6) return selection.toggle(nearestTo(corners[0]));
    const inside = data.points.map((_, i) => i)
      .filter((i) => isOpen(i) && isInside(data.points[i], corners));
    selection.choose(add ? [...selection.chosen, ...inside] : inside);
  }

  map.addEventListener("pointerdown", start);
  map.addEventListener("pointermove", move);
  map.addEventListener("pointerup", end);
  map.addEventListener("pointercancel", end);
  map.addEventListener("pointerleave", (event) => {
    if (event.pointerType === "mouse") hide();
  });
  map.addEventListener("wheel", (event) => {
    // The page scrolls past the map, unless it was clicked or a touchpad pinches.
    if (!event.ctrlKey && !map.contains(document.activeElement)) return;
    if (event.deltaY > 0 && view.zoom === 1) return;
    event.preventDefault();
    zoomBy(Math.exp(-event.deltaY * (event.ctrlKey ? 0.01 : 0.002)), toMap(event));
  }, { passive: false });

  // Keyboard: nearest mark in the direction of the arrow; sideways distance counts twice.

  function step(dx, dy) {
    const [x, y] = data.points[current];
    const next = nearest(([px, py], i) => {
      const along = (px - x) * dx + (py - y) * dy;
      const aside = Math.abs((px - x) * dy) + Math.abs((py - y) * dx);
      return i === current || along <= 0 ? Infinity : along + 2 * aside;
    });
    if (next >= 0) reveal(next);
  }

  const first = () => {
    const [x, y] = middle();
    return nearest(([px, py]) => Math.hypot(px - x, py - y));
  };
  const arrows = {
    ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1],
  };
  const keys = {
    Escape: hide,
    "+": () => zoomBy(1.5),
    "-": () => zoomBy(1 / 1.5),
    0: () => moveTo(0, 0, 1),
    Enter: () => selection.toggle(tip.hidden ? -1 : current),
    " ": () => selection.toggle(tip.hidden ? -1 : current),
  };
  map.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key in keys) keys[event.key]();
    else if (!(event.key in arrows)) return;
    else if (current < 0 || !isOpen(current)) show(first());
    else step(...arrows[event.key]);
    event.preventDefault();
  });
  map.addEventListener("focus", () => {
    if (!map.matches(":focus-visible")) return;
    if (current < 0 || !isOpen(current)) show(first());
    else reveal(current);
  });
  map.addEventListener("blur", hide);

  // Buttons

  action("in").addEventListener("click", () => zoomBy(1.5));
  action("out").addEventListener("click", () => zoomBy(1 / 1.5));
  action("all").addEventListener("click", () => moveTo(0, 0, 1));
  action("lasso").addEventListener("click", () => {
    const on = map.classList.toggle("lassoing");
    action("lasso").setAttribute("aria-pressed", on);
    hide();
  });
  for (const button of section.querySelectorAll(".legend button")) {
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
  section.querySelector(".tools").hidden = false;
  moveTo(0, 0, 1);
}
