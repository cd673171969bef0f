// The viewer: a painting under its photo. The fragment of the address is the painting's file.

const [viewer, pair, slider] = ["viewer", "pair", "slider"].map(element);
let current = null;
pair.style.aspectRatio = `${size[0]} / ${size[1]}`;
const startsFromCropped = (options ?? []).includes("--strength") && !options.includes("--fit");
pair.classList.toggle("cropped", startsFromCropped && !options.join(" ").includes("--size fit"));

function show(entry) {
  current = entry;
  const at = shown.indexOf(entry);
  const of = shown.length.toLocaleString("en");
  element("place").textContent = at < 0 ? "" : `${(at + 1).toLocaleString("en")} of ${of}`;
  element("previous").disabled = at <= 0;
  element("next").disabled = at < 0 || at === shown.length - 1;
  for (const image of pair.querySelectorAll("img")) image.remove();
  const images = [picture(entry, "paintings")];
  if (entry.has_photo) images.push(picture(entry, "photos"));
  images[1]?.classList.add("over");
  pair.prepend(...images);
  pair.classList.toggle("alone", !entry.has_photo);
  element("title").textContent = entry.caption;
  const facts = {
    Prompt: entry.prompt,
    Photo: entry.has_photo ? entry.photo : `${entry.photo} (missing or unreadable)`,
    Painting: entry.file === entry.photo ? "" : entry.file,
    Seed: entry.seed,
    Weights: entry.weights.join(", "),
    Evaluations: entry.evaluations,
    Settings: entry.settings.join(" "),
    Note: entry.error,
  };
  element("facts").replaceChildren();
  for (const [name, value] of Object.entries(facts)) {
    if (value === "") continue;
    for (const [tag, text] of [["dt", name], ["dd", value]]) {
      element("facts").append(Object.assign(document.createElement(tag), { textContent: text }));
    }
  }
  element("again").hidden = options === null;
  element("command").textContent = options === null ? "" : command(entry);
  for (const neighbor of [shown[at - 1], shown[at + 1]]) {
    if (at >= 0 && neighbor) picture(neighbor, "paintings").loading = "eager";
  }
  if (!viewer.open) {
    viewer.showModal();
    viewer.focus();
  }
}

// Quote text for a shell, so that pasting it runs nothing else. Control characters, which act on
// the terminal itself, become escapes.
function quoted(text) {
  if (/^[\w@%+=:,./-]+$/.test(text)) return text;
  if (!/\p{Cc}/u.test(text)) return `'${text.replaceAll("'", `'"'"'`)}'`;
  const escape = (char) => "\\u" + char.charCodeAt(0).toString(16).padStart(4, "0");
  return `$'${text.replace(/['\\]/g, "\\$&").replace(/\p{Cc}/gu, escape)}'`;
}

function command(entry) {
  const weights = entry.weights.flatMap((weight) => ["--weight", weight]);
  // After --, a prompt that begins with a dash is not taken for a flag.
  const values = ["--seed", entry.seed, ...weights, ...options, ...entry.settings, "--", entry.prompt];
  return ["monetize", "paint", ...values].map(quoted).join(" ");
}

function move(step) {
  const next = shown[shown.indexOf(current) + step];
  if (!next) return;
  history.replaceState(null, "", address(next));
  show(next);
}

function slide() {
  pair.style.setProperty("--at", `${slider.value}%`);
}

function followAddress() {
  let file = "";
  try {
    file = decodeURIComponent(location.hash.slice(1));
  } catch {} // not a valid fragment
  const entry = byFile.get(file);
  if (entry) show(entry);
  else viewer.close();
}

viewer.addEventListener("close", () => {
  // Following a lone # would jump to the top; replacing the address does not.
  if (location.hash) history.replaceState(null, "", "#");
  const index = shown.indexOf(current);
  current = null;
  focusCard(index);
});
viewer.addEventListener("click", (event) => {
  if (event.target === viewer) {
    const box = viewer.getBoundingClientRect();
    const { clientX: x, clientY: y } = event;
    if (x < box.left || x > box.right || y < box.top || y > box.bottom) viewer.close();
  }
});
viewer.addEventListener("keydown", (event) => {
  const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
  // On the slider, the arrow keys move the slider.
  if (!step || event.target === slider || event.altKey || event.ctrlKey || event.metaKey) return;
  event.preventDefault();
  move(step);
});
slider.addEventListener("input", slide);
slider.addEventListener("pointerup", () => viewer.focus());
element("previous").addEventListener("click", () => move(-1));
element("next").addEventListener("click", () => move(1));
element("close").addEventListener("click", () => viewer.close());
element("copy").addEventListener("click", async () => {
  try {
    await navigator.clipboard.writeText(element("command").textContent);
    element("copy").textContent = "Copied";
    setTimeout(() => (element("copy").textContent = "Copy"), 1500);
  } catch {
    getSelection().selectAllChildren(element("command")); // to copy by hand
  }
});
addEventListener("hashchange", followAddress);

followAddress();
