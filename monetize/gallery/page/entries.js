// The entries: the data of the page, how to search and sort it, and where its images are.
"use strict";

const element = (id) => document.getElementById(id);
const { names, rows, folder, size, options } = JSON.parse(element("data").textContent);
const entries = rows.map((row) => Object.fromEntries(row.map((value, i) => [names[i], value])));
const byFile = new Map(entries.map((entry) => [entry.file, entry]));

// Words are lower case without accents. A query matches the beginning of a word, or any part of it
// in scripts that put no spaces between words.
const UNSPACED = /^[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}]/u;

function words(text) {
  const plain = text.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase();
  return plain.split(/[^\p{L}\p{N}]+/u).filter(Boolean);
}

for (const entry of entries) entry.words = " " + words(entry.caption).join(" ");

function search(query) {
  const parts = words(query).map((word) => (UNSPACED.test(word) ? word : " " + word));
  return entries.filter((entry) => parts.every((part) => entry.words.includes(part)));
}

const alphabetic = new Intl.Collator();
const numeric = new Intl.Collator(undefined, { numeric: true });
const ORDERS = {
  // Not numerically: the digits in 0e13ac97.jpg are not a number.
  photo: (a, b) => alphabetic.compare(a.photo, b.photo),
  caption: (a, b) => alphabetic.compare(a.caption, b.caption),
  seed: (a, b) => numeric.compare(a.seed, b.seed), // text: a seed may be too large for a number
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
