// The grid: only the visible cards exist, so thousands cost as little as dozens.

const SMALLEST = { paintings: 190, photos: 190, both: 330 }; // CSS pixels, width of a card
const SMALLEST_ON_A_PHONE = { paintings: 140, photos: 140, both: 260 };
const PHONE = 600;
const GAP = 12; // as in the style
const ROWS_AHEAD = 2;
const WAIT = 80; // ms, for the next key to be typed

const [grid, space] = ["grid", "space"].map(element);
let shown = [];
let columns = 1;
let rowHeight = 250; // CSS pixels, including the gap below; a guess until a card is measured
const cards = new Map(); // by index in shown

function missingPhoto() {
  const note = document.createElement("span");
  note.className = "missing";
  note.textContent = "no photo";
  return note;
}

function makeCard(index) {
  const entry = shown[index];
  const card = element("card").content.firstElementChild.cloneNode(true);
  card.setAttribute("aria-setsize", shown.length);
  card.setAttribute("aria-posinset", index + 1);
  const part = (name) => card.querySelector(name);
  const [frame, caption, origin] = [".frame", ".caption", ".origin"].map(part);
  const view = grid.dataset.view;
  const photo = () => (entry.has_photo ? picture(entry, "photos") : missingPhoto());
  if (view !== "paintings") frame.append(photo());
  if (view !== "photos") frame.append(picture(entry, "paintings"));
  caption.textContent = caption.title = entry.caption;
  origin.textContent = origin.title = `${entry.photo} · seed ${entry.seed}`;
  const link = card.firstElementChild;
  link.href = address(entry);
  if (view === "paintings" && entry.has_photo) {
    // Load the photo on first hover or focus; not on touch, where it would stay.
    const reveal = () => {
      if (frame.childElementCount === 1) frame.append(photo());
    };
    link.addEventListener("pointerenter", (event) => event.pointerType !== "touch" && reveal());
    link.addEventListener("focus", () => link.matches(":focus-visible") && reveal());
  }
  return card;
}

function draw() {
  const top = -space.getBoundingClientRect().top;
  const count = Math.ceil(shown.length / columns);
  const first = Math.max(0, Math.min(Math.floor(top / rowHeight), count) - ROWS_AHEAD);
  const last = Math.min(count, Math.ceil((top + innerHeight) / rowHeight) + ROWS_AHEAD);
  const [from, to] = [first * columns, Math.min(last * columns, shown.length)];
  for (const [index, card] of cards) {
    if (index >= from && index < to) continue;
    card.remove();
    cards.delete(index);
  }
  for (let index = from; index < to; index++) {
    if (cards.has(index)) continue;
    cards.set(index, makeCard(index));
    grid.insertBefore(cards.get(index), grid.children[index - from] ?? null);
  }
  grid.style.transform = `translateY(${first * rowHeight}px)`;
  space.style.height = `${count * rowHeight}px`;
}

function lay() {
  const smallest = (innerWidth < PHONE ? SMALLEST_ON_A_PHONE : SMALLEST)[grid.dataset.view];
  const seen = Math.max(0, Math.round(-space.getBoundingClientRect().top / rowHeight)) * columns;
  const before = [columns, rowHeight];
  columns = Math.max(1, Math.floor((space.clientWidth + GAP) / (smallest + GAP)));
  grid.style.setProperty("--columns", columns);
  draw();
  if (!cards.size) return;
  rowHeight = cards.values().next().value.getBoundingClientRect().height + GAP;
  if (columns === before[0] && rowHeight === before[1]) return;
  draw();
  // Keep the top row in place when the window changes.
  if (seen) goTo(seen);
}

function goTo(index) {
  const top = space.getBoundingClientRect().top + scrollY;
  scrollTo(0, top + Math.floor(index / columns) * rowHeight - headerHeight());
  draw();
}

function headerHeight() {
  const header = document.querySelector("header");
  return getComputedStyle(header).position === "sticky" ? header.offsetHeight + GAP : GAP;
}

function focusCard(index) {
  if (!shown[index]) return;
  const card = cards.get(index)?.getBoundingClientRect();
  if (!card || card.top < headerHeight() || card.bottom > innerHeight) goTo(index);
  cards.get(index).firstElementChild.focus({ preventScroll: true });
}

function apply() {
  grid.dataset.view = element("view").value;
  shown = search(element("query").value).sort(ORDERS[element("order").value]);
  const [some, all] = [shown.length, entries.length].map((number) => number.toLocaleString("en"));
  element("count").textContent = `${some} of ${all}`;
  element("none").hidden = shown.length > 0;
  grid.replaceChildren();
  cards.clear();
  scrollTo(0, 0);
  lay();
}

grid.addEventListener("keydown", (event) => {
  const step = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -columns, ArrowDown: columns }[event.key];
  const card = event.target.closest("li");
  if (!step || !card || event.altKey || event.ctrlKey || event.metaKey) return;
  event.preventDefault();
  focusCard(card.getAttribute("aria-posinset") - 1 + step);
});

let typed;
element("query").addEventListener("input", () => {
  clearTimeout(typed);
  typed = setTimeout(apply, WAIT);
});
element("all").addEventListener("click", () => {
  element("query").value = "";
  apply();
  element("query").focus();
});
for (const id of ["view", "order"]) element(id).addEventListener("change", apply);
addEventListener("scroll", () => requestAnimationFrame(draw), { passive: true });
addEventListener("resize", lay);

apply();
