// Live updates, drag and drop, copy buttons, local times, a table filter. Every page works without this file.
"use strict";

function localTimes(root) {
  for (const element of root.querySelectorAll("time[datetime]")) {
    const moment = new Date(element.dateTime);
    if (Number.isNaN(moment.getTime())) continue;
    element.title = element.textContent;
    element.textContent = moment.toLocaleString("en-GB", { day: "numeric", month: "short", year: "numeric", hour: "2-digit", minute: "2-digit" });
  }
}

function follow(box) {
  let busy = false;
  let again = false;
  async function update() {
    if (busy) { again = true; return; }
    busy = true;
    do {
      again = false;
      const answer = await fetch(box.dataset.fragment, { headers: { "X-Requested-With": "fetch" } }).catch(() => null);
      if (answer && answer.ok && !answer.redirected) replace(box, await answer.text());
    } while (again);
    busy = false;
  }
  const events = new EventSource(box.dataset.events);
  events.addEventListener("state", update);
  events.addEventListener("end", () => { events.close(); update(); });
}

function replace(box, html) {
  const toggled = new Map([...box.querySelectorAll("details[data-key]")].map((d) => [d.dataset.key, d.open]));
  const before = box.querySelector("#headline")?.textContent;
  box.innerHTML = html; // from our own server, where every value was escaped; the policy forbids inline scripts
  for (const details of box.querySelectorAll("details[data-key]")) {
    if (toggled.has(details.dataset.key)) details.open = toggled.get(details.dataset.key);
  }
  localTimes(box);
  const headline = box.querySelector("#headline")?.textContent;
  if (headline && headline !== before) document.getElementById("status").textContent = headline;
}

function dropZone(zone) {
  const input = zone.querySelector("input[type=file]");
  const text = zone.querySelector(".chosen");
  const idle = text.textContent;
  const show = () => { text.textContent = input.files.length ? input.files[0].name : idle; zone.classList.toggle("full", input.files.length > 0); };
  const over = (on) => (event) => { event.preventDefault(); zone.classList.toggle("over", on); };
  zone.addEventListener("dragover", over(true));
  zone.addEventListener("dragleave", over(false));
  zone.addEventListener("drop", (event) => {
    over(false)(event);
    if (event.dataTransfer.files.length) { input.files = event.dataTransfer.files; show(); }
  });
  input.addEventListener("change", show);
  input.form.addEventListener("submit", () => { input.form.querySelector("button").disabled = true; });
  window.addEventListener("pageshow", () => { input.form.querySelector("button").disabled = false; show(); });
}

function copyButton(button) {
  button.hidden = false;
  button.addEventListener("click", async () => {
    const source = document.getElementById(button.dataset.copy);
    try {
      await navigator.clipboard.writeText(source.textContent);
      button.textContent = "Copied";
    } catch {
      getSelection().selectAllChildren(source);
    }
  });
}

function filterTable(field) {
  field.hidden = false;
  const rows = [...document.querySelectorAll(`#${field.dataset.filter} tbody tr`)];
  field.addEventListener("input", () => {
    const wanted = field.value.trim().toLowerCase();
    for (const row of rows) row.hidden = !row.textContent.toLowerCase().includes(wanted);
  });
}

localTimes(document);
document.querySelectorAll("[data-events]").forEach(follow);
document.querySelectorAll(".drop").forEach(dropZone);
document.querySelectorAll("[data-copy]").forEach(copyButton);
document.querySelectorAll("[data-filter]").forEach(filterTable);
