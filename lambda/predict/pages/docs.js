"use strict";

// Each operation can be tried. Without this script its form stays hidden, and the page is complete.
const base = location.href.split(/[?#]/)[0].replace(/docs\/?$/, "");

async function send(form) {
  const { method, path } = form.dataset;
  const field = (name) => form.elements.namedItem(name);
  const headers = {};
  if (field("key")?.value) headers["x-api-key"] = field("key").value;
  if (field("body")) headers["Content-Type"] = "application/json";
  const given = [...form.querySelectorAll("[data-query]")].filter((one) => one.value).map((one) => [one.name, one.value]);
  const query = given.length ? `?${new URLSearchParams(given)}` : "";
  const started = performance.now();
  try {
    const answer = await fetch(base + path.slice(1) + query, { method, headers, body: field("body")?.value });
    const text = await answer.text();
    const wait = answer.headers.get("Retry-After");
    const head = `${answer.status} ${answer.statusText} in ${Math.round(performance.now() - started)} ms`;
    let shown = text;
    try {
      shown = JSON.stringify(JSON.parse(text), null, 2);
    } catch {
      // Not JSON: as it came.
    }
    return `${head}${wait ? `\nRetry-After: ${wait}` : ""}\n\n${shown}`;
  } catch {
    return "There was no answer. Check the connection, and whether the API is running.";
  }
}

for (const form of document.querySelectorAll("form")) {
  form.hidden = false;
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const output = form.querySelector("output");
    const button = form.querySelector("button");
    button.disabled = true;
    output.textContent = "…";
    output.hidden = false;
    output.textContent = await send(form);
    button.disabled = false;
  });
}
