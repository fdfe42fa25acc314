// A `fetch` that understands Stepgate's refusals. It needs nothing else: copy it.
const KEPT = "gated.call";

// Calls `{ url, method, headers, body }`, the body a text. Where the refusal names a challenge and `ask` says yes to it, keeps the
// call in this tab and goes there; it comes back to this page. What it returns is the answer, good or not.
export async function gated(call, ask) {
  const { url, ...options } = call;
  const answer = await fetch(url, { credentials: "include", ...options });
  const refusal = answer.ok ? {} : await answer.clone().json().catch(() => ({}));
  const challenge = refusal.redirect_browser_to;
  if (challenge && (await ask(refusal))) {
    sessionStorage.setItem(KEPT, JSON.stringify({ call, page: location.href }));
    location.assign(challenge);
  }
  return answer;
}

// The call that waited for this very page, or null. It is gone from then on: show what it is, and repeat it on a click.
export function waiting() {
  const kept = JSON.parse(sessionStorage.getItem(KEPT) ?? "null");
  sessionStorage.removeItem(KEPT);
  return kept?.page === location.href ? kept.call : null;
}
