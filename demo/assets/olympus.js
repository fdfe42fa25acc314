// What a page of the bank does by itself: say who is signed in, show codes and decisions, ask before a deletion.
"use strict";
const at = (id) => document.getElementById(id);
const every = (ms, work) => {
  const turn = async () => {
    if (!document.hidden) await work().catch(() => {});
    setTimeout(turn, ms);
  };
  turn();
};

const ago = (time) => {
  const seconds = Math.max(0, Math.round((Date.now() - Date.parse(time)) / 1000));
  return seconds < 120 ? `${seconds} seconds` : `${Math.round(seconds / 60)} minutes`;
};

if (at("me")) every(2000, async () => {
  const answer = await fetch("/me", { headers: { accept: "application/json" } });
  if (answer.status === 401) { at("me").textContent = "You are not signed in."; return; }
  if (answer.status === 403) { at("me").textContent = "You gave a password; this Kratos wants the second factor too."; return; }
  if (!answer.ok) { at("me").textContent = "Who you are can't be said right now."; return; }
  const me = await answer.json();
  const factor = me.second_factor_at ? `, second factor ${ago(me.second_factor_at)} old` : ", no second factor given";
  at("me").textContent = `Signed in as ${me.name} · ${String(me.aal).toUpperCase()}${factor}`;
});

if (at("people")) every(5000, async () => {
  const answer = await fetch(at("people").dataset.src);
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  if (answer.ok) at("people").replaceChildren(...page.body.children);
});

if (at("decisions")) every(1500, async () => {
  const told = await (await fetch("/backstage/decisions")).json();
  const lines = told.map(({ words, granted }) => {
    const line = document.createElement("li");
    line.className = granted ? "granted" : "refused";
    line.textContent = words;
    return line;
  });
  if (lines.length) at("decisions").replaceChildren(...lines);
});

if (at("erase")) import("/gated.js").then(({ gated, waiting }) => {
  const button = at("erase");
  const words = button.textContent;
  const say = (text) => { at("erased").textContent = text; };
  const ask = (refusal) => new Promise((resolve) => {
    at("ask").dataset.reason = refusal.error.id;
    at("ask").onclose = () => resolve(false);
    at("onward").onclick = (event) => { event.preventDefault(); resolve(true); };
    at("ask").showModal();
  });
  let call = waiting();
  if (call) {
    button.textContent = `Continue: ${words.toLowerCase()}`;
    button.focus();
  }
  button.addEventListener("click", async () => {
    const once = call ?? { url: button.dataset.url, method: "DELETE" };
    call = null;
    button.textContent = words;
    const answer = await gated(once, ask).catch(() => null);
    if (!answer) return say("The bank can't be reached.");
    if (answer.ok) return say("All your data is gone.");
    const refusal = await answer.json().catch(() => ({}));
    say(refusal.error?.message ?? `Refused (${answer.status}).`);
  });
});

if (at("trade")) at("trade").addEventListener("click", () => {
  const socket = new WebSocket(at("trade").dataset.url);
  let open = false;
  socket.onmessage = (message) => { open = true; at("trade-help").hidden = true; at("price").textContent = message.data; };
  socket.onclose = () => { if (!open) at("trade-help").hidden = false; at("price").textContent = "–"; };
});
