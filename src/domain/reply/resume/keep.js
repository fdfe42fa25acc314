// Keeps a form in this tab, under a key that only the way back knows, and goes to the challenge.
(() => {
  const { key, owner, name, enctype, challenge, fields } = document.currentScript.dataset;
  const PREFIX = "stepgate.resume.";
  try {
    // One form a tab: what was kept earlier was left behind.
    for (const old of Object.keys(sessionStorage)) {
      if (old.startsWith(PREFIX)) sessionStorage.removeItem(old);
    }
    const kept = { owner, name, enctype, fields, action: location.href };
    sessionStorage.setItem(PREFIX + key, JSON.stringify(kept));
  } catch {
    return; // Nothing can be kept here, and the page says so.
  }
  document.getElementById("lost").remove();
  document.getElementById("kept").hidden = false;
  // In this page's place, so that the back button leads to the form and not here.
  location.replace(challenge);
})();
