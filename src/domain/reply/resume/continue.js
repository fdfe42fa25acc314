// Shows the form that waits in this tab, and sends it once, on a click.
(() => {
  const { viewer, nobody } = document.currentScript.dataset;
  const PREFIX = "stepgate.resume.";
  const SENT = "stepgate.sent";
  const OPENED = "stepgate.opened";
  const SECRET = /pass|pwd|secret|token|csrf|xsrf|nonce|credential|cvv|cvc|\b(pin|otp|tan|code)\b|[_-](pin|otp|tan|code)$/i;
  const byId = (id) => document.getElementById(id);
  const key = new URLSearchParams(location.search).get("k") ?? "";
  let dead = false;

  const show = (id, title) => {
    for (const section of document.querySelectorAll("section")) section.hidden = section.id !== id;
    document.title = document.querySelector("h1").textContent = title ?? byId(id).dataset.title;
  };
  const end = (id) => {
    dead = true;
    byId("fields").replaceChildren();
    show(id);
  };

  // What waits under this key. It is gone from then on, also for a copy of this tab, which has a copy of its storage.
  const take = () => {
    const text = sessionStorage.getItem(PREFIX + key);
    sessionStorage.removeItem(PREFIX + key);
    const opened = (localStorage.getItem(OPENED) ?? "").split(" ");
    if (text === null || opened.includes(key)) return null;
    localStorage.setItem(OPENED, [key, ...opened].slice(0, 50).join(" "));
    return JSON.parse(text);
  };

  const entry = ([name, value]) => {
    const [term, text] = [document.createElement("dt"), document.createElement("dd")];
    term.textContent = name;
    text.textContent = SECRET.test(name) ? "•••••• (sent, but not shown)" : value || "(empty)";
    return [term, text];
  };

  const offer = (kept) => {
    const fields = [...new URLSearchParams(kept.fields)];
    const [form, button] = [byId("form"), byId("send")];
    byId("to").textContent = kept.action;
    byId("fields").append(...fields.flatMap(entry));
    Object.assign(form, { action: kept.action, enctype: kept.enctype });
    form.addEventListener("formdata", ({ formData }) => {
      for (const [name, value] of fields) formData.append(name, value);
    });
    // Only a person's click is trusted; a submission by script is too, and comes without one.
    let isClicked = false;
    button.addEventListener("click", ({ isTrusted }) => { isClicked = isTrusted; });
    form.addEventListener("submit", (event) => {
      if (dead || !isClicked) return event.preventDefault();
      dead = true;
      sessionStorage.setItem(SENT, key);
      button.disabled = true;
    });
    show("ready", kept.name ? `Continue your ${kept.name}` : "Continue where you left off");
    button.focus();
  };

  const begin = () => {
    if (sessionStorage.getItem(SENT) === key) return end("sent");
    const kept = take();
    if (kept === null || new URL(kept.action).origin !== location.origin) return end("nothing");
    if (kept.owner !== viewer && kept.owner !== nobody) return end("other");
    offer(kept);
  };

  // The back button may bring this page back as it was left, with a living button.
  addEventListener("pageshow", ({ persisted }) => {
    if (persisted) end(sessionStorage.getItem(SENT) === key ? "sent" : "nothing");
  });
  try {
    begin();
  } catch {
    end("nothing"); // Storage is switched off.
  }
})();
