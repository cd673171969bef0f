// The entries: the data of the page, how it is searched and sorted, and where its pictures are.
"use strict";

const element = (id) => document.getElementById(id);
const { names, rows, folder, size, options } = JSON.parse(element("data").textContent);
const entries = rows.map((row) => Object.fromEntries(row.map((value, i) => [names[i], value])));
const byFile = new Map(entries.map((entry) => [entry.file, entry]));

// Words: lower case, without accents; a word that is sought may be the beginning of one.

// Scripts that put no space between words are searched anywhere.
const UNSPACED = /^[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}]/u;

function words(text) {
  const plain = text.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase();
  return plain.split(/[^\p{L}\p{N}]+/u).filter(Boolean);
}

for (const entry of entries) entry.words = " " + words(entry.caption).join(" ");

function search(query) {
  const sought = words(query).map((word) => (UNSPACED.test(word) ? word : " " + word));
  return entries.filter((entry) => sought.every((word) => entry.words.includes(word)));
}

const collator = new Intl.Collator(undefined, { numeric: true });
const ORDERS = {
  photo: (a, b) => collator.compare(a.photo, b.photo),
  caption: (a, b) => collator.compare(a.caption, b.caption),
  seed: (a, b) => collator.compare(a.seed, b.seed), // text, as a seed may not fit a number
};

function address(entry) {
  return "#" + encodeURIComponent(entry.file);
}

function picture(entry, kind) {
  const image = new Image(size[0], size[1]);
  image.loading = "lazy";
  image.decoding = "async";
  image.alt = `${kind === "photos" ? "Photo" : "Painting"}: ${entry.caption}`;
  image.src = `${folder}/${kind}/${encodeURIComponent(entry.file)}`;
  return image;
}
