// Keeps the page current: sections that changed come as events, and are put in place without losing where one is.
"use strict";

(() => {
  const live = document.getElementById("live");
  const address = new URL(live.dataset.events, location.href);
  const SLOWLY = 15000;
  let renewed = true;

  function say(text) {
    if (live.textContent !== text) live.textContent = text;
  }

  function put(id, html) {
    const place = document.getElementById(id);
    if (!place || place.innerHTML === html) return;
    const selection = getSelection();
    // Whoever is copying something gets the change with the next one.
    if (!selection.isCollapsed && place.contains(selection.anchorNode)) return;
    const open = [...place.querySelectorAll("details[open]")].map((one) => one.id);
    const focused = place.contains(document.activeElement) ? document.activeElement.id : "";
    place.innerHTML = html;
    for (const one of open) document.getElementById(one)?.setAttribute("open", "");
    if (focused) document.getElementById(focused)?.focus({ preventScroll: true });
  }

  function follow() {
    const source = new EventSource(address);
    source.onmessage = (event) => {
      say("It is kept current.");
      for (const [id, html] of Object.entries(JSON.parse(event.data))) put(id, html);
    };
    source.addEventListener("anew", () => location.reload());
    source.onerror = () => {
      // A server that is away is asked again by the browser itself; one that has no stream left is not.
      const refused = source.readyState === EventSource.CLOSED;
      say(refused && renewed ? "It is renewed every 15 seconds." : "It is not current at the moment.");
      if (refused) setTimeout(renew, SLOWLY);
    };
  }

  // Without a stream: the whole page now and then, of which the same sections are taken.
  async function renew() {
    try {
      const answer = await fetch(location.href, { credentials: "same-origin" });
      renewed = answer.ok && !answer.redirected;
      if (renewed) {
        const page = new DOMParser().parseFromString(await answer.text(), "text/html");
        for (const place of page.querySelectorAll("[data-section]")) put(place.id, place.innerHTML);
      }
    } catch {
      renewed = false;
    }
    follow();
  }

  follow();
})();
